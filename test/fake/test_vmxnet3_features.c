/* SPDX-License-Identifier: BSD-3-Clause */
/* What the vmxnet3 driver can do, on a model that is strict about how it is asked. */
#include <errno.h>

#include "plx_cksum.h"
#include "vmxnet3_rig.h"

static uint8_t frame[FAKE_VMXNET3_PACKET];
static const struct plx_mac group = {{1, 0, 0x5e, 0, 0, 9}};

/* For each set of instructions. */
static enum plx_isa const isas[] = {PLX_ISA_SCALAR, PLX_ISA_AUTO};

static void up_with(struct rig *r, uint32_t rx, uint32_t tx, uint32_t mtu, uint32_t room)
{
	rig_begin(r, 0);
	r->conf.rx_offloads = rx;
	r->conf.tx_offloads = tx;
	r->conf.mtu = mtu;
	r->room = room;
	rig_up(r);
}

/* ---- revisions ---- */

TEST(vmxnet3_features, revisions_are_agreed_on)
{
	static const struct {
		uint32_t offered, taken;
	} table[] = {{1, 1}, {2, 2}, {3, 2}, {0x7f, 2}, {5, 1}};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(table); i++) {
		struct fake_vmxnet3_opts o = FAKE_VMXNET3_OPTS_INIT;
		static struct rig r;

		o.revs = table[i].offered;
		rig_model = &o;
		rig_begin(&r, 0);
		rig_up(&r);
		CHECK_EQ(fake_vmxnet3_rev(r.m), table[i].taken);
		rig_traffic(&r, 4);
		CHECK_EQ(plx_port_reset(r.port), 0);
		CHECK_EQ(fake_vmxnet3_rev(r.m), table[i].taken);
		rig_traffic(&r, 4);
		rig_end_clean(&r);
		rig_model = NULL;
	}
}

/* ---- rings ---- */

/* Sends bursts of n and receives them, until all rings have gone round several times. */
static void laps(struct rig *r, uint16_t n, unsigned total)
{
	struct plx_mbuf *pkts[64];

	for (unsigned done = 0; done < total; done += n) {
		uint16_t got = 0;

		for (uint16_t i = 0; i < n; i++) {
			const uint32_t len = 60 + (done + i) * 31 % 1400;

			rig_frame(frame, done + i, len);
			pkts[i] = rig_mbuf(r, frame, len);
			CHECK(fake_vmxnet3_rx(r->m, frame, len));
		}
		CHECK_EQ(plx_tx_burst(r->txq, pkts, n), n);
		while (got < n) {
			const uint16_t more = plx_rx_burst(r->rxq, pkts + got, (uint16_t)(n - got));

			CHECK(more != 0);
			got = (uint16_t)(got + more);
		}
		for (uint16_t i = 0; i < n; i++) {
			const uint32_t len = 60 + (done + i) * 31 % 1400;

			rig_frame(frame, done + i, len);
			CHECK_EQ(pkts[i]->flags, 0);
			CHECK_EQ(pkts[i]->ptype, 0);
			CHECK_EQ(pkts[i]->vlan, 0);
			CHECK_EQ(pkts[i]->hash_mark, 0);
			rig_check(r, pkts[i], frame, len);
		}
	}
}

TEST(vmxnet3_features, rings_go_round)
{
	static const uint16_t bursts[] = {1, 2, 3, 4, 5, 7, 8, 13, 31, 32, 33, 50};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(isas); i++) {
		static struct rig r;
		struct plx_port_stats s;

		rig_isa = isas[i];
		rig_begin(&r, 0);
		rig_up(&r);
		for (size_t b = 0; b < PLX_ARRAY_SIZE(bursts); b++)
			laps(&r, bursts[b], 64 * 5);
		plx_tx_reclaim(r.txq);
		CHECK_EQ(plx_port_stats(r.port, &s), 0);
		CHECK_EQ(s.rx_packets, r.freed);
		CHECK_EQ(s.tx_packets, r.n_sent);
		CHECK_EQ(s.tx_done, r.n_sent);
		CHECK_EQ(s.rx_missed + s.rx_errors + s.tx_errors + s.rx_nombuf, 0);
		rig_end_clean(&r);
	}
}

