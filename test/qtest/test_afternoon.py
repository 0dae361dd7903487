#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""test_afternoon.py ROOT LIBPOLLUX CC...: the driver of doc/guide/driver-in-an-afternoon.md, as that page says."""
import os
import pathlib
import re
import subprocess
import sys

ROOT, LIB, CC = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
sys.path.insert(0, str(ROOT / "test/app"))
import qemu  # noqa: E402 pylint: disable=wrong-import-position
import tap  # noqa: E402 pylint: disable=wrong-import-position

PAGE = ROOT / "doc/guide/driver-in-an-afternoon.md"


def compiled(tmp):
    """The program that the page's blocks are."""
    source = tmp / "afternoon.c"
    source.write_text("\n".join(re.findall(r"^```c\n(.*?)^```", PAGE.read_text(), re.M | re.S)))
    include = [f"-I{folder}" for folder in sorted((ROOT / "lib").iterdir()) if folder.is_dir()]
    subprocess.run([*CC, "-O2", "-std=gnu11", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", *include, source,
                    LIB, f"-Wl,-rpath,{LIB.parent}", "-o", tmp / "afternoon"], check=True)
    return tmp / "afternoon"


def test_first_packet(tmp):
    program = compiled(tmp)
    with qemu.two_nics(model="e1000-82544gc") as m:
        ports = [f"qemu:{m.qtest},slot={slot},ram={m.ram}" for slot in (2, 3)]
        done = subprocess.run([program, *ports], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "XDG_RUNTIME_DIR": str(tmp)})
    assert (done.returncode, done.stdout) == (0, "received 60 bytes: the first packet\n"), done


def test_no_device(tmp):
    done = subprocess.run([compiled(tmp), "qemu:/nowhere,slot=2,ram=/nowhere", "x"], capture_output=True, text=True,
                          timeout=60, check=False, env={**os.environ, "XDG_RUNTIME_DIR": str(tmp)})
    assert done.returncode == 1 and "/nowhere" in done.stderr, done


if __name__ == "__main__":
    sys.exit(tap.run(globals()))
