#!/usr/bin/env python3
"""Writes the corpus of a fuzz target from the vector files.

    bgp_corpus.py TARGET DIRECTORY
"""

import json
import pathlib
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "bgp"


def messages():
    for case in json.loads((SOURCE / "bgp_bad_inputs.json").read_text())["cases"]:
        yield bytes.fromhex(case["hex"])
    for line in (SOURCE / "bgp_wire_vectors.jsonl").read_text().splitlines():
        yield bytes.fromhex(json.loads(line)["hex"])


def main():
    target, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    for i, message in enumerate(messages()):
        if target in ("bgp_framer",):
            data = message
        elif target == "bgp_session":
            data = bytes([0xff]) + message
        elif target == "bgp_update":
            data = bytes([3]) + message[19:]
        else:
            data = message[19:]
        (directory / f"{i:04}").write_bytes(data)


main()
