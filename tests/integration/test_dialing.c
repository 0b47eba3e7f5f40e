/* SPDX-License-Identifier: MPL-2.0 */

/* Who dials whom: nodes and proxies that cannot be dialed, connections that are half open,
 * peers with several addresses. */

#include "integ_kit.h"
#include "proc_kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 1000, SUSPECT_MS = 500, HEALED_MS = 20000, AT_ONCE_MS = 2500, WIRES = 3 };

/* ---- places ---- */

/* Where a node listens, and the relays in front of it: of control, events, the inlet. */
struct place {
    char listen[40];
    char shown[WIRES][40];
    struct proc *relays[WIRES];
};

/* Three ports in a row. */
static int
free_ports(void)
{
    int port = proc_free_port();
    (void)proc_free_port();
    return port;
}

static void
open_place(struct place *place)
{
    int port = free_ports();
    (void)snprintf(place->listen, sizeof place->listen, "tcp://127.0.0.1:%d", port);
    int shown = free_ports();
    for (int i = 0; i < WIRES; i++) {
        char link[80];
        (void)snprintf(place->shown[i], sizeof place->shown[i], "tcp://127.0.0.1:%d", shown + i);
        (void)snprintf(link, sizeof link, "127.0.0.1:%d=127.0.0.1:%d", shown + i, port + i);
        place->relays[i] = proc_start("tulle-test-relay", "--tcp", link, NULL);
        proc_wait_text(place->relays[i], PROC_OUT, "ready");
    }
}

static void
tell_relay(struct proc *relay, const char *command)
{
    size_t answers = proc_count_lines(relay, PROC_OUT);
    proc_write(relay, command, strlen(command));
    proc_wait_lines(relay, PROC_OUT, answers + 1);
}

static void
tell_relays(const struct place *place, const char *command)
{
    for (int i = 0; i < WIRES; i++)
        tell_relay(place->relays[i], command);
}

/* ---- nodes ---- */

/* One that listens nowhere. */
static tulle_node *
dialing_node(const char *name, const char *join)
{
    tulle_node_options options;
    kit_options(&options, name, &join);
    options.listen_count = 0;
    options.dial_only = true;
    options.suspect_ms = SUSPECT_MS;
    options.hold_ms = KIT_DEADLINE_MS;
    return kit_start(&options);
}

static tulle_node *
node_with_inlet(const char *name, const struct place *place)
{
    tulle_node_options options;
    kit_options(&options, name, NULL);
    options.use_inlet = true;
    options.suspect_ms = SUSPECT_MS;
    options.hold_ms = KIT_DEADLINE_MS;
    if (place != NULL) {
        options.listen[0] = place->listen;
        options.advertise = place->shown[0];
        options.advertise_events = place->shown[1];
        options.advertise_inlet = place->shown[2];
    }
    return kit_start(&options);
}

static tulle_subscription *
watch_peers(tulle_node *node)
{
    tulle_subscribe_options how;
    tulle_subscription *s = NULL;
    tulle_subscribe_options_init(&how);
    how.flags = TULLE_WATCH_PEERS;
    assert_status(tulle_node_subscribe(node, "nothing", &how, &s), TULLE_OK);
    return s;
}

/* Two that exchange events, and the subscriptions that they have for it. */
struct pair {
    tulle_node *a, *b;
    tulle_subscription *at_a, *at_b;
    int next;
};

