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

/* Say what is wrong. error may be NULL. Returns status. */
tulle_status tulle__error_set(tulle_error *error, tulle_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
