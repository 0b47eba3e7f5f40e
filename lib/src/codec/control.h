/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CODEC_CONTROL_H
#define TULLE_CODEC_CONTROL_H

/* Control messages (protocol.md 6), and what they share with beats.
 *
 *   control  frame 1, header: [version, kind, mesh, from, to, counter, hops]
 *            frame 2, body: map
 *
 * Maps have short text keys; unknown keys are skipped. Encoders take plain arrays,
 * borrowed; decoders check everything once and give views that cannot fail. */

#include "codec/batch.h"
#include "codec/limits.h"
#include "codec/reader.h"
#include "codec/writer.h"

#include <tulle/status.h>

enum tulle__control_kind {
    TULLE__SYNC = 1,  /* who are you, what have you? */
    TULLE__HERE = 2,  /* answer to SYNC */
    TULLE__FETCH = 3, /* send me this range of a lane */
    TULLE__RANGE = 4, /* answer to FETCH */
    TULLE__LOOK = 5,  /* what is there to be seen of you? (view.h) */
    TULLE__VIEW = 6   /* answer to LOOK */
};

struct tulle__control_header {
    enum tulle__control_kind kind;
    struct tulle__view mesh;
    uint64_t from;
    uint64_t to; /* 0: whoever reads this (first contact by address) */
    uint64_t counter;
    uint32_t hops; /* proxies passed */
};

void tulle__header_encode(struct tulle__writer *w, const struct tulle__control_header *header);
/* Returns TULLE_OK, TULLE_EBADMSG, TULLE_EVERSION (another major version, unknown kind) */
TULLE_MUST_CHECK tulle_status tulle__header_decode(const void *data,
                                                   size_t len,
                                                   struct tulle__control_header *out);

/* A list inside a checked message; walked by the function named with the field. */
struct tulle__list {
    struct tulle__reader reader;
    uint32_t count; /* elements left */
};

bool tulle__list_next_text(struct tulle__list *list, struct tulle__view *out);

/* Who a node is: part of beats, SYNC and HERE. */
struct tulle__self_out {
    const char *name;
    const char *const *control_addresses; /* at most TULLE__ADDRESSES_MAX */
    size_t control_address_count;
    const char *const *event_addresses;
    size_t event_address_count;
    const char *const *inlets; /* where events are taken in from who cannot be dialed */
    size_t inlet_count;
    const struct tulle__view *takes; /* raw subscription keys */
    size_t take_count;
    uint64_t takes_version; /* grows with each change of takes */
    uint32_t beat_ms;
    bool is_proxy;
};

struct tulle__self_view {
    struct tulle__view name;
    struct tulle__list control_addresses; /* tulle__list_next_text */
    struct tulle__list event_addresses;   /* tulle__list_next_text */
    struct tulle__list inlets;            /* tulle__list_next_text */
    struct tulle__list takes;             /* tulle__list_next_text */
    bool has_addresses;                   /* the first two lists were in the message */
    bool has_takes;
    uint64_t takes_version;
    uint32_t beat_ms; /* 0: not said */
    bool is_proxy;
};

/* Head of one own lane. */
struct tulle__head {
    struct tulle__view stream;
    uint64_t head;
};
bool tulle__list_next_head(struct tulle__list *list, struct tulle__head *out);

struct tulle__sync_out {
    struct tulle__self_out self;
    bool wants_lanes; /* answer with lanes and their clocks, not just who you are */
    bool wants_peers; /* and with the nodes that you know */
};

struct tulle__sync_view {
    struct tulle__self_view self;
    bool wants_lanes;
    bool wants_peers;
};

void tulle__sync_encode(struct tulle__writer *w, const struct tulle__sync_out *sync);
TULLE_MUST_CHECK tulle_status tulle__sync_decode(const void *data,
                                                 size_t len,
                                                 struct tulle__sync_view *out);

/* An own lane in HERE: [stream, head, first kept, clock of the lane at head]. */
struct tulle__here_lane_out {
    struct tulle__view stream;
    uint64_t head, first; /* first: lowest seq still kept; head + 1 when none is */
    const struct tulle__dep *clock;
    size_t clock_count;
};

