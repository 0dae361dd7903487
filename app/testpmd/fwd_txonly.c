/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * txonly: 64-byte UDP packets (60 without FCS) from 198.18.0.1 to 198.18.0.2, port 9, the addresses
 * that RFC 2544 sets apart for such traffic. The IP header checksum is right, UDP's is left out.
 */
#include "testpmd.h"

enum { PKT_LEN = 60 };

static const uint8_t headers[42] = {
	/* Ethernet: addresses are filled in */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0x00,
	/* IPv4: 46 bytes, TTL 64, UDP, checksum */
	0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0xee, 0x97, 198, 18, 0, 1, 198, 18, 0, 2,
	/* UDP: ports 9, 26 bytes, no checksum */
	0, 9, 0, 9, 0, 26, 0, 0};

static void fill(const struct stream *s, struct plx_mbuf *m)
{
	uint8_t *p;

	plx_mbuf_reset(m);
	p = plx_mbuf_data(m);
	memcpy(p, headers, sizeof(headers));
	memcpy(p, s->peer.b, PLX_ETH_ALEN);
	memcpy(p + PLX_ETH_ALEN, s->own.b, PLX_ETH_ALEN);
	memset(p + sizeof(headers), 0, PKT_LEN - sizeof(headers));
	m->data_len = PKT_LEN;
	m->pkt_len = PKT_LEN;
}

static uint16_t burst(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST];
	uint16_t want = stream_want(s), sent = 0;

	if (want != 0 && plx_mempool_get_bulk(s->cache, (void **)pkts, want) == want) {
		for (uint16_t i = 0; i < want; i++)
			fill(s, pkts[i]);
		sent = plx_tx_burst(s->txq, pkts, want);
		/* those not taken were never on their way: they are no drops */
		plx_mbuf_free_bulk_c(s->cache, pkts + sent, (unsigned)(want - sent));
	} else {
		plx_tx_reclaim(s->txq);
	}
	stream_got(s, want, sent);
	plx_stats_add(&s->tx, sent);
	return sent;
}

const struct fwd_mode fwd_txonly = {
	.name = "txonly", .help = "64-byte UDP packets of its own", .no_rx = true, .burst = burst};
