#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""longfunc.py ROOT: no function is longer than 90 lines.

The format check makes this simple: a body starts with a brace alone in column 0 and ends with one.
"""
import sys

import tree

LIMIT = 90

root = sys.argv[1]
faults = []
for name in tree.files(root, ".c", ".h"):
    start = None
    text = tree.lines(root, name)
    for number, line in enumerate(text, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start + 1 > LIMIT:
                head = next((t for t in reversed(text[:start - 1]) if t[:1].isalpha()), "?")
                faults.append(f"{name}:{start}: {number - start + 1} lines (at most {LIMIT}): {head}")
            start = None
tree.finish("longfunc", faults)
