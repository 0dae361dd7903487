/* SPDX-License-Identifier: BSD-3-Clause */
/* What the 82576 has and others do not: its model by itself, and the driver on it. */
#include <errno.h>

#include "e1000_rig.h"
#include "plx_toeplitz.h"

enum {
	CTRL = 0x0000,
	MDIC = 0x0020,
	RCTL = 0x0100,
	TCTL = 0x0400,
	RLPML = 0x5004,
	MRQC = 0x5818,
	SWSM = 0x5b50,
	SW_FW_SYNC = 0x5b5c,
	RETA = 0x5c00,
	RXRING = 0xc000,
	TXRING = 0xe000,
	LEN = 0x08,
	SRRCTL = 0x0c,
	TDH = 0x10,
	TAIL = 0x18,
	DCTL = 0x28,
	STEP = 0x40,
	N = 8,
};
#define ENABLE  (1u << 25)
#define SMBI    1u
#define SWESMBI 2u
#define PHY0    (1u << 1)
#define PHY0_FW (1u << 17)

/* ---- the model ---- */

struct lab {
	struct plx_ctx *ctx;
	struct fake_82574 *m;
	struct plx_pci_dev *dev;
	struct plx_win w;
	struct plx_dma ring, buf;
	unsigned n_sent;
};

static void lab_sent(void *arg, const uint8_t *frame, uint32_t len)
{
	((struct lab *)arg)->n_sent++;
}

static void wr(struct lab *l, uint32_t off, uint32_t v)
{
	plx_wr32(&l->w, off, v);
}

static void lab_open(struct lab *l)
{
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct fake_82574_opts model = rig_opts();
	struct plx_opts *o;

	memset(l, 0, sizeof(*l));
	opts.huge = PLX_HUGE_NONE;
	CHECK_EQ(plx_ctx_open(&opts, &l->ctx), 0);
	l->m = fake_82574_new("nic", &model);
	fake_82574_on_tx(l->m, lab_sent, l);
	CHECK_EQ(fake_attach(l->ctx, fake_82574_pci(l->m)), 0);
	CHECK_EQ(plx_opts_parse("fake:nic", &o), 0);
	CHECK_EQ(plx_pci_open(l->ctx, o, &l->dev), 0);
	plx_opts_free(o);
	CHECK_EQ(plx_pci_win(l->dev, 0, 0, 128 * 1024, &l->w), 0);
	CHECK_EQ(plx_pci_dma_alloc(l->dev, N * 16, 128, &l->ring), 0);
	CHECK_EQ(plx_pci_dma_alloc(l->dev, 2048, 128, &l->buf), 0);
	fake_advance(fake_82574_pci(l->m), 600000000);
	CHECK_STR(fake_82574_violation(l->m, 0), "");
}

static void lab_close(struct lab *l)
{
	plx_pci_dma_free(l->dev, &l->ring);
	plx_pci_dma_free(l->dev, &l->buf);
	plx_pci_win_close(&l->w);
	plx_pci_close(l->dev);
	plx_ctx_close(l->ctx);
	fake_82574_free(l->m);
}

/* It complained of that, and of nothing else. */
static void complains(struct lab *l, const char *of)
{
	CHECK_HAS(fake_82574_violation(l->m, 0), of);
	CHECK_STR(fake_82574_violation(l->m, 1), "");
	fake_82574_forgive(l->m);
}

static void ring_at(struct lab *l, uint32_t block)
{
	wr(l, block + DCTL, 0);
	fake_advance(fake_82574_pci(l->m), 20000);
	wr(l, block, (uint32_t)l->ring.iova);
	wr(l, block + 4, (uint32_t)(l->ring.iova >> 32));
	wr(l, block + LEN, N * 16);
	CHECK_STR(fake_82574_violation(l->m, 0), "");
}

