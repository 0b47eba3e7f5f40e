/* SPDX-License-Identifier: MPL-2.0 */
/* Buffers as frames of ZeroMQ messages, and back. */

#include "node/frame.h"

#include "base/alloc.h"

#include <string.h>

enum {
    COPY_LEN_MAX = 1024, /* shorter bodies are copied: cheaper than sharing */
    /* Received: libzmq lets short messages share the 8 KiB that it read them in, and
     * whoever keeps one keeps all of that. */
    KEEP_LEN_MIN = 8192
};

/* A received frame and the buffer that shows it, in one block. */
struct whole {
    struct tulle__buf buf; /* first: it is freed as that */
    zmq_msg_t frame;
};

static void
close_whole(struct tulle__buf *buf)
{
    struct whole *whole = buf->owner;
    (void)zmq_msg_close(&whole->frame);
}

static void
release_shared(void *data, void *hint)
{
    (void)data;
    struct tulle__buf *buf = hint;
    tulle__buf_unref(&buf);
}

/* A frame that shares the buffer, or copies it when it is short. */
static bool
init_frame(zmq_msg_t *frame, struct tulle__buf *buf)
{
    if (buf->len <= COPY_LEN_MAX) {
        if (zmq_msg_init_size(frame, buf->len) != 0)
            return false;
        if (buf->len > 0)
            memcpy(zmq_msg_data(frame), buf->data, buf->len);
        return true;
    }
    tulle__buf_ref(buf);
    void *data = (void *)(uintptr_t)buf->data; /* libzmq does not write to it */
    if (zmq_msg_init_data(frame, data, buf->len, release_shared, buf) == 0)
        return true;
    tulle__buf_unref(&buf);
    return false;
}

bool
tulle__frame_pass(void *socket, zmq_msg_t *frame, int flags, bool is_last)
{
    zmq_msg_t copy;
    if (is_last)
        return zmq_msg_send(frame, socket, flags | ZMQ_DONTWAIT) >= 0;
    (void)zmq_msg_init(&copy);
    if (zmq_msg_copy(&copy, frame) == 0 && zmq_msg_send(&copy, socket, flags | ZMQ_DONTWAIT) >= 0)
        return true;
    (void)zmq_msg_close(&copy);
    return false;
}

/* Who has the last reference needs the bytes no more. */
static bool
send_whole(void *socket, struct whole *whole, int flags)
{
    bool is_last = atomic_load_explicit(&whole->buf.refs, memory_order_acquire) == 1;
    return tulle__frame_pass(socket, &whole->frame, flags, is_last);
}

bool
tulle__frame_send(void *socket, struct tulle__buf *buf, int flags)
{
    zmq_msg_t frame;
    if (buf->release == close_whole)
        return send_whole(socket, buf->owner, flags);
    if (!init_frame(&frame, buf))
        return false;
    if (zmq_msg_send(&frame, socket, flags | ZMQ_DONTWAIT) >= 0)
        return true;
    (void)zmq_msg_close(&frame);
    return false;
}

void
tulle__frame_look_for_room(void *socket)
{
    int events;
    size_t len = sizeof events;
    (void)zmq_getsockopt(socket, ZMQ_EVENTS, &events, &len);
}

static void
close_owned(struct tulle__buf *buf)
{
    zmq_msg_t *frame = buf->owner;
    (void)zmq_msg_close(frame);
    tulle__free(frame);
}

struct tulle__buf *
tulle__frame_take(zmq_msg_t *frame)
{
    size_t len = zmq_msg_size(frame);
    if (len < KEEP_LEN_MIN)
        return tulle__buf_copy(zmq_msg_data(frame), len);
    zmq_msg_t *owned = tulle__alloc(sizeof *owned);
    if (owned == NULL)
        return NULL;
    (void)zmq_msg_init(owned);
    (void)zmq_msg_move(owned, frame);
    struct tulle__buf *buf = tulle__buf_wrap(zmq_msg_data(owned), len, close_owned, owned);
    if (buf == NULL) {
        (void)zmq_msg_close(owned);
        tulle__free(owned);
    }
    return buf;
}

struct tulle__buf *
tulle__frame_take_whole(zmq_msg_t *frame, struct tulle__buf **spare)
{
    struct whole *whole = *spare != NULL ? (*spare)->owner : tulle__realloc(NULL, sizeof *whole);
    if (whole == NULL)
        return NULL;
    *spare = NULL;
    (void)zmq_msg_init(&whole->frame);
    (void)zmq_msg_move(&whole->frame, frame);
    whole->buf = (struct tulle__buf){ .data = zmq_msg_data(&whole->frame),
                                      .len = zmq_msg_size(&whole->frame),
                                      .release = close_whole,
                                      .owner = whole };
    whole->buf.is_part = whole->buf.len < KEEP_LEN_MIN;
    atomic_init(&whole->buf.refs, 1);
    return &whole->buf;
}

void
tulle__frame_give_back(struct tulle__buf **pointer, struct tulle__buf **spare)
{
    struct tulle__buf *buf = *pointer;
    if (*spare != NULL || buf->release != close_whole ||
        atomic_load_explicit(&buf->refs, memory_order_acquire) != 1) {
        tulle__buf_unref(pointer);
        return;
    }
    close_whole(buf);
    *spare = buf;
    *pointer = NULL;
}

void
tulle__frame_free_spare(struct tulle__buf **spare)
{
    tulle__free(*spare); /* its frame is closed */
    *spare = NULL;
}

/* ---- the frames of a message ---- */

struct tulle__view
tulle__frame_view(zmq_msg_t *frame)
{
    return (struct tulle__view){ zmq_msg_data(frame), zmq_msg_size(frame) };
}

void
tulle__frames_init(struct tulle__frames *frames)
{
    for (size_t i = 0; i < TULLE__FRAMES_MAX + 1; i++)
        (void)zmq_msg_init(&frames->at[i]);
    frames->count = 0;
}

void
tulle__frames_fini(struct tulle__frames *frames)
{
    for (size_t i = 0; i < TULLE__FRAMES_MAX + 1; i++)
        (void)zmq_msg_close(&frames->at[i]);
    tulle__frames_init(frames);
}

int
tulle__frames_receive(struct tulle__frames *frames, void *socket)
{
    int count = 0;
    int has_more = 1;
    while (has_more) {
        /* What is past the limit takes the place of the last one. */
        zmq_msg_t *frame = &frames->at[count <= TULLE__FRAMES_MAX ? count : TULLE__FRAMES_MAX];
        if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0)
            break;
        has_more = zmq_msg_more(frame);
        count++;
    }
    if (count == 0 && frames->count != 0)
        tulle__frames_fini(frames);
    frames->count = count;
    return count;
}
