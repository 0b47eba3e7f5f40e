/* SPDX-License-Identifier: MPL-2.0 */

/* Each event stands below the last of its causes, the one that set it off; under its other
 * causes there is a line that says where. The walk has a stack of its own, as chains may be
 * long, and goes over each tree twice: first for the widths of the columns. */

#include "tools/trace/trace_tree.h"

#include "tools/common/terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LEVELS_DRAWN = 60, /* deeper ones are not indented further */
    LABEL_MAX = 60,    /* columns that are aligned */
    NAME_MAX_WIDTH = 40,
    SPAN_WIDTH = 10,
    PAYLOAD_SHOWN = 60,
    PAYLOAD_MIN = 16
};

enum colour { COLOUR_NONE, COLOUR_DIM, COLOUR_TOPIC, COLOUR_NODE, COLOUR_ASKED, COLOUR_BAD };

/* An event whose consequences are being shown. */
struct level {
    uint32_t event;
    const uint32_t *effects;
    size_t count, next;
    size_t prefix_len; /* of the text before its consequences */
};

struct tree {
    const struct tulle__trace_graph *graph;
    const struct tulle__trace_tree_style *style;
    struct tulle__trace_out *out;
    struct level *levels;
    size_t depth, cap;
    struct tulle__text prefix;
    struct tulle__text label, name; /* of the row in work */
    size_t label_width, name_width;
    int64_t start_us; /* of the tree */
    bool is_measured; /* nothing is printed, widths are taken */
    bool marks_asked;
    uint64_t rows, trees, missing;
    size_t depth_max;
    int64_t first_us, last_us;
    bool has_failed;
};

static const char *
branch(const struct tree *tree, bool is_last)
{
    if (tree->style->is_ascii)
        return is_last ? "`- " : "|- ";
    return is_last ? "\xe2\x94\x94\xe2\x94\x80 " : "\xe2\x94\x9c\xe2\x94\x80 ";
}

static const char *
trunk(const struct tree *tree, bool is_last)
{
    if (is_last)
        return "   ";
    return tree->style->is_ascii ? "|  " : "\xe2\x94\x82  ";
}

static void
set_colour(struct tree *tree, enum colour colour)
{
    static const char *const codes[] = { "\033[0m",  "\033[2m",    "\033[1m",
                                         "\033[36m", "\033[1;33m", "\033[31m" };
    if (tree->style->has_colour && !tree->is_measured)
        tulle__text_str(&tree->out->text, codes[colour]);
}

static void
put_padded(struct tree *tree, enum colour colour, const struct tulle__text *text, size_t width)
{
    size_t taken = tulle__terminal_width(text->bytes, text->len);
    set_colour(tree, colour);
    tulle__text_put(&tree->out->text, text->bytes, text->len);
    set_colour(tree, COLOUR_NONE);
    do
        tulle__text_char(&tree->out->text, ' ');
    while (taken++ < width);
}

static int
format_span(char *out, size_t len, const char *sign, int64_t us)
{
    double ms = (double)us / 1000.0;
    if (us > -10000 && us < 10000)
        return snprintf(out, len, "%s%.2f ms", sign, ms);
    if (us > -10000000 && us < 10000000)
        return snprintf(out, len, "%s%.0f ms", sign, ms);
    if (us > -INT64_C(600000000) && us < INT64_C(600000000))
        return snprintf(out, len, "%s%.1f s", sign, ms / 1000.0);
    return snprintf(out, len, "%s%.0f min", sign, ms / 60000.0);
}

static void
put_span(struct tree *tree, const char *sign, int64_t us)
{
    char span[40];
    (void)format_span(span, sizeof span, us < 0 ? "" : sign, us);
    tulle__text_format(&tree->out->text, "%*s", SPAN_WIDTH, span);
}

static void
put_time(struct tree *tree, int64_t time_us)
{
    char clock[32] = "--:--:--";
    int64_t micros = time_us % 1000000;
    micros = micros < 0 ? 0 : micros;
    time_t second = (time_t)((time_us - micros) / 1000000);
    struct tm tm;
    if (localtime_r(&second, &tm) != NULL)
        (void)strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    tulle__text_format(&tree->out->text, "%*s%s.%06" PRId64, 2 * SPAN_WIDTH - 15, "", clock,
                       micros);
}

static size_t
payload_room(const struct tree *tree)
{
    size_t used = tree->label_width + tree->name_width + (size_t)SPAN_WIDTH * 2 + 6;
    if (tree->style->columns == 0)
        return PAYLOAD_SHOWN;
    return tree->style->columns >= used + PAYLOAD_MIN ? tree->style->columns - used : PAYLOAD_MIN;
}

