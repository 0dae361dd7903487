/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports: opening, configuring, starting and stopping; filters; the table of operations. */
#define PLX_LOG_TAG "e1000"
#include "e1000.h"

enum { M_82540EM, M_82545EM, M_82574L, M_82576 };

static const struct e1000_model models[] = {
	[M_82540EM] = {.name = "82540EM", .gen = &e1000_gen_8254x, .max_frame = 16128 - 4},
	[M_82545EM] = {.name = "82545EM", .gen = &e1000_gen_8254x, .max_frame = 16128 - 4},
	[M_82574L] = {.name = "82574L", .gen = &e1000_gen_82574, .max_frame = 9234 - 4},
	[M_82576] = {.name = "82576", .gen = &e1000_gen_82576, .max_frame = 9728 - 4},
};

static const struct plx_pci_id ids[] = {
	PLX_PCI_ID(0x8086, 0x100e, M_82540EM),
	PLX_PCI_ID(0x8086, 0x100f, M_82545EM),
	PLX_PCI_ID(0x8086, 0x10d3, M_82574L),
	PLX_PCI_ID(0x8086, 0x10c9, M_82576),
	{0},
};

/* ---- opening ---- */

static int open(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);
	struct e1000_hw *hw = &p->hw;
	int err;

	hw->pci = port->dev->pci;
	hw->log = plx_ctx_log(port->ctx);
	hw->model = &models[port->dev->id->data];
	hw->gen = hw->model->gen;
	hw->adv = E1000_ADV_SPEEDS;
	hw->adv_1000 = E1000_GBCR_FULL;
	p->pause.autoneg = true;
	e1000_rss_init(&p->rss);
	err = plx_pci_set_master(hw->pci, false);
	if (err == 0)
		err = plx_pci_win(hw->pci, E1000_BAR, 0, hw->gen->bar_len, &hw->win);
	if (err == 0)
		err = e1000_hw_reset(hw);
	if (err == 0)
		err = e1000_mac_get(hw, &p->mac);
	if (err == 0)
		err = e1000_phy_init(hw);
	if (err < 0)
		return plx_err_prefix(err, "%s", plx_port_name(port));
	plx_logf(hw->log, PLX_LOG_INFO, "%s: %s, %02x:%02x:%02x:%02x:%02x:%02x",
		plx_port_name(port), hw->model->name, p->mac.b[0], p->mac.b[1], p->mac.b[2],
		p->mac.b[3], p->mac.b[4], p->mac.b[5]);
	return 0;
}

static void close(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);

	e1000_irq_disable(p);

	if (p->hw.win.dev != NULL && !plx_pci_gone(p->hw.pci)) {
		e1000_wr(&p->hw, E1000_IMC, UINT32_MAX);
		e1000_wr(&p->hw, E1000_RCTL, 0);
		e1000_wr(&p->hw, E1000_TCTL, 0);
		(void)plx_pci_set_master(p->hw.pci, false);
	}
	plx_pci_win_close(&p->hw.win);
}

static int info(struct plx_port *port, struct plx_port_info *i)
{
	struct e1000_port *p = e1000_priv(port);
	const struct e1000_gen *gen = p->hw.gen;

	i->mac = p->mac;
	i->max_rxq = gen->queues;
	i->max_txq = gen->queues;
	i->min_desc = E1000_MIN_DESC;
	i->max_desc = gen->max_desc;
	i->desc_align = E1000_DESC_ALIGN;
	i->def_rx_desc = E1000_DEF_DESC;
	i->def_tx_desc = E1000_DEF_DESC;
	i->def_burst = 32;
	i->min_mtu = 68;
	i->max_mtu = p->hw.model->max_frame + 4 - PLX_ETH_OVERHEAD;
	i->min_rx_room = 256;
	i->rx_offloads = gen->rx_offloads;
	i->tx_offloads = gen->tx_offloads;
	i->rss_key_len = gen->rss_fields != 0 ? E1000_KEY_LEN : 0;
	i->rss_table_len = gen->rss_fields != 0 ? E1000_N_RETA : 0;
	i->rss_fields = gen->rss_fields;
	i->max_tx_segs = E1000_MAX_SEGS;
	return 0;
}

