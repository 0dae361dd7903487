/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * icmpecho: answers, out of the port that was asked, ARP requests, IPv6 neighbour solicitations and
 * echo requests of ICMP and ICMPv6, as a host with every address would, or with those of
 * --echo-addr. VLAN tags stay. All else is freed: fragments, what was sent to a group, what has a
 * wrong checksum (counted apart).
 *
 * For any address nobody is told that his own one is taken: ARP probes and announcements (RFC 5227)
 * and duplicate address detection (RFC 4862, 5.4) get an answer for addresses of --echo-addr alone.
 */
#include <stdlib.h>

#include "modes.h"
#include "plx_cksum.h"

enum { TTL = 64, ND_HOPS = 255 };

/* The state: the addresses; the packet that is looked at. */
struct echo {
	const struct mode_opts *opt;
	struct plx_mac mac;
	struct plx_mempool_cache *cache;
};

struct request {
	struct plx_mbuf *m;
	struct plx_pkt_info info;
	uint8_t *p; /* the packet's beginning: all headers up to ICMP's are in the first segment */
};

enum verdict {
	ANSWERED_ARP = CTR_ARP_REPLIES,
	ANSWERED_ND = CTR_ND_REPLIES,
	ANSWERED_ECHO = CTR_ECHO_REPLIES,
	BAD_IP = CTR_BAD_IP,
	BAD_L4 = CTR_BAD_L4,
	IGNORED = CTR_IGNORED
};

static bool listed(const struct echo *e, uint8_t version, const uint8_t *addr)
{
	const size_t len = version == 4 ? 4 : PLX_IPV6_ADDR_LEN;

	for (uint16_t i = 0; i < e->opt->n_echo; i++)
		if (e->opt->echo[i].version == version && memcmp(e->opt->echo[i].b, addr, len) == 0)
			return true;
	return false;
}

static bool ours(const struct echo *e, uint8_t version, const uint8_t *addr)
{
	return e->opt->n_echo == 0 || listed(e, version, addr);
}

/* Neither a group nor the broadcast address, nor "this network" (RFC 1122, 3.2.1.3). */
static bool unicast4(plx_be32 addr)
{
	const uint32_t a = plx_be32_get(addr);

	return a >> 24 != 0 && a >> 28 < 0xe;
}

static bool unicast6(const uint8_t *addr)
{
	static const uint8_t unspecified[PLX_IPV6_ADDR_LEN];

	return !plx_ipv6_is_group(addr) && memcmp(addr, unspecified, sizeof(unspecified)) != 0;
}

static enum verdict answer_arp(const struct echo *e, struct request *r)
{
	struct plx_eth_hdr *eth = (struct plx_eth_hdr *)r->p;
	struct plx_arp_hdr *arp = (struct plx_arp_hdr *)(r->p + r->info.hdr.l3_off);
	uint8_t target[4];
	plx_be32 asked;
	bool probe;

	if (r->info.hdr.l3_off + sizeof(*arp) > r->m->data_len ||
		plx_be16_get(arp->hw_type) != PLX_ARP_HW_ETHER ||
		plx_be16_get(arp->proto_type) != PLX_ETHER_IPV4 || arp->hw_len != PLX_MAC_LEN ||
		arp->proto_len != 4 || plx_be16_get(arp->op) != PLX_ARP_REQUEST ||
		plx_mac_is_group(arp->sender_mac))
		return IGNORED;
	asked = arp->target_ip;
	memcpy(target, &asked, sizeof(target));
	probe = arp->sender_ip.v == 0 || arp->sender_ip.v == asked.v;
	if (!unicast4(asked) || !(probe ? listed(e, 4, target) : ours(e, 4, target)))
		return IGNORED;
	memcpy(eth->dst, eth->src, PLX_MAC_LEN);
	memcpy(eth->src, e->mac.b, PLX_MAC_LEN);
	arp->op = plx_be16_make(PLX_ARP_REPLY);
	memcpy(arp->target_mac, arp->sender_mac, PLX_MAC_LEN);
	arp->target_ip = arp->sender_ip;
	memcpy(arp->sender_mac, e->mac.b, PLX_MAC_LEN);
	arp->sender_ip = asked;
	return ANSWERED_ARP;
}