/* The device asks to be told, and takes no buffer of which it was not. */
TEST(vmxnet3_features, a_device_that_wants_doorbells_for_rx)
{
	struct fake_vmxnet3_opts o = FAKE_VMXNET3_OPTS_INIT;
	static struct rig r;

	o.wants_prod = true;
	rig_model = &o;
	up_with(&r, PLX_RX_OFFLOAD_SCATTER, 0, 1500, PLX_MBUF_HEADROOM + 512);
	rig_traffic(&r, 300);
	CHECK(fake_writes(r.f, 0, 0x800) > 100);
	CHECK(fake_writes(r.f, 0, 0xa00) > 100);
	rig_end_clean(&r);
	rig_model = NULL;
}

/* A completion without data gives a buffer back. */
TEST(vmxnet3_features, buffers_that_are_passed_over_are_used_again)
{
	static struct rig r;

	rig_begin(&r, 0);
	rig_up(&r);
	for (unsigned i = 0; i < 100; i++) {
		fake_vmxnet3_pass_over(r.m, 1 + i % 7);
		rig_frame(frame, i, 100);
		rig_check(&r, rig_receive(&r, frame, 100), frame, 100);
	}
	rig_traffic(&r, 100);
	rig_end_clean(&r);
}

TEST(vmxnet3_features, bursts_read_no_register_and_ring_once)
{
	static struct rig r;
	struct plx_mbuf *pkts[32];
	uint64_t reads, writes;

	rig_begin(&r, 0);
	rig_up(&r);
	rig_traffic(&r, 10);
	reads = fake_count(r.f, FAKE_REG_READ);
	writes = fake_count(r.f, FAKE_REG_WRITE);
	for (uint16_t i = 0; i < 32; i++) {
		rig_frame(frame, i, 64);
		pkts[i] = rig_mbuf(&r, frame, 64);
		CHECK(fake_vmxnet3_rx(r.m, frame, 64));
	}
	CHECK_EQ(plx_tx_burst(r.txq, pkts, 32), 32);
	CHECK_EQ(fake_count(r.f, FAKE_REG_WRITE), writes + 1);
	plx_tx_reclaim(r.txq);
	CHECK_EQ(plx_rx_burst(r.rxq, pkts, 32), 32);
	plx_mbuf_free_bulk(pkts, 32);
	CHECK_EQ(fake_count(r.f, FAKE_REG_WRITE), writes + 1);
	CHECK_EQ(fake_count(r.f, FAKE_REG_READ), reads);
	rig_end_clean(&r);
}

/* ---- checksums ---- */

static void check_rx(struct rig *r, bool udp, uint32_t spoil, uint32_t flags)
{
	const uint32_t l4 = udp ? PLX_PTYPE_L4_UDP : PLX_PTYPE_L4_TCP;
	struct plx_mbuf *m;

	rig_ipv4(frame, udp, 7, 200);
	if (spoil != 0)
		frame[spoil] ^= 0x55;
	m = rig_receive(r, frame, 200);
	CHECK(m != NULL);
	CHECK_EQ(m->flags, flags);
	CHECK_EQ(m->ptype, PLX_PTYPE_L2_ETHER | PLX_PTYPE_L3_IPV4_EXT | l4);
	rig_check(r, m, frame, 200);
}

TEST(vmxnet3_features, rx_checksums_are_checked)
{
	const uint32_t good = PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_GOOD;

	for (unsigned scatter = 0; scatter < 2; scatter++) {
		static struct rig r;
		struct plx_mbuf *m;

		up_with(&r, PLX_RX_OFFLOAD_CKSUM | (scatter ? PLX_RX_OFFLOAD_SCATTER : 0u), 0, 1500,
			scatter ? PLX_MBUF_HEADROOM + 128 : PLX_MBUF_ROOM);
		check_rx(&r, false, 0, good);
		check_rx(&r, true, 0, good);
		check_rx(&r, false, 100, PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_BAD);
		check_rx(&r, true, 100, PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_BAD);
		check_rx(&r, false, 22, PLX_RX_IP_CKSUM_BAD | PLX_RX_L4_CKSUM_GOOD);
		/* nothing to check, nothing said */
		rig_frame(frame, 1, 100);
		m = rig_receive(&r, frame, 100);
		CHECK(m != NULL);
		CHECK_EQ(m->flags, 0);
		CHECK_EQ(m->ptype, PLX_PTYPE_L2_ETHER);
		rig_check(&r, m, frame, 100);
		rig_end_clean(&r);
	}
}

