/* SPDX-License-Identifier: BSD-3-Clause */
/* io: packets go out as they came in. */
#include "testpmd.h"

static uint16_t burst(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST];
	uint16_t n = stream_rx(s, pkts);

	if (n != 0)
		stream_tx(s, pkts, n);
	return n;
}

const struct fwd_mode fwd_io = {.name = "io", .help = "as they came in", .burst = burst};
