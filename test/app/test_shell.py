#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The shell of plx-testpmd: every command, each error, and changes while packets flow. Prints TAP.

usage: test_shell.py TESTPMD DATA_DIR [SUBSTRING]
"""
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys

import qemu
import tap
import terminal
from captures import packets

TESTPMD, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
LIMIT = 120  # seconds: only a hang takes so long
TWO = ("--port", "null:", "--port", "null:")


class Shell:
    """Commands from a pipe, to the end."""

    def __init__(self, *commands, args=TWO):
        p = subprocess.run([TESTPMD, "-i", *map(str, args)], input="\n".join(commands) + "\n",
                           capture_output=True, timeout=LIMIT, text=True, check=False)
        self.code, self.out, self.err = p.returncode, p.stdout, p.stderr

    def expect(self, code=0):
        assert self.code == code, f"exit code {self.code}, not {code}\n{self.out}\n{self.err}"
        assert code != 0 or not self.err, self.err
        return self


def tables(out):
    """The tables that stop prints: of each its rows, name -> [rx, tx, rx bytes, tx bytes, lost, dropped]."""
    found = []
    for line in out.splitlines():
        if line.startswith("port     rx packets"):
            found.append({})
        row = re.match(r" +(\d+|-) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)  \S", line)
        if row and found:
            found[-1][row[1]] = [int(n) for n in row.groups()[1:]]
    return found


def exact(table, made=0):
    """All that was received was sent or counted as dropped; made: packets that are the program's own."""
    rx, tx, _, _, _, dropped = (sum(column) for column in zip(*table.values()))
    assert rx + made == tx + dropped, table
    assert rx > 0, table
    return rx


# ---- every command, where it works ----

WORKS = [
    ("show port", r"0 +null +started +up +1 +1 +1500 +null:"),
    ("show port 0", r"port 0: null:\n  driver +null"),
    ("show port info all", r"port 1: null:"),
    ("show port 0-1", r"(?s)port 0: null:.*port 1: null:"),
    ("show stats", r"port +rx packets +tx packets"),
    ("show port stats 0", r"port +rx packets +tx packets"),
    ("show queue", r"0 +0 +running +0 +0 +\d+ +running"),
    ("show queue 1", r"\n +1 +0 +running"),
    ("show fwd", r"from +to +rx +tx +dropped +waiting +core"),
    ("show fwd stats all", r"from +to +rx +tx"),
    ("show config", r"mode io \(.*\), topology paired, burst 32, 1 thread, stopped"),
    ("show config rxtx", r"mode io"),
    ("show mempool", r"testpmd +\d+ +\d+ +2176"),
    ("clear stats", ""), ("clear stats 0", ""), ("clear xstats all", ""), ("clear port stats 1", ""),
    ("set burst 64", ""), ("set topology chained", ""), ("set topology loop", ""),
    ("set topology paired", ""), ("set nbcore 2", ""), ("set cores none", ""),
    ("set queue 0 0 core 1", ""), ("set queue 0 0 core any", ""), ("set stats-period 0", ""),
    ("set mtu 0 9000", ""), ("port config mtu all 1500", ""),
    ("port config 0 rxq 2", ""), ("port config all txq 3", ""), ("port config 1 rxd 128", ""),
    ("port config 0,1 txd 128", ""),
    ("port stop 0", ""), ("port start 0", ""), ("port reset all", ""),
    ("port attach null:size=128", r"port 2: null:size=128"),
    ("port detach 2", ""), ("port attach null:", r"port 2: null:"), ("port close 2", ""),
    ("start", ""), ("sleep 20ms", ""), ("stop", r"average burst"),
    ("start tx_first", ""), ("stop", ""), ("start tx_first 3", ""), ("stop", ""),
    ("help", r"  set fwd MODE +"), ("help set vlan", r"  set vlan PORTS strip on\|off"),
    ("? port", r"  port attach DEV"), ("", ""), ("  # nothing", ""), ('set fwd "io"  # quoted', ""),
]


def refusing(word):
    return f"null driver does not support {word}"


