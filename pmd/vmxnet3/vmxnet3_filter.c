/* SPDX-License-Identifier: BSD-3-Clause */
/* What is received: modes, addresses, VLANs. Each is written to the shared area, then a command. */
#include "vmxnet3.h"

/* Tells a running device to look at what was written; another hears of it when it is started. */
static int tell(struct vmxnet3_port *p, uint32_t cmd)
{
	plx_io_wmb(); /* what was written, then the command */
	return p->running ? vmxnet3_tell(&p->hw, cmd) : 0;
}

static int mode(struct vmxnet3_port *p)
{
	vmxnet3_conf_mode(p);
	return tell(p, VMXNET3_CMD_UPDATE_RX_MODE);
}

static int vlans(struct vmxnet3_port *p)
{
	/* the filter is on while it lets any id pass; packets without a tag always do */
	for (uint32_t i = 0; i < VMXNET3_N_VFT; i++)
		plx_le32_write_once(
			&p->mem->shared.filter.vft[i], p->n_vlans != 0 ? p->vft[i] : UINT32_MAX);
	return tell(p, VMXNET3_CMD_UPDATE_VLAN_FILTERS);
}

static int groups(struct vmxnet3_port *p)
{
	p->mem->shared.filter.mf_len = plx_le16_make((uint16_t)(p->n_mcast * PLX_ETH_ALEN));
	return tell(p, VMXNET3_CMD_UPDATE_MAC_FILTERS);
}

int vmxnet3_filters(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	int err = vlans(p);

	/* QEMU's model goes back to its first address when it is started */
	vmxnet3_mac_set(&p->hw, &p->mac);
	if (err == 0)
		err = groups(p);
	return err < 0 ? err : mode(p);
}

int vmxnet3_set_promisc(struct plx_port *port, bool on)
{
	vmxnet3_priv(port)->promisc = on;
	return mode(vmxnet3_priv(port));
}

int vmxnet3_set_allmulti(struct plx_port *port, bool on)
{
	vmxnet3_priv(port)->allmulti = on;
	return mode(vmxnet3_priv(port));
}

int vmxnet3_set_mac(struct plx_port *port, const struct plx_mac *mac)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);

	p->mac = *mac;
	vmxnet3_mac_set(&p->hw, mac);
	/* it has arrived when this returns */
	return vmxnet3_hw_gone(&p->hw)
		       ? plx_err(ENODEV, "%s: the device is gone", plx_port_name(port))
		       : 0;
}

int vmxnet3_set_mcast(struct plx_port *port, const struct plx_mac *list, size_t n)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	int err;

	p->all_groups = n > VMXNET3_MAX_MCAST;
	p->n_mcast = (uint16_t)(p->all_groups ? 0 : n);
	for (uint32_t i = 0; i < p->n_mcast; i++)
		memcpy(p->mem->mcast[i], list[i].b, PLX_ETH_ALEN);
	err = groups(p);
	return err < 0 ? err : mode(p);
}

int vmxnet3_vlan_filter(struct plx_port *port, uint16_t id, bool on)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	uint32_t *word = &p->vft[id / 32], bit = PLX_BIT(id % 32);

	if (((*word & bit) != 0) == on)
		return 0;
	*word ^= bit;
	p->n_vlans = (uint16_t)(on ? p->n_vlans + 1 : p->n_vlans - 1);
	return vlans(p);
}

int vmxnet3_vlan_strip(struct plx_port *port, bool on)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);

	p->strip = on;
	vmxnet3_conf_features(port);
	return tell(p, VMXNET3_CMD_UPDATE_FEATURE);
}
