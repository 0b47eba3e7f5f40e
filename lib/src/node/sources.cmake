# SPDX-License-Identifier: MPL-2.0
# Paths from lib/, such as src/node/name.c.
set(TULLE_NODE_SOURCES
)
