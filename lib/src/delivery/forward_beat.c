/* SPDX-License-Identifier: MPL-2.0 */
/* Beats at a proxy (PROTOCOL 7.4). One that says something new is forwarded once, to every
 * other side. The others are not: instead the proxy's own timed beats tell, for some nodes
 * beyond in each, which beat of theirs was heard last. So what crosses grows with what
 * happens, and not with how many are there.
 *
 * Full beats are forwarded now and then, new or not. A proxy that begins knows nobody's
 * takes: it asks for all of them, and the others pass that on, each ask once. */

#include "base/alloc.h"
#include "delivery/forward_state.h"
#include "delivery/observe.h"

#include <string.h>

enum {
    ORIGINS_MAX = 65536,
    FULL_MS_MIN = 10000, /* between two full beats of a node that say nothing new */
    FULL_MS_EACH = 200,  /* the same, for each node there is */
    ASKED_BEATS = 6,     /* timed ones: so long after an ask all full beats pass */
    ASKING_BEATS = 3     /* an ask is in so many, some may be lost */
};

/* ---- whose beats pass ---- */

static void
free_origin(struct tulle__forward *f, struct tulle__origin *origin)
{
    HASH_DEL(f->origins, origin);
    tulle__free(origin);
}

void
tulle__origins_fini(struct tulle__forward *f)
{
    while (f->origins != NULL)
        free_origin(f, f->origins);
}

static struct tulle__origin *
find_origin(const struct tulle__forward *f, uint64_t id)
{
    struct tulle__origin *origin = NULL;
    HASH_FIND(hh, f->origins, &id, sizeof id, origin);
    return origin;
}

static struct tulle__origin *
get_origin(struct tulle__forward *f, uint64_t id)
{
    struct tulle__origin *origin = find_origin(f, id);
    if (origin != NULL)
        return origin;
    if (HASH_COUNT(f->origins) >= ORIGINS_MAX)
        free_origin(f, f->origins);
    origin = tulle__alloc(sizeof *origin);
    if (origin == NULL)
        return NULL;
    origin->id = id;
    HASH_ADD(hh, f->origins, id, sizeof origin->id, origin);
    if (find_origin(f, id) == origin)
        return origin;
    tulle__free(origin); /* no memory for the table */
    return NULL;
}

void
tulle__origins_forget(struct tulle__forward *f)
{
    struct tulle__origin *origin;
    struct tulle__origin *next;
    HASH_ITER (hh, f->origins, origin, next) {
        if (!tulle__forward_knows(f, origin->id))
            free_origin(f, origin);
    }
}

/* ---- asks for full beats ---- */

static int64_t
beats_ns(const struct tulle__forward *f, int64_t beats)
{
    return beats * tulle__ms_to_ns(f->sides[0].engine->config.beat_ms);
}

/* Let all full beats pass for a while, and ask the proxies on other sides to do so. */
static void
take_ask(struct tulle__forward *f, size_t from, uint64_t ask)
{
    for (size_t i = 0; i < TULLE__ASKS; i++) {
        if (f->asks[i] == ask)
            return;
    }
    f->asks[f->ask_at++ % TULLE__ASKS] = ask;
    f->asked_until_ns = f->now.mono.ns + beats_ns(f, ASKED_BEATS);
    for (size_t i = 0; i < f->side_count; i++) {
        if (i == from)
            continue;
        f->sides[i].engine->ask = ask;
        f->sides[i].engine->ask_beats = ASKING_BEATS;
        tulle__beat_at_once(f->sides[i].engine);
    }
}

void
tulle__forward_ask(struct tulle__forward *f)
{
    take_ask(f, SIZE_MAX, f->id + f->own_asks++);
}

/* ---- beats that pass ---- */

static bool
may_pass(const struct tulle__forward *f,
         const struct tulle__origin *origin,
         const struct tulle__beat_view *beat)
{
    int64_t now_ns = f->now.mono.ns;
    bool is_due = beat->is_full && (now_ns >= origin->full_due_ns || now_ns < f->asked_until_ns);
    return !beat->is_quiet || beat->is_leaving || is_due;
}

