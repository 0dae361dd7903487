/* SPDX-License-Identifier: BSD-3-Clause */
#define PLX_LOG_TAG "vmxnet3"
#include "vmxnet3_hw.h"

#include "vmxnet3_shared.h"

#define MS UINT64_C(1000000)

int vmxnet3_cmd(struct vmxnet3_hw *hw, uint32_t cmd)
{
	vmxnet3_wr(hw, VMXNET3_CMD, cmd);
	return plx_win_wait(&hw->win, VMXNET3_CMD, UINT32_MAX, 0, 100 * MS, vmxnet3_cmd_text(cmd));
}

int vmxnet3_tell(struct vmxnet3_hw *hw, uint32_t cmd)
{
	vmxnet3_wr(hw, VMXNET3_CMD, cmd);
	if (vmxnet3_hw_gone(hw))
		return plx_err(ENODEV, "%s: %s: the device is gone", plx_pci_name(hw->pci),
			vmxnet3_cmd_text(cmd));
	return 0;
}

int vmxnet3_ask(struct vmxnet3_hw *hw, uint32_t cmd, uint32_t *answer)
{
	vmxnet3_wr(hw, VMXNET3_CMD, cmd);
	*answer = vmxnet3_rd(hw, VMXNET3_CMD);
	if (*answer == UINT32_MAX || plx_pci_gone(hw->pci))
		return plx_err(ENODEV, "%s: the answer to %s is all ones: the device is gone",
			plx_pci_name(hw->pci), vmxnet3_cmd_text(cmd));
	return 0;
}

bool vmxnet3_hw_gone(const struct vmxnet3_hw *hw)
{
	uint32_t revs;

	if (plx_pci_gone(hw->pci))
		return true;
	revs = vmxnet3_rd(hw, VMXNET3_VRRS);
	return revs == 0 || revs == UINT32_MAX;
}

void vmxnet3_hw_shared(struct vmxnet3_hw *hw, uint64_t iova)
{
	vmxnet3_wr(hw, VMXNET3_DSAL, (uint32_t)iova);
	vmxnet3_wr(hw, VMXNET3_DSAH, (uint32_t)(iova >> 32));
}

/* Agrees on revisions: of the device, the highest of those known here; of UPT there is one. */
static int agree(struct vmxnet3_hw *hw)
{
	const uint32_t revs = vmxnet3_rd(hw, VMXNET3_VRRS);
	uint32_t upt;

	if (revs == UINT32_MAX || plx_pci_gone(hw->pci))
		return plx_err(ENODEV, "%s: VRRS reads all ones: the device is gone",
			plx_pci_name(hw->pci));
	if (!(revs & (VMXNET3_REV(1) | VMXNET3_REV(2))))
		return plx_err(ENOTSUP,
			"%s: the device offers none of the revisions 1 and 2 (VRRS 0x%08x)",
			plx_pci_name(hw->pci), revs);
	hw->rev = revs & VMXNET3_REV(2) ? 2 : 1;
	vmxnet3_wr(hw, VMXNET3_VRRS, VMXNET3_REV(hw->rev));
	upt = vmxnet3_rd(hw, VMXNET3_UVRS);
	if (!(upt & VMXNET3_REV(1)))
		return plx_err(ENOTSUP, "%s: the device does not offer UPT version 1 (UVRS 0x%08x)",
			plx_pci_name(hw->pci), upt);
	vmxnet3_wr(hw, VMXNET3_UVRS, VMXNET3_REV(1));
	return 0;
}

int vmxnet3_hw_reset(struct vmxnet3_hw *hw)
{
	int err;

	for (uint32_t i = 0; i < VMXNET3_MAX_INTRS; i++)
		plx_wr32(&hw->door, VMXNET3_IMR(i), 1);
	err = vmxnet3_cmd(hw, VMXNET3_CMD_RESET_DEV);
	if (err < 0)
		return err;
	vmxnet3_hw_shared(hw, 0);
	return agree(hw);
}

/* ---- address and link ---- */

int vmxnet3_mac_get(struct vmxnet3_hw *hw, struct plx_mac *mac)
{
	uint32_t lo, hi;
	int err = vmxnet3_ask(hw, VMXNET3_CMD_GET_PERM_MAC_LO, &lo);

	if (err == 0)
		err = vmxnet3_ask(hw, VMXNET3_CMD_GET_PERM_MAC_HI, &hi);
	if (err < 0)
		return err;
	plx_store_le32(&mac->b[0], lo);
	plx_store_le16(&mac->b[4], (uint16_t)hi);
	if ((mac->b[0] & 1) || (lo == 0 && (hi & 0xffff) == 0))
		return plx_err(EINVAL, "%s: the device gave no valid MAC address (0x%08x, 0x%08x)",
			plx_pci_name(hw->pci), lo, hi);
	return 0;
}

void vmxnet3_mac_set(struct vmxnet3_hw *hw, const struct plx_mac *mac)
{
	vmxnet3_wr(hw, VMXNET3_MACL, plx_load_le32(&mac->b[0]));
	vmxnet3_wr(hw, VMXNET3_MACH, plx_load_le16(&mac->b[4]));
}

int vmxnet3_hw_link(struct vmxnet3_hw *hw, struct plx_link *link)
{
	uint32_t v;
	int err = vmxnet3_ask(hw, VMXNET3_CMD_GET_LINK, &v);

	*link = (struct plx_link){.autoneg = true};
	if (err < 0)
		return err;
	if (v & VMXNET3_LINK_UP) {
		link->up = true;
		link->full_duplex = true;
		link->speed_mbps = VMXNET3_LINK_SPEED(v);
	}
	return 0;
}
