#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""TAP interfaces of plx-testpmd under programs that know nothing of it. Prints TAP.

usage: netns.sh --tap -- test_tap.py TESTPMD
"""
import os
import sys

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
from lab import Host, Lab, Skip, end, fetch, iperf, need, ping, run, tap

TESTPMD = sys.argv[1]


def there(name):
    """Is there an interface of this name?"""
    return run("ip", "link", "show", name, check=False).returncode == 0


def need_tun():
    """The kernel's part of it."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        raise Skip("no /dev/net/tun for this user")


def test_ping_is_answered(tmp):
    need_tun()
    need("ping")
    for options in ("", ",vnet=off"):
        with Lab(TESTPMD, tmp) as this:
            pmd = this.forward("--port", f"tap:t0{options}", "--forward-mode", "icmpecho")
            run("ip", "addr", "add", "10.8.0.1/24", "dev", "t0")
            out = run("ping", "-n", "-c", 5, "-i", "0.1", "-W", "5", "-s", "1400", "10.8.0.2").stdout
            assert "5 received" in out, out
            end(pmd, this)
        assert not there("t0"), "the interface is left"


def test_hosts_speak_through_two_interfaces(tmp):
    """Which move to namespaces of their own while their ports run."""
    need_tun()
    with Lab(TESTPMD, tmp) as this:
        pmd = this.forward("--port", "tap:t0", "--port", "tap:t1", "--rxq", 2, "--txq", 2)
        a, b = Host(this, "t0", "10.9.0.1"), Host(this, "t1", "10.9.0.2")
        ping(a, b.address)
        done = iperf(this, a, b)
        assert done["sum_received"]["bytes"] > 1_000_000, done["sum_received"]
        fetch(this, b, a, 3_000_000)
        end(pmd, this)


if __name__ == "__main__":
    sys.exit(tap.run(globals()))
