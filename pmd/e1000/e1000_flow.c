/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flow control by pause frames, and what the PHY offers in autonegotiation (3.2.3 of the datasheet; IEEE
 * 802.3: 28B for pause, annex 31B for the frames, 22.2.4 for the PHY's registers).
 *
 * What is negotiated is put into CTRL when the link comes up; a link that is down has no flow control.
 */
#include "e1000.h"

/* The address and type of pause frames (802.3, 31B.1), how long one stops the other end: at most. */
enum { PAUSE_ADDR_LOW = 0x00c28001, PAUSE_ADDR_HIGH = 0x0100, PAUSE_TYPE = 0x8808 };
enum { PAUSE_TIME = 0xffff };

/* ---- what is in force ---- */

/* A pause frame is sent when the RX FIFO has so many bytes, another that ends it when it has fewer. */
static void thresholds(struct plx_port *port, bool tx)
{
	struct e1000_port *p = e1000_priv(port);
	const uint32_t fifo = p->hw.gen->rx_fifo_kb * 1024;
	const uint32_t frame = p->hw.model->max_frame + 4;
	/* what is on its way still fits: a frame, and a tenth of the FIFO for the wire */
	const uint32_t high = PLX_MIN(fifo / 10 * 9, fifo > frame ? fifo - frame : fifo / 2) & ~7u;

	e1000_wr(&p->hw, E1000_FCRTL, tx ? (high - 8) | E1000_FCRTL_XONE : 0);
	e1000_wr(&p->hw, E1000_FCRTH, tx ? high : 0);
}

static void put(struct plx_port *port, bool rx, bool tx)
{
	struct e1000_port *p = e1000_priv(port);
	uint32_t ctrl = p->hw.ctrl & ~(E1000_CTRL_RFCE | E1000_CTRL_TFCE);

	ctrl |= (rx ? E1000_CTRL_RFCE : 0) | (tx ? E1000_CTRL_TFCE : 0);
	if (ctrl == p->hw.ctrl)
		return;
	thresholds(port, tx);
	p->hw.ctrl = ctrl;
	e1000_wr(&p->hw, E1000_CTRL, ctrl);
}

/* The table of 28B.3: what both ends' advertisements come to, and no more of it than is wanted. */
static void resolve(
	const struct plx_pause *want, uint32_t ours, uint32_t theirs, bool *rx, bool *tx)
{
	const bool both = ours & theirs & E1000_ADV_PAUSE;
	const bool asym = ours & theirs & E1000_ADV_ASM_DIR;

	*rx = want->rx && (both || (asym && (ours & E1000_ADV_PAUSE)));
	*tx = want->tx && (both || (asym && (theirs & E1000_ADV_PAUSE)));
}

void e1000_pause_start(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);

	e1000_wr(&p->hw, E1000_FCAL, PAUSE_ADDR_LOW);
	e1000_wr(&p->hw, E1000_FCAH, PAUSE_ADDR_HIGH);
	e1000_wr(&p->hw, E1000_FCT, PAUSE_TYPE);
	e1000_wr(&p->hw, E1000_FCTTV, PAUSE_TIME);
	p->pause_known = false;
	if (!p->pause.autoneg)
		put(port, p->pause.rx, p->pause.tx);
}

int e1000_pause_link(struct plx_port *port, const struct plx_link *link)
{
	struct e1000_port *p = e1000_priv(port);
	uint32_t theirs;
	bool rx = false, tx = false;
	int err;

	if (!link->up)
		p->pause_known = false;
	if (!p->running || !link->up || p->pause_known || !p->pause.autoneg)
		return 0;
	if (link->full_duplex && (p->pause.rx || p->pause.tx)) {
		err = e1000_phy_read(&p->hw, E1000_PHY_LPA, &theirs);
		if (err < 0)
			return err;
		resolve(&p->pause, p->hw.adv, theirs, &rx, &tx);
	}
	put(port, rx, tx);
	p->pause_known = true;
	return 0;
}

/* ---- operations ---- */

int e1000_get_pause(struct plx_port *port, struct plx_pause *pause)
{
	const struct e1000_port *p = e1000_priv(port);

	pause->rx = (p->hw.ctrl & E1000_CTRL_RFCE) != 0;
	pause->tx = (p->hw.ctrl & E1000_CTRL_TFCE) != 0;
	pause->autoneg = p->pause.autoneg;
	return 0;
}

int e1000_set_pause(struct plx_port *port, const struct plx_pause *want)
{
	struct e1000_port *p = e1000_priv(port);

	p->pause = *want;
	p->pause_known = false;
	p->hw.adv &= ~(E1000_ADV_PAUSE | E1000_ADV_ASM_DIR);
	if (want->autoneg && want->rx)
		p->hw.adv |= E1000_ADV_PAUSE;
	if (want->autoneg && want->rx != want->tx)
		p->hw.adv |= E1000_ADV_ASM_DIR;
	if (p->running)
		put(port, !want->autoneg && want->rx, !want->autoneg && want->tx);
	/* negotiates anew if what is offered changed */
	return e1000_phy_init(&p->hw);
}

/*
 * One speed alone is offered, rather than forced: the other end negotiates too, and 1000 Mbit/s cannot be
 * forced (802.3, 28D.5).
 */
int e1000_set_speed(struct plx_port *port, const struct plx_link *want)
{
	struct e1000_port *p = e1000_priv(port);
	uint32_t adv = E1000_ADV_SPEEDS, gigabit = E1000_GBCR_FULL;

	if (!want->autoneg) {
		gigabit = want->speed_mbps == 1000 ? E1000_GBCR_FULL : 0;
		adv = 0;
		if (want->speed_mbps == 100)
			adv = want->full_duplex ? E1000_ADV_100_FULL : E1000_ADV_100_HALF;
		else if (want->speed_mbps == 10)
			adv = want->full_duplex ? E1000_ADV_10_FULL : E1000_ADV_10_HALF;
		if ((adv == 0 && gigabit == 0) || (gigabit != 0 && !want->full_duplex))
			return plx_err(EINVAL,
				"%s: %u Mbit/s, %s duplex: it has 10 and 100 with either, and 1000 "
				"with full",
				plx_port_name(port), want->speed_mbps,
				want->full_duplex ? "full" : "half");
	}
	p->hw.adv = (p->hw.adv & ~E1000_ADV_SPEEDS) | adv;
	p->hw.adv_1000 = gigabit;
	p->pause_known = false;
	return e1000_phy_init(&p->hw);
}
