/* SPDX-License-Identifier: MPL-2.0 */
/* The oracle's record: who ran, who took what, what was published and what each
 * event truly depends on. The rules are in oracle_judge.c. */

#include "oracle.h"

#include "oracle_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
oracle_memory_get(void *old, size_t count, size_t size)
{
    void *block = realloc(old, count * size);
    if (block == NULL && count > 0) {
        (void)fprintf(stderr, "oracle: out of memory\n");
        abort();
    }
    return block;
}

static char *
copy_text(const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = oracle_memory_get(NULL, len, 1);
    memcpy(copy, text, len);
    return copy;
}

/* ---- runs ---- */

bool
oracle_runs_overlap(const struct oracle_runs *runs, uint64_t first, uint64_t last)
{
    for (size_t i = runs->len; i-- > 0;) {
        if (runs->items[i].last < first)
            return false;
        if (runs->items[i].first <= last)
            return true;
    }
    return false;
}

static void
remove_run(struct oracle_runs *runs, size_t index)
{
    runs->len--;
    memmove(&runs->items[index], &runs->items[index + 1],
            (runs->len - index) * sizeof *runs->items);
}

void
oracle_runs_add(struct oracle_runs *runs, uint64_t first, uint64_t last)
{
    size_t at = runs->len;
    while (at > 0 && runs->items[at - 1].first > first)
        at--;
    if (at > 0 && runs->items[at - 1].last + 1 >= first) {
        at--;
        if (runs->items[at].last < last)
            runs->items[at].last = last;
    } else {
        if (runs->len == runs->cap) {
            runs->cap = runs->cap == 0 ? 2 : runs->cap * 2;
            runs->items = oracle_memory_get(runs->items, runs->cap, sizeof *runs->items);
        }
        memmove(&runs->items[at + 1], &runs->items[at], (runs->len - at) * sizeof *runs->items);
        runs->items[at] = (struct oracle_run){ first, last };
        runs->len++;
    }
    while (at + 1 < runs->len && runs->items[at].last + 1 >= runs->items[at + 1].first) {
        if (runs->items[at].last < runs->items[at + 1].last)
            runs->items[at].last = runs->items[at + 1].last;
        remove_run(runs, at + 1);
    }
}

void
oracle_runs_clear(struct oracle_runs *runs)
{
    free(runs->items);
    *runs = (struct oracle_runs){ 0 };
}

/* ---- vectors ---- */

uint64_t
oracle_vector_get(const struct oracle_vector *vector, size_t lane)
{
    return lane < vector->len ? vector->counts[lane] : 0;
}

static void
vector_reserve(struct oracle_vector *vector, size_t len)
{
    if (len <= vector->len)
        return;
    vector->counts = oracle_memory_get(vector->counts, len, sizeof *vector->counts);
    memset(vector->counts + vector->len, 0, (len - vector->len) * sizeof *vector->counts);
    vector->len = len;
}

void
oracle_vector_raise(struct oracle_vector *vector, size_t lane, uint64_t count)
{
    vector_reserve(vector, lane + 1);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is room for the lane now */
    if (vector->counts[lane] < count)
        vector->counts[lane] = (uint32_t)count;
}

void
oracle_vector_merge(struct oracle_vector *vector, const struct oracle_vector *other)
{
    vector_reserve(vector, other->len);
    for (size_t i = 0; i < other->len; i++) {
        if (vector->counts[i] < other->counts[i])
            vector->counts[i] = other->counts[i];
    }
}

void
oracle_vector_copy(struct oracle_vector *vector, const struct oracle_vector *other)
{
    *vector = (struct oracle_vector){ 0 };
    vector_reserve(vector, other->len);
    if (other->len > 0) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): there is room for them now */
        memcpy(vector->counts, other->counts, other->len * sizeof *vector->counts);
    }
}

/* ---- life ---- */

struct oracle *
oracle_new(const struct oracle_rules *rules)
{
    struct oracle *oracle = oracle_memory_get(NULL, 1, sizeof *oracle);
    *oracle = (struct oracle){ .rules = *rules };
    return oracle;
}

static void
clear_seen(struct oracle_seen *seen)
{
    oracle_runs_clear(&seen->delivered);
    oracle_runs_clear(&seen->gaps);
    free(seen->known.counts);
    *seen = (struct oracle_seen){ 0 };
}

