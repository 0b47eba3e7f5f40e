/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DELIVERY_PEER_INDEX_H
#define TULLE_DELIVERY_PEER_INDEX_H

/* Other nodes by what they say of themselves. */

#include "delivery/state.h"

/* Find the peer by its name and control address, as far as there is memory; no more. */
void tulle__peer_index(struct tulle__engine *e, struct tulle__peer *peer);
void tulle__peer_unindex(struct tulle__engine *e, struct tulle__peer *peer);
/* The one after the given one (NULL: the first) of the peer's name, itself among them; of
 * its control address. NULL: no more. */
struct tulle__peer *tulle__peer_namesake(const struct tulle__engine *e,
                                         const struct tulle__peer *peer,
                                         const struct tulle__peer *after);
struct tulle__peer *tulle__peer_neighbour(const struct tulle__engine *e,
                                          const struct tulle__peer *peer,
                                          const struct tulle__peer *after);

#endif
