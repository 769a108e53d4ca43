#!/usr/bin/env python3
"""Writes a C++ file that holds other files as text: embed.py OUT NAME=FILE..."""
import sys


def literal(data: bytes) -> str:
    # Pieces stay below what compilers promise for one literal.
    pieces = [data[i : i + 48] for i in range(0, len(data), 48)] or [b""]
    return "\n".join('    "' + "".join(f"\\{byte:03o}" for byte in piece) + '"' for piece in pieces)


def main() -> None:
    out, *pairs = sys.argv[1:]
    text = '#include "mgmt/embedded.hpp"\n\nnamespace torii::mgmt {\n'
    for pair in pairs:
        name, file = pair.split("=", 1)
        with open(file, "rb") as source:
            data = source.read()
        text += f"\nstd::string_view embedded_{name}() {{\n    static constexpr char kText[] =\n"
        text += literal(data) + f";\n    return {{kText, {len(data)}}};\n}}\n"
    text += "\n}  // namespace torii::mgmt\n"
    with open(out, "w", encoding="ascii") as target:
        target.write(text)


if __name__ == "__main__":
    main()
