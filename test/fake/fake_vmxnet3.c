/* SPDX-License-Identifier: BSD-3-Clause */
/* The vmxnet3 model: its life, events, interrupts, what it complains of. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_vmxnet3_priv.h"

static void on_tick(struct fake_pci *f)
{
	vx_sync(f->model);
}

/* The transport's reset. */
static void on_reset(struct fake_pci *f)
{
	vx_off(f->model);
}

static const struct fake_ops ops = {
	.reg_read = vx_reg_read,
	.reg_write = vx_reg_write,
	.reset = on_reset,
	.tick = on_tick,
};

struct fake_vmxnet3 *fake_vmxnet3_new(const char *name, const struct fake_vmxnet3_opts *opts)
{
	static const struct fake_vmxnet3_opts defaults = FAKE_VMXNET3_OPTS_INIT;
	struct fake_vmxnet3 *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		fprintf(stderr, "fake: no memory\n");
		abort();
	}
	m->opts = opts != NULL ? *opts : defaults;
	memcpy(m->mac, m->opts.mac, sizeof(m->mac));
	m->pci = fake_new(name, &ops, m);
	fake_ids(m->pci, 0x15ad, 0x07b0, 0x15ad, 0x07b0, 0x020000);
	fake_bar(m->pci, 0, BAR_LEN, 0);
	fake_bar(m->pci, 1, BAR_LEN, 0);
	fake_bar(m->pci, 2, MSIX_LEN, 0);
	fake_cap_pcie(m->pci, false);
	fake_cap_msix(m->pci, INTRS, 2, 0, 0x1000);
	m->cable = true;
	m->inbox_last = &m->inbox;
	pthread_mutex_init(&m->inbox_lock, NULL);
	vx_off(m);
	return m;
}

void fake_vmxnet3_free(struct fake_vmxnet3 *m)
{
	if (m == NULL)
		return;
	if (m->peer != NULL)
		m->peer->peer = NULL;
	while (m->inbox != NULL) {
		struct vx_frame *fr = m->inbox;

		m->inbox = fr->next;
		free(fr);
	}
	pthread_mutex_destroy(&m->inbox_lock);
	fake_free(m->pci);
	free(m);
}

struct fake_pci *fake_vmxnet3_pci(struct fake_vmxnet3 *m)
{
	return m->pci;
}

void fake_vmxnet3_wire(struct fake_vmxnet3 *a, struct fake_vmxnet3 *b)
{
	a->peer = b;
	b->peer = a;
}

void fake_vmxnet3_on_tx(struct fake_vmxnet3 *m, fake_vmxnet3_tx_fn fn, void *arg)
{
	fake_lock(m->pci);
	m->tx_fn = fn;
	m->tx_arg = arg;
	fake_unlock(m->pci);
}

bool fake_vmxnet3_rx(struct fake_vmxnet3 *m, const void *frame, uint32_t len)
{
	return fake_vmxnet3_rx_lro(m, frame, len, 0, 0);
}

bool fake_vmxnet3_rx_lro(
	struct fake_vmxnet3 *m, const void *packet, uint32_t len, uint32_t mss, uint32_t segs)
{
	bool came;

	fake_lock(m->pci);
	came = vx_rx(m, packet, len, mss, segs);
	fake_unlock(m->pci);
	return came;
}

void fake_vmxnet3_bad(struct fake_vmxnet3 *m)
{
	m->bad = true;
}

void fake_vmxnet3_pass_over(struct fake_vmxnet3 *m, uint32_t n)
{
	m->pass_over = n;
}

void fake_vmxnet3_cable(struct fake_vmxnet3 *m, bool in)
{
	fake_lock(m->pci);
	m->cable = in;
	vx_event(m, ECR_LINK);
	vx_sync(m);
	fake_unlock(m->pci);
}

void fake_vmxnet3_stall(struct fake_vmxnet3 *m, bool rx, bool tx)
{
	fake_lock(m->pci);
	m->stall_rx = rx;
	m->stall_tx = tx;
	vx_sync(m);
	fake_unlock(m->pci);
}

void fake_vmxnet3_refuse(struct fake_vmxnet3 *m, uint32_t cmd)
{
	m->refuse = cmd;
}

void fake_vmxnet3_stop_queue(struct fake_vmxnet3 *m, bool rx, uint32_t queue, uint32_t error)
{
	struct vx_queue *q = rx ? &m->rxq[queue] : &m->txq[queue];

	fake_lock(m->pci);
	q->stopped = true;
	q->error = error;
	vx_event(m, rx ? ECR_RQERR : ECR_TQERR);
	fake_unlock(m->pci);
}

void fake_vmxnet3_event(struct fake_vmxnet3 *m, uint32_t bits)
{
	fake_lock(m->pci);
	vx_event(m, bits);
	fake_unlock(m->pci);
}

void fake_vmxnet3_spoil(struct fake_vmxnet3 *m, bool rx, uint64_t q0, uint64_t q1)
{
	fake_lock(m->pci);
	m->spoil[rx].on = true;
	m->spoil[rx].q0 = q0;
	m->spoil[rx].q1 = q1;
	fake_unlock(m->pci);
}

/* ---- complaints, and what tests want to know ---- */

