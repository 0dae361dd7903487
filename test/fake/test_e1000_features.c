/* SPDX-License-Identifier: BSD-3-Clause */
/* Each thing that the driver's features.ini claims, on the model; before and after a reset. */
#include <errno.h>

#include "e1000_rig.h"

static uint16_t ones(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i + 1 < len; i += 2)
		sum += plx_load_be16(p + i);
	if ((len & 1) != 0)
		sum += (uint32_t)p[len - 1] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* An IP packet of a protocol: 17 or 6. Sums are 0. Returns its length; *l4 where TCP or UDP begins. */
static uint32_t ip_frame(uint8_t *p, int version, uint8_t proto, uint32_t payload, uint32_t *l4)
{
	uint32_t l4_len = (proto == 17 ? 8 : 20) + payload;
	uint8_t *ip = p + 14;

	rig_frame(p, 1, 14);
	memset(ip, 0, 60);
	if (version == 4) {
		plx_store_be16(p + 12, 0x0800);
		ip[0] = 0x45;
		plx_store_be16(ip + 2, (uint16_t)(20 + l4_len));
		ip[8] = 64;
		ip[9] = proto;
		plx_store_be32(ip + 12, 0x0a000001);
		plx_store_be32(ip + 16, 0x0a000002);
		*l4 = 34;
	} else {
		plx_store_be16(p + 12, 0x86dd);
		ip[0] = 0x60;
		plx_store_be16(ip + 4, (uint16_t)l4_len);
		ip[6] = proto;
		ip[7] = 64;
		ip[8] = 0xfe;
		ip[24] = 0xfe;
		ip[39] = 1;
		*l4 = 54;
	}
	memset(p + *l4, 0, 20);
	plx_store_be32(p + *l4, 0x12345678);
	if (proto == 17)
		plx_store_be16(p + *l4 + 4, (uint16_t)l4_len);
	else
		p[*l4 + 12] = 0x50;
	for (uint32_t i = 0; i < payload; i++)
		p[*l4 + l4_len - payload + i] = (uint8_t)(i * 7);
	return *l4 + l4_len;
}

static uint32_t pseudo(const uint8_t *p, uint32_t l4, uint32_t len)
{
	bool v4 = p[14] >> 4 == 4;

	return ones(p + (v4 ? 26 : 22), v4 ? 8 : 32, (v4 ? p[23] : p[20]) + len - l4);
}

static void fill_sums(uint8_t *p, uint32_t l4, uint32_t len)
{
	bool udp = (p[14] >> 4 == 4 ? p[23] : p[20]) == 17;
	uint16_t sum = (uint16_t)~ones(p + l4, len - l4, pseudo(p, l4, len));

	if (p[14] >> 4 == 4)
		plx_store_be16(p + 24, (uint16_t)~ones(p + 14, 20, 0));
	/* a UDP sum that comes to 0 is sent as all ones: RFC 768 */
	plx_store_be16(p + l4 + (udp ? 6 : 16), udp && sum == 0 ? 0xffff : sum);
}

static void tag(uint8_t *p, uint32_t *len, uint16_t tci)
{
	memmove(p + 16, p + 12, *len - 12);
	plx_store_be16(p + 12, 0x8100);
	plx_store_be16(p + 14, tci);
	*len += 4;
}

static bool arrives(struct rig *r, const void *frame, uint32_t len)
{
	struct plx_mbuf *m = rig_receive(r, frame, len);

	if (m == NULL)
		return false;
	CHECK_EQ(m->pkt_len, len);
	plx_mbuf_free(m);
	return true;
}

static void reset(struct rig *r)
{
	CHECK_STR(plx_port_reset(r->port) == 0 ? "" : plx_errmsg(), "");
	CHECK_EQ(rig_link(r), 0);
}

static void end(struct rig *r)
{
	CHECK_STR(fake_82574_violation(r->m, 0), "");
	rig_end(r);
}

