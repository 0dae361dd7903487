/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations of ports that are an interface and nothing else. */
#include "ethdev_pmd.h"
#include "netif_pmd.h"

int plx_netif_op_link(struct plx_port *port, struct plx_link *link)
{
	return plx_netif_link(port->priv, link);
}

bool plx_netif_op_gone(struct plx_port *port)
{
	return plx_netif_gone(port->priv);
}

int plx_netif_op_promisc(struct plx_port *port, bool on)
{
	return plx_netif_promisc(port->priv, on);
}

int plx_netif_op_allmulti(struct plx_port *port, bool on)
{
	return plx_netif_allmulti(port->priv, on);
}

int plx_netif_op_set_mac(struct plx_port *port, const struct plx_mac *mac)
{
	return plx_netif_set_mac(port->priv, mac);
}

int plx_netif_op_add_mac(struct plx_port *port, const struct plx_mac *mac)
{
	return plx_netif_address(port->priv, mac, true);
}

int plx_netif_op_del_mac(struct plx_port *port, const struct plx_mac *mac)
{
	return plx_netif_address(port->priv, mac, false);
}

int plx_netif_op_mcast(struct plx_port *port, const struct plx_mac *list, size_t n)
{
	return plx_netif_groups(port->priv, list, n);
}
