/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parser: from Ethernet to layer 4.
 *
 * Every header is asked for with header(), which is what keeps all reads inside the packet. A length
 * that a header gives is compared with what is there before it moves the offset, so that offsets
 * never pass c->total, which fits 16 bits.
 */
#include "plx_log.h"
#include "parse.h"

const uint8_t *net_gather(struct cursor *c, uint32_t off, uint32_t len)
{
	const struct plx_mbuf *m = c->seg;
	uint32_t at = c->seg_off, got = 0;

	if (m == NULL || off < at || off + len > c->total)
		return NULL;
	while (off - at >= m->data_len) {
		at += m->data_len;
		m = m->next;
		if (m == NULL)
			return NULL;
	}
	c->seg = m;
	c->seg_off = at;
	for (off -= at; m != NULL; m = m->next, off = 0) {
		uint32_t part = PLX_MIN(len - got, m->data_len - off);

		memcpy(c->buf + got, plx_mbuf_data(m) + off, part);
		got += part;
		if (got == len)
			return c->buf;
	}
	return NULL;
}

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

uint32_t net_parse_l2(struct cursor *c, uint32_t off, struct plx_pkt_hdrs *h)
{
	const struct plx_eth_hdr *eth = header(c, off, sizeof(*eth));
	uint16_t type;

	if (plx_unlikely(eth == NULL)) {
		h->flags |= PLX_PKT_BAD;
		return 0;
	}
	type = plx_be16_get(eth->type);
	off += (uint32_t)sizeof(*eth);
	while (plx_unlikely(is_tag(type))) {
		const struct plx_vlan_hdr *vlan = header(c, off, sizeof(*vlan));

		if (vlan == NULL || h->tags == PLX_PKT_TAGS) {
			h->flags |= PLX_PKT_BAD;
			break;
		}
		type = plx_be16_get(vlan->type);
		off += (uint32_t)sizeof(*vlan);
		h->tags++;
	}
	h->ether_type = type >= PLX_ETHER_TYPE_MIN ? type : 0;
	h->l3_off = (uint16_t)off;
	if (plx_likely(type == PLX_ETHER_IPV4 && h->tags == 0))
		return PLX_PTYPE_L2_ETHER;
	return l2_ptype(type, h->tags);
}

static uint32_t bad(struct plx_pkt_hdrs *h)
{
	h->flags |= PLX_PKT_BAD;
	return 0;
}

static uint32_t parse_tcp(struct cursor *c, struct plx_pkt_hdrs *h)
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

static uint32_t parse_udp(struct cursor *c, struct plx_pkt_hdrs *h)
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
	return PLX_PTYPE_L4_UDP;
}

/* A header of which nothing but its presence matters. */
static uint32_t parse_fixed(struct plx_pkt_hdrs *h, uint16_t len, uint32_t ptype)
{
	if (plx_unlikely(h->l4_bytes < len))
		return bad(h);
	h->l4_len = len;
	return ptype;
}

static uint32_t parse_l4(struct cursor *c, struct plx_pkt_hdrs *h)
{
	switch (h->proto) {
	case PLX_IP_TCP:
		return parse_tcp(c, h);
	case PLX_IP_UDP:
		return parse_udp(c, h);
	case PLX_IP_SCTP:
		return parse_fixed(h, sizeof(struct plx_sctp_hdr), PLX_PTYPE_L4_SCTP);
	case PLX_IP_ICMP:
		if (h->version != 4)
			return PLX_PTYPE_L4_NONFRAG;
		return parse_fixed(h, sizeof(struct plx_icmp_hdr), PLX_PTYPE_L4_ICMP);
	case PLX_IP_ICMPV6:
		if (h->version != 6)
			return PLX_PTYPE_L4_NONFRAG;
		return parse_fixed(h, sizeof(struct plx_icmp6_hdr), PLX_PTYPE_L4_ICMP);
	default:
		return PLX_PTYPE_L4_NONFRAG;
	}
}

/* What is behind the IP header: bytes by its length, of which there may be fewer. */
static void set_payload(struct cursor *c, struct plx_pkt_hdrs *h, uint32_t off, uint32_t bytes)
{
	h->l3_len = (uint16_t)(off - h->l3_off);
	h->l4_off = (uint16_t)off;
	h->l4_bytes = bytes;
	if (plx_unlikely(bytes > c->total - off)) {
		h->l4_bytes = c->total - off;
		h->flags |= PLX_PKT_SHORT;
	}
}

