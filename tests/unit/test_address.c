/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "node/address.h"

#include <string.h>

TEST(takes_apart_tcp)
{
    (void)state;
    struct tulle__address address;

    assert_true(tulle__address_parse("tcp://host.example:7000", &address));

    assert_false(address.is_ipc);
    assert_string_equal(address.host, "host.example");
    assert_int_equal(address.port, 7000);
}

TEST(star_stands_for_any_host_and_any_port)
{
    (void)state;
    struct tulle__address address;

    assert_true(tulle__address_parse("tcp://*:*", &address));

    assert_string_equal(address.host, "*");
    assert_int_equal(address.port, 0);
}

TEST(takes_apart_ipc)
{
    (void)state;
    struct tulle__address address;

    assert_true(tulle__address_parse("ipc:///run/tulle/a", &address));

    assert_true(address.is_ipc);
    assert_string_equal(address.host, "/run/tulle/a");
}

TEST(refuses_what_is_no_address)
{
    (void)state;
    static const char *const wrong[] = { "",           "tcp://",     "tcp://h",      "tcp://h:",
                                         "tcp://:1",   "tcp://h:0",  "tcp://h:x",    "tcp://h:-1",
                                         "tcp://h:1 ", "udp://h:1",  "h:1",          "ipc://",
                                         "ipc://a b",  "tcp://h:+7", "tcp://h:65536" };
    struct tulle__address address;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(tulle__address_parse(wrong[i], &address));
}

TEST(refuses_what_others_would_take_for_malformed)
{
    (void)state;
    struct tulle__address address;

    assert_true(tulle__address_parse("ipc:///run/caf\xc3\xa9", &address));
    assert_false(tulle__address_parse("ipc:///run/caf\xe9", &address));
    assert_false(tulle__address_parse("ipc:///run/a\nb", &address));
    assert_false(tulle__address_can_be_dialed("tcp://h\x7f:7000"));
}

TEST(port_leaves_room_for_the_next_one)
{
    (void)state;
    struct tulle__address address;

    assert_true(tulle__address_parse("tcp://h:65534", &address));
    assert_false(tulle__address_parse("tcp://h:65535", &address));
}

TEST(refuses_paths_longer_than_the_system_takes)
{
    (void)state;
    char text[200] = "ipc:///";
    struct tulle__address address;

    memset(text + 7, 'x', 99);
    assert_true(tulle__address_parse(text, &address));
    text[7 + 99] = 'x';
    assert_false(tulle__address_parse(text, &address));
}

TEST(refuses_texts_of_any_length)
{
    (void)state;
    char text[4096];
    struct tulle__address address;
    memset(text, 'h', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text, "tcp://", 6);
    memcpy(text + sizeof text - 3, ":1", 2);

    assert_false(tulle__address_parse(text, &address));
}

TEST(only_a_given_host_and_port_can_be_dialed)
{
    (void)state;

    assert_true(tulle__address_can_be_dialed("tcp://h:1"));
    assert_true(tulle__address_can_be_dialed("ipc://p"));
    assert_false(tulle__address_can_be_dialed("tcp://*:1"));
    assert_false(tulle__address_can_be_dialed("tcp://h:*"));
}

TEST(chooses_the_first_that_can_be_dialed)
{
    (void)state;
    char chosen[TULLE__ADDRESS_LEN_MAX + 1];

    tulle__address_choose("tcp://*:1  tcp://192.0.2.1:2 tcp://192.0.2.2:3", 0, chosen);

    assert_string_equal(chosen, "tcp://192.0.2.1:2");
}

TEST(prefers_tcp_to_a_path_that_is_not_there)
{
    (void)state;
    char chosen[TULLE__ADDRESS_LEN_MAX + 1];

    tulle__address_choose("ipc:///nowhere/at/all tcp://192.0.2.1:2", 0, chosen);

    assert_string_equal(chosen, "tcp://192.0.2.1:2");
}

TEST(each_turn_chooses_the_next)
{
    (void)state;
    char chosen[TULLE__ADDRESS_LEN_MAX + 1];
    static const char list[] =
        "tcp://*:1 tcp://192.0.2.1:2 ipc:///nowhere/at/all tcp://192.0.2.2:3";

    tulle__address_choose(list, 1, chosen);
    assert_string_equal(chosen, "tcp://192.0.2.2:3");
    tulle__address_choose(list, 2, chosen);
    assert_string_equal(chosen, "tcp://192.0.2.1:2");
    tulle__address_choose(list, UINT32_MAX, chosen);
    assert_string_equal(chosen, "tcp://192.0.2.2:3");
    tulle__address_choose("tcp://192.0.2.1:2", 7, chosen);
    assert_string_equal(chosen, "tcp://192.0.2.1:2");
}

TEST(only_what_can_be_dialed_counts_as_a_choice)
{
    (void)state;
    assert_int_equal(tulle__address_choices("tcp://192.0.2.1:2 tcp://*:1 tcp://192.0.2.2:3"), 2);
    assert_int_equal(tulle__address_choices("ipc:///nowhere/at/all tcp://192.0.2.1:2"), 1);
    assert_int_equal(tulle__address_choices("ipc:///nowhere/at/all"), 1);
    assert_int_equal(tulle__address_choices("rubbish"), 0);
    assert_int_equal(tulle__address_choices(""), 0);
}

TEST(nothing_to_choose_from_is_nothing)
{
    (void)state;
    char chosen[TULLE__ADDRESS_LEN_MAX + 1] = "x";

    tulle__address_choose("", 0, chosen);
    assert_string_equal(chosen, "");
    tulle__address_choose("  rubbish  ", 0, chosen);
    assert_string_equal(chosen, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_apart_tcp),
        cmocka_unit_test(star_stands_for_any_host_and_any_port),
        cmocka_unit_test(takes_apart_ipc),
        cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(refuses_what_others_would_take_for_malformed),
        cmocka_unit_test(port_leaves_room_for_the_next_one),
        cmocka_unit_test(refuses_paths_longer_than_the_system_takes),
        cmocka_unit_test(refuses_texts_of_any_length),
        cmocka_unit_test(only_a_given_host_and_port_can_be_dialed),
        cmocka_unit_test(chooses_the_first_that_can_be_dialed),
        cmocka_unit_test(prefers_tcp_to_a_path_that_is_not_there),
        cmocka_unit_test(each_turn_chooses_the_next),
        cmocka_unit_test(only_what_can_be_dialed_counts_as_a_choice),
        cmocka_unit_test(nothing_to_choose_from_is_nothing),
    };
    return cmocka_run_group_tests_name("node/address", tests, NULL, NULL);
}
