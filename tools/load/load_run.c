/* SPDX-License-Identifier: MPL-2.0 */

/* Running a load: starts a process for each node, tells them when to begin and to end, and
 * puts their shares together. A process that says nothing new for too long is a failure, not
 * a wait for ever. */

#define _DEFAULT_SOURCE 1 /* wait4() */

#include "app/exit.h"
#include "tools/common/tools.h"
#include "tools/load/load_message.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    START_US = 20000, /* from the word to begin until beginning: so long it may take to be read */
    END_MS = 5000,    /* for the last word of a process, and its end */
    POLL_MS = 100,
    SHOW_EVERY_US = 200000
};

enum {
    ALL = TULLE__LOAD_PUBLISHES | TULLE__LOAD_TAKES | TULLE__LOAD_FORWARDS,
    EXPECTING = TULLE__LOAD_TAKES | TULLE__LOAD_AWAITS
};

struct child {
    pid_t pid; /* 0: has ended */
    int fd;
    unsigned heard; /* words */
    char address[256];
    uint64_t progress;
    struct tulle__load_share share;
    uint64_t published, published_measured;
};

struct run {
    const struct tulle__load_plan *plan;
    struct tulle__histogram *latency; /* of all nodes */
    const char *name;
    const char *progress;
    struct tulle__signals *signals;
    struct child children[TULLE__LOAD_PROCESSES_MAX];
    uint32_t count;
    int64_t news_us; /* when something new was heard */
    int64_t begun_us;
    int64_t shown_us;
    uint64_t shown; /* deliveries */
    bool has_shown;
};

static int
fail(struct run *run, const char *what)
{
    if (run->has_shown)
        (void)fputs("\r\033[K", stderr);
    run->has_shown = false;
    (void)fprintf(stderr, "%s: %s\n", run->name, what);
    return TULLE__EXIT_FAILURE;
}

/* ---- processes ---- */

uint32_t
tulle__load_node_count(const struct tulle__load_plan *plan)
{
    return plan->publishers + plan->subscribers + plan->both;
}

uint32_t
tulle__load_process_count(const struct tulle__load_plan *plan)
{
    return tulle__load_node_count(plan) + plan->proxies;
}

bool
tulle__load_is_far(const struct tulle__load_plan *plan, uint32_t index)
{
    if (index < plan->publishers)
        return false;
    index -= plan->publishers;
    return index < plan->subscribers || (index - plan->subscribers) % 2 == 1;
}

uint32_t
tulle__load_roles(const struct tulle__load_plan *plan, uint32_t index)
{
    if (index >= tulle__load_node_count(plan))
        return TULLE__LOAD_FORWARDS;
    if (index < plan->publishers)
        return TULLE__LOAD_PUBLISHES | (plan->is_round_trip ? TULLE__LOAD_AWAITS : 0);
    if (index < plan->publishers + plan->subscribers)
        return TULLE__LOAD_TAKES | (plan->is_round_trip ? TULLE__LOAD_ANSWERS : 0);
    return TULLE__LOAD_PUBLISHES | TULLE__LOAD_TAKES;
}

static void
be_child(struct run *run, uint32_t index, int fd, pid_t parent)
{
    tulle__signal_reset_child();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(TULLE__EXIT_FAILURE);
    for (uint32_t i = 0; i < index; i++)
        (void)close(run->children[i].fd);
    tulle__signals_close(run->signals);
    bool is_proxy = tulle__load_roles(run->plan, index) == TULLE__LOAD_FORWARDS;
    _exit(is_proxy ? tulle__load_proxy(run->plan, index, fd)
                   : tulle__load_node(run->plan, index, fd));
}

static int
start_child(struct run *run, uint32_t index)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0)
        return fail(run, strerror(errno));
    (void)fflush(NULL); /* or the child would have it too */
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        be_child(run, index, ends[1], parent);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        int error = errno;
        (void)close(ends[0]);
        return fail(run, strerror(error));
    }
    run->children[index] = (struct child){ .pid = pid, .fd = ends[0] };
    run->count = index + 1;
    return 0;
}

