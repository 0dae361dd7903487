/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two queues and RSS of the e1000 driver on the model: what the conformance suite does not ask, because it is
 * this device's own.
 */
#include <errno.h>

#include "e1000_rig.h"

static void begin(struct rig *r, enum plx_isa isa)
{
	rig_isa = isa;
	rig_begin(r, 0);
	r->conf.n_rxq = r->conf.n_txq = 2;
	rig_isa = PLX_ISA_AUTO;
}

static void end(struct rig *r)
{
	CHECK_STR(fake_82574_violation(r->m, 0), "");
	rig_end(r);
}

/* All that can be hashed goes to queue q. */
static void all_to(struct rig *r, uint16_t q)
{
	uint16_t table[128];
	uint32_t fields;

	CHECK_EQ(plx_port_get_rss(r->port, NULL, NULL, &fields), 0);
	for (unsigned i = 0; i < 128; i++)
		table[i] = q;
	CHECK_EQ(plx_port_set_rss(r->port,
			 &(struct plx_rss){.fields = fields, .table = table, .table_len = 128}),
		0);
}

static uint32_t ones(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++)
		sum += (i & 1) != 0 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

struct seen {
	unsigned v4, v6, bad;
};

/* A frame on the wire: are its checksums right? */
static void on_wire(void *arg, const uint8_t *p, uint32_t len)
{
	struct seen *s = arg;
	const uint8_t *ip = p + 14;

	if (plx_load_be16(p + 12) == 0x0800) {
		s->v4++;
		s->bad += ones(ip, 20, 0) != 0xffff;
		s->bad += ones(ip + 20, len - 34, ones(ip + 12, 8, 6 + len - 34)) != 0xffff;
	} else {
		s->v6++;
		s->bad += ones(ip + 40, len - 54, ones(ip + 8, 32, 17 + len - 54)) != 0xffff;
	}
}

static struct plx_mbuf *summed(struct rig *r, bool v4, uint32_t number)
{
	struct plx_mbuf *m;
	uint8_t p[100];

	rig_tcp(p, number, 100);
	if (!v4) {
		plx_store_be16(p + 12, 0x86dd);
		memset(p + 14, 0, 48);
		p[14] = 0x60;
		plx_store_be16(p + 18, 46);
		p[20] = 17;
		p[22] = p[38] = 0xfd;
		plx_store_be16(p + 58, 46);
	}
	m = rig_mbuf(r, p, 100);
	m->flags = v4 ? PLX_TX_IPV4 | PLX_TX_IP_CKSUM | PLX_TX_TCP_CKSUM
		      : PLX_TX_IPV6 | PLX_TX_UDP_CKSUM;
	m->tx = (struct plx_tx_offload){.l2_len = 14, .l3_len = v4 ? 20 : 40};
	return m;
}

/* The part has one checksum context for both queues, which take turns on the wire. */
TEST(e1000_rss, both_tx_queues_have_their_checksums_right)
{
	struct seen seen = {0};
	static struct rig r;

	begin(&r, PLX_ISA_AUTO);
	r.conf.tx_offloads =
		PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM;
	rig_up(&r);
	fake_82574_on_tx(r.m, on_wire, &seen);
	for (unsigned round = 0; round < 20; round++) {
		fake_82574_stall(r.m, false, true);
		for (uint16_t q = 0; q < 2; q++) {
			struct plx_mbuf *pkts[8];

			for (unsigned i = 0; i < 8; i++)
				pkts[i] = summed(&r, q == 0, round * 8 + i);
			CHECK_EQ(plx_tx_prepare(r.txqs[q], pkts, 8), 8);
			CHECK_EQ(plx_tx_burst(r.txqs[q], pkts, 8), 8);
		}
		fake_82574_stall(r.m, false, false);
		CHECK_EQ(plx_tx_reclaim(r.txqs[0]), 8);
		CHECK_EQ(plx_tx_reclaim(r.txqs[1]), 8);
	}
	CHECK_EQ(seen.v4, 160);
	CHECK_EQ(seen.v6, 160);
	CHECK_EQ(seen.bad, 0);
	end(&r);
}