# What this driver does not have: the command is understood, and says so.
REFUSED = [
    ("show xstats", "port 0: xstats: null:: the null driver"), ("show port xstats 0", "xstats"),
    ("show rss", refusing("")), ("show port 0 rss-hash", refusing("")),
    ("show registers 0", refusing("a register dump")), ("show port 0 regs", refusing("")),
    ("show descriptors 0 rx 0", refusing("")), ("show descriptors 0 tx 0 0 5", refusing("")),
    ("show eeprom 0", refusing("")), ("show eeprom 0 0 16", refusing("")),
    ("set promisc all on", refusing("promiscuous mode")), ("set promisc 0 off", refusing("")),
    ("set allmulti 1 on", refusing("")),
    ("set mac 0 02:00:00:00:00:01", refusing("setting its MAC")),
    ("mac_addr set 0 02:00:00:00:00:01", refusing("")),
    ("mac_addr add 0 02:00:00:00:00:01", refusing("")),
    ("mac_addr remove 0 02:00:00:00:00:01", refusing("")),
    ("set mcast 0 none", refusing("")), ("set mcast 0 33:33:00:00:00:01", refusing("")),
    ("set vlan 0 strip on", refusing("")), ("vlan set strip off 0", refusing("")),
    ("set vlan all filter 7 on", refusing("")), ("rx_vlan add 7 0", refusing("")),
    ("rx_vlan rm 7 0", refusing("")),
    ("set rss 0 fields ipv4,ipv4-tcp", refusing("")), ("set rss 0 fields all", refusing("")),
    ("set rss 0 key 00ff", refusing("")), ("set rss 0 table 0", refusing("")),
    ("set pause 0 both", refusing("")), ("set speed 0 1000", refusing("")),
    ("set speed 0 auto", refusing("")), ("set fec 0 rs", refusing("")),
    ("set moderation 0 0 1000", refusing("")),
    ("flow create 0 ethertype 0x800 vlan 3 ip 4 src 10.0.0.1 dst 10.0.0.2 proto udp src-port 1 "
     "dst-port 2 queue 0 mark 7", refusing("flow rules")),
    ("flow create 0 src ::1 proto 132 drop", refusing("flow rules")),
    ("flow destroy 0 1", refusing("flow rules")),
    ("port 0 rxq 0 stop", refusing("stopping one RX queue")),
    ("port 0 txq 0 start", ""),
]

WRONG = [
    ("nonsense", "'nonsense': expected start, stop, quit"),
    ("shwo port", "did you mean 'show'?"),
    ("show", "after 'show': expected port, stats, xstats, queue"),
    ("show pot", "'pot': expected port, stats"), ("show pot", "did you mean 'port'?"),
    ("show port inof", "did you mean 'info'?"),
    ("show port 7", "'7': there is no port 7; 'show port' lists them"),
    ("show stats 0,9", "there is no port 9"),
    ("show stats 0-", "expected numbers of ports (0,2-3) or all"),
    ("set fwd macswp", "expected a mode: io mac"), ("set fwd macswp", "did you mean 'macswap'?"),
    ("set fwd io mac", "'mac': nothing more is expected after 'io'"),
    ("set fwd", "after 'fwd': expected MODE"),
    ("set burst 0", "'0': must be 1 to 512"), ("set burst 513", "must be 1 to 512"),
    ("set burst many", "'many': expected a number"),
    ("set promisc 0 of", "'of': expected on, off; did you mean 'on'?"),
    ("set promisc 0", "after '0': expected on, off"),
    ("set mac 0 2:3", "'2:3': expected an Ethernet address"),
    ("set mac 0 02:00:00:00:00:zz", "expected an Ethernet address"),
    ("set mac 0 02:00:00:00:00:011", "expected an Ethernet address"),
    ("set mac 0 02:00:00:00:00:-1", "expected an Ethernet address"),
    ('set mac 0 "02:00:00:00:00: 1"', "expected an Ethernet address"),
    ("set mcast 0 33:33", "expected an Ethernet address"),
    ("set mtu 0 9", "must be 68 to 65517"), ("set topology ring", "expected paired, chained, loop"),
    ("set nbcore 0", "must be 1 to 64"), ("set cores 9999", "9999"), ("set cores 4000", "CPU 4000"),
    ("set cores a", "a"), ("set queue 0 5 core 0", "port 0 has no queue 5"),
    ("set queue 0 0 core 7", "core 7: forwarding threads are numbered 0 to 0"),
    ("set stats-period soon", "expected seconds, or a time with a unit"),
    ("sleep 18446744073s", "up to 1000000000 s"), ("sleep -1", "expected seconds"), ("sleep nan", "expected seconds"),
    ("start tx_first 0", "must be 1 to"), ("stop", "packets are not forwarded"),
    ("help nonsense", "no command begins with 'nonsense'"),
    ("port attach nul:", "did you mean 'null'?"), ("port attach null:sise=3", "sise"),
    ("port attach", "after 'attach': expected DEV"), ("port detach 5", "there is no port 5"),
    ("port start x", "expected"), ("port config 0 rxq 65", "65 RX queues are more than its 64"),
    ("port config 0 rxx 1", "did you mean 'rxq'?"), ("port config 0 rxd 0", "must be 1 to 32768"),
    ("port 0 rxq 3 start", "port 0 has no RX queue 3: it has 1, numbered from 0"),
    ("port 0 txq 9 stop", "port 0 has no TX queue 9"), ("show descriptors 0 rx 4", "port 0 has no RX queue 4"),
    ("set moderation 0 3 1", "port 0 has no RX queue 3"),
    ("set rss 0 fields ipv5", "did you mean 'ipv4'?"), ("set rss 0 key xy", "hexadecimal digits"),
    ("set rss 0 key 123", "two for each byte"), ("set rss 0 table 9", "port 0 has RX queues 0 to 0"),
    ("set rss 0 table a", "'a': port 0 has RX queues"),
    ("set rss 0 table 0,0", "a table of 2 queues, and it has room for 0"),
    ("set pause 0 some", "expected none, rx, tx, both, auto"), ("set speed 0 0", "must be 1 to"),
    ("set fec 0 x", "expected auto, none, baser, rs"), ("set vlan 0 filter 4096 on", "must be 0 to 4095"),
    ("flow create 0 src 10.0.0.1", "not what to do: queue N, drop or mark N"),
    ("flow create 0 src 10.0.0", "expected an IPv4 or IPv6 address"),
    ("flow create 0 src 10.0.0.1 dst ::1 drop", "has an IPv4 address already"),
    ("flow create 0 vlan x drop", "vlan 'x': must be a number, 0 to 65535"),
    ("flow create 0 ip 5 drop", "must be 4 or 6"), ("flow create 0 proto icmpx drop", "0 to 255"),
    ("flow create 0 queue", "after 'queue': expected its value"),
    ("flow create 0 quee 1", "did you mean 'queue'?"), ("flow create 0 mark x", "mark 'x'"),
    ("flow create 0 queue x", "queue 'x'"), ("flow create 0", "after '0': expected WORDS"),
    ('set fwd "io', "the second \" is missing"), ("a " * 41, "more than 40 words"),
]


