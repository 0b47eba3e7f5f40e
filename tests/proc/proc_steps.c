/* SPDX-License-Identifier: MPL-2.0 */

/* Steps that the tests of the programs share. */

#include "testkit.h"

#include "proc_steps.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_LEN = 80 };

void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

struct proc *
start_in_network(const char *script)
{
    char path[128];
    char command[512];
    struct proc *probe = proc_start("/bin/sh", "-c", "unshare -rn true", NULL);
    if (proc_wait(probe) != 0)
        skip();
    (void)snprintf(path, sizeof path, "%s/script", proc_directory());
    write_file(path, script);
    (void)snprintf(command, sizeof command, "PATH=%s:$PATH exec unshare -rn sh %s",
                   getenv("TULLE_BIN_DIR"), path);
    return proc_start("/bin/sh", "-c", command, NULL);
}

struct proc *
start_proxy(const char *name, int left, int right, const char *join_left, const char *join_right)
{
    /* An address that nobody has stands for none: joining is tried for ever. */
    const char *nobody = "tcp://127.0.0.1:1";
    struct proc *proxy = proc_start(
        "tulle-proxy", "--name", name, "--segment", "left", "--listen", proc_address(left),
        "--join", join_left != NULL ? join_left : nobody, "--segment", "right", "--listen",
        proc_address(right), "--join", join_right != NULL ? join_right : nobody, NULL);
    proc_wait_text(proxy, PROC_ERR, "segment=right");
    return proxy;
}

struct proc *
start_tap(int port, const char *pattern, const char *from)
{
    struct proc *tap = proc_start("tulle", "tap", "--json", "--name", "tap", "--log-level", "info",
                                  "--listen", proc_address(port), "--from", from, pattern, NULL);
    proc_wait_port(port);
    return tap;
}

struct proc *
start_node(const char *name, int port)
{
    struct proc *node =
        proc_start("tulle-node", "--name", name, "--listen", proc_address(port), NULL);
    proc_wait_port(port);
    return node;
}

char *
make_lines(int first, int count, size_t *len)
{
    char *lines = malloc((size_t)count * LINE_LEN + 1);
    assert_non_null(lines);
    *len = 0;
    for (int i = first; i < first + count; i++) {
        *len +=
            (size_t)snprintf(lines + *len, LINE_LEN,
                             "{\"topic\": \"load/%d\", \"payload\": {\"n\": %d}}\n", i % TOPICS, i);
    }
    return lines;
}

static void
judge_line(const char *line, size_t len, int *next)
{
    json_error_t error;
    json_t *event = json_loadb(line, len, 0, &error);
    assert_non_null(event);
    const char *kind = json_string_value(json_object_get(event, "kind"));
    assert_non_null(kind);
    if (strcmp(kind, "event") != 0)
        print_error("%.*s\n", (int)len, line);
    assert_string_equal(kind, "event");
    json_int_t number = json_integer_value(json_object_get(json_object_get(event, "payload"), "n"));
    char topic[16];
    (void)snprintf(topic, sizeof topic, "load/%d", *next % TOPICS);
    assert_int_equal(number, *next);
    assert_string_equal(json_string_value(json_object_get(event, "topic")), topic);
    json_decref(event);
    ++*next;
}

void
assert_all_in_order(struct proc *tap, int first, int count)
{
    int next = first;
    const char *line = proc_text(tap, PROC_OUT);
    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        judge_line(line, len, &next);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    assert_int_equal(next, first + count);
}
