/* SPDX-License-Identifier: MPL-2.0 */

/* Lists of numbers, multiplied. */

#include "tools/load/load_counts.h"

#include "app/option.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset; /* in the plan */
    uint32_t min, max;
} kinds[TULLE__LOAD_COUNTS] = {
    [TULLE__LOAD_PUBLISHERS] = { "publishers", offsetof(struct tulle__load_plan, publishers), 0,
                                 TULLE__LOAD_NODES_MAX },
    [TULLE__LOAD_SUBSCRIBERS] = { "subscribers", offsetof(struct tulle__load_plan, subscribers), 0,
                                  TULLE__LOAD_NODES_MAX },
    [TULLE__LOAD_BOTH] = { "both", offsetof(struct tulle__load_plan, both), 0,
                           TULLE__LOAD_NODES_MAX },
    [TULLE__LOAD_STREAMS] = { "streams", offsetof(struct tulle__load_plan, streams), 1,
                              TULLE__LOAD_TOPICS_MAX },
    [TULLE__LOAD_TOPICS] = { "topics", offsetof(struct tulle__load_plan, topics), 1,
                             TULLE__LOAD_TOPICS_MAX },
    [TULLE__LOAD_PROXIES] = { "proxies", offsetof(struct tulle__load_plan, proxies), 0,
                              TULLE__LOAD_PROXIES_MAX },
};

bool
tulle__load_next_item(const char **at, char item[static 32])
{
    size_t len = strcspn(*at, ",");
    if (len >= 32)
        return false;
    memcpy(item, *at, len);
    item[len] = '\0';
    *at = (*at)[len] == '\0' ? NULL : *at + len + 1;
    return true;
}

static bool
read_list(struct tulle__load_counts *counts, size_t kind)
{
    const char *at = counts->texts[kind];
    while (at != NULL) {
        char text[32];
        uint64_t value = 0;
        size_t count = counts->value_counts[kind];
        if (count == TULLE__LOAD_VALUES_MAX || !tulle__load_next_item(&at, text) ||
            !tulle__parse_u64(text, kinds[kind].min, kinds[kind].max, &value))
            return false;
        counts->values[kind][count] = (uint32_t)value;
        counts->value_counts[kind]++;
    }
    return true;
}

const char *
tulle__load_counts_read(struct tulle__load_counts *counts, char problem[static 200])
{
    for (size_t i = 0; i < TULLE__LOAD_COUNTS; i++) {
        counts->value_counts[i] = 0;
        if (read_list(counts, i))
            continue;
        (void)snprintf(problem, 200,
                       "--%s: '%.60s' is no list of up to %d numbers from %" PRIu32 " to %" PRIu32,
                       kinds[i].name, counts->texts[i], TULLE__LOAD_VALUES_MAX, kinds[i].min,
                       kinds[i].max);
        return problem;
    }
    return NULL;
}

bool
tulle__load_counts_at(const struct tulle__load_counts *counts,
                      size_t index,
                      struct tulle__load_plan *plan)
{
    for (size_t i = TULLE__LOAD_COUNTS; i-- > 0;) {
        size_t count = counts->value_counts[i];
        if (count == 0)
            continue;
        memcpy((char *)plan + kinds[i].offset, &counts->values[i][index % count], sizeof(uint32_t));
        index /= count;
    }
    return index == 0;
}

bool
tulle__load_counts_equal(const struct tulle__load_plan *a, const struct tulle__load_plan *b)
{
    return a->publishers == b->publishers && a->subscribers == b->subscribers &&
           a->both == b->both && a->streams == b->streams && a->topics == b->topics &&
           a->proxies == b->proxies;
}
