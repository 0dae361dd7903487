/* SPDX-License-Identifier: BSD-3-Clause */
/* What the device counts (10.2.7), and the dump of its registers. */
#include <stdio.h>

#include "e1000.h"

static const struct {
	uint32_t offset, bytes, in;
	const char *name;
} stat_rows[E1000_N_STATS] = {
#define X(name, offset, bytes, in, text) {offset, bytes, E1000_IN_##in, text},
	E1000_STATS(X)
#undef X
};

enum access { RO, RW, WO, RC, SE };
static const struct {
	const char *name;
	uint32_t offset;
	enum access access;
	uint32_t in;
} reg_rows[] = {
#define X(name, offset, access, in, section, text) {#name, offset, access, E1000_IN_##in},
	E1000_REGS(X)
#undef X
};

/* Registers of the 82576's queues. */
struct queue_row {
	const char *name;
	uint32_t offset;
	enum access access;
};
static const struct queue_row rx_queue_rows[] = {
#define X(name, offset, access, text) {#name, offset, access},
	E1000_RX_QUEUE_REGS(X)};
static const struct queue_row tx_queue_rows[] = {E1000_TX_QUEUE_REGS(X)
#undef X
};

/*
 * Where reading may leave a counter as it is: one that says no less at once when it is read again was
 * not cleared, and what counts is what was added.
 */
static uint64_t recount(struct e1000_port *p, unsigned i, uint32_t v)
{
	uint32_t again = v != 0 ? e1000_rd(&p->hw, stat_rows[i].offset) : 0, before = p->kept[i];

	if (again == UINT32_MAX)
		return again;
	p->kept[i] = again >= v ? again : 0;
	if (again < v)
		return (uint64_t)v + again;
	return again >= before ? again - before : again; /* less: it was reset */
}

bool e1000_stat_update(struct e1000_port *p, unsigned i)
{
	uint64_t v = e1000_rd(&p->hw, stat_rows[i].offset);

	if (stat_rows[i].bytes == 8)
		v |= (uint64_t)e1000_rd(&p->hw, stat_rows[i].offset + 4) << 32;
	else if (p->hw.gen->stats_kept && v != UINT32_MAX)
		v = recount(p, i, (uint32_t)v);
	/* all ones: the device is gone, or stuck at the maximum */
	if (v == UINT32_MAX || v == UINT64_MAX)
		return false;
	p->stats[i] += v;
	return true;
}

/*
 * The registers stick at their maximum: to be called before 2^32 packets have passed. What the first
 * call finds was counted before the port was opened.
 */
void e1000_stats_gather(struct e1000_port *p)
{
	for (unsigned i = 0; i < E1000_N_STATS; i++)
		if (stat_rows[i].in & p->hw.gen->in)
			e1000_stat_update(p, i);
	if (p->gathered_ns == 0)
		memset(p->stats, 0, sizeof(p->stats));
	p->gathered_ns = plx_clock_ns();
}

void e1000_stats_gather_all(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);

	if (plx_pci_gone(port->dev->pci))
		return;
	e1000_stats_gather(p);
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (port->rxqs[i] != NULL)
			e1000_rxq_lost(p, (struct e1000_rxq *)port->rxqs[i]);
}

void e1000_stats(struct plx_port *port, struct plx_port_stats *s)
{
	struct e1000_port *p = e1000_priv(port);
	const uint64_t *c = p->stats;

	e1000_stats_gather_all(port);
	s->rx_missed += c[E1000_STAT_MPC] + p->dropped;
	s->rx_errors += c[E1000_STAT_CRCERRS] + c[E1000_STAT_ALGNERRC] + c[E1000_STAT_RXERRC] +
			c[E1000_STAT_RLEC] + c[E1000_STAT_CEXTERR];
	s->tx_errors += c[E1000_STAT_ECOL] + c[E1000_STAT_LATECOL];
}

void e1000_stats_reset(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);

	e1000_stats_gather_all(port);
	memset(p->stats, 0, sizeof(p->stats));
	p->dropped = 0;
}

static void put(struct plx_xstat *out, size_t max, size_t *n, const char *name, uint64_t v)
{
	if (*n < max) {
		snprintf(out[*n].name, sizeof(out[*n].name), "%s", name);
		out[*n].value = v;
	}
	++*n;
}

int e1000_xstats(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n)
{
	struct e1000_port *p = e1000_priv(port);

	*n = 0;
	e1000_stats_gather(p);
	for (unsigned i = 0; i < E1000_N_STATS; i++)
		if (stat_rows[i].in & p->hw.gen->in)
			put(out, max, n, stat_rows[i].name, p->stats[i]);
	return 0;
}

/* Of one queue; with their number behind their names. */
static void put_queue(struct plx_xstat *out, size_t max, size_t *n, const struct plx_win *win,
	const struct queue_row *rows, size_t n_rows, unsigned queue)
{
	for (size_t i = 0; i < n_rows; i++) {
		char name[16];

		if (rows[i].access != RW)
			continue;
		snprintf(name, sizeof(name), "%s%u", rows[i].name, queue);
		put(out, max, n, name, *n < max ? plx_rd32(win, rows[i].offset) : 0);
	}
}

/* Those that can be read without changing anything. */
int e1000_regs(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n)
{
	struct e1000_port *p = e1000_priv(port);

	*n = 0;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(reg_rows); i++)
		if ((reg_rows[i].in & p->hw.gen->in) &&
			(reg_rows[i].access == RO || reg_rows[i].access == RW))
			put(out, max, n, reg_rows[i].name,
				*n < max ? e1000_rd(&p->hw, reg_rows[i].offset) : 0);
	for (unsigned i = 0; (p->hw.gen->in & E1000_IN_82576) && i < p->hw.gen->queues; i++) {
		const struct plx_win rx = e1000_rx_win(&p->hw, i), tx = e1000_tx_win(&p->hw, i);

		put_queue(out, max, n, &rx, rx_queue_rows, PLX_ARRAY_SIZE(rx_queue_rows), i);
		put_queue(out, max, n, &tx, tx_queue_rows, PLX_ARRAY_SIZE(tx_queue_rows), i);
	}
	return 0;
}
