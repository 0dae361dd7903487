/* SPDX-License-Identifier: BSD-3-Clause */
/* mac: the destination becomes the peer's address, the source the sending port's. */
#include "modes.h"

static uint16_t burst(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST];
	uint16_t n = stream_rx(s, pkts);

	prefetch_first(pkts, n);
	for (uint16_t i = 0; i < n; i++) {
		prefetch_next(pkts, i, n);
		set_macs(pkts[i], &s->peer, &s->own);
	}
	if (n != 0)
		stream_tx(s, pkts, n);
	return n;
}

const struct fwd_mode fwd_mac = {.name = "mac",
	.help = "to the peer's address (--eth-peer), from the sending port's",
	.burst = burst};
