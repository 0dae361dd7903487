/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inner headers come first: an outer UDP checksum covers them, and has no offload, so a packet that
 * has one gets all its checksums in software.
 */
#include "csum.h"

#include "plx_cksum.h"

/* The packet that is worked on. */
struct work {
	const struct csum *c;
	struct plx_mbuf *m;
	struct plx_pkt_info info;
	struct plx_tx_offload tx;
	bool hw; /* the port may be asked: lengths fit, nothing around it needs the final bytes */
	uint32_t flags; /* for TX */
	uint32_t bad;
};

/* ---- single fields; nearly always they lie in the first segment ---- */

static void get(const struct plx_mbuf *m, uint32_t off, void *v, uint32_t len)
{
	if (plx_likely(off + len <= m->data_len))
		memcpy(v, plx_mbuf_data(m) + off, len);
	else
		(void)plx_mbuf_read(m, off, v, len);
}

/* Writes what differs alone: the line may be clean. */
static void put(struct plx_mbuf *m, uint32_t off, const void *v, uint32_t len)
{
	if (plx_likely(off + len <= m->data_len))
		memcpy(plx_mbuf_data(m) + off, v, len);
	else
		(void)plx_mbuf_write(m, off, v, len);
}

static void put16(struct plx_mbuf *m, uint32_t off, plx_be16 v)
{
	put(m, off, &v, sizeof(v));
}

/* 0 and 0xffff are the same in one's complement. */
static bool same(plx_be16 a, plx_be16 b)
{
	return a.v == b.v || (uint16_t)(a.v + 1) + (uint16_t)(b.v + 1) == 1;
}

/* ---- IPv4 header ---- */

/* The checksum that the header at off should have; *is: what it has. */
static plx_be16 ipv4_cksum(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, plx_be16 *is)
{
	uint8_t copy[PLX_IPV4_HDR_MAX];
	const struct plx_ipv4_hdr *ip;

	ip = (const struct plx_ipv4_hdr *)(plx_mbuf_data(m) + h->l3_off);
	if (plx_unlikely(h->l3_off + (uint32_t)h->l3_len > m->data_len)) {
		(void)plx_mbuf_read(m, h->l3_off, copy, h->l3_len);
		ip = (const struct plx_ipv4_hdr *)copy;
	}
	*is = ip->cksum;
	return plx_ipv4_cksum(ip);
}

/* One IPv4 header. bad_flag, good_flag: what RX says of it; hw: the port is asked for it. */
static bool do_ipv4(struct work *w, const struct plx_pkt_hdrs *h, uint32_t bad_flag,
	uint32_t good_flag, bool hw)
{
	const uint32_t field = h->l3_off + (uint32_t)offsetof(struct plx_ipv4_hdr, cksum);
	plx_be16 is, should;

	if (hw && (w->m->flags & (bad_flag | good_flag))) {
		put16(w->m, field, plx_be16_make(0));
		return !(w->m->flags & bad_flag);
	}
	should = ipv4_cksum(w->m, h, &is);
	if (hw || should.v != is.v)
		put16(w->m, field, hw ? plx_be16_make(0) : should);
	return (w->m->flags & bad_flag) == 0 && same(is, should);
}

/* ---- layer 4 ---- */

/* Which checksum of --csum it is; CSUM_KINDS: none, or it cannot be computed. */
static int l4_kind(const struct plx_pkt_hdrs *h)
{
	if (h->l4_len == 0 || (h->flags & (PLX_PKT_BAD | PLX_PKT_SHORT | PLX_PKT_FRAG)))
		return CSUM_KINDS;
	switch (h->proto) {
	case PLX_IP_TCP:
		return CSUM_TCP;
	case PLX_IP_UDP:
		return CSUM_UDP;
	case PLX_IP_SCTP:
		return CSUM_SCTP;
	default:
		return CSUM_KINDS;
	}
}

/* UDP without a checksum; over IPv6 only a tunnel may leave it out (RFC 6935). */
static bool left_out(const struct plx_mbuf *m, const struct plx_pkt_hdrs *h, bool tunnel)
{
	plx_be16 v;

	if (h->proto != PLX_IP_UDP || (h->version != 4 && !tunnel))
		return false;
	get(m, plx_l4_cksum_off(h), &v, sizeof(v));
	return v.v == 0;
}

/* In software. Was it right? */
static bool soft_l4(struct plx_mbuf *m, const struct plx_pkt_hdrs *h, bool write)
{
	const uint32_t off = plx_l4_cksum_off(h);
	plx_be16 is, should;

	if (h->proto == PLX_IP_SCTP) {
		plx_le32 crc, was;

		if (plx_sctp_cksum_mbuf(m, h, &crc) < 0)
			return true;
		get(m, off, &was, sizeof(was));
		if (write && was.v != crc.v)
			put(m, off, &crc, sizeof(crc));
		return was.v == crc.v;
	}
	if (plx_l4_cksum_mbuf(m, h, &should) < 0)
		return true;
	get(m, off, &is, sizeof(is));
	if (write && is.v != should.v)
		put16(m, off, should);
	return same(is, should);
}

