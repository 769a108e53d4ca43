#!/usr/bin/python3
"""Time that compiling each unit took, from ninja's log; refuses a unit above the limit.

    build_times.py BUILD-DIRECTORY [--limit SECONDS]

The log has wall time, which other work on the machine stretches: a unit that looks too
slow is compiled once more, and its CPU time decides.
"""

import argparse
import pathlib
import resource
import shlex
import subprocess
import sys
import tempfile


def units(build):
    """(object file, seconds) of each unit, the slowest first."""
    seconds = {}
    for line in (pathlib.Path(build) / ".ninja_log").read_text().splitlines()[1:]:
        begin, end, _, output, _ = line.split("\t")
        if output.endswith((".o", ".gch")):
            seconds[output] = (int(end) - int(begin)) / 1000
    return sorted(seconds.items(), key=lambda unit: -unit[1])


def by_room(times):
    rooms = {}
    for name, seconds in times:
        room = "/".join(name.split("/")[: 3 if name.startswith("tests/unit") else 1]).removesuffix(".p")
        rooms[room] = rooms.get(room, 0) + seconds
    return dict(sorted(rooms.items(), key=lambda room: -room[1]))


def cpu_seconds(build, output):
    """Compiles one unit again, to a file that goes at once, without ccache."""
    command = subprocess.run(["ninja", "-C", build, "-t", "commands", "-s", output],
                             capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    words = shlex.split(command)
    words = words[1:] if pathlib.Path(words[0]).name == "ccache" else words
    with tempfile.TemporaryDirectory() as scratch:
        # Not /dev/null: GCC maps a precompiled header that it writes.
        words[words.index("-o") + 1] = f"{scratch}/unit"
        words[words.index("-MF") + 1] = f"{scratch}/depends"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, cwd=build, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("build")
    options.add_argument("--limit", type=float, default=20)
    options = options.parse_args()
    times, slow = units(options.build), 0
    for name, seconds in times:
        if seconds <= options.limit:
            break
        if not (pathlib.Path(options.build) / name).exists():
            continue  # of a target that is gone
        took = cpu_seconds(options.build, name)
        if took > options.limit:
            slow += 1
            print(f"{name}: {took:.1f} s of CPU; a unit compiles in {options.limit:.0f} s: divide it, "
                  "or find the header that costs (g++ -ftime-report, -H)")
    if not slow:
        print(f"{len(times)} units, none above {options.limit:.0f} s")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
