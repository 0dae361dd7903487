#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# netns.sh [--tap] [A:B ...] -- COMMAND [ARGUMENT...]
#
# Runs COMMAND in a network namespace of its own, in which loopback and the veth pairs A:B are up, and
# IPv6 is off, so that no packet is on a wire but the test's. As root with `unshare -n`, else as the
# root of a user namespace (`unshare -Urn`), which may do all but load BPF programs. The status is
# COMMAND's. Where there can be no such namespace it prints `SKIP: reason` and ends with 77, meson's
# "skipped"; with --tap it prints a TAP plan that says so and ends with 0. Nothing is left behind: the
# namespace ends with its last process. NETNS=root or NETNS=user tells COMMAND where it is.
set -u

skip() {
	[ -z "$tap" ] || { echo "1..0 # SKIP $1"; exit 0; }
	echo "SKIP: $1"
	exit 77
}

usage() {
	echo "usage: netns.sh [--tap] [A:B ...] -- COMMAND [ARGUMENT...]" >&2
	exit 2
}

inside= tap=
[ "${1-}" != --inside ] || { inside=yes; shift; }
args=("$@")
[ "${1-}" != --tap ] || { tap=yes; shift; }
if [ -z "$inside" ]; then
	command -v unshare >/dev/null || skip "unshare (util-linux) is not installed"
	if [ "$(id -u)" = 0 ] && unshare -n true 2>/dev/null; then
		NETNS=root exec unshare -n "$0" --inside "${args[@]}"
	elif unshare -Urn true 2>/dev/null; then
		NETNS=user exec unshare -Urn "$0" --inside "${args[@]}"
	fi
	skip "no network namespace: not root, and the system allows no user namespaces"
fi

pairs=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	[[ "$1" = ?*:?* ]] || usage
	pairs+=("$1")
	shift
done
[ $# -gt 1 ] || usage
shift

command -v ip >/dev/null || skip "ip (iproute2) is not installed"
ip link set lo up || skip "loopback cannot be set up in a namespace"
# before there are interfaces: they then never have an IPv6 address
for what in all default; do
	file=/proc/sys/net/ipv6/conf/$what/disable_ipv6
	{ [ -e $file ] && echo 1 >$file; } 2>/dev/null
done
for pair in ${pairs[@]+"${pairs[@]}"}; do
	a=${pair%%:*} b=${pair#*:}
	ip link add name "$a" type veth peer name "$b" 2>/dev/null || skip "this kernel makes no veth pairs"
	ip link set dev "$a" addrgenmode none 2>/dev/null
	ip link set dev "$b" addrgenmode none 2>/dev/null
	ip link set dev "$a" up && ip link set dev "$b" up || skip "a veth pair cannot be set up"
done
exec "$@"
