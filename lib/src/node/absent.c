/* SPDX-License-Identifier: MPL-2.0 */
/* Who is late is tried, a few at a time: a network that went away makes everybody late, and
 * then nothing is refused. */

#include "node/absent.h"

#include "base/time.h"
#include "delivery/link.h"
#include "node/address.h"

enum {
    LOOK_MS = 50,    /* while there is an answer to come */
    WATCH_MS = 1000, /* at the latest: somebody new may have shorter beats */
    AGAIN_MS = 1000  /* somebody listens there, and is late all the same */
};

static struct tulle__tried *
find_item(struct tulle__absent *absent, uint64_t id)
{
    for (size_t i = 0; i < TULLE__ABSENT_LIMIT; i++) {
        if (absent->items[i].id == id)
            return &absent->items[i];
    }
    return NULL;
}

static size_t
look(struct tulle__absent *absent, struct tulle__now now, uint64_t refused[TULLE__ABSENT_LIMIT])
{
    size_t count = 0;
    for (size_t i = 0; i < TULLE__ABSENT_LIMIT; i++) {
        struct tulle__tried *item = &absent->items[i];
        if (item->probe.is_active &&
            tulle__probe_look(&item->probe, now.mono.ns) == TULLE__PROBE_REFUSED)
            refused[count++] = item->id;
        if (!item->probe.is_active && now.mono.ns >= item->again_ns)
            item->id = 0;
    }
    return count;
}

static size_t
begin_probes(struct tulle__absent *absent,
             const struct tulle__engine *engine,
             struct tulle__now now)
{
    struct tulle__overdue late[TULLE__ABSENT_LIMIT];
    size_t count =
        tulle__engine_overdue(engine, now.mono, late, TULLE__ABSENT_LIMIT, &absent->due_ns);
    for (size_t i = 0; i < count; i++) {
        struct tulle__tried *item = find_item(absent, 0);
        char address[TULLE__ADDRESS_LEN_MAX + 1];
        if (item == NULL || find_item(absent, late[i].id) != NULL)
            continue;
        tulle__address_choose(late[i].address, late[i].turn, address);
        item->id = late[i].id;
        item->again_ns = now.mono.ns + tulle__ms_to_ns(AGAIN_MS);
        tulle__probe_begin(&item->probe, address, now.mono.ns);
    }
    return count;
}

size_t
tulle__absent_watch(struct tulle__absent *absent,
                    const struct tulle__engine *engine,
                    struct tulle__now now,
                    uint64_t refused[TULLE__ABSENT_LIMIT])
{
    if (now.mono.ns < absent->due_ns)
        return 0;
    size_t refused_count = look(absent, now, refused);
    size_t count = begin_probes(absent, engine, now);
    int64_t end_ns = now.mono.ns + tulle__ms_to_ns(count > 0 ? LOOK_MS : WATCH_MS);
    int64_t soon_ns = now.mono.ns + tulle__ms_to_ns(LOOK_MS);
    if (absent->due_ns > end_ns)
        absent->due_ns = end_ns;
    if (absent->due_ns < soon_ns)
        absent->due_ns = soon_ns;
    return refused_count;
}

int64_t
tulle__absent_deadline(const struct tulle__absent *absent)
{
    return absent->due_ns;
}

void
tulle__absent_fini(struct tulle__absent *absent)
{
    for (size_t i = 0; i < TULLE__ABSENT_LIMIT; i++)
        tulle__probe_end(&absent->items[i].probe);
}
