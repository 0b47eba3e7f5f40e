/* SPDX-License-Identifier: MPL-2.0 */
/* Several addresses of a node, tried one soon after the other. */

#include "node/race.h"

#include "base/alloc.h"
#include "base/time.h"
#include "node/address.h"
#include "node/probe.h"

#include <string.h>

enum {
    LOOK_MS = 10,
    HEAD_START_MS = 250, /* of each address before the next one */
    WIRES = 3            /* kinds of addresses: control, events, inlet */
};

struct tulle__race {
    uint64_t hop;
    bool is_over; /* but for the system's resolver, which nobody waits for */
    char lists[WIRES][TULLE__ADDRESS_LEN_MAX + 1]; /* "": not dialed */
    uint32_t turn, tries;                          /* as it was dialed */
    uint32_t choices;                              /* addresses of the list that is raced */
    size_t raced;                                  /* which list that is */
    uint32_t begun;                                /* of the choices, from turn on */
    int64_t next_ns;
    struct tulle__probe probes[TULLE__ADDRESSES_MAX];
};

static struct tulle__race *
find_race(struct tulle__races *races, uint64_t hop, size_t *index)
{
    for (size_t i = 0; i < races->count; i++) {
        if (races->items[i]->hop == hop && !races->items[i]->is_over) {
            *index = i;
            return races->items[i];
        }
    }
    return NULL;
}

static void
free_race(struct tulle__races *races, size_t index)
{
    struct tulle__race *race = races->items[index];
    for (uint32_t i = 0; i < race->begun; i++)
        tulle__probe_end(&race->probes[i]);
    races->items[index] = races->items[--races->count];
    tulle__free(race);
}

/* It is freed as soon as it can be. */
static void
end_race(struct tulle__races *races, size_t index)
{
    struct tulle__race *race = races->items[index];
    race->is_over = true;
    bool can_go = true;
    for (uint32_t i = 0; i < race->begun; i++)
        can_go = tulle__probe_try_end(&race->probes[i]) && can_go;
    if (can_go)
        free_race(races, index);
}

static void
put_lists(struct tulle__race *race, const struct tulle__dialing *dialing)
{
    const char *const lists[WIRES] = { dialing->control, dialing->events, dialing->inlet };
    for (size_t i = 0; i < WIRES; i++) {
        size_t len = lists[i] == NULL ? 0 : strnlen(lists[i], TULLE__ADDRESS_LEN_MAX);
        if (len > 0) {
            memcpy(race->lists[i], lists[i], len);
            race->lists[i][len] = '\0';
        }
    }
}

/* The first list that has a choice. */
static bool
find_choices(struct tulle__race *race)
{
    for (race->raced = 0; race->raced < WIRES; race->raced++) {
        race->choices = tulle__address_choices(race->lists[race->raced]);
        if (race->choices > 1)
            break;
    }
    if (race->choices > TULLE__ADDRESSES_MAX)
        race->choices = TULLE__ADDRESSES_MAX;
    return race->choices > 1;
}

void
tulle__races_begin(struct tulle__races *races,
                   uint64_t hop,
                   const struct tulle__dialing *dialing,
                   int64_t now_ns)
{
    size_t index;
    struct tulle__race *race = find_race(races, hop, &index);
    if (race != NULL && race->turn == dialing->turn) { /* more of the same node's */
        put_lists(race, dialing);
        return;
    }
    if (race != NULL)
        end_race(races, index);
    race = races->count < TULLE__RACES_LIMIT ? tulle__alloc(sizeof *race) : NULL;
    if (race == NULL)
        return;
    race->hop = hop;
    race->turn = dialing->turn;
    race->tries = dialing->tries;
    race->next_ns = now_ns;
    put_lists(race, dialing);
    if (!find_choices(race)) {
        tulle__free(race);
        return;
    }
    races->items[races->count++] = race;
    races->due_ns = now_ns;
}

void
tulle__races_end(struct tulle__races *races, uint64_t hop)
{
    size_t index;
    if (find_race(races, hop, &index) != NULL)
        end_race(races, index);
}

static void
begin_probe(struct tulle__race *race, int64_t now_ns)
{
    char address[TULLE__ADDRESS_LEN_MAX + 1];
    tulle__address_choose(race->lists[race->raced], race->turn + race->begun, address);
    tulle__probe_begin_greeting(&race->probes[race->begun++], address, now_ns);
    race->next_ns = now_ns + tulle__ms_to_ns(HEAD_START_MS);
}

/* Returns whether the race is over; *winner: who greeted first, or choices when nobody did. */
static bool
run_race(struct tulle__race *race, int64_t now_ns, uint32_t *winner)
{
    bool is_pending = false;
    for (uint32_t i = 0; i < race->begun; i++) {
        struct tulle__probe *probe = &race->probes[i];
        if (!probe->is_active)
            continue;
        enum tulle__probed probed = tulle__probe_look(probe, now_ns);
        is_pending = is_pending || probed == TULLE__PROBE_PENDING;
        if (probed == TULLE__PROBE_ACCEPTED) {
            *winner = i;
            return true;
        }
        if (probed != TULLE__PROBE_PENDING && i + 1 == race->begun)
            race->next_ns = now_ns; /* the next one need not wait */
    }
    if (race->begun < race->choices && now_ns >= race->next_ns)
        begin_probe(race, now_ns);
    *winner = race->choices;
    return race->begun == race->choices && !is_pending && !race->probes[race->begun - 1].is_active;
}

static void
dial_winner(struct tulle__race *race, struct tulle__transport *transport, uint32_t winner)
{
    const char *lists[WIRES];
    for (size_t i = 0; i < WIRES; i++)
        lists[i] = race->lists[i][0] != '\0' ? race->lists[i] : NULL;
    const struct tulle__dialing dialing = { .control = lists[0],
                                            .events = lists[1],
                                            .inlet = lists[2],
                                            .turn = race->turn + winner,
                                            .tries = race->tries };
    tulle__transport_hangup(transport, race->hop, &dialing);
    (void)tulle__transport_dial(transport, race->hop, &dialing); /* in what was let go of */
}

bool
tulle__races_next(struct tulle__races *races,
                  struct tulle__transport *transport,
                  int64_t now_ns,
                  uint64_t *hop,
                  uint32_t *turn)
{
    if (races->count == 0 || now_ns < races->due_ns)
        return false;
    for (size_t i = races->count; i-- > 0;) {
        struct tulle__race *race = races->items[i];
        uint32_t winner;
        if (race->is_over) {
            end_race(races, i);
            continue;
        }
        if (!run_race(race, now_ns, &winner))
            continue;
        bool is_other = winner > 0 && winner < race->choices;
        if (is_other)
            dial_winner(race, transport, winner);
        *hop = race->hop;
        *turn = race->turn + winner;
        end_race(races, i);
        if (is_other)
            return true;
    }
    races->due_ns = now_ns + tulle__ms_to_ns(LOOK_MS);
    return false;
}

int64_t
tulle__races_deadline(const struct tulle__races *races)
{
    return races->count > 0 ? races->due_ns : TULLE__NEVER_NS;
}

void
tulle__races_fini(struct tulle__races *races)
{
    while (races->count > 0)
        free_race(races, races->count - 1);
}
