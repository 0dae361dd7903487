# SPDX-License-Identifier: BSD-3-Clause
"""What all checks share: the files of the tree, and how a check reports."""
import os
import subprocess
import sys


def files(root, *suffixes):
    """Paths below root, relative: what git knows or would add, else all but hidden and build*."""
    git = subprocess.run(
        ["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True) if os.path.exists(os.path.join(root, ".git")) else None
    if git is not None and git.returncode == 0:
        found = git.stdout.splitlines()
    else:
        found = []
        for folder, folders, names in os.walk(root):
            folders[:] = [d for d in folders if not d.startswith((".", "build", "__pycache__"))]
            found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return sorted(f for f in found
                  if f.endswith(suffixes or ("",)) and os.path.isfile(os.path.join(root, f)))


def lines(root, name):
    with open(os.path.join(root, name), encoding="utf-8", errors="replace") as f:
        return f.read().split("\n")


def finish(what, faults):
    """Prints the faults, one a line, and ends the program: 0 without any, else 1."""
    for fault in faults:
        print(fault)
    print(f"{what}: {len(faults)} fault(s)")
    sys.exit(1 if faults else 0)


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(77)
