/* SPDX-License-Identifier: MPL-2.0 */
/* Engine actions that concern sockets, carried out. */

#include "codec/topic.h"
#include "node/os.h"
#include "node/state.h"

static struct tulle__dialing
dialing_of(const struct tulle__action *action)
{
    return (struct tulle__dialing){ .control = action->u.dial.control,
                                    .events = action->u.dial.events,
                                    .inlet = action->u.dial.inlet,
                                    .turn = action->u.dial.turn,
                                    .tries = action->u.dial.tries };
}

enum tulle__acted
tulle__transport_act(struct tulle__transport *t,
                     struct tulle__races *races,
                     const struct tulle__action *action)
{
    struct tulle__dialing dialing;
    switch (action->kind) {
    case TULLE__ACTION_PUBLISH:
        tulle__transport_publish(t, action->u.publication.key, action->u.publication.body,
                                 action->u.publication.path);
        return TULLE__ACTED;
    case TULLE__ACTION_CONTROL:
        /* Not sent is lost on the way: whoever asked asks again. */
        return tulle__transport_control(t, action->u.control.hop, action->u.control.header,
                                        action->u.control.body)
                   ? TULLE__ACTED
                   : TULLE__ACTED_UNSENT;
    case TULLE__ACTION_DIAL:
        dialing = dialing_of(action);
        if (!tulle__transport_dial(t, action->u.dial.hop, &dialing))
            return TULLE__ACTED_UNDIALED;
        if (races != NULL)
            tulle__races_begin(races, action->u.dial.hop, &dialing, tulle__os_now().mono.ns);
        return TULLE__ACTED;
    case TULLE__ACTION_HANGUP:
        dialing = dialing_of(action);
        if (races != NULL)
            tulle__races_end(races, action->u.dial.hop);
        tulle__transport_hangup(t, action->u.dial.hop, &dialing);
        return TULLE__ACTED;
    case TULLE__ACTION_SUBSCRIBE:
        tulle__transport_subscribe(t, tulle__key_view(action->u.key));
        return TULLE__ACTED;
    case TULLE__ACTION_UNSUBSCRIBE:
        tulle__transport_unsubscribe(t, tulle__key_view(action->u.key));
        return TULLE__ACTED;
    case TULLE__ACTION_ARRIVAL:
    case TULLE__ACTION_DELIVER:
    case TULLE__ACTION_DUPLICATE:
    case TULLE__ACTION_GAP:
    case TULLE__ACTION_PEER:
    case TULLE__ACTION_RELAY_PUBLICATION:
    case TULLE__ACTION_RELAY_CONTROL:
        return TULLE__ACTED_NOT;
    }
    return TULLE__ACTED_NOT;
}
