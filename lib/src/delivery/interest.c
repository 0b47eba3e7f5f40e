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
tulle__interest_init(struct tulle__interest *interest)
{
    interest->version = 1;
    interest->first_free = TULLE__NO_TAKE;
    interest->patterns = tulle__pattern_index_new();
}

void
tulle__interest_fini(struct tulle__interest *interest)
{
    while (interest->keys != NULL) {
        struct tulle__taken_key *key = interest->keys;
        HASH_DEL(interest->keys, key);
        tulle__free(key);
    }
    free_keys(&interest->removed);
    for (uint32_t i = 0; i < interest->take_end; i++)
        tulle__free(interest->takes[i].pattern);
    tulle__free(interest->takes);
    tulle__pattern_index_free(&interest->patterns);
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
    const struct tulle__interest *interest = &e->interest;
    if (options->from == TULLE_FROM_LIVE && interest->live_count == interest->used_count)
        return true;
    for (uint32_t i = 0; i < interest->take_end; i++) {
        const struct tulle__take *take = &interest->takes[i];
        struct tulle_subscribe_options other = { .from = take->from,
                                                 .from_count = take->from_count };
        if (take->is_used &&
            !tulle__engine_starts_agree(pattern, options, take_pattern(take), &other))
            return false;
    }
    return true;
}

static struct tulle__taken_key *
find_key(const struct tulle__interest *interest, const uint8_t *bytes, size_t len)
{
    struct tulle__taken_key *taken = NULL;
    HASH_FIND(hh, interest->keys, bytes, len, taken);
    return taken;
}

static tulle_status
add_key(struct tulle__engine *e, const struct tulle__key *key)
{
    struct tulle__interest *interest = &e->interest;
    struct tulle__taken_key *taken = find_key(interest, key->bytes, key->len);
    if (taken != NULL) {
        taken->refs++;
        return TULLE_OK;
    }
    if (interest->key_count == TULLE__TAKES_MAX)
        return TULLE_ELIMIT;
    taken = tulle__actions_reserve(e) ? tulle__alloc(sizeof *taken) : NULL;
    if (taken == NULL)
        return TULLE_ENOMEM;
    taken->key = *key;
    taken->refs = 1;
    HASH_ADD_KEYPTR(hh, interest->keys, taken->key.bytes, taken->key.len, taken);
    if (find_key(interest, key->bytes, key->len) != taken) { /* no memory for the table */
        tulle__free(taken);
        return TULLE_ENOMEM;
    }
    interest->key_count++;
    tulle__action_push(e, TULLE__ACTION_SUBSCRIBE)->u.key = &taken->key;
    return TULLE_OK;
}

static void
remove_key(struct tulle__engine *e, const struct tulle__key *key)
{
    struct tulle__interest *interest = &e->interest;
    struct tulle__taken_key *taken = find_key(interest, key->bytes, key->len);
    if (taken == NULL || --taken->refs > 0)
        return;
    HASH_DEL(interest->keys, taken);
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
    return options->from != TULLE_FROM_LIVE ||
           (options->order != TULLE_ORDER_NONE && e->interest.unordered_count > 0);
}

static uint32_t
reserve_take(struct tulle__interest *interest)
{
    uint32_t handle = interest->first_free;
    if (handle != TULLE__NO_TAKE) {
        interest->first_free = interest->takes[handle].next_free;
        return handle;
    }
    if (!tulle__grow(&interest->takes, &interest->take_cap, interest->take_end,
                     sizeof *interest->takes))
        return TULLE__NO_TAKE;
    handle = interest->take_end++;
    interest->takes[handle] = (struct tulle__take){ 0 };
    return handle;
}

static void
release_take(struct tulle__interest *interest, uint32_t handle)
{
    struct tulle__take *take = &interest->takes[handle];
    tulle__free(take->pattern);
    *take = (struct tulle__take){ .next_free = interest->first_free };
    interest->first_free = handle;
}

static void
count_take(struct tulle__interest *interest, const struct tulle__take *take, uint32_t change)
{
    interest->used_count += change;
    interest->live_count += take->from == TULLE_FROM_LIVE ? change : 0;
    interest->unordered_count += take->order == TULLE_ORDER_NONE ? change : 0;
}

static void
remove_keys(struct tulle__engine *e, const struct tulle__key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        remove_key(e, &keys[i]);
}

/* The keys of a pattern; all or none of them. */
static tulle_status
add_keys(struct tulle__engine *e, const struct tulle__key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tulle_status status = add_key(e, &keys[i]);
        if (status != TULLE_OK) {
            remove_keys(e, keys, i);
            interest_changed(e, false); /* back, but for the version */
            return status;
        }
    }
    return TULLE_OK;
}