/* Tag stripped, checksums checked, in pieces or not: the hash is that of addresses and ports. */
static void hashed(enum plx_isa isa, uint32_t room)
{
	static uint8_t p[2048];
	static struct rig r;
	uint32_t plain = 0;

	begin(&r, isa);
	r.room = PLX_MBUF_HEADROOM + room;
	r.conf.rx_offloads = PLX_RX_OFFLOAD_RSS_HASH | PLX_RX_OFFLOAD_SCATTER |
			     PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_VLAN_STRIP;
	rig_up(&r);
	for (unsigned i = 0; i < 200; i++) {
		const bool tag = i % 2 != 0;
		uint32_t len = 100 + i * 7;
		struct plx_mbuf *m = NULL;

		rig_tcp(p, 1000 + i / 2, len);
		if (tag) {
			memmove(p + 16, p + 12, len - 12);
			plx_store_be32(p + 12, 0x81000007);
			len += 4;
		}
		all_to(&r, (uint16_t)(i / 4 % 2));
		CHECK(fake_82574_rx(r.m, p, len, 0));
		CHECK_EQ(plx_rx_burst(r.rxqs[i / 4 % 2], &m, 1), 1);
		CHECK_STR(plx_mbuf_check(m) == 0 ? "" : plx_errmsg(), "");
		CHECK_EQ(m->pkt_len, len - (tag ? 4 : 0));
		CHECK_EQ(m->nsegs, (m->pkt_len + room - 1) / room);
		CHECK(m->flags & PLX_RX_RSS_HASH);
		CHECK_EQ((m->flags & PLX_RX_VLAN_STRIPPED) != 0, tag);
		CHECK(m->flags & PLX_RX_IP_CKSUM_BAD); /* it is 0 */
		CHECK(m->rss_hash != 0);
		if (tag)
			CHECK_EQ(m->rss_hash, plain);
		plain = m->rss_hash;
		plx_mbuf_free(m);
	}
	/* what has none says none, after those that had one */
	rig_traffic(&r, 100);
	end(&r);
}

TEST(e1000_rss, the_hash_beside_other_offloads)
{
	hashed(PLX_ISA_AUTO, 2048);
	hashed(PLX_ISA_SCALAR, 2048);
	hashed(PLX_ISA_AUTO, 512);
}

/* Without the offload packets are steered, and nothing is said; by the bursts for plain packets. */
static void silent(enum plx_isa isa)
{
	static uint8_t p[256];
	static struct rig r;

	begin(&r, isa);
	rig_up(&r);
	for (uint32_t i = 0; i < 500; i++) {
		struct plx_mbuf *pkts[8];

		all_to(&r, i % 2);
		for (uint32_t j = 0; j < 8; j++) {
			rig_tcp(p, i * 8 + j, 100);
			CHECK(fake_82574_rx(r.m, p, 100, 0));
		}
		CHECK_EQ(plx_rx_burst(r.rxqs[1 - i % 2], pkts, 8), 0);
		CHECK_EQ(plx_rx_burst(r.rxqs[i % 2], pkts, 8), 8);
		for (uint32_t j = 0; j < 8; j++) {
			CHECK_EQ(pkts[j]->flags, 0);
			CHECK_EQ(pkts[j]->hash_mark, 0);
			CHECK_EQ(plx_load_be16(plx_mbuf_data(pkts[j]) + 34), (i * 8 + j) & 0xffff);
		}
		CHECK_EQ(plx_tx_burst(r.txqs[1 - i % 2], pkts, 8), 8);
	}
	CHECK_EQ(r.n_sent, 4000);
	end(&r);
}

TEST(e1000_rss, steering_without_hashes)
{
	silent(PLX_ISA_AUTO);
	silent(PLX_ISA_SCALAR);
}