/* A packet with what the flags want left out, prepared; the model sends what rig_ipv4() makes. */
static void send_unfinished(struct rig *r, bool udp, uint32_t len, uint32_t more)
{
	static uint8_t unfinished[2048];
	const uint32_t at = 34 + (udp ? 6 : 16);
	struct plx_mbuf *m;
	uint32_t tag = more & PLX_TX_VLAN ? 4 : 0;

	rig_ipv4(frame, udp, 9, len);
	memcpy(unfinished, frame, len);
	memset(unfinished + at, 0xaa, 2);
	m = rig_mbuf(r, unfinished, len);
	m->flags |= PLX_TX_IPV4 | (udp ? PLX_TX_UDP_CKSUM : PLX_TX_TCP_CKSUM) | more;
	m->vlan = 0x6007;
	m->tx.l2_len = 14;
	m->tx.l3_len = 20;
	CHECK_STR(plx_tx_prepare(r->txq, &m, 1) == 1 ? "" : plx_errmsg(), "");
	CHECK_EQ(plx_tx_burst(r->txq, &m, 1), 1);
	CHECK_EQ(r->sent_len, len + tag);
	CHECK_EQ(memcmp(r->sent, frame, 12), 0);
	if (tag != 0)
		CHECK_EQ(plx_load_be32(r->sent + 12), 0x81006007u);
	CHECK_EQ(memcmp(r->sent + 12 + tag, frame + 12, len - 12), 0);
}

TEST(vmxnet3_features, tx_checksums_and_tags_are_inserted)
{
	const uint32_t tx = PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM |
			    PLX_TX_OFFLOAD_VLAN | PLX_TX_OFFLOAD_MULTI_SEG;

	/* whole, and cut into segments behind the headers */
	for (unsigned cut = 0; cut < 2; cut++) {
		static struct rig r;
		struct plx_mbuf *m;

		up_with(&r, cut ? PLX_RX_OFFLOAD_SCATTER : 0, tx, 1500,
			cut ? PLX_MBUF_HEADROOM + 130 : PLX_MBUF_ROOM);
		for (unsigned i = 0; i < 100; i++) {
			send_unfinished(&r, false, 100 + i * 13, 0);
			send_unfinished(&r, true, 101 + i * 13, 0);
			send_unfinished(&r, i % 2 == 0, 102 + i * 13, PLX_TX_VLAN);
		}
		/* nobody asked for anything */
		rig_frame(frame, 3, 300);
		m = rig_mbuf(&r, frame, 300);
		CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 1);
		CHECK_EQ(r.sent_len, 300);
		CHECK_EQ(memcmp(r.sent, frame, 300), 0);
		rig_end_clean(&r);
	}
}

/* Metadata that is not the packet's: prepare says so, a burst takes and drops it. */
TEST(vmxnet3_features, wrong_metadata_is_refused)
{
	static struct rig r;
	struct plx_port_stats s;
	uint64_t refused = 0;

	up_with(&r, 0, PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_TSO, 1500, PLX_MBUF_ROOM);
	for (unsigned i = 0; i < 8; i++) {
		struct plx_mbuf *m;

		rig_ipv4(frame, false, 9, 200);
		m = rig_mbuf(&r, frame, 200);
		m->flags |= PLX_TX_IPV4 | PLX_TX_TCP_CKSUM | (i >= 4 ? PLX_TX_TSO : 0u);
		m->tx.l2_len = i == 0 ? 13 : 14;
		m->tx.l3_len = i == 1 ? 180 : i == 2 ? 24 : 20;
		m->tx.l4_len = i == 4 ? 150 : 20;
		m->tx.tso_segsz = i == 5 ? 0 : i == 6 ? 0x4000 : 100;
		if (i == 3)
			plx_mbuf_data(m)[23] = 17;
		if (i == 7)
			plx_mbuf_data(m)[20] = 0x20; /* a fragment */
		CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 0);
		CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 1);
		CHECK_EQ(plx_port_stats(r.port, &s), 0);
		refused += s.tx_errors != refused;
	}
	CHECK(refused >= 5);
	fake_vmxnet3_forgive(r.m); /* others only the device could know */
	rig_end_clean(&r);
}

