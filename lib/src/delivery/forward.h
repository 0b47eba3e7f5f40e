/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_FORWARD_H
#define TULLE_DELIVERY_FORWARD_H

/* A proxy's protocol state: one engine per segment ("side"), and what passes
 * between them. As an engine: no I/O, clock, thread or randomness; inputs and
 * actions are an engine's, with the number of the side they belong to.
 *
 * Every publication that arrives on a side is forwarded, once, with this proxy's
 * id appended to its path, to each other side where a live node takes its
 * stream. Beats are forwarded to every side. Control messages for a node of
 * another side are passed on, or answered from what is retained.
 *
 * Nodes that went silent together with the proxy that they were heard through may be there all
 * the same: what they take is kept for them, as long as anything is.
 *
 * What is over a rate waits where it is retained: it goes on as soon as the rate allows,
 * one batch of each lane in turn. What is not retained here is asked for by who misses it,
 * and answers count like all else. */

#include "delivery/engine.h"

#include <tulle/proxy.h>

struct tulle__forward;

/* What may leave a side, and how much of it is kept for those beyond. */
struct tulle__forward_policy {
    const char *const *allow; /* valid patterns */
    size_t allow_count;
    const char *const *deny;
    size_t deny_count;
    uint32_t event_bytes_max;   /* 0: no limit, in all three */
    uint64_t events_per_second; /* a second's worth may go at once */
    uint64_t bytes_per_second;
    uint64_t retain_bytes, retain_ms;
};

struct tulle__forward_side {
    const char *name;                   /* of the segment, for observers; NULL: none */
    struct tulle__engine_config engine; /* id and mesh equal on all sides; is_proxy is set */
    struct tulle__forward_policy policy;
};

/* Where a publication goes at once, in the order of sides. */
struct tulle__passage {
    struct tulle__view key;  /* as it came; this and the path are borrowed until the next input */
    struct tulle__buf *path; /* with this proxy */
    uint8_t sides[TULLE_SEGMENTS_MAX];
    uint8_t count;
    bool is_all; /* there are no actions besides */
};

/* sides is borrowed. NULL when there is no memory. 2 <= side_count <= TULLE_SEGMENTS_MAX. */
struct tulle__forward *tulle__forward_new(const struct tulle__forward_side *sides,
                                          size_t side_count,
                                          struct tulle__now now);
void tulle__forward_free(struct tulle__forward **forward);

/* Replace the policy of a side. It holds for what comes from now on, and for what was kept
 * before. False, and nothing changed, when there is no memory. */
TULLE_MUST_CHECK bool tulle__forward_set_policy(struct tulle__forward *forward,
                                                size_t side,
                                                const struct tulle__forward_policy *policy,
                                                struct tulle__now now);
void tulle__forward_set_log_level(struct tulle__forward *forward, tulle_log_level level);
/* A side's engine, to be asked what is the case. */
const struct tulle__engine *tulle__forward_engine(const struct tulle__forward *forward,
                                                  size_t side);

TULLE_MUST_CHECK tulle_status tulle__forward_join(struct tulle__forward *forward,
                                                  size_t side,
                                                  const char *address,
                                                  struct tulle__now now);
void tulle__forward_found(struct tulle__forward *forward,
                          size_t side,
                          uint64_t id,
                          const char *control_address,
                          struct tulle__now now);
void tulle__forward_on_publication(struct tulle__forward *forward,
                                   size_t side,
                                   struct tulle__view key,
                                   struct tulle__buf *body,
                                   struct tulle__view path,
                                   struct tulle__now now);
/* The same, but whoever calls sends what goes on, as there are no actions for that. NULL: nothing
 * does; there may be actions. */
const struct tulle__passage *tulle__forward_pass(struct tulle__forward *forward,
                                                 size_t side,
                                                 struct tulle__view key,
                                                 struct tulle__buf *body,
                                                 struct tulle__view path,
                                                 struct tulle__now now);
void tulle__forward_on_control(struct tulle__forward *forward,
                               size_t side,
                               uint64_t via,
                               struct tulle__view header,
                               struct tulle__buf *body,
                               struct tulle__now now);
/* Nobody listens at the address of a neighbour that is overdue (delivery/link.h). */
void tulle__forward_on_refused(struct tulle__forward *forward,
                               size_t side,
                               uint64_t id,
                               struct tulle__now now);
/* delivery/link.h */
void tulle__forward_on_dialed(
    struct tulle__forward *forward, size_t side, uint64_t id, uint32_t turn, struct tulle__now now);
void tulle__forward_on_undialed(struct tulle__forward *forward, size_t side, uint64_t id);
void tulle__forward_on_malformed(struct tulle__forward *forward, size_t side);
void tulle__forward_on_unsent(struct tulle__forward *forward, size_t side);
void tulle__forward_leave(struct tulle__forward *forward, struct tulle__now now);
void tulle__forward_on_timer(struct tulle__forward *forward, struct tulle__now now);
struct tulle__mono tulle__forward_deadline(const struct tulle__forward *forward);

/* Next action and the side whose sockets it is for: PUBLISH, CONTROL, DIAL,
 * HANGUP, SUBSCRIBE, UNSUBSCRIBE or PEER. */
bool
tulle__forward_next_action(struct tulle__forward *forward, size_t *side, struct tulle__action *out);
void
tulle__forward_counters(const struct tulle__forward *forward, size_t side, tulle_counters *out);

#endif
