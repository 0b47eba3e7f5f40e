/* SPDX-License-Identifier: MPL-2.0 */
/* Clocks out of messages. */

#include "clock/wire.h"

uint64_t
tulle__clock_merge_wire(struct tulle__clock *clock,
                        struct tulle__lane_names *names,
                        struct tulle__clock_view view)
{
    if (view.count == 0)
        return 0;
    struct tulle__clock_raiser raiser;
    tulle__clock_raiser_init(&raiser, clock);
    uint64_t left_out = 0;
    struct tulle__dep dep;
    while (tulle__clock_view_next(&view, &dep)) {
        uint32_t lane = tulle__lane_names_intern(names, dep.node, dep.stream);
        bool is_in = lane != TULLE__LANE_NONE && tulle__clock_raiser_add(&raiser, lane, dep.count);
        left_out += is_in ? 0 : 1;
    }
    return left_out + tulle__clock_raiser_end(&raiser);
}
