#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""netns.sh itself: pairs carry frames, nothing is left behind, the status is the command's. Prints TAP.

usage: test_netns.py NETNS_SH
"""
import os
import subprocess
import sys

from lab import Skip, tap

NETNS = sys.argv[1]

FRAME = """
import socket
a, b = (socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5)) for _ in "ab")
a.bind(("na", 0x88b5))
b.bind(("nb", 0x88b5))
b.settimeout(10)
a.send(bytes(12) + b"\\x88\\xb5" + bytes(46))
print(len(b.recv(100)))
"""


def run(*args, **kwargs):
    return subprocess.run([NETNS, *args], capture_output=True, text=True, timeout=60, check=False,
                          **kwargs)


def need(done):
    if done.returncode == 77:
        raise Skip(done.stdout.strip().removeprefix("SKIP: "))
    return done


def test_a_pair_carries_a_frame(_):
    done = need(run("na:nb", "--", sys.executable, "-c", FRAME))
    assert done.stdout == "60\n", done


def test_pairs_are_up_and_gone_afterwards(_):
    done = need(run("nc:nd", "ne:nf", "--", "ip", "-o", "link", "show", "up"))
    for name in ("nc", "nd", "ne", "nf"):
        assert f" {name}@" in done.stdout, done.stdout
        assert not os.path.exists(f"/sys/class/net/{name}")


def test_status_is_the_commands(_):
    assert need(run("--", "sh", "-c", "exit 5")).returncode == 5
    assert run("na").returncode == 2


def test_what_is_impossible_is_skipped(_):
    path = os.path.dirname(sys.executable)
    for args, code, text in (((), 77, "SKIP: "), (("--tap",), 0, "1..0 # SKIP ")):
        # a path without `ip`: bash, and nothing else that matters
        done = run(*args, "--", "true", env={"PATH": "/nonexistent", "PYTHON": path})
        assert done.returncode == code and done.stdout.startswith(text), done


if __name__ == "__main__":
    sys.exit(tap.run(globals()))
