#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""plx-stats beside running, stopped and killed programs, and with files that lie. Prints TAP.

usage: test_stats.py PLX_STATS TESTPMD DATA_DIR [SUBSTRING]
"""
import contextlib
import errno
import fcntl
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import pty
import random
import re
import signal
import struct
import subprocess
import sys
import termios
import time

import tap

STATS, TESTPMD, DATA = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
LIMIT = 60  # seconds: only a hang takes so long
NOBODY = 65534


def stats(*args, code=0, **more):
    """One run of plx-stats to its end."""
    p = subprocess.run([STATS, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=LIMIT, text=True, check=False, **more)
    assert p.returncode == code, f"exit code {p.returncode}, not {code}\n{p.stdout}\n{p.stderr}"
    assert "Traceback" not in p.stderr, p.stderr
    return p


def shown(*args):
    """The programs of `plx-stats show --json`."""
    return json.loads(stats("show", "--json", *args).stdout)["programs"]


@contextlib.contextmanager
def testpmd(*args, stdin=subprocess.DEVNULL):
    """A testpmd that forwards by now; it is killed at the end if it still runs."""
    with subprocess.Popen([TESTPMD, *map(str, args), "--stats-period", "0.02"], text=True,
                          stdin=stdin, stdout=subprocess.PIPE) as p:
        try:
            p.stdout.readline()
            yield p
        finally:
            p.kill()
            p.stdout.read()


def end(p, sig=signal.SIGINT):
    p.send_signal(sig)
    p.stdout.read()
    return p.wait(LIMIT)


def totals(program):
    """Sums of each counter over a program's objects, by kind of queue."""
    out = {"rxq": {}, "txq": {}}
    for o in program["objects"]:
        sums = out[re.search(r" (rxq|txq)\d+$", o["name"]).group(1)]
        for name, value in o["counters"].items():
            sums[name] = sums.get(name, 0) + value
    return out


TWO = ("--port", "null:size=64", "--port", "null:size=100", "--rxq", 2, "--txq", 2)


def test_program_without_a_file_is_found(_):
    with testpmd(*TWO) as p:
        row = [line.split() for line in stats("list").stdout.splitlines()]
        mine = [r for r in row if r[0] == str(p.pid)]
        assert len(mine) == 1, row
        assert mine[0][1] == "running" and mine[0][4:6] == ["8", "plx-testpmd"], mine
        found, = shown(p.pid)
        assert [o["name"] for o in found["objects"]] == [
            f"null:size={size} {kind}q{i}" for size in (64, 100) for kind in ("rx", "tx")
            for i in (0, 1)]
        for o in found["objects"]:
            assert o["counters"]["packets"] > 0 and "reserved7" not in o["counters"], o
        assert [o["name"] for o in shown(mine[0][6])[0]["objects"]] == \
            [o["name"] for o in found["objects"]]
        assert end(p) == 0
    r = stats("show", p.pid, code=1)
    assert f"process {p.pid}: there is none" in r.stderr


def test_show_is_a_table_with_a_line_a_port(_):
    with testpmd(*TWO) as p:
        p.send_signal(signal.SIGSTOP)
        out, found = stats("show", p.pid).stdout, shown(p.pid)[0]
        p.send_signal(signal.SIGCONT)
    lines = out.splitlines()
    assert lines[0].startswith(f"plx-testpmd, process {p.pid}, since "), lines[0]
    assert lines[0].endswith(": running")
    tables = {line.split("  ")[0]: line.split()[2:] for line in lines[1:] if line.startswith("null")}
    for o in found["objects"]:
        assert tables[o["name"]] == [str(v) for v in o["counters"].values()]
    for size in (64, 100):
        queues = [o["counters"]["packets"] for o in found["objects"]
                  if o["name"].startswith(f"null:size={size} rxq")]
        assert tables[f"null:size={size} rxq*"][0] == str(sum(queues))


def test_filter_counter_sort_and_all(_):
    with testpmd("--port", "null:", "--port", "null:", "--rxq", 3, "--txq", 3) as p:
        found, = shown(p.pid, "--filter", "* rxq[12]", "--counter", "packets")
        assert [o["name"] for o in found["objects"]] == ["null: rxq1", "null: rxq2"] * 2
        assert all(list(o["counters"]) == ["packets"] for o in found["objects"])
        found, = shown(p.pid, "--all")
        assert "reserved7" in found["objects"][0]["counters"]
        out = stats("show", p.pid, "--sort", "packets", "--counter", "packets", "--filter",
                    "*rxq*").stdout
        values = [int(line.split()[-1]) for line in out.splitlines() if line.startswith("null")]
        assert values == sorted(values, reverse=True) and len(values) == 8, out
        # two ports of one name are told apart
        assert "null: #2 rxq1" in out
        out = stats("show", p.pid, "--sort", "name").stdout
        names = [line.split("  ")[0] for line in out.splitlines() if re.search(r"rxq\d", line)]
        assert names == sorted(names) and len(names) == 6, names


