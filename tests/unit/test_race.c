/* SPDX-License-Identifier: MPL-2.0 */
/* Races of addresses with names, with a resolver that takes its time. */

#define _GNU_SOURCE 1 /* getaddrinfo_a() */

#include "testkit.h"

#include "base/time.h"
#include "node/race.h"

#include <netdb.h>

/* ---- the resolver, in the place of the system's ---- */

static int answer = EAI_INPROGRESS;
static unsigned asked, waited;

int
getaddrinfo_a(int mode, struct gaicb *list[], int count, struct sigevent *event)
{
    (void)mode;
    (void)list;
    (void)event;
    asked += (unsigned)count;
    return 0;
}

int
gai_error(struct gaicb *request)
{
    (void)request;
    return answer;
}

int
gai_cancel(struct gaicb *request)
{
    (void)request;
    return answer == EAI_INPROGRESS ? EAI_NOTCANCELED : EAI_ALLDONE;
}

int
gai_suspend(const struct gaicb *const list[], int count, const struct timespec *timeout)
{
    (void)list;
    (void)count;
    (void)timeout;
    waited++;
    answer = EAI_NONAME;
    return 0;
}

/* ---- tests ---- */

static const struct tulle__dialing dialing = { .control = "tcp://a.example:1 tcp://b.example:2" };

/* As time goes by nobody wins: there is nothing to dial. */
static void
look(struct tulle__races *races, int64_t ms)
{
    uint64_t hop;
    uint32_t turn;
    assert_false(tulle__races_next(races, NULL, tulle__ms_to_ns(ms), &hop, &turn));
}

TEST(resolver_is_not_waited_for)
{
    struct tulle__races races = { .count = 0 };
    (void)state;
    answer = EAI_INPROGRESS;
    asked = waited = 0;
    tulle__races_begin(&races, 7, &dialing, 0);
    look(&races, 0);
    assert_int_equal(asked, 1);

    tulle__races_end(&races, 7);
    tulle__races_begin(&races, 7, &dialing, tulle__ms_to_ns(20));
    look(&races, 20);
    assert_int_equal(waited, 0);
    assert_int_equal(asked, 2);
    assert_int_equal(races.count, 2); /* one is over */

    answer = EAI_NONAME;
    look(&races, 40);
    assert_int_equal(races.count, 1);
    tulle__races_fini(&races);
    assert_int_equal(waited, 0);
}

TEST(at_the_end_the_resolver_is_waited_for)
{
    struct tulle__races races = { .count = 0 };
    (void)state;
    answer = EAI_INPROGRESS;
    waited = 0;
    tulle__races_begin(&races, 7, &dialing, 0);
    look(&races, 0);
    tulle__races_end(&races, 7);
    tulle__races_fini(&races);
    assert_int_equal(waited, 1);
    assert_int_equal(races.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolver_is_not_waited_for),
        cmocka_unit_test(at_the_end_the_resolver_is_waited_for),
    };
    return cmocka_run_group_tests_name("node/race", tests, NULL, NULL);
}
