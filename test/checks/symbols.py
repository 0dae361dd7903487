#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""symbols.py LIBPOLLUX.SO LIBPOLLUX.A: what the library exports, calls and keeps.

  exported     plx_* alone
  undefined    nothing that ends the process, takes over a signal or reads the environment
  sections     no constructor, no destructor; no variable that can be written, but for what
               belongs to a thread and the rows of WRITABLE
"""
import os
import re
import subprocess
import sys

import tree

NEVER_CALLED = {
    "exit", "_exit", "_Exit", "quick_exit", "abort", "__assert_fail", "__assert", "__assert_perror_fail",
    "err", "errx", "verr", "verrx", "error", "error_at_line", "atexit", "__cxa_atexit", "on_exit",
    "signal", "sigaction", "__sysv_signal", "raise", "getenv", "secure_getenv", "setenv", "putenv",
    "__stack_chk_fail_local", "longjmp", "_longjmp", "__longjmp_chk",
}
WRITABLE = [
    (r"lib_mem_.*iova.*", r".*"),                     # the allocator of I/O addresses
    (r"lib_base_clock\.c\.o", r"cached(\.\d+)?"),    # ticks a second, measured once
]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def exported(so):
    for line in run("nm", "-D", "--defined-only", so).splitlines():
        name = line.split()[-1].split("@")[0]
        if not name.startswith("plx_") and name != "POLLUX_0.1":
            yield f"{os.path.basename(so)} exports {name}: not plx_*"


def called(archive):
    member = "?"
    for line in run("nm", "--undefined-only", archive).splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif line.split() and line.split()[-1] in NEVER_CALLED:
            yield f"{member} calls {line.split()[-1]}"


def kept(archive):
    member = "?"
    for line in run("objdump", "-ht", archive).splitlines():
        found = re.match(r"(\S+):\s+file format", line)
        if found:
            member = found.group(1)
        found = re.match(r"\s+\d+ (\.(init_array|fini_array|ctors|dtors)\S*)\s", line)
        if found:
            yield f"{member} has a constructor or destructor (section {found.group(1)})"
        found = re.match(r"[0-9a-f]+ .{7} (\.(data|bss)\S*|\*COM\*)\t\S+ +(?:\.hidden )?(\S+)", line)
        if not found or found.group(1).startswith((".data.rel.ro", ".bss.rel.ro")):
            continue
        name = found.group(3)
        if name != found.group(1) and not any(
                re.fullmatch(m, member) and re.fullmatch(n, name) for m, n in WRITABLE):
            yield f"{member} has a variable that can be written: {name} in {found.group(1)}"


shared, static = sys.argv[1:3]
tree.finish("symbols", [*exported(shared), *called(static), *kept(static)])
