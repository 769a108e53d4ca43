#!/bin/bash
# Builds build/toriid and build/torii. Arguments go to `meson setup` of a new
# build directory; BUILD names another one.
set -euo pipefail
cd "$(dirname "$0")"
build=${BUILD:-build}
export CXX_LD=${CXX_LD:-mold}  # seconds instead of half a minute for each program
[ -e "$build/build.ninja" ] || meson setup "$build" "$@" >/dev/null
ninja -C "$build" --quiet
