/* SPDX-License-Identifier: MPL-2.0 */
/* How many events a second "tulle tap" prints to /dev/null, as a process of its own, while a node
 * here publishes as fast as the tap takes them (a window makes it wait, so nothing is missed:
 * the tap ends with status 0 only when it has printed all). Prints lines "name key=value ...":
 * medians of several runs. */

#include "base/panic.h"
#include "bench_clock.h"

#include <tulle/tulle.h>

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNS = 5, PAYLOAD_LEN = 64, DEADLINE_MS = 60000, ARGS_MAX = 12 };

#define EVENTS "2000000"

static void
must(tulle_status status)
{
    if (status != TULLE_OK) {
        fprintf(stderr, "bench_tap: %s\n", tulle_status_name(status));
        exit(1);
    }
}

static tulle_node *
start_node(void)
{
    tulle_node_options options;
    tulle_node *node = NULL;
    tulle_node_options_init(&options);
    options.mesh = "bench";
    options.name = "publisher";
    options.listen[0] = "tcp://127.0.0.1:*";
    options.listen_count = 1;
    options.window_bytes = UINT64_C(8) << 20;
    must(tulle_node_new(&options, &node, NULL));
    must(tulle_node_start(node, NULL));
    return node;
}

/* The program that was built with this one: build/tests/bench/bench_tap, build/bin/tulle. */
static const char *
tool_path(void)
{
    static char path[4096];
    char self[4000];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    TULLE_ASSERT(len > 0);
    self[len] = '\0';
    (void)snprintf(path, sizeof path, "%s/../../bin/tulle", dirname(self));
    if (access(path, X_OK) != 0) {
        fprintf(stderr, "bench_tap: there is no %s: build tulle_program first\n", path);
        exit(1);
    }
    return path;
}

static pid_t
start_tap(const char *join, const char *const *options)
{
    const char *args[ARGS_MAX] = { "tulle",  "tap", "--mesh",  "bench",
                                   "--join", join,  "--count", EVENTS };
    for (size_t i = 8; *options != NULL && i + 1 < ARGS_MAX; i++)
        args[i] = *options++;
    pid_t child = fork();
    TULLE_ASSERT(child >= 0);
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0 || dup2(nowhere, STDERR_FILENO) < 0)
            _exit(126);
        (void)execv(tool_path(), (char *const *)(const void *)args);
        _exit(127);
    }
    return child;
}

/* Events a second, from the first publish to the end of the tap. */
static double
run_once(const char *const *options)
{
    static const char payload[] =
        "{\"sensor\":42,\"temperature\":21.5,\"unit\":\"C\",\"at\":\"Riga\",\"u\":true}";
    TULLE_ASSERT(sizeof payload == PAYLOAD_LEN + 1);
    tulle_node *node = start_node();
    pid_t tap = start_tap(tulle_node_address(node), options);
    long long count = strtoll(EVENTS, NULL, 10);
    must(tulle_node_wait_peers(node, "sensors/42/temp", 1, DEADLINE_MS));
    int64_t start = bench_clock_ns(CLOCK_MONOTONIC);
    for (long long i = 0; i < count; i++)
        must(tulle_node_publish(node, "sensors/42/temp", payload, PAYLOAD_LEN, NULL));
    int status = 0;
    TULLE_ASSERT(waitpid(tap, &status, 0) == tap);
    int64_t took_ns = bench_clock_ns(CLOCK_MONOTONIC) - start;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bench_tap: the tap has failed\n");
        exit(1);
    }
    tulle_node_free(&node);
    return (double)count * 1e9 / (double)took_ns;
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void
bench_output(const char *name, const char *const *options)
{
    double rates[RUNS];
    for (int run = 0; run < RUNS; run++)
        rates[run] = run_once(options);
    qsort(rates, RUNS, sizeof rates[0], compare_doubles);
    printf("tap.%s payload=%d events_per_s=%.0f\n", name, PAYLOAD_LEN, rates[RUNS / 2]);
    (void)fflush(stdout);
}

int
main(void)
{
    bench_output("lines", (const char *const[]){ NULL });
    bench_output("format", (const char *const[]){ "-F", "%t %p", NULL });
    bench_output("json", (const char *const[]){ "--json", NULL });
    bench_output("json_no_clock", (const char *const[]){ "--json", "--no-clock", NULL });
    bench_output("cloudevents", (const char *const[]){ "--cloudevents", NULL });
    return 0;
}