void vx_violation(struct fake_vmxnet3 *m, const char *fmt, ...)
{
	char text[VIOLATION_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	m->n_violations++;
	for (unsigned i = 0; i < m->n_texts; i++)
		if (strcmp(m->texts[i], text) == 0)
			return;
	if (m->n_texts < VIOLATIONS)
		memcpy(m->texts[m->n_texts++], text, sizeof(text));
}

unsigned fake_vmxnet3_violations(const struct fake_vmxnet3 *m)
{
	return m->n_violations;
}

const char *fake_vmxnet3_violation(const struct fake_vmxnet3 *m, unsigned i)
{
	return i < m->n_texts ? m->texts[i] : "";
}

void fake_vmxnet3_forgive(struct fake_vmxnet3 *m)
{
	m->n_violations = m->n_texts = 0;
}

void fake_vmxnet3_count(const struct fake_vmxnet3 *m, struct fake_vmxnet3_counts *c)
{
	fake_lock(m->pci);
	*c = m->counts;
	fake_unlock(m->pci);
}

uint32_t fake_vmxnet3_rev(const struct fake_vmxnet3 *m)
{
	return m->rev;
}

uint32_t fake_vmxnet3_level(const struct fake_vmxnet3 *m, uint32_t vector)
{
	return m->levels[vector];
}

uint32_t fake_vmxnet3_mtu(const struct fake_vmxnet3 *m)
{
	return m->mtu;
}

bool fake_vmxnet3_active(const struct fake_vmxnet3 *m)
{
	return m->active;
}

uint32_t fake_vmxnet3_ring(const struct fake_vmxnet3 *m, bool rx, uint32_t queue,
	enum fake_vmxnet3_ring which, uint64_t *iova)
{
	const struct vx_queue *q = rx ? &m->rxq[queue] : &m->txq[queue];
	const struct vx_ring *r = which == FAKE_VMXNET3_COMP ? &q->comp : &q->ring[which];

	*iova = r->pa;
	return m->active ? r->n * DESC_LEN : 0;
}

/* ---- interrupts and events ---- */

static bool intr_allowed(struct fake_vmxnet3 *m, uint32_t vector)
{
	uint8_t ctrl[4];

	if (fake_dma_read(m->pci, m->shared + SH_INTR_CTRL, ctrl, sizeof(ctrl)) < 0)
		return false;
	if ((ctrl[0] & 1) == 0)
		return true;
	vx_violation(m, "vector %u is unmasked, and all are disabled in intrCtrl", vector);
	return false;
}

static void deliver(struct fake_vmxnet3 *m, uint32_t vector)
{
	struct vx_intr *i = &m->intr[vector];

	if (!i->pending || i->masked || i->asserted || !m->active || !intr_allowed(m, vector))
		return;
	i->pending = false;
	i->asserted = m->pci->irq_type == PLX_IRQ_INTX; /* a line stays so until ICR is read */
	fake_irq(m->pci, vector);
	if (m->auto_mask)
		i->masked = true;
}

void vx_fire(struct fake_vmxnet3 *m, uint32_t vector)
{
	if (vector >= INTRS)
		return;
	m->intr[vector].pending = true;
	deliver(m, vector);
}

void vx_mask(struct fake_vmxnet3 *m, uint32_t vector, bool on)
{
	m->intr[vector].masked = on;
	deliver(m, vector);
}

static void change_events(struct fake_vmxnet3 *m, uint32_t set, uint32_t clear)
{
	uint8_t ecr[4];

	if (m->shared == 0 || fake_dma_read(m->pci, m->shared + SH_ECR, ecr, sizeof(ecr)) < 0)
		return;
	plx_store_le32(ecr, (plx_load_le32(ecr) | set) & ~clear);
	(void)fake_dma_write(m->pci, m->shared + SH_ECR, ecr, sizeof(ecr));
}

void vx_event(struct fake_vmxnet3 *m, uint32_t bits)
{
	if (!m->active)
		return;
	change_events(m, bits, 0);
	vx_fire(m, m->event_intr);
}

void vx_ack(struct fake_vmxnet3 *m, uint32_t bits)
{
	if (!m->active)
		vx_violation(m, "ECR written while the device is off");
	else
		change_events(m, 0, bits);
}

/* As QEMU's model does: what else happened meanwhile is forgotten. */
uint32_t vx_cause(struct fake_vmxnet3 *m)
{
	struct vx_intr *i = &m->intr[0];
	const bool was = i->asserted;

	i->asserted = false;
	if (was)
		i->pending = false;
	if (was && m->auto_mask)
		i->masked = true;
	return was;
}

/* ---- off ---- */

void vx_off(struct fake_vmxnet3 *m)
{
	m->active = false;
	m->shared = 0;
	m->rev = m->upt = 0;
	m->tx.len = m->tx.slots = 0;
	for (uint32_t i = 0; i < INTRS; i++)
		m->intr[i] = (struct vx_intr){.masked = true};
}

void vx_sync(struct fake_vmxnet3 *m)
{
	if (m->pci->gone)
		return;
	vx_inbox_drain(m);
	for (uint32_t i = 0; m->active && i < m->n_txq; i++)
		vx_tx(m, i);
}