static void rx_sums(enum plx_isa isa)
{
	static struct rig r;
	static uint8_t p[512];
	uint32_t all = PLX_RX_IP_CKSUM_GOOD | PLX_RX_IP_CKSUM_BAD | PLX_RX_L4_CKSUM_GOOD |
		       PLX_RX_L4_CKSUM_BAD;

	rig_isa = isa;
	rig_begin(&r, 0);
	r.conf.rx_offloads = PLX_RX_OFFLOAD_CKSUM;
	rig_up(&r);
	for (unsigned i = 0; i < 16; i++) {
		int version = (i & 1) != 0 ? 6 : 4;
		bool bad_ip = (i & 4) != 0 && version == 4, bad_l4 = (i & 8) != 0;
		uint32_t l4, len = ip_frame(p, version, (i & 2) != 0 ? 6 : 17, 100 + i, &l4), want;
		struct plx_mbuf *m;

		fill_sums(p, l4, len);
		if (bad_ip)
			p[24] ^= 1;
		if (bad_l4)
			p[len - 1] ^= 1;
		m = rig_receive(&r, p, len);
		CHECK(m != NULL);
		want = bad_l4 ? PLX_RX_L4_CKSUM_BAD : PLX_RX_L4_CKSUM_GOOD;
		if (version == 4)
			want |= bad_ip ? PLX_RX_IP_CKSUM_BAD : PLX_RX_IP_CKSUM_GOOD;
		CHECK_EQ(m->flags & all, want);
		CHECK_EQ(m->ptype & PLX_PTYPE_L3_MASK,
			version == 4 ? PLX_PTYPE_L3_IPV4_EXT : PLX_PTYPE_L3_IPV6_EXT);
		CHECK_EQ(m->ptype & PLX_PTYPE_L4_MASK,
			(i & 2) != 0 ? PLX_PTYPE_L4_TCP : PLX_PTYPE_L4_UDP);
		plx_mbuf_free(m);
	}
	/* neither IP nor summed: nothing is claimed */
	rig_frame(p, 1, 100);
	struct plx_mbuf *m = rig_receive(&r, p, 100);

	CHECK(m != NULL);
	CHECK_EQ(m->flags & all, 0);
	plx_mbuf_free(m);
	end(&r);
	rig_isa = PLX_ISA_AUTO;
}

TEST(e1000_features, rx_checksums_are_checked)
{
	rx_sums(PLX_ISA_AUTO);
	rx_sums(PLX_ISA_SCALAR);
}

/* Sends p with its sums left to the device; what comes out has the right ones. */
static void send_summed(struct rig *r, uint8_t *p, uint32_t len, uint32_t l4, int vlan, bool chain)
{
	bool v4 = p[14] >> 4 == 4, udp = (v4 ? p[23] : p[20]) == 17;
	uint32_t cut = chain && len > l4 + 20 ? l4 + 20 : len; /* headers stay together */
	struct plx_mbuf *m = rig_mbuf(r, p, cut);
	uint32_t skip = vlan >= 0 ? 4 : 0;
	uint8_t want[2048];

	if (cut < len)
		CHECK_EQ(plx_mbuf_chain(m, rig_mbuf(r, p + cut, len - cut)), 0);
	m->flags = (udp ? PLX_TX_UDP_CKSUM : PLX_TX_TCP_CKSUM) |
		   (v4 ? PLX_TX_IPV4 | PLX_TX_IP_CKSUM : PLX_TX_IPV6);
	if (vlan >= 0) {
		m->flags |= PLX_TX_VLAN;
		m->vlan = (uint16_t)vlan;
	}
	m->tx = (struct plx_tx_offload){.l2_len = 14, .l3_len = (l4 - 14) & 0x1ff};
	CHECK_STR(plx_tx_prepare(r->txq, &m, 1) == 1 ? "" : plx_errmsg(), "");
	CHECK_EQ(plx_tx_burst(r->txq, &m, 1), 1);
	memcpy(want, p, len);
	fill_sums(want, l4, len);
	CHECK_EQ(r->sent_len, PLX_MAX(len + skip, 60u));
	if (vlan >= 0) {
		CHECK_EQ(plx_load_be16(r->sent + 12), 0x8100);
		CHECK_EQ(plx_load_be16(r->sent + 14), vlan);
	}
	CHECK_EQ(memcmp(r->sent, want, 12), 0);
	CHECK_EQ(memcmp(r->sent + 12 + skip, want + 12, len - 12), 0);
}

