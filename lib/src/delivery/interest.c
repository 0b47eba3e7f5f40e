/* SPDX-License-Identifier: MPL-2.0 */
/* What is taken here: subscriptions, the ZeroMQ keys they come to, and what they
 * mean for a stream. The wire filters by whole streams (PROTOCOL 2.5), so every
 * lane of a taken stream is contiguous as seen here. */

#include "base/alloc.h"
#include "delivery/internal.h"

#include <string.h>

static void
free_keys(struct tulle__taken_key **list)
{
    while (*list != NULL) {
        struct tulle__taken_key *key = *list;
        *list = key->next;
        tulle__free(key);
    }
}

/* Actions point at keys: those that went may only be freed when none is left. */
static void
free_removed(struct tulle__engine *e)
{
    if (e->action_head == e->action_len)
        free_keys(&e->interest.removed);
}

void
tulle__interest_fini(struct tulle__interest *interest)
{
    free_keys(&interest->keys);
    free_keys(&interest->removed);
}

static struct tulle__view
take_pattern(const struct tulle__take *take)
{
    return (struct tulle__view){ (const uint8_t *)take->pattern, take->pattern_len };
}

/* A stream is read from one start only (see tulle_node_subscribe()). */
bool
tulle__engine_starts_agree(struct tulle__view a,
                           const struct tulle_subscribe_options *a_options,
                           struct tulle__view b,
                           const struct tulle_subscribe_options *b_options)
{
    struct tulle__key a_keys[TULLE__KEYS_PER_PATTERN_MAX];
    struct tulle__key b_keys[TULLE__KEYS_PER_PATTERN_MAX];
    if (a_options->from == b_options->from &&
        (a_options->from != TULLE_FROM_LAST || a_options->from_count == b_options->from_count))
        return true;
    size_t a_count = tulle__pattern_keys(a, a_keys);
    size_t b_count = tulle__pattern_keys(b, b_keys);
    for (size_t i = 0; i < a_count; i++) {
        for (size_t k = 0; k < b_count; k++) {
            if (tulle__keys_overlap(tulle__key_view(&a_keys[i]), tulle__key_view(&b_keys[k])))
                return false;
        }
    }
    return true;
}

static bool
starts_agree(const struct tulle__engine *e,
             struct tulle__view pattern,
             const struct tulle_subscribe_options *options)
{
    for (uint32_t i = 0; i < e->interest.take_end; i++) {
        const struct tulle__take *take = &e->interest.takes[i];
        struct tulle_subscribe_options other = { .from = take->from,
                                                 .from_count = take->from_count };
        if (take->is_used &&
            !tulle__engine_starts_agree(pattern, options, take_pattern(take), &other))
            return false;
    }
    return true;
}

static struct tulle__taken_key *
find_key(struct tulle__interest *interest, const struct tulle__key *key)
{
    for (struct tulle__taken_key *k = interest->keys; k != NULL; k = k->next) {
        if (k->key.len == key->len && memcmp(k->key.bytes, key->bytes, key->len) == 0)
            return k;
    }
    return NULL;
}

static tulle_status
add_key(struct tulle__engine *e, const struct tulle__key *key)
{
    struct tulle__interest *interest = &e->interest;
    struct tulle__taken_key *taken = find_key(interest, key);
    if (taken != NULL) {
        taken->refs++;
        return TULLE_OK;
    }
    if (interest->key_count == TULLE__TAKES_MAX)
        return TULLE_ELIMIT;
    taken = tulle__alloc(sizeof *taken);
    struct tulle__action *action =
        taken == NULL ? NULL : tulle__action_push(e, TULLE__ACTION_SUBSCRIBE);
    if (action == NULL) {
        tulle__free(taken);
        return TULLE_ENOMEM;
    }
    *taken = (struct tulle__taken_key){ .key = *key, .refs = 1, .next = interest->keys };
    interest->keys = taken;
    interest->key_count++;
    action->u.key = &taken->key;
    return TULLE_OK;
}

