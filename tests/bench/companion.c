/* SPDX-License-Identifier: MPL-2.0 */

#include "companion.h"

#include "base/panic.h"
#include "codec/topic.h"
#include "delivery/engine.h"
#include "node/os.h"
#include "node/state.h"
#include "node/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct companion {
    struct tulle__engine *engine;
    struct tulle__transport *transport;
    void *pub;
    uint64_t id;
    char events_address[TULLE__ADDRESS_LEN_MAX + 1];
};

static void
publish(const struct companion *c, const struct tulle__action *action)
{
    const struct tulle__view key = action->u.publication.key;
    const struct tulle__buf *body = action->u.publication.body;
    TULLE_ASSERT(zmq_send(c->pub, key.data, key.len, ZMQ_SNDMORE) >= 0);
    TULLE_ASSERT(zmq_send(c->pub, body->data, body->len, 0) >= 0);
}

static void
drain(struct companion *c)
{
    struct tulle__action action;
    while (tulle__engine_next_action(c->engine, &action)) {
        bool is_event_key = action.kind == TULLE__ACTION_SUBSCRIBE && action.u.key->bytes[0] != '$';
        if (action.kind == TULLE__ACTION_DIAL && action.u.dial.events != NULL)
            (void)snprintf(c->events_address, sizeof c->events_address, "%s", action.u.dial.events);
        if (action.kind == TULLE__ACTION_PUBLISH && c->pub != NULL)
            publish(c, &action);
        else if (!is_event_key)
            (void)tulle__transport_act(c->transport, NULL, &action);
        tulle__action_fini(&action);
    }
}

static struct tulle__engine *
make_engine(struct companion *c, const struct companion_options *options)
{
    struct tulle__engine_config config;
    tulle__engine_config_init(&config);
    config.id = c->id;
    config.mesh = "bench";
    config.name = "plain";
    config.control_address_count =
        tulle__transport_addresses(c->transport, config.control_addresses, config.event_addresses);
    config.event_address_count = config.control_address_count;
    struct tulle__engine *engine = tulle__engine_new(&config, tulle__os_now());
    TULLE_ASSERT(engine != NULL);
    TULLE_ASSERT(tulle__engine_join(engine, options->join, tulle__os_now()) == TULLE_OK);
    if (options->takes == NULL)
        return engine;
    struct tulle_subscribe_options subscribe = { .order = TULLE_ORDER_NONE };
    uint32_t handle;
    TULLE_ASSERT(tulle__engine_subscribe(engine, tulle__view_of(options->takes), &subscribe,
                                         &handle, tulle__os_now()) == TULLE_OK);
    return engine;
}

struct companion *
companion_open(const struct companion_options *options)
{
    struct companion *c = calloc(1, sizeof *c);
    TULLE_ASSERT(c != NULL);
    c->id = tulle__os_new_id();
    c->pub = options->pub;
    struct tulle__transport_options transport = { .id = c->id,
                                                  .listen = { "tcp://127.0.0.1:*" },
                                                  .listen_count = 1,
                                                  .advertise_events = options->address };
    tulle_error error;
    TULLE_ASSERT(tulle__transport_open(options->context, &transport, &c->transport, &error) ==
                 TULLE_OK);
    c->engine = make_engine(c, options);
    drain(c);
    return c;
}

void
companion_turn(struct companion *c)
{
    struct tulle__incoming in;
    while (tulle__transport_receive_control(c->transport, &in) == TULLE__RECEIVED_MESSAGE) {
        tulle__engine_on_control(c->engine, in.via, in.key, in.body, tulle__os_now());
        tulle__buf_unref(&in.body);
        drain(c);
    }
    while (tulle__transport_receive_publication(c->transport, &in) == TULLE__RECEIVED_MESSAGE) {
        tulle__engine_on_publication(c->engine, in.key, in.body, in.path, tulle__os_now());
        tulle__buf_unref(&in.body);
        drain(c);
    }
    struct tulle__now now = tulle__os_now();
    if (now.mono.ns >= tulle__engine_deadline(c->engine).ns)
        tulle__engine_on_timer(c->engine, now);
    drain(c);
}

const char *
companion_events_address(const struct companion *c)
{
    return c->events_address;
}

unsigned long long
companion_id(const struct companion *c)
{
    return c->id;
}

void
companion_close(struct companion *c)
{
    tulle__engine_free(&c->engine);
    tulle__transport_close(&c->transport, 0);
    free(c);
}
