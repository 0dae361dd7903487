/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts (7.4, 10.2.4). With MSI-X each RX queue has a vector, and a last one is that of link changes,
 * which wakes the port's control work. A queue's vector masks itself when it fires (CTRL_EXT.EIAME, EIAC),
 * until the queue is armed again. With one vector for all (MSI, INTx) the queues share its descriptor, and
 * a link change shows when one is armed.
 *
 * Vectors are there from the first start on, until the port is configured anew or closed: descriptors stay the
 * same over stop and reset. Where the transport has none, nothing is lost but waiting.
 */
#define PLX_LOG_TAG "e1000"
#include <unistd.h>

#include "e1000.h"

static const uint32_t single_rx = E1000_ICR_RXT0 | E1000_ICR_RXO | E1000_ICR_RXDMT0;

static bool has_vectors(const struct e1000_port *p)
{
	return p->irq.n > 1;
}

static uint32_t vector_of(const struct e1000_port *p, uint32_t queue)
{
	return has_vectors(p) ? queue % (p->irq.n - 1) : 0;
}

static int fd_of(const struct e1000_port *p, uint32_t vector)
{
	return plx_pci_irq_fd(p->hw.pci, vector);
}

static void drain(int fd)
{
	uint64_t fired;

	if (read(fd, &fired, sizeof(fired)) < 0)
		return; /* nothing had fired */
}

/* Whoever waits looks again: the port was stopped, or what he waited for may have come meanwhile. */
static void wake(struct e1000_port *p)
{
	const uint64_t one = 1;

	for (uint32_t i = 0; i < (has_vectors(p) ? p->irq.n - 1 : p->irq.n); i++)
		if (write(fd_of(p, i), &one, sizeof(one)) < 0)
			continue; /* it is readable: full */
}

/* ---- the last vector ---- */

static void other_fired(struct plx_work *work, uint64_t now_ns)
{
	struct e1000_port *p = plx_container_of(work, struct e1000_port, irq.other);

	drain(work->fd);
	p->hw.gen->irq->arm_other(&p->hw, p->irq.n - 1);
	plx_port_kick(p->irq.port);
}

/* ---- on and off ---- */

int e1000_irq_enable(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);
	const struct e1000_irq_gen *gen = p->hw.gen->irq;
	const uint32_t want = gen != NULL ? port->conf.n_rxq + 1u : 1;
	uint32_t got;
	int err;

	if (p->irq.n != 0)
		return 0;
	err = plx_pci_irq_enable(p->hw.pci, want, &got, &p->irq.type);
	if (err < 0)
		return err;
	p->irq.port = port;
	/* 82574: without MSI-X all causes are one message's */
	p->irq.n = p->irq.type == PLX_IRQ_MSIX ? got : 1;
	return 0;
}

void e1000_irq_disable(struct e1000_port *p)
{
	if (p->irq.n != 0)
		plx_pci_irq_disable(p->hw.pci);
	p->irq.n = 0;
	p->irq.armed = 0;
}

/* Least times between interrupts; of those that share a vector the longest. */
static void set_moderation(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);
	const struct e1000_gen *gen = p->hw.gen;

	for (uint32_t v = 0; v < (has_vectors(p) ? p->irq.n - 1 : 1); v++) {
		uint32_t units = 0;

		for (uint32_t q = 0; q < port->conf.n_rxq; q++)
			if (vector_of(p, q) == v)
				units = PLX_MAX(units, p->irq.units[q]);
		e1000_wr(&p->hw, has_vectors(p) ? gen->irq->eitr + 4 * v : gen->itr,
			units << gen->itr_shift);
	}
}

