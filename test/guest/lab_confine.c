/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One bad access by a device, made by writing into the driver's rings what no driver would: DEV is told to
 * read or write where it may not. Prints where ("read 0x100600000"), what the program saw, and "ok" when memory is
 * as it was, the other ports and the device's other queue were not disturbed, and the device works after a reset.
 * Whether the IOMMU reported the access is for the caller to see.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e1000.h"
#include "lab.h"

enum { LEN = 200, DESC = 64, BURST = 32, EXTENTS = 16, HEAD = 14, CACHE = 64, PAGE = 4096 };
#define LIMIT_NS UINT64_C(20000000000)
#define STALL_NS UINT64_C(500000000)
#define MARK     UINT32_C(0x0c0ff1ed)
#define SECRET   0x5e

struct end {
	struct plx_port *port;
	struct plx_rxq *rxq;
	struct plx_txq *txqs[2];
	struct plx_mbuf_pool *pool;
	struct plx_mac mac;
};

static struct {
	struct plx_ctx *ctx, *other; /* of a; of b and c */
	struct end a, b, c;
	uint64_t phys;
	uint32_t number;
	unsigned strays; /* frames that nobody sent */
} lab;

/* ---- set-up ---- */

static struct plx_mbuf_pool *make_pool(struct plx_ctx *ctx, const char *name, uint32_t flags)
{
	/* small: three pools have to fit what an ordinary user may lock */
	struct plx_mbuf_need need = {.rx_desc = 2 * DESC,
		.tx_desc = 4 * DESC,
		.queues = 6,
		.cache = CACHE,
		.threads = 1,
		.burst = BURST};
	struct plx_mbuf_pool_opts opts = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_mbuf_pool *pool;

	opts.name = name;
	opts.n = plx_mbuf_pool_need(&need);
	opts.arena_flags = flags;
	lab_check(plx_mbuf_pool_create(ctx, &opts, &pool), "pool");
	return pool;
}

static void end_up(struct end *e, struct plx_ctx *ctx, const char *dev, struct plx_mbuf_pool *pool)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	struct plx_port_info info;

	e->pool = rx.pool = pool;
	rx.n_desc = tx.n_desc = DESC;
	rx.cache = tx.cache = CACHE;
	conf.n_txq = 2;
	lab_check(plx_port_open(ctx, dev, &e->port), "open");
	lab_check(plx_port_info(e->port, &info), "info");
	e->mac = info.mac;
	lab_check(plx_port_configure(e->port, &conf), "configure");
	lab_check(plx_rxq_setup(e->port, 0, &rx, &e->rxq), "RX queue");
	for (uint16_t i = 0; i < 2; i++)
		lab_check(plx_txq_setup(e->port, i, &tx, &e->txqs[i]), "TX queue");
	lab_check(plx_port_start(e->port), "start");
}

static void link_up(struct end *e)
{
	lab_check(plx_port_link_wait(e->port, LIMIT_NS), "link");
	/* a plx_ctx_poll() tells the bursts */
	plx_ctx_poll(lab.ctx);
	plx_ctx_poll(lab.other);
}

static void up(char **devs)
{
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool *shared;

	opts.stall_ns = STALL_NS;
	lab_check(plx_ctx_open(&opts, &lab.ctx), "context");
	lab_check(plx_ctx_open(&opts, &lab.other), "context");
	end_up(&lab.a, lab.ctx, devs[0], make_pool(lab.ctx, "a", 0));
	shared = make_pool(lab.other, "b and c", 0);
	end_up(&lab.b, lab.other, devs[1], shared);
	end_up(&lab.c, lab.other, devs[2], shared);
	link_up(&lab.a);
	link_up(&lab.b);
	link_up(&lab.c);
}

/* ---- traffic ---- */

static uint8_t byte_at(uint32_t number, uint32_t off)
{
	return (uint8_t)(number * 31u + off) & 0x3f; /* never SECRET */
}

static struct plx_mbuf *frame(struct plx_mbuf_pool *pool, const struct plx_mac *to, uint32_t number)
{
	struct plx_mbuf *m = plx_mbuf_alloc(pool);
	uint8_t *p;

