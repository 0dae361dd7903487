/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet costs in the e1000 driver, in exact instructions: bursts of 64-byte packets on a fake
 * 82574L whose registers are plain memory. Between the counted regions, and never in them, the model
 * writes RX descriptors back and marks TX descriptors done, as the device would.
 *
 *   rx    plx_rx_burst() alone: with refill of the ring, its cache and the doorbell
 *   tx    plx_tx_burst() alone: with freeing what was sent, and the doorbell
 *   loop  poll, touch a byte of each packet, transmit (which frees what was sent)
 *
 * A table for people, and a line of JSON for each row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_82574.h"
#include "icount.h"
#include "plx_ethdev.h"

enum { RING = 256, WARM_UP = 4 * RING, COUNTED = RING, LEN = 60, MAX_BURST = 256 };
enum what { RX, TX, LOOP };

static const char *const what_names[] = {"rx", "tx", "loop"};

struct bench {
	struct plx_ctx *ctx;
	struct fake_82574 *nic;
	struct plx_mbuf_pool *pool;
	struct plx_port *port;
	struct plx_rxq *rxq;
	struct plx_txq *txq;
	uint16_t burst;
	enum what what;
	enum plx_isa isa;
	bool general;
};

static void fail(const char *what)
{
	fprintf(stderr, "bench_e1000: %s: %s\n", what, plx_errmsg());
	exit(1);
}

/* Rubbish in every field that RX has to write. */
static void poison(struct bench *b, uint32_t n)
{
	struct plx_mbuf **all = calloc(n, sizeof(*all));

	if (all == NULL || plx_mempool_get_bulk_nocache(&b->pool->mp, (void **)all, n) != n)
		fail("pool");
	for (uint32_t i = 0; i < n; i++) {
		all[i]->flags = all[i]->ptype = all[i]->pkt_len = 0xffffffff;
		all[i]->data_len = all[i]->vlan = all[i]->data_off = 0xffff;
		all[i]->hash_mark = UINT64_MAX;
	}
	plx_mempool_put_bulk_nocache(&b->pool->mp, (void **)all, n);
	free(all);
}

static void check(const struct plx_mbuf *m)
{
	if (m->pkt_len != LEN || m->data_len != LEN || m->data_off != PLX_MBUF_HEADROOM ||
		m->flags >> 16 != 0 || m->ptype == 0xffffffff || m->vlan != 0 ||
		m->hash_mark != 0 || m->nsegs != 1 || m->next != NULL || m->refcnt != 1) {
		fprintf(stderr, "bench_e1000: RX left a field as it was\n");
		exit(1);
	}
}

static void open_all(struct bench *b)
{
	struct fake_82574_opts o = FAKE_82574_OPTS_INIT;
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;

	opts.isa = b->isa;
	opts.huge = PLX_HUGE_NONE;
	o.mapped = true;
	b->nic = fake_82574_new("nic", &o);
	if (plx_ctx_open(&opts, &b->ctx) < 0)
		fail("context");
	fake_attach(b->ctx, fake_82574_pci(b->nic));
	po.n = 2048;
	if (plx_port_open(b->ctx, "fake:nic", &b->port) < 0 ||
		plx_mbuf_pool_create(b->ctx, &po, &b->pool) < 0)
		fail("open");
	poison(b, po.n);
	if (b->general)
		conf.rx_offloads = PLX_RX_OFFLOAD_CKSUM;
	rx.pool = b->pool;
	rx.n_desc = tx.n_desc = RING;
	if (plx_port_configure(b->port, &conf) < 0 || plx_rxq_setup(b->port, 0, &rx, &b->rxq) < 0 ||
		plx_txq_setup(b->port, 0, &tx, &b->txq) < 0 || plx_port_start(b->port) < 0)
		fail("start");
	for (int i = 0; i < 100; i++) {
		struct plx_link link;

		fake_advance(fake_82574_pci(b->nic), UINT64_C(100000000));
		if (plx_port_link(b->port, true, &link) == 0 && link.up)
			return;
	}
	fail("link");
}

static void close_all(struct bench *b)
{
	plx_port_close(b->port);
	plx_ctx_close(b->ctx);
	fake_82574_free(b->nic);
}

static uint16_t arrive(struct bench *b)
{
	static const uint8_t head[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00};

	return (uint16_t)fake_82574_prewrite_rx(b->nic, b->burst, head, sizeof(head), LEN);
}

