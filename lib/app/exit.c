/* SPDX-License-Identifier: MPL-2.0 */

/* Statuses of the library as exit statuses: one switch, so that every program
 * answers the same failure with the same number. */

#include "app/exit.h"

enum tulle__exit
tulle__exit_of(tulle_status status)
{
    switch (status) {
    case TULLE_OK:
        return TULLE__EXIT_OK;
    case TULLE_EADDRINUSE:
    case TULLE_EADDRNOTAVAIL:
    case TULLE_ENETWORK:
        return TULLE__EXIT_NETWORK;
    case TULLE_EINVAL:
        /* Options that passed their table but not tulle_node_new(): a name with a control
         * character, a gone_ms below suspect_ms. */
        return TULLE__EXIT_CONFIG;
    case TULLE_ENOMEM:
    case TULLE_EAGAIN:
    case TULLE_EBADMSG:
    case TULLE_ETIMEDOUT:
    case TULLE_ESTATE:
    case TULLE_EMSGSIZE:
    case TULLE_ENOENT:
    case TULLE_EVERSION:
    case TULLE_EMESH:
    case TULLE_ELIMIT:
    case TULLE_EOS:
        break;
    }
    return TULLE__EXIT_FAILURE;
}
