/* SPDX-License-Identifier: BSD-3-Clause */

#include "vmxnet3_rig.h"

#include "plx_cksum.h"

enum plx_isa rig_isa = PLX_ISA_AUTO;
const struct fake_vmxnet3_opts *rig_model;

static void quiet(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
}

static void on_tx(void *arg, const uint8_t *frame, uint32_t len)
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

	memset(r, 0, sizeof(*r));
	opts.huge = PLX_HUGE_NONE;
	opts.log_fn = quiet;
	opts.isa = rig_isa;
	opts.stall_ns = stall_ns;
	CHECK_EQ(plx_ctx_open(&opts, &r->ctx), 0);
	r->m = fake_vmxnet3_new("vmxnet3", rig_model);
	r->f = fake_vmxnet3_pci(r->m);
	fake_vmxnet3_on_tx(r->m, on_tx, r);
	CHECK_EQ(fake_attach(r->ctx, r->f), 0);
	r->conf = conf;
	r->room = PLX_MBUF_ROOM;
	r->n_desc = 64;
}

int rig_open(struct rig *r)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	int err = plx_port_open(r->ctx, "fake:vmxnet3", &r->port);

	if (err < 0) {
		r->port = NULL;
		return err;
	}
	err = plx_port_info(r->port, &r->info);
	po.n = RIG_POOL;
	po.room = r->room;
	if (err == 0 && r->pool == NULL)
		err = plx_mbuf_pool_create(r->ctx, &po, &r->pool);
	return err;
}

int rig_set_up(struct rig *r)
{
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	int err = plx_port_configure(r->port, &r->conf);

	memset(r->rxqs, 0, sizeof(r->rxqs));
	memset(r->txqs, 0, sizeof(r->txqs));
	rx.pool = r->pool;
	rx.n_desc = tx.n_desc = r->n_desc;
	for (uint16_t i = 0; err == 0 && i < r->conf.n_rxq; i++)
		err = plx_rxq_setup(r->port, i, &rx, &r->rxqs[i]);
	for (uint16_t i = 0; err == 0 && i < r->conf.n_txq; i++)
		err = plx_txq_setup(r->port, i, &tx, &r->txqs[i]);
	/* half set up is as good as not */
	r->rxq = err == 0 ? r->rxqs[0] : NULL;
	r->txq = err == 0 ? r->txqs[0] : NULL;
	return err;
}

int rig_link(struct rig *r)
{
	struct plx_link link = {0};
	int err = plx_port_link(r->port, true, &link);

	return err == 0 && !link.up ? plx_err(ENETDOWN, "no link") : err;
}

void rig_up(struct rig *r)
{
	CHECK_STR(rig_open(r) == 0 ? "" : plx_errmsg(), "");
	CHECK_STR(rig_set_up(r) == 0 ? "" : plx_errmsg(), "");
	CHECK_STR(plx_port_start(r->port) == 0 ? "" : plx_errmsg(), "");
	CHECK_STR(rig_link(r) == 0 ? "" : plx_errmsg(), "");
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
	CHECK_EQ(plx_mbuf_pool_avail(r->pool), RIG_POOL);
}

void rig_end(struct rig *r)
{
	rig_close(r);
	plx_ctx_close(r->ctx);
	fake_vmxnet3_free(r->m);
}

void rig_end_clean(struct rig *r)
{
	CHECK_STR(fake_vmxnet3_violation(r->m, 0), "");
	CHECK_EQ(r->f->dma_faults, 0);
	rig_end(r);
}

void rig_frame(uint8_t *p, uint32_t number, uint32_t len)
{
	static const uint8_t head[14] = {0x00, 0x50, 0x56, 0, 0, 1, 2, 0, 0, 0, 0, 9, 0x88, 0xb5};

	memcpy(p, head, sizeof(head));
	plx_store_be32(p + 14, number);
	for (uint32_t i = 18; i < len; i++)
		p[i] = (uint8_t)(number * 7 + i);
}