def test_every_command_works(_):
    for command, wanted in WORKS:
        # what comes before some of them
        before = {"port detach 2": ["port attach null:"], "port close 2": ["port attach null:"],
                  "stop": ["start"], "set queue 0 0 core 1": ["set nbcore 2"]}.get(command, [])
        r = Shell(*before, command).expect()
        assert re.search(wanted, r.out), f"{command}: {r.out}"


def test_all_commands_are_tested(_):
    listed = subprocess.run([TESTPMD, "--commands"], capture_output=True, text=True, check=True).stdout
    tried = [c.split() for c, _ in WORKS + REFUSED + WRONG] + [["quit"], ["set", "corelist", "0"]]
    for line in listed.splitlines():
        syntax = re.split(r"  +", line.strip())[0].split()
        words = [(i, w.split("|")) for i, w in enumerate(syntax) if w[0].islower() or w[0] == "?"]
        assert any(all(len(t) > i and t[i] in w for i, w in words if not (len(w) > 1 and i == 4))
                   for t in tried), f"no test of '{' '.join(syntax)}'"


def test_what_a_driver_lacks_is_said(_):
    r = Shell(*(c for c, _ in REFUSED), "show port").expect(1)
    errors = r.err.splitlines()
    for number, (command, wanted) in enumerate(REFUSED, 1):
        said = [e for e in errors if e.startswith(f"stdin:{number}: ")]
        assert said or not wanted, f"{command}: nothing\n{r.err}"
        assert all(wanted in e for e in said[:1]), f"{command}: {said}"
    assert "started" in r.out, "it goes on to the end"


def test_errors_name_the_word_and_what_was_expected(_):
    r = Shell(*(c for c, _ in WRONG), "show port").expect(1)
    for number, (command, wanted) in enumerate(WRONG, 1):
        said = [e for e in r.err.splitlines() if e.startswith(f"stdin:{number}: ")]
        assert len(said) == 1 and wanted in said[0], f"{command}: {said}, not {wanted}"
    assert "started" in r.out, "it goes on to the end"


# ---- where commands come from ----

def test_nothing_moves_before_start(_):
    r = Shell("sleep 0.1", "show stats", "start", "sleep 0.1", "stop").expect()
    assert re.search(r"\n +0 +0 +0 +0 +0 ", r.out), r.out
    assert exact(tables(r.out)[0]) > 0
    r = Shell("sleep 0.1", "stop", args=TWO + ("--auto-start",)).expect()
    assert exact(tables(r.out)[0]) > 0
    r = Shell("sleep 0.1", args=TWO + ("-a",)).expect()
    assert exact(tables(r.out)[0]) > 0, "the end of input stops it"


