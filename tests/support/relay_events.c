/* SPDX-License-Identifier: MPL-2.0 */

/* Forwarding of published ZeroMQ messages with faults by key prefix. */

#include "relay_events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARTS_MAX = 8,
    TURN_MAX = 1000, /* messages of a link in one turn, so that commands get theirs */
    HWM = 100000
};

struct held {
    struct held *next;
    int64_t due_us;
    size_t bytes;
    size_t part_count;
    zmq_msg_t parts[PARTS_MAX];
};

struct rule {
    char prefix[RELAY_PREFIX_LEN];
    size_t prefix_len;
    double delay_ms, drop, duplicate;
};

struct queue {
    struct held *head, *tail;
    int64_t due_us; /* of the newest */
};

struct link {
    void *xpub, *xsub;
    struct queue queues[RELAY_RULES_MAX]; /* by rule */
    size_t held_count, held_bytes;
    int items[2]; /* xpub's, xsub's; -1: none */
};

struct relay_events {
    void *context;
    struct relay_chance *chance;
    bool is_cut, is_stalled;
    struct rule rules[RELAY_RULES_MAX]; /* 0: the empty prefix */
    size_t rule_count;
    struct link *links[RELAY_EVENTS_LINKS_MAX];
    size_t link_count;
};

struct relay_events *
relay_events_new(struct relay_chance *chance)
{
    struct relay_events *events = calloc(1, sizeof *events);
    if (events == NULL)
        return NULL;
    events->chance = chance;
    events->rule_count = 1;
    events->context = zmq_ctx_new();
    if (events->context == NULL) {
        free(events);
        return NULL;
    }
    return events;
}

static void
free_held(struct held *held)
{
    for (size_t i = 0; i < held->part_count; i++)
        (void)zmq_msg_close(&held->parts[i]);
    free(held);
}

static void
free_link(struct link *link)
{
    for (size_t i = 0; i < RELAY_RULES_MAX; i++) {
        while (link->queues[i].head != NULL) {
            struct held *held = link->queues[i].head;
            link->queues[i].head = held->next;
            free_held(held);
        }
    }
    if (link->xpub != NULL)
        (void)zmq_close(link->xpub);
    if (link->xsub != NULL)
        (void)zmq_close(link->xsub);
    free(link);
}

void
relay_events_free(struct relay_events **events)
{
    if (*events == NULL)
        return;
    for (size_t i = 0; i < (*events)->link_count; i++)
        free_link((*events)->links[i]);
    (void)zmq_ctx_term((*events)->context);
    free(*events);
    *events = NULL;
}

/* Unlimited towards the target: with a limit XSUB silently loses subscriptions beyond it. */
static void *
open_socket(void *context, int type, int send_hwm)
{
    void *socket = zmq_socket(context, type);
    int linger = 0;
    int receive_hwm = HWM;
    if (socket == NULL)
        return NULL;
    if (zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
        zmq_setsockopt(socket, ZMQ_SNDHWM, &send_hwm, sizeof send_hwm) == 0 &&
        zmq_setsockopt(socket, ZMQ_RCVHWM, &receive_hwm, sizeof receive_hwm) == 0)
        return socket;
    (void)zmq_close(socket);
    return NULL;
}

static void
complete_address(const char *text, char out[static RELAY_ADDRESS_LEN])
{
    const char *scheme = strstr(text, "://") == NULL ? "tcp://" : "";
    (void)snprintf(out, RELAY_ADDRESS_LEN, "%s%s", scheme, text);
}

