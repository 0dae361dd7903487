/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports: opening, configuring, starting and stopping; the table of operations. */
#define PLX_LOG_TAG "vmxnet3"
#include "vmxnet3_burst.h"

static const struct plx_pci_id ids[] = {
	PLX_PCI_ID(0x15ad, 0x07b0, 0),
	{0},
};

/* ---- opening ---- */

static int map(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	int err = plx_pci_win(p->hw.pci, VMXNET3_BAR_DOORBELL, 0, VMXNET3_BAR_LEN, &p->hw.door);

	if (err == 0)
		err = plx_pci_win(p->hw.pci, VMXNET3_BAR_CONTROL, 0, VMXNET3_BAR_LEN, &p->hw.win);
	if (err == 0)
		err = plx_pci_dma_alloc(p->hw.pci, sizeof(*p->mem), VMXNET3_RING_ALIGN, &p->dma);
	if (err == 0)
		p->mem = p->dma.va;
	return err;
}

static int open(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	struct vmxnet3_hw *hw = &p->hw;
	int err;

	hw->pci = port->dev->pci;
	hw->log = plx_ctx_log(port->ctx);
	p->n_txq = 1;
	p->n_rxq = 1;
	vmxnet3_rss_init(&p->rss);
	vmxnet3_rx_table_make(p->rx_table);
	err = plx_pci_set_master(hw->pci, false);
	if (err == 0)
		err = map(port);
	if (err == 0)
		err = vmxnet3_hw_reset(hw);
	if (err == 0)
		err = vmxnet3_mac_get(hw, &p->mac);
	if (err < 0)
		return plx_err_prefix(err, "%s", plx_port_name(port));
	plx_logf(hw->log, PLX_LOG_INFO, "%s: vmxnet3, revision %u, %02x:%02x:%02x:%02x:%02x:%02x",
		plx_port_name(port), hw->rev, p->mac.b[0], p->mac.b[1], p->mac.b[2], p->mac.b[3],
		p->mac.b[4], p->mac.b[5]);
	return 0;
}

static void close(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);

	if (p->hw.win.dev != NULL && !plx_pci_gone(p->hw.pci)) {
		(void)vmxnet3_hw_reset(&p->hw);
		(void)plx_pci_set_master(p->hw.pci, false);
	}
	vmxnet3_irq_disable(p);
	plx_pci_dma_free(p->hw.pci, &p->dma);
	plx_pci_win_close(&p->hw.win);
	plx_pci_win_close(&p->hw.door);
}

static int info(struct plx_port *port, struct plx_port_info *i)
{
	i->mac = vmxnet3_priv(port)->mac;
	i->max_rxq = VMXNET3_MAX_QUEUES;
	i->max_txq = VMXNET3_MAX_QUEUES;
	i->min_desc = VMXNET3_MIN_DESC;
	i->max_desc = VMXNET3_MAX_DESC;
	i->desc_align = VMXNET3_DESC_ALIGN;
	i->def_rx_desc = VMXNET3_DEF_DESC;
	i->def_tx_desc = VMXNET3_DEF_DESC;
	i->def_burst = 32;
	i->min_mtu = VMXNET3_MIN_MTU;
	i->max_mtu = VMXNET3_MAX_MTU;
	i->min_rx_room = VMXNET3_MIN_ROOM;
	i->rx_offloads = PLX_RX_OFFLOAD_CKSUM | PLX_RX_OFFLOAD_VLAN_STRIP | PLX_RX_OFFLOAD_SCATTER |
			 PLX_RX_OFFLOAD_RSS_HASH | PLX_RX_OFFLOAD_LRO;
	i->tx_offloads = PLX_TX_OFFLOAD_TCP_CKSUM | PLX_TX_OFFLOAD_UDP_CKSUM | PLX_TX_OFFLOAD_VLAN |
			 PLX_TX_OFFLOAD_TSO | PLX_TX_OFFLOAD_MULTI_SEG;
	i->rss_key_len = VMXNET3_KEY_LEN;
	i->rss_table_len = VMXNET3_N_RETA;
	i->rss_fields = VMXNET3_RSS_FIELDS;
	i->max_tx_segs = VMXNET3_MAX_SEGS;
	return 0;
}

