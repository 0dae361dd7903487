/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP packets, 60 bytes (64 with the FCS) from 198.18.0.1 to 198.18.0.2, port 9, unless options say
 * otherwise. The IP header's checksum is right, UDP's is left out, the payload is zero.
 */
#include <stdlib.h>

#include "txgen.h"

struct headers {
	struct plx_eth_hdr eth;
	struct plx_ipv4_hdr ip;
	struct plx_udp_hdr udp;
} PLX_PACKED;

static void fill_head(struct txgen *g, const struct stream *s, uint32_t len)
{
	const uint32_t ip_len = len - PLX_ETHER_HDR_LEN;
	struct headers h = {.eth.type = plx_be16_make(PLX_ETHER_IPV4),
		.ip = {.version_ihl = 0x45,
			.len = plx_be16_make((uint16_t)ip_len),
			.ttl = 64,
			.proto = PLX_IP_UDP,
			.src = plx_be32_make(g->src),
			.dst = plx_be32_make(g->dst)},
		.udp = {.sport = plx_be16_make(g->opt->tx_sport),
			.dport = plx_be16_make(g->opt->tx_dport),
			.len = plx_be16_make((uint16_t)(ip_len - sizeof(struct plx_ipv4_hdr)))}};

	memcpy(h.eth.dst, s->peer.b, PLX_MAC_LEN);
	memcpy(h.eth.src, s->own.b, PLX_MAC_LEN);
	h.ip.cksum = plx_ipv4_cksum(&h.ip);
	memcpy(g->head, &h, sizeof(h));
}

/* The sum of an IP header without its checksum and one of its addresses. */
static uint32_t sum_without(const uint8_t *ip, size_t address)
{
	const size_t src = offsetof(struct plx_ipv4_hdr, src),
		     dst = offsetof(struct plx_ipv4_hdr, dst);

	return plx_cksum_add(0, ip, offsetof(struct plx_ipv4_hdr, cksum)) +
	       plx_cksum_add(0, ip + (address == src ? dst : src), sizeof(plx_be32));
}

/* Can this stream's port send, and this pool hold, what the options ask for? */
static int check(const struct testpmd *t, const struct stream *s)
{
	const struct mode_opts *o = &t->opt.modes;
	const uint32_t room = s->pool->room - PLX_MBUF_HEADROOM, len = mode_opts_pkt_len(o);

	for (uint16_t i = 0; i < o->n_tx_segs; i++) {
		if (o->tx_segs[i] <= room)
			continue;
		complain(
			"--txpkts: a segment of %u bytes; an mbuf has room for %u: give --mbuf-size %u",
			o->tx_segs[i], room, o->tx_segs[i] + PLX_MBUF_HEADROOM);
		return -1;
	}
	if (len > s->txq->max_pkt) {
		complain("--txpkts: a packet of %u bytes; %s sends up to %u: give a larger --mtu",
			len, plx_port_name(s->tx_port->port), s->txq->max_pkt);
		return -1;
	}
	if (o->n_tx_segs > 1 && (!(s->tx_port->info.tx_offloads & PLX_TX_OFFLOAD_MULTI_SEG) ||
					o->n_tx_segs > s->tx_port->info.max_tx_segs)) {
		complain("--txpkts: packets of %u segments; %s takes %u", o->n_tx_segs,
			plx_port_name(s->tx_port->port),
			s->tx_port->info.tx_offloads & PLX_TX_OFFLOAD_MULTI_SEG
				? s->tx_port->info.max_tx_segs
				: 1);
		return -1;
	}
	return 0;
}

int txgen_begin(struct testpmd *t, struct stream *s, size_t varies)
{
	const struct mode_opts *o = &t->opt.modes;
	const uint32_t len = mode_opts_pkt_len(o);
	struct txgen *g;

	if (check(t, s) < 0)
		return -1;
	g = aligned_alloc(PLX_CACHE_LINE, sizeof(*g));
	if (g == NULL) {
		complain("no memory for a stream");
		return -1;
	}
	memset(g, 0, sizeof(*g));
	g->opt = o;
	g->src = o->tx_src;
	g->dst = o->tx_dst;
	g->mbuf = (struct plx_mbuf){
		.rearm = s->pool->rearm, .data_len = o->tx_segs[0], .pkt_len = len};
	fill_head(g, s, len);
	g->sum = sum_without(g->head + PLX_ETHER_HDR_LEN, varies);
	s->state = g;
	return 0;
}

void txgen_end(struct stream *s)
{
	free(s->state);
	s->state = NULL;
}

/* The metadata that RX would write and the first bytes; zeros to the end of the segment. */
static PLX_ALWAYS_INLINE void fill(const struct txgen *g, struct plx_mbuf *m)
{
	uint8_t *p;

	memcpy(&m->rearm, &g->mbuf.rearm, 32);
	p = plx_mbuf_data(m);
	memcpy(p, g->head, TXGEN_HEAD);
	if (plx_unlikely(g->mbuf.data_len > TXGEN_HEAD))
		memset(p + TXGEN_HEAD, 0, (size_t)g->mbuf.data_len - TXGEN_HEAD);
}

/* One packet of all segments. NULL: the pool has too few mbufs. */
static struct plx_mbuf *make_chain(struct stream *s, const struct txgen *g)
{
	struct plx_mbuf *segs[MAX_TX_SEGS];
	const uint16_t n = g->opt->n_tx_segs;

	if (plx_mbuf_alloc_bulk_c(s->cache, segs, n) == 0)
		return NULL;
	fill(g, segs[0]);
	segs[0]->nsegs = n;
	for (uint16_t i = 1; i < n; i++) {
		segs[i - 1]->next = segs[i];
		segs[i]->data_len = g->opt->tx_segs[i];
		memset(plx_mbuf_data(segs[i]), 0, segs[i]->data_len);
	}
	return segs[0];
}

uint16_t txgen_make(struct stream *s, struct plx_mbuf **pkts, uint16_t n)
{
	const struct txgen *g = s->state;
	uint16_t i = 0;

	if (plx_unlikely(g->opt->n_tx_segs > 1)) {
		while (i < n && (pkts[i] = make_chain(s, g)) != NULL)
			i++;
		return i;
	}
	if (plx_mempool_get_bulk(s->cache, (void **)pkts, n) == 0)
		return 0;
	for (; i < n; i++)
		fill(g, pkts[i]);
	return n;
}

uint16_t txgen_send(struct stream *s, struct plx_mbuf **pkts, uint16_t n)
{
	uint16_t sent = plx_tx_burst(s->txq, pkts, n);

	plx_mbuf_free_bulk_c(s->cache, pkts + sent, (unsigned)(n - sent));
	plx_stats_add(&s->tx, sent);
	return sent;
}
