/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TESTKIT_H
#define TULLE_TESTKIT_H

/* What every test includes first: cmocka with what must stand before it, a test
 * as one word, and an assertion on statuses that names them. */

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <tulle/status.h>

#include <stdbool.h>
#include <string.h>

/* Its argument is "state", the fixture that the setup left. */
#define TEST(name) static void name(void **state)

#define assert_status(call, expected) \
    testkit_assert_status((call), (expected), #call, __FILE__, __LINE__)

static inline void
testkit_assert_status(
    tulle_status found, tulle_status expected, const char *call, const char *file, int line)
{
    if (found == expected)
        return;
    print_error("%s: %s, not %s\n", call, tulle_status_name(found), tulle_status_name(expected));
    _fail(file, line);
}

/* Chance with a fixed seed, which is not 0: xorshift64. */
struct testkit_random {
    uint64_t state;
};

/* 0 .. n - 1 */
static inline uint64_t
testkit_random_below(struct testkit_random *random, uint64_t n)
{
    random->state ^= random->state << 13;
    random->state ^= random->state >> 7;
    random->state ^= random->state << 17;
    return (random->state >> 11) % n;
}

/* For tulle__alloc_set_hook(testkit_may_allocate, &memory): so many allocations
 * are granted, and none after them. */
struct testkit_memory {
    size_t left;
    size_t asked;
};

static inline bool
testkit_may_allocate(void *ctx)
{
    struct testkit_memory *memory = ctx;
    memory->asked++;
    if (memory->left == 0)
        return false;
    memory->left--;
    return true;
}

/* How often the part is in the text, also where one overlaps the next. */
static inline size_t
testkit_count(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

#endif