static void tx_sums(enum plx_isa isa)
{
	static struct rig r;
	static uint8_t p[2048];
	uint32_t l4, len;

	rig_isa = isa;
	rig_begin(&r, 0);
	r.conf.tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_TCP_CKSUM |
			     PLX_TX_OFFLOAD_UDP_CKSUM | PLX_TX_OFFLOAD_VLAN |
			     PLX_TX_OFFLOAD_MULTI_SEG;
	rig_up(&r);
	for (unsigned i = 0; i < 64; i++) {
		len = ip_frame(p, (i & 1) != 0 ? 6 : 4, (i & 2) != 0 ? 6 : 17, i * 19, &l4);
		send_summed(&r, p, len, l4, (i & 4) != 0 ? 0x6007 + (int)i : -1, (i & 8) != 0);
		/* plain ones in between want no context */
		if (i % 3 == 0)
			rig_traffic(&r, 2);
	}
	/* payload that makes the UDP sum 0 */
	len = ip_frame(p, 4, 17, 2, &l4);
	plx_store_be16(p + l4 + 8, 0);
	plx_store_be16(p + l4 + 8, (uint16_t)~ones(p + l4, len - l4, pseudo(p, l4, len)));
	send_summed(&r, p, len, l4, -1, false);
	CHECK_EQ(plx_load_be16(r.sent + l4 + 6), 0xffff);
	end(&r);
	rig_isa = PLX_ISA_AUTO;
}

TEST(e1000_features, tx_checksums_and_tags_are_inserted)
{
	tx_sums(PLX_ISA_AUTO);
	tx_sums(PLX_ISA_SCALAR);
}

static void stripped(enum plx_isa isa)
{
	static struct rig r;
	uint8_t p[256];
	uint32_t len = 100;
	struct plx_mbuf *m;

	rig_isa = isa;
	rig_begin(&r, 0);
	r.conf.rx_offloads = PLX_RX_OFFLOAD_VLAN_STRIP;
	rig_up(&r);
	for (int i = 0; i < 2; i++) {
		len = 100;
		rig_frame(p, 1, len);
		tag(p, &len, 0x6123);
		m = rig_receive(&r, p, len);
		CHECK(m != NULL);
		CHECK_EQ(m->flags & (PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED),
			PLX_RX_VLAN | PLX_RX_VLAN_STRIPPED);
		CHECK_EQ(m->vlan, 0x6123);
		CHECK_EQ(m->pkt_len, 100);
		CHECK_EQ(plx_load_be16(plx_mbuf_data(m) + 12), 0x88b5);
		plx_mbuf_free(m);
		rig_traffic(&r, 3);
		reset(&r);
	}
	CHECK_EQ(plx_port_vlan_strip(r.port, false), 0);
	m = rig_receive(&r, p, len);
	CHECK(m != NULL);
	CHECK_EQ(m->pkt_len, len);
	CHECK_EQ(m->flags & PLX_RX_VLAN_STRIPPED, 0);
	CHECK_EQ(memcmp(plx_mbuf_data(m), p, len), 0);
	plx_mbuf_free(m);
	end(&r);
	rig_isa = PLX_ISA_AUTO;
}

TEST(e1000_features, vlan_tags_are_stripped)
{
	stripped(PLX_ISA_AUTO);
	stripped(PLX_ISA_SCALAR);
}

/* The device has one switch for both directions: with tags inserted and not stripped, the driver
 * puts them back. */
static void kept(enum plx_isa isa)
{
	static struct rig r;
	uint8_t p[256];
	uint32_t len = 100;

	rig_isa = isa;
	rig_begin(&r, 0);
	r.conf.tx_offloads = PLX_TX_OFFLOAD_VLAN;
	rig_up(&r);
	rig_frame(p, 1, 100);
	tag(p, &len, 0x6123);
	for (int i = 0; i < 20; i++) {
		struct plx_mbuf *m = rig_receive(&r, p, len);

		CHECK(m != NULL);
		CHECK_EQ(m->pkt_len, len);
		CHECK_EQ(m->flags & PLX_RX_VLAN_STRIPPED, 0);
		CHECK_EQ(memcmp(plx_mbuf_data(m), p, len), 0);
		plx_mbuf_free(m);
		rig_traffic(&r, 1);
	}
	/* turned on under way */
	CHECK_EQ(plx_port_vlan_strip(r.port, true), 0);
	struct plx_mbuf *m = rig_receive(&r, p, len);

	CHECK(m != NULL);
	CHECK_EQ(m->pkt_len, 100);
	CHECK_EQ(m->vlan, 0x6123);
	plx_mbuf_free(m);
	end(&r);
	rig_isa = PLX_ISA_AUTO;
}

TEST(e1000_features, vlan_tags_are_kept_where_only_tx_inserts)
{
	kept(PLX_ISA_AUTO);
	kept(PLX_ISA_SCALAR);
}

