# SPDX-License-Identifier: BSD-3-Clause
"""Runs the tests of a Python test program, each with a folder of its own, and prints TAP."""
import pathlib
import tempfile
import time
import traceback


class Skip(Exception):
    """The test cannot run here; the text says why."""


def run(names, pick=""):
    """Runs every test_X(folder) of names (globals()) with pick in its name; the program's exit code."""
    tests = [(n, f) for n, f in names.items() if n.startswith("test_") and pick in n]
    print(f"1..{len(tests)}")
    bad = 0
    for i, (name, fn) in enumerate(tests, 1):
        begin = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(prefix="plx-test-") as tmp:
                fn(pathlib.Path(tmp))
            print(f"ok {i} - {name} # {time.monotonic() - begin:.1f} s", flush=True)
        except Skip as why:
            print(f"ok {i} - {name} # SKIP {why}", flush=True)
        except Exception:  # pylint: disable=broad-except
            bad += 1
            print(f"not ok {i} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print("#", line)
    return 1 if bad or not tests else 0
