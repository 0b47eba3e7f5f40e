/* SPDX-License-Identifier: MPL-2.0 */

/* HERE, the answer to SYNC: who I am, my lanes with their clocks, what I keep
 * of others' lanes, and whom I know (protocol.md 6). */

#include "codec/control.h"
#include "codec/limits.h"
#include "codec/parts.h"

enum { LANE_ELEMENTS = 4, HOLDING_ELEMENTS_MIN = 4, HOLDING_ELEMENTS_MAX = 5, KNOWN_ELEMENTS = 5 };

#define KNOWN                                                                       \
    (TULLE__SELF_KEYS | TULLE__KEY_BIT(TULLE__KEY_REPLY_TO) | TULLE__KEY_BIT('L') | \
     TULLE__KEY_BIT('o') | TULLE__KEY_BIT('s'))
#define REQUIRED TULLE__KEY_BIT(TULLE__KEY_REPLY_TO)

static void
write_lane(struct tulle__writer *w, const struct tulle__here_lane_out *lane)
{
    tulle__write_array(w, LANE_ELEMENTS);
    tulle__write_str(w, lane->stream.data, lane->stream.len);
    tulle__write_uint(w, lane->head);
    tulle__write_uint(w, lane->first);
    tulle__write_clock(w, lane->clock, lane->clock_count);
}

static void
write_holding(struct tulle__writer *w, const struct tulle__holding *holding)
{
    bool has_name = holding->name.len > 0;
    tulle__write_array(w, has_name ? HOLDING_ELEMENTS_MAX : HOLDING_ELEMENTS_MIN);
    tulle__write_uint(w, holding->node);
    tulle__write_str(w, holding->stream.data, holding->stream.len);
    tulle__write_uint(w, holding->first);
    tulle__write_uint(w, holding->last);
    if (has_name)
        tulle__write_str(w, holding->name.data, holding->name.len);
}

