/* SPDX-License-Identifier: MPL-2.0 */
/* What the engine delivers goes to the subscriptions that it is for, at a cost of what
 * matches: the engine's index tells the handles of patterns, a table whose they are. */

#include "base/alloc.h"
#include "base/panic.h"
#include "codec/pattern_index.h"
#include "node/os.h"
#include "node/state.h"

/* ---- whose a pattern is ---- */

static bool
reserve_handle(tulle_node *node, uint32_t handle)
{
    while (node->handle_cap <= handle) {
        size_t old = node->handle_cap;
        if (!tulle__grow(&node->by_handle, &node->handle_cap, old,
                         sizeof(struct tulle_subscription *)))
            return false;
        for (size_t i = old; i < node->handle_cap; i++)
            node->by_handle[i] = NULL;
    }
    return true;
}

tulle_status
tulle__node_register(tulle_node *node, struct tulle_subscription *s)
{
    TULLE_ASSERT(!s->is_registered);
    tulle_status status =
        tulle__patterns_register(s->patterns, node->engine, &s->options, tulle__os_now());
    for (size_t i = 0; status == TULLE_OK && i < s->patterns->count; i++) {
        if (!reserve_handle(node, s->patterns->items[i].handle)) {
            tulle__patterns_unregister(s->patterns, node->engine, tulle__os_now());
            status = TULLE_ENOMEM;
        }
    }
    if (status != TULLE_OK)
        return status;
    for (size_t i = 0; i < s->patterns->count; i++)
        node->by_handle[s->patterns->items[i].handle] = s;
    s->is_registered = true;
    node->registered_count++;
    return TULLE_OK;
}

void
tulle__node_unregister(tulle_node *node, struct tulle_subscription *s)
{
    if (!s->is_registered)
        return;
    for (size_t i = 0; i < s->patterns->count; i++)
        node->by_handle[s->patterns->items[i].handle] = NULL;
    tulle__patterns_unregister(s->patterns, node->engine, tulle__os_now());
    s->is_registered = false;
    node->registered_count--;
}

/* ---- handing out ---- */

/* Is there room for what nobody needs to be told? Events wait in the engine meanwhile,
 * gaps are always told. */
static bool
has_room_for_notice(tulle_node *node, struct tulle_subscription *s)
{
    if (tulle__subscription_bytes(s) <= node->options.queue_bytes)
        return true;
    node->notices_dropped++;
    return false;
}

static void
put_item(tulle_node *node, struct tulle_subscription *s, struct tulle__item *item)
{
    if (item == NULL) {
        /* No memory for a delivered event: told as what it is, a loss on this side. */
        tulle__log(&node->log, TULLE_LOG_ERROR, "node.no_memory", "pattern=%s",
                   (const char *)s->patterns->items[0].text.data);
        return;
    }
    if (tulle__subscription_put(s, item) > node->options.queue_bytes)
        node->is_queue_full = true;
}

/* Which kind of message is a delivery action for a subscription? 0: none. */
static int
message_kind(const struct tulle_subscription *s, const struct tulle__action *action)
{
    const struct tulle__delivery *delivery = &action->u.delivery;
    bool is_unordered = s->options.order == TULLE_ORDER_NONE;
    if (action->kind == TULLE__ACTION_DELIVER)
        return !is_unordered || delivery->is_arrival_order ? TULLE_MESSAGE_EVENT : 0;
    if (action->kind == TULLE__ACTION_DUPLICATE)
        return (s->options.flags & TULLE_WATCH_DUPLICATES) != 0 ? TULLE_MESSAGE_DUPLICATE : 0;
    return (s->options.flags & TULLE_WATCH_ARRIVALS) != 0 ? TULLE_MESSAGE_ARRIVAL : 0;
}

/* To a subscription, which of a delivery's events matches. */
static void
give_delivery(tulle_node *node, struct tulle_subscription *s, const struct tulle__action *action)
{
    const struct tulle__delivery *delivery = &action->u.delivery;
    int kind = message_kind(s, action);
    /* As it comes, for those who asked for that where others wait for order. */
    bool is_early = action->kind == TULLE__ACTION_ARRIVAL && s->options.order == TULLE_ORDER_NONE &&
                    !delivery->is_arrival_order;
    if (kind == TULLE_MESSAGE_EVENT || (kind != 0 && has_room_for_notice(node, s)))
        put_item(node, s, tulle__item_from_delivery((tulle_message_kind)kind, delivery));
    if (is_early)
        put_item(node, s, tulle__item_from_delivery(TULLE_MESSAGE_EVENT, delivery));
}

static void
give_gap(tulle_node *node, struct tulle_subscription *s, const struct tulle__action *action)
{
    put_item(node, s, tulle__item_from_gap(&action->u.gap));
}

typedef void give_fn(tulle_node *, struct tulle_subscription *, const struct tulle__action *);

/* To each subscription that has one of the patterns and was not given it before. */
static void
give_all(tulle_node *node,
         struct tulle__pattern_ids ids,
         give_fn *give,
         const struct tulle__action *action)
{
    for (size_t i = 0; i < ids.count; i++) {
        struct tulle_subscription *s = node->by_handle[ids.items[i]];
        if (s->given == node->given)
            continue;
        s->given = node->given;
        node->given_count++;
        give(node, s, action);
    }
}

static void
start_giving(tulle_node *node)
{
    node->given++;
    node->given_count = 0;
}

/* Costs by what matches: first who takes all of the stream, then by topic, once for all
 * events that share it, until everybody has it. */
void
tulle__hand_out_delivery(tulle_node *node, const struct tulle__action *action)
{
    const struct tulle__delivery *delivery = &action->u.delivery;
    struct tulle__pattern_index *patterns = tulle__engine_patterns(node->engine);
    bool has_more;
    start_giving(node);
    give_all(node, tulle__pattern_index_stream(patterns, delivery->stream, &has_more),
             give_delivery, action);
    struct tulle__event_walk walk;
    struct tulle__event_view view;
    struct tulle__view last = { NULL, 0 };
    tulle__batch_walk(&delivery->batch, &walk);
    while (has_more && node->given_count < node->registered_count &&
           tulle__batch_next(&walk, &view)) {
        if (view.seq < delivery->first || view.seq > delivery->last ||
            (last.data != NULL && tulle__view_equal(view.rest, last)))
            continue;
        last = view.rest;
        give_all(node, tulle__pattern_index_topic(patterns, view.rest), give_delivery, action);
    }
}

void
tulle__hand_out_gap(tulle_node *node, const struct tulle__action *action)
{
    struct tulle__view stream = tulle__view_of(action->u.gap.stream);
    start_giving(node);
    give_all(node, tulle__pattern_index_taking(tulle__engine_patterns(node->engine), stream),
             give_gap, action);
}

void
tulle__hand_out_peer(tulle_node *node, const tulle_peer *peer)
{
    for (struct tulle_subscription *s = node->subscriptions; s != NULL; s = s->next) {
        if (s->is_registered && (s->options.flags & TULLE_WATCH_PEERS) != 0 &&
            has_room_for_notice(node, s))
            put_item(node, s, tulle__item_from_peer(peer));
    }
}
