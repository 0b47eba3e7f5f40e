/* SPDX-License-Identifier: MPL-2.0 */
/* The table of counters, to be walked. */

#include <tulle/counters.h>

static const tulle_counter_info rows[] = {
#define COUNTER_ROW(name, unit, kind, help) \
    { #name, #unit, #kind, help, offsetof(tulle_counters, name) },
    TULLE_COUNTER_MAP(COUNTER_ROW)
#undef COUNTER_ROW
};

const tulle_counter_info *
tulle_counter_info_at(size_t index)
{
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}
