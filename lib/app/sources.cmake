# SPDX-License-Identifier: MPL-2.0
set(TULLE_APP_SOURCES
    app/args.c
    app/args_table.c
    app/common.c
    app/config.c
    app/exit.c
    app/format.c
    app/help.c
    app/histogram.c
    app/histogram_text.c
    app/json.c
    app/json_layout.c
    app/libraries.c
    app/logsink.c
    app/msgpack.c
    app/msgpack_parts.c
    app/option.c
    app/report.c
    app/signal.c
    app/text.c
)

# Apart from the rest: daemons have no use for it, nor for what it is compressed with.
set(TULLE_RECORDING_SOURCES
    app/recording/append.c
    app/recording/channels.c
    app/recording/event.c
    app/recording/lanes.c
    app/recording/mcap.c
    app/recording/reader.c
    app/recording/writer.c
)
