# SPDX-License-Identifier: MPL-2.0
# Paths from lib/, such as src/delivery/name.c.
set(TULLE_DELIVERY_SOURCES
    src/delivery/acks.c
    src/delivery/beat.c
    src/delivery/control.c
    src/delivery/deliver.c
    src/delivery/engine.c
    src/delivery/forward.c
    src/delivery/forward_batch.c
    src/delivery/forward_beat.c
    src/delivery/forward_control.c
    src/delivery/forward_policy.c
    src/delivery/held.c
    src/delivery/interest.c
    src/delivery/join.c
    src/delivery/lanes.c
    src/delivery/member.c
    src/delivery/names.c
    src/delivery/peer_index.c
    src/delivery/publish.c
    src/delivery/receive.c
    src/delivery/redial.c
    src/delivery/repair.c
    src/delivery/seen.c
    src/delivery/store.c
    src/delivery/unordered.c
)