TEST(fake_82576, complains_of_registers)
{
	static struct lab l;

	lab_open(&l);
	wr(&l, 0x2818, 0);
	complains(&l, "write of 0x02818, where no register is");
	wr(&l, MDIC, 2u << 26 | 1u << 21);
	complains(&l, "4.6: MDIC without");
	wr(&l, SW_FW_SYNC, PHY0);
	complains(&l, "4.6: SW_FW_SYNC written without SWSM.SWESMBI");
	wr(&l, RCTL, 1u << 24);
	complains(&l, "reserved bits of RCTL");
	wr(&l, RLPML, 0x2601);
	complains(&l, "8.10.14: RLPML");
	wr(&l, RETA, 0x10);
	complains(&l, "8.10.19: RETA: reserved bits");
	wr(&l, MRQC, 1);
	complains(&l, "8.10.18: MRQC");
	wr(&l, RXRING + SRRCTL, 2);
	CHECK_HAS(fake_82574_violation(l.m, 0), "8.10.2: SRRCTL.DESCTYPE 0");
	fake_82574_forgive(l.m);
	lab_close(&l);
}

TEST(fake_82576, queues_come_on_one_by_one)
{
	static struct lab l;

	lab_open(&l);
	/* queue 0 is on after a reset */
	CHECK(plx_rd32(&l.w, RXRING + DCTL) & ENABLE);
	wr(&l, RXRING + LEN, 128);
	complains(&l, "RX ring register 0x0c008 written while it is on");
	ring_at(&l, RXRING + STEP);
	wr(&l, RXRING + STEP + DCTL, ENABLE | 1u << 16);
	CHECK(!(plx_rd32(&l.w, RXRING + STEP + DCTL) & ENABLE));
	wr(&l, RXRING + STEP + DCTL, ENABLE | 1u << 16);
	complains(&l, "before it obeyed");
	fake_advance(fake_82574_pci(l.m), 20000);
	CHECK(plx_rd32(&l.w, RXRING + STEP + DCTL) & ENABLE);
	wr(&l, RXRING + STEP + SRRCTL, 2 | 1u << 25);
	complains(&l, "SRRCTL of a queue that is on");
	wr(&l, RXRING + 2 * STEP + DCTL, ENABLE | 1u << 16);
	complains(&l, "RX ring of 0 bytes");
	fake_advance(fake_82574_pci(l.m), 20000);
	lab_close(&l);
}

/* One descriptor on queue 0. */
static void send_desc(struct lab *l, uint32_t slot, uint64_t q0, uint64_t q1)
{
	plx_store_le64((uint8_t *)l->ring.va + 16 * slot, q0);
	plx_store_le64((uint8_t *)l->ring.va + 16 * slot + 8, q1);
	wr(l, TXRING + TAIL, slot + 1);
}

TEST(fake_82576, complains_of_tx_descriptors)
{
	const uint64_t data = UINT64_C(0x2b300000); /* EOP, IFCS, RS, DEXT, type 3 */
	static struct lab l;

	lab_open(&l);
	CHECK_EQ(plx_pci_set_master(l.dev, true), 0);
	wr(&l, CTRL, 1u << 6 | 1);
	fake_advance(fake_82574_pci(l.m), 600000000);
	ring_at(&l, TXRING);
	wr(&l, TXRING + DCTL, ENABLE);
	fake_advance(fake_82574_pci(l.m), 20000);
	wr(&l, TCTL, 1u << 1 | 1u << 3 | 0xfu << 4);
	CHECK_STR(fake_82574_violation(l.m, 0), "");
	send_desc(&l, 0, l.buf.iova, data | 100 | UINT64_C(100) << 46);
	CHECK_EQ(l.n_sent, 1);
	CHECK(((uint8_t *)l.ring.va)[12] & 1);
	CHECK_STR(fake_82574_violation(l.m, 0), "");
	send_desc(&l, 1, l.buf.iova, data | 100 | UINT64_C(99) << 46);
	complains(&l, "7.2.2.3: PAYLEN 99 of a packet of 100 bytes");
	send_desc(&l, 2, l.buf.iova, data | 100 | UINT64_C(100) << 46 | UINT64_C(1) << 40);
	CHECK_HAS(fake_82574_violation(l.m, 0), "7.2.2.3: an offload without a context");
	fake_82574_forgive(l.m);
	send_desc(&l, 3, l.buf.iova, (data & ~(UINT64_C(1) << 29)) | 100);
	complains(&l, "7.2.2.1: legacy TX descriptors");
	send_desc(&l, 4, 0, UINT64_C(2) << 20 | UINT64_C(1) << 29 | UINT64_C(2) << 36);
	complains(&l, "7.2.2.2: context 2 of 2");
	send_desc(&l, 5, l.buf.iova, data | 100 | UINT64_C(100) << 46 | UINT64_C(1) << 33);
	complains(&l, "7.2.2.3: reserved bits");
	lab_close(&l);
}

