/* SPDX-License-Identifier: MPL-2.0 */

/* Every option of tulle pub, by what a tap sees of it, or pub says. */

#include "testkit.h"

#include "proc_steps.h"

#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS_MAX = 12, PATH_LEN = 256 };

#define ANYWHERE "tcp://127.0.0.1:*"

struct mesh {
    int port;
    struct proc *tap;
    json_t *event; /* borrowed lines are freed with it */
};

static struct mesh
make_mesh(void)
{
    struct mesh mesh = { .port = proc_free_port() };
    mesh.tap = proc_start("tulle", "tap", "--json", "--listen", proc_address(mesh.port), NULL);
    proc_wait_port(mesh.port);
    return mesh;
}

/* "tulle pub --join TAP" with up to ten more arguments, up to NULL. */
static struct proc *
start_pub(const struct mesh *mesh, ...)
{
    const char *args[ARGS_MAX] = { NULL };
    va_list list;
    va_start(list, mesh);
    for (size_t i = 0; i + 1 < ARGS_MAX; i++) {
        args[i] = va_arg(list, const char *);
        if (args[i] == NULL)
            break;
    }
    va_end(list);
    return proc_start("tulle", "pub", "-j", proc_address(mesh->port), "--listen", ANYWHERE, args[0],
                      args[1], args[2], args[3], args[4], args[5], args[6], args[7], args[8],
                      args[9], NULL);
}

/* The index-th event that the tap shows; freed with the one asked for next, and by done(). */
static const json_t *
event_at(struct mesh *mesh, size_t index)
{
    proc_wait_lines(mesh->tap, PROC_OUT, index + 1);
    const char *line = proc_text(mesh->tap, PROC_OUT);
    for (size_t i = 0; i < index; i++)
        line = strchr(line, '\n') + 1;
    json_decref(mesh->event);
    mesh->event = json_loadb(line, strcspn(line, "\n"), 0, NULL);
    assert_non_null(mesh->event);
    assert_string_equal(json_string_value(json_object_get(mesh->event, "kind")), "event");
    return mesh->event;
}

static void
done(struct mesh *mesh)
{
    json_decref(mesh->event);
    mesh->event = NULL;
}

static void
assert_member(const json_t *object, const char *name, const char *value)
{
    json_t *wanted = json_loads(value, JSON_DECODE_ANY, NULL);
    const json_t *found = json_object_get(object, name);
    bool is_same = json_equal(found, wanted) == 1;
    char *text = is_same ? NULL : json_dumps(found, JSON_ENCODE_ANY);
    json_decref(wanted);
    if (!is_same)
        fail_msg("%s is %s, not %s", name, text != NULL ? text : "not there", value);
}

TEST(a_payload_is_text_json_bytes_or_nothing)
{
    (void)state;
    struct mesh mesh = make_mesh();
    static const struct {
        const char *options[3];
        const char *payload, *type; /* as the tap shows them */
    } kinds[] = {
        { { "plain" }, "\"plain\"", NULL },
        { { "-r", "raw" }, "\"raw\"", "\"application/octet-stream\"" },
        { { "--raw", "raw" }, "\"raw\"", "\"application/octet-stream\"" },
        { { "-J", "{\"a\": [1, null]}" }, "{\"a\": [1, null]}", NULL },
        { { "--json", "2.5" }, "2.5", NULL },
        { { "-e" }, "\"\"", NULL },
        { { "--empty" }, "\"\"", NULL },
        { { "--content-type", "text/csv", "1,2" }, "\"1,2\"", "\"text/csv\"" },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *const *o = kinds[i].options;
        struct proc *pub = start_pub(&mesh, "a/b", o[0], o[1], o[2], NULL);
        assert_int_equal(proc_wait(pub), 0);
        assert_string_equal(proc_text(pub, PROC_ERR), "");
        const json_t *event = event_at(&mesh, i);
        assert_member(event, "topic", "\"a/b\"");
        assert_member(event, "payload", kinds[i].payload);
        if (kinds[i].type != NULL)
            assert_member(event, "content_type", kinds[i].type);
    }
    done(&mesh);
}

