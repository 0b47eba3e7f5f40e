/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_DOCTOR_FINDING_H
#define TULLE_TOOLS_DOCTOR_FINDING_H

/* What an examination found: each with an id that does not change, and what helps. */

#include "app/text.h"

#include <stdbool.h>
#include <stddef.h>

enum tulle__finding_level {
    TULLE__FINDING_OK = 0,
    TULLE__FINDING_NOTE,    /* worth knowing; nothing to be done */
    TULLE__FINDING_WARNING, /* may keep nodes apart, or will */
    TULLE__FINDING_PROBLEM  /* does */
};

struct tulle__finding {
    enum tulle__finding_level level;
    const char *id; /* "SECTION.WHAT"; static */
    char *text;
    char *remedy; /* NULL: none is needed */
};

struct tulle__findings {
    struct tulle__finding *items;
    size_t count, cap;
    bool has_failed; /* no memory: some are missing */
};

void tulle__findings_fini(struct tulle__findings *findings);

/* Add one. remedy: a warning and a problem have one. */
void tulle__find(struct tulle__findings *findings,
                 enum tulle__finding_level level,
                 const char *id,
                 const char *remedy,
                 const char *format,
                 ...) __attribute__((format(printf, 5, 6)));

/* How many of a level there are. */
size_t tulle__findings_count(const struct tulle__findings *findings,
                             enum tulle__finding_level level);

/* By sections, as they were added; is_quiet: only warnings and problems. Fit for a terminal. */
void tulle__findings_put_text(const struct tulle__findings *findings,
                              bool is_quiet,
                              bool has_colour,
                              struct tulle__text *out);
void tulle__findings_put_json(const struct tulle__findings *findings,
                              bool is_quiet,
                              struct tulle__text *out);

#endif
