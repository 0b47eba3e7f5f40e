/* SPDX-License-Identifier: MPL-2.0 */
/* Who is silent: gone, or cut off? */

#include "delivery/gone.h"

#include "delivery/internal.h"

/* The neighbour through which the peer was heard last; NULL: the peer is one, or nobody is. */
static const struct tulle__peer *
last_neighbour(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    const struct tulle__route *last = NULL;
    for (uint32_t i = 0; i < peer->route_count; i++) {
        if (last == NULL || peer->routes[i].heard_ns > last->heard_ns)
            last = &peer->routes[i];
    }
    return last == NULL || last->via == 0 ? NULL : tulle__peer_find(e, last->via);
}

bool
tulle__peer_is_silenced(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    const struct tulle__peer *neighbour = last_neighbour(e, peer);
    return neighbour != NULL && neighbour->is_proxy &&
           (neighbour->stage == TULLE__STAGE_SUSPECT || neighbour->stage == TULLE__STAGE_GONE);
}

bool
tulle__peer_is_cut_off(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    if (tulle__peer_is_live(peer))
        return tulle__peer_is_silenced(e, peer);
    if (peer->stage != TULLE__STAGE_GONE || !peer->is_cut_off ||
        e->now.mono.ns - peer->stage_ns > e->await_ns)
        return false;
    /* Once that one is heard again, it would tell of the peer if this were there. */
    const struct tulle__peer *neighbour = last_neighbour(e, peer);
    return neighbour == NULL || neighbour->stage != TULLE__STAGE_UP ||
           e->now.mono.ns - neighbour->stage_ns < tulle__ms_to_ns(e->config.gone_ms);
}

/* How long a peer that is gone is remembered: as long as anything of it can be repaired. A proxy
 * repairs nothing, and keeps what passed whether it knows its publisher or not; what is late
 * must not bring a peer back, and is not as late as that. */
static int64_t
remembered_ms(const struct tulle__engine *e)
{
    enum { TIMES_GONE = 3 };
    int64_t gone_ms = e->config.gone_ms;
    return e->config.is_proxy ? TIMES_GONE * gone_ms : (int64_t)e->config.retain_ms + gone_ms;
}

int64_t
tulle__forget_period_ms(const struct tulle__engine *e)
{
    return e->config.is_proxy ? e->config.gone_ms : (int64_t)e->config.retain_ms + 1;
}

bool
tulle__peer_is_past(const struct tulle__engine *e, const struct tulle__peer *peer)
{
    return e->now.mono.ns - peer->stage_ns > tulle__ms_to_ns(remembered_ms(e)) &&
           !(e->config.is_proxy && tulle__peer_is_cut_off(e, peer));
}
