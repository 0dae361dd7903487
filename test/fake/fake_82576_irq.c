/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82576 model: extended interrupts (7.3, 8.8). With GPIE's MSI-X mode EICR has a bit for each vector. */
#include "fake_82576_priv.h"

enum { GPIE_NSICR = 1u << 0, GPIE_MSIX = 1u << 4, GPIE_EIAME = 1u << 30 };
#define VECTOR_BITS ((1u << VECTORS_82576) - 1)

/* 8.8.15: a queue's entry has a byte: five bits of vector, and whether it is valid. */
static uint32_t bit_of(struct fake_82574 *m, uint32_t entry)
{
	if ((entry & 0x80) == 0)
		return 0;
	if ((entry & 0x1f) >= VECTORS_82576)
		m574_violation(m, "8.8.15: IVAR names vector %u of 25", entry & 0x1f);
	return 1u << (entry & 0x1f) & VECTOR_BITS;
}

static bool may_fire(struct fake_82574 *m, uint32_t vector)
{
	/* 8.8.14: microseconds, from bit 2 on */
	uint64_t now = m574_now(m);
	uint64_t least = (uint64_t)(m574_get(m, R6_EITR + 4 * vector) >> 2 & 0x1fff) * 1000;

	if (m->s576.fired_at[vector] != 0 && now - m->s576.fired_at[vector] < least)
		return false;
	m->s576.fired_at[vector] = now;
	fake_irq(m->pci, vector);
	m574_count(m, R_IAC, 1);
	return true;
}

static void msix(struct fake_82574 *m)
{
	uint32_t *pending = &m->s576.pending;

	*pending &= m574_get(m, R6_EICR) & m574_get(m, R6_EIMS);
	for (uint32_t v = 0; v < VECTORS_82576; v++) {
		uint32_t bit = 1u << v;

		if ((*pending & bit) == 0 || !may_fire(m, v))
			continue;
		*pending &= ~bit;
		if ((m574_get(m, R6_EIAC) & bit) != 0)
			m574_set(m, R6_EICR, m574_get(m, R6_EICR) & ~bit);
		if ((m574_get(m, R6_GPIE) & GPIE_EIAME) != 0)
			m574_set(m, R6_EIMS, m574_get(m, R6_EIMS) & ~(m574_get(m, R6_EIAM) & bit));
	}
}

static void raise_ext(struct fake_82574 *m, uint32_t bits)
{
	m574_set(m, R6_EICR, m574_get(m, R6_EICR) | bits);
	m->s576.pending |= bits;
}

void m576_irq_sync(struct fake_82574 *m)
{
	m->irq_pending &= m574_get(m, R_ICR) & m574_get(m, R_IMS);
	if (m->opts.mapped)
		return;
	if (m->pci->irq_type == PLX_IRQ_MSIX) {
		if ((m574_get(m, R6_GPIE) & GPIE_MSIX) == 0)
			return; /* it would be one vector for all, which nobody here sets up */
		if (m->irq_pending != 0)
			raise_ext(m, bit_of(m, m574_get(m, R6_IVAR_MISC) >> 8 & 0xff));
		m->irq_pending = 0;
		msix(m);
	} else if (m->pci->irq_type != PLX_IRQ_NONE && m->irq_pending != 0 && may_fire(m, 0)) {
		m->irq_pending = 0;
		m574_set(m, R_ICR, m574_get(m, R_ICR) | 1u << 31);
	}
}

void m576_queue_cause(struct fake_82574 *m, bool rx, uint32_t queue)
{
	uint32_t ivar = m574_get(m, R6_IVAR + 4 * (queue & 7));
	uint32_t shift = (rx ? 0 : 8) + (queue < 8 ? 0u : 16u);

	raise_ext(m, bit_of(m, ivar >> shift & 0xff));
	m574_irq_sync(m);
}

bool m576_irq_read(struct fake_82574 *m, uint32_t off, uint32_t *v)
{
	if (off == R6_EICR) {
		*v = m574_get(m, off);
		m574_set(m, off, 0);
		return true;
	}
	return false;
}

bool m576_irq_write(struct fake_82574 *m, uint32_t off, uint32_t v)
{
	switch (off) {
	case R6_EICR: /* a 1 clears */
		m574_set(m, off, m574_get(m, off) & ~v);
		break;
	case R6_EICS:
		raise_ext(m, v & VECTOR_BITS);
		break;
	case R6_EIMS: /* what is let through now and waits fires */
		m574_set(m, off, m574_get(m, off) | (v & VECTOR_BITS));
		m->s576.pending |= m574_get(m, R6_EICR) & v;
		break;
	case R6_EIMC:
		m574_set(m, R6_EIMS, m574_get(m, R6_EIMS) & ~v);
		break;
	default:
		return false;
	}
	m574_irq_sync(m);
	return true;
}
