/* SPDX-License-Identifier: MPL-2.0 */

#include "testkit.h"

#include "view_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_BYTES = 4096, PAYLOAD_LEN = 1000, ARGS = 6 };

struct view_mesh view_mesh;
struct proc *view_last;

static json_t *root; /* of what was read last */

static tulle_node *
start_slow(const char *join)
{
    tulle_node_options options;
    kit_options(&options, "slow", &join);
    options.queue_bytes = QUEUE_BYTES;
    tulle_node *node = kit_make(&options);
    tulle_subscription *subscription = kit_subscribe(node, "orders/**");
    assert_non_null(subscription); /* nobody receives from it */
    assert_status(tulle_node_start(node, NULL), TULLE_OK);
    return node;
}

static void
publish_large(tulle_node *node, const char *topic, int count)
{
    char text[PAYLOAD_LEN + 1];
    memset(text, 'x', PAYLOAD_LEN);
    text[PAYLOAD_LEN] = '\0';
    for (int i = 0; i < count; i++) {
        kit_publish(node, topic, text);
        kit_pause_ms(2); /* batches of their own: one turn does not bring them all */
    }
}

int
view_start(void **state)
{
    (void)state;
    tulle_subscription *at_store;
    view_mesh.shop = kit_node("shop", NULL);
    view_mesh.store = kit_node("store", NULL);
    view_mesh.bridge = kit_proxy("bridge", tulle_node_address(view_mesh.shop),
                                 tulle_node_address(view_mesh.store));
    at_store = kit_subscribe(view_mesh.store, "orders/**");
    view_mesh.slow = start_slow(tulle_node_address(view_mesh.store));
    view_mesh.spare = kit_node("spare", tulle_node_address(view_mesh.shop));
    (void)kit_subscribe(view_mesh.spare, "returns/*");
    assert_status(tulle_node_wait_peers(view_mesh.shop, "orders", 2, KIT_DEADLINE_MS), TULLE_OK);
    publish_large(view_mesh.shop, "orders/placed", VIEW_EVENTS);
    kit_publish(view_mesh.store, "stock/low", "17");
    for (int i = 0; i < VIEW_EVENTS; i++)
        (void)kit_receive(at_store);
    (void)snprintf(view_mesh.address, sizeof view_mesh.address, "%s",
                   tulle_node_address(view_mesh.shop));
    return 0;
}

int
view_end(void **state)
{
    json_decref(root);
    root = NULL;
    return proc_end_all(state) + kit_teardown(state);
}

int
view_end_test(void **state)
{
    (void)state;
    proc_end_since(0);
    return 0;
}

const char *
view_run(const char *tool, int status, const char *const arguments[])
{
    const char *a[ARGS] = { NULL };
    for (size_t i = 0; i < ARGS && arguments[i] != NULL; i++)
        a[i] = arguments[i];
    /* A busy machine may need long until all have answered. */
    view_last = proc_start("tulle", tool, "--name", "look", "--join", view_mesh.address, "--wait",
                           "25", a[0], a[1], a[2], a[3], a[4], a[5], NULL);
    int ended = proc_wait(view_last);
    if (ended != status)
        print_error("%s%s", proc_text(view_last, PROC_OUT), proc_text(view_last, PROC_ERR));
    assert_int_equal(ended, status);
    return proc_text(view_last, PROC_OUT);
}

void
assert_has_not(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        print_error("there: %s\nin: %s\n", part, text);
    assert_null(strstr(text, part));
}

/* The line that begins with the word, its cells each behind one space; valid until the next call.
 */
const char *
row(const char *text, const char *word)
{
    static char out[400];
    size_t len = 0;
    const char *at = text;
    while (at != NULL && (strncmp(at, word, strlen(word)) != 0 || at[strlen(word)] != ' ')) {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL) {
        fail_msg("no line of %s\nin: %s", word, text);
        return "";
    }
    for (; *at != '\n' && len + 1 < sizeof out; at++) {
        if (*at != ' ' || out[len - 1] != ' ')
            out[len++] = *at;
    }
    out[len] = '\0';
    return out;
}

json_t *
view_root(void)
{
    return root;
}

json_t *
rows_of(const char *text, const char *what)
{
    json_decref(root);
    root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (root == NULL)
        print_error("%s\n", text);
    assert_non_null(root);
    json_t *rows = json_object_get(root, what);
    assert_true(json_is_array(rows));
    return rows;
}

json_t *
find(json_t *rows, const char *key, const char *value)
{
    size_t i;
    json_t *one;
    json_array_foreach(rows, i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, key)), value) == 0)
            return one;
    }
    print_error("no %s that is %s\n", key, value);
    assert_true(false);
    return NULL;
}

long
number(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    assert_true(json_is_integer(value));
    return (long)json_integer_value(value);
}

const char *
string(const json_t *row, const char *key)
{
    const char *value = json_string_value(json_object_get(row, key));
    assert_non_null(value);
    return value;
}
