/* SPDX-License-Identifier: MPL-2.0 */
/* Peers by name and by control address. Several may have one name, or say so of one
 * address: they are next to each other in a chain of the table. */

#include "delivery/internal.h"

#include <string.h>

void
tulle__peer_index(struct tulle__engine *e, struct tulle__peer *peer)
{
    size_t name_len = strlen(peer->name);
    size_t control_len = strlen(peer->control);
    if (name_len > 0)
        HASH_ADD_KEYPTR(hh_name, e->by_name, peer->name, name_len, peer);
    if (control_len > 0)
        HASH_ADD_KEYPTR(hh_control, e->by_control, peer->control, control_len, peer);
}

void
tulle__peer_unindex(struct tulle__engine *e, struct tulle__peer *peer)
{
    if (peer->hh_name.tbl != NULL)
        HASH_DELETE(hh_name, e->by_name, peer);
    if (peer->hh_control.tbl != NULL)
        HASH_DELETE(hh_control, e->by_control, peer);
    memset(&peer->hh_name, 0, sizeof peer->hh_name);
    memset(&peer->hh_control, 0, sizeof peer->hh_control);
}

/* The next in the chain that has the same key. */
static struct UT_hash_handle *
next_alike(const struct UT_hash_handle *at)
{
    struct UT_hash_handle *next = at->hh_next;
    while (next != NULL && (next->hashv != at->hashv || next->keylen != at->keylen ||
                            memcmp(next->key, at->key, at->keylen) != 0))
        next = next->hh_next;
    return next;
}

struct tulle__peer *
tulle__peer_namesake(const struct tulle__engine *e,
                     const struct tulle__peer *peer,
                     const struct tulle__peer *after)
{
    struct tulle__peer *found = NULL;
    if (after == NULL) {
        HASH_FIND(hh_name, e->by_name, peer->name, strlen(peer->name), found);
        return found;
    }
    struct UT_hash_handle *next = next_alike(&after->hh_name);
    return next == NULL ? NULL : ELMT_FROM_HH(after->hh_name.tbl, next);
}

struct tulle__peer *
tulle__peer_neighbour(const struct tulle__engine *e,
                      const struct tulle__peer *peer,
                      const struct tulle__peer *after)
{
    struct tulle__peer *found = NULL;
    if (after == NULL) {
        HASH_FIND(hh_control, e->by_control, peer->control, strlen(peer->control), found);
        return found;
    }
    struct UT_hash_handle *next = next_alike(&after->hh_control);
    return next == NULL ? NULL : ELMT_FROM_HH(after->hh_control.tbl, next);
}
