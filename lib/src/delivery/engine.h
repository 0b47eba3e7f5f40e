/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_ENGINE_H
#define TULLE_DELIVERY_ENGINE_H

/* One node's protocol state: no I/O, no clock, no thread, no randomness.
 *
 * Bytes, time and commands go in through the functions below; frames to send
 * and messages to deliver come out of tulle__engine_next_action(). It never
 * calls out. After every input the driver drains the actions, then asks for the
 * deadline of the next tulle__engine_on_timer(). Time must not go backwards.
 * One thread at a time.
 *
 * Control messages travel between neighbours, named by hops: a hop is a node id,
 * or a link (1 .. 2^32-1), the handle of an address that was typed and whose node
 * is not known yet. The driver keeps one outgoing connection per DIAL; to a node that
 * was not dialed it answers over the connection that this one last spoke over. */

#include "base/buf.h"
#include "base/log.h"
#include "base/time.h"
#include "codec/batch.h"
#include "codec/limits.h"

#include <tulle/counters.h>
#include <tulle/node.h>
#include <tulle/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__engine;
struct tulle__peer;

enum { TULLE__LINKS_LIMIT = 64 }; /* addresses to join */

/* Simulator and oracle tests only: breaks one rule on purpose, to prove that
 * the oracle sees it. */
enum tulle__mutation {
    TULLE__MUTATION_NONE = 0,
    TULLE__MUTATION_IGNORE_DEPS,     /* deliver without looking at dependencies */
    TULLE__MUTATION_IGNORE_CLOCK,    /* a joiner ignores the lane's clock */
    TULLE__MUTATION_KEEP_DUPLICATES, /* deliver again what was delivered */
    TULLE__MUTATION_SILENT_GAPS,     /* give ranges up without a notice */
    TULLE__MUTATION_SHORT_DELTAS     /* publish deps without the last changed entry */
};

struct tulle__engine_config {
    uint64_t id, seed; /* id: TULLE__NODE_ID_MIN or more, never twice; seed: spreads timers */
    const char *mesh, *name;
    /* As advertised; none: it only dials. Inlets are for events of those that do. */
    const char *control_addresses[TULLE__ADDRESSES_MAX];
    const char *event_addresses[TULLE__ADDRESSES_MAX];
    const char *inlets[TULLE__ADDRESSES_MAX];
    size_t control_address_count, event_address_count, inlet_count;
    bool is_proxy; /* one side of a proxy: relays, takes and delivers nothing itself */
    uint32_t beat_ms, suspect_ms, gone_ms, hold_ms, fetch_delay_ms;
    uint64_t retain_bytes, retain_ms, retain_others_bytes;
    uint64_t held_bytes, window_bytes;
    uint32_t batch_bytes, event_bytes_max;
    uint32_t hops_max;             /* proxies a message may pass */
    uint32_t lanes_max, peers_max; /* known at one time */
    bool is_observer;              /* it keeps so much: */
    uint32_t seen_lanes_max, seen_marks_max;
    enum tulle__mutation mutation;
    struct tulle__log log;
};

/* Defaults of everything but id, mesh, name and addresses. */
void tulle__engine_config_init(struct tulle__engine_config *config);

/* config is borrowed, its strings are copied. NULL when there is no memory. */
struct tulle__engine *tulle__engine_new(const struct tulle__engine_config *config,
                                        struct tulle__now now);
void tulle__engine_free(struct tulle__engine **engine);

/* ---- commands ---- */

/* Dial an address and sync with whoever answers, until told otherwise.
 * Returns TULLE_OK, TULLE_EINVAL (too long), TULLE_ELIMIT, TULLE_ENOMEM */
TULLE_MUST_CHECK tulle_status tulle__engine_join(struct tulle__engine *engine,
                                                 const char *address,
                                                 struct tulle__now now);
/* A node was found (by beacon): its id and control address. */
void tulle__engine_found(struct tulle__engine *engine,
                         uint64_t id,
                         const char *control_address,
                         struct tulle__now now);

/* Take what a valid pattern matches; *handle, a small number, names it. Drivers filter.
 * TULLE_ESTATE (a stream of it is read from another start), TULLE_ELIMIT, TULLE_ENOMEM */