def test_last_line_needs_no_newline_and_long_lines_do_no_harm(_):
    for text, code in (("start\nsleep 0.05\nquit", 0), ("show port", 0), ("x" * 10000, 1),
                       ("x " * 5000 + "\nshow port\n", 1), ("\0\0\n\0show\n", 0), ("\xff\n", 1), ("", 0)):
        p = subprocess.run([TESTPMD, "-i", *TWO], input=text.encode("latin-1"), capture_output=True,
                           timeout=LIMIT, check=False)
        assert p.returncode == code, f"{text[:20]!r}: {p.returncode} {p.stderr}"


def test_cmdline_file_and_forwarding(tmp):
    out = tmp / "out.pcap"
    commands = tmp / "commands"
    commands.write_text("# comes first\nset fwd macswap\nset burst 7\n\nshow config\n")
    p = subprocess.run([TESTPMD, "--cmdline-file", commands, "--port", f"pcap:rx={DATA / 'real.pcap'}",
                        "--port", f"pcap:tx={out}"], stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=LIMIT, text=True, check=True)
    assert "mode macswap (" in p.stdout and "burst 7" in p.stdout
    want = packets(DATA / "real.pcap")
    assert [g for g, _ in packets(out)] == [w[6:12] + w[:6] + w[12:] for w, _ in want]


def test_cmdline_file_attaches_ports_and_may_quit(tmp):
    commands = tmp / "commands"
    commands.write_text("port attach null:\nport attach null:\nstart\nsleep 50ms\nquit\nnonsense\n")
    p = subprocess.run([TESTPMD, "--cmdline-file", commands], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=LIMIT, text=True, check=True)
    assert exact(tables(p.stdout)[0]) > 0
    # a run that the file began and ended is not followed by another
    commands.write_text("start\nstop\n")
    p = subprocess.run([TESTPMD, "--cmdline-file", commands, *TWO], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=LIMIT, text=True, check=True)
    assert len(tables(p.stdout)) == 1, p.stdout
    commands.write_text("show port\n")
    p = subprocess.run([TESTPMD, "--cmdline-file", commands], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=LIMIT, text=True, check=False)
    assert p.returncode == 1 and "no port: give --port DEV" in p.stderr, p


def test_cmdline_file_ends_at_an_error_with_its_place(tmp):
    commands = tmp / "commands"
    commands.write_text("set burst 8\n\nset brust 9\nset burst 10\n")
    p = subprocess.run([TESTPMD, "--cmdline-file", commands, *TWO], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=LIMIT, text=True, check=False)
    assert p.returncode == 1 and f"{commands}:3: 'brust': expected" in p.stderr, p.stderr
    assert "average" not in p.stdout
    r = Shell(args=TWO + ("--cmdline-file", tmp))
    assert r.code == 1 and f"--cmdline-file {tmp}: Is a directory" in r.err, r.err
    # with -i the prompt comes all the same
    r = Shell("show config", args=TWO + ("--cmdline-file", commands))
    assert r.code == 1 and "burst 8," in r.out and ":3: 'brust'" in r.err, r.err
    r = Shell(args=TWO + ("--cmdline-file", tmp / "none"))
    assert r.code == 1 and "none: No such file" in r.err, r.err
    # what it has started ends with it
    commands.write_text("start\nsleep 20ms\nnonsense\n")
    p = subprocess.run([TESTPMD, "--cmdline-file", commands, *TWO], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=LIMIT, text=True, check=False)
    assert p.returncode == 1 and exact(tables(p.stdout)[0]) > 0, p
    assert float(re.search(r"(?m)^([\d.]+) s, mode io", p.stdout)[1]) < LIMIT, p.stdout


def test_limits_count_from_each_start(_):
    r = Shell("start", "sleep 0.1", "start", "sleep 0.1", args=TWO + ("--packets", "1000")).expect()
    for table in tables(r.out):
        assert exact(table) == 1000, table
    assert len(tables(r.out)) == 2
    r = Shell("start", "sleep 0.3", "stop", args=TWO + ("--duration", "0.05"))
    assert r.code == 1 and "stdin:3: packets are not forwarded" in r.err, r.err


def test_limits_hold_while_a_command_waits(tmp):
    file = tmp / "r.json"
    Shell("start", "sleep 2", args=TWO + ("--packets", "1000", "--json", file)).expect()
    total = json.loads(file.read_text())["total"]
    assert total["rx_packets"] == 1000 and total["duration_s"] < 1.9, total


def test_json_is_of_the_last_run(tmp):
    file = tmp / "r.json"
    r = Shell("start", "sleep 50ms", "stop", "set fwd rxonly", "start", "sleep 50ms", "quit",
              args=TWO + ("--json", file)).expect()
    last = tables(r.out)[-1]
    got = json.loads(file.read_text())
    assert got["mode"] == "rxonly" and got["total"]["rx_packets"] == last["0"][0] + last["1"][0]
    assert got["total"]["tx_packets"] == 0 and got["total"]["duration_s"] > 0


