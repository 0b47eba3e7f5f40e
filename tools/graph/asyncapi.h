/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_ASYNCAPI_H
#define TULLE_TOOLS_ASYNCAPI_H

/* An AsyncAPI 3 document of what was seen: a channel for each topic, messages with schemas that
 * were learnt from their payloads, and an operation for each node that sends or receives. */

#include "app/text.h"
#include "tools/common/mesh.h"
#include "tools/graph/channels.h"

struct tulle__asyncapi {
    const struct tulle__mesh *mesh;
    const struct tulle__channels *channels;
    const char *title;
    const char *version; /* of the document */
    bool is_cut;         /* set when there were more operations than fit */
};

void tulle__asyncapi_put(struct tulle__asyncapi *asyncapi, struct tulle__text *out);

#endif