static int configure(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);

	p->hw.gen->rx_table(&p->rx_table);
	e1000_rss_configure(port);
	e1000_irq_disable(p);
	memset(p->irq.units, 0, sizeof(p->irq.units));
	p->promisc = port->conf.promisc;
	p->allmulti = port->conf.allmulti;
	p->strip = (port->conf.rx_offloads & PLX_RX_OFFLOAD_VLAN_STRIP) != 0;
	p->tx_vlan = (port->conf.tx_offloads & PLX_TX_OFFLOAD_VLAN) != 0;
	return 0;
}

/* ---- starting and stopping ---- */

/* Queue i, or NULL where it is not set up. */
static struct e1000_rxq *rxq(const struct plx_port *port, uint16_t i)
{
	return (struct e1000_rxq *)port->rxqs[i];
}

static struct e1000_txq *txq(const struct plx_port *port, uint16_t i)
{
	return (struct e1000_txq *)port->txqs[i];
}

/* The device writes as much into any buffer: what fits the smallest room. 0: no queue is set up. */
static uint32_t buf_len(const struct plx_port *port, uint32_t *rctl_bits)
{
	uint32_t room = UINT32_MAX, len = 0;

	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (rxq(port, i) != NULL)
			room = PLX_MIN(room, rxq(port, i)->h.pool->room - PLX_MBUF_HEADROOM);
	if (room != UINT32_MAX)
		len = e1000_priv(port)->hw.gen->buf_len(room, rctl_bits);
	return len;
}

static uint32_t rctl(const struct plx_port *port, uint32_t mtu)
{
	const struct e1000_port *p = e1000_priv(port);
	uint32_t v = E1000_RCTL_EN | E1000_RCTL_BAM | E1000_RCTL_SECRC, size = 0;

	(void)buf_len(port, &size);
	v |= size;
	/* without it the 82576 drops untagged frames from 1515 bytes on: there RLPML is the limit */
	if (p->hw.gen->rx_max != NULL || mtu + PLX_ETH_OVERHEAD - 4 > E1000_FRAME_NO_LPE)
		v |= E1000_RCTL_LPE;
	if (p->promisc)
		v |= E1000_RCTL_UPE | E1000_RCTL_MPE;
	else if (p->n_vlans != 0)
		v |= E1000_RCTL_VFE;
	if (p->allmulti)
		v |= E1000_RCTL_MPE;
	return v;
}

static void rctl_update(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);

	if (p->running && port->conf.n_rxq != 0)
		e1000_wr(&p->hw, E1000_RCTL, rctl(port, port->conf.mtu));
	e1000_flush(&p->hw);
}

/* The device strips and inserts, or does neither: where only one is wanted, RX undoes the other. */
static void vlan_update(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);

	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (rxq(port, i) != NULL)
			PLX_WRITE_ONCE(rxq(port, i)->strip, p->strip);
	e1000_vlan_mode(&p->hw, p->strip || p->tx_vlan);
	e1000_flush(&p->hw);
}

static int check_room(struct plx_port *port, uint32_t mtu)
{
	const uint32_t frame = mtu + PLX_ETH_OVERHEAD - 4;
	uint32_t size, len = buf_len(port, &size);

	if (len == 0 || (port->conf.rx_offloads & PLX_RX_OFFLOAD_SCATTER) || frame <= len)
		return 0;
	return plx_err(EINVAL,
		"%s: a frame may have %u bytes (MTU %u), the device writes %u into a data room: "
		"configure PLX_RX_OFFLOAD_SCATTER, a smaller MTU or larger rooms",
		plx_port_name(port), frame, mtu, len);
}

/* RCTL for an MTU, and what belongs to it. */
static void rctl_write(struct plx_port *port, uint32_t mtu)
{
	struct e1000_port *p = e1000_priv(port);

	if (p->hw.gen->rx_max != NULL)
		p->hw.gen->rx_max(&p->hw, mtu + PLX_ETH_OVERHEAD - 4);
	e1000_wr(&p->hw, E1000_RCTL, rctl(port, mtu));
}

