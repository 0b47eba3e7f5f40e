/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_STATE_H
#define TULLE_DELIVERY_STATE_H

/* The engine's state, shared by the files of delivery/ and nobody else. Each
 * struct belongs to the file named with it; others read it and call that file's
 * functions (delivery/internal.h) to change it. */

#include "base/id_set.h"
#include "base/time.h"
#include "clock/clock.h"
#include "clock/hlc.h"
#include "clock/lane_names.h"
#include "codec/beat.h"
#include "codec/control.h"
#include "codec/topic.h"
#include "delivery/engine.h"
#include "delivery/lane_state.h"
#include "delivery/peer_state.h"
#include "delivery/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TULLE__POOL_UNUSED_BYTES = 2 * 1024 * 1024,
    TULLE__RANGE_BYTES_MAX = 512 * 1024, /* of events in one answer */
    TULLE__FETCH_BYTES = 256 * 1024,     /* of events asked for at once */
    TULLE__HOLES_AT_ONCE = 16,           /* of a lane, asked for together */
    TULLE__PATIENCE = 4, /* times hold_ms, for a lane's clock and what a limit holds back */
    TULLE__FETCH_TIMEOUT_MS_MIN = 100,
    TULLE__FETCH_TIMEOUT_MS_MAX = 2000,
    TULLE__NO_ROOM_PAUSE_MS = 200,
    TULLE__CONFIRM_WAIT_MS = 1500, /* for a publication, before lanes are confirmed without */
    TULLE__SYNC_RETRY_MS_MIN = 250,
    TULLE__SYNC_RETRY_MS_MAX = 4000,
    TULLE__BEAT_SOON_MS = 20,       /* a beat after a burst, and to acknowledge */
    TULLE__OVERDUE_MS = 100,        /* a beat may be so late, and by a quarter of its period */
    TULLE__ACK_BYTES = 1024 * 1024, /* delivered since the last beat: acknowledged at once */
    TULLE__BEATS_PER_FULL = 5,      /* every so many timed beats say everything */
    TULLE__SOURCES_PER_ROUND = 8,   /* others asked for a range before waiting a little */
    TULLE__ACKS_IN_TURN = 128,      /* of a full beat, that did not change lately */
    TULLE__BEYOND_IN_TURN = 64,     /* of a timed beat of a proxy: nodes beyond it */
    TULLE__ASKS_HEARD = 16,         /* for full beats, that are remembered */
    TULLE__AWAITED_BEATS = 2,       /* so many cross to who waits to hear this node */
    TULLE__NAMES_PAUSE_MS_MIN = 500,
    TULLE__REFRESH_MS = 10000 /* one neighbour after the other is asked whom it knows */
};

/* ---- tally.c ---- */

enum { TULLE__DELAY_BUCKETS = 256 };

/* How long events were under way. */
struct tulle__delays {
    uint64_t buckets[TULLE__DELAY_BUCKETS];
    uint64_t total;
};

/* ---- engine.c ---- */

struct tulle__engine {
    struct tulle__engine_config config;
    char mesh[TULLE__NAME_LEN_MAX + 1];
    char name[TULLE__NAME_LEN_MAX + 1];
    char addresses[3][TULLE__ADDRESSES_MAX][TULLE__ADDRESS_LEN_MAX + 1];
    struct tulle__now now;    /* of the current input */
    struct tulle__pool *pool; /* of batches, and notes of them */

    struct tulle__interest interest;
    struct tulle__lane_names *names;
    struct tulle__lane *lanes; /* by lane index */
    size_t lane_cap;
    struct tulle__own_clock clock;
    struct tulle__hlc hlc;

    struct tulle__tx *own_lanes;
    uint32_t own_lane_count; /* at most TULLE__LANES_PER_MESSAGE_MAX: SYNC is answered with all */
    struct tulle__tx *open_head;
    struct tulle__tx *open_tail;
    struct tulle__store own_store;
    struct tulle__tx *stale_lanes; /* acknowledged further than was looked at */
    uint32_t unacked_lanes;
    uint64_t unacked_bytes;