static void
free_node(struct oracle_node *node)
{
    for (size_t s = 0; s < ORACLE_STREAMS_MAX; s++) {
        struct oracle_lane *lane = &node->lanes[s];
        for (size_t i = 0; i < lane->len; i++) {
            free(lane->events[i].topic);
            free(lane->events[i].payload);
            free(lane->events[i].past.counts);
        }
        free(lane->events);
    }
    for (size_t i = 0; i < node->seen_len; i++) {
        for (size_t s = 0; node->seen[i] != NULL && s < ORACLE_STREAMS_MAX; s++)
            clear_seen(&node->seen[i][s]);
        free(node->seen[i]);
    }
    for (size_t i = 0; i < node->take_count; i++)
        free(node->takes[i].pattern);
    free(node->seen);
    free(node->past.counts);
    free(node->name);
}

void
oracle_free(struct oracle **pointer)
{
    struct oracle *oracle = *pointer;
    if (oracle == NULL)
        return;
    for (size_t i = 0; i < oracle->node_count; i++)
        free_node(&oracle->nodes[i]);
    for (size_t i = 0; i < oracle->stream_count; i++)
        free(oracle->streams[i]);
    free(oracle->nodes);
    free(oracle);
    *pointer = NULL;
}

const char *
oracle_failure(const struct oracle *oracle)
{
    return oracle->has_failed ? oracle->failure : NULL;
}

void
oracle_fail(struct oracle *oracle, const char *format, ...)
{
    if (oracle->has_failed)
        return;
    oracle->has_failed = true;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(oracle->failure, sizeof oracle->failure, format, arguments);
    va_end(arguments);
}

void
oracle_set_rough(struct oracle *oracle)
{
    oracle->is_rough = true;
}

/* ---- nodes ---- */

uint32_t
oracle_start(struct oracle *oracle, uint64_t id, const char *name)
{
    if (oracle->node_count == oracle->node_cap) {
        oracle->node_cap = oracle->node_cap == 0 ? 16 : oracle->node_cap * 2;
        oracle->nodes = oracle_memory_get(oracle->nodes, oracle->node_cap, sizeof *oracle->nodes);
    }
    oracle->nodes[oracle->node_count] =
        (struct oracle_node){ .id = id, .name = copy_text(name), .is_live = true };
    return (uint32_t)oracle->node_count++;
}

void
oracle_end(struct oracle *oracle, uint32_t node)
{
    oracle->nodes[node].is_live = false;
}

bool
oracle_is_live(const struct oracle *oracle, uint32_t node)
{
    return oracle->nodes[node].is_live;
}

uint64_t
oracle_id(const struct oracle *oracle, uint32_t node)
{
    return oracle->nodes[node].id;
}

uint32_t
oracle_node_find(const struct oracle *oracle, uint64_t id)
{
    for (size_t i = 0; i < oracle->node_count; i++) {
        if (oracle->nodes[i].id == id)
            return (uint32_t)i;
    }
    return UINT32_MAX;
}

/* Length of the level at text, and whether it is a wildcard. */
static size_t
level_len(const char *text, bool *is_wild)
{
    size_t len = strcspn(text, "/");
    *is_wild = (len == 1 && text[0] == '*') || (len == 2 && text[0] == '*' && text[1] == '*');
    return len;
}

/* The rule of design 6: a pattern takes the streams that its literal leading
 * levels pass through and, where a wildcard follows, all streams below. */
static bool
pattern_takes(const char *pattern, const char *stream)
{
    for (;;) {
        bool is_wild = false;
        bool is_stream_wild = false;
        size_t len = level_len(pattern, &is_wild);
        if (is_wild)
            return true;
        size_t stream_len = level_len(stream, &is_stream_wild);
        if (len != stream_len || memcmp(pattern, stream, len) != 0)
            return false;
        pattern += len;
        stream += stream_len;
        if (*stream == '\0')
            return true;
        if (*pattern == '\0')
            return false;
        pattern++;
        stream++;
    }
}

static void
refresh_takes(struct oracle *oracle, struct oracle_node *node)
{
    for (size_t s = 0; s < oracle->stream_count; s++) {
        bool was_taken = node->order[s] != 0;
        node->order[s] = 0;
        for (size_t i = 0; i < node->take_count; i++) {
            if (!pattern_takes(node->takes[i].pattern, oracle->streams[s]))
                continue;
            if (node->order[s] == 0)
                node->from[s] = node->takes[i].from;
            if (node->order[s] < node->takes[i].order)
                node->order[s] = node->takes[i].order;
        }
        if (was_taken == (node->order[s] != 0))
            continue;
        /* Taking a stream starts anew. */
        for (size_t i = 0; i < node->seen_len; i++) {
            if (node->seen[i] != NULL)
                clear_seen(&node->seen[i][s]);
        }
    }
}

