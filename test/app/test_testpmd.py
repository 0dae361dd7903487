#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""plx-testpmd as its users run it. Prints TAP.

usage: test_testpmd.py TESTPMD DATA_DIR [SUBSTRING]
"""
import json
import pathlib
import re
import signal
import struct
import subprocess
import sys

import qemu
import tap
from captures import packets

TESTPMD, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
LIMIT = 120  # seconds: only a hang takes so long


class Run:
    """One run to its end."""

    def __init__(self, *args, quiet=True):
        cmd = [TESTPMD, *map(str, args)] + (["--stats-period", "0"] if quiet else [])
        p = subprocess.run(cmd, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT,
                           text=True, check=False)
        self.code, self.out, self.err = p.returncode, p.stdout, p.stderr

    def expect(self, code):
        assert self.code == code, f"exit code {self.code}, not {code}\n{self.out}\n{self.err}"
        return self


def result(*args):
    """The JSON of a run that must work."""
    return json.loads(Run(*args, "--json", "-").expect(0).out)


def table(path):
    """Rows of a list of expectations."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


# libpcap 1.10 does not follow a change of byte order in the middle of a file.
LIBPCAP_REFUSES = {"odd/ng-sections.pcapng"}


def test_capture_to_capture_keeps_every_packet(tmp):
    for name, count, total in table(DATA / "expected.txt"):
        out = tmp / "out.pcap"
        if name in LIBPCAP_REFUSES:
            r = Run("--port", f"pcap:rx={DATA / name}", "--port", f"pcap:tx={out}").expect(1)
            assert name in r.err and "editcap" in r.err, r.err
            assert packets(out) == packets(DATA / name)[:len(packets(out))]
            continue
        r = result("--port", f"pcap:rx={DATA / name}", "--port", f"pcap:tx={out}",
                   "--forward-mode", "io")
        want, got = packets(DATA / name), packets(out)
        assert len(want) == int(count) and sum(len(p) for p, _ in want) == int(total), name
        assert got == want, f"{name}: packets differ"
        assert r["ports"][0]["rx_packets"] == int(count), name
        assert r["ports"][1]["tx_packets"] == int(count), name
        assert r["ports"][1]["tx_bytes"] == int(total), name


def test_one_port_sends_back_out_of_it(tmp):
    out = tmp / "out.pcap"
    result("--port", f"pcap:rx={DATA / 'real.pcap'},tx={out}")
    assert packets(out) == packets(DATA / "real.pcap")


def test_small_buffers_and_bursts_lose_nothing(tmp):
    want = packets(DATA / "real.pcap")
    for burst in (1, 3, 32, 512):
        for size in (256, 2176, 65535):
            out = tmp / "out.pcap"
            result("--port", f"pcap:rx={DATA / 'real.pcap'}", "--port", f"pcap:tx={out}",
                   "--burst", burst, "--mbuf-size", size)
            assert packets(out) == want, f"burst {burst}, rooms of {size}"


def test_two_captures_cross(tmp):
    a, b = tmp / "a.pcap", tmp / "b.pcap"
    result("--port", f"pcap:rx={DATA / 'real.pcap'},tx={a}",
           "--port", f"pcap:rx={DATA / 'big.pcap'},tx={b}", "--nb-cores", 2)
    assert packets(a) == packets(DATA / "big.pcap")
    assert packets(b) == packets(DATA / "real.pcap")


def test_chained_ports_pass_on_to_the_next(tmp):
    out = [tmp / f"{i}.pcap" for i in range(3)]
    result("--port", f"pcap:rx={DATA / 'real.pcap'},tx={out[0]}", "--port", f"pcap:tx={out[1]}",
           "--port", f"pcap:tx={out[2]}", "--port-topology", "chained")
    assert packets(out[1]) == packets(DATA / "real.pcap")
    assert not packets(out[0]) and not packets(out[2])


def test_loop_topology_sends_back(tmp):
    out = [tmp / f"{i}.pcap" for i in range(2)]
    result("--port", f"pcap:rx={DATA / 'real.pcap'},tx={out[0]}", "--port", f"pcap:tx={out[1]}",
           "--port-topology", "loop")
    assert packets(out[0]) == packets(DATA / "real.pcap")
    assert not packets(out[1])


