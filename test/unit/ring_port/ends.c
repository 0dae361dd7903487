/* SPDX-License-Identifier: BSD-3-Clause */
#include "ends.h"

static void quiet(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
}

void ends_ctx(struct ends *e)
{
	struct plx_ctx_opts co = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;

	co.huge = PLX_HUGE_NONE;
	co.log_fn = quiet;
	co.isa = ENDS_ISA;
	CHECK_EQ(plx_ctx_open(&co, &e->ctx), 0);
	po.n = MBUFS;
	CHECK_EQ(plx_mbuf_pool_create(e->ctx, &po, &e->pool), 0);
}

void ends_open(struct ends *e, struct ends_end *end, const char *text, const struct ends_opts *o)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;

	if (plx_port_open(e->ctx, text, &end->port) != 0)
		UNIT_FAIL(plx_errmsg());
	conf.n_rxq = o->n_rxq;
	conf.n_txq = o->n_txq;
	conf.mtu = o->mtu;
	conf.rx_offloads = o->scatter ? PLX_RX_OFFLOAD_SCATTER : 0;
	conf.tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
	if (plx_port_configure(end->port, &conf) != 0)
		UNIT_FAIL(plx_errmsg());
	rx.pool = e->pool;
	rx.n_desc = tx.n_desc = o->n_desc;
	rx.cache = tx.cache = 64;
	rx.deferred = o->deferred;
	for (uint16_t i = 0; i < o->n_rxq; i++)
		CHECK_EQ(plx_rxq_setup(end->port, i, &rx, NULL), 0);
	for (uint16_t i = 0; i < o->n_txq; i++)
		CHECK_EQ(plx_txq_setup(end->port, i, &tx, NULL), 0);
	end->rxq = plx_port_rxq(end->port, 0);
	end->txq = plx_port_txq(end->port, 0);
}

void ends_start(struct ends *e, struct ends_end *end, const char *text)
{
	const struct ends_opts o = ENDS_OPTS_INIT;

	ends_open(e, end, text, &o);
	CHECK_EQ(plx_port_start(end->port), 0);
}

void ends_pair(struct ends *e, struct ends_end *a, struct ends_end *b, const char *text)
{
	ends_start(e, a, text);
	ends_start(e, b, text);
	CHECK(ends_up(a));
	CHECK(ends_up(b));
}

bool ends_up(const struct ends_end *end)
{
	struct plx_link link;

	CHECK_EQ(plx_port_link(end->port, true, &link), 0);
	return link.up;
}

struct plx_port_stats ends_stats(const struct ends_end *end)
{
	struct plx_port_stats s;

	CHECK_EQ(plx_port_stats(end->port, &s), 0);
	return s;
}

uint64_t ends_xstat(const struct ends_end *end, const char *name)
{
	struct plx_xstat x[16];
	size_t n;

	CHECK_EQ(plx_port_xstats(end->port, x, PLX_ARRAY_SIZE(x), &n), 0);
	for (size_t i = 0; i < n; i++)
		if (strcmp(x[i].name, name) == 0)
			return x[i].value;
	UNIT_FAIL(name);
	return 0;
}

struct plx_mbuf *ends_packet(const struct ends *e, uint32_t len, uint8_t value)
{
	struct plx_mbuf *head = NULL;

	while (len > 0) {
		struct plx_mbuf *m = plx_mbuf_alloc(e->pool);
		uint16_t part = (uint16_t)PLX_MIN(len, 2048u);

		CHECK(m != NULL);
		memset(plx_mbuf_append(m, part), value, part);
		if (head == NULL)
			head = m;
		else
			CHECK_EQ(plx_mbuf_chain(head, m), 0);
		len -= part;
	}
	return head;
}

uint32_t ends_avail(const struct ends *e)
{
	plx_mempool_cache_flush(plx_mempool_thread_cache(&e->pool->mp));
	return plx_mbuf_pool_avail(e->pool);
}

void ends_close(struct ends *e)
{
	plx_mempool_cache_flush(plx_mempool_thread_cache(&e->pool->mp));
	plx_ctx_close(e->ctx);
}
