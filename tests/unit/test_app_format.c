/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "app/format.h"

#include <tulle/node.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const tulle_clock_entry clock_of_event[] = { { 0xab, "orders", 7 }, { 0xcd, "x", 2 } };
static const tulle_event_ref causes[] = { { 0xcd, "x", 2 }, { 0xcd, "x/y", 1 } };

static const tulle_header headers[] = { { "a", "1" }, { "b", "2" } };

static const tulle_message message = {
    .kind = TULLE_MESSAGE_EVENT,
    .u.event = { .node = 0xab,
                 .node_name = "shop",
                 .stream = "orders",
                 .seq = 7,
                 .topic = "orders/gr\xc3\xbcn",
                 .time_us = 1714564800000042,
                 .payload = "\xa2hi",
                 .payload_len = 3,
                 .clock = clock_of_event,
                 .clock_count = 2,
                 .deps = clock_of_event + 1,
                 .dep_count = 1,
                 .causes = causes,
                 .cause_count = 2,
                 .content_type = "application/msgpack",
                 .headers = headers,
                 .header_count = 2,
                 .hops = 3,
                 .delay_us = -15,
                 .held_us = 1200 },
};

static void
assert_format(const char *template, const char *expected)
{
    struct tulle__format *format = NULL;
    struct tulle__text text = { 0 };
    const char *problem = NULL;
    if (!tulle__format_new(template, &format, &problem))
        fail_msg("'%s': %s", template, problem);
    tulle__format_apply(format, &message, 4, &text);
    tulle__text_put(&text, "", 1);
    if (strcmp(text.bytes, expected) != 0)
        fail_msg("'%s' gives '%s', not '%s'", template, text.bytes, expected);
    tulle__format_free(&format);
    tulle__text_free(&text);
}

TEST(fields_of_the_event)
{
    (void)state;
    assert_format("%t|%p|%l|%x|%X", "orders/gr\xc3\xbcn|hi|3|a26869|A26869");
    assert_format("%r", "\xa2hi");
    assert_format("%o %i %S %s", "shop 00000000000000ab orders 7");
    assert_format("%d %L %h %k %g", "1200 -15 3 event 4");
    assert_format("%C %P", "application/msgpack a:1 b:2");
    assert_format("%U", "1714564800.000042");
    assert_format("%V", "00000000000000ab/orders:7 00000000000000cd/x:2");
    assert_format("%D", "00000000000000cd/x:2");
    assert_format("%c", "00000000000000cd/x/2 00000000000000cd/x/y/1");
}

TEST(times_are_local)
{
    (void)state;
    assert_format("%I", "2024-05-01T12:00:00+0000");
    assert_format("@Y-@m-@d @H:@M:@S.@N @I", "2024-05-01 12:00:00.000042000 12");
}

TEST(literals_and_escapes)
{
    (void)state;
    assert_format("", "");
    assert_format("100%% a@@b", "100% a@b");
    assert_format("%s\\t%s\\n\\\\\\e", "7\t7\n\\\033");
}

TEST(widths_count_characters)
{
    (void)state;
    assert_format("[%14t]", "[   orders/gr\xc3\xbcn]");
    assert_format("[%-14t]", "[orders/gr\xc3\xbcn   ]");
    assert_format("[%.9t]", "[orders/gr]");
    assert_format("[%.10t]", "[orders/gr\xc3\xbc]");
    assert_format("[%6.2p]", "[    hi]");
    assert_format("[%5s]", "[    7]");
    assert_format("[%05s]", "[00007]");
    assert_format("[%-05s]", "[7    ]");
    assert_format("[%06L]", "[-00015]");
    assert_format("[%2t]", "[orders/gr\xc3\xbcn]");
}

TEST(json_forms_differ_in_the_payload)
{
    (void)state;
    static const char *const letters[] = { "%j", "%J" };
    for (size_t i = 0; i < 2; i++) {
        struct tulle__format *format = NULL;
        struct tulle__text text = { 0 };
        const char *problem = NULL;
        tulle_message number = message;
        number.u.event.payload = "\x05";
        number.u.event.payload_len = 1;
        assert_true(tulle__format_new(letters[i], &format, &problem));
        tulle__format_apply(format, &number, 0, &text);
        tulle__text_put(&text, "", 1);
        assert_non_null(strstr(text.bytes, i == 0 ? "\"payload\":\"5\"" : "\"payload\":5"));
        tulle__format_free(&format);
        tulle__text_free(&text);
    }
}

TEST(wrong_templates_are_refused)
{
    (void)state;
    static const char *const templates[] = { "%",
                                             "%5",
                                             "%z",
                                             "%10001t",
                                             "%.99999t",
                                             "@",
                                             "@!",
                                             "\\q",
                                             "\\",
                                             "abc%-",
                                             "%.",
                                             "%t %",
                                             "%99999999999999999999999t" };
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        struct tulle__format *format = NULL;
        const char *problem = NULL;
        assert_false(tulle__format_new(templates[i], &format, &problem));
        assert_null(format);
        assert_non_null(problem);
        assert_string_not_equal(problem, "out of memory");
    }
}

static unsigned
details_of(const char *template)
{
    struct tulle__format *format = NULL;
    const char *problem = NULL;
    assert_true(tulle__format_new(template, &format, &problem));
    unsigned details = tulle__format_details(format);
    tulle__format_free(&format);
    return details;
}

TEST(clocks_are_asked_for_only_when_shown)
{
    (void)state;
    assert_int_equal(details_of("%t %p V D %%V"), 0);
    assert_int_equal(details_of("%V"), TULLE_DETAIL_CLOCK);
    assert_int_equal(details_of("%D"), TULLE_DETAIL_DEPS);
    assert_int_equal(details_of("%J"), TULLE_DETAIL_CLOCK | TULLE_DETAIL_DEPS);
}

TEST(every_field_of_the_help_compiles)
{
    (void)state;
    char letter = '\0';
    size_t count = 0;
    for (; tulle__format_field(count, &letter) != NULL; count++) {
        const char template[] = { '%', letter, '\0' };
        (void)details_of(template);
    }
    assert_true(count > 15);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_the_event),
        cmocka_unit_test(times_are_local),
        cmocka_unit_test(literals_and_escapes),
        cmocka_unit_test(widths_count_characters),
        cmocka_unit_test(json_forms_differ_in_the_payload),
        cmocka_unit_test(wrong_templates_are_refused),
        cmocka_unit_test(clocks_are_asked_for_only_when_shown),
        cmocka_unit_test(every_field_of_the_help_compiles),
    };
    (void)setenv("TZ", "UTC", 1); /* before any thread; local times are then known */
    tzset();
    return cmocka_run_group_tests_name("app/format", tests, NULL, NULL);
}