	if (m == NULL)
		lab_fail("%s", plx_errmsg());
	/*
	 * In one page: QEMU's e1000e maps each piece of a packet in one go, and drops the packet, as if it
	 * were sent, when its pages are apart behind the IOMMU.
	 */
	p = plx_mbuf_data(m);
	if (((uintptr_t)p & (PAGE - 1)) > PAGE - LEN)
		m->data_off = (uint16_t)(m->data_off + PAGE - ((uintptr_t)p & (PAGE - 1)));
	p = plx_mbuf_append(m, LEN);
	if (p == NULL)
		lab_fail("a room is too small");
	memcpy(p, to->b, PLX_ETH_ALEN);
	memset(p + PLX_ETH_ALEN, 2, PLX_ETH_ALEN);
	plx_store_be16(p + 12, 0x88b5);
	plx_store_be32(p + HEAD, MARK);
	plx_store_be32(p + HEAD + 4, number);
	for (uint32_t i = HEAD + 8; i < LEN; i++)
		p[i] = byte_at(number, i);
	return m;
}

static void send(struct plx_txq *q, struct plx_mbuf *m)
{
	const uint64_t until = plx_clock_ns() + LIMIT_NS;

	while (plx_tx_burst(q, &m, 1) == 0) {
		plx_ctx_poll(lab.ctx);
		plx_ctx_poll(lab.other);
		if (plx_clock_ns() > until)
			lab_fail("%s: a frame is not taken", plx_port_name(q->port));
	}
}

static bool is_frame(const struct plx_mbuf *m, uint32_t number)
{
	const uint8_t *p = plx_mbuf_data(m);

	if (m->pkt_len != LEN || plx_load_be32(p + HEAD) != MARK ||
		plx_load_be32(p + HEAD + 4) != number)
		return false;
	for (uint32_t i = HEAD + 8; i < LEN; i++)
		if (p[i] != byte_at(number, i))
			return false;
	return true;
}

/* What came that nobody sent holds nothing of what is secret. */
static void stray(const struct plx_mbuf *m, const char *port)
{
	const uint8_t *p = plx_mbuf_data(m);

	lab.strays++;
	for (uint32_t i = 0; i + 4 <= m->pkt_len; i++)
		if (p[i] == SECRET && p[i + 1] == SECRET && p[i + 2] == SECRET &&
			p[i + 3] == SECRET)
			lab_fail("%s: a frame holds memory that its sender could not reach", port);
}

/* Takes what is there. @return whether this frame was among it; others are strays. */
static bool take(struct end *e, uint32_t number)
{
	struct plx_mbuf *pkts[BURST];
	uint16_t n = plx_rx_burst(e->rxq, pkts, BURST);
	bool found = false;

	for (uint16_t i = 0; i < n; i++) {
		if (is_frame(pkts[i], number))
			found = true;
		else
			stray(pkts[i], plx_port_name(e->port));
	}
	plx_mbuf_free_bulk(pkts, n);
	return found;
}

/* Says all there is to know of a frame that did not arrive. */
__attribute__((noreturn)) static void lost(struct plx_txq *from, struct end *to, uint32_t number)
{
	struct plx_port_stats tx, rx;

	lab_check(plx_port_stats(from->port, &tx), "statistics");
	lab_check(plx_port_stats(to->port, &rx), "statistics");
	lab_fail("frame %u from %s (queue %u: sent %" PRIu64 ", done %" PRIu64 ", errors %" PRIu64
		 ") to %s (received %" PRIu64 ", missed %" PRIu64 ", errors %" PRIu64
		 ", no mbuf %" PRIu64 ") does not arrive",
		number, plx_port_name(from->port), from->index, tx.tx_packets, tx.tx_done,
		tx.tx_errors, plx_port_name(to->port), rx.rx_packets, rx.rx_missed, rx.rx_errors,
		rx.rx_nombuf);
}

/* One frame, which must arrive as it was sent. */
static void pass(struct plx_txq *from, struct plx_mbuf_pool *pool, struct end *to)
{
	const uint64_t until = plx_clock_ns() + LIMIT_NS;
	const uint32_t number = lab.number++;

	send(from, frame(pool, &to->mac, number));
	while (!take(to, number)) {
		plx_ctx_poll(lab.ctx);
		plx_ctx_poll(lab.other);
		if (plx_clock_ns() > until)
			lost(from, to, number);
	}
	plx_tx_reclaim(from);
}

/* The other ports, and the other queue of the device. */
static void others(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		pass(lab.b.txqs[0], lab.b.pool, &lab.c);
		pass(lab.c.txqs[0], lab.c.pool, &lab.b);
		pass(lab.a.txqs[1], lab.a.pool, &lab.c);
		plx_ctx_poll(lab.ctx);
		plx_ctx_poll(lab.other);
	}
}

