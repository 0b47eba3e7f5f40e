/* SPDX-License-Identifier: MPL-2.0 */
/* Probes of IPC addresses. */

#include "testkit.h"

#include "node/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char directory[] = "/tmp/tulle-probe-XXXXXX";
static struct sockaddr_un place = { .sun_family = AF_UNIX };

static int
make_place(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(place.sun_path, sizeof place.sun_path, "%s/a", directory);
    return 0;
}

static int
remove_place(void **state)
{
    (void)state;
    (void)unlink(place.sun_path);
    return rmdir(directory);
}

static int
begin_to_listen(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&place, sizeof place), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static enum tulle__probed
probe_place(const char **why)
{
    char address[sizeof place.sun_path + sizeof "ipc://"];
    struct tulle__probe probe = { 0 };
    (void)snprintf(address, sizeof address, "ipc://%s", place.sun_path);
    tulle__probe_begin(&probe, address, 0);
    enum tulle__probed probed = tulle__probe_look(&probe, 0);
    *why = probe.why;
    return probed;
}

TEST(who_listens_accepts_and_a_file_that_was_left_behind_does_not)
{
    const char *why = NULL;
    (void)state;
    assert_int_equal(probe_place(&why), TULLE__PROBE_REFUSED);
    int fd = begin_to_listen();
    assert_int_equal(probe_place(&why), TULLE__PROBE_ACCEPTED);
    assert_int_equal(close(fd), 0);
    assert_int_equal(probe_place(&why), TULLE__PROBE_REFUSED);
    assert_int_equal(unlink(place.sun_path), 0);
}

/* What this process lacks says nothing of who is there. */
TEST(without_a_descriptor_nobody_is_taken_for_absent)
{
    struct rlimit before;
    const char *why = NULL;
    (void)state;
    int fd = begin_to_listen();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = { .rlim_cur = 0, .rlim_max = before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum tulle__probed probed = probe_place(&why);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

    assert_int_equal(probed, TULLE__PROBE_UNREACHABLE);
    assert_string_equal(why, strerror(EMFILE));
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(place.sun_path), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_listens_accepts_and_a_file_that_was_left_behind_does_not),
        cmocka_unit_test(without_a_descriptor_nobody_is_taken_for_absent),
    };
    return cmocka_run_group_tests_name("node/probe", tests, make_place, remove_place);
}
