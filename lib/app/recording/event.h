/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_APP_RECORDING_EVENT_H
#define TULLE_APP_RECORDING_EVENT_H

/* Events and gaps as the data of MCAP messages: one msgpack map each (docs/recordings.md).
 *
 * Clocks and deps change little from one event of a lane to the next, so an event says only what is
 * other than at the lane's event before, in the same chunk. Both sides keep that by lane; what they
 * keep is bounded by the size of a chunk. */

#include "app/recording/recording.h"
#include "app/text.h"

struct tulle__recorded_codec;

/* NULL: no memory. */
struct tulle__recorded_codec *tulle__recorded_codec_new(void);
void tulle__recorded_codec_free(struct tulle__recorded_codec **codec);

/* A chunk begins. */
void tulle__recorded_codec_reset(struct tulle__recorded_codec *codec);

/* Append an EVENT or GAP. False: no memory; what was appended is of no use then, and the chunk
 * must end. */
bool tulle__recorded_encode(struct tulle__recorded_codec *codec,
                            const tulle_message *message,
                            struct tulle__text *out);

/* Pointers in out are valid until the next call. False: it is no event, or there is no memory. */
bool tulle__recorded_decode(struct tulle__recorded_codec *codec,
                            const void *bytes,
                            size_t len,
                            tulle_message *out);

#endif
