#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""icmpecho against the kernel's own ping, ARP and neighbour discovery, over a veth pair. Prints TAP.

usage: test_icmpecho.py TESTPMD, in a namespace with the pair ea:eb
"""
import contextlib
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
from lab import Skip, tap

TESTPMD = sys.argv[1]
DEVICE = "af_packet:ea"


def sh(*args, check=True):
    """A command's output."""
    p = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False)
    if check and p.returncode != 0:
        raise AssertionError(f"{args}: {p.returncode}\n{p.stdout}\n{p.stderr}")
    return p.stdout


@contextlib.contextmanager
def answering(*args):
    """plx-testpmd on the one side of the pair; .counters are there afterwards."""
    with tempfile.TemporaryDirectory(prefix="plx-net-") as folder:
        result = pathlib.Path(folder) / "r.json"
        with subprocess.Popen([TESTPMD, "--port", DEVICE, "--forward-mode", "icmpecho", "--stats-period",
                               "0.1", "--json", result, *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as p:
            try:
                if not p.stdout.readline():
                    err = p.communicate(timeout=60)[1]
                    if "not permitted" in err or "EPERM" in err:
                        raise Skip("packet sockets are not permitted here")
                    raise AssertionError(err)
                yield p
            finally:
                p.send_signal(signal.SIGINT)
                p.communicate(timeout=60)
            assert p.returncode == 0
            p.counters = json.loads(result.read_text())["counters"]


def addresses():
    """The other side is a host of both protocols."""
    if not shutil.which("ping"):
        raise Skip("ping (iputils-ping) is not installed")
    path = pathlib.Path("/proc/sys/net/ipv6/conf/eb/disable_ipv6")
    try:
        path.write_text("0", encoding="utf-8")
    except OSError as err:
        raise Skip(f"IPv6 cannot be turned on here: {err}") from err
    sh("ip", "addr", "replace", "192.0.2.1/24", "dev", "eb")
    sh("ip", "addr", "replace", "2001:db8::1/64", "dev", "eb")
    limit = time.monotonic() + 20
    while "tentative" in sh("ip", "-6", "addr", "show", "dev", "eb") and time.monotonic() < limit:
        time.sleep(0.05)


def pinged(address, *args):
    """How many of 20 echo requests were answered. With -w ping asks once more when the last answer is
    late, for which it hardly waits by itself."""
    out = sh("ping", "-n", "-c", "20", "-i", "0.02", "-w", "20", *args, address, check=False)
    return len({int(n) for n in re.findall(r"bytes from \S+ icmp_seq=(\d+) ", out)} & set(range(1, 21)))


def test_pings_of_any_address_are_answered(_):
    with answering() as p:
        addresses()
        assert "dadfailed" not in sh("ip", "-6", "addr", "show", "dev", "eb")
        for size in (8, 56, 1472):
            assert pinged("192.0.2.77", "-s", str(size)) == 20
            # what is asked is what comes back: ping looks at the data itself
            assert pinged("2001:db8::77", "-s", str(min(size, 1452))) == 20
        for line in sh("ip", "neigh").splitlines():
            assert "FAILED" not in line and "INCOMPLETE" not in line, line
    assert p.counters["echo_replies"] == 120, p.counters
    assert p.counters["arp_replies"] >= 1 and p.counters["nd_replies"] >= 1, p.counters
    assert p.counters["bad_ip_cksum"] == p.counters["bad_l4_cksum"] == 0, p.counters


def test_some_addresses_alone(_):
    with answering("--echo-addr", "192.0.2.77,2001:db8::77,2001:db8::1:5") as p:
        addresses()
        sh("ip", "neigh", "flush", "dev", "eb")
        assert pinged("192.0.2.77") == 20 and pinged("2001:db8::77") == 20
        sh("ip", "neigh", "flush", "dev", "eb")
        out = sh("ping", "-c", "1", "-W", "1", "192.0.2.78", check=False)
        assert " 0 received" in out, out
        # who wants an address that is taken is told so
        sh("ip", "addr", "add", "2001:db8::1:5/64", "dev", "eb")
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            state = [x for x in sh("ip", "-6", "addr", "show", "dev", "eb").splitlines() if "::1:5" in x]
            if "dadfailed" in state[0]:
                break
            time.sleep(0.05)
        assert "dadfailed" in state[0], state
        sh("ip", "addr", "del", "2001:db8::1:5/64", "dev", "eb")
    assert p.counters["nd_replies"] >= 2, p.counters


if __name__ == "__main__":
    sys.exit(tap.run(globals(), *sys.argv[2:]))
