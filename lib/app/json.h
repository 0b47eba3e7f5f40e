/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_JSON_H
#define TULLE_APP_JSON_H

/* Events as JSON, and back.
 *
 * Payloads are msgpack by convention. What JSON has no form for is written as
 * an object with one key, and read back from it: {"$bin": "BASE64"} and
 * {"$ext": [TYPE, "BASE64"]}. Keys of maps that are no strings become their
 * JSON text; not-a-number and infinities become strings.
 *
 * A payload comes from a peer: it is walked by a bounded reader, never given to
 * msgpack_unpack_next(), which allocates by counts that it has not checked.
 */

#include "app/text.h"

#include <tulle/event.h>

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TULLE__JSON_DEPTH_MAX = 64 };

/* Is it exactly one msgpack value, nested at most TULLE__JSON_DEPTH_MAX deep? Takes time
 * proportional to len, no memory. */
bool tulle__msgpack_is_valid(const void *bytes, size_t len);

/* If it is one valid msgpack string, borrow its text. */
bool tulle__msgpack_as_str(const void *bytes, size_t len, const char **out, size_t *out_len);

/* Append a valid msgpack value as JSON. Returns false, with nothing appended,
 * when it is not valid. */
bool tulle__msgpack_to_json(const void *bytes, size_t len, struct tulle__text *out);

/* Append a JSON value as msgpack to out. Returns NULL, or why it cannot be done. */
const char *tulle__json_to_msgpack(const json_t *value, struct tulle__text *out);

/* Append str as a JSON string; what is not UTF-8 becomes U+FFFD. */
void tulle__json_put_str(struct tulle__text *out, const char *str, size_t len);

/* Append a node's id as a JSON string. */
void tulle__json_put_id(struct tulle__text *out, uint64_t id);

/* Append a member of an object behind others of it: ,"name":VALUE. name is plain text. Of key the
 * value is to follow. */
void tulle__json_key(struct tulle__text *out, const char *name);
void tulle__json_str(struct tulle__text *out, const char *name, const char *value);
void tulle__json_id(struct tulle__text *out, const char *name, uint64_t id);
void tulle__json_u64(struct tulle__text *out, const char *name, uint64_t value);
void tulle__json_i64(struct tulle__text *out, const char *name, int64_t value);
void tulle__json_bool(struct tulle__text *out, const char *name, bool value);
void tulle__json_time(struct tulle__text *out, const char *name, int64_t time_us);

/* Is the event's payload msgpack: by its content type, and valid? */
bool tulle__payload_is_msgpack(const tulle_event *event);

/* Append the payload for people: the text of a msgpack string, JSON of another
 * msgpack value, else the bytes as they are. */
void tulle__payload_put(const tulle_event *event, struct tulle__text *out);

/* Is a content type (NULL: none) JSON: application/json, or anything +json? */
bool tulle__is_json_type(const char *type);

/* Append the payload as JSON if its content type says that it is JSON, and it is. Returns
 * false, with nothing appended, when not. */
bool tulle__payload_json_put(const tulle_event *event, struct tulle__text *out);

/* Append the payload as one JSON value. Returns how it came to that: "json", by its content type,
 * or as a string "text" or "base64"; NULL: it is msgpack. */
const char *tulle__payload_value_put(const tulle_event *event, struct tulle__text *out);

enum {
    TULLE__JSON_PAYLOAD_TEXT = 1, /* payload always as a string */
    TULLE__JSON_NO_PAYLOAD = 2    /* its length in its place */
};

/* Append the message as one JSON object, without newline.
 *
 *     kind (event, arrival, duplicate, gap, peer), node, id
 *     events: stream, seq, topic, time, clock, deps, causes, headers, content_type, hops,
 *             delay_us, held_us, waited_for, repaired, late, payload, encoding
 *     gaps:   stream, first, last, reason
 *     peers:  state, address, hops, proxy, previous
 */
void tulle__json_message(const tulle_message *message, unsigned flags, struct tulle__text *out);

/* Append valid compact JSON on several lines, or as it is; with escapes for what terminals
 * obey and JSON allows. */
void tulle__json_put_pretty(struct tulle__text *out, const char *json, size_t len);
void tulle__json_put_safe(struct tulle__text *out, const char *json, size_t len);

/* Names used in JSON and by people. */
const char *tulle__kind_name(tulle_message_kind kind);
const char *tulle__gap_reason_name(tulle_gap_reason reason);
const char *tulle__peer_state_name(tulle_peer_state state);

#endif
