/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TESTS_VIEW_KIT_H
#define TULLE_TESTS_VIEW_KIT_H

/* A mesh for tests of the tools that look at one, and steps that these share:
 *
 *     shop publishes orders, and spare waits for returns, on the segment left;
 *     store takes orders and publishes stock, slow takes orders and is behind, on the segment
 * right; bridge is the proxy between.
 *
 * One test program, one mesh. */

#include "integ_kit.h"
#include "proc_kit.h"

#include <jansson.h>

enum { VIEW_EVENTS = 40 };

struct view_mesh {
    tulle_node *shop, *store, *slow, *spare;
    tulle_proxy *bridge;
    char address[64]; /* of shop */
};

extern struct view_mesh view_mesh;
extern struct proc *view_last; /* what ran last */

/* Setup and teardown of a group of tests, and the teardown of each. */
int view_start(void **state);
int view_end(void **state);
int view_end_test(void **state);

/* Run "tulle TOOL" in the mesh with up to six arguments, until NULL; it must end with the status.
 * Returns what it printed. */
const char *view_run(const char *tool, int status, const char *const arguments[]);

void assert_has_not(const char *text, const char *part);

/* The line that begins with the word, its cells each behind one space; valid until the next call.
 */
const char *row(const char *text, const char *word);

/* Read JSON, which is freed with the next or at the end; its array of that name. */
json_t *rows_of(const char *text, const char *what);
json_t *view_root(void); /* what was read last */
/* The object of an array that has this text; the test fails without one. */
json_t *find(json_t *rows, const char *key, const char *value);
long number(const json_t *row, const char *key);
const char *string(const json_t *row, const char *key);

#endif
