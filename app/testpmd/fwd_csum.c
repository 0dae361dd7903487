/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csum: packets leave with right checksums, computed by the port that sends them where it can
 * (--csum), with --parse-tunnel inner ones, too; what came with a wrong one is counted. With
 * --tso-segsz the port cuts TCP into segments.
 */
#include <stdlib.h>

#include "csum.h"
#include "modes.h"

static const uint32_t offloads[CSUM_KINDS] = {[CSUM_IP] = PLX_TX_OFFLOAD_IP_CKSUM,
	[CSUM_UDP] = PLX_TX_OFFLOAD_UDP_CKSUM,
	[CSUM_TCP] = PLX_TX_OFFLOAD_TCP_CKSUM,
	[CSUM_SCTP] = PLX_TX_OFFLOAD_SCTP_CKSUM,
	[CSUM_OUTER_IP] = PLX_TX_OFFLOAD_OUTER_CKSUM};

/* The half of flags that RX writes. */
#define RX_FLAGS 0xffffu

static void count(struct stream *s, uint32_t bad)
{
	static const enum stream_ctr ctrs[] = {
		CTR_BAD_IP, CTR_BAD_L4, CTR_BAD_OUTER_IP, CTR_BAD_OUTER_L4};

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(ctrs); i++)
		if (bad & 1u << i)
			plx_stats_add(&s->ctr[ctrs[i]], 1);
}

/* Packets whose offloads the port refuses get theirs in software. */
static void prepare(struct stream *s, const struct csum *c, struct plx_mbuf **pkts, uint16_t n)
{
	const struct csum soft = {.parse_tunnel = c->parse_tunnel};
	uint16_t done = 0;

	while ((done = (uint16_t)(done +
				  plx_tx_prepare(s->txq, pkts + done, (uint16_t)(n - done)))) < n) {
		pkts[done]->flags &= RX_FLAGS;
		(void)csum_packet(&soft, pkts[done]);
		done++;
	}
}

static uint16_t burst(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST];
	const struct csum *c = s->state;
	uint16_t n = stream_rx(s, pkts);
	uint32_t asked = 0;

	prefetch_first(pkts, n);
	for (uint16_t i = 0; i < n; i++) {
		uint32_t bad;

		prefetch_next(pkts, i, n);
		bad = csum_packet(c, pkts[i]);
		asked |= pkts[i]->flags & PLX_TX_OFFLOADS;
		if (plx_unlikely(bad != 0))
			count(s, bad);
	}
	if (asked != 0)
		prepare(s, c, pkts, n);
	if (n != 0)
		stream_tx(s, pkts, n);
	return n;
}

/* What the port computes: all it can, but what the options keep from it. */
static int choose(const struct mode_opts *o, const struct stream *s, struct csum *c)
{
	const uint32_t can = s->tx_port->tx_offloads;

	for (int i = 0; i < CSUM_KINDS; i++) {
		c->hw[i] = o->csum[i] != CSUM_SW && (can & offloads[i]) != 0;
		c->any_hw |= c->hw[i];
		if (o->csum[i] != CSUM_HW || c->hw[i])
			continue;
		complain("--csum %s=hw: %s does not compute it: give %s=sw", csum_names[i],
			plx_port_name(s->tx_port->port), csum_names[i]);
		return -1;
	}
	c->hw_tunnel = (can & PLX_TX_OFFLOAD_OUTER_CKSUM) != 0;
	c->parse_tunnel = o->parse_tunnel;
	c->tso_segsz = o->tso_segsz;
	c->tunnel_tso_segsz = o->parse_tunnel ? o->tunnel_tso_segsz : 0;
	if (o->tunnel_tso_segsz != 0 && !o->parse_tunnel) {
		complain("--tunnel-tso-segsz %u: needs --parse-tunnel", o->tunnel_tso_segsz);
		return -1;
	}
	if ((c->tso_segsz != 0 || c->tunnel_tso_segsz != 0) &&
		(!(can & PLX_TX_OFFLOAD_TSO) || !c->hw[CSUM_TCP] || !c->hw[CSUM_IP])) {
		complain("--tso-segsz: %s does not cut TCP, or --csum keeps ip or tcp from it",
			plx_port_name(s->tx_port->port));
		return -1;
	}
	return 0;
}

static int begin(struct testpmd *t, struct stream *s)
{
	struct csum *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		complain("no memory for a stream");
		return -1;
	}
	if (choose(&t->opt.modes, s, c) < 0) {
		free(c);
		return -1;
	}
	s->state = c;
	return 0;
}

static void end(struct stream *s)
{
	free(s->state);
	s->state = NULL;
}

const struct fwd_mode fwd_csum = {.name = "csum",
	.help = "checksums recomputed, by the port where it can (--csum, --parse-tunnel)",
	.rx_offloads = PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_OUTER_CKSUM,
	.tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM |
		       PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_SCTP_CKSUM |
		       PLX_TX_OFFLOAD_OUTER_CKSUM | PLX_TX_OFFLOAD_TSO,
	.ctrs = PLX_BIT(CTR_BAD_IP) | PLX_BIT(CTR_BAD_L4) | PLX_BIT(CTR_BAD_OUTER_IP) |
		PLX_BIT(CTR_BAD_OUTER_L4),
	.burst = burst,
	.begin = begin,
	.end = end};
