/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model: interrupts and their moderation (7.4). */
#include "fake_82574_priv.h"

enum { CTRL_EXT_EIAME = 1u << 24, ITR_NS = 256, VECTORS = 5 };

/* 10.2.4: IVAR has four bits a cause: three for the vector, one that it is valid. */
static const struct {
	uint32_t bit;
	uint8_t shift;
} map[] = {{ICR_RXQ0, 0}, {ICR_RXQ1, 4}, {ICR_TXQ0, 8}, {ICR_TXQ1, 12}, {ICR_OTHER, 16}};

/* 7.4.4: not sooner after the one before than its ITR or EITR says. */
static bool may_fire(struct fake_82574 *m, uint32_t vector, uint32_t itr)
{
	uint64_t now = m574_now(m), least = (uint64_t)(m574_get(m, itr) & 0xffff) * ITR_NS;

	if (m->fired_at[vector] != 0 && now - m->fired_at[vector] < least)
		return false;
	m->fired_at[vector] = now;
	fake_irq(m->pci, vector);
	m574_count(m, R_IAC, 1);
	return true;
}

static void msix(struct fake_82574 *m)
{
	uint32_t ivar = m574_get(m, R_IVAR);

	for (size_t i = 0; i < PLX_ARRAY_SIZE(map); i++) {
		uint32_t entry = ivar >> map[i].shift & 15, bit = map[i].bit;

		if ((m->irq_pending & bit) == 0 || (entry & 8) == 0)
			continue;
		if ((entry & 7) >= VECTORS) {
			m574_violation(m, "10.2.4: IVAR names vector %u of 5", entry & 7);
			continue;
		}
		if (!may_fire(m, entry & 7, R_EITR + 4 * (entry & 7)))
			continue;
		m->irq_pending &= ~bit;
		if ((m574_get(m, R_EIAC) & bit) != 0) /* 7.4.5: cleared by itself */
			m574_set(m, R_ICR, m574_get(m, R_ICR) & ~bit);
		if ((m574_get(m, R_CTRL_EXT) & CTRL_EXT_EIAME) != 0)
			m574_set(m, R_IMS, m574_get(m, R_IMS) & ~(m574_get(m, R_IAM) & bit));
	}
}

/* What is let through and waits for nothing but time. */
void m574_irq_sync(struct fake_82574 *m)
{
	if (m->gen->irq_sync != NULL) {
		m->gen->irq_sync(m);
		return;
	}
	m->irq_pending &= m574_get(m, R_ICR) & m574_get(m, R_IMS);
	if (m->irq_pending == 0 || m->opts.mapped)
		return;
	if (m->pci->irq_type == PLX_IRQ_MSIX) {
		msix(m);
	} else if (m->pci->irq_type != PLX_IRQ_NONE && may_fire(m, 0, R_ITR)) {
		m->irq_pending = 0;
		m574_set(m, R_ICR, m574_get(m, R_ICR) | ICR_ASSERTED);
	}
}

void m574_cause(struct fake_82574 *m, uint32_t bits)
{
	uint32_t other = ICR_LSC | ICR_RXO;

	if ((bits & other) != 0 && m->gen->irq_sync == NULL)
		bits |= ICR_OTHER;
	m574_set(m, R_ICR, m574_get(m, R_ICR) | bits);
	/* what is new; or all that waits, when the mask changed */
	m->irq_pending |= bits != 0 ? bits : m574_get(m, R_ICR);
	m574_irq_sync(m);
}

void m574_queue_cause(struct fake_82574 *m, bool rx, uint32_t queue)
{
	m574_cause(m, (uint32_t)(rx ? ICR_RXQ0 : ICR_TXQ0) << queue);
}

uint32_t m574_icr_read(struct fake_82574 *m)
{
	uint32_t v = m574_get(m, R_ICR);

	m574_set(m, R_ICR, 0); /* 7.4.5 */
	return v;
}
