/* SPDX-License-Identifier: MPL-2.0 */

/* LOOK and VIEW (protocol.md 6.9), and the counters that beats have as well (5.1). */

#include "codec/view.h"

#include "codec/limits.h"
#include "codec/parts.h"

enum { LINK_ELEMENTS = 8 };

/* ---- counters: a map from one letter to a number ---- */

/* In the order of TULLE_SEEN_COUNTER_MAP. */
static const char letters[] = "pPdDhHgGruxaklLt";

enum { COUNTERS = sizeof(tulle_seen_counters) / sizeof(uint64_t) };
_Static_assert(sizeof letters == COUNTERS + 1, "each counter has its letter");

static const size_t offsets[COUNTERS] = {
#define OFFSET(name, unit, kind, help) offsetof(tulle_seen_counters, name),
    TULLE_SEEN_COUNTER_MAP(OFFSET)
#undef OFFSET
};

static uint64_t *
counter_at(tulle_seen_counters *counters, size_t index)
{
    return (uint64_t *)(void *)((char *)counters + offsets[index]);
}

void
tulle__write_counters(struct tulle__writer *w, const tulle_seen_counters *from)
{
    tulle_seen_counters counters = *from;
    uint32_t pairs = 0;
    for (size_t i = 0; i < COUNTERS; i++)
        pairs += *counter_at(&counters, i) > 0 ? 1U : 0U;
    tulle__write_map(w, pairs);
    for (size_t i = 0; i < COUNTERS; i++) {
        char key[2] = { letters[i], '\0' };
        if (*counter_at(&counters, i) == 0)
            continue;
        tulle__write_cstr(w, key);
        tulle__write_uint(w, *counter_at(&counters, i));
    }
}

void
tulle__read_counters(struct tulle__reader *r, tulle_seen_counters *counters)
{
    struct tulle__body body;
    uint64_t known = 0;
    int key = 0;
    for (size_t i = 0; i < COUNTERS; i++)
        known |= TULLE__KEY_BIT(letters[i]);
    *counters = (tulle_seen_counters){ 0 };
    tulle__body_init(&body, r, known);
    while (tulle__body_next(&body, &key)) {
        size_t index = 0;
        while (index < COUNTERS - 1 && letters[index] != key)
            index++;
        *counter_at(counters, index) = tulle__read_uint(r);
    }
}

/* ---- LOOK ---- */

void
tulle__look_encode(struct tulle__writer *w, const struct tulle__look *look)
{
    tulle__write_map(w, (uint32_t)look->wants_lists);
    if (!look->wants_lists)
        return;
    tulle__write_cstr(w, "l");
    tulle__write_bool(w, true);
}

tulle_status
tulle__look_decode(const void *data, size_t len, struct tulle__look *out)
{
    struct tulle__look look = { .wants_lists = false };
    struct tulle__reader r;
    struct tulle__body body;
    int key = 0;

    *out = look;
    tulle__message_init(&r, data, len, TULLE__CONTROL_LEN_MAX);
    tulle__body_init(&body, &r, TULLE__KEY_BIT('l'));
    while (tulle__body_next(&body, &key))
        look.wants_lists = tulle__read_bool(&r);
    if (!tulle__body_is_done(&body, 0))
        return TULLE_EBADMSG;
    *out = look;
    return TULLE_OK;
}

/* ---- VIEW ---- */

#define KNOWN                                                                                \
    (TULLE__SELF_KEYS | TULLE__KEY_BIT(TULLE__KEY_REPLY_TO) | TULLE__KEY_BIT('l') |          \
     TULLE__KEY_BIT('s') | TULLE__KEY_BIT('h') | TULLE__KEY_BIT('k') | TULLE__KEY_BIT('o') | \
     TULLE__KEY_BIT('b') | TULLE__KEY_BIT('x') | TULLE__KEY_BIT('j'))
#define REQUIRED (TULLE__KEY_BIT(TULLE__KEY_REPLY_TO) | TULLE__KEY_BIT('n'))

static void
write_link(struct tulle__writer *w, const struct tulle__link_out *link)
{
    tulle__write_array(w, LINK_ELEMENTS);
    tulle__write_cstr(w, link->name);
    tulle__write_cstr(w, link->address);
    tulle__write_uint(w, link->counts.events_out);
    tulle__write_uint(w, link->counts.bytes_out);
    tulle__write_uint(w, link->counts.events_in);
    tulle__write_uint(w, link->counts.bytes_in);
    tulle__write_uint(w, link->counts.waiting);
    tulle__write_array(w, (uint32_t)link->id_count);
    for (size_t i = 0; i < link->id_count; i++)
        tulle__write_uint(w, link->ids[i]);
}

static void
check_id(struct tulle__reader *r)
{
    (void)tulle__read_node_id(r);
}

