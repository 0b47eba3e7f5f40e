/* SPDX-License-Identifier: MPL-2.0 */

/* tulle-demo-judge: reads what the services and taps of scripts/demo saw. */

#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char USAGE[] =
    "usage: tulle-demo-judge check ORDERS RECORD NAME=STREAM[,STREAM]...=[+]FILE...\n"
    "       tulle-demo-judge excerpt FILE ORDERS\n"
    "\n"
    "check    Is RECORD, a tap's of everything, what ORDERS had to lead to, and did each NAME\n"
    "         get what it takes of it: all, once, and nothing before what it depends on?\n"
    "         +: a newcomer, who fetched the past. Prints a table; 1 when something is wrong.\n"
    "excerpt  The first ORDERS orders of a tap --both: arrival beside delivery.\n";

int
main(int argc, char **argv)
{
    if (setenv("TZ", "UTC0", 1) != 0)
        return EXIT_FAILURE;
    tzset();
    if (argc >= 2 && strcmp(argv[1], "check") == 0)
        return demo_check(argc - 2, argv + 2);
    if (argc >= 2 && strcmp(argv[1], "excerpt") == 0)
        return demo_excerpt(argc - 2, argv + 2);
    (void)fputs(USAGE, stderr);
    return 2;
}