static int configure(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	const uint32_t rx = port->conf.rx_offloads;

	if ((rx & PLX_RX_OFFLOAD_LRO) && !(rx & PLX_RX_OFFLOAD_SCATTER))
		return plx_err(EINVAL,
			"%s: offload 'lro' makes packets longer than a data room: configure "
			"'scatter' as well",
			plx_port_name(port));
	vmxnet3_rss_configure(port);
	/* interrupts were for other queues */
	vmxnet3_irq_disable(p);
	p->n_txq = (uint16_t)PLX_MAX(port->conf.n_txq, 1u);
	p->n_rxq = (uint16_t)PLX_MAX(port->conf.n_rxq, 1u);
	p->promisc = port->conf.promisc;
	p->allmulti = port->conf.allmulti;
	p->strip = (rx & PLX_RX_OFFLOAD_VLAN_STRIP) != 0;
	return 0;
}

/* ---- starting and stopping ---- */

static int check_room(const struct plx_port *port, uint32_t mtu)
{
	const uint32_t frame = mtu + PLX_ETH_OVERHEAD - 4;

	if (port->conf.rx_offloads & PLX_RX_OFFLOAD_SCATTER)
		return 0;
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (vmxnet3_rxq(port, i) != NULL && frame > vmxnet3_rxq(port, i)->buf_len)
			return plx_err(EINVAL,
				"%s: a frame may have %u bytes (MTU %u), the device writes %u into "
				"a data room: configure PLX_RX_OFFLOAD_SCATTER, a smaller MTU or "
				"larger rooms",
				plx_port_name(port), frame, mtu, vmxnet3_rxq(port, i)->buf_len);
	return 0;
}

static int start(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	int err = check_room(port, port->conf.mtu);

	if (err < 0)
		return err;
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		vmxnet3_rxq_begin(vmxnet3_rxq(port, i));
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		vmxnet3_txq_begin(vmxnet3_txq(port, i));
	vmxnet3_irq_begin(port);
	vmxnet3_conf_fill(port);
	vmxnet3_hw_shared(&p->hw, vmxnet3_iova(p, &p->mem->shared));
	err = plx_pci_set_master(p->hw.pci, true);
	if (err < 0)
		return err;
	plx_io_wmb(); /* what the device is to read, then the command */
	err = vmxnet3_cmd(&p->hw, VMXNET3_CMD_ACTIVATE_DEV);
	if (err < 0)
		return err;
	p->running = true;
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		vmxnet3_rx_tell(vmxnet3_rxq(port, i));
	vmxnet3_irq_start(port);
	return vmxnet3_filters(port);
}

static int reset(struct plx_port *port)
{
	return vmxnet3_hw_reset(&vmxnet3_priv(port)->hw);
}

/* Have all rings been sent? */
static bool all_sent(struct plx_port *port)
{
	bool sent = true;

	for (uint16_t i = 0; i < port->conf.n_txq; i++) {
		vmxnet3_tx_done(vmxnet3_txq(port, i));
		sent = sent && vmxnet3_txq(port, i)->used == 0;
	}
	return sent;
}

/* Waits for what the device is sending; without a link it sends nothing. */
static void finish_tx(struct plx_port *port)
{
	struct plx_link now = {0};

	for (unsigned ms = 0; ms < VMXNET3_FINISH_MS && !all_sent(port); ms++) {
		if (vmxnet3_hw_link(&vmxnet3_priv(port)->hw, &now) < 0 || !now.up)
			return;
		plx_pci_delay(vmxnet3_priv(port)->hw.pci, 1000000);
	}
}

static void turn_off(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	int err;

	if (p->running) {
		finish_tx(port);
		vmxnet3_stats_keep(p); /* starting it again clears them */
	}
	err = vmxnet3_cmd(&p->hw, VMXNET3_CMD_QUIESCE_DEV);
	if (err == 0)
		err = vmxnet3_hw_reset(&p->hw);
	if (err < 0)
		plx_logf(p->hw.log, PLX_LOG_WARN, "%s: stopping: %s", plx_port_name(port),
			plx_errmsg());
}

static void stop(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);

	if (p->running)
		vmxnet3_irq_stop(port);
	if (!plx_pci_gone(p->hw.pci))
		turn_off(port);
	/* whatever the device thought of that, it reaches no memory from here on */
	if (plx_pci_set_master(p->hw.pci, false) < 0 && !plx_pci_gone(p->hw.pci))
		plx_logf(p->hw.log, PLX_LOG_ERR,
			"%s: stopping: %s; a device that did not obey its reset either may write "
			"to buffers that are in use again: close the port, and look at the device",
			plx_port_name(port), plx_errmsg());
	p->running = false;
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (vmxnet3_rxq(port, i) != NULL)
			vmxnet3_rxq_drain(vmxnet3_rxq(port, i));
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		if (vmxnet3_txq(port, i) != NULL)
			vmxnet3_txq_drain(vmxnet3_txq(port, i));
}

