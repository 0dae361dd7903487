/* SPDX-License-Identifier: BSD-3-Clause */
#include "netif_pmd.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plx_opt.h"

PLX_STATIC_ASSERT(PLX_NETIF_NAME == IFNAMSIZ, "names of the kernel's length");

/* By the name that it has now: another one may have taken that by which it was opened. */
static int ask(const struct plx_netif *n, unsigned long request, struct ifreq *ifr)
{
	struct ifreq now = {.ifr_ifindex = (int)n->ifindex};

	if (n->ifindex == 0)
		memcpy(now.ifr_name, n->name, sizeof(now.ifr_name));
	else if (ioctl(n->fd, SIOCGIFNAME, &now) != 0)
		return -errno;
	memcpy(ifr->ifr_name, now.ifr_name, sizeof(ifr->ifr_name));
	return ioctl(n->fd, request, ifr) == 0 ? 0 : -errno;
}

/* ---- open ---- */

/* The error of a name that nobody has: says which there are. */
static int no_such(const char *who, const char *name)
{
	struct if_nameindex *all = if_nameindex();
	const char *known[64], *nearest;
	char list[256] = "";
	size_t n = 0, len = 0;

	for (; all != NULL && n < PLX_ARRAY_SIZE(known) && all[n].if_index != 0; n++) {
		known[n] = all[n].if_name;
		if (len < sizeof(list))
			len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
				n > 0 ? ", " : "", known[n]);
	}
	nearest = plx_opt_nearest(name, known, n);
	plx_err(ENODEV,
		"%s: there is no interface '%s' in this network namespace%s%s%s; there are: %s",
		who, name, nearest != NULL ? "; did you mean '" : "",
		nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "", n > 0 ? list : "none");
	if (all != NULL)
		if_freenameindex(all);
	return -ENODEV;
}

int plx_netif_open(struct plx_netif *n, const char *who, const char *name)
{
	struct ifreq ifr = {0};
	int err;

	*n = (struct plx_netif){.fd = -1, .filter_fd = -1};
	if (name[0] == '\0')
		return plx_err(EINVAL, "%s: names no interface; ip link lists them", who);
	if (strlen(name) >= sizeof(n->name))
		return plx_err(EINVAL, "%s: an interface's name has at most %zu characters", who,
			sizeof(n->name) - 1);
	memcpy(n->name, name, strlen(name) + 1);
	n->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0)
		n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* a kernel without IPv4 */
	if (n->fd < 0)
		return plx_err(errno, "%s: socket: %s", who, strerror(errno));
	err = ask(n, SIOCGIFINDEX, &ifr);
	if (err == -ENODEV || err == -ENXIO)
		return no_such(who, name);
	if (err < 0)
		return plx_err(-err, "%s: interface %s: %s", who, name, strerror(-err));
	n->ifindex = (unsigned)ifr.ifr_ifindex;
	err = ask(n, SIOCGIFHWADDR, &ifr);
	if (err < 0)
		return plx_err(-err, "%s: interface %s: its address cannot be read: %s", who, name,
			strerror(-err));
	if (ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER && ifr.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK)
		return plx_err(EPROTONOSUPPORT,
			"%s: interface %s is of hardware type %u; ports are Ethernet alone", who,
			name, ifr.ifr_hwaddr.sa_family);
	return 0;
}

void plx_netif_close(struct plx_netif *n)
{
	/* of a zeroed one, 0 is no descriptor */
	if (n->fd > 0 || n->ifindex != 0)
		close(n->fd);
	if (n->filter_fd > 0 || (n->filter_fd == 0 && n->ifindex != 0))
		close(n->filter_fd);
	free(n->mcast);
	*n = (struct plx_netif){.fd = -1, .filter_fd = -1};
}

/* ---- questions ---- */

bool plx_netif_gone(struct plx_netif *n)
{
	struct ifreq ifr = {.ifr_ifindex = (int)n->ifindex};

	if (ioctl(n->fd, SIOCGIFNAME, &ifr) != 0)
		return errno == ENODEV || errno == ENXIO;
	memcpy(n->name, ifr.ifr_name, sizeof(n->name));
	return false;
}

int plx_netif_link(const struct plx_netif *n, struct plx_link *link)
{
	struct ethtool_cmd cmd = {.cmd = ETHTOOL_GSET};
	struct ifreq ifr = {0};
	int err = ask(n, SIOCGIFFLAGS, &ifr);
	uint32_t speed;

	if (err < 0)
		return plx_err(-err, "interface %s: its flags cannot be read: %s", n->name,
			strerror(-err));
	link->up = (ifr.ifr_flags & IFF_UP) && (ifr.ifr_flags & IFF_RUNNING);
	ifr = (struct ifreq){.ifr_data = (void *)&cmd};
	if (!link->up || ask(n, SIOCETHTOOL, &ifr) < 0)
		return 0; /* many virtual ones have no speed */
	speed = ethtool_cmd_speed(&cmd);
	link->speed_mbps = speed == (uint32_t)SPEED_UNKNOWN ? 0 : speed;
	link->full_duplex = cmd.duplex == DUPLEX_FULL;
	link->autoneg = cmd.autoneg == AUTONEG_ENABLE;
	return 0;
}