static int start_rx(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);
	uint32_t size, len = buf_len(port, &size);

	p->hw.gen->rx_unit(&p->hw, (port->conf.rx_offloads & PLX_RX_OFFLOAD_CKSUM) != 0, p->rss.on);
	e1000_rss_start(p);
	for (uint16_t i = 0; i < port->conf.n_rxq; i++) {
		struct e1000_rxq *q = rxq(port, i);
		int err;

		q->buf_len = (uint16_t)len;
		err = p->hw.gen->rx_ring(
			&q->win, q->dma.iova, q->h.n_desc, len, port->conf.n_rxq > 1);
		if (err < 0)
			return err;
		e1000_rxq_fill(q);
	}
	rctl_write(port, port->conf.mtu);
	/* 4.6.5: descriptors are handed over once the receiver is on */
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		e1000_rx_doorbell(rxq(port, i));
	return 0;
}

static int start_tx(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);

	p->hw.gen->tx_unit(&p->hw);
	for (uint16_t i = 0; i < port->conf.n_txq; i++) {
		struct e1000_txq *q = txq(port, i);
		int err = p->hw.gen->tx_ring(&q->win, q->dma.iova, q->h.n_desc);

		if (err < 0)
			return err;
	}
	return 0;
}

static bool is_set(const struct plx_mac *mac)
{
	static const struct plx_mac none;

	return memcmp(mac, &none, sizeof(none)) != 0;
}

static int start(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);
	int err = check_room(port, port->conf.mtu);

	if (err < 0)
		return err;
	if (p->gathered_ns == 0)
		e1000_stats_gather(p);
	e1000_mac_set(&p->hw, &p->mac);
	for (uint32_t i = 1; i < E1000_N_RAR; i++)
		e1000_rar_set(&p->hw, i, is_set(&p->more[i - 1]) ? &p->more[i - 1] : NULL);
	e1000_mta_set(&p->hw, p->mta);
	e1000_vfta_set(&p->hw, p->vfta);
	vlan_update(port);
	e1000_pause_start(port);
	if (port->conf.n_txq != 0)
		err = start_tx(port);
	if (err == 0)
		err = plx_pci_set_master(p->hw.pci, true);
	if (err < 0)
		return err;
	p->running = true;
	if (port->conf.n_rxq != 0)
		err = start_rx(port);
	if (err < 0)
		return err;
	if (port->conf.n_txq != 0)
		p->hw.gen->tx_on(&p->hw);
	e1000_irq_start(port);
	return 0;
}

/* The device's reset; a PHY that it reset as well negotiates again. */
static int reset(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);
	int err = e1000_hw_reset(&p->hw);

	return err < 0 ? err : e1000_phy_init(&p->hw);
}

/* Have all rings been sent? */
static bool all_sent(struct plx_port *port)
{
	bool sent = true;

	for (uint16_t i = 0; i < port->conf.n_txq; i++) {
		if (txq(port, i) == NULL)
			continue;
		e1000_tx_done(txq(port, i));
		sent = sent && txq(port, i)->used == 0;
	}
	return sent;
}

/* Waits for what the device is sending; without a link it sends nothing. */
static void finish_tx(struct plx_port *port)
{
	struct plx_link now = {0};

	for (unsigned ms = 0; ms < E1000_FINISH_MS && !all_sent(port); ms++) {
		if (e1000_hw_link(&e1000_priv(port)->hw, &now) < 0 || !now.up)
			return;
		plx_pci_delay(e1000_priv(port)->hw.pci, 1000000);
	}
}