/* ---- TSO, LRO ---- */

struct pieces {
	uint32_t n, bytes, mss, head;
	uint8_t data[FAKE_VMXNET3_PACKET];
	bool ok;
};

/* Each piece is a packet by itself: its sums are right, its place is where the one before ended. */
static void on_piece(void *arg, const uint8_t *p, uint32_t len)
{
	struct pieces *t = arg;
	const struct plx_ipv4_hdr *ip = (const void *)(p + 14);
	const uint32_t l4_len = len - 34;

	t->ok &= len <= t->head + t->mss && len > t->head && plx_load_be16(p + 16) == len - 14;
	t->ok &= plx_load_be32(p + 38) == t->bytes;
	/* a sum over all, the sum itself included, has only ones */
	t->ok &= plx_cksum(ip, 20).v == 0;
	t->ok &= plx_cksum_fold(
			 plx_cksum_add(plx_ipv4_phdr_sum(ip, 6, (uint16_t)l4_len), p + 34, l4_len))
			 .v == 0xffff;
	memcpy(t->data + t->bytes, p + t->head, len - t->head);
	t->bytes += len - t->head;
	t->n++;
}

static void cut_one(struct rig *r, uint32_t len, uint32_t mss)
{
	static struct pieces t;
	struct plx_mbuf *m;

	t = (struct pieces){.mss = mss, .head = 54, .ok = true};
	fake_vmxnet3_on_tx(r->m, on_piece, &t);
	rig_ipv4(frame, false, 9, len);
	plx_store_be32(frame + 38, 0);
	m = rig_mbuf(r, frame, len);
	m->flags |= PLX_TX_IPV4 | PLX_TX_TCP_CKSUM | PLX_TX_TSO;
	m->tx.l2_len = 14;
	m->tx.l3_len = 20;
	m->tx.l4_len = 20;
	m->tx.tso_segsz = mss & 0xffff;
	CHECK_STR(plx_tx_prepare(r->txq, &m, 1) == 1 ? "" : plx_errmsg(), "");
	CHECK_EQ(plx_tx_burst(r->txq, &m, 1), 1);
	CHECK(t.ok);
	CHECK_EQ(t.n, (len - 54 + mss - 1) / mss);
	CHECK_EQ(t.bytes, len - 54);
	CHECK_EQ(memcmp(t.data, frame + 54, t.bytes), 0);
}

TEST(vmxnet3_features, tso_cuts_what_is_longer)
{
	static struct rig r;

	/* in segments of a room, or in one that takes several slots */
	for (unsigned whole = 0; whole < 2; whole++) {
		up_with(&r, 0,
			PLX_TX_OFFLOAD_TSO | PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_MULTI_SEG,
			1500, whole ? PLX_MBUF_HEADROOM + 60000 : PLX_MBUF_HEADROOM + 4096);
		cut_one(&r, 1000, 100);
		cut_one(&r, 4000, 1460);
		cut_one(&r, 54 + 1460 * 20, 1460);
		cut_one(&r, 60000, 1460);
		cut_one(&r, 16384, 9000);
		cut_one(&r, 16385, 1);
		cut_one(&r, 200, 1460); /* nothing to cut */
		rig_end_clean(&r);
	}
}

