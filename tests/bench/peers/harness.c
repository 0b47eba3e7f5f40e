/* SPDX-License-Identifier: MPL-2.0 */
/* Starts the processes of one run, watches over them, and prints one JSON object. A
 * child that fails, or a run that takes too long, ends all of them and the program with 1. */

#define _DEFAULT_SOURCE 1 /* MAP_ANONYMOUS */

#include "harness.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: peer_NAME [option...]\n"
    "\n"
    "One run of publishers and subscribers over one messaging system; prints one JSON object.\n"
    "\n"
    "  --publishers N   1 to 16; 1\n"
    "  --subscribers N  1 to 16; 1\n"
    "  --size BYTES     of each event, 24 to 1048576; 64\n"
    "  --seconds S      how long to publish; 1\n"
    "  --rate N         events a second; 0: as many as possible; 0\n"
    "  --timeout S      the run has failed after this; 30\n"
    "  --port N         of the broker, or of the first port of a range\n"
    "  --broker PID     count the CPU time of this process too\n"
    "  --curve          encrypted, where the peer can\n"
    "  --via            publishers connect to that port of a forwarder, subscribers to the one "
    "two\n"
    "                   higher, where the peer can\n"
    "  --single         each event in a message of its own, where the peer can gather\n"
    "  --help           this text\n";

enum { SIZE_MIN = 24, SIZE_MAX_BYTES = 1048576 };

void
peer_fail(const char *format, ...)
{
    va_list args;
    fprintf(stderr, "peer_%s: ", peer_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    _exit(1);
}

void *
peer_allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL)
        peer_fail("no memory");
    return memory;
}

static double
parse(const char *text, double min, double max)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= min && value <= max))
        peer_fail("%s is not within %g to %g", text, min, max);
    return value;
}

static struct harness_options
parse_options(int argc, char **argv)
{
    static const struct option names[] = {
        { "publishers", required_argument, NULL, 'p' },
        { "subscribers", required_argument, NULL, 's' },
        { "size", required_argument, NULL, 'z' },
        { "seconds", required_argument, NULL, 't' },
        { "rate", required_argument, NULL, 'r' },
        { "timeout", required_argument, NULL, 'T' },
        { "port", required_argument, NULL, 'P' },
        { "broker", required_argument, NULL, 'b' },
        { "curve", no_argument, NULL, 'c' },
        { "via", no_argument, NULL, 'v' },
        { "single", no_argument, NULL, '1' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct harness_options o = { .publishers = 1, .subscribers = 1, .size = 64, .seconds = 1 };
    o.timeout_s = 30;
    for (int c = 0; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (c) {
        case 'p':
            o.publishers = (unsigned)parse(optarg, 1, PEER_MAX);
            break;
        case 's':
            o.subscribers = (unsigned)parse(optarg, 1, PEER_MAX);
            break;
        case 'z':
            o.size = (unsigned)parse(optarg, SIZE_MIN, SIZE_MAX_BYTES);
            break;
        case 't':
            o.seconds = parse(optarg, 0.001, 3600);
            break;
        case 'r':
            o.rate = (unsigned)parse(optarg, 0, 1000000);
            break;
        case 'T':
            o.timeout_s = parse(optarg, 0.1, 3600);
            break;
        case 'P':
            o.port = (unsigned)parse(optarg, 1, 65535);
            break;
        case 'b':
            o.broker_pid = (unsigned)parse(optarg, 1, 1 << 30);
            break;
        case 'c':
            o.curve = true;
            break;
        case 'v':
            o.is_via = true;
            break;
        case '1':
            o.is_single = true;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            exit(2);
        }
    }
    return o;
}

static struct shared *
map_shared(const struct harness_options *o)
{
    size_t cap = o->rate > 0 ? (size_t)(o->seconds * o->rate + 1) * o->publishers : 0;
    size_t size = sizeof(struct shared) + cap * o->subscribers * sizeof(int64_t);
    struct shared *shared =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        peer_fail("mmap: %s", strerror(errno));
    shared->latency_cap = cap;
    return shared;
}

struct family {
    pid_t pids[2 * PEER_MAX];
    unsigned count; /* first the publishers */
};

static void
end_family(const struct family *family)
{
    for (unsigned i = 0; i < family->count; i++) {
        if (family->pids[i] > 0)
            (void)kill(family->pids[i], SIGKILL);
    }
}

static void
start_children(const struct harness_options *o, struct shared *shared, struct family *family)
{
    pid_t parent = getpid();
    for (unsigned i = 0; i < o->publishers + o->subscribers; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent)
                _exit(1);
            if (i < o->publishers)
                harness_publish(o, shared, i);
            else
                harness_receive(o, shared, i - o->publishers);
            _exit(0);
        }
        if (pid == -1) {
            end_family(family);
            peer_fail("fork: %s", strerror(errno));
        }
        family->pids[family->count++] = pid;
    }
}

