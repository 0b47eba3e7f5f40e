/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TESTS_PROC_STEPS_H
#define TULLE_TESTS_PROC_STEPS_H

/* Steps that the tests of the programs share: starting them at ports of their own,
 * making events as lines of JSON, and judging what a tap printed. */

#include "proc_kit.h"

#include <stddef.h>

enum { TOPICS = 4 };

void write_file(const char *path, const char *text);

/* A script of sh in a network of its own, with the built programs on its PATH. Skips the test where
 * none can be made. */
struct proc *start_in_network(const char *script);

/* tulle-proxy between two control ports, joining the addresses (NULL: none). */
struct proc *
start_proxy(const char *name, int left, int right, const char *join_left, const char *join_right);
/* "tulle tap --json" that listens at the port; more arguments up to NULL. Waits until it does. */
struct proc *start_tap(int port, const char *pattern, const char *from);
/* A tulle-node that listens at the port and does nothing else. Waits until it does. */
struct proc *start_node(const char *name, int port);

/* Events first .. first + count - 1 as lines for "tulle pub --json": number i is of topic
 * load/<i modulo TOPICS>, its payload {"n": i}. Freed by the caller. */
char *make_lines(int first, int count, size_t *len);
/* Each of first .. first + count - 1 is in the tap's lines once, in order, without gaps. */
void assert_all_in_order(struct proc *tap, int first, int count);

/* The program ends by itself with this status; and this is in what it printed. */
#define assert_ends(program, status)                                            \
    do {                                                                        \
        struct proc *ended_ = (program);                                        \
        int status_ = proc_wait(ended_);                                        \
        if (status_ != (status))                                                \
            print_error("status %d: %s", status_, proc_text(ended_, PROC_ERR)); \
        assert_int_equal(status_, status);                                      \
    } while (0)

#define assert_says(program, stream, part)                                    \
    do {                                                                      \
        if (strstr(proc_text(program, stream), part) == NULL)                 \
            fail_msg("'%s' is not in: %s", part, proc_text(program, stream)); \
    } while (0)

#endif
