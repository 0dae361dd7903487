#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Which QEMU qemu_with.py finds, and what it says where there is none; without a download. Prints TAP.

usage: test_qemu_with.py [SUBSTRING]
"""
import os
import sys

import qemu_with
from image import tap

DEB822 = """# by the installer
Types: deb
URIs: mirror://a/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /a/keyring.gpg

Types: deb
URIs: mirror://a/debian-security
Suites: bookworm-security
Components: main
"""
LIST = """# deb mirror://old bookworm main
deb [signed-by=/a/keyring.gpg] mirror://a/debian bookworm main
deb mirror://a/debian-security bookworm-security main
"""


def skipped(call, *words):
    """What a call says that must not succeed."""
    try:
        call(*words)
    except tap.Skip as why:
        return str(why)
    raise AssertionError("no Skip")


def program(folder, name, text):
    """A shell script as a command in a folder that is all of PATH's beginning."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_backports_come_from_where_the_suite_does(tmp):
    (tmp / "sources.list.d").mkdir()
    (tmp / "sources.list.d/debian.sources").write_text(DEB822)
    name, text = qemu_with.backports("bookworm", tmp)
    assert name == "backports.sources"
    assert sorted(text.splitlines()) == ["Components: main contrib", "Signed-By: /a/keyring.gpg",
                                         "Suites: bookworm-backports", "Types: deb", "URIs: mirror://a/debian"], text
    assert "trixie" in skipped(qemu_with.backports, "trixie", tmp)


def test_backports_from_a_list_of_lines(tmp):
    (tmp / "sources.list").write_text(LIST)
    assert qemu_with.backports("bookworm", tmp) == (
        "backports.list", "deb [signed-by=/a/keyring.gpg] mirror://a/debian bookworm-backports main\n")


def test_a_suite_that_is_off_is_not_taken(tmp):
    (tmp / "sources.list.d").mkdir()
    (tmp / "sources.list.d/debian.sources").write_text(DEB822.replace("Types", "Enabled: no\nTypes"))
    assert "do not name" in skipped(qemu_with.backports, "bookworm", tmp)


def test_the_systems_own_is_first_and_a_failed_download_is_remembered(tmp):
    old = os.environ["PATH"]
    os.environ["PATH"] = f"{tmp}:{old}"
    os.environ.pop("PLX_QEMU_CACHE", None)
    try:
        program(tmp, qemu_with.QEMU, 'case "$*" in *"-device here,help") echo "here options:";; esac')
        program(tmp, "apt-get", f'echo "$*" >>{tmp}/calls; echo "E: no route to the mirror" >&2; exit 100')
        assert qemu_with.find("here", tmp / "cache") == str(tmp / qemu_with.QEMU)
        assert not (tmp / "calls").exists()
        for _ in range(2):
            why = skipped(qemu_with.find, "there", tmp / "cache")
            assert "has no there" in why and ("no route" in why or "no Debian" in why or "do not name" in why), why
        tried = (tmp / "calls").read_text().splitlines() if (tmp / "calls").exists() else []
        assert len(tried) <= 1, tried
        assert sorted(p.name for p in (tmp / "cache").iterdir()) == ["lock", "why-not"]
    finally:
        os.environ["PATH"] = old


if __name__ == "__main__":
    sys.exit(tap.run(globals(), sys.argv[1] if len(sys.argv) > 1 else ""))
