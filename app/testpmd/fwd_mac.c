/* SPDX-License-Identifier: BSD-3-Clause */
/* mac: the destination becomes the peer's address, the source the sending port's. */
#include "testpmd.h"

static uint16_t burst(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST];
	uint16_t n = stream_rx(s, pkts);

	for (uint16_t i = 0; i < n; i++) {
		uint8_t *eth = plx_mbuf_data(pkts[i]);

		if (plx_unlikely(pkts[i]->data_len < 2 * PLX_ETH_ALEN))
			continue;
		memcpy(eth, s->peer.b, PLX_ETH_ALEN);
		memcpy(eth + PLX_ETH_ALEN, s->own.b, PLX_ETH_ALEN);
	}
	if (n != 0)
		stream_tx(s, pkts, n);
	return n;
}

const struct fwd_mode fwd_mac = {
	.name = "mac", .help = "to 02:00:00:00:00:<port>, from the sending port", .burst = burst};
