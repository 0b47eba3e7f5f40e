/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_MESSAGE_H
#define TULLE_NODE_MESSAGE_H

/* From what the engine hands out to what the application reads.
 *
 * An item stands for one engine action: the events of a batch (sharing its bytes),
 * a gap or a peer. A builder turns items into public messages, one at a time, in
 * scratch memory of its own that is reused. */

#include "delivery/engine.h"
#include "node/patterns.h"

#include <tulle/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__item {
    tulle_message_kind kind;
    struct tulle__item *next;
    size_t bytes; /* what it counts for in a queue */
    /* EVENT, ARRIVAL, DUPLICATE */
    struct tulle__buf *body;
    struct tulle__buf *clock;
    struct tulle__batch batch;
    uint64_t first;
    uint64_t last;
    uint32_t hops;
    int64_t arrived_us;
    int64_t held_us;
    tulle_clock_entry waited_for;
    bool is_repaired;
    bool is_late;
    /* GAP, PEER: strings point into texts */
    tulle_gap gap;
    tulle_peer peer;
    const char *stream;
    const char *node_name;
    char texts[]; /* copies of the strings */
};

/* Items that own copies of, or references to, everything. NULL: no memory. */
struct tulle__item *tulle__item_from_delivery(tulle_message_kind kind,
                                              const struct tulle__delivery *delivery);
struct tulle__item *tulle__item_from_gap(const tulle_gap *gap);
struct tulle__item *tulle__item_from_peer(const tulle_peer *peer);
void tulle__item_free(struct tulle__item **pointer);

struct tulle__builder {
    const struct tulle__item *item; /* borrowed; NULL: none */
    struct tulle__event_walk walk;
    uint32_t flags;        /* TULLE_DETAIL_* */
    bool is_over;          /* of the item nothing is left */
    bool are_details_made; /* deps and clock are the same for all events of a batch */
    /* Events of an item mostly have one topic: it is matched and written once. */
    bool has_rest;
    bool is_match;
    struct tulle__view rest; /* of the last event looked at */
    tulle_message message;
    char topic[TULLE__TOPIC_LEN_MAX + 1];
    char content_type[TULLE__CONTENT_TYPE_LEN_MAX + 1];
    tulle_event_ref causes[TULLE__CAUSES_MAX];
    tulle_header headers[TULLE__HEADERS_MAX];
    tulle_clock_entry *deps;
    size_t dep_count;
    size_t dep_cap;
    tulle_clock_entry *clock;
    size_t clock_count;
    size_t clock_cap;
    char *arena; /* strings of causes and headers, anew for each event */
    size_t arena_len;
    size_t arena_cap;
    char *detail_arena; /* strings of deps and clock, anew for each item */
    size_t detail_arena_len;
    size_t detail_arena_cap;
};

void tulle__builder_init(struct tulle__builder *builder, uint32_t flags);
void tulle__builder_fini(struct tulle__builder *builder);
/* Begin with an item, which must outlive the messages built from it. */
void tulle__builder_start(struct tulle__builder *builder, const struct tulle__item *item);
/* Next message of the item that the patterns match (matches_all: do not look);
 * valid until the next call. NULL: no more. */
const tulle_message *tulle__builder_next(struct tulle__builder *builder,
                                         const struct tulle__patterns *patterns,
                                         bool matches_all);

#endif
