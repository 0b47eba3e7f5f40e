/* SPDX-License-Identifier: MPL-2.0 */

/* What a stranger may send: to the control and event sockets of a node and of a proxy,
 * and as a publisher that they connect to. They drop it, count it, do not grow, and go on
 * serving those who keep to the protocol. */

#include "base/buf.h"
#include "codec/beat.h"
#include "codec/control.h"
#include "codec/writer.h"
#include "integ_kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

enum {
    ROUNDS = 3000,
    BIG = 200000,
    GROWTH_MAX = 64 * 1024 * 1024, /* with what a sanitizer keeps of freed memory */
    ID_LEN = 17,
    SOME_MS = 50
};

#define STRANGER UINT64_C(0x5712a46e00000001)

/* A sanitizer keeps freed memory for a while; less of it, so that growth can be seen. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "quarantine_size_mb=8";
}

struct stranger {
    void *context;
    void *pub;    /* what victims connect to when they are told of it */
    void *router; /* likewise */
    void *dealer; /* to a victim's control address */
    char control[64];
    char events[64];
    uint64_t counter;
    struct tulle__writer writer;
    struct testkit_random random;
};

static void
bind_any(void *socket, char address[64])
{
    size_t len = 64;
    int none = 0;
    assert_int_equal(zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none), 0);
    assert_int_equal(zmq_bind(socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, address, &len), 0);
}

static void
open_stranger(struct stranger *x, const char *victim)
{
    *x = (struct stranger){ .random = { 42 } };
    uint8_t identity[ID_LEN] = { 'N' };
    for (int i = 0; i < 8; i++)
        identity[1 + i] = (uint8_t)(STRANGER >> (56 - 8 * i));
    x->context = zmq_ctx_new();
    x->pub = zmq_socket(x->context, ZMQ_XPUB);
    x->router = zmq_socket(x->context, ZMQ_ROUTER);
    x->dealer = zmq_socket(x->context, ZMQ_DEALER);
    bind_any(x->pub, x->events);
    bind_any(x->router, x->control);
    int none = 0;
    assert_int_equal(zmq_setsockopt(x->dealer, ZMQ_LINGER, &none, sizeof none), 0);
    assert_int_equal(zmq_setsockopt(x->dealer, ZMQ_ROUTING_ID, identity, sizeof identity), 0);
    assert_int_equal(zmq_connect(x->dealer, victim), 0);
    tulle__writer_init(&x->writer);
}

static void
close_stranger(struct stranger *x)
{
    (void)zmq_close(x->pub);
    (void)zmq_close(x->router);
    (void)zmq_close(x->dealer);
    (void)zmq_ctx_term(x->context);
    tulle__writer_fini(&x->writer);
}

static uint64_t
pick(struct stranger *x, uint64_t n)
{
    return testkit_random_below(&x->random, n);
}

/* Send one frame; blocks while the victim reads, with a bound. */
static void
send_frame(void *socket, const void *data, size_t len, bool has_more)
{
    int wait_ms = KIT_DEADLINE_MS;
    (void)zmq_setsockopt(socket, ZMQ_SNDTIMEO, &wait_ms, sizeof wait_ms);
    assert_int_equal(zmq_send(socket, data, len, has_more ? ZMQ_SNDMORE : 0), len);
}

/* ---- what a message would look like ---- */

struct bytes {
    uint8_t data[2048];
    size_t len;
};

static void
keep(struct stranger *x, struct bytes *out)
{
    assert_false(x->writer.failed);
    assert_in_range(x->writer.len, 1, sizeof out->data);
    memcpy(out->data, x->writer.data, x->writer.len);
    out->len = x->writer.len;
    tulle__writer_reset(&x->writer);
}