static void
put_payload(struct tree *tree, const struct tulle__trace_event *event)
{
    struct tulle__text text = { 0 };
    size_t room = payload_room(tree);
    tulle__terminal_put_safe(&text, event->payload, event->payload_len);
    size_t len = text.len;
    if (!tree->style->is_verbose && tulle__terminal_width(text.bytes, len) > room) {
        size_t shown = 0;
        for (len = 0; len < text.len; len++) {
            shown += ((unsigned char)text.bytes[len] & 0xc0) != 0x80;
            if (shown >= room)
                break;
        }
        tulle__text_put(&tree->out->text, text.bytes, len);
        tulle__text_str(&tree->out->text, tree->style->is_ascii ? "~" : "\xe2\x80\xa6");
    } else {
        tulle__text_put(&tree->out->text, text.bytes, len);
    }
    tree->has_failed = tree->has_failed || text.has_failed;
    tulle__text_free(&text);
}

static void
put_name(struct tree *tree, struct tulle__trace_ref ref, struct tulle__text *out)
{
    struct tulle__text name = { 0 };
    tulle__trace_put_ref(tree->graph->store, ref, !tree->style->is_verbose, &name);
    tulle__terminal_put_safe(out, name.bytes, name.len);
    tree->has_failed = tree->has_failed || name.has_failed;
    tulle__text_free(&name);
}

/* The columns that are aligned, label and name, are ready: take their widths. */
static void
measure(struct tree *tree)
{
    size_t label = tulle__terminal_width(tree->label.bytes, tree->label.len);
    size_t name = tulle__terminal_width(tree->name.bytes, tree->name.len);
    if (label > tree->label_width)
        tree->label_width = label < LABEL_MAX ? label : LABEL_MAX;
    if (name > tree->name_width)
        tree->name_width = name < NAME_MAX_WIDTH ? name : NAME_MAX_WIDTH;
}

static void
begin_row(struct tree *tree, const char *connector)
{
    tulle__text_clear(&tree->label);
    tulle__text_clear(&tree->name);
    tulle__text_put(&tree->label, tree->prefix.bytes, tree->prefix.len);
    tulle__text_str(&tree->label, connector);
}

/* Causes that are missing; a top stands below the first of them already. */
static void
put_missing_causes(struct tree *tree, uint32_t index, bool is_top)
{
    const struct tulle__trace_event *event = &tree->graph->store->events[index];
    bool is_said = !is_top;
    if (!tree->graph->is_upward)
        return;
    for (uint32_t i = 0; i < event->cause_count; i++) {
        if (tulle__trace_cause(tree->graph, index, i) != TULLE__TRACE_NONE)
            continue;
        if (!is_said) {
            is_said = true;
            continue;
        }
        tree->missing++;
        tulle__text_str(&tree->out->text, " [also caused by ");
        put_name(tree, event->causes[i], &tree->out->text);
        tulle__text_format(&tree->out->text, ": %s]",
                           tulle__trace_why_missing(tree->graph, event->causes[i]));
    }
}

static void
put_event(struct tree *tree, uint32_t index, uint32_t parent, const char *connector)
{
    const struct tulle__trace_event *event = &tree->graph->store->events[index];
    bool is_asked = tree->marks_asked && (tree->graph->marks[index] & TULLE__TRACE_ASKED) != 0;
    begin_row(tree, connector);
    if (tree->marks_asked)
        tulle__text_str(&tree->label, is_asked ? "* " : "");
    tulle__terminal_put_safe(&tree->label, event->topic, strlen(event->topic));
    put_name(tree, tulle__trace_ref_of(tree->graph->store, index), &tree->name);
    if (tree->is_measured) {
        measure(tree);
        return;
    }
    tree->rows++;
    if (tree->rows == 1 || event->time_us < tree->first_us)
        tree->first_us = event->time_us;
    if (tree->rows == 1 || event->time_us > tree->last_us)
        tree->last_us = event->time_us;
    put_padded(tree, is_asked ? COLOUR_ASKED : COLOUR_TOPIC, &tree->label, tree->label_width);
    if (parent == TULLE__TRACE_NONE) {
        put_time(tree, event->time_us);
    } else {
        put_span(tree, "+", event->time_us - tree->graph->store->events[parent].time_us);
        put_span(tree, "", event->time_us - tree->start_us);
    }
    tulle__text_str(&tree->out->text, "  ");
    put_padded(tree, COLOUR_NODE, &tree->name, tree->name_width);
    tulle__text_char(&tree->out->text, ' ');
    put_payload(tree, event);
    set_colour(tree, COLOUR_BAD);
    put_missing_causes(tree, index, parent == TULLE__TRACE_NONE);
    set_colour(tree, COLOUR_NONE);
    tulle__text_char(&tree->out->text, '\n');
    tulle__trace_out_step(tree->out);
}

