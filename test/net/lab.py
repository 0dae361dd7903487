# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of this folder share: TAP."""
import time
import traceback


class Skip(Exception):
    """The test cannot run here; the text says why."""


def main(names, pick=""):
    """Runs the functions test_*; the program's exit status."""
    tests = [(n, f) for n, f in names.items() if n.startswith("test_") and pick in n]
    print(f"1..{len(tests)}")
    bad = 0
    for i, (name, fn) in enumerate(tests, 1):
        begin = time.monotonic()
        try:
            fn()
            print(f"ok {i} - {name} # {time.monotonic() - begin:.1f} s", flush=True)
        except Skip as why:
            print(f"ok {i} - {name} # SKIP {why}", flush=True)
        except Exception:  # pylint: disable=broad-except
            bad += 1
            print(f"not ok {i} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print("#", line)
    return 1 if bad or not tests else 0