void
oracle_subscribe(struct oracle *oracle,
                 uint32_t node_index,
                 const char *pattern,
                 tulle_order order,
                 tulle_from from)
{
    struct oracle_node *node = &oracle->nodes[node_index];
    if (node->take_count == ORACLE_TAKES_MAX) {
        oracle_fail(oracle, "test error: too many subscriptions");
        return;
    }
    node->takes[node->take_count++] =
        (struct oracle_take){ .pattern = copy_text(pattern), .order = order, .from = from };
    refresh_takes(oracle, node);
}

void
oracle_unsubscribe(struct oracle *oracle, uint32_t node_index, const char *pattern)
{
    struct oracle_node *node = &oracle->nodes[node_index];
    for (size_t i = 0; i < node->take_count; i++) {
        if (strcmp(node->takes[i].pattern, pattern) != 0)
            continue;
        free(node->takes[i].pattern);
        node->takes[i] = node->takes[--node->take_count];
        break;
    }
    node->has_resubscribed = true;
    refresh_takes(oracle, node);
}

bool
oracle_takes(const struct oracle *oracle, uint32_t node_index, const char *stream)
{
    const struct oracle_node *node = &oracle->nodes[node_index];
    for (size_t i = 0; i < node->take_count; i++) {
        if (pattern_takes(node->takes[i].pattern, stream))
            return true;
    }
    return false;
}

/* ---- streams and lanes ---- */

uint32_t
oracle_stream_find(const struct oracle *oracle, const void *name, size_t len)
{
    for (size_t i = 0; i < oracle->stream_count; i++) {
        if (strlen(oracle->streams[i]) == len && memcmp(oracle->streams[i], name, len) == 0)
            return (uint32_t)i;
    }
    return UINT32_MAX;
}

static uint32_t
stream_get(struct oracle *oracle, const char *name)
{
    uint32_t stream = oracle_stream_find(oracle, name, strlen(name));
    if (stream != UINT32_MAX)
        return stream;
    if (oracle->stream_count == ORACLE_STREAMS_MAX) {
        oracle_fail(oracle, "test error: too many streams");
        return 0;
    }
    stream = (uint32_t)oracle->stream_count;
    oracle->streams[oracle->stream_count++] = copy_text(name);
    for (size_t i = 0; i < oracle->node_count; i++)
        refresh_takes(oracle, &oracle->nodes[i]);
    return stream;
}

const char *
oracle_stream_name(const struct oracle *oracle, uint32_t stream)
{
    return stream < oracle->stream_count ? oracle->streams[stream] : "?";
}

struct oracle_seen *
oracle_seen_get(struct oracle *oracle, uint32_t node_index, size_t lane)
{
    struct oracle_node *node = &oracle->nodes[node_index];
    size_t publisher = oracle_lane_node(lane);
    if (publisher >= node->seen_len) {
        size_t len = oracle->node_count;
        node->seen = oracle_memory_get(node->seen, len, sizeof(struct oracle_seen *));
        for (size_t i = node->seen_len; i < len; i++)
            node->seen[i] = NULL;
        node->seen_len = len;
    }
    if (node->seen[publisher] == NULL) {
        struct oracle_seen *block = oracle_memory_get(NULL, ORACLE_STREAMS_MAX, sizeof *block);
        memset(block, 0, ORACLE_STREAMS_MAX * sizeof *block);
        node->seen[publisher] = block;
    }
    return &node->seen[publisher][oracle_lane_stream(lane)];
}

const struct oracle_seen *
oracle_seen_find(const struct oracle *oracle, uint32_t node, size_t lane)
{
    size_t publisher = oracle_lane_node(lane);
    const struct oracle_node *of = &oracle->nodes[node];
    if (publisher >= of->seen_len || of->seen[publisher] == NULL)
        return NULL;
    return &of->seen[publisher][oracle_lane_stream(lane)];
}

/* ---- events ---- */

/* What the publisher can know of the cause's past: all of it, unless a gap took
 * away knowledge of that lane. */
