/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CODEC_WRITER_H
#define TULLE_CODEC_WRITER_H

/* msgpack writing (msgpack-c's packer) into one growing block, with a sticky
 * failure flag for lack of memory. Reusable: reset keeps the block. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tulle__buf;
struct tulle__pool;

struct tulle__writer {
    uint8_t *data;
    size_t len;
    size_t cap;
    bool failed;
    struct tulle__pool *pool; /* where the block is from; NULL: the system */
};

void tulle__writer_init(struct tulle__writer *w);
/* Its block comes from a pool. */
void tulle__writer_init_in(struct tulle__writer *w, struct tulle__pool *pool);
void tulle__writer_fini(struct tulle__writer *w);
void tulle__writer_reset(struct tulle__writer *w);

void tulle__write_array(struct tulle__writer *w, uint32_t count);
void tulle__write_map(struct tulle__writer *w, uint32_t pairs);
void tulle__write_uint(struct tulle__writer *w, uint64_t value);
void tulle__write_bool(struct tulle__writer *w, bool value);
void tulle__write_str(struct tulle__writer *w, const void *data, size_t len);
void tulle__write_cstr(struct tulle__writer *w, const char *text);
void tulle__write_bin(struct tulle__writer *w, const void *data, size_t len);
/* Bytes that are msgpack already. */
/* Leave so many bytes open. */
void tulle__write_room(struct tulle__writer *w, size_t len);
void tulle__write_raw(struct tulle__writer *w, const void *data, size_t len);

/* A shared buffer with a copy of what was written; NULL when writing failed or
 * there is no memory. Resets the writer. */
struct tulle__buf *tulle__writer_take(struct tulle__writer *w);

#endif
