#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# emulate.sh ROOT PROGRAM [ARGUMENT...]: runs an arm64 program with the libraries of ROOT. qemu-user
# keeps a table of every page that a program maps, also of those nobody touches: a test that asks
# for 32 TiB in order to be refused would take all of the machine's memory, so there is a limit.
ulimit -v $((12 << 20)) || exit 1
export UNIT_EMULATED=1
exec qemu-aarch64-static -L "$@"
