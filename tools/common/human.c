/* SPDX-License-Identifier: MPL-2.0 */

#include "tools/common/human.h"

#include <inttypes.h>

void
tulle__human_span(struct tulle__text *out, uint64_t ms)
{
    uint64_t s = ms / 1000;
    if (ms < 1000)
        tulle__text_format(out, "%" PRIu64 "ms", ms);
    else if (ms < 10000)
        tulle__text_format(out, "%" PRIu64 ".%" PRIu64 "s", s, ms / 100 % 10);
    else if (s < 120)
        tulle__text_format(out, "%" PRIu64 "s", s);
    else if (s < 7200)
        tulle__text_format(out, "%" PRIu64 "m", s / 60);
    else if (s < 172800)
        tulle__text_format(out, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
    else
        tulle__text_format(out, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
}

static void
put_scaled(struct tulle__text *out, double value, double step, const char *letters)
{
    while (value >= step * 0.9995 && letters[1] != '\0') {
        value /= step;
        letters++;
    }
    if (letters[0] != ' ')
        tulle__text_format(out, value < 9.995 ? "%.1f%c" : "%.0f%c", value, letters[0]);
    else
        tulle__text_format(out, value < 99.95 && value != (double)(uint64_t)value ? "%.1f" : "%.0f",
                           value);
}

void
tulle__human_bytes(struct tulle__text *out, uint64_t bytes)
{
    put_scaled(out, (double)bytes, 1024, " KMGTPE");
}

void
tulle__human_rate(struct tulle__text *out, double rate)
{
    put_scaled(out, rate < 0 ? 0 : rate, 1000, " kMGTPE");
}
