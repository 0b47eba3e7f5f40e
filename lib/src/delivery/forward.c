/* SPDX-License-Identifier: MPL-2.0 */
/* A proxy: one engine per segment, and what passes between them.
 *
 * Interest belongs to live nodes and is learnt from their beats. A node that can be
 * heard on several sides (cycles and parallel proxies are normal) belongs to the
 * side where it is nearest, so that nobody's interest circulates. A batch is
 * forwarded at its first arrival only; its path keeps it from coming back. */

#include "base/alloc.h"
#include "base/panic.h"
#include "delivery/forward_state.h"
#include "delivery/gone.h"
#include "delivery/link.h"

#include <string.h>

enum { FEW_PEERS = 64, REBUILD_PAUSE_NS_PER_PEER = 20000 };

/* ---- life ---- */

struct tulle__forward *
tulle__forward_new(const struct tulle__forward_side *sides,
                   size_t side_count,
                   struct tulle__now now)
{
    TULLE_ASSERT(side_count >= 2 && side_count <= TULLE_SEGMENTS_MAX);
    struct tulle__forward *f = tulle__alloc(sizeof *f);
    if (f == NULL)
        return NULL;
    f->id = sides[0].engine.id;
    f->hops_max = sides[0].engine.hops_max;
    f->now = now;
    f->epoch = 1;
    tulle__writer_init(&f->writer);
    f->pool = tulle__pool_open(TULLE__POOL_UNUSED_BYTES);
    for (size_t i = 0; i < side_count; i++) {
        struct tulle__engine_config config = sides[i].engine;
        config.is_proxy = true;
        f->sides[i].engine = tulle__engine_new(&config, now);
        if (f->sides[i].engine != NULL)
            f->sides[i].engine->beats = &f->beats;
        if (sides[i].name != NULL)
            strncpy(f->sides[i].name, sides[i].name, sizeof f->sides[i].name - 1);
        f->side_count = i + 1;
        tulle__store_init(&f->sides[i].store, NULL, 0, 0);
        f->sides[i].store.pool = f->pool;
        if (f->sides[i].engine == NULL ||
            !tulle__side_set_policy(&f->sides[i], &sides[i].policy, now)) {
            tulle__forward_free(&f);
            return NULL;
        }
    }
    return f;
}

static void
fini_keys(struct tulle__keys *keys)
{
    tulle__free(keys->items);
    tulle__free(keys->bytes);
}

void
tulle__forward_free(struct tulle__forward **forward)
{
    struct tulle__forward *f = *forward;
    if (f == NULL)
        return;
    tulle__passing_fini(f);
    tulle__origins_fini(f);
    for (size_t i = 0; i < f->side_count; i++) {
        tulle__engine_free(&f->sides[i].engine);
        tulle__side_fini_policy(&f->sides[i]);
        fini_keys(&f->sides[i].wanted);
        fini_keys(&f->sides[i].awaited);
    }
    tulle__writer_fini(&f->writer);
    tulle__buf_unref(&f->no_way.extended);
    tulle__buf_unref(&f->way.extended);
    tulle__pool_close(&f->pool);
    tulle__free(f);
    *forward = NULL;
}

/* ---- interest ---- */

size_t
tulle__forward_home(const struct tulle__forward *f, uint64_t id)
{
    size_t home = SIZE_MAX;
    uint32_t nearest = UINT32_MAX;
    for (size_t i = 0; i < f->side_count; i++) {
        const struct tulle__engine *e = f->sides[i].engine;
        const struct tulle__peer *peer = tulle__peer_find(e, id);
        if (peer == NULL || !tulle__peer_is_live(peer))
            continue;
        uint32_t hops = tulle__peer_hops(e, peer);
        if (hops < nearest) {
            nearest = hops;
            home = i;
        }
    }
    return home;
}

