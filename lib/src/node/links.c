/* SPDX-License-Identifier: MPL-2.0 */
/* What becomes of the addresses that were given to join. The engine knows who answers at
 * each; why nobody does, a probe finds out. */

#include "node/links.h"

#include "base/time.h"

#include <stdio.h>

enum {
    WATCH_MS = 200,
    PATIENCE_MS = 500, /* a node that is there is met before */
    ANSWER_MS = 3000,  /* what listens and does not answer for so long is no node */
    PROBE_EVERY_MS = 5000
};

static void
tell(const struct tulle__log *log,
     const struct tulle__link_view *link,
     const char *state,
     const char *why)
{
    tulle__log(log, TULLE_LOG_WARN, "link.state", "address=%s state=%s why=%s", link->address,
               state, why);
}

/* An answer came, or the one who had answered is silent or gone. */
static void
note_peer(struct tulle__watched *item,
          const struct tulle__engine *engine,
          const struct tulle__link_view *link,
          const struct tulle__log *log,
          int64_t now_ns)
{
    bool is_up = link->peer.node != 0 && link->peer.state == TULLE_PEER_UP;
    bool is_other = is_up && item->peer != link->peer.node;
    tulle_peer before = { 0 };
    if (item->stage == TULLE__LINK_UP && (!is_up || is_other)) {
        bool is_known = tulle__engine_peer(engine, item->peer, &before);
        bool has_left = is_known && before.state == TULLE_PEER_LEFT;
        item->stage = TULLE__LINK_LOST;
        item->since_ns = now_ns;
        item->due_ns = now_ns;
        tulle__log(log, TULLE_LOG_WARN, "link.state",
                   "address=%s state=lost node=%016llx name=%s why=%s", link->address,
                   (unsigned long long)item->peer, before.name == NULL ? "" : before.name,
                   has_left   ? "it left"
                   : is_other ? "another node is there now"
                              : "it is silent");
    }
    if (!is_up || item->stage == TULLE__LINK_UP)
        return;
    item->stage = TULLE__LINK_UP;
    item->peer = link->peer.node;
    tulle__log(log, TULLE_LOG_INFO, "link.state", "address=%s state=up node=%016llx name=%s",
               link->address, (unsigned long long)link->peer.node, link->peer.name);
}

static void
note_probe(struct tulle__watched *item,
           const struct tulle__link_view *link,
           const struct tulle__log *log,
           int64_t now_ns)
{
    enum tulle__probed probed = tulle__probe_look(&item->probe, now_ns);
    enum tulle__link_stage before = item->stage;
    if (probed == TULLE__PROBE_REFUSED) {
        item->stage = TULLE__LINK_REFUSED;
        if (before != item->stage)
            tell(log, link, "refused", "nobody listens there");
    } else if (probed == TULLE__PROBE_UNREACHABLE) {
        item->stage = TULLE__LINK_UNREACHABLE;
        if (before != item->stage)
            tell(log, link, "unreachable", item->probe.why);
    } else if (probed == TULLE__PROBE_ACCEPTED &&
               now_ns - item->since_ns >= tulle__ms_to_ns(ANSWER_MS)) {
        item->stage = TULLE__LINK_UNANSWERED;
        if (before != item->stage)
            tell(log, link, "unanswered", "what listens there is no node of this mesh, or hangs");
    }
}

static void
watch(struct tulle__watched *item,
      const struct tulle__engine *engine,
      const struct tulle__link_view *link,
      const struct tulle__log *log,
      int64_t now_ns)
{
    if (item->since_ns == 0) {
        item->since_ns = now_ns;
        item->due_ns = now_ns + tulle__ms_to_ns(PATIENCE_MS);
    }
    note_peer(item, engine, link, log, now_ns);
    if (item->stage == TULLE__LINK_UP) {
        (void)tulle__probe_try_end(&item->probe); /* else another time */
        return;
    }
    if (item->probe.is_active) {
        note_probe(item, link, log, now_ns);
    } else if (now_ns >= item->due_ns) {
        item->due_ns = now_ns + tulle__ms_to_ns(PROBE_EVERY_MS);
        tulle__probe_begin(&item->probe, link->address, now_ns);
    }
}

void
tulle__links_watch(struct tulle__links *links,
                   const struct tulle__engine *engine,
                   const struct tulle__log *log,
                   int64_t now_ns)
{
    struct tulle__link_view link;
    if (now_ns < links->due_ns)
        return;
    links->due_ns = now_ns + tulle__ms_to_ns(WATCH_MS);
    links->is_waiting = false;
    for (uint32_t i = 0; i < TULLE__LINKS_LIMIT; i++) {
        if (!tulle__engine_link(engine, i, &link) || link.is_self)
            continue;
        watch(&links->items[i], engine, &link, log, now_ns);
        links->is_waiting = links->is_waiting || links->items[i].stage != TULLE__LINK_UP;
    }
}

int64_t
tulle__links_deadline(const struct tulle__links *links)
{
    return links->is_waiting ? links->due_ns : TULLE__NEVER_NS;
}

void
tulle__links_fini(struct tulle__links *links)
{
    for (size_t i = 0; i < TULLE__LINKS_LIMIT; i++)
        tulle__probe_end(&links->items[i].probe);
}
