/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network interfaces of the kernel, for drivers that sit on one: found by name, asked and set by
 * ioctl(2) (netdevice(7)), in the network namespace of the thread that opened it. Control work
 * only; calls on one object come one at a time, as a driver's operations do.
 */
#ifndef NETIF_PMD_H
#define NETIF_PMD_H

#include "plx_ethdev.h"

PLX_BEGIN_DECLS

#define PLX_NETIF_NAME 16u /**< bytes of a name, with its NUL: IFNAMSIZ */

struct plx_netif {
	char name[PLX_NETIF_NAME]; /**< as the kernel calls it now */
	unsigned ifindex;          /**< which it keeps when it is renamed; 0: not open */
	int fd;                    /**< the socket for ioctl(2) */
	int filter_fd; /**< a packet socket that receives nothing: filters hold as long */
	bool promisc, allmulti;
	struct plx_mac *mcast;
	size_t n_mcast;
};

/**
 * Finds the Ethernet interface of this name. n may be anything; plx_netif_close() also after an error.
 * @param who the port, for messages.
 * @return 0, -EINVAL (no name, or a too long one), -ENODEV (names those that there are),
 *   -EPROTONOSUPPORT (not Ethernet), or what socket(2) gave.
 */
PLX_API
int plx_netif_open(struct plx_netif *n, const char *who, const char *name);
/** Closes it. A zeroed one is allowed. */
PLX_API
void plx_netif_close(struct plx_netif *n);

/** Has it left its namespace? Follows a new name. */
PLX_API
bool plx_netif_gone(struct plx_netif *n);
/** Up: administratively and with a carrier. @return 0 or ioctl(2)'s error. */
PLX_API
int plx_netif_link(const struct plx_netif *n, struct plx_link *link);

/** Its address and its MTU; 0 bytes when they cannot be read. */
PLX_API
struct plx_mac plx_netif_mac(const struct plx_netif *n);
PLX_API
uint32_t plx_netif_mtu(const struct plx_netif *n);
/** Set them, for all who use the interface. @return 0 or ioctl(2)'s error: it takes CAP_NET_ADMIN. */
PLX_API
int plx_netif_set_mac(const struct plx_netif *n, const struct plx_mac *mac);
PLX_API
int plx_netif_set_mtu(const struct plx_netif *n, uint32_t mtu);

/**
 * What the interface is to receive besides what is for it, until plx_netif_close(): everything; any
 * group's; one more address; these groups. Other users' wishes are not touched. They take CAP_NET_RAW,
 * which plx_netif_filters() asks for.
 * @return 0, -EPERM (with the remedy), -ENOMEM, or setsockopt(2)'s error.
 */
PLX_API
int plx_netif_filters(struct plx_netif *n, const char *who);
PLX_API
int plx_netif_promisc(struct plx_netif *n, bool on);
PLX_API
int plx_netif_allmulti(struct plx_netif *n, bool on);
PLX_API
int plx_netif_address(struct plx_netif *n, const struct plx_mac *mac, bool on);
PLX_API
int plx_netif_groups(struct plx_netif *n, const struct plx_mac *list, size_t count);

/** These as operations of struct plx_eth_ops, for drivers whose port->priv begins with a struct plx_netif. */
PLX_API
int plx_netif_op_link(struct plx_port *port, struct plx_link *link);
PLX_API
bool plx_netif_op_gone(struct plx_port *port);
PLX_API
int plx_netif_op_promisc(struct plx_port *port, bool on);
PLX_API
int plx_netif_op_allmulti(struct plx_port *port, bool on);
PLX_API
int plx_netif_op_set_mac(struct plx_port *port, const struct plx_mac *mac);
PLX_API
int plx_netif_op_add_mac(struct plx_port *port, const struct plx_mac *mac);
PLX_API
int plx_netif_op_del_mac(struct plx_port *port, const struct plx_mac *mac);
PLX_API
int plx_netif_op_mcast(struct plx_port *port, const struct plx_mac *list, size_t n);

PLX_END_DECLS

#endif
