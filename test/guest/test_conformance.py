#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the conformance suite on two NICs of a model by VFIO, in a guest; its TAP is what this prints.

usage: test_conformance.py BUILD MODEL
"""
import sys

import guest
from boots import A, B, KINDS

BUILD, MODEL = sys.argv[1:]
# what the model lacks
NO_RSS = "PLX_TEST_PCI_NO_RSS='this model gives all packets to queue 0' " if MODEL == "vmxnet3" else ""

try:
    with guest.Guest(BUILD, **{**KINDS["conformance"], "nics": [MODEL, MODEL]}) as g:
        STATUS = g.run(f"hugepages 256 && bind {A} && bind {B} || exit 1\n"
                       f"{NO_RSS}PLX_TEST_PCI='pci:{A} pci:{B}' /build/test/plain-conformance-pci",
                       timeout=840, check=False, stream=sys.stdout.buffer).status
except guest.tap.Skip as why:
    print(f"1..0 # SKIP {why}")
    STATUS = 0
except guest.Failed as why:
    print(f"Bail out! {why}".replace("\n", "\n# "))
    STATUS = 1
sys.exit(STATUS)
