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
/* The same for who mostly passes it on: it is kept as it is, marked as part of more when it
 * is short, and leaves again without a copy. *spare is used for it when there is one. */
struct tulle__buf *tulle__frame_take_whole(zmq_msg_t *frame, struct tulle__buf **spare);
/* An unref; what was the last reference becomes the spare one if there is none. */
void tulle__frame_give_back(struct tulle__buf **pointer, struct tulle__buf **spare);
void tulle__frame_free_spare(struct tulle__buf **spare);
/* Send a copy of a frame, or for the last time the frame itself, which is empty then. */
bool tulle__frame_pass(void *socket, zmq_msg_t *frame, int flags, bool is_last);
struct tulle__view tulle__frame_view(zmq_msg_t *frame);

enum { TULLE__FRAMES_MAX = 3 };

/* The frames of one message. They stay as they are until the next one, or until there is none:
 * libzmq closes what it receives into. */
struct tulle__frames {
    zmq_msg_t at[TULLE__FRAMES_MAX + 1];
    int count;
};

void tulle__frames_init(struct tulle__frames *frames);
void tulle__frames_fini(struct tulle__frames *frames);
/* How many it has; those past the limit are dropped, and counted. 0: there is no message. */
int tulle__frames_receive(struct tulle__frames *frames, void *socket);

#endif
