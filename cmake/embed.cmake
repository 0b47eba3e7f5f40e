# SPDX-License-Identifier: MPL-2.0
# cmake -D INPUT=FILE -D OUTPUT=FILE.c -D HEADER=file.h -D NAME=array -P embed.cmake
#
# Writes a C file that defines the file's bytes, and a NUL, as the array that the header declares.

file(READ "${INPUT}" hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(................................................................................)" "\\1\n"
                     bytes "${bytes}")
file(
    WRITE "${OUTPUT}"
    "#include \"${HEADER}\"\nconst unsigned char ${NAME}[] = {\n${bytes}0x00\n};\n"
)