/* The port is asked. False: it cannot be. */
static bool ask_l4(struct work *w, int kind)
{
	static const uint32_t flags[CSUM_KINDS] = {[CSUM_UDP] = PLX_TX_UDP_CKSUM,
		[CSUM_TCP] = PLX_TX_TCP_CKSUM,
		[CSUM_SCTP] = PLX_TX_SCTP_CKSUM};
	const struct plx_pkt_hdrs *h = &w->info.hdr;
	const uint16_t segsz =
		w->info.outer.version != 0 ? w->c->tunnel_tso_segsz : w->c->tso_segsz;
	const bool tso =
		kind == CSUM_TCP && segsz != 0 && h->l4_bytes > h->l4_len + (uint32_t)segsz;
	uint32_t sum;

	if (kind == CSUM_SCTP) {
		const plx_le32 zero = plx_le32_make(0);

		put(w->m, plx_l4_cksum_off(h), &zero, sizeof(zero));
	} else {
		if (plx_l4_phdr_sum_mbuf(w->m, h, tso ? 0 : h->l4_bytes, &sum) < 0)
			return false;
		put16(w->m, plx_l4_cksum_off(h), plx_cksum_fold(sum));
	}
	w->flags |= flags[kind];
	if (tso) {
		w->flags |= PLX_TX_TSO | (h->version == 4 ? PLX_TX_IP_CKSUM : 0);
		w->tx.tso_segsz = segsz;
	}
	return true;
}

/* The packet's own, or the inner, layer 4. */
static void do_l4(struct work *w)
{
	const struct plx_pkt_hdrs *h = &w->info.hdr;
	const uint32_t known = PLX_RX_L4_CKSUM_GOOD | PLX_RX_L4_CKSUM_BAD;
	const bool tunnel = w->info.outer.version != 0;
	const int kind = l4_kind(h);
	bool good;

	if (kind == CSUM_KINDS || left_out(w->m, h, false))
		return;
	if (!(w->hw && w->c->hw[kind])) {
		good = soft_l4(w->m, h, true);
	} else {
		/* of a tunnel, what RX says is about one of two checksums */
		good = (w->m->flags & known) && !tunnel ? !(w->m->flags & PLX_RX_L4_CKSUM_BAD)
							: soft_l4(w->m, h, false);
		if (!ask_l4(w, kind))
			(void)soft_l4(w->m, h, true);
	}
	if (!good)
		w->bad |= CSUM_BAD_L4;
}

/* The packet's own, or the inner, IPv4 header. Of a tunnel, what RX says may be about the outer one. */
static void do_ip(struct work *w)
{
	const bool tunnel = w->info.outer.version != 0;
	const bool hw = (w->hw && w->c->hw[CSUM_IP]) || (w->flags & PLX_TX_TSO);

	if (!do_ipv4(w, &w->info.hdr, tunnel ? 0 : PLX_RX_IP_CKSUM_BAD,
		    tunnel ? 0 : PLX_RX_IP_CKSUM_GOOD, hw))
		w->bad |= CSUM_BAD_IP;
	if (hw)
		w->flags |= PLX_TX_IP_CKSUM;
}

/* The headers around a tunnel; what is inside is as it will be sent, or the port's. */
static void do_outer(struct work *w)
{
	const struct plx_pkt_hdrs *h = &w->info.outer;

	if (l4_kind(h) == CSUM_UDP && !left_out(w->m, h, true) && !soft_l4(w->m, h, true))
		w->bad |= CSUM_BAD_OUTER_L4;
	if (h->version == 4) {
		const bool hw = w->hw && w->c->hw[CSUM_OUTER_IP];

		if (!do_ipv4(w, h, PLX_RX_OUTER_IP_CKSUM_BAD, 0, hw))
			w->bad |= CSUM_BAD_OUTER_IP;
		if (hw)
			w->flags |= PLX_TX_OUTER_IP_CKSUM;
	}
	if (w->flags != 0)
		w->flags |=
			PLX_TX_TUNNEL | (h->version == 4 ? PLX_TX_OUTER_IPV4 : PLX_TX_OUTER_IPV6);
}

/* May the port be asked for anything at all? */
static bool may_ask(struct work *w)
{
	const struct plx_pkt_hdrs *outer = &w->info.outer;

	if (outer->version != 0 &&
		(!w->c->hw_tunnel || (l4_kind(outer) == CSUM_UDP && !left_out(w->m, outer, true))))
		return false;
	/* devices sum to the packet's end: there must be no padding behind layer 4 */
	if (w->info.hdr.l4_off + w->info.hdr.l4_bytes != w->m->pkt_len)
		return false;
	return plx_pkt_tx_lens(&w->info, &w->tx) == 0;
}