static void stop(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);

	e1000_irq_stop(port);
	if (!plx_pci_gone(p->hw.pci)) {
		if (p->running)
			finish_tx(port);
		e1000_stats_gather_all(port); /* the reset clears them */
		if (reset(port) < 0)
			plx_logf(p->hw.log, PLX_LOG_WARN, "%s: stopping: %s", plx_port_name(port),
				plx_errmsg());
	}
	/* whatever the device thought of the reset, it reaches no memory from here on */
	if (plx_pci_set_master(p->hw.pci, false) < 0 && !plx_pci_gone(p->hw.pci))
		plx_logf(p->hw.log, PLX_LOG_ERR,
			"%s: stopping: %s; a device that did not obey its reset either may write "
			"to buffers that are in use again: close the port, and look at the device",
			plx_port_name(port), plx_errmsg());
	p->running = false;
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (rxq(port, i) != NULL)
			e1000_rxq_drain(rxq(port, i));
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		if (txq(port, i) != NULL)
			e1000_txq_drain(txq(port, i));
}

static bool gone(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);

	return plx_pci_gone(p->hw.pci) || e1000_rd(&p->hw, E1000_STATUS) == UINT32_MAX;
}

static int link(struct plx_port *port, struct plx_link *out)
{
	int err = e1000_hw_link(&e1000_priv(port)->hw, out);

	return err < 0 ? err : e1000_pause_link(port, out);
}

/* Before the counters stick: at 1 Gbit/s 32 bits last for 48 minutes. */
static void control(struct plx_port *port, uint64_t now_ns)
{
	struct e1000_port *p = e1000_priv(port);

	if (now_ns - p->gathered_ns > UINT64_C(600000000000))
		e1000_stats_gather(p);
}

static plx_rx_fn rx_select(struct plx_port *port, const struct plx_rxq *q)
{
	return e1000_priv(port)->hw.gen->rx_select(port, q);
}

static plx_tx_fn tx_select(struct plx_port *port, const struct plx_txq *q)
{
	return e1000_priv(port)->hw.gen->tx_select(port, q);
}

/* ---- filters ---- */

static int set_mtu(struct plx_port *port, uint32_t mtu)
{
	struct e1000_port *p = e1000_priv(port);
	const uint32_t frame = mtu + PLX_ETH_OVERHEAD - 4;
	int err = check_room(port, mtu);

	if (err < 0)
		return err;
	plx_port_set_max_pkt(port, frame);
	if (p->running && port->conf.n_rxq != 0)
		rctl_write(port, mtu);
	e1000_flush(&p->hw);
	return 0;
}

static int set_promisc(struct plx_port *port, bool on)
{
	e1000_priv(port)->promisc = on;
	rctl_update(port);
	return 0;
}

static int set_allmulti(struct plx_port *port, bool on)
{
	e1000_priv(port)->allmulti = on;
	rctl_update(port);
	return 0;
}

static int set_mac(struct plx_port *port, const struct plx_mac *mac)
{
	struct e1000_port *p = e1000_priv(port);

	p->mac = *mac;
	e1000_mac_set(&p->hw, mac);
	e1000_flush(&p->hw);
	return 0;
}

/* Entry of the table of more addresses that is mac, or (NULL) the first that is free; or the table's end. */
static uint32_t find_mac(const struct e1000_port *p, const struct plx_mac *mac)
{
	uint32_t i = 0;

	while (i < PLX_ARRAY_SIZE(p->more) &&
		(mac != NULL ? memcmp(&p->more[i], mac, sizeof(*mac)) != 0 : is_set(&p->more[i])))
		i++;
	return i;
}

static int add_mac(struct plx_port *port, const struct plx_mac *mac)
{
	struct e1000_port *p = e1000_priv(port);
	uint32_t i;

	if (find_mac(p, mac) < PLX_ARRAY_SIZE(p->more))
		return 0;
	i = find_mac(p, NULL);
	if (i == PLX_ARRAY_SIZE(p->more))
		return plx_err(ENOSPC,
			"%s: its filter has %u addresses beside the station's, and all are taken: "
			"delete one, or go promiscuous",
			plx_port_name(port), i);
	p->more[i] = *mac;
	e1000_rar_set(&p->hw, i + 1, mac);
	e1000_flush(&p->hw);
	return 0;
}

