# SPDX-License-Identifier: MPL-2.0
set(TULLE_APP_SOURCES
    app/args.c
    app/common.c
    app/config.c
    app/exit.c
    app/format.c
    app/help.c
    app/histogram.c
    app/json.c
    app/logsink.c
    app/msgpack.c
    app/option.c
    app/report.c
    app/signal.c
    app/text.c
)
