/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the device reaches: pools named to a port with an I/O address space of its own, and slots of
 * rings that software owns.
 */
#include <errno.h>

#include "e1000_rig.h"

static struct plx_mbuf_pool *make_pool(struct plx_ctx *ctx, const char *name, uint32_t flags)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_mbuf_pool *pool;

	po.name = name;
	po.n = 64;
	po.arena_flags = flags;
	CHECK_EQ(plx_mbuf_pool_create(ctx, &po, &pool), 0);
	return pool;
}

/* Sends one frame from a pool. */
static void send_from(struct rig *r, struct plx_mbuf_pool *pool, uint32_t number)
{
	struct plx_mbuf *m = plx_mbuf_alloc(pool);

	CHECK(m != NULL);
	rig_frame(plx_mbuf_append(m, 100), number, 100);
	CHECK_EQ(plx_tx_burst(r->txq, &m, 1), 1);
	plx_tx_reclaim(r->txq);
}

static void arrived(struct rig *r, uint64_t n, uint32_t number)
{
	CHECK_EQ(r->n_sent, n);
	CHECK_EQ(r->sent_len, 100);
	CHECK_EQ(plx_load_be32(r->sent + 14), number);
}

static bool reaches(struct rig *r, const struct plx_mbuf_pool *pool, bool write)
{
	struct plx_dma room;

	CHECK(plx_mbuf_pool_rooms(pool, &room, 1, NULL) >= 1);
	return fake_dma_ptr(r->f, room.iova, 64, write) != NULL;
}

TEST(e1000_memory, private_domain_reaches_named_pools_alone)
{
	static struct rig r;
	struct plx_mbuf_pool *other, *source;
	struct plx_port_stats s;

	rig_begin(&r, 0);
	r.f->no_domain_map = true;
	rig_up(&r);
	/* rings, and the pool of the RX queue, without a word of the program's */
	CHECK(r.f->n_extents >= 2);
	rig_traffic(&r, 10);
	CHECK_EQ(r.f->dma_faults, 0);
	/* a pool that was not named: the IOMMU refuses, and nothing of it leaves */
	other = make_pool(r.ctx, "other", 0);
	CHECK(!reaches(&r, other, false));
	r.sent_len = 0;
	send_from(&r, other, 77);
	CHECK(r.f->dma_faults >= 1);
	CHECK(!r.f->fault_write);
	CHECK(plx_load_be32(r.sent + 14) != 77);
	/* a reset counts it as not sent; then the pool is named */
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.tx_errors, 0);
	CHECK_EQ(s.tx_done + 1, s.tx_packets);
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.tx_errors, 1);
	CHECK_EQ(s.tx_done, s.tx_packets);
	CHECK_EQ(rig_link(&r), 0);
	CHECK_EQ(plx_port_map_pool(r.port, other), 0);
	CHECK_EQ(plx_port_map_pool(r.port, other), 0);
	CHECK(reaches(&r, other, true));
	r.f->dma_faults = 0;
	r.n_sent = 0;
	send_from(&r, other, 78);
	arrived(&r, 1, 78);
	CHECK_EQ(r.f->dma_faults, 0);
	/* what devices may only read stays so */
	source = make_pool(r.ctx, "source", PLX_DMA_TO_DEVICE);
	CHECK_EQ(plx_port_map_pool(r.port, source), 0);
	CHECK(reaches(&r, source, false));
	CHECK(!reaches(&r, source, true));
	send_from(&r, source, 79);
	arrived(&r, 2, 79);
	rig_end(&r);
}

TEST(e1000_memory, shared_domain_needs_no_naming)
{
	static struct rig r;
	struct plx_mbuf_pool *other;
	uint32_t n;

	rig_begin(&r, 0);
	rig_up(&r);
	other = make_pool(r.ctx, "other", 0);
	n = r.f->n_extents;
	CHECK_EQ(plx_port_map_pool(r.port, other), 0);
	CHECK_EQ(r.f->n_extents, n);
	send_from(&r, other, 5);
	arrived(&r, 1, 5);
	rig_end(&r);
}

