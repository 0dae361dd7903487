/* SPDX-License-Identifier: BSD-3-Clause */

#include "e1000_rig.h"

enum plx_isa rig_isa = PLX_ISA_AUTO;
const struct fake_82574_opts *rig_model;

struct fake_82574_opts rig_opts(void)
{
	struct fake_82574_opts o = FAKE_82574_OPTS_INIT;

	if (rig_model != NULL)
		o = *rig_model;
	o.part = RIG_PART;
	return o;
}

static void quiet(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
}

void rig_on_tx(void *arg, const uint8_t *frame, uint32_t len)
{
	struct rig *r = arg;

	memcpy(r->sent, frame, len);
	r->sent_len = len;
	r->n_sent++;
}

void rig_begin(struct rig *r, uint64_t stall_ns)
{
	static const struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct fake_82574_opts model = rig_opts();

	memset(r, 0, sizeof(*r));
	opts.huge = PLX_HUGE_NONE;
	opts.log_fn = quiet;
	opts.isa = rig_isa;
	opts.stall_ns = stall_ns;
	CHECK_EQ(plx_ctx_open(&opts, &r->ctx), 0);
	r->m = fake_82574_new("e1000", &model);
	r->f = fake_82574_pci(r->m);
	fake_82574_on_tx(r->m, rig_on_tx, r);
	CHECK_EQ(fake_attach(r->ctx, r->f), 0);
	r->device = "fake:e1000";
	r->conf = conf;
	r->room = PLX_MBUF_ROOM;
	r->n_desc = 64;
	r->n_mbufs = RIG_POOL;
}

int rig_open(struct rig *r)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	int err = plx_port_open(r->ctx, r->device, &r->port);

	if (err < 0) {
		r->port = NULL;
		return err;
	}
	err = plx_port_info(r->port, &r->info);
	po.n = r->n_mbufs;
	po.room = r->room;
	if (err == 0 && r->pool == NULL)
		err = plx_mbuf_pool_create(r->ctx, &po, &r->pool);
	return err;
}

int rig_set_up(struct rig *r)
{
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	int err;

	memset(r->rxqs, 0, sizeof(r->rxqs));
	memset(r->txqs, 0, sizeof(r->txqs));
	rx.pool = r->pool;
	rx.n_desc = tx.n_desc = r->n_desc;
	err = plx_port_configure(r->port, &r->conf);
	for (uint16_t i = 0; err == 0 && i < r->conf.n_rxq; i++)
		err = plx_rxq_setup(r->port, i, &rx, &r->rxqs[i]);
	for (uint16_t i = 0; err == 0 && i < r->conf.n_txq; i++)
		err = plx_txq_setup(r->port, i, &tx, &r->txqs[i]);
	/* half set up is as good as not */
	r->rxq = err == 0 ? r->rxqs[0] : NULL;
	r->txq = err == 0 ? r->txqs[0] : NULL;
	return err;
}

int rig_start(struct rig *r)
{
	return plx_port_start(r->port);
}

int rig_link(struct rig *r)
{
	struct plx_link link = {0};
	int err;

	fake_advance(r->f, LINK_NS + 10 * MS);
	err = plx_port_link(r->port, true, &link);
	if (err == 0 && !link.up)
		err = plx_err(ENETDOWN, "no link");
	return err;
}

static void must(int err)
{
	CHECK_STR(err == 0 ? "" : plx_errmsg(), "");
}

void rig_up(struct rig *r)
{
	must(rig_open(r));
	must(rig_set_up(r));
	must(rig_start(r));
	must(rig_link(r));
}

void rig_close(struct rig *r)
{
	CHECK_EQ(plx_port_close(r->port), 0);
	r->port = NULL;
	r->rxq = NULL;
	r->txq = NULL;
	/* nothing is left: windows, mappings, mbufs */
	CHECK_EQ(r->f->n_windows, 0);
	CHECK_EQ(r->f->n_extents, 0);
	CHECK(!r->f->open);
	if (r->pool == NULL)
		return;
	plx_mempool_cache_flush(plx_mempool_thread_cache(&r->pool->mp));
	CHECK_EQ(plx_mbuf_pool_avail(r->pool), r->n_mbufs);
}

void rig_end(struct rig *r)
{
	rig_close(r);
	plx_ctx_close(r->ctx);
	fake_82574_free(r->m);
}

