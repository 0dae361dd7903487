/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of modes, and what they share. */
#include "testpmd.h"

/* The first is the default. */
const struct fwd_mode *const fwd_modes[] = {
	&fwd_io, &fwd_mac, &fwd_macswap, &fwd_rxonly, &fwd_txonly, NULL};

uint16_t budget_take(uint64_t *budget, uint16_t n)
{
	uint64_t left = __atomic_load_n(budget, __ATOMIC_RELAXED), take;

	do {
		take = PLX_MIN(left, (uint64_t)n);
	} while (!__atomic_compare_exchange_n(
		budget, &left, left - take, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return (uint16_t)take;
}

/* What one call of the TX queue did not take. */
void stream_tx_rest(struct stream *s, struct plx_mbuf **pkts, uint16_t n)
{
	while (s->patient && n != 0 && !PLX_READ_ONCE(*s->stop) &&
		plx_txq_state(s->txq, NULL) == PLX_QUEUE_RUNNING) {
		uint16_t sent = plx_tx_burst(s->txq, pkts, n);

		plx_stats_add(&s->tx, sent);
		pkts += sent;
		n = (uint16_t)(n - sent);
	}
	plx_stats_add(&s->dropped, n);
	plx_mbuf_free_bulk_c(s->cache, pkts, n);
}
