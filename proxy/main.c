/* SPDX-License-Identifier: MPL-2.0 */

/* tulle-proxy: joins segments of a mesh. */

#include "app/exit.h"
#include "app/report.h"
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINGER_MS = 1000 };

static const char notes[] =
    "Example: the orders of one site for another one, and nothing back:\n"
    "\n"
    "  tulle-proxy --name gate --segment shop --beacon=eth0 --allow 'orders/**' \\\n"
    "      --segment office --join tcp://198.51.100.9:7200 --deny '**'";

static void
tell_stats(tulle_proxy *proxy, struct tulle__proxy_config *config, struct tulle__common *common)
{
    for (size_t i = 0; i < config->segment_count; i++) {
        tulle_counters counters;
        char lead[100];
        tulle_proxy_counters(proxy, i, &counters);
        (void)snprintf(lead, sizeof lead, "segment=%.63s", config->segments[i].name);
        tulle__report_counters(common, "proxy.stats", lead, &counters);
    }
}

static void
serve(tulle_proxy *proxy,
      struct tulle__proxy_config *config,
      struct tulle__common *common,
      struct tulle__signals *signals)
{
    for (size_t i = 0; i < config->segment_count; i++) {
        tulle__report_say(common, TULLE_LOG_INFO, "proxy.started",
                          "segment=%.63s address=%s id=%016" PRIx64, config->segments[i].name,
                          tulle_proxy_address(proxy, i), tulle_proxy_id(proxy));
    }
    int wait_ms = config->stats_ms > 0 ? (int)config->stats_ms : -1;
    int number = 0;
    while (number == 0) {
        if (tulle__signals_wait(signals, -1, wait_ms) == 0)
            tell_stats(proxy, config, common);
        number = tulle__signals_next(signals);
    }
    tulle__report_say(common, TULLE_LOG_INFO, "proxy.stopping", "signal=%d", number);
    tulle_proxy_stop(proxy, LINGER_MS);
    tulle__report_say(common, TULLE_LOG_INFO, "proxy.stopped", "status=0");
}

static int
run(const struct tulle__program *program,
    struct tulle__proxy_config *config,
    struct tulle__common *common)
{
    char problem[TULLE__PROBLEM_LEN];
    if (!tulle__proxy_config_finish(config, common, problem))
        return tulle__args_usage(program, "%s", problem);
    struct tulle__signals signals = { .fd = -1 };
    tulle_proxy *proxy = NULL;
    tulle_error error = { 0 };
    tulle_status made = TULLE_EOS;
    if (tulle__signals_open(&signals))
        made = tulle_proxy_new(&config->proxy, &proxy, &error);
    else
        (void)snprintf(error.text, sizeof error.text, "signals: %s", strerror(errno));
    if (made == TULLE_OK && config->is_check) {
        (void)puts("the configuration is right");
    } else if (made == TULLE_OK) {
        made = tulle_proxy_start(proxy, &error);
        if (made == TULLE_OK)
            serve(proxy, config, common, &signals);
    }
    if (made != TULLE_OK)
        (void)fprintf(stderr, "%s: %s\n", program->name,
                      error.text[0] != '\0' ? error.text : tulle_strerror(made));
    tulle_proxy_free(&proxy);
    tulle__signals_close(&signals);
    return (int)tulle__exit_of(made);
}

int
main(int argc, char **argv)
{
    static struct tulle__proxy_config config; /* static for its size alone */
    struct tulle__common common;
    tulle__proxy_config_init(&config);
    tulle__common_init(&common);
    common.log_level = TULLE_LOG_INFO;
    const struct tulle__option_group groups[] = {
        tulle__proxy_config_group(&config),
        tulle__common_log_group(&common),
    };
    const struct tulle__section section = tulle__proxy_config_section(&config);
    const struct tulle__program program = {
        .name = "tulle-proxy",
        .synopsis = "[--config FILE] [option]...\n"
                    "[option]... --segment NAME [option]... --segment NAME ...",
        .summary = "Join two or more segments of a mesh.",
        .groups = groups,
        .group_count = sizeof groups / sizeof *groups,
        .section = &section,
        .notes = notes,
        .has_config = true,
    };
    struct tulle__args args;
    int status = TULLE__EXIT_OK;
    if (!tulle__args_begin(&program, argc, argv, &args, &status))
        return status;
    status = run(&program, &config, &common);
    tulle__args_end(&args);
    return status;
}
