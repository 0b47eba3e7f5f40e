/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_FUZZ_H
#define TULLE_FUZZ_H

/* The one function that a fuzz target defines. libFuzzer calls it with inputs
 * that it invents, replay_main.c with the files of the corpus. */

#include <stddef.h>
#include <stdint.h>

/* Feed bytes (borrowed, bytes_len of them, maybe none) to the code under test.
 * Returns 0. A finding is a crash, a sanitizer's report or a failed assertion. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len);

#endif