TEST(input_is_one_payload_or_lines)
{
    (void)state;
    struct mesh mesh = make_mesh();
    static const char *const payloads[] = { "\"one\\ntwo\\n\"", "\"one\"", "\"two\"", "\"one\"",
                                            "\"two\"",          "1",       "[2]" };
    static const char *const ways[][2] = { { "-", NULL }, { "-L", NULL }, { "--lines", NULL } };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct proc *pub = start_pub(&mesh, "a", ways[i][0], NULL);
        proc_write(pub, "one\ntwo\n", 8);
        proc_close_input(pub);
        assert_int_equal(proc_wait(pub), 0);
    }
    struct proc *pub = start_pub(&mesh, "a", "--lines", "--json", NULL);
    proc_write(pub, "1\n[2]\n", 6);
    proc_close_input(pub);
    assert_int_equal(proc_wait(pub), 0);
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++)
        assert_member(event_at(&mesh, i), "payload", payloads[i]);
    done(&mesh);
}

TEST(headers_and_causes_are_attached)
{
    (void)state;
    struct mesh mesh = make_mesh();
    char cause[64];
    assert_int_equal(
        proc_wait(start_pub(&mesh, "a/1", "x", "-H", "k=v", "--header", "empty=", NULL)), 0);
    const json_t *event = event_at(&mesh, 0);
    assert_member(event, "headers", "{\"k\": \"v\", \"empty\": \"\"}");
    const char *id = json_string_value(json_object_get(event, "id"));
    (void)snprintf(cause, sizeof cause, "%s/a/1", id);
    assert_int_equal(proc_wait(start_pub(&mesh, "b/1", "y", "--cause", cause, NULL)), 0);
    assert_int_equal(proc_wait(start_pub(&mesh, "b/2", "z", "-c", cause, "--only-causes", NULL)),
                     0);
    for (size_t i = 1; i < 3; i++) {
        const json_t *causes = json_object_get(event_at(&mesh, i), "causes");
        assert_int_equal(json_array_size(causes), 1);
        const json_t *first = json_array_get(causes, 0);
        if (json_is_string(first))
            assert_string_equal(json_string_value(first), cause);
        else
            assert_member(first, "seq", "1");
    }
    done(&mesh);
}

/* When the event was published, in seconds within the hour. */
static double
seconds_of(const json_t *event)
{
    const char *time = json_string_value(json_object_get(event, "time"));
    assert_non_null(time);
    return strtod(time + 14, NULL) * 60 + strtod(time + 17, NULL);
}

TEST(payloads_are_repeated_at_a_pace)
{
    (void)state;
    struct mesh mesh = make_mesh();
    static const struct {
        const char *options[4];
        double least_s;
    } paces[] = {
        { { "--repeat", "3", "-i", "0.2" }, 0.35 },
        { { "-n", "3", "--interval", "0.2" }, 0.35 },
        { { "-n", "3", "--rate", "10" }, 0.15 },
        { { "-n", "3", NULL }, 0 },
    };
    for (size_t i = 0; i < sizeof paces / sizeof *paces; i++) {
        const char *const *o = paces[i].options;
        struct proc *pub = start_pub(&mesh, "a", "x", "--verbose", o[0], o[1], o[2], o[3], NULL);
        assert_int_equal(proc_wait(pub), 0);
        assert_says(pub, PROC_ERR, "3 events published and acknowledged\n");
        double first = seconds_of(event_at(&mesh, 3 * i));
        double took = seconds_of(event_at(&mesh, 3 * i + 2)) - first;
        assert_true(took < 0 || took >= paces[i].least_s); /* the hour may have ended */
    }
    done(&mesh);
}

TEST(bad_lines_end_it_or_are_skipped)
{
    (void)state;
    struct mesh mesh = make_mesh();
    static const char lines[] = "{\"topic\": \"a\", \"payload\": 1}\nbad\n{\"topic\": \"a/b\", "
                                "\"payload\": 2}\n";
    struct proc *pub = start_pub(&mesh, "--json", NULL);
    proc_write(pub, lines, strlen(lines));
    proc_close_input(pub);
    assert_int_equal(proc_wait(pub), 1);
    assert_says(pub, PROC_ERR, "line 2: not JSON");
    static const char *const ways[] = { "-s", "--skip-bad" };
    for (size_t i = 0; i < 2; i++) {
        pub = start_pub(&mesh, "--json", ways[i], NULL);
        proc_write(pub, lines, strlen(lines));
        proc_close_input(pub);
        assert_int_equal(proc_wait(pub), 0);
        assert_says(pub, PROC_ERR, "bad lines skipped: 1");
    }
    static const char *const payloads[] = { "1", "1", "2", "1", "2" };
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++)
        assert_member(event_at(&mesh, i), "payload", payloads[i]);
    done(&mesh);
}