TEST(e1000_features, vlans_are_filtered)
{
	static struct rig r;
	uint8_t seven[128], eight[128], plain[128];
	uint32_t len7 = 100, len8 = 100;

	rig_begin(&r, 0);
	rig_up(&r);
	rig_frame(plain, 0, 100);
	rig_frame(seven, 0, 100);
	rig_frame(eight, 0, 100);
	tag(seven, &len7, 7);
	tag(eight, &len8, 8);
	CHECK_EQ(plx_port_vlan_filter(r.port, 7, true), 0);
	for (int i = 0; i < 2; i++) {
		CHECK(arrives(&r, seven, len7));
		CHECK(!arrives(&r, eight, len8));
		CHECK(arrives(&r, plain, 100));
		reset(&r);
	}
	CHECK_EQ(plx_port_vlan_filter(r.port, 4095, true), 0);
	CHECK_EQ(plx_port_vlan_filter(r.port, 4096, true), -EINVAL);
	CHECK_EQ(plx_port_vlan_filter(r.port, 8, true), 0);
	CHECK_EQ(plx_port_vlan_filter(r.port, 7, false), 0);
	CHECK(arrives(&r, eight, len8));
	CHECK(!arrives(&r, seven, len7));
	end(&r);
}

/* Destinations, and which of them arrive. */
static void expect(struct rig *r, const char *want)
{
	static const struct plx_mac dst[5] = {{{0x00, 0x1b, 0x21, 0, 0, 1}},
		{{0x02, 0, 0, 0, 0, 0x77}}, {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{{0x01, 0, 0x5e, 1, 2, 3}}, {{0x33, 0x33, 0, 0, 0xfb, 0x5a}}};
	char got[6] = {0};
	uint8_t p[100];

	for (int i = 0; i < 5; i++) {
		rig_frame(p, 0, 100);
		memcpy(p, dst[i].b, 6);
		got[i] = arrives(r, p, 100) ? 'y' : 'n';
	}
	CHECK_STR(got, want);
}

TEST(e1000_features, addresses_are_filtered)
{
	static const struct plx_mac other = {{0x02, 0, 0, 0, 0, 0x77}};
	static const struct plx_mac group = {{0x01, 0, 0x5e, 1, 2, 3}};
	static struct rig r;

	rig_begin(&r, 0);
	rig_up(&r);
	CHECK_EQ(memcmp(r.info.mac.b, (uint8_t[]){0x00, 0x1b, 0x21, 0, 0, 1}, 6), 0);
	/* own, other, broadcast, two groups */
	expect(&r, "ynynn");
	CHECK_EQ(plx_port_set_promisc(r.port, true), 0);
	expect(&r, "yyyyy");
	reset(&r);
	expect(&r, "yyyyy");
	CHECK_EQ(plx_port_set_promisc(r.port, false), 0);
	CHECK_EQ(plx_port_set_allmulti(r.port, true), 0);
	expect(&r, "ynyyy");
	reset(&r);
	expect(&r, "ynyyy");
	CHECK_EQ(plx_port_set_allmulti(r.port, false), 0);
	CHECK_EQ(plx_port_set_mcast(r.port, &group, 1), 0);
	expect(&r, "ynyyn");
	reset(&r);
	expect(&r, "ynyyn");
	CHECK_EQ(plx_port_set_mcast(r.port, NULL, 0), 0);
	expect(&r, "ynynn");
	CHECK_EQ(plx_port_set_mac(r.port, &other), 0);
	expect(&r, "nyynn");
	reset(&r);
	expect(&r, "nyynn");
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK_EQ(rig_start(&r), 0);
	CHECK_EQ(rig_link(&r), 0);
	expect(&r, "nyynn");
	CHECK_EQ(plx_port_set_mac(r.port, &group), -EINVAL);
	end(&r);
}

static void jumbo(enum plx_isa isa, uint32_t room, uint32_t offloads)
{
	static uint8_t p[16384], got[16384];
	static struct rig r;

	rig_isa = isa;
	rig_begin(&r, 0);
	r.conf.mtu = 9000;
	r.conf.rx_offloads = offloads;
	r.conf.tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
	r.room = room;
	rig_up(&r);
	for (uint32_t len = 60; len <= 9014; len += len < 9000 ? 447 : 1) {
		struct plx_mbuf *m;

		rig_frame(p, len, len);
		m = rig_mbuf(&r, p, len);
		CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 1);
		CHECK_EQ(r.sent_len, len);
		CHECK_EQ(memcmp(r.sent, p, len), 0);
		m = rig_receive(&r, p, len);
		CHECK(m != NULL);
		CHECK_EQ(m->pkt_len, len);
		CHECK_EQ(plx_mbuf_read(m, 0, got, len), 0);
		CHECK_EQ(memcmp(got, p, len), 0);
		plx_mbuf_free(m);
	}
	rig_frame(p, 1, 9100);
	CHECK(rig_receive(&r, p, 9100) == NULL);
	rig_traffic(&r, 3);
	end(&r);
	rig_isa = PLX_ISA_AUTO;
}

