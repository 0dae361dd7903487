/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model by itself: what it does and what it complains of, register by register. */
#include <stdio.h>

#include "fake_82574.h"
#include "unit.h"

enum {
	CTRL = 0x0000,
	STATUS = 0x0008,
	EEC = 0x0010,
	EERD = 0x0014,
	MDIC = 0x0020,
	RCTL = 0x0100,
	TCTL = 0x0400,
	TIPG = 0x0410,
	RDBAL = 0x2800,
	RDT = 0x2818,
	TDBAL = 0x3800,
	TDH = 0x3810,
	TDT = 0x3818,
	GPRC = 0x4074,
	MPC = 0x4010,
	RXCSUM = 0x5000,
	RFCTL = 0x5008,
	MTA = 0x5200,
	RAL = 0x5400,
	VFTA = 0x5600,
	MRQC = 0x5818,
	RETA = 0x5c00,
	RSSRK = 0x5c80,
	TARC1 = 0x3940,
	Q1 = 0x100,
	N = 8,
	ROOM = 2048,
};
#define MS UINT64_C(1000000)

struct lab {
	struct plx_ctx *ctx;
	struct fake_82574 *m;
	struct fake_pci *f;
	struct plx_pci_dev *dev;
	struct plx_win w;
	struct plx_dma ring[2], bufs[2]; /* RX, TX */
	uint8_t sent[ROOM];
	uint32_t sent_len, n_sent;
};

static void on_tx(void *arg, const uint8_t *frame, uint32_t len)
{
	struct lab *l = arg;

	memcpy(l->sent, frame, PLX_MIN(len, (uint32_t)ROOM));
	l->sent_len = len;
	l->n_sent++;
}

static void lab_open(struct lab *l)
{
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct plx_opts *o;

	memset(l, 0, sizeof(*l));
	opts.huge = PLX_HUGE_NONE;
	CHECK_EQ(plx_ctx_open(&opts, &l->ctx), 0);
	l->m = fake_82574_new("nic", NULL);
	l->f = fake_82574_pci(l->m);
	fake_82574_on_tx(l->m, on_tx, l);
	CHECK_EQ(fake_attach(l->ctx, l->f), 0);
	CHECK_EQ(plx_opts_parse("fake:nic", &o), 0);
	CHECK_EQ(plx_pci_open(l->ctx, o, &l->dev), 0);
	plx_opts_free(o);
	CHECK_EQ(plx_pci_win(l->dev, 0, 0, 128 * 1024, &l->w), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(plx_pci_dma_alloc(l->dev, N * 16, 128, &l->ring[i]), 0);
		CHECK_EQ(plx_pci_dma_alloc(l->dev, N * ROOM, 128, &l->bufs[i]), 0);
	}
}

static void lab_close(struct lab *l)
{
	for (int i = 0; i < 2; i++) {
		plx_pci_dma_free(l->dev, &l->ring[i]);
		plx_pci_dma_free(l->dev, &l->bufs[i]);
	}
	plx_pci_win_close(&l->w);
	plx_pci_close(l->dev);
	plx_ctx_close(l->ctx);
	fake_82574_free(l->m);
}

static void wr(struct lab *l, uint32_t off, uint32_t v)
{
	plx_wr32(&l->w, off, v);
}

static uint32_t rd(struct lab *l, uint32_t off)
{
	return plx_rd32(&l->w, off);
}

static void reset(struct lab *l)
{
	wr(l, CTRL, 1u << 26);
	fake_advance(l->f, 1000);
	CHECK_EQ(rd(l, CTRL) & 1u << 26, 0);
	CHECK_EQ(rd(l, EEC) & 1u << 9, 0);
	fake_advance(l->f, 2 * MS);
	CHECK_EQ(rd(l, EEC) & 1u << 9, 1u << 9);
	wr(l, CTRL, 1u << 6 | 1); /* SLU */
	fake_advance(l->f, 500 * MS);
	CHECK_EQ(rd(l, STATUS) & 2, 2);
}