struct tulle__here_lane {
    struct tulle__view stream;
    uint64_t head, first;
    struct tulle__clock_view clock;
};

/* What the sender has of another's lane: [node, stream, first kept, last delivered(, name)]. */
struct tulle__holding {
    uint64_t node;
    struct tulle__view stream, name; /* of the lane, of the node (len 0: not known) */
    uint64_t first, last;
};

/* A peer that the sender knows on its own segment: [id, name, control, events, is proxy]. */
struct tulle__known_out {
    uint64_t id;
    const char *name;
    const char *const *control_addresses;
    size_t control_address_count;
    const char *const *event_addresses;
    size_t event_address_count;
    bool is_proxy;
};

struct tulle__known {
    uint64_t id;
    struct tulle__view name;
    struct tulle__list control_addresses;
    struct tulle__list event_addresses;
    bool is_proxy;
};

struct tulle__here_out {
    uint64_t reply_to; /* counter of the SYNC */
    struct tulle__self_out self;
    bool has_lanes; /* the SYNC wanted lanes */
    const struct tulle__here_lane_out *lanes;
    size_t lane_count;
    const struct tulle__holding *holdings;
    size_t holding_count;
    const struct tulle__known_out *peers;
    size_t peer_count;
};

struct tulle__here_view {
    uint64_t reply_to;
    struct tulle__self_view self;
    bool has_lanes;
    struct tulle__list lanes;    /* tulle__list_next_lane */
    struct tulle__list holdings; /* tulle__list_next_holding */
    struct tulle__list peers;    /* tulle__list_next_known */
};

void tulle__here_encode(struct tulle__writer *w, const struct tulle__here_out *here);
TULLE_MUST_CHECK tulle_status tulle__here_decode(const void *data,
                                                 size_t len,
                                                 struct tulle__here_view *out);
bool tulle__list_next_lane(struct tulle__list *list, struct tulle__here_lane *out);
bool tulle__list_next_holding(struct tulle__list *list, struct tulle__holding *out);
bool tulle__list_next_known(struct tulle__list *list, struct tulle__known *out);

/* Ask for events first..last of a lane. Encoded and decoded with the same struct. */
struct tulle__fetch {
    uint64_t node;
    struct tulle__view stream;
    uint64_t first, last;
    uint64_t bytes_max; /* of batches in the answer */
    bool wants_clock;   /* the lane's clock just before the first batch of the answer */
};

void tulle__fetch_encode(struct tulle__writer *w, const struct tulle__fetch *fetch);
TULLE_MUST_CHECK tulle_status tulle__fetch_decode(const void *data,
                                                  size_t len,
                                                  struct tulle__fetch *out);

struct tulle__range_out {
    uint64_t reply_to; /* counter of the FETCH */
    uint64_t node;
    struct tulle__view stream;
    uint64_t first, last; /* what the sender keeps: first..last; 0, 0: nothing; head + 1, head:
                             the publisher, nothing any more */
    const struct tulle__view *batches; /* whole batch frames, ascending */
    size_t batch_count;
    bool has_clock; /* the lane's clock just before the first batch (with none: before first) */
    const struct tulle__dep *clock;
    size_t clock_count;
    bool is_withheld; /* a proxy does not let it pass */
    bool is_waiting;  /* a proxy's rate holds it back for now: ask again */
};

struct tulle__range_view {
    uint64_t reply_to;
    uint64_t node;
    struct tulle__view stream;
    uint64_t first, last;
    struct tulle__list batches; /* tulle__list_next_text */
    bool has_clock, is_withheld, is_waiting;
    struct tulle__clock_view clock;
};

void tulle__range_encode(struct tulle__writer *w, const struct tulle__range_out *range);
TULLE_MUST_CHECK tulle_status tulle__range_decode(const void *data,
                                                  size_t len,
                                                  struct tulle__range_view *out);

#endif