/* An echo message becomes its reply: what changes is its type, and the checksum by as much. */
static void reply_icmp(uint8_t *icmp, uint8_t type)
{
	struct plx_icmp_hdr *h = (struct plx_icmp_hdr *)icmp;
	plx_be16 was, is;

	memcpy(&was, icmp, sizeof(was));
	h->type = type;
	memcpy(&is, icmp, sizeof(is));
	h->cksum = plx_cksum_update16(h->cksum, was, is);
}

static enum verdict answer_echo4(const struct echo *e, struct request *r)
{
	struct plx_ipv4_hdr *ip = (struct plx_ipv4_hdr *)(r->p + r->info.hdr.l3_off);
	uint8_t *icmp = r->p + r->info.hdr.l4_off;
	uint8_t dst[4];
	plx_be32 addr = ip->dst;

	memcpy(dst, &addr, sizeof(dst));
	if (icmp[0] != PLX_ICMP_ECHO || icmp[1] != 0 || !unicast4(ip->src) || !unicast4(addr) ||
		!ours(e, 4, dst) || plx_mac_is_group(r->p))
		return IGNORED;
	if (!(r->m->flags & PLX_RX_IP_CKSUM_GOOD) && !plx_l3_cksum_check(r->m, &r->info.hdr))
		return BAD_IP;
	if (plx_l4_cksum_check(r->m, &r->info.hdr) != 1)
		return BAD_L4;
	swap_macs_at(r->p);
	ip->dst = ip->src;
	ip->src = addr;
	ip->ttl = TTL;
	ip->cksum = plx_ipv4_cksum(ip);
	reply_icmp(icmp, PLX_ICMP_ECHO_REPLY);
	return ANSWERED_ECHO;
}

static enum verdict answer_echo6(const struct echo *e, struct request *r)
{
	struct plx_ipv6_hdr *ip = (struct plx_ipv6_hdr *)(r->p + r->info.hdr.l3_off);
	uint8_t addr[PLX_IPV6_ADDR_LEN];

	if (!unicast6(ip->src) || !unicast6(ip->dst) || !ours(e, 6, ip->dst) ||
		plx_mac_is_group(r->p))
		return IGNORED;
	swap_macs_at(r->p);
	memcpy(addr, ip->src, sizeof(addr));
	memcpy(ip->src, ip->dst, sizeof(addr));
	memcpy(ip->dst, addr, sizeof(addr));
	ip->hops = TTL;
	reply_icmp(r->p + r->info.hdr.l4_off, PLX_ICMP6_ECHO_REPLY);
	return ANSWERED_ECHO;
}

/*
 * Are the options of a solicitation whole (RFC 4861, 7.1.1), and does one say the sender's MAC
 * address? -1: they are not.
 */
static int solicitation_options(const struct request *r)
{
	uint32_t at = r->info.hdr.l4_off + sizeof(struct plx_nd_hdr);
	const uint32_t end = r->info.hdr.l4_off + r->info.hdr.l4_bytes;
	int source = 0;

	while (at < end) {
		uint8_t opt[2];

		if (plx_mbuf_read(r->m, at, opt, sizeof(opt)) < 0 || opt[1] == 0 ||
			at + opt[1] * 8u > end)
			return -1;
		source |= opt[0] == PLX_ND_OPT_SOURCE_MAC;
		at += opt[1] * 8u;
	}
	return source;
}

