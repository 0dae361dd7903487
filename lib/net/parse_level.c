/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parser: from Ethernet to layer 4.
 *
 * Every header is asked for with header(), which is what keeps all reads inside the packet. A length
 * that a header gives is compared with what is there before it moves the offset, so that offsets
 * never pass c->total, which fits 16 bits.
 */
#include "parse_tunnel.h"

static bool is_tag(uint16_t type)
{
	return type == PLX_ETHER_VLAN || type == PLX_ETHER_QINQ || type == PLX_ETHER_QINQ_OLD;
}

/* Layer 2's bits of a frame with this type behind its tags. */
static uint32_t l2_ptype(uint16_t type, unsigned tags)
{
	switch (type) {
	case PLX_ETHER_ARP:
		return PLX_PTYPE_L2_ETHER_ARP;
	case PLX_ETHER_PTP:
		return PLX_PTYPE_L2_ETHER_TIMESYNC;
	case PLX_ETHER_LLDP:
		return PLX_PTYPE_L2_ETHER_LLDP;
	case PLX_ETHER_MPLS:
	case PLX_ETHER_MPLS_MCAST:
		return PLX_PTYPE_L2_ETHER_MPLS;
	default:
		if (tags == 0)
			return PLX_PTYPE_L2_ETHER;
		return tags == 1 ? PLX_PTYPE_L2_ETHER_VLAN : PLX_PTYPE_L2_ETHER_QINQ;
	}
}

/*
 * The functions from here to net_parse_level() are one when compiled: h is a local variable of it, kept
 * in registers, and leaves it as a whole.
 */

static PLX_ALWAYS_INLINE uint32_t bad(struct plx_pkt_hdrs *h)
{
	h->flags |= PLX_PKT_BAD;
	return 0;
}

/* Tags from offset off, type being that of the first; what follows them. */
static PLX_NOINLINE uint16_t skip_tags(
	struct cursor *c, uint16_t type, uint32_t *off, unsigned *tags)
{
	const struct plx_vlan_hdr *vlan;

	for (; is_tag(type) && *tags < PLX_PKT_TAGS; ++*tags) {
		vlan = header(c, *off, sizeof(*vlan));
		if (vlan == NULL)
			break;
		type = plx_be16_get(vlan->type);
		*off += (uint32_t)sizeof(*vlan);
	}
	return type;
}

/* Ethernet header and tags at offset off: layer 2's bits of the packet type. */
static PLX_ALWAYS_INLINE uint32_t parse_l2(struct cursor *c, uint32_t off, struct plx_pkt_hdrs *h)
{
	const struct plx_eth_hdr *eth = header(c, off, sizeof(*eth));
	uint16_t type;

	if (plx_unlikely(eth == NULL))
		return bad(h);
	type = plx_be16_get(eth->type);
	off += (uint32_t)sizeof(*eth);
	if (plx_likely(type == PLX_ETHER_IPV4 || type == PLX_ETHER_IPV6)) {
		h->ether_type = type;
		h->l3_off = (uint16_t)off;
		return PLX_PTYPE_L2_ETHER;
	}
	if (is_tag(type)) {
		uint32_t end = off;
		unsigned tags = 0;

		type = skip_tags(c, type, &end, &tags);
		off = end;
		h->tags = (uint8_t)tags;
		if (plx_unlikely(is_tag(type)))
			bad(h);
	}
	h->ether_type = type >= PLX_ETHER_TYPE_MIN ? type : 0;
	h->l3_off = (uint16_t)off;
	return l2_ptype(type, h->tags);
}

static PLX_ALWAYS_INLINE uint32_t parse_tcp(struct cursor *c, struct plx_pkt_hdrs *h)
{
	const struct plx_tcp_hdr *tcp = NULL;
	unsigned len;

	if (plx_likely(h->l4_bytes >= sizeof(*tcp)))
		tcp = header(c, h->l4_off, sizeof(*tcp));
	if (plx_unlikely(tcp == NULL))
		return bad(h);
	len = plx_tcp_hdr_len(tcp);
	if (plx_unlikely(len < sizeof(*tcp) || len > h->l4_bytes))
		return bad(h);
	h->l4_len = (uint16_t)len;
	return PLX_PTYPE_L4_TCP;
}

/* *port becomes the destination port. */
static PLX_ALWAYS_INLINE uint32_t parse_udp(
	struct cursor *c, struct plx_pkt_hdrs *h, plx_be16 *port)
{
	const struct plx_udp_hdr *udp = NULL;
	uint32_t len;

