/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_CODEC_PARTS_H
#define TULLE_CODEC_PARTS_H

/* What the codecs share: how a frame begins, keys of maps, lists, and the part
 * that says who a node is.
 *
 * The map of a body, or of an event's attributes, is read with one loop for every kind:
 *
 *     struct tulle__body body;
 *     tulle__body_init(&body, &reader, KNOWN);
 *     while (tulle__body_next(&body, &key))
 *         switch (key) { ... read one value ... }
 *     if (!tulle__body_is_done(&body, REQUIRED)) malformed
 */

#include "codec/beat.h"
#include "codec/control.h"
#include "codec/reader.h"
#include "codec/writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys are one letter, named by it; these have more. */
enum {
    TULLE__KEY_TAKES_VERSION = 1,
    TULLE__KEY_REPLY_TO = 2,
    TULLE__KEY_CONTENT_TYPE = 3,
    TULLE__KEY_CAUSES = 4,
    TULLE__KEYS_NUMBERED = 5 /* those above, and none of them: 0 */
};

/* Bit of a key in a set of keys. Letters 'A' .. 'z' and those above. */
#define TULLE__KEY_BIT(key) \
    (UINT64_C(1) << ((key) < TULLE__KEYS_NUMBERED ? (key) : (key) - 'A' + TULLE__KEYS_NUMBERED))

#define TULLE__SELF_KEYS                                                                     \
    (TULLE__KEY_BIT('n') | TULLE__KEY_BIT('a') | TULLE__KEY_BIT('e') | TULLE__KEY_BIT('u') | \
     TULLE__KEY_BIT('t') | TULLE__KEY_BIT(TULLE__KEY_TAKES_VERSION) | TULLE__KEY_BIT('i') |  \
     TULLE__KEY_BIT('p'))

/* Start at a message; the reader fails if it is longer than len_max. */
void tulle__message_init(struct tulle__reader *r, const void *data, size_t len, size_t len_max);
/* The version, first element of a frame that has so many. Returns TULLE_OK, TULLE_EBADMSG,
 * TULLE_EVERSION (another version: the rest may be anything). */
TULLE_MUST_CHECK tulle_status tulle__read_version(struct tulle__reader *r, uint32_t elements);

struct tulle__body {
    struct tulle__reader *reader;
    uint64_t known;
    uint64_t seen;
    uint32_t pairs_left;
};

void tulle__body_init(struct tulle__body *body, struct tulle__reader *reader, uint64_t known);
/* Step to the next known key, over unknown ones; its value must be read before
 * the next call. A key that stands twice fails the reader. */
bool tulle__body_next(struct tulle__body *body, int *key);
/* Everything read, nothing failed, all required keys seen? */
bool tulle__body_is_done(const struct tulle__body *body, uint64_t required);
bool tulle__body_has(const struct tulle__body *body, int key);

/* Read an array of at most max items and check each with read_one, which reads the width
 * elements of the array that make an item. */
struct tulle__list tulle__read_list(struct tulle__reader *r,
                                    uint32_t max,
                                    uint32_t width,
                                    void (*read_one)(struct tulle__reader *r));
struct tulle__list tulle__read_addresses(struct tulle__reader *r);
void tulle__write_addresses(struct tulle__writer *w, const char *const *addresses, size_t count);

struct tulle__view tulle__read_stream(struct tulle__reader *r);
uint64_t tulle__read_node_id(struct tulle__reader *r);
/* A number of an event, 1 .. TULLE__SEQ_MAX; or a head, which may be 0. */
uint64_t tulle__read_seq(struct tulle__reader *r);
uint64_t tulle__read_head(struct tulle__reader *r);
/* A mesh's or node's name; len_min 0 or 1. */
struct tulle__view tulle__read_name(struct tulle__reader *r, size_t len_min);

/* Lists that several kinds of messages have. Those that write do so with the key, and nothing
 * when there is none (beat.c, here.c, view.c). */
void tulle__write_heads(struct tulle__writer *w, const struct tulle__head *heads, size_t count);
struct tulle__list tulle__read_heads(struct tulle__reader *r);
void tulle__write_acks(struct tulle__writer *w, const struct tulle__dep *acks, size_t count);
void tulle__write_beyond(struct tulle__writer *w,
                         const char *key,
                         const struct tulle__beyond *beyond,
                         size_t count);
struct tulle__list tulle__read_beyond(struct tulle__reader *r);
void
tulle__write_holdings(struct tulle__writer *w, const struct tulle__holding *holdings, size_t count);
struct tulle__list tulle__read_holdings(struct tulle__reader *r);
/* A map; what is zero is not in it. */
void tulle__write_counters(struct tulle__writer *w, const tulle_seen_counters *from);
void tulle__read_counters(struct tulle__reader *r, tulle_seen_counters *counters);

/* Value of one of TULLE__SELF_KEYS. */
void tulle__read_self_value(struct tulle__reader *r, int key, struct tulle__self_view *self);
/* Do the keys that were seen make a self part? Sets what depends on all of them. */
bool tulle__self_is_complete(const struct tulle__body *body, struct tulle__self_view *self);

/* Pairs of a self part, and writing them. */
uint32_t tulle__self_pairs(const struct tulle__self_out *self, bool has_addresses, bool has_takes);
void tulle__write_self(struct tulle__writer *w,
                       const struct tulle__self_out *self,
                       bool has_addresses,
                       bool has_takes);

#endif
