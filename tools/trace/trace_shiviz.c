/* SPDX-License-Identifier: MPL-2.0 */

/* A log for ShiViz. Its clocks have an entry for each host, counted from 1 without holes, and
 * name only what is in the log; ours have one for each lane and may name what is not. So clocks
 * are made anew: a host is a node, its events count as they are ordered, and each takes over the
 * clocks of its causes that are shown. */

#include "app/json.h"
#include "tools/trace/trace_export.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAYLOAD_SHOWN = 400,
    CELLS_MAX = 100000000 /* of clocks */
};

struct host {
    uint64_t node;
    const char *name; /* "" while it is not known */
    struct tulle__text text;
};

struct log {
    const struct tulle__trace_graph *graph;
    struct host *hosts; /* by node */
    size_t host_count;
    uint32_t *clocks; /* host_count for each event shown, in the order they are written */
    uint32_t *place;  /* of each event, in clocks */
    uint32_t *last;   /* of each host: the place of its last event, and one */
};

static int
compare_hosts(const void *left, const void *right)
{
    uint64_t a = ((const struct host *)left)->node;
    uint64_t b = ((const struct host *)right)->node;
    return (a > b) - (a < b);
}

static size_t
host_of(const struct log *log, uint64_t node)
{
    const struct host *found = bsearch(&(struct host){ .node = node }, log->hosts, log->host_count,
                                       sizeof *log->hosts, compare_hosts);
    return (size_t)(found - log->hosts);
}

/* Length of the white space at the start, as regular expressions of JavaScript know it. */
static size_t
space_len(const char *text)
{
    static const char *const spaces[] = { " ",
                                          "\xc2\xa0",
                                          "\xe1\x9a\x80",
                                          "\xe2\x80\xa8",
                                          "\xe2\x80\xa9",
                                          "\xe2\x80\xaf",
                                          "\xe2\x81\x9f",
                                          "\xe3\x80\x80",
                                          "\xef\xbb\xbf" };
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        if (strncmp(text, spaces[i], strlen(spaces[i])) == 0)
            return strlen(spaces[i]);
    }
    if ((unsigned char)text[0] <= ' ')
        return 1;
    bool is_general = strncmp(text, "\xe2\x80", 2) == 0; /* U+2000 to U+200A */
    return is_general && (unsigned char)text[2] >= 0x80 && (unsigned char)text[2] <= 0x8a ? 3 : 0;
}

/* The name without white space, and with the id where another node has the same. */
static void
name_host(struct log *log, struct host *host)
{
    bool is_unique = host->name[0] != '\0';
    for (size_t i = 0; i < log->host_count && is_unique; i++)
        is_unique = &log->hosts[i] == host || strcmp(log->hosts[i].name, host->name) != 0;
    for (const char *at = host->name; *at != '\0';) {
        size_t space = space_len(at);
        tulle__text_char(&host->text, space > 0 ? '_' : *at);
        at += space > 0 ? space : 1;
    }
    if (is_unique)
        return;
    if (host->name[0] != '\0')
        tulle__text_char(&host->text, '-');
    tulle__text_id(&host->text, host->node);
}

static bool
find_hosts(struct log *log)
{
    const struct tulle__trace_store *store = log->graph->store;
    size_t count = 0;
    log->hosts = calloc(store->lane_count + 1, sizeof *log->hosts);
    if (log->hosts == NULL)
        return false;
    for (size_t i = 0; i < store->lane_count; i++)
        log->hosts[i] = (struct host){ .node = store->lanes[i].node, .name = store->lanes[i].name };
    qsort(log->hosts, store->lane_count, sizeof *log->hosts, compare_hosts);
    for (size_t i = 0; i < store->lane_count; i++) {
        if (count == 0 || log->hosts[count - 1].node != log->hosts[i].node)
            log->hosts[count++] = log->hosts[i];
        else if (log->hosts[count - 1].name[0] == '\0')
            log->hosts[count - 1].name = log->hosts[i].name;
    }
    log->host_count = count;
    for (size_t i = 0; i < count; i++)
        name_host(log, &log->hosts[i]);
    return true;
}

static void
merge(const struct log *log, uint32_t *clock, const uint32_t *other)
{
    for (size_t i = 0; i < log->host_count; i++) {
        if (other[i] > clock[i])
            clock[i] = other[i];
    }
}

