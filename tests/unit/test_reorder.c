/* SPDX-License-Identifier: MPL-2.0 */

/* Both orders side by side, as tap shows them. */

#include "testkit.h"

#include "tools/tap/tap_reorder.h"

#include <string.h>

enum { WIDTH = 80 };

/* Where it stands in what is printed of an event with this name and topic. */
static void
assert_shown(const char *name, const char *topic, const char *shown)
{
    struct tulle__text out = { 0 };
    struct tulle__reorder *reorder = tulle__reorder_new(WIDTH, false);
    assert_non_null(reorder);
    tulle_message message = { .kind = TULLE_MESSAGE_ARRIVAL };
    message.u.event = (tulle_event){ .node = 7,
                                     .node_name = name,
                                     .stream = "s",
                                     .seq = 1,
                                     .topic = topic,
                                     .time_us = 1714565730250000 };
    tulle__reorder_put(reorder, &message, &out);
    assert_int_equal(out.len, 0); /* until it is known when it is delivered */
    message.kind = TULLE_MESSAGE_EVENT;
    tulle__reorder_put(reorder, &message, &out);
    tulle__text_char(&out, '\0');
    assert_false(out.has_failed);
    const char *left = strstr(out.bytes, shown);
    if (left == NULL || strstr(left + 1, shown) == NULL)
        fail_msg("'%s' is not twice in '%s'", shown, out.bytes);
    tulle__text_free(&out);
    tulle__reorder_free(&reorder);
}

TEST(what_arrives_and_is_delivered_is_one_line)
{
    (void)state;
    assert_shown("shop", "a/b", "shop a/b 1");
    assert_shown("", "a/b", "0000000000000007 a/b 1");
    assert_shown("b\303\274ro", "a/b", "b\303\274ro a/b 1");
}

/* A name or a topic may have them, and terminals obey them. */
TEST(no_c1_control_is_shown)
{
    (void)state;
    assert_shown("a\302\233b", "c/\302\205", "a?b c/? 1");
    assert_shown("\302\240", "a", "\302\240 a 1"); /* the first that is none */
}

/* What turns the rest of the line around, or is not seen, is not let through either. */
TEST(nothing_hidden_is_shown)
{
    (void)state;
    assert_shown("a\342\200\256b", "c\342\200\213/d", "a?b c?/d 1");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_arrives_and_is_delivered_is_one_line),
        cmocka_unit_test(no_c1_control_is_shown),
        cmocka_unit_test(nothing_hidden_is_shown),
    };
    return cmocka_run_group_tests_name("tools/reorder", tests, NULL, NULL);
}
