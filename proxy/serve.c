/* SPDX-License-Identifier: MPL-2.0 */

/* A proxy that runs: the library's thread does the network, this one waits for signals. */

#include "serve.h"

#include "app/report.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINGER_MS = 1000 };

static void
tell_stats(struct tulle__run *run)
{
    struct tulle__proxy_config *config = &run->setup->config;
    for (size_t i = 0; i < config->segment_count; i++) {
        tulle_counters counters;
        char lead[100];
        tulle_proxy_counters(run->proxy, i, &counters);
        (void)snprintf(lead, sizeof lead, "segment=%.63s", config->segments[i].name);
        tulle__report_counters(&run->setup->common, "proxy.stats", lead, &counters);
    }
}

/* Take over what a new configuration changes, and say in one line what it cannot. */
static void
apply(struct tulle__run *run, const struct tulle__setup *next)
{
    struct tulle__common *common = &run->setup->common;
    tulle_error kept = { 0 };
    tulle_status status = tulle_proxy_update(run->proxy, &next->config.proxy, &kept);
    if (status != TULLE_OK) {
        tulle__report_say(common, TULLE_LOG_ERROR, "proxy.reload_failed",
                          "%s; the configuration stays as it was", kept.text);
        return;
    }
    run->setup->config.stats_ms = next->config.stats_ms;
    char more[2 * sizeof kept.text];
    bool is_format_kept = next->common.log_format != common->log_format;
    bool is_level_kept = (next->common.log_level == 0) != (common->log_level == 0);
    if (!is_level_kept)
        common->log_level = next->common.log_level;
    (void)snprintf(more, sizeof more, "%s%s%s%s%s", kept.text,
                   is_format_kept && kept.text[0] != '\0' ? ", " : "",
                   is_format_kept ? "log_format" : "",
                   is_level_kept && (is_format_kept || kept.text[0] != '\0') ? ", " : "",
                   is_level_kept ? "log_level (to or from none)" : "");
    if (more[0] != '\0')
        tulle__report_say(common, TULLE_LOG_WARN, "proxy.kept", "until a restart: %s", more);
    tulle__report_say(common, TULLE_LOG_INFO, "proxy.reloaded", "file=%s", next->args.config);
}

static void
tell_problems(struct tulle__run *run, const struct tulle__text *problems)
{
    struct tulle__common *common = &run->setup->common;
    size_t len = 0;
    for (size_t start = 0; start < problems->len; start += len + 1) {
        const char *line = problems->bytes + start;
        const char *end = memchr(line, '\n', problems->len - start);
        len = end != NULL ? (size_t)(end - line) : problems->len - start;
        tulle__report_say(common, TULLE_LOG_ERROR, "proxy.reload_failed", "%.*s", (int)len, line);
    }
    tulle__report_say(common, TULLE_LOG_ERROR, "proxy.reload_failed",
                      "the configuration stays as it was");
}

static void
reload(struct tulle__run *run)
{
    if (run->setup->args.config == NULL) {
        tulle__report_say(&run->setup->common, TULLE_LOG_WARN, "proxy.reload_failed",
                          "there is no file to read again: started without --config");
        return;
    }
    struct tulle__text problems = { 0 };
    struct tulle__setup *next = malloc(sizeof *next);
    bool is_read = false;
    if (next != NULL) {
        tulle__setup_init(next);
        is_read = tulle__args_reload(&next->program, run->argc, run->argv, &next->args, &problems);
    }
    if (is_read &&
        tulle__proxy_config_finish(&next->config, &next->common, next->args.config, &problems))
        apply(run, next);
    else
        tell_problems(run, &problems);
    if (is_read)
        tulle__args_end(&next->args);
    free(next);
    tulle__text_free(&problems);
}

static int
ms_until(int64_t due_ms)
{
    int64_t left = due_ms - tulle__report_now_ms();
    if (due_ms == INT64_MAX)
        return -1;
    return left < 0 ? 0 : (int)left; /* a day at most */
}

static int64_t
next_stats(const struct tulle__run *run)
{
    int64_t period_ms = run->setup->config.stats_ms;
    return period_ms > 0 ? tulle__report_now_ms() + period_ms : INT64_MAX;
}

void
tulle__serve(struct tulle__run *run)
{
    struct tulle__common *common = &run->setup->common;
    const struct tulle__proxy_config *config = &run->setup->config;
    for (size_t i = 0; i < config->segment_count; i++) {
        tulle__report_say(common, TULLE_LOG_INFO, "proxy.started",
                          "segment=%.63s address=%s id=%016" PRIx64, config->segments[i].name,
                          tulle_proxy_address(run->proxy, i), tulle_proxy_id(run->proxy));
    }
    int64_t stats_ms = next_stats(run);
    int number = 0;
    while (number == 0 || number == SIGHUP) {
        if (tulle__signals_wait(&run->signals, -1, ms_until(stats_ms)) == 0) {
            tell_stats(run);
            stats_ms = next_stats(run);
        }
        number = tulle__signals_next(&run->signals);
        if (number == SIGHUP) {
            reload(run);
            stats_ms = next_stats(run);
        }
    }
    tulle__report_say(common, TULLE_LOG_INFO, "proxy.stopping", "signal=%d", number);
    tulle_proxy_stop(run->proxy, LINGER_MS);
    tulle__report_say(common, TULLE_LOG_INFO, "proxy.stopped", "status=0");
}
