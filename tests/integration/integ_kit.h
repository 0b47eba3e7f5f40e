/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TESTS_INTEG_KIT_H
#define TULLE_TESTS_INTEG_KIT_H

/* Nodes and proxies of a test, on loopback. What is made here is freed by
 * kit_teardown(), the teardown of every test, also when the test failed. Waits poll
 * with a deadline that is far off: a test that passes does not reach it. */

#include "testkit.h"

#include <tulle/tulle.h>

enum { KIT_DEADLINE_MS = 30000, KIT_BEAT_MS = 100, KIT_LOCAL_MAX = 64 };

/* Wait until condition holds; fail the test when it never does. */
#define KIT_UNTIL(condition)                                                                    \
    do {                                                                                        \
        for (int64_t kit_end = kit_now_ms() + KIT_DEADLINE_MS; !(condition); kit_pause_ms(2)) { \
            if (kit_now_ms() > kit_end) {                                                       \
                print_error("never became true: %s\n", #condition);                             \
                _fail(__FILE__, __LINE__);                                                      \
            }                                                                                   \
        }                                                                                       \
    } while (0)

#define KIT_TEST(name) cmocka_unit_test_teardown(name, kit_teardown)

int64_t kit_now_ms(void);
void kit_pause_ms(int ms);

/* Defaults for a node at tcp://127.0.0.1:* with quick beats. join may be NULL; the
 * options borrow *join, which must live until the node is made. */
void kit_options(tulle_node_options *options, const char *name, const char *const *join);
/* Made, not started. */
tulle_node *kit_make(const tulle_node_options *options);
tulle_node *kit_start(const tulle_node_options *options);
/* A node with default options that joins the address; NULL: none. */
tulle_node *kit_node(const char *name, const char *join);
/* As at the end of the test. *node becomes NULL. */
void kit_free(tulle_node **node);

/* Segments are side by side: those of one proxy. join: two addresses, each may be NULL. */
void kit_proxy_options(tulle_proxy_options *options, const char *name, const char *const join[2]);
tulle_proxy *kit_proxy_start(const tulle_proxy_options *options);
tulle_proxy *kit_proxy(const char *name, const char *left, const char *right);
void kit_proxy_free(tulle_proxy **proxy);

tulle_subscription *kit_subscribe(tulle_node *node, const char *pattern);
tulle_subscription *
kit_subscribe_from(tulle_node *node, const char *pattern, tulle_from from, uint64_t count);
void kit_publish(tulle_node *node, const char *topic, const char *text);
/* Publish "0", "1", ... count - 1 and more from a number. */
void kit_publish_numbers(tulle_node *node, const char *topic, int from, int count);

/* Next message, which must be an event (a gap fails the test). */
const tulle_event *kit_receive(tulle_subscription *subscription);
/* It must have this topic and text as payload. */
const tulle_event *
kit_expect(tulle_subscription *subscription, const char *topic, const char *text);
/* The numbers from .. from + count - 1 come on this topic, in this order. */
void kit_expect_numbers(tulle_subscription *subscription, const char *topic, int from, int count);
/* What is published as soon as the publisher counts the subscriber comes, as nothing
 * before it does, and nothing is missing. Both are new; returns that event. */
const tulle_event *kit_expect_first(tulle_node *publisher, tulle_node *subscriber);
/* Nothing comes for so long. */
void kit_expect_silence(tulle_subscription *subscription, int ms);
int kit_number(const tulle_event *event);

/* Wait until the node has so many peers that are up. */
void kit_wait_up(tulle_node *node, size_t count);
tulle_counters kit_counters(const tulle_node *node);
tulle_counters kit_proxy_counters(const tulle_proxy *proxy, size_t segment);
/* State of a peer by name; 0: not known. */
int kit_peer_state(tulle_node *node, const char *name);
/* Wait for a peer message with that name and state. */
tulle_peer kit_expect_peer(tulle_subscription *subscription, const char *name, int state);

/* A node whose addresses lead through a relay that stands before it. */
struct kit_place {
    int port;  /* of the node; its events are at the next */
    int shown; /* of the relay */
    char listen[40];
    char control[40]; /* told to peers */
    char events[40];
    char control_link[80]; /* LISTEN=TARGET of the relay */
    char events_link[80];
};
void kit_place_init(struct kit_place *place);
void kit_place_use(const struct kit_place *place, tulle_node_options *options);

/* Resident memory of this process, bytes. */
size_t kit_memory(void);

int kit_teardown(void **state);

#endif