/* May the solicitation be answered? *probe: its sender has no address yet. */
static bool solicitation_valid(const struct echo *e, const struct request *r, bool *probe)
{
	static const uint8_t solicited_node[13] = {0xff, 2, [11] = 1, [12] = 0xff};
	const struct plx_ipv6_hdr *ip = (const struct plx_ipv6_hdr *)(r->p + r->info.hdr.l3_off);
	const struct plx_nd_hdr *nd = (const struct plx_nd_hdr *)(r->p + r->info.hdr.l4_off);
	int source;

	if (r->info.hdr.l4_bytes < sizeof(*nd) || nd->code != 0 || ip->hops != ND_HOPS ||
		r->info.hdr.l4_off + sizeof(*nd) > r->m->data_len || !unicast6(nd->target) ||
		plx_ipv6_is_group(ip->src))
		return false;
	source = solicitation_options(r);
	*probe = !unicast6(ip->src);
	if (source < 0)
		return false;
	if (!*probe)
		return ours(e, 6, nd->target);
	return source == 0 && memcmp(ip->dst, solicited_node, sizeof(solicited_node)) == 0 &&
	       listed(e, 6, nd->target);
}

/* What follows the Ethernet header of an advertisement. */
struct advertisement {
	struct plx_ipv6_hdr ip;
	struct plx_nd_hdr nd;
	struct plx_nd_opt_mac opt;
} PLX_PACKED;

/* The packet becomes what it is now up to off, and then n bytes; they fit the first segment. */
static bool cut_to(const struct echo *e, struct plx_mbuf *m, uint32_t off, uint32_t n)
{
	if (off + n > plx_mbuf_room(m) - m->data_off)
		return false;
	if (m->next != NULL) {
		plx_mbuf_free_slow(e->cache, m->next);
		m->next = NULL;
		m->nsegs = 1;
	}
	m->data_len = (uint16_t)(off + n);
	m->pkt_len = off + n;
	m->flags &= ~(uint32_t)PLX_RX_WIRE_LEN;
	return true;
}

static enum verdict answer_solicitation(const struct echo *e, struct request *r)
{
	static const uint8_t all_nodes[PLX_IPV6_ADDR_LEN] = {0xff, 2, [15] = 1};
	static const uint8_t all_nodes_mac[PLX_MAC_LEN] = {0x33, 0x33, 0, 0, 0, 1};
	const uint32_t off = r->info.hdr.l3_off;
	const struct plx_ipv6_hdr *ip = (const struct plx_ipv6_hdr *)(r->p + off);
	struct plx_eth_hdr *eth = (struct plx_eth_hdr *)r->p;
	const struct plx_nd_hdr *nd = (const struct plx_nd_hdr *)(r->p + r->info.hdr.l4_off);
	const uint16_t len = sizeof(struct plx_nd_hdr) + sizeof(struct plx_nd_opt_mac);
	struct advertisement a = {.ip = {.vtc_flow = plx_be32_make(6u << 28),
					  .len = plx_be16_make(len),
					  .proto = PLX_IP_ICMPV6,
					  .hops = ND_HOPS},
		.nd = {.type = PLX_ICMP6_NEIGH_ADV},
		.opt = {.type = PLX_ND_OPT_TARGET_MAC, .len = 1}};
	bool probe;

	if (!solicitation_valid(e, r, &probe))
		return IGNORED;
	memcpy(a.ip.src, nd->target, PLX_IPV6_ADDR_LEN);
	memcpy(a.ip.dst, probe ? all_nodes : ip->src, PLX_IPV6_ADDR_LEN);
	memcpy(a.nd.target, nd->target, PLX_IPV6_ADDR_LEN);
	a.nd.flags = plx_be32_make(probe ? PLX_ND_OVERRIDE : PLX_ND_SOLICITED | PLX_ND_OVERRIDE);
	memcpy(a.opt.mac, e->mac.b, PLX_MAC_LEN);
	a.nd.cksum = plx_cksum_finish(
		plx_cksum_add(plx_ipv6_phdr_sum(&a.ip, NULL, PLX_IP_ICMPV6, len), &a.nd, len));
	if (!cut_to(e, r->m, off, sizeof(a)))
		return IGNORED;
	memcpy(eth->dst, probe ? all_nodes_mac : eth->src, PLX_MAC_LEN);
	memcpy(eth->src, e->mac.b, PLX_MAC_LEN);
	memcpy(r->p + off, &a, sizeof(a));
	return ANSWERED_ND;
}