TEST(e1000_features, jumbo_frames)
{
	jumbo(PLX_ISA_AUTO, PLX_MBUF_ROOM, PLX_RX_OFFLOAD_SCATTER);
	jumbo(PLX_ISA_SCALAR, PLX_MBUF_ROOM, PLX_RX_OFFLOAD_SCATTER);
	jumbo(PLX_ISA_AUTO, PLX_MBUF_HEADROOM + 16384, 0);
}

TEST(e1000_features, frames_beyond_the_mtu_do_not_arrive)
{
	static uint8_t p[4096];
	static struct rig r;
	uint32_t len = 1514;

	rig_begin(&r, 0);
	rig_up(&r);
	rig_frame(p, 1, 1600);
	CHECK(arrives(&r, p, 1514));
	CHECK(!arrives(&r, p, 1600));
	tag(p, &len, 5);
	CHECK(arrives(&r, p, 1518));
	rig_traffic(&r, 3);
	end(&r);
}

TEST(e1000_features, mtu_changes_under_way)
{
	static uint8_t p[16384];
	static struct rig r;

	rig_begin(&r, 0);
	r.conf.rx_offloads = PLX_RX_OFFLOAD_SCATTER;
	r.conf.tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
	rig_up(&r);
	rig_frame(p, 1, 9014);
	CHECK(!arrives(&r, p, 9014));
	CHECK_EQ(plx_port_set_mtu(r.port, 9000), 0);
	CHECK(arrives(&r, p, 9014));
	reset(&r);
	CHECK(arrives(&r, p, 9014));
	CHECK_EQ(plx_port_set_mtu(r.port, 1500), 0);
	CHECK(!arrives(&r, p, 9014));
	CHECK(arrives(&r, p, 1514));
	CHECK_EQ(plx_port_set_mtu(r.port, r.info.max_mtu + 1), -EINVAL);
	end(&r);
	/* without scatter a frame must fit a room */
	rig_begin(&r, 0);
	rig_up(&r);
	CHECK_EQ(plx_port_set_mtu(r.port, 9000), -EINVAL);
	CHECK_HAS(plx_errmsg(), "SCATTER");
	rig_traffic(&r, 4);
	end(&r);
}

static uint64_t xstat(struct rig *r, const char *name)
{
	static struct plx_xstat x[256];
	size_t n;

	CHECK_EQ(plx_port_xstats(r->port, x, 256, &n), 0);
	CHECK(n > 0 && n <= 256);
	for (size_t i = 0; i < n; i++)
		if (strstr(x[i].name, name) != NULL)
			return x[i].value;
	return UINT64_MAX;
}

TEST(e1000_features, statistics_add_up)
{
	static struct plx_xstat regs[400];
	static struct rig r;
	struct plx_port_stats s;
	struct plx_mbuf *m;
	uint8_t p[100];
	size_t n;

	rig_begin(&r, 0);
	rig_up(&r);
	rig_traffic(&r, 10);
	rig_frame(p, 1, 100);
	CHECK(!fake_82574_rx(r.m, p, 100, FAKE_82574_CRC));
	/* 64 descriptors and a FIFO of 20 KB, or of 64, hold fewer than these */
	for (int i = 0; i < 900; i++)
		fake_82574_rx(r.m, p, 100, 0);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_packets, 10);
	CHECK_EQ(s.tx_packets, 10);
	CHECK_EQ(s.rx_errors, 1);
	CHECK(s.rx_missed > 0);
	for (int i = 0; i < 1000; i++)
		while (plx_rx_burst(r.rxq, &m, 1) == 1) {
			plx_mbuf_free(m);
			r.freed++;
		}
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_packets + s.rx_missed, 910);
	CHECK_EQ(s.rx_packets, r.freed);
	CHECK_EQ(s.rx_errors, 1);
	/* a reset of the device, which clears its counters, loses none */
	CHECK(!fake_82574_rx(r.m, p, 100, FAKE_82574_CRC));
	reset(&r);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_packets + s.rx_missed, 910);
	CHECK_EQ(s.rx_errors, 2);
	CHECK(xstat(&r, "crc") != 0);
	CHECK_EQ(plx_port_stats_reset(r.port), 0);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_packets + s.rx_missed + s.rx_errors + s.tx_packets + s.rx_bytes, 0);
	/* reading them is allowed, each */
	CHECK_EQ(plx_port_regs(r.port, regs, PLX_ARRAY_SIZE(regs), &n), 0);
	CHECK(n > 10 && n <= PLX_ARRAY_SIZE(regs));
	end(&r);
}