static void
make_header(struct stranger *x, enum tulle__control_kind kind, struct bytes *out)
{
    struct tulle__control_header header = { .kind = kind,
                                            .mesh = { (const uint8_t *)"tulle", 5 },
                                            .from = STRANGER,
                                            .counter = ++x->counter };
    tulle__header_encode(&x->writer, &header);
    keep(x, out);
}

static struct tulle__self_out
self_of(struct stranger *x, const char *const addresses[2], const struct tulle__view *takes)
{
    (void)x;
    return (struct tulle__self_out){ .name = "stranger",
                                     .control_addresses = &addresses[0],
                                     .control_address_count = 1,
                                     .event_addresses = &addresses[1],
                                     .event_address_count = 1,
                                     .takes = takes,
                                     .take_count = 1,
                                     .takes_version = 1,
                                     .beat_ms = 1000 };
}

static void
make_sync(struct stranger *x, struct bytes *out)
{
    const char *const addresses[2] = { x->control, x->events };
    struct tulle__view take = { (const uint8_t *)"x", 2 };
    struct tulle__sync_out sync = { .self = self_of(x, addresses, &take), .wants_lanes = true };
    tulle__sync_encode(&x->writer, &sync);
    keep(x, out);
}

static void
make_beat(struct stranger *x, const char *mesh, struct bytes *out)
{
    const char *const addresses[2] = { x->control, x->events };
    struct tulle__view take = { (const uint8_t *)"x", 2 };
    struct tulle__beat_out beat = { .mesh = { (const uint8_t *)mesh, strlen(mesh) },
                                    .id = STRANGER,
                                    .counter = ++x->counter,
                                    .hlc = UINT64_C(1) << 60,
                                    .self = self_of(x, addresses, &take),
                                    .has_self = true,
                                    .has_takes = true };
    tulle__beat_encode(&x->writer, &beat);
    keep(x, out);
}

static void
make_batch(struct stranger *x, uint64_t node, uint64_t seq, struct bytes *out)
{
    struct tulle__writer events;
    tulle__writer_init(&events);
    tulle__event_encode(&events, (struct tulle__view){ NULL, 0 }, 0,
                        (struct tulle__view){ (const uint8_t *)"lie", 3 }, NULL);
    struct tulle__batch_head head = {
        .node = node, .first_seq = seq, .base_hlc = UINT64_C(1) << 60, .event_count = 1
    };
    struct tulle__buf *batch = tulle__batch_encode(&head, &events, &x->writer);
    assert_non_null(batch);
    memcpy(out->data, batch->data, batch->len);
    out->len = batch->len;
    tulle__buf_unref(&batch);
    tulle__writer_fini(&events);
    tulle__writer_reset(&x->writer);
}

static void
make_fetch(struct stranger *x, struct bytes *out)
{
    struct tulle__fetch fetch = { .node = STRANGER + pick(x, 3),
                                  .stream = { (const uint8_t *)"x", 1 },
                                  .first = 1 + pick(x, 10),
                                  .last = TULLE__SEQ_MAX - pick(x, 3),
                                  .bytes_max = UINT64_MAX >> pick(x, 60),
                                  .wants_clock = pick(x, 2) == 0 };
    tulle__fetch_encode(&x->writer, &fetch);
    keep(x, out);
}

/* Flip, cut, lengthen, or put a header of msgpack that claims very much. */
static void
spoil(struct stranger *x, struct bytes *b)
{
    static const uint8_t claims[][5] = { { 0xdd, 0xff, 0xff, 0xff, 0xff },
                                         { 0xdf, 0x05, 0xf5, 0xe1, 0x00 },
                                         { 0xc6, 0xff, 0xff, 0xff, 0x00 },
                                         { 0xdb, 0x7f, 0xff, 0xff, 0xff } };
    size_t at = pick(x, b->len);
    switch (pick(x, 4)) {
    case 0:
        b->data[at] = (uint8_t)pick(x, 256);
        break;
    case 1:
        b->len = at;
        break;
    case 2:
        if (b->len + 5 <= sizeof b->data) {
            memmove(b->data + at + 5, b->data + at, b->len - at);
            memcpy(b->data + at, claims[pick(x, 4)], 5);
            b->len += 5;
        }
        break;
    default:
        for (size_t i = 0; i < 5 && at + i < b->len; i++)
            b->data[at + i] = claims[pick(x, 4)][i];
        break;
    }
}

