# SPDX-License-Identifier: MPL-2.0
set(TULLE_PROXY_PROGRAM_SOURCES
    main.c
    options.c
    serve.c
)