/* What a burst costs on the bus: no read, at most one write. */
TEST(e1000_features, bursts_read_no_register)
{
	static struct rig r;
	uint64_t reads, writes;

	rig_begin(&r, 0);
	rig_up(&r);
	rig_traffic(&r, 10);
	reads = fake_count(r.f, FAKE_REG_READ);
	for (int i = 0; i < 300; i++) {
		struct plx_mbuf *pkts[16];
		uint8_t p[100];
		uint16_t n;

		rig_frame(p, 1, 100);
		for (int j = 0; j < 16; j++) {
			pkts[j] = rig_mbuf(&r, p, 100);
			fake_82574_rx(r.m, p, 100, 0);
		}
		writes = fake_count(r.f, FAKE_REG_WRITE);
		CHECK_EQ(plx_tx_burst(r.txq, pkts, 16), 16);
		CHECK_EQ(fake_count(r.f, FAKE_REG_WRITE), writes + 1);
		n = plx_rx_burst(r.rxq, pkts, 16);
		CHECK_EQ(n, 16);
		CHECK(fake_count(r.f, FAKE_REG_WRITE) <= writes + 2);
		plx_mbuf_free_bulk(pkts, n);
		/* nothing came and nothing is to be sent: nothing is written */
		writes = fake_count(r.f, FAKE_REG_WRITE);
		CHECK_EQ(plx_rx_burst(r.rxq, pkts, 16), 0);
		CHECK_EQ(plx_tx_burst(r.txq, pkts, 0), 0);
		plx_tx_reclaim(r.txq);
		CHECK(fake_count(r.f, FAKE_REG_WRITE) <= writes + 1);
	}
	CHECK_EQ(fake_count(r.f, FAKE_REG_READ), reads);
	end(&r);
}

/* Every field that RX owes is written, whatever the mbuf held before. */
static void fields(enum plx_isa isa)
{
	static struct plx_mbuf *all[RIG_POOL];
	static struct rig r;
	unsigned n = 0;

	rig_isa = isa;
	rig_begin(&r, 0);
	CHECK_EQ(rig_open(&r), 0);
	while (n < RIG_POOL && (all[n] = plx_mbuf_alloc(r.pool)) != NULL) {
		all[n]->flags = all[n]->ptype = all[n]->pkt_len = UINT32_MAX;
		all[n]->data_len = all[n]->vlan = 0xffff;
		all[n]->hash_mark = UINT64_MAX;
		all[n]->data_off = 7;
		n++;
	}
	plx_mempool_put_bulk_nocache(&r.pool->mp, (void **)all, n);
	CHECK_EQ(rig_set_up(&r), 0);
	CHECK_EQ(rig_start(&r), 0);
	CHECK_EQ(rig_link(&r), 0);
	for (unsigned i = 1; i < 600; i++) {
		struct plx_mbuf *pkts[40];
		unsigned want = 1 + i % 37, got = 0;
		uint8_t p[100];

		for (unsigned j = 0; j < want; j++) {
			rig_frame(p, j, 60 + j);
			fake_82574_rx(r.m, p, 60 + j, 0);
		}
		while (got < want) {
			uint16_t k = plx_rx_burst(r.rxq, pkts + got, (uint16_t)(want - got));

			CHECK(k != 0);
			got += k;
		}
		for (unsigned j = 0; j < want; j++) {
			CHECK_STR(plx_mbuf_check(pkts[j]) == 0 ? "" : plx_errmsg(), "");
			CHECK_EQ(pkts[j]->pkt_len, 60 + j);
			CHECK_EQ(pkts[j]->data_off, PLX_MBUF_HEADROOM);
			CHECK_EQ(pkts[j]->flags, 0);
			CHECK_EQ(pkts[j]->vlan, 0);
			CHECK_EQ(pkts[j]->hash_mark, 0);
			CHECK_EQ(plx_load_be32(plx_mbuf_data(pkts[j]) + 14), j);
		}
		plx_mbuf_free_bulk(pkts, want);
	}
	end(&r);
	rig_isa = PLX_ISA_AUTO;
}

TEST(e1000_features, rx_writes_every_field)
{
	fields(PLX_ISA_AUTO);
	fields(PLX_ISA_AVX2);
	fields(PLX_ISA_SCALAR);
}

