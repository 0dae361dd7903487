/* SPDX-License-Identifier: BSD-3-Clause */
/* rxonly: packets are received and freed. */
#include "testpmd.h"

static uint16_t burst(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST];
	uint16_t n = stream_rx(s, pkts);

	if (n != 0)
		plx_mbuf_free_bulk_c(s->cache, pkts, n);
	return n;
}

const struct fwd_mode fwd_rxonly = {
	.name = "rxonly", .help = "received and freed", .no_tx = true, .burst = burst};
