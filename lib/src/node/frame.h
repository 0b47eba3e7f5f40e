/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_FRAME_H
#define TULLE_NODE_FRAME_H

/* Buffers as frames of ZeroMQ messages, and back: long ones share their bytes. */

#include "base/buf.h"

#include <stdbool.h>
#include <zmq.h>

/* Send the buffer as a frame; ZMQ_DONTWAIT goes without saying. False: it was not taken. */
bool tulle__frame_send(void *socket, struct tulle__buf *buf, int flags);
/* A received frame as a buffer: a long one is kept as it is, a short one is copied. The
 * frame is the caller's to close. NULL when there is no memory. */
struct tulle__buf *tulle__frame_take(zmq_msg_t *frame);

#endif