bool
tulle__forward_knows(const struct tulle__forward *f, uint64_t id)
{
    for (size_t i = 0; i < f->side_count; i++) {
        if (tulle__peer_find(f->sides[i].engine, id) != NULL)
            return true;
    }
    return false;
}

/* Keys are kept sorted: most of them come from many nodes. Too many become the empty
 * one, which takes everything: what is not wanted costs less than what is missed. */
static void
add_key(struct tulle__keys *keys, struct tulle__view key)
{
    if (keys->count == TULLE__TAKES_MAX) {
        keys->items[0] = (struct tulle__view){ NULL, 0 };
        keys->count = 1;
    }
    if (keys->count > 0 && keys->items[0].len == 0)
        return;
    size_t low = 0;
    size_t high = keys->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = tulle__keys_compare(keys->items[middle], key);
        if (order == 0)
            return;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (!tulle__grow(&keys->items, &keys->cap, keys->count, sizeof *keys->items))
        return; /* the next rebuilding may find memory */
    memmove(&keys->items[low + 1], &keys->items[low], (keys->count - low) * sizeof *keys->items);
    keys->items[low] = key;
    keys->count++;
}

/* What the keys show is copied: the peers change before they are collected again. */
static void
own_keys(struct tulle__keys *keys)
{
    size_t len = 1;
    for (size_t i = 0; i < keys->count; i++)
        len += keys->items[i].len;
    uint8_t *at = tulle__alloc(len);
    tulle__free(keys->bytes);
    keys->bytes = at;
    if (at == NULL)
        keys->count = 0; /* the next rebuilding may find memory */
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->items[i].len > 0)
            memcpy(at, keys->items[i].data, keys->items[i].len);
        keys->items[i].data = at;
        at += keys->items[i].len;
    }
}

/* How long what leaves the other sides is kept for who is cut off on this one. */
static int64_t
await_ns(const struct tulle__forward *f, size_t index)
{
    int64_t longest_ns = 0;
    for (size_t i = 0; i < f->side_count; i++) {
        const struct tulle__store *store = &f->sides[i].store;
        if (i != index && store->bytes_max > 0 && store->age_ns_max > longest_ns)
            longest_ns = store->age_ns_max;
    }
    return longest_ns;
}

static void
collect_keys_of(struct tulle__forward *f, size_t index, const struct tulle__peer *p)
{
    struct tulle__side *side = &f->sides[index];
    size_t home = tulle__forward_home(f, p->id);
    bool is_cut_off =
        (home == index || home == SIZE_MAX) && tulle__peer_is_cut_off(side->engine, p);
    for (uint32_t k = 0; k < p->take_count; k++) {
        if (home == index && tulle__peer_takes_by_way(side->engine, p, p->takes[k]))
            add_key(&side->wanted, p->takes[k]);
        else if (is_cut_off)
            add_key(&side->awaited, p->takes[k]);
    }
}

static void
collect_keys(struct tulle__forward *f, size_t index)
{
    struct tulle__side *side = &f->sides[index];
    side->wanted.count = side->awaited.count = 0;
    side->engine->await_ns = await_ns(f, index);
    for (struct tulle__peer *p = side->engine->peers; p != NULL; p = p->hh.next) {
        bool is_next = p->is_proxy && p->is_heard && tulle__peer_hops(side->engine, p) == 0;
        f->proxies_up += is_next && tulle__peer_is_live(p) ? 1U : 0U;
        if (!p->is_proxy)
            collect_keys_of(f, index, p);
    }
    own_keys(&side->wanted);
    own_keys(&side->awaited);
}

