/* SPDX-License-Identifier: MPL-2.0 */
/* Dialing anew where nothing is heard: more and more seldom, and at each address of several. */

#include "delivery/redial.h"

#include "delivery/internal.h"
#include "delivery/link.h"

#include <string.h>

enum {
    DOUBLED_MAX = 4,   /* times that a wait is doubled */
    SPREAD_STEPS = 256 /* parts of the quarter that is added to it */
};

static uint32_t
count_addresses(const char *list)
{
    uint32_t count = 1;
    while ((list = strchr(list, ' ')) != NULL) {
        list++;
        count++;
    }
    return count;
}

uint32_t
tulle__redial_tries(const struct tulle__peer *peer)
{
    return peer->redials / count_addresses(peer->events);
}

static int64_t
wait_ns(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    uint32_t doubled = tulle__redial_tries(peer);
    int64_t wait = tulle__suspect_after_ns(e, peer);
    if (peer->redials == 0)
        return wait;
    wait *= INT64_C(1) << (doubled < DOUBLED_MAX ? doubled : DOUBLED_MAX);
    /* Those who lost the same peer at the same moment do not come back all at once. */
    int64_t step = (int64_t)((e->config.seed ^ peer->id) % SPREAD_STEPS);
    return wait + wait / 4 / SPREAD_STEPS * step;
}

void
tulle__redial_link(struct tulle__engine *e, const struct tulle__link *link, uint32_t tries)
{
    static const enum tulle__action_kind kinds[] = { TULLE__ACTION_HANGUP, TULLE__ACTION_DIAL };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct tulle__action *action = tulle__action_push(e, kinds[i]);
        if (action == NULL)
            return;
        action->u.dial.hop = link->handle;
        action->u.dial.control = link->address;
        action->u.dial.tries = tries;
    }
}

/* Something may be there that takes each connection and ends it: after 2, 4, 8 ... questions
 * without an answer it is to be tried more seldom. */
void
tulle__redial_if_unanswered(struct tulle__engine *e, const struct tulle__link *link)
{
    uint32_t tries = 0;
    while (tries < DOUBLED_MAX && link->tries >= UINT32_C(4) << tries)
        tries++;
    if (link->tries == UINT32_C(2) << tries)
        tulle__redial_link(e, link, tries + 1);
}

/* Beats come over the connection that events come over. Where they stay away all
 * connections may be half open, which nobody tells: they are dialed anew, at the next of
 * several addresses, and when none of them helped it is waited longer. */
void
tulle__redial_if_silent(struct tulle__engine *e, struct tulle__peer *peer)
{
    if (!peer->is_events_dialed || e->now.mono.ns - peer->dialed_ns <= wait_ns(e, peer))
        return;
    tulle__peer_hang_up(e, peer);
    peer->redials++;
    peer->turn++;
    if (peer->link != 0)
        tulle__redial_link(e, &e->links[peer->link - 1], tulle__redial_tries(peer));
    tulle__peer_dial(e, peer);
}

void
tulle__peer_beat_came(struct tulle__engine *e, struct tulle__peer *peer)
{
    bool is_back = peer->redials > 0;
    peer->dialed_ns = e->now.mono.ns;
    peer->redials = 0;
    if (!is_back || e->config.control_address_count > 0)
        return;
    /* It cannot dial, and answers where it was last spoken to: over what is dead now. */
    peer->is_sync_due = false;
    tulle__sync_want(e, peer);
}

/* What was asked meanwhile went where nobody is. */
void
tulle__engine_on_dialed(struct tulle__engine *e, uint64_t id, uint32_t turn, struct tulle__now now)
{
    e->now = now;
    struct tulle__peer *peer = tulle__peer_find(e, id);
    if (peer == NULL)
        return;
    peer->turn = turn;
    peer->dialed_ns = now.mono.ns;
    if (peer->is_synced)
        return;
    peer->is_sync_due = false;
    tulle__sync_want(e, peer);
    tulle__join_on_timer(e);
}

void
tulle__engine_on_undialed(struct tulle__engine *e, uint64_t id)
{
    struct tulle__peer *peer = tulle__peer_find(e, id);
    if (peer != NULL) /* questions to a link are dialed for by themselves */
        peer->is_control_dialed = false;
}
