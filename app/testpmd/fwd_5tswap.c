/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 5tswap: MAC addresses, IP addresses and the ports of TCP and UDP change places. Checksums are sums
 * in which the order does not matter, so they stay right. What is not IP has its MAC addresses
 * swapped; a fragment that is not the first has no ports. Where an IPv6 routing header is still in
 * use, the checksum is over a destination that is not in the IP header: such a packet keeps its
 * addresses and ports.
 */
#include "modes.h"
#include "plx_net.h"

enum { MAX_TAGS = 8, MAX_EXTS = 16 };

static void swap_ports(uint8_t *l4, const uint8_t *end, uint8_t proto)
{
	const uint32_t ports_len = 4;
	uint32_t v;

	if ((proto != PLX_IP_TCP && proto != PLX_IP_UDP) || end - l4 < (ptrdiff_t)ports_len)
		return;
	v = plx_load_le32(l4);
	plx_store_le32(l4, v << 16 | v >> 16);
}

static void swap_ipv4(uint8_t *ip, const uint8_t *end)
{
	const struct plx_ipv4_hdr *h = (const struct plx_ipv4_hdr *)ip;
	uint64_t addrs;
	uint32_t len;

	if (end - ip < (ptrdiff_t)sizeof(*h))
		return;
	len = plx_ipv4_hdr_len(h);
	if (h->version_ihl >> 4 != 4 || len < sizeof(*h) || end - ip < (ptrdiff_t)len)
		return;
	addrs = plx_load_le64(ip + offsetof(struct plx_ipv4_hdr, src));
	plx_store_le64(ip + offsetof(struct plx_ipv4_hdr, src), addrs << 32 | addrs >> 32);
	if ((plx_be16_get(h->frag) & PLX_IPV4_OFF_MASK) == 0)
		swap_ports(ip + len, end, h->proto);
}

/*
 * From the first extension header, if there is one, to what the packet carries. @return its first
 * byte; NULL: it is not to be changed, or not there. *proto becomes PLX_IP_NONE behind a fragment.
 */
static uint8_t *skip_exts(uint8_t *at, const uint8_t *end, uint8_t *proto)
{
	for (int i = 0; i < MAX_EXTS; i++) {
		uint32_t len;

		if (*proto != PLX_IP_HOPOPTS && *proto != PLX_IP_ROUTING &&
			*proto != PLX_IP_DSTOPTS && *proto != PLX_IP_FRAGMENT &&
			*proto != PLX_IP_AH)
			return at;
		if (end - at < 8)
			return NULL;
		len = *proto == PLX_IP_AH ? (at[1] + 2u) * 4 : (at[1] + 1u) * 8;
		if (*proto == PLX_IP_ROUTING && at[3] != 0)
			return NULL;
		if (*proto == PLX_IP_FRAGMENT) {
			len = sizeof(struct plx_ipv6_frag_hdr);
			if (plx_load_be16(at + 2) & PLX_IPV6_OFF_MASK) {
				*proto = PLX_IP_NONE;
				return at;
			}
		}
		*proto = at[0];
		if (end - at < (ptrdiff_t)len)
			return NULL;
		at += len;
	}
	return NULL;
}

static void swap_ipv6(uint8_t *ip, const uint8_t *end)
{
	struct plx_ipv6_hdr *h = (struct plx_ipv6_hdr *)ip;
	uint8_t addr[PLX_IPV6_ADDR_LEN], proto, *l4;

	if (end - ip < (ptrdiff_t)sizeof(*h) || ip[0] >> 4 != 6)
		return;
	proto = h->proto;
	l4 = skip_exts(ip + sizeof(*h), end, &proto);
	if (l4 == NULL)
		return;
	memcpy(addr, h->src, sizeof(addr));
	memcpy(h->src, h->dst, sizeof(addr));
	memcpy(h->dst, addr, sizeof(addr));
	swap_ports(l4, end, proto);
}

static PLX_ALWAYS_INLINE void swap_at(uint8_t *p, const uint8_t *end)
{
	uint8_t *at = p + 2 * PLX_ETH_ALEN;
	uint16_t type;

	if (plx_unlikely(end - at < 2)) {
		if (end - at >= 0)
			swap_macs_at(p);
		return;
	}
	swap_macs_at(p);
	type = plx_load_be16(at);
	for (int i = 0; i < MAX_TAGS && (type == PLX_ETHER_VLAN || type == PLX_ETHER_QINQ); i++) {
		if (end - at < 6)
			return;
		at += sizeof(struct plx_vlan_hdr);
		type = plx_load_be16(at);
	}
	if (type == PLX_ETHER_IPV4)
		swap_ipv4(at + 2, end);
	else if (type == PLX_ETHER_IPV6)
		swap_ipv6(at + 2, end);
}

void swap_5tuple(struct plx_mbuf *m)
{
	struct window w;

	window_open(&w, m);
	swap_at(w.p, w.p + w.len);
	window_close(&w, m);
}

static void change(struct stream *s, struct plx_mbuf *m)
{
	swap_5tuple(m);
}

static uint16_t burst(struct stream *s)
{
	return stream_each(s, change);
}

const struct fwd_mode fwd_5tswap = {.name = "5tswap",
	.help = "MAC and IP addresses and TCP and UDP ports swapped",
	.burst = burst};
