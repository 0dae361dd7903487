/* SPDX-License-Identifier: BSD-3-Clause */
/* The parser's short way: a part of parse.c. */
#ifndef PARSE_SIMPLE_H
#define PARSE_SIMPLE_H

#include "parse_tunnel.h"

/*
 * A level of most packets, and faster: in one piece, no or one tag, IP without IPv4 options, no
 * fragment, nothing missing, a usual layer 4. 0, and nothing written, for all others. The functions
 * are one when compiled, several times over, in which most of what they are given is constant.
 */

/* A level so far: layers 2 and 3. */
struct simple {
	const uint8_t *p; /* the packet, len bytes in one piece */
	uint32_t len;
	uint32_t start, off; /* where l2_len counts from, and layer 3 */
	uint32_t l3_len;
	uint32_t bytes; /* behind it, by its length */
	uint32_t ptype;
	uint16_t type, routing;
	uint8_t version, proto, flags, tags;
	struct plx_pkt_hdrs *hdr, *outer;
};

/* Writes what is known to the headers of the inside, or of the outside of what may be a tunnel. */
static PLX_ALWAYS_INLINE uint32_t simple_out(const struct simple *s, struct plx_pkt_hdrs *to,
	uint32_t l4_len, uint32_t bytes, uint32_t ptype)
{
	to->l2_len = (uint16_t)(s->off - s->start);
	to->l3_len = (uint16_t)s->l3_len;
	to->l4_len = (uint16_t)l4_len;
	to->l3_off = (uint16_t)s->off;
	to->l4_off = (uint16_t)(s->off + s->l3_len);
	to->routing = s->routing;
	to->l4_bytes = bytes;
	to->ether_type = s->type;
	to->version = s->version;
	to->proto = s->proto;
	to->flags = s->flags;
	to->tags = s->tags;
	to->reserved = 0;
	return s->ptype | ptype;
}

static PLX_ALWAYS_INLINE uint32_t simple_l4(struct simple s)
{
	const uint8_t *p = s.p + s.off + s.l3_len;

	if (plx_likely(s.proto == PLX_IP_TCP)) {
		const struct plx_tcp_hdr *tcp = (const struct plx_tcp_hdr *)p;
		uint32_t len;

		if (plx_unlikely(s.bytes < sizeof(*tcp)))
			return 0;
		len = plx_tcp_hdr_len(tcp);
		if (plx_unlikely(len < sizeof(*tcp) || len > s.bytes))
			return 0;
		return simple_out(&s, s.hdr, len, s.bytes, PLX_PTYPE_L4_TCP);
	}
	if (plx_likely(s.proto == PLX_IP_UDP)) {
		const struct plx_udp_hdr *udp = (const struct plx_udp_hdr *)p;
		uint32_t len;

		if (plx_unlikely(s.bytes < sizeof(*udp)))
			return 0;
		len = plx_be16_get(udp->len);
		if (plx_unlikely(len < sizeof(*udp) || len > s.bytes))
			return 0;
		if (tunnel_port(udp->dport))
			return simple_out(&s, s.outer, sizeof(*udp), len,
				PLX_PTYPE_L4_UDP | PLX_PTYPE_TUNNEL_MASK);
		return simple_out(&s, s.hdr, sizeof(*udp), len, PLX_PTYPE_L4_UDP);
	}
	if (s.proto == PLX_IP_GRE || s.proto == PLX_IP_IPIP || s.proto == PLX_IP_IPV6)
		return simple_out(
			&s, s.outer, 0, s.bytes, PLX_PTYPE_L4_NONFRAG | PLX_PTYPE_TUNNEL_MASK);
	if (s.proto == (s.version == 4 ? PLX_IP_ICMP : PLX_IP_ICMPV6) &&
		s.bytes >= sizeof(struct plx_icmp_hdr))
		return simple_out(
			&s, s.hdr, sizeof(struct plx_icmp_hdr), s.bytes, PLX_PTYPE_L4_ICMP);
	return 0;
}

/* IPv6 at offset off with extension headers; the header itself and its length are good. */
static PLX_NOINLINE uint32_t simple_exts(const uint8_t *p, uint32_t len, uint32_t start,
	uint32_t off, uint32_t ptype, uint8_t tags, struct plx_pkt_hdrs *hdr,
	struct plx_pkt_hdrs *outer)
{
	const struct plx_ipv6_hdr *ip = (const struct plx_ipv6_hdr *)(p + off);
	struct simple s = {.p = p, .len = len, .start = start, .off = off, .version = 6};

