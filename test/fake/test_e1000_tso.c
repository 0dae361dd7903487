/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP segmentation: what the model cuts of what the driver hands it, and what the driver refuses. */
#include <errno.h>

#include "e1000_rig.h"
#include "tso_ref.h"

static const uint8_t station[6] = {2, 0, 0, 0, 0, 1};

/* What the model sends is looked at as it comes. */
struct wire {
	const struct tso_case *c;
	uint32_t n;
	const char *wrong; /* with the first segment that is not right */
};

static void on_tx(void *arg, const uint8_t *frame, uint32_t len)
{
	struct wire *w = arg;
	const char *wrong = tso_ref_check(w->c, w->n++, frame, len);

	if (wrong[0] != '\0' && w->wrong[0] == '\0')
		w->wrong = wrong;
}

static void up(struct rig *r, uint16_t n_desc)
{
	rig_begin(r, 0);
	r->conf.tx_offloads = PLX_TX_OFFLOAD_TSO | PLX_TX_OFFLOAD_VLAN | PLX_TX_OFFLOAD_MULTI_SEG |
			      PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_TCP_CKSUM |
			      PLX_TX_OFFLOAD_UDP_CKSUM;
	r->n_desc = n_desc;
	rig_up(r);
}

static void end(struct rig *r)
{
	CHECK_STR(fake_82574_violation(r->m, 0), "");
	rig_end(r);
}

/* In segments of seg bytes at most, the first of which has the headers and first bytes more. */
static struct plx_mbuf *chain(struct rig *r, const uint8_t *p, uint32_t len, uint32_t headers,
	uint32_t first, uint32_t seg)
{
	struct plx_mbuf *m = rig_mbuf(r, p, PLX_MIN(len, headers + first));

	for (uint32_t at = headers + first; at < len; at += seg)
		CHECK_EQ(plx_mbuf_chain(m, rig_mbuf(r, p + at, PLX_MIN(seg, len - at))), 0);
	return m;
}

static void ask(struct plx_mbuf *m, const struct tso_case *c)
{
	m->flags |= PLX_TX_TSO | (c->v6 ? PLX_TX_IPV6 : PLX_TX_IPV4);
	m->tx = (struct plx_tx_offload){.l2_len = 14,
		.l3_len = c->v6 ? 40 : 20,
		.l4_len = (20 + c->options) & 0xff,
		.tso_segsz = c->mss & 0xffff};
	if (c->vlan >= 0) {
		m->flags |= PLX_TX_VLAN;
		m->vlan = (uint16_t)c->vlan;
	}
}

static void sends(struct rig *r, const struct tso_case *c, uint32_t first, uint32_t seg)
{
	static uint8_t p[TSO_REF_MAX];
	struct wire w = {.c = c, .wrong = ""};
	uint32_t len = tso_ref_make(p, c, station);
	struct plx_mbuf *m = chain(r, p, len, tso_ref_headers(c), first, seg);

	ask(m, c);
	fake_82574_on_tx(r->m, on_tx, &w);
	CHECK_STR(plx_tx_prepare(r->txq, &m, 1) == 1 ? "" : plx_errmsg(), "");
	CHECK_EQ(plx_tx_burst(r->txq, &m, 1), 1);
	CHECK_STR(w.wrong, "");
	CHECK_EQ(w.n, tso_ref_segments(c));
	fake_82574_on_tx(r->m, rig_on_tx, r);
	CHECK_EQ(plx_tx_reclaim(r->txq), 1);
}

static const struct tso_case cases[] = {
	{false, 0, 5000, 1460, -1, false},
	{true, 0, 5000, 1440, -1, false},
	{false, 12, 4344, 1448, -1, false}, /* no rest */
	{true, 12, 1, 1000, 5, false},      /* one short frame, padded */
	{false, 40, 64, 64, 0x6123, false}, /* one segment that is full */
	{false, 0, 6401, 64, -1, false},    /* the smallest */
	{true, 40, 20000, 536, 0xfff, false},
	{false, 0, 65535 - 54, 1460, -1, false}, /* the longest */
	{true, 0, 65535 - 74, 1400, 7, false},
};

TEST(e1000_tso, segments_are_right)
{
	static struct rig r;

	up(&r, 512);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(cases); i++) {
		sends(&r, &cases[i], 0, 2048);
		if (cases[i].payload < 60000) /* else more segments than a packet may have */
			sends(&r, &cases[i], 1, 1777);
		/* the next wants other contexts, or none */
		rig_traffic(&r, 2);
	}
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK_EQ(rig_link(&r), 0);
	sends(&r, &cases[0], 100, 2048);
	end(&r);
}

/* A long room is cut into descriptors; they wrap round the ring's end at any place. */
TEST(e1000_tso, long_rooms_are_cut_into_descriptors)
{
	static struct rig r;

	rig_begin(&r, 0);
	r.conf.tx_offloads = PLX_TX_OFFLOAD_TSO | PLX_TX_OFFLOAD_VLAN | PLX_TX_OFFLOAD_MULTI_SEG;
	r.room = 32768;
	r.n_desc = 128;
	rig_up(&r);
	for (unsigned i = 0; i < 40; i++) {
		struct tso_case c = cases[i % PLX_ARRAY_SIZE(cases)];

		c.mss = PLX_MAX(c.mss, 536u);
		sends(&r, &c, i * 700 % 30000, 30000);
	}
	end(&r);
}

