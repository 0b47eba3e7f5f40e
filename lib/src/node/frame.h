/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_FRAME_H
#define TULLE_NODE_FRAME_H

/* Buffers as frames of ZeroMQ messages, and back: long ones share their bytes. */

#include "base/buf.h"
#include "codec/reader.h"

#include <stdbool.h>
#include <zmq.h>

/* Send the buffer as a frame; ZMQ_DONTWAIT goes without saying. False: it was not taken. */
bool tulle__frame_send(void *socket, struct tulle__buf *buf, int flags);
/* libzmq notes only every millisecond or so what others have taken off a queue of this socket:
 * as much as goes out within that counts as waiting, and is dropped past the queue's limit. */
void tulle__frame_look_for_room(void *socket);
/* A received frame as a buffer: a long one is kept as it is, a short one is copied. The
 * frame is the caller's to close. NULL when there is no memory. */
struct tulle__buf *tulle__frame_take(zmq_msg_t *frame);
/* Send a copy of a frame, or for the last time the frame itself, which is empty then. */
bool tulle__frame_pass(void *socket, zmq_msg_t *frame, int flags, bool is_last);

/* Of a SUB subscriptions are options, of an XSUB messages. The key of a stream or of those
 * below one. */
void tulle__frame_subscribe(void *socket, bool is_xsub, struct tulle__view key, bool takes);

enum { TULLE__FRAMES_MAX = 3, TULLE__FRAME_BODY = 1 };

/* The frames of one message. They stay as they are until the next one, or until there is none:
 * libzmq closes what it receives into. */
struct tulle__frames {
    zmq_msg_t at[TULLE__FRAMES_MAX + 1];
    size_t lens[TULLE__FRAMES_MAX + 1];
    int count;
    bool passes_on;           /* bodies are mostly passed on, and taken as they are */
    struct tulle__buf *spare; /* the next body is received into, instead of at[]; NULL: none */
};

void tulle__frames_init(struct tulle__frames *frames, bool passes_on);
void tulle__frames_fini(struct tulle__frames *frames);
/* How many it has; those past the limit are dropped, and counted. 0: there is no message. */
int tulle__frames_receive(struct tulle__frames *frames, void *socket);
/* Not of a body that is passed on. */
struct tulle__view tulle__frames_view(struct tulle__frames *frames, int i);
/* The second frame as tulle__frame_take(); for who passes on it is kept as it is, marked as part
 * of more when it is short, and leaves again without a copy. At most once a message. */
struct tulle__buf *tulle__frames_take_body(struct tulle__frames *frames);
/* An unref; what was the last reference serves the next body. */
void tulle__frames_give_back(struct tulle__frames *frames, struct tulle__buf **body);

#endif