/* ---- victims ---- */

struct scene {
    tulle_node *a;
    tulle_node *b;
    tulle_proxy *proxy;
    tulle_subscription *s;
    int next;
};

/* a and b with a proxy between them; the stranger attacks one of the three. */
static void
open_scene(struct scene *scene)
{
    *scene = (struct scene){ .a = kit_node("a", NULL), .b = kit_node("b", NULL) };
    scene->proxy = kit_proxy("p", tulle_node_address(scene->a), tulle_node_address(scene->b));
    scene->s = kit_subscribe(scene->b, "x");
    assert_status(tulle_node_wait_peers(scene->a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
}

static void
still_delivers(struct scene *scene)
{
    kit_publish_numbers(scene->a, "x", scene->next, 20);
    for (int i = 0; i < 20; scene->next++, i++) {
        const tulle_event *event = kit_receive(scene->s);
        while (event->node != tulle_node_id(scene->a)) /* a lie that keeps to all rules */
            event = kit_receive(scene->s);
        assert_int_equal(kit_number(event), scene->next);
    }
}

enum target { AT_A, AT_B, AT_PROXY };

static const char *
address_of(const struct scene *scene, enum target target)
{
    if (target == AT_PROXY)
        return tulle_proxy_address(scene->proxy, 0);
    return tulle_node_address(target == AT_A ? scene->a : scene->b);
}

static tulle_counters
counters_of(const struct scene *scene, enum target target)
{
    if (target == AT_PROXY)
        return kit_proxy_counters(scene->proxy, 0);
    return kit_counters(target == AT_A ? scene->a : scene->b);
}

/* ---- attacks ---- */

static void
send_control(struct stranger *x, const struct bytes *header, const struct bytes *body)
{
    send_frame(x->dealer, header->data, header->len, true);
    send_frame(x->dealer, body->data, body->len, false);
}

static void
attack_control(struct stranger *x)
{
    struct bytes header;
    struct bytes body;
    static const enum tulle__control_kind kinds[] = { TULLE__SYNC, TULLE__HERE, TULLE__FETCH,
                                                      TULLE__RANGE };
    make_header(x, kinds[pick(x, 4)], &header);
    if (pick(x, 2) == 0)
        make_sync(x, &body);
    else
        make_fetch(x, &body);
    if (pick(x, 3) != 0)
        spoil(x, pick(x, 3) == 0 ? &header : &body);
    if (pick(x, 20) == 0)
        send_frame(x->dealer, header.data, header.len, false); /* too few frames */
    else if (pick(x, 20) == 0)
        send_frame(x->dealer, body.data, body.len, true); /* the next makes it too many */
    else
        send_control(x, &header, &body);
}

static void
control_socket(enum target target)
{
    struct scene scene;
    struct stranger x;
    open_scene(&scene);
    open_stranger(&x, address_of(&scene, target));
    still_delivers(&scene);
    for (int i = 0; i < ROUNDS / 3; i++)
        attack_control(&x);
    KIT_UNTIL(counters_of(&scene, target).dropped_malformed > 100);
    size_t before = kit_memory();
    for (int i = 0; i < ROUNDS; i++)
        attack_control(&x);
    uint8_t *big = calloc(1, BIG);
    assert_non_null(big);
    for (int i = 0; i < 20; i++) {
        memset(big, 0xdd, BIG);
        send_frame(x.dealer, big, BIG, true);
        send_frame(x.dealer, big, BIG, false);
    }
    free(big);
    uint64_t malformed = counters_of(&scene, target).dropped_malformed;
    still_delivers(&scene);
    KIT_UNTIL(counters_of(&scene, target).dropped_malformed >= malformed);
    assert_true(kit_memory() < before + GROWTH_MAX);
    close_stranger(&x);
    still_delivers(&scene);
}

TEST(nonsense_at_the_control_address_of_a_node)
{
    (void)state;
    control_socket(AT_A);
}

TEST(nonsense_at_the_control_address_of_a_proxy)
{
    (void)state;
    control_socket(AT_PROXY);
}

/* Not ZeroMQ at all, at both addresses. */
static void
pour_bytes(int port, struct testkit_random *random)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    uint8_t bytes[4096];
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)testkit_random_below(random, 256);
    /* Some begin as ZeroMQ does: a greeting, then a frame that claims to be enormous. */
    static const uint8_t greeting[] = {
        0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L'
    };
    if (testkit_random_below(random, 2) == 0) {
        memset(bytes, 0, 64);
        memcpy(bytes, greeting, sizeof greeting);
        memset(bytes + 64, 0xff, 9);
        bytes[64] = 2;
    }
    (void)send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
    (void)close(fd);
}