TULLE_MUST_CHECK tulle_status tulle__engine_subscribe(struct tulle__engine *engine,
                                                      struct tulle__view pattern,
                                                      const struct tulle_subscribe_options *options,
                                                      uint32_t *handle,
                                                      struct tulle__now now);
/* May both be subscribed to at one engine, in this order or the other? */
bool tulle__engine_starts_agree(struct tulle__view a,
                                const struct tulle_subscribe_options *a_options,
                                struct tulle__view b,
                                const struct tulle_subscribe_options *b_options);
void
tulle__engine_unsubscribe(struct tulle__engine *engine, uint32_t handle, struct tulle__now now);
/* Handles, by pattern. */
struct tulle__pattern_index *tulle__engine_patterns(struct tulle__engine *engine);

struct tulle__publish {
    struct tulle__view topic; /* valid */
    uint32_t stream_levels;   /* at least 1 */
    struct tulle__view payload;
    const struct tulle__attributes_in *attributes; /* NULL: none */
    bool only_causes;               /* deps are the attributes' causes and their own deps */
    const struct tulle__dep *after; /* seen elsewhere: the own clock is raised by them first, */
    size_t after_count; /* or with only_causes they are deps beside the causes; up to own heads */
};

/* Append an event to the open batch of its lane; everything is copied. Returns
 * TULLE_OK, TULLE_EMSGSIZE, TULLE_EAGAIN (window full), TULLE_ELIMIT, TULLE_ENOMEM */
TULLE_MUST_CHECK tulle_status tulle__engine_publish(struct tulle__engine *engine,
                                                    const struct tulle__publish *publish,
                                                    struct tulle__now now);
/* Events of one stream, encoded behind TULLE__BATCH_ROOM open bytes, offset 0; deps as usual. */
struct tulle__gathered {
    struct tulle__view stream;
    struct tulle__writer *events;
    uint32_t count; /* 1 .. TULLE__BATCH_EVENTS_MAX */
};

/* Send them as one batch; the writer is empty then, but not with an error. Returns as above. */
TULLE_MUST_CHECK tulle_status tulle__engine_publish_gathered(struct tulle__engine *engine,
                                                             const struct tulle__gathered *gathered,
                                                             struct tulle__now now);
/* Close the open batches: nothing more waits to be published right now. */
void tulle__engine_close_batches(struct tulle__engine *engine, struct tulle__now now);

/* While stalled nothing is delivered: arrivals wait, past held_bytes they are
 * dropped and fetched again later. */
void
tulle__engine_set_stalled(struct tulle__engine *engine, bool is_stalled, struct tulle__now now);

/* Close batches and send a leaving beat. Only draining actions and freeing may follow. */
void tulle__engine_leave(struct tulle__engine *engine, struct tulle__now now);

/* ---- bytes from the network ---- */

/* A publication: two or three frames from the SUB side. The body is shared (a
 * reference is taken when it is kept); key and path are borrowed. */
void tulle__engine_on_publication(struct tulle__engine *engine,
                                  struct tulle__view key,
                                  struct tulle__buf *body,
                                  struct tulle__view path, /* len 0: none */
                                  struct tulle__now now);
/* The neighbour whose control message came back over the connection that hop names. */
uint64_t
tulle__engine_via(const struct tulle__engine *engine, uint64_t hop, struct tulle__view header);
/* A control message of two frames from the neighbour via (its id). */
void tulle__engine_on_control(struct tulle__engine *engine,
                              uint64_t via,
                              struct tulle__view header,
                              struct tulle__buf *body,
                              struct tulle__now now);
/* Counted: a message with a wrong number of frames; a CONTROL action not carried out. */
void tulle__engine_on_malformed(struct tulle__engine *engine);
void tulle__engine_on_unsent(struct tulle__engine *engine);

/* ---- time ---- */

void tulle__engine_on_timer(struct tulle__engine *engine, struct tulle__now now);
/* When on_timer() is wanted next; TULLE__NEVER_NS: not. */
struct tulle__mono tulle__engine_deadline(const struct tulle__engine *engine);

/* ---- what comes out ---- */