def test_mac_modes_change_addresses_only(tmp):
    want = packets(DATA / "real.pcap")
    for mode in ("mac", "macswap"):
        out = tmp / "out.pcap"
        result("--port", f"pcap:rx={DATA / 'real.pcap'}", "--port", f"pcap:tx={out}",
               "--forward-mode", mode)
        got = packets(out)
        assert len(got) == len(want)
        for (g, _), (w, _) in zip(got, want):
            assert g[12:] == w[12:]
            if mode == "macswap":
                assert g[:12] == w[6:12] + w[:6]
            else:
                assert g[:6] == b"\2\0\0\0\0\1"


def test_rxonly_counts_and_sends_nothing(tmp):
    out = tmp / "out.pcap"
    r = result("--port", f"pcap:rx={DATA / 'real.pcap'}", "--port", f"pcap:tx={out}",
               "--forward-mode", "rxonly")
    assert r["ports"][0]["rx_packets"] == 1244
    assert r["total"]["tx_packets"] == 0
    assert not packets(out)


def test_txonly_makes_valid_packets(tmp):
    out = tmp / "out.pcap"
    r = result("--port", f"pcap:tx={out}", "--forward-mode", "txonly", "--packets", 1000)
    got = packets(out)
    assert len(got) == r["total"]["tx_packets"] == 1000
    for p, _ in got:
        assert len(p) == 60 and p[12:14] == b"\x08\x00"
        total = sum(struct.unpack("!10H", p[14:34]))
        assert (total & 0xffff) + (total >> 16) == 0xffff, "IPv4 header checksum"


def test_packets_option_is_exact(_):
    for n in (1, 31, 1000, 12345):
        r = result("--port", "null:", "--port", "null:", "--packets", n)
        assert r["total"]["rx_packets"] == n, r["total"]
        assert r["total"]["tx_packets"] == n, r["total"]


def test_packets_option_ends_with_streams_that_never_receive(tmp):
    out = tmp / "out.pcap"
    r = result("--port", f"pcap:rx={DATA / 'real.pcap'},loop=0", "--port", f"pcap:tx={out}",
               "--packets", 2000)
    assert r["total"]["rx_packets"] == 2000
    assert packets(out) == (packets(DATA / "real.pcap") * 2)[:2000]
    assert r["ports"][0]["rx_errors"] == 0


def test_capture_to_standard_output_is_a_capture(tmp):
    out = tmp / "out.pcap"
    with open(out, "wb") as f:
        p = subprocess.run([TESTPMD, "--port", f"pcap:rx={DATA / 'real.pcap'}", "--port",
                            "pcap:tx=-"], stdout=f, stderr=subprocess.PIPE, timeout=LIMIT,
                           text=True, check=True)
    assert packets(out) == packets(DATA / "real.pcap")
    assert "average burst" in p.stderr


def test_json_has_what_is_promised(_):
    r = result("--port", "null:size=100", "--port", "null:", "--packets", 6400)
    for i, p in enumerate(r["ports"]):
        assert p["device"] == ("null:size=100", "null:")[i] and p["driver"] == "null"
        for key in ("rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_missed", "rx_errors",
                    "rx_nombuf", "tx_dropped"):
            assert isinstance(p[key], int), key
    assert r["ports"][0]["rx_bytes"] == 3200 * 100
    assert r["ports"][1]["tx_bytes"] == 3200 * 100
    total = r["total"]
    assert total["rx_pps"] > 0 and total["tx_pps"] > 0 and total["duration_s"] > 0
    assert abs(total["rx_pps"] * total["duration_s"] - 6400) < 1
    assert total["cycles_per_packet"] > 0
    assert sum(int(n) * bursts for n, bursts in r["bursts"].items()) == 6400


def test_json_to_a_file_and_where_it_cannot(tmp):
    Run("--port", "null:", "--packets", 32, "--json", tmp / "r.json").expect(0)
    assert json.loads((tmp / "r.json").read_text())["total"]["rx_packets"] == 32
    r = Run("--port", "null:", "--packets", 32, "--json", tmp / "no" / "r.json").expect(1)
    assert "r.json: No such file" in r.err
    r = Run("--port", "null:", "--packets", 32, "--json", "/dev/full").expect(1)
    assert "/dev/full: No space left" in r.err


