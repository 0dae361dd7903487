/* SPDX-License-Identifier: BSD-3-Clause */
/* txonly: packets of its own, as txgen.c makes them; with --txonly-multi-flow from 256 addresses. */
#include "txgen.h"

/* The third byte of the source address counts. */
static void vary(struct txgen *g, struct plx_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		txgen_address(
			g, pkts[i], offsetof(struct plx_ipv4_hdr, src), g->src ^ g->flow << 8);
		g->flow = (g->flow + 1) & 0xff;
	}
}

static uint16_t burst(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST];
	struct txgen *g = s->state;
	uint16_t want = stream_want(s), n = 0, sent = 0;

	if (want != 0)
		n = txgen_make(s, pkts, want);
	if (n != 0) {
		if (g->opt->multi_flow)
			vary(g, pkts, n);
		sent = txgen_send(s, pkts, n);
	} else {
		plx_tx_reclaim(s->txq);
	}
	stream_got(s, want, sent);
	return sent;
}

static int begin(struct testpmd *t, struct stream *s)
{
	return txgen_begin(t, s, offsetof(struct plx_ipv4_hdr, src));
}

const struct fwd_mode fwd_txonly = {.name = "txonly",
	.help = "UDP packets of its own (--txpkts, --tx-ip, --tx-udp)",
	.no_rx = true,
	.burst = burst,
	.begin = begin,
	.end = txgen_end};
