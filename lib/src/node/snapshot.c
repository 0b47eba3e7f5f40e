/* SPDX-License-Identifier: MPL-2.0 */
/* Snapshots of what a node knows: copied on its thread, put in order on the asker's. */

#include "delivery/observe.h"
#include "node/state.h"

#include <tulle/observe.h>

tulle_status
tulle_snapshot_new(tulle_node *node, const tulle_snapshot **out)
{
    *out = NULL;
    if (!node->options.observe)
        return TULLE_EINVAL;
    if (tulle_node_id(node) == 0 || tulle__node_is_own_thread(node))
        return TULLE_ESTATE;
    struct tulle__request request = { .kind = TULLE__REQUEST_SNAPSHOT };
    tulle_status status = tulle__node_ask(node, &request, -1);
    if (status != TULLE_OK)
        return status;
    if (request.snapshot == NULL)
        return TULLE_ENOMEM;
    if (!tulle__snapshot_finish(request.snapshot)) {
        tulle__snapshot_free(&request.snapshot);
        return TULLE_ENOMEM;
    }
    *out = tulle__snapshot_shown(request.snapshot);
    return TULLE_OK;
}

void
tulle_snapshot_free(const tulle_snapshot **pointer)
{
    /* What is shown is the first member of the whole, and const for the application alone. */
    struct tulle__snapshot *snapshot = (struct tulle__snapshot *)(uintptr_t)*pointer;
    tulle__snapshot_free(&snapshot);
    *pointer = NULL;
}

const tulle_seen_node *
tulle_snapshot_node(const tulle_snapshot *snapshot, uint64_t id)
{
    size_t low = 0;
    size_t high = snapshot->node_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (snapshot->nodes[middle].id == id)
            return &snapshot->nodes[middle];
        if (snapshot->nodes[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