# ---- changes while packets flow ----

def test_modes_change_at_once(_):
    r = Shell("start", *(line for mode in ("macswap", "rxonly", "io", "txonly", "mac", "csum", "noisy",
                                            "5tswap", "flowgen", "icmpecho", "io")
                         for line in (f"set fwd {mode}", "sleep 20ms", "show config")), "stop").expect()
    seen = re.findall(r"mode (\w+) \(.*forwarding", r.out)
    assert seen == ["macswap", "rxonly", "io", "txonly", "mac", "csum", "noisy", "5tswap", "flowgen",
                    "icmpecho", "io"], seen


def test_accounts_are_exact_after_every_change(_):
    changes = ["set burst 1", "set fwd macswap", "set burst 512", "set nbcore 3", "set topology chained",
               "port attach null:size=100", "port stop 1", "set queue 0 0 core 2", "port start 1",
               "port config 1 rxq 4", "port config 0 txq 2", "port config all rxd 256", "port detach 0",
               "port attach null:size=200", "set topology loop", "port reset all", "port config all rxq 1",
               "set fwd mac", "set nbcore 1", "port detach 2", "port attach null:", "set topology paired",
               "set burst 32"]
    r = Shell("start", *(line for c in changes for line in (c, "sleep 5ms")), "stop").expect()
    table, = tables(r.out)
    assert set(table) == {"0", "1", "2", "-"}, table
    assert exact(table) > 1000
    lost = [row[4] for row in table.values()]
    assert sum(lost) == 0, table


def test_counters_are_cleared_while_packets_flow(_):
    r = Shell("start", "sleep 50ms", "clear stats", "show stats", "sleep 0.3", "show fwd", "stop").expect()
    assert tables(r.out)[0]["0"][0] > 0


ROUNDS = 40  # a capture over and over, so that the changes come before its end


def until_consumed(tmp, commands, *args):
    """Runs commands, and then on until all captures are read and what they had is out."""
    file = tmp / "commands"
    file.write_text("\n".join(commands) + "\n")
    p = subprocess.run([TESTPMD, "--cmdline-file", file, "--stats-period", "0", *map(str, args)],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, text=True, check=False)
    assert p.returncode == 0 and not p.stderr, f"{p.returncode} {p.stdout} {p.stderr}"
    return p.stdout


def test_captures_lose_nothing_whatever_changes(tmp):
    out = [tmp / f"{i}.pcap" for i in range(2)]
    changes = ["set burst 3", "port stop 1", "sleep 2ms", "port start 1", "set nbcore 2", "set queue 0 0 core 1",
               "stop", "start", "set fwd mac", "set fwd io", "set burst 64", "port stop 0", "port start 0"]
    said = until_consumed(tmp, ["start", *changes],
                          "--port", f"pcap:rx={DATA / 'real.pcap'},loop={ROUNDS},tx={out[0]}",
                          "--port", f"pcap:rx={DATA / 'big.pcap'},loop={ROUNDS},tx={out[1]}", "--burst", "1")
    for got, want in ((out[1], "real.pcap"), (out[0], "big.pcap")):
        # mode mac changes addresses
        assert [p[12:] for p, _ in packets(got)] == [p[12:] for p, _ in packets(DATA / want)] * ROUNDS, said


def test_captures_through_rings_lose_nothing_whatever_changes(tmp):
    out = tmp / "out.pcap"
    changes = ["set burst 3", "port stop 3", "set nbcore 2", "port start 3", "set queue 2 0 core 1",
               "set queue 0 0 core 1", "stop", "start", "set burst 64", "set queue 0 0 core 0", "port stop 0",
               "port start 0", "port attach ring:y", "port attach ring:y", "set nbcore 3", "port detach 4,5"]
    said = until_consumed(tmp, ["start", *changes],
                          "--port", f"pcap:rx={DATA / 'real.pcap'},loop={ROUNDS}", "--port", "ring:x",
                          "--port", "ring:x", "--port", f"pcap:tx={out}", "--burst", "1", "--rxd", "64",
                          "--mtu", "65517")
    assert packets(out) == packets(DATA / "real.pcap") * ROUNDS, said


def test_port_that_stops_leaves_its_peers_alone(_):
    r = Shell("set topology chained", "start", "sleep 30ms", "port stop 1", "clear stats", "sleep 0.3",
              "show config", "stop", args=TWO + ("--port", "null:")).expect()
    assert "core 0: 2/0->0/0\n" in r.out, r.out
    table, = tables(r.out)
    assert table["2"][0] > 0 and table["0"][0] == 0 and table["1"] == [0] * 6, table


