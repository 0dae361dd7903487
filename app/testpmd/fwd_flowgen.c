/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flowgen: packets of its own, as txgen.c makes them, to one destination address after the other;
 * what comes in through the same port is counted and freed.
 */
#include "txgen.h"

static void advance(struct txgen *g)
{
	if (g->clone++ < g->opt->clones)
		return;
	g->clone = 0;
	g->flow = g->flow + 1 < g->opt->flows ? g->flow + 1 : 0;
}

/* What the port did not take comes again: no flow gets less than the others. */
static void back(struct txgen *g, uint16_t n)
{
	for (; n != 0; n--) {
		if (g->clone != 0) {
			g->clone--;
			continue;
		}
		g->clone = g->opt->clones;
		g->flow = (g->flow != 0 ? g->flow : g->opt->flows) - 1;
	}
}

static void receive(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST];
	uint16_t n = plx_rx_burst(s->rxq, pkts, s->burst);

	plx_stats_add(&s->rx, n);
	if (n != 0)
		plx_mbuf_free_bulk_c(s->cache, pkts, n);
}

static uint16_t burst(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST];
	struct txgen *g = s->state;
	uint16_t want = stream_want(s), n = 0, sent = 0;

	if (s->rxq != NULL)
		receive(s);
	if (want != 0)
		n = txgen_make(s, pkts, want);
	for (uint16_t i = 0; i < n; i++) {
		txgen_address(g, pkts[i], offsetof(struct plx_ipv4_hdr, dst), g->dst + g->flow);
		advance(g);
	}
	if (n != 0)
		sent = txgen_send(s, pkts, n);
	else
		plx_tx_reclaim(s->txq);
	back(g, (uint16_t)(n - sent));
	stream_got(s, want, sent);
	return sent;
}

static int begin(struct testpmd *t, struct stream *s)
{
	return txgen_begin(t, s, offsetof(struct plx_ipv4_hdr, dst));
}

const struct fwd_mode fwd_flowgen = {.name = "flowgen",
	.help = "UDP packets of its own to many addresses (--flowgen-flows); counts what comes in",
	.no_rx = true,
	.counts_rx = true,
	.burst = burst,
	.begin = begin,
	.end = txgen_end};
