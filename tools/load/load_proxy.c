/* SPDX-License-Identifier: MPL-2.0 */

/* A proxy of a load, in its own process. It joins the one before it, and forwards until the run
 * is over; what it does is the library's business alone. */

#include "app/exit.h"
#include "tools/load/load_message.h"

#include <tulle/proxy.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { SIDES = 2, COUNTERS_WAIT_MS = 50 /* a proxy tells its counters every 20 ms */ };

static void
fill_options(const struct tulle__load_plan *plan,
             const char *mesh,
             const char *name,
             char addresses[SIDES][64],
             tulle_proxy_options *out)
{
    static const char *const names[SIDES] = { "near", "far" };
    tulle_proxy_options_init(out);
    out->mesh = mesh;
    out->name = name;
    out->segment_count = SIDES;
    out->beat_ms = plan->node.beat_ms;
    out->suspect_ms = plan->node.suspect_ms;
    out->gone_ms = plan->node.gone_ms;
    out->log = plan->node.log;
    out->log_ctx = plan->node.log_ctx;
    out->log_level = plan->node.log_level;
    for (int i = 0; i < SIDES; i++) {
        tulle__load_listen_address(plan, i, addresses[i]);
        tulle_segment_options_init(&out->segments[i]);
        out->segments[i].name = names[i];
        out->segments[i].listen[0] = addresses[i];
        out->segments[i].listen_count = 1;
    }
}

/* Tell the addresses, and join the proxy before this one. */
static tulle_status
join_chain(tulle_proxy *proxy, tulle_proxy_options *options, int fd, tulle_error *error)
{
    struct tulle__load_message message = { .word = TULLE__LOAD_HELLO };
    (void)snprintf(message.u.text, sizeof message.u.text, "%.120s %.120s",
                   tulle_proxy_address(proxy, 1), tulle_proxy_address(proxy, 0));
    tulle__load_say(fd, &message);
    if (!tulle__load_listen(fd, TULLE__LOAD_JOIN, &message))
        return TULLE_ESTATE;
    tulle_status status = TULLE_OK;
    const char *join = message.u.text;
    options->segments[0].join = &join;
    options->segments[0].join_count = join[0] != '\0' ? 1 : 0;
    if (join[0] != '\0')
        status = tulle_proxy_update(proxy, options, error);
    options->segments[0].join = NULL; /* it was copied */
    options->segments[0].join_count = 0;
    return status;
}

/* Sleep until the warm-up is over, or the run. */
static void
warm_up(const struct tulle__load_plan *plan, int fd, int64_t start_ns)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail on Linux */
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    int64_t left_ms = start_ns / 1000000 + plan->warmup_ms - now_ms;
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    if (left_ms > 0)
        (void)poll(&wait, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
}

static int
forward(const struct tulle__load_plan *plan, tulle_proxy *proxy, int fd)
{
    struct tulle__load_message message = { .word = TULLE__LOAD_READY };
    struct rusage usage;
    tulle__load_say(fd, &message);
    if (!tulle__load_listen(fd, TULLE__LOAD_GO, &message))
        return TULLE__EXIT_FAILURE;
    warm_up(plan, fd, message.u.start_ns);
    (void)getrusage(RUSAGE_SELF, &usage);
    if (!tulle__load_listen(fd, TULLE__LOAD_END, &message))
        return TULLE__EXIT_FAILURE;
    struct tulle__load_share share = { .roles = TULLE__LOAD_FORWARDS };
    tulle__load_note_cpu(&share, &usage);
    (void)poll(NULL, 0, COUNTERS_WAIT_MS);
    for (size_t i = 0; i < SIDES; i++) {
        tulle_counters counters;
        tulle_proxy_counters(proxy, i, &counters);
        share.relayed += counters.relayed_events;
    }
    tulle__load_say(fd,
                    &(struct tulle__load_message){ .word = TULLE__LOAD_RESULT, .u.share = share });
    return TULLE__EXIT_OK;
}

int
tulle__load_proxy(const struct tulle__load_plan *plan, uint32_t index, int fd)
{
    char mesh[48];
    char name[32];
    char addresses[SIDES][64];
    tulle_proxy_options options;
    tulle_proxy *proxy = NULL;
    tulle_error error = { 0 };
    tulle__load_mesh_name(mesh);
    (void)snprintf(name, sizeof name, "proxy-%u", index);
    fill_options(plan, mesh, name, addresses, &options);
    tulle_status status = tulle_proxy_new(&options, &proxy, &error);
    if (status == TULLE_OK)
        status = tulle_proxy_start(proxy, &error);
    if (status == TULLE_OK)
        status = join_chain(proxy, &options, fd, &error);
    const char *why = error.text[0] != '\0' ? error.text : tulle_strerror(status);
    int exit_status = (int)tulle__exit_of(status);
    if (status == TULLE_OK)
        exit_status = forward(plan, proxy, fd);
    else
        (void)tulle__load_say_failed(fd, exit_status, name, why);
    tulle_proxy_free(&proxy);
    return exit_status;
}