/* A line of words rather than columns. */
static void
put_remark(struct tree *tree, const char *connector, const struct tulle__text *words)
{
    if (tree->is_measured)
        return;
    struct tulle__text *out = &tree->out->text;
    tulle__text_put(out, tree->prefix.bytes, tree->prefix.len);
    tulle__text_str(out, connector);
    set_colour(tree, COLOUR_DIM);
    tulle__text_put(out, words->bytes, words->len);
    set_colour(tree, COLOUR_NONE);
    tulle__text_char(out, '\n');
    tulle__trace_out_step(tree->out);
}

/* An event that stands below another cause. */
static void
put_elsewhere(struct tree *tree, uint32_t event, uint32_t parent, const char *connector)
{
    const struct tulle__trace_store *store = tree->graph->store;
    struct tulle__text words = { 0 };
    if (tree->is_measured)
        return;
    tulle__terminal_put_safe(&words, store->events[event].topic,
                             strlen(store->events[event].topic));
    tulle__text_char(&words, ' ');
    put_name(tree, tulle__trace_ref_of(store, event), &words);
    tulle__text_str(&words, ": see below ");
    put_name(tree, tulle__trace_ref_of(store, parent), &words);
    put_remark(tree, connector, &words);
    tree->has_failed = tree->has_failed || words.has_failed;
    tulle__text_free(&words);
}

static void
enter(struct tree *tree, uint32_t event, bool is_last, bool is_top)
{
    if (tree->depth == tree->cap) {
        size_t cap = tree->cap == 0 ? 64 : tree->cap * 2;
        struct level *levels = realloc(tree->levels, cap * sizeof *levels);
        if (levels == NULL) {
            tree->has_failed = true;
            return;
        }
        tree->levels = levels;
        tree->cap = cap;
    }
    struct level *level = &tree->levels[tree->depth++];
    *level = (struct level){ .event = event, .prefix_len = tree->prefix.len };
    if ((tree->graph->marks[event] & TULLE__TRACE_LEAF) == 0 || !tree->graph->is_downward)
        level->effects = tulle__trace_effects(tree->graph, event, &level->count);
    if (!is_top && tree->depth <= LEVELS_DRAWN)
        tulle__text_str(&tree->prefix, trunk(tree, is_last));
    if (tree->depth > tree->depth_max)
        tree->depth_max = tree->depth;
}

/* The next of its effects that is shown; TULLE__TRACE_NONE: no more. */
static uint32_t
peek(struct tree *tree, struct level *level)
{
    while (level->next < level->count) {
        uint32_t effect = level->effects[level->next];
        if ((tree->graph->marks[effect] & TULLE__TRACE_SHOWN) != 0)
            return effect;
        level->next++;
    }
    return TULLE__TRACE_NONE;
}

/* Consequences that the depth cuts off. */
static void
put_cut(struct tree *tree, uint32_t event)
{
    size_t count = 0;
    if (!tree->graph->is_downward || (tree->graph->marks[event] & TULLE__TRACE_LEAF) == 0)
        return;
    (void)tulle__trace_effects(tree->graph, event, &count);
    if (count == 0)
        return;
    struct tulle__text words = { 0 };
    tulle__text_format(&words, "%zu more consequence%s", count, count == 1 ? "" : "s");
    put_remark(tree, branch(tree, true), &words);
    tulle__text_free(&words);
}

static void
walk(struct tree *tree)
{
    while (tree->depth > 0 && !tree->has_failed) {
        struct level *level = &tree->levels[tree->depth - 1];
        uint32_t effect = peek(tree, level);
        if (effect == TULLE__TRACE_NONE) {
            put_cut(tree, level->event);
            tree->prefix.len = level->prefix_len;
            tree->depth--;
            continue;
        }
        uint32_t event = level->event;
        level->next++;
        bool is_last = peek(tree, level) == TULLE__TRACE_NONE;
        uint32_t parent = tulle__trace_parent(tree->graph, effect);
        if (parent == event) {
            put_event(tree, effect, parent, branch(tree, is_last));
            enter(tree, effect, is_last, false);
        } else {
            put_elsewhere(tree, effect, parent, branch(tree, is_last));
        }
    }
}

