/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/record/record_tally.h"

#include <stdlib.h>
#include <string.h>

/* A failed HASH_ADD leaves the element out and says so in hh.tbl. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct lane {
    UT_hash_handle hh;
    struct tulle__record_lane told;
    char *name;
    size_t key_len;
    char key[]; /* id, then the stream with its zero byte */
};

struct topic {
    UT_hash_handle hh;
    struct tulle__record_topic told;
    char name[];
};

struct node {
    UT_hash_handle hh;
    uint64_t id;
};

struct tulle__record_tally {
    bool has_topics;
    struct lane *lanes, *last_lane;
    struct topic *topics;
    struct node *nodes;
    struct tulle__record_sum sum;
    bool is_sorted;
    struct tulle__record_lane *sorted_lanes;
    struct tulle__record_topic *sorted_topics;
};

struct tulle__record_tally *
tulle__record_tally_new(bool has_topics)
{
    struct tulle__record_tally *tally = calloc(1, sizeof *tally);
    if (tally != NULL)
        tally->has_topics = has_topics;
    return tally;
}

void
tulle__record_tally_free(struct tulle__record_tally **pointer)
{
    struct tulle__record_tally *tally = *pointer;
    if (tally == NULL)
        return;
    struct lane *lane = tally->lanes;
    struct topic *topic = tally->topics;
    struct node *node = tally->nodes;
    HASH_CLEAR(hh, tally->lanes);
    HASH_CLEAR(hh, tally->topics);
    HASH_CLEAR(hh, tally->nodes);
    while (lane != NULL) {
        struct lane *next = lane->hh.next;
        free(lane->name);
        free(lane);
        lane = next;
    }
    while (topic != NULL) {
        struct topic *next = topic->hh.next;
        free(topic);
        topic = next;
    }
    while (node != NULL) {
        struct node *next = node->hh.next;
        free(node);
        node = next;
    }
    free(tally->sorted_lanes);
    free(tally->sorted_topics);
    free(tally);
    *pointer = NULL;
}

static bool
add_node(struct tulle__record_tally *tally, uint64_t id)
{
    struct node *node = NULL;
    HASH_FIND(hh, tally->nodes, &id, sizeof id, node);
    if (node != NULL)
        return true;
    node = calloc(1, sizeof *node);
    if (node == NULL)
        return false;
    node->id = id;
    HASH_ADD(hh, tally->nodes, id, sizeof node->id, node);
    if (node->hh.tbl == NULL) {
        free(node);
        return false;
    }
    tally->sum.nodes++;
    return true;
}

static bool
set_name(struct lane *lane, const char *name)
{
    if (name[0] == '\0' || (lane->name != NULL && strcmp(lane->name, name) == 0))
        return true;
    char *copy = strdup(name);
    if (copy == NULL)
        return false;
    free(lane->name);
    lane->name = copy;
    lane->told.node_name = copy;
    return true;
}

/* Most events are of the lane of the one before. */
static struct lane *
get_lane(struct tulle__record_tally *tally, uint64_t node, const char *stream, const char *name)
{
    char key[sizeof node + 256];
    size_t len = strnlen(stream, sizeof key - sizeof node - 1);
    size_t key_len = sizeof node + len + 1;
    struct lane *lane = tally->last_lane;
    memcpy(key, &node, sizeof node);
    memcpy(key + sizeof node, stream, len);
    key[key_len - 1] = '\0';
    if (lane == NULL || lane->key_len != key_len || memcmp(lane->key, key, key_len) != 0)
        HASH_FIND(hh, tally->lanes, key, key_len, lane);
    if (lane == NULL) {
        lane = calloc(1, sizeof *lane + key_len);
        if (lane == NULL || !add_node(tally, node)) {
            free(lane);
            return NULL;
        }
        lane->key_len = key_len;
        memcpy(lane->key, key, key_len);
        lane->told = (struct tulle__record_lane){ .node = node,
                                                  .node_name = "",
                                                  .stream = lane->key + sizeof node };
        HASH_ADD_KEYPTR(hh, tally->lanes, lane->key, lane->key_len, lane);
        if (lane->hh.tbl == NULL) {
            free(lane);
            return NULL;
        }
        tally->sum.lanes++;
    }
    tally->last_lane = lane;
    return set_name(lane, name) ? lane : NULL;
}

