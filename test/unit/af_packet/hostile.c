/* SPDX-License-Identifier: BSD-3-Clause */
/* What a kernel writes into a ring is checked: blocks that lie cost packets, and nothing else. */
#include <stdlib.h>

#include "af_packet.h"
#include "unit.h"

#define BLOCK 8192u

struct rig {
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct afp_rxq rxq;
	uint64_t ctr[PLX_RXQ_COUNTERS];
	uint32_t seed;
};

static uint32_t number(struct rig *r, uint32_t below)
{
	r->seed = r->seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(r->seed >> 8) * below) >> 24);
}

static void rig_up(struct rig *r, uint32_t offloads)
{
	struct plx_mbuf_pool_opts o = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_ctx_opts co = PLX_CTX_OPTS_INIT;

	memset(r, 0, sizeof(*r));
	r->seed = 1;
	co.huge = PLX_HUGE_NONE;
	CHECK_EQ(plx_ctx_open(&co, &r->ctx), 0);
	o.n = 2048;
	CHECK_EQ(plx_mbuf_pool_create(r->ctx, &o, &r->pool), 0);
	CHECK_EQ(plx_mempool_cache_create(r->ctx, 0, -1, &r->rxq.q.cache), 0);
	plx_mempool_cache_bind(r->rxq.q.cache, &r->pool->mp);
	r->rxq.q.pool = r->pool;
	r->rxq.q.ctr = r->ctr;
	r->rxq.q.max_pkt = 1518;
	r->rxq.seg_max = 512;
	r->rxq.rx_flags = offloads;
	r->rxq.ring = (struct afp_ring){.fd = -1, .size = BLOCK, .n = 2};
	r->rxq.ring.base = aligned_alloc(64, 2 * BLOCK);
	CHECK(r->rxq.ring.base != NULL);
	memset(r->rxq.ring.base, 0, 2 * BLOCK);
}

static void rig_down(struct rig *r)
{
	plx_mempool_cache_free(r->rxq.q.cache);
	plx_mempool_cache_flush(plx_mempool_thread_cache(&r->pool->mp));
	CHECK_EQ(plx_mbuf_pool_avail(r->pool), 2048);
	free(r->rxq.ring.base);
	plx_ctx_close(r->ctx);
}

/* Takes all that there is; every packet keeps the rules. */
static unsigned drain(struct rig *r)
{
	struct plx_mbuf *pkts[7];
	unsigned total = 0, idle = 0;

	for (unsigned i = 0; i < 10000 && idle < 20; i++) {
		uint16_t n = afp_rx(&r->rxq.q, pkts, 7);

		for (uint16_t k = 0; k < n; k++) {
			CHECK_STR(plx_mbuf_check(pkts[k]) == 0 ? "" : plx_errmsg(), "");
			plx_mbuf_free(pkts[k]);
		}
		total += n;
		idle = n == 0 ? idle + 1 : 0;
	}
	CHECK_EQ(idle, 20);
	return total;
}

/* A block as Linux writes it, with packets of len bytes; the n-th frame's header, for a test to spoil. */
static struct tpacket3_hdr *block(struct rig *r, unsigned which, unsigned n, uint32_t len)
{
	uint8_t *b = r->rxq.ring.base + which * BLOCK;
	struct tpacket_hdr_v1 *h = &((struct tpacket_block_desc *)(void *)b)->hdr.bh1;
	const uint32_t mac = AFP_AFTER + 34, step = (mac + len + 15) & ~15u;

	h->num_pkts = n;
	h->offset_to_first_pkt = 48;
	for (unsigned i = 0; i < n; i++) {
		struct tpacket3_hdr *p = (void *)(b + 48 + i * step);

		*p = (struct tpacket3_hdr){.tp_next_offset = step,
			.tp_snaplen = len,
			.tp_len = len,
			.tp_mac = (uint16_t)mac};
		memset((uint8_t *)p + mac - AFP_VNET, 0, AFP_VNET + len);
	}
	h->block_status = TP_STATUS_USER;
	return (void *)(b + 48);
}

static void give_back(struct rig *r)
{
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(((struct tpacket_block_desc *)(void *)(r->rxq.ring.base + i * BLOCK))
				 ->hdr.bh1.block_status,
			TP_STATUS_KERNEL);
}

TEST(af_packet, blocks_are_read_and_given_back)
{
	struct rig r;

	rig_up(&r, 0);
	for (unsigned i = 0; i < 10; i++) {
		block(&r, i % 2, 20, 60);
		CHECK_EQ(drain(&r), 20);
		give_back(&r);
	}
	CHECK_EQ(r.ctr[PLX_RXQ_ERRORS], 0);
	CHECK_EQ(r.ctr[PLX_RXQ_PACKETS], 200);
	CHECK_EQ(r.ctr[PLX_RXQ_BYTES], 200 * 60);
	rig_down(&r);
}

