/* SPDX-License-Identifier: MPL-2.0 */
/* Random simulations by the thousand.
 *
 *   sim_soak [--seeds N] [--from S] [--nodes N] [--run-ms MS] [--time-limit SECONDS]
 *            [--verbose] [--trace]
 *
 * Runs seeds S, S + 1, ... Prints each seed that fails, with what failed and what
 * the run was made of, on standard output; progress and, if asked for, a trace of
 * everything that happens go to standard error. Ends
 * with 0 when none failed, 1 when one did, 2 for wrong usage. Without --seeds it
 * ends with the time limit. */

#include "chaos.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct soak {
    uint64_t seeds; /* 0: no limit */
    uint64_t from;
    uint64_t nodes; /* 0: as the seed says */
    uint64_t run_ms;
    uint64_t time_limit;
    bool is_verbose;
    bool is_traced;
};

static bool
parse_number(const char *text, uint64_t *out)
{
    char *end = NULL;
    if (text == NULL || *text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == '\0';
}

static bool
parse(struct soak *soak, int argc, char **argv)
{
    const struct {
        const char *name;
        uint64_t *value;
    } options[] = {
        { "--seeds", &soak->seeds },           { "--from", &soak->from },
        { "--nodes", &soak->nodes },           { "--run-ms", &soak->run_ms },
        { "--time-limit", &soak->time_limit },
    };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0) {
            soak->is_verbose = true;
            continue;
        }
        if (strcmp(argv[i], "--trace") == 0) {
            soak->is_traced = true;
            continue;
        }
        size_t k = 0;
        while (k < sizeof options / sizeof options[0] && strcmp(argv[i], options[k].name) != 0)
            k++;
        if (k == sizeof options / sizeof options[0] || i + 1 == argc ||
            !parse_number(argv[++i], options[k].value))
            return false;
    }
    return (soak->seeds > 0 || soak->time_limit > 0) && soak->nodes <= SIM_HOSTS_MAX - 8;
}

static uint64_t
seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

static void
choose(const struct soak *soak, struct chaos *chaos, uint64_t seed)
{
    chaos_choose(chaos, seed);
    if (soak->nodes > 0)
        chaos->node_count = (uint32_t)soak->nodes;
    if (chaos->node_count < 3)
        chaos->node_count = 3;
    if (soak->run_ms > 0)
        chaos->run_ms = (int64_t)soak->run_ms;
}

int
main(int argc, char **argv)
{
    struct soak soak = { .from = 1 };
    if (!parse(&soak, argc, argv)) {
        (void)fprintf(stderr,
                      "usage: sim_soak (--seeds N | --time-limit SECONDS) [--from S] [--nodes N] "
                      "[--run-ms MS] [--verbose] [--trace]\n");
        return 2;
    }
    uint64_t started = seconds();
    uint64_t told = started;
    uint64_t failed = 0;
    uint64_t runs = 0;
    uint64_t delivered = 0;
    for (uint64_t seed = soak.from; soak.seeds == 0 || runs < soak.seeds; seed++) {
        if (soak.time_limit > 0 && seconds() - started >= soak.time_limit)
            break;
        struct chaos chaos;
        struct chaos_result result;
        char text[512];
        choose(&soak, &chaos, seed);
        chaos.is_traced = soak.is_traced;
        chaos_describe(&chaos, text, sizeof text);
        chaos_run(&chaos, &result);
        runs++;
        delivered += result.delivered;
        if (!result.is_good) {
            failed++;
            (void)printf("FAIL %s\n     %s\n", result.failure, text);
            (void)fflush(stdout);
        } else if (soak.is_verbose) {
            (void)printf("ok   %s\n     steps=%" PRIu64 " published=%" PRIu64 " delivered=%" PRIu64
                         " gaps=%" PRIu64 " rest_ms=%" PRId64 "\n",
                         text, result.steps, result.published, result.delivered, result.gaps,
                         result.rest_ms);
        }
        if (seconds() - told >= 5) {
            told = seconds();
            (void)fprintf(stderr,
                          "%" PRIu64 " runs, %" PRIu64 " failed, %" PRIu64 " deliveries, %" PRIu64
                          " s, seed %" PRIu64 "\n",
                          runs, failed, delivered, told - started, seed);
        }
    }
    (void)printf("%" PRIu64 " runs, %" PRIu64 " failed, %" PRIu64 " deliveries\n", runs, failed,
                 delivered);
    return failed == 0 ? 0 : 1;
}