static void own(struct plx_mbuf_pool *pool, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		pass(lab.a.txqs[0], pool, &lab.b);
		pass(lab.b.txqs[0], lab.b.pool, &lab.a);
	}
}

/* ---- the accesses ---- */

static struct e1000_rxq *rxq(void)
{
	return (struct e1000_rxq *)lab.a.rxq;
}

/* Has the next frame written to an address. */
static void write_to(uint64_t iova)
{
	struct e1000_rxq *q = rxq();

	printf("write 0x%" PRIx64 "\n", iova);
	plx_le64_write_once(&q->ring[plx_rd32(&q->win, E1000_RDH)].read.addr, iova);
	plx_io_wmb(); /* the descriptor, then the frame that needs it */
	send(lab.b.txqs[0], frame(lab.b.pool, &lab.a.mac, UINT32_MAX));
}

/* Sends a frame from an address. */
static void read_from(uint64_t iova, struct plx_mbuf_pool *pool)
{
	struct plx_mbuf *m = frame(pool, &lab.b.mac, UINT32_MAX);
	const uint64_t there = m->buf_iova;

	printf("read 0x%" PRIx64 "\n", iova);
	m->buf_iova = iova - m->data_off;
	send(lab.a.txqs[0], m);
	m->buf_iova =
		there; /* it is the ring's until the device is done; its descriptor is written */
}

/* The first address behind an arena. */
static uint64_t behind(const struct plx_arena *arena)
{
	struct plx_extent e[EXTENTS];
	size_t n = plx_arena_extents(arena, e, EXTENTS);

	if (n == 0 || n > EXTENTS)
		lab_fail("an arena of %zu extents", n);
	return e[n - 1].iova + e[n - 1].len;
}

/* A buffer full of what is not for A. */
static struct plx_mbuf *secret_of(struct plx_mbuf_pool *pool)
{
	struct plx_mbuf *m = plx_mbuf_alloc(pool);

	if (m == NULL)
		lab_fail("%s", plx_errmsg());
	memset(m->buf, SECRET, pool->room);
	return m;
}

static void still_secret(struct plx_mbuf *m)
{
	for (uint32_t i = 0; i < m->pool->room; i++)
		if (m->buf[i] != SECRET)
			lab_fail(
				"byte %u of a buffer that the device may not write has changed", i);
	plx_mbuf_free(m);
}

/* Polls A for a while, with traffic beside it, and says what it shows. */
static void look(void)
{
	const uint64_t until = plx_clock_ns() + STALL_NS / 2;
	struct plx_mbuf *pkts[BURST];
	struct plx_port_stats st;
	unsigned got = 0, whole = 0;

	do {
		uint16_t n = plx_rx_burst(lab.a.rxq, pkts, BURST);

		got += n;
		for (uint16_t i = 0; i < n; i++)
			whole += is_frame(pkts[i], UINT32_MAX);
		plx_mbuf_free_bulk(pkts, n);
		plx_tx_reclaim(lab.a.txqs[0]);
		others(1);
	} while (plx_clock_ns() < until);
	lab_check(plx_port_stats(lab.a.port, &st), "statistics");
	printf("saw: %u packets received, %u of them with their bytes; sent %" PRIu64
	       ", done %" PRIu64 ", errors %" PRIu64 "; strays at others %u\n",
		got, whole, st.tx_packets, st.tx_done, st.tx_errors, lab.strays);
	if (whole != 0)
		lab_fail("the frame arrived although its buffer was out of reach");
}

/* What is seen if nothing stands in the way: the bytes of the frame, in a buffer of the device's own context. */
static void rx_allowed(void)
{
	struct plx_mbuf *m = secret_of(lab.a.pool);

	write_to(plx_mbuf_iova(m));
	look();
	if (plx_load_be32(plx_mbuf_data(m) + HEAD) != MARK)
		lab_fail("an access that is allowed does not show");
	plx_mbuf_free(m);
}

static void rx_past_arena(void)
{
	write_to(behind(lab.a.pool->arena));
	look();
}

static void tx_past_arena(void)
{
	read_from(behind(lab.a.pool->arena), lab.a.pool);
	look();
}

static void rx_other_context(void)
{
	struct plx_mbuf *m = secret_of(lab.b.pool);

	write_to(plx_mbuf_iova(m));
	look();
	still_secret(m);
}

static void tx_other_context(void)
{
	struct plx_mbuf *m = secret_of(lab.b.pool);

	read_from(plx_mbuf_iova(m), lab.a.pool);
	look();
	still_secret(m);
}

