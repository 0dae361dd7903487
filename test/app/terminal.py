# SPDX-License-Identifier: BSD-3-Clause
"""A program on a terminal of its own, and what its screen shows (pyte)."""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

import tap

sys.path.append("/usr/lib/python3/dist-packages")  # pyte of Debian, for a python3 that is another
try:
    import pyte
except ImportError:
    pyte = None

LIMIT = 60  # seconds: only a hang takes so long


def need():
    """Skips the test where there can be no terminal."""
    if pyte is None:
        raise tap.Skip("pyte is not installed")


class Terminal:
    """Runs a command; with type() and expect() it is used as a person would."""

    def __init__(self, *cmd, rows=24, columns=120):
        self.screen = pyte.HistoryScreen(columns, rows, history=10000)
        self.stream = pyte.ByteStream(self.screen)
        self.code = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.environ["HOME"] = "/nonexistent"
            os.execv(cmd[0], [str(c) for c in cmd])
        self.resize(rows, columns)

    def resize(self, rows, columns):
        """The window has another size now."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def read(self, seconds):
        """Takes in what is printed until then, or until the program ends."""
        until = time.monotonic() + seconds
        while self.code is None and (left := until - time.monotonic()) > 0:
            if not select.select([self.fd], [], [], left)[0]:
                continue
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if data:
                self.stream.feed(data)
            else:
                self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def lines(self):
        """The screen's rows."""
        return [row.rstrip() for row in self.screen.display]

    def text(self):
        """What was ever there: rows that went out at the top, and the screen."""
        above = ["".join(row[x].data for x in range(self.screen.columns)).rstrip()
                 for row in self.screen.history.top]
        return "\n".join(above + self.lines())

    def type(self, text):
        """Presses keys."""
        os.write(self.fd, text.encode())

    def until(self, good, what):
        """Reads until good() says so."""
        end = time.monotonic() + LIMIT
        while not good():
            assert time.monotonic() < end and self.code is None, \
                f"{what}: code {self.code}, the screen:\n" + self.text()
            self.read(0.02)
        return self

    def expect(self, text):
        """Reads until the text is somewhere."""
        return self.until(lambda: text in self.text(), f"no '{text}'")

    def prompt(self):
        """The row that is typed on, without the prompt; None: the cursor is on no such row."""
        row = self.lines()[self.screen.cursor.y]
        return row[9:] if row.startswith("testpmd> ") or row == "testpmd>" else None

    def ready(self):
        """Reads until there is an empty prompt."""
        return self.until(lambda: self.prompt() == "", "no prompt")

    def say(self, line):
        """Types a line and waits until it is done."""
        self.ready()
        self.type(line)
        self.until(lambda: self.prompt() == line.rstrip(), f"'{line}' is not on the screen")
        self.type("\n")
        return self.ready()

    def end(self, code=0):
        """Waits until it ends."""
        until = time.monotonic() + LIMIT
        while self.code is None and time.monotonic() < until:
            self.read(0.1)
        assert self.code == code, f"exit code {self.code}, not {code}\n{self.text()}"
        return self

    def close(self):
        """Whatever it does, it is gone."""
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
