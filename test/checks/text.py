#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""text.py ROOT: the tree speaks of itself only, promises nothing and names its licence."""
import re
import sys

import tree

# A letter in brackets keeps a row from matching itself.
NEVER = [
    (r"(^|[\s\"'`(])/wor[k]/", "a path of one machine"),
    (r"\.\./share[d]\b", "a path outside the tree"),
    (r"\b(TOD[O]|FIXM[E]|XX[X])\b", "a promise: do it, or leave it out"),
    (r"\bfor no[w]\b", "a promise: say what is, not what will be"),
    (r"\b(DESIG[N]|PEER[S]|TESTLA[B]|STYL[E]|USER[S])\.md\b", "a page that is not in the tree"),
    (r"\bissue[s]? #?\d+\b|\bissues sho[w]\b", "the tracker: say the reason itself"),
    (r"\b(this|next|last|later|previous|first) sessio[n]\b", "how the tree was made"),
    (r"\b(anothe[r]|othe[r]) helper\b", "how the tree was made"),
]
LICENSED = (".c", ".h", ".py", ".sh", "meson.build", "meson_options.txt", ".in")

root = sys.argv[1]
faults = []
for name in tree.files(root):
    if name.endswith((".pcap", ".pcapng", ".png", ".bin", ".gz")) or "/corpus/" in name:
        continue
    text = tree.lines(root, name)
    for number, line in enumerate(text, 1):
        for pattern, why in NEVER:
            found = re.search(pattern, line, re.I if "no[w]" in pattern else 0)
            if found:
                faults.append(f"{name}:{number}: '{found.group(0).strip()}': {why}")
    if name.endswith(LICENSED) and not any("SPDX-License-Identifier: BSD-3-Clause" in t
                                           for t in text[:2]):
        faults.append(f"{name}:1: no SPDX-License-Identifier")
tree.finish("text", faults)
