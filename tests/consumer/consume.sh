#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Install tulle to a fresh prefix and use it from outside: through find_package and pkg-config.
# The prefix is given at install time, so that it also shows that the package can be moved.
set -euo pipefail

if (($# != 5)); then
    echo "usage: consume.sh shared|static SOURCE_DIR BUILD_DIR WORK_DIR CC" >&2
    exit 2
fi
kind=$1 source_dir=$2 build_dir=$3 work_dir=$4 cc=$5

rm -rf "$work_dir"
mkdir -p "$work_dir"
prefix=$work_dir/prefix

step() {
    printf '\n--- %s\n' "$*"
}

if [[ $kind == static ]]; then
    step "build a static libtulle"
    build_dir=$work_dir/tulle
    cmake -S "$source_dir" -B "$build_dir" -G Ninja -DCMAKE_C_COMPILER="$cc" \
        -DBUILD_SHARED_LIBS=OFF -DTULLE_BUILD_APPS=OFF -DTULLE_BUILD_TESTS=OFF
    cmake --build "$build_dir" --target tulle --parallel 2
fi

step "install"
cmake --install "$build_dir" --prefix "$prefix"

step "find_package"
cmake -S "$source_dir/tests/consumer/outside" -B "$work_dir/outside" -G Ninja \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix"
cmake --build "$work_dir/outside" --parallel 2
"$work_dir/outside/consumer"
"$work_dir/outside/consumer_cxx"

step "pkg-config"
pc_dir=$(dirname "$(find "$prefix" -name tulle.pc)")
export PKG_CONFIG_PATH=$pc_dir
pkg-config --modversion tulle
read -ra flags < <(pkg-config --cflags --libs tulle)
printf '%s ' "${flags[@]}"
echo
"$cc" "$source_dir/tests/consumer/outside/main.c" -o "$work_dir/consumer-pc" "${flags[@]}"
LD_LIBRARY_PATH=$(pkg-config --variable=libdir tulle) "$work_dir/consumer-pc"

step "what was linked"
linked=$(ldd "$work_dir/outside/consumer")
if [[ $kind == shared ]]; then
    grep -F "$prefix" <<<"$linked"
elif grep -F libtulle <<<"$linked"; then
    echo "the static consumer links a shared libtulle"
    exit 1
fi
