/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports and queues on the toy driver: order of calls, errors, link, watchdog, removal, counters. */
#include <time.h>

#include "toy.h"
#include "unit.h"

struct rig {
	struct plx_ctx *ctx;
	struct plx_mbuf_pool *pool;
	struct plx_port *port;
	struct plx_rxq *rxq;
	struct plx_txq *txq;
};

static void rig_ctx(struct rig *r, uint64_t stall_ns)
{
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;

	memset(r, 0, sizeof(*r));
	toy_clear();
	opts.huge = PLX_HUGE_NONE;
	opts.log_level = PLX_LOG_OFF;
	opts.stall_ns = stall_ns;
	CHECK_EQ(plx_ctx_open(&opts, &r->ctx), 0);
	CHECK_EQ(toy_add(r->ctx), 0);
	po.n = 1024;
	CHECK_EQ(plx_mbuf_pool_create(r->ctx, &po, &r->pool), 0);
}

static int rig_queues(struct rig *r)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rc = PLX_RXQ_CONF_INIT;
	int err;

	rc.pool = r->pool;
	err = plx_port_configure(r->port, &conf);
	if (err == 0)
		err = plx_rxq_setup(r->port, 0, &rc, &r->rxq);
	if (err == 0)
		err = plx_txq_setup(r->port, 0, NULL, &r->txq);
	return err;
}

static void rig_up(struct rig *r, uint64_t stall_ns)
{
	rig_ctx(r, stall_ns);
	CHECK_EQ(plx_port_open(r->ctx, "toy:", &r->port), 0);
	CHECK_EQ(rig_queues(r), 0);
}

static void rig_down(struct rig *r)
{
	plx_ctx_close(r->ctx);
	CHECK_EQ(toy.opens, toy.closes);
	CHECK_EQ(toy.setups, toy.releases);
}

/* Polls control work until cond or too long for any machine. */
#define POLL_UNTIL(r, cond)                                     \
	do {                                                    \
		const struct timespec nap_ = {0, 1000000};      \
		for (int i_ = 0; i_ < 20000 && !(cond); i_++) { \
			plx_ctx_poll((r)->ctx);                 \
			nanosleep(&nap_, NULL);                 \
		}                                               \
		CHECK(cond);                                    \
	} while (0)

static uint16_t forward(struct rig *r, uint16_t n)
{
	struct plx_mbuf *pkts[64];
	uint16_t got = plx_rx_burst(r->rxq, pkts, n);
	uint16_t sent = plx_tx_burst(r->txq, pkts, got);

	for (uint16_t i = sent; i < got; i++)
		plx_mbuf_free(pkts[i]);
	return sent;
}

TEST(port, forwards_and_returns_every_mbuf)
{
	struct plx_port_stats s;
	struct rig r;

	rig_up(&r, 0);
	CHECK_EQ(plx_port_start(r.port), 0);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(forward(&r, 32), 32);
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_packets, 3200);
	CHECK_EQ(s.tx_packets, 3200);
	CHECK_EQ(s.tx_done, 3200);
	CHECK_EQ(s.tx_bytes, 3200 * 64);
	CHECK_EQ(s.rx_missed, 7);
	CHECK_EQ(plx_port_close(r.port), 0);
	CHECK_EQ(plx_mbuf_pool_avail(r.pool), 1024);
	rig_down(&r);
}

TEST(port, context_closes_what_is_open)
{
	struct rig r;

	rig_up(&r, 0);
	CHECK_EQ(plx_port_start(r.port), 0);
	forward(&r, 32);
	rig_down(&r);
	CHECK_EQ(toy.starts, toy.stops);
}

TEST(port, burst_on_a_stopped_queue_is_empty)
{
	struct plx_mbuf *pkts[4];
	struct rig r;

	rig_up(&r, 0);
	CHECK_EQ(plx_rx_burst(r.rxq, pkts, 4), 0);
	CHECK_EQ(plx_mbuf_alloc_bulk(r.pool, pkts, 4), 0);
	CHECK_EQ(plx_tx_burst(r.txq, pkts, 4), 0);
	CHECK_EQ(plx_tx_reclaim(r.txq), 0);
	CHECK_EQ(plx_rxq_state(r.rxq, NULL), PLX_QUEUE_STOPPED);
	plx_mbuf_free_bulk(pkts, 4);
	rig_down(&r);
}

