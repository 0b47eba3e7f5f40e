/* SPDX-License-Identifier: MPL-2.0 */

/* tulle-demo-shipping: dispatches orders that are paid.
 *
 * It learns from orders/placed where an order goes, and from payments/approved
 * that it may go. It needs no code for payments that come before their orders:
 * that cannot happen, and should it, this program says so and ends with 1.
 *
 * Both subscriptions call back on the node's thread, in one causal order. What
 * they get is printed as lines of JSON. */

#include "app/json.h"
#include "app/text.h"

#include <tulle/tulle.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORDERS_MAX = 10000, JOINS_MAX = 8, WORD_LEN = 32, LINGER_MS = 1000 };

struct order {
    json_int_t number; /* 0: free */
    char item[WORD_LEN], to[WORD_LEN];
};

struct shipping {
    tulle_node *node;
    struct order orders[ORDERS_MAX]; /* by number, open addressing */
    size_t order_count;
    struct tulle__text text;
    bool has_failed;
};

static struct order *
find_order(struct shipping *shipping, json_int_t number)
{
    size_t at = (size_t)number % ORDERS_MAX;
    while (shipping->orders[at].number != 0 && shipping->orders[at].number != number)
        at = (at + 1) % ORDERS_MAX;
    return &shipping->orders[at];
}

static const char *
word_of(const json_t *payload, const char *member)
{
    const char *word = json_string_value(json_object_get(payload, member));
    return word == NULL ? "" : word;
}

static void
fail(struct shipping *shipping, json_int_t number, const char *what)
{
    (void)fprintf(stderr, "shipping: order %lld: %s\n", (long long)number, what);
    shipping->has_failed = true;
}

static void
learn(struct shipping *shipping, json_int_t number, const json_t *payload)
{
    struct order *order = find_order(shipping, number);
    if (order->number == number) {
        fail(shipping, number, "placed twice");
        return;
    }
    if (shipping->order_count == ORDERS_MAX - 1) {
        fail(shipping, number, "too many orders");
        return;
    }
    shipping->order_count++;
    order->number = number;
    (void)snprintf(order->item, sizeof order->item, "%s", word_of(payload, "item"));
    (void)snprintf(order->to, sizeof order->to, "%s", word_of(payload, "to"));
}

static void
dispatch(struct shipping *shipping, json_int_t number, const tulle_event *payment)
{
    const struct order *order = find_order(shipping, number);
    if (order->number != number) {
        fail(shipping, number, "paid, and nobody knows what was ordered");
        return;
    }
    tulle_event_ref cause = { .node = payment->node,
                              .stream = payment->stream,
                              .seq = payment->seq };
    tulle_publish_options options;
    tulle_publish_options_init(&options);
    options.timeout_ms = 0; /* a callback must not wait */
    options.causes = &cause;
    options.cause_count = 1;

    struct tulle__text payload = { 0 };
    json_t *json =
        json_pack("{s:I, s:s, s:s}", "order", number, "item", order->item, "to", order->to);
    if (json == NULL || tulle__json_to_msgpack(json, &payload) != NULL || payload.has_failed)
        fail(shipping, number, "out of memory");
    else if (tulle_node_publish(shipping->node, "shipping/dispatched", payload.bytes, payload.len,
                                &options) != TULLE_OK)
        fail(shipping, number, "cannot be published");
    json_decref(json);
    tulle__text_free(&payload);
}

static void
on_message(const tulle_message *message, void *ctx)
{
    struct shipping *shipping = ctx;
    struct tulle__text *text = &shipping->text;
    tulle__text_clear(text);
    tulle__json_message(message, 0, text);
    tulle__text_char(text, '\n');
    if (text->has_failed || fwrite(text->bytes, 1, text->len, stdout) != text->len)
        shipping->has_failed = true;
    (void)fflush(stdout);
    if (message->kind != TULLE_MESSAGE_EVENT || text->has_failed)
        return;

    json_t *json = json_loadb(text->bytes, text->len, 0, NULL);
    const json_t *payload = json_object_get(json, "payload");
    json_int_t number = json_integer_value(json_object_get(payload, "order"));
    if (number <= 0)
        fail(shipping, number, "not an order");
    else if (strcmp(message->u.event.topic, "orders/placed") == 0)
        learn(shipping, number, payload);
    else if (strcmp(message->u.event.topic, "payments/approved") == 0)
        dispatch(shipping, number, &message->u.event);
    json_decref(json);
}

static bool
run(struct shipping *shipping, const tulle_node_options *options, const sigset_t *signals)
{
    tulle_error error;
    tulle_subscribe_options subscribe;
    tulle_subscribe_options_init(&subscribe);
    subscribe.from = TULLE_FROM_EARLIEST;
    subscribe.fn = on_message;
    subscribe.ctx = shipping;
    subscribe.flags = TULLE_WATCH_ARRIVALS | TULLE_WATCH_DUPLICATES | TULLE_DETAIL_DEPS;
    if (tulle_node_new(options, &shipping->node, &error) != TULLE_OK) {
        (void)fprintf(stderr, "shipping: %s\n", error.text);
        return false;
    }
    if (tulle_node_subscribe(shipping->node, "orders/**", &subscribe, NULL) != TULLE_OK ||
        tulle_node_subscribe(shipping->node, "payments/**", &subscribe, NULL) != TULLE_OK) {
        (void)fprintf(stderr, "shipping: cannot subscribe\n");
        return false;
    }
    if (tulle_node_start(shipping->node, &error) != TULLE_OK) {
        (void)fprintf(stderr, "shipping: %s\n", error.text);
        return false;
    }
    int number = 0;
    (void)sigwait(signals, &number);
    tulle_node_stop(shipping->node, LINGER_MS);
    return true;
}

int
main(int argc, char **argv)
{
    if (argc < 3 || argc > 2 + JOINS_MAX) {
        (void)fprintf(stderr, "usage: tulle-demo-shipping FETCH-DELAY-MS JOIN...\n");
        return 2;
    }
    tulle_node_options options;
    tulle_node_options_init(&options);
    options.name = "shipping";
    options.listen[0] = "tcp://127.0.0.1:*";
    options.listen_count = 1;
    options.fetch_delay_ms = (uint32_t)strtoul(argv[1], NULL, 10);
    options.join = (const char *const *)(argv + 2);
    options.join_count = (size_t)argc - 2;

    /* Blocked before the node has a thread, so that sigwait() gets them. */
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);

    static struct shipping shipping; /* big */
    bool is_good = run(&shipping, &options, &signals);
    tulle_node_free(&shipping.node);
    tulle__text_free(&shipping.text);
    return is_good && !shipping.has_failed ? EXIT_SUCCESS : EXIT_FAILURE;
}
