#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""format.py ROOT: every C file is as clang-format 14 (Debian 12's) leaves it."""
import os
import re
import shutil
import subprocess
import sys

import tree

root = sys.argv[1]
tool = shutil.which("clang-format-14") or shutil.which("clang-format")
if tool is None:
    tree.skip("clang-format is not installed")
version = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout
if not re.search(r"version 14\.", version):
    tree.skip(f"clang-format 14 is the judge, this is: {version.strip()}")
faults = []
for name in tree.files(root, ".c", ".h"):
    run = subprocess.run([tool, "--style=file", "--dry-run", "-Werror", os.path.join(root, name)],
                         capture_output=True, text=True)
    if run.returncode != 0:
        first = run.stderr.strip().split("\n")[0].replace(root + "/", "")
        faults.append(f"{first or name}; remedy: clang-format -i {name}")
tree.finish("format", faults)