TEST(port, order_of_calls_is_checked)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rc = PLX_RXQ_CONF_INIT;
	struct rig r;

	rig_ctx(&r, 0);
	CHECK_EQ(plx_port_open(r.ctx, "toy:", &r.port), 0);
	CHECK_EQ(plx_port_start(r.port), -EINVAL);
	CHECK_HAS(plx_errmsg(), "toy:: configure the port before starting it");
	CHECK_EQ(plx_rxq_setup(r.port, 0, NULL, NULL), -EINVAL);
	CHECK_HAS(plx_errmsg(), "RX queue 0: 0 are configured");
	CHECK_EQ(plx_port_configure(r.port, &conf), 0);
	CHECK_EQ(plx_port_start(r.port), -EINVAL);
	CHECK_HAS(plx_errmsg(), "RX queue 0 is not set up");
	rc.pool = r.pool;
	CHECK_EQ(plx_rxq_setup(r.port, 0, &rc, NULL), 0);
	CHECK_EQ(plx_port_start(r.port), -EINVAL);
	CHECK_HAS(plx_errmsg(), "TX queue 0 is not set up");
	CHECK_EQ(plx_txq_setup(r.port, 0, NULL, NULL), 0);
	CHECK_EQ(plx_port_start(r.port), 0);
	CHECK_EQ(plx_port_start(r.port), 0);
	CHECK_EQ(plx_port_configure(r.port, &conf), -EBUSY);
	CHECK_HAS(plx_errmsg(), "stop the port");
	CHECK_EQ(plx_rxq_setup(r.port, 0, &rc, NULL), -EBUSY);
	CHECK_EQ(plx_txq_setup(r.port, 0, NULL, NULL), -EBUSY);
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK(!plx_port_started(r.port));
	CHECK_EQ(plx_port_start(r.port), 0);
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK(plx_port_started(r.port));
	CHECK_EQ(toy.resets, 2);
	CHECK_EQ(plx_port_close(NULL), 0);
	rig_down(&r);
}

TEST(port, configure_names_what_it_refuses)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct rig r;

	rig_up(&r, 0);
	conf.n_rxq = 5;
	CHECK_EQ(plx_port_configure(r.port, &conf), -ENOTSUP);
	CHECK_HAS(plx_errmsg(), "5 RX and 1 TX queues: it has at most 4 and 4");
	conf.n_rxq = conf.n_txq = 0;
	CHECK_EQ(plx_port_configure(r.port, &conf), -EINVAL);
	CHECK_HAS(plx_errmsg(), "at least one queue");
	conf.n_rxq = 1;
	conf.mtu = 9001;
	CHECK_EQ(plx_port_configure(r.port, &conf), -ENOTSUP);
	CHECK_HAS(plx_errmsg(), "MTU 9001: must be 68 to 9000");
	conf.mtu = 1500;
	conf.rx_offloads = PLX_RX_OFFLOAD_LRO;
	CHECK_EQ(plx_port_configure(r.port, &conf), -ENOTSUP);
	CHECK_HAS(plx_errmsg(), "no RX offload 'lro'");
	conf.rx_offloads = 0;
	conf.tx_offloads = PLX_TX_OFFLOAD_TSO;
	CHECK_EQ(plx_port_configure(r.port, &conf), -ENOTSUP);
	CHECK_HAS(plx_errmsg(), "no TX offload 'tso'");
	conf.size = 4;
	CHECK_EQ(plx_port_configure(r.port, &conf), -EINVAL);
	CHECK_HAS(plx_errmsg(), "start from PLX_PORT_CONF_INIT");
	conf.size = sizeof(conf) + 1;
	CHECK_EQ(plx_port_configure(r.port, &conf), -EINVAL);
	/* what was refused changed nothing */
	CHECK_EQ(plx_port_start(r.port), 0);
	rig_down(&r);
}

