/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include <dirent.h>
#include <stdarg.h>
#include <unistd.h>

static void keep_line(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
	struct rig *r = arg;

	snprintf(r->log, sizeof(r->log), "%s", text);
	r->log_lines++;
}

void rig_open(struct rig *r, uint32_t n, uint32_t room)
{
	struct plx_ctx_opts co = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;

	memset(r, 0, sizeof(*r));
	co.log_fn = keep_line;
	co.log_arg = r;
	co.huge = PLX_HUGE_NONE;
	CHECK_EQ(plx_ctx_open(&co, &r->ctx), 0);
	po.n = n;
	po.room = room != 0 ? room : PLX_MBUF_ROOM;
	r->n_mbufs = n;
	CHECK_EQ(plx_mbuf_pool_create(r->ctx, &po, &r->pool), 0);
	strcpy(r->dir, "/tmp/plx-pcap-XXXXXX");
	CHECK(mkdtemp(r->dir) != NULL);
}

void rig_close(struct rig *r)
{
	DIR *dir = opendir(r->dir);
	struct dirent *e;
	char path[512];

	plx_mempool_cache_flush(plx_mempool_thread_cache(&r->pool->mp));
	CHECK_EQ(plx_mbuf_pool_avail(r->pool), r->n_mbufs);
	plx_mbuf_pool_destroy(r->pool);
	plx_ctx_close(r->ctx);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", r->dir, e->d_name);
		(void)unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
	(void)rmdir(r->dir);
}

const char *rig_path(struct rig *r, const char *name)
{
	static char paths[8][128];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", r->dir, name);
	return path;
}

int rig_port_open(struct rig *r, struct rig_port *p, uint32_t rx_offloads, const char *fmt, ...)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	char text[1024];
	va_list ap;
	int err;

	memset(p, 0, sizeof(*p));
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err = plx_port_open(r->ctx, text, &p->port);
	if (err < 0)
		return err;
	conf.rx_offloads = rx_offloads;
	conf.tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
	/* rooms may be too small for an MTU of 1500 when packets are not to be chained */
	if (!(rx_offloads & PLX_RX_OFFLOAD_SCATTER))
		conf.mtu = PLX_MIN(1500u, r->pool->room - PLX_MBUF_HEADROOM - 18);
	CHECK_EQ(plx_port_configure(p->port, &conf), 0);
	rx.pool = r->pool;
	CHECK_EQ(plx_rxq_setup(p->port, 0, &rx, &p->rxq), 0);
	CHECK_EQ(plx_txq_setup(p->port, 0, &tx, &p->txq), 0);
	return plx_port_start(p->port);
}

void rig_port_close(struct rig_port *p)
{
	CHECK_EQ(plx_port_close(p->port), 0);
	p->port = NULL;
}

void rig_free(struct plx_mbuf_pool *pool, struct plx_mbuf **pkts, unsigned n)
{
	plx_mbuf_free_bulk(pkts, n);
	plx_mempool_cache_flush(plx_mempool_thread_cache(&pool->mp));
}

uint64_t rig_forward(struct rig_port *src, struct rig_port *dst, uint16_t burst)
{
	struct plx_mbuf *pkts[512];
	uint64_t total = 0;
	unsigned idle = 0;

	CHECK(burst <= 512);
	while (idle < 1000000 && !plx_port_drained(src->port)) {
		uint16_t n = plx_rx_burst(src->rxq, pkts, burst), sent = 0;

		for (uint16_t i = 0; i < n; i++) {
			CHECK_EQ(plx_mbuf_check(pkts[i]), 0);
			CHECK_EQ(pkts[i]->flags & ~(uint32_t)PLX_RX_WIRE_LEN, PLX_RX_TIMESTAMP);
		}
		if (dst != NULL)
			sent = plx_tx_burst(dst->txq, pkts, n);
		if (sent < n)
			rig_free(src->rxq->pool, pkts + sent, n - sent);
		total += n;
		idle = n == 0 ? idle + 1 : 0;
		if (plx_rxq_state(src->rxq, NULL) == PLX_QUEUE_FAILED)
			return total;
	}
	CHECK(idle < 1000000);
	return total;
}
