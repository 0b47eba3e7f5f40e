/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_TOOLS_HUMAN_H
#define TULLE_TOOLS_HUMAN_H

/* Numbers as people read them, in few columns. */

#include "app/text.h"

#include <stdint.h>

/* 350ms, 1.2s, 47s, 12m, 3h05m, 2d04h */
void tulle__human_span(struct tulle__text *out, uint64_t ms);

/* 0, 999, 1.2K, 34M: of 1024 */
void tulle__human_bytes(struct tulle__text *out, uint64_t bytes);

/* 0, 0.4, 12.5, 999, 1.2k, 34M: of 1000, for rates */
void tulle__human_rate(struct tulle__text *out, double rate);

#endif