def test_watch_agrees_with_what_testpmd_says_in_the_end(tmp):
    """With -i the end of the first capture ends nothing; the second has no end."""
    result = tmp / "r.json"
    with testpmd("-i", "-a", "--port", f"pcap:rx={DATA / 'real.pcap'}", "--port", "null:",
                 "--port", f"pcap:rx={DATA / 'big.pcap'},loop=0", "--port", "null:",
                 "--json", result, stdin=subprocess.PIPE) as p:
        lines = []
        with subprocess.Popen([STATS, "--json", "--interval", "0.1", str(p.pid)], text=True,
                              stdout=subprocess.PIPE) as w:
            while len(lines) < 2 or not any(o["counters"]["packets"] == 1244 and "real" in o["name"]
                                            for o in lines[-1]["programs"][0]["objects"]):
                lines.append(json.loads(w.stdout.readline()))
            p.stdin.write("quit\n")
            p.stdin.flush()
            p.stdout.read()
            assert p.wait(LIMIT) == 0
            lines += [json.loads(line) for line in w.stdout]
            assert w.wait(LIMIT) == 0
    final = json.loads(result.read_text())
    assert lines[-1]["programs"][0]["state"] == "ended", lines[-1]
    names = [q["device"] for q in final["ports"]]
    # ports close one after the other
    before = [x for x in lines if f"{names[0]} rxq0" in
              [o["name"] for o in x["programs"][0]["objects"]]]
    last = {o["name"]: o["counters"] for o in before[-1]["programs"][0]["objects"]}
    assert last[f"{names[0]} rxq0"]["packets"] == final["ports"][0]["rx_packets"] == 1244
    assert last[f"{names[0]} rxq0"]["bytes"] == final["ports"][0]["rx_bytes"]
    seen = 0
    for line in before:
        for o in line["programs"][0]["objects"]:
            now = o["counters"]["packets"]
            if o["name"] == f"{names[2]} rxq0":
                assert seen <= now <= final["ports"][2]["rx_packets"]
                seen = now
                assert o["rates"]["packets"] >= 0


def test_stopped_program_is_read_without_its_help(tmp):
    """What a stopped testpmd has counted so far, and what it says itself at the end."""
    with testpmd("--port", "null:size=80", "--port", "null:size=80",
                 "--json", tmp / "r.json") as p:
        p.send_signal(signal.SIGSTOP)
        first, second = shown(p.pid)[0], shown(p.pid)[0]
        assert first["objects"] == second["objects"] and first["state"] == "running"
        sums = totals(first)
        assert sums["rxq"]["bytes"] == 80 * sums["rxq"]["packets"] > 0
        p.send_signal(signal.SIGCONT)
        assert end(p) == 0
    final = json.loads((tmp / "r.json").read_text())["total"]
    assert sums["rxq"]["packets"] <= final["rx_packets"]
    assert sums["txq"]["packets"] <= final["tx_packets"]


def test_killed_program_leaves_what_it_counted(tmp):
    path = tmp / "t.stats"
    with testpmd(*TWO, "--stats-file", path) as p:
        assert shown(path)[0]["pid"] == p.pid
        assert shown(p.pid)[0]["file"] == str(path)
        p.send_signal(signal.SIGSTOP)
        before = shown(path)[0]["objects"]
        assert end(p, signal.SIGKILL) == -signal.SIGKILL
    found, = shown(path)
    assert found["state"] == "crashed" and found["pid"] == p.pid
    assert found["objects"] == before
    for command in ("show", "watch"):   # watch: nothing will change, so it ends
        out = stats(command, path).stdout
        assert "has ended without closing its statistics: killed, or crashed" in out, out
        assert "null:size=64 rxq0" in out
    listed, = json.loads(stats("list", "--json", tmp).stdout)["programs"]
    assert listed["state"] == "crashed" and listed["file"] == str(path)
    assert "crashed" in stats("list", tmp).stdout


