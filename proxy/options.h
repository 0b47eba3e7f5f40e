/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_PROXY_PROGRAM_OPTIONS_H
#define TULLE_PROXY_PROGRAM_OPTIONS_H

/* What tulle-proxy can be told: segments, and options of its own. Logging is
 * that of all programs. */

#include "app/args.h"
#include "app/common.h"

#include <tulle/proxy.h>

#include <stdbool.h>
#include <stdint.h>

struct tulle__segment {
    const char *name;
    struct tulle__list listen, join, allow, deny;
    const char *beacon; /* as tulle__common.beacon */
    uint16_t beacon_port;
    const char *interface_name;
    const char *advertise, *advertise_events, *advertise_inlet;
    bool use_inlet, dial_only;
    uint32_t event_bytes_max, events_per_second;
    uint64_t bytes_per_second;
    uint64_t retain_bytes, retain_ms;
};

struct tulle__proxy_config {
    tulle_proxy_options proxy; /* numbers and names land here at once */
    struct tulle__segment segments[TULLE_SEGMENTS_MAX];
    size_t segment_count;
    int64_t stats_ms; /* 0: none */
    bool is_check;
};

void tulle__proxy_config_init(struct tulle__proxy_config *config);

struct tulle__option_group tulle__proxy_config_group(struct tulle__proxy_config *config);

/* The "segment" section over config, which must stay where it is. */
struct tulle__section tulle__proxy_config_section(struct tulle__proxy_config *config);

/* Point config->proxy at what the segments said and the log at common's sink.
 *
 * file  that was read, for the messages; NULL: none
 *
 * Returns false, with a line for each thing that is wrong in problems, when they do not fit
 * together. */
bool tulle__proxy_config_finish(struct tulle__proxy_config *config,
                                struct tulle__common *common,
                                const char *file,
                                struct tulle__text *problems);

enum { TULLE__SETUP_GROUPS = 2 };

/* A configuration and what reads it; it stays where it is. */
struct tulle__setup {
    struct tulle__proxy_config config;
    struct tulle__common common;
    struct tulle__option_group groups[TULLE__SETUP_GROUPS];
    struct tulle__section section;
    struct tulle__program program;
    struct tulle__args args;
};

/* Fill with defaults; nothing is read yet. */
void tulle__setup_init(struct tulle__setup *setup);

#endif