TEST(nodes_are_waited_for)
{
    (void)state;
    struct mesh mesh = make_mesh();
    struct proc *pub = start_pub(&mesh, "a", "x", "--wait-peers=2", "--wait-timeout", "0.3", NULL);
    assert_int_equal(proc_wait(pub), 4);
    assert_says(pub, PROC_ERR, "fewer than 2 nodes that take 'a' reached within 0.3 s");
    assert_int_equal(proc_wait(start_pub(&mesh, "a", "x", "-w", NULL)), 0);
    assert_member(event_at(&mesh, 0), "payload", "\"x\"");
    pub = start_pub(&mesh, "a", "x", "--mesh", "another", "--wait-timeout", "0.3", NULL);
    assert_int_equal(proc_wait(pub), 4);
    assert_says(pub, PROC_ERR, "no node reached within 0.3 s");
    pub = start_pub(&mesh, "a", "x", "--mesh", "another", "-w0", NULL); /* alone, and content */
    assert_int_equal(proc_wait(pub), 0);
    done(&mesh);
}

/* Those who take sleep: nothing is acknowledged. */
TEST(acknowledgements_are_waited_for_or_not)
{
    (void)state;
    static const struct {
        const char *options[2];
        int status;
        const char *told;
    } ways[] = { { { "--ack-timeout", "0.3" }, 1, "acknowledged" }, { { "--no-wait" }, 0, "" } };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct mesh mesh = make_mesh();
        const char *const *o = ways[i].options;
        struct proc *pub = start_pub(&mesh, "a", "--lines", o[0], o[1], NULL);
        proc_write(pub, "one\n", 4);
        (void)event_at(&mesh, 0);
        proc_signal(mesh.tap, SIGSTOP);
        proc_write(pub, "two\n", 4);
        proc_close_input(pub);
        assert_int_equal(proc_wait(pub), ways[i].status);
        assert_says(pub, PROC_ERR, ways[i].told);
        proc_signal(mesh.tap, SIGCONT);
        proc_end_all(NULL);
        done(&mesh);
    }
}

TEST(remarks_are_made_or_not)
{
    (void)state;
    int port = proc_free_port();
    struct mesh mesh = { .port = port };
    (void)start_node("idle", port);
    struct proc *pub = start_pub(&mesh, "a", "x", NULL);
    assert_int_equal(proc_wait(pub), 0);
    assert_says(pub, PROC_ERR, "no connected node takes 'a'");
    static const char *const ways[] = { "-q", "--quiet" };
    for (size_t i = 0; i < 2; i++) {
        pub = start_pub(&mesh, "a", "x", ways[i], NULL);
        assert_int_equal(proc_wait(pub), 0);
        assert_string_equal(proc_text(pub, PROC_ERR), "");
    }
    pub = start_pub(&mesh, "a", "x", "-qv", "--log-level", "info", "--log-format", "json", NULL);
    assert_int_equal(proc_wait(pub), 0);
    assert_says(pub, PROC_ERR, "\"level\":\"info\"");
    assert_says(pub, PROC_ERR, "\"id\":\"member.state\"");
}

TEST(it_has_a_name_and_an_interface)
{
    (void)state;
    struct mesh mesh = make_mesh();
    struct proc *pub =
        proc_start("tulle", "pub", "--join", proc_address(mesh.port), "--name", "till", "-l",
                   "tcp://*:*", "--interface", "lo", "--log-level", "debug", "a", "x", NULL);
    assert_int_equal(proc_wait(pub), 0);
    assert_member(event_at(&mesh, 0), "node", "\"till\"");
    done(&mesh);
}

TEST(options_may_come_from_a_file)
{
    (void)state;
    struct mesh mesh = make_mesh();
    char path[PATH_LEN];
    char text[PATH_LEN];
    (void)snprintf(path, sizeof path, "%s/pub.conf", proc_directory());
    (void)snprintf(text, sizeof text, "name = filed\njoin = %s\nlisten = %s\n",
                   proc_address(mesh.port), ANYWHERE);
    write_file(path, text);
    assert_int_equal(proc_wait(proc_start("tulle", "pub", "--config", path, "a", "x", NULL)), 0);
    assert_member(event_at(&mesh, 0), "node", "\"filed\"");
    struct proc *pub =
        proc_start("tulle", "pub", "--config", path, "--name", "typed", "--print-config", NULL);
    assert_int_equal(proc_wait(pub), 0);
    assert_says(pub, PROC_OUT, "name = typed\n");
    assert_says(pub, PROC_OUT, proc_address(mesh.port));
    done(&mesh);
}

