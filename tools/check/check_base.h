/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_CHECK_BASE_H
#define TULLE_TOOLS_CHECK_BASE_H

/* Counters as they were at a moment, to tell what is new since: of a snapshot, or of the file
 * that the last check left. A counter of a node begins with it, so what was long ago would
 * alarm for ever. */

#include <tulle/observe.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TULLE__BASE_GAPS,
    TULLE__BASE_LOST,
    TULLE__BASE_DROPPED,
    TULLE__BASE_PUBLISHED,
    TULLE__BASE_DELIVERED,
    TULLE__BASE_COUNT
};

struct tulle__base_entry {
    uint64_t id;
    uint64_t time_us; /* wall clock, when the node was seen last */
    uint64_t counts[TULLE__BASE_COUNT];
};

struct tulle__check_base {
    uint64_t time_us;
    double seconds;                    /* from then to the snapshot that is measured */
    struct tulle__base_entry *entries; /* ascending ids */
    size_t count;
    bool is_first; /* nothing was there before: all counts from now on */
};

/* The counters that a base has, of a node that has_counters. */
void tulle__base_counts(const tulle_seen_node *node, uint64_t counts[TULLE__BASE_COUNT]);

/* Take over what a snapshot has; entries of nodes that are not in it stay for a day. Returns
 * false, with the base as it was, when there is no memory. */
bool tulle__base_take(struct tulle__check_base *base, const tulle_snapshot *snapshot);

/* How much one of a node's counters grew since. A node that the base does not know counts from
 * its start, if it was started since; else nothing is known to be new. */
uint64_t
tulle__base_since(const struct tulle__check_base *base, const tulle_seen_node *node, size_t which);

/* Read a file that tulle__base_save() made; none is there: is_first. Returns NULL, or what is
 * wrong with it. */
const char *tulle__base_load(struct tulle__check_base *base, const char *path);

/* Write it in place of the file, whole or not at all. False: errno says why not. */
bool tulle__base_save(const struct tulle__check_base *base, const char *path);

void tulle__base_fini(struct tulle__check_base *base);

#endif
