/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CODEC_BATCH_H
#define TULLE_CODEC_BATCH_H

/* Key, batch and path frames (protocol.md 4).
 *
 *   key    stream name, then one zero byte
 *   batch  [version, node, first seq, deps, base time, events]
 *          deps    [stream, [node, count, node, count, ...], stream, [...], ...]
 *          events  [[rest of topic, us since base, payload bin (, attributes map)], ...]
 *   path   [id, id, ...]  proxies passed, oldest first
 *
 * Decoding checks the whole frame once and gives views into it; walking the
 * views afterwards cannot fail and allocates nothing. */

#include "codec/reader.h"
#include "codec/writer.h"

#include <tulle/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An entry of a clock on the wire; stream borrowed. */
struct tulle__dep {
    uint64_t node;
    struct tulle__view stream;
    uint64_t count;
};

/* A clock inside a checked message: walk with tulle__clock_view_next(). Copying
 * the struct restarts the walk. */
struct tulle__clock_view {
    struct tulle__reader reader;
    struct tulle__view stream; /* of the group that is being walked */
    uint32_t streams_left;
    uint32_t pairs_left;
    uint32_t count; /* entries in all */
};

bool tulle__clock_view_next(struct tulle__clock_view *clock, struct tulle__dep *out);
/* Read (and fully check) a clock at the reader's place; fails the reader when it is malformed. */
struct tulle__clock_view tulle__read_clock(struct tulle__reader *r);
/* Write a clock; entries of equal stream that stand together share one group. */
void tulle__write_clock(struct tulle__writer *w, const struct tulle__dep *deps, size_t count);

struct tulle__event_view {
    uint64_t seq;
    struct tulle__view rest; /* topic below the stream; empty when the topic is the stream */
    uint64_t hlc;
    struct tulle__view payload;
    struct tulle__view attributes; /* a checked msgpack map; len 0 when there is none */
};

struct tulle__batch {
    uint64_t node;
    uint64_t first_seq;
    uint32_t event_count; /* at least 1 */
    uint64_t base_hlc;
    size_t rest_len_max; /* of the longest rest of a topic in it */
    struct tulle__clock_view deps;
    struct tulle__reader events; /* the elements of the events array */
};

/* Walks the events of a batch. */
struct tulle__event_walk {
    struct tulle__reader reader;
    uint32_t left;
    uint64_t seq;
    uint64_t base_hlc;
};

/* Stream of a key frame, without the zero byte.
 * Returns TULLE_OK, TULLE_EBADMSG (empty, too long, no or another zero byte, no valid topic) */
TULLE_MUST_CHECK tulle_status tulle__key_decode(const void *data,
                                                size_t len,
                                                struct tulle__view *stream);

/* Returns TULLE_OK, TULLE_EBADMSG, TULLE_EVERSION (first element is another major version) */
TULLE_MUST_CHECK tulle_status tulle__batch_decode(const void *data,
                                                  size_t len,
                                                  struct tulle__batch *out);
/* Deps of a batch that was decoded before: its events are not looked at again. */
struct tulle__clock_view tulle__batch_deps(const void *data, size_t len);
/* Do the topics of all its events stay within the limit when they are joined to
 * the stream of its key? A batch that does not fit is malformed. */
bool tulle__batch_fits(const struct tulle__batch *batch, struct tulle__view stream);
void tulle__batch_walk(const struct tulle__batch *batch, struct tulle__event_walk *walk);
bool tulle__batch_next(struct tulle__event_walk *walk, struct tulle__event_view *out);

/* Ids of a path frame. Returns TULLE_OK, TULLE_EBADMSG (also: more than TULLE__PATH_MAX) */
TULLE_MUST_CHECK tulle_status tulle__path_decode(const void *data,
                                                 size_t len,
                                                 uint64_t ids[],
                                                 uint32_t *count);
void tulle__path_encode(struct tulle__writer *w, const uint64_t ids[], uint32_t count);

/* Attributes of an event to be published. */
struct tulle__attributes_in {
    const char *content_type;        /* NULL: none */
    const struct tulle__dep *causes; /* count is the seq */
    size_t cause_count;
    struct tulle__pair {
        const char *name;
        const char *value;
    } const *headers;
    size_t header_count;
};

/* Append one event element to a writer that gathers a batch's events. seq is
 * implied by the place; offset_us is from the batch's base time. attributes
 * may be NULL; when they are empty, none are written. */
void tulle__event_encode(struct tulle__writer *events,
                         struct tulle__view rest,
                         uint64_t offset_us,
                         struct tulle__view payload,
                         const struct tulle__attributes_in *attributes);

/* Head of a batch to be closed. */
struct tulle__batch_head {
    uint64_t node;
    uint64_t first_seq;
    uint64_t base_hlc;
    uint32_t event_count;
    const struct tulle__dep *deps;
    size_t dep_count;
    struct tulle__pool *pool; /* where the frame's memory is from; NULL: the system */
    size_t events_at;         /* where the events begin in their writer */
};

/* Left open before the events of a batch, for all that stands before them in a block that
 * becomes the frame. */
enum { TULLE__BATCH_ROOM = 256 };

/* The finished batch frame: head, deps, and the gathered events; NULL when there
 * is no memory. scratch is reset and reused. A block of events that is from a pool, has
 * room before them and is well filled becomes the frame, and its writer is empty; else
 * they are copied. */
struct tulle__buf *tulle__batch_encode(const struct tulle__batch_head *head,
                                       struct tulle__writer *events,
                                       struct tulle__writer *scratch);

/* Attributes of a received event, decoded: at most the limits' numbers. Unknown
 * attributes are skipped (they stay in the event's bytes). */
struct tulle__attributes {
    struct tulle__view content_type; /* len 0: none */
    uint32_t cause_count;
    struct tulle__reader causes; /* walk with tulle__cause_next() */
    uint32_t header_count;
    struct tulle__reader headers; /* walk with tulle__header_next() */
};

/* Read (and fully check) an attributes map at the reader's place; fails the
 * reader when it is malformed. */
void tulle__read_attributes(struct tulle__reader *r, struct tulle__attributes *out);
/* attributes is a view that batch decoding has checked. */
void tulle__attributes_decode(struct tulle__view attributes, struct tulle__attributes *out);
bool tulle__cause_next(struct tulle__attributes *attributes, struct tulle__dep *out);
bool tulle__header_next(struct tulle__attributes *attributes,
                        struct tulle__view *name,
                        struct tulle__view *value);

#endif
