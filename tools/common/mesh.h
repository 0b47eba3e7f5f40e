/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_MESH_H
#define TULLE_TOOLS_MESH_H

/* A snapshot of the mesh (tulle/observe.h) with what people want to know on top: what to call
 * nodes and segments, who lags how far, and the snapshot as JSON. Nothing here looks at a node
 * or a clock: see lookout.h. */

#include "app/text.h"

#include <tulle/observe.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__mesh_node {
    const char *label;  /* its name if no other node has it, else NAME#ID; fit for a terminal */
    size_t lane_count;  /* that it publishes */
    size_t taken_count; /* lanes that it takes */
    uint64_t lag;       /* events of these that it has not acknowledged */
};

struct tulle__mesh {
    const tulle_snapshot *snapshot; /* borrowed */
    struct tulle__mesh_node *nodes; /* as the snapshot's nodes */
    const char **segments; /* labels, as the snapshot's segments: unique, fit for a terminal */
    char *texts;           /* the labels */
};

/* mesh is made for a snapshot, which must outlive it. Returns false when there is no memory;
 * tulle__mesh_fini() is allowed then too. */
bool tulle__mesh_init(struct tulle__mesh *mesh, const tulle_snapshot *snapshot);
void tulle__mesh_fini(struct tulle__mesh *mesh);

/* Index of a node; SIZE_MAX: it is not known. */
size_t tulle__mesh_find(const struct tulle__mesh *mesh, uint64_t id);

/* Append what to call a node, also one that is not known any more: name as a lane has it, or NULL.
 */
void tulle__mesh_put_label(const struct tulle__mesh *mesh,
                           uint64_t id,
                           const char *name,
                           struct tulle__text *out);

/* "-" for SIZE_MAX. */
const char *tulle__mesh_segment(const struct tulle__mesh *mesh, size_t segment);

/* Up or suspect: it is counted with. */
bool tulle__mesh_is_live(const tulle_seen_node *node);

/* "named", "up", "suspect", "gone", "left". */
const char *tulle__mesh_state(tulle_seen_state state);

/* Events that a taker has not acknowledged: head - acked, never below 0. */
uint64_t tulle__mesh_lag(const tulle_seen_lane *lane, const tulle_seen_taker *taker);

/* What all lanes of a stream come to. */
struct tulle__mesh_taker {
    uint64_t node;
    uint64_t lag; /* of all lanes of the stream */
};

struct tulle__mesh_stream {
    const char *name;
    size_t first_lane; /* its lanes are one behind the other in the snapshot */
    size_t lane_count;
    uint64_t events;                  /* the heads of its lanes */
    uint64_t changed_ms;              /* how long ago the last one grew */
    uint64_t lag;                     /* of the taker that is behind most */
    struct tulle__mesh_taker *takers; /* ascending nodes */
    size_t taker_count;
    uint64_t *holders; /* ascending nodes that hold events of it */
    size_t holder_count;
    bool has_failed; /* no memory */
};

/* Go to the next stream; start from { 0 }. Returns false at the end, or when memory failed.
 * tulle__mesh_stream_fini() in any case. */
bool tulle__mesh_stream_next(const struct tulle__mesh *mesh, struct tulle__mesh_stream *stream);
void tulle__mesh_stream_fini(struct tulle__mesh_stream *stream);

/* How much a counter of a node grew in a second between two snapshots, by the node's own time
 * (uptime_ms); negative: not known, as when it told nothing new. */
double tulle__mesh_rate(const tulle_snapshot *before,
                        const tulle_snapshot *after,
                        uint64_t id,
                        size_t counter_offset);

/* ---- JSON ---- */

/* The fields of an object, without its braces, so that a tool can add its own. */
void tulle__mesh_json_node(const struct tulle__mesh *mesh, size_t index, struct tulle__text *out);
void tulle__mesh_json_lane(const struct tulle__mesh *mesh, size_t index, struct tulle__text *out);
void
tulle__mesh_json_segment(const struct tulle__mesh *mesh, size_t index, struct tulle__text *out);
/* "time", "complete", "pending", "lanes_over", "marks_over" */
void tulle__mesh_json_head(const struct tulle__mesh *mesh, struct tulle__text *out);
/* "id" and "name" of a node, as everywhere. name as above. */
void tulle__mesh_json_who(const struct tulle__mesh *mesh,
                          uint64_t id,
                          const char *name,
                          struct tulle__text *out);

/* The whole snapshot: an object of the head and "nodes", "lanes", "segments", one row a line.
 * put_more, which may be NULL, appends ",\"field\":..." to the object of a node. */
typedef void tulle__mesh_more_fn(void *ctx, size_t node, struct tulle__text *out);
void tulle__mesh_json(const struct tulle__mesh *mesh,
                      tulle__mesh_more_fn *put_more,
                      void *ctx,
                      struct tulle__text *out);

#endif