	s.bytes = plx_be16_get(ip->len);
	s.proto = ip->proto;
	s.l3_len = sizeof(*ip);
	for (unsigned n = 0; is_ext(s.proto); n++) {
		const uint8_t *ext = p + off + s.l3_len;
		uint32_t size;

		if (n == PLX_PKT_EXTS || s.bytes < 8 || s.proto == PLX_IP_FRAGMENT)
			return 0;
		size = (ext[1] + 1u) * 8;
		if (s.proto == PLX_IP_AH)
			size = (ext[1] + 2u) * 4;
		else if (s.proto == PLX_IP_ROUTING && ext[3] != 0)
			s.routing = (uint16_t)(off + s.l3_len);
		if (size > s.bytes)
			return 0;
		s.proto = ext[0];
		s.l3_len += size;
		s.bytes -= size;
	}
	s.flags = PLX_PKT_OPTIONS;
	s.type = PLX_ETHER_IPV6;
	s.tags = tags;
	s.ptype = ptype | PLX_PTYPE_L3_IPV6_EXT;
	s.hdr = hdr;
	s.outer = outer;
	return simple_l4(s);
}

static PLX_ALWAYS_INLINE uint32_t simple_l3(struct simple s)
{
	if (plx_likely(s.type == PLX_ETHER_IPV4)) {
		const struct plx_ipv4_hdr *ip = (const struct plx_ipv4_hdr *)(s.p + s.off);

		if (plx_unlikely(s.len < s.off + (uint32_t)sizeof(*ip)))
			return 0;
		s.bytes = plx_be16_get(ip->len);
		if (plx_unlikely(ip->version_ihl != 0x45 || plx_ipv4_is_frag(ip) ||
				 s.bytes > s.len - s.off || s.bytes < sizeof(*ip)))
			return 0;
		s.bytes -= (uint32_t)sizeof(*ip);
		s.proto = ip->proto;
		s.version = 4;
		s.l3_len = sizeof(*ip);
		s.ptype |= PLX_PTYPE_L3_IPV4;
		return simple_l4(s);
	}
	if (s.type == PLX_ETHER_IPV6) {
		const struct plx_ipv6_hdr *ip = (const struct plx_ipv6_hdr *)(s.p + s.off);

		if (plx_unlikely(s.len < s.off + (uint32_t)sizeof(*ip)))
			return 0;
		s.bytes = plx_be16_get(ip->len);
		if (plx_unlikely(s.p[s.off] >> 4 != 6 ||
				 s.bytes > s.len - s.off - (uint32_t)sizeof(*ip)))
			return 0;
		s.proto = ip->proto;
		s.version = 6;
		s.l3_len = sizeof(*ip);
		if (plx_unlikely(is_ext(s.proto)))
			return simple_exts(
				s.p, s.len, s.start, s.off, s.ptype, s.tags, s.hdr, s.outer);
		s.ptype |= PLX_PTYPE_L3_IPV6;
		return simple_l4(s);
	}
	return 0;
}

static PLX_ALWAYS_INLINE uint32_t parse_simple(const uint8_t *p, uint32_t len, uint32_t start,
	uint32_t off, uint16_t type, struct plx_pkt_hdrs *hdr, struct plx_pkt_hdrs *outer)
{
	struct simple s = {.p = p, .len = len, .start = start, .off = off, .type = type};

	s.hdr = hdr;
	s.outer = outer;
	if (type != PARSE_ETHER)
		return simple_l3(s);
	if (plx_unlikely(len < off + 18))
		return 0;
	s.type = plx_load_be16(p + off + 12);
	if (s.type == PLX_ETHER_VLAN) {
		s.type = plx_load_be16(p + off + 16);
		s.off = off + 18;
		s.ptype = PLX_PTYPE_L2_ETHER_VLAN;
		s.tags = 1;
		return simple_l3(s);
	}
	s.off = off + 14;
	s.ptype = PLX_PTYPE_L2_ETHER;
	return simple_l3(s);
}

#endif