/* Forget the children that have ended well; how many are left. */
static unsigned
reap(struct family *family)
{
    unsigned left = 0;
    for (unsigned i = 0; i < family->count; i++) {
        int status = 0;
        if (family->pids[i] == 0)
            continue;
        if (waitpid(family->pids[i], &status, WNOHANG) == 0) {
            left++;
            continue;
        }
        family->pids[i] = 0;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            end_family(family);
            peer_fail("a process of the run has failed");
        }
    }
    return left;
}

static int64_t
broker_cpu_ns(unsigned pid)
{
    clockid_t clock;
    struct timespec used = { 0 };
    if (pid == 0)
        return 0;
    if (clock_getcpuclockid((pid_t)pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        peer_fail("the broker is not there");
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* Let it run. Returns the CPU time of the broker in it. */
static int64_t
run(const struct harness_options *o, struct shared *shared, struct family *family)
{
    int64_t end_ns = harness_clock_ns() + (int64_t)(o->timeout_s * 1e9);
    int64_t cpu_start_ns = 0;
    int64_t cpu_ns = -1;
    while (reap(family) > 0) {
        if (!atomic_load(&shared->start) &&
            atomic_load(&shared->publishers_ready) == o->publishers) {
            cpu_start_ns = broker_cpu_ns(o->broker_pid);
            atomic_store(&shared->start, true);
        }
        if (cpu_ns == -1 && atomic_load(&shared->subscribers_done) == o->subscribers)
            cpu_ns = broker_cpu_ns(o->broker_pid) - cpu_start_ns;
        if (harness_clock_ns() > end_ns) {
            end_family(family);
            peer_fail("%s within %g seconds",
                      atomic_load(&shared->start) ? "not all has come" : "not connected",
                      o->timeout_s);
        }
        harness_sleep_us(5000);
    }
    return cpu_ns == -1 ? broker_cpu_ns(o->broker_pid) - cpu_start_ns : cpu_ns;
}

static int
compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void
print_latency(const struct harness_options *o, struct shared *shared)
{
    size_t count = shared->latency_cap * o->subscribers;
    int64_t *ns = shared->latency_ns;
    qsort(ns, count, sizeof ns[0], compare_ns);
    printf(",\"latency_us\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}", (double)ns[count / 2] / 1e3,
           (double)ns[count * 99 / 100] / 1e3, (double)ns[count - 1] / 1e3);
}

/* Ends with 1 when something was lost or out of order: such a run counts for nothing. */
static int
report(const struct harness_options *o, struct shared *shared, int64_t broker_ns)
{
    uint64_t events = 0;
    struct subscriber_result all = { .first_ns = INT64_MAX };
    int64_t publishers_ns = 0;
    for (unsigned i = 0; i < o->publishers; i++) {
        events += shared->published[i].events;
        publishers_ns += shared->published[i].cpu_ns;
    }
    for (unsigned i = 0; i < o->subscribers; i++) {
        const struct subscriber_result *one = &shared->received[i];
        all.events += one->events;
        all.lost += one->lost;
        all.misordered += one->misordered;
        all.cpu_ns += one->cpu_ns;
        all.first_ns = one->first_ns < all.first_ns ? one->first_ns : all.first_ns;
        all.last_ns = one->last_ns > all.last_ns ? one->last_ns : all.last_ns;
    }
    double seconds = (double)(all.last_ns - all.first_ns) / 1e9;
    double million = (double)events / 1e6;
    int64_t total_ns = publishers_ns + all.cpu_ns + broker_ns;
    printf("{\"peer\":\"%s\",\"publishers\":%u,\"subscribers\":%u,\"size\":%u,\"rate\":%u,"
           "\"events\":%" PRIu64 ",\"seconds\":%.3f,\"events_per_second\":%.0f,"
           "\"deliveries_per_second\":%.0f,\"lost\":%" PRIu64 ",\"misordered\":%" PRIu64,
           peer_name, o->publishers, o->subscribers, o->size, o->rate, events, seconds,
           (double)events / seconds, (double)all.events / seconds, all.lost, all.misordered);
    printf(",\"cpu_seconds_per_million\":{\"publishers\":%.3f,\"subscribers\":%.3f,"
           "\"broker\":%.3f,\"total\":%.3f}",
           (double)publishers_ns / 1e9 / million, (double)all.cpu_ns / 1e9 / million,
           (double)broker_ns / 1e9 / million, (double)total_ns / 1e9 / million);
    if (o->rate > 0)
        print_latency(o, shared);
    printf("}\n");
    return all.lost == 0 && all.misordered == 0 && all.events == events * o->subscribers ? 0 : 1;
}

int
main(int argc, char **argv)
{
    struct harness_options options = parse_options(argc, argv);
    struct shared *shared = map_shared(&options);
    struct family family = { .count = 0 };
    start_children(&options, shared, &family);
    int64_t broker_ns = run(&options, shared, &family);
    return report(&options, shared, broker_ns);
}
