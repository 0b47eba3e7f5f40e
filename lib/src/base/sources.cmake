# SPDX-License-Identifier: MPL-2.0
# Paths from lib/, such as src/base/name.c.
set(TULLE_BASE_SOURCES
    src/base/alloc.c
    src/base/buf.c
    src/base/counters.c
    src/base/heap.c
    src/base/id_set.c
    src/base/log.c
    src/base/panic.c
    src/base/pool.c
    src/base/status.c
    src/base/version.c
)
