/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_BASE_POISON_H
#define TULLE_BASE_POISON_H

/* Memory that is kept for later is as forbidden as freed memory: told to the address
 * sanitizer where there is one. */

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TULLE__HAS_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define TULLE__HAS_ASAN 1
#endif

#ifdef TULLE__HAS_ASAN
#include <sanitizer/asan_interface.h>

static inline void
tulle__poison(void *bytes, size_t len)
{
    __asan_poison_memory_region(bytes, len);
}

static inline void
tulle__unpoison(void *bytes, size_t len)
{
    __asan_unpoison_memory_region(bytes, len);
}
#else
static inline void
tulle__poison(void *bytes, size_t len)
{
    (void)bytes;
    (void)len;
}

static inline void
tulle__unpoison(void *bytes, size_t len)
{
    (void)bytes;
    (void)len;
}
#endif

#endif
