#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""TAP interfaces of plx-testpmd under programs that know nothing of it. Prints TAP; runs inside netns.sh.

usage: test_tap.py TESTPMD
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

import lab

TESTPMD = sys.argv[1]


def need(*programs):
    """What a test runs, and may not be here."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        raise lab.Skip("no /dev/net/tun for this user")
    for program in programs:
        if not shutil.which(program):
            raise lab.Skip(f"{program} is not installed")


def run(*args):
    """A command that must work: what it prints."""
    done = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{args}: {done.stdout}\n{done.stderr}"
    return done.stdout


def up(name, where=()):
    """Is the interface there, with a carrier?"""
    done = subprocess.run([*where, "ip", "-o", "link", "show", name], capture_output=True, text=True,
                          timeout=60, check=False)
    return "LOWER_UP" in done.stdout


@contextlib.contextmanager
def testpmd(*args, wait=()):
    """plx-testpmd that forwards, once the interfaces are there; it must end well."""
    command = [TESTPMD, *args, "--stats-period", "0", "--huge", "none"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as p:
        try:
            limit = time.monotonic() + 30
            while not all(up(name) for name in wait):
                assert p.poll() is None and time.monotonic() < limit, "it does not start"
                time.sleep(0.02)
            yield p
        finally:
            p.terminate()
            said = p.communicate(timeout=30)[0]
        assert p.returncode == 0, said


def test_ping_is_answered():
    need("ping")
    for offload in ("on", "off"):
        with testpmd("--port", f"tap:t0,vnet={offload}", "--forward-mode", "icmpecho", wait=["t0"]):
            run("ip", "addr", "add", "10.8.0.1/24", "dev", "t0")
            said = run("ping", "-c", "5", "-i", "0.2", "-W", "5", "-s", "1400", "10.8.0.2")
            assert " 0% packet loss" in said, said
        assert not up("t0"), "the interface is left"


def test_tcp_through_two_interfaces():
    """One of them moves to another namespace while its port runs."""
    need("iperf3", "nsenter", "unshare")
    with testpmd("--port", "tap:t0", "--port", "tap:t1", wait=["t0", "t1"]), \
            subprocess.Popen(["unshare", "-n", "sleep", "120"]) as other:
        try:
            inside = ("nsenter", "-t", str(other.pid), "-n")
            while os.readlink(f"/proc/{other.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
                time.sleep(0.01)
            run("ip", "link", "set", "t1", "netns", str(other.pid))
            run("ip", "addr", "add", "10.8.0.1/24", "dev", "t0")
            run(*inside, "ip", "addr", "add", "10.8.0.2/24", "dev", "t1")
            run(*inside, "ip", "link", "set", "t1", "up")
            with subprocess.Popen([*inside, "iperf3", "-s", "-1"], stdout=subprocess.DEVNULL) as server:
                try:
                    for _ in range(100):
                        time.sleep(0.1)
                        done = subprocess.run(["iperf3", "-c", "10.8.0.2", "-n", "20M", "-J"],
                                              capture_output=True, text=True, timeout=60, check=False)
                        if done.returncode == 0:
                            break
                    sums = json.loads(done.stdout)["end"]
                    assert sums["sum_received"]["bytes"] >= 15 << 20, sums
                finally:
                    server.terminate()
        finally:
            other.terminate()


if __name__ == "__main__":
    sys.exit(lab.main(globals()))