static void rings(struct lab *l)
{
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t at = i == 0 ? RDBAL : TDBAL;

		wr(l, at, (uint32_t)l->ring[i].iova);
		wr(l, at + 4, (uint32_t)(l->ring[i].iova >> 32));
		wr(l, at + 8, N * 16);
		for (uint32_t j = 0; j < N && i == 0; j++) {
			uint8_t *d = (uint8_t *)l->ring[0].va + 16 * j;

			plx_store_le64(d, l->bufs[0].iova + j * ROOM);
			plx_store_le64(d + 8, 0);
		}
	}
	for (uint32_t i = 0; i < 128; i++) {
		wr(l, MTA + 4 * i, 0);
		wr(l, VFTA + 4 * i, 0);
	}
}

static void up(struct lab *l)
{
	lab_open(l);
	reset(l);
	rings(l);
	wr(l, RFCTL, 1u << 15);
	wr(l, TIPG, 0x00602008);
	CHECK_EQ(plx_pci_set_master(l->dev, true), 0);
	wr(l, RCTL, 1u << 26 | 1u << 15 | 2);
	wr(l, TCTL, 1u << 3 | 2);
	wr(l, RDT, N - 1);
	CHECK_STR(fake_82574_violation(l->m, 0), "");
}

static uint64_t rx_done(struct lab *l, uint32_t i)
{
	return plx_load_le64((uint8_t *)l->ring[0].va + 16 * i + 8);
}

static void tx_put(struct lab *l, uint32_t i, uint64_t q0, uint64_t q1)
{
	uint8_t *d = (uint8_t *)l->ring[1].va + 16 * i;

	plx_store_le64(d, q0);
	plx_store_le64(d + 8, q1);
}

/* An IPv4 UDP frame without sums, to the NIC's own address. */
static uint32_t udp(uint8_t *p, uint32_t payload)
{
	static const uint8_t head[14] = {0x00, 0x1b, 0x21, 0, 0, 1, 2, 0, 0, 0, 0, 9, 8, 0};

	memset(p, 0, 42 + payload);
	memcpy(p, head, 14);
	p[14] = 0x45;
	plx_store_be16(p + 16, (uint16_t)(28 + payload));
	p[22] = 64;
	p[23] = 17;
	p[26] = 10;
	p[30] = 10;
	plx_store_be16(p + 38, (uint16_t)(8 + payload));
	memset(p + 42, 0x5a, payload);
	return 42 + payload;
}

#define DATA(len, cmd, popts) \
	((len) | UINT64_C(1) << 20 | (uint64_t)((cmd) | 0x20) << 24 | (uint64_t)(popts) << 40)

TEST(fake_82574, reset_takes_its_time_and_reads_the_nvm)
{
	struct lab l;

	lab_open(&l);
	reset(&l);
	CHECK_EQ(rd(&l, RAL), 0x00211b00);
	CHECK_EQ(rd(&l, RAL + 4), 0x80000100);
	wr(&l, EERD, 1 | 1 << 2);
	CHECK_EQ(rd(&l, EERD) & 2, 0);
	fake_advance(l.f, 20000);
	CHECK_EQ(rd(&l, EERD) >> 16, 0x0021);
	CHECK_STR(fake_82574_violation(l.m, 0), "");
	wr(&l, CTRL, 1u << 26);
	CHECK_EQ(rd(&l, CTRL), UINT32_MAX);
	CHECK_HAS(fake_82574_violation(l.m, 0), "within 1 us of CTRL.RST");
	lab_close(&l);
}