static void
remove_key(struct tulle__engine *e, const struct tulle__key *key)
{
    struct tulle__interest *interest = &e->interest;
    struct tulle__taken_key **link = &interest->keys;
    while (*link != NULL &&
           ((*link)->key.len != key->len || memcmp((*link)->key.bytes, key->bytes, key->len) != 0))
        link = &(*link)->next;
    struct tulle__taken_key *taken = *link;
    if (taken == NULL || --taken->refs > 0)
        return;
    *link = taken->next;
    interest->key_count--;
    taken->next = interest->removed;
    interest->removed = taken;
    struct tulle__action *action = tulle__action_push(e, TULLE__ACTION_UNSUBSCRIBE);
    if (action != NULL)
        action->u.key = &taken->key;
}

/* Everybody must learn what is taken now, and tell where its lanes start. */
static void
interest_changed(struct tulle__engine *e, bool is_past_wanted)
{
    tulle__lanes_revisit(e, is_past_wanted);
    for (struct tulle__peer *peer = e->peers; peer != NULL; peer = peer->hh.next) {
        if (!peer->is_proxy)
            tulle__sync_want(e, peer);
    }
    tulle__beat_soon(e);
}

/* With such options, may there come what others that were delivered depend on? A live
 * lane starts behind all that, unless it has been taken in arrival order so far. */
static bool
wants_past(const struct tulle__engine *e, const struct tulle_subscribe_options *options)
{
    bool wants = options->from != TULLE_FROM_LIVE;
    for (uint32_t i = 0; i < e->interest.take_end && options->order != TULLE_ORDER_NONE; i++) {
        const struct tulle__take *take = &e->interest.takes[i];
        wants = wants || (take->is_used && take->order == TULLE_ORDER_NONE);
    }
    return wants;
}

static struct tulle__take *
free_take(struct tulle__interest *interest)
{
    for (uint32_t i = 0; i < TULLE__TAKES_LIMIT; i++) {
        if (!interest->takes[i].is_used) {
            if (i >= interest->take_end)
                interest->take_end = i + 1;
            return &interest->takes[i];
        }
    }
    return NULL;
}

tulle_status
tulle__engine_subscribe(struct tulle__engine *e,
                        struct tulle__view pattern,
                        const struct tulle_subscribe_options *options,
                        uint32_t *handle,
                        struct tulle__now now)
{
    e->now = now;
    free_removed(e);
    struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    size_t key_count = tulle__pattern_keys(pattern, keys);
    if (!starts_agree(e, pattern, options))
        return TULLE_ESTATE;
    struct tulle__take *take = free_take(&e->interest);
    if (take == NULL)
        return TULLE_ELIMIT;
    for (size_t i = 0; i < key_count; i++) {
        tulle_status status = add_key(e, &keys[i]);
        if (status != TULLE_OK) {
            while (i-- > 0)
                remove_key(e, &keys[i]);
            interest_changed(e, false); /* back, but for the version */
            return status;
        }
    }
    *take = (struct tulle__take){ .is_used = true,
                                  .pattern_len = pattern.len,
                                  .order = options->order,
                                  .from = options->from,
                                  .from_count = options->from_count,
                                  .flags = options->flags,
                                  .since = ++e->interest.version };
    memcpy(take->pattern, pattern.data, pattern.len);
    *handle = (uint32_t)(take - e->interest.takes);
    interest_changed(e, wants_past(e, options));
    tulle__progress(e);
    return TULLE_OK;
}

void
tulle__engine_unsubscribe(struct tulle__engine *e, uint32_t handle, struct tulle__now now)
{
    e->now = now;
    free_removed(e);
    struct tulle__take *take = &e->interest.takes[handle];
    struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    size_t key_count = tulle__pattern_keys(take_pattern(take), keys);
    take->is_used = false;
    e->interest.version++;
    for (size_t i = 0; i < key_count; i++)
        remove_key(e, &keys[i]);
    interest_changed(e, false);
    tulle__progress(e);
}

