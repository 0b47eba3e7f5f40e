/* SPDX-License-Identifier: MPL-2.0 */
/* Lane names <-> indices: two hash tables, one of streams (shared by lanes, counted)
 * and one of pairs (node, which stream); a free list keeps indices dense. */

#include "clock/lane_names.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "base/table.h"

#include <string.h>

enum { RECENT = 64 };

struct stream {
    uint32_t refs;
    size_t len;
    UT_hash_handle hh;
    char text[]; /* with a NUL */
};

/* The hash key: no padding on any machine. */
struct pair {
    uint64_t node;
    uint64_t stream; /* the address of the shared one stands for its text */
};

struct name {
    struct pair pair;
    UT_hash_handle hh; /* beside the key: they are read together */
    struct stream *stream;
    uint32_t index;
};

struct tulle__lane_names {
    uint32_t max;
    uint32_t count;
    uint32_t end;
    struct name **by_index; /* NULL: free */
    size_t cap;
    uint32_t *free_indices;
    size_t free_count;
    size_t free_cap;
    struct stream *streams;
    struct name *names;
    uint32_t recent[RECENT]; /* indices found lately, by a cheap hash of what was asked */
};

struct tulle__lane_names *
tulle__lane_names_new(uint32_t max)
{
    struct tulle__lane_names *names = tulle__alloc(sizeof *names);
    if (names == NULL)
        return NULL;
    names->max = max < TULLE__LANE_NONE ? max : TULLE__LANE_NONE - 1;
    memset(names->recent, 0xff, sizeof names->recent); /* TULLE__LANE_NONE */
    return names;
}

static struct stream *
find_stream(const struct tulle__lane_names *names, struct tulle__view view)
{
    struct stream *stream = NULL;
    HASH_FIND(hh, names->streams, view.data, view.len, stream);
    return stream;
}

static struct name *
find_name(const struct tulle__lane_names *names, uint64_t node, const struct stream *stream)
{
    struct pair pair = { node, (uintptr_t)stream };
    struct name *name = NULL;
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): all bytes are set */
    HASH_FIND(hh, names->names, &pair, sizeof pair, name);
    return name;
}

static void
unref_stream(struct tulle__lane_names *names, struct stream *stream)
{
    if (--stream->refs > 0)
        return;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is in the table */
    HASH_DEL(names->streams, stream);
    tulle__free(stream);
}

static struct stream *
ref_stream(struct tulle__lane_names *names, struct tulle__view view)
{
    struct stream *stream = find_stream(names, view);
    if (stream != NULL) {
        stream->refs++;
        return stream;
    }
    stream = tulle__alloc(sizeof *stream + view.len + 1);
    if (stream == NULL)
        return NULL;
    stream->refs = 1;
    stream->len = view.len;
    if (view.len > 0)
        memcpy(stream->text, view.data, view.len);
    HASH_ADD_KEYPTR(hh, names->streams, stream->text, stream->len, stream);
    if (find_stream(names, view) != stream) {
        tulle__free(stream);
        return NULL;
    }
    return stream;
}

static bool
reserve_index(struct tulle__lane_names *names, uint32_t *index)
{
    if (names->free_count > 0) {
        *index = names->free_indices[--names->free_count];
        return true;
    }
    if (!tulle__grow(&names->by_index, &names->cap, names->end, sizeof(struct name *)))
        return false;
    *index = names->end++;
    names->by_index[*index] = NULL;
    return true;
}

/* Room to note a freed index is made when it is given out: release cannot fail. */
static bool
reserve_free_slot(struct tulle__lane_names *names)
{
    while (names->free_cap <= names->end) {
        if (!tulle__grow(&names->free_indices, &names->free_cap, names->free_cap,
                         sizeof *names->free_indices))
            return false;
    }
    return true;
}

