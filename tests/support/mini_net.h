/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_MINI_NET_H
#define TULLE_MINI_NET_H

/* A few engines on a perfect network in virtual time, for unit tests. A message
 * arrives at once, unless the test loses or holds what one node sends another.
 *
 * Nodes are called "a", "b", "c", ... and named by index; so are their addresses.
 * What a node hands out is written down as text, which a test compares:
 *
 *   x                   an event with the payload x is delivered
 *   gap(a/t 3-4 evicted), arrived(x), twice(x), late(x)
 *
 * A ghost is a node that is not there: the test speaks for it. */

#include "testkit.h"

#include "codec/beat.h"
#include "codec/control.h"
#include "codec/topic.h"
#include "delivery/engine.h"
#include "delivery/forward.h"

enum { MINI_A, MINI_B, MINI_C, MINI_D, MINI_E, MINI_NODES_MAX };
enum { MINI_LOG_LEN = 8192, MINI_KEYS_MAX = 32, MINI_WAYS_MAX = 32, MINI_DIALS_MAX = 256 };

/* What can be lost or held between two nodes. */
enum { MINI_EVENTS = 1, MINI_BEATS = 2, MINI_CONTROL = 4, MINI_ALL = 7 };

struct mini_packet;

struct mini_way {
    uint64_t hop;
    size_t to;
};

/* One DIAL action. */
struct mini_dial {
    int64_t at_ms;
    uint64_t hop;
    uint32_t turn, tries;
};

struct mini_node {
    char name[2];
    struct tulle__engine_config config; /* to be changed before the start */
    struct tulle__engine *engine;       /* NULL: not running */
    uint64_t starts;
    struct tulle__key keys[MINI_KEYS_MAX];
    size_t key_count;
    struct mini_way ways[MINI_WAYS_MAX];
    size_t way_count;
    bool hears[MINI_NODES_MAX];
    struct mini_dial dials[MINI_DIALS_MAX];
    size_t dial_count;
    bool is_not_closing; /* open batches stay open */
    char log[MINI_LOG_LEN];
    char peers[MINI_LOG_LEN];    /* up(b), suspect(b), gone(b), left(b), restarted(b) */
    char keys_log[MINI_LOG_LEN]; /* +key -key */
};

struct mini_net {
    struct mini_node nodes[MINI_NODES_MAX];
    struct tulle__now now;
    unsigned lost[MINI_NODES_MAX][MINI_NODES_MAX]; /* from, to: MINI_* */
    unsigned held[MINI_NODES_MAX][MINI_NODES_MAX];
    struct mini_packet *queue;
    struct mini_packet *aside;
    /* Control messages to hops that lead to no node: the last one of each kind. */
    uint64_t ghost_counter[8];
    uint32_t ghost_count[8];
    struct tulle__buf *ghost_body[8];
};

/* For cmocka: *state becomes a net with configs and no node running. Short times:
 * a beat is 100 ms, suspect 300, gone 1000, hold 1000, fetch_delay 10. */
int mini_setup(void **state);
int mini_teardown(void **state);

/* Start nodes 0 .. count - 1; all but the first join it. Call mini_run() then. */
void mini_start(struct mini_net *net, size_t count);
/* Start one, or start it again with a new id; it joins another unless join is itself. */
void mini_start_one(struct mini_net *net, size_t node, size_t join);
/* It is gone without a word. */
void mini_crash(struct mini_net *net, size_t node);
void mini_leave(struct mini_net *net, size_t node);
uint64_t mini_id(const struct mini_net *net, size_t node);

/* Let time pass. */
void mini_run(struct mini_net *net, int64_t ms);
/* Deliver what is under way, without any time passing. */
void mini_pump(struct mini_net *net);

/* Take in causal order, live. */
uint32_t mini_take(struct mini_net *net, size_t node, const char *pattern);
uint32_t mini_take_as(struct mini_net *net,
                      size_t node,
                      const char *pattern,
                      const tulle_subscribe_options *options);
void mini_untake(struct mini_net *net, size_t node, uint32_t handle);
void mini_publish(struct mini_net *net, size_t node, const char *topic, const char *payload);
/* Depends on nothing but one event of the lane (cause, stream). */
void mini_publish_caused(struct mini_net *net,
                         size_t node,
                         const char *topic,
                         const char *payload,
                         struct tulle__dep cause);
/* Depends on these too; with is_only on nothing else. */
void mini_publish_after(struct mini_net *net,
                        size_t node,
                        const char *topic,
                        const struct tulle__dep *after,
                        size_t after_count,
                        bool is_only);
tulle_status
mini_try_publish(struct mini_net *net, size_t node, const char *topic, const char *payload);

void mini_lose(struct mini_net *net, size_t from, size_t to, unsigned what);
void mini_heal(struct mini_net *net, size_t from, size_t to);
void mini_hold(struct mini_net *net, size_t from, size_t to, unsigned what);
/* What was held arrives, and nothing is held any more. */
void mini_release(struct mini_net *net);

tulle_counters mini_counters(const struct mini_net *net, size_t node);
const char *mini_log(const struct mini_net *net, size_t node);

/* ---- ghosts: the test says what they send ---- */

struct tulle__view mini_text(const char *text);
/* A batch of a lane; the payload of each event is its seq. Moved in by mini_tell(). */
struct tulle__buf *mini_batch(
    uint64_t node, uint64_t first, uint32_t count, const struct tulle__dep *deps, size_t dep_count);
void mini_tell(struct mini_net *net, size_t to, const char *stream, struct tulle__buf *body);
/* A beat; what is not set is filled in: mesh, name, hlc. */
struct tulle__buf *mini_beat(const struct tulle__beat_out *beat);
void mini_tell_beat(struct mini_net *net, size_t to, const struct tulle__beat_out *beat);
/* A control message whose body was written to w, which is emptied. */
void mini_tell_control(struct mini_net *net,
                       size_t to,
                       const struct tulle__control_header *header,
                       struct tulle__writer *w);
/* A ghost is met: its beat comes, and it answers the SYNC, without any lane. */
void mini_meet_ghost(struct mini_net *net, size_t to, uint64_t id);

#endif