    struct tulle__store others_store;
    struct tulle__rx *run_head; /* lanes to look at */
    struct tulle__rx *run_tail;
    uint64_t delivered_bytes; /* since the last beat */
    bool is_progressing;
    bool lacks_memory; /* what is due is tried again with the next input */
    bool is_stalled;
    uint64_t held_bytes;
    uint64_t held_dice;                /* never 0 */
    struct tulle__heap repairs;        /* lanes with an active repair, by when to look */
    struct tulle__node_lanes *by_node; /* uthash: taken lanes */
    uint32_t cited_count;              /* lanes that do not start yet and wait for a citer */

    struct tulle__peer *peers;           /* uthash by id */
    struct tulle__peer *recent;          /* of them, the one wanted last */
    struct tulle__id_set live;           /* ids of those that are, as far as there was memory */
    struct tulle__heap asking;           /* peers to sync with, by when */
    int64_t link_due_ns;                 /* some link is to be asked */
    struct tulle__peer *by_name;         /* uthash, several of a name */
    struct tulle__peer *by_control;      /* uthash by address, several of one */
    struct tulle__told_name *told_names; /* uthash by id */
    uint32_t up_count;
    uint32_t node_count; /* of them, those that are no proxies */
    bool wants_names;    /* somebody is to be asked whom he knows */
    int64_t names_due_ns;
    int64_t names_pause_ms;
    uint64_t names_counter; /* of the SYNC that asked last */
    struct tulle__link links[TULLE__LINKS_LIMIT];
    int64_t member_due_ns;
    int64_t forget_due_ns;
    int64_t await_ns; /* of a proxy: so long something is kept for who is cut off */
    int64_t refresh_due_ns;
    uint64_t refreshed; /* id of the neighbour asked last */
    uint64_t forget_stamp;
    uint64_t interest_epoch; /* grows when a peer's takes or stage change */
    uint64_t route_epoch;    /* grows when a way to a peer changes */

    uint64_t control_counter;
    uint64_t beat_counter;
    uint64_t *beats;      /* the counter that is used: a proxy has one for all its sides */
    int64_t beat_due_ns;  /* timed */
    int64_t beat_soon_ns; /* event-driven; TULLE__NEVER_NS: none */
    int64_t beat_sent_ns;
    uint32_t beats_to_full;
    uint32_t fulls_due; /* so many soon, as somebody came who may not know this node */
    int64_t full_sent_ns;
    /* A node beyond a proxy waits to hear this one: the next beat is news, and, as that may not
     * be heard there yet, the timed one after it. */
    uint32_t awaited;
    uint64_t beat_stamp; /* own clock's stamp that the last beat acknowledged */
    uint64_t beat_takes_version;
    uint64_t full_stamps[2]; /* of the last full beats, the newest first */
    uint32_t ack_cursor;     /* lanes that did not change are told in turn */
    /* Of a proxy, set by it (forward_beat.c) for the next timed beat: nodes beyond. */
    struct tulle__beyond beyond[TULLE__BEYOND_IN_TURN];
    size_t beyond_count;
    uint64_t beyond_total;
    struct tulle__beyond proxies[TULLE__BEYOND_IN_TURN]; /* the same, of proxies */
    size_t proxy_count;
    uint64_t ask; /* for full beats, in the next beats, up to so many timed ones; 0: none */
    uint32_t ask_beats;
    uint64_t asks_heard[TULLE__ASKS_HEARD]; /* lately, of proxies */
    uint32_t ask_heard_at;
    bool is_leaving;

    struct tulle__observer *observer;           /* observe.h; NULL: this node does not observe */
    const struct tulle__view_parts *view_parts; /* of a proxy, while it takes a LOOK in */
    uint64_t self_views;
    int64_t answers_ns; /* up to when answers to LOOKs have used their time */
    int64_t started_ns;
    struct tulle__delays delays[2]; /* of two intervals */
    uint32_t delays_at;             /* the one that goes on */
    int64_t delays_since_ns;        /* since when */

    struct tulle__writer body; /* scratch for messages */
    struct tulle__writer header;
    struct tulle__dep *deps; /* scratch */
    size_t dep_cap;
    struct tulle__head *heads; /* scratch */
    size_t head_cap;
    struct tulle__view takes[TULLE__TAKES_MAX]; /* scratch */

    struct tulle__action *actions; /* a queue */
    size_t action_head;
    size_t action_len; /* one past the last */
    size_t action_cap;

    struct tulle__log_limit log_malformed;
    tulle_counters counters;
};

#endif
