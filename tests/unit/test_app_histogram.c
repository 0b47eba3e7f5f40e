/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "app/histogram.h"

#include <stdlib.h>
#include <string.h>

static struct tulle__histogram *
new_histogram(void)
{
    struct tulle__histogram *histogram = malloc(sizeof *histogram);
    assert_non_null(histogram);
    tulle__histogram_init(histogram);
    return histogram;
}

/* Not below the true value, and less than 1 % above it. */
static void
assert_close(uint64_t found, uint64_t value)
{
    if (found < value || (double)found > (double)value * 1.01)
        print_error("%llu for %llu\n", (unsigned long long)found, (unsigned long long)value);
    assert_true(found >= value && (double)found <= (double)value * 1.01);
}

TEST(is_empty_at_first)
{
    (void)state;
    struct tulle__histogram *h = new_histogram();
    assert_int_equal(tulle__histogram_quantile(h, 0.5), 0);
    assert_int_equal(tulle__histogram_up_to(h, UINT64_MAX), 0);
    assert_true(tulle__histogram_mean(h) == 0);
    free(h);
}

TEST(quantiles_of_small_values_are_exact)
{
    (void)state;
    struct tulle__histogram *h = new_histogram();
    for (uint64_t i = 1; i <= 200; i++)
        tulle__histogram_record(h, i);
    assert_int_equal(tulle__histogram_quantile(h, 0), 1);
    assert_int_equal(tulle__histogram_quantile(h, 0.5), 100);
    assert_int_equal(tulle__histogram_quantile(h, 0.501), 101);
    assert_int_equal(tulle__histogram_quantile(h, 0.99), 198);
    assert_int_equal(tulle__histogram_quantile(h, 1), 200);
    assert_int_equal(tulle__histogram_up_to(h, 50), 50);
    assert_true(tulle__histogram_mean(h) == 100.5);
    free(h);
}

/* Around each power of two, where buckets change their width, and anywhere between. */
TEST(a_quantile_is_within_one_percent)
{
    (void)state;
    struct tulle__histogram *h = new_histogram();
    struct testkit_random random = { 0x9e3779b97f4a7c15 };
    for (unsigned bit = 0; bit < TULLE__HISTOGRAM_VALUE_BITS - 1; bit++) {
        uint64_t power = UINT64_C(1) << bit;
        uint64_t values[] = { power, power - 1, power + 1,
                              power + testkit_random_below(&random, power) };
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            tulle__histogram_init(h);
            tulle__histogram_record(h, values[i]);
            tulle__histogram_record(h, UINT64_C(1) << 50); /* or max would tell */
            assert_close(tulle__histogram_quantile(h, 0.5), values[i]);
            assert_int_equal(h->min, values[i]);
            assert_int_equal(tulle__histogram_up_to(h, values[i]), 1);
        }
    }
    free(h);
}

/* Counted, and as max exactly. */
TEST(values_past_the_end_count_in_the_last_bucket)
{
    (void)state;
    struct tulle__histogram *h = new_histogram();
    tulle__histogram_record(h, 5);
    tulle__histogram_record(h, UINT64_MAX);
    assert_int_equal(h->count, 2);
    assert_int_equal(tulle__histogram_quantile(h, 0.5), 5);
    assert_true(tulle__histogram_quantile(h, 1) == UINT64_MAX);
    assert_int_equal(tulle__histogram_up_to(h, UINT64_MAX), 2);
    free(h);
}

TEST(merging_adds_up)
{
    (void)state;
    struct tulle__histogram *a = new_histogram();
    struct tulle__histogram *b = new_histogram();
    struct tulle__histogram *both = new_histogram();
    for (uint64_t i = 0; i < 3000; i++) {
        tulle__histogram_record(i % 3 == 0 ? a : b, i * i);
        tulle__histogram_record(both, i * i);
    }
    tulle__histogram_merge(a, b);
    assert_memory_equal(a->counts, both->counts, sizeof a->counts);
    assert_int_equal(a->count, both->count);
    assert_int_equal(a->min, both->min);
    assert_int_equal(a->max, both->max);
    assert_true(a->sum == both->sum);
    free(a);
    free(b);
    free(both);
}

/* 1 to 10000, once each, as HdrHistogram writes it. */
TEST(percentiles_are_written_down)
{
    (void)state;
    struct tulle__histogram *h = new_histogram();
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    for (uint64_t i = 1; i <= 10000; i++)
        tulle__histogram_record(h, i * 1000);
    tulle__histogram_write(h, 1000, to);
    assert_int_equal(fclose(to), 0);
    static const char head[] = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
    assert_int_equal(strncmp(text, head, strlen(head)), 0);
    double last = 0;
    double share = -1;
    unsigned lines = 0;
    const char *line = text + strlen(head);
    for (; line[0] != '#'; line = strchr(line, '\n') + 1, lines++) {
        char *rest = NULL;
        double value = strtod(line, &rest);
        double next = strtod(rest, &rest);
        double count = strtod(rest, &rest);
        assert_true(value >= last && next > share && count >= next * 10000);
        assert_true(value >= next * 10000 && value <= next * 10000 * 1.01 + 2);
        last = value;
        share = next;
    }
    assert_true(lines > 20 && lines < 60);
    assert_true(last == 10000 && share == 1);
    assert_non_null(strstr(line, "#[Mean    =     5000.500, StdDeviation   =     2886."));
    assert_non_null(strstr(line, "#[Max     =    10000.000, Total count    =        10000]\n"));
    free(text);
    free(h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_empty_at_first),
        cmocka_unit_test(quantiles_of_small_values_are_exact),
        cmocka_unit_test(a_quantile_is_within_one_percent),
        cmocka_unit_test(values_past_the_end_count_in_the_last_bucket),
        cmocka_unit_test(merging_adds_up),
        cmocka_unit_test(percentiles_are_written_down),
    };
    return cmocka_run_group_tests_name("app/histogram", tests, NULL, NULL);
}