const char *
relay_events_add(struct relay_events *events,
                 const char *listen,
                 const char *target,
                 char bound[static RELAY_ADDRESS_LEN])
{
    if (events->link_count == RELAY_EVENTS_LINKS_MAX)
        return "too many links";
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return "out of memory";
    char from[RELAY_ADDRESS_LEN];
    char to[RELAY_ADDRESS_LEN];
    size_t bound_len = RELAY_ADDRESS_LEN;
    complete_address(listen, from);
    complete_address(target, to);
    link->xpub = open_socket(events->context, ZMQ_XPUB, HWM);
    link->xsub = open_socket(events->context, ZMQ_XSUB, 0);
    if (link->xpub == NULL || link->xsub == NULL || zmq_bind(link->xpub, from) != 0 ||
        zmq_getsockopt(link->xpub, ZMQ_LAST_ENDPOINT, bound, &bound_len) != 0 ||
        zmq_connect(link->xsub, to) != 0) {
        const char *problem = zmq_strerror(zmq_errno());
        free_link(link);
        return problem;
    }
    events->links[events->link_count++] = link;
    return NULL;
}

bool
relay_events_set(struct relay_events *events,
                 enum relay_fault fault,
                 const char *prefix,
                 double value)
{
    struct rule *rule = NULL;
    for (size_t i = 0; i < events->rule_count && rule == NULL; i++) {
        if (strcmp(events->rules[i].prefix, prefix) == 0)
            rule = &events->rules[i];
    }
    if (rule == NULL) {
        size_t len = strlen(prefix);
        if (events->rule_count == RELAY_RULES_MAX || len >= RELAY_PREFIX_LEN)
            return false;
        rule = &events->rules[events->rule_count++];
        memcpy(rule->prefix, prefix, len + 1);
        rule->prefix_len = len;
    }
    switch (fault) {
    case RELAY_FAULT_DELAY:
        rule->delay_ms = value;
        break;
    case RELAY_FAULT_DROP:
        rule->drop = value;
        break;
    case RELAY_FAULT_DUPLICATE:
        rule->duplicate = value;
        break;
    }
    return true;
}

void
relay_events_set_cut(struct relay_events *events, bool is_cut)
{
    events->is_cut = is_cut;
}

void
relay_events_set_stalled(struct relay_events *events, bool is_stalled)
{
    events->is_stalled = is_stalled;
}

static size_t
find_rule(struct relay_events *events, zmq_msg_t *key)
{
    size_t found = 0;
    for (size_t i = 1; i < events->rule_count; i++) {
        const struct rule *rule = &events->rules[i];
        if (rule->prefix_len <= zmq_msg_size(key) &&
            memcmp(rule->prefix, zmq_msg_data(key), rule->prefix_len) == 0 &&
            rule->prefix_len > events->rules[found].prefix_len)
            found = i;
    }
    return found;
}

/* Read one whole message. Returns NULL when none waits or it has too many parts. */
static struct held *
receive(void *socket, bool *is_empty)
{
    struct held *held = calloc(1, sizeof *held);
    *is_empty = true;
    if (held == NULL)
        return NULL;
    bool is_long = false;
    for (;;) {
        zmq_msg_t part;
        (void)zmq_msg_init(&part);
        if (zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) < 0) {
            (void)zmq_msg_close(&part);
            break;
        }
        *is_empty = false;
        bool has_more = zmq_msg_more(&part) != 0;
        held->bytes += zmq_msg_size(&part);
        if (held->part_count < PARTS_MAX) {
            (void)zmq_msg_init(&held->parts[held->part_count]);
            (void)zmq_msg_move(&held->parts[held->part_count++], &part);
        } else {
            is_long = true;
        }
        (void)zmq_msg_close(&part);
        if (!has_more)
            break;
    }
    if (held->part_count > 0 && !is_long)
        return held;
    free_held(held);
    return NULL;
}

static void
append(struct link *link, size_t rule, struct held *held)
{
    struct queue *queue = &link->queues[rule];
    if (held->due_us < queue->due_us)
        held->due_us = queue->due_us;
    queue->due_us = held->due_us;
    held->next = NULL;
    if (queue->tail != NULL)
        queue->tail->next = held;
    else
        queue->head = held;
    queue->tail = held;
    link->held_count++;
    link->held_bytes += held->bytes;
}

