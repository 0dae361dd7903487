/* SPDX-License-Identifier: BSD-3-Clause */
/* macswap: source and destination address change places. */
#include "testpmd.h"

static uint16_t burst(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST];
	uint16_t n = stream_rx(s, pkts);

	for (uint16_t i = 0; i < n; i++) {
		uint8_t *eth = plx_mbuf_data(pkts[i]);
		struct plx_mac mac;

		if (plx_unlikely(pkts[i]->data_len < 2 * PLX_ETH_ALEN))
			continue;
		memcpy(mac.b, eth, PLX_ETH_ALEN);
		memcpy(eth, eth + PLX_ETH_ALEN, PLX_ETH_ALEN);
		memcpy(eth + PLX_ETH_ALEN, mac.b, PLX_ETH_ALEN);
	}
	if (n != 0)
		stream_tx(s, pkts, n);
	return n;
}

const struct fwd_mode fwd_macswap = {
	.name = "macswap", .help = "source and destination address swapped", .burst = burst};
