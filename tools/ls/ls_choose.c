/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/ls/ls_choose.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
tulle__ls_take_of(const tulle_seen_node *node, const char *stream)
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
tulle__ls_is_named(const struct tulle__ls_choice *choice, uint64_t id, const char *name)
{
    const struct tulle__list *wanted = &choice->options->nodes;
    const tulle_seen_node *node = tulle_snapshot_node(choice->mesh->snapshot, id);
    const char *known = node != NULL ? node->name : name != NULL ? name : "";
    for (size_t i = 0; i < wanted->count; i++) {
        if (names(wanted->items[i], id, known))
            return true;
    }
    return wanted->count == 0;
}

bool
tulle__ls_is_stream(const struct tulle__ls_choice *choice, const char *stream)
{
    const struct tulle__list *wanted = &choice->options->streams;
    for (size_t i = 0; i < wanted->count; i++) {
        if (tulle__pattern_meets_stream(wanted->items[i], stream))
            return true;
    }
    return wanted->count == 0;
}

bool
tulle__ls_waits_for(const struct tulle__ls_choice *choice, const tulle_seen_node *node)
{
    const struct tulle__list *wanted = &choice->options->streams;
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

static void
mark(struct tulle__ls_choice *choice, uint64_t id)
{
    size_t node = tulle__mesh_find(choice->mesh, id);
    if (node != SIZE_MAX)
        choice->is_on_stream[node] = true;
}

bool
tulle__ls_choice_init(struct tulle__ls_choice *choice)
{
    const tulle_snapshot *s = choice->mesh->snapshot;
    choice->is_on_stream = calloc(s->node_count + 1, sizeof *choice->is_on_stream);
    if (choice->is_on_stream == NULL)
        return false;
    for (size_t i = 0; i < s->lane_count; i++) {
        const tulle_seen_lane *lane = &s->lanes[i];
        if (!tulle__ls_is_stream(choice, lane->stream))
            continue;
        mark(choice, lane->node);
        for (size_t k = 0; k < lane->taker_count; k++)
            mark(choice, lane->takers[k].node);
    }
    return true;
}

void
tulle__ls_choice_fini(struct tulle__ls_choice *choice)
{
    free(choice->is_on_stream);
    choice->is_on_stream = NULL;
}

static bool
is_shown(const struct tulle__ls_choice *choice, const tulle_seen_node *node)
{
    bool is_extra = node->is_self || node->state == TULLE_SEEN_LEFT;
    return (!is_extra || choice->options->is_all) && tulle__ls_is_named(choice, node->id, NULL);
}

bool
tulle__ls_has_node(const struct tulle__ls_choice *choice, size_t index)
{
    const tulle_seen_node *node = &choice->mesh->snapshot->nodes[index];
    return is_shown(choice, node) &&
           (choice->options->streams.count == 0 || choice->is_on_stream[index]);
}

bool
tulle__ls_has_proxy(const struct tulle__ls_choice *choice, size_t index)
{
    const tulle_seen_node *node = &choice->mesh->snapshot->nodes[index];
    return node->is_proxy && is_shown(choice, node);
}

bool
tulle__ls_has_lane(const struct tulle__ls_choice *choice, const tulle_seen_lane *lane)
{
    return tulle__ls_is_stream(choice, lane->stream) &&
           tulle__ls_is_named(choice, lane->node, lane->node_name);
}

bool
tulle__ls_has_stream(const struct tulle__ls_choice *choice, const struct tulle__mesh_stream *stream)
{
    const tulle_seen_lane *lanes = choice->mesh->snapshot->lanes + stream->first_lane;
    bool is_named = choice->options->nodes.count == 0;
    for (size_t i = 0; i < stream->lane_count && !is_named; i++)
        is_named = tulle__ls_is_named(choice, lanes[i].node, lanes[i].node_name);
    for (size_t i = 0; i < stream->taker_count && !is_named; i++)
        is_named = tulle__ls_is_named(choice, stream->takers[i].node, NULL);
    return is_named && tulle__ls_is_stream(choice, stream->name);
}

bool
tulle__ls_has_segment(const struct tulle__ls_choice *choice, size_t index)
{
    const tulle_seen_segment *segment = &choice->mesh->snapshot->segments[index];
    bool is_named = choice->options->nodes.count == 0;
    for (size_t i = 0; i < segment->node_count && !is_named; i++)
        is_named = tulle__ls_is_named(choice, segment->nodes[i], NULL);
    return is_named;
}
