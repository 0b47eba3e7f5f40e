# SPDX-License-Identifier: MPL-2.0
set(TULLE_TOOLS_PROGRAM_SOURCES
    common/output.c
    common/tools.c
    load/bench.c
    load/latency.c
    load/load_node.c
    load/load_options.c
    load/load_report.c
    load/load_run.c
    load/load_series.c
    main.c
    pub/pub.c
    pub/pub_input.c
    tap/tap.c
    tap/tap_options.c
    tap/tap_print.c
)