static void
add_cause(struct oracle *oracle,
          uint32_t node,
          const struct oracle_ref *cause,
          struct oracle_vector *past)
{
    const struct oracle_lane *lane = &oracle->nodes[cause->node].lanes[cause->stream];
    size_t index = oracle_lane_index(cause->node, cause->stream);
    const struct oracle_vector *cause_past = &lane->events[cause->seq - 1].past;
    const struct oracle_seen *seen = oracle_seen_find(oracle, node, index);
    for (size_t i = 0; i < cause_past->len; i++) {
        uint64_t count = cause_past->counts[i];
        if (seen != NULL && seen->is_known_partial && i != index &&
            oracle_vector_get(&seen->known, i) < count)
            count = oracle_vector_get(&seen->known, i);
        oracle_vector_raise(past, i, count);
    }
    oracle_vector_raise(past, index, cause->seq);
}

static struct oracle_event *
new_event(struct oracle_lane *lane, const struct oracle_publish *publish)
{
    if (lane->len == lane->cap) {
        lane->cap = lane->cap == 0 ? 16 : lane->cap * 2;
        lane->events = oracle_memory_get(lane->events, lane->cap, sizeof *lane->events);
    }
    struct oracle_event *event = &lane->events[lane->len++];
    *event = (struct oracle_event){ .topic = copy_text(publish->topic),
                                    .payload = oracle_memory_get(NULL, publish->payload_len + 1, 1),
                                    .payload_len = publish->payload_len };
    if (publish->payload_len > 0)
        memcpy(event->payload, publish->payload, publish->payload_len);
    return event;
}

struct oracle_ref
oracle_published(struct oracle *oracle, uint32_t node_index, const struct oracle_publish *publish)
{
    uint32_t stream = stream_get(oracle, publish->stream);
    struct oracle_node *node = &oracle->nodes[node_index];
    struct oracle_lane *lane = &node->lanes[stream];
    struct oracle_event *event = new_event(lane, publish);
    struct oracle_ref ref = { node_index, stream, (uint32_t)lane->len };
    size_t own = oracle_lane_index(node_index, stream);
    if (!publish->only_causes) {
        oracle_vector_copy(&event->past, &node->past);
    } else if (lane->len > 1) {
        oracle_vector_copy(&event->past, &lane->events[lane->len - 2].past);
        oracle_vector_raise(&event->past, own, lane->len - 1);
    }
    /* Other causes are in the past already, but for those of explicit events. */
    for (size_t i = 0; publish->only_causes && i < publish->cause_count; i++)
        add_cause(oracle, node_index, &publish->causes[i], &event->past);
    for (size_t i = 0; i < publish->after_count; i++) {
        add_cause(oracle, node_index, &publish->after[i], &event->past);
        if (!publish->only_causes)
            add_cause(oracle, node_index, &publish->after[i], &node->past);
    }
    oracle_vector_raise(&node->past, own, lane->len);
    oracle->published++;
    return ref;
}

void
oracle_promised(struct oracle *oracle, struct oracle_ref event, uint32_t taker)
{
    if (oracle->nodes[taker].order[event.stream] == 0 || oracle->nodes[taker].has_resubscribed)
        return;
    struct oracle_seen *seen =
        oracle_seen_get(oracle, taker, oracle_lane_index(event.node, event.stream));
    if (seen->promised == 0)
        seen->promised = event.seq;
}

/* ---- questions ---- */

bool
oracle_has(const struct oracle *oracle, uint32_t node, struct oracle_ref event)
{
    const struct oracle_seen *seen =
        oracle_seen_find(oracle, node, oracle_lane_index(event.node, event.stream));
    return seen != NULL && oracle_runs_overlap(&seen->delivered, event.seq, event.seq);
}

bool
oracle_has_gap(const struct oracle *oracle, uint32_t node, struct oracle_ref event)
{
    const struct oracle_seen *seen =
        oracle_seen_find(oracle, node, oracle_lane_index(event.node, event.stream));
    return seen != NULL && oracle_runs_overlap(&seen->gaps, event.seq, event.seq);
}

uint64_t
oracle_published_count(const struct oracle *oracle)
{
    return oracle->published;
}

uint64_t
oracle_delivered_count(const struct oracle *oracle)
{
    return oracle->delivered;
}

uint64_t
oracle_gap_count(const struct oracle *oracle)
{
    return oracle->gaps;
}

uint64_t
oracle_clocks_given_up(const struct oracle *oracle)
{
    return oracle->clocks_given_up;
}
