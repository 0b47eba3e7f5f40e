/* SPDX-License-Identifier: MPL-2.0 */
#ifndef TULLE_DEMO_JUDGE_H
#define TULLE_DEMO_JUDGE_H

/* Both return an exit status and take the arguments behind the command. */

int demo_check(int argc, char **argv);
int demo_excerpt(int argc, char **argv);

#endif
