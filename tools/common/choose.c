/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/choose.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char tulle__choose_nothing[] = "nothing in the mesh is what --node and --stream ask for";

enum { ID_DIGITS = 16, ID_DIGITS_MIN = 4 };

bool
tulle__pattern_meets_stream(const char *pattern, const char *stream)
{
    for (;;) {
        size_t want = strcspn(pattern, "/");
        size_t has = strcspn(stream, "/");
        bool is_star = want == 1 && pattern[0] == '*';
        if (want == 2 && strncmp(pattern, "**", 2) == 0)
            return true; /* it can be as long as it has to */
        if (!is_star && (want != has || memcmp(pattern, stream, want) != 0))
            return false;
        if (stream[has] == '\0')
            return true; /* what the pattern wants further is below the stream */
        if (pattern[want] == '\0')
            return false;
        pattern += want + 1;
        stream += has + 1;
    }
}

const char *
tulle__take_of(const tulle_seen_node *node, const char *stream)
{
    for (size_t i = 0; i < node->take_count; i++) {
        const char *take = node->takes[i];
        size_t len = strlen(take);
        bool is_prefix = len >= 2 && strcmp(take + len - 2, "**") == 0;
        if (is_prefix ? strncmp(take, stream, len - 2) == 0 : strcmp(take, stream) == 0)
            return take;
    }
    return NULL;
}

bool
tulle__take_is_implied(const char *const *takes, size_t count, const char *take)
{
    size_t len = strlen(take);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(takes[i], take, len) == 0 && strcmp(takes[i] + len, "/**") == 0)
            return true;
    }
    return false;
}

/* The whole id, or as labels and people shorten it: its first digits. */
static bool
is_id(const char *text, uint64_t id)
{
    char digits[ID_DIGITS + 1];
    size_t len = strlen(text);
    (void)snprintf(digits, sizeof digits, "%016" PRIx64, id);
    return len >= ID_DIGITS_MIN && len <= ID_DIGITS && strncmp(text, digits, len) == 0;
}

static bool
names(const char *wanted, uint64_t id, const char *name)
{
    const char *hash = strrchr(wanted, '#'); /* NAME#ID, as labels have it */
    if (fnmatch(wanted, name, 0) == 0 || is_id(wanted, id))
        return true;
    return hash != NULL && is_id(hash + 1, id) && strlen(name) == (size_t)(hash - wanted) &&
           memcmp(name, wanted, (size_t)(hash - wanted)) == 0;
}

bool
tulle__choose_is_node(const struct tulle__list *wanted,
                      const tulle_snapshot *snapshot,
                      uint64_t id,
                      const char *name)
{
    const tulle_seen_node *node = tulle_snapshot_node(snapshot, id);
    const char *known = node != NULL ? node->name : name != NULL ? name : "";
    for (size_t i = 0; i < wanted->count; i++) {
        if (names(wanted->items[i], id, known))
            return true;
    }
    return wanted->count == 0;
}

bool
tulle__choose_is_stream(const struct tulle__list *wanted, const char *stream)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (tulle__pattern_meets_stream(wanted->items[i], stream))
            return true;
    }
    return wanted->count == 0;
}

bool
tulle__choose_waits_for(const struct tulle__list *wanted, const tulle_seen_node *node)
{
    for (size_t i = 0; i < wanted->count; i++) {
        for (size_t k = 0; k < node->take_count; k++) {
            char prefix[512]; /* longer topics are not allowed */
            const char *take = node->takes[k];
            size_t len = strlen(take);
            size_t cut = len >= 3 && strcmp(take + len - 3, "/**") == 0 ? 3 : 0;
            (void)snprintf(prefix, sizeof prefix, "%.*s", (int)(len - cut), take);
            if (strcmp(take, "**") == 0 || tulle__pattern_meets_stream(wanted->items[i], prefix))
                return true;
        }
    }
    return wanted->count == 0;
}