static uint32_t
add_name(struct tulle__lane_names *names, uint64_t node, struct stream *stream)
{
    uint32_t index;
    struct name *name = tulle__alloc(sizeof *name);
    if (name == NULL || !reserve_free_slot(names) || !reserve_index(names, &index)) {
        tulle__free(name);
        return TULLE__LANE_NONE;
    }
    name->pair = (struct pair){ node, (uintptr_t)stream };
    name->stream = stream;
    name->index = index;
    HASH_ADD(hh, names->names, pair, sizeof name->pair, name);
    if (find_name(names, node, stream) != name) {
        names->free_indices[names->free_count++] = index;
        tulle__free(name);
        return TULLE__LANE_NONE;
    }
    names->by_index[index] = name;
    names->count++;
    return index;
}

static uint32_t *
recent_slot(struct tulle__lane_names *names, uint64_t node, struct tulle__view stream)
{
    uint64_t hash = (node ^ stream.len) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    if (stream.len > 0)
        hash ^= stream.data[stream.len - 1];
    return &names->recent[hash % RECENT];
}

static bool
is_name_of(const struct tulle__lane_names *names,
           uint32_t index,
           uint64_t node,
           struct tulle__view stream)
{
    if (!tulle__lane_names_is_used(names, index))
        return false;
    const struct name *name = names->by_index[index];
    return name->pair.node == node && name->stream->len == stream.len &&
           memcmp(name->stream->text, stream.data, stream.len) == 0;
}

uint32_t
tulle__lane_names_find(struct tulle__lane_names *names, uint64_t node, struct tulle__view stream)
{
    uint32_t *recent = recent_slot(names, node, stream);
    if (is_name_of(names, *recent, node, stream))
        return *recent;
    const struct stream *shared = find_stream(names, stream);
    const struct name *name = shared == NULL ? NULL : find_name(names, node, shared);
    if (name == NULL)
        return TULLE__LANE_NONE;
    *recent = name->index;
    return name->index;
}

uint32_t
tulle__lane_names_intern(struct tulle__lane_names *names, uint64_t node, struct tulle__view stream)
{
    uint32_t index = tulle__lane_names_find(names, node, stream);
    if (index != TULLE__LANE_NONE || names->count >= names->max)
        return index;
    struct stream *shared = ref_stream(names, stream);
    if (shared == NULL)
        return TULLE__LANE_NONE;
    index = add_name(names, node, shared);
    if (index == TULLE__LANE_NONE)
        unref_stream(names, shared);
    return index;
}

uint64_t
tulle__lane_names_node(const struct tulle__lane_names *names, uint32_t lane)
{
    TULLE_ASSERT(tulle__lane_names_is_used(names, lane));
    return names->by_index[lane]->pair.node;
}

struct tulle__view
tulle__lane_names_stream(const struct tulle__lane_names *names, uint32_t lane)
{
    TULLE_ASSERT(tulle__lane_names_is_used(names, lane));
    const struct stream *stream = names->by_index[lane]->stream;
    return (struct tulle__view){ (const uint8_t *)stream->text, stream->len };
}

void
tulle__lane_names_release(struct tulle__lane_names *names, uint32_t lane)
{
    TULLE_ASSERT(tulle__lane_names_is_used(names, lane));
    struct name *name = names->by_index[lane];
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is in the table */
    HASH_DEL(names->names, name);
    unref_stream(names, name->stream);
    tulle__free(name);
    names->by_index[lane] = NULL;
    names->free_indices[names->free_count++] = lane;
    names->count--;
}

uint32_t
tulle__lane_names_end(const struct tulle__lane_names *names)
{
    return names->end;
}

bool
tulle__lane_names_is_used(const struct tulle__lane_names *names, uint32_t lane)
{
    return lane < names->end && names->by_index[lane] != NULL;
}

uint32_t
tulle__lane_names_count(const struct tulle__lane_names *names)
{
    return names->count;
}

void
tulle__lane_names_free(struct tulle__lane_names **pointer)
{
    struct tulle__lane_names *names = *pointer;
    if (names == NULL)
        return;
    for (uint32_t i = 0; i < names->end; i++) {
        if (names->by_index[i] != NULL)
            tulle__lane_names_release(names, i);
    }
    tulle__free(names->by_index);
    tulle__free(names->free_indices);
    tulle__free(names);
    *pointer = NULL;
}
