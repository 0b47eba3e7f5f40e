/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_H
#define TULLE_TOOLS_H

/* The subcommands of tulle, and what they share. */

#include "app/common.h"

#include <stdbool.h>
#include <stdint.h>

/* Each takes argv from its own name on and returns the exit status. */
int tulle__tool_record(int argc, char **argv);
int tulle__tool_play(int argc, char **argv);
int tulle__tool_pub(int argc, char **argv);
int tulle__tool_tap(int argc, char **argv);
int tulle__tool_top(int argc, char **argv);
int tulle__tool_trace(int argc, char **argv);
int tulle__tool_ls(int argc, char **argv);
int tulle__tool_check(int argc, char **argv);
int tulle__tool_doctor(int argc, char **argv);
int tulle__tool_graph(int argc, char **argv);
int tulle__tool_bench(int argc, char **argv);
int tulle__tool_latency(int argc, char **argv);
int tulle__tool_completion(int argc, char **argv);

/* Is there a way to other nodes: join, listen or beacon? Else says so and
 * returns false. A tool alone in its mesh would wait for ever and not say why. */
bool tulle__tool_has_way(const struct tulle__program *program,
                         const struct tulle__common *common,
                         int *status);

/* Whom does the node know right now? */
enum tulle__reach { TULLE__REACH_NOBODY, TULLE__REACH_PROXY, TULLE__REACH_NODE };
enum tulle__reach tulle__tool_reach(tulle_node *node);

/* Say what went wrong on standard error, behind the program's name; returns TULLE__EXIT_FAILURE. */
int tulle__tool_fail(const struct tulle__program *program, const char *what);

/* Write all of text to standard output. Returns 0, also when the reader is gone, or an exit status
 * after a message. */
int tulle__tool_print(const struct tulle__program *program, const struct tulle__text *text);

/* Clocks: microseconds since 1970, and of a clock that never jumps. */
int64_t tulle__tool_wall_us(void);
int64_t tulle__tool_mono_us(void);

#endif
