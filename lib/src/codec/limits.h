/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CODEC_LIMITS_H
#define TULLE_CODEC_LIMITS_H

/* What a message may hold. A message past a limit is malformed (protocol.md 8).
 * Decoders never allocate; the limits bound work and what engines keep. */

#include <stdint.h>

enum {
    TULLE__WIRE_VERSION = 1,
    TULLE__NAME_LEN_MAX = 63,     /* mesh and node names, bytes */
    TULLE__TOPIC_LEN_MAX = 255,   /* topic, pattern, stream, bytes */
    TULLE__ADDRESS_LEN_MAX = 255, /* bytes */
    TULLE__ADDRESSES_MAX = 8,     /* addresses of one kind in one message */
    TULLE__KEY_LEN_MAX = 256,     /* key frame: stream and a zero byte */
    TULLE__PATH_MAX = 16,         /* proxies passed */
    TULLE__PATH_LEN_MAX =
        5 + 9 * TULLE__PATH_MAX, /* bytes of a path frame, however it is written */
    TULLE__BATCH_EVENTS_MAX = 65536,
    TULLE__BATCH_LEN_MAX = 64 * 1024 * 1024,   /* bytes of a batch frame */
    TULLE__CLOCK_ENTRIES_MAX = 262144,         /* entries of a clock in one message */
    TULLE__CONTROL_LEN_MAX = 64 * 1024 * 1024, /* bytes of a control body or beat */
    TULLE__TAKES_MAX = 1024,                   /* subscription keys of a node */
    TULLE__LANES_PER_MESSAGE_MAX = 65536,
    TULLE__PEERS_PER_MESSAGE_MAX = 4096,
    TULLE__BEYOND_MAX = 1024, /* nodes beyond a proxy in one beat */
    TULLE__BATCHES_PER_RANGE_MAX = 4096,
    TULLE__CAUSES_MAX = 64,
    TULLE__HEADERS_MAX = 32,
    TULLE__HEADER_LEN_MAX = 255,
    TULLE__CONTENT_TYPE_LEN_MAX = 127,
    TULLE__DEPTH_MAX = 32 /* nesting of values that are skipped */
};

/* Highest number of an event, and highest count in a clock: one more never wraps. */
#define TULLE__SEQ_MAX (UINT64_MAX >> 1)

/* Ids below this are never a node's: they name links (protocol.md 1.2). */
#define TULLE__NODE_ID_MIN UINT64_C(0x100000000)

#endif
