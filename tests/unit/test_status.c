/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include <tulle/counters.h>
#include <tulle/status.h>
#include <tulle/version.h>

#include <stdio.h>
#include <string.h>

enum { STATUS_COUNT = 16 };

/* ---- statuses ---- */

TEST(values_are_the_stable_ones)
{
    (void)state;

#define STATUS_VALUE(name, value, text) (value),
    static const int values[] = { TULLE_STATUS_MAP(STATUS_VALUE) };
#undef STATUS_VALUE
    assert_int_equal(sizeof values / sizeof values[0], STATUS_COUNT);
    assert_true(TULLE_OK == 0);
    assert_true(TULLE_EINVAL == -1);
    assert_true(TULLE_ENOMEM == -2);
    assert_true(TULLE_EAGAIN == -3);
    assert_true(TULLE_EBADMSG == -4);
    assert_true(TULLE_ETIMEDOUT == -5);
    assert_true(TULLE_ESTATE == -6);
    assert_true(TULLE_EMSGSIZE == -7);
    assert_true(TULLE_EADDRINUSE == -8);
    assert_true(TULLE_EADDRNOTAVAIL == -9);
    assert_true(TULLE_ENOENT == -10);
    assert_true(TULLE_ENETWORK == -11);
    assert_true(TULLE_EVERSION == -12);
    assert_true(TULLE_EMESH == -13);
    assert_true(TULLE_ELIMIT == -14);
    assert_true(TULLE_EOS == -15);
}

TEST(each_status_has_its_name_and_its_text)
{
    (void)state;

    assert_string_equal(tulle_status_name(TULLE_OK), "TULLE_OK");
    assert_string_equal(tulle_status_name(TULLE_EADDRNOTAVAIL), "TULLE_EADDRNOTAVAIL");
    assert_string_equal(tulle_status_name(TULLE_EOS), "TULLE_EOS");
    assert_string_equal(tulle_strerror(TULLE_OK), "success");
    assert_string_equal(tulle_strerror(TULLE_ETIMEDOUT), "timed out");
    assert_string_equal(tulle_strerror(TULLE_EOS), "the operating system refused the operation");
}

TEST(no_two_statuses_have_one_name_or_text)
{
    (void)state;

    for (int i = 0; i < STATUS_COUNT; i++) {
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(tulle_status_name((tulle_status)-i),
                                    tulle_status_name((tulle_status)-k));
            assert_string_not_equal(tulle_strerror((tulle_status)-i),
                                    tulle_strerror((tulle_status)-k));
        }
    }
}

TEST(a_value_that_is_no_status_has_a_text_too)
{
    (void)state;

    assert_string_equal(tulle_status_name((tulle_status)-STATUS_COUNT), "TULLE_UNKNOWN");
    assert_string_equal(tulle_strerror((tulle_status)-STATUS_COUNT), "unknown status");
    assert_string_equal(tulle_status_name((tulle_status)1), "TULLE_UNKNOWN");
    assert_string_equal(tulle_strerror((tulle_status)1), "unknown status");
}

/* ---- counters ---- */

TEST(the_rows_cover_all_counters_in_order)
{
    (void)state;

    size_t count = 0;
    const tulle_counter_info *row;
    while ((row = tulle_counter_info_at(count)) != NULL) {
        assert_int_equal(row->offset, count * sizeof(uint64_t));
        count++;
    }
    assert_int_equal(count * sizeof(uint64_t), sizeof(tulle_counters));
    assert_null(tulle_counter_info_at(count + 1));
    assert_null(tulle_counter_info_at(SIZE_MAX));
}

TEST(a_row_leads_to_its_counter)
{
    (void)state;
    tulle_counters counters = { .gaps = 7, .unacked_now = 9 };
    uint64_t gaps = 0;
    uint64_t unacked = 0;

    const tulle_counter_info *row;
    for (size_t i = 0; (row = tulle_counter_info_at(i)) != NULL; i++) {
        if (strcmp(row->name, "gaps") == 0)
            memcpy(&gaps, (const char *)&counters + row->offset, sizeof gaps);
        if (strcmp(row->name, "unacked_now") == 0)
            memcpy(&unacked, (const char *)&counters + row->offset, sizeof unacked);
    }

    assert_int_equal(gaps, 7);
    assert_int_equal(unacked, 9);
}

TEST(rows_are_complete_and_their_names_differ)
{
    (void)state;

    const tulle_counter_info *row;
    for (size_t i = 0; (row = tulle_counter_info_at(i)) != NULL; i++) {
        assert_true(strlen(row->name) > 0);
        assert_true(strlen(row->unit) > 0);
        assert_true(strlen(row->help) > 0);
        assert_true(strcmp(row->kind, "counter") == 0 || strcmp(row->kind, "gauge") == 0);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(row->name, tulle_counter_info_at(k)->name);
    }
}

/* ---- version ---- */

TEST(the_version_is_that_of_the_headers)
{
    (void)state;
    char expected[32];

    (void)snprintf(expected, sizeof expected, "%d.%d.%d", TULLE_VERSION_MAJOR, TULLE_VERSION_MINOR,
                   TULLE_VERSION_PATCH);

    assert_string_equal(tulle_version(), TULLE_VERSION);
    assert_string_equal(tulle_version(), expected);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_the_stable_ones),
        cmocka_unit_test(each_status_has_its_name_and_its_text),
        cmocka_unit_test(no_two_statuses_have_one_name_or_text),
        cmocka_unit_test(a_value_that_is_no_status_has_a_text_too),
        cmocka_unit_test(the_rows_cover_all_counters_in_order),
        cmocka_unit_test(a_row_leads_to_its_counter),
        cmocka_unit_test(rows_are_complete_and_their_names_differ),
        cmocka_unit_test(the_version_is_that_of_the_headers),
    };
    return cmocka_run_group_tests_name("base/status", tests, NULL, NULL);
}