def test_several_queues_and_threads(_):
    r = result("--port", "null:", "--port", "null:", "--rxq", 4, "--txq", 4, "--nb-cores", 2,
               "--packets", 100000)
    assert r["total"]["rx_packets"] == 100000
    assert r["total"]["tx_packets"] == 100000


def test_more_rx_queues_than_tx_queues_and_the_other_way(_):
    for rxq, txq in ((4, 2), (3, 2), (5, 1), (1, 4), (2, 3)):
        for mode in ("io", "rxonly", "txonly"):
            r = result("--port", "null:", "--port", "null:", "--rxq", rxq, "--txq", txq,
                       "--nb-cores", 3, "--packets", 50000, "--forward-mode", mode)
            assert r["total"]["rx_packets"] == (0 if mode == "txonly" else 50000), r
            assert r["total"]["tx_packets"] == (0 if mode == "rxonly" else 50000), r


def test_instruction_sets_forward_alike(tmp):
    for isa in ("scalar", "avx2", "avx512", "auto"):
        out = tmp / "out.pcap"
        result("--port", f"pcap:rx={DATA / 'real.pcap'}", "--port", f"pcap:tx={out}", "--isa", isa)
        assert packets(out) == packets(DATA / "real.pcap"), isa


def test_duration_ends_it(_):
    r = result("--port", "null:", "--port", "null:", "--duration", "0.3")
    assert 0.3 <= r["total"]["duration_s"] < LIMIT


def test_live_line_and_table(_):
    r = Run("--port", "null:", "--port", "null:", "--duration", "0.5", "--stats-period", "0.2",
            quiet=False).expect(0)
    live = [line for line in r.out.splitlines() if "Mpps" in line and " s |" in line]
    assert len(live) >= 1, r.out
    assert re.search(r"port 0: rx \d+\.\d+ tx \d+\.\d+ Mpps, \d+\.\d+/\d+\.\d+ Gbit/s", live[0])
    assert re.search(r"drops \d+, \d+\.\d+ cycles/packet, burst \d+\.\d+", live[0])
    assert "rx packets" in r.out and "average burst" in r.out


def test_signals_end_it_cleanly(_):
    for sig in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen([TESTPMD, "--port", "null:", "--port", "null:", "--stats-period",
                               "0.1"], stdout=subprocess.PIPE, text=True) as p:
            first = p.stdout.readline()
            p.send_signal(sig)
            rest = p.stdout.read()
            assert p.wait(LIMIT) == 0
        assert "Mpps" in first and "average burst" in rest


WRONG = [
    ([], "no port: give --port DEV"),
    (["--port"], "requires an argument"),
    (["--nonsense"], "unrecognized option"),
    (["stray"], "'stray': options start with --"),
    (["--port", "null:", "--forward-mode", "sideways"], "must be one of io mac macswap"),
    (["--port", "null:", "--port-topology", "ring"], "must be one of paired chained loop"),
    (["--port", "null:", "--burst", "0"], "--burst 0: must be 1 to 512"),
    (["--port", "null:", "--burst", "513"], "must be 1 to 512"),
    (["--port", "null:", "--burst", "many"], "is not a number"),
    (["--port", "null:", "--mbuf-size", "100"], "must be 192 to 65535"),
    (["--port", "null:", "--duration", "soon"], "is not a number of seconds"),
    (["--port", "null:", "--link-wait", "18446744073s"], "is not a number of seconds (2, 0.5, 200ms) up to 3600"),
    (["--port", "null:", "--huge", "3M"], "must be one of auto 1G 2M none"),
    (["--port", "null:", "--isa", "mmx"], "mmx"),
    (["--port", "null:", "--cores", "0-"], "--cores 0-"),
    (["--port", "null:", "--log-level", "loud"], "loud"),
]


def test_wrong_usage_is_named_and_exits_2(_):
    for args, text in WRONG:
        r = Run(*args, quiet=False).expect(2)
        assert text in r.err, f"{args}: {r.err}"
        assert not r.out