TEST(vmxnet3_features, lro_packets_say_so)
{
	for (uint32_t rev = 1; rev <= 2; rev++) {
		struct fake_vmxnet3_opts o = FAKE_VMXNET3_OPTS_INIT;
		static struct rig r;
		struct plx_mbuf *m;

		o.revs = rev;
		rig_model = &o;
		up_with(&r, PLX_RX_OFFLOAD_LRO | PLX_RX_OFFLOAD_SCATTER | PLX_RX_OFFLOAD_RSS_HASH,
			0, 1500, PLX_MBUF_ROOM);
		for (uint32_t segs = 2; segs < 20; segs++) {
			const uint32_t len = 54 + segs * 1460;

			rig_ipv4(frame, false, segs, len);
			CHECK(fake_vmxnet3_rx_lro(r.m, frame, len, 1460, segs));
			m = rig_take(&r);
			CHECK(m != NULL);
			CHECK(m->flags & PLX_RX_LRO);
			/* where others have the hash it has a number */
			CHECK_EQ((m->flags & PLX_RX_RSS_HASH) != 0, rev == 1);
			CHECK_EQ(m->rss_hash != 0, rev == 1);
			CHECK(m->flags & PLX_RX_L4_CKSUM_GOOD);
			CHECK_EQ(m->nsegs, (len + 2047) / 2048);
			rig_check(&r, m, frame, len);
			rig_ipv4(frame, false, segs, 300);
			m = rig_receive(&r, frame, 300);
			CHECK(m != NULL);
			CHECK_EQ(m->flags & PLX_RX_LRO, 0);
			rig_check(&r, m, frame, 300);
		}
		rig_end_clean(&r);
		rig_model = NULL;
	}
}

TEST(vmxnet3_features, lro_wants_scatter)
{
	static struct rig r;

	rig_begin(&r, 0);
	CHECK_EQ(rig_open(&r), 0);
	r.conf.rx_offloads = PLX_RX_OFFLOAD_LRO;
	CHECK_EQ(plx_port_configure(r.port, &r.conf), -EINVAL);
	CHECK_HAS(plx_errmsg(), "scatter");
	rig_end_clean(&r);
}

/* ---- lengths ---- */

TEST(vmxnet3_features, jumbo_frames)
{
	static struct rig r;

	up_with(&r, PLX_RX_OFFLOAD_SCATTER, PLX_TX_OFFLOAD_MULTI_SEG, 9000, PLX_MBUF_ROOM);
	for (uint32_t len = 9018; len > 1000; len -= 131) {
		struct plx_mbuf *m;

		rig_frame(frame, len, len);
		m = rig_mbuf(&r, frame, len);
		CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 1);
		CHECK_EQ(r.sent_len, len);
		CHECK_EQ(memcmp(r.sent, frame, len), 0);
		rig_check(&r, rig_receive(&r, frame, len), frame, len);
	}
	rig_end_clean(&r);
}

TEST(vmxnet3_features, the_mtu_changes_under_way)
{
	static struct rig r;
	struct plx_port_stats s;

	up_with(&r, 0, 0, 1500, PLX_MBUF_HEADROOM + 4096);
	rig_frame(frame, 1, 3000);
	CHECK(rig_receive(&r, frame, 3000) == NULL);
	CHECK_EQ(plx_port_set_mtu(r.port, 3000), 0);
	rig_check(&r, rig_receive(&r, frame, 3000), frame, 3000);
	CHECK(fake_vmxnet3_mtu(r.m) >= 3000);
	CHECK_EQ(plx_port_set_mtu(r.port, 4090), -EINVAL);
	CHECK_HAS(plx_errmsg(), "SCATTER");
	CHECK_EQ(plx_port_set_mtu(r.port, 1000), 0);
	CHECK(rig_receive(&r, frame, 3000) == NULL);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_errors, 2);
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK(rig_receive(&r, frame, 1019) == NULL);
	rig_frame(frame, 2, 1018);
	rig_check(&r, rig_receive(&r, frame, 1018), frame, 1018);
	rig_end_clean(&r);
}

/* Neither what does not fit a room nor what has an error comes, and what follows does. */
TEST(vmxnet3_features, bad_frames_do_not_come)
{
	for (unsigned scatter = 0; scatter < 2; scatter++) {
		static struct rig r;
		struct plx_port_stats s;

		up_with(&r, scatter ? PLX_RX_OFFLOAD_SCATTER : 0, 0, scatter ? 1500 : 400,
			PLX_MBUF_HEADROOM + 512);
		for (unsigned i = 0; i < 100; i++) {
			rig_frame(frame, i, 1700);
			CHECK(rig_receive(&r, frame, 1700) == NULL);
			fake_vmxnet3_bad(r.m);
			rig_frame(frame, i, 100);
			CHECK(rig_receive(&r, frame, 100) == NULL);
			rig_check(&r, rig_receive(&r, frame, 100), frame, 100);
		}
		CHECK_EQ(plx_port_stats(r.port, &s), 0);
		CHECK_EQ(s.rx_errors, 200);
		CHECK_EQ(s.rx_packets, 100);
		rig_end_clean(&r);
	}
}

