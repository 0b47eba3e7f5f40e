/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_LOAD_MESSAGE_H
#define TULLE_TOOLS_LOAD_MESSAGE_H

/* What the process that runs a load and its nodes' processes tell each other, over a socket
 * pair each; one message is one packet. In this order, for one run:
 *
 *     node    HELLO      its address
 *     runner  JOIN       the address to join, "" for the first node
 *     node    READY      all who take what it publishes are connected
 *     runner  GO         when to begin
 *     node    PROGRESS   deliveries so far, several times
 *     node    PUBLISHED  if it publishes: how much
 *     runner  EXPECT     to those who take, or await answers: how much there is
 *     node    COMPLETE   then: that much has come, or is told lost
 *     runner  END
 *     node    RESULT, and then, if latencies are noted, its histogram as it is
 *
 * or FAILED at any time. The end of the other side is the end of the node.
 */

#include "tools/load/load.h"

enum tulle__load_word {
    TULLE__LOAD_HELLO = 1,
    TULLE__LOAD_READY = 2,
    TULLE__LOAD_PUBLISHED = 4,
    TULLE__LOAD_COMPLETE = 8,
    TULLE__LOAD_RESULT = 16,
    TULLE__LOAD_PROGRESS = 32,
    TULLE__LOAD_FAILED = 64,
    TULLE__LOAD_JOIN = 128,
    TULLE__LOAD_GO = 256,
    TULLE__LOAD_EXPECT = 512,
    TULLE__LOAD_END = 1024
};

struct tulle__load_message {
    enum tulle__load_word word;
    int status; /* FAILED: exit status */
    union {
        char text[256];                 /* HELLO, JOIN, FAILED */
        int64_t start_ns;               /* GO */
        uint64_t count;                 /* PROGRESS, EXPECT */
        struct tulle__load_share share; /* PUBLISHED, RESULT */
    } u;
};

/* The life of a node's process, from after the fork to its exit status.
 *
 * index  of the node: publishers, then subscribers, then those that are both
 * fd     its end of the socket pair */
int tulle__load_node(const struct tulle__load_plan *plan, uint32_t index, int fd);

#endif
