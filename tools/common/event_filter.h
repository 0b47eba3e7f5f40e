/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_EVENT_FILTER_H
#define TULLE_TOOLS_EVENT_FILTER_H

/* Which events a tool shows or keeps, of those that it takes: options that several have. */

#include "app/args.h"
#include "app/text.h"
#include "tools/common/query.h"

#include <tulle/node.h>

#include <stdbool.h>
#include <stdint.h>

struct tulle__event_filter {
    const struct tulle__list *exclude; /* patterns of -T; NULL: none */
    int64_t since_us, until_us;        /* published then; both inclusive */
    struct tulle__query *where;        /* NULL: everything */
    struct tulle__text json;           /* scratch */
};

/* As they are typed; NULL: not given. Times have been checked with tulle__when_check(). */
struct tulle__event_filter_texts {
    const struct tulle__list *exclude;
    const char *since, *until, *where;
};

void tulle__event_filter_init(struct tulle__event_filter *filter);
void tulle__event_filter_fini(struct tulle__event_filter *filter);

/* Set a filter, which is to be freed whatever is returned. now_us: wall clock. Returns 0 or an
 * exit status, after a message. */
int tulle__event_filter_set(struct tulle__event_filter *filter,
                            const struct tulle__program *program,
                            const struct tulle__event_filter_texts *texts,
                            int64_t now_us);

/* message: an event, arrival or duplicate */
bool tulle__event_filter_passes(struct tulle__event_filter *filter, const tulle_message *message);

/* Does it leave anything out? */
bool tulle__event_filter_is_used(const struct tulle__event_filter *filter);

/* Where reading begins: "live", "earliest" or "last:N". False for anything else. */
bool tulle__from_parse(const char *text, tulle_subscribe_options *subscribe);

/* The same by --from, --last and --since together; NULL and 0: not given. Returns NULL, or what is
 * wrong with them. */
const char *tulle__from_choose(const char *from,
                               uint64_t last,
                               const char *since,
                               tulle_subscribe_options *subscribe);

#endif