TEST(fake_82574, the_phy_answers_after_a_while_or_with_an_error)
{
	struct lab l;

	lab_open(&l);
	wr(&l, MDIC, 2u << 26 | 1u << 21 | 2u << 16);
	CHECK_EQ(rd(&l, MDIC) & 1u << 28, 0);
	fake_advance(l.f, 64000);
	CHECK_EQ(rd(&l, MDIC) & 1u << 28, 1u << 28);
	CHECK_EQ(rd(&l, MDIC) & 0xffff, 0x0141);
	CHECK_STR(fake_82574_violation(l.m, 0), "");
	fake_82574_phy_error(l.m, true);
	wr(&l, MDIC, 2u << 26 | 1u << 21 | 2u << 16);
	wr(&l, MDIC, 2u << 26 | 1u << 21 | 2u << 16);
	CHECK_HAS(fake_82574_violation(l.m, 0), "before it was ready");
	fake_advance(l.f, 64000);
	CHECK_EQ(rd(&l, MDIC) & 1u << 30, 1u << 30);
	lab_close(&l);
}

TEST(fake_82574, receives_with_sums_checked_and_tags_stripped)
{
	uint8_t frame[200], tagged[200];
	uint32_t len = udp(frame, 50);
	struct lab l;

	up(&l);
	wr(&l, RXCSUM, 3u << 8);
	CHECK(fake_82574_rx(l.m, frame, len, 0));
	/* IP sum wrong (0), UDP sum 0 is none: DD, EOP, IPCS, IPE */
	CHECK_EQ(rx_done(&l, 0), 0x20043 | UINT64_C(1) << 30 | (uint64_t)len << 32);
	CHECK_EQ(memcmp(l.bufs[0].va, frame, len), 0);
	plx_store_be16(frame + 24, 0x668f); /* right: 4500 004e .. 4011 0a00 0a00 */
	plx_store_be16(frame + 40, 0x1234); /* wrong */
	CHECK(fake_82574_rx(l.m, frame, len, 0));
	CHECK_EQ(rx_done(&l, 1) & 0xfffff, 0x20073);
	CHECK_EQ(rx_done(&l, 1) >> 29 & 1, 1);
	memcpy(tagged, frame, 12);
	plx_store_be32(tagged + 12, 0x81006005);
	memcpy(tagged + 16, frame + 12, len - 12);
	wr(&l, CTRL, 1u << 30 | 1u << 6 | 1);
	CHECK(fake_82574_rx(l.m, tagged, len + 4, 0));
	CHECK_EQ(rx_done(&l, 2) >> 32, len | 0x6005u << 16);
	CHECK_EQ(rx_done(&l, 2) & 8, 8);
	CHECK_EQ(memcmp((uint8_t *)l.bufs[0].va + 2 * ROOM, frame, len), 0);
	CHECK_EQ(rd(&l, GPRC), 3);
	CHECK_EQ(rd(&l, GPRC), 0);
	CHECK_STR(fake_82574_violation(l.m, 0), "");
	lab_close(&l);
}

TEST(fake_82574, filters_by_address_and_tag)
{
	uint8_t frame[200];
	uint32_t len = udp(frame, 50);
	struct lab l;

	up(&l);
	frame[5] = 2;
	CHECK(!fake_82574_rx(l.m, frame, len, 0));
	memset(frame, 0xff, 6);
	CHECK(fake_82574_rx(l.m, frame, len, 0));
	frame[0] = 1; /* multicast, not in the table */
	CHECK(!fake_82574_rx(l.m, frame, len, 0));
	wr(&l, MTA + 4 * 127, 1u << 31); /* bits 47:36 all ones */
	CHECK(fake_82574_rx(l.m, frame, len, 0));
	wr(&l, RCTL, 1u << 26 | 1u << 18 | 1u << 3 | 2); /* VFE, UPE */
	len = udp(frame, 50);
	plx_store_be32(frame + 12, 0x81000005);
	CHECK(!fake_82574_rx(l.m, frame, len, 0));
	wr(&l, VFTA, 1u << 5);
	CHECK(fake_82574_rx(l.m, frame, len, 0));
	CHECK(!fake_82574_rx(l.m, frame, len, FAKE_82574_CRC));
	CHECK_STR(fake_82574_violation(l.m, 0), "");
	lab_close(&l);
}