void
tulle__write_holdings(struct tulle__writer *w, const struct tulle__holding *holdings, size_t count)
{
    if (count == 0)
        return;
    tulle__write_cstr(w, "o");
    tulle__write_array(w, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        write_holding(w, &holdings[i]);
}

static void
write_known(struct tulle__writer *w, const struct tulle__known_out *peer)
{
    tulle__write_array(w, KNOWN_ELEMENTS);
    tulle__write_uint(w, peer->id);
    tulle__write_cstr(w, peer->name);
    tulle__write_addresses(w, peer->control_addresses, peer->control_address_count);
    tulle__write_addresses(w, peer->event_addresses, peer->event_address_count);
    tulle__write_bool(w, peer->is_proxy);
}

void
tulle__here_encode(struct tulle__writer *w, const struct tulle__here_out *here)
{
    bool has_peers = here->peer_count > 0;

    tulle__write_map(w, tulle__self_pairs(&here->self, true, true) + 1 + (uint32_t)here->has_lanes +
                            (uint32_t)(here->holding_count > 0) + (uint32_t)has_peers);
    tulle__write_cstr(w, "re");
    tulle__write_uint(w, here->reply_to);
    tulle__write_self(w, &here->self, true, true);
    if (here->has_lanes) {
        tulle__write_cstr(w, "L");
        tulle__write_array(w, (uint32_t)here->lane_count);
        for (size_t i = 0; i < here->lane_count; i++)
            write_lane(w, &here->lanes[i]);
    }
    tulle__write_holdings(w, here->holdings, here->holding_count);
    if (has_peers) {
        tulle__write_cstr(w, "s");
        tulle__write_array(w, (uint32_t)here->peer_count);
        for (size_t i = 0; i < here->peer_count; i++)
            write_known(w, &here->peers[i]);
    }
}

static void
read_lane(struct tulle__reader *r, struct tulle__here_lane *out)
{
    if (tulle__read_array(r, LANE_ELEMENTS) != LANE_ELEMENTS)
        tulle__reader_fail(r);
    out->stream = tulle__read_stream(r);
    out->head = tulle__read_head(r);
    out->first = tulle__read_uint(r);
    out->clock = tulle__read_clock(r);
    if (out->first == 0 || out->first > out->head + 1)
        tulle__reader_fail(r);
}

static void
read_holding(struct tulle__reader *r, struct tulle__holding *out)
{
    uint32_t count = tulle__read_array(r, HOLDING_ELEMENTS_MAX);
    if (count < HOLDING_ELEMENTS_MIN)
        tulle__reader_fail(r);
    out->node = tulle__read_node_id(r);
    out->stream = tulle__read_stream(r);
    out->first = tulle__read_uint(r);
    out->last = tulle__read_seq(r);
    out->name = (struct tulle__view){ NULL, 0 };
    if (count == HOLDING_ELEMENTS_MAX)
        out->name = tulle__read_name(r, 1);
    if (out->first == 0 || out->first > out->last + 1)
        tulle__reader_fail(r);
}

static void
read_known(struct tulle__reader *r, struct tulle__known *out)
{
    if (tulle__read_array(r, KNOWN_ELEMENTS) != KNOWN_ELEMENTS)
        tulle__reader_fail(r);
    out->id = tulle__read_node_id(r);
    out->name = tulle__read_name(r, 0);
    out->control_addresses = tulle__read_addresses(r);
    out->event_addresses = tulle__read_addresses(r);
    out->is_proxy = tulle__read_bool(r);
}

static void
check_lane(struct tulle__reader *r)
{
    struct tulle__here_lane lane;
    read_lane(r, &lane);
}

static void
check_holding(struct tulle__reader *r)
{
    struct tulle__holding holding;
    read_holding(r, &holding);
}

static void
check_known(struct tulle__reader *r)
{
    struct tulle__known known;
    read_known(r, &known);
}

struct tulle__list
tulle__read_holdings(struct tulle__reader *r)
{
    return tulle__read_list(r, TULLE__LANES_PER_MESSAGE_MAX, 1, check_holding);
}

bool
tulle__list_next_lane(struct tulle__list *list, struct tulle__here_lane *out)
{
    if (list->count == 0)
        return false;
    list->count--;
    read_lane(&list->reader, out);
    return true;
}

bool
tulle__list_next_holding(struct tulle__list *list, struct tulle__holding *out)
{
    if (list->count == 0)
        return false;
    list->count--;
    read_holding(&list->reader, out);
    return true;
}

bool
tulle__list_next_known(struct tulle__list *list, struct tulle__known *out)
{
    if (list->count == 0)
        return false;
    list->count--;
    read_known(&list->reader, out);
    return true;
}

static void
read_value(struct tulle__reader *r, int key, struct tulle__here_view *here)
{
    switch (key) {
    case TULLE__KEY_REPLY_TO:
        here->reply_to = tulle__read_uint(r);
        break;
    case 'L':
        here->lanes = tulle__read_list(r, TULLE__LANES_PER_MESSAGE_MAX, 1, check_lane);
        break;
    case 'o':
        here->holdings = tulle__read_holdings(r);
        break;
    case 's':
        here->peers = tulle__read_list(r, TULLE__PEERS_PER_MESSAGE_MAX, 1, check_known);
        break;
    default:
        tulle__read_self_value(r, key, &here->self);
        break;
    }
}

tulle_status
tulle__here_decode(const void *data, size_t len, struct tulle__here_view *out)
{
    struct tulle__here_view here = { .reply_to = 0 };
    struct tulle__reader r;
    struct tulle__body body;
    int key = 0;

    *out = here;
    tulle__message_init(&r, data, len, TULLE__CONTROL_LEN_MAX);
    tulle__body_init(&body, &r, KNOWN);
    while (tulle__body_next(&body, &key))
        read_value(&r, key, &here);
    if (!tulle__body_is_done(&body, REQUIRED) || !tulle__self_is_complete(&body, &here.self))
        return TULLE_EBADMSG;
    here.has_lanes = tulle__body_has(&body, 'L');
    *out = here;
    return TULLE_OK;
}