def test_queues_move_between_threads(_):
    r = Shell("set nbcore 2", "start", *["set queue 0 0 core 1", "set queue 0 0 core 0"] * 50, "show queue",
              "set queue 0 0 core 1", "show config", "stop").expect()
    assert "core 1: 0/0->1/0\n" in r.out, r.out
    exact(tables(r.out)[0])


def test_queues_that_share_a_tx_queue_move_together(_):
    r = Shell("start", "set queue 0 2 core 1", "show config", "stop",
              args=TWO + ("--rxq", 4, "--txq", 2, "--nb-cores", 2)).expect()
    core1 = re.search(r"core 1:(.*)", r.out)[1]
    assert "0/0->1/0" in core1 and "0/2->1/0" in core1 and "0/1->" in re.search(r"(?m)^core.*0/1->.*", r.out)[0]
    exact(tables(r.out)[0])


def test_threads_move_between_cpus(_):
    cpus = sorted(os.sched_getaffinity(0))
    r = Shell("start", f"set cores {cpus[0]}", "show config", f"set corelist {','.join(map(str, cpus[::-1]))}",
              "show queue", "set cores none", "show config", "stop").expect()
    assert f"core 0 on CPU {cpus[0]}:" in r.out, r.out
    assert f"0@{cpus[-1]}" in r.out and "core 0: " in r.out, r.out
    exact(tables(r.out)[0])


def test_fewer_threads_serve_all_queues(_):
    r = Shell("set nbcore 3", "set queue 0 0 core 2", "start", "set nbcore 1", "show config", "stop").expect()
    assert "1 thread, forwarding\ncore 0: 0/0->1/0 1/0->0/0\n" in r.out, r.out