TEST(af_packet, a_field_that_lies_costs_its_packet)
{
	static const uint32_t values[] = {0, 1, 47, 57, BLOCK - 49, BLOCK - 1, BLOCK, BLOCK + 1,
		0x7fffffff, 0xfffffff0, 0xffffffff};
	struct rig r;

	rig_up(&r, PLX_RX_OFFLOAD_SCATTER);
	for (unsigned i = 0; i < PLX_ARRAY_SIZE(values); i++)
		for (unsigned field = 0; field < 6; field++) {
			struct tpacket3_hdr *p = block(&r, r.rxq.block, 3, 100);
			struct tpacket_hdr_v1 *h =
				(void *)((uint8_t *)p - 48 +
					 offsetof(struct tpacket_block_desc, hdr));

			if (field == 0)
				h->num_pkts = values[i];
			else if (field == 1)
				h->offset_to_first_pkt = values[i];
			else if (field == 2)
				p->tp_mac = (uint16_t)values[i];
			else if (field == 3)
				p->tp_snaplen = values[i];
			else if (field == 4)
				p->tp_len = values[i];
			else
				p->tp_next_offset = values[i];
			drain(&r);
			give_back(&r);
		}
	CHECK(r.ctr[PLX_RXQ_ERRORS] > 30);
	rig_down(&r);
}

/* A TCP packet of len bytes that is to be cut into pieces of mss bytes of payload. */
static uint8_t *large(struct rig *r, uint32_t len, uint16_t mss)
{
	static const uint8_t head[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 4, 0, 0,
		0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0,
		0x50};
	const struct virtio_net_hdr vh = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = mss,
		.csum_start = 34,
		.csum_offset = 16};
	struct tpacket3_hdr *p = block(r, r->rxq.block, 1, len);
	uint8_t *data = (uint8_t *)p + p->tp_mac;

	memcpy(data, head, sizeof(head));
	memcpy(data - AFP_VNET, &vh, sizeof(vh));
	return data;
}

/* The sender says how long pieces are: longer than a frame or a room, they are errors and not delivered. */
TEST(af_packet, pieces_longer_than_a_frame_are_errors)
{
	struct rig r;

	rig_up(&r, PLX_RX_OFFLOAD_SCATTER);
	large(&r, 54 + 2 * 1464 + 100, 1464);
	CHECK_EQ(drain(&r), 3);
	CHECK_EQ(r.ctr[PLX_RXQ_ERRORS], 0);
	large(&r, 54 + 2 * 1465 + 100, 1465);
	CHECK_EQ(drain(&r), 1);
	CHECK_EQ(r.ctr[PLX_RXQ_ERRORS], 2);
	r.rxq.rx_flags = 0;
	large(&r, 54 + 2 * 459 + 100, 459);
	CHECK_EQ(drain(&r), 1);
	CHECK_EQ(r.ctr[PLX_RXQ_ERRORS], 4);
	CHECK_EQ(r.ctr[PLX_RXQ_NOMBUF], 0);
	give_back(&r);
	rig_down(&r);
}

/* UDP whose 8 bytes are the last that are kept of the headers: nothing behind them is looked at. */
TEST(af_packet, headers_may_end_where_there_is_room_no_more)
{
	struct rig r;

	rig_up(&r, PLX_RX_OFFLOAD_SCATTER);
	for (unsigned start = 236; start < 252; start++) {
		struct virtio_net_hdr vh = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = 5, /* VIRTIO_NET_HDR_GSO_UDP_L4 */
			.gso_size = 500,
			.csum_start = (uint16_t)start,
			.csum_offset = 6};
		uint8_t *data = large(&r, 2000, 500);

		memcpy(data - AFP_VNET, &vh, sizeof(vh));
		CHECK_EQ(drain(&r), start <= 244 ? 4 : 0);
		give_back(&r);
	}
	rig_down(&r);
}

/* Large TCP packets whose headers and virtio_net_hdr are rubbish, more or less. */
TEST(af_packet, what_is_to_be_cut_may_be_anything)
{
	const unsigned rounds = unit_rounds(3000);
	unsigned got = 0;
	struct rig r;

	rig_up(&r, PLX_RX_OFFLOAD_SCATTER | PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_TIMESTAMP);
	for (unsigned i = 0; i < rounds; i++) {
		const uint32_t len = 60 + number(&r, 4000);
		uint8_t *data = large(&r, len, 500);
		struct tpacket3_hdr *p = (void *)(data - (AFP_AFTER + 34));

		if (number(&r, 2))
			p->tp_status |= TP_STATUS_VLAN_VALID;
		for (unsigned k = number(&r, 4); k > 0; k--)
			(data - AFP_VNET)[number(&r, 70)] = (uint8_t)number(&r, 256);
		got += drain(&r);
		give_back(&r);
	}
	CHECK(got > rounds);
	CHECK(r.ctr[PLX_RXQ_ERRORS] > 0);
	rig_down(&r);
}