static int
port_of(const char *address)
{
    return (int)strtol(strrchr(address, ':') + 1, NULL, 10);
}

TEST(bytes_that_are_not_zeromq)
{
    (void)state;
    struct scene scene;
    struct testkit_random random = { 7 };
    open_scene(&scene);
    size_t before = kit_memory();
    /* Many, and closed at once: libzmq aborts by chance where it is not kept from it. */
    for (int i = 0; i < 500; i++) {
        pour_bytes(port_of(address_of(&scene, AT_A)), &random);
        pour_bytes(port_of(address_of(&scene, AT_PROXY)), &random);
    }
    still_delivers(&scene);
    assert_true(kit_memory() < before + GROWTH_MAX);
}

/* Make the victim connect to the stranger's publisher; returns when it did. */
static void
be_joined(struct stranger *x)
{
    struct bytes header;
    struct bytes body;
    bool is_joined = false;
    int64_t end = kit_now_ms() + KIT_DEADLINE_MS;
    while (!is_joined) {
        assert_true(kit_now_ms() < end);
        make_header(x, TULLE__SYNC, &header);
        make_sync(x, &body);
        send_control(x, &header, &body);
        zmq_pollitem_t item = { .socket = x->pub, .events = ZMQ_POLLIN };
        is_joined = zmq_poll(&item, 1, SOME_MS) > 0; /* a subscription has come */
    }
}

static void
attack_publication(struct stranger *x, uint64_t others_id)
{
    static const char *const keys[] = { "x", "x", "$beat", "$beat", "y", "$other", "x/" };
    const char *key = keys[pick(x, 7)];
    size_t key_len = strlen(key) + 1;
    struct bytes body;
    if (key[0] == '$')
        make_beat(x, pick(x, 4) == 0 ? "other" : "tulle", &body);
    else
        make_batch(x, pick(x, 3) == 0 ? others_id + 1 : STRANGER, 1 + pick(x, 50), &body);
    if (pick(x, 3) != 0)
        spoil(x, &body);
    if (pick(x, 10) == 0)
        body.data[1] = (uint8_t)(2 + pick(x, 100)); /* another version */
    if (pick(x, 10) == 0)
        key_len--;            /* no zero byte */
    int flags = ZMQ_DONTWAIT; /* nobody may be connected: then it is lost */
    (void)zmq_send(x->pub, key, key_len, flags | ZMQ_SNDMORE);
    uint64_t frames = pick(x, 10);
    (void)zmq_send(x->pub, body.data, body.len, flags | (frames < 3 ? ZMQ_SNDMORE : 0));
    for (uint64_t i = 0; i < 3 && frames < 3; i++) {
        struct bytes path = { .data = { 0x91, 0xcf, 0x57, 0x12, 0xa4, 0x6e, 0, 0, 0, 1 },
                              .len = 10 };
        if (pick(x, 2) == 0)
            spoil(x, &path);
        (void)zmq_send(x->pub, path.data, path.len, flags | (i < frames ? ZMQ_SNDMORE : 0));
        if (i >= frames)
            break;
    }
}

