# SPDX-License-Identifier: MPL-2.0
set(TULLE_NODE_PROGRAM_SOURCES
    child.c
    daemon.c
    handler.c
    job.c
    lines.c
    main.c
    options.c
    output.c
)