/* Take from each side what nodes at home on the others want, or are to have later. */
static void
rebuild_interest(struct tulle__forward *f)
{
    uint32_t proxies_before = f->proxies_up;
    f->proxies_up = 0;
    for (size_t i = 0; i < f->side_count; i++)
        collect_keys(f, i);
    if (f->proxies_up > proxies_before)
        tulle__forward_ask(f);
    for (size_t i = 0; i < f->side_count; i++) {
        struct tulle__keys all = { 0 };
        for (size_t k = 0; k < f->side_count; k++) {
            for (size_t j = 0; k != i && j < f->sides[k].wanted.count; j++)
                add_key(&all, f->sides[k].wanted.items[j]);
            for (size_t j = 0; k != i && j < f->sides[k].awaited.count; j++)
                add_key(&all, f->sides[k].awaited.items[j]);
        }
        f->sides[i].engine->now = f->now;
        tulle__interest_set_keys(f->sides[i].engine, all.items, all.count);
        tulle__free(all.items);
    }
    f->epoch++;
}

/* Rebuilding looks at all peers: where there are many it waits, so that a thousand who come
 * at once are not looked at a thousand times. What is missed meanwhile is fetched. */
static int64_t
rebuild_pause_ns(const struct tulle__forward *f)
{
    size_t peer_count = 0;
    for (size_t i = 0; i < f->side_count; i++)
        peer_count += HASH_COUNT(f->sides[i].engine->peers);
    return peer_count < FEW_PEERS ? 0 : (int64_t)peer_count * REBUILD_PAUSE_NS_PER_PEER;
}

void
tulle__forward_after_input(struct tulle__forward *f)
{
    uint64_t epoch = 0;
    uint64_t route_epoch = 0;
    for (size_t i = 0; i < f->side_count; i++) {
        epoch += f->sides[i].engine->interest_epoch;
        route_epoch += f->sides[i].engine->route_epoch;
    }
    /* Ways may change with every message, where there are several; homes seldom. */
    int64_t soon_ns = f->now.mono.ns + tulle__ms_to_ns(50);
    if (route_epoch != f->seen_route_epoch && f->rebuild_due_ns > soon_ns)
        f->rebuild_due_ns = soon_ns;
    f->seen_route_epoch = route_epoch;
    if (epoch != f->seen_epoch) {
        int64_t paused_ns = f->rebuilt_ns + rebuild_pause_ns(f);
        f->rebuild_due_ns = f->rebuild_due_ns > paused_ns ? paused_ns : f->rebuild_due_ns;
    }
    if (f->now.mono.ns < f->rebuild_due_ns)
        return;
    f->seen_epoch = epoch;
    f->rebuilt_ns = f->now.mono.ns;
    f->rebuild_due_ns = f->now.mono.ns + tulle__ms_to_ns(1000); /* ways grow stale unheard */
    rebuild_interest(f);
}

/* ---- the rest is each side's own ---- */

bool
tulle__forward_set_policy(struct tulle__forward *f,
                          size_t side,
                          const struct tulle__forward_policy *policy,
                          struct tulle__now now)
{
    f->epoch++;
    return tulle__side_set_policy(&f->sides[side], policy, now);
}

void
tulle__forward_set_log_level(struct tulle__forward *f, tulle_log_level level)
{
    for (size_t i = 0; i < f->side_count; i++)
        f->sides[i].engine->config.log.level = level;
}

const struct tulle__engine *
tulle__forward_engine(const struct tulle__forward *f, size_t side)
{
    return f->sides[side].engine;
}

tulle_status
tulle__forward_join(struct tulle__forward *f,
                    size_t side,
                    const char *address,
                    struct tulle__now now)
{
    f->now = now;
    return tulle__engine_join(f->sides[side].engine, address, now);
}

void
tulle__forward_found(struct tulle__forward *f,
                     size_t side,
                     uint64_t id,
                     const char *control_address,
                     struct tulle__now now)
{
    f->now = now;
    tulle__engine_found(f->sides[side].engine, id, control_address, now);
    tulle__forward_after_input(f);
}

void
tulle__forward_on_refused(struct tulle__forward *f, size_t side, uint64_t id, struct tulle__now now)
{
    f->now = now;
    tulle__engine_on_refused(f->sides[side].engine, id, now);
    tulle__forward_after_input(f);
}

