/* SPDX-License-Identifier: MPL-2.0 */

/* Counters of a moment, in memory and in a file of lines:
 *
 *     tulle check 1 TIME_US
 *     ID TIME_US GAPS LOST DROPPED PUBLISHED DELIVERED
 */

#include "tools/check/check_base.h"

#include "tools/check/check_file.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_LEN = 256, ENTRIES_MAX = 100000 };

static const char head[] = "tulle check 1 ";
static const uint64_t KEPT_US = UINT64_C(86400) * 1000000; /* of a node that is not seen */

void
tulle__base_counts(const tulle_seen_node *node, uint64_t counts[TULLE__BASE_COUNT])
{
    const tulle_seen_counters *c = &node->counters;
    counts[TULLE__BASE_GAPS] = c->gaps;
    counts[TULLE__BASE_LOST] = c->events_given_up;
    counts[TULLE__BASE_DROPPED] = c->dropped;
    counts[TULLE__BASE_PUBLISHED] = c->events_published;
    counts[TULLE__BASE_DELIVERED] = c->events_delivered;
}

static int
compare(const void *a, const void *b)
{
    const struct tulle__base_entry *left = a;
    const struct tulle__base_entry *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

static const struct tulle__base_entry *
find(const struct tulle__check_base *base, uint64_t id)
{
    const struct tulle__base_entry key = { .id = id };
    return base->count == 0
               ? NULL
               : bsearch(&key, base->entries, base->count, sizeof *base->entries, compare);
}

bool
tulle__base_take(struct tulle__check_base *base, const tulle_snapshot *snapshot)
{
    size_t room = snapshot->node_count + base->count;
    struct tulle__base_entry *entries = calloc(room + 1, sizeof *entries);
    size_t count = 0;
    if (entries == NULL)
        return false;
    for (size_t i = 0; i < snapshot->node_count; i++) {
        const tulle_seen_node *node = &snapshot->nodes[i];
        if (!node->has_counters || node->is_self)
            continue;
        entries[count].id = node->id;
        entries[count].time_us = snapshot->time_us;
        tulle__base_counts(node, entries[count].counts);
        count++;
    }
    size_t fresh = count;
    for (size_t i = 0; i < base->count; i++) {
        const struct tulle__base_entry *old = &base->entries[i];
        const struct tulle__base_entry key = { .id = old->id };
        bool is_old = old->time_us + KEPT_US < snapshot->time_us;
        if (!is_old && bsearch(&key, entries, fresh, sizeof key, compare) == NULL)
            entries[count++] = *old;
    }
    qsort(entries, count, sizeof *entries, compare);
    free(base->entries);
    base->entries = entries;
    base->count = count < ENTRIES_MAX ? count : ENTRIES_MAX;
    base->time_us = snapshot->time_us;
    return true;
}

uint64_t
tulle__base_since(const struct tulle__check_base *base, const tulle_seen_node *node, size_t which)
{
    uint64_t counts[TULLE__BASE_COUNT];
    tulle__base_counts(node, counts);
    const struct tulle__base_entry *entry = find(base, node->id);
    if (entry != NULL)
        return counts[which] > entry->counts[which] ? counts[which] - entry->counts[which] : 0;
    bool is_newer = !base->is_first && (double)node->counters.uptime_ms < base->seconds * 1000;
    return is_newer ? counts[which] : 0;
}

/* Digits and the character that must follow them. */
static bool
read_number(const char **at, int base, char end, uint64_t *out)
{
    char *stop = NULL;
    if (!isxdigit((unsigned char)**at))
        return false;
    errno = 0;
    *out = strtoull(*at, &stop, base);
    *at = stop + 1;
    return errno == 0 && *stop == end;
}

static bool
read_entry(const char *line, struct tulle__base_entry *entry)
{
    bool is_good =
        read_number(&line, 16, ' ', &entry->id) && read_number(&line, 10, ' ', &entry->time_us);
    for (size_t i = 0; i < TULLE__BASE_COUNT && is_good; i++) {
        bool is_last = i + 1 == TULLE__BASE_COUNT;
        is_good = read_number(&line, 10, is_last ? '\n' : ' ', &entry->counts[i]);
    }
    return is_good;
}

static const char *
read_all(struct tulle__check_base *base, FILE *file)
{
    static const char not_ours[] = "no state of tulle check";
    char line[LINE_LEN];
    const char *time = line + sizeof head - 1;
    size_t cap = 0;
    if (fgets(line, sizeof line, file) == NULL || strncmp(line, head, sizeof head - 1) != 0 ||
        !read_number(&time, 10, '\n', &base->time_us))
        return not_ours;
    while (fgets(line, sizeof line, file) != NULL) {
        if (base->count == cap) {
            cap = cap == 0 ? 64 : 2 * cap;
            struct tulle__base_entry *more = realloc(base->entries, cap * sizeof *more);
            if (more == NULL)
                return "out of memory";
            base->entries = more;
        }
        if (base->count >= ENTRIES_MAX || !read_entry(line, &base->entries[base->count]))
            return not_ours;
        base->count++;
    }
    if (ferror(file))
        return strerror(errno);
    if (base->count > 1)
        qsort(base->entries, base->count, sizeof *base->entries, compare);
    return NULL;
}

const char *
tulle__base_load(struct tulle__check_base *base, const char *path)
{
    *base = (struct tulle__check_base){ .is_first = false };
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        base->is_first = errno == ENOENT;
        return base->is_first ? NULL : strerror(errno);
    }
    const char *problem = read_all(base, file);
    (void)fclose(file);
    if (problem != NULL)
        tulle__base_fini(base);
    return problem;
}

bool
tulle__base_save(const struct tulle__check_base *base, const char *path)
{
    struct tulle__text text = { 0 };
    tulle__text_format(&text, "%s%" PRIu64 "\n", head, base->time_us);
    for (size_t i = 0; i < base->count; i++) {
        tulle__text_format(&text, "%016" PRIx64 " %" PRIu64, base->entries[i].id,
                           base->entries[i].time_us);
        for (size_t k = 0; k < TULLE__BASE_COUNT; k++)
            tulle__text_format(&text, " %" PRIu64, base->entries[i].counts[k]);
        tulle__text_char(&text, '\n');
    }
    bool is_saved = tulle__replace_file(path, &text);
    tulle__text_free(&text);
    return is_saved;
}

void
tulle__base_fini(struct tulle__check_base *base)
{
    free(base->entries);
    base->entries = NULL;
    base->count = 0;
}