def test_watch_outlives_a_program_that_is_killed(_):
    """Without a file of its own, too: the reader has the memory open."""
    with testpmd(*TWO) as p, subprocess.Popen([STATS, "--interval", "0.1", str(p.pid)], text=True,
                                              stdout=subprocess.PIPE) as w:
        w.stdout.readline()
        p.kill()
        p.stdout.read()
        p.wait(LIMIT)
        out = w.stdout.read()
        assert w.wait(LIMIT) == 0
    last = out[out.rindex("plx-testpmd, process"):]
    assert "killed, or crashed" in last and "null:size=64 rxq0" in last, last


def test_program_that_ends_while_watched(tmp):
    for more, path in ((), "-"), (("--stats-file", tmp / "f.stats"), tmp / "f.stats"):
        with testpmd(*TWO, *more) as p, subprocess.Popen(
                [STATS, "--interval", "0.1", str(p.pid if path == "-" else path)], text=True,
                stdout=subprocess.PIPE) as w:
            w.stdout.readline()
            assert end(p) == 0
            out = w.stdout.read()
            assert w.wait(LIMIT) == 0
        last = out[out.rindex("plx-testpmd, process"):]
        assert last.split("\n")[0].endswith(": has ended") and "rxq0" in last, last


def test_several_programs_at_once(tmp):
    with testpmd("--port", "null:size=70") as a, \
            testpmd("--port", "null:size=71", "--stats-file", tmp / "b.stats") as b, \
            testpmd("--port", "null:size=72") as c:
        pids = {p["pid"] for p in shown()}
        assert {a.pid, b.pid, c.pid} <= pids
        out = stats("--count", 1, "--interval", "0.05", a.pid, tmp / "b.stats", c.pid).stdout
        for size in (70, 71, 72):
            assert f"null:size={size} rxq0" in out
        line = json.loads(stats("--json", "--count", 1, "--interval", "0.05", c.pid, a.pid).stdout)
        assert [p["pid"] for p in line["programs"]] == [c.pid, a.pid]
        # one that is wrong does not keep the others from being shown
        r = stats("show", a.pid, tmp / "none", code=1)
        assert "null:size=70 rxq0" in r.stdout and "none: No such file" in r.stderr


def test_watch_sees_programs_that_start_later(_):
    with testpmd("--port", "null:size=70") as a, subprocess.Popen(
            [STATS, "watch", "--json", "--interval", "0.1"], text=True,
            stdout=subprocess.PIPE) as w:
        w.stdout.readline()
        with testpmd("--port", "null:size=71") as b:
            until = time.monotonic() + LIMIT
            while time.monotonic() < until:
                pids = {p["pid"] for p in json.loads(w.stdout.readline())["programs"]}
                if {a.pid, b.pid} <= pids:
                    break
            assert {a.pid, b.pid} <= pids
        w.send_signal(signal.SIGINT)
        w.stdout.read()
        assert w.wait(LIMIT) == 0


def test_delta_counts_from_its_own_start(_):
    with testpmd("--port", "null:") as p:
        whole = shown(p.pid)[0]["objects"][0]["counters"]["packets"]
        p.send_signal(signal.SIGSTOP)
        line = json.loads(stats("--json", "--delta", "--count", 1, "--interval", "0.05",
                                p.pid).stdout)
        o = line["programs"][0]["objects"][0]
        assert whole > 0 and o["counters"]["packets"] == 0 and o["rates"]["packets"] == 0
        p.send_signal(signal.SIGCONT)


def test_another_users_program_and_file(tmp):
    if os.geteuid() != 0:
        raise tap.Skip("needs root to be two users")
    tmp.chmod(0o755)
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    if not os.access(STATS, os.X_OK) or subprocess.run(
            [STATS, "--version"], capture_output=True, check=False, **as_nobody).returncode != 0:
        raise tap.Skip("an ordinary user cannot run the program where it lies")
    with testpmd("--port", "null:", "--stats-file", tmp / "t.stats") as p:
        r = stats("show", p.pid, code=1, **as_nobody)
        assert f"process {p.pid}: permission denied: it is of user root" in r.stderr, r.stderr
        r = stats("show", tmp / "t.stats", code=1, **as_nobody)
        assert "t.stats: permission denied: the file is of user root" in r.stderr, r.stderr
        r = stats("show", code=1, **as_nobody)
        assert "no Pollux program is running as this user" in r.stderr, r.stderr


