/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TAP_CLOUDEVENT_H
#define TULLE_TOOLS_TAP_CLOUDEVENT_H

/* Events in the JSON format of CloudEvents 1.0. */

#include "app/text.h"

#include <tulle/event.h>

#include <stdbool.h>

/* Append the event as one object, without newline.
 *
 *     id           ID/STREAM/SEQ            source       /NAME of the node
 *     type         header ce-type, else the topic with dots
 *     subject      header ce-subject, else the topic
 *     time, datacontenttype, dataschema (header ce-dataschema)
 *     data         msgpack as JSON, JSON, or text; data_base64: anything else
 *     tullenode, tullestream, tulleseq, tulleclock, tulledeps, tullecauses, tullehops
 *     and each header whose name can be one of an attribute; the others in tulleheaders
 *
 * has_data false: without data. */
void tulle__cloudevent_put(const tulle_event *event, bool has_data, struct tulle__text *out);

#endif
