/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet costs in the e1000 driver, in exact instructions, on a fake 82574L whose registers are
 * plain memory. Between the counted regions, and never in them, the bench stands in for the device:
 * it writes RX descriptors back and marks TX descriptors done.
 *
 *   rx    plx_rx_burst() alone: with refill of the ring, its cache and the doorbell
 *   tx    plx_tx_burst() alone: with freeing what was sent, and the doorbell
 *   loop  poll, touch a byte of each packet, transmit (which frees what was sent)
 *
 *   plain     60-byte packets, nothing asked of the device
 *   checksum  the same, RX checksums checked and TX checksums asked for
 *   chain     packets of two segments
 *
 * Register accesses are counted in a second run, where each is a message to the model.
 *
 *	bench-e1000 [quick]                          a line of JSON for each row
 *	bench-e1000 82576                            the same on a fake 82576
 *	bench-e1000 native ISA PATH WHAT BURST N     N packets, uncounted: for other tools to count
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_82574.h"
#include "icount.h"
#include "plx_ethdev.h"

/*
 * A queue's cache takes and gives 160 mbufs at a time (half of 256, a burst, in whole chunks of 32). A
 * ring of 320, and windows of whole rounds, have each cost as often as it comes.
 */
enum { RING = 320, POOL = 2048, MAX_BURST = 256 };
enum { WIRE_LEN = 60, ROOM = 2048, CHAIN_LEN = ROOM + 452 };
enum { BAH = 4, HEAD = 0x10, DESC_LEN = 16 }; /* from a ring's first register */

enum what { RX, TX, LOOP, WHATS };
enum path { PLAIN, CHECKSUM, CHAIN, PATHS };
static const char *const what_names[] = {"rx", "tx", "loop"};
static const char *const path_names[] = {"plain", "checksum", "chain"};

struct bench {
	/* what is measured */
	uint16_t burst;
	enum what what;
	enum plx_isa isa;
	enum path path;
	bool mapped; /* registers are plain memory */
	enum fake_82574_part part;
	unsigned packets;
	struct icount *icount; /* NULL: nobody counts */

	struct plx_ctx *ctx;
	struct fake_82574 *nic;
	struct fake_pci *pci;
	struct plx_mbuf_pool *pool;
	struct plx_port *port;
	struct plx_rxq *rxq;
	struct plx_txq *txq;
	struct plx_mbuf *pkts[MAX_BURST];
	uint16_t n; /* in pkts */
	uint8_t frame[CHAIN_LEN];
	uint32_t len;
	uint64_t mmio_reads, mmio_writes; /* in regions */
};

__attribute__((noreturn)) static void fail(const struct bench *b, const char *what, const char *why)
{
	fprintf(stderr, "bench-e1000: %s %s %s burst %u: %s: %s\n", plx_isa_name(b->isa),
		path_names[b->path], what_names[b->what], b->burst, what, why);
	exit(1);
}

/* ---- the frame ---- */

static uint32_t sum16(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i += 2)
		sum += plx_load_be16(p + i);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Ethernet, IPv4 and UDP, with right checksums. */
static void make_frame(struct bench *b)
{
	static const uint8_t head[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0,
		0, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x10, 0, 0x10, 1};
	uint8_t *ip = b->frame + 14, *udp = ip + 20;
	uint16_t udp_len;

	b->len = b->path == CHAIN ? CHAIN_LEN : WIRE_LEN;
	udp_len = (uint16_t)(b->len - 34);
	memset(b->frame, 0, sizeof(b->frame));
	memcpy(b->frame, head, sizeof(head));
	plx_store_be16(ip + 2, (uint16_t)(b->len - 14));
	plx_store_be16(ip + 10, (uint16_t)~sum16(ip, 20, 0));
	plx_store_be16(udp + 4, udp_len);
	plx_store_be16(udp + 6, (uint16_t)~sum16(udp, udp_len, sum16(ip + 12, 8, 17u + udp_len)));
}

/* ---- the device ---- */

/* What the device says of the frame (7.1.4): done, end of packet, IPv4 and UDP, checksums. */
static uint32_t status(const struct bench *b)
{
	const uint32_t end = 3u | 2u << 16;

	return b->path == CHECKSUM ? end | 0x70 : end | 4; /* IPCS, TCPCS, UDPCS; or IXSM */
}