void
tulle__forward_on_dialed(
    struct tulle__forward *f, size_t side, uint64_t id, uint32_t turn, struct tulle__now now)
{
    f->now = now;
    tulle__engine_on_dialed(f->sides[side].engine, id, turn, now);
}

void
tulle__forward_on_undialed(struct tulle__forward *f, size_t side, uint64_t id)
{
    tulle__engine_on_undialed(f->sides[side].engine, id);
}

void
tulle__forward_on_malformed(struct tulle__forward *f, size_t side)
{
    tulle__engine_on_malformed(f->sides[side].engine);
}

void
tulle__forward_on_unsent(struct tulle__forward *f, size_t side)
{
    tulle__engine_on_unsent(f->sides[side].engine);
}

void
tulle__forward_leave(struct tulle__forward *f, struct tulle__now now)
{
    for (size_t i = 0; i < f->side_count; i++)
        tulle__engine_leave(f->sides[i].engine, now);
}

void
tulle__forward_on_timer(struct tulle__forward *f, struct tulle__now now)
{
    f->now = now;
    for (size_t i = 0; i < f->side_count; i++) {
        if (now.mono.ns >= f->sides[i].engine->beat_due_ns)
            tulle__forward_tell_beyond(f, i);
        if (now.mono.ns >= tulle__engine_deadline(f->sides[i].engine).ns)
            tulle__engine_on_timer(f->sides[i].engine, now);
    }
    for (size_t i = 0; i < f->side_count; i++) {
        tulle__store_expire(&f->sides[i].store, now.mono);
        tulle__forward_let_out(f, i);
        tulle__side_look_whether_it_holds(&f->sides[i], now);
    }
    if (now.mono.ns >= f->forget_due_ns) {
        tulle__passing_forget(f);
        tulle__origins_forget(f);
        f->forget_due_ns =
            now.mono.ns + tulle__ms_to_ns(tulle__forget_period_ms(f->sides[0].engine));
    }
    tulle__forward_after_input(f);
}

struct tulle__mono
tulle__forward_deadline(const struct tulle__forward *f)
{
    struct tulle__mono deadline = { TULLE__NEVER_NS };
    for (size_t i = 0; i < f->side_count; i++) {
        struct tulle__mono side = tulle__engine_deadline(f->sides[i].engine);
        if (side.ns < deadline.ns)
            deadline = side;
        int64_t queue_ns = tulle__side_due_ns(&f->sides[i]);
        if (queue_ns < deadline.ns)
            deadline.ns = queue_ns;
    }
    return deadline;
}

bool
tulle__forward_next_action(struct tulle__forward *f, size_t *side, struct tulle__action *out)
{
    bool has_relayed = true;
    while (has_relayed) {
        has_relayed = false;
        for (size_t i = 0; i < f->side_count; i++) {
            while (tulle__engine_next_action(f->sides[i].engine, out)) {
                if (out->kind == TULLE__ACTION_RELAY_PUBLICATION)
                    tulle__forward_beat(f, i, out);
                else if (out->kind == TULLE__ACTION_RELAY_CONTROL)
                    tulle__forward_relay(f, i, out);
                if (out->kind != TULLE__ACTION_RELAY_PUBLICATION &&
                    out->kind != TULLE__ACTION_RELAY_CONTROL) {
                    *side = i;
                    return true;
                }
                tulle__action_fini(out);
                has_relayed = true;
            }
        }
    }
    return false;
}

void
tulle__forward_counters(const struct tulle__forward *f, size_t side, tulle_counters *out)
{
    tulle__engine_counters(f->sides[side].engine, out);
    out->retained_now = f->sides[side].store.bytes;
    out->limited_now = f->sides[side].waiting;
    out->lanes = HASH_COUNT(f->lanes); /* of all sides */
}
