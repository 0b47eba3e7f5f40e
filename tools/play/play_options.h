/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_PLAY_OPTIONS_H
#define TULLE_TOOLS_PLAY_OPTIONS_H

/* Options of play. */

#include "app/args.h"
#include "tools/common/event_filter.h"

#include <stdbool.h>
#include <stdint.h>

struct tulle__play_options {
    const char *speed_text;
    int by; /* an enum tulle__play_by */
    int64_t max_pause_ms;
    const char *loop;
    const char *from, *to;
    struct tulle__list topics, exclude, renames;
    const char *where;
    uint64_t nodes, count;
    const char *wait_peers; /* NULL: any one node, whatever it takes */
    int64_t wait_timeout_ms, ack_timeout_ms;
    bool is_no_wait, is_dry_run, is_quiet;

    double speed;    /* 0: as fast as it goes */
    uint64_t rounds; /* 0: without end */
    uint64_t peers;  /* of wait_peers */
};

enum tulle__play_by { TULLE__PLAY_BY_PUBLISHED = 1, TULLE__PLAY_BY_ARRIVED };

void tulle__play_options_init(struct tulle__play_options *options);

/* "Pace", "Events" and "Publishing" in --help. */
struct tulle__option_group tulle__play_pace_group(struct tulle__play_options *options);
struct tulle__option_group tulle__play_event_group(struct tulle__play_options *options);
struct tulle__option_group tulle__play_publish_group(struct tulle__play_options *options);

/* Check them together, and fill what follows. filter is to be freed whatever is returned. Returns
 * 0 or an exit status, after a message. */
int tulle__play_options_finish(const struct tulle__program *program,
                               struct tulle__play_options *options,
                               struct tulle__event_filter *filter);

/* A moment of --from or --to: as tulle__when_parse() reads it, or +SPAN behind first_us. */
int64_t tulle__play_moment(const char *text, int64_t first_us);

#endif
