/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_LANE_STATE_H
#define TULLE_DELIVERY_LANE_STATE_H

/* State of interest and lanes; see delivery/state.h. */

#include "base/heap.h"
#include "base/table.h"
#include "clock/clock.h"
#include "codec/batch.h"
#include "codec/pattern_index.h"
#include "codec/topic.h"
#include "delivery/store.h"

#include <tulle/node.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TULLE__TAKES_LIMIT = 10000, /* patterns that a node takes */
    TULLE__RUNS_LIMIT = 64,     /* separate seen ranges of a lane in arrival order */
    TULLE__HELD_LEVELS = 6      /* of a list of held batches: good for 8 to the 6th of them */
};

/* ---- interest.c: what is taken here ---- */

struct tulle__take {
    bool is_used;
    uint32_t next_free; /* handle, while it is not */
    char *pattern;      /* a copy */
    size_t pattern_len;
    tulle_order order;
    tulle_from from;
    uint64_t from_count;
    uint32_t flags;
    uint64_t since; /* interest version that brought it */
};

struct tulle__taken_key {
    struct tulle__key key;
    uint32_t refs;
    UT_hash_handle hh;             /* of those that are taken, by the key's bytes */
    struct tulle__taken_key *next; /* of those that were removed */
};

struct tulle__interest {
    struct tulle__take *takes; /* by handle */
    size_t take_cap;
    uint32_t take_end;   /* used ones are below */
    uint32_t first_free; /* TULLE__NO_TAKE: none below take_end */
    uint32_t used_count;
    uint32_t live_count;                   /* of them, those from TULLE_FROM_LIVE */
    uint32_t unordered_count;              /* of them, those with TULLE_ORDER_NONE */
    struct tulle__pattern_index *patterns; /* of the used ones, by handle */
    struct tulle__taken_key *keys;         /* uthash */
    struct tulle__taken_key *removed;      /* until the next input: actions point at them */
    size_t key_count;
    uint64_t version; /* grows with each change */
};

#define TULLE__NO_TAKE UINT32_MAX

/* What interest says about one stream; kept with each lane. */
struct tulle__policy {
    uint64_t version; /* of the interest it was made from; 0: never made */
    uint64_t since;   /* version from which the stream has been taken */
    bool is_taken;
    bool wants_arrivals;
    bool wants_duplicates;
    bool wants_clock;
    tulle_order order; /* the strongest asked for */
    tulle_from from;
    uint64_t from_count;
};

/* ---- receive.c, repair.c: lanes of others that are taken ---- */

struct tulle__held {
    uint64_t first;
    uint64_t last;
    struct tulle__buf *buf;
    struct tulle__batch batch;
    struct tulle__clock_view walk; /* deps not looked at yet */
    struct tulle__dep dep;         /* the one looked at, while has_dep */
    bool has_dep;
    bool is_repaired;
    struct tulle__dep waited; /* the last it waited for, count 0: none; a view into buf, or of
                                 the lane's own name */
    uint32_t hops;
    int64_t arrived_us;
    int64_t arrived_ns;
    uint32_t level_count;
    struct tulle__held *next[]; /* on each level of the list */
};

/* Ascending by first; see held.c. */
struct tulle__held_list {
    struct tulle__held *first[TULLE__HELD_LEVELS];
    struct tulle__held *last[TULLE__HELD_LEVELS];
};

struct tulle__run {
    uint64_t first;
    uint64_t last;
};

/* The search for a missing range. */
struct tulle__repair {
    bool is_active;
    bool is_asking;       /* a FETCH is out */
    bool is_silent;       /* in this round, somebody did not answer or could not be asked */
    bool is_malformed;    /* an answer could not be read */
    bool is_withheld;     /* a proxy said that it does not let it pass */
    bool is_held_back;    /* by a proxy's limit, or for lack of room here: it will come */
    size_t refused_len;   /* of what came last and found no room; 0: all of it did */
    int64_t since_ns;     /* when the hole began to hold the lane up */
    int64_t due_ns;       /* next step */
    uint64_t counter;     /* of the FETCH that is out */
    uint32_t source;      /* next in the order of sources */
    uint64_t other;       /* id of the last one asked that is neither publisher nor citer */
    uint32_t other_count; /* of those, in this round */
    uint32_t looked_at;   /* peers, in this round, whether to ask them */
    uint32_t refusals;    /* in this round */
    uint32_t rounds;
    uint64_t available; /* lowest seq above the hole that somebody keeps; 0: not known */
    struct tulle__heap_node queued; /* among the engine's repairs, by due_ns */
    struct tulle__rx *again;        /* while a timer runs */
};

