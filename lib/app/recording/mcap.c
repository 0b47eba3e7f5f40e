/* SPDX-License-Identifier: MPL-2.0 */

/* Fields of MCAP records, and what chunks are compressed with. */

#include "app/recording/mcap.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* Recording must keep up: the fastest level. */
enum { ZSTD_LEVEL = 1 };

const unsigned char tulle__mcap_magic[MCAP_MAGIC_LEN] = {
    0x89, 'M', 'C', 'A', 'P', '0', '\r', '\n'
};

static void
put_le(struct tulle__text *out, uint64_t value, size_t len)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(value >> (8 * i) & 255);
    tulle__text_put(out, bytes, len);
}

/* Fill a length that was left open. */
static void
patch_le(struct tulle__text *out, size_t at, uint64_t value, size_t len)
{
    if (out->has_failed)
        return;
    for (size_t i = 0; i < len; i++)
        out->bytes[at + i] = (char)(value >> (8 * i) & 255);
}

void
tulle__mcap_put_u8(struct tulle__text *out, uint8_t value)
{
    put_le(out, value, 1);
}

void
tulle__mcap_put_u16(struct tulle__text *out, uint16_t value)
{
    put_le(out, value, 2);
}

void
tulle__mcap_put_u32(struct tulle__text *out, uint32_t value)
{
    put_le(out, value, 4);
}

void
tulle__mcap_put_u64(struct tulle__text *out, uint64_t value)
{
    put_le(out, value, 8);
}

void
tulle__mcap_put_str(struct tulle__text *out, const char *str)
{
    size_t len = strlen(str);
    put_le(out, len, 4);
    tulle__text_put(out, str, len);
}

size_t
tulle__mcap_begin(struct tulle__text *out, enum mcap_opcode opcode)
{
    size_t start = out->len;
    put_le(out, opcode, 1);
    put_le(out, 0, 8);
    return start;
}

void
tulle__mcap_end(struct tulle__text *out, size_t start)
{
    patch_le(out, start + 1, out->len - start - MCAP_LEAD_LEN, 8);
}

size_t
tulle__mcap_begin_map(struct tulle__text *out)
{
    size_t start = out->len;
    put_le(out, 0, 4);
    return start;
}

void
tulle__mcap_end_map(struct tulle__text *out, size_t start)
{
    patch_le(out, start, out->len - start - 4, 4);
}

uint32_t
tulle__mcap_crc(uint32_t crc, const void *bytes, size_t len)
{
    return (uint32_t)crc32_z(crc, bytes, len);
}