static enum verdict answer_icmp6(const struct echo *e, struct request *r)
{
	const uint8_t *icmp = r->p + r->info.hdr.l4_off;
	const bool echo = icmp[0] == PLX_ICMP6_ECHO && icmp[1] == 0;

	if ((!echo && icmp[0] != PLX_ICMP6_NEIGH_SOL) || r->info.hdr.routing != 0)
		return IGNORED;
	if (plx_l4_cksum_check(r->m, &r->info.hdr) != 1)
		return BAD_L4;
	return echo ? answer_echo6(e, r) : answer_solicitation(e, r);
}

static enum verdict answer(const struct echo *e, struct plx_mbuf *m)
{
	const uint8_t not_whole = PLX_PKT_BAD | PLX_PKT_SHORT | PLX_PKT_FRAG;
	struct request r = {.m = m, .p = plx_mbuf_data(m)};
	const struct plx_pkt_hdrs *h = &r.info.hdr;

	plx_pkt_parse(m, &r.info);
	plx_pkt_info_untunnel(&r.info);
	if (h->flags & not_whole)
		return IGNORED;
	if (h->ether_type == PLX_ETHER_ARP)
		return answer_arp(e, &r);
	if (h->version == 0 || h->l4_len != sizeof(struct plx_icmp_hdr) ||
		h->l4_off + (uint32_t)h->l4_len > m->data_len)
		return IGNORED;
	if (h->version == 4 && h->proto == PLX_IP_ICMP)
		return answer_echo4(e, &r);
	if (h->version == 6 && h->proto == PLX_IP_ICMPV6)
		return answer_icmp6(e, &r);
	return IGNORED;
}

static uint16_t burst(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST], *rest[MAX_BURST];
	const struct echo *e = s->state;
	uint16_t n = stream_rx(s, pkts), replies = 0, others = 0;

	prefetch_first(pkts, n);
	for (uint16_t i = 0; i < n; i++) {
		enum verdict v;

		prefetch_next(pkts, i, n);
		v = answer(e, pkts[i]);
		plx_stats_add(&s->ctr[v], 1);
		if (v == ANSWERED_ARP || v == ANSWERED_ND || v == ANSWERED_ECHO)
			pkts[replies++] = pkts[i];
		else
			rest[others++] = pkts[i];
	}
	if (others != 0)
		plx_mbuf_free_bulk_c(s->cache, rest, others);
	if (replies != 0)
		stream_tx(s, pkts, replies);
	return n;
}

static int begin(struct testpmd *t, struct stream *s)
{
	struct echo *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		complain("no memory for a stream");
		return -1;
	}
	*e = (struct echo){.opt = &t->opt.modes, .mac = s->own, .cache = s->cache};
	s->state = e;
	return 0;
}

static void end(struct stream *s)
{
	free(s->state);
	s->state = NULL;
}

const struct fwd_mode fwd_icmpecho = {.name = "icmpecho",
	.help = "answers ARP, neighbour discovery and pings (--echo-addr)",
	.echo = true,
	.ctrs = PLX_BIT(CTR_ARP_REPLIES) | PLX_BIT(CTR_ND_REPLIES) | PLX_BIT(CTR_ECHO_REPLIES) |
		PLX_BIT(CTR_BAD_IP) | PLX_BIT(CTR_BAD_L4) | PLX_BIT(CTR_IGNORED),
	.burst = burst,
	.begin = begin,
	.end = end};
