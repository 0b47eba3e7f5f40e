/* SPDX-License-Identifier: MPL-2.0 */

/* Runs in turn. What was measured is printed, also when a later run fails. */

#include "tools/load/load_series.h"

#include "app/exit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct state {
    const struct tulle__load_series *series;
    struct tulle__signals signals;
    struct tulle__load_result *runs; /* of one load */
    json_t *results;
    bool has_faults;
    char numbers[80]; /* what is special about this one of several, for messages */
};

static int
print_load(const struct state *state, const struct tulle__load_plan *plan)
{
    const struct tulle__load_series *series = state->series;
    if (!series->print(plan, state->runs, series->ctx))
        return TULLE__EXIT_FAILURE;
    if (series->options->is_json) {
        json_t *result = tulle__load_json(plan, state->runs, series->options->runs);
        return json_array_append_new(state->results, result) == 0 ? 0 : TULLE__EXIT_FAILURE;
    }
    if (fflush(stdout) == 0)
        return 0;
    (void)fprintf(stderr, "%s: the output cannot be written: %s\n", series->program->name,
                  strerror(errno));
    return TULLE__EXIT_FAILURE;
}

static int
run_load(struct state *state, struct tulle__load_plan plan, uint64_t size, double rate)
{
    const struct tulle__load_options *options = state->series->options;
    const char *name = state->series->program->name;
    plan.size = size;
    plan.rate = rate;
    bool has_progress = !options->is_quiet && isatty(STDERR_FILENO) == 1;
    for (uint32_t i = 0; i < options->runs; i++) {
        char what[160];
        char pace[40] = "";
        if (rate > 0)
            (void)snprintf(pace, sizeof pace, ", %.15g a second", rate);
        (void)snprintf(what, sizeof what, "%ssize %" PRIu64 "%s, run %" PRIu32 " of %" PRIu32,
                       state->numbers, size, pace, i + 1, options->runs);
        const char *progress = has_progress ? what : NULL;
        struct tulle__signals *signals = &state->signals;
        int status = state->series->run != NULL
                         ? state->series->run(&plan, name, progress, signals, &state->runs[i])
                         : tulle__load_run(&plan, name, progress, signals, &state->runs[i]);
        if (status != 0)
            return status;
        if (!tulle__load_judge(name, what, &state->runs[i]))
            state->has_faults = true;
    }
    return print_load(state, &plan);
}

/* All sizes and rates with these numbers. */
static int
run_numbers(struct state *state, const struct tulle__load_plan *plan)
{
    const struct tulle__load_options *options = state->series->options;
    int status = 0;
    for (size_t i = 0; i < options->size_count && status == 0; i++) {
        for (size_t k = 0; k < options->rate_count && status == 0; k++)
            status = run_load(state, *plan, options->sizes[i], options->rates[k]);
    }
    return status;
}

static int
run_all(struct state *state)
{
    const struct tulle__load_series *series = state->series;
    const struct tulle__load_counts *counts = &series->options->counts;
    struct tulle__load_plan plan = series->options->plan;
    bool is_one = !tulle__load_counts_at(counts, 1, &plan);
    int status = 0;
    for (size_t i = 0; status == 0 && tulle__load_counts_at(counts, i, &plan); i++) {
        if (!is_one) {
            (void)snprintf(state->numbers, sizeof state->numbers,
                           "%u publishers, %u subscribers, %u both, %u proxies, ", plan.publishers,
                           plan.subscribers, plan.both, plan.proxies);
        }
        status = run_numbers(state, &plan);
    }
    if (series->options->is_json && !tulle__load_print_json(series->program->name, state->results))
        status = status != 0 ? status : TULLE__EXIT_FAILURE;
    return status == 0 && state->has_faults ? TULLE__EXIT_FAILURE : status;
}

int
tulle__load_series_run(const struct tulle__load_series *series)
{
    struct state state = { .series = series };
    const char *name = series->program->name;
    if (!tulle__signals_open(&state.signals)) {
        (void)fprintf(stderr, "%s: signals: %s\n", name, strerror(errno));
        return TULLE__EXIT_FAILURE;
    }
    int status = TULLE__EXIT_FAILURE;
    state.runs = calloc(series->options->runs, sizeof *state.runs);
    state.results = json_array();
    if (state.runs != NULL && state.results != NULL)
        status = run_all(&state);
    else
        (void)fprintf(stderr, "%s: %s\n", name, tulle_strerror(TULLE_ENOMEM));
    free(state.runs);
    json_decref(state.results);
    tulle__signals_close(&state.signals);
    return status;
}