TEST(port, shorter_structures_of_older_programs_get_defaults)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rx = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tx = PLX_TXQ_CONF_INIT;
	struct rig r;

	rig_up(&r, 0);
	conf.mtu = 3; /* beyond the size that is given: not looked at */
	conf.size = offsetof(struct plx_port_conf, mtu);
	CHECK_EQ(plx_port_configure(r.port, &conf), 0);
	CHECK_EQ(r.port->conf.mtu, PLX_MTU_DEFAULT);
	rx.pool = r.pool;
	rx.size = 1;
	CHECK_EQ(plx_rxq_setup(r.port, 0, &rx, NULL), -EINVAL);
	CHECK_HAS(plx_errmsg(), "start from PLX_RXQ_CONF_INIT");
	tx.n_desc = 64;
	tx.cache = 1u << 30;
	tx.size = offsetof(struct plx_txq_conf, cache);
	CHECK_EQ(plx_txq_setup(r.port, 0, &tx, &r.txq), 0);
	CHECK_EQ(r.txq->n_desc, 64);
	rig_down(&r);
}

TEST(port, rx_queue_refuses_pools_that_cannot_serve)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_rxq_conf rc = PLX_RXQ_CONF_INIT;
	struct plx_mbuf_pool *small, *ro, *foreign;
	struct plx_ctx *other;
	struct rig r;

	rig_up(&r, 0);
	CHECK_EQ(plx_rxq_setup(r.port, 0, &rc, NULL), -EINVAL);
	CHECK_HAS(plx_errmsg(), "needs a pool");
	po.n = 64;
	po.room = 1024;
	CHECK_EQ(plx_mbuf_pool_create(r.ctx, &po, &small), 0);
	rc.pool = small;
	CHECK_EQ(plx_rxq_setup(r.port, 0, &rc, NULL), -EINVAL);
	CHECK_HAS(plx_errmsg(), "a frame may have 1518 bytes (MTU 1500), a data room holds 896");
	po.room = 2176;
	po.arena_flags = PLX_DMA_TO_DEVICE;
	CHECK_EQ(plx_mbuf_pool_create(r.ctx, &po, &ro), 0);
	rc.pool = ro;
	CHECK_EQ(plx_rxq_setup(r.port, 0, &rc, NULL), -EINVAL);
	CHECK_HAS(plx_errmsg(), "PLX_DMA_TO_DEVICE");
	po.arena_flags = 0;
	CHECK_EQ(plx_ctx_open(NULL, &other), 0);
	CHECK_EQ(plx_mbuf_pool_create(other, &po, &foreign), 0);
	rc.pool = foreign;
	CHECK_EQ(plx_rxq_setup(r.port, 0, &rc, NULL), -EXDEV);
	CHECK_HAS(plx_errmsg(), "another context's");
	/* the same for what is sent, also where there is no device to map anything for */
	CHECK_EQ(plx_port_map_pool(r.port, foreign), -EXDEV);
	CHECK_HAS(plx_errmsg(), "another context's");
	CHECK_EQ(plx_port_map_pool(r.port, ro), 0);
	plx_ctx_close(other);
	rc.pool = r.pool;
	rc.n_desc = 33;
	CHECK_EQ(plx_rxq_setup(r.port, 0, &rc, NULL), -EINVAL);
	CHECK_HAS(plx_errmsg(), "RX ring of 33 descriptors: must be 32 to 1024, a multiple of 32");
	/* the queue that was there still is */
	CHECK_EQ(plx_port_start(r.port), 0);
	CHECK_EQ(forward(&r, 8), 8);
	rig_down(&r);
}

TEST(port, unknown_option_is_refused_with_the_known)
{
	struct rig r;

	rig_ctx(&r, 0);
	CHECK(plx_port_open(r.ctx, "toy:speed=3", &r.port) < 0);
	CHECK_HAS(plx_errmsg(), "speed");
	CHECK(plx_port_open(r.ctx, "toi:", &r.port) < 0);
	CHECK_HAS(plx_errmsg(), "toi");
	CHECK(plx_port_open(r.ctx, "", &r.port) < 0);
	rig_down(&r);
}