/* Returns the signal that ended it, or 0. */
static int
reap(struct child *child)
{
    struct rusage usage = { 0 };
    int status = 0;
    while (wait4(child->pid, &status, 0, &usage) < 0 && errno == EINTR)
        continue;
    child->share.peak_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
    child->pid = 0;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
end_children(struct run *run, bool is_killing)
{
    for (uint32_t i = 0; i < run->count; i++) {
        struct child *child = &run->children[i];
        /* What it writes after its last word, a sanitizer's report say, may take a moment. */
        char rest;
        struct pollfd end = { .fd = child->fd, .events = POLLIN };
        while (!is_killing && poll(&end, 1, END_MS) > 0 && recv(child->fd, &rest, 1, 0) > 0)
            continue;
        if (child->pid != 0) {
            (void)kill(child->pid, SIGKILL);
            (void)reap(child);
        }
        (void)close(child->fd);
    }
}

/* ---- what they say ---- */

static void
show_progress(struct run *run)
{
    int64_t now = tulle__tool_mono_us();
    if (run->progress == NULL || now - run->shown_us < SHOW_EVERY_US)
        return;
    uint64_t delivered = 0;
    for (uint32_t i = 0; i < run->count; i++)
        delivered += run->children[i].progress;
    double rate = 0;
    if (run->has_shown && delivered > run->shown)
        rate = (double)(delivered - run->shown) * 1e6 / (double)(now - run->shown_us);
    run->shown_us = now;
    run->shown = delivered;
    run->has_shown = true;
    (void)fprintf(stderr, "\r%s, %.1f s, %" PRIu64 " delivered, %.0f a second\033[K", run->progress,
                  (double)(now - run->begun_us) / 1e6, delivered, rate);
}

/* Behind its result. */
static int
hear_latency(struct run *run, struct child *child)
{
    struct tulle__histogram latency;
    ssize_t got;
    do {
        got = recv(child->fd, &latency, sizeof latency, 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof latency)
        return fail(run, "a node's latencies are missing");
    tulle__histogram_merge(run->latency, &latency);
    return 0;
}

static int
hear(struct run *run, struct child *child, const struct tulle__load_message *message)
{
    child->heard |= (unsigned)message->word;
    if (message->word != TULLE__LOAD_PROGRESS || message->u.count != child->progress)
        run->news_us = tulle__tool_mono_us();
    switch (message->word) {
    case TULLE__LOAD_HELLO:
        memcpy(child->address, message->u.text, sizeof child->address);
        break;
    case TULLE__LOAD_PROGRESS:
        child->progress = message->u.count;
        break;
    case TULLE__LOAD_PUBLISHED:
        child->published = message->u.share.published;
        child->published_measured = message->u.share.published_measured;
        break;
    case TULLE__LOAD_RESULT:
        child->share = message->u.share;
        return (child->share.roles & EXPECTING) != 0 ? hear_latency(run, child) : 0;
    case TULLE__LOAD_FAILED:
        (void)fail(run, message->u.text);
        return message->status;
    case TULLE__LOAD_READY:
    case TULLE__LOAD_COMPLETE:
    case TULLE__LOAD_JOIN:
    case TULLE__LOAD_GO:
    case TULLE__LOAD_EXPECT:
    case TULLE__LOAD_END:
        break;
    }
    return 0;
}

static int
hear_child(struct run *run, struct child *child)
{
    struct tulle__load_message message;
    ssize_t got = recv(child->fd, &message, sizeof message, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got == (ssize_t)sizeof message)
        return hear(run, child, &message);
    if (tulle__signals_next(run->signals) != 0) /* a terminal sends it to them too */
        return fail(run, "interrupted");
    char text[80] = "a node's process ended before its time";
    int number = reap(child);
    if (number != 0)
        (void)snprintf(text, sizeof text, "a node's process was ended by signal %d", number);
    return fail(run, text);
}

/* Once: wait a little, and hear who speaks. Returns 0 or an exit status. */
static int
hear_all(struct run *run)
{
    struct pollfd waits[TULLE__LOAD_PROCESSES_MAX + 1];
    for (uint32_t i = 0; i < run->count; i++) {
        /* After its last word it ends: nothing more to hear. poll() skips what is below 0. */
        bool has_ended = (run->children[i].heard & TULLE__LOAD_RESULT) != 0;
        waits[i] = (struct pollfd){ .fd = has_ended ? -1 : run->children[i].fd, .events = POLLIN };
    }
    waits[run->count] = (struct pollfd){ .fd = run->signals->fd, .events = POLLIN };
    if (poll(waits, run->count + 1, POLL_MS) < 0)
        return errno == EINTR ? 0 : fail(run, strerror(errno));
    if (waits[run->count].revents != 0 && tulle__signals_next(run->signals) != 0)
        return fail(run, "interrupted");
    int status = 0;
    for (uint32_t i = 0; i < run->count && status == 0; i++) {
        if (waits[i].revents != 0)
            status = hear_child(run, &run->children[i]);
    }
    show_progress(run);
    return status;
}

/* Until every node with one of the roles has said the word. *is_stalled: nothing new came for
 * so long instead. Returns 0 or an exit status. */
static int
wait_word(struct run *run, enum tulle__load_word word, uint32_t roles, int64_t ms, bool *is_stalled)
{
    run->news_us = tulle__tool_mono_us();
    *is_stalled = false;
    for (;;) {
        uint32_t missing = 0;
        for (uint32_t i = 0; i < run->count; i++)
            missing += (tulle__load_roles(run->plan, i) & roles) != 0 &&
                       (run->children[i].heard & (unsigned)word) == 0;
        if (missing == 0)
            return 0;
        int status = hear_all(run);
        if (status != 0)
            return status;
        *is_stalled = tulle__tool_mono_us() - run->news_us > ms * 1000;
        if (*is_stalled)
            return 0;
    }
}

static void
tell(const struct run *run, uint32_t roles, const struct tulle__load_message *message)
{
    for (uint32_t i = 0; i < run->count; i++) {
        if ((tulle__load_roles(run->plan, i) & roles) != 0)
            (void)send(run->children[i].fd, message, sizeof *message, MSG_NOSIGNAL);
    }
}

/* What is there for this node to take, or to come back. */
static uint64_t
expected_by(const struct run *run, uint32_t index)
{
    uint64_t expected = 0;
    if ((tulle__load_roles(run->plan, index) & TULLE__LOAD_AWAITS) != 0)
        return run->children[index].published * run->plan->subscribers;
    for (uint32_t i = 0; i < run->count; i++)
        expected += i == index ? 0 : run->children[i].published;
    return expected;
}

/* ---- the run ---- */

/* Where a process finds its segment: at the proxy there, or at the first node; "" for the one that
 * the others find. A proxy says both of its addresses, that of its far side first. */
static void
meeting_place(const struct run *run, uint32_t index, char out[static 256])
{
    const struct tulle__load_plan *plan = run->plan;
    uint32_t nodes = tulle__load_node_count(plan);
    out[0] = '\0';
    if (plan->proxies == 0 && index > 0)
        memcpy(out, run->children[0].address, 256);
    if (plan->proxies == 0 || index == nodes)
        return;
    bool is_far = index > nodes || tulle__load_is_far(plan, index);
    uint32_t proxy = index > nodes ? index - 1 : nodes + (is_far ? plan->proxies - 1 : 0);
    const char *both = run->children[proxy].address;
    size_t far_len = strcspn(both, " ");
    if (is_far)
        (void)snprintf(out, 256, "%.*s", (int)far_len, both);
    else
        (void)snprintf(out, 256, "%.200s", both + far_len + (both[far_len] == ' '));
}

static int
connect_all(struct run *run)
{
    bool is_stalled = false;
    int64_t ms = run->plan->timeout_ms;
    int status = wait_word(run, TULLE__LOAD_HELLO, ALL, ms, &is_stalled);
    if (status != 0)
        return status;
    struct tulle__load_message join = { .word = TULLE__LOAD_JOIN };
    for (uint32_t i = 0; i < run->count && !is_stalled; i++) {
        meeting_place(run, i, join.u.text);
        (void)send(run->children[i].fd, &join, sizeof join, MSG_NOSIGNAL);
    }
    /* The nodes themselves say who does not connect in time. */
    if (!is_stalled)
        status = wait_word(run, TULLE__LOAD_READY, ALL, 2 * ms + END_MS, &is_stalled);
    if (status == 0 && is_stalled) {
        (void)fail(run, "the nodes did not start in time");
        status = TULLE__EXIT_NETWORK;
    }
    return status;
}

static int
measure(struct run *run)
{
    const struct tulle__load_plan *plan = run->plan;
    struct tulle__load_message go = { .word = TULLE__LOAD_GO };
    go.u.start_ns = (tulle__tool_mono_us() + START_US) * 1000;
    tell(run, ALL, &go);
    /* At a slow rate there is nothing new for a while, nor while a hole is waited for. */
    int64_t ms = plan->timeout_ms + plan->node.hold_ms;
    if (plan->rate > 0)
        ms += (int64_t)(2000 / plan->rate);
    bool is_stalled = false;
    int status = wait_word(run, TULLE__LOAD_PUBLISHED, TULLE__LOAD_PUBLISHES, ms, &is_stalled);
    if (status != 0)
        return status;
    for (uint32_t i = 0; i < run->count && !is_stalled; i++) {
        struct tulle__load_message expect = { .word = TULLE__LOAD_EXPECT };
        expect.u.count = expected_by(run, i);
        if ((tulle__load_roles(plan, i) & EXPECTING) != 0)
            (void)send(run->children[i].fd, &expect, sizeof expect, MSG_NOSIGNAL);
    }
    if (!is_stalled)
        status = wait_word(run, TULLE__LOAD_COMPLETE, EXPECTING, ms, &is_stalled);
    if (status != 0)
        return status;
    tell(run, ALL, &(struct tulle__load_message){ .word = TULLE__LOAD_END });
    status = wait_word(run, TULLE__LOAD_RESULT, ALL, END_MS, &is_stalled);
    return status == 0 && is_stalled ? fail(run, "a node's process hangs") : status;
}

static void
add_share(struct tulle__load_result *out, const struct tulle__load_share *share)
{
    out->published += share->published_measured;
    if ((share->roles & TULLE__LOAD_TAKES) != 0)
        out->delivered += share->delivered_measured;
    out->lost += share->lost;
    out->gaps += share->gaps;
    out->misordered += share->misordered;
    out->uncaused += share->uncaused;
    out->foreign += share->foreign;
    out->repaired += share->repaired;
    if ((share->roles & TULLE__LOAD_PUBLISHES) != 0 && share->peak_rss_bytes > out->publisher_rss)
        out->publisher_rss = share->peak_rss_bytes;
    if ((share->roles & TULLE__LOAD_TAKES) != 0 && share->peak_rss_bytes > out->subscriber_rss)
        out->subscriber_rss = share->peak_rss_bytes;
    if (share->roles == TULLE__LOAD_FORWARDS && share->peak_rss_bytes > out->proxy_rss)
        out->proxy_rss = share->peak_rss_bytes;
}

/* CPU seconds of the nodes that only publish, or only take, or of a proxy (0: of all processes),
 * for a million events. */
static double
cpu_per_million(const struct tulle__load_result *result, uint32_t roles)
{
    double seconds = 0;
    double events = 0;
    for (size_t i = 0; i < result->share_count; i++) {
        const struct tulle__load_share *share = &result->shares[i];
        if (roles != 0 && (share->roles & (unsigned)ALL) != roles)
            continue;
        seconds += (double)(share->user_us + share->system_us) / 1e6;
        if (roles == TULLE__LOAD_PUBLISHES)
            events += (double)share->published_measured;
        else if (roles == TULLE__LOAD_FORWARDS)
            events += (double)result->published;
        else if ((share->roles & TULLE__LOAD_TAKES) != 0)
            events += (double)share->delivered_measured;
    }
    return events > 0 ? seconds * 1e6 / events : -1;
}

static void
sum_up(const struct run *run, struct tulle__load_result *out)
{
    out->share_count = run->count;
    int64_t first_ns = INT64_MAX;
    int64_t last_ns = INT64_MIN;
    for (uint32_t i = 0; i < run->count; i++) {
        struct tulle__load_share *share = &out->shares[i];
        *share = run->children[i].share;
        uint64_t expected = expected_by(run, i);
        if ((share->roles & EXPECTING) != 0 && expected > share->delivered)
            share->lost = expected - share->delivered;
        if ((share->roles & TULLE__LOAD_TAKES) != 0 && share->delivered_measured > 0) {
            first_ns = share->first_ns < first_ns ? share->first_ns : first_ns;
            last_ns = share->last_ns > last_ns ? share->last_ns : last_ns;
        }
        add_share(out, share);
    }
    if (last_ns > first_ns) {
        out->seconds = (double)(last_ns - first_ns) / 1e9;
        out->events_per_second = (double)out->published / out->seconds;
        out->deliveries_per_second = (double)out->delivered / out->seconds;
    }
    out->publisher_cpu = cpu_per_million(out, TULLE__LOAD_PUBLISHES);
    out->subscriber_cpu = cpu_per_million(out, TULLE__LOAD_TAKES);
    out->proxy_cpu = cpu_per_million(out, TULLE__LOAD_FORWARDS);
    out->total_cpu = cpu_per_million(out, 0);
}

bool
tulle__load_is_clean(const struct tulle__load_result *result)
{
    return result->lost == 0 && result->gaps == 0 && result->misordered == 0 &&
           result->uncaused == 0 && result->foreign == 0;
}

int
tulle__load_run(const struct tulle__load_plan *plan,
                const char *name,
                const char *progress,
                struct tulle__signals *signals,
                struct tulle__load_result *out)
{
    struct run run = { .plan = plan, .name = name, .progress = progress, .signals = signals };
    uint32_t count = tulle__load_process_count(plan);
    int status = 0;
    *out = (struct tulle__load_result){ 0 };
    tulle__histogram_init(&out->latency);
    run.begun_us = tulle__tool_mono_us();
    run.latency = &out->latency;
    for (uint32_t i = 0; i < count && status == 0; i++)
        status = start_child(&run, i);
    if (status == 0)
        status = connect_all(&run);
    if (status == 0)
        status = measure(&run);
    end_children(&run, status != 0);
    if (run.has_shown)
        (void)fputs("\r\033[K", stderr);
    if (status == 0)
        sum_up(&run, out);
    return status;
}
