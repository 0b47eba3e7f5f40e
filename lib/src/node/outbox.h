/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_OUTBOX_H
#define TULLE_NODE_OUTBOX_H

/* Events that application threads have published and the node's thread has not
 * taken yet. Bounded in bytes; guarded by the node's mutex.
 *
 * Events of one stream that follow one another are encoded into one block, which
 * becomes the batch as it is; those with causality of their own stay by themselves. */

#include "delivery/engine.h"

#include <tulle/node.h>

#include <stdbool.h>
#include <stddef.h>

struct tulle__outgoing {
    struct tulle__outgoing *next;
    size_t bytes;
    uint32_t count;              /* events gathered; 0: a single one, in publish */
    struct tulle__writer events; /* gathered, all of stream */
    struct tulle__view stream;   /* behind the struct */
    /* A single one: behind the struct the causes and headers that there are, then texts
     * and payload. */
    struct tulle__publish publish; /* points into this block */
    struct tulle__attributes_in attributes;
    _Alignas(struct tulle__dep) _Alignas(struct tulle__pair) uint8_t data[];
};

struct tulle__outbox {
    struct tulle__outgoing *head;
    struct tulle__outgoing *tail;
    size_t bytes;             /* also of what was taken but the engine had no room for */
    size_t batch_bytes;       /* of gathered events, at most, but for a long one */
    struct tulle__pool *pool; /* owned; taken from with the node's mutex held */
};

/* False: no memory. */
bool tulle__outbox_init(struct tulle__outbox *outbox, size_t batch_bytes);
/* Frees what is in it. */
void tulle__outbox_fini(struct tulle__outbox *outbox);

/* Can these be published as they are? TULLE_OK or TULLE_EINVAL. */
TULLE_MUST_CHECK tulle_status tulle__outgoing_check(const char *topic,
                                                    const tulle_publish_options *options);
/* Add an event to those gathered last, or begin anew. False: no memory, nothing changed. */
bool tulle__outbox_gather(struct tulle__outbox *outbox,
                          const struct tulle__publish *publish,
                          const tulle_publish_options *options);
/* What an event will count for, about. */
size_t
tulle__outgoing_bytes(size_t topic_len, size_t payload_len, const tulle_publish_options *options);
/* A single one: a copy of everything; NULL without memory. */
struct tulle__outgoing *tulle__outgoing_new(const char *topic,
                                            const void *payload,
                                            size_t payload_len,
                                            const tulle_publish_options *options,
                                            uint32_t stream_levels);
void tulle__outbox_push(struct tulle__outbox *outbox, struct tulle__outgoing *outgoing);
/* Take the whole list. */
struct tulle__outgoing *tulle__outbox_take(struct tulle__outbox *outbox);
void tulle__outbox_free(struct tulle__outgoing *list);

#endif
