/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TESTS_LAUNCH_H
#define TULLE_TESTS_LAUNCH_H

/* How the kits start a program: without a copy of the test. After fork(2) each page that one of
 * its threads writes to is copied or at least faulted in, and a test under a sanitizer has many. */

#include <spawn.h>
#include <sys/types.h>

/* Start bin/<program> of the build, or the file when the name has a slash, with argv, of which
 * argv[0] is not looked at. It dies with the test, and starts with no signal blocked. Flags are
 * those of posix_spawnattr_setflags(3), in addition. Returns -1 when it cannot be started. */
pid_t
launch(const char *program, char **argv, const posix_spawn_file_actions_t *actions, short flags);

#endif
