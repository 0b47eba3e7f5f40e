/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_FORWARD_STATE_H
#define TULLE_DELIVERY_FORWARD_STATE_H

/* What the files of a proxy (forward*.c) share. */

#include "delivery/forward.h"
#include "delivery/internal.h"
#include "delivery/seen.h"

/* A lane whose batches pass here. */
struct tulle__passing {
    struct {
        uint64_t node;
        char stream[TULLE__TOPIC_LEN_MAX + 1]; /* zero padded: part of the hash key */
    } name;
    struct tulle__seen seen;
    struct tulle__kept kept;
    uint64_t epoch;                     /* of the answers below */
    bool is_wanted[TULLE_SEGMENTS_MAX]; /* by a node whose home is that side */
    UT_hash_handle hh;
};

enum { TULLE__ASKS = 64 };

/* A node whose beats come here. */
struct tulle__origin {
    uint64_t id;
    uint64_t beat_counter; /* highest heard */
    int64_t full_due_ns;   /* when its next full beat passes whatever is in it */
    UT_hash_handle hh;
};

/* Topic patterns of one kind. */
struct tulle__patterns {
    char (*texts)[TULLE__TOPIC_LEN_MAX + 1];
    size_t count;
};

struct tulle__side {
    struct tulle__engine *engine;
    struct tulle__patterns allow, deny;
    struct tulle__view *keys; /* what nodes at home here take */
    uint8_t *key_bytes;       /* that they show */
    size_t key_count;
    size_t key_cap;
    uint64_t beyond_at; /* which of the nodes beyond the next timed beat begins with */
};

struct tulle__forward {
    struct tulle__side sides[TULLE_SEGMENTS_MAX];
    size_t side_count;
    uint64_t id;
    uint32_t hops_max;
    struct tulle__passing *lanes;  /* uthash, oldest first */
    struct tulle__origin *origins; /* uthash, oldest first */
    struct tulle__store store;
    uint64_t epoch;      /* grows with each rebuilding of interest */
    uint64_t seen_epoch; /* sum of the engines' when it was last rebuilt */
    uint64_t seen_route_epoch;
    uint32_t proxies_up;
    uint64_t asks[TULLE__ASKS]; /* lately taken, that of others and own ones */
    uint32_t ask_at;
    uint64_t own_asks;
    int64_t asked_until_ns;
    int64_t rebuild_due_ns;
    int64_t rebuilt_ns; /* when it was last */
    struct tulle__now now;
    struct tulle__writer writer;
};

/* ---- forward.c ---- */

/* The side where a node is nearest, the lowest of equals; SIZE_MAX: nobody knows it. */
size_t tulle__forward_home(const struct tulle__forward *forward, uint64_t id);
/* Interest and homes may have changed with what came. */
void tulle__forward_after_input(struct tulle__forward *forward);

/* ---- forward_batch.c: what is published passes ---- */

struct tulle__passing *
tulle__passing_find(const struct tulle__forward *forward, uint64_t node, struct tulle__view stream);
void tulle__passing_fini(struct tulle__forward *forward);
/* With the id of this proxy behind it; NULL when it is at its limit, or without memory. */
struct tulle__buf *tulle__forward_extend_path(struct tulle__forward *forward,
                                              struct tulle__view path);
/* Key, body and path are the action's too, the key's bytes borrowed. */
bool tulle__forward_push(struct tulle__engine *engine,
                         struct tulle__view key,
                         struct tulle__buf *body,
                         struct tulle__buf *path);

/* ---- forward_beat.c ---- */

void tulle__origins_fini(struct tulle__forward *forward);
void tulle__forward_beat(struct tulle__forward *forward,
                         size_t from,
                         const struct tulle__action *action);
/* Somebody came from whom takes of nodes beyond may be learnt, or who is to learn them. */
void tulle__forward_ask(struct tulle__forward *forward);
/* Before a timed beat of a side. */
void tulle__forward_tell_beyond(struct tulle__forward *forward, size_t to);

/* ---- forward_control.c ---- */

void tulle__forward_relay(struct tulle__forward *forward,
                          size_t from,
                          const struct tulle__action *action);

/* ---- forward_policy.c ---- */

TULLE_MUST_CHECK bool tulle__side_set_policy(struct tulle__side *side,
                                             const struct tulle__forward_policy *policy);
void tulle__side_fini_policy(struct tulle__side *side);
/* May the stream leave this side? */
bool tulle__side_lets_out(const struct tulle__side *side, struct tulle__view stream);

#endif
