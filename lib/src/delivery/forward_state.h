/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_FORWARD_STATE_H
#define TULLE_DELIVERY_FORWARD_STATE_H

/* What the files of a proxy (forward*.c) share. */

#include "delivery/forward_lane.h"
#include "delivery/internal.h"

#include <utlist.h>

enum { TULLE__ASKS = 64, TULLE__QUESTIONS = 256 };

/* A node whose beats come here. */
struct tulle__origin {
    uint64_t id;
    uint64_t beat_counter; /* highest heard */
    int64_t full_due_ns;   /* when its next full beat passes whatever is in it */
    UT_hash_handle hh;
};

/* Topic patterns of one kind. */
struct tulle__policy_patterns {
    char (*texts)[TULLE__TOPIC_LEN_MAX + 1];
    size_t count;
};

/* A rate: what passes moves due_ns on by its share of a second. It is open once that is
 * past; up to a second that was not used is made up for. */
struct tulle__rate {
    uint64_t per_second; /* 0: no limit */
    int64_t due_ns;
};

/* What some nodes take, sorted. */
struct tulle__keys {
    struct tulle__view *items;
    uint8_t *bytes; /* that they show */
    size_t count;
    size_t cap;
};

/* Since when a rate holds something back, and what was counted before. */
struct tulle__rate_spell {
    bool is_on;
    int64_t since_ns, last_ns; /* it did at last */
    uint64_t events, bytes, fetches;
};

struct tulle__side {
    struct tulle__engine *engine;
    struct tulle__store store; /* what left, and what waits to */
    /* What may leave. */
    struct tulle__policy_patterns allow, deny;
    uint32_t event_bytes_max;
    struct tulle__rate events, bytes;
    /* What answers may use of them while something is queued: a half. */
    struct tulle__rate answer_events, answer_bytes;
    struct tulle__passing *queue; /* utlist: lanes of which something is kept that waits */
    struct tulle__log_limit too_large;
    struct tulle__rate_spell holding;
    uint64_t waiting;           /* events of all lanes that wait for the rates */
    struct tulle__keys wanted;  /* by nodes at home here */
    struct tulle__keys awaited; /* by such as are cut off: it is kept for them */
    uint64_t beyond_at;         /* which of the nodes beyond the next timed beat begins with */
    uint64_t proxies_at;        /* the same for proxies */
    char name[TULLE__NAME_LEN_MAX + 1];
};

struct tulle__forward {
    struct tulle__side sides[TULLE_SEGMENTS_MAX];
    size_t side_count;
    uint64_t id;
    uint32_t hops_max;
    struct tulle__passing *lanes;  /* uthash, oldest first */
    struct tulle__origin *origins; /* uthash, oldest first */
    struct tulle__passing *recent; /* of them, the one looked for last */
    struct tulle__heard heard;     /* last */
    struct tulle__pool *pool;      /* of what is kept */
    struct tulle__way no_way;      /* of what passed no proxy */
    struct tulle__way way;         /* of what passed one last */
    uint64_t epoch;                /* grows when what becomes of lanes may have changed */
    uint64_t seen_epoch;           /* sum of the engines' when it was last rebuilt */
    uint64_t seen_route_epoch;
    uint32_t proxies_up;
    uint64_t beats;             /* counter of beats, of all sides */
    uint64_t asks[TULLE__ASKS]; /* lately taken, that of others and own ones */
    uint32_t ask_at;
    struct tulle__asked questions[TULLE__QUESTIONS]; /* passed on lately */
    uint32_t question_at;
    uint64_t own_asks;
    int64_t asked_until_ns;
    int64_t rebuild_due_ns;
    int64_t forget_due_ns;
    int64_t rebuilt_ns; /* when it was last */
    struct tulle__now now;
    struct tulle__writer writer;
};

/* ---- forward.c ---- */

/* The side where a node is nearest, the lowest of equals; SIZE_MAX: nobody knows it. */
size_t tulle__forward_home(const struct tulle__forward *forward, uint64_t id);
/* Does a side know the node, be it gone? */
bool tulle__forward_knows(const struct tulle__forward *forward, uint64_t id);
/* Interest and homes may have changed with what came. */
void tulle__forward_after_input(struct tulle__forward *forward);

/* ---- forward_batch.c: what is published passes ---- */

struct tulle__passing *
tulle__passing_find(const struct tulle__forward *forward, uint64_t node, struct tulle__view stream);
/* The lane, made when there is room for it; its batches come from a side. NULL: there is none. */
struct tulle__passing *tulle__passing_meet(struct tulle__forward *forward,
                                           uint64_t node,
                                           struct tulle__view stream,
                                           size_t from);
/* Where batches of the lane go is up to date in its passage. */
void tulle__passing_look(struct tulle__forward *forward, struct tulle__passing *lane);
/* Whose batch is it, and which events has it? They are not looked at.
 * Returns TULLE_OK, TULLE_EBADMSG, TULLE_EVERSION */
TULLE_MUST_CHECK tulle_status tulle__batch_peek(struct tulle__view batch,
                                                uint64_t *node,
                                                struct tulle__seen_range *events);
/* Does something of the lane wait? Not any more when nobody has asked for a while. */
bool tulle__passing_waits(struct tulle__forward *forward, struct tulle__passing *lane);
/* Events up to below next need not wait any more. */
void
tulle__passing_release(struct tulle__forward *forward, struct tulle__passing *lane, uint64_t next);
/* Did an event that had waited go on to all just now? */
bool tulle__passing_is_on_its_way(const struct tulle__forward *forward,
                                  const struct tulle__passing *lane,
                                  uint64_t seq);
