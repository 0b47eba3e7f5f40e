# SPDX-License-Identifier: MPL-2.0
# Paths from lib/, such as src/delivery/name.c.
set(TULLE_DELIVERY_SOURCES
)