FAILING = [
    (["--port", "nul:"], "nul"),
    (["--port", "null:sise=64"], "sise"),
    (["--port", "null:size=1"], "size"),
    (["--port", "pcap:rx=/no/such/file.pcap"], "/no/such/file.pcap"),
    (["--port", "pcap:tx=/no/such/dir/out.pcap"], "/no/such/dir/out.pcap"),
    (["--port", "null:", "--rxq", "65", "--txq", "65"], "must be 1 to 64"),
    (["--port", f"pcap:rx={DATA / 'real.pcap'}", "--rxq", "2", "--txq", "1"],
     "2 RX queues are more than its 1: choose --rxq 1 to 1"),
    (["--port", f"pcap:rx={DATA / 'real.pcap'}", "--rxq", "1", "--txq", "3"],
     "3 TX queues are more than its 1: choose --txq 1 to 1"),
    (["--port", "null:", "--cores", "1000"], "1000"),
    (["--port", "qemu:/no/such/socket,slot=2,ram=/tmp/x"], "/no/such/socket"),
    (["--port", "pci:0000:ff:1f.7"], "pci:0000:ff:1f.7: this machine has no such device"),
]


def test_failures_are_named_and_exit_1(_):
    for args, text in FAILING:
        r = Run(*args)
        assert r.code == (2 if "must be" in text else 1), f"{args}: {r.code}\n{r.err}"
        assert text in r.err, f"{args}: {r.err}"


def test_malformed_captures_never_crash(tmp):
    for name, least, most, end in table(DATA / "malformed" / "expected.txt"):
        out = tmp / "out.pcap"
        out.unlink(missing_ok=True)
        r = Run("--port", f"pcap:rx={DATA / 'malformed' / name}", "--port", f"pcap:tx={out}")
        assert r.code in (0, 1), f"{name}: exit code {r.code}\n{r.err}"
        n = len(packets(out)) if out.exists() and out.stat().st_size else 0
        assert int(least) <= n <= int(most), f"{name}: {n} packets, not {least} to {most}\n{r.err}"
        if end != "any":
            assert (r.code == 1) == (end == "error"), f"{name}: exit code {r.code}\n{r.err}"
        if r.code == 1:
            assert name in r.err, f"{name} is not named: {r.err}"


def test_preload_and_loop_multiply(tmp):
    want = packets(DATA / "real-ns.pcap")
    for preload in (0, 1):
        out = tmp / "out.pcap"
        result("--port", f"pcap:rx={DATA / 'real-ns.pcap'},loop=3,preload={preload}",
               "--port", f"pcap:tx={out}")
        assert packets(out) == want * 3


def test_full_disk_is_a_failure(_):
    with open("/dev/full", "w", encoding="ascii") as full:
        p = subprocess.run([TESTPMD, "--port", "null:", "--packets", "32"], stdout=full, stderr=subprocess.PIPE,
                           timeout=LIMIT, text=True, check=False)
    assert p.returncode == 1 and "standard output: not all could be written" in p.stderr, p
    r = Run("--port", f"pcap:rx={DATA / 'real.pcap'}", "--port", "pcap:tx=/dev/full").expect(1)
    assert "/dev/full" in r.err and "No space left" in r.err, r.err


def test_stats_file_is_there_while_it_runs_and_gone_after(tmp):
    path = tmp / "stats"
    with subprocess.Popen([TESTPMD, "--port", "null:", "--stats-file", path, "--stats-period",
                           "0.1"], stdout=subprocess.PIPE, text=True) as p:
        p.stdout.readline()
        assert path.read_bytes()[:8] == b"PLXSTATS"
        p.send_signal(signal.SIGINT)
        p.stdout.read()
        assert p.wait(LIMIT) == 0
    assert not path.exists()


def test_help_names_every_mode_and_driver(_):
    out = Run("--help").expect(0).out
    for word in ("--port DEV", "macswap", "txonly", "null", "pcap", "--json FILE", "Exit code"):
        assert word in out, word
    assert re.match(r"plx-testpmd \d+\.\d+\.\d+\n", Run("--version").expect(0).out)


def test_device_that_leaves_ends_it_with_1(tmp):
    with qemu.two_nics() as m, \
            subprocess.Popen([TESTPMD, "--port", f"qemu:{m.qtest},slot=2,ram={m.ram}", "--port",
                              f"qemu:{m.qtest},slot=3,ram={m.ram}", "--stats-period", "0.1"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        p.stdout.readline()
        m.stop()
        _, err = p.communicate(timeout=LIMIT)
        assert p.returncode == 1, err
        assert "is gone with its device" in err, err


if __name__ == "__main__":
    sys.exit(tap.run(globals(), *sys.argv[3:]))