/* Let out what waits on a side, as far as its rate allows. */
void tulle__forward_let_out(struct tulle__forward *forward, size_t index);
/* A batch goes to all sides of a passage. */
void tulle__passage_push(struct tulle__forward *forward,
                         const struct tulle__passage *passage,
                         struct tulle__buf *body,
                         struct tulle__buf *path);
void tulle__passing_fini(struct tulle__forward *forward);
/* Forget lanes of nodes that no side knows any more, when nothing of them is kept. */
void tulle__passing_forget(struct tulle__forward *forward);
/* The frame of a path (empty: none) as ids. */
TULLE_MUST_CHECK tulle_status tulle__passed_decode(struct tulle__view path,
                                                   struct tulle__passed *passed);
/* The frame with the id of this proxy behind those; NULL when that is past its limit, or
 * without memory. One more reference. */
struct tulle__buf *tulle__forward_extend_path(struct tulle__forward *forward,
                                              const struct tulle__passed *passed);
/* Key, body and path are the action's too, the key's bytes borrowed. */
bool tulle__forward_push(struct tulle__engine *engine,
                         struct tulle__view key,
                         struct tulle__buf *body,
                         struct tulle__buf *path);

/* ---- forward_beat.c ---- */

void tulle__origins_fini(struct tulle__forward *forward);
void tulle__origins_forget(struct tulle__forward *forward); /* likewise */
void tulle__forward_beat(struct tulle__forward *forward,
                         size_t from,
                         const struct tulle__action *action);
/* Somebody came from whom takes of nodes beyond may be learnt, or who is to learn them. */
void tulle__forward_ask(struct tulle__forward *forward);
/* Before a timed beat of a side. */
void tulle__forward_tell_beyond(struct tulle__forward *forward, size_t to);
/* A LOOK for this proxy has come to a side: what there is to tell, beyond what that side's
 * engine knows. NULL: no memory. Freed by tulle__view_parts_free(). */
struct tulle__view_parts *tulle__forward_view_parts(struct tulle__forward *forward, size_t to);
void tulle__view_parts_free(struct tulle__view_parts **pointer);

/* ---- forward_control.c ---- */

void tulle__forward_relay(struct tulle__forward *forward,
                          size_t from,
                          const struct tulle__action *action);

/* ---- forward_policy.c ---- */

TULLE_MUST_CHECK bool tulle__side_set_policy(struct tulle__side *side,
                                             const struct tulle__forward_policy *policy,
                                             struct tulle__now now);
void tulle__side_fini_policy(struct tulle__side *side);
/* May the stream leave this side? */
bool tulle__side_lets_out(const struct tulle__side *side, struct tulle__view stream);
/* Is no event of the batch too large? What cannot be read has none. */
bool tulle__side_fits(const struct tulle__side *side, struct tulle__view batch);
/* Count, and at times log, a batch that does not fit. */
void tulle__side_too_large(struct tulle__side *side, uint64_t node, struct tulle__view stream);
/* The rate holds something back; now and then: does it still? Both ends are logged. */
void tulle__side_holds(struct tulle__side *side, struct tulle__now now);
void tulle__side_look_whether_it_holds(struct tulle__side *side, struct tulle__now now);
bool tulle__side_is_limited(const struct tulle__side *side);
/* May something leave now? Whatever it is: what is too much is made up for by waiting. */
bool tulle__side_is_open(const struct tulle__side *side, struct tulle__now now);
/* May an answer? While something is queued, both get their share. */
bool tulle__side_may_answer(const struct tulle__side *side, struct tulle__now now);
/* When the next of the queue may go; TULLE__NEVER_NS: none is queued. */
int64_t tulle__side_due_ns(const struct tulle__side *side);

/* What is to cross. */
struct tulle__load {
    size_t batches;
    uint64_t events;
    uint64_t bytes;
};

/* It leaves side from, to side to (SIZE_MAX: not known which). */
void tulle__forward_count(struct tulle__forward *forward,
                          size_t from,
                          size_t to,
                          const struct tulle__load *load);
void
tulle__side_charge(struct tulle__side *side, const struct tulle__load *load, struct tulle__now now);
void tulle__side_charge_answer(struct tulle__side *side,
                               const struct tulle__load *load,
                               struct tulle__now now);
/* Ask for no more at once than a part of a second's worth, so that all get their turn. */
void tulle__side_narrow(const struct tulle__side *side, struct tulle__fetch *fetch);

/* ---- forward_share.c: what several ask for crosses once ---- */

/* A node asks for a lane from a seq on. */
void tulle__share_note(struct tulle__forward *forward,
                       struct tulle__passing *lane,
                       uint64_t node,
                       uint64_t first);
/* Did an answer with this event just go out to all? */
bool tulle__share_is_coming(const struct tulle__forward *forward,
                            const struct tulle__passing *lane,
                            uint64_t seq);
/* Batches that answer a node. */
struct tulle__answer {
    const struct tulle__view *batches;
    struct tulle__load load;
    struct tulle__seen_range events; /* of all of them; last 0: none */
    uint64_t asker;
    size_t to; /* its side */
};
/* Send an answer out to all who take the lane, when somebody else asks for it too and it is the
 * first time. It is counted. False: it is for the asker alone. */
bool tulle__share(struct tulle__forward *forward,
                  struct tulle__passing *lane,
                  const struct tulle__answer *answer);

#endif
