/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts. With MSI-X each RX queue has a vector; then comes that of events, which wakes the port's
 * control work, and one of TX, which stays masked. With MSI or INTx there is one for all of it, and
 * events show when a queue is armed. A vector that fires masks itself, and remembers what happens while
 * it is masked: it fires at once when it is unmasked.
 *
 * Vectors are there from the first start on, until the port is configured anew or closed: descriptors
 * stay the same over stop and reset. Where the transport has none, nothing is lost but waiting: the
 * device is told of the vectors that there would be, and that all of them are disabled.
 */
#define PLX_LOG_TAG "vmxnet3"
#include <unistd.h>

#include "vmxnet3.h"

enum { OTHERS = 2 }; /* vectors behind those of RX queues: events, TX */

static bool single(const struct vmxnet3_port *p)
{
	return p->irq.n == 1;
}

/* Vectors for RX queues. */
static uint32_t rx_vectors(const struct vmxnet3_port *p)
{
	if (p->irq.n == 0)
		return p->n_rxq;
	return single(p) ? 1 : p->irq.n - OTHERS;
}

static uint32_t vector_of(const struct vmxnet3_port *p, uint32_t queue)
{
	return queue % rx_vectors(p);
}

static uint32_t event_vector(const struct vmxnet3_port *p)
{
	return single(p) ? 0 : rx_vectors(p);
}

static uint32_t tx_vector(const struct vmxnet3_port *p)
{
	return single(p) ? 0 : rx_vectors(p) + 1;
}

static int fd_of(const struct vmxnet3_port *p, uint32_t vector)
{
	return plx_pci_irq_fd(p->hw.pci, vector);
}

static void mask(const struct vmxnet3_port *p, uint32_t vector, bool on)
{
	plx_wr32(&p->hw.door, VMXNET3_IMR(vector), on);
}

static void drain(int fd)
{
	uint64_t fired;

	if (read(fd, &fired, sizeof(fired)) < 0)
		return; /* nothing had fired */
}

/* Whoever waits looks again: the port was stopped, or what he waited for may have come meanwhile. */
static void wake(const struct vmxnet3_port *p)
{
	const uint64_t one = 1;

	for (uint32_t i = 0; p->irq.n != 0 && i < rx_vectors(p); i++)
		if (write(fd_of(p, i), &one, sizeof(one)) < 0)
			continue; /* it is readable: full */
}

/* ---- what the device is told ---- */

/* Of queues that share a vector the longest time counts. */
static void fill_levels(struct vmxnet3_port *p)
{
	uint8_t *levels = p->mem->shared.intr.levels;

	for (uint32_t v = 0; v < rx_vectors(p); v++) {
		uint32_t level = 0;

		for (uint32_t q = v; q < p->n_rxq; q += rx_vectors(p))
			level = PLX_MAX(level, (uint32_t)p->levels[q]);
		levels[v] = (uint8_t)level;
	}
}

void vmxnet3_irq_fill(struct vmxnet3_port *p)
{
	struct vmxnet3_intr_conf *c = &p->mem->shared.intr;

	c->auto_mask = 1;
	c->n_intrs = (uint8_t)(tx_vector(p) + 1);
	c->event_intr = (uint8_t)event_vector(p);
	c->ctrl = plx_le32_make(p->irq.n != 0 ? 0 : VMXNET3_IC_DISABLE_ALL);
	for (uint32_t i = 0; i < p->n_txq; i++)
		vmxnet3_tx_desc(p, i)->tx.intr = (uint8_t)tx_vector(p);
	for (uint32_t i = 0; i < p->n_rxq; i++)
		vmxnet3_rx_desc(p, i)->rx.intr = (uint8_t)vector_of(p, i);
	fill_levels(p);
}

/* ---- on and off ---- */

static void event_fired(struct plx_work *work, uint64_t now_ns)
{
	struct vmxnet3_port *p = plx_container_of(work, struct vmxnet3_port, irq.events);

	drain(work->fd);
	mask(p, event_vector(p), false);
	plx_port_kick(p->irq.port);
}