static void
read_link(struct tulle__reader *r, struct tulle__link_item *out)
{
    if (tulle__read_array(r, LINK_ELEMENTS) != LINK_ELEMENTS)
        tulle__reader_fail(r);
    out->name = tulle__read_name(r, 0);
    out->address = tulle__read_str(r, TULLE__ADDRESS_LEN_MAX);
    if (!tulle__view_is_printable(out->address))
        tulle__reader_fail(r);
    out->counts.events_out = tulle__read_uint(r);
    out->counts.bytes_out = tulle__read_uint(r);
    out->counts.events_in = tulle__read_uint(r);
    out->counts.bytes_in = tulle__read_uint(r);
    out->counts.waiting = tulle__read_uint(r);
    out->ids = tulle__read_list(r, TULLE__PEERS_PER_MESSAGE_MAX, 1, check_id);
}

static void
check_link(struct tulle__reader *r)
{
    struct tulle__link_item link;
    read_link(r, &link);
}

bool
tulle__list_next_link(struct tulle__list *list, struct tulle__link_item *out)
{
    if (list->count == 0)
        return false;
    list->count--;
    read_link(&list->reader, out);
    return true;
}

bool
tulle__list_next_id(struct tulle__list *list, uint64_t *out)
{
    if (list->count == 0)
        return false;
    list->count--;
    *out = tulle__read_uint(&list->reader);
    return true;
}

static void
write_lists(struct tulle__writer *w, const struct tulle__view_out *view)
{
    tulle__write_cstr(w, "l");
    tulle__write_bool(w, true);
    tulle__write_heads(w, view->heads, view->head_count);
    tulle__write_acks(w, view->acks, view->ack_count);
    tulle__write_holdings(w, view->holdings, view->holding_count);
    tulle__write_beyond(w, "b", view->beyond, view->beyond_count);
    tulle__write_beyond(w, "x", view->proxies, view->proxy_count);
    if (view->link_count == 0)
        return;
    tulle__write_cstr(w, "j");
    tulle__write_array(w, (uint32_t)view->link_count);
    for (size_t i = 0; i < view->link_count; i++)
        write_link(w, &view->links[i]);
}

void
tulle__view_encode(struct tulle__writer *w, const struct tulle__view_out *view)
{
    uint32_t pairs = tulle__self_pairs(&view->self, view->has_lists, view->has_lists) + 1;
    pairs += (uint32_t)(view->counters != NULL);
    if (view->has_lists) {
        pairs += 1 + (uint32_t)(view->head_count > 0) + (uint32_t)(view->ack_count > 0) +
                 (uint32_t)(view->holding_count > 0) + (uint32_t)(view->beyond_count > 0) +
                 (uint32_t)(view->proxy_count > 0) + (uint32_t)(view->link_count > 0);
    }
    tulle__write_map(w, pairs);
    tulle__write_cstr(w, "re");
    tulle__write_uint(w, view->reply_to);
    tulle__write_self(w, &view->self, view->has_lists, view->has_lists);
    if (view->counters != NULL) {
        tulle__write_cstr(w, "s");
        tulle__write_counters(w, view->counters);
    }
    if (view->has_lists)
        write_lists(w, view);
}

static void
read_value(struct tulle__reader *r, int key, struct tulle__view_view *view)
{
    switch (key) {
    case TULLE__KEY_REPLY_TO:
        view->reply_to = tulle__read_uint(r);
        break;
    case 'l':
        view->has_lists = tulle__read_bool(r);
        break;
    case 's':
        tulle__read_counters(r, &view->counters);
        break;
    case 'h':
        view->heads = tulle__read_heads(r);
        break;
    case 'k':
        view->acks = tulle__read_clock(r);
        break;
    case 'o':
        view->holdings = tulle__read_holdings(r);
        break;
    case 'b':
        view->beyond = tulle__read_beyond(r);
        break;
    case 'x':
        view->proxies = tulle__read_beyond(r);
        break;
    case 'j':
        view->links = tulle__read_list(r, TULLE_SEGMENTS_MAX, 1, check_link);
        break;
    default:
        tulle__read_self_value(r, key, &view->self);
        break;
    }
}

tulle_status
tulle__view_decode(const void *data, size_t len, struct tulle__view_view *out)
{
    struct tulle__view_view view = { .reply_to = 0 };
    struct tulle__reader r;
    struct tulle__body body;
    int key = 0;

    *out = view;
    tulle__message_init(&r, data, len, TULLE__CONTROL_LEN_MAX);
    tulle__body_init(&body, &r, KNOWN);
    while (tulle__body_next(&body, &key))
        read_value(&r, key, &view);
    if (!tulle__body_is_done(&body, REQUIRED) || !tulle__self_is_complete(&body, &view.self))
        return TULLE_EBADMSG;
    view.has_counters = tulle__body_has(&body, 's');
    *out = view;
    return TULLE_OK;
}
