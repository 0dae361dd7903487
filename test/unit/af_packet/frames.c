/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of a TX ring hold what bursts may put into them. */
#include <sched.h>
#include <stdlib.h>

#include "af_packet.h"
#include "unit.h"

static void quiet(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
}

/* lo in a namespace of the test's own takes the longest packets that there are. */
TEST(af_packet, a_frame_holds_the_longest_packet_with_and_without_offloads)
{
	static const uint32_t offloads[] = {0, PLX_TX_OFFLOAD_UDP_CKSUM,
		PLX_TX_OFFLOAD_TSO | PLX_TX_OFFLOAD_TCP_CKSUM, PLX_TX_OFFLOAD_VLAN};
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_ctx_opts co = PLX_CTX_OPTS_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	struct plx_port_info info;
	struct plx_port *port;
	struct plx_ctx *ctx;

	if (unit_emulated())
		SKIP("an emulator may not know of packet rings");
	if (unshare(CLONE_NEWNET) != 0)
		SKIP("a network namespace takes root, or test/net/netns.sh");
	if (system("ip link set lo up >/dev/null 2>&1") != 0)
		SKIP("ip (iproute2) is not installed");
	co.huge = PLX_HUGE_NONE;
	co.log_fn = quiet;
	CHECK_EQ(plx_ctx_open(&co, &ctx), 0);
	po.n = 1024;
	CHECK_EQ(plx_mbuf_pool_create(ctx, &po, &rx.pool), 0);
	CHECK_EQ(plx_port_open(ctx, "af_packet:lo", &port), 0);
	CHECK_EQ(plx_port_info(port, &info), 0);
	conf.rx_offloads = PLX_RX_OFFLOAD_SCATTER;
	tx.n_desc = 16;
	for (unsigned i = 0; i < PLX_ARRAY_SIZE(offloads) * 2; i++) {
		const struct afp_txq *txq;
		struct plx_txq *q;

		conf.mtu = i % 2 == 0 ? PLX_MTU_DEFAULT : info.max_mtu;
		conf.tx_offloads = offloads[i / 2];
		CHECK_EQ(plx_port_configure(port, &conf), 0);
		CHECK_EQ(plx_rxq_setup(port, 0, &rx, NULL), 0);
		CHECK_EQ(plx_txq_setup(port, 0, &tx, &q), 0);
		CHECK_EQ(plx_port_start(port), 0);
		txq = plx_container_of(q, struct afp_txq, q);
		CHECK(txq->room >= q->max_pkt);
		CHECK(txq->room + txq->vnet + AFP_AFTER <= txq->ring.size);
		CHECK_EQ(plx_port_stop(port), 0);
	}
	plx_ctx_close(ctx);
}
