/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the device counts, and the dump of its registers. The counters lie in the queues' descriptors,
 * where the device writes them on command; it counts from 0 each time it is started.
 */
#include <stdarg.h>
#include <stdio.h>

#include "vmxnet3.h"

static const char *const tx_names[VMXNET3_N_STATS] = {
#define X(name) #name,
	VMXNET3_TX_STATS(X)
#undef X
};

static const char *const rx_names[VMXNET3_N_STATS] = {
#define X(name) #name,
	VMXNET3_RX_STATS(X)
#undef X
};

int vmxnet3_stats_ask(struct vmxnet3_port *p)
{
	return p->running ? vmxnet3_tell(&p->hw, VMXNET3_CMD_GET_STATS) : 0;
}

static uint64_t tx_now(struct vmxnet3_port *p, uint32_t q, uint32_t i)
{
	return p->running ? plx_le64_read_once(&vmxnet3_tx_desc(p, q)->tx.stats[i]) : 0;
}

static uint64_t rx_now(struct vmxnet3_port *p, uint32_t q, uint32_t i)
{
	return p->running ? plx_le64_read_once(&vmxnet3_rx_desc(p, q)->rx.stats[i]) : 0;
}

uint64_t vmxnet3_tx_stat(struct vmxnet3_port *p, uint32_t q, uint32_t i)
{
	return p->tx_base[q][i] + tx_now(p, q, i);
}

uint64_t vmxnet3_rx_stat(struct vmxnet3_port *p, uint32_t q, uint32_t i)
{
	return p->rx_base[q][i] + rx_now(p, q, i);
}

void vmxnet3_stats_keep(struct vmxnet3_port *p)
{
	(void)vmxnet3_stats_ask(p);
	for (uint32_t i = 0; i < VMXNET3_N_STATS; i++) {
		for (uint32_t q = 0; q < p->n_txq; q++)
			p->tx_base[q][i] += tx_now(p, q, i);
		for (uint32_t q = 0; q < p->n_rxq; q++)
			p->rx_base[q][i] += rx_now(p, q, i);
	}
}

void vmxnet3_stats(struct plx_port *port, struct plx_port_stats *s)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);

	if (!plx_pci_gone(port->dev->pci))
		(void)vmxnet3_stats_ask(p);
	for (uint32_t q = 0; q < VMXNET3_MAX_QUEUES; q++) {
		const bool rx = q < p->n_rxq, tx = q < p->n_txq;
		const uint32_t missed = VMXNET3_RX_STAT_out_of_buffers;
		const uint32_t bad = VMXNET3_TX_STAT_error_packets;
		const uint32_t lost = VMXNET3_TX_STAT_discarded_packets;

		/* what it received badly it reports as a packet with an error, which is counted */
		s->rx_missed += rx ? vmxnet3_rx_stat(p, q, missed) : p->rx_base[q][missed];
		s->tx_errors += tx ? vmxnet3_tx_stat(p, q, bad) : p->tx_base[q][bad];
		s->tx_errors += tx ? vmxnet3_tx_stat(p, q, lost) : p->tx_base[q][lost];
	}
}

void vmxnet3_stats_reset(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);

	if (!plx_pci_gone(port->dev->pci))
		(void)vmxnet3_stats_ask(p);
	memset(p->tx_base, 0, sizeof(p->tx_base));
	memset(p->rx_base, 0, sizeof(p->rx_base));
	for (uint32_t i = 0; i < VMXNET3_N_STATS; i++) {
		for (uint32_t q = 0; q < p->n_txq; q++)
			p->tx_base[q][i] -= tx_now(p, q, i);
		for (uint32_t q = 0; q < p->n_rxq; q++)
			p->rx_base[q][i] -= rx_now(p, q, i);
	}
}

struct out {
	struct plx_xstat *to;
	size_t max, *n;
};

__attribute__((format(printf, 3, 4))) static void put(
	const struct out *o, uint64_t v, const char *fmt, ...)
{
	va_list ap;

	if (*o->n < o->max) {
		va_start(ap, fmt);
		vsnprintf(o->to[*o->n].name, sizeof(o->to->name), fmt, ap);
		va_end(ap);
		o->to[*o->n].value = v;
	}
	++*o->n;
}

int vmxnet3_xstats(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	const struct out o = {out, max, n};
	int err = vmxnet3_stats_ask(p);

	*n = 0;
	if (err < 0)
		return err;
	for (uint32_t q = 0; q < port->conf.n_rxq; q++)
		for (uint32_t i = 0; i < VMXNET3_N_STATS; i++)
			put(&o, vmxnet3_rx_stat(p, q, i), "rx%u_%s", q, rx_names[i]);
	for (uint32_t q = 0; q < port->conf.n_txq; q++)
		for (uint32_t i = 0; i < VMXNET3_N_STATS; i++)
			put(&o, vmxnet3_tx_stat(p, q, i), "tx%u_%s", q, tx_names[i]);
	return 0;
}

/* Those that can be read without changing anything, and what the device is told in memory. */
int vmxnet3_regs(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n)
{
	enum access { RO, RW, WO, RC };
	static const struct {
		const char *name;
		uint32_t offset;
		enum access access;
	} rows[] = {
#define X(name, offset, access, text) {#name, offset, access},
		VMXNET3_REGS(X)
#undef X
	};
	const struct vmxnet3_port *p = vmxnet3_priv(port);
	const struct vmxnet3_shared *s = &p->mem->shared;
	const struct out o = {out, max, n};

	*n = 0;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++)
		if (rows[i].access == RW)
			put(&o, vmxnet3_rd(&p->hw, rows[i].offset), "%s", rows[i].name);
	for (uint32_t i = 0; i <= p->n_rxq; i++)
		put(&o, plx_rd32(&p->hw.door, VMXNET3_IMR(i)), "IMR%u", i);
	put(&o, plx_le64_get(s->misc.features), "shared.features");
	put(&o, plx_le32_get(s->misc.mtu), "shared.mtu");
	put(&o, plx_le16_get(s->misc.max_rx_sg), "shared.max_rx_sg");
	put(&o, s->misc.n_txq, "shared.n_txq");
	put(&o, s->misc.n_rxq, "shared.n_rxq");
	put(&o, plx_le32_get(s->filter.mode), "shared.rx_mode");
	put(&o, plx_le32_get(s->intr.ctrl), "shared.intr_ctrl");
	put(&o, plx_le32_read_once(&s->ecr), "shared.ecr");
	return 0;
}
