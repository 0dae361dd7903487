#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Writes what other programs read from the capture files: expected.txt (the good files, by tshark;
# capinfos and, but for one file, tcpdump must agree), malformed/readers.txt and SHA256SUMS.
#
#   make-expected.sh [--check]     --check: write nothing; compare, and fail if there is a difference
#
# malformed/readers.txt is a record, not an oracle, and is not compared: other versions may differ.
set -euo pipefail
export LC_ALL=C

cd "$(dirname "$0")"
# libpcap 1.10 keeps the first section's byte order.
not_by_tcpdump="odd/ng-sections.pcapng"

die() { echo "make-expected.sh: $*" >&2; exit 1; }
for t in tshark capinfos tcpdump sha256sum; do
	command -v "$t" >/dev/null || die "$t not found; install it"
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Packets and captured bytes; blocks that tshark shows but that are no packets have no encap_type.
by_tshark() {
	tshark -r "$1" -T fields -e frame.encap_type -e frame.cap_len 2>"$tmp/err" |
		awk -F '\t' '$1 != "" { n++; b += $2 } END { printf "%d %d", n, b }'
}
# Exit status 0 and a number of packets, or the number before the error.
by_tcpdump() {
	rm -f "$tmp/copy"
	tcpdump -n -r "$1" -w "$tmp/copy" 2>"$tmp/err" && echo ok >"$tmp/status" || echo error >"$tmp/status"
	[ -e "$tmp/copy" ] || { echo 0; return; }
	capinfos -Mcr -T "$tmp/copy" 2>/dev/null | awk '{ print $NF }'
}

good() {
	local f numbers n
	echo "# file packets bytes (captured)"
	for f in real.pcap real-ns.pcap real-ns.pcapng big.pcap odd/*.pcap odd/*.pcapng; do
		numbers=$(by_tshark "$f") || die "$f: tshark: $(cat "$tmp/err")"
		n=${numbers% *}
		[ "$(capinfos -Mcr -T "$f" 2>/dev/null | awk '{ print $NF }')" = "$n" ] ||
			die "$f: tshark reads $n packets, capinfos does not"
		[ "$f" = $not_by_tcpdump ] || [ "$(by_tcpdump "$f")" = "$n" ] ||
			die "$f: tshark reads $n packets, tcpdump does not: $(cat "$tmp/err")"
		echo "$f $numbers"
	done
}

malformed() {
	local f numbers status
	echo "# file, packets and end by tshark, packets and end by tcpdump, what tcpdump says"
	for f in malformed/*.pcap malformed/*.pcapng; do
		numbers=$(by_tshark "$f") && status=ok || status=error
		echo "${f#malformed/} ${numbers% *} $status $(by_tcpdump "$f") $(cat "$tmp/status")" \
			"$(grep '^tcpdump: ' "$tmp/err" || true)"
	done
}

sums() { sha256sum real.pcap real-ns.pcap real-ns.pcapng big.pcap; }

good >"$tmp/expected.txt"
sums >"$tmp/SHA256SUMS"
if [ "${1-}" = --check ]; then
	diff -u expected.txt "$tmp/expected.txt"
	diff -u SHA256SUMS "$tmp/SHA256SUMS"
	exit 0
fi
[ $# = 0 ] || die "usage: make-expected.sh [--check]"
malformed >"$tmp/readers.txt"
cp "$tmp/expected.txt" expected.txt
cp "$tmp/SHA256SUMS" SHA256SUMS
cp "$tmp/readers.txt" malformed/readers.txt