static const uint32_t *
make_clock(struct log *log, uint32_t index, uint32_t place, size_t host)
{
    const struct tulle__trace_graph *graph = log->graph;
    uint32_t *clock = log->clocks + (size_t)place * log->host_count;
    if (log->last[host] > 0)
        memcpy(clock, log->clocks + (size_t)(log->last[host] - 1) * log->host_count,
               log->host_count * sizeof *clock);
    for (uint32_t i = 0; i < graph->store->events[index].cause_count; i++) {
        uint32_t cause = tulle__trace_cause(graph, index, i);
        if (cause != TULLE__TRACE_NONE && (graph->marks[cause] & TULLE__TRACE_SHOWN) != 0)
            merge(log, clock, log->clocks + (size_t)log->place[cause] * log->host_count);
    }
    clock[host]++;
    log->place[index] = place;
    log->last[host] = place + 1;
    return clock;
}

static void
put_clock(const struct log *log, const uint32_t *clock, struct tulle__text *out)
{
    char mark = '{';
    for (size_t i = 0; i < log->host_count; i++) {
        if (clock[i] == 0)
            continue;
        tulle__text_char(out, mark);
        mark = ',';
        tulle__json_put_str(out, log->hosts[i].text.bytes, log->hosts[i].text.len);
        tulle__text_format(out, ":%" PRIu32, clock[i]);
    }
    tulle__text_str(out, "}\n");
}

/* One line: what JavaScript takes for the end of one is left out, and JSON has no others. */
static void
put_line(struct tulle__text *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (len - i >= 3 &&
            (memcmp(text + i, "\xe2\x80\xa8", 3) == 0 || memcmp(text + i, "\xe2\x80\xa9", 3) == 0))
            i += 2;
        else if ((unsigned char)text[i] >= ' ')
            tulle__text_char(out, text[i]);
    }
}

static void
put_event(const struct log *log, uint32_t index, struct tulle__text *out)
{
    const struct tulle__trace_event *event = &log->graph->store->events[index];
    struct tulle__text name = { 0 };
    size_t len = event->payload_len;
    if (len > PAYLOAD_SHOWN) {
        len = PAYLOAD_SHOWN;
        while (((unsigned char)event->payload[len] & 0xc0) == 0x80)
            len--;
    }
    tulle__trace_put_ref(log->graph->store, tulle__trace_ref_of(log->graph->store, index), false,
                         &name);
    put_line(out, event->topic, strlen(event->topic));
    tulle__text_char(out, ' ');
    put_line(out, event->payload, len);
    tulle__text_str(out, len < event->payload_len ? "... [" : " [");
    put_line(out, name.bytes, name.len);
    tulle__text_char(out, ' ');
    tulle__text_time(out, event->time_us);
    tulle__text_str(out, "]\n");
    out->has_failed = out->has_failed || name.has_failed;
    tulle__text_free(&name);
}

static void
put_log(struct log *log, struct tulle__trace_out *out)
{
    size_t at = 0;
    uint32_t place = 0;
    uint32_t index;
    /* The form of a log that ShiViz opens as a file: the expression, an empty line where one for
     * several runs would be, the log. */
    tulle__text_str(&out->text, "(?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)\n\n");
    while ((index = tulle__trace_next_shown(log->graph, &at)) != TULLE__TRACE_NONE) {
        const struct tulle__trace_store *store = log->graph->store;
        size_t host = host_of(log, store->lanes[store->events[index].lane].node);
        const uint32_t *clock = make_clock(log, index, place++, host);
        tulle__text_put(&out->text, log->hosts[host].text.bytes, log->hosts[host].text.len);
        tulle__text_char(&out->text, ' ');
        put_clock(log, clock, &out->text);
        put_event(log, index, &out->text);
        tulle__trace_out_step(out);
    }
}

const char *
tulle__trace_shiviz(const struct tulle__trace_graph *graph, struct tulle__trace_out *out)
{
    struct log log = { .graph = graph };
    const char *problem = find_hosts(&log) ? NULL : "out of memory";
    if (problem == NULL && graph->shown_count > CELLS_MAX / (log.host_count + 1))
        problem = "too many events and nodes for ShiViz: choose some of them";
    if (problem == NULL) {
        log.clocks = calloc(graph->shown_count * log.host_count + 1, sizeof *log.clocks);
        log.place = calloc(graph->store->event_count + 1, sizeof *log.place);
        log.last = calloc(log.host_count + 1, sizeof *log.last);
        if (log.clocks == NULL || log.place == NULL || log.last == NULL)
            problem = "out of memory";
    }
    if (problem == NULL)
        put_log(&log, out);
    for (size_t i = 0; i < log.host_count; i++)
        tulle__text_free(&log.hosts[i].text);
    free(log.hosts);
    free(log.clocks);
    free(log.place);
    free(log.last);
    return problem;
}
