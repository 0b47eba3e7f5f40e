/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_BASE_PANIC_H
#define TULLE_BASE_PANIC_H

/* For our own bugs only: a broken invariant aborts. Never for what a peer
 * sends, what a caller passes or what the system refuses (those are statuses).
 * On in every build: NDEBUG does not touch it. */

#define TULLE_ASSERT(condition)                           \
    do {                                                  \
        if (!(condition))                                 \
            tulle__panic(__FILE__, __LINE__, #condition); \
    } while (0)

/* Print place and expression to standard error and abort. */
_Noreturn void tulle__panic(const char *file, int line, const char *expression);

#endif