TEST(fake_82574, packets_wait_in_the_fifo_and_then_are_missed)
{
	static uint8_t frame[1600];
	struct fake_82574_counts c;
	struct lab l;
	uint32_t n = 0;

	up(&l);
	udp(frame, 1000);
	while (fake_82574_rx(l.m, frame, 1042, 0))
		n++;
	CHECK_EQ(n, N - 1 + 20 * 1024 / 1042);
	CHECK_EQ(rd(&l, MPC), 1);
	fake_82574_count(l.m, &c);
	CHECK_EQ(c.rx, N - 1);
	CHECK_EQ(c.missed, 1);
	lab_close(&l);
}

TEST(fake_82574, sends_with_sums_and_tag)
{
	struct lab l;
	uint8_t *p;
	uint32_t len;

	up(&l);
	wr(&l, CTRL, 1u << 30 | 1u << 6 | 1);
	p = l.bufs[1].va;
	len = udp(p, 8);
	/* the pseudo header's sum: addresses, protocol, length */
	plx_store_be16(p + 40, 0x1400 + 17 + 16);
	tx_put(&l, 0, 14 | 24 << 8 | 33 << 16 | UINT64_C(34) << 32 | UINT64_C(40) << 40,
		0x20u << 24);
	tx_put(&l, 1, l.bufs[1].iova, DATA(20, 0, 3));
	tx_put(&l, 2, l.bufs[1].iova + 20, DATA(len - 20, 0x4b, 0) | UINT64_C(0x6005) << 48);
	wr(&l, TDT, 3);
	CHECK_STR(fake_82574_violation(l.m, 0), "");
	CHECK_EQ(l.n_sent, 1);
	CHECK_EQ(l.sent_len, 60);
	CHECK_EQ(plx_load_be32(l.sent + 12), 0x81006005);
	CHECK_EQ(rd(&l, TDH), 3);
	CHECK_EQ(((uint8_t *)l.ring[1].va)[2 * 16 + 12], 1);
	CHECK_EQ(((uint8_t *)l.ring[1].va)[1 * 16 + 12], 0);
	/* by hand: 4500 0024 0000 0000 4011 0000 0a00 0000 0a00 0000 */
	CHECK_EQ(plx_load_be16(l.sent + 28), 0xffff - 0x9935);
	/* 1400 + 11 + 10 + 10 + 4 * 5a5a */
	CHECK_EQ(plx_load_be16(l.sent + 44), 0xffff - (0x1400 + 0x31 + 0x6968 + 1));
	lab_close(&l);
}

/* Microsoft, "Verifying the RSS Hash Calculation": the key and its packets. */
static const uint8_t verify_key[40] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
	0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77,
	0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};
