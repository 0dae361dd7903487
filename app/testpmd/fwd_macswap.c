/* SPDX-License-Identifier: BSD-3-Clause */
/* macswap: source and destination address change places. */
#include "modes.h"

static uint16_t burst(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST];
	uint16_t n = stream_rx(s, pkts);

	prefetch_first(pkts, n);
	for (uint16_t i = 0; i < n; i++) {
		prefetch_next(pkts, i, n);
		swap_macs(pkts[i]);
	}
	if (n != 0)
		stream_tx(s, pkts, n);
	return n;
}

const struct fwd_mode fwd_macswap = {
	.name = "macswap", .help = "source and destination address swapped", .burst = burst};
