#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the conformance suite on two e1000e by VFIO, in a guest; its TAP is what this prints.

usage: test_conformance.py BUILD
"""
import sys

import guest
from boots import A, B, KINDS

try:
    with guest.Guest(sys.argv[1], **KINDS["conformance"]) as g:
        STATUS = g.run(f"hugepages 256 && bind {A} && bind {B} || exit 1\n"
                       f"PLX_TEST_PCI='pci:{A} pci:{B}' /build/test/plain-conformance-pci",
                       timeout=840, check=False, stream=sys.stdout.buffer).status
except guest.tap.Skip as why:
    print(f"1..0 # SKIP {why}")
    STATUS = 0
except guest.Failed as why:
    print(f"Bail out! {why}".replace("\n", "\n# "))
    STATUS = 1
sys.exit(STATUS)
