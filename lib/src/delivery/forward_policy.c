/* SPDX-License-Identifier: MPL-2.0 */
/* What may leave a side of a proxy. */

#include "base/alloc.h"
#include "delivery/forward_state.h"

#include <string.h>

static bool
copy_patterns(struct tulle__policy_patterns *out, const char *const *patterns, size_t count)
{
    *out = (struct tulle__policy_patterns){ 0 };
    if (count == 0)
        return true;
    out->texts = tulle__alloc(count * sizeof *out->texts);
    if (out->texts == NULL)
        return false;
    out->count = count;
    for (size_t i = 0; i < count; i++)
        memcpy(out->texts[i], patterns[i], strnlen(patterns[i], TULLE__TOPIC_LEN_MAX));
    return true;
}

/* A new number begins without what was made up for by the old one. */
static void
set_rate(struct tulle__rate *rate, uint64_t per_second)
{
    if (rate->per_second != per_second)
        *rate = (struct tulle__rate){ .per_second = per_second };
}

bool
tulle__side_set_policy(struct tulle__side *side,
                       const struct tulle__forward_policy *policy,
                       struct tulle__now now)
{
    struct tulle__policy_patterns allow;
    struct tulle__policy_patterns deny;
    if (!copy_patterns(&allow, policy->allow, policy->allow_count))
        return false;
    if (!copy_patterns(&deny, policy->deny, policy->deny_count)) {
        tulle__free(allow.texts);
        return false;
    }
    tulle__side_fini_policy(side);
    side->allow = allow;
    side->deny = deny;
    side->event_bytes_max = policy->event_bytes_max;
    set_rate(&side->events, policy->events_per_second);
    set_rate(&side->bytes, policy->bytes_per_second);
    set_rate(&side->answer_events, (policy->events_per_second + 1) / 2);
    set_rate(&side->answer_bytes, policy->bytes_per_second / 2);
    tulle__store_bound(&side->store, policy->retain_bytes, policy->retain_ms, now.mono);
    return true;
}

void
tulle__side_fini_policy(struct tulle__side *side)
{
    tulle__free(side->allow.texts);
    tulle__free(side->deny.texts);
    side->allow = (struct tulle__policy_patterns){ 0 };
    side->deny = (struct tulle__policy_patterns){ 0 };
}

static bool
is_among(const struct tulle__policy_patterns *patterns, struct tulle__view stream)
{
    struct tulle__key keys[TULLE__KEYS_PER_PATTERN_MAX];
    for (size_t i = 0; i < patterns->count; i++) {
        struct tulle__view pattern = tulle__view_of(patterns->texts[i]);
        size_t key_count = tulle__pattern_keys(pattern, keys);
        for (size_t k = 0; k < key_count; k++) {
            if (tulle__key_takes(tulle__key_view(&keys[k]), stream))
                return true;
        }
    }
    return false;
}

bool
tulle__side_lets_out(const struct tulle__side *side, struct tulle__view stream)
{
    return (side->allow.count == 0 || is_among(&side->allow, stream)) &&
           !is_among(&side->deny, stream);
}

/* ---- sizes ---- */

bool
tulle__side_fits(const struct tulle__side *side, struct tulle__view view)
{
    struct tulle__batch batch;
    struct tulle__event_walk walk;
    struct tulle__event_view event;
    if (side->event_bytes_max == 0 || view.len <= side->event_bytes_max ||
        tulle__batch_decode(view.data, view.len, &batch) != TULLE_OK)
        return true;
    tulle__batch_walk(&batch, &walk);
    while (tulle__batch_next(&walk, &event)) {
        if (event.payload.len > side->event_bytes_max)
            return false;
    }
    return true;
}

void
tulle__side_too_large(struct tulle__side *side, uint64_t node, struct tulle__view stream)
{
    struct tulle__engine *e = side->engine;
    uint64_t suppressed = 0;
    e->counters.dropped_size++;
    if (tulle__log_is_on(&e->config.log, TULLE_LOG_WARN) &&
        tulle__log_limit_pass(&side->too_large, e->now.mono, &suppressed)) {
        tulle__log(&e->config.log, TULLE_LOG_WARN, "proxy.too_large",
                   "node=%016llx name=%s stream=%.*s event_bytes_max=%lu suppressed=%llu",
                   (unsigned long long)node, tulle__node_name(e, node), (int)stream.len,
                   (const char *)stream.data, (unsigned long)side->event_bytes_max,
                   (unsigned long long)suppressed);
    }
}

/* ---- rates ---- */

/* At the rate something waits now and again: that is one time, not many. */
enum { HOLDS_NO_MORE_MS = 3000 };

void
tulle__side_holds(struct tulle__side *side, struct tulle__now now)
{
    struct tulle__rate_spell *holding = &side->holding;
    const struct tulle__engine *e = side->engine;
    holding->last_ns = now.mono.ns;
    if (holding->is_on)
        return;
    *holding = (struct tulle__rate_spell){ .is_on = true,
                                           .since_ns = now.mono.ns,
                                           .last_ns = now.mono.ns,
                                           .events = e->counters.limited_events,
                                           .bytes = e->counters.limited_bytes,
                                           .fetches = e->counters.limited_fetches };
    tulle__log(&e->config.log, TULLE_LOG_INFO, "limit.state",
               "state=holding events_per_second=%llu bytes_per_second=%llu",
               (unsigned long long)side->events.per_second,
               (unsigned long long)side->bytes.per_second);
}