uint64_t
tulle__mcap_take(struct tulle__mcap_cursor *cursor, size_t len)
{
    if (cursor->has_failed || cursor->left < len) {
        cursor->has_failed = true;
        return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value |= (uint64_t)cursor->at[i] << (8 * i);
    cursor->at += len;
    cursor->left -= len;
    return value;
}

const uint8_t *
tulle__mcap_take_bytes(struct tulle__mcap_cursor *cursor, uint64_t len)
{
    if (cursor->has_failed || cursor->left < len) {
        cursor->has_failed = true;
        return NULL;
    }
    const uint8_t *bytes = cursor->at;
    cursor->at += len;
    cursor->left -= (size_t)len;
    return bytes;
}

const char *
tulle__mcap_take_str(struct tulle__mcap_cursor *cursor, size_t *len)
{
    *len = (size_t)tulle__mcap_take(cursor, 4);
    return (const char *)tulle__mcap_take_bytes(cursor, *len);
}

bool
tulle__mcap_next(struct tulle__mcap_cursor *cursor, struct tulle__mcap_record *out)
{
    if (cursor->left == 0)
        return false;
    out->opcode = (uint8_t)tulle__mcap_take(cursor, 1);
    uint64_t len = tulle__mcap_take(cursor, 8);
    const uint8_t *body = tulle__mcap_take_bytes(cursor, len);
    out->body = (struct tulle__mcap_cursor){ .at = body, .left = (size_t)len };
    return !cursor->has_failed;
}

const char *
tulle__mcap_compression_name(enum tulle__recording_compression compression)
{
    switch (compression) {
    case TULLE__RECORDING_NONE:
        break;
    case TULLE__RECORDING_LZ4:
        return "lz4";
    case TULLE__RECORDING_ZSTD:
        return "zstd";
    }
    return "";
}

static enum tulle__recording_compression
compression_of(const char *name, size_t len)
{
    if (len == 0)
        return TULLE__RECORDING_NONE;
    if (len == 3 && memcmp(name, "lz4", 3) == 0)
        return TULLE__RECORDING_LZ4;
    if (len == 4 && memcmp(name, "zstd", 4) == 0)
        return TULLE__RECORDING_ZSTD;
    return 0;
}

bool
tulle__mcap_read_chunk(struct tulle__mcap_cursor body, struct tulle__mcap_chunk *out)
{
    size_t name_len = 0;
    out->start_ns = tulle__mcap_take(&body, 8);
    out->end_ns = tulle__mcap_take(&body, 8);
    out->raw_len = tulle__mcap_take(&body, 8);
    out->crc = (uint32_t)tulle__mcap_take(&body, 4);
    const char *name = tulle__mcap_take_str(&body, &name_len);
    out->compression = name != NULL ? compression_of(name, name_len) : 0;
    uint64_t stored_len = tulle__mcap_take(&body, 8);
    out->stored = tulle__mcap_take_bytes(&body, stored_len);
    out->stored_len = (size_t)stored_len;
    return !body.has_failed && out->raw_len <= MCAP_RECORD_LEN_MAX;
}

struct tulle__mcap_codec {
    ZSTD_CCtx *zstd_out;
    ZSTD_DCtx *zstd_in;
    LZ4F_dctx *lz4_in;
};

struct tulle__mcap_codec *
tulle__mcap_codec_new(void)
{
    return calloc(1, sizeof(struct tulle__mcap_codec));
}

void
tulle__mcap_codec_free(struct tulle__mcap_codec **codec)
{
    if (*codec == NULL)
        return;
    /* Both take NULL, and neither can fail. */
    (void)ZSTD_freeCCtx((*codec)->zstd_out);
    (void)ZSTD_freeDCtx((*codec)->zstd_in);
    (void)LZ4F_freeDecompressionContext((*codec)->lz4_in);
    free(*codec);
    *codec = NULL;
}

static size_t
compress_zstd(
    struct tulle__mcap_codec *codec, const void *bytes, size_t len, char *room, size_t room_len)
{
    if (codec->zstd_out == NULL)
        codec->zstd_out = ZSTD_createCCtx();
    if (codec->zstd_out == NULL)
        return 0;
    size_t done = ZSTD_compressCCtx(codec->zstd_out, room, room_len, bytes, len, ZSTD_LEVEL);
    return ZSTD_isError(done) != 0 ? 0 : done;
}

static size_t
compress_lz4(const void *bytes, size_t len, char *room, size_t room_len)
{
    LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
    preferences.frameInfo.contentSize = len;
    size_t done = LZ4F_compressFrame(room, room_len, bytes, len, &preferences);
    return LZ4F_isError(done) != 0 ? 0 : done;
}

bool
tulle__mcap_compress(struct tulle__mcap_codec *codec,
                     enum tulle__recording_compression compression,
                     const void *bytes,
                     size_t len,
                     struct tulle__text *out)
{
    if (compression == TULLE__RECORDING_NONE) {
        tulle__text_put(out, bytes, len);
        return !out->has_failed;
    }
    bool is_lz4 = compression == TULLE__RECORDING_LZ4;
    size_t room_len = is_lz4 ? LZ4F_compressFrameBound(len, NULL) + 32 : ZSTD_compressBound(len);
    char *room = tulle__text_room(out, room_len);
    if (room == NULL)
        return false;
    size_t done = is_lz4 ? compress_lz4(bytes, len, room, room_len)
                         : compress_zstd(codec, bytes, len, room, room_len);
    out->len += done;
    return done > 0;
}

static bool
decompress_lz4(struct tulle__mcap_codec *codec, const struct tulle__mcap_chunk *chunk, uint8_t *out)
{
    if (codec->lz4_in == NULL &&
        LZ4F_isError(LZ4F_createDecompressionContext(&codec->lz4_in, LZ4F_VERSION)) != 0)
        return false;
    LZ4F_resetDecompressionContext(codec->lz4_in);
    size_t in = 0;
    size_t made = 0;
    for (;;) {
        size_t in_len = chunk->stored_len - in;
        size_t out_len = (size_t)chunk->raw_len - made;
        size_t hint =
            LZ4F_decompress(codec->lz4_in, out + made, &out_len, chunk->stored + in, &in_len, NULL);
        in += in_len;
        made += out_len;
        if (LZ4F_isError(hint) != 0)
            return false;
        if (hint == 0)
            return in == chunk->stored_len && made == chunk->raw_len;
        if (in_len == 0 && out_len == 0)
            return false; /* it wants more than there is */
    }
}

bool
tulle__mcap_decompress(struct tulle__mcap_codec *codec,
                       const struct tulle__mcap_chunk *chunk,
                       uint8_t *out)
{
    switch (chunk->compression) {
    case TULLE__RECORDING_NONE:
        if (chunk->stored_len != chunk->raw_len)
            return false;
        if (chunk->raw_len > 0)
            memcpy(out, chunk->stored, chunk->stored_len);
        return true;
    case TULLE__RECORDING_LZ4:
        return decompress_lz4(codec, chunk, out);
    case TULLE__RECORDING_ZSTD:
        if (codec->zstd_in == NULL)
            codec->zstd_in = ZSTD_createDCtx();
        return codec->zstd_in != NULL &&
               ZSTD_decompressDCtx(codec->zstd_in, out, (size_t)chunk->raw_len, chunk->stored,
                                   chunk->stored_len) == chunk->raw_len;
    }
    return false;
}