/* The device pauses inside a packet: what has come of it waits, and is not lost by a stop. */
static void paused(enum plx_isa isa)
{
	static uint8_t p[2048], got[2048];
	static struct rig r;
	struct plx_mbuf *m;

	rig_isa = isa;
	rig_begin(&r, 0);
	r.room = PLX_MBUF_HEADROOM + 512;
	r.conf.rx_offloads = PLX_RX_OFFLOAD_SCATTER;
	rig_up(&r);
	for (uint32_t i = 0; i < 100; i++) {
		rig_frame(p, i, 1500);
		fake_82574_pause_rx(r.m, 1 + i % 2);
		CHECK(rig_receive(&r, p, 1500) == NULL);
		fake_82574_pause_rx(r.m, UINT32_MAX);
		m = NULL;
		CHECK_EQ(plx_rx_burst(r.rxq, &m, 1), 1);
		CHECK_EQ(plx_mbuf_check(m), 0);
		CHECK_EQ(m->pkt_len, 1500);
		CHECK_EQ(m->nsegs, 3);
		CHECK_EQ(plx_mbuf_read(m, 0, got, 1500), 0);
		CHECK_EQ(memcmp(got, p, 1500), 0);
		plx_mbuf_free(m);
		/* packets that fit one descriptor in between */
		CHECK(arrives(&r, p, 100 + i));
	}
	fake_82574_pause_rx(r.m, 1);
	CHECK(rig_receive(&r, p, 1500) == NULL);
	CHECK_EQ(plx_port_stop(r.port), 0);
	fake_82574_pause_rx(r.m, UINT32_MAX);
	CHECK_EQ(rig_start(&r), 0);
	CHECK_EQ(rig_link(&r), 0);
	CHECK(arrives(&r, p, 1500));
	end(&r);
	rig_isa = PLX_ISA_AUTO;
}

TEST(e1000_features, packets_that_come_in_pieces)
{
	paused(PLX_ISA_AUTO);
	paused(PLX_ISA_SCALAR);
}

/* Descriptors of a ring that look done, and those whose address the device could reach. */
static void ring_scan(
	struct rig *r, uint32_t block, uint32_t done_at, unsigned *done, unsigned *usable)
{
	uint64_t base = fake_82574_peek(r->m, block) | (uint64_t)fake_82574_peek(r->m, block + 4)
							       << 32;
	const uint8_t *d = fake_dma_ptr(r->f, base, fake_82574_peek(r->m, block + 8), false);

	CHECK(d != NULL && base != 0);
	*done = *usable = 0;
	for (uint32_t i = 0; i < r->n_desc; i++, d += 16) {
		*done += d[done_at] & 1u;
		*usable += fake_dma_ptr(r->f, plx_load_le64(d), 1, false) != NULL;
	}
}

/* Slots that software owns hold no address that a device could use, and nothing that looks done. */
static void slots(enum plx_isa isa)
{
	unsigned done, usable;
	static struct rig r;

	rig_isa = isa;
	rig_begin(&r, 0);
	rig_up(&r);
	for (unsigned i = 0; i < 50; i++) {
		rig_traffic(&r, 7);
		ring_scan(&r, fake_82574_rx_block(r.m, 0), 8, &done, &usable);
		CHECK_EQ(done, 0);
		CHECK_EQ(usable, r.n_desc - 1u);
		ring_scan(&r, fake_82574_tx_block(r.m, 0), 12, &done, &usable);
		CHECK_EQ(done, 0);
		CHECK_EQ(usable, 0);
	}
	end(&r);
	rig_isa = PLX_ISA_AUTO;
}

TEST(e1000_features, slots_of_software_are_of_no_use_to_the_device)
{
	slots(PLX_ISA_AUTO);
	slots(PLX_ISA_SCALAR);
}

static void owners(const struct plx_desc *d, unsigned n, unsigned count[3])
{
	memset(count, 0, 3 * sizeof(count[0]));
	for (unsigned i = 0; i < n; i++) {
		CHECK_EQ(d[i].index, i);
		CHECK_EQ(d[i].n_words, 2);
		CHECK(d[i].owner < 3);
		count[d[i].owner]++;
	}
}

static void expect_rx(struct rig *r, unsigned sw, unsigned device, unsigned done)
{
	static struct plx_desc d[64];
	unsigned count[3];
	uint16_t n;

	CHECK_EQ(plx_rxq_descs(r->rxq, 0, d, 64, &n), 0);
	CHECK_EQ(n, 64);
	owners(d, n, count);
	CHECK_EQ(count[PLX_DESC_SW], sw);
	CHECK_EQ(count[PLX_DESC_DEVICE], device);
	CHECK_EQ(count[PLX_DESC_DONE], done);
	for (unsigned i = 0; i < n; i++)
		if (d[i].owner == PLX_DESC_DONE)
			CHECK_EQ(d[i].word[1] >> 32 & 0xffff, 100);
}

