/* SPDX-License-Identifier: MPL-2.0 */
/* What may leave a side of a proxy. */

#include "base/alloc.h"
#include "delivery/forward_state.h"

#include <string.h>

static bool
copy_patterns(struct tulle__patterns *out, const char *const *patterns, size_t count)
{
    *out = (struct tulle__patterns){ 0 };
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

bool
tulle__side_set_policy(struct tulle__side *side, const struct tulle__forward_policy *policy)
{
    struct tulle__patterns allow;
    struct tulle__patterns deny;
    if (!copy_patterns(&allow, policy->allow, policy->allow_count))
        return false;
    if (!copy_patterns(&deny, policy->deny, policy->deny_count)) {
        tulle__free(allow.texts);
        return false;
    }
    tulle__side_fini_policy(side);
    side->allow = allow;
    side->deny = deny;
    return true;
}

void
tulle__side_fini_policy(struct tulle__side *side)
{
    tulle__free(side->allow.texts);
    tulle__free(side->deny.texts);
    side->allow = (struct tulle__patterns){ 0 };
    side->deny = (struct tulle__patterns){ 0 };
}

static bool
is_among(const struct tulle__patterns *patterns, struct tulle__view stream)
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
