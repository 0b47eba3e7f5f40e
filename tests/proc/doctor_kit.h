/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TESTS_DOCTOR_KIT_H
#define TULLE_TESTS_DOCTOR_KIT_H

/* tulle doctor, run and judged, and servers that say what no program of tulle would say: they speak
 * just enough of ZMTP. Everything ends with end_test(), the teardown of every test. */

#include "testkit.h"

#include "proc_kit.h"

#include <jansson.h>
#include <stdint.h>

enum { ARGS_MAX = 12 };

extern struct proc *last; /* doctor that ran last, */
extern json_t *report;    /* and what it told */

/* Run doctor with up to twelve arguments; it must end with that status. */
#define EXAMINE(status, ...) examine(status, (const char *const[]){ __VA_ARGS__, NULL })
void examine(int status, const char *const arguments[]);
/* The same of a doctor that was started by other means and is last. */
void read_report(int status);

/* The first finding with that id; NULL: there is none. */
json_t *finding(const char *id);
/* It is there, of that level, with these words in its text and remedy. */
void assert_found(const char *id, const char *level, const char *text, const char *remedy);
/* Nothing is wrong; warnings of the machine that the test runs on do not count. */
void assert_well(void);
/* Exit status of an examination of this machine alone. */
int host_status(void);

/* A node that beats often and forgets late. Returns its address. */
const char *start_peer(const char *name, const char *option, const char *value, int *port);

/* A server at 127.0.0.1 that says these bytes to whoever connects, or closes at once. */
void start_server(int port, const void *bytes, size_t len);
void start_closing_server(int port);
void stop_servers(void);
/* A port that does not answer, as behind a firewall that drops packets: its queue is full. */
void start_full_port(int port);

/* What such a server may say: each returns how many bytes it put. */
size_t put(uint8_t *out, const char *bytes, size_t len);
size_t put_socket(uint8_t *out, const char *mechanism, const char *type); /* greeting and READY */
size_t put_str(uint8_t *out, const char *text); /* msgpack, below 32 bytes */
size_t put_u64(uint8_t *out, uint64_t value);

int end_test(void **state);

#endif