static uint32_t any_packet(const struct csum *c, struct plx_mbuf *m)
{
	struct work w = {.c = c, .m = m};
	const struct plx_pkt_hdrs *h = &w.info.hdr;

	plx_pkt_parse(m, &w.info);
	if (!c->parse_tunnel)
		plx_pkt_info_untunnel(&w.info);
	if (h->version == 0 && w.info.outer.version == 0)
		return 0;
	w.hw = may_ask(&w);
	if (h->version != 0 && h->l3_len != 0)
		do_l4(&w);
	if (h->version == 4 && h->l3_len != 0)
		do_ip(&w);
	if (w.flags != 0)
		w.flags |= h->version == 4 ? PLX_TX_IPV4 : PLX_TX_IPV6;
	if (w.info.outer.version != 0)
		do_outer(&w);
	if (w.flags != 0) {
		m->flags = (m->flags & ~(uint32_t)(PLX_RX_RSS_HASH | PLX_RX_MARK)) | w.flags;
		m->tx = w.tx;
	}
	return w.bad;
}

/* ---- the usual packet: nothing is wrong, and nothing is asked of the port ---- */

static bool sums_to_zero(uint64_t sum)
{
	return plx_cksum_finish(plx_cksum_narrow_(sum)).v == 0;
}

/* 20 bytes, as sums of 32-bit words. */
static bool ipv4_right(const uint8_t *ip)
{
	uint64_t sum = 0;
	uint32_t word;

	for (int i = 0; i < 20; i += 4) {
		memcpy(&word, ip + i, sizeof(word));
		sum += word;
	}
	return sums_to_zero(sum);
}

/* UDP or TCP of len bytes behind a header of 20. One that is 0 or 0xffff is looked at closely. */
static bool l4_right(const struct csum *c, const uint8_t *ip, uint32_t len)
{
	const struct plx_ipv4_hdr *h = (const struct plx_ipv4_hdr *)ip;
	const uint8_t *l4 = ip + sizeof(*h);
	const bool udp = h->proto == PLX_IP_UDP;
	uint16_t cksum;

	if (len < (udp ? sizeof(struct plx_udp_hdr) : sizeof(struct plx_tcp_hdr)))
		return false;
	memcpy(&cksum, l4 + (udp ? 6 : 16), sizeof(cksum));
	if (udp) {
		const uint16_t port = plx_load_be16(l4 + 2);

		if (plx_load_be16(l4 + 4) != len ||
			(c->parse_tunnel && (port == PLX_UDP_VXLAN || port == PLX_UDP_VXLAN_GPE ||
						    port == PLX_UDP_GENEVE)))
			return false;
		if (cksum == 0)
			return true;
	}
	return cksum != 0 && cksum != 0xffff &&
	       sums_to_zero(plx_cksum_add(plx_ipv4_phdr_sum(h, h->proto, (uint16_t)len), l4, len));
}

/*
 * True: the packet may go as it is. False says nothing: a packet with a wrong checksum, and any
 * other than Ethernet, IPv4 without options, UDP or TCP, in one segment, is for the parser.
 */
static bool right_already(const struct csum *c, const struct plx_mbuf *m)
{
	const uint32_t bad = PLX_RX_IP_CKSUM_BAD | PLX_RX_L4_CKSUM_BAD;
	const uint8_t *p = plx_mbuf_data(m), *ip = p + PLX_ETHER_HDR_LEN;
	const struct plx_ipv4_hdr *h = (const struct plx_ipv4_hdr *)ip;
	uint32_t len;

	if (m->data_len < PLX_ETHER_HDR_LEN + sizeof(*h))
		return false;
	switch (plx_load_be16(p + 2 * PLX_MAC_LEN)) {
	case PLX_ETHER_IPV4:
		break;
	case PLX_ETHER_IPV6:
	case PLX_ETHER_VLAN:
	case PLX_ETHER_QINQ:
	case PLX_ETHER_QINQ_OLD:
		return false;
	default:
		return true;
	}
	len = plx_be16_get(h->len);
	if (c->any_hw || (m->flags & bad) || m->next != NULL || h->version_ihl != 0x45 ||
		plx_ipv4_is_frag(h) || len < sizeof(*h) || PLX_ETHER_HDR_LEN + len > m->data_len ||
		(h->proto != PLX_IP_UDP && h->proto != PLX_IP_TCP))
		return false;
	return ipv4_right(ip) && l4_right(c, ip, len - (uint32_t)sizeof(*h));
}

uint32_t csum_packet(const struct csum *c, struct plx_mbuf *m)
{
	return right_already(c, m) ? 0 : any_packet(c, m);
}