void
tulle__side_look_whether_it_holds(struct tulle__side *side, struct tulle__now now)
{
    struct tulle__rate_spell *holding = &side->holding;
    const tulle_counters *counters = &side->engine->counters;
    if (!holding->is_on)
        return;
    if (side->queue != NULL)
        holding->last_ns = now.mono.ns;
    if (now.mono.ns - holding->last_ns < tulle__ms_to_ns(HOLDS_NO_MORE_MS))
        return;
    holding->is_on = false;
    tulle__log(&side->engine->config.log, TULLE_LOG_INFO, "limit.state",
               "state=open for_ms=%lld held_events=%llu held_bytes=%llu held_fetches=%llu",
               (long long)((holding->last_ns - holding->since_ns) / 1000000),
               (unsigned long long)(counters->limited_events - holding->events),
               (unsigned long long)(counters->limited_bytes - holding->bytes),
               (unsigned long long)(counters->limited_fetches - holding->fetches));
}

enum {
    PARTS_OF_SECOND = 8, /* an answer is at most one of them */
    AHEAD_MS = 1000
};

static bool
is_open(const struct tulle__rate *rate, int64_t now_ns)
{
    return rate->per_second == 0 || rate->due_ns <= now_ns;
}

static void
charge(struct tulle__rate *rate, uint64_t amount, struct tulle__now now)
{
    if (rate->per_second == 0)
        return;
    int64_t second_ns = tulle__ms_to_ns(1000);
    int64_t earliest_ns = now.mono.ns - second_ns;
    if (rate->due_ns < earliest_ns)
        rate->due_ns = earliest_ns;
    /* Not above 2^27 bytes, by the limits of messages: it cannot overflow. */
    rate->due_ns += (int64_t)(amount * (uint64_t)second_ns / rate->per_second);
}

bool
tulle__side_is_limited(const struct tulle__side *side)
{
    return side->events.per_second != 0 || side->bytes.per_second != 0;
}

bool
tulle__side_is_open(const struct tulle__side *side, struct tulle__now now)
{
    return is_open(&side->events, now.mono.ns) && is_open(&side->bytes, now.mono.ns);
}

bool
tulle__side_may_answer(const struct tulle__side *side, struct tulle__now now)
{
    if (side->queue == NULL)
        return tulle__side_is_open(side, now);
    /* The queue takes what there is as soon as there is some: answers go before. */
    int64_t ahead_ns = now.mono.ns + tulle__ms_to_ns(AHEAD_MS);
    return is_open(&side->answer_events, now.mono.ns) &&
           is_open(&side->answer_bytes, now.mono.ns) && is_open(&side->events, ahead_ns) &&
           is_open(&side->bytes, ahead_ns);
}

int64_t
tulle__side_due_ns(const struct tulle__side *side)
{
    if (side->queue == NULL)
        return TULLE__NEVER_NS;
    int64_t events_ns = side->events.per_second == 0 ? 0 : side->events.due_ns;
    int64_t bytes_ns = side->bytes.per_second == 0 ? 0 : side->bytes.due_ns;
    return events_ns > bytes_ns ? events_ns : bytes_ns;
}

void
tulle__side_charge_answer(struct tulle__side *side,
                          const struct tulle__load *load,
                          struct tulle__now now)
{
    tulle__side_charge(side, load, now);
    if (side->queue == NULL)
        return;
    charge(&side->answer_events, load->events, now);
    charge(&side->answer_bytes, load->bytes, now);
}

void
tulle__side_charge(struct tulle__side *side, const struct tulle__load *load, struct tulle__now now)
{
    charge(&side->events, load->events, now);
    charge(&side->bytes, load->bytes, now);
}

static uint64_t
part_of(const struct tulle__rate *rate)
{
    uint64_t part = rate->per_second / PARTS_OF_SECOND;
    return part > 0 ? part : 1;
}

void
tulle__side_narrow(const struct tulle__side *side, struct tulle__fetch *fetch)
{
    uint64_t bytes = part_of(&side->bytes);
    uint64_t events = part_of(&side->events);
    if (side->bytes.per_second != 0 && fetch->bytes_max > bytes)
        fetch->bytes_max = bytes;
    if (side->events.per_second != 0 && fetch->last - fetch->first >= events)
        fetch->last = fetch->first + events - 1;
}

void
tulle__forward_count(struct tulle__forward *f,
                     size_t from,
                     size_t to,
                     const struct tulle__load *load)
{
    tulle_counters *counters = &f->sides[from].engine->counters;
    counters->relayed_events += load->events;
    counters->relayed_batches += load->batches;
    counters->relayed_bytes += load->bytes;
    if (to == SIZE_MAX)
        return;
    counters = &f->sides[to].engine->counters;
    counters->entered_events += load->events;
    counters->entered_bytes += load->bytes;
}
