#!/usr/bin/env python3
"""Turns config/reference.md into the manual page torii.cfg(5).

    reference_man.py REFERENCE OUTPUT
"""

import re
import sys


def roff(text):
    """Plain text with `code` and *emphasis* as roff."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", text)
    text = re.sub(r"\*\*([^*]*)\*\*", r"\\fB\1\\fR", text)
    text = re.sub(r"\*([^*]*)\*", r"\\fI\1\\fR", text)
    return "\\&" + text if text.startswith((".", "'")) else text


def cells(row):
    """Of "| `key` | value | unset | cost | text |"; a | inside brackets is text."""
    parts, depth, part = [], 0, ""
    for c in row.strip().strip("|"):
        depth += (c == "[") - (c == "]")
        if c == "|" and depth <= 0:
            parts.append(part.strip())
            part = ""
        else:
            part += c
    return parts + [part.strip()]


def page(lines):
    yield '.TH TORII.CFG 5 "" "torii" "File Formats"'
    yield ".SH NAME"
    yield "torii.cfg \\- configuration of the torii gateway"
    yield ".SH DESCRIPTION"
    for line in lines[1:]:
        line = line.rstrip()
        if line.startswith("Generated from") or line.startswith("| ---") or line.startswith("| key "):
            continue
        if line.startswith("#"):
            yield ".SH " + roff(line.lstrip("# ").replace("`", "")).upper()
        elif line.startswith("|"):
            key, value, unset, cost, text = (cells(line) + [""] * 5)[:5]
            yield ".TP"
            yield roff(key) + " " + roff(f"({value})")
            extra = [f"Unset: {unset}." if unset and "required" not in unset else "Required." if unset else "",
                     f"A change costs: {cost}." if cost not in ("", "-") else ""]
            yield roff(" ".join([text, *filter(None, extra)]))
        elif line:
            yield roff(line)
        else:
            yield ".PP"
    yield ".SH SEE ALSO"
    yield ".BR toriid (8),"
    yield ".BR torii (1)"


def main():
    source, output = sys.argv[1:]
    with open(source, encoding="utf-8") as f:
        lines = f.read().splitlines()
    kept = []
    for line in page(lines):
        if line == ".PP" and (not kept or kept[-1].startswith((".PP", ".SH"))):
            continue
        if line.startswith(".SH") and kept and kept[-1] == ".PP":
            kept.pop()
        kept.append(line)
    with open(output, "w", encoding="utf-8") as f:
        f.write("\n".join(kept) + "\n")


main()
