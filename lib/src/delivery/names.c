/* SPDX-License-Identifier: MPL-2.0 */
/* Names of nodes by id: of peers, and of those who were gone before this node came,
 * as told by whoever keeps their events. Only for people to read. */

#include "base/alloc.h"
#include "delivery/internal.h"

#include <string.h>

const char *
tulle__node_name(const struct tulle__engine *e, uint64_t id)
{
    const struct tulle__peer *peer = tulle__peer_find(e, id);
    if (peer != NULL && peer->name[0] != '\0')
        return peer->name;
    if (id == e->config.id)
        return e->name;
    const struct tulle__told_name *told = NULL;
    HASH_FIND(hh, e->told_names, &id, sizeof id, told);
    return told != NULL ? told->name : "";
}

void
tulle__note_name(struct tulle__engine *e, uint64_t id, struct tulle__view name)
{
    /* A proxy tells of no event, and so of nobody who is no peer of it. */
    if (e->config.is_proxy || name.len == 0 || name.len > TULLE__NAME_LEN_MAX ||
        tulle__node_name(e, id)[0] != '\0' || HASH_COUNT(e->told_names) >= TULLE__TOLD_NAMES_LIMIT)
        return;
    struct tulle__told_name *told = tulle__alloc(sizeof *told);
    if (told == NULL)
        return;
    told->id = id;
    memcpy(told->name, name.data, name.len);
    HASH_ADD(hh, e->told_names, id, sizeof told->id, told);
    if (tulle__node_name(e, id) != told->name)
        tulle__free(told); /* no memory for the table */
}

void
tulle__names_free(struct tulle__engine *e)
{
    while (e->told_names != NULL) {
        struct tulle__told_name *told = e->told_names;
        HASH_DEL(e->told_names, told);
        tulle__free(told);
    }
}
