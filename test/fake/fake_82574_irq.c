/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model: interrupts (7.4). No moderation: ITR and EITR are taken as 0. */
#include "fake_82574_priv.h"

/* 10.2.4: IVAR has four bits a cause: three for the vector, one that it is valid. */
static void msix(struct fake_82574 *m, uint32_t causes)
{
	static const struct {
		uint32_t bit;
		uint8_t shift;
	} map[] = {{ICR_RXQ0, 0}, {ICR_RXQ1, 4}, {ICR_TXQ0, 8}, {ICR_TXQ1, 12}, {ICR_OTHER, 16}};
	uint32_t ivar = m574_get(m, R_IVAR);

	for (size_t i = 0; i < PLX_ARRAY_SIZE(map); i++) {
		uint32_t entry = ivar >> map[i].shift & 15;

		if ((causes & map[i].bit) == 0 || (entry & 8) == 0)
			continue;
		fake_irq(m->pci, entry & 7);
		m574_count(m, R_IAC, 1);
		if ((m574_get(m, R_EIAC) & map[i].bit) != 0) /* 7.4.5: cleared by itself */
			m574_set(m, R_ICR, m574_get(m, R_ICR) & ~map[i].bit);
	}
}

void m574_cause(struct fake_82574 *m, uint32_t bits)
{
	uint32_t other = ICR_LSC | ICR_RXO, fire;

	if ((bits & other) != 0)
		bits |= ICR_OTHER;
	m574_set(m, R_ICR, m574_get(m, R_ICR) | bits);
	if (m->opts.mapped)
		return;
	/* what is new and let through; or all that waits, when the mask changed */
	fire = (bits != 0 ? bits : m574_get(m, R_ICR)) & m574_get(m, R_IMS);
	if (fire == 0)
		return;
	if (m->pci->irq_type == PLX_IRQ_MSIX) {
		msix(m, fire);
	} else if (m->pci->irq_type != PLX_IRQ_NONE) {
		m574_set(m, R_ICR, m574_get(m, R_ICR) | ICR_ASSERTED);
		fake_irq(m->pci, 0);
		m574_count(m, R_IAC, 1);
	}
}

uint32_t m574_icr_read(struct fake_82574 *m)
{
	uint32_t v = m574_get(m, R_ICR);

	m574_set(m, R_ICR, 0); /* 7.4.5 */
	return v;
}
