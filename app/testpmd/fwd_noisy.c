/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * noisy: a network function with company. Each packet costs random reads and writes in memory that
 * does not fit the caches; packets wait in a buffer, first in first out, until it is full or it is
 * time to send them.
 */
#include <stdlib.h>
#include <time.h>

#include "modes.h"

/* So many mbufs are enough for RX to bring the longest packet. */
enum { FEW_MBUFS = 1024 };

struct noisy {
	const struct mode_opts *opt;
	/* the buffer: size is 0 without one */
	struct plx_mbuf **held;
	uint32_t size, head, used;
	uint64_t flush_ticks, flush_at; /* plx_tsc(); 0: never */
	/* the memory */
	uint64_t *words;
	uint64_t n_words;
	uint64_t random, sum;
};

/* xorshift64 (Marsaglia 2003): any place of the memory. */
static uint64_t *some_word(struct noisy *z)
{
	uint64_t x = z->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	z->random = x;
	return &z->words[(uint64_t)(((unsigned __int128)x * z->n_words) >> 64)];
}

static void look_up(struct noisy *z)
{
	const struct mode_opts *o = z->opt;

	for (uint32_t i = 0; i < o->noisy_writes; i++)
		PLX_WRITE_ONCE(*some_word(z), z->random);
	for (uint32_t i = 0; i < o->noisy_reads; i++)
		z->sum += PLX_READ_ONCE(*some_word(z));
	for (uint32_t i = 0; i < o->noisy_reads_writes; i++) {
		uint64_t *word = some_word(z);

		PLX_WRITE_ONCE(*word, PLX_READ_ONCE(*word) + 1);
	}
}

static void work_on(struct stream *s, struct noisy *z, struct plx_mbuf **pkts, uint16_t n)
{
	const struct fwd_mode *mode = z->opt->noisy_mode;

	prefetch_first(pkts, n);
	for (uint16_t i = 0; i < n; i++) {
		prefetch_next(pkts, i, n);
		if (mode == &fwd_mac)
			set_macs(pkts[i], &s->peer, &s->own);
		else if (mode == &fwd_macswap)
			swap_macs(pkts[i]);
		else if (mode == &fwd_5tswap)
			swap_5tuple(pkts[i]);
		if (z->n_words != 0)
			look_up(z);
	}
}

/* Sends the oldest n of those held. */
static void release(struct stream *s, struct noisy *z, uint32_t n)
{
	while (n != 0) {
		uint32_t run = PLX_MIN(n, z->size - z->head);

		run = PLX_MIN(run, (uint32_t)MAX_BURST);
		stream_tx(s, z->held + z->head, (uint16_t)run);
		z->head = z->head + run == z->size ? 0 : z->head + run;
		z->used -= run;
		n -= run;
	}
}

/* Keeps n packets; there is room. */
static void hold(struct noisy *z, struct plx_mbuf **pkts, uint16_t n)
{
	uint32_t at = z->head + z->used;

	if (at >= z->size)
		at -= z->size;
	for (uint16_t i = 0; i < n; i++) {
		z->held[at] = pkts[i];
		at = at + 1 == z->size ? 0 : at + 1;
	}
	z->used += n;
}

static void pass_through_buffer(
	struct stream *s, struct noisy *z, struct plx_mbuf **pkts, uint16_t n)
{
	if (n > z->size) {
		release(s, z, z->used);
		stream_tx(s, pkts, n);
		return;
	}
	if (n > z->size - z->used)
		release(s, z, n - (z->size - z->used));
	hold(z, pkts, n);
}

/* Sends all, or as much as the port takes of a patient input's packets. True: nothing is left. */
static bool flush(struct stream *s, struct noisy *z)
{
	while (z->used != 0 && s->n_later == 0)
		release(s, z, PLX_MIN(z->used, (uint32_t)MAX_BURST));
	return z->used == 0;
}

static void flush_in_time(struct stream *s, struct noisy *z)
{
	uint64_t now = plx_tsc();

	if (now >= z->flush_at && flush(s, z))
		z->flush_at = now + z->flush_ticks;
}

static uint16_t burst(struct stream *s)
{
	struct plx_mbuf *pkts[MAX_BURST];
	struct noisy *z = s->state;
	uint16_t n = stream_rx(s, pkts);

	if (n != 0) {
		work_on(s, z, pkts, n);
		if (z->size == 0)
			stream_tx(s, pkts, n);
		else
			pass_through_buffer(s, z, pkts, n);
	}
	if (z->flush_ticks != 0)
		flush_in_time(s, z);
	/* nothing comes because all mbufs are here: it would wait for ever */
	if (n == 0 && z->used != 0 && plx_mbuf_pool_avail(s->pool) < FEW_MBUFS)
		(void)flush(s, z);
	return n;
}

static int begin(struct testpmd *t, struct stream *s)
{
	const struct mode_opts *o = &t->opt.modes;
	struct noisy *z = calloc(1, sizeof(*z));

	s->state = z;
	if (z != NULL) {
		z->opt = o;
		z->size = o->noisy_buffer;
		z->held = calloc(z->size + 1u, sizeof(*z->held));
		z->n_words = (uint64_t)o->noisy_memory * (1 << 20) / sizeof(uint64_t);
		z->words = calloc(z->n_words + 1, sizeof(*z->words));
		z->flush_ticks = o->noisy_flush_ms * (plx_tsc_hz() / 1000);
		z->flush_at = plx_tsc() + z->flush_ticks;
		z->random = (uintptr_t)s | 1; /* anything but 0 */
	}
	if (z != NULL && z->held != NULL && z->words != NULL) {
		/* now, so that no page has to be found while packets pass */
		memset(z->words, 1, z->n_words * sizeof(*z->words));
		return 0;
	}
	complain("noisy: no memory for %u packets and %u MiB", o->noisy_buffer, o->noisy_memory);
	if (z != NULL) {
		free(z->words);
		free(z->held);
	}
	free(z);
	s->state = NULL;
	return -1;
}

/* What is held is sent; a port that takes nothing for a second does not get the rest. */
static void end(struct stream *s)
{
	const struct timespec nap = {0, 1000000};
	struct noisy *z = s->state;

	for (int naps = 0; naps < 1000 && !flush(s, z); naps++) {
		if (stream_later(s))
			nanosleep(&nap, NULL);
		else
			naps = 0;
	}
	for (; z->used != 0; z->used--) {
		plx_mbuf_free_bulk_c(s->cache, &z->held[z->head], 1);
		plx_stats_add(&s->dropped, 1);
		z->head = z->head + 1 == z->size ? 0 : z->head + 1;
	}
	free(z->words);
	free(z->held);
	free(z);
	s->state = NULL;
}

const struct fwd_mode fwd_noisy = {.name = "noisy",
	.help = "held back, with memory accesses in between (--noisy-...)",
	.burst = burst,
	.begin = begin,
	.end = end};
