# SPDX-License-Identifier: MPL-2.0
# Paths from lib/, such as src/node/name.c.
set(TULLE_NODE_SOURCES
    src/node/absent.c
    src/node/act.c
    src/node/address.c
    src/node/beacon.c
    src/node/frame.c
    src/node/hand_out.c
    src/node/ipc.c
    src/node/links.c
    src/node/loop.c
    src/node/message.c
    src/node/node.c
    src/node/options.c
    src/node/os.c
    src/node/outbox.c
    src/node/patterns.c
    src/node/probe.c
    src/node/proxy.c
    src/node/race.c
    src/node/snapshot.c
    src/node/subscription.c
    src/node/transport.c
    src/node/turn.c
    src/node/watch.c
)
