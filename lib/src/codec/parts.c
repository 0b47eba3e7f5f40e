/* SPDX-License-Identifier: MPL-2.0 */

/* What the codecs share. Keys of maps are text of one letter (a few have two), so
 * a set of keys is one number and a key that stands twice costs nothing to find. */

#include "codec/parts.h"

#include "codec/limits.h"
#include "codec/topic.h"

/* A key that this version does not know is at most this long. */
enum { KEY_TEXT_LEN_MAX = 255 };
enum { KEY_UNKNOWN = 0 };

_Static_assert('z' - 'A' + TULLE__KEYS_NUMBERED < 64, "every letter has its bit");

void
tulle__message_init(struct tulle__reader *r, const void *data, size_t len, size_t len_max)
{
    tulle__reader_init(r, data, len);
    if (len > len_max)
        tulle__reader_fail(r);
}

tulle_status
tulle__read_version(struct tulle__reader *r, uint32_t elements)
{
    uint32_t count = tulle__read_array(r, UINT32_MAX);
    uint64_t version = tulle__read_uint(r);

    if (r->failed)
        return TULLE_EBADMSG;
    if (version != TULLE__WIRE_VERSION)
        return TULLE_EVERSION;
    return count == elements ? TULLE_OK : TULLE_EBADMSG;
}

void
tulle__body_init(struct tulle__body *body, struct tulle__reader *reader, uint64_t known)
{
    *body = (struct tulle__body){ .reader = reader, .known = known };
    body->pairs_left = tulle__read_map(reader, UINT32_MAX);
}

static int
read_key(struct tulle__reader *r)
{
    struct tulle__view text = tulle__read_str(r, KEY_TEXT_LEN_MAX);

    if (text.len == 1 && text.data[0] >= 'A' && text.data[0] <= 'z')
        return text.data[0];
    if (tulle__view_is(text, "tv"))
        return TULLE__KEY_TAKES_VERSION;
    if (tulle__view_is(text, "re"))
        return TULLE__KEY_REPLY_TO;
    if (tulle__view_is(text, "ct"))
        return TULLE__KEY_CONTENT_TYPE;
    if (tulle__view_is(text, "ca"))
        return TULLE__KEY_CAUSES;
    return KEY_UNKNOWN;
}

bool
tulle__body_next(struct tulle__body *body, int *key)
{
    while (body->pairs_left > 0 && !body->reader->failed) {
        body->pairs_left--;
        *key = read_key(body->reader);
        uint64_t bit = TULLE__KEY_BIT(*key);
        if (*key == KEY_UNKNOWN || (body->known & bit) == 0) {
            (void)tulle__read_any(body->reader);
            continue;
        }
        if ((body->seen & bit) != 0) {
            tulle__reader_fail(body->reader);
            return false;
        }
        body->seen |= bit;
        return true;
    }
    return false;
}

bool
tulle__body_is_done(const struct tulle__body *body, uint64_t required)
{
    return tulle__reader_is_done(body->reader) && (body->seen & required) == required;
}

bool
tulle__body_has(const struct tulle__body *body, int key)
{
    return (body->seen & TULLE__KEY_BIT(key)) != 0;
}

struct tulle__list
tulle__read_list(struct tulle__reader *r,
                 uint32_t max,
                 uint32_t width,
                 void (*read_one)(struct tulle__reader *r))
{
    uint32_t elements = tulle__read_array(r, width * max);
    struct tulle__list list = { .count = elements / width };
    const uint8_t *start = r->data;
    size_t left = r->left;

    if (elements % width != 0)
        tulle__reader_fail(r);
    for (uint32_t i = 0; i < list.count && !r->failed; i++)
        read_one(r);
    if (r->failed)
        return (struct tulle__list){ .count = 0 };
    tulle__reader_init(&list.reader, start, left - r->left);
    return list;
}

bool
tulle__list_next_text(struct tulle__list *list, struct tulle__view *out)
{
    if (list->count == 0)
        return false;
    list->count--;
    *out = tulle__read_text(&list->reader, SIZE_MAX);
    return true;
}

struct tulle__view
tulle__read_stream(struct tulle__reader *r)
{
    struct tulle__view stream = tulle__read_str(r, TULLE__TOPIC_LEN_MAX);

    if (!tulle__topic_is_valid(stream))
        tulle__reader_fail(r);
    return stream;
}

uint64_t
tulle__read_node_id(struct tulle__reader *r)
{
    uint64_t id = tulle__read_uint(r);

    if (id < TULLE__NODE_ID_MIN)
        tulle__reader_fail(r);
    return id;
}

uint64_t
tulle__read_seq(struct tulle__reader *r)
{
    uint64_t seq = tulle__read_uint(r);

    if (seq == 0 || seq > TULLE__SEQ_MAX)
        tulle__reader_fail(r);
    return seq;
}

