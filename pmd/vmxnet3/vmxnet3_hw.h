/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device below its queues: revisions, commands, address, link. Control threads only, under the
 * port's lock. Calls return 0 or -errno with plx_errmsg(): -ETIMEDOUT (names the command that was
 * not answered), -ENODEV (the device is gone).
 */
#ifndef VMXNET3_HW_H
#define VMXNET3_HW_H

#include "plx_ethdev.h"
#include "plx_pci.h"
#include "vmxnet3_regs.h"

struct vmxnet3_hw {
	struct plx_pci_dev *pci;
	struct plx_log *log;
	struct plx_win door; /* BAR 0 */
	struct plx_win win;  /* BAR 1 */
	uint32_t rev;        /* the revision that was agreed on: 1 or 2 */
};

static inline uint32_t vmxnet3_rd(const struct vmxnet3_hw *hw, uint32_t reg)
{
	return plx_rd32(&hw->win, reg);
}

static inline void vmxnet3_wr(const struct vmxnet3_hw *hw, uint32_t reg, uint32_t v)
{
	plx_wr32(&hw->win, reg, v);
}

/* A command that says how it went: waits until it went well. */
int vmxnet3_cmd(struct vmxnet3_hw *hw, uint32_t cmd);

/* A command that has no answer (QEMU's model logs who asks for it): has arrived when this returns. */
int vmxnet3_tell(struct vmxnet3_hw *hw, uint32_t cmd);

/* A command that asks for something. */
int vmxnet3_ask(struct vmxnet3_hw *hw, uint32_t cmd, uint32_t *answer);

/* Off, interrupts masked, no memory known to it; then the highest revision that both know. */
int vmxnet3_hw_reset(struct vmxnet3_hw *hw);

/* Has the device left? Its revisions are never 0, which is what a BAR without a device may read. */
bool vmxnet3_hw_gone(const struct vmxnet3_hw *hw);

/* The address of the shared area; 0: none, which turns the device off. */
void vmxnet3_hw_shared(struct vmxnet3_hw *hw, uint64_t iova);

/* The address that it was made with. -EINVAL when it is none. */
int vmxnet3_mac_get(struct vmxnet3_hw *hw, struct plx_mac *mac);
void vmxnet3_mac_set(struct vmxnet3_hw *hw, const struct plx_mac *mac);

int vmxnet3_hw_link(struct vmxnet3_hw *hw, struct plx_link *link);

#endif
