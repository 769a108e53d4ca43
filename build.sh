#!/bin/bash
# Builds build/toriid and build/torii, or the ninja TARGETs given.
#   ./build.sh [TARGET...]
# BUILD names another build directory, SETUP holds arguments for `meson setup` of a new one.
set -euo pipefail
cd "$(dirname "$0")"
build=${BUILD:-build}
export CXX_LD=${CXX_LD:-mold}  # seconds instead of half a minute for each program
# Without these ccache keeps nothing of a unit that has a precompiled header.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
# shellcheck disable=SC2086
[ -e "$build/build.ninja" ] || meson setup "$build" ${SETUP:-} >/dev/null
[ $# -gt 0 ] || set -- toriid torii
# ./demo sets up a build without tests.
[ "$*" = "toriid torii" ] || grep -q '^build tests/' "$build/build.ninja" ||
    meson configure "$build" -Dtests=true
if [ -t 1 ]; then
    exec ninja -C "$build" "$@"
fi
# To a file or a pipe: a line every ten seconds in place of one a unit.
NINJA_STATUS='@%f %t %e@' ninja -C "$build" "$@" | tools/build_progress