/* Whose neighbours those on a side are, they hear themselves: a beat that came by another
 * way first, through a proxy beside this one, is no news there. */
static bool
is_heard_there(const struct tulle__forward *f, size_t index, uint64_t id)
{
    const struct tulle__engine *side = f->sides[index].engine;
    const struct tulle__peer *peer = tulle__peer_find(side, id);
    return peer != NULL && tulle__peer_is_live(peer) && tulle__peer_hops(side, peer) == 0;
}

static void
pass_on(struct tulle__forward *f,
        size_t from,
        uint64_t id,
        const struct tulle__action *action,
        const struct tulle__passed *passed)
{
    tulle_counters *counters = &f->sides[from].engine->counters;
    struct tulle__buf *extended = tulle__forward_extend_path(f, passed);
    if (extended == NULL) {
        counters->dropped_table_full++;
        return;
    }
    for (size_t i = 0; i < f->side_count; i++) {
        if (i != from && (passed->hops == 0 || !is_heard_there(f, i, id)) &&
            tulle__forward_push(f->sides[i].engine, action->u.publication.key,
                                action->u.publication.body, extended))
            counters->relayed_control++;
    }
    tulle__buf_unref(&extended);
}

/* A proxy's own is not forwarded: it speaks for one segment. One that may not go on is none
 * that did: it may come by a shorter way. */
void
tulle__forward_beat(struct tulle__forward *f, size_t from, const struct tulle__action *action)
{
    tulle_counters *counters = &f->sides[from].engine->counters;
    struct tulle__beat_view beat;
    const struct tulle__buf *body = action->u.publication.body;
    const struct tulle__buf *path = action->u.publication.path;
    struct tulle__view old = { path == NULL ? NULL : path->data, path == NULL ? 0 : path->len };
    struct tulle__passed passed;
    if (tulle__beat_decode(body->data, body->len, &beat) != TULLE_OK)
        return;
    if (beat.self.is_proxy) {
        if (old.len == 0 && beat.ask != 0)
            take_ask(f, from, beat.ask);
        return;
    }
    if (tulle__passed_decode(old, &passed) != TULLE_OK)
        return; /* it was read before */
    if (passed.hops >= f->hops_max) {
        counters->dropped_hops++;
        return;
    }
    struct tulle__origin *origin = get_origin(f, beat.id);
    if (origin == NULL) {
        counters->dropped_table_full++;
        return;
    }
    if (beat.counter <= origin->beat_counter)
        return;
    origin->beat_counter = beat.counter;
    if (!may_pass(f, origin, &beat))
        return;
    if (beat.is_full) {
        int64_t pause_ms = (int64_t)FULL_MS_EACH * HASH_COUNT(f->origins);
        origin->full_due_ns =
            f->now.mono.ns + tulle__ms_to_ns(pause_ms > FULL_MS_MIN ? pause_ms : FULL_MS_MIN);
    }
    pass_on(f, from, beat.id, action, &passed);
}

/* ---- telling of nodes beyond ---- */

/* Nodes, or proxies, at home on other sides than one: from the from-th on, then, with room
 * left, from the beginning. */
struct beyond_walk {
    size_t to;
    bool is_proxies;
    uint64_t from;
    struct tulle__beyond *out;
    size_t max;
    size_t count;
    uint64_t total;
};

static bool
is_beyond(const struct tulle__forward *f,
          size_t at,
          const struct tulle__peer *peer,
          const struct beyond_walk *walk,
          uint32_t *hops)
{
    if (peer->is_proxy != walk->is_proxies || !tulle__peer_is_live(peer) ||
        peer->life_counter == 0 || tulle__forward_home(f, peer->id) != at)
        return false;
    *hops = tulle__peer_hops(f->sides[at].engine, peer) + 1;
    return *hops <= f->hops_max && *hops <= TULLE__PATH_MAX;
}

