/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TRACE_SELECT_H
#define TULLE_TOOLS_TRACE_SELECT_H

/* Which events are asked for. */

#include "app/option.h"
#include "tools/common/query.h"
#include "tools/trace/trace_store.h"

struct tulle__trace_selection {
    char **names; /* of events: NODE/STREAM/SEQ, where NODE is an id or a name */
    size_t name_count;
    struct tulle__list topics;  /* patterns: one of them matches */
    struct tulle__list finds;   /* FIELD=VALUE: all of them hold */
    struct tulle__query *where; /* NULL: everything */
};

/* NULL when it is a name of an event, else what is wrong with it. */
const char *tulle__trace_check_name(const char *name);

/* Without any choice every event is asked for. */
bool tulle__trace_selects_all(const struct tulle__trace_selection *selection);

/* Is this EVENT asked for? */
bool tulle__trace_selects(const struct tulle__trace_selection *selection,
                          const tulle_message *message);

/* Names of nodes may have been learnt after their events: look again at those asked for by name. */
void tulle__trace_select_late(const struct tulle__trace_selection *selection,
                              struct tulle__trace_store *store);

#endif
