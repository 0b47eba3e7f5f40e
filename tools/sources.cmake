# SPDX-License-Identifier: MPL-2.0
set(TULLE_TOOLS_PROGRAM_SOURCES
    bench.c
    latency.c
    load_node.c
    load_options.c
    load_report.c
    load_run.c
    load_series.c
    main.c
    output.c
    pub.c
    pub_input.c
    tap.c
    tap_options.c
    tap_print.c
    tools.c
)