TEST(e1000_memory, foreign_and_failing_pools)
{
	static struct rig r;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_mbuf_pool *foreign, *headers, *other;
	struct plx_ctx *ctx;

	rig_begin(&r, 0);
	r.f->no_domain_map = true;
	rig_up(&r);
	CHECK_EQ(plx_ctx_open(NULL, &ctx), 0);
	foreign = make_pool(ctx, "foreign", 0);
	CHECK_EQ(plx_port_map_pool(r.port, foreign), -EXDEV);
	CHECK_STR(plx_errmsg(),
		"fake:e1000: pool foreign is another context's, whose memory this device cannot "
		"reach; make one in the port's context");
	CHECK(!reaches(&r, foreign, false));
	plx_ctx_close(ctx);
	CHECK_EQ(plx_port_map_pool(r.port, NULL), -EINVAL);
	CHECK_HAS(plx_errmsg(), "fake:e1000: no pool");
	/* without rooms there is nothing to map */
	po.room = 0;
	CHECK_EQ(plx_mbuf_pool_create(r.ctx, &po, &headers), 0);
	CHECK_EQ(plx_port_map_pool(r.port, headers), 0);
	/* what the IOMMU says comes through, and the next try is a new one */
	other = make_pool(r.ctx, "other", 0);
	fake_inject(r.f, FAKE_DMA_MAP, 1, FAKE_FAIL);
	CHECK_EQ(plx_port_map_pool(r.port, other), -EIO);
	CHECK(!reaches(&r, other, false));
	CHECK_EQ(plx_port_map_pool(r.port, other), 0);
	CHECK(reaches(&r, other, false));
	/* a pool that ends leaves the domain */
	plx_mbuf_pool_destroy(other);
	CHECK_EQ(r.f->dma_faults, 0);
	fake_remove(r.f);
	plx_ctx_poll(r.ctx);
	CHECK_EQ(plx_port_map_pool(r.port, headers), -ENODEV);
	rig_end(&r);
}

/* ---- slots that software owns ---- */

/* Beyond what any IOMMU translates (57 bits), and canonical. */
#define NO_ADDR UINT64_C(0xffffdead57a1e000)

/*
 * How many slots are empty. Others of software's are buffers that the device will hear of with the next
 * doorbell; whatever else lies there fails.
 */
static unsigned empty_slots(struct rig *r, const struct plx_desc *d, uint16_t n)
{
	unsigned empty = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (d[i].owner == PLX_DESC_SW && d[i].word[0] != NO_ADDR)
			CHECK(fake_dma_ptr(r->f, d[i].word[0], 1, true) != NULL);
		if (d[i].word[0] != NO_ADDR)
			continue;
		CHECK_EQ(d[i].owner, PLX_DESC_SW);
		CHECK_EQ(d[i].word[1], 0);
		empty++;
	}
	return empty;
}

static unsigned empty_rx(struct rig *r)
{
	struct plx_desc d[64];
	uint16_t n;

	CHECK_EQ(plx_rxq_descs(r->rxq, 0, d, 64, &n), 0);
	CHECK_EQ(n, 64);
	return empty_slots(r, d, n);
}

static unsigned empty_tx(struct rig *r)
{
	struct plx_desc d[64];
	uint16_t n;

	CHECK_EQ(plx_txq_descs(r->txq, 0, d, 64, &n), 0);
	CHECK_EQ(n, 64);
	return empty_slots(r, d, n);
}

static void slots(enum plx_isa isa, uint32_t room, uint32_t offloads)
{
	static struct rig r;

	rig_isa = isa;
	rig_begin(&r, 0);
	r.room = room;
	r.conf.rx_offloads = offloads;
	CHECK_EQ(rig_open(&r), 0);
	CHECK_EQ(rig_set_up(&r), 0);
	CHECK_EQ(empty_rx(&r), 64);
	CHECK_EQ(empty_tx(&r), 64);
	CHECK_EQ(rig_start(&r), 0);
	CHECK_EQ(rig_link(&r), 0);
	/* several times round: the one slot of RX without a buffer is everywhere once */
	for (unsigned i = 0; i < 200; i++) {
		CHECK_EQ(empty_rx(&r), 1);
		CHECK_EQ(empty_tx(&r), 64);
		rig_traffic(&r, 1);
	}
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK_EQ(empty_rx(&r), 64);
	CHECK_EQ(empty_tx(&r), 64);
	CHECK_EQ(r.f->dma_faults, 0);
	rig_end(&r);
	rig_isa = PLX_ISA_AUTO;
}

TEST(e1000_memory, slots_of_software_hold_no_address)
{
	static const enum plx_isa isas[] = {PLX_ISA_AUTO, PLX_ISA_SCALAR};

	for (unsigned i = 0; i < 2; i++) {
		slots(isas[i], PLX_MBUF_ROOM, 0);
		slots(isas[i], PLX_MBUF_ROOM, PLX_RX_OFFLOAD_CKSUM);
		slots(isas[i], PLX_MBUF_ROOM, PLX_RX_OFFLOAD_RSS_HASH);
		slots(isas[i], 640, PLX_RX_OFFLOAD_SCATTER);
	}
}

/* Whatever part of the address a device can drive, it is none of ours. */
TEST(e1000_memory, no_address_is_out_of_reach)
{
	static const unsigned bits[] = {32, 39, 40, 48, 57, 64};
	static struct rig r;

	rig_begin(&r, 0);
	rig_up(&r);
	for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		const uint64_t mask = bits[i] == 64 ? UINT64_MAX : (UINT64_C(1) << bits[i]) - 1;
		const uint64_t at = NO_ADDR & mask;

		CHECK(fake_dma_ptr(r.f, at, 1, false) == NULL);
		CHECK(at < 0xfee00000 || at > 0xfeefffff);
		CHECK(at >= 0x100000);
	}
	rig_end(&r);
}