static void
take_both_ways(struct pair *pair)
{
    pair->at_a = kit_subscribe(pair->a, "to-a");
    pair->at_b = kit_subscribe(pair->b, "to-b");
    assert_status(tulle_node_wait_peers(pair->a, "to-b", 1, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_wait_peers(pair->b, "to-a", 1, KIT_DEADLINE_MS), TULLE_OK);
}

static void
publish_both_ways(struct pair *pair)
{
    kit_publish_numbers(pair->a, "to-b", pair->next, EVENTS);
    kit_publish_numbers(pair->b, "to-a", pair->next, EVENTS);
}

static void
expect_both_ways(struct pair *pair)
{
    kit_expect_numbers(pair->at_b, "to-b", pair->next, EVENTS);
    kit_expect_numbers(pair->at_a, "to-a", pair->next, EVENTS);
    pair->next += EVENTS;
    assert_int_equal(kit_counters(pair->a).gaps + kit_counters(pair->b).gaps, 0);
}

static void
exchange(struct pair *pair)
{
    publish_both_ways(pair);
    expect_both_ways(pair);
}

/* Until what is published comes as it is published, and not by repair alone. */
static void
expect_live(struct pair *pair)
{
    int64_t end = kit_now_ms() + KIT_DEADLINE_MS;
    bool is_repaired = true;
    while (is_repaired) {
        assert_true(kit_now_ms() < end);
        kit_publish_numbers(pair->a, "to-b", pair->next, 1);
        kit_publish_numbers(pair->b, "to-a", pair->next, 1);
        const tulle_event *event = kit_receive(pair->at_a);
        assert_int_equal(kit_number(event), pair->next);
        is_repaired = event->is_repaired;
        event = kit_receive(pair->at_b);
        assert_int_equal(kit_number(event), pair->next++);
        is_repaired = is_repaired || event->is_repaired;
    }
}

/* ---- who cannot be dialed ---- */

TEST(one_that_cannot_be_dialed_is_a_peer_like_any_other)
{
    (void)state;
    struct pair pair = { .b = node_with_inlet("b", NULL) };
    pair.a = dialing_node("a", tulle_node_address(pair.b));
    assert_string_equal(tulle_node_address(pair.a), "");
    kit_publish_numbers(pair.a, "old-a", 0, EVENTS);
    kit_publish_numbers(pair.b, "old-b", 0, EVENTS);
    take_both_ways(&pair);
    exchange(&pair);
    assert_status(tulle_node_flush(pair.a, KIT_DEADLINE_MS), TULLE_OK);
    assert_status(tulle_node_flush(pair.b, KIT_DEADLINE_MS), TULLE_OK);
    /* What is from before is fetched, which asks and answers both ways. */
    tulle_subscription *old_at_a = kit_subscribe_from(pair.a, "old-b", TULLE_FROM_EARLIEST, 0);
    tulle_subscription *old_at_b = kit_subscribe_from(pair.b, "old-a", TULLE_FROM_EARLIEST, 0);
    kit_expect_numbers(old_at_a, "old-b", 0, EVENTS);
    kit_expect_numbers(old_at_b, "old-a", 0, EVENTS);
}

/* It hears of a third node from the one that it joined, and dials that too. */
TEST(one_that_cannot_be_dialed_meets_all_of_the_segment)
{
    (void)state;
    tulle_node *b = node_with_inlet("b", NULL);
    const char *join = tulle_node_address(b);
    tulle_node_options options;
    kit_options(&options, "c", &join);
    options.use_inlet = true;
    struct pair pair = { .b = kit_start(&options) };
    pair.a = dialing_node("a", join);
    kit_wait_up(pair.a, 2);
    kit_wait_up(pair.b, 2);
    take_both_ways(&pair);
    exchange(&pair);
}

/* A new node at the old address: nothing but the address is known of it. */
TEST(the_one_that_is_dialed_may_restart)
{
    (void)state;
    struct place place;
    open_place(&place);
    tulle_node *old = node_with_inlet("b", &place);
    struct pair pair = { .a = dialing_node("a", place.shown[0]) };
    kit_wait_up(pair.a, 1);
    kit_wait_up(old, 1);
    kit_free(&old);
    pair.b = node_with_inlet("b", &place);
    take_both_ways(&pair);
    exchange(&pair);
}

static atomic_int no_inlets;

static void
count_no_inlet(tulle_log_level level, const char *id, const char *text, void *ctx)
{
    (void)ctx;
    if (level == TULLE_LOG_WARN && strcmp(id, "member.no_inlet") == 0 &&
        strstr(text, "name=b") != NULL)
        atomic_fetch_add(&no_inlets, 1);
}

TEST(who_has_no_inlet_is_named)
{
    (void)state;
    tulle_node *b = kit_node("b", NULL);
    const char *join = tulle_node_address(b);
    tulle_node_options options;
    kit_options(&options, "a", &join);
    options.listen_count = 0;
    options.dial_only = true;
    options.log = count_no_inlet;
    options.log_level = TULLE_LOG_WARN;
    atomic_store(&no_inlets, 0);
    (void)kit_start(&options);
    KIT_UNTIL(atomic_load(&no_inlets) == 1);
}

/* ---- proxies over a wide-area network ---- */

/* A node at home and one in the office; the proxy at home can only dial the other one. */
static void
join_sites(struct pair *pair, const struct place *place)
{
    pair->a = kit_node("a", NULL);
    pair->b = kit_node("b", NULL);
    tulle_proxy_options options;
    kit_proxy_options(&options, "office",
                      (const char *const[2]){ NULL, tulle_node_address(pair->b) });
    options.suspect_ms = SUSPECT_MS;
    tulle_segment_options *wan = &options.segments[0];
    wan->listen[0] = place->listen;
    wan->advertise = place->shown[0];
    wan->advertise_events = place->shown[1];
    wan->advertise_inlet = place->shown[2];
    wan->use_inlet = true;
    (void)kit_proxy_start(&options);
    const char *const home_joins[2] = { tulle_node_address(pair->a), place->shown[0] };
    kit_proxy_options(&options, "home", home_joins);
    options.suspect_ms = SUSPECT_MS;
    wan = &options.segments[1];
    wan->listen_count = 0;
    wan->dial_only = true;
    tulle_proxy *home = kit_proxy_start(&options);
    assert_string_equal(tulle_proxy_address(home, 1), "");
    take_both_ways(pair);
}

TEST(a_site_behind_address_translation_is_joined)
{
    (void)state;
    struct place place;
    struct pair pair = { 0 };
    open_place(&place);
    join_sites(&pair, &place);
    exchange(&pair);
    tell_relays(&place, "cut\n");
    publish_both_ways(&pair);
    kit_expect_silence(pair.at_a, SUSPECT_MS);
    tell_relays(&place, "heal\n");
    expect_both_ways(&pair);
}

TEST(a_half_open_link_of_two_sites_is_noticed_and_made_anew)
{
    (void)state;
    struct place place;
    struct pair pair = { 0 };
    open_place(&place);
    join_sites(&pair, &place);
    exchange(&pair);
    int64_t start = kit_now_ms();
    tell_relays(&place, "lose\n");
    exchange(&pair);
    expect_live(&pair);
    assert_in_range(kit_now_ms() - start, 0, HEALED_MS);
}

/* ---- half-open connections ---- */

/* All connections are dead at once and nobody is told: both say so soon, and what is
 * published meanwhile comes when they were made anew. */
TEST(both_ends_notice_a_half_open_link)
{
    (void)state;
    struct place place;
    open_place(&place);
    struct pair pair = { .b = node_with_inlet("b", &place) };
    pair.a = dialing_node("a", place.shown[0]);
    tulle_subscription *peers_of_a = watch_peers(pair.a);
    tulle_subscription *peers_of_b = watch_peers(pair.b);
    take_both_ways(&pair);
    exchange(&pair);
    int64_t start = kit_now_ms();
    tell_relays(&place, "stall\n");
    tell_relays(&place, "lose\n");
    publish_both_ways(&pair);
    (void)kit_expect_peer(peers_of_a, "b", TULLE_PEER_SUSPECT);
    (void)kit_expect_peer(peers_of_b, "a", TULLE_PEER_SUSPECT);
    assert_in_range(kit_now_ms() - start, 0, 5000);
    tell_relays(&place, "lose\n"); /* also what was tried since then */
    tell_relays(&place, "unstall\n");
    expect_both_ways(&pair);
    expect_live(&pair);
    assert_in_range(kit_now_ms() - start, 0, HEALED_MS);
}

/* One of the three, while the others are as good as before. */
TEST(each_connection_alone_may_be_half_open)
{
    (void)state;
    struct place place;
    open_place(&place);
    struct pair pair = { .b = node_with_inlet("b", &place) };
    pair.a = dialing_node("a", place.shown[0]);
    take_both_ways(&pair);
    exchange(&pair);
    for (int i = 0; i < WIRES; i++) {
        int64_t start = kit_now_ms();
        tell_relay(place.relays[i], "lose\n");
        exchange(&pair);
        expect_live(&pair);
        assert_in_range(kit_now_ms() - start, 0, HEALED_MS);
    }
}

/* ---- outages ---- */

/* Connections made so far to each of a place's relays. */
static void
count_connections(const struct place *place, int counts[static WIRES])
{
    for (int i = 0; i < WIRES; i++) {
        size_t answers = proc_count_lines(place->relays[i], PROC_OUT);
        proc_write(place->relays[i], "count\n", 6);
        proc_wait_lines(place->relays[i], PROC_OUT, answers + 2);
        const char *end = strrchr(proc_text(place->relays[i], PROC_OUT), ' ');
        assert_non_null(end);
        while (end > proc_text(place->relays[i], PROC_OUT) && end[-1] != '\n')
            end--;
        counts[i] = (int)strtol(end, NULL, 10);
    }
}

/* What is on the way takes each connection and ends it at once: it is tried again more and
 * more seldom, and in the end all goes on. */
TEST(a_long_outage_brings_no_storm)
{
    enum { OUTAGE_MS = 8000, LATE_MAX = 12 };
    (void)state;
    struct place place;
    int early[WIRES];
    int late[WIRES];
    open_place(&place);
    struct pair pair = { .b = node_with_inlet("b", &place) };
    pair.a = dialing_node("a", place.shown[0]);
    take_both_ways(&pair);
    exchange(&pair);
    tell_relays(&place, "cut\n");
    publish_both_ways(&pair);
    proc_pause(OUTAGE_MS / 2);
    count_connections(&place, early);
    proc_pause(OUTAGE_MS / 2);
    count_connections(&place, late);
    for (int i = 0; i < WIRES; i++)
        assert_in_range(late[i] - early[i], 1, LATE_MAX);
    tell_relays(&place, "heal\n");
    expect_both_ways(&pair);
    expect_live(&pair);
}

/* ---- several addresses ---- */

/* b says that it can be reached at two addresses, of which the first is no good. */
static void
expect_second_address(struct pair *pair, const char *bad_control, const char *bad_events)
{
    char good[40];
    tulle_node_options options;
    kit_options(&options, "b", NULL);
    options.listen[1] = good;
    options.listen_count = 2;
    (void)snprintf(good, sizeof good, "tcp://127.0.0.1:%d", proc_free_port());
    options.advertise = bad_control;
    options.advertise_events = bad_events;
    pair->b = kit_start(&options);
    const char *join = good;
    kit_options(&options, "a", &join);
    options.suspect_ms = SUSPECT_MS;
    pair->a = kit_start(&options);
    take_both_ways(pair);
    exchange(pair);
    expect_live(pair);
}

TEST(where_one_address_refuses_the_next_is_dialed)
{
    (void)state;
    char refuses[2][40];
    struct pair pair = { 0 };
    int port = proc_free_port();
    for (int i = 0; i < 2; i++)
        (void)snprintf(refuses[i], sizeof refuses[i], "tcp://127.0.0.1:%d", port + i);
    expect_second_address(&pair, refuses[0], refuses[1]);
}

TEST(where_one_address_is_silent_the_next_is_dialed)
{
    (void)state;
    struct place place;
    struct pair pair = { 0 };
    open_place(&place);
    tell_relays(&place, "stall\n");
    expect_second_address(&pair, place.shown[0], place.shown[1]);
}

/* An address whose host swallows what is sent to it. */
struct black_hole {
    int fd, filling[2];
    char address[40];
};

/* Nobody takes the connections, and there is room for one or two. */
static void
open_black_hole(struct black_hole *hole)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    hole->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(hole->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(hole->fd, 0), 0);
    assert_int_equal(getsockname(hole->fd, (struct sockaddr *)&at, &len), 0);
    for (int i = 0; i < 2; i++) {
        hole->filling[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(hole->filling[i], (struct sockaddr *)&at, sizeof at);
    }
    (void)snprintf(hole->address, sizeof hole->address, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
}

static void
close_black_hole(struct black_hole *hole)
{
    for (int i = 0; i < 2; i++)
        (void)close(hole->filling[i]);
    (void)close(hole->fd);
}

/* c hears of b, whose first address is no good, from a: how long until they know each other? */
static int64_t
time_to_meet(const char *bad)
{
    char good[40];
    tulle_node_options options;
    kit_options(&options, "b", NULL);
    options.listen[1] = good;
    options.listen_count = 2;
    (void)snprintf(good, sizeof good, "tcp://127.0.0.1:%d", proc_free_port());
    options.advertise = bad;
    options.advertise_events = bad;
    tulle_node *b = kit_start(&options);
    tulle_subscription *taken = kit_subscribe(b, "c/**");
    const char *join = good;
    kit_options(&options, "a", &join);
    tulle_node *a = kit_start(&options);
    assert_status(tulle_node_wait_peers(a, "c/**", 1, KIT_DEADLINE_MS), TULLE_OK);
    join = tulle_node_address(a);
    kit_options(&options, "c", &join);
    int64_t begin = kit_now_ms();
    tulle_node *c = kit_start(&options);
    assert_status(tulle_node_wait_peers(c, "c/**", 1, KIT_DEADLINE_MS), TULLE_OK);
    int64_t end = kit_now_ms();
    kit_publish(c, "c/1", "1");
    (void)kit_expect(taken, "c/1", "1");
    return end - begin;
}

/* Long before anybody misses a beat, which shows after 3 s. */
TEST(where_the_first_address_swallows_everything_the_second_is_dialed_at_once)
{
    (void)state;
    struct black_hole hole;
    open_black_hole(&hole);
    int64_t took_ms = time_to_meet(hole.address);
    close_black_hole(&hole);
    print_message("met within %d ms\n", (int)took_ms);
    assert_in_range(took_ms, 0, AT_ONCE_MS);
}

TEST(where_the_first_address_hangs_the_second_is_dialed_at_once)
{
    (void)state;
    struct place place;
    open_place(&place);
    tell_relays(&place, "stall\n");
    int64_t took_ms = time_to_meet(place.shown[0]);
    print_message("met within %d ms\n", (int)took_ms);
    assert_in_range(took_ms, 0, AT_ONCE_MS);
}

/* Of the addresses to join all are dialed at once. */
TEST(a_dead_address_to_join_does_not_hold_up_a_good_one)
{
    (void)state;
    struct place place;
    open_place(&place);
    tell_relays(&place, "stall\n");
    struct pair pair = { .b = kit_node("b", NULL) };
    const char *const join[] = { place.shown[0], tulle_node_address(pair.b) };
    tulle_node_options options;
    kit_options(&options, "a", NULL);
    options.join = join;
    options.join_count = 2;
    pair.a = kit_start(&options);
    int64_t start = kit_now_ms();
    take_both_ways(&pair);
    assert_in_range(kit_now_ms() - start, 0, 5000);
    exchange(&pair);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(one_that_cannot_be_dialed_is_a_peer_like_any_other),
        KIT_TEST(one_that_cannot_be_dialed_meets_all_of_the_segment),
        KIT_TEST(the_one_that_is_dialed_may_restart),
        KIT_TEST(who_has_no_inlet_is_named),
        KIT_TEST(a_site_behind_address_translation_is_joined),
        KIT_TEST(a_half_open_link_of_two_sites_is_noticed_and_made_anew),
        KIT_TEST(both_ends_notice_a_half_open_link),
        KIT_TEST(each_connection_alone_may_be_half_open),
        KIT_TEST(a_long_outage_brings_no_storm),
        KIT_TEST(where_one_address_refuses_the_next_is_dialed),
        KIT_TEST(where_one_address_is_silent_the_next_is_dialed),
        KIT_TEST(where_the_first_address_swallows_everything_the_second_is_dialed_at_once),
        KIT_TEST(where_the_first_address_hangs_the_second_is_dialed_at_once),
        KIT_TEST(a_dead_address_to_join_does_not_hold_up_a_good_one),
    };
    return cmocka_run_group_tests_name("dialing", tests, NULL, NULL);
}