static uint8_t *descriptor(const struct bench *b, uint32_t i)
{
	const uint32_t ring = fake_82574_rx_block(b->nic, 0);
	const uint64_t base =
		fake_82574_peek(b->nic, ring) | (uint64_t)fake_82574_peek(b->nic, ring + BAH) << 32;

	return fake_dma_ptr(b->pci, base + (uint64_t)(i % RING) * DESC_LEN, DESC_LEN, true);
}

/* The first quadword, where the 82576 tells IPv4 and UDP (7.1.5). */
static uint64_t type(const struct bench *b)
{
	return b->part == FAKE_82576 ? 0x21 << 4 : 0;
}

/* A burst arrives. */
static bool arrive(struct bench *b)
{
	const uint32_t segs = b->path == CHAIN ? 2 : 1, n = b->burst * segs;
	uint32_t at;

	if (!b->mapped) {
		for (uint16_t i = 0; i < b->burst; i++)
			if (!fake_82574_rx(b->nic, b->frame, b->len, 0))
				return false;
		return true;
	}
	at = fake_82574_peek(b->nic, fake_82574_rx_block(b->nic, 0) + HEAD);
	if (fake_82574_prewrite_rx(b->nic, n, b->frame, WIRE_LEN, WIRE_LEN) != n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		bool first = b->path == CHAIN && i % 2 == 0;
		uint32_t len = b->path == CHAIN ? (first ? ROOM : CHAIN_LEN - ROOM) : WIRE_LEN;

		plx_store_le64(descriptor(b, at + i), type(b));
		plx_store_le64(
			descriptor(b, at + i) + 8, (uint64_t)len << 32 | (first ? 1 : status(b)));
	}
	return true;
}

/* ---- the regions ---- */

__attribute__((noinline)) static void region_rx(void *arg)
{
	struct bench *b = arg;

	b->n = plx_rx_burst(b->rxq, b->pkts, b->burst);
}

__attribute__((noinline)) static void region_tx(void *arg)
{
	struct bench *b = arg;

	b->n = plx_tx_burst(b->txq, b->pkts, b->n);
}

static inline void ask_checksums(struct plx_mbuf *m)
{
	m->flags = PLX_TX_IPV4 | PLX_TX_IP_CKSUM | PLX_TX_UDP_CKSUM;
	m->tx = (struct plx_tx_offload){.l2_len = 14, .l3_len = 20};
}

/* The loops that programs have. */
__attribute__((noinline)) static void region_loop(void *arg)
{
	struct bench *b = arg;
	struct plx_mbuf **pkts = b->pkts;
	uint16_t n = plx_rx_burst(b->rxq, pkts, b->burst);

	for (uint16_t i = 0; i < n; i++)
		plx_mbuf_data(pkts[i])[0] ^= 1;
	b->n = plx_tx_burst(b->txq, pkts, n);
}

__attribute__((noinline)) static void region_loop_checksum(void *arg)
{
	struct bench *b = arg;
	struct plx_mbuf **pkts = b->pkts;
	uint16_t n = plx_rx_burst(b->rxq, pkts, b->burst);

	for (uint16_t i = 0; i < n; i++) {
		plx_mbuf_data(pkts[i])[0] ^= 1;
		ask_checksums(pkts[i]);
	}
	b->n = plx_tx_burst(b->txq, pkts, n);
}

static void region(struct bench *b, icount_fn fn, bool asked)
{
	uint64_t reads = fake_count(b->pci, FAKE_REG_READ);
	uint64_t writes = fake_count(b->pci, FAKE_REG_WRITE);

	if (asked && b->icount != NULL)
		icount_call(b->icount, fn, b);
	else
		fn(b);
	if (!asked)
		return;
	b->mmio_reads += fake_count(b->pci, FAKE_REG_READ) - reads;
	b->mmio_writes += fake_count(b->pci, FAKE_REG_WRITE) - writes;
}

/* One burst, through all of it. */
static void one(struct bench *b)
{
	if (!arrive(b))
		fail(b, "device", "no room for a burst");
	if (b->what == LOOP) {
		region(b, b->path == CHECKSUM ? region_loop_checksum : region_loop, true);
	} else {
		region(b, region_rx, b->what == RX);
		for (uint16_t i = 0; i < b->n && b->path == CHECKSUM; i++)
			ask_checksums(b->pkts[i]);
		if (b->n == b->burst)
			region(b, region_tx, b->what == TX);
	}
	if (b->n != b->burst)
		fail(b, "burst", "not full");
	if (b->mapped)
		fake_82574_complete_tx(b->nic);
}