struct plx_mac plx_netif_mac(const struct plx_netif *n)
{
	struct plx_mac mac = {{0}};
	struct ifreq ifr = {0};

	if (ask(n, SIOCGIFHWADDR, &ifr) == 0)
		memcpy(mac.b, ifr.ifr_hwaddr.sa_data, sizeof(mac.b));
	return mac;
}

uint32_t plx_netif_mtu(const struct plx_netif *n)
{
	struct ifreq ifr = {0};

	return ask(n, SIOCGIFMTU, &ifr) == 0 && ifr.ifr_mtu > 0 ? (uint32_t)ifr.ifr_mtu : 0;
}

/* ---- settings ---- */

static int set_error(const struct plx_netif *n, const char *what, int err)
{
	if (err == -EPERM)
		return plx_err(EPERM,
			"interface %s: setting its %s takes root or CAP_NET_ADMIN (setcap "
			"cap_net_admin,cap_net_raw+ep PROGRAM), or is for ip link set %s %s",
			n->name, what, n->name, what);
	return plx_err(-err, "interface %s: setting its %s: %s", n->name, what, strerror(-err));
}

int plx_netif_set_mac(const struct plx_netif *n, const struct plx_mac *mac)
{
	struct ifreq ifr = {0};
	int err;

	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, mac->b, sizeof(mac->b));
	err = ask(n, SIOCSIFHWADDR, &ifr);
	return err < 0 ? set_error(n, "address", err) : 0;
}

int plx_netif_set_mtu(const struct plx_netif *n, uint32_t mtu)
{
	struct ifreq ifr = {.ifr_mtu = (int)mtu};
	int err = ask(n, SIOCSIFMTU, &ifr);

	return err < 0 ? set_error(n, "mtu", err) : 0;
}

/* ---- filters: memberships of a packet socket (packet(7)), which end with it ---- */

int plx_netif_filters(struct plx_netif *n, const char *who)
{
	/* no protocol: it receives nothing */
	n->filter_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (n->filter_fd >= 0)
		return 0;
	if (errno == EPERM || errno == EACCES)
		return plx_err(EPERM,
			"%s: no permission for packet sockets: run as root, or give the program "
			"CAP_NET_RAW (setcap cap_net_raw+ep PROGRAM)",
			who);
	return plx_err(errno, "%s: packet socket: %s", who, strerror(errno));
}

static int membership(struct plx_netif *n, int type, const struct plx_mac *mac, bool on)
{
	struct packet_mreq req = {.mr_ifindex = (int)n->ifindex,
		.mr_type = (unsigned short)type,
		.mr_alen = mac != NULL ? PLX_ETH_ALEN : 0};

	if (mac != NULL)
		memcpy(req.mr_address, mac->b, PLX_ETH_ALEN);
	if (setsockopt(n->filter_fd, SOL_PACKET,
		    on ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, &req, sizeof(req)) != 0)
		return plx_err(errno, "interface %s: %s a receive filter: %s", n->name,
			on ? "adding" : "dropping", strerror(errno));
	return 0;
}

/* The kernel counts: each wish is told once. */
static int set_mode(struct plx_netif *n, int type, bool *is, bool on)
{
	int err = *is == on ? 0 : membership(n, type, NULL, on);

	if (err == 0)
		*is = on;
	return err;
}

int plx_netif_promisc(struct plx_netif *n, bool on)
{
	return set_mode(n, PACKET_MR_PROMISC, &n->promisc, on);
}

int plx_netif_allmulti(struct plx_netif *n, bool on)
{
	return set_mode(n, PACKET_MR_ALLMULTI, &n->allmulti, on);
}

int plx_netif_address(struct plx_netif *n, const struct plx_mac *mac, bool on)
{
	return membership(n, PACKET_MR_UNICAST, mac, on);
}

int plx_netif_groups(struct plx_netif *n, const struct plx_mac *list, size_t count)
{
	struct plx_mac *copy = malloc(count > 0 ? count * sizeof(*list) : 1);
	int err = 0;

	if (copy == NULL)
		return plx_err(ENOMEM, "interface %s: no memory for %zu groups", n->name, count);
	while (n->n_mcast > 0)
		(void)membership(n, PACKET_MR_MULTICAST, &n->mcast[--n->n_mcast], false);
	free(n->mcast);
	n->mcast = copy;
	for (size_t i = 0; err == 0 && i < count; i++) {
		err = membership(n, PACKET_MR_MULTICAST, &list[i], true);
		if (err == 0)
			copy[n->n_mcast++] = list[i];
	}
	return err;
}
