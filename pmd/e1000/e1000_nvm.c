/* SPDX-License-Identifier: BSD-3-Clause */
/* The EEPROM, a word of 16 bits at a time through EERD (10.2.2); bytes are as they lie in it. */
#include "e1000.h"

#define MS UINT64_C(1000000)

/* 10.2.2: EEC has log2 of the words, less 6. */
uint32_t e1000_eec_words(struct e1000_hw *hw)
{
	return 1u << PLX_MIN((e1000_rd(hw, E1000_EEC) >> 11 & 15) + 6, 14u);
}

static int read_word(struct e1000_hw *hw, uint32_t word, uint16_t *v)
{
	const struct e1000_gen *gen = hw->gen;
	uint32_t eerd;
	int err;

	e1000_wr(hw, E1000_EERD, word << gen->eerd_addr_shift | E1000_EERD_START);
	err = plx_win_wait(&hw->win, E1000_EERD, gen->eerd_done, gen->eerd_done, 10 * MS,
		"EERD.DONE: a word of the EEPROM");
	if (err < 0)
		return err;
	eerd = e1000_rd(hw, E1000_EERD);
	if (eerd == UINT32_MAX && plx_pci_gone(hw->pci))
		return plx_err(ENODEV, "%s: gone", plx_pci_name(hw->pci));
	*v = (uint16_t)(eerd >> 16);
	return 0;
}

int e1000_eeprom_len(struct plx_port *port, uint32_t *len)
{
	struct e1000_port *p = e1000_priv(port);

	if (p->hw.gen->nvm_words == NULL)
		return plx_err(ENOTSUP, "%s: the EEPROM of a %s cannot be read",
			plx_port_name(port), p->hw.model->name);
	*len = 2 * p->hw.gen->nvm_words(&p->hw);
	return 0;
}

int e1000_eeprom_read(struct plx_port *port, uint32_t off, void *buf, uint32_t len)
{
	struct e1000_port *p = e1000_priv(port);
	uint8_t *to = buf;
	uint16_t v = 0;
	int err = 0;

	for (uint32_t i = 0; i < len && err == 0; i++) {
		if (i == 0 || (off + i) % 2 == 0)
			err = read_word(&p->hw, (off + i) / 2, &v);
		to[i] = (uint8_t)((off + i) % 2 == 0 ? v : v >> 8);
	}
	return err < 0 ? plx_err_prefix(err, "%s", plx_port_name(port)) : 0;
}