/* ---- filters ---- */

static bool comes(struct rig *r, const uint8_t *to, uint16_t vlan)
{
	struct plx_mbuf *m;

	rig_frame(frame, 1, 100);
	memcpy(frame, to, 6);
	if (vlan != 0) {
		plx_store_be16(frame + 12, 0x8100);
		plx_store_be16(frame + 14, vlan);
		plx_store_be16(frame + 16, 0x88b5);
	}
	m = rig_receive(r, frame, 100);
	plx_mbuf_free(m);
	return m != NULL;
}

TEST(vmxnet3_features, addresses_are_filtered)
{
	static const uint8_t other[6] = {2, 1, 1, 1, 1, 1}, all[6] = {255, 255, 255, 255, 255, 255};
	static struct plx_mac many[513];
	const struct plx_mac mine = {{2, 1, 1, 1, 1, 1}};
	static struct rig r;

	rig_begin(&r, 0);
	rig_up(&r);
	CHECK(comes(&r, r.info.mac.b, 0) && comes(&r, all, 0));
	CHECK(!comes(&r, other, 0) && !comes(&r, group.b, 0));
	CHECK_EQ(plx_port_set_promisc(r.port, true), 0);
	CHECK(comes(&r, other, 0));
	CHECK_EQ(plx_port_set_promisc(r.port, false), 0);
	CHECK(!comes(&r, other, 0));
	CHECK_EQ(plx_port_set_allmulti(r.port, true), 0);
	CHECK(comes(&r, group.b, 0));
	CHECK_EQ(plx_port_set_allmulti(r.port, false), 0);
	CHECK_EQ(plx_port_set_mcast(r.port, &group, 1), 0);
	CHECK(comes(&r, group.b, 0));
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK(comes(&r, group.b, 0));
	CHECK_EQ(plx_port_set_mcast(r.port, NULL, 0), 0);
	CHECK(!comes(&r, group.b, 0));
	for (unsigned i = 0; i < PLX_ARRAY_SIZE(many); i++)
		many[i] = (struct plx_mac){{1, 0, 0x5e, 9, (uint8_t)(i >> 8), (uint8_t)i}};
	CHECK_EQ(plx_port_set_mcast(r.port, many, 512), 0);
	CHECK(comes(&r, many[511].b, 0) && !comes(&r, many[512].b, 0));
	CHECK_EQ(plx_port_set_mcast(r.port, many, 513), 0); /* more than the list has room for */
	CHECK(comes(&r, many[512].b, 0) && comes(&r, group.b, 0));
	CHECK_EQ(plx_port_set_mac(r.port, &mine), 0);
	CHECK(comes(&r, other, 0) && !comes(&r, r.info.mac.b, 0));
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK_EQ(plx_port_start(r.port), 0);
	CHECK(comes(&r, other, 0) && !comes(&r, r.info.mac.b, 0));
	rig_end_clean(&r);
}

TEST(vmxnet3_features, vlans_are_filtered_and_stripped)
{
	static struct rig r;
	struct plx_mbuf *m;

	rig_begin(&r, 0);
	rig_up(&r);
	CHECK(comes(&r, r.info.mac.b, 5));
	CHECK_EQ(plx_port_vlan_filter(r.port, 7, true), 0);
	CHECK(comes(&r, r.info.mac.b, 7) && comes(&r, r.info.mac.b, 0));
	CHECK(!comes(&r, r.info.mac.b, 5));
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK(comes(&r, r.info.mac.b, 7) && !comes(&r, r.info.mac.b, 5));
	CHECK_EQ(plx_port_vlan_strip(r.port, true), 0);
	rig_frame(frame, 1, 100);
	plx_store_be32(frame + 12, 0x81006007u);
	plx_store_be16(frame + 16, 0x88b5);
	m = rig_receive(&r, frame, 100);
	CHECK(m != NULL);
	CHECK_EQ(m->flags, PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED);
	CHECK_EQ(m->vlan, 0x6007);
	CHECK_EQ(m->pkt_len, 96);
	plx_mbuf_free(m);
	CHECK_EQ(plx_port_vlan_strip(r.port, false), 0);
	rig_check(&r, rig_receive(&r, frame, 100), frame, 100);
	CHECK_EQ(plx_port_vlan_filter(r.port, 7, false), 0);
	CHECK(comes(&r, r.info.mac.b, 5));
	rig_end_clean(&r);
}