static void expect_tx(struct rig *r, unsigned sw, unsigned device, unsigned done)
{
	static struct plx_desc d[64];
	unsigned count[3];
	uint16_t n;

	CHECK_EQ(plx_txq_descs(r->txq, 0, d, 64, &n), 0);
	owners(d, n, count);
	CHECK_EQ(count[PLX_DESC_SW], sw);
	CHECK_EQ(count[PLX_DESC_DEVICE], device);
	CHECK_EQ(count[PLX_DESC_DONE], done);
	/* one at a time they say the same */
	for (uint16_t i = 0; i < 64; i++) {
		struct plx_desc one;

		CHECK_EQ(plx_txq_descs(r->txq, i, &one, 1, &n), 0);
		CHECK_EQ(memcmp(&one, &d[i], sizeof(one)), 0);
	}
}

static void dump(enum plx_isa isa)
{
	struct plx_mbuf *pkts[20];
	static struct rig r;
	uint8_t p[100];

	rig_isa = isa;
	rig_begin(&r, 0);
	rig_up(&r);
	expect_rx(&r, 1, 63, 0);
	expect_tx(&r, 64, 0, 0);
	rig_frame(p, 1, 100);
	for (unsigned i = 0; i < 50; i++) { /* once round the ring and more */
		for (unsigned j = 0; j < 5; j++)
			fake_82574_rx(r.m, p, 100, 0);
		expect_rx(&r, 1 + 5 * (i % 4), 58 - 5 * (i % 4), 5);
		CHECK_EQ(plx_rx_burst(r.rxq, pkts, 5), 5);
		/* the device hears of the new buffers at every sixteenth */
		expect_rx(&r, i % 4 == 3 ? 1 : 6 + 5 * (i % 4), i % 4 == 3 ? 63 : 58 - 5 * (i % 4),
			0);
		CHECK_EQ(plx_tx_burst(r.txq, pkts, 5), 5);
		expect_tx(&r, 59, 0, 5);
		CHECK_EQ(plx_tx_reclaim(r.txq), 5);
		expect_tx(&r, 64, 0, 0);
	}
	fake_82574_stall(r.m, false, true);
	for (unsigned j = 0; j < 20; j++)
		pkts[j] = rig_mbuf(&r, p, 100);
	CHECK_EQ(plx_tx_burst(r.txq, pkts, 20), 20);
	expect_tx(&r, 44, 20, 0);
	CHECK_EQ(plx_port_stop(r.port), 0);
	expect_rx(&r, 64, 0, 0);
	expect_tx(&r, 64, 0, 0);
	end(&r);
	rig_isa = PLX_ISA_AUTO;
}

TEST(e1000_features, descriptors_say_whose_they_are)
{
	dump(PLX_ISA_AUTO);
	dump(PLX_ISA_SCALAR);
}

/* Registers as plain memory, descriptors written back beforehand: what instruction counts use. */
TEST(e1000_features, prewritten_descriptors)
{
	struct fake_82574_opts o = FAKE_82574_OPTS_INIT;
	static struct rig r;
	struct plx_mbuf *pkts[32];
	uint8_t p[64];

	rig_begin(&r, 0);
	fake_82574_free(r.m);
	o.mapped = true;
	r.m = fake_82574_new("e1000", &o);
	r.f = fake_82574_pci(r.m);
	rig_up(&r);
	rig_frame(p, 9, 64);
	fake_count_reset(r.f);
	for (int i = 0; i < 100; i++) {
		uint16_t got;

		CHECK_EQ(fake_82574_prewrite_rx(r.m, 32, p, 64, 64), 32);
		got = plx_rx_burst(r.rxq, pkts, 32);
		CHECK_EQ(got, 32);
		CHECK_EQ(pkts[31]->pkt_len, 64);
		CHECK_EQ(memcmp(plx_mbuf_data(pkts[31]), p, 64), 0);
		CHECK_EQ(plx_tx_burst(r.txq, pkts, 32), 32);
		CHECK(fake_82574_complete_tx(r.m) >= 32);
		r.freed += got;
	}
	/* nothing of it went by the model */
	CHECK_EQ(fake_count(r.f, FAKE_REG_READ) + fake_count(r.f, FAKE_REG_WRITE), 0);
	rig_end(&r);
}