int vmxnet3_irq_enable(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	const uint32_t want = p->n_rxq + (uint32_t)OTHERS;
	uint32_t got;
	int err;

	if (p->irq.n != 0)
		return 0;
	err = plx_pci_irq_enable(p->hw.pci, want, &got, &p->irq.type);
	if (err < 0)
		return err;
	if (p->running) { /* with vectors that were not there when it was started */
		plx_pci_irq_disable(p->hw.pci);
		return plx_err(EBUSY,
			"%s: interrupts could not be had when it was started; start it anew",
			plx_port_name(port));
	}
	p->irq.port = port;
	p->irq.n = p->irq.type == PLX_IRQ_MSIX && got > OTHERS ? got : 1;
	return 0;
}

void vmxnet3_irq_disable(struct vmxnet3_port *p)
{
	if (p->irq.n != 0)
		plx_pci_irq_disable(p->hw.pci);
	p->irq.n = 0;
	p->irq.armed = 0;
}

void vmxnet3_irq_begin(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	int err = vmxnet3_irq_enable(port);

	if (err < 0 && err != -ENOTSUP)
		plx_logf(p->hw.log, PLX_LOG_WARN, "%s: without interrupts: %s", plx_port_name(port),
			plx_errmsg());
}

void vmxnet3_irq_start(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	const uint32_t armed = __atomic_load_n(&p->irq.armed, __ATOMIC_RELAXED);

	if (p->irq.n > 1) {
		p->irq.events.fn = event_fired;
		p->irq.events.fd = fd_of(p, event_vector(p));
		if (plx_work_add(port->ctx, &p->irq.events) == 0)
			mask(p, event_vector(p), false);
	}
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (armed & PLX_BIT(i))
			(void)vmxnet3_rxq_arm(port, port->rxqs[i], true);
	if (armed != 0)
		wake(p);
}

void vmxnet3_irq_stop(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);

	if (p->irq.n > 1)
		plx_work_del(port->ctx, &p->irq.events);
	wake(p);
}

/* ---- operations ---- */

int vmxnet3_rxq_fd(struct plx_port *port, struct plx_rxq *h)
{
	int err = vmxnet3_irq_enable(port);

	return err < 0 ? err : fd_of(vmxnet3_priv(port), vector_of(vmxnet3_priv(port), h->index));
}

/* What came before is there to be seen, and fires as well. */
int vmxnet3_rxq_arm(struct plx_port *port, struct plx_rxq *h, bool on)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	const uint32_t vector = vector_of(p, h->index), bit = PLX_BIT(h->index);

	if (p->irq.n == 0)
		return plx_err(EINVAL, "%s: ask for RX queue %u's descriptor before arming it",
			plx_port_name(port), h->index);
	if (!on) {
		__atomic_and_fetch(&p->irq.armed, ~bit, __ATOMIC_RELAXED);
		mask(p, vector, true);
		return 0;
	}
	__atomic_or_fetch(&p->irq.armed, bit, __ATOMIC_RELAXED);
	drain(fd_of(p, vector));
	if (p->irq.type == PLX_IRQ_INTX)
		(void)vmxnet3_rd(&p->hw, VMXNET3_ICR); /* clears it */
	mask(p, vector, false);
	/* it has arrived, and so has a message of what came before, when this has */
	(void)plx_rd32(&p->hw.door, VMXNET3_IMR(vector));
	(void)plx_pci_irq_rearm(p->hw.pci);
	return 0;
}

/* Levels mean no times: each one stands for twice the time of the one below, the first for 10 us. */
int vmxnet3_set_moderation(struct plx_port *port, struct plx_rxq *h, uint64_t ns)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	uint64_t time = 10000;
	uint8_t level = ns != 0;

	for (; level != 0 && level < VMXNET3_LEVEL_MAX && time < ns; time *= 2)
		level++;
	if (time < ns)
		return plx_err(EINVAL, "%s: %llu ns between interrupts, at most %llu",
			plx_port_name(port), (unsigned long long)ns, (unsigned long long)time);
	p->levels[h->index] = level;
	if (!p->running)
		return 0;
	fill_levels(p);
	plx_io_wmb(); /* the levels, then the command */
	return vmxnet3_tell(&p->hw, VMXNET3_CMD_UPDATE_IML);
}
