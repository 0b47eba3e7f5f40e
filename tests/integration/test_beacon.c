/* SPDX-License-Identifier: MPL-2.0 */

/* Discovery by beacon. Broadcasts need an interface that can, and shall not leave this
 * host: the test makes a network of its own, with one bridge in it, for which it must be
 * root. Otherwise its tests are skipped. */

#define _GNU_SOURCE 1 /* unshare() */

#include "integ_kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char interface_name[] = "tulle0";
static char reason[128]; /* why there is no network; "" */

static bool
set_address(int fd, unsigned long request, const char *text)
{
    struct ifreq change;
    struct sockaddr_in address = { .sin_family = AF_INET };
    memset(&change, 0, sizeof change);
    memcpy(change.ifr_name, interface_name, sizeof interface_name);
    (void)inet_pton(AF_INET, text, &address.sin_addr);
    memcpy(&change.ifr_addr, &address, sizeof address);
    return ioctl(fd, request, &change) == 0;
}

static bool
bring_up(int fd, const char *name)
{
    struct ifreq change;
    memset(&change, 0, sizeof change);
    (void)snprintf(change.ifr_name, sizeof change.ifr_name, "%s", name);
    if (ioctl(fd, SIOCGIFFLAGS, &change) != 0)
        return false;
    change.ifr_flags = (short)(change.ifr_flags | IFF_UP);
    return ioctl(fd, SIOCSIFFLAGS, &change) == 0;
}

/* Threads that are made later are in the new network too. */
static bool
make_network(void)
{
    if (unshare(CLONE_NEWNET) != 0)
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_made = fd >= 0 && ioctl(fd, SIOCBRADDBR, interface_name) == 0 &&
                   set_address(fd, SIOCSIFADDR, "10.77.0.1") &&
                   set_address(fd, SIOCSIFNETMASK, "255.255.255.0") &&
                   set_address(fd, SIOCSIFBRDADDR, "10.77.0.255") && bring_up(fd, "lo") &&
                   bring_up(fd, interface_name);
    if (fd >= 0)
        (void)close(fd);
    return is_made;
}

static void
need_network(void)
{
    if (reason[0] == '\0')
        return;
    print_message("%s\n", reason);
    skip();
}

static void
beacon_options(tulle_node_options *options, const char *name)
{
    kit_options(options, name, NULL);
    options->listen[0] = "tcp://*:*";
    options->interface_name = interface_name;
    options->use_beacon = true;
    options->beacon_interface = interface_name;
}

static tulle_node *
beacon_node(const char *name)
{
    tulle_node_options options;
    beacon_options(&options, name);
    return kit_start(&options);
}

TEST(nodes_find_each_other)
{
    (void)state;
    need_network();
    tulle_node *a = beacon_node("a");
    tulle_node *b = beacon_node("b");
    tulle_node *c = beacon_node("c");
    tulle_subscription *s = kit_subscribe(c, "x");
    kit_wait_up(a, 2);
    kit_wait_up(b, 2);
    kit_wait_up(c, 2);
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "x", "1");
    (void)kit_expect(s, "x", "1");
}

TEST(beacons_of_another_mesh_and_port_are_not_heard)
{
    (void)state;
    need_network();
    tulle_node *a = beacon_node("a");
    tulle_node_options options;
    beacon_options(&options, "other-mesh");
    options.mesh = "other";
    tulle_node *other_mesh = kit_start(&options);
    beacon_options(&options, "other-port");
    options.beacon_port = 5671;
    tulle_node *other_port = kit_start(&options);
    tulle_node *b = beacon_node("b");
    /* By then each has sent beacons that the others could have heard. */
    kit_wait_up(a, 1);
    kit_wait_up(b, 1);
    KIT_UNTIL(kit_counters(other_mesh).beats_sent > 20);
    assert_int_equal(kit_counters(other_mesh).peers_up, 0);
    assert_int_equal(kit_counters(other_port).peers_up, 0);
    assert_int_equal(kit_counters(a).dropped_mesh, 0);
}

TEST(a_proxy_finds_the_nodes_of_its_segments)
{
    (void)state;
    need_network();
    const char *const join[2] = { NULL, NULL };
    tulle_proxy_options proxy;
    kit_proxy_options(&proxy, "p", join);
    for (size_t i = 0; i < 2; i++) {
        proxy.segments[i].listen[0] = "tcp://*:*";
        proxy.segments[i].interface_name = interface_name;
        proxy.segments[i].use_beacon = true;
        proxy.segments[i].beacon_interface = interface_name;
        proxy.segments[i].beacon_port = (uint16_t)(5670 + i);
    }
    (void)kit_proxy_start(&proxy);
    tulle_node_options options;
    beacon_options(&options, "a");
    tulle_node *a = kit_start(&options);
    beacon_options(&options, "b");
    options.beacon_port = 5671;
    tulle_node *b = kit_start(&options);
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    kit_publish(a, "x", "1");
    assert_int_equal(kit_expect(s, "x", "1")->hops, 1);
}

static volatile sig_atomic_t interrupts;

static void
on_interrupt(int number)
{
    (void)number;
    interrupts++;
}

/* czmq would put handlers of its own in the place of these. */
TEST(signals_stay_those_of_the_application)
{
    (void)state;
    need_network();
    struct sigaction action = { .sa_handler = on_interrupt };
    struct sigaction before;
    (void)sigemptyset(&action.sa_mask);
    assert_int_equal(sigaction(SIGINT, &action, NULL), 0);
    assert_int_equal(sigaction(SIGTERM, NULL, &before), 0);
    interrupts = 0;
    tulle_node *a = beacon_node("a");
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(interrupts, 1);
    tulle_node *b = beacon_node("b");
    kit_wait_up(a, 1);
    kit_free(&b);
    kit_free(&a);
    struct sigaction after;
    assert_int_equal(sigaction(SIGINT, NULL, &after), 0);
    assert_true(after.sa_handler == on_interrupt);
    assert_int_equal(sigaction(SIGTERM, NULL, &after), 0);
    assert_true(after.sa_handler == before.sa_handler);
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(interrupts, 2);
    (void)signal(SIGINT, SIG_DFL);
}

TEST(no_interface_is_said_so)
{
    (void)state;
    need_network();
    tulle_node_options options;
    tulle_error error = { 0 };
    beacon_options(&options, "a");
    options.beacon_interface = "nothere0";
    tulle_node *a = kit_make(&options);
    assert_status(tulle_node_start(a, &error), TULLE_ENETWORK);
    assert_non_null(strstr(error.text, "nothere0"));
}

int
main(void)
{
    if (!make_network())
        (void)snprintf(reason, sizeof reason, "skipped: cannot make a network to broadcast in: %s",
                       strerror(errno));
    const struct CMUnitTest tests[] = {
        KIT_TEST(nodes_find_each_other),
        KIT_TEST(beacons_of_another_mesh_and_port_are_not_heard),
        KIT_TEST(a_proxy_finds_the_nodes_of_its_segments),
        KIT_TEST(signals_stay_those_of_the_application),
        KIT_TEST(no_interface_is_said_so),
    };
    return cmocka_run_group_tests_name("beacons", tests, NULL, NULL);
}
