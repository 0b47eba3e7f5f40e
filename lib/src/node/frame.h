/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_FRAME_H
#define TULLE_NODE_FRAME_H

/* Buffers as frames of ZeroMQ messages, and back: long ones share their bytes. */

#include "base/buf.h"

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
 * is short, and leaves again without a copy. */
struct tulle__buf *tulle__frame_take_whole(zmq_msg_t *frame);

#endif