	if (plx_likely(h->l4_bytes >= sizeof(*udp)))
		udp = header(c, h->l4_off, sizeof(*udp));
	if (plx_unlikely(udp == NULL))
		return bad(h);
	len = plx_be16_get(udp->len);
	if (plx_unlikely(len < sizeof(*udp)))
		return bad(h);
	if (plx_likely(len <= h->l4_bytes))
		h->l4_bytes = len; /* padding may follow */
	else
		h->flags |= PLX_PKT_SHORT;
	h->l4_len = sizeof(*udp);
	*port = udp->dport;
	return PLX_PTYPE_L4_UDP;
}

/* A header of which nothing but its presence matters. */
static PLX_ALWAYS_INLINE uint32_t parse_fixed(struct plx_pkt_hdrs *h, uint16_t len, uint32_t ptype)
{
	if (plx_unlikely(h->l4_bytes < len))
		return bad(h);
	h->l4_len = len;
	return ptype;
}

/* Layer 4's bits of the packet type; those of a tunnel are set if there may be one. */
static PLX_ALWAYS_INLINE uint32_t parse_l4(struct cursor *c, struct plx_pkt_hdrs *h)
{
	plx_be16 port = {0};
	uint32_t ptype;

	if (plx_likely(h->proto == PLX_IP_TCP))
		return parse_tcp(c, h);
	if (plx_likely(h->proto == PLX_IP_UDP)) {
		ptype = parse_udp(c, h, &port);
		if (tunnel_port(port))
			ptype |= PLX_PTYPE_TUNNEL_MASK;
		return ptype;
	}
	switch (h->proto) {
	case PLX_IP_GRE:
	case PLX_IP_IPIP:
	case PLX_IP_IPV6:
		return PLX_PTYPE_L4_NONFRAG | PLX_PTYPE_TUNNEL_MASK;
	case PLX_IP_SCTP:
		return parse_fixed(h, sizeof(struct plx_sctp_hdr), PLX_PTYPE_L4_SCTP);
	case PLX_IP_ICMP:
		if (h->version == 4)
			return parse_fixed(h, sizeof(struct plx_icmp_hdr), PLX_PTYPE_L4_ICMP);
		break;
	case PLX_IP_ICMPV6:
		if (h->version == 6)
			return parse_fixed(h, sizeof(struct plx_icmp6_hdr), PLX_PTYPE_L4_ICMP);
		break;
	default:
		break;
	}
	return PLX_PTYPE_L4_NONFRAG;
}

/* What is behind the IP header: bytes by its length, of which there may be fewer. */
static PLX_ALWAYS_INLINE void set_payload(
	struct cursor *c, struct plx_pkt_hdrs *h, uint32_t off, uint32_t bytes)
{
	h->l3_len = (uint16_t)(off - h->l3_off);
	h->l4_off = (uint16_t)off;
	h->l4_bytes = bytes;
	if (plx_unlikely(bytes > c->total - off)) {
		h->l4_bytes = c->total - off;
		h->flags |= PLX_PKT_SHORT;
	}
}

static PLX_ALWAYS_INLINE uint32_t parse_ipv4(struct cursor *c, struct plx_pkt_hdrs *h)
{
	const struct plx_ipv4_hdr *ip = header(c, h->l3_off, sizeof(*ip));
	uint32_t ptype = PLX_PTYPE_L3_IPV4;
	unsigned hdr_len, len, frag;

	if (plx_unlikely(ip == NULL || ip->version_ihl >> 4 != 4))
		return bad(h);
	hdr_len = plx_ipv4_hdr_len(ip);
	len = plx_be16_get(ip->len);
	frag = plx_be16_get(ip->frag) & (PLX_IPV4_MF | PLX_IPV4_OFF_MASK);
	if (plx_unlikely(hdr_len < sizeof(*ip) || len < hdr_len || h->l3_off + hdr_len > c->total))
		return bad(h);
	h->version = 4;
	h->proto = ip->proto;
	set_payload(c, h, h->l3_off + hdr_len, len - hdr_len);
	if (plx_unlikely(hdr_len > sizeof(*ip))) {
		h->flags |= PLX_PKT_OPTIONS;
		ptype = PLX_PTYPE_L3_IPV4_EXT;
	}
	if (plx_unlikely(frag != 0)) {
		h->flags |= PLX_PKT_FRAG;
		if ((frag & PLX_IPV4_OFF_MASK) == 0)
			h->flags |= PLX_PKT_FRAG_FIRST;
		return ptype | PLX_PTYPE_L4_FRAG;
	}
	return ptype | parse_l4(c, h);
}

