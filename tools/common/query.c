/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/query.h"

#include "app/json.h"

#include <inttypes.h>
#include <jq.h>
#include <jv.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tulle__query {
    jq_state *jq;
    uint64_t error_count;
    char problem[TULLE__QUERY_ERROR_LEN]; /* the first, while compiling or running */
};

/* One line: what jq says comes in several, and may quote what a peer sent. */
static void
keep_problem(struct tulle__query *query, const char *text)
{
    if (query->problem[0] != '\0')
        return;
    (void)snprintf(query->problem, sizeof query->problem, "%s", text);
    for (char *at = query->problem; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = ' ';
    }
}

static void
keep_message(void *ctx, jv message)
{
    struct tulle__query *query = ctx;
    if (jv_get_kind(message) == JV_KIND_STRING)
        keep_problem(query, jv_string_value(message));
    jv_free(message);
}

bool
tulle__query_new(const char *program,
                 struct tulle__query **out,
                 char problem[static TULLE__QUERY_ERROR_LEN])
{
    *out = NULL;
    (void)snprintf(problem, TULLE__QUERY_ERROR_LEN, "out of memory");
    struct tulle__query *query = calloc(1, sizeof *query);
    if (query == NULL)
        return false;
    query->jq = jq_init();
    if (query->jq == NULL) {
        free(query);
        return false;
    }
    jq_set_error_cb(query->jq, keep_message, query);
    if (jq_compile(query->jq, program) == 0) {
        (void)snprintf(problem, TULLE__QUERY_ERROR_LEN, "%s", query->problem);
        tulle__query_free(&query);
        return false;
    }
    query->problem[0] = '\0';
    *out = query;
    return true;
}

void
tulle__query_free(struct tulle__query **query)
{
    if (*query == NULL)
        return;
    jq_teardown(&(*query)->jq);
    free(*query);
    *query = NULL;
}

/* Takes the end of the results, an error or not. */
static void
note_end(struct tulle__query *query, jv end)
{
    if (!jv_invalid_has_msg(jv_copy(end))) {
        jv_free(end);
        return;
    }
    query->error_count++;
    jv message = jv_invalid_get_msg(end);
    if (jv_get_kind(message) != JV_KIND_STRING)
        message = jv_dump_string(message, 0);
    keep_problem(query, jv_string_value(message));
    jv_free(message);
}

static bool
start(struct tulle__query *query, const char *json, size_t len)
{
    jv value = len <= INT_MAX ? jv_parse_sized(json, (int)len) : jv_invalid();
    if (jv_is_valid(value)) {
        jq_start(query->jq, value, 0);
        return true;
    }
    note_end(query, value);
    return false;
}

bool
tulle__query_holds(struct tulle__query *query, const char *json, size_t len)
{
    bool holds = false;
    if (!start(query, json, len))
        return false;
    jv result = jq_next(query->jq);
    while (jv_is_valid(result)) {
        jv_kind kind = jv_get_kind(result);
        holds = holds || (kind != JV_KIND_FALSE && kind != JV_KIND_NULL);
        jv_free(result);
        result = jq_next(query->jq);
    }
    note_end(query, result);
    return holds;
}

void
tulle__query_apply(struct tulle__query *query,
                   const char *json,
                   size_t len,
                   bool is_pretty,
                   struct tulle__text *out)
{
    if (!start(query, json, len))
        return;
    jv result = jq_next(query->jq);
    while (jv_is_valid(result)) {
        jv line = jv_dump_string(result, 0);
        size_t line_len = (size_t)jv_string_length_bytes(jv_copy(line));
        if (is_pretty)
            tulle__json_put_pretty(out, jv_string_value(line), line_len);
        else
            tulle__json_put_safe(out, jv_string_value(line), line_len);
        tulle__text_char(out, '\n');
        jv_free(line);
        result = jq_next(query->jq);
    }
    note_end(query, result);
}

uint64_t
tulle__query_errors(const struct tulle__query *query, const char **first)
{
    *first = query->problem;
    return query->error_count;
}

void
tulle__query_tell(const struct tulle__query *query, const char *program, const char *option)
{
    const char *first = "";
    uint64_t count = query == NULL ? 0 : tulle__query_errors(query, &first);
    if (count > 0)
        (void)fprintf(stderr, "%s: %s failed for %" PRIu64 " event%s, at first: %s\n", program,
                      option, count, count == 1 ? "" : "s", first);
}
