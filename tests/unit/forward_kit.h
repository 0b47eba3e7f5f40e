/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_UNIT_FORWARD_KIT_H
#define TULLE_UNIT_FORWARD_KIT_H

/* A proxy alone, with the test in the part of all nodes around it. What it sends on is
 * written down: "1:t/5[9] " is the batch of stream t that begins with 5, on side 1,
 * with the path [9]; "0:beat(2)[9] " a beat of node 2; "1:FETCH>3 " a control message
 * for node 3; "1:RANGE>3(2) " an answer with two batches. */

#include "testkit.h"

#include "delivery/forward.h"
#include "delivery/internal.h"

enum { PROXY = 9, SIDES = 3 };

struct fixture {
    struct tulle__forward_side config[SIDES];
    struct tulle__forward *forward;
    struct tulle__now now;
    uint64_t counter;
    uint64_t retain_bytes;
    char log[4096];
    bool has_no_memory;  /* for what is told */
    size_t memory_left;  /* allocations before that */
    bool are_asks_noted; /* of the proxy's own beats */
    bool is_beyond_noted;
    unsigned told[256];
};

uint64_t id_of(unsigned node);
unsigned node_of(uint64_t id);
/* Frames come in: path is up to two nodes, 0 for none. */
void tell(struct fixture *f,
          size_t side,
          const char *stream,
          struct tulle__buf *body,
          const unsigned *path);
void tell_batch(struct fixture *f, size_t side, unsigned node, const char *stream, uint64_t first);
/* A node with its address is on a side, and takes one stream (NULL: none). */
void
tell_beat(struct fixture *f, size_t side, unsigned node, const char *takes, const unsigned *path);
void tell_beat_of(struct fixture *f,
                  size_t side,
                  unsigned node,
                  const char *takes,
                  const unsigned *path,
                  bool is_proxy);
/* A control message of the kind in *header; its body is in w, which is freed. */
void tell_control(struct fixture *f,
                  size_t side,
                  struct tulle__control_header *header,
                  struct tulle__writer *w);
void tell_fetch(
    struct fixture *f, size_t side, unsigned from, unsigned to, const char *stream, uint64_t seq);
/* Node 1 answers a node with batches first .. last of its stream "t", of one event each. */
void tell_range_to(struct fixture *f, unsigned asker, uint64_t first, uint64_t last);
void pass_time(struct fixture *f, int64_t ms);
tulle_counters counters(const struct fixture *f, size_t side);
void open_proxy(struct fixture *f);
/* Node 1 publishes on side 0; nodes 2 and 3 take "t" on sides 1 and 2. */
void open_with_nodes(struct fixture *f);

int forward_setup(void **state);
int forward_teardown(void **state);

#define FORWARD_TEST(name) cmocka_unit_test_setup_teardown(name, forward_setup, forward_teardown)

#endif
