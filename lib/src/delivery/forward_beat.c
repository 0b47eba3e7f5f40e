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

static void
pass_on(struct tulle__forward *f,
        size_t from,
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
        if (i != from && tulle__forward_push(f->sides[i].engine, action->u.publication.key,
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
    pass_on(f, from, action, &passed);
}

/* ---- telling of nodes beyond ---- */

/* The next timed beat on a side tells of these: some of the nodes that are at home on other
 * sides, from where the last beat ended. */
void
tulle__forward_tell_beyond(struct tulle__forward *f, size_t to)
{
    struct tulle__engine *e = f->sides[to].engine;
    uint64_t total = 0;
    e->beyond_count = 0;
    for (int round = 0; round < 2; round++) {
        /* First those behind the cursor, then, with room left, from the beginning. */
        uint64_t at = 0;
        for (size_t i = 0; i < f->side_count; i++) {
            const struct tulle__engine *side = f->sides[i].engine;
            for (struct tulle__peer *p = i == to ? NULL : side->peers; p != NULL; p = p->hh.next) {
                if (p->is_proxy || !tulle__peer_is_live(p) || p->life_counter == 0 ||
                    tulle__forward_home(f, p->id) != i)
                    continue;
                uint32_t hops = tulle__peer_hops(side, p) + 1;
                if (hops > f->hops_max || hops > TULLE__PATH_MAX)
                    continue;
                bool is_in_turn = (at >= f->sides[to].beyond_at) == (round == 0);
                at++;
                if (!is_in_turn || e->beyond_count == TULLE__BEYOND_IN_TURN)
                    continue;
                e->beyond[e->beyond_count++] =
                    (struct tulle__beyond){ p->id, p->life_counter, hops };
            }
        }
        total = at;
    }
    e->beyond_total = total;
    f->sides[to].beyond_at = total == 0 ? 0 : (f->sides[to].beyond_at + e->beyond_count) % total;
}