static bool gone(struct plx_port *port)
{
	return vmxnet3_hw_gone(&vmxnet3_priv(port)->hw);
}

static int link(struct plx_port *port, struct plx_link *out)
{
	return vmxnet3_hw_link(&vmxnet3_priv(port)->hw, out);
}

static plx_rx_fn rx_select(struct plx_port *port, const struct plx_rxq *q)
{
	if (port->conf.rx_offloads & PLX_RX_OFFLOAD_RSS_HASH)
		return vmxnet3_rx_hash;
	/* those that leave nothing to say of a packet in one buffer */
	if (port->conf.rx_offloads & ~(uint32_t)(PLX_RX_OFFLOAD_SCATTER | PLX_RX_OFFLOAD_LRO))
		return vmxnet3_rx_offload;
	return plx_ctx_isa(port->ctx) >= PLX_ISA_AVX2 ? vmxnet3_rx_avx2 : vmxnet3_rx_plain;
}

static plx_tx_fn tx_select(struct plx_port *port, const struct plx_txq *q)
{
	/* chains make no difference to the packets that are none */
	if (port->conf.tx_offloads & ~(uint32_t)PLX_TX_OFFLOAD_MULTI_SEG)
		return vmxnet3_tx_offload;
	return plx_ctx_isa(port->ctx) >= PLX_ISA_AVX2 ? vmxnet3_tx_avx2 : vmxnet3_tx;
}

/* What is too long is dropped here: see max_mtu() of vmxnet3_conf.c. */
static int set_mtu(struct plx_port *port, uint32_t mtu)
{
	int err = check_room(port, mtu);

	if (err < 0)
		return err;
	plx_port_set_max_pkt(port, mtu + PLX_ETH_OVERHEAD - 4);
	return 0;
}

static const struct plx_eth_ops ops = {
	.priv_size = sizeof(struct vmxnet3_port),
	.rxq_size = sizeof(struct vmxnet3_rxq),
	.txq_size = sizeof(struct vmxnet3_txq),
	.open = open,
	.close = close,
	.info = info,
	.configure = configure,
	.rxq_setup = vmxnet3_rxq_setup,
	.rxq_release = vmxnet3_rxq_release,
	.txq_setup = vmxnet3_txq_setup,
	.txq_release = vmxnet3_txq_release,
	.start = start,
	.stop = stop,
	.link = link,
	.stats = vmxnet3_stats,
	.stats_reset = vmxnet3_stats_reset,
	.rx_select = rx_select,
	.tx_select = tx_select,
	.reclaim = vmxnet3_tx_reclaim,
	.reset = reset,
	.gone = gone,
	.control = vmxnet3_control,
	.rxq_progress = vmxnet3_rxq_progress,
	.txq_progress = vmxnet3_txq_progress,
	.tx_prepare = vmxnet3_tx_prepare,
	.set_mtu = set_mtu,
	.set_promisc = vmxnet3_set_promisc,
	.set_allmulti = vmxnet3_set_allmulti,
	.set_mac = vmxnet3_set_mac,
	.set_mcast = vmxnet3_set_mcast,
	.vlan_filter = vmxnet3_vlan_filter,
	.vlan_strip = vmxnet3_vlan_strip,
	.set_rss = vmxnet3_set_rss,
	.get_rss = vmxnet3_get_rss,
	.set_moderation = vmxnet3_set_moderation,
	.rxq_fd = vmxnet3_rxq_fd,
	.rxq_arm = vmxnet3_rxq_arm,
	.xstats = vmxnet3_xstats,
	.regs = vmxnet3_regs,
	.rxq_descs = vmxnet3_rxq_descs,
	.txq_descs = vmxnet3_txq_descs,
};

extern const struct plx_driver plx_driver_vmxnet3;
const struct plx_driver plx_driver_vmxnet3 = {
	.name = "vmxnet3",
	.help = "VMware's vmxnet3: qemu:SOCKET,slot=N,ram=FILE (QEMU's vmxnet3)",
	.cls = PLX_DEV_ETH,
	.ids = ids,
	.ops = &ops,
};
