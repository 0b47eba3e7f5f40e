# SPDX-License-Identifier: MPL-2.0
set(TULLE_TOOLS_PROGRAM_SOURCES
    main.c
    output.c
    pub.c
    pub_input.c
    tap.c
    tap_options.c
    tap_print.c
    tools.c
)
