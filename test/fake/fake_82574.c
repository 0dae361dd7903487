/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model: its life, its time, what it complains of. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_82574_priv.h"

static void on_tick(struct fake_pci *f)
{
	m574_sync(f->model);
}

static void on_cfg(struct fake_pci *f, uint32_t off, unsigned width)
{
	if (off <= 0x04 && off + width > 0x04)
		m574_sync(f->model); /* bus mastering may have come on */
}

/* The transport's reset or D3hot to D0: all of the part (4.2). */
static void on_reset(struct fake_pci *f)
{
	struct fake_82574 *m = f->model;

	m574_regs_reset(m);
	m574_phy_reset(m);
	m->nvm_end = m574_now(m) + m->opts.nvm_ns;
}

static const struct fake_ops ops = {
	.reg_read = m574_reg_read,
	.reg_write = m574_reg_write,
	.cfg_written = on_cfg,
	.reset = on_reset,
	.tick = on_tick,
};

/* Configuration space: 9.0. Four BARs: registers, flash, I/O, MSI-X. */
static void build_pci(struct fake_82574 *m)
{
	struct fake_pci *f = m->pci;

	fake_ids(f, 0x8086, m->gen->device, 0x8086, 0xa01f, 0x020000);
	fake_bar(f, 0, BAR_LEN, m->opts.mapped ? FAKE_BAR_MAPPED : 0);
	fake_bar(f, 1, 64 * 1024, 0);
	fake_bar(f, 2, 32, FAKE_BAR_IO);
	fake_bar(f, 3, 16 * 1024, 0);
	fake_cap_pm(f, false);
	fake_cap_pcie(f, false);
	fake_cap_msix(f, m->gen->vectors, 3, 0, 0x2000);
}

struct fake_82574 *fake_82574_new(const char *name, const struct fake_82574_opts *opts)
{
	static const struct fake_82574_opts defaults = FAKE_82574_OPTS_INIT;
	struct fake_82574 *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		fprintf(stderr, "fake: no memory\n");
		abort();
	}
	m->opts = opts != NULL ? *opts : defaults;
	m->gen = m->opts.part == FAKE_82576 ? &m574_gen_82576 : &m574_gen_82574;
	m->pci = fake_new(name, &ops, m);
	build_pci(m);
	m->regs = (uint32_t *)(void *)m->pci->bars[0].mem;
	m->wall_start = plx_clock_ns();
	m->cable = true;
	m->tx = &m->txq[0];
	m->rx_budget = UINT32_MAX;
	m574_queue_init(&m->fifo);
	m574_queue_init(&m->inbox);
	pthread_mutex_init(&m->inbox_lock, NULL);
	m574_nvm_init(m);
	m574_regs_init(m);
	m574_phy_reset(m);
	m574_nvm_load(m);
	return m;
}

void fake_82574_free(struct fake_82574 *m)
{
	if (m == NULL)
		return;
	if (m->peer != NULL)
		m->peer->peer = NULL;
	m574_queue_free(&m->fifo);
	m574_queue_free(&m->inbox);
	pthread_mutex_destroy(&m->inbox_lock);
	fake_free(m->pci);
	free(m);
}

struct fake_pci *fake_82574_pci(struct fake_82574 *m)
{
	return m->pci;
}

void fake_82574_wire(struct fake_82574 *a, struct fake_82574 *b)
{
	a->peer = b;
	b->peer = a;
}

void fake_82574_on_tx(struct fake_82574 *m, fake_82574_tx_fn fn, void *arg)
{
	fake_lock(m->pci);
	m->tx_fn = fn;
	m->tx_arg = arg;
	fake_unlock(m->pci);
}

void fake_82574_stall(struct fake_82574 *m, bool rx, bool tx)
{
	fake_lock(m->pci);
	m->stall_rx = rx;
	m->stall_tx = tx;
	m574_sync(m);
	fake_unlock(m->pci);
}

void fake_82574_pause_rx(struct fake_82574 *m, uint32_t n)
{
	fake_lock(m->pci);
	m->rx_budget = n;
	m574_sync(m);
	fake_unlock(m->pci);
}