static bool
add_topic(struct tulle__record_tally *tally, const tulle_event *event)
{
    struct topic *topic = NULL;
    size_t len = strlen(event->topic);
    HASH_FIND(hh, tally->topics, event->topic, len, topic);
    if (topic == NULL) {
        topic = calloc(1, sizeof *topic + len + 1);
        if (topic == NULL)
            return false;
        memcpy(topic->name, event->topic, len);
        topic->told = (struct tulle__record_topic){ .topic = topic->name,
                                                    .first_us = event->time_us,
                                                    .last_us = event->time_us };
        HASH_ADD_KEYPTR(hh, tally->topics, topic->name, len, topic);
        if (topic->hh.tbl == NULL) {
            free(topic);
            return false;
        }
        tally->sum.topics++;
    }
    struct tulle__record_topic *told = &topic->told;
    told->events++;
    told->bytes += event->payload_len;
    told->first_us = event->time_us < told->first_us ? event->time_us : told->first_us;
    told->last_us = event->time_us > told->last_us ? event->time_us : told->last_us;
    return true;
}

static bool
add_event(struct tulle__record_tally *tally, const tulle_event *event)
{
    struct tulle__record_sum *sum = &tally->sum;
    struct lane *lane = get_lane(tally, event->node, event->stream, event->node_name);
    if (lane == NULL || (tally->has_topics && !add_topic(tally, event)))
        return false;
    struct tulle__record_lane *told = &lane->told;
    told->first = told->events == 0 || event->seq < told->first ? event->seq : told->first;
    told->last = event->seq > told->last ? event->seq : told->last;
    told->events++;
    told->bytes += event->payload_len;
    sum->first_us =
        sum->events == 0 || event->time_us < sum->first_us ? event->time_us : sum->first_us;
    sum->last_us =
        sum->events == 0 || event->time_us > sum->last_us ? event->time_us : sum->last_us;
    sum->events++;
    sum->bytes += event->payload_len;
    sum->repaired += event->is_repaired;
    return true;
}

bool
tulle__record_tally_add(struct tulle__record_tally *tally,
                        const tulle_message *message,
                        int64_t arrival_us)
{
    struct tulle__record_sum *sum = &tally->sum;
    bool is_first = sum->events + sum->gaps == 0;
    sum->first_arrival =
        is_first || arrival_us < sum->first_arrival ? arrival_us : sum->first_arrival;
    sum->last_arrival = is_first || arrival_us > sum->last_arrival ? arrival_us : sum->last_arrival;
    tally->is_sorted = false;
    if (message->kind == TULLE_MESSAGE_EVENT)
        return add_event(tally, &message->u.event);
    const tulle_gap *gap = &message->u.gap;
    struct lane *lane = get_lane(tally, gap->node, gap->stream, gap->node_name);
    if (lane == NULL)
        return false;
    lane->told.missing += gap->last - gap->first + 1;
    sum->missing += gap->last - gap->first + 1;
    sum->gaps++;
    return true;
}

void
tulle__record_tally_sum(const struct tulle__record_tally *tally, struct tulle__record_sum *out)
{
    *out = tally->sum;
}

static int
compare_lanes(const void *a, const void *b)
{
    const struct tulle__record_lane *x = a;
    const struct tulle__record_lane *y = b;
    int order = strcmp(x->node_name, y->node_name);
    if (order == 0 && x->node != y->node)
        order = x->node < y->node ? -1 : 1;
    return order != 0 ? order : strcmp(x->stream, y->stream);
}

static int
compare_topics(const void *a, const void *b)
{
    const struct tulle__record_topic *x = a;
    const struct tulle__record_topic *y = b;
    return strcmp(x->topic, y->topic);
}

static bool
sort(struct tulle__record_tally *tally)
{
    if (tally->is_sorted)
        return true;
    free(tally->sorted_lanes);
    free(tally->sorted_topics);
    tally->sorted_lanes = calloc(tally->sum.lanes + 1, sizeof *tally->sorted_lanes);
    tally->sorted_topics = calloc(tally->sum.topics + 1, sizeof *tally->sorted_topics);
    if (tally->sorted_lanes == NULL || tally->sorted_topics == NULL)
        return false;
    size_t count = 0;
    for (const struct lane *lane = tally->lanes; lane != NULL; lane = lane->hh.next)
        tally->sorted_lanes[count++] = lane->told;
    qsort(tally->sorted_lanes, count, sizeof *tally->sorted_lanes, compare_lanes);
    count = 0;
    for (const struct topic *topic = tally->topics; topic != NULL; topic = topic->hh.next)
        tally->sorted_topics[count++] = topic->told;
    qsort(tally->sorted_topics, count, sizeof *tally->sorted_topics, compare_topics);
    tally->is_sorted = true;
    return true;
}

const struct tulle__record_lane *
tulle__record_tally_lane(struct tulle__record_tally *tally, size_t index)
{
    return sort(tally) && index < tally->sum.lanes ? &tally->sorted_lanes[index] : NULL;
}

const struct tulle__record_topic *
tulle__record_tally_topic(struct tulle__record_tally *tally, size_t index)
{
    return sort(tally) && index < tally->sum.topics ? &tally->sorted_topics[index] : NULL;
}
