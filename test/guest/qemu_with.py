#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A QEMU that has a given device: the system's, or else the one of Debian's backports, unpacked and not installed.

usage: qemu_with.py DEVICE [FOLDER]
Prints its path; or why there is none, with exit status 77. FOLDER keeps what was downloaded (by default PLX_QEMU_CACHE
of the environment).
"""
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import image
from image import tap, words

QEMU = "qemu-system-x86_64"
# With firmware. All that it needs beyond these, the system's QEMU of the same distribution needs, too.
PACKAGES = ("qemu-system-x86", "qemu-system-data", "seabios")
RETRY = 900  # seconds until a download that failed is tried again
WRAPPER = """#!/bin/sh
here=$(dirname "$0")
exec "$here/root/usr/bin/{qemu}" -L "$here/root/usr/share/qemu" -L "$here/root/usr/share/seabios" "$@"
"""


def has(program, device):
    """Does this QEMU have the device?"""
    done = subprocess.run([program, "-machine", "none", "-nodefaults", "-display", "none", "-device", f"{device},help"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return f"{device} options:" in done.stdout


def paragraph(text, suite):
    """What deb822-style sources say, with only the suite's backports."""
    if not re.search(rf"^Suites:.*\b{suite}(\s|$)", text, re.M) or re.search(r"^Enabled:\s*no\b", text, re.M | re.I):
        return None
    kept = [line for line in text.splitlines() if line.strip() and not line.startswith(("#", "Suites:"))]
    return "\n".join([*kept, f"Suites: {suite}-backports"]) + "\n"


def backports(suite, folder="/etc/apt"):
    """apt's source of the suite's backports: where the machine has the suite itself from. A name and a text."""
    for name in ("sources.list.d/debian.sources", "sources.list"):
        file = pathlib.Path(folder, name)
        text = file.read_text() if file.exists() else ""
        if file.suffix == ".sources":
            made = [made for made in (paragraph(p, suite) for p in re.split(r"\n\s*\n", text)) if made]
        else:
            made = [re.sub(rf"(\s){suite}(\s)", rf"\1{suite}-backports\2", line) + "\n" for line in text.splitlines()
                    if re.match(rf"deb\s.*\s{suite}\s", line)]
        if made:
            return f"backports{file.suffix}", made[0]
    raise tap.Skip(f"apt's sources do not name {suite}")


def fetch(new):
    """QEMU of the backports, into the folder new."""
    release = pathlib.Path("/etc/os-release").read_text()
    suite = re.search(r"^VERSION_CODENAME=(\w+)$", release, re.M)
    if not re.search(r"^ID=debian$", release, re.M) or not suite:
        raise tap.Skip("this is no Debian with a name")
    name, source = backports(suite[1])
    with tempfile.TemporaryDirectory(dir=new) as folder:
        (pathlib.Path(folder) / name).write_text(source)
        apt = [*image.own_lists(folder, f"{folder}/{name}"), "-o", "Acquire::Retries=1",
               "-o", "Acquire::http::Timeout=20", "-o", "APT::Update::Error-Mode=any"]
        words("apt-get", "-q", *apt, "update")
        words("apt-get", "-q", *apt, "download", *PACKAGES, cwd=folder)
        for deb in pathlib.Path(folder).glob("*.deb"):
            words("dpkg-deb", "-x", str(deb), str(new / "root"))
    lacking = re.findall(r"(\S+) => not found", words("ldd", str(new / "root/usr/bin" / QEMU)))
    if lacking:
        raise tap.Skip(f"QEMU of the backports needs {', '.join(lacking)}")
    (new / QEMU).write_text(WRAPPER.format(qemu=QEMU))
    (new / QEMU).chmod(0o755)


def cached(cache):
    """The path of the backports' QEMU, fetched if it is not there."""
    for command in ("apt-get", "dpkg-deb"):
        if shutil.which(command) is None:
            raise tap.Skip(f"{command} is not installed")
    cache.mkdir(parents=True, exist_ok=True)
    why, done = cache / "why-not", cache / "backports"
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (done / QEMU).exists():
            if why.exists() and time.time() - why.stat().st_mtime < RETRY:
                raise tap.Skip(why.read_text())
            try:
                with tempfile.TemporaryDirectory(dir=cache) as folder:
                    new = pathlib.Path(folder) / "new"
                    new.mkdir()
                    fetch(new)
                    new.rename(done)
            except tap.Skip as reason:
                why.write_text(str(reason))
                raise
    return str(done / QEMU)


def find(device, cache=None):
    """The path of a QEMU that has the device; tap.Skip says why there is none."""
    system = shutil.which(QEMU)
    if system is None:
        raise tap.Skip(f"{QEMU} is not installed (Debian: qemu-system-x86)")
    if has(system, device):
        return system
    try:
        newer = cached(pathlib.Path(os.environ.get("PLX_QEMU_CACHE") or cache).resolve())
    except tap.Skip as why:
        raise tap.Skip(f"{QEMU} has no {device}, and a newer one cannot be had: {why}") from None
    if not has(newer, device):
        raise tap.Skip(f"neither {QEMU} nor the one of the backports has {device}")
    return newer


if __name__ == "__main__":
    try:
        print(find(*sys.argv[1:3]))
    except tap.Skip as reason:
        print(reason)
        sys.exit(77)