TEST(port, what_a_driver_lacks_is_said)
{
	static const struct plx_mac mac = {{2, 0, 0, 0, 0, 1}};
	struct plx_rss rss = {0};
	struct plx_desc d;
	struct plx_xstat x;
	uint16_t n_descs;
	uint32_t v;
	size_t n;
	struct rig r;

	rig_up(&r, 0);
	CHECK_EQ(plx_port_set_mac(r.port, &mac), -ENOTSUP);
	CHECK_STR(plx_errmsg(), "toy:: the toy driver does not support setting its MAC address");
	CHECK_EQ(plx_port_set_mtu(r.port, 1500), -ENOTSUP);
	CHECK_EQ(plx_port_set_promisc(r.port, true), -ENOTSUP);
	CHECK_EQ(plx_port_set_allmulti(r.port, true), -ENOTSUP);
	CHECK_EQ(plx_port_add_mac(r.port, &mac), -ENOTSUP);
	CHECK_EQ(plx_port_del_mac(r.port, &mac), -ENOTSUP);
	CHECK_EQ(plx_port_set_mcast(r.port, NULL, 0), -ENOTSUP);
	CHECK_EQ(plx_port_vlan_filter(r.port, 1, true), -ENOTSUP);
	CHECK_EQ(plx_port_vlan_strip(r.port, true), -ENOTSUP);
	CHECK_EQ(plx_port_set_rss(r.port, &rss), -ENOTSUP);
	CHECK_EQ(plx_port_get_rss(r.port, NULL, NULL, &v), -ENOTSUP);
	CHECK_EQ(plx_rxq_start(r.rxq), -ENOTSUP);
	CHECK_EQ(plx_rxq_stop(r.rxq), -ENOTSUP);
	CHECK_EQ(plx_txq_start(r.txq), -ENOTSUP);
	CHECK_EQ(plx_txq_stop(r.txq), -ENOTSUP);
	CHECK_EQ(plx_rxq_fd(r.rxq), -ENOTSUP);
	CHECK_EQ(plx_rxq_arm(r.rxq, true), -ENOTSUP);
	CHECK_EQ(plx_rxq_set_moderation(r.rxq, 0), -ENOTSUP);
	CHECK_EQ(plx_port_xstats(r.port, &x, 1, &n), -ENOTSUP);
	CHECK_EQ(plx_port_regs(r.port, &x, 1, &n), -ENOTSUP);
	CHECK_EQ(plx_txq_descs(r.txq, 0, &d, 1, &n_descs), -ENOTSUP);
	CHECK_EQ(plx_rxq_descs(r.rxq, 0, &d, 1, &n_descs), -ENOTSUP);
	CHECK_STR(plx_errmsg(), "toy:: the toy driver does not support a dump of descriptors");
	CHECK_EQ(plx_port_eeprom_len(r.port, &v), -ENOTSUP);
	CHECK_EQ(plx_port_eeprom_read(r.port, 0, &v, 4), -ENOTSUP);
	CHECK_EQ(plx_port_eeprom_write(r.port, 0, &v, 4), -ENOTSUP);
	CHECK_EQ(plx_port_module_eeprom(r.port, 0, &v, 4), -ENOTSUP);
	CHECK_EQ(plx_flow_create(r.port, NULL, NULL, &v), -ENOTSUP);
	CHECK_EQ(plx_flow_destroy(r.port, 1), -ENOTSUP);
	CHECK_EQ(plx_port_get_pause(r.port, NULL), -ENOTSUP);
	CHECK_EQ(plx_port_set_pause(r.port, NULL), -ENOTSUP);
	CHECK_EQ(plx_port_set_speed(r.port, NULL), -ENOTSUP);
	CHECK_EQ(plx_port_get_fec(r.port, NULL), -ENOTSUP);
	CHECK_EQ(plx_port_set_fec(r.port, PLX_FEC_AUTO), -ENOTSUP);
	rig_down(&r);
}

