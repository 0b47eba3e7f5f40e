/* SPDX-License-Identifier: MPL-2.0 */

/* The page of tulle trace in a browser: five services, a thousand orders, five thousand events, and
 * names and payloads that would break out of a page if they could. */

#include "testkit.h"

#include "integ_kit.h"
#include "proc_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORDERS = 1000, PAYLOAD_LEN = 160 };

struct service {
    const char *name, *takes, *publishes;
    tulle_node *node;
};

/* The first is the shop, whose orders the test publishes. */
static const struct service shop[] = {
    { .name = "shop" },
    { .name = "payment", .takes = "orders/placed", .publishes = "payments/approved" },
    { .name = "inventory", .takes = "orders/placed", .publishes = "inventory/reserved" },
    { .name = "loyalty", .takes = "orders/placed", .publishes = "loyalty/credited" },
    { .name = "shipping", .takes = "payments/approved", .publishes = "shipping/dispatched" },
};
enum { SERVICES = sizeof shop / sizeof *shop };

/* What an event leads to carries the same payload, and names it as its cause. */
static void
react(const tulle_message *message, void *ctx)
{
    const struct service *service = ctx;
    const tulle_event *event = &message->u.event;
    if (message->kind != TULLE_MESSAGE_EVENT)
        return;
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    options.timeout_ms = 0;
    options.causes = &(tulle_event_ref){ event->node, event->stream, event->seq };
    options.cause_count = 1;
    tulle_status status = tulle_node_publish(service->node, service->publishes, event->payload,
                                             event->payload_len, &options);
    if (status != TULLE_OK)
        abort(); /* not the thread of the test: cmocka could not tell */
}

static void
start(struct service *service, const char *const *join)
{
    tulle_node_options options;
    tulle_subscribe_options subscribe;
    kit_options(&options, service->name, join);
    service->node = kit_make(&options);
    tulle_subscribe_options_init(&subscribe);
    subscribe.fn = react;
    subscribe.ctx = service;
    if (service->takes != NULL)
        assert_int_equal(tulle_node_subscribe(service->node, service->takes, &subscribe, NULL),
                         TULLE_OK);
    assert_int_equal(tulle_node_start(service->node, NULL), TULLE_OK);
}

/* Order number 500 has everything in it that a careless page would run. */
static void
place_orders(tulle_node *node)
{
    char json[PAYLOAD_LEN];
    unsigned char payload[PAYLOAD_LEN + 3];
    for (int i = 0; i < ORDERS; i++) {
        const char *note = i == 500 ? "</script><script>document.title='broken'</script>"
                                      "<!--<script><img src=x onerror=alert(1)>&quot;' "
                                    : "plain";
        int len = snprintf(json, sizeof json, "order-%04d %s", i, note);
        payload[0] = 0xd9; /* a msgpack string of up to 255 bytes */
        payload[1] = (unsigned char)len;
        memcpy(payload + 2, json, (size_t)len);
        assert_int_equal(tulle_node_publish(node, "orders/placed", payload, (size_t)len + 2, NULL),
                         TULLE_OK);
        if (i % 4 == 0)
            kit_pause_ms(2);
    }
}

static void
run_mesh(struct service services[SERVICES])
{
    for (size_t i = 0; i < SERVICES; i++) {
        const char *address = i > 0 ? tulle_node_address(services[0].node) : NULL;
        services[i] = shop[i];
        if (i == 1)
            services[i].name = "</script><b>payment";
        start(&services[i], i > 0 ? &address : NULL);
    }
    for (size_t i = 0; i < SERVICES; i++)
        kit_wait_up(services[i].node, SERVICES - 1);
    assert_int_equal(tulle_node_wait_peers(services[0].node, "orders/placed", 3, KIT_DEADLINE_MS),
                     TULLE_OK);
    assert_int_equal(
        tulle_node_wait_peers(services[1].node, "payments/approved", 1, KIT_DEADLINE_MS), TULLE_OK);
    place_orders(services[0].node);
    KIT_UNTIL(kit_counters(services[2].node).events_published == ORDERS);
    KIT_UNTIL(kit_counters(services[3].node).events_published == ORDERS);
    KIT_UNTIL(kit_counters(services[4].node).events_published == ORDERS);
}

TEST(the_page_opens_zooms_and_finds)
{
    (void)state;
    struct service services[SERVICES];
    char page[200];
    char script[400];
    run_mesh(services);
    (void)snprintf(page, sizeof page, "%s/trace.html", proc_directory());
    struct proc *trace = proc_start("tulle", "trace", "--join",
                                    tulle_node_address(services[0].node), "--html", page, NULL);
    assert_int_equal(proc_wait(trace), 0);
    assert_string_equal(proc_text(trace, PROC_OUT), "");

    (void)snprintf(script, sizeof script, "%s/tests/web/trace_page.py", getenv("TULLE_SOURCE_DIR"));
    const char *pictures = getenv("TULLE_PICTURES"); /* a folder to keep some in */
    struct proc *browser =
        proc_start("/usr/bin/python3", script, page, pictures != NULL ? pictures : "", NULL);
    int status = proc_wait(browser);
    print_message("%s%s", proc_text(browser, PROC_OUT), proc_text(browser, PROC_ERR));
    if (status == 77)
        skip();
    assert_int_equal(status, 0);
}

static int
teardown(void **state)
{
    return proc_end_all(state) + kit_teardown(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_page_opens_zooms_and_finds, teardown),
    };
    return cmocka_run_group_tests_name("page of trace", tests, NULL, NULL);
}