static const struct {
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint32_t ip, tcp;
} verify4[] =
	{
		{{66, 9, 149, 187}, {161, 142, 100, 80}, 2794, 1766, 0x323e8fc2, 0x51ccc178},
		{{199, 92, 111, 2}, {65, 69, 140, 83}, 14230, 4739, 0xd718262a, 0xc626b0ea},
		{{24, 19, 198, 95}, {12, 22, 207, 184}, 12898, 38024, 0xd2d0a5de, 0x5c2b394a},
		{{38, 27, 205, 30}, {209, 142, 163, 6}, 48228, 2217, 0x82989176, 0xafc7327f},
		{{153, 39, 163, 191}, {202, 188, 127, 2}, 44251, 1303, 0x5d1809c5, 0x10e828a2},
},
  verify6[] = {
	  {{0x3f, 0xfe, 0x25, 1, 2, 0, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 7},
		  {0x3f, 0xfe, 0x25, 1, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1}, 2794, 1766, 0x2cc18cd5,
		  0x40207d3d},
	  {{0x3f, 0xfe, 5, 1, 0, 8, 0, 0, 2, 0x60, 0x97, 0xff, 0xfe, 0x40, 0xef, 0xab},
		  {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 14230, 4739, 0x0f0c461c,
		  0xdde51bbf},
	  {{0x3f, 0xfe, 0x19, 0, 0x45, 0x45, 0, 3, 2, 0, 0xf8, 0xff, 0xfe, 0x21, 0x67, 0xcf},
		  {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0xf8, 0xff, 0xfe, 0x21, 0x67, 0xcf}, 44251,
		  38024, 0x4b61e985, 0x02d1feef},
};

static void tcp4(uint8_t *p, unsigned i)
{
	udp(p, 20);
	p[23] = 6;
	memcpy(p + 26, verify4[i].src, 4);
	memcpy(p + 30, verify4[i].dst, 4);
	plx_store_be16(p + 34, verify4[i].sport);
	plx_store_be16(p + 36, verify4[i].dport);
}

static void tcp6(uint8_t *p, unsigned i)
{
	udp(p, 60);
	plx_store_be16(p + 12, 0x86dd);
	memset(p + 14, 0, 40);
	p[14] = 0x60;
	plx_store_be16(p + 18, 20);
	p[20] = 6;
	memcpy(p + 22, verify6[i].src, 16);
	memcpy(p + 38, verify6[i].dst, 16);
	plx_store_be16(p + 54, verify6[i].sport);
	plx_store_be16(p + 56, verify6[i].dport);
}

/* Two RX queues, the second with a ring of its own; entry i of the table is queue i & 1. */
static void rss_up(struct lab *l, struct plx_dma *ring)
{
	up(l);
	wr(l, RCTL, 0);
	CHECK_EQ(plx_pci_dma_alloc(l->dev, N * 16, 128, ring), 0);
	for (uint32_t j = 0; j < N; j++)
		plx_store_le64((uint8_t *)ring->va + 16 * j, l->bufs[0].iova + j * ROOM);
	wr(l, RDBAL + Q1, (uint32_t)ring->iova);
	wr(l, RDBAL + Q1 + 4, (uint32_t)(ring->iova >> 32));
	wr(l, RDBAL + Q1 + 8, N * 16);
	for (uint32_t i = 0; i < 32; i++)
		wr(l, RETA + 4 * i, 0x80008000);
	for (uint32_t i = 0; i < 40; i += 4)
		wr(l, RSSRK + i, plx_load_le32(verify_key + i));
	wr(l, RXCSUM, 1u << 13);
	wr(l, MRQC, 0x1f0001);
	wr(l, RCTL, 1u << 26 | 1u << 15 | 2);
	wr(l, RDT + Q1, N - 1);
	CHECK_STR(fake_82574_violation(l->m, 0), "");
}

/* The next packet is on the ring of its hash's queue, with type and hash. */
static void expect_hash(struct lab *l, struct plx_dma *ring, uint32_t next[2], const uint8_t *frame,
	uint32_t len, uint32_t type, uint32_t hash)
{
	uint32_t q = hash & 1;
	uint8_t *base = q == 0 ? l->ring[0].va : ring->va, *d = base + 16 * next[q];

	CHECK(fake_82574_rx(l->m, frame, len, 0));
	CHECK_EQ(plx_load_le32(d + 8) & 3, 3);
	CHECK_EQ(plx_load_le32(d), type | q << 8);
	CHECK_EQ(plx_load_le32(d + 4), hash);
	next[q]++;
	/* a buffer for the next */
	plx_store_le64(d, l->bufs[0].iova);
	plx_store_le64(d + 8, 0);
	wr(l, RDT + Q1 * q, (next[q] + N - 1) % N);
	next[q] %= N;
}

TEST(fake_82574, steers_by_the_hashes_that_microsoft_published)
{
	uint32_t next[2] = {0, 0};
	uint8_t frame[200];
	struct plx_dma ring;
	struct lab l;

	rss_up(&l, &ring);
	for (unsigned i = 0; i < PLX_ARRAY_SIZE(verify4); i++) {
		tcp4(frame, i);
		expect_hash(&l, &ring, next, frame, 62, 1, verify4[i].tcp);
		plx_store_be16(frame + 20, 0x2000); /* a fragment has no ports */
		expect_hash(&l, &ring, next, frame, 62, 2, verify4[i].ip);
		plx_store_be16(frame + 20, 0);
		frame[23] = 17;
		expect_hash(&l, &ring, next, frame, 62, 2, verify4[i].ip);
	}
	wr(&l, MRQC, 0x170001); /* without IPv6Ex */
	for (unsigned i = 0; i < PLX_ARRAY_SIZE(verify6); i++) {
		tcp6(frame, i);
		expect_hash(&l, &ring, next, frame, 102, 3, verify6[i].tcp);
		frame[20] = 17;
		expect_hash(&l, &ring, next, frame, 102, 5, verify6[i].ip);
	}
	frame[13] = 0x99; /* neither */
	expect_hash(&l, &ring, next, frame, 102, 0, 0);
	wr(&l, MRQC, 1);
	tcp4(frame, 0);
	expect_hash(&l, &ring, next, frame, 62, 0, 0);
	CHECK_STR(fake_82574_violation(l.m, 0), "");
	plx_pci_dma_free(l.dev, &ring);
	lab_close(&l);
}

TEST(fake_82574, complains_of_multiple_queues_set_up_wrongly)
{
	struct plx_dma ring;
	struct lab l;

	rss_up(&l, &ring);
	wr(&l, MRQC, 0x1f0000);
	CHECK_HAS(fake_82574_violation(l.m, 0), "while the receiver is on");
	wr(&l, MRQC, 0x1f0001);
	fake_82574_forgive(l.m);
	wr(&l, RSSRK, 1);
	CHECK_HAS(fake_82574_violation(l.m, 0), "RSSRK written while RSS is on");
	fake_82574_forgive(l.m);
	wr(&l, MRQC, 0x3f0002);
	CHECK_HAS(fake_82574_violation(l.m, 0), "reserved bits");
	fake_82574_forgive(l.m);
	wr(&l, RETA, 1);
	CHECK_HAS(fake_82574_violation(l.m, 0), "reserved bits");
	wr(&l, MRQC, 0x1f0001);
	fake_82574_forgive(l.m);
	wr(&l, RXCSUM, 1u << 12);
	CHECK_HAS(fake_82574_violation(l.m, 0), "without RXCSUM.PCSD");
	CHECK_HAS(fake_82574_violation(l.m, 1), "with RXCSUM.IPPCSE");
	fake_82574_forgive(l.m);
	wr(&l, RCTL, 0);
	wr(&l, RFCTL, 0);
	wr(&l, RCTL, 1u << 26 | 1u << 15 | 2);
	CHECK_HAS(fake_82574_violation(l.m, 0), "legacy descriptors");
	fake_82574_forgive(l.m);
	wr(&l, TARC1, 3);
	wr(&l, 0x3918, 0);
	CHECK_HAS(fake_82574_violation(l.m, 0), "that TARC disables");
	CHECK_HAS(fake_82574_violation(l.m, 1), "TX tail 0 of a ring of 0");
	plx_pci_dma_free(l.dev, &ring);
	lab_close(&l);
}

/* Each rule that a driver may break, broken. */
TEST(fake_82574, complains_of_what_the_datasheet_forbids)
{
	struct lab l;

	up(&l);
	rd(&l, 0x0024);
	CHECK_HAS(fake_82574_violation(l.m, 0), "where no register is");
	wr(&l, RDBAL + 8, 120);
	CHECK_HAS(fake_82574_violation(l.m, 1), "while it is on");
	CHECK_HAS(fake_82574_violation(l.m, 2), "multiple of 128");
	wr(&l, RDBAL + 8, N * 16);
	fake_82574_forgive(l.m);
	wr(&l, TDT, N);
	CHECK_HAS(fake_82574_violation(l.m, 0), "TX tail 8 of a ring of 8");
	fake_82574_forgive(l.m);
	wr(&l, RDT, 1);
	CHECK_HAS(fake_82574_violation(l.m, 0), "passes head");
	fake_82574_forgive(l.m);
	tx_put(&l, 0, l.bufs[1].iova, DATA(0, 3, 1));
	tx_put(&l, 1, l.bufs[1].iova, DATA(100, 0x40 | 1, 0) | UINT64_C(1) << 32);
	tx_put(&l, 2, l.bufs[1].iova, DATA(100, 0, 0));
	wr(&l, TDT, 3);
	CHECK_HAS(fake_82574_violation(l.m, 0), "length 0");
	CHECK_HAS(fake_82574_violation(l.m, 1), "packet of 0 bytes");
	CHECK_HAS(fake_82574_violation(l.m, 2), "without a context");
	CHECK_HAS(fake_82574_violation(l.m, 3), "DD set");
	CHECK_HAS(fake_82574_violation(l.m, 4), "reserved bits");
	CHECK_HAS(fake_82574_violation(l.m, 5), "without IFCS");
	CHECK_HAS(fake_82574_violation(l.m, 6), "VLE without CTRL.VME");
	fake_82574_forgive(l.m);
	wr(&l, TCTL, 0);
	CHECK_HAS(fake_82574_violation(l.m, 0), "EOP missing");
	fake_82574_forgive(l.m);
	wr(&l, CTRL, 1u << 26);
	CHECK_HAS(fake_82574_violation(l.m, 0), "GIO Master Disable");
	CHECK_EQ(fake_82574_violations(l.m), 1);
	lab_close(&l);
}

TEST(fake_82574, bad_addresses_hang_a_ring_until_reset)
{
	uint8_t frame[100];
	struct lab l;

	up(&l);
	tx_put(&l, 0, 0xdead0000, DATA(100, 0xb, 0));
	tx_put(&l, 1, l.bufs[1].iova, DATA(100, 0xb, 0));
	wr(&l, TDT, 2);
	CHECK_EQ(l.n_sent, 0);
	CHECK_EQ(l.f->dma_faults, 1);
	plx_store_le64(l.ring[0].va, 0xdead0000);
	CHECK(fake_82574_rx(l.m, frame, udp(frame, 30), 0));
	CHECK(!fake_82574_rx(l.m, frame, udp(frame, 30), 0));
	CHECK_EQ(l.f->dma_faults, 2);
	CHECK_EQ(rd(&l, MPC), 1);
	lab_close(&l);
}

TEST(fake_82574, a_pair_talks_over_its_wire)
{
	struct fake_82574 *peer = fake_82574_new("peer", NULL);
	struct fake_82574_counts c;
	struct lab l;

	up(&l);
	fake_82574_wire(l.m, peer);
	udp(l.bufs[1].va, 100);
	tx_put(&l, 0, l.bufs[1].iova, DATA(142, 0xb, 0));
	wr(&l, TDT, 1);
	fake_82574_count(l.m, &c);
	CHECK_EQ(c.tx, 1);
	/* nobody has turned the peer's receiver on */
	fake_82574_count(peer, &c);
	CHECK_EQ(c.rx + c.missed, 0);
	fake_82574_cable(l.m, false);
	CHECK_EQ(rd(&l, STATUS) & 2, 0);
	tx_put(&l, 1, l.bufs[1].iova, DATA(142, 0xb, 0));
	wr(&l, TDT, 2);
	CHECK_EQ(rd(&l, TDH), 1);
	fake_82574_cable(l.m, true);
	fake_advance(l.f, 500 * MS);
	CHECK_EQ(rd(&l, TDH), 2);
	fake_82574_free(peer);
	CHECK_STR(fake_82574_violation(l.m, 0), "");
	lab_close(&l);
}