TEST(port, descriptors_are_those_of_the_ring)
{
	struct plx_desc d[TOY_RING + 1];
	uint16_t n;
	struct rig r;

	rig_ctx(&r, 0);
	CHECK_EQ(plx_port_open(r.ctx, "toyq:", &r.port), 0);
	CHECK_EQ(rig_queues(&r), 0);
	/* stopped ports have rings, too */
	CHECK_EQ(plx_rxq_descs(r.rxq, 0, d, TOY_RING + 1, &n), 0);
	CHECK_EQ(n, TOY_RING);
	for (uint16_t i = 0; i < n; i++) {
		CHECK_EQ(d[i].index, i);
		CHECK_EQ(d[i].word[0], i);
		CHECK_EQ(d[i].word[3], 0);
		CHECK_EQ(d[i].n_words, 1);
	}
	CHECK_EQ(plx_txq_descs(r.txq, TOY_RING - 2, d, 5, &n), 0);
	CHECK_EQ(n, 2);
	CHECK_EQ(d[1].index, TOY_RING - 1);
	CHECK_EQ(plx_txq_descs(r.txq, 3, NULL, 0, &n), 0);
	CHECK_EQ(n, 0);
	CHECK_EQ(plx_rxq_descs(r.rxq, TOY_RING, d, 1, &n), -EINVAL);
	CHECK_EQ(plx_txq_descs(r.txq, TOY_RING, d, 1, &n), -EINVAL);
	CHECK_HAS(plx_errmsg(), "descriptor 64 of a ring of 64");
	rig_down(&r);
}

struct seen {
	unsigned link, failed, gone;
};

static void on_event(void *arg, struct plx_port *port, enum plx_port_event event)
{
	struct seen *seen = arg;

	seen->link += event == PLX_PORT_LINK;
	seen->failed += event == PLX_PORT_FAILED;
	seen->gone += event == PLX_PORT_GONE;
	/* an event may call into the port, and recover it */
	if (event == PLX_PORT_FAILED)
		plx_port_reset(port);
}

TEST(port, tx_without_a_link_takes_nothing_and_counts)
{
	struct plx_mbuf *pkts[8];
	struct seen seen = {0};
	struct plx_port_stats s;
	struct plx_link link;
	struct rig r;

	rig_up(&r, 0);
	plx_port_on_event(r.port, on_event, &seen);
	toy.link_up = false;
	CHECK_EQ(plx_port_start(r.port), 0);
	CHECK_EQ(plx_port_link_wait(r.port, 5000000), -ETIMEDOUT);
	CHECK_HAS(plx_errmsg(), "no link after 5 ms");
	CHECK_EQ(plx_mbuf_alloc_bulk(r.pool, pkts, 8), 0);
	CHECK_EQ(plx_tx_burst(r.txq, pkts, 8), 0);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.tx_nolink, 8);
	CHECK_EQ(s.tx_packets, 0);
	PLX_WRITE_ONCE(toy.link_up, true);
	POLL_UNTIL(&r, seen.link == 1);
	CHECK_EQ(plx_port_link(r.port, false, &link), 0);
	CHECK(link.up);
	CHECK_EQ(link.speed_mbps, 1000);
	CHECK_EQ(plx_tx_burst(r.txq, pkts, 8), 8);
	PLX_WRITE_ONCE(toy.link_up, false);
	CHECK_EQ(plx_port_link(r.port, true, &link), 0);
	CHECK(!link.up);
	CHECK_EQ(plx_tx_burst(r.txq, pkts, 0), 0);
	/* what was sent before can still be reclaimed */
	CHECK_EQ(plx_tx_reclaim(r.txq), 8);
	rig_down(&r);
}

TEST(port, watchdog_fails_a_queue_and_reset_recovers)
{
	struct seen seen = {0};
	struct plx_mbuf *pkts[4];
	int err = 0;
	struct rig r;

	rig_up(&r, 1000000);
	CHECK_EQ(plx_port_start(r.port), 0);
	PLX_WRITE_ONCE(toy.stuck, true);
	POLL_UNTIL(&r, plx_rxq_state(r.rxq, &err) == PLX_QUEUE_FAILED);
	CHECK_EQ(err, ETIMEDOUT);
	CHECK_EQ(plx_txq_state(r.txq, &err), PLX_QUEUE_FAILED);
	CHECK_EQ(err, ETIMEDOUT);
	CHECK_EQ(plx_rx_burst(r.rxq, pkts, 4), 0);
	PLX_WRITE_ONCE(toy.stuck, false);
	plx_port_on_event(r.port, on_event, &seen);
	POLL_UNTIL(&r, seen.failed == 0); /* delivered before there was a listener */
	CHECK_EQ(plx_port_reset(r.port), 0);
	CHECK_EQ(plx_rxq_state(r.rxq, &err), PLX_QUEUE_RUNNING);
	CHECK_EQ(err, 0);
	CHECK_EQ(forward(&r, 4), 4);
	/* and from within the event */
	plx_rxq_set_failed(r.rxq, EIO);
	plx_txq_set_failed(r.txq, EIO);
	CHECK_EQ(plx_rxq_state(r.rxq, &err), PLX_QUEUE_FAILED);
	CHECK_EQ(err, EIO);
	POLL_UNTIL(&r, seen.failed >= 1);
	CHECK_EQ(plx_rxq_state(r.rxq, NULL), PLX_QUEUE_RUNNING);
	CHECK_EQ(plx_txq_state(r.txq, NULL), PLX_QUEUE_RUNNING);
	/* a stopped queue cannot fail */
	CHECK_EQ(plx_port_stop(r.port), 0);
	plx_rxq_set_failed(r.rxq, EIO);
	CHECK_EQ(plx_rxq_state(r.rxq, NULL), PLX_QUEUE_STOPPED);
	rig_down(&r);
}

