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


PATTERNS = ["empty", "neighbor 65001", "originated 4200000000", "contains 1", "length ge 5", "length le 2",
            "^65001(_|$)", "_65001_", "[0-9]+ {1,2}", "65000:1", "65000:*", "no-export", "65000:1:2",
            "rt:65000:1", "soo:4200000000:*", "0x0002fde800000001"]


def capabilities(message):
    """Code and value of each capability of an OPEN."""
    at = 29
    while at + 2 <= len(message):
        kind, length = message[at], message[at + 1]
        inner, end = at + 2, min(at + 2 + length, len(message))
        while kind == 2 and inner + 2 <= end:
            size = message[inner + 1]
            yield message[inner:inner + 1] + message[inner + 2:inner + 2 + size]
            inner += 2 + size
        at = end if end > at else at + 2


def attributes(message):
    """The path attributes of an UPDATE."""
    body = message[19:]
    withdrawn = int.from_bytes(body[:2], "big")
    length = int.from_bytes(body[2 + withdrawn:4 + withdrawn], "big")
    return body[4 + withdrawn:4 + withdrawn + length]


def main():
    target, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    if target == "bgp_patterns":
        for i, text in enumerate(PATTERNS):
            (directory / f"{i:04}").write_text(text)
        return
    for i, message in enumerate(messages()):
        if target == "bgp_framer":
            data = message
        elif target == "bgp_capability":
            for n, value in enumerate(capabilities(message) if message[18:19] == b"\1" else ()):
                (directory / f"{i:04}-{n}").write_bytes(value)
            continue
        elif target == "bgp_attributes":
            data = bytes([3]) + attributes(message)
        elif target == "bgp_session":
            data = bytes([0xff]) + message
        elif target == "bgp_update":
            data = bytes([3]) + message[19:]
        else:
            data = message[19:]
        (directory / f"{i:04}").write_bytes(data)


main()
