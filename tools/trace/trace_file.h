/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_TRACE_FILE_H
#define TULLE_TOOLS_TRACE_FILE_H

/* Reading a recording into a store. */

#include "tools/trace/trace_mesh.h"

/* Read the whole file, or until a signal. A file that is cut off or damaged is read as far as it
 * is whole, and a remark says so. Returns 0 or an exit status, after a message. */
int tulle__trace_read_file(struct tulle__trace_reader *reader, const char *path);

#endif