/* Between packets with other offloads: the device has one context. */
TEST(e1000_tso, among_other_packets)
{
	static struct rig r;
	static uint8_t p[TSO_REF_MAX];
	const struct tso_case sum = {false, 0, 1000, 1460, -1, false};

	up(&r, 256);
	for (unsigned i = 0; i < 60; i++) {
		struct wire w = {.c = &sum, .wrong = ""};
		uint32_t len = tso_ref_make(p, &sum, station);
		struct plx_mbuf *m = rig_mbuf(&r, p, len);

		/* the same packet, whole, with its checksums left to the device */
		m->flags |= PLX_TX_IPV4 | PLX_TX_IP_CKSUM | PLX_TX_TCP_CKSUM;
		m->tx = (struct plx_tx_offload){.l2_len = 14, .l3_len = 20};
		fake_82574_on_tx(r.m, on_tx, &w);
		CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 1);
		CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 1);
		CHECK_STR(w.wrong, "");
		CHECK_EQ(w.n, 1);
		plx_tx_reclaim(r.txq);
		if (i % 3 != 0)
			sends(&r, &cases[i % 7], 0, 2048);
	}
	end(&r);
}

/* What prepare says no to; sent all the same, it is counted and not handed over. */
TEST(e1000_tso, impossible_packets_are_refused)
{
	static const struct {
		struct tso_case c;
		uint32_t cut; /* bytes of the first segment less */
		const char *text;
	} bad[] = {
		{{false, 0, 5000, 63, -1, false}, 0, "a tso_segsz below 64"},
		{{false, 0, 5000, 1500, -1, false}, 0, "segments longer than the MTU"},
		{{false, 0, 0, 1000, -1, false}, 0, "no payload"},
		{{true, 0, 5000, 1000, -1, false}, 4,
			"headers that are not all in the first segment"},
		{{false, 0, 60000, 100, -1, false}, 0, "more descriptors than the ring has"},
	};
	static struct rig r;
	static uint8_t p[TSO_REF_MAX];

	up(&r, 64);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(bad); i++) {
		const struct tso_case *c = &bad[i].c;
		uint32_t len = tso_ref_make(p, c, station), h = tso_ref_headers(c) - bad[i].cut;
		struct plx_mbuf *m = chain(&r, p, len, h, 0, 2048);
		struct plx_port_stats before, after;

		ask(m, c);
		CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 0);
		CHECK_HAS(plx_errmsg(), bad[i].text);
		CHECK_EQ(plx_port_stats(r.port, &before), 0);
		CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 1);
		CHECK_EQ(plx_port_stats(r.port, &after), 0);
		CHECK_EQ(after.tx_errors, before.tx_errors + 1);
		rig_traffic(&r, 1);
	}
	end(&r);
}

/* l4_len must be what the header says, and the rest of the headers what the flags say. */
TEST(e1000_tso, headers_that_do_not_fit_the_flags)
{
	static const struct {
		uint32_t at;
		uint8_t value;
		const char *text;
	} bad[] = {
		{14 + 20 + 12, 0x60, "the TCP header has 24 bytes, l4_len is 20"},
		{14 + 9, 17, "IPv4 protocol is 17"},
		{14 + 6, 0x20, "fragment"},
		{12, 0x86, "EtherType"},
		{14, 0x46, "IPv4 header starts with 0x46"},
	};
	const struct tso_case c = {false, 0, 3000, 1000, -1, false};
	static struct rig r;
	static uint8_t p[TSO_REF_MAX];

	up(&r, 64);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(bad); i++) {
		uint32_t len = tso_ref_make(p, &c, station);
		struct plx_mbuf *m;

		p[bad[i].at] = bad[i].value;
		m = rig_mbuf(&r, p, len);
		ask(m, &c);
		CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 0);
		CHECK_HAS(plx_errmsg(), bad[i].text);
		plx_mbuf_free(m);
	}
	end(&r);
}

/* Without the offload configured neither prepare nor the queue takes one. */
TEST(e1000_tso, not_configured)
{
	static struct rig r;
	static uint8_t p[TSO_REF_MAX];
	uint32_t len = tso_ref_make(p, &cases[0], station);
	struct plx_port_stats s;
	struct plx_mbuf *m;

	rig_begin(&r, 0);
	r.conf.tx_offloads = PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_MULTI_SEG;
	rig_up(&r);
	m = rig_mbuf(&r, p, len);
	ask(m, &cases[0]);
	CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 0);
	CHECK_HAS(plx_errmsg(), "'tso' is not configured");
	CHECK_EQ(plx_tx_burst(r.txq, &m, 1), 1);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.tx_errors, 1);
	end(&r);
}
