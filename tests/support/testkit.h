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

#endif