static int del_mac(struct plx_port *port, const struct plx_mac *mac)
{
	struct e1000_port *p = e1000_priv(port);
	const uint32_t i = find_mac(p, mac);

	if (i == PLX_ARRAY_SIZE(p->more) || !is_set(mac))
		return plx_err(EINVAL, "%s: that address was not added", plx_port_name(port));
	p->more[i] = (struct plx_mac){0};
	e1000_rar_set(&p->hw, i + 1, NULL);
	e1000_flush(&p->hw);
	return 0;
}

static int set_mcast(struct plx_port *port, const struct plx_mac *list, size_t n)
{
	struct e1000_port *p = e1000_priv(port);

	memset(p->mta, 0, sizeof(p->mta));
	for (size_t i = 0; i < n; i++) {
		uint32_t bit = e1000_mcast_bit(&list[i]);

		p->mta[bit / 32] |= PLX_BIT(bit % 32);
	}
	e1000_mta_set(&p->hw, p->mta);
	e1000_flush(&p->hw);
	return 0;
}

/* The filter is on while it lets any id pass; packets without a tag always do. */
static int vlan_filter(struct plx_port *port, uint16_t id, bool on)
{
	struct e1000_port *p = e1000_priv(port);
	uint32_t *word = &p->vfta[id / 32], bit = PLX_BIT(id % 32);

	if (((*word & bit) != 0) == on)
		return 0;
	*word ^= bit;
	p->n_vlans = on ? p->n_vlans + 1 : p->n_vlans - 1;
	e1000_wr(&p->hw, E1000_VFTA(id / 32u), *word);
	rctl_update(port);
	return 0;
}

static int vlan_strip(struct plx_port *port, bool on)
{
	e1000_priv(port)->strip = on;
	vlan_update(port);
	return 0;
}

static const struct plx_eth_ops ops = {
	.priv_size = sizeof(struct e1000_port),
	.rxq_size = sizeof(struct e1000_rxq),
	.txq_size = sizeof(struct e1000_txq),
	.open = open,
	.close = close,
	.info = info,
	.configure = configure,
	.rxq_setup = e1000_rxq_setup,
	.rxq_release = e1000_rxq_release,
	.txq_setup = e1000_txq_setup,
	.txq_release = e1000_txq_release,
	.start = start,
	.stop = stop,
	.link = link,
	.stats = e1000_stats,
	.stats_reset = e1000_stats_reset,
	.rx_select = rx_select,
	.tx_select = tx_select,
	.reclaim = e1000_tx_reclaim,
	.reset = reset,
	.gone = gone,
	.control = control,
	.rxq_progress = e1000_rxq_progress,
	.txq_progress = e1000_txq_progress,
	.tx_prepare = e1000_tx_prepare,
	.set_mtu = set_mtu,
	.set_promisc = set_promisc,
	.set_allmulti = set_allmulti,
	.set_mac = set_mac,
	.add_mac = add_mac,
	.del_mac = del_mac,
	.set_mcast = set_mcast,
	.vlan_filter = vlan_filter,
	.vlan_strip = vlan_strip,
	.set_rss = e1000_set_rss,
	.get_rss = e1000_get_rss,
	.get_pause = e1000_get_pause,
	.set_pause = e1000_set_pause,
	.set_speed = e1000_set_speed,
	.rxq_fd = e1000_rxq_fd,
	.rxq_arm = e1000_rxq_arm,
	.set_moderation = e1000_set_moderation,
	.xstats = e1000_xstats,
	.regs = e1000_regs,
	.eeprom_len = e1000_eeprom_len,
	.eeprom_read = e1000_eeprom_read,
	.rxq_descs = e1000_rxq_descs,
	.txq_descs = e1000_txq_descs,
};

extern const struct plx_driver plx_driver_e1000;
const struct plx_driver plx_driver_e1000 = {
	.name = "e1000",
	.help = "Intel 82540EM, 82545EM, 82574L, 82576 gigabit Ethernet: "
		"qemu:SOCKET,slot=N,ram=FILE (QEMU's e1000, e1000-82545em, e1000e, igb)",
	.cls = PLX_DEV_ETH,
	.ids = ids,
	.ops = &ops,
};
