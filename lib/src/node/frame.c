/* SPDX-License-Identifier: MPL-2.0 */
/* Buffers as frames of ZeroMQ messages, and back. */

#include "node/frame.h"

#include "base/alloc.h"
#include "base/panic.h"
#include "codec/limits.h"

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

void
tulle__frame_subscribe(void *socket, bool is_xsub, struct tulle__view key, bool takes)
{
    uint8_t message[1 + TULLE__KEY_LEN_MAX] = { takes ? 1 : 0 };
    TULLE_ASSERT(key.len <= TULLE__KEY_LEN_MAX);
    memcpy(message + 1, key.data, key.len);
    if (is_xsub)
        (void)zmq_send(socket, message, 1 + key.len, ZMQ_DONTWAIT);
    else
        (void)zmq_setsockopt(socket, takes ? ZMQ_SUBSCRIBE : ZMQ_UNSUBSCRIBE, key.data, key.len);
}

/* ---- the frames of a message ---- */

void
tulle__frames_init(struct tulle__frames *frames, bool passes_on)
{
    *frames = (struct tulle__frames){ .passes_on = passes_on };
    for (size_t i = 0; i < TULLE__FRAMES_MAX + 1; i++)
        (void)zmq_msg_init(&frames->at[i]);
}

static zmq_msg_t *
place_of(struct tulle__frames *frames, int i)
{
    if (i == TULLE__FRAME_BODY && frames->spare != NULL)
        return &((struct whole *)frames->spare->owner)->frame;
    /* What is past the limit takes the place of the last one. */
    return &frames->at[i <= TULLE__FRAMES_MAX ? i : TULLE__FRAMES_MAX];
}

static void
close_one(zmq_msg_t *frame)
{
    (void)zmq_msg_close(frame);
    (void)zmq_msg_init(frame);
}

/* A body may be in the place of either: without memory there was no spare. */
static void
close_all(struct tulle__frames *frames)
{
    for (int i = 0; i < TULLE__FRAMES_MAX + 1; i++)
        close_one(&frames->at[i]);
    close_one(place_of(frames, TULLE__FRAME_BODY));
}

void
tulle__frames_fini(struct tulle__frames *frames)
{
    close_all(frames);
    tulle__free(frames->spare);
    frames->spare = NULL;
}

static void
have_spare(struct tulle__frames *frames)
{
    struct whole *whole = tulle__realloc(NULL, sizeof *whole);
    if (whole == NULL)
        return;
    (void)zmq_msg_init(&whole->frame);
    whole->buf = (struct tulle__buf){ .release = close_whole, .owner = whole };
    frames->spare = &whole->buf;
}

int
tulle__frames_receive(struct tulle__frames *frames, void *socket)
{
    int count = 0;
    int has_more = 1;
    if (frames->passes_on && frames->spare == NULL)
        have_spare(frames);
    while (has_more) {
        zmq_msg_t *frame = place_of(frames, count);
        int len = zmq_msg_recv(frame, socket, ZMQ_DONTWAIT);
        if (len < 0)
            break;
        frames->lens[count <= TULLE__FRAMES_MAX ? count : TULLE__FRAMES_MAX] = (size_t)len;
        has_more = zmq_msg_more(frame);
        count++;
    }
    if (count == 0 && frames->count != 0)
        close_all(frames);
    frames->count = count;
    return count;
}

struct tulle__view
tulle__frames_view(struct tulle__frames *frames, int i)
{
    return (struct tulle__view){ zmq_msg_data(&frames->at[i]), frames->lens[i] };
}

struct tulle__buf *
tulle__frames_take_body(struct tulle__frames *frames)
{
    struct tulle__buf *buf = frames->spare;
    if (buf == NULL)
        return tulle__frame_take(&frames->at[TULLE__FRAME_BODY]);
    frames->spare = NULL;
    buf->data = zmq_msg_data(&((struct whole *)buf->owner)->frame);
    buf->len = frames->lens[TULLE__FRAME_BODY];
    buf->is_part = buf->len < KEEP_LEN_MIN;
    atomic_init(&buf->refs, 1);
    return buf;
}

void
tulle__frames_give_back(struct tulle__frames *frames, struct tulle__buf **pointer)
{
    struct tulle__buf *buf = *pointer;
    if (frames->spare != NULL || buf->release != close_whole ||
        atomic_load_explicit(&buf->refs, memory_order_acquire) != 1) {
        tulle__buf_unref(pointer);
        return;
    }
    frames->spare = buf; /* its frame is closed by the next one */
    *pointer = NULL;
}