void fake_82574_phy_error(struct fake_82574 *m, bool on)
{
	fake_lock(m->pci);
	m->phy_error = on;
	fake_unlock(m->pci);
}

/* ---- complaints ---- */

void m574_violation(struct fake_82574 *m, const char *fmt, ...)
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

unsigned fake_82574_violations(const struct fake_82574 *m)
{
	return m->n_violations;
}

const char *fake_82574_violation(const struct fake_82574 *m, unsigned i)
{
	return i < m->n_texts ? m->texts[i] : "";
}

void fake_82574_forgive(struct fake_82574 *m)
{
	fake_lock(m->pci);
	m->n_violations = m->n_texts = 0;
	fake_unlock(m->pci);
}

uint32_t fake_82574_peek(const struct fake_82574 *m, uint32_t off)
{
	return m574_get(m, off);
}

void fake_82574_poke(struct fake_82574 *m, uint32_t off, uint32_t v)
{
	fake_lock(m->pci);
	m574_set(m, off, v);
	fake_unlock(m->pci);
}

uint32_t fake_82574_rx_block(const struct fake_82574 *m, uint32_t queue)
{
	return m574_rx_block(m, queue);
}

uint32_t fake_82574_tx_block(const struct fake_82574 *m, uint32_t queue)
{
	return m574_tx_block(m, queue);
}

uint16_t fake_82574_peek_phy(const struct fake_82574 *m, uint32_t reg)
{
	return m->phy[reg & 31];
}

void fake_82574_count(const struct fake_82574 *m, struct fake_82574_counts *c)
{
	fake_lock(m->pci);
	*c = m->counts;
	fake_unlock(m->pci);
}

/* ---- time ---- */

uint64_t m574_now(const struct fake_82574 *m)
{
	/* never 0, which means that nothing is under way */
	return 1 + m->pci->now_ns + (m->opts.wall_clock ? plx_clock_ns() - m->wall_start : 0);
}

static bool ended(uint64_t *end, uint64_t now)
{
	if (*end == 0 || now < *end)
		return false;
	*end = 0;
	return true;
}

/* In mapped mode nobody tells of writes: what was asked for is seen when time passes. */
static void look(struct fake_82574 *m, uint64_t now)
{
	if ((m574_get(m, R_CTRL) & CTRL_RST) != 0 && m->reset_end == 0) {
		m574_regs_reset(m);
		m->reset_end = now + m->opts.reset_ns;
		m->nvm_end = now + m->opts.nvm_ns;
	}
	if ((m574_get(m, R_MDIC) & 3u << 26) != 0 && (m574_get(m, R_MDIC) & 1u << 28) == 0)
		m574_mdic(m);
	if ((m574_get(m, R_EERD) & 3) == 1)
		m574_eerd(m);
	m->gio_end = now;
}

void m574_sync(struct fake_82574 *m)
{
	uint64_t now = m574_now(m);

	if (m->opts.mapped)
		look(m, now);
	if (ended(&m->reset_end, now))
		m574_set(m, R_CTRL, m574_get(m, R_CTRL) & ~(uint32_t)CTRL_RST);
	if (ended(&m->nvm_end, now))
		m574_nvm_load(m);
	if (ended(&m->mdic_end, now))
		m574_mdic(m);
	if (ended(&m->eerd_end, now))
		m574_eerd(m);
	if (ended(&m->gio_end, now)) { /* 10.2.2.2: no request is outstanding any more */
		uint32_t s = m574_get(m, R_STATUS) & ~(uint32_t)STATUS_GIO_ON;

		if ((m574_get(m, R_CTRL) & CTRL_GIO_DIS) == 0)
			s |= STATUS_GIO_ON;
		m574_set(m, R_STATUS, s);
	}
	if (m->gen->sync != NULL)
		m->gen->sync(m);
	m574_link_sync(m);
	if (m->opts.mapped || m->reset_end != 0)
		return;
	m574_inbox_drain(m);
	m574_rx_drain(m);
	m574_tx_kick(m);
	m574_irq_sync(m);
}
