# SPDX-License-Identifier: MPL-2.0
# Paths from lib/, such as src/clock/name.c.
set(TULLE_CLOCK_SOURCES
    src/clock/clock.c
    src/clock/hlc.c
    src/clock/lane_names.c
    src/clock/wire.c
)