static uint32_t parse_ipv4(struct cursor *c, struct plx_pkt_hdrs *h)
{
	const struct plx_ipv4_hdr *ip = header(c, h->l3_off, sizeof(*ip));
	uint32_t ptype = PLX_PTYPE_L3_IPV4;
	unsigned hdr_len, len;

	if (plx_unlikely(ip == NULL || ip->version_ihl >> 4 != 4))
		return bad(h);
	hdr_len = plx_ipv4_hdr_len(ip);
	len = plx_be16_get(ip->len);
	if (plx_unlikely(hdr_len < sizeof(*ip) || len < hdr_len || h->l3_off + hdr_len > c->total))
		return bad(h);
	h->version = 4;
	h->proto = ip->proto;
	set_payload(c, h, h->l3_off + hdr_len, len - hdr_len);
	if (plx_unlikely(hdr_len > sizeof(*ip))) {
		h->flags |= PLX_PKT_OPTIONS;
		ptype = PLX_PTYPE_L3_IPV4_EXT;
	}
	if (plx_unlikely(plx_ipv4_is_frag(ip))) {
		h->flags |= PLX_PKT_FRAG;
		if ((plx_be16_get(ip->frag) & PLX_IPV4_OFF_MASK) == 0)
			h->flags |= PLX_PKT_FRAG_FIRST;
		return ptype | PLX_PTYPE_L4_FRAG;
	}
	return ptype | parse_l4(c, h);
}

/*
 * One extension header at offset off. Returns its length, 0 if h->proto is none, and -1 if it is not
 * within bytes, which is what the IPv6 header's length leaves.
 */
static int parse_ext(struct cursor *c, struct plx_pkt_hdrs *h, uint32_t off, uint32_t bytes)
{
	const struct plx_ipv6_routing_hdr *ext; /* the others are alike where it matters */
	plx_be16 frag;
	unsigned len;

	switch (h->proto) {
	case PLX_IP_HOPOPTS:
	case PLX_IP_ROUTING:
	case PLX_IP_FRAGMENT:
	case PLX_IP_AH:
	case PLX_IP_DSTOPTS:
	case PLX_IP_MOBILITY:
	case PLX_IP_HIP:
	case PLX_IP_SHIM6:
		break;
	default:
		return 0;
	}
	ext = bytes >= sizeof(*ext) ? header(c, off, sizeof(*ext)) : NULL;
	if (ext == NULL)
		return -1;
	len = h->proto == PLX_IP_AH ? (ext->len + 2u) * 4 : (ext->len + 1u) * 8;
	if (h->proto == PLX_IP_ROUTING && ext->segs_left > 0)
		h->routing = (uint16_t)off;
	if (h->proto == PLX_IP_FRAGMENT) {
		len = sizeof(struct plx_ipv6_frag_hdr);
		memcpy(&frag, &ext->type, sizeof(frag));
		/* With neither it is a whole datagram (RFC 6946). */
		if (plx_be16_get(frag) & (PLX_IPV6_OFF_MASK | PLX_IPV6_MF))
			h->flags |= PLX_PKT_FRAG;
		if ((plx_be16_get(frag) & PLX_IPV6_OFF_MASK) == 0 && (h->flags & PLX_PKT_FRAG))
			h->flags |= PLX_PKT_FRAG_FIRST;
	}
	h->proto = ext->proto;
	return len <= bytes && off + len <= c->total ? (int)len : -1;
}