/* Where the extension headers of an IPv6 packet have led. */
struct exts {
	uint32_t off;     /* of what is next */
	uint32_t bytes;   /* that the IPv6 header's length leaves */
	uint16_t routing; /* as in struct plx_pkt_hdrs */
	uint8_t proto;    /* of what is next */
	uint8_t flags;
};

/* One extension header. False: it is not in the packet. */
static bool skip_ext(struct cursor *c, struct exts *e)
{
	const struct plx_ipv6_routing_hdr *ext; /* the others are alike where it matters */
	unsigned len, frag;

	ext = e->bytes >= sizeof(*ext) ? header(c, e->off, sizeof(*ext)) : NULL;
	if (ext == NULL)
		return false;
	len = (ext->len + 1u) * 8;
	if (e->proto == PLX_IP_AH) {
		len = (ext->len + 2u) * 4;
	} else if (e->proto == PLX_IP_ROUTING && ext->segs_left > 0) {
		e->routing = (uint16_t)e->off;
	} else if (e->proto == PLX_IP_FRAGMENT) {
		len = sizeof(struct plx_ipv6_frag_hdr);
		frag = plx_load_be16(&ext->type);
		/* With neither it is a whole datagram (RFC 6946). */
		if (frag & (PLX_IPV6_OFF_MASK | PLX_IPV6_MF))
			e->flags |= PLX_PKT_FRAG;
		if ((frag & PLX_IPV6_OFF_MASK) == 0 && (frag & PLX_IPV6_MF) != 0)
			e->flags |= PLX_PKT_FRAG_FIRST;
	}
	if (len > e->bytes || e->off + len > c->total)
		return false;
	e->proto = ext->proto;
	e->off += len;
	e->bytes -= len;
	return true;
}

/* All extension headers, up to a fragment's. False: one of them is bad, or they are too many. */
static PLX_NOINLINE bool skip_exts(struct cursor *c, struct exts *e)
{
	e->flags = PLX_PKT_OPTIONS;
	for (unsigned n = 0; is_ext(e->proto) && !(e->flags & PLX_PKT_FRAG); n++) {
		if (n == PLX_PKT_EXTS || !skip_ext(c, e))
			return false;
	}
	return true;
}

static PLX_ALWAYS_INLINE uint32_t parse_ipv6(struct cursor *c, struct plx_pkt_hdrs *h)
{
	const struct plx_ipv6_hdr *ip = header(c, h->l3_off, sizeof(*ip));
	uint32_t ptype = PLX_PTYPE_L3_IPV6, off = h->l3_off + (uint32_t)sizeof(*ip), bytes;

	if (plx_unlikely(ip == NULL || plx_be32_get(ip->vtc_flow) >> 28 != 6))
		return bad(h);
	h->version = 6;
	bytes = plx_be16_get(ip->len);
	h->proto = ip->proto;
	if (plx_unlikely(h->proto != PLX_IP_TCP && h->proto != PLX_IP_UDP && is_ext(h->proto))) {
		struct exts e = {off, bytes, 0, h->proto, 0};
		bool good = skip_exts(c, &e);

		ptype = PLX_PTYPE_L3_IPV6_EXT;
		h->proto = 0;
		h->flags |= PLX_PKT_OPTIONS;
		if (!good)
			return ptype | bad(h);
		h->flags |= e.flags;
		h->proto = e.proto;
		h->routing = e.routing;
		off = e.off;
		bytes = e.bytes;
	}
	set_payload(c, h, off, bytes);
	if (plx_unlikely(h->flags & PLX_PKT_FRAG))
		return ptype | PLX_PTYPE_L4_FRAG;
	return ptype | parse_l4(c, h);
}

uint32_t net_parse_level(struct cursor *c, uint32_t start, uint32_t off, uint16_t type,
	struct plx_pkt_hdrs *hdr, struct plx_pkt_hdrs *outer)
{
	struct plx_pkt_hdrs h = {0};
	uint32_t ptype = 0;

	if (type == PARSE_ETHER) {
		ptype = parse_l2(c, off, &h);
	} else {
		h.ether_type = type;
		h.l3_off = (uint16_t)off;
	}
	if (plx_likely(h.l3_off != 0))
		h.l2_len = (uint16_t)(h.l3_off - start);
	if (plx_likely(h.ether_type == PLX_ETHER_IPV4))
		ptype |= parse_ipv4(c, &h);
	else if (h.ether_type == PLX_ETHER_IPV6)
		ptype |= parse_ipv6(c, &h);
	*(ptype & PLX_PTYPE_TUNNEL_MASK ? outer : hdr) = h;
	return ptype;
}
