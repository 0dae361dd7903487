# SPDX-License-Identifier: BSD-3-Clause
"""The machine, as these programs see and change it. A test puts a made-up one in its place."""
import errno
import json
import os
import pwd
import grp
import resource
import signal
import socket
import struct
import subprocess
import sys
import time


class Fault(Exception):
    """What the user is told; code is the program's exit code."""

    def __init__(self, text, code=1):
        super().__init__(text)
        self.code = code


class System:
    """Everything below one root, by absolute path; nothing of the machine is reached past it."""

    NO_LIMIT = 1 << 64

    def __init__(self, root="/"):
        self.root = root

    def at(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    # --- looking: what is not there, or may not be seen, is None or empty

    def read(self, path):
        """Text of a file without the white space around it, or None."""
        try:
            with open(self.at(path), "rb") as f:
                return f.read().decode("utf-8", "replace").strip()
        except OSError:
            return None

    def number(self, path):
        """The decimal or 0x number in a file, or None."""
        try:
            return int(self.read(path) or "", 0)
        except ValueError:
            return None

    def lines(self, path):
        return (self.read(path) or "").splitlines()

    def list(self, path):
        try:
            return sorted(os.listdir(self.at(path)))
        except OSError:
            return []

    def exists(self, path):
        return os.path.exists(self.at(path))

    def link(self, path):
        """The last part of what a symbolic link names, or None."""
        try:
            return os.path.basename(os.readlink(self.at(path)))
        except OSError:
            return None

    def real(self, path):
        """The path without symbolic links, below the root."""
        real, root = os.path.realpath(self.at(path)), os.path.realpath(self.root)
        return "/" + os.path.relpath(real, root) if real != root else "/"

    def stat(self, path):
        try:
            return os.stat(self.at(path))
        except OSError:
            return None

    def may(self, path, uid, gids):
        """May this user read and write the file? None: it is not there."""
        st = self.stat(path)
        if st is None or uid == 0:
            return None if st is None else True
        if uid == self.euid():
            return self.access(path)
        shift = 6 if st.st_uid == uid else 3 if st.st_gid in gids else 0
        return (st.st_mode >> shift) & 6 == 6

    def access(self, path):
        """May this process read and write the file?"""
        return os.access(self.at(path), os.R_OK | os.W_OK)

    def config(self, bdf):
        """What may be seen of a device's configuration space: 64 bytes for users, all for root."""
        try:
            with open(self.at(f"/sys/bus/pci/devices/{bdf}/config"), "rb") as f:
                return f.read(4096)
        except OSError:
            return b""

    def user(self, name):
        """uid and groups of a user; of this process, if there is no name."""
        if name is None:
            return os.geteuid(), set(os.getgroups()) | {os.getegid()}
        try:
            entry = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
        except KeyError:
            raise Fault(f"--user {name}: there is no such user", 2) from None
        return entry.pw_uid, set(os.getgrouplist(entry.pw_name, entry.pw_gid))

    def memlock(self):
        """Bytes that this process may lock: now, and at most."""
        return tuple(self.NO_LIMIT if v == resource.RLIM_INFINITY else v
                     for v in resource.getrlimit(resource.RLIMIT_MEMLOCK))

    def euid(self):
        return os.geteuid()

    def ipv4(self, interface):
        """IPv4 addresses of an interface, by rtnetlink: no file has them."""
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as s:
            try:
                index = socket.if_nametoindex(interface)
            except OSError:
                return []
            # struct nlmsghdr, RTM_GETADDR 22, NLM_F_REQUEST | NLM_F_DUMP; struct ifaddrmsg
            s.send(struct.pack("=IHHII", 24, 22, 0x301, 1, 0) + struct.pack("=BBBBI", socket.AF_INET, 0, 0, 0, 0))
            found, more = [], True
            while more:
                data, at = s.recv(1 << 17), 0
                while at + 16 <= len(data):
                    size, kind = struct.unpack_from("=IH", data, at)
                    if size < 16 or kind in (2, 3):  # NLMSG_ERROR, NLMSG_DONE
                        more = False
                        break
                    found += ipv4_of(data[at + 16:at + size], index) if kind == 20 else []
                    at += (size + 3) & ~3
            return found

    def held(self, path):
        """Does the kernel hold a block device for itself: a file system, a RAID, a pool?"""
        try:
            os.close(os.open(self.at(path), os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC | os.O_NONBLOCK))
        except OSError as err:
            return err.errno == errno.EBUSY
        return False

    def busy(self, path):
        """Can a VFIO node not be opened because another has it?"""
        try:
            os.close(os.open(self.at(path), os.O_RDWR | os.O_CLOEXEC))
        except OSError as err:
            return err.errno == errno.EBUSY
        return False

    def processes(self):
        return [int(name) for name in self.list("/proc") if name.isdigit()]

    # --- changing: OSError when it fails

    def write(self, path, text):
        """One write(2), as files of sysfs want it."""
        fd = os.open(self.at(path), os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)

    def replace(self, path, text):
        """A whole file, at once; its folder is made."""
        os.makedirs(os.path.dirname(self.at(path)), mode=0o755, exist_ok=True)
        with open(self.at(path) + ".new", "w", encoding="utf-8") as f:
            f.write(text)
            f.flush()
            self.sync(f.fileno())
        os.replace(self.at(path) + ".new", self.at(path))

    def sync(self, fd):
        os.fsync(fd)

    def chown(self, path, uid, gid):
        os.chown(self.at(path), uid, gid)

    def run(self, *command):
        """Exit code and output of a program; 127: there is none."""
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False, timeout=120)
        except (OSError, subprocess.TimeoutExpired) as err:
            return 127, f"{command[0]}: {err}"
        return done.returncode, done.stdout.decode("utf-8", "replace").strip()

    def sleep(self, seconds):
        time.sleep(seconds)

    # --- being disturbed

    def steady(self):
        """A terminal that goes away must not end a change half-way; Ctrl-C and SIGTERM undo it."""
        def stop(*_):
            raise KeyboardInterrupt
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, stop)

    def deaf(self):
        """Putting things back is not interrupted."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def ipv4_of(message, index):
    """The address of a struct ifaddrmsg with attributes, if it is that interface's."""
    if len(message) < 8 or struct.unpack_from("=I", message, 4)[0] != index:
        return []
    at, local, prefix = 8, None, message[1]
    while at + 4 <= len(message):
        size, kind = struct.unpack_from("=HH", message, at)
        if size < 4:
            break
        if kind == 2 or (kind == 1 and local is None):  # IFA_LOCAL, IFA_ADDRESS
            local = message[at + 4:at + 8]
        at += (size + 3) & ~3
    return [f"{socket.inet_ntoa(local)}/{prefix}"] if local and len(local) == 4 else []


def printable(text):
    """Text of somebody else's: nothing in it can steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def user_of(text):
    """uid, gid (None: none was named) of USER[:GROUP], by name or number."""
    name, _, group = text.partition(":")
    try:
        uid = int(name) if name.isdigit() else pwd.getpwnam(name).pw_uid
    except KeyError:
        raise Fault(f"--owner {text}: there is no user '{name}'", 2) from None
    try:
        gid = None if not group else int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise Fault(f"--owner {text}: there is no group '{group}'", 2) from None
    return uid, gid


def user_name(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def say(text="", file=None):
    """A line. A reader that has gone, perhaps with the NIC, ends nothing half-way."""
    try:
        print(text, file=file or sys.stdout, flush=True)
    except OSError:
        pass


def say_json(value):
    say(json.dumps(value, indent=2))


def table(rows):
    """Lines of columns; the last is as long as it is."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in rows]


def main_of(name, function):
    """Runs a program; its complaints go to standard error."""
    try:
        return function(sys.argv[1:], System())
    except Fault as fault:
        say(f"{name}: {fault}", sys.stderr)
        return fault.code
    except KeyboardInterrupt:
        say(f"{name}: interrupted", sys.stderr)
        return 1