static void rx_read_only(void)
{
	struct plx_mbuf_pool *pool = make_pool(lab.ctx, "read only", PLX_DMA_TO_DEVICE);
	struct plx_mbuf *m = secret_of(pool);

	write_to(plx_mbuf_iova(m));
	look();
	still_secret(m);
	/* It can be read. Not before: of an access that a cached entry forbids QEMU's IOMMU reports nothing. */
	pass(lab.a.txqs[0], pool, &lab.b);
}

static void rx_kernel(void)
{
	write_to(lab.phys);
	look();
}

static void tx_kernel(void)
{
	read_from(lab.phys, lab.a.pool);
	look();
}

/* DEV has iommu=private: a pool of its own context that was not named to it. */
static void tx_unnamed_pool(void)
{
	struct plx_mbuf_pool *pool = make_pool(lab.ctx, "not named", 0);
	struct plx_mbuf *m = secret_of(pool);

	read_from(plx_mbuf_iova(m), pool);
	look();
	still_secret(m);
	lab_check(plx_port_map_pool(lab.a.port, pool), "naming the pool");
	lab_check(plx_port_reset(lab.a.port), "reset");
	link_up(&lab.a);
	own(pool, 20);
}

/* The ring itself: nothing is ever done, which the watchdog notices. */
static void tx_ring(void)
{
	struct e1000_txq *q = (struct e1000_txq *)lab.a.txqs[0];
	const uint64_t iova = behind(lab.a.pool->arena), begin = plx_clock_ns();
	int why = 0;

	printf("read 0x%" PRIx64 "\n", iova);
	plx_wr32(&q->win, E1000_TDBAL, (uint32_t)iova);
	plx_wr32(&q->win, E1000_TDBAH, (uint32_t)(iova >> 32));
	send(lab.a.txqs[0], frame(lab.a.pool, &lab.b.mac, UINT32_MAX));
	while (plx_txq_state(lab.a.txqs[0], &why) == PLX_QUEUE_RUNNING) {
		others(1);
		plx_tx_reclaim(lab.a.txqs[0]);
		if (plx_clock_ns() - begin > LIMIT_NS)
			lab_fail("the watchdog does not see that the ring stands still");
	}
	if (plx_txq_state(lab.a.txqs[0], NULL) != PLX_QUEUE_FAILED || why == 0)
		lab_fail("state %d, errno %d", plx_txq_state(lab.a.txqs[0], NULL), why);
	printf("saw: the queue failed (%s) after %" PRIu64 " ms\n", strerror(why),
		(plx_clock_ns() - begin) / 1000000);
}

/* On RX silence is no fault: what the program sees is that nothing comes. */
static void rx_ring(void)
{
	struct e1000_rxq *q = rxq();
	const uint64_t iova = behind(lab.a.pool->arena);

	printf("read 0x%" PRIx64 "\n", iova);
	plx_wr32(&q->win, E1000_RDBAL, (uint32_t)iova);
	plx_wr32(&q->win, E1000_RDBAH, (uint32_t)(iova >> 32));
	send(lab.b.txqs[0], frame(lab.b.pool, &lab.a.mac, UINT32_MAX));
	look();
}

int lab_confine(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} scenarios[] = {
		{"rx-allowed", rx_allowed},
		{"rx-past-arena", rx_past_arena},
		{"tx-past-arena", tx_past_arena},
		{"rx-other-context", rx_other_context},
		{"tx-other-context", tx_other_context},
		{"rx-read-only", rx_read_only},
		{"rx-kernel", rx_kernel},
		{"tx-kernel", tx_kernel},
		{"tx-unnamed-pool", tx_unnamed_pool},
		{"tx-ring", tx_ring},
		{"rx-ring", rx_ring},
	};
	void (*run)(void) = NULL;

	for (size_t i = 0; i < PLX_ARRAY_SIZE(scenarios); i++)
		if (strcmp(argv[0], scenarios[i].name) == 0)
			run = scenarios[i].run;
	if (run == NULL)
		lab_fail("there is no scenario %s", argv[0]);
	lab.phys = argc > 4 ? strtoull(argv[4], NULL, 0) : 0;
	up(argv + 1);
	own(lab.a.pool, 20);
	others(20);
	run();
	others(20);
	lab_check(plx_port_reset(lab.a.port), "reset");
	link_up(&lab.a);
	own(lab.a.pool, 50);
	others(20);
	plx_ctx_close(lab.ctx);
	plx_ctx_close(lab.other);
	printf("ok\n");
	return 0;
}