/* Many at once, by the burst that says all there is to say. */
TEST(vmxnet3_features, tags_sums_and_hashes_of_a_burst)
{
	static struct rig r;
	struct plx_mbuf *pkts[32];

	up_with(&r, PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_VLAN_STRIP | PLX_RX_OFFLOAD_RSS_HASH, 0,
		1500, PLX_MBUF_ROOM);
	for (unsigned round = 0; round < 20; round++) {
		for (uint16_t i = 0; i < 32; i++) {
			rig_ipv4(frame, i % 2, i, 200);
			if (i % 4 == 0) {
				memmove(frame + 16, frame + 12, 188);
				plx_store_be32(frame + 12, 0x81000000u + i + 1);
			}
			CHECK(fake_vmxnet3_rx(r.m, frame, i % 4 == 0 ? 204 : 200));
		}
		CHECK_EQ(plx_rx_burst(r.rxq, pkts, 32), 32);
		for (uint16_t i = 0; i < 32; i++) {
			const uint32_t tagged = PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED;

			CHECK_EQ(pkts[i]->flags, PLX_RX_IP_CKSUM_GOOD | PLX_RX_L4_CKSUM_GOOD |
							 PLX_RX_RSS_HASH |
							 (i % 4 == 0 ? tagged : 0u));
			CHECK_EQ(pkts[i]->vlan, i % 4 == 0 ? i + 1u : 0u);
			CHECK(pkts[i]->rss_hash != 0);
			rig_ipv4(frame, i % 2, i, 200);
			rig_check(&r, pkts[i], frame, 200);
		}
	}
	rig_end_clean(&r);
}

/* ---- what it tells ---- */

static uint64_t xstat(struct rig *r, const char *name)
{
	static struct plx_xstat x[400];
	size_t n;

	CHECK_EQ(plx_port_xstats(r->port, x, PLX_ARRAY_SIZE(x), &n), 0);
	for (size_t i = 0; i < n; i++)
		if (strcmp(x[i].name, name) == 0)
			return x[i].value;
	UNIT_FAIL("no such counter");
	return 0;
}

TEST(vmxnet3_features, statistics_add_up)
{
	static struct rig r;
	struct plx_port_stats s;

	rig_begin(&r, 0);
	rig_up(&r);
	rig_traffic(&r, 10);
	CHECK_EQ(xstat(&r, "rx0_unicast_packets"), 10);
	CHECK_EQ(xstat(&r, "tx0_unicast_packets"), 10);
	/* more than there are buffers for */
	for (unsigned i = 0; i < 100; i++) {
		rig_frame(frame, i, 60);
		fake_vmxnet3_rx(r.m, frame, 60);
	}
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_missed, 100 - 63);
	CHECK_EQ(plx_port_reset(r.port), 0);
	rig_traffic(&r, 5);
	CHECK_EQ(xstat(&r, "rx0_unicast_packets"), 10 + 63 + 5);
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK_EQ(xstat(&r, "rx0_out_of_buffers"), 100 - 63);
	CHECK_EQ(plx_port_stats_reset(r.port), 0);
	CHECK_EQ(xstat(&r, "rx0_unicast_packets"), 0);
	CHECK_EQ(plx_port_start(r.port), 0);
	rig_traffic(&r, 3);
	CHECK_EQ(plx_port_stats_reset(r.port), 0);
	rig_traffic(&r, 4);
	CHECK_EQ(xstat(&r, "rx0_unicast_packets"), 4);
	CHECK_EQ(xstat(&r, "tx0_unicast_packets"), 4);
	rig_end_clean(&r);
}