static void
walk_beyond(const struct tulle__forward *f, struct beyond_walk *walk)
{
    for (int round = 0; round < 2; round++) {
        uint64_t at = 0;
        for (size_t i = 0; i < f->side_count; i++) {
            const struct tulle__engine *side = f->sides[i].engine;
            const struct tulle__peer *p = i == walk->to ? NULL : side->peers;
            for (; p != NULL; p = p->hh.next) {
                uint32_t hops;
                if (!is_beyond(f, i, p, walk, &hops))
                    continue;
                bool is_in_turn = (at >= walk->from) == (round == 0);
                at++;
                if (is_in_turn && walk->count < walk->max)
                    walk->out[walk->count++] =
                        (struct tulle__beyond){ p->id, p->life_counter, hops };
            }
        }
        walk->total = at;
    }
}

static uint64_t
next_turn(const struct beyond_walk *walk)
{
    return walk->total == 0 ? 0 : (walk->from + walk->count) % walk->total;
}

/* The next timed beat on a side tells of these: some of the nodes that are at home on other
 * sides, from where the last beat ended. */
void
tulle__forward_tell_beyond(struct tulle__forward *f, size_t to)
{
    struct tulle__engine *e = f->sides[to].engine;
    struct beyond_walk nodes = {
        .to = to, .from = f->sides[to].beyond_at, .out = e->beyond, .max = TULLE__BEYOND_IN_TURN
    };
    struct beyond_walk proxies = { .to = to,
                                   .is_proxies = true,
                                   .from = f->sides[to].proxies_at,
                                   .out = e->proxies,
                                   .max = TULLE__BEYOND_IN_TURN };
    walk_beyond(f, &nodes);
    walk_beyond(f, &proxies);
    e->beyond_count = nodes.count;
    e->beyond_total = nodes.total;
    e->proxy_count = proxies.count;
    f->sides[to].beyond_at = next_turn(&nodes);
    f->sides[to].proxies_at = next_turn(&proxies);
}

/* ---- views ---- */

void
tulle__view_parts_free(struct tulle__view_parts **pointer)
{
    struct tulle__view_parts *parts = *pointer;
    if (parts == NULL)
        return;
    for (size_t i = 0; i < parts->link_count; i++) {
        uint64_t *ids = (uint64_t *)(uintptr_t)parts->links[i].ids;
        tulle__free(ids);
    }
    tulle__free(parts);
    *pointer = NULL;
}

static bool
fill_link(const struct tulle__forward *f, size_t index, struct tulle__link_out *link)
{
    const struct tulle__side *side = &f->sides[index];
    const struct tulle__engine *e = side->engine;
    const tulle_counters *c = &e->counters;
    uint64_t *ids = tulle__alloc(HASH_COUNT(e->peers) * sizeof *ids + 1);
    *link = (struct tulle__link_out){ .name = side->name,
                                      .address = e->config.control_address_count > 0
                                                     ? e->config.control_addresses[0]
                                                     : "",
                                      .counts = { .events_out = c->relayed_events,
                                                  .bytes_out = c->relayed_bytes,
                                                  .events_in = c->entered_events,
                                                  .bytes_in = c->entered_bytes,
                                                  .waiting = side->waiting },
                                      .ids = ids };
    for (const struct tulle__peer *p = e->peers; ids != NULL && p != NULL; p = p->hh.next) {
        if (tulle__peer_is_live(p) && tulle__peer_hops(e, p) == 0 &&
            link->id_count < TULLE__PEERS_PER_MESSAGE_MAX)
            ids[link->id_count++] = p->id;
    }
    return ids != NULL;
}

struct tulle__view_parts *
tulle__forward_view_parts(struct tulle__forward *f, size_t to)
{
    struct tulle__view_parts *parts = tulle__alloc(sizeof *parts);
    if (parts == NULL)
        return NULL;
    struct beyond_walk nodes = { .to = to, .out = parts->beyond, .max = TULLE__BEYOND_MAX };
    struct beyond_walk proxies = {
        .to = to, .is_proxies = true, .out = parts->proxies, .max = TULLE__BEYOND_MAX
    };
    walk_beyond(f, &nodes);
    walk_beyond(f, &proxies);
    parts->beyond_count = nodes.count;
    parts->proxy_count = proxies.count;
    while (parts->link_count < f->side_count) {
        if (!fill_link(f, parts->link_count, &parts->links[parts->link_count])) {
            tulle__view_parts_free(&parts);
            return NULL;
        }
        parts->link_count++;
    }
    return parts;
}
