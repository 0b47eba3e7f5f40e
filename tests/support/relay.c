/* SPDX-License-Identifier: MPL-2.0 */

/* What the parts of tulle-test-relay share. */

#include "relay.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t
relay_now_us(void)
{
    struct timespec now = { 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* splitmix64 */
uint64_t
relay_chance_next(struct relay_chance *chance)
{
    chance->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = chance->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

bool
relay_chance_hits(struct relay_chance *chance, double percent)
{
    if (percent <= 0.0)
        return false;
    return (double)(relay_chance_next(chance) % 1000000) < percent * 10000.0;
}

bool
relay_split(const char *text,
            bool is_last,
            char left[static RELAY_ADDRESS_LEN],
            char right[static RELAY_ADDRESS_LEN])
{
    const char *equals = is_last ? strrchr(text, '=') : strchr(text, '=');
    if (equals == NULL || equals[1] == '\0')
        return false;
    size_t left_len = (size_t)(equals - text);
    size_t right_len = strlen(equals + 1);
    if (left_len >= RELAY_ADDRESS_LEN || right_len >= RELAY_ADDRESS_LEN)
        return false;
    memcpy(left, text, left_len);
    left[left_len] = '\0';
    memcpy(right, equals + 1, right_len + 1);
    return true;
}

bool
relay_parse_number(const char *text, double min, double max, double *out)
{
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || isnan(value) || value < min || value > max)
        return false;
    *out = value;
    return true;
}