uint64_t
tulle__read_head(struct tulle__reader *r)
{
    uint64_t head = tulle__read_uint(r);

    if (head > TULLE__SEQ_MAX)
        tulle__reader_fail(r);
    return head;
}

struct tulle__view
tulle__read_name(struct tulle__reader *r, size_t len_min)
{
    struct tulle__view name = tulle__read_str(r, TULLE__NAME_LEN_MAX);

    if (name.len < len_min || !tulle__view_is_printable(name))
        tulle__reader_fail(r);
    return name;
}

static void
read_address(struct tulle__reader *r)
{
    struct tulle__view address = tulle__read_str(r, TULLE__ADDRESS_LEN_MAX);

    if (address.len == 0 || !tulle__view_is_printable(address))
        tulle__reader_fail(r);
}

static void
read_take(struct tulle__reader *r)
{
    (void)tulle__read_bin(r, TULLE__KEY_LEN_MAX);
}

struct tulle__list
tulle__read_addresses(struct tulle__reader *r)
{
    return tulle__read_list(r, TULLE__ADDRESSES_MAX, 1, read_address);
}

void
tulle__write_addresses(struct tulle__writer *w, const char *const *addresses, size_t count)
{
    tulle__write_array(w, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        tulle__write_cstr(w, addresses[i]);
}

static uint32_t
read_u32(struct tulle__reader *r)
{
    uint64_t value = tulle__read_uint(r);

    if (value > UINT32_MAX) {
        tulle__reader_fail(r);
        return 0;
    }
    return (uint32_t)value;
}

void
tulle__read_self_value(struct tulle__reader *r, int key, struct tulle__self_view *self)
{
    switch (key) {
    case 'n':
        self->name = tulle__read_name(r, 1);
        break;
    case 'a':
        self->control_addresses = tulle__read_addresses(r);
        break;
    case 'e':
        self->event_addresses = tulle__read_addresses(r);
        break;
    case 'u':
        self->inlets = tulle__read_addresses(r);
        break;
    case 't':
        self->takes = tulle__read_list(r, TULLE__TAKES_MAX, 1, read_take);
        break;
    case TULLE__KEY_TAKES_VERSION:
        self->takes_version = tulle__read_uint(r);
        break;
    case 'i':
        self->beat_ms = read_u32(r);
        break;
    default:
        self->is_proxy = tulle__read_bool(r);
        break;
    }
}

bool
tulle__self_is_complete(const struct tulle__body *body, struct tulle__self_view *self)
{
    self->has_addresses = tulle__body_has(body, 'a');
    self->has_takes = tulle__body_has(body, 't');
    /* Half of the addresses would be taken for all of them; takes without their
     * version could never be told from older ones. */
    return tulle__body_has(body, 'n') && self->has_addresses == tulle__body_has(body, 'e') &&
           (!self->has_takes || tulle__body_has(body, TULLE__KEY_TAKES_VERSION));
}

uint32_t
tulle__self_pairs(const struct tulle__self_out *self, bool has_addresses, bool has_takes)
{
    uint32_t pairs = 2; /* name, takes version */

    if (has_addresses)
        pairs += self->inlet_count > 0 ? 3 : 2;
    if (has_takes)
        pairs++;
    if (self->beat_ms != 0)
        pairs++;
    if (self->is_proxy)
        pairs++;
    return pairs;
}

void
tulle__write_self(struct tulle__writer *w,
                  const struct tulle__self_out *self,
                  bool has_addresses,
                  bool has_takes)
{
    tulle__write_cstr(w, "n");
    tulle__write_cstr(w, self->name);
    if (has_addresses) {
        tulle__write_cstr(w, "a");
        tulle__write_addresses(w, self->control_addresses, self->control_address_count);
        tulle__write_cstr(w, "e");
        tulle__write_addresses(w, self->event_addresses, self->event_address_count);
    }
    if (has_addresses && self->inlet_count > 0) {
        tulle__write_cstr(w, "u");
        tulle__write_addresses(w, self->inlets, self->inlet_count);
    }
    if (has_takes) {
        tulle__write_cstr(w, "t");
        tulle__write_array(w, (uint32_t)self->take_count);
        for (size_t i = 0; i < self->take_count; i++)
            tulle__write_bin(w, self->takes[i].data, self->takes[i].len);
    }
    tulle__write_cstr(w, "tv");
    tulle__write_uint(w, self->takes_version);
    if (self->beat_ms != 0) {
        tulle__write_cstr(w, "i");
        tulle__write_uint(w, self->beat_ms);
    }
    if (self->is_proxy) {
        tulle__write_cstr(w, "p");
        tulle__write_bool(w, true);
    }
}