TEST(vmxnet3_features, registers_are_shown)
{
	static struct plx_xstat x[64];
	static struct rig r;
	bool features = false;
	size_t n;

	up_with(&r, PLX_RX_OFFLOAD_CKSUM, 0, 1500, PLX_MBUF_ROOM);
	CHECK_EQ(plx_port_regs(r.port, x, PLX_ARRAY_SIZE(x), &n), 0);
	CHECK(n > 10 && n <= PLX_ARRAY_SIZE(x));
	for (size_t i = 0; i < n; i++)
		features |= strcmp(x[i].name, "shared.features") == 0 && x[i].value == 1;
	CHECK(features);
	rig_end_clean(&r);
}

static unsigned owned(const struct plx_desc *d, uint16_t n, enum plx_desc_owner owner)
{
	unsigned k = 0;

	for (uint16_t i = 0; i < n; i++)
		k += d[i].owner == owner;
	return k;
}

TEST(vmxnet3_features, descriptors_say_whose_they_are)
{
	static struct plx_desc d[64];
	static struct rig r;
	struct plx_mbuf *pkts[8];
	uint16_t n;

	rig_begin(&r, 0);
	rig_up(&r);
	rig_traffic(&r, 70); /* in the second round */
	CHECK_EQ(plx_rxq_descs(r.rxq, 0, d, 64, &n), 0);
	CHECK_EQ(owned(d, n, PLX_DESC_DEVICE), 63);
	CHECK_EQ(owned(d, n, PLX_DESC_SW), 1);
	for (unsigned i = 0; i < 8; i++) {
		rig_frame(frame, i, 60);
		CHECK(fake_vmxnet3_rx(r.m, frame, 60));
		pkts[i] = rig_mbuf(&r, frame, 60);
	}
	CHECK_EQ(plx_rxq_descs(r.rxq, 0, d, 64, &n), 0);
	CHECK_EQ(owned(d, n, PLX_DESC_DONE), 8);
	CHECK_EQ(plx_txq_descs(r.txq, 0, d, 64, &n), 0);
	CHECK_EQ(owned(d, n, PLX_DESC_SW), 64);
	fake_vmxnet3_stall(r.m, false, true);
	CHECK_EQ(plx_tx_burst(r.txq, pkts, 8), 8);
	CHECK_EQ(plx_txq_descs(r.txq, 0, d, 64, &n), 0);
	CHECK_EQ(owned(d, n, PLX_DESC_DEVICE), 8);
	fake_vmxnet3_stall(r.m, false, false);
	CHECK_EQ(plx_txq_descs(r.txq, 0, d, 64, &n), 0);
	CHECK_EQ(owned(d, n, PLX_DESC_DONE), 8);
	plx_tx_reclaim(r.txq);
	CHECK_EQ(plx_txq_descs(r.txq, 0, d, 64, &n), 0);
	CHECK_EQ(owned(d, n, PLX_DESC_SW), 64);
	CHECK_EQ(plx_rx_burst(r.rxq, pkts, 8), 8);
	plx_mbuf_free_bulk(pkts, 8);
	rig_end_clean(&r);
}

/* One queue only, of either kind: the device has one of the other all the same. */
TEST(vmxnet3_features, a_direction_without_a_queue)
{
	static struct rig r;
	struct plx_mbuf *m;

	rig_begin(&r, 0);
	r.conf.n_rxq = 0;
	CHECK_EQ(rig_open(&r), 0);
	CHECK_EQ(rig_set_up(&r), 0);
	CHECK_EQ(plx_port_start(r.port), 0);
	r.txq = r.txqs[0];
	rig_frame(frame, 1, 60);
	m = rig_mbuf(&r, frame, 60);
	CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 1);
	CHECK_EQ(r.n_sent, 1);
	CHECK(!fake_vmxnet3_rx(r.m, frame, 60));
	CHECK_EQ(plx_port_stop(r.port), 0);
	r.conf.n_rxq = 1;
	r.conf.n_txq = 0;
	CHECK_EQ(rig_set_up(&r), 0);
	CHECK_EQ(plx_port_start(r.port), 0);
	r.rxq = r.rxqs[0];
	rig_check(&r, rig_receive(&r, frame, 60), frame, 60);
	rig_end_clean(&r);
}
