#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what the library needs (as root on Debian 12), builds it, and has plx-testpmd forward
# the shipped capture from memory to a null port on one core. Prints the throughput.
#   demo.sh [SECONDS]     how long to forward, 5 by default
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-5}
build=build-demo

test/packages.sh build
for command in meson ninja pkg-config python3; do
	command -v "$command" >/dev/null ||
		{ echo "demo: $command is not installed; the packages are in test/packages.txt" >&2; exit 1; }
done
mkdir -p "$build"
if ! { [ -f "$build/build.ninja" ] ||
	meson setup "$build" --buildtype=release -Dtests=false; } >"$build/demo.log" 2>&1 ||
	! ninja -C "$build" >>"$build/demo.log" 2>&1; then
	tail -n 20 "$build/demo.log" >&2
	echo "demo: the build failed; its log is $build/demo.log" >&2
	exit 1
fi

set -x
"$build/app/plx-testpmd" --port pcap:rx=test/data/real.pcap,loop=0,preload=1 --port null: \
	--forward-mode io --nb-cores 1 --stats-period 1 --duration "$seconds" --auto-start \
	--json "$build/demo.json"
{ set +x; } 2>/dev/null
python3 - "$build/demo.json" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    total = json.load(f)["total"]
print(f"demo: {total['tx_pps'] / 1e6:.2f} million packets a second on one core, both directions, "
      f"{total['cycles_per_packet']:.1f} cycles a packet")
PYTHON