WRONG = [
    (["--interval", "0"], "must be 0.01 to 86400"),
    (["--interval", "nan"], "must be 0.01 to 86400"),
    (["--count", "0"], "must be 1 or more"),
    (["--count", "x"], "invalid"),
    (["--nonsense"], "--nonsense"),
    (["list", "--sort", "x"], "--sort"),
]


def test_wrong_usage_exits_2(_):
    for args, text in WRONG:
        r = stats(*args, code=2)
        assert text in r.stderr, f"{args}: {r.stderr}"


def test_what_is_no_statistics_file(tmp):
    (tmp / "empty").write_bytes(b"")
    os.mkfifo(tmp / "fifo")
    (tmp / "zeros").write_bytes(bytes(4096))
    for name, text in (("none", "No such file or directory"), ("empty", "it has 0 bytes"),
                       ("fifo", "it is no regular file"), ("zeros", "does not begin with PLXSTATS"),
                       (".", "it is no regular file")):
        for command in ("show", "watch", "list"):
            if command != "list" or name != ".":
                assert text in stats(command, tmp / name, code=1).stderr, name


# --- files that lie: in this process, so that there is time for many ------------------------------

def load():
    """plx-stats as a module."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("plx_stats", STATS)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("plx_stats", loader))
    loader.exec_module(module)
    return module


def survives(module, path):
    """`show` on the file: its exit code; an exception but SystemExit fails the test."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = module.main(["show", str(path)])
    assert code in (0, 1) and (code == 0 or str(path) in err.getvalue()), (code, err.getvalue())
    text = out.getvalue() + err.getvalue()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), "control characters"
    return code, err.getvalue()


def left_file(tmp):
    """Bytes of a file with two ports that a killed testpmd left, up to its end and a line more."""
    path = tmp / "t.stats"
    with testpmd("--port", "null:", "--port", "null:", "--stats-file", path) as p:
        end(p, signal.SIGKILL)
    data = path.read_bytes()
    used, = struct.unpack_from("=Q", data, 80)
    return data[:used + 64], used


def test_every_length_of_a_truncated_file(tmp):
    data, used = left_file(tmp)
    module, path = load(), tmp / "cut"
    for n in range(len(data)):
        path.write_bytes(data[:n])
        code, err = survives(module, path)
        assert code == (1 if n < used else 0), n
        assert n >= used or "no statistics file" in err or "is cut short" in err, (n, err)


def test_every_byte_changed(tmp):
    data, used = left_file(tmp)
    module, path, codes = load(), tmp / "bad", set()
    rng = random.Random(1)
    for at in range(used):
        bad = bytearray(data)
        bad[at] ^= rng.randrange(1, 256)
        path.write_bytes(bad)
        codes.add(survives(module, path)[0])
    assert codes == {0, 1}


def test_words_that_matter_take_any_value(tmp):
    data, used = left_file(tmp)
    module, path = load(), tmp / "bad"
    words = list(range(8, 24, 4)) + list(range(80, 88, 4)) + list(range(128, 160, 4))
    for at in words:
        for value in (0, 1, 63, 64, 65, 127, 128, 4096, 4097, 2**20, 2**20 + 64, 2**31 - 1, 2**31,
                      2**32 - 64, 2**32 - 1, used):
            bad = bytearray(data)
            struct.pack_into("=I", bad, at, value)
            path.write_bytes(bad)
            survives(module, path)


def test_names_cannot_steer_a_terminal(tmp):
    data, _ = left_file(tmp)
    path = tmp / "bad"
    path.write_bytes(data.replace(b"null:", b"\x1b[2J\x07").replace(b"packets", b"\xc2\x9b\xff\xe2\x80\xaea"))
    code, _ = survives(load(), path)
    assert code == 0


def test_record_that_never_stops_changing_is_left_out(tmp):
    data, _ = left_file(tmp)
    bad, path = bytearray(data), tmp / "odd"
    struct.pack_into("=I", bad, 128 + 4, 7)
    path.write_bytes(bad)
    found, = shown(path)
    assert [o["name"] for o in found["objects"]] == ["null: txq0", "null: rxq0", "null: txq0"]