void rig_frame(uint8_t *p, uint32_t number, uint32_t len)
{
	static const uint8_t head[14] = {0x00, 0x1b, 0x21, 0, 0, 1, 2, 0, 0, 0, 0, 9, 0x88, 0xb5};

	memcpy(p, head, sizeof(head));
	plx_store_be32(p + 14, number);
	for (uint32_t i = 18; i < len; i++)
		p[i] = (uint8_t)(number * 7 + i);
}

void rig_tcp(uint8_t *p, uint32_t port, uint32_t len)
{
	uint8_t *ip = p + 14;

	rig_frame(p, port, len);
	plx_store_be16(p + 12, 0x0800);
	memset(ip, 0, 40);
	ip[0] = 0x45;
	plx_store_be16(ip + 2, (uint16_t)(len - 14));
	ip[8] = 64;
	ip[9] = 6;
	plx_store_be32(ip + 12, 0x0a000001);
	plx_store_be32(ip + 16, 0x0a000002);
	plx_store_be16(ip + 20, (uint16_t)port);
	plx_store_be16(ip + 22, 80);
	ip[32] = 0x50;
}

struct plx_mbuf *rig_mbuf(struct rig *r, const void *frame, uint32_t len)
{
	uint32_t room = r->pool->room - PLX_MBUF_HEADROOM, done = 0;
	struct plx_mbuf *head = NULL;

	while (done < len) {
		struct plx_mbuf *m = plx_mbuf_alloc(r->pool);
		uint16_t n = (uint16_t)PLX_MIN(room, len - done);

		CHECK(m != NULL);
		memcpy(plx_mbuf_append(m, n), (const uint8_t *)frame + done, n);
		if (head == NULL)
			head = m;
		else
			CHECK_EQ(plx_mbuf_chain(head, m), 0);
		done += n;
	}
	return head;
}

struct plx_mbuf *rig_receive(struct rig *r, const void *frame, uint32_t len)
{
	struct plx_mbuf *m = NULL;

	fake_82574_rx(r->m, frame, len, 0);
	for (int i = 0; i < 4 && plx_rx_burst(r->rxq, &m, 1) == 0; i++)
		m = NULL;
	if (m != NULL)
		CHECK_STR(plx_mbuf_check(m) == 0 ? "" : plx_errmsg(), "");
	return m;
}

void rig_traffic(struct rig *r, unsigned n)
{
	static uint8_t frame[2048], got[2048];

	for (unsigned i = 0; i < n; i++) {
		uint32_t len = 60 + (i * 97) % 1400;
		uint64_t before = r->n_sent;
		struct plx_mbuf *m;

		rig_frame(frame, i, len);
		m = rig_mbuf(r, frame, len);
		CHECK_EQ(plx_tx_burst(r->txq, &m, 1), 1);
		CHECK_EQ(r->n_sent, before + 1);
		CHECK_EQ(r->sent_len, len);
		CHECK_EQ(memcmp(r->sent, frame, len), 0);
		m = rig_receive(r, frame, len);
		CHECK(m != NULL);
		CHECK_EQ(m->pkt_len, len);
		CHECK_EQ(plx_mbuf_read(m, 0, got, len), 0);
		CHECK_EQ(memcmp(got, frame, len), 0);
		plx_mbuf_free(m);
		r->freed++;
	}
	plx_tx_reclaim(r->txq);
}

/* What has come, of any queue. */
static void take(struct rig *r)
{
	struct plx_mbuf *m;

	for (uint16_t q = 0; q < r->conf.n_rxq; q++)
		for (int i = 0; i < 4; i++) {
			if (plx_rx_burst(r->rxqs[q], &m, 1) == 0)
				continue;
			CHECK_STR(plx_mbuf_check(m) == 0 ? "" : plx_errmsg(), "");
			plx_mbuf_free(m);
			r->freed++;
		}
}

void rig_try_traffic(struct rig *r, unsigned n)
{
	const bool several = r->conf.n_txq > 1;
	uint8_t frame[256];

	for (unsigned i = 0; i < n; i++) {
		struct plx_mbuf *m;

		if (several)
			rig_tcp(frame, i, 200);
		else
			rig_frame(frame, i, 200);
		m = plx_mbuf_alloc(r->pool);
		if (m != NULL) {
			memcpy(plx_mbuf_append(m, 200), frame, 200);
			if (plx_tx_burst(r->txqs[i % r->conf.n_txq], &m, 1) == 0)
				plx_mbuf_free(m);
		}
		fake_82574_rx(r->m, frame, 200, 0);
		take(r);
	}
	for (uint16_t i = 0; i < r->conf.n_txq; i++)
		plx_tx_reclaim(r->txqs[i]);
}
