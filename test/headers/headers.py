#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""headers.py [-I DIR]... HEADER...: each header compiles alone, without a warning. Prints TAP.

Headers for programs (plx_*.h): strict C11 and C++17, with every compiler found; the others, for
drivers, are C with GNU extensions. Each is included twice, so a missing guard shows. C++ is not
held to -Wpedantic (anonymous and open-ended structs are C11, and every C++ compiler has them) nor to
-Wshadow (for g++ a function hides the struct of its name, as stat() does).
"""
import os
import shutil
import subprocess
import sys

WARN = ["-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wundef", "-Wvla"]
PROGRAM = [(cc, ["-xc", "-std=c11", "-Wpedantic", "-Wshadow"]) for cc in ("gcc", "clang")]
PROGRAM += [(cc, ["-xc++", "-std=c++17"]) for cc in ("g++", "clang++")]
DRIVER = [(cc, ["-xc", "-std=gnu11", "-Wshadow"]) for cc in ("gcc", "clang")]


def compile_alone(compiler, header, includes):
    cc, language = compiler
    name = os.path.basename(header)
    text = f'#include "{name}"\n#include "{name}"\nint plx_alone;\n'
    return subprocess.run([cc, *language, *WARN, "-O1", "-c", "-o", os.devnull, *includes, "-"],
                          input=text, capture_output=True, text=True)


def main(arguments):
    includes = [a for a in arguments if a.startswith("-I")]
    headers = sorted(a for a in arguments if not a.startswith("-I"))
    cases = [(compiler, header) for header in headers
             for compiler in (PROGRAM if os.path.basename(header).startswith("plx_") else DRIVER)]
    failed = 0
    print(f"1..{len(cases)}")
    for number, (compiler, header) in enumerate(cases, 1):
        title = f"{os.path.basename(header)} {compiler[0]} {compiler[1][1]}"
        if shutil.which(compiler[0]) is None:
            print(f"ok {number} - {title} # SKIP {compiler[0]} is not installed")
            continue
        run = compile_alone(compiler, header, includes)
        print(f"{'not ' if run.returncode else ''}ok {number} - {title}")
        failed += run.returncode != 0
        for line in run.stderr.splitlines()[:12]:
            print("# " + line)
    return failed != 0


sys.exit(main(sys.argv[1:]))
