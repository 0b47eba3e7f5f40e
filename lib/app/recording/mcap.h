/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_RECORDING_MCAP_H
#define TULLE_APP_RECORDING_MCAP_H

/* The container format of recordings, as far as they need it: https://mcap.dev/spec
 *
 * A record is | opcode (1) | length of the rest (8) | rest |, numbers little-endian, a string is
 * | length (4) | bytes |, a map | length in bytes (4) | keys and values |.
 */

#include "app/recording/recording.h"
#include "app/text.h"

#include <tulle/version.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mcap_opcode {
    MCAP_HEADER = 0x01,
    MCAP_FOOTER = 0x02,
    MCAP_CHANNEL = 0x04,
    MCAP_MESSAGE = 0x05,
    MCAP_CHUNK = 0x06,
    MCAP_MESSAGE_INDEX = 0x07,
    MCAP_CHUNK_INDEX = 0x08,
    MCAP_STATISTICS = 0x0b,
    MCAP_METADATA = 0x0c,
    MCAP_METADATA_INDEX = 0x0d,
    MCAP_SUMMARY_OFFSET = 0x0e,
    MCAP_DATA_END = 0x0f
};

enum {
    MCAP_MAGIC_LEN = 8,
    MCAP_LEAD_LEN = 9, /* opcode and length */
    MCAP_FOOTER_LEN = 20,
    /* A record that claims to be longer is taken for damage. Writers here stay far below: a chunk
     * and one event, of at most 16 MiB and a clock. */
    MCAP_RECORD_LEN_MAX = 256 * 1024 * 1024
};

extern const unsigned char tulle__mcap_magic[MCAP_MAGIC_LEN];

#define MCAP_PROFILE       "tulle"
#define MCAP_LIBRARY_NAME  "tulle "
#define MCAP_LIBRARY       MCAP_LIBRARY_NAME TULLE_VERSION
#define MCAP_NOTES         "tulle.recording" /* name of the metadata */
#define MCAP_ENCODING      "msgpack"
#define MCAP_TOPIC_GAPS    "$gaps"   /* channel of gaps */
#define MCAP_TOPIC_FURTHER "$topics" /* channel of topics that have no channel of their own */

/* ---- writing ---- */

void tulle__mcap_put_u8(struct tulle__text *out, uint8_t value);
void tulle__mcap_put_u16(struct tulle__text *out, uint16_t value);
void tulle__mcap_put_u32(struct tulle__text *out, uint32_t value);
void tulle__mcap_put_u64(struct tulle__text *out, uint64_t value);
void tulle__mcap_put_str(struct tulle__text *out, const char *str);

/* Begin a record; returns where, for the call that ends it and fills its length. */
size_t tulle__mcap_begin(struct tulle__text *out, enum mcap_opcode opcode);
void tulle__mcap_end(struct tulle__text *out, size_t start);
/* The same for what has a length of 4 bytes: maps and arrays. */
size_t tulle__mcap_begin_map(struct tulle__text *out);
void tulle__mcap_end_map(struct tulle__text *out, size_t start);

uint32_t tulle__mcap_crc(uint32_t crc, const void *bytes, size_t len);

/* ---- reading ---- */

/* What is left; a read beyond it sets has_failed and returns 0 or NULL. */
struct tulle__mcap_cursor {
    const uint8_t *at;
    size_t left;
    bool has_failed;
};

uint64_t tulle__mcap_take(struct tulle__mcap_cursor *cursor, size_t len); /* 1, 2, 4 or 8 bytes */
const uint8_t *tulle__mcap_take_bytes(struct tulle__mcap_cursor *cursor, uint64_t len);
const char *tulle__mcap_take_str(struct tulle__mcap_cursor *cursor, size_t *len);

struct tulle__mcap_record {
    uint8_t opcode;
    struct tulle__mcap_cursor body;
};

/* The next of several records in memory. False at the end and, with has_failed, when it is cut. */
bool tulle__mcap_next(struct tulle__mcap_cursor *cursor, struct tulle__mcap_record *out);

/* A chunk's fields, borrowed from its record. */
struct tulle__mcap_chunk {
    uint64_t start_ns, end_ns, raw_len;
    uint32_t crc;
    enum tulle__recording_compression compression; /* 0: unknown */
    const uint8_t *stored;
    size_t stored_len;
};

bool tulle__mcap_read_chunk(struct tulle__mcap_cursor body, struct tulle__mcap_chunk *out);

/* ---- compression ---- */

struct tulle__mcap_codec; /* what a compressor keeps between chunks */

struct tulle__mcap_codec *tulle__mcap_codec_new(void);
void tulle__mcap_codec_free(struct tulle__mcap_codec **codec);

const char *tulle__mcap_compression_name(enum tulle__recording_compression compression);

/* Append bytes, compressed. False: no memory. */
bool tulle__mcap_compress(struct tulle__mcap_codec *codec,
                          enum tulle__recording_compression compression,
                          const void *bytes,
                          size_t len,
                          struct tulle__text *out);

/* Exactly raw_len bytes into out. False: they are not that. */
bool tulle__mcap_decompress(struct tulle__mcap_codec *codec,
                            const struct tulle__mcap_chunk *chunk,
                            uint8_t *out);

#endif