static void
duplicate(struct link *link, size_t rule, struct held *held)
{
    struct held *copy = calloc(1, sizeof *copy);
    if (copy == NULL)
        return;
    for (; copy->part_count < held->part_count; copy->part_count++) {
        (void)zmq_msg_init(&copy->parts[copy->part_count]);
        (void)zmq_msg_copy(&copy->parts[copy->part_count], &held->parts[copy->part_count]);
    }
    copy->bytes = held->bytes;
    copy->due_us = held->due_us;
    append(link, rule, copy);
}

static bool
is_full(const struct link *link)
{
    return link->held_count >= RELAY_HELD_COUNT_MAX || link->held_bytes >= RELAY_HELD_BYTES_MAX;
}

static void
pull(struct relay_events *events, struct link *link, int64_t now_us)
{
    for (int turn = 0; turn < TURN_MAX && !is_full(link); turn++) {
        bool is_empty = true;
        struct held *held = receive(link->xsub, &is_empty);
        if (held == NULL && is_empty)
            return;
        if (held == NULL)
            continue;
        size_t index = find_rule(events, &held->parts[0]);
        const struct rule *rule = &events->rules[index];
        if (events->is_cut || relay_chance_hits(events->chance, rule->drop)) {
            free_held(held);
            continue;
        }
        held->due_us = now_us + (int64_t)(rule->delay_ms * 1000.0);
        append(link, index, held);
        if (relay_chance_hits(events->chance, rule->duplicate))
            duplicate(link, index, held);
    }
}

static void
send_parts(void *socket, struct held *held)
{
    for (size_t i = 0; i < held->part_count; i++) {
        int flags = ZMQ_DONTWAIT | (i + 1 < held->part_count ? ZMQ_SNDMORE : 0);
        if (zmq_msg_send(&held->parts[i], socket, flags) < 0)
            return;
    }
}

static void
push(struct link *link, size_t rule, bool is_cut, int64_t now_us)
{
    struct queue *queue = &link->queues[rule];
    while (queue->head != NULL && queue->head->due_us <= now_us) {
        struct held *held = queue->head;
        queue->head = held->next;
        if (queue->head == NULL)
            queue->tail = NULL;
        link->held_count--;
        link->held_bytes -= held->bytes;
        if (!is_cut)
            send_parts(link->xpub, held);
        free_held(held);
    }
}

static void
pass_subscriptions(struct link *link)
{
    for (int turn = 0; turn < TURN_MAX; turn++) {
        bool is_empty = true;
        struct held *held = receive(link->xpub, &is_empty);
        if (held == NULL)
            return;
        (void)zmq_msg_send(&held->parts[0], link->xsub, ZMQ_DONTWAIT);
        free_held(held);
    }
}

size_t
relay_events_poll(struct relay_events *events, zmq_pollitem_t *items, int64_t *deadline_us)
{
    size_t count = 0;
    for (size_t i = 0; i < events->link_count; i++) {
        struct link *link = events->links[i];
        link->items[0] = (int)count;
        items[count++] = (zmq_pollitem_t){ .socket = link->xpub, .events = ZMQ_POLLIN };
        link->items[1] = -1;
        if (!events->is_stalled && !is_full(link)) {
            link->items[1] = (int)count;
            items[count++] = (zmq_pollitem_t){ .socket = link->xsub, .events = ZMQ_POLLIN };
        }
        for (size_t j = 0; j < events->rule_count && !events->is_stalled; j++) {
            const struct held *head = link->queues[j].head;
            if (head != NULL && head->due_us < *deadline_us)
                *deadline_us = head->due_us;
        }
    }
    return count;
}

void
relay_events_run(struct relay_events *events, const zmq_pollitem_t *items)
{
    int64_t now_us = relay_now_us();
    for (size_t i = 0; i < events->link_count; i++) {
        struct link *link = events->links[i];
        if ((items[link->items[0]].revents & ZMQ_POLLIN) != 0)
            pass_subscriptions(link);
        if (link->items[1] >= 0 && (items[link->items[1]].revents & ZMQ_POLLIN) != 0)
            pull(events, link, now_us);
        for (size_t j = 0; j < events->rule_count && !events->is_stalled; j++)
            push(link, j, events->is_cut, now_us);
    }
}