void rig_ipv4(uint8_t *p, bool udp, uint32_t port, uint32_t len)
{
	struct plx_ipv4_hdr *hdr = (struct plx_ipv4_hdr *)(void *)(p + 14);
	uint8_t *ip = p + 14, *l4 = ip + 20;
	const uint32_t l4_len = len - 34;
	plx_be16 sum;

	rig_frame(p, port, len);
	plx_store_be16(p + 12, 0x0800);
	memset(ip, 0, udp ? 28 : 40);
	ip[0] = 0x45;
	plx_store_be16(ip + 2, (uint16_t)(len - 14));
	ip[8] = 64;
	ip[9] = udp ? 17 : 6;
	plx_store_be32(ip + 12, 0x0a000001);
	plx_store_be32(ip + 16, 0x0a000002);
	sum = plx_cksum(ip, 20);
	memcpy(ip + 10, &sum, 2);
	plx_store_be16(l4, (uint16_t)port);
	plx_store_be16(l4 + 2, 80);
	if (udp)
		plx_store_be16(l4 + 4, (uint16_t)l4_len);
	else
		l4[12] = 0x50;
	sum = plx_cksum_fold(
		plx_cksum_add(plx_ipv4_phdr_sum(hdr, ip[9], (uint16_t)l4_len), l4, l4_len));
	sum.v = (uint16_t)~sum.v;
	memcpy(l4 + (udp ? 6 : 16), &sum, 2);
}

struct plx_mbuf *rig_mbuf(struct rig *r, const void *frame, uint32_t len)
{
	const uint32_t room = r->pool->room - PLX_MBUF_HEADROOM;
	struct plx_mbuf *head = NULL;

	for (uint32_t done = 0; done < len;) {
		struct plx_mbuf *m = plx_mbuf_alloc(r->pool);
		const uint16_t n = (uint16_t)PLX_MIN(room, len - done);

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

struct plx_mbuf *rig_take(struct rig *r)
{
	struct plx_mbuf *m = NULL;

	for (int i = 0; i < 4 && plx_rx_burst(r->rxq, &m, 1) == 0; i++)
		m = NULL;
	if (m != NULL)
		CHECK_STR(plx_mbuf_check(m) == 0 ? "" : plx_errmsg(), "");
	return m;
}

struct plx_mbuf *rig_receive(struct rig *r, const void *frame, uint32_t len)
{
	fake_vmxnet3_rx(r->m, frame, len);
	return rig_take(r);
}

void rig_check(struct rig *r, struct plx_mbuf *m, const void *frame, uint32_t len)
{
	static uint8_t got[FAKE_VMXNET3_PACKET];

	CHECK(m != NULL);
	CHECK_EQ(m->pkt_len, len);
	CHECK_EQ(plx_mbuf_read(m, 0, got, len), 0);
	CHECK_EQ(memcmp(got, frame, len), 0);
	plx_mbuf_free(m);
	r->freed++;
}

void rig_traffic(struct rig *r, unsigned n)
{
	static uint8_t frame[2048];

	for (unsigned i = 0; i < n; i++) {
		const uint32_t len = 60 + (i * 97) % 1400;
		const uint64_t before = r->n_sent;
		struct plx_mbuf *m;

		rig_frame(frame, i, len);
		m = rig_mbuf(r, frame, len);
		CHECK_EQ(plx_tx_burst(r->txq, &m, 1), 1);
		CHECK_EQ(r->n_sent, before + 1);
		CHECK_EQ(r->sent_len, len);
		CHECK_EQ(memcmp(r->sent, frame, len), 0);
		rig_check(r, rig_receive(r, frame, len), frame, len);
	}
	plx_tx_reclaim(r->txq);
}

/* What has come, of any queue. */
static void take_all(struct rig *r)
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
	uint8_t frame[700];

	for (unsigned i = 0; i < n; i++) {
		const uint32_t len = i % 2 == 0 ? 200 : 700;
		struct plx_mbuf *m = plx_mbuf_alloc(r->pool);

		if (r->conf.n_txq > 1)
			rig_ipv4(frame, false, i, len);
		else
			rig_frame(frame, i, len);
		if (m != NULL) {
			memcpy(plx_mbuf_append(m, 200), frame, 200);
			if (plx_tx_burst(r->txqs[i % r->conf.n_txq], &m, 1) == 0)
				plx_mbuf_free(m);
		}
		fake_vmxnet3_rx(r->m, frame, len);
		take_all(r);
	}
	for (uint16_t i = 0; i < r->conf.n_txq; i++)
		plx_tx_reclaim(r->txqs[i]);
}
