/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A capture file through the driver: opened, received to its end or its fault, in chains of small
 * rooms; sent on to /dev/null. The input's size chooses: odd sizes are preloaded, every third is read
 * twice. Beside not crashing: each packet keeps the rules of mbufs, what was received is sent, an
 * error has a text, and all mbufs are back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plx_ethdev.h"
#include "plx_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MBUFS 1200u

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void quiet(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
	must(text[0] != '\0');
}

/* Once for all inputs. */
static struct plx_mbuf_pool *pool_of(struct plx_ctx **ctx)
{
	static struct plx_ctx *the_ctx;
	static struct plx_mbuf_pool *pool;
	struct plx_ctx_opts co = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;

	if (pool == NULL) {
		co.log_fn = quiet;
		co.huge = PLX_HUGE_NONE;
		must(plx_ctx_open(&co, &the_ctx) == 0);
		po.n = MBUFS;
		po.room = 256;
		must(plx_mbuf_pool_create(the_ctx, &po, &pool) == 0);
	}
	*ctx = the_ctx;
	return pool;
}

static void receive(struct plx_port *port, struct plx_rxq *rxq, struct plx_txq *txq)
{
	struct plx_mbuf *pkts[8];
	unsigned idle = 0;

	while (!plx_port_drained(port) && plx_rxq_state(rxq, NULL) == PLX_QUEUE_RUNNING) {
		uint16_t n = plx_rx_burst(rxq, pkts, 8);

		for (uint16_t i = 0; i < n; i++)
			must(plx_mbuf_check(pkts[i]) == 0 && pkts[i]->pkt_len <= PLX_PKT_LEN_MAX);
		must(plx_tx_burst(txq, pkts, n) == n);
		idle = n == 0 ? idle + 1 : 0;
		must(idle < 10);
	}
}

static void use(struct plx_port *port, struct plx_mbuf_pool *pool)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	struct plx_port_stats s;
	struct plx_rxq *rxq;
	struct plx_txq *txq;

	conf.rx_offloads = PLX_RX_OFFLOAD_SCATTER;
	conf.tx_offloads = PLX_TX_OFFLOAD_MULTI_SEG;
	rx.pool = pool;
	must(plx_port_configure(port, &conf) == 0);
	must(plx_rxq_setup(port, 0, &rx, &rxq) == 0);
	must(plx_txq_setup(port, 0, &tx, &txq) == 0);
	must(plx_port_start(port) == 0);
	receive(port, rxq, txq);
	must(plx_port_stop(port) == 0);
	must(plx_port_stats(port, &s) == 0);
	must(s.rx_packets == s.tx_packets && s.rx_bytes == s.tx_bytes && s.tx_errors == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool = pool_of(&ctx);
	int fd = memfd_create("capture", MFD_CLOEXEC);
	struct plx_port *port;
	char text[128];

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(text, sizeof(text), "pcap:rx=/proc/self/fd/%d,tx=/dev/null,preload=%d,loop=%d", fd,
		(int)(size % 2), size % 3 == 0 ? 2 : 1);
	plx_err_clear();
	if (plx_port_open(ctx, text, &port) == 0) {
		use(port, pool);
		must(plx_port_close(port) == 0);
	} else {
		must(plx_errmsg()[0] != '\0');
	}
	close(fd);
	must(plx_mbuf_pool_avail(pool) == MBUFS);
	return 0;
}