/* The device writes as much into each buffer as the smallest room takes. */
TEST(e1000_rss, queues_with_rooms_of_different_sizes)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_mbuf_pool *small;
	static uint8_t p[2048];
	struct plx_mbuf *m;
	static struct rig r;

	begin(&r, PLX_ISA_AUTO);
	r.conf.rx_offloads = PLX_RX_OFFLOAD_SCATTER;
	CHECK_EQ(rig_open(&r), 0);
	CHECK_EQ(rig_set_up(&r), 0);
	po.n = 200;
	po.room = PLX_MBUF_HEADROOM + 512;
	CHECK_EQ(plx_mbuf_pool_create(r.ctx, &po, &small), 0);
	rx.pool = small;
	rx.n_desc = 64;
	CHECK_EQ(plx_rxq_setup(r.port, 1, &rx, &r.rxqs[1]), 0);
	CHECK_EQ(rig_start(&r), 0);
	CHECK_EQ(rig_link(&r), 0);
	for (uint16_t q = 0; q < 2; q++) {
		all_to(&r, q);
		rig_tcp(p, 1, 1500);
		CHECK(fake_82574_rx(r.m, p, 1500, 0));
		CHECK_EQ(plx_rx_burst(r.rxqs[q], &m, 1), 1);
		CHECK_EQ(plx_mbuf_check(m), 0);
		CHECK_EQ(m->nsegs, 3);
		CHECK_EQ(m->pkt_len, 1500);
		plx_mbuf_free(m);
	}
	CHECK_EQ(plx_port_close(r.port), 0);
	r.port = NULL;
	plx_mempool_cache_flush(plx_mempool_thread_cache(&small->mp));
	CHECK_EQ(plx_mbuf_pool_avail(small), 200);
	end(&r);
}

TEST(e1000_rss, queues_start_with_the_port_alone)
{
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	static struct rig r;
	char text[80];

	begin(&r, PLX_ISA_AUTO);
	rig_up(&r);
	CHECK_EQ(plx_rxq_stop(r.rxqs[1]), -ENOTSUP);
	CHECK_EQ(plx_txq_start(r.txqs[1]), -ENOTSUP);
	CHECK_EQ(plx_port_stop(r.port), 0);
	rx.pool = r.pool;
	rx.deferred = tx.deferred = true;
	CHECK_EQ(plx_rxq_setup(r.port, 1, &rx, NULL), -ENOTSUP);
	CHECK_HAS(plx_errmsg(), "cannot start one RX queue apart from the port");
	CHECK_EQ(plx_txq_setup(r.port, 1, &tx, NULL), -ENOTSUP);
	r.conf.n_rxq = (uint16_t)(r.info.max_rxq + 1);
	CHECK_EQ(plx_port_configure(r.port, &r.conf), -ENOTSUP);
	snprintf(text, sizeof(text), "%u RX and 2 TX queues: it has at most %u and %u",
		r.conf.n_rxq, r.info.max_rxq, r.info.max_txq);
	CHECK_HAS(plx_errmsg(), text);
	end(&r);
}

/* RX alone and TX alone, and one more of one than of the other. */
TEST(e1000_rss, uneven_numbers_of_queues)
{
	static const uint16_t numbers[][2] = {{2, 1}, {1, 2}, {2, 0}, {0, 2}, {0, 1}};
	static uint8_t p[100];

	for (size_t i = 0; i < PLX_ARRAY_SIZE(numbers); i++) {
		struct plx_mbuf *m;
		static struct rig r;
		uint16_t n_rxq = numbers[i][0], n_txq = numbers[i][1];

		begin(&r, PLX_ISA_AUTO);
		r.conf.n_rxq = n_rxq;
		r.conf.n_txq = n_txq;
		rig_up(&r);
		rig_tcp(p, 1, 100);
		for (uint16_t q = 0; q < n_rxq; q++) {
			all_to(&r, q);
			CHECK(fake_82574_rx(r.m, p, 100, 0));
			CHECK_EQ(plx_rx_burst(r.rxqs[q], &m, 1), 1);
			plx_mbuf_free(m);
		}
		for (uint16_t q = 0; q < n_txq; q++) {
			m = rig_mbuf(&r, p, 100);
			CHECK_EQ(plx_tx_burst(r.txqs[q], &m, 1), 1);
			CHECK_EQ(plx_tx_reclaim(r.txqs[q]), 1);
		}
		CHECK_EQ(plx_port_set_promisc(r.port, true), 0);
		CHECK_EQ(plx_port_set_mtu(r.port, 1400), 0);
		CHECK_EQ(plx_port_vlan_strip(r.port, true), 0);
		CHECK_EQ(plx_port_reset(r.port), 0);
		end(&r);
	}
}