/* ---- the driver: queues ---- */

static void begin(struct rig *r, uint16_t queues)
{
	rig_begin(r, 0);
	r->conf.n_rxq = r->conf.n_txq = queues;
}

static void end(struct rig *r)
{
	CHECK_STR(fake_82574_violation(r->m, 0), "");
	rig_end(r);
}

/* A packet with ports: UDP or TCP over IPv4 or IPv6; what is hashed of it. */
static uint32_t with_ports(uint8_t *p, bool v6, bool udp, uint32_t n, uint8_t *input)
{
	const uint32_t l4 = v6 ? 54 : 34;

	rig_tcp(p, n, 100);
	if (v6) {
		plx_store_be16(p + 12, 0x86dd);
		memset(p + 14, 0, 86);
		p[14] = 0x60;
		plx_store_be16(p + 18, 46);
		p[20] = udp ? 17 : 6;
		p[22] = 0xfd;
		p[37] = 1;
		p[38] = 0xfd;
		plx_store_be32(p + 50, n * 77);
		plx_store_be16(p + l4, (uint16_t)n);
		plx_store_be16(p + l4 + 2, 80);
	} else if (udp) {
		p[23] = 17;
	}
	memcpy(input, p + (v6 ? 22 : 26), v6 ? 32 : 8);
	memcpy(input + (v6 ? 32 : 8), p + l4, 4);
	return v6 ? 36 : 12;
}

/* Eight queues: each packet comes where its hash sends it, with the hash and its type. */
TEST(driver_82576, eight_queues_and_ports_of_udp)
{
	static const uint32_t types[2][2] = {{PLX_PTYPE_L3_IPV4_EXT | PLX_PTYPE_L4_TCP,
						     PLX_PTYPE_L3_IPV4_EXT | PLX_PTYPE_L4_UDP},
		{PLX_PTYPE_L3_IPV6_EXT | PLX_PTYPE_L4_TCP,
			PLX_PTYPE_L3_IPV6_EXT | PLX_PTYPE_L4_UDP}};
	struct plx_toeplitz t;
	unsigned got[8] = {0};
	static struct rig r;

	begin(&r, 8);
	r.n_mbufs = 4096;
	r.conf.rx_offloads = PLX_RX_OFFLOAD_RSS_HASH;
	rig_up(&r);
	CHECK_EQ(plx_toeplitz_init(&t, plx_toeplitz_key_default, 40), 0);
	for (unsigned i = 0; i < 400; i++) {
		uint8_t p[100], input[36];
		bool v6 = (i & 1) != 0, udp = (i & 2) != 0;
		const uint32_t len = with_ports(p, v6, udp, i * 31 + 1, input);
		const uint32_t hash = plx_toeplitz_hash(&t, input, len);
		struct plx_mbuf *m;

		CHECK(fake_82574_rx(r.m, p, 100, 0));
		CHECK_EQ(plx_rx_burst(r.rxqs[hash % 128 % 8], &m, 1), 1);
		CHECK(m->flags & PLX_RX_RSS_HASH);
		CHECK_EQ(m->rss_hash, hash);
		CHECK_EQ(m->ptype & (PLX_PTYPE_L3_MASK | PLX_PTYPE_L4_MASK), types[v6][udp]);
		got[hash % 8]++;
		plx_mbuf_free(m);
	}
	for (unsigned i = 0; i < 8; i++)
		CHECK(got[i] != 0);
	end(&r);
}

static void all_to(struct rig *r, uint16_t q)
{
	uint16_t table[128];

	for (unsigned i = 0; i < 128; i++)
		table[i] = q;
	CHECK_EQ(plx_port_set_rss(r->port,
			 &(struct plx_rss){
				 .fields = PLX_RSS_IPV4_TCP, .table = table, .table_len = 128}),
		0);
}

