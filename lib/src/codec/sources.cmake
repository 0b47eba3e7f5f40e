# SPDX-License-Identifier: MPL-2.0
set(TULLE_CODEC_SOURCES
    src/codec/attributes.c
    src/codec/batch.c
    src/codec/beat.c
    src/codec/control.c
    src/codec/here.c
    src/codec/parts.c
    src/codec/pattern_index.c
    src/codec/range.c
    src/codec/reader.c
    src/codec/topic.c
    src/codec/view.c
    src/codec/writer.c
)