static bool
make_key(struct tulle__key *key, struct tulle__view view)
{
    *key = (struct tulle__key){ .len = view.len };
    if (view.len > sizeof key->bytes)
        return false;
    if (view.len > 0)
        memcpy(key->bytes, view.data, view.len);
    return true;
}

/* Those not among the keys; they go first, so that there is room for the others. */
static bool
remove_others(struct tulle__engine *e, const struct tulle__view *keys, size_t count)
{
    struct tulle__interest *interest = &e->interest;
    bool has_changed = false;
    struct tulle__key key;
    for (struct tulle__taken_key *k = interest->keys; k != NULL; k = k->next)
        k->refs = 1; /* 1: not wanted so far, 2: wanted */
    for (size_t i = 0; i < count; i++) {
        struct tulle__taken_key *taken = NULL;
        if (make_key(&key, keys[i]))
            taken = find_key(interest, &key);
        if (taken != NULL)
            taken->refs = 2;
    }
    for (struct tulle__taken_key *k = interest->keys; k != NULL;) {
        struct tulle__taken_key *next = k->next;
        if (k->refs == 1) {
            key = k->key;
            remove_key(e, &key);
            has_changed = true;
        }
        k = next;
    }
    return has_changed;
}

void
tulle__interest_set_keys(struct tulle__engine *e, const struct tulle__view *keys, size_t count)
{
    struct tulle__interest *interest = &e->interest;
    struct tulle__key key;
    free_removed(e);
    bool has_changed = remove_others(e, keys, count);
    for (size_t i = 0; i < count; i++) {
        if (make_key(&key, keys[i]) && find_key(interest, &key) == NULL &&
            add_key(e, &key) == TULLE_OK)
            has_changed = true;
    }
    if (has_changed) {
        interest->version++;
        tulle__beat_soon(e);
    }
}

bool
tulle__interest_takes(const struct tulle__engine *e, struct tulle__view stream)
{
    for (const struct tulle__taken_key *k = e->interest.keys; k != NULL; k = k->next) {
        if (tulle__key_takes(tulle__key_view(&k->key), stream))
            return true;
    }
    return false;
}

static bool
take_takes(const struct tulle__take *take, struct tulle__view stream)
{
    struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    size_t count = tulle__pattern_keys(take_pattern(take), keys);
    for (size_t i = 0; i < count; i++) {
        if (tulle__key_takes(tulle__key_view(&keys[i]), stream))
            return true;
    }
    return false;
}

void
tulle__policy_refresh(struct tulle__engine *e,
                      struct tulle__policy *policy,
                      struct tulle__view stream)
{
    if (policy->version == e->interest.version)
        return;
    struct tulle__policy made = { .version = e->interest.version, .since = UINT64_MAX };
    bool has_none = false;
    for (uint32_t i = 0; i < e->interest.take_end; i++) {
        const struct tulle__take *take = &e->interest.takes[i];
        if (!take->is_used || !take_takes(take, stream))
            continue;
        made.is_taken = true;
        if (take->order > made.order)
            made.order = take->order;
        has_none = has_none || take->order == TULLE_ORDER_NONE;
        made.wants_arrivals = made.wants_arrivals || (take->flags & TULLE_WATCH_ARRIVALS) != 0;
        made.wants_duplicates =
            made.wants_duplicates || (take->flags & TULLE_WATCH_DUPLICATES) != 0;
        made.wants_clock = made.wants_clock || (take->flags & TULLE_DETAIL_CLOCK) != 0;
        if (take->since < made.since) {
            made.since = take->since;
            made.from = take->from;
            made.from_count = take->from_count;
        }
    }
    /* Those who want it as it comes get it at arrival, though others wait for order. */
    if (has_none && made.order != TULLE_ORDER_NONE)
        made.wants_arrivals = true;
    *policy = made;
}
