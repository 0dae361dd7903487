#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Makes real.pcap, real-ns.pcap and real-ns.pcapng: what ordinary programs say to each other across
# a veth pair. Run as root; it takes about half a minute. All happens in two network namespaces of
# its own (plxd-a, plxd-b), which are deleted afterwards together with all that was started. Nothing
# of the machine is in the capture: addresses are the documentation ranges, MACs are fixed.
#
#   make-capture.sh [DIRECTORY]     default: the directory of this script
#
# The capture is taken on side A in nanoseconds; real.pcap is the same in microseconds.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
need=(ip tcpdump tshark editcap ethtool ping curl openssl dnsmasq dig iperf3 python3 setpriv)

A=plxd-a B=plxd-b
MAC_A=02:00:00:00:00:0a MAC_B=02:00:00:00:00:0b
A4=192.0.2.1 B4=192.0.2.2 A6=2001:db8::1 B6=2001:db8::2
BEYOND4=198.51.100.1 BEYOND6=2001:db8:ffff::1

die() { echo "make-capture.sh: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "needs root, for network namespaces"
for t in "${need[@]}"; do command -v "$t" >/dev/null || die "$t not found; install it"; done
for n in $A $B; do
	ip netns list | grep -qw "$n" && die "network namespace $n exists; delete it: ip netns del $n"
done

tmp=$(mktemp -d)
pids=()

# Ends what was started, by pid, and waits for it; also runs half-way through the set-up.
cleanup() {
	local p
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
	for p in "${pids[@]}"; do wait "$p" 2>/dev/null || true; done
	ip netns del $A 2>/dev/null || true
	ip netns del $B 2>/dev/null || true
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

a() { ip netns exec $A "$@"; }
b() { ip netns exec $B "$@"; }
# Clients whose failure is part of the capture (refused, unreachable).
quiet() { "$@" >/dev/null 2>&1 || true; }
start() { # NAMESPACE DIRECTORY COMMAND...
	(cd "$2" && exec setpriv --pdeathsig KILL ip netns exec "$1" "${@:3}") \
		>"$tmp/log.${#pids[@]}" 2>&1 &
	pids+=($!)
}
# wait_for WHAT COMMAND...: until the command succeeds, at most 5 s.
wait_for() {
	local what=$1 i
	shift
	for ((i = 0; i < 50; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	cat "$tmp"/log.* >&2
	die "$what is not ready after 5 s"
}
listens() { b ss -Hln "$1" "sport = :$2" | grep -q .; }

offloads() { # on|off for TSO and GSO; checksums stay in software unless TSO needs them
	local ns
	for ns in "a plxd-va" "b plxd-vb"; do
		# shellcheck disable=SC2086
		${ns% *} ethtool -K ${ns#* } rx "$1" tx "$1" sg "$1" tso "$1" gso "$1" gro off \
			txvlan off rxvlan off >/dev/null 2>&1 || die "ethtool -K ${ns#* } $1 failed"
	done
}

mtu() {
	a ip link set plxd-va mtu "$1"
	b ip link set plxd-vb mtu "$1"
}

make_namespaces() {
	local ns
	ip netns add $A
	ip netns add $B
	a ip link add plxd-va address $MAC_A type veth peer name plxd-vb address $MAC_B netns $B
	for ns in a b; do
		$ns ip link set lo up
		# IPv6 comes up later, in the capture; link-local addresses follow from the MACs.
		$ns sysctl -qw net.ipv6.conf.default.addr_gen_mode=0 net.ipv6.conf.plxd-v$ns.addr_gen_mode=0 \
			net.ipv6.conf.plxd-v$ns.disable_ipv6=1 net.ipv4.tcp_congestion_control=reno
	done
	b sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratelimit=0
	offloads off
	mtu 1500
	a ip link set plxd-va up
	b ip link set plxd-vb up
}

start_tcpdump() {
	start $A "$tmp" tcpdump -i plxd-va -n -s 0 -U -B 65536 -Z root \
		--time-stamp-precision=nano -w "$tmp/all.pcap"
	dump=${pids[-1]}
	wait_for tcpdump grep -q 'listening on' "$tmp/log.0"
}

add_addresses() { # gratuitous ARP, duplicate address detection, multicast reports
	a ip addr add $A4/24 dev plxd-va
	b ip addr add $B4/24 dev plxd-vb
	a sysctl -qw net.ipv6.conf.plxd-va.disable_ipv6=0
	b sysctl -qw net.ipv6.conf.plxd-vb.disable_ipv6=0
	a ip addr add $A6/64 dev plxd-va
	b ip addr add $B6/64 dev plxd-vb
	a ip route add default via $B4
	a ip -6 route add default via $B6
	b ip route add unreachable 198.51.100.0/24
	b ip -6 route add unreachable 2001:db8:ffff::/48
	# Packets to 203.0.113.0/24 and 2001:db8:eeee:: would leave B where they came in.
	b ip route add 203.0.113.0/24 via $A4
	b ip -6 route add 2001:db8:eeee::/48 via $A6
	wait_for "IPv6 duplicate address detection" \
		sh -c "! (ip netns exec $A ip -6 addr; ip netns exec $B ip -6 addr) | grep -q tentative"
}

start_servers() {
	mkdir "$tmp/www"
	head -c 3000 /dev/zero | tr '\0' t >"$tmp/www/small"
	head -c 24000 /dev/zero | tr '\0' j >"$tmp/www/jumbo"
	head -c 80000 /dev/zero | tr '\0' s >"$tmp/www/super"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 \
		-subj /CN=server.example -keyout "$tmp/key.pem" -out "$tmp/cert.pem" 2>/dev/null
	start $B "$tmp/www" openssl s_server -accept 8443 -WWW -cert "$tmp/cert.pem" -key "$tmp/key.pem"
	start $B "$tmp/www" python3 -u -m http.server --bind :: 8080
	start $B "$tmp" dnsmasq -k -C /dev/null --pid-file= -u root --no-resolv --no-hosts --log-facility=- \
		--bind-interfaces --local=/example/ --host-record=server.example,$B4,$B6 \
		--txt-record=server.example,"a text record" --mx-host=example,server.example,10
	start $B "$tmp" iperf3 -s
	wait_for "the TLS server" listens -t 8443
	wait_for "the HTTP server" listens -t 8080
	wait_for dnsmasq listens -u 53
	wait_for iperf3 listens -t 5201
}

# Sub-interfaces plxd-NAME with 802.1Q tags; the IP configuration is as on any interface.
add_vlan() { # NAME IDS SUBNET
	local ns host mac
	for ns in a b; do
		host=1 mac=$MAC_A
		[ $ns = a ] || host=2 mac=$MAC_B
		start plxd-$ns "$tmp" python3 "$here/vlan-tap.py" plxd-v$ns "plxd-$1" "$2"
		wait_for "interface plxd-$1" $ns ip link show "plxd-$1"
		$ns ip link set "plxd-$1" address $mac mtu 1496 up
		$ns ip addr add "10.0.$3.$host/24" dev "plxd-$1"
		$ns ip addr add "2001:db8:$3::$host/64" dev "plxd-$1" nodad
	done
}

icmp() {
	a ping -nq -c 20 -i 0.01 $B4
	a ping -nq -c 20 -i 0.01 $B6
	a ping -nq -c 2 -i 0.01 -s 0 $B4      # 42 bytes: shorter than Ethernet's minimum
	a ping -nq -c 2 -i 0.01 -s 1472 $B4   # exactly the MTU
	a ping -nq -c 2 -i 0.01 -R $B4        # IP options
	b ping -nq -c 3 -i 0.01 $A6
	a ping -nq -c 1 -s 4000 $B4           # fragments
	a ping -nq -c 1 -s 4000 $B6
	quiet a ping -nq -c 2 -i 0.01 -I plxd-va ff02::1
}

errors() {
	quiet a dig +tries=1 +time=1 -p 5399 @$B4 server.example     # port unreachable
	quiet a dig +tries=1 +time=1 -p 5399 @$B6 server.example
	quiet a ping -nq -c 2 -i 0.01 -W 1 $BEYOND4                   # host unreachable
	quiet a ping -nq -c 2 -i 0.01 -W 1 $BEYOND6
	quiet a ping -nq -c 2 -i 0.01 -W 1 -t 1 203.0.113.1           # time exceeded
	quiet a ping -nq -c 2 -i 0.01 -W 1 -t 1 2001:db8:eeee::1
	quiet a curl -sk --max-time 1 https://$B4:9/                 # TCP reset
	quiet a ping -nq -c 1 -W 1 192.0.2.77                         # ARP without an answer
}

dns() {
	local server type
	for server in $B4 $B6; do
		for type in A AAAA TXT; do quiet a dig +tries=1 "@$server" server.example $type; done
		quiet a dig +tries=1 "@$server" example MX
		quiet a dig +tries=1 "@$server" missing.example A
	done
	quiet a dig +tries=1 +tcp @$B4 server.example A
	quiet a dig +tries=1 @$B4 -x $B4
}

web() {
	a curl -sk -o /dev/null --resolve server.example:8443:$B4 https://server.example:8443/small
	a curl -sk -o /dev/null --resolve "server.example:8443:[$B6]" https://server.example:8443/small
	a curl -sk -o /dev/null --tls-max 1.2 https://$B4:8443/small
	a curl -s -o /dev/null http://$B4:8080/small
	a curl -s -o /dev/null "http://[$B6]:8080/small"
}

iperf() {
	a iperf3 -c $B4 -n 24K -l 4K >/dev/null
	a iperf3 -c $B6 -n 16K -l 4K >/dev/null
	a iperf3 -c $B4 -R -n 8K -l 4K >/dev/null
	a iperf3 -c $B4 -u -b 10M -l 64 -n 25600 >/dev/null
	a iperf3 -c $B6 -u -b 10M -l 100 -n 15000 >/dev/null
	a iperf3 -c $B4 -u -b 10M -l 1448 -n 7240 >/dev/null
}

vlan() {
	add_vlan q 100 100
	add_vlan qq 200,300 200
	a ping -nq -c 10 -i 0.01 10.0.100.2
	a ping -nq -c 5 -i 0.01 2001:db8:100::2
	a curl -s -o /dev/null http://10.0.100.2:8080/small
	a curl -s -o /dev/null "http://[2001:db8:100::2]:8080/small"
	a ping -nq -c 5 -i 0.01 10.0.200.2
	a ping -nq -c 5 -i 0.01 2001:db8:200::2
}

jumbo() {
	mtu 9000
	a ping -nq -c 1 -s 8192 $B4
	a ping -nq -c 1 -s 8192 $B6
	a curl -s -o /dev/null http://$B4:8080/jumbo
}

# Segmentation is left to a device that is not there: frames of up to 64 KiB, partial checksums.
super() {
	offloads on
	# Buffers large enough for a whole frame of 64 KiB at a time.
	a sysctl -qw net.ipv4.tcp_rmem="4096 1000000 4000000"
	b sysctl -qw net.ipv4.tcp_wmem="4096 1000000 4000000"
	a curl -s -o /dev/null http://$B4:8080/super
}

# Nothing but the addresses set above (and multicast) may be in the capture.
check_private() {
	local v4="{192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 10.0.0.0/16, 224.0.0.0/4}"
	local v6="{2001:db8::/32, fe80::/10, ff00::/8, ::}"
	local mac="{$MAC_A, $MAC_B}"
	tshark -r "$tmp/all.pcap" -Y "(ip and !(ip.src in $v4 and ip.dst in $v4)) or \
		(ipv6 and !(ipv6.src in $v6 and ipv6.dst in $v6)) or !(eth.src in $mac) or \
		!(eth.dst in $mac or eth.dst.ig == 1)" 2>/dev/null >"$tmp/foreign" || die "tshark failed"
	[ ! -s "$tmp/foreign" ] || die "addresses from outside in the capture: $(head -5 "$tmp/foreign")"
}

write_files() {
	editcap -F pcap "$tmp/all.pcap" "$out/real.pcap"
	# Every 14th packet that is not large: some of everything.
	tshark -r "$tmp/all.pcap" -Y 'frame.len <= 1600' -F nsecpcap -w "$tmp/small.pcap" 2>/dev/null
	local n
	n=$(capinfos -Mc -r -T "$tmp/small.pcap" | awk '{print $NF}')
	# shellcheck disable=SC2046
	editcap -r -F nsecpcap "$tmp/small.pcap" "$out/real-ns.pcap" $(seq 1 14 "$n")
	editcap -F pcapng "$out/real-ns.pcap" "$out/real-ns.pcapng"
}

make_namespaces
start_tcpdump
add_addresses
start_servers
for part in errors icmp dns web iperf vlan jumbo super; do
	echo "make-capture.sh: $part" >&2
	$part >/dev/null
done
sleep 1
kill -INT "$dump"
wait "$dump" || true
grep -q '^0 packets dropped by kernel' "$tmp/log.0" || die "tcpdump dropped packets: $(cat "$tmp/log.0")"
check_private
write_files
capinfos -Mcsd "$out"/real*.pcap* >&2