TEST(port, watchdog_lets_tx_wait_without_a_link)
{
	const struct timespec nap = {0, 5000000};
	struct rig r;

	rig_up(&r, 1000000);
	PLX_WRITE_ONCE(toy.link_up, false);
	CHECK_EQ(plx_port_start(r.port), 0);
	PLX_WRITE_ONCE(toy.stuck, true);
	/* RX failed, so the watchdog has looked at TX as often */
	POLL_UNTIL(&r, plx_rxq_state(r.rxq, NULL) == PLX_QUEUE_FAILED);
	nanosleep(&nap, NULL);
	CHECK_EQ(plx_txq_state(r.txq, NULL), PLX_QUEUE_RUNNING);
	rig_down(&r);
}

TEST(port, removal_is_a_state)
{
	struct seen seen = {0};
	struct plx_mbuf *pkts[4];
	struct plx_port_stats s;
	struct plx_link link;
	struct rig r;

	rig_up(&r, 0);
	plx_port_on_event(r.port, on_event, &seen);
	CHECK_EQ(plx_port_start(r.port), 0);
	CHECK_EQ(forward(&r, 4), 4);
	PLX_WRITE_ONCE(toy.gone, true);
	POLL_UNTIL(&r, seen.gone == 1);
	CHECK_EQ(plx_rxq_state(r.rxq, NULL), PLX_QUEUE_GONE);
	CHECK_EQ(plx_txq_state(r.txq, NULL), PLX_QUEUE_GONE);
	CHECK_EQ(plx_rx_burst(r.rxq, pkts, 4), 0);
	CHECK_EQ(plx_tx_burst(r.txq, pkts, 0), 0);
	CHECK_EQ(plx_port_reset(r.port), -ENODEV);
	CHECK_HAS(plx_errmsg(), "the device is gone; close the port");
	CHECK_EQ(plx_port_link(r.port, true, &link), -ENODEV);
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK_EQ(plx_rxq_state(r.rxq, NULL), PLX_QUEUE_GONE);
	CHECK_EQ(plx_port_start(r.port), -ENODEV);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_packets, 4);
	CHECK_EQ(s.tx_done, 4);
	CHECK_EQ(plx_port_close(r.port), 0);
	CHECK_EQ(seen.gone, 1);
	CHECK_EQ(plx_mbuf_pool_avail(r.pool), 1024);
	rig_down(&r);
}

TEST(port, counters_outlive_queues_and_can_be_reset)
{
	struct plx_port_stats s;
	struct rig r;

	rig_up(&r, 0);
	CHECK_EQ(plx_port_start(r.port), 0);
	CHECK_EQ(forward(&r, 10), 10);
	CHECK_EQ(plx_port_stop(r.port), 0);
	CHECK_EQ(rig_queues(&r), 0);
	CHECK_EQ(plx_port_start(r.port), 0);
	CHECK_EQ(forward(&r, 5), 5);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_packets, 15);
	CHECK_EQ(s.tx_packets, 15);
	CHECK_EQ(plx_port_stats_reset(r.port), 0);
	CHECK_EQ(forward(&r, 3), 3);
	CHECK_EQ(plx_port_stats(r.port, &s), 0);
	CHECK_EQ(s.rx_packets, 3);
	CHECK_EQ(s.rx_bytes, 192);
	rig_down(&r);
}