/* Its first cause that is missing, if it has one that matters here. */
static const struct tulle__trace_ref *
missing_cause(const struct tulle__trace_graph *graph, uint32_t event)
{
    if (!graph->is_upward)
        return NULL;
    for (uint32_t i = 0; i < graph->store->events[event].cause_count; i++) {
        if (tulle__trace_cause(graph, event, i) == TULLE__TRACE_NONE)
            return &graph->store->events[event].causes[i];
    }
    return NULL;
}

/* One tree; its top may itself hang below a cause that is missing. */
static void
put_tree(struct tree *tree, uint32_t top, const struct tulle__trace_ref *missing)
{
    const char *connector = "";
    tulle__text_clear(&tree->prefix);
    if (missing != NULL) {
        struct tulle__text words = { 0 };
        tulle__text_str(&words, "? ");
        put_name(tree, *missing, &words);
        tulle__text_format(&words, ": %s", tulle__trace_why_missing(tree->graph, *missing));
        put_remark(tree, "", &words);
        tree->has_failed = tree->has_failed || words.has_failed;
        tulle__text_free(&words);
        connector = branch(tree, true);
        tree->missing += !tree->is_measured;
    }
    tree->start_us = tree->graph->store->events[top].time_us;
    put_event(tree, top, TULLE__TRACE_NONE, connector);
    enter(tree, top, true, missing == NULL);
    walk(tree);
}

static void
put_header(struct tree *tree)
{
    tulle__text_clear(&tree->label);
    tulle__text_clear(&tree->name);
    tulle__text_str(&tree->label, "EVENT");
    tulle__text_str(&tree->name, "NAME");
    put_padded(tree, COLOUR_DIM, &tree->label, tree->label_width);
    set_colour(tree, COLOUR_DIM);
    tulle__text_format(&tree->out->text, "%*s%*s  ", SPAN_WIDTH, "STEP", SPAN_WIDTH, "TOTAL");
    put_padded(tree, COLOUR_DIM, &tree->name, tree->name_width);
    set_colour(tree, COLOUR_DIM);
    tulle__text_str(&tree->out->text, " PAYLOAD");
    set_colour(tree, COLOUR_NONE);
    tulle__text_char(&tree->out->text, '\n');
}

static void
put_trees(struct tree *tree)
{
    size_t at = 0;
    uint32_t event;
    while ((event = tulle__trace_next_shown(tree->graph, &at)) != TULLE__TRACE_NONE) {
        if (tulle__trace_parent(tree->graph, event) != TULLE__TRACE_NONE)
            continue;
        if (!tree->is_measured && tree->trees++ > 0)
            tulle__text_char(&tree->out->text, '\n');
        put_tree(tree, event, missing_cause(tree->graph, event));
    }
}

static void
put_sum(struct tree *tree)
{
    char span[40];
    struct tulle__text *out = &tree->out->text;
    (void)format_span(span, sizeof span, "", tree->last_us - tree->first_us);
    set_colour(tree, COLOUR_DIM);
    tulle__text_format(out, "\n%" PRIu64 " event%s", tree->rows, tree->rows == 1 ? "" : "s");
    if (tree->trees > 1)
        tulle__text_format(out, " in %" PRIu64 " trees", tree->trees);
    if (tree->depth_max > 1)
        tulle__text_format(out, ", at most %zu step%s", tree->depth_max - 1,
                           tree->depth_max == 2 ? "" : "s");
    if (tree->rows > 1)
        tulle__text_format(out, ", %s from first to last", span);
    if (tree->missing > 0)
        tulle__text_format(out, "; %" PRIu64 " cause%s missing", tree->missing,
                           tree->missing == 1 ? "" : "s");
    set_colour(tree, COLOUR_NONE);
    tulle__text_char(out, '\n');
}

void
tulle__trace_tree(const struct tulle__trace_graph *graph,
                  const struct tulle__trace_tree_style *style,
                  struct tulle__trace_out *out)
{
    struct tree tree = { .graph = graph, .style = style, .out = out, .is_measured = true };
    size_t asked = 0;
    for (size_t i = 0; i < graph->store->event_count; i++)
        asked += (graph->marks[i] & TULLE__TRACE_ASKED) != 0;
    tree.marks_asked = asked < graph->shown_count;
    put_trees(&tree);
    tree.is_measured = false;
    put_header(&tree);
    put_trees(&tree);
    put_sum(&tree);
    out->has_failed = out->has_failed || tree.has_failed || tree.prefix.has_failed ||
                      tree.label.has_failed || tree.name.has_failed;
    free(tree.levels);
    tulle__text_free(&tree.prefix);
    tulle__text_free(&tree.label);
    tulle__text_free(&tree.name);
}