TEST(help_is_printed)
{
    (void)state;
    static const struct {
        const char *option, *told, *untold;
    } helps[] = {
        { "--help", "\n  -J, --json ", "--beat-ms" },
        { "-h", "\n  -J, --json ", "--beat-ms" },
        { "--help-all", "\n      --beat-ms MS ", "option\t" },
        { "--help-table", "option\t--json\t-J\tflag\tonce\tusual\t", "usage:" },
        { "--version", "tulle pub 0.", "usage:" },
    };
    for (size_t i = 0; i < sizeof helps / sizeof *helps; i++) {
        struct proc *pub = proc_start("tulle", "pub", helps[i].option, NULL);
        assert_int_equal(proc_wait(pub), 0);
        assert_says(pub, PROC_OUT, helps[i].told);
        assert_null(strstr(proc_text(pub, PROC_OUT), helps[i].untold));
    }
}

TEST(wrong_options_are_status_2)
{
    (void)state;
    static const struct {
        const char *options[4];
        const char *told;
    } wrong[] = {
        { { NULL }, "TOPIC is missing" },
        { { "a", NULL }, "PAYLOAD is missing" },
        { { "a//b", "x", NULL }, "'a//b' is no topic" },
        { { "a", "x", "--lines", NULL }, "exclude each other" },
        { { "a", "x", "-rJ", NULL }, "--raw and --json exclude" },
        { { "--json", "--empty", NULL }, "need TOPIC" },
        { { "a", "--lines", "-n2", NULL }, "--repeat needs PAYLOAD" },
        { { "a", "x", "-i1", "--rate=1" }, "--interval and --rate exclude" },
        { { "a", "x", "--wait-peers=x", NULL }, "--wait-peers: 'x'" },
        { { "a", "x", "-H", "novalue" }, "--header: 'novalue' is not NAME=VALUE" },
        { { "a", "x", "-c", "1/a/1" }, "--cause: '1/a/1' is not ID/STREAM/SEQ" },
        { { "a", "x", "--log-level", "loud" }, "--log-level: must be one of" },
        { { "a", "x", "-j", "nowhere" }, "--join: 'nowhere' is no address" },
        { { "a", "x", "--lots", NULL }, "unknown option '--lots'" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *const *o = wrong[i].options;
        struct proc *pub =
            proc_start("tulle", "pub", "--listen=" ANYWHERE, o[0], o[0] ? o[1] : NULL,
                       o[0] && o[1] ? o[2] : NULL, o[0] && o[1] && o[2] ? o[3] : NULL, NULL);
        assert_int_equal(proc_wait(pub), 2);
        assert_says(pub, PROC_ERR, wrong[i].told);
        assert_says(pub, PROC_ERR, "try 'tulle pub --help'");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_payload_is_text_json_bytes_or_nothing, proc_end_all),
        cmocka_unit_test_teardown(input_is_one_payload_or_lines, proc_end_all),
        cmocka_unit_test_teardown(headers_and_causes_are_attached, proc_end_all),
        cmocka_unit_test_teardown(payloads_are_repeated_at_a_pace, proc_end_all),
        cmocka_unit_test_teardown(bad_lines_end_it_or_are_skipped, proc_end_all),
        cmocka_unit_test_teardown(nodes_are_waited_for, proc_end_all),
        cmocka_unit_test_teardown(acknowledgements_are_waited_for_or_not, proc_end_all),
        cmocka_unit_test_teardown(remarks_are_made_or_not, proc_end_all),
        cmocka_unit_test_teardown(it_has_a_name_and_an_interface, proc_end_all),
        cmocka_unit_test_teardown(options_may_come_from_a_file, proc_end_all),
        cmocka_unit_test_teardown(help_is_printed, proc_end_all),
        cmocka_unit_test_teardown(wrong_options_are_status_2, proc_end_all),
    };
    return cmocka_run_group_tests_name("tulle pub", tests, NULL, NULL);
}