def test_file_cut_short_while_it_is_watched(tmp):
    data, _ = left_file(tmp)
    path = tmp / "cut.stats"
    # of a process that runs: this one
    bad = bytearray(data)
    with open("/proc/self/stat", encoding="ascii") as f:
        ticks = int(f.read().rpartition(")")[2].split()[19])
    struct.pack_into("=I", bad, 16, os.getpid())
    struct.pack_into("=Q", bad, 24, ticks)
    path.write_bytes(bad)
    with subprocess.Popen([STATS, "--interval", "0.05", str(path)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as w:
        w.stdout.readline()
        os.truncate(path, 200)
        _, err = w.communicate(timeout=LIMIT)
    assert w.returncode == 1 and "is cut short" in err and "Traceback" not in err, err


# --- terminals and pipes -------------------------------------------------------------------------

class Terminal:
    """plx-stats on a pseudo terminal."""

    def __init__(self, *args, rows=24, columns=200):
        self.fd, tty = pty.openpty()
        self.size(rows, columns)
        self.process = subprocess.Popen(
            [STATS, *map(str, args)], stdin=tty, stdout=tty, stderr=tty, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"})
        os.close(tty)
        self.text = ""

    def size(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, pattern):
        """Reads on until the text since the last call has the pattern; returns that text."""
        begin = time.monotonic()
        while not (found := re.search(pattern, self.text, re.S)):
            assert time.monotonic() < begin + LIMIT, f"no {pattern} in {self.text!r}"
            signal.alarm(LIMIT)   # a read that waits for ever fails the test program
            try:
                data = os.read(self.fd, 65536)
            except OSError as err:   # all of the other side is closed
                assert err.errno == errno.EIO
                data = b""
            assert data, f"ended without {pattern}: {self.text!r}"
            self.text += data.decode()
        text, self.text = self.text[:found.end()], self.text[found.end():]
        return text

    def close(self, code):
        with contextlib.suppress(OSError):
            while os.read(self.fd, 65536):
                pass
        got = self.process.wait(LIMIT)
        os.close(self.fd)
        assert got == code, f"exit code {got}"


def test_live_table_on_a_terminal(_):
    with testpmd(*TWO) as p:
        t = Terminal("--interval", "0.1", p.pid)
        first = t.until(r"\x1b\[H\x1b\[2J.*?\x1b\[J")
        assert "packets      /s" in first.replace("-", "") or "/s" in first
        second = t.until(r"\x1b\[H(?!\x1b\[2J).*?\x1b\[J")   # drawn over, not cleared
        assert re.search(r"null:size=64 rxq\*( +\S+){10}", second), second
        t.size(24, 80)          # smaller: rates alone, nothing wraps
        small = t.until(r"\x1b\[2J.*?\x1b\[J")
        small = small[small.rindex("\x1b[2J"):]
        assert "packets/s" in small, small
        lines = [re.sub(r"\x1b\[\d*[A-Z]", "", x) for x in small.split("\r\n")]
        assert max(map(len, lines)) < 80, lines
        t.size(8, 80)           # lower: cut, and says so
        low = t.until(r"lines more.*?\x1b\[J")
        low = low[low.rindex("\x1b[2J"):]
        assert low.count("\r\n") <= 7, low
        os.write(t.fd, b"\x03")
        t.close(0)


def test_terminal_smaller_than_anything(_):
    with testpmd("--port", "null:") as p:
        for rows, columns in ((1, 1), (2, 3), (0, 0)):
            t = Terminal("--interval", "0.05", "--count", 2, p.pid, rows=rows, columns=columns)
            t.close(0)


def test_signals_end_it(_):
    with testpmd("--port", "null:") as p:
        for sig in (signal.SIGINT, signal.SIGTERM):
            with subprocess.Popen([STATS, "--interval", "0.05", str(p.pid)], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as w:
                w.stdout.readline()
                w.send_signal(sig)
                _, err = w.communicate(timeout=LIMIT)
                assert w.returncode == 0 and not err, err


def test_closed_pipe_ends_it_silently(_):
    with testpmd("--port", "null:") as p:
        for more in ((), ("--json",)):
            with subprocess.Popen([STATS, "--interval", "0.05", *more, str(p.pid)], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as w:
                w.stdout.readline()
                w.stdout.close()
                err = w.stderr.read()
                assert w.wait(LIMIT) == -signal.SIGPIPE and not err, err


def test_full_disk_is_said(_):
    with testpmd("--port", "null:") as p, open("/dev/full", "w", encoding="ascii") as full:
        r = subprocess.run([STATS, "show", str(p.pid)], stdout=full, stderr=subprocess.PIPE,
                           text=True, timeout=LIMIT, check=False)
        assert r.returncode == 1 and r.stderr == "plx-stats: No space left on device\n", r.stderr


if __name__ == "__main__":
    sys.exit(tap.run(globals(), *sys.argv[4:]))
