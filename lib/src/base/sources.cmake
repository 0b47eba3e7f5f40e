# SPDX-License-Identifier: MPL-2.0
# Paths from lib/, such as src/base/name.c.
set(TULLE_BASE_SOURCES
    src/base/version.c
)
