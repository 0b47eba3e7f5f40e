/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_OPTIONS_H
#define TULLE_NODE_OPTIONS_H

/* Options of nodes and proxies: checked as a whole, and copied. */

#include <tulle/node.h>
#include <tulle/proxy.h>

/* Copy options with everything they point at into one object; the copy's join
 * array and strings are its own. Returns as tulle_node_new(). */
TULLE_MUST_CHECK tulle_status tulle__node_options_copy(const tulle_node_options *from,
                                                       tulle_node_options *to,
                                                       tulle_error *error);
void tulle__node_options_fini(tulle_node_options *options);
TULLE_MUST_CHECK tulle_status tulle__proxy_options_copy(const tulle_proxy_options *from,
                                                        tulle_proxy_options *to,
                                                        tulle_error *error);
void tulle__proxy_options_fini(tulle_proxy_options *options);

/* What differs between the options of a proxy that runs and new ones, and takes a restart: names
 * such as "mesh, segment wan: listen" in text, "" when nothing does. */
void tulle__proxy_options_compare(const tulle_proxy_options *now,
                                  const tulle_proxy_options *next,
                                  char *text,
                                  size_t size);
/* The segment of that name, NULL when there is none. */
const tulle_segment_options *tulle__proxy_options_find(const tulle_proxy_options *options,
                                                       const char *name);
/* Add the addresses of more that a copy does not have to join. Nothing is changed on error.
 * Returns TULLE_OK, TULLE_ELIMIT, TULLE_ENOMEM */
TULLE_MUST_CHECK tulle_status tulle__segment_options_add_join(tulle_segment_options *copy,
                                                              const tulle_segment_options *more);

/* Say what is wrong. error may be NULL. Returns status. */
tulle_status tulle__error_set(tulle_error *error, tulle_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
