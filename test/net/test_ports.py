#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Drivers of the kernel's interfaces, with real programs at the far ends. Prints TAP.

usage: netns.sh --tap -- test_ports.py TESTPMD DRIVER [SUBSTRING]
"""
import os
import signal
import sys

from lab import LIMIT, Host, Lab, Skip, end, fetch, iperf, need, ping, reachable, run, tap, until

TESTPMD, DRIVER = sys.argv[1], sys.argv[2]


def ports(*names, options=""):
    """Arguments for ports on these interfaces."""
    if DRIVER == "af_xdp" and os.environ.get("NETNS") != "root":
        raise Skip("loading a BPF program takes root; a user namespace is not enough")
    return [a for name in names for a in ("--port", f"{DRIVER}:{name}{options}")]


def programs(this, a, b):
    """What people do with a network."""
    ping(a, b.address)
    done = iperf(this, a, b)
    assert done["sum_received"]["bytes"] > 1_000_000, done["sum_received"]
    # a paced rate; on a busy machine some is lost in sockets' buffers
    done = iperf(this, b, a, "-u", "-b", "20M")
    assert done["sum"]["packets"] > 1000 and done["sum"]["lost_percent"] < 50, done["sum"]
    fetch(this, b, a, 3_000_000)


def test_ping_tcp_udp_and_http_through_testpmd(tmp):
    with Lab(TESTPMD, tmp) as this:
        a, b = this.two_hosts()
        pmd = this.forward(*ports("ma", "mb"))
        programs(this, a, b)
        end(pmd, this)


def test_the_same_with_several_queues(tmp):
    with Lab(TESTPMD, tmp) as this:
        a, b = this.two_hosts(queues=2)
        pmd = this.forward(*ports("ma", "mb"), "--rxq", 2, "--txq", 2, "--nb-cores", 2)
        programs(this, a, b)
        end(pmd, this)


def test_every_way_of_the_driver_forwards(tmp):
    ways = {"af_packet": [f",fanout={f}" for f in ("lb", "cpu", "rollover", "rnd", "qm")] +
                         [",qdisc_bypass=off", ",block=1m,latency=3ms"],
            "af_xdp": [",mode=copy", ",mode=skb", ",need_wakeup=off", ",busy_poll=32"]}
    with Lab(TESTPMD, tmp) as this:
        a, b = this.two_hosts(queues=2)
        for way in ways[DRIVER]:
            pmd = this.forward(*ports("ma", "mb", options=way), "--rxq", 2, "--txq", 2)
            ping(a, b.address, 5)
            fetch_size = 300_000
            if way == ways[DRIVER][0]:
                fetch(this, a, b, fetch_size)
            end(pmd, this)


def test_arp_and_ping_answered_by_icmpecho(tmp):
    with Lab(TESTPMD, tmp) as this:
        this.pair("ma", "va")
        a = Host(this, "va", "10.9.0.1")
        pmd = this.forward(*ports("ma"), "--forward-mode", "icmpecho")
        ping(a, "10.9.0.99")
        end(pmd, this)


def test_vlan_tags_pass(tmp):
    with Lab(TESTPMD, tmp) as this:
        a, b = this.two_hosts()
        if DRIVER == "af_xdp":
            # no driver's XDP tells of a tag that is not in the packet
            need("ethtool")
            for host in (a, b):
                host.run("ethtool", "-K", host.interface, "txvlan", "off")
        for host, address in ((a, "10.8.0.1"), (b, "10.8.0.2")):
            if host.run("ip", "link", "add", "link", host.interface, "name", "tagged", "type",
                        "vlan", "id", "7", check=False).returncode != 0:
                raise Skip("this kernel has no VLAN interfaces (CONFIG_VLAN_8021Q)")
            host.run("ip", "address", "add", f"{address}/24", "dev", "tagged")
            host.run("ip", "link", "set", "dev", "tagged", "up")
        pmd = this.forward(*ports("ma", "mb"))
        ping(a, "10.8.0.2")
        ping(a, b.address, 5)
        end(pmd, this)


def test_interface_down_and_up_during_traffic(tmp):
    with Lab(TESTPMD, tmp) as this:
        a, b = this.two_hosts()
        pmd = this.forward(*ports("ma", "mb"))
        ping(a, b.address, 5)
        flood = this.start(*a.command("ping", "-n", "-i", "0.002", b.address))
        for name in ("ma", "mb"):
            run("ip", "link", "set", "dev", name, "down")
            assert a.run("ping", "-c", 1, "-W", 1, b.address, check=False).returncode != 0
            run("ip", "link", "set", "dev", name, "up")
            reachable(a, b.address)
        a.run("ip", "link", "set", "dev", "va", "down")
        a.run("ip", "link", "set", "dev", "va", "up")
        reachable(a, b.address)
        flood.kill()
        end(pmd, this)


def test_interface_removed_during_traffic_ends_it_with_1(tmp):
    with Lab(TESTPMD, tmp) as this:
        a, b = this.two_hosts()
        pmd = this.forward(*ports("ma", "mb"))
        this.start(*a.command("ping", "-n", "-i", "0.002", b.address))
        run("ip", "link", "del", "dev", "ma")
        assert pmd.wait(LIMIT) == 1, this.said()
        assert "is gone" in this.said(), this.said()


def test_killed_and_started_again(tmp):
    with Lab(TESTPMD, tmp) as this:
        a, b = this.two_hosts()
        for _ in range(3):
            pmd = this.forward(*ports("ma", "mb"))
            ping(a, b.address, 5)
            pmd.send_signal(signal.SIGKILL)
            pmd.wait(LIMIT)
            # nothing of it stays on the interface
            until(lambda: "xdp" not in run("ip", "link", "show", "dev", "ma").stdout, "no XDP left")
            assert "promiscuity 0" in run("ip", "-d", "link", "show", "dev", "ma").stdout


def test_errors_say_what_to_do(tmp):
    def refused(*args, path=()):
        done = run(*path, TESTPMD, *args, "--duration", "1", check=False)
        assert done.returncode == 1, done
        return done.stderr
    with Lab(TESTPMD, tmp) as this:
        this.pair("ma0", "mb0")
        said = refused(*ports("ma1"))
        assert "no interface 'ma1'" in said and "did you mean 'ma0'?" in said and "mb0" in said, said
        assert "names no interface" in refused(*ports(""))
        assert "nonsense" in refused(*ports("ma0", options=",nonsense=1"))
        if os.environ.get("NETNS") == "root":
            need("setpriv")
            nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                      "--inh-caps=-all")
            if run(*nobody, TESTPMD, "--version", check=False).returncode != 0:
                raise Skip("this build is out of nobody's reach")
            said = refused(*ports("ma0"), path=nobody)
            assert "run as root" in said and "setcap" in said, said


if __name__ == "__main__":
    sys.exit(tap.run(globals(), *sys.argv[3:]))