static uint32_t parse_ipv6(struct cursor *c, struct plx_pkt_hdrs *h)
{
	const struct plx_ipv6_hdr *ip = header(c, h->l3_off, sizeof(*ip));
	uint32_t ptype = PLX_PTYPE_L3_IPV6, off = h->l3_off + (uint32_t)sizeof(*ip), bytes;

	if (plx_unlikely(ip == NULL || plx_be32_get(ip->vtc_flow) >> 28 != 6))
		return bad(h);
	h->version = 6;
	h->proto = ip->proto;
	bytes = plx_be16_get(ip->len);
	for (unsigned n = 0;; n++) {
		int len = parse_ext(c, h, off, bytes);

		if (plx_likely(len == 0))
			break;
		h->flags |= PLX_PKT_OPTIONS;
		ptype = PLX_PTYPE_L3_IPV6_EXT;
		if (len < 0 || n == PLX_PKT_EXTS) {
			h->proto = 0;
			h->routing = 0;
			h->flags &= (uint8_t) ~(PLX_PKT_FRAG | PLX_PKT_FRAG_FIRST);
			return ptype | bad(h);
		}
		off += (uint32_t)len;
		bytes -= (uint32_t)len;
		if (h->flags & PLX_PKT_FRAG)
			break;
	}
	set_payload(c, h, off, bytes);
	return ptype | (h->flags & PLX_PKT_FRAG ? (uint32_t)PLX_PTYPE_L4_FRAG : parse_l4(c, h));
}

uint32_t net_parse_l3(struct cursor *c, struct plx_pkt_hdrs *h)
{
	if (plx_likely(h->ether_type == PLX_ETHER_IPV4))
		return parse_ipv4(c, h);
	return h->ether_type == PLX_ETHER_IPV6 ? parse_ipv6(c, h) : 0;
}

static uint32_t parse(struct cursor *c, struct plx_pkt_info *info)
{
	struct plx_pkt_hdrs *h = &info->hdr;
	uint32_t ptype;

	memset(info, 0, sizeof(*info));
	ptype = net_parse_l2(c, 0, h);
	h->l2_len = h->l3_off;
	ptype |= net_parse_l3(c, h);
	if (plx_unlikely(h->proto != PLX_IP_TCP))
		ptype = net_parse_tunnel(c, info, ptype);
	info->ptype = ptype;
	return ptype;
}

uint32_t plx_pkt_parse_mem(const void *data, uint32_t len, struct plx_pkt_info *info)
{
	struct cursor c;

	c.p = (const uint8_t *)data;
	c.contig = c.total = PLX_MIN(len, PLX_PKT_LEN_MAX);
	c.seg = NULL;
	c.seg_off = 0;
	return parse(&c, info);
}

uint32_t plx_pkt_parse(const struct plx_mbuf *m, struct plx_pkt_info *info)
{
	struct cursor c;

	c.p = plx_mbuf_data(m);
	c.contig = c.total = m->data_len;
	c.seg = NULL;
	c.seg_off = 0;
	if (plx_unlikely(m->next != NULL)) {
		c.seg = m;
		for (m = m->next; m != NULL && c.total < PLX_PKT_LEN_MAX; m = m->next)
			c.total += m->data_len;
		c.total = PLX_MIN(c.total, PLX_PKT_LEN_MAX);
	}
	return parse(&c, info);
}

void plx_pkt_info_untunnel(struct plx_pkt_info *info)
{
	if (!(info->ptype & PLX_PTYPE_TUNNEL_MASK))
		return;
	info->ptype &= PLX_PTYPE_L2_MASK | PLX_PTYPE_L3_MASK | PLX_PTYPE_L4_MASK;
	if (!(info->ptype & PLX_PTYPE_L4_MASK))
		info->ptype |= PLX_PTYPE_L4_NONFRAG;
	info->hdr = info->outer;
	memset(&info->outer, 0, sizeof(info->outer));
}

int plx_pkt_tx_lens(const struct plx_pkt_info *info, struct plx_tx_offload *tx)
{
	const struct plx_pkt_hdrs *h = &info->hdr, *o = &info->outer;

	if (h->l2_len > 127 || h->l3_len > 511 || h->l4_len > 255 || o->l2_len > 127 ||
		o->l3_len > 511)
		return plx_err(EOVERFLOW,
			"packet with headers of %u, %u and %u bytes: offloads take 127, 511 and 255",
			PLX_MAX(h->l2_len, o->l2_len), PLX_MAX(h->l3_len, o->l3_len), h->l4_len);
	memset(tx, 0, sizeof(*tx));
	tx->l2_len = h->l2_len & 0x7fu;
	tx->l3_len = h->l3_len & 0x1ffu;
	tx->l4_len = h->l4_len & 0xffu;
	tx->outer_l2_len = o->l2_len & 0x7fu;
	tx->outer_l3_len = o->l3_len & 0x1ffu;
	return 0;
}