/* The loop that a program has. */
__attribute__((noinline)) static uint16_t forward(struct bench *b, struct plx_mbuf **pkts)
{
	uint16_t n = plx_rx_burst(b->rxq, pkts, b->burst);

	for (uint16_t i = 0; i < n; i++)
		plx_mbuf_data(pkts[i])[0] ^= 1;
	return plx_tx_burst(b->txq, pkts, n);
}

static uint16_t one(struct bench *b)
{
	struct plx_mbuf *pkts[MAX_BURST];
	uint16_t n;

	if (arrive(b) < b->burst)
		return 0;
	if (b->what == LOOP) {
		icount_begin();
		n = forward(b, pkts);
		icount_end();
		fake_82574_complete_tx(b->nic);
		return n;
	}
	if (b->what == RX)
		icount_begin();
	n = plx_rx_burst(b->rxq, pkts, b->burst);
	if (b->what == RX)
		icount_end();
	for (uint16_t i = 0; i < n; i++)
		check(pkts[i]);
	if (b->what == TX)
		icount_begin();
	n = plx_tx_burst(b->txq, pkts, n);
	if (b->what == TX)
		icount_end();
	fake_82574_complete_tx(b->nic);
	return n;
}

static void run(void *arg)
{
	struct bench *b = arg;

	open_all(b);
	icount_mmio(fake_82574_pci(b->nic)->bars[0].mem, fake_82574_pci(b->nic)->bars[0].len);
	for (unsigned done = 0; done < WARM_UP; done += b->burst)
		if (one(b) != b->burst)
			_exit(1);
	icount_armed = true;
	for (unsigned done = 0; done < COUNTED; done += b->burst)
		if (one(b) != b->burst)
			_exit(1);
	icount_armed = false;
	close_all(b);
}

static uint64_t unknown;

static void row(enum plx_isa isa, bool general, enum what what, uint16_t burst)
{
	struct bench b = {.burst = burst, .what = what, .isa = isa, .general = general};
	struct icount c;
	double n;

	if (icount_run(run, &b, &c) != 0)
		exit(1);
	n = (double)c.regions * burst;
	unknown += c.unknown;
	printf("%-7s %-8s %-5s %5u %13.1f %7.1f %7.1f %8.3f %7.3f %7.3f\n", plx_isa_name(isa),
		general ? "checksum" : "plain", what_names[what], burst, (double)c.instructions / n,
		(double)c.loads / n, (double)c.stores / n, (double)c.atomics / n,
		(double)c.mmio_reads / n, (double)c.mmio_writes / n);
	fprintf(stderr,
		"{\"isa\": \"%s\", \"path\": \"%s\", \"what\": \"%s\", \"burst\": %u, "
		"\"instructions\": %.2f, \"loads\": %.2f, \"stores\": %.2f, \"atomics\": %.4f, "
		"\"mmio_reads\": %.4f, \"mmio_writes\": %.4f}\n",
		plx_isa_name(isa), general ? "checksum" : "plain", what_names[what], burst,
		(double)c.instructions / n, (double)c.loads / n, (double)c.stores / n,
		(double)c.atomics / n, (double)c.mmio_reads / n, (double)c.mmio_writes / n);
	fflush(stdout);
}

int main(void)
{
	static const uint16_t bursts[] = {1, 8, 32, 128};
	static const enum plx_isa isas[] = {PLX_ISA_SCALAR, PLX_ISA_AVX2};

	printf("e1000 on a fake 82574L with descriptors written in advance, 64-byte packets; compiled by "
	       "%s\nper packet: %26s %7s %7s %8s %7s %7s\n",
#ifdef __clang__
		"clang " __clang_version__,
#else
		"gcc " __VERSION__,
#endif
		"instructions", "loads", "stores", "atomics", "mmio rd", "mmio wr");
	for (size_t i = 0; i < 2; i++) {
		if (isas[i] > plx_isa_best()) {
			printf("%s: this CPU has it not\n", plx_isa_name(isas[i]));
			continue;
		}
		for (size_t k = 0; k < PLX_ARRAY_SIZE(bursts); k++)
			for (int what = RX; what <= LOOP; what++)
				row(isas[i], false, (enum what)what, bursts[k]);
		for (int what = RX; what <= LOOP; what++)
			row(isas[i], true, (enum what)what, 32);
	}
	if (unknown != 0)
		printf("%llu instructions were counted but could not be decoded: they are not among loads "
		       "and stores\n",
			(unsigned long long)unknown);
	return 0;
}
