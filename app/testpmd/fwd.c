/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of modes, and what they share. */
#include "modes.h"

/* The first is the default. */
const struct fwd_mode *const fwd_modes[] = {&fwd_io, &fwd_mac, &fwd_macswap, &fwd_5tswap,
	&fwd_rxonly, &fwd_txonly, &fwd_flowgen, &fwd_csum, &fwd_icmpecho, &fwd_noisy, NULL};

const char *const stream_ctr_names[STREAM_CTRS] = {
	[CTR_BAD_IP] = "bad_ip_cksum",
	[CTR_BAD_L4] = "bad_l4_cksum",
	[CTR_BAD_OUTER_IP] = "bad_outer_ip_cksum",
	[CTR_BAD_OUTER_L4] = "bad_outer_l4_cksum",
	[CTR_ARP_REPLIES] = "arp_replies",
	[CTR_ND_REPLIES] = "nd_replies",
	[CTR_ECHO_REPLIES] = "echo_replies",
	[CTR_IGNORED] = "ignored",
};

uint16_t budget_take(uint64_t *budget, uint16_t n)
{
	uint64_t left = __atomic_load_n(budget, __ATOMIC_RELAXED), take;

	do {
		take = PLX_MIN(left, (uint64_t)n);
	} while (!__atomic_compare_exchange_n(
		budget, &left, left - take, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return (uint16_t)take;
}

/* Keeps what fits of n packets; the number. */
static uint16_t keep(struct stream *s, struct plx_mbuf **pkts, uint16_t n)
{
	uint16_t fits = (uint16_t)(MAX_LATER - s->n_later);

	if (fits > n)
		fits = n;
	memcpy(s->later + s->n_later, pkts, fits * sizeof(*pkts));
	PLX_WRITE_ONCE(s->n_later, (uint16_t)(s->n_later + fits));
	return fits;
}

/* What one call of the TX queue did not take. */
void stream_tx_rest(struct stream *s, struct plx_mbuf **pkts, uint16_t n)
{
	uint16_t kept = s->patient ? keep(s, pkts, n) : 0;

	plx_stats_add(&s->dropped, (uint64_t)(n - kept));
	plx_mbuf_free_bulk_c(s->cache, pkts + kept, (unsigned)(n - kept));
}

bool stream_later(struct stream *s)
{
	uint16_t sent = plx_tx_burst(s->txq, s->later, s->n_later);
	uint16_t left = (uint16_t)(s->n_later - sent);

	plx_stats_add(&s->tx, sent);
	memmove(s->later, s->later + sent, left * sizeof(*s->later));
	PLX_WRITE_ONCE(s->n_later, left);
	return left != 0;
}

void window_open_chain(struct window *w, const struct plx_mbuf *m)
{
	for (w->len = 0; m != NULL && w->len < WINDOW; m = m->next) {
		uint32_t n = PLX_MIN((uint32_t)m->data_len, WINDOW - w->len);

		memcpy(w->copy + w->len, plx_mbuf_data(m), n);
		w->len += n;
	}
	w->p = w->copy;
}

void window_close_chain(struct window *w, struct plx_mbuf *m)
{
	for (uint32_t at = 0; m != NULL && at < w->len; m = m->next) {
		uint32_t n = PLX_MIN((uint32_t)m->data_len, w->len - at);

		memcpy(plx_mbuf_data(m), w->copy + at, n);
		at += n;
	}
}