void e1000_irq_start(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);
	uint32_t armed = __atomic_load_n(&p->irq.armed, __ATOMIC_RELAXED);
	int err = e1000_irq_enable(port);

	if (err < 0 && err != -ENOTSUP)
		plx_logf(p->hw.log, PLX_LOG_WARN, "%s: without interrupts: %s", plx_port_name(port),
			plx_errmsg());
	if (err < 0)
		return;
	set_moderation(port);
	if (has_vectors(p)) {
		p->hw.gen->irq->route(&p->hw, port->conf.n_rxq, p->irq.n);
		p->irq.other.fn = other_fired;
		p->irq.other.fd = fd_of(p, p->irq.n - 1);
		if (plx_work_add(port->ctx, &p->irq.other) == 0)
			p->hw.gen->irq->arm_other(&p->hw, p->irq.n - 1);
	}
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (armed & PLX_BIT(i))
			(void)e1000_rxq_arm(port, port->rxqs[i], true);
	if (armed != 0)
		wake(p);
}

void e1000_irq_stop(struct plx_port *port)
{
	struct e1000_port *p = e1000_priv(port);

	if (has_vectors(p))
		plx_work_del(port->ctx, &p->irq.other);
	wake(p);
}

/* ---- operations ---- */

int e1000_rxq_fd(struct plx_port *port, struct plx_rxq *h)
{
	int err = e1000_irq_enable(port);

	return err < 0 ? err : fd_of(e1000_priv(port), vector_of(e1000_priv(port), h->index));
}

/*
 * Causes of before are cleared, and have been when this returns: what comes from then on fires. So a
 * packet that came before is there to be seen, and later ones wake.
 */
static void arm_vector(struct e1000_port *p, uint32_t queue)
{
	const struct e1000_irq_gen *gen = p->hw.gen->irq;
	const uint32_t vector = vector_of(p, queue), bit = gen->rx_bit(queue, vector);

	drain(fd_of(p, vector));
	e1000_wr(&p->hw, gen->cause, bit);
	e1000_wr(&p->hw, gen->set, bit);
	e1000_flush(&p->hw);
}

static void arm_single(struct e1000_port *p)
{
	drain(fd_of(p, 0));
	/* reading clears; a link change among them is control work's */
	if (e1000_rd(&p->hw, E1000_ICR) & E1000_ICR_LSC)
		plx_port_kick(p->irq.port);
	e1000_wr(&p->hw, E1000_IMS, single_rx | E1000_ICR_LSC);
	e1000_flush(&p->hw);
	(void)plx_pci_irq_rearm(p->hw.pci);
}

int e1000_rxq_arm(struct plx_port *port, struct plx_rxq *h, bool on)
{
	struct e1000_port *p = e1000_priv(port);
	const struct e1000_irq_gen *gen = p->hw.gen->irq;
	const uint32_t bit = PLX_BIT(h->index);

	if (p->irq.n == 0)
		return plx_err(EINVAL, "%s: ask for RX queue %u's descriptor before arming it",
			plx_port_name(port), h->index);
	if (on) {
		__atomic_or_fetch(&p->irq.armed, bit, __ATOMIC_RELAXED);
		if (has_vectors(p))
			arm_vector(p, h->index);
		else
			arm_single(p);
	} else {
		uint32_t left = __atomic_and_fetch(&p->irq.armed, ~bit, __ATOMIC_RELAXED);

		if (has_vectors(p))
			e1000_wr(&p->hw, gen->clear, gen->rx_bit(h->index, vector_of(p, h->index)));
		else if (left == 0)
			e1000_wr(&p->hw, E1000_IMC, single_rx);
	}
	return 0;
}

int e1000_set_moderation(struct plx_port *port, struct plx_rxq *h, uint64_t ns)
{
	struct e1000_port *p = e1000_priv(port);
	const uint32_t unit = p->hw.gen->itr_unit_ns, max = p->hw.gen->itr_max;

	if (ns > (uint64_t)max * unit)
		return plx_err(EINVAL, "%s: %llu ns between interrupts, at most %llu",
			plx_port_name(port), (unsigned long long)ns,
			(unsigned long long)max * unit);
	p->irq.units[h->index] = (uint32_t)((ns + unit - 1) / unit);
	if (p->running && p->irq.n != 0)
		set_moderation(port);
	return 0;
}