static void
event_socket(enum target target)
{
    struct scene scene;
    struct stranger x;
    open_scene(&scene);
    still_delivers(&scene);
    open_stranger(&x, address_of(&scene, target));
    be_joined(&x);
    for (int i = 0; i < ROUNDS / 3; i++)
        attack_publication(&x, STRANGER);
    KIT_UNTIL(counters_of(&scene, target).dropped_malformed > 10);
    size_t before = kit_memory();
    for (int i = 0; i < ROUNDS; i++) {
        attack_publication(&x, STRANGER);
        if (i % 500 == 0)
            kit_pause_ms(5); /* so that its queue does not just drop it */
    }
    tulle_counters counters = counters_of(&scene, target);
    assert_true(counters.dropped_malformed > 100);
    assert_true(counters.dropped_mesh > 0);
    assert_true(counters.dropped_version > 0);
    still_delivers(&scene);
    assert_true(kit_memory() < before + GROWTH_MAX);
    close_stranger(&x);
    still_delivers(&scene);
}

TEST(nonsense_from_a_publisher_that_a_node_has_joined)
{
    (void)state;
    event_socket(AT_A);
}

TEST(nonsense_from_a_publisher_that_a_proxy_has_joined)
{
    (void)state;
    event_socket(AT_PROXY);
}

/* A subscriber's socket may say things to a publisher too. */
TEST(nonsense_at_the_event_address)
{
    (void)state;
    tulle_node_options options;
    char listen[40];
    kit_options(&options, "a", NULL);
    struct kit_place place;
    kit_place_init(&place);
    (void)snprintf(listen, sizeof listen, "%s", place.listen);
    options.listen[0] = listen;
    tulle_node *a = kit_start(&options);
    tulle_node *b = kit_node("b", listen);
    tulle_subscription *s = kit_subscribe(b, "x");
    assert_status(tulle_node_wait_peers(a, "x", 1, KIT_DEADLINE_MS), TULLE_OK);
    struct testkit_random random = { 9 };
    for (int i = 0; i < 50; i++)
        pour_bytes(place.port + 1, &random);
    void *context = zmq_ctx_new();
    void *sub = zmq_socket(context, ZMQ_XSUB);
    char events[40];
    (void)snprintf(events, sizeof events, "tcp://127.0.0.1:%d", place.port + 1);
    int none = 0;
    assert_int_equal(zmq_setsockopt(sub, ZMQ_LINGER, &none, sizeof none), 0);
    assert_int_equal(zmq_connect(sub, events), 0);
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t bytes[300];
        size_t len = testkit_random_below(&random, sizeof bytes);
        for (size_t k = 0; k < len; k++)
            bytes[k] = (uint8_t)testkit_random_below(&random, 3);
        (void)zmq_send(sub, bytes, len, ZMQ_DONTWAIT);
    }
    kit_publish_numbers(a, "x", 0, 100);
    kit_expect_numbers(s, "x", 0, 100);
    (void)zmq_close(sub);
    (void)zmq_ctx_term(context);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(nonsense_at_the_control_address_of_a_node),
        KIT_TEST(nonsense_at_the_control_address_of_a_proxy),
        KIT_TEST(bytes_that_are_not_zeromq),
        KIT_TEST(nonsense_from_a_publisher_that_a_node_has_joined),
        KIT_TEST(nonsense_from_a_publisher_that_a_proxy_has_joined),
        KIT_TEST(nonsense_at_the_event_address),
    };
    return cmocka_run_group_tests_name("strangers", tests, NULL, NULL);
}
