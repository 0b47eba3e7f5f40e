/* SPDX-License-Identifier: MPL-2.0 */
/* Clocks out of messages. A few entries, the usual case, are raised one by one; many
 * are sorted first, because each new one moves what lies behind it. */

#include "clock/wire.h"

enum { FEW_ENTRIES = 32 };

uint64_t
tulle__clock_merge_wire(struct tulle__clock *clock,
                        struct tulle__lane_names *names,
                        struct tulle__clock_view view)
{
    if (view.count == 0)
        return 0;
    struct tulle__clock sorted;
    tulle__clock_init(&sorted);
    bool are_few = view.count <= FEW_ENTRIES;
    uint64_t left_out = 0;
    struct tulle__dep dep;
    while (tulle__clock_view_next(&view, &dep)) {
        uint32_t lane = tulle__lane_names_intern(names, dep.node, dep.stream);
        bool is_in =
            lane != TULLE__LANE_NONE && (are_few ? tulle__clock_raise(clock, lane, dep.count)
                                                 : tulle__clock_push(&sorted, lane, dep.count));
        left_out += is_in ? 0 : 1;
    }
    if (!are_few) {
        tulle__clock_settle(&sorted);
        if (!tulle__clock_merge(clock, &sorted))
            left_out += sorted.len;
    }
    tulle__clock_fini(&sorted);
    return left_out;
}