/* ---- what RX writes ---- */

static bool right(const struct bench *b, const struct plx_mbuf *m)
{
	const bool sums = b->path == CHECKSUM, chain = b->path == CHAIN;
	const uint32_t flags = sums ? PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_GOOD : 0;
	/* UDP: by its checksum, or by a type of its own */
	const bool told = sums || (chain && b->part == FAKE_82576);
	const uint32_t ptype = PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV4_EXT;
	const struct plx_mbuf *next = m->next;

	if (m->data_off != PLX_MBUF_HEADROOM || m->refcnt != 1 || m->kind != PLX_MBUF_OWN ||
		m->nsegs != (chain ? 2 : 1) || m->flags != flags || m->vlan != 0 ||
		m->hash_mark != 0 || m->pkt_len != b->len || m->data_len != (chain ? ROOM : b->len))
		return false;
	/* the type is known where checksums are checked, and may be where not */
	if (m->ptype != (told ? ptype | PLX_PTYPE_L4_UDP : 0) && (sums || m->ptype != ptype))
		return false;
	if (!chain)
		return next == NULL;
	return next != NULL && next->next == NULL && next->data_off == PLX_MBUF_HEADROOM &&
	       next->refcnt == 1 && next->kind == PLX_MBUF_OWN && next->data_len == b->len - ROOM;
}

/* Bytes 16 to 47, which are RX's to write, of an mbuf that is free. */
static void poison(struct plx_mbuf *m)
{
	memset(&m->rearm, 0xa5, 32);
}

/* Every field that RX has to write is written: all mbufs go round with rubbish in them. */
static void verify(struct bench *b)
{
	for (unsigned done = 0; done < 4 * POOL; done += b->burst) {
		if (!arrive(b))
			fail(b, "device", "no room for a burst");
		region_rx(b);
		if (b->n != b->burst)
			fail(b, "burst", "not full");
		for (uint16_t i = 0; i < b->n; i++) {
			struct plx_mbuf *m = b->pkts[i], *next = m->next;

			if (!right(b, m))
				fail(b, "RX", "a field of an mbuf is not what it must be");
			plx_mbuf_free(m);
			poison(m);
			if (next != NULL)
				poison(next);
		}
	}
	plx_mempool_cache_flush(plx_mempool_thread_cache(&b->pool->mp));
}

/* ---- the run ---- */

static void configure(struct bench *b)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;

	conf.promisc = true;
	if (b->path == CHECKSUM) {
		conf.rx_offloads = PLX_RX_OFFLOAD_CKSUM;
		conf.tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM;
	} else if (b->path == CHAIN) {
		conf.mtu = CHAIN_LEN;
		conf.rx_offloads = PLX_RX_OFFLOAD_SCATTER;
		conf.tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
	}
	rx.pool = b->pool;
	rx.n_desc = tx.n_desc = RING;
	if (plx_port_configure(b->port, &conf) < 0 || plx_rxq_setup(b->port, 0, &rx, &b->rxq) < 0 ||
		plx_txq_setup(b->port, 0, &tx, &b->txq) < 0 || plx_port_start(b->port) < 0)
		fail(b, "start", plx_errmsg());
}

static void open_all(struct bench *b)
{
	struct fake_82574_opts o = FAKE_82574_OPTS_INIT;
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_link link = {0};

	opts.isa = b->isa;
	opts.huge = PLX_HUGE_NONE;
	opts.stall_ns = 0;
	o.mapped = b->mapped;
	po.n = POOL;
	make_frame(b);
	o.part = b->part;
	b->nic = fake_82574_new("nic", &o);
	b->pci = fake_82574_pci(b->nic);
	if (plx_ctx_open(&opts, &b->ctx) < 0 || fake_attach(b->ctx, b->pci) < 0 ||
		plx_port_open(b->ctx, "fake:nic", &b->port) < 0 ||
		plx_mbuf_pool_create(b->ctx, &po, &b->pool) < 0)
		fail(b, "open", plx_errmsg());
	configure(b);
	for (int i = 0; i < 100 && !link.up; i++) {
		fake_advance(b->pci, UINT64_C(100000000));
		if (plx_port_link(b->port, true, &link) < 0)
			fail(b, "link", plx_errmsg());
	}
	if (!link.up)
		fail(b, "link", "down");
}