def test_threads_that_cannot_be_had_leave_it_as_it_was(_):
    if b"__asan_init" in pathlib.Path(TESTPMD).read_bytes() or b"__tsan_init" in pathlib.Path(TESTPMD).read_bytes():
        raise tap.Skip("sanitizers need memory of their own")
    with subprocess.Popen([TESTPMD, "-i", *TWO, "--rxq", "64", "--txq", "64"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        p.stdin.write("start\nshow config\n")
        p.stdin.flush()
        p.stdout.readline()
        size = int(re.search(r"VmSize:\s+(\d+)", pathlib.Path(f"/proc/{p.pid}/status").read_text())[1]) * 1024
        # room for the stacks of a few of them
        resource.prlimit(p.pid, resource.RLIMIT_AS, (size + (40 << 20), resource.RLIM_INFINITY))
        out, err = p.communicate("set nbcore 64\nport stop 0\nport start 0\nshow config\nstop\n", timeout=LIMIT)
    assert re.fullmatch(r"stdin:3: cannot start thread \d+: .*\n", err), err
    config = out[out.index("mode io"):]
    assert "1 thread, forwarding" in config and config.count("->") == 128, out


def test_a_stream_that_cannot_begin_leaves_others_alone(tmp):
    file = tmp / "r.json"
    args = TWO + ("--forward-mode", "txonly", "--txpkts", "3000", "--mbuf-size", "4096", "--mtu", "5000")
    r = Shell("start", "port config mtu 1 1500", "port stop 0", "port start 0", "set nbcore 2", "show config",
              "port config mtu 1 5000", "show config", "stop", args=args)
    assert r.code == 1 and r.err.count("\n") == 1 and "stdin:2: --txpkts: a packet of 3000 bytes" in r.err, r.err
    assert re.findall(r"core .*->.*", r.out) == ["core 0: 0/0->0/0", "core 0: 0/0->0/0", "core 1: 1/0->1/0"], r.out
    r = Shell("start tx_first", args=TWO + ("--txpkts", "3000", "--json", file))
    assert r.code == 1 and "give --mbuf-size" in r.err, r.err
    assert json.loads(file.read_text())["total"]["duration_s"] < LIMIT


def test_rates_are_of_the_port_that_is_there(_):
    r = Shell("start", "sleep 20ms", "show stats", "port detach 1", "port attach null:", "sleep 0.2", "show stats",
              "show stats", "stop", args=("--port", "null:", "--port", "null:size=1500")).expect()
    rates = re.findall(r"port +rx pps.*\n((?: +\d.*\n)+)", r.out)
    assert [re.findall(r"(?m)^ +(\d)", x) for x in rates] == [["0"], ["0", "1"]], r.out


def test_ports_come_and_go_again_and_again(_):
    lines = []
    for _ in range(30):
        lines += ["port attach null:", "port detach 0", "port attach null:size=90", "port detach 2"]
    r = Shell("start", *lines, "show mempool", "stop").expect()
    exact(tables(r.out)[0])
    assert re.findall(r"port \d: null", r.out), r.out
    # a pool of its own was made once, and used again and again
    assert len(re.findall(r"(?m)^port \d +\d+ +\d+ +2176", r.out)) <= 2, r.out


def test_sizes_that_do_not_work_leave_it_as_it_was(_):
    r = Shell("start", "port config 0 rxq 65", "port config all rxd 40000", "show port", "sleep 20ms", "stop")
    assert r.code == 1 and re.search(r"0 +null +started +up +1 ", r.out), r.out
    exact(tables(r.out)[0])


def test_changes_with_two_nics(_):
    """Packets go round between two e1000e on one wire; what QEMU's wire loses, nobody counts."""
    with qemu.two_nics() as m:
        args = [x for slot in (2, 3) for x in ("--port", f"qemu:{m.qtest},slot={slot},ram={m.ram}")]
        r = Shell("show port", "show registers 0", "show xstats 0", "set topology loop", "start tx_first 1",
                  "sleep 0.2", "show descriptors 0 rx 0 0 4", "show descriptors 1 tx 0 250 40",
                  "set burst 4", "set fwd macswap", "set promisc all off", "set promisc all on",
                  "set mac 0 02:00:00:00:00:07", "show port 0", "set mtu 0 9000", "sleep 1", "set mtu 0 1400", "set allmulti 0 on", "set vlan 0 strip on",
                  "set vlan 0 filter 5 on", "set vlan 0 filter 5 off", "set mcast 0 33:33:00:00:00:01",
                  "port stop 0", "port start 0", "sleep 1.5", "port reset 1", "sleep 1.5",
                  "set nbcore 2", "port config 0 rxd 128", "sleep 1", "show queue", "stop", args=args)
        r.expect()
    assert r.err == "" and "02:00:00:00:00:07" in r.out and "CTRL" in r.out, r.out
    assert re.search(r"\n +0 +(device|software|done) +[0-9a-f]{16}", r.out), r.out
    rx, tx, _, _, _, dropped = (sum(c) for c in zip(*tables(r.out)[0].values()))
    # what tx_first sent is not received before; all else is
    assert 0 < rx <= tx + dropped <= rx + 2 * 32, tables(r.out)


def test_rss_of_a_nic(_):
    with qemu.two_nics() as m:
        r = Shell("start", "set rss 0 fields ipv4,tcp", "set rss 0 table 1,0", "set rss 0 key " + "ab" * 40,
                  "show rss", "port config 0 rxd 128", "show rss 0", "port config 0 rxq 1", "show rss 0",
                  "set rss 0 fields none", "show rss", "set rss 0 table 1", "set rss 0 key ab",
                  "set rss 0 fields udp", "stop",
                  args=("--port", f"qemu:{m.qtest},slot=2,ram={m.ram}", "--rxq", 2, "--txq", 2, "--nb-cores", 2))
    shown = re.findall(r"port 0: RSS fields (.*)\n  key +(\w+)\n  table +([\d ]+)", r.out)
    assert shown[0][:2] == ("ipv4 ipv4-tcp ipv6-tcp", "ab" * 40) and shown[0][2].startswith("1 0 1 0"), shown
    # set up again: as it was; with other queues: spread over those
    assert shown[1] == shown[0] and shown[2][:2] == shown[0][:2] and set(shown[2][2]) == {"0", " "}, shown
    assert shown[3][0] == "none", shown
    said = r.err.splitlines()
    assert r.code == 1 and len(said) == 3, said
    assert "stdin:12: '1': port 0 has RX queues 0 to 0" in said[0], said
    assert "stdin:13:" in said[1] and "stdin:14:" in said[2] and "cannot hash" in said[2], said


def test_device_that_leaves_does_not_end_the_shell(_):
    with qemu.two_nics() as m, \
            subprocess.Popen([TESTPMD, "-i", "-a", "--port", f"qemu:{m.qtest},slot=2,ram={m.ram}", *TWO],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True) as p:
        p.stdin.write("sleep 0.1\nshow port\n")
        p.stdin.flush()
        while "null" not in p.stdout.readline():
            pass
        m.stop()
        out, err = p.communicate("sleep 0.3\nshow port\nport reset 0\nport detach 0\nsleep 0.1\nstop\n",
                                 timeout=LIMIT)
    assert "port 0 (qemu:" in err and "is gone with its device" in err, err
    assert " failed " in out and "average burst" in out, out


# ---- on a terminal ----

def shell_on_terminal(*args, **how):
    terminal.need()
    if not has_editing():
        raise tap.Skip("built without libedit")
    return terminal.Terminal(TESTPMD, "-i", *args, **how)


def has_editing():
    return b"em-inc-search-prev" in pathlib.Path(TESTPMD).read_bytes()


def test_terminal_completes_words_ports_and_modes(_):
    with shell_on_terminal(*TWO) as t:
        for typed, wanted in (("sho\t", "show "), ("set fw\tmacs\t", "set fwd macswap "),
                              ("sta\t", "start"), ("set prom\t0 of\t", "set promisc 0 off "),
                              ("por\tatt\t", "port attach "), ("set topology p\t", "set topology paired ")):
            t.ready()
            t.type(typed)
            t.until(lambda w=wanted: t.prompt() == w.rstrip(), f"{typed!r} does not become {wanted!r}")
            t.type("\x15")
        t.ready()
        t.type("show port \t\t")
        t.expect("0  1  all  info  stats  xstats")
        t.until(lambda: t.prompt() == "show port", "the line is drawn again")
        t.type("\x15nonsense \t\x15quit\n")
        t.end()


def test_terminal_has_history_and_says_errors_plainly(_):
    with shell_on_terminal(*TWO) as t:
        t.say("set burst 17").say("set brust 3")
        t.expect("\n'brust': expected").expect("did you mean 'burst'?")
        t.type("\x1b[A\x1b[A")
        t.until(lambda: t.prompt() == "set burst 17", "the line before the last")
        t.type("\x7f\x7f21\n")
        t.ready().say("show config").expect("burst 21,")
        t.type("\x12burst 17")
        t.until(lambda: "set burst 17" in t.lines()[t.screen.cursor.y], "a search backwards")
        t.type("\x15\x15")
        t.type("\n")
        t.ready().type("\x04")
        t.end()


def test_terminal_table_stays_above_what_is_typed(_):
    with shell_on_terminal(*TWO, "--stats-period", "0.1", "--rxq", "2", "--txq", "2") as t:
        t.say("start")
        t.until(lambda: re.search(r"mode io, forwarding: rx \d+\.\d+", t.lines()[0]), "no table")
        t.type("show que")
        rows = t.lines()[:6]
        t.until(lambda: t.lines()[2] != rows[2] and t.lines()[5] != rows[5], "the rates do not move")
        assert t.prompt() == "show que", t.lines()
        assert re.match(r"port +queue +core +rx pps +tx pps +rx Mbit/s +tx Mbit/s +drops/s +cycles/packet",
                        t.lines()[1]), t.lines()
        assert [line.split()[:2] for line in t.lines()[2:6]] == [["0", "0"], ["0", "1"], ["1", "0"], ["1", "1"]]
        t.type("ue\n")
        t.ready().say("help")
        assert "mode io" in t.lines()[0] and t.prompt() == "", t.lines()
        t.say("set stats-period 0").say("set stats-period 0.1").say("port attach null:")
        t.until(lambda: t.lines()[6].split()[:2] == ["2", "0"], "the third port has no row")
        t.type("quit\n")
        t.expect("average burst").end()


def test_terminal_may_be_resized(_):
    with shell_on_terminal(*TWO, "--stats-period", "0.05", "-a") as t:
        t.ready().type("set bur")
        for rows, columns in ((40, 140), (12, 50), (6, 19), (24, 80)):
            t.resize(rows, columns)
            t.read(0.3)
        t.until(lambda: "mode io" in t.lines()[0] and t.prompt() == "set bur", "table and prompt")
        assert all(len(line) <= 80 for line in t.lines())
        t.type("st 9\n")
        t.ready().say("show config").expect("burst 9,")
        t.type("quit\n")
        t.end()


def test_terminal_without_shell_has_the_table_and_ends_with_ctrl_c(_):
    terminal.need()
    with terminal.Terminal(TESTPMD, *TWO, "--stats-period", "0.1") as t:
        t.until(lambda: re.search(r"mode io, forwarding: rx [1-9]", t.lines()[0]), "no table")
        t.type("\x03")
        t.expect("average burst").end()


def test_terminal_shell_ends_with_ctrl_c_and_stops(_):
    with shell_on_terminal(*TWO, "-a") as t:
        t.ready().type("half a li\x03")
        t.expect("average burst").end()


def test_signal_ends_a_pipe(_):
    with subprocess.Popen([TESTPMD, "-i", "-a", *TWO], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as p:
        p.stdin.write("sleep 0.05\nshow port\nsleep 1000\n")
        p.stdin.flush()
        p.stdout.readline()
        p.send_signal(signal.SIGTERM)
        out = p.stdout.read()
        assert p.wait(LIMIT) == 0 and "average burst" in out


if __name__ == "__main__":
    sys.exit(tap.run(globals(), *sys.argv[3:]))