TEST(port, every_failing_operation_leaves_nothing)
{
	static const enum toy_op ops[] = {
		TOY_OPEN, TOY_CONFIGURE, TOY_RXQ_SETUP, TOY_TXQ_SETUP, TOY_START, TOY_LINK};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(ops); i++) {
		struct rig r;
		int err;

		rig_ctx(&r, 0);
		toy.fail_op = ops[i];
		toy.fail_in = 1;
		err = plx_port_open(r.ctx, "toy:", &r.port);
		if (err == 0)
			err = rig_queues(&r);
		if (err == 0)
			err = plx_port_start(r.port);
		CHECK_EQ(err, -EIO);
		CHECK_HAS(plx_errmsg(), "was told to fail");
		/* it was told to fail once: the second try works */
		if (r.port != NULL) {
			CHECK_EQ(rig_queues(&r), 0);
			CHECK_EQ(plx_port_start(r.port), 0);
			CHECK_EQ(forward(&r, 16), 16);
			CHECK_EQ(plx_port_close(r.port), 0);
		}
		CHECK_EQ(plx_mbuf_pool_avail(r.pool), 1024);
		CHECK_EQ(toy.starts, toy.stops);
		rig_down(&r);
	}
}

TEST(port, tx_prepare_checks_metadata)
{
	struct plx_port_conf conf = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rc = PLX_RXQ_CONF_INIT;
	struct plx_mbuf *m;
	struct rig r;

	rig_ctx(&r, 0);
	CHECK_EQ(plx_port_open(r.ctx, "toy:", &r.port), 0);
	conf.tx_offloads = PLX_TX_OFFLOAD_IP_CKSUM | PLX_TX_OFFLOAD_TCP_CKSUM;
	rc.pool = r.pool;
	CHECK_EQ(plx_port_configure(r.port, &conf), 0);
	CHECK_EQ(plx_rxq_setup(r.port, 0, &rc, &r.rxq), 0);
	CHECK_EQ(plx_txq_setup(r.port, 0, NULL, &r.txq), 0);
	m = plx_mbuf_alloc(r.pool);
	CHECK(m != NULL);
	m->pkt_len = m->data_len = 60;
	CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 1);
	m->flags = PLX_TX_UDP_CKSUM;
	CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 0);
	CHECK_HAS(plx_errmsg(), "packet 0: offload 'udp-checksum' is not configured");
	m->flags = PLX_TX_TCP_CKSUM;
	CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 0);
	CHECK_HAS(plx_errmsg(), "one of PLX_TX_IPV4 and PLX_TX_IPV6");
	m->flags = PLX_TX_TCP_CKSUM | PLX_TX_IPV6 | PLX_TX_IP_CKSUM;
	CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 0);
	CHECK_HAS(plx_errmsg(), "needs PLX_TX_IPV4");
	m->flags = PLX_TX_TCP_CKSUM | PLX_TX_IPV4;
	CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 0);
	CHECK_HAS(plx_errmsg(), "l2_len is 0");
	m->tx.l2_len = 14;
	m->tx.l3_len = 60;
	CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 0);
	CHECK_HAS(plx_errmsg(), "headers of 74 bytes in a packet of 60");
	m->tx.l3_len = 20;
	CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 1);
	m->flags |= PLX_TX_TUNNEL | PLX_TX_OUTER_IPV4;
	CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 0);
	CHECK_HAS(plx_errmsg(), "outer_l2_len is 0");
	m->tx.outer_l2_len = 14;
	m->tx.outer_l3_len = 20;
	CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 0);
	CHECK_HAS(plx_errmsg(), "headers of 68 bytes in a packet of 60");
	m->tx.l2_len = 0; /* IP in IP */
	CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 1);
	m->flags = 0;
	m->pkt_len = 1519;
	CHECK_EQ(plx_tx_prepare(r.txq, &m, 1), 0);
	CHECK_HAS(plx_errmsg(), "packet of 1519 bytes, must be 1 to 1518");
	m->pkt_len = 60;
	plx_mbuf_free(m);
	rig_down(&r);
}