enum tulle__action_kind {
    TULLE__ACTION_PUBLISH = 1, /* send publication frames on the PUB side */
    TULLE__ACTION_CONTROL,     /* send header and body to a neighbour */
    TULLE__ACTION_DIAL,        /* connect: control to hop, SUB to events, PUB to the inlet */
    TULLE__ACTION_HANGUP,      /* undo a DIAL */
    TULLE__ACTION_SUBSCRIBE,   /* add a key to the SUB side */
    TULLE__ACTION_UNSUBSCRIBE,
    TULLE__ACTION_ARRIVAL,           /* events arrived (some subscription asked to know) */
    TULLE__ACTION_DELIVER,           /* events are due, in order */
    TULLE__ACTION_DUPLICATE,         /* events came again and are dropped */
    TULLE__ACTION_GAP,               /* a range is given up */
    TULLE__ACTION_PEER,              /* a peer changed */
    TULLE__ACTION_RELAY_PUBLICATION, /* proxy only: publication for the other sides */
    TULLE__ACTION_RELAY_CONTROL      /* proxy only: control message for a node not on this side */
};

/* Some or all events of one batch. */
struct tulle__delivery {
    struct tulle__buf *body;   /* the batch frame, checked */
    struct tulle__batch batch; /* views into body */
    struct tulle__view stream; /* NUL-terminated; borrowed from the engine until its next input */
    const char *node_name;     /* as stream; "" when not known */
    uint64_t first, last;      /* events first..last of the batch are meant */
    uint32_t hops;
    int64_t arrived_us, held_us; /* wall clock; DELIVER: from arrival to now */
    struct tulle__dep waited;    /* DELIVER: for this at last; of body, or borrowed; count 0: no */
    bool is_repaired, is_late;   /* late: DUPLICATE, came after it was given up */
    bool is_arrival_order;       /* DELIVER: the strongest order on this stream is NONE */
    struct tulle__buf *clock;    /* DELIVER, when a subscription wants it: the lane's clock at the
                                    batch in wire form (without the lane itself); else NULL */
};

struct tulle__action {
    enum tulle__action_kind kind;
    union {
        struct {
            struct tulle__view key; /* borrowed until the next input */
            struct tulle__buf *body;
            struct tulle__buf *path; /* NULL: none */
        } publication;               /* PUBLISH, RELAY_PUBLICATION (path as received) */
        struct {
            uint64_t hop; /* CONTROL: neighbour. RELAY_CONTROL: 0 */
            struct tulle__buf *header;
            struct tulle__buf *body;
        } control;
        struct {
            uint64_t hop;
            const char *control;  /* addresses; NULL: none of that kind. Borrowed until the */
            const char *events;   /* next input. Of several, turn tells which one to take */
            const char *inlet;    /* the PUB side connects to it */
            uint32_t turn, tries; /* so often it was dialed in vain */
        } dial;                   /* DIAL, HANGUP */
        struct tulle__key *key;   /* SUBSCRIBE, UNSUBSCRIBE; borrowed until the next input */
        struct tulle__delivery delivery; /* ARRIVAL, DELIVER, DUPLICATE */
        struct tulle_gap gap;            /* strings borrowed until the next input */
        struct tulle_peer peer;
    } u;
};

/* In order; false: there is none. The caller ends with tulle__action_fini(). */
bool tulle__engine_next_action(struct tulle__engine *engine, struct tulle__action *out);
void tulle__action_fini(struct tulle__action *action);

/* ---- questions ---- */

void tulle__engine_counters(const struct tulle__engine *engine, tulle_counters *out);
/* Has every live taker of own lanes acknowledged everything? */
bool tulle__engine_is_acknowledged(const struct tulle__engine *engine);
/* Synced peers (not proxies) that take a stream of the pattern (len 0: any). */
size_t tulle__engine_taker_count(const struct tulle__engine *engine, struct tulle__view pattern);
/* One after the other: *at is NULL at first, and no input comes in between. False past
 * the end. Strings borrowed until the next input. */
bool tulle__engine_next_peer(const struct tulle__engine *engine,
                             const struct tulle__peer **at,
                             tulle_peer *out);

#endif
