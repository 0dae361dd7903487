/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the fake share. */
#ifndef FAKE_PRIV_H
#define FAKE_PRIV_H

#include "fake_pci.h"

void fake_lock(struct fake_pci *f);
void fake_unlock(struct fake_pci *f);

/* Counts an access; the fault that strikes it, or FAKE_OK. FAKE_GONE has been done already. */
enum fake_fault fake_strike(struct fake_pci *f, enum fake_site site);
/* The value as the fault leaves it. */
uint64_t fake_spoil(enum fake_fault fault, uint64_t v);
void fake_trace(struct fake_pci *f, enum fake_site site, uint32_t bar, uint64_t off, unsigned width,
	uint64_t v);

int fake_domain_open(struct fake_pci *f, struct plx_pci_dev *dev);

#endif
