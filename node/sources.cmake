# SPDX-License-Identifier: MPL-2.0
set(TULLE_NODE_PROGRAM_SOURCES
)