/* A queue that nobody polls loses its own packets, and holds up none of the other's. */
TEST(driver_82576, a_full_queue_holds_up_no_other)
{
	struct plx_port_stats s;
	static struct rig r;
	uint8_t p[100];

	begin(&r, 2);
	rig_up(&r);
	rig_tcp(p, 1, 100);
	all_to(&r, 1);
	for (int i = 0; i < 100; i++)
		fake_82574_rx(r.m, p, 100, 0);
	all_to(&r, 0);
	for (int i = 0; i < 50; i++) {
		struct plx_mbuf *m;

		CHECK(fake_82574_rx(r.m, p, 100, 0));
		CHECK_EQ(plx_rx_burst(r.rxqs[0], &m, 1), 1);
		plx_mbuf_free(m);
	}
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_missed, 100 - 63);
	/* kept over a reset, and once */
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_missed, 100 - 63);
	CHECK_EQ(plx_port_stats_reset(r.port), 0);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_missed, 0);
	end(&r);
}

/* One alone keeps them in the FIFO. */
TEST(driver_82576, a_queue_alone_keeps_what_waits)
{
	struct plx_port_stats s;
	static struct rig r;
	uint8_t p[100];
	unsigned n = 0;

	begin(&r, 1);
	rig_up(&r);
	rig_tcp(p, 1, 100);
	for (int i = 0; i < 100; i++)
		CHECK(fake_82574_rx(r.m, p, 100, 0));
	for (int i = 0; i < 200; i++) {
		struct plx_mbuf *m;

		if (plx_rx_burst(r.rxq, &m, 1) == 1) {
			plx_mbuf_free(m);
			n++;
		}
	}
	CHECK_EQ(n, 100);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_missed, 0);
	end(&r);
}

/* ---- lengths ---- */

static bool arrives(struct rig *r, uint32_t len)
{
	static uint8_t p[FAKE_82574_FRAME], got[FAKE_82574_FRAME];
	struct plx_mbuf *m;

	rig_frame(p, len, len);
	m = rig_receive(r, p, len);
	if (m == NULL)
		return false;
	CHECK_EQ(m->pkt_len, len);
	CHECK_EQ(plx_mbuf_read(m, 0, got, len), 0);
	CHECK_EQ(memcmp(p, got, len), 0);
	plx_mbuf_free(m);
	return true;
}

/* Frames as long as they may be, in rooms of any size; what is longer the device drops (RLPML). */
TEST(driver_82576, longest_frames)
{
	static const uint32_t rooms[] = {256, 300, 512, 1000, 1024, 2048, 3100, 9724, 12000};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(rooms); i++) {
		static struct rig r;

		begin(&r, 1);
		r.room = PLX_MBUF_HEADROOM + rooms[i];
		r.conf.rx_offloads = PLX_RX_OFFLOAD_SCATTER;
		r.conf.mtu = 9724 - 18;
		rig_up(&r);
		CHECK_EQ(r.info.max_mtu, 9724 - 18);
		CHECK(arrives(&r, 9724));
		CHECK(arrives(&r, 60));
		CHECK(!arrives(&r, 9725));
		CHECK_EQ(plx_port_set_mtu(r.port, 3000), 0);
		CHECK(arrives(&r, 3018));
		CHECK(!arrives(&r, 3019));
		CHECK_EQ(plx_port_set_mtu(r.port, 1500), 0);
		CHECK(arrives(&r, 1518));
		CHECK(!arrives(&r, 1519));
		end(&r);
	}
}

/* ---- contexts ---- */

struct wire {
	uint8_t p[200];
	uint32_t len;
	unsigned n;
};

static void on_wire(void *arg, const uint8_t *p, uint32_t len)
{
	struct wire *w = arg;

	memcpy(w->p, p, PLX_MIN(len, (uint32_t)sizeof(w->p)));
	w->len = len;
	w->n++;
}

