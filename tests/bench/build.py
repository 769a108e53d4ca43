#!/usr/bin/python3
"""What a build costs, as JSON lines: from nothing, by unit, and after a touch.

    ./bench build [--touch-only]

In a build directory of its own with the project's default options and g++, no ccache, as
many jobs as there are processors. `cpu_s` is user and system time of all children.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import build_times  # noqa: E402

# What is touched, and why: one of each kind that a day's work changes.
TOUCHES = {
    "documentation of a key": "config/keys_peer.cpp",
    "field of a REST resource": "mgmt/rows_json.cpp",
    "BGP session": "bgp/session/peer_routes.cpp",
    "header of the packet path": "dataplane/packet/exits.hpp",
}


def spent(command, environment):
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": round(wall, 1), "cpu_s": round(cpu, 1)}


def main():
    options = argparse.ArgumentParser(prog="./bench build", description=__doc__.split("\n")[0])
    options.add_argument("--touch-only", action="store_true", help="build whole, report only the touches")
    options = options.parse_args()

    environment = os.environ | {"CXX": "g++", "CXX_LD": "mold", "CCACHE_DISABLE": "1"}
    with tempfile.TemporaryDirectory(prefix="build-bench-", dir=ROOT) as directory:
        build = pathlib.Path(directory)
        subprocess.run(["meson", "setup", build], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)

        def report(part, **figures):
            print(json.dumps({"bench": "build", "part": part} | figures), flush=True)

        def ninja(*targets):
            return spent(["ninja", "-C", build, *targets], environment)

        parts = [("toriid and torii", ninja("toriid", "torii")), ("the rest of ./test unit", ninja("unit-tests"))]
        units = build_times.units(build)
        if not options.touch_only:
            for part, figures in parts:
                report(part, **figures)
            for room, seconds in build_times.by_room(units).items():
                report("room", name=room, compile_s=round(seconds, 1))
            for name, seconds in units[:10]:
                report("unit", name=name, compile_s=round(seconds, 1))
        for what, name in TOUCHES.items():
            os.utime(ROOT / name)
            report("touch", what=what, file=name, **ninja("toriid"))


if __name__ == "__main__":
    if not shutil.which("mold"):
        sys.exit("bench build: mold is missing: tools/install-dependencies")
    main()
