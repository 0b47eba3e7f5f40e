/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_PEER_STATE_H
#define TULLE_DELIVERY_PEER_STATE_H

/* State of the other nodes and the ways to them; see delivery/state.h. */

#include "base/heap.h"
#include "base/table.h"
#include "clock/clock.h"
#include "codec/limits.h"
#include "codec/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
enum {
    TULLE__TOLD_NAMES_LIMIT = 10000, /* of nodes that are gone */
    TULLE__ROUTES_PER_PEER = 4       /* ways to a peer that are remembered */
};

/* ---- member.c: the other nodes ---- */

enum tulle__peer_stage {
    TULLE__STAGE_NEW, /* named by somebody, never heard */
    TULLE__STAGE_UP,
    TULLE__STAGE_SUSPECT,
    TULLE__STAGE_GONE,
    TULLE__STAGE_LEFT
};

struct tulle__route {
    uint64_t via; /* neighbour; 0: the peer itself is one */
    uint32_t hops;
    int64_t heard_ns;
};

struct tulle__peer_view;

struct tulle__peer {
    uint64_t id;
    UT_hash_handle hh; /* beside the key: they are read together */
    enum tulle__peer_stage stage;
    char name[TULLE__NAME_LEN_MAX + 1];
    bool is_proxy;
    uint32_t beat_ms;  /* 0: not said */
    bool is_announced; /* the application was told that it is up */
    bool is_cut_off;   /* it went silent with the proxy that it was heard through */
    int64_t heard_ns;
    int64_t stage_ns; /* when the stage began */
    struct tulle__route routes[TULLE__ROUTES_PER_PEER];
    uint32_t route_count;
    char control[TULLE__ADDRESS_LEN_MAX + 1];
    char events[TULLE__ADDRESS_LEN_MAX + 1];
    const char *control_pointer; /* to the two above, for encoding lists */
    const char *events_pointer;
    char *inlet;       /* its own, when this node only dials; else NULL */
    bool has_no_inlet; /* it said so, to one that only dials */
    bool dials_only;   /* answers go over the connection that it dialed */
    bool is_control_dialed;
    bool is_events_dialed;
    bool is_inlet_dialed;
    int64_t dialed_ns;  /* when its beats began to be waited for, or came last */
    uint32_t redials;   /* since then */
    uint32_t turn;      /* which of its addresses is the one dialed */
    int64_t hung_up_ns; /* when it was last */
    uint32_t link;      /* joined by this link; 0: by its advertised address */
    uint64_t beat_counter;
    uint64_t life_counter;     /* of its latest beat that was heard of */
    uint32_t life_ms;          /* how often a proxy tells of it; 0: its beats come themselves */
    struct tulle__view *takes; /* raw keys, sorted */
    uint32_t take_count;
    uint64_t takes_version;
    bool has_takes;
    bool is_synced;          /* a HERE from it was taken in */
    uint64_t synced_version; /* interest version that the HERE answered */
    bool is_sync_due;
    bool is_sync_held; /* there was no way to it when it was to be asked */
    int64_t sync_due_ns;
    struct tulle__heap_node asking; /* among those to ask, by sync_due_ns */
    uint32_t sync_tries;
    uint64_t sync_wanted;       /* interest version that wants to be answered */
    uint64_t sync_counter;      /* of the SYNC sent last */
    uint64_t sync_version;      /* interest version when it was sent */
    bool is_heard;              /* a publication of it has come here */
    bool is_confirm_due;        /* it is to hear that we have its lanes */
    uint64_t confirmed_version; /* interest version of which it heard that */
    bool is_answered;           /* it has our lanes: it said so */
    uint64_t answered_version;  /* version of its takes of which it said so */
    bool is_waited_for;         /* it counts as a taker of the own lanes that it takes */
    UT_hash_handle hh_name;     /* in by_name, by_control: see peer_index.c */
    UT_hash_handle hh_control;
    struct tulle__clock acked;     /* own lanes: how far it has delivered */
    struct tulle__peer_view *view; /* observe.h; NULL: nothing */
};

/* Name of a node that was gone before this one came. */
struct tulle__told_name {
    uint64_t id;
    char name[TULLE__NAME_LEN_MAX + 1];
    UT_hash_handle hh;
};

struct tulle__link {
    uint32_t handle; /* 0: free */
    char address[TULLE__ADDRESS_LEN_MAX + 1];
    uint64_t peer; /* whose address it is; 0: not known */
    bool is_self;
    int64_t due_ns;
    uint32_t tries;
    uint64_t counter;
    uint64_t version; /* of the interest when the SYNC was sent */
};

#endif