static void close_all(struct bench *b)
{
	plx_port_close(b->port);
	plx_ctx_close(b->ctx);
	fake_82574_free(b->nic);
}

static void run(struct bench *b, struct icount *c)
{
	uint64_t taken, freed;

	open_all(b);
	verify(b);
	/* until all is as it will be in each further round of the ring */
	for (unsigned done = 0; done < 4 * RING; done += b->burst)
		one(b);
	b->mmio_reads = b->mmio_writes = 0;
	taken = b->txq->ctr[PLX_TXQ_PACKETS];
	freed = b->txq->ctr[PLX_TXQ_DONE];
	b->icount = c;
	for (unsigned done = 0; done < b->packets; done += b->burst)
		one(b);
	b->icount = NULL;
	taken = b->txq->ctr[PLX_TXQ_PACKETS] - taken;
	freed = b->txq->ctr[PLX_TXQ_DONE] - freed;
	if (taken != freed && b->mapped)
		fail(b, "window", "it did not free as many packets as it sent");
	close_all(b);
}

static struct icount counted;

static void row(struct bench *b)
{
	b->packets = RING * (b->burst > 64 ? b->burst / 64 : 1); /* whole rounds and bursts */
	b->mapped = true;
	memset(&counted, 0, sizeof(counted));
	run(b, &counted);
	b->mapped = false;
	run(b, NULL);
	printf("{\"isa\": \"%s\", \"path\": \"%s\", \"what\": \"%s\", \"burst\": %u, \"packets\": %llu, "
	       "\"instructions\": %llu, \"mmio_reads\": %llu, \"mmio_writes\": %llu, \"code\": ",
		plx_isa_name(b->isa), path_names[b->path], what_names[b->what], b->burst,
		(unsigned long long)counted.regions * b->burst,
		(unsigned long long)counted.instructions, (unsigned long long)b->mmio_reads,
		(unsigned long long)b->mmio_writes);
	if (icount_print(&counted, stdout) != 0)
		fail(b, "counted", "too many instructions, or one that is in no file");
	printf("}\n");
	fflush(stdout);
}

/* Which rows there are; a quick run has a few of them. */
static bool wanted(const struct bench *b, bool quick)
{
	if (b->isa > plx_isa_best() || (b->path == CHAIN && b->burst != 32))
		return false;
	if (b->path == CHECKSUM && b->isa != PLX_ISA_SCALAR)
		return false; /* there is one function for all instruction sets */
	if (!quick)
		return true;
	return b->path != CHAIN && (b->burst == 32 || (b->path == PLAIN && b->burst == 1));
}

static void all(bool quick, enum fake_82574_part part)
{
	static const uint16_t bursts[] = {1, 4, 8, 16, 32, 64, 128, 256};
	static const enum plx_isa isas[] = {PLX_ISA_SCALAR, PLX_ISA_AVX2};
	const unsigned n = PLX_ARRAY_SIZE(bursts);

	for (unsigned i = 0; i < PLX_ARRAY_SIZE(isas) * PATHS * n * WHATS; i++) {
		struct bench b = {
			.isa = isas[i / WHATS / n / PATHS],
			.path = (enum path)(i / WHATS / n % PATHS),
			.burst = bursts[i / WHATS % n],
			.what = (enum what)(i % WHATS),
			.part = part,
		};

		if (wanted(&b, quick))
			row(&b);
	}
}

static int index_of(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	fprintf(stderr, "bench-e1000: '%s'?\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	static const char *const isas[] = {"auto", "scalar", "avx2"};
	struct bench b = {0};

	if (icount_init() != 0)
		return 1;
	if (argc < 2 || strcmp(argv[1], "quick") == 0) {
		all(argc == 2, FAKE_82574L);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "82576") == 0) {
		all(false, FAKE_82576);
		return 0;
	}
	if (argc != 7 || strcmp(argv[1], "native") != 0)
		return 2;
	b.isa = (enum plx_isa)index_of(argv[2], isas, 3);
	b.path = (enum path)index_of(argv[3], path_names, PATHS);
	b.what = (enum what)index_of(argv[4], what_names, WHATS);
	b.burst = (uint16_t)strtoul(argv[5], NULL, 10);
	b.packets = (unsigned)strtoul(argv[6], NULL, 10);
	b.mapped = true;
	if (b.burst == 0 || b.burst > MAX_BURST)
		return 2;
	run(&b, NULL);
	return 0;
}
