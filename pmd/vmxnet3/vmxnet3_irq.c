/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RX interrupts. Vector i is RX queue i's; a last one, which stays masked, is that of TX and events,
 * which control work looks for. A vector masks itself when it fires, and remembers what happens while
 * it is masked: unmasking it fires at once then. With fewer vectors than queues, vectors are shared.
 */
#include <unistd.h>

#include "vmxnet3.h"

/* Queue i's vector. */
static uint32_t vector_of(const struct vmxnet3_port *p, uint32_t i)
{
	return p->n_irqs != 0 ? i % p->n_irqs : i;
}

/* The one that nobody waits for; with a single vector there is none of its own. */
static uint32_t quiet_vector(const struct vmxnet3_port *p)
{
	return p->n_irqs == 1 ? 0 : p->n_rxq;
}

void vmxnet3_irq_fill(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	struct vmxnet3_intr_conf *c = &p->mem->shared.intr;
	const uint8_t quiet = (uint8_t)quiet_vector(p);

	c->auto_mask = 1;
	c->n_intrs = (uint8_t)(p->n_irqs == 1 ? 1 : p->n_rxq + 1);
	c->event_intr = quiet;
	c->ctrl = plx_le32_make(p->n_irqs != 0 ? 0 : VMXNET3_IC_DISABLE_ALL);
	for (uint32_t i = 0; i < p->n_txq; i++)
		vmxnet3_tx_desc(p, i)->tx.intr = quiet;
	for (uint32_t i = 0; i < p->n_rxq; i++) {
		vmxnet3_rx_desc(p, i)->rx.intr = (uint8_t)vector_of(p, i);
		c->levels[vector_of(p, i)] = p->levels[i];
	}
}

void vmxnet3_irq_end(struct vmxnet3_port *p)
{
	if (p->n_irqs != 0)
		plx_pci_irq_disable(p->hw.pci);
	p->n_irqs = 0;
}

/*
 * Turns interrupts on with the first descriptor that is asked for. A running device knows its
 * queues' vectors already: all of them must be had then.
 */
static int turn_on(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	const uint32_t want = p->n_rxq + 1u;
	uint32_t got;
	int err;

	if (p->n_irqs != 0)
		return 0;
	err = plx_pci_irq_enable(p->hw.pci, want, &got, &p->irq_type);
	if (err < 0)
		return err;
	if (got < want && p->running) {
		plx_pci_irq_disable(p->hw.pci);
		return plx_err(EBUSY,
			"%s: %u interrupt vectors of %u: queues share them, which must be settled "
			"before the port is started; stop it, ask, and start it",
			plx_port_name(port), got, want);
	}
	p->n_irqs = got < want ? 1 : got;
	if (p->running)
		plx_le32_write_once(&p->mem->shared.intr.ctrl, 0);
	return 0;
}

int vmxnet3_rxq_fd(struct plx_port *port, struct plx_rxq *h)
{
	int err = turn_on(port);

	return err < 0 ? err
		       : plx_pci_irq_fd(port->dev->pci, vector_of(vmxnet3_priv(port), h->index));
}

int vmxnet3_rxq_arm(struct plx_port *port, struct plx_rxq *h, bool on)
{
	const struct vmxnet3_port *p = vmxnet3_priv(port);
	const uint32_t vector = vector_of(p, h->index);
	uint64_t fired;

	if (p->n_irqs == 0)
		return plx_err(EINVAL, "%s: ask for RX queue %u's descriptor before arming it",
			plx_port_name(port), h->index);
	if (on) {
		/* what fired before is over; nothing to read: nothing had */
		if (read(plx_pci_irq_fd(p->hw.pci, vector), &fired, sizeof(fired)) < 0)
			fired = 0;
		if (p->irq_type == PLX_IRQ_INTX)
			(void)vmxnet3_rd(&p->hw, VMXNET3_ICR);
		(void)plx_pci_irq_rearm(p->hw.pci);
	}
	plx_wr32(&p->hw.door, VMXNET3_IMR(vector), on ? 0 : 1);
	return 0;
}

/* Levels mean no times: each one stands for twice the time of the one below, the first for 10 us. */
static uint8_t level_of(uint64_t ns)
{
	uint64_t us10 = 10000;
	uint8_t level = ns != 0;

	for (; level != 0 && level < VMXNET3_LEVEL_MAX && us10 < ns; us10 *= 2)
		level++;
	return level;
}

int vmxnet3_set_moderation(struct plx_port *port, struct plx_rxq *h, uint64_t ns)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);

	p->levels[h->index] = level_of(ns);
	p->mem->shared.intr.levels[vector_of(p, h->index)] = p->levels[h->index];
	plx_io_wmb(); /* the level, then the command */
	return p->running ? vmxnet3_cmd(&p->hw, VMXNET3_CMD_UPDATE_IML) : 0;
}