struct tulle__rx {
    uint32_t lane;
    uint64_t node;
    struct tulle__node_lanes *siblings; /* lanes of the same node */
    struct tulle__rx *sibling_next;
    struct tulle__rx *sibling_previous;
    bool is_active;      /* it is known where to start; else arrivals wait */
    bool wants_prefix;   /* the clock just before next is needed and not known */
    bool is_clock_known; /* clock is complete */
    uint64_t next;       /* lowest seq not delivered */
    uint64_t known_head; /* highest seq known to exist */
    struct tulle__held_list held;
    struct tulle__clock clock; /* the lane's clock at next - 1: its causal past */
    struct tulle__clock need;  /* to be satisfied before the first delivery */
    size_t need_index;         /* entries below are satisfied */
    size_t need_waited;        /* 1 + index of the last entry that was waited for; 0: none was */
    bool has_need;
    bool is_runnable; /* in the engine's list of lanes to look at */
    bool is_waiting;  /* for wait_lane to reach wait_count */
    uint32_t wait_lane;
    uint64_t wait_count;
    int64_t wait_since_ns;
    uint32_t walk;                  /* of a search for circles that came by */
    struct tulle__heap_node queued; /* among the waiters of wait_lane, by wait_count */
    struct tulle__heap waiters;     /* those that wait for this one */
    struct tulle__rx *run_next;
    struct tulle__rx *run_previous;
    struct tulle__repair repair;
    uint64_t cited_by;       /* id of a node that depends on something here; 0: none */
    uint64_t cited_sync;     /* counter of the SYNC that asked it about an unknown node */
    struct tulle__run *runs; /* arrival order: what was seen above next */
    uint32_t run_count;
    bool has_left;        /* its node said goodbye: it does not come back */
    bool is_missed;       /* hold_ms was waited in vain for its node, which nobody knows */
    uint32_t rounds_over; /* of forgetting that found nothing of it here */
    uint64_t gap_first;   /* last range given up */
    uint64_t gap_last;
    struct tulle__kept kept;
};

/* Taken lanes of one node. */
struct tulle__node_lanes {
    uint64_t node;
    struct tulle__rx *first;
    UT_hash_handle hh;
};

/* ---- publish.c: own lanes ---- */

struct tulle__tx {
    uint32_t lane;
    uint64_t next_seq;
    uint64_t head;             /* last seq sent */
    uint64_t stamp;            /* own clock's stamp up to which deps have been sent */
    struct tulle__clock clock; /* the lane's clock at head */
    struct tulle__kept kept;
    bool is_open; /* a batch gathers */
    bool is_open_explicit;
    struct tulle__writer events;
    uint32_t open_count;
    uint64_t open_base;
    uint64_t open_stamp; /* own clock's stamp as of the batch's last event */
    struct tulle__dep *open_deps;
    size_t open_dep_count;
    size_t open_dep_cap;
    struct tulle__tx *open_next; /* open ones, oldest first */
    struct tulle__tx *open_previous;
    struct tulle__tx *next; /* all own lanes */
    uint64_t beat_head;     /* head that the last beat told */

    /* acks.c */
    uint32_t takers; /* peers that are waited for here */
    uint64_t acked;  /* all of them have at least so much */
    uint64_t mark;   /* head when they were looked at last */
    uint32_t below;  /* how many of them have less than mark */
    uint32_t moves;  /* acknowledgements since they were looked at */
    uint64_t unacked_bytes;
    bool is_unacked;
    bool is_stale;
    struct tulle__tx *stale_next;
};

struct tulle__lane {
    struct tulle__policy policy;
    struct tulle__rx *rx;
    struct tulle__tx *tx;
};

#endif
