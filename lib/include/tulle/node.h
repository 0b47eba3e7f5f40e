/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_NODE_H
#define TULLE_NODE_H

/* A node: one member of a mesh.
 *
 * Life: fill options, tulle_node_new(), subscribe, tulle_node_start(), publish
 * and receive, tulle_node_stop(), tulle_node_free(). A node owns one thread of
 * its own from start to stop; that thread owns all its sockets. Any number of
 * nodes may live in one process: there is no global state. The library never
 * installs a signal handler, never writes to a stream and never exits. Its threads
 * block all signals but faults; a child made in a callback inherits that.
 *
 * Threads, in the notes below: "any" means any thread, also several at once;
 * "callback" means that the function may also be called from a callback, which
 * runs on the node's thread; a callback must not block.
 */

#include <tulle/counters.h>
#include <tulle/event.h>
#include <tulle/options.h>
#include <tulle/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tulle_node tulle_node;
typedef struct tulle_subscription tulle_subscription;

#ifdef __cplusplus
extern "C" {
#endif

/* Fill options with the defaults named above.
 *
 * Threads  any; never blocks
 */
TULLE_API void tulle_node_options_init(tulle_node_options *options);
TULLE_API void tulle_subscribe_options_init(tulle_subscribe_options *options);
TULLE_API void tulle_publish_options_init(tulle_publish_options *options);

/* Is this an address: tcp://HOST:PORT with a port from 1 to 65534 (events go to the
 * next one), or ipc://PATH of at most 100 bytes. To listen at, HOST and PORT may be "*".
 * Threads: any. */
TULLE_API bool tulle_address_is_valid(const char *address, bool is_to_listen);

/* Make a node. Nothing is bound or sent yet.
 *
 * options  borrowed; everything in it is copied
 * out      set to a node to be freed with tulle_node_free(); NULL on failure
 * error    may be NULL; says which option is wrong and why
 *
 * Returns  TULLE_OK
 *          TULLE_EINVAL  an option is out of range
 *          TULLE_ENOMEM, TULLE_EOS (no descriptor or lock)
 * Threads  any
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_new(const tulle_node_options *options,
                                                       tulle_node **out,
                                                       tulle_error *error);

/* Bind the addresses, start the thread, begin to join.
 *
 * Returns  TULLE_OK
 *          TULLE_EADDRINUSE     a listen address is taken
 *          TULLE_EADDRNOTAVAIL  a listen address is not of this host
 *          TULLE_ENETWORK       another reason, in error
 *          TULLE_ESTATE         already started, or stopped
 *          TULLE_ELIMIT, TULLE_ENOMEM, TULLE_EOS
 * Threads  any but a callback
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_start(tulle_node *node, tulle_error *error);

/* Take the events whose topics match pattern ("*" is one level, "**" any number), or one
 * of options.also. The queue or callback of one subscription gets all that its patterns
 * match in one order; between subscriptions with queues of their own there is none.
 *
 * Subscriptions of one node advance together: a queue that is full holds back
 * the others too, and what cannot be held is fetched again later. The first
 * subscription that takes a stream decides where reading it starts; another
 * one for a part of it must ask for the same start. What the node publishes
 * itself does not come back to it.
 *
 * In a callback TULLE_OK only means that it is asked for: a refusal is logged
 * (node.request), and receiving returns TULLE_ESTATE.
 *
 * pattern  borrowed
 * options  borrowed; NULL for the defaults
 * out      set to the subscription; freed with tulle_subscription_free() or
 *          with its node; may be NULL when options has a callback
 *
 * Returns  TULLE_OK
 *          TULLE_EINVAL  bad pattern or option
 *          TULLE_ESTATE  the stream is read from another start already, or the
 *                        node is stopped
 *          TULLE_ENOMEM, TULLE_ELIMIT (more than 10,000 patterns)
 * Threads  any, callback
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_subscribe(tulle_node *node,
                                                             const char *pattern,
                                                             const tulle_subscribe_options *options,
                                                             tulle_subscription **out);

/* Next message of a subscription without callback.
 *
 * out         set to a message that is valid until the next call for this
 *             subscription; NULL on failure
 * timeout_ms  0 returns at once, -1 waits for ever
 *
 * Returns  TULLE_OK
 *          TULLE_ETIMEDOUT  nothing came
 *          TULLE_ESTATE     the node is stopped, or the subscription was refused,
 *                           and everything was received
 *          TULLE_EINVAL     the subscription has a callback
 * Threads  any, one at a time for one subscription; may block up to timeout_ms
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_subscription_receive(tulle_subscription *subscription,
                                                                   const tulle_message **out,
                                                                   int timeout_ms);

/* Descriptor that is readable while a message waits, for poll(2) and event
 * loops: when readable, receive with timeout 0 until TULLE_ETIMEDOUT. Owned by
 * the subscription; neither read nor close it. -1 with a callback.
 *
 * Threads  any
 */
TULLE_API int tulle_subscription_fd(const tulle_subscription *subscription);

/* End a subscription; *subscription becomes NULL. NULL is allowed.
 *
 * Threads  any but a callback, and none may be receiving from it
 */
TULLE_API void tulle_subscription_free(tulle_subscription **subscription);

/* Publish one event.
 *
 * Returns when the event is in the outbox; an idle node sends it at once, a
 * busy one in the next batch. tulle_node_flush() waits for acknowledgements.
 *
 * topic    borrowed; 1..255 bytes UTF-8, levels separated by "/", no wildcard,
 *          not beginning with "$"
 * payload  borrowed; by convention one msgpack value; NULL when payload_len is 0
 * options  borrowed; NULL for the defaults
 *
 * Returns  TULLE_OK
 *          TULLE_EINVAL    bad topic or option
 *          TULLE_EMSGSIZE  payload_len is above event_bytes_max
 *          TULLE_EAGAIN    outbox or window still full after timeout_ms; with a
 *                          timeout other than 0 also in a callback, where it
 *                          never waits
 *          TULLE_ESTATE    not started, or stopping
 *          TULLE_ENOMEM
 * Threads  any, callback; may block up to timeout_ms
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_publish(tulle_node *node,
                                                           const char *topic,
                                                           const void *payload,
                                                           size_t payload_len,
                                                           const tulle_publish_options *options);

/* Wait until every live node that takes one of this node's streams has
 * acknowledged everything published so far.
 *
 * Returns  TULLE_OK, at once when nobody takes anything
 *          TULLE_ETIMEDOUT
 *          TULLE_ESTATE  not started, or called from a callback
 * Threads  any but a callback; may block up to timeout_ms (-1: for ever)
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_flush(tulle_node *node, int timeout_ms);

/* Wait until at least count nodes that take pattern's streams are connected, so
 * that what is published from now on reaches them.
 *
 * pattern  a pattern or topic; NULL counts every node, whatever it takes
 *
 * Returns, threads  as tulle_node_flush(); TULLE_EINVAL for a bad pattern
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_wait_peers(tulle_node *node,
                                                              const char *pattern,
                                                              size_t count,
                                                              int timeout_ms);

/* Join by one more control address, as options.join does at start.
 *
 * Returns  TULLE_OK, TULLE_EINVAL (bad address), TULLE_ELIMIT (more than 64),
 *          TULLE_ESTATE, TULLE_ENOMEM
 * Threads  any, callback; never blocks
 */
TULLE_API TULLE_MUST_CHECK tulle_status tulle_node_join(tulle_node *node, const char *address);

/* Call fn for each peer known, in no order.
 *
 * Returns  TULLE_OK, TULLE_ESTATE (not started, or called from a callback)
 * Threads  any but a callback; fn runs on the node's thread while this waits
 */
TULLE_API TULLE_MUST_CHECK tulle_status
tulle_node_peers(tulle_node *node, void (*fn)(const tulle_peer *peer, void *ctx), void *ctx);

/* The same for each lane of another node that a subscription takes. Delivered is what was
 * put into the subscription's queue, or into its callback's hands. */
TULLE_API TULLE_MUST_CHECK tulle_status
tulle_node_lanes(tulle_node *node, void (*fn)(const tulle_lane *lane, void *ctx), void *ctx);

/* Copy the counters, all since start. Not started: all zero.
 *
 * Threads  any, callback; never blocks
 */
TULLE_API void tulle_node_counters(const tulle_node *node, tulle_counters *out);

/* The node's id (0 before start), its name, and the control address that peers
 * dial ("" before start). Strings are valid until tulle_node_free().
 *
 * Threads  any, callback
 */
TULLE_API uint64_t tulle_node_id(const tulle_node *node);
TULLE_API const char *tulle_node_name(const tulle_node *node);
TULLE_API const char *tulle_node_address(const tulle_node *node);

/* Leave: send what is in the outbox, wait until it is acknowledged, tell the peers, end
 * the thread, close the sockets. What was delivered can still be received. Idempotent.
 *
 * linger_ms  how long that may take; 0..60000, 0: nothing is waited for. It takes as long
 *            only when somebody who takes the events does not acknowledge them, and then
 *            node.left_early is logged. What is on the way to subscribers, the goodbye
 *            with it, has at least 100 ms
 *
 * Threads  any but a callback; blocks up to linger_ms and a little
 */
TULLE_API void tulle_node_stop(tulle_node *node, uint32_t linger_ms);

/* Stop if need be (linger 0, as there) and free, with all subscriptions; *node becomes
 * NULL. NULL is allowed.
 *
 * Threads  any but a callback
 */
TULLE_API void tulle_node_free(tulle_node **node);

#ifdef __cplusplus
}
#endif

#endif