/* Sends one, with a tag or without; @return the descriptors that it took. */
static uint32_t send_tagged(struct rig *r, struct wire *w, bool tag, uint16_t vlan, bool sum)
{
	uint32_t tdh = fake_82574_peek(r->m, TXRING + TDH), n = w->n;
	struct plx_mbuf *m;
	uint8_t p[100];

	rig_tcp(p, 5, 100);
	m = rig_mbuf(r, p, 100);
	if (tag)
		m->flags |= PLX_TX_VLAN;
	m->vlan = vlan;
	if (sum) {
		m->flags |= PLX_TX_IPV4 | PLX_TX_IP_CKSUM | PLX_TX_TCP_CKSUM;
		m->tx = (struct plx_tx_offload){.l2_len = 14, .l3_len = 20};
	}
	CHECK_EQ(plx_tx_prepare(r->txq, &m, 1), 1);
	CHECK_EQ(plx_tx_burst(r->txq, &m, 1), 1);
	CHECK_EQ(w->n, n + 1);
	CHECK_EQ(w->len, tag ? 104 : 100);
	if (tag) {
		CHECK_EQ(plx_load_be16(w->p + 12), 0x8100);
		CHECK_EQ(plx_load_be16(w->p + 14), vlan);
	}
	CHECK_EQ(plx_load_be16(w->p + (tag ? 16 : 12)), 0x0800);
	CHECK_EQ(plx_load_be16(w->p + (tag ? 28 : 24)) != 0, sum);
	CHECK_EQ(plx_tx_reclaim(r->txq), 1);
	return (fake_82574_peek(r->m, TXRING + TDH) + r->n_desc - tdh) % r->n_desc;
}

/* A context is written when what a packet needs is not in the one before, the tag among it. */
TEST(driver_82576, contexts_are_written_when_they_change)
{
	static struct rig r;
	struct wire w = {.n = 0};

	begin(&r, 1);
	r.conf.tx_offloads =
		PLX_TX_OFFLOAD_VLAN | PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_TCP_CKSUM;
	rig_up(&r);
	fake_82574_on_tx(r.m, on_wire, &w);
	for (unsigned i = 0; i < 40; i++) {
		CHECK_EQ(send_tagged(&r, &w, false, 7, false), 1);
		CHECK_EQ(send_tagged(&r, &w, true, 0x2005, false), 2);
		CHECK_EQ(send_tagged(&r, &w, true, 0x2005, false), 1);
		CHECK_EQ(send_tagged(&r, &w, false, 1, false), 1);
		CHECK_EQ(send_tagged(&r, &w, true, 0, false), 2);
		CHECK_EQ(send_tagged(&r, &w, true, 0x2005, true), 2);
		CHECK_EQ(send_tagged(&r, &w, true, 0x2005, true), 1);
		CHECK_EQ(send_tagged(&r, &w, false, 9, true), 2);
		CHECK_EQ(send_tagged(&r, &w, false, 3, true), 1);
	}
	/* the device forgot it */
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK_EQ(rig_link(&r), 0);
	CHECK_EQ(send_tagged(&r, &w, false, 3, true), 2);
	end(&r);
}

/* ---- semaphores ---- */

/* What a program that was killed holds is taken over, by an open and by a start. */
TEST(driver_82576, semaphores_of_a_killed_program)
{
	static const uint32_t swsm[] = {0, SMBI, SMBI | SWESMBI};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(swsm); i++) {
		static struct rig r;

		begin(&r, 1);
		fake_82574_poke(r.m, SWSM, swsm[i]);
		fake_82574_poke(r.m, SW_FW_SYNC, PHY0);
		rig_up(&r);
		rig_traffic(&r, 4);
		CHECK_EQ(fake_82574_peek(r.m, SW_FW_SYNC) & PHY0, 0);
		CHECK_EQ(fake_82574_peek(r.m, SWSM) & SWESMBI, 0);
		end(&r);
	}
}

/* A firmware that never gives the PHY: the driver says so, and goes on without. */
TEST(driver_82576, a_firmware_that_keeps_the_phy)
{
	static struct rig r;

	begin(&r, 1);
	fake_82574_poke(r.m, SW_FW_SYNC, PHY0_FW);
	rig_up(&r);
	rig_traffic(&r, 4);
	CHECK_EQ(fake_82574_peek(r.m, SW_FW_SYNC), PHY0_FW);
	/* which is against the rules, and of that alone the model complains */
	CHECK_HAS(fake_82574_violation(r.m, 0), "4.6: MDIC without");
	CHECK_STR(fake_82574_violation(r.m, 1), "");
	rig_end(&r);
}
