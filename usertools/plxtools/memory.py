# SPDX-License-Identifier: BSD-3-Clause
"""What devices had before plx-bind, kept for plx-bind restore and for names that have gone with their driver."""
import contextlib
import fcntl
import json
import os

from . import pci
from .system import Fault

MEMORY = "/run/pollux/bind.json"


class Memory:
    """What devices had before this program changed it for the first time; gone with a reboot, as the changes."""

    def __init__(self, system):
        self.system, self.devices = system, {}
        self.load()

    def load(self):
        try:
            stored = json.loads(self.system.read(MEMORY) or "{}")
            self.devices = {bdf: was for bdf, was in stored.get("devices", {}).items() if
                            pci.full_bdf(bdf) == bdf and self.is_same(bdf, was)}
        except (ValueError, AttributeError, TypeError, KeyError):
            raise Fault(f"{MEMORY} is damaged; remove it: devices can then be given to the kernel's own driver, "
                        "by 'plx-bind restore BDF'") from None

    def is_same(self, bdf, was):
        """Another device may have been put into the slot."""
        if not (isinstance(was["names"], list) and isinstance(was["driver"], (str, type(None))) and
                isinstance(was["override"], (str, type(None)))):
            raise ValueError
        return was["ids"] == pci.Device(self.system, bdf).ids()

    def note(self, device):
        """True if it is new."""
        if device.bdf in self.devices:
            return False
        self.devices[device.bdf] = {"ids": device.ids(), "driver": device.driver(), "override": device.override(),
                                    "names": device.interfaces() + device.controllers()}
        return True

    @contextlib.contextmanager
    def lock(self):
        """One plx-bind at a time."""
        path = self.system.at(MEMORY)
        try:
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            fd = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as err:
            raise Fault(f"{MEMORY}.lock: {err.strerror}: what devices had before could not be remembered") from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            self.load()
            yield
        finally:
            os.close(fd)

    def store(self):
        try:
            self.system.replace(MEMORY, json.dumps({"version": 1, "devices": self.devices}, indent=1) + "\n")
        except OSError as err:
            raise Fault(f"{MEMORY}: {err.strerror}: what devices had before could not be remembered") from None