/* Note the pattern, its place in the index, and its keys. */
static tulle_status
add_take(struct tulle__engine *e, struct tulle__view pattern, uint32_t *handle)
{
    struct tulle__interest *interest = &e->interest;
    struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    size_t key_count = tulle__pattern_keys(pattern, keys);
    *handle = reserve_take(interest);
    if (*handle == TULLE__NO_TAKE)
        return TULLE_ENOMEM;
    char *copy = tulle__strndup((const char *)pattern.data, pattern.len);
    tulle_status status = TULLE_ENOMEM;
    if (copy != NULL && tulle__pattern_index_add(interest->patterns, pattern, *handle)) {
        status = add_keys(e, keys, key_count);
        if (status != TULLE_OK)
            tulle__pattern_index_remove(interest->patterns, pattern, *handle);
    }
    if (status != TULLE_OK) {
        tulle__free(copy);
        release_take(interest, *handle);
        return status;
    }
    interest->takes[*handle].pattern = copy;
    interest->takes[*handle].pattern_len = pattern.len;
    return TULLE_OK;
}

tulle_status
tulle__engine_subscribe(struct tulle__engine *e,
                        struct tulle__view pattern,
                        const struct tulle_subscribe_options *options,
                        uint32_t *handle,
                        struct tulle__now now)
{
    struct tulle__interest *interest = &e->interest;
    e->now = now;
    free_removed(e);
    if (!starts_agree(e, pattern, options))
        return TULLE_ESTATE;
    if (interest->used_count == TULLE__TAKES_LIMIT)
        return TULLE_ELIMIT;
    tulle_status status = add_take(e, pattern, handle);
    if (status != TULLE_OK)
        return status;
    struct tulle__take *take = &interest->takes[*handle];
    take->is_used = true;
    take->order = options->order;
    take->from = options->from;
    take->from_count = options->from_count;
    take->flags = options->flags;
    take->since = ++interest->version;
    count_take(interest, take, 1);
    interest_changed(e, wants_past(e, options));
    tulle__progress(e);
    return TULLE_OK;
}

void
tulle__engine_unsubscribe(struct tulle__engine *e, uint32_t handle, struct tulle__now now)
{
    struct tulle__interest *interest = &e->interest;
    struct tulle__take *take = &interest->takes[handle];
    struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    size_t key_count = tulle__pattern_keys(take_pattern(take), keys);
    e->now = now;
    free_removed(e);
    count_take(interest, take, UINT32_MAX); /* one less */
    tulle__pattern_index_remove(interest->patterns, take_pattern(take), handle);
    release_take(interest, handle);
    interest->version++;
    remove_keys(e, keys, key_count);
    interest_changed(e, false);
    tulle__progress(e);
}

struct tulle__pattern_index *
tulle__engine_patterns(struct tulle__engine *e)
{
    return e->interest.patterns;
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
    for (struct tulle__taken_key *k = interest->keys; k != NULL; k = k->hh.next)
        k->refs = 1; /* 1: not wanted so far, 2: wanted */
    for (size_t i = 0; i < count; i++) {
        struct tulle__taken_key *taken = NULL;
        if (make_key(&key, keys[i]))
            taken = find_key(interest, key.bytes, key.len);
        if (taken != NULL)
            taken->refs = 2;
    }
    for (struct tulle__taken_key *k = interest->keys; k != NULL;) {
        struct tulle__taken_key *next = k->hh.next;
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
        if (make_key(&key, keys[i]) && find_key(interest, key.bytes, key.len) == NULL &&
            add_key(e, &key) == TULLE_OK)
            has_changed = true;
    }
    if (has_changed) {
        interest->version++;
        tulle__beat_at_once(e); /* proxies wait for one another's along a chain */
    }
}

/* Keys are those of patterns: only what ends with a level can be one. */
bool
tulle__interest_takes(const struct tulle__engine *e, struct tulle__view stream)
{
    const struct tulle__interest *interest = &e->interest;
    struct tulle__key key;
    if (stream.len >= sizeof key.bytes)
        return false;
    if (find_key(interest, stream.data, 0) != NULL)
        return true;
    for (size_t i = 0; i < stream.len; i++) {
        if (stream.data[i] == '/' && find_key(interest, stream.data, i + 1) != NULL)
            return true;
    }
    memcpy(key.bytes, stream.data, stream.len);
    key.bytes[stream.len] = 0;
    return find_key(interest, key.bytes, stream.len + 1) != NULL;
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
    struct tulle__pattern_ids taking = tulle__pattern_index_taking(e->interest.patterns, stream);
    for (size_t i = 0; i < taking.count; i++) {
        const struct tulle__take *take = &e->interest.takes[taking.items[i]];
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
