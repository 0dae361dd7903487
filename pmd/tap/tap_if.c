/* SPDX-License-Identifier: BSD-3-Clause */
/* The interface: made or found, its queues, filter, carrier. */
#define PLX_LOG_TAG "tap"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TUN "/dev/net/tun"

/* ---- attaching ---- */

static int tun_error(const struct plx_port *port, int err)
{
	const char *name = plx_port_name(port);

	if (err == ENOENT || err == ENODEV || err == ENXIO)
		return plx_err(err, "%s: this kernel has no " TUN ": modprobe tun", name);
	return plx_err(err, "%s: " TUN " cannot be opened: %s%s", name, strerror(err),
		err == EACCES ? "; it is usually for everybody (mode 0666)" : "");
}

/* What TUNSETIFF refused, and what to do about it. */
static int attach_error(const struct plx_port *port, const char *name, int err)
{
	const char *who = plx_port_name(port);

	switch (err) {
	case EPERM:
		return plx_err(EPERM,
			"%s: making or using interface '%s' takes root or CAP_NET_ADMIN (setcap "
			"cap_net_admin+ep PROGRAM); or root makes it for you once: ip tuntap add dev %s "
			"mode tap user $USER, ip link set %s up",
			who, name, name, name);
	case EBUSY:
		return plx_err(EBUSY,
			"%s: another program uses interface '%s', or it has all the queues it may have",
			who, name);
	case EINVAL:
		return plx_err(EINVAL,
			"%s: interface '%s' is there and is no tap (ip link shows it), or is no name for "
			"one",
			who, name);
	default:
		return plx_err(err, "%s: interface '%s': %s", who, name, strerror(err));
	}
}

/* One more descriptor of the interface, whose name is in ifr: -errno of TUNSETIFF. */
static int attach(struct tap_port *tp, struct ifreq *ifr)
{
	/* an interface that was there may be used to the longer header of virtio 1 */
	const int vnet = TAP_VNET;
	int flags = IFF_TAP | IFF_NO_PI, fd, err;

	if (tp->conf.vnet)
		flags |= IFF_VNET_HDR;
	if (tp->multi)
		flags |= IFF_MULTI_QUEUE;
	fd = open(TUN, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ifr->ifr_flags = (short)flags;
	if (ioctl(fd, TUNSETIFF, ifr) != 0 ||
		(tp->conf.vnet && ioctl(fd, TUNSETVNETHDRSZ, &vnet) != 0)) {
		err = -errno;
		close(fd);
		return err;
	}
	tp->fds[tp->n_fds++] = fd;
	return 0;
}

/* The first one. An interface that is there may be one without several queues. */
static int attach_first(struct plx_port *port, const char *name)
{
	struct tap_port *tp = port->priv;
	struct ifreq ifr = {0};
	int err;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	tp->created = if_nametoindex(name) == 0;
	tp->multi = true;
	err = attach(tp, &ifr);
	if (err == -EINVAL && !tp->created) {
		tp->multi = false;
		err = attach(tp, &ifr);
	}
	if (err < 0)
		return attach_error(port, name, -err);
	return plx_netif_open(&tp->netif, plx_port_name(port), ifr.ifr_name);
}

/* The port is another station than the interface. */
static struct plx_mac other_mac(struct plx_mac mac)
{
	mac.b[0] = (uint8_t)((mac.b[0] | 2) & ~1);
	mac.b[PLX_ETH_ALEN - 1] ^= 1;
	return mac;
}

static void carrier(const struct tap_port *tp, int on)
{
	/* a kernel before 5.0 has it on always */
	(void)ioctl(tp->fds[0], TUNSETCARRIER, &on);
}

int tap_if_open(struct plx_port *port, const char *name)
{
	struct tap_port *tp = port->priv;
	int err, probe = open(TUN, O_RDWR | O_CLOEXEC);

	if (probe < 0)
		return tun_error(port, errno);
	close(probe);
	if (name[0] == '\0')
		name = "tap%d";
	if (strlen(name) >= PLX_NETIF_NAME)
		return plx_err(EINVAL, "%s: an interface's name has at most %u characters",
			plx_port_name(port), PLX_NETIF_NAME - 1);
	err = attach_first(port, name);
	if (err < 0)
		return err;
	carrier(tp, 0);
	if (tp->conf.persist && ioctl(tp->fds[0], TUNSETPERSIST, 1) != 0)
		return plx_err(errno, "%s: interface %s cannot be made to stay: %s",
			plx_port_name(port), tp->netif.name, strerror(errno));
	tp->mac = other_mac(plx_netif_mac(&tp->netif));
	tp->missed_base = tap_if_dropped(tp);
	return 0;
}

/* Who uses the interface next is another station, and may not be one that completes sums. */
static void undo(const struct tap_port *tp)
{
	const struct tun_filter all = {0};

	(void)ioctl(tp->fds[0], TUNSETTXFILTER, &all);
	if (tp->conf.vnet)
		(void)ioctl(tp->fds[0], TUNSETOFFLOAD, 0);
}

void tap_if_close(struct tap_port *tp)
{
	if (tp->n_fds > 0)
		undo(tp);
	while (tp->n_fds > 0)
		close(tp->fds[--tp->n_fds]);
	plx_netif_close(&tp->netif);
	free(tp->mcast);
	tp->mcast = NULL;
}

int tap_if_queues(struct plx_port *port, uint16_t n)
{
	struct tap_port *tp = port->priv;
	struct ifreq ifr = {0};
	int err = 0;

	/* attaching to a name that nobody has would make another interface */
	if (tap_if_gone(tp))
		return plx_err(ENODEV, "%s: interface %s was deleted; close the port",
			plx_port_name(port), tp->netif.name);
	while (tp->n_fds > PLX_MAX(n, 1))
		close(tp->fds[--tp->n_fds]);
	memcpy(ifr.ifr_name, tp->netif.name, sizeof(ifr.ifr_name));
	while (err == 0 && tp->n_fds < n)
		err = attach(tp, &ifr);
	return err < 0 ? attach_error(port, tp->netif.name, -err) : 0;
}

/* ---- start and stop ---- */

static int get_flags(const struct tap_port *tp, struct ifreq *ifr)
{
	memcpy(ifr->ifr_name, tp->netif.name, sizeof(ifr->ifr_name));
	return ioctl(tp->netif.fd, SIOCGIFFLAGS, ifr) == 0 ? 0 : -errno;
}

bool tap_if_up(const struct tap_port *tp)
{
	struct ifreq ifr = {0};

	return get_flags(tp, &ifr) < 0 || (ifr.ifr_flags & IFF_UP) != 0;
}

static void set_up(struct plx_port *port)
{
	const struct tap_port *tp = port->priv;
	struct ifreq ifr = {0};

	if (get_flags(tp, &ifr) < 0 || (ifr.ifr_flags & IFF_UP))
		return;
	ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
	if (ioctl(tp->netif.fd, SIOCSIFFLAGS, &ifr) != 0)
		plx_logf(tp->log, PLX_LOG_WARN,
			"%s: interface %s is down, and cannot be set up: %s; ip link set %s up",
			plx_port_name(port), tp->netif.name, strerror(errno), tp->netif.name);
}

/* What came while nobody polled is old. */
static void discard(int fd)
{
	char byte[64];

	for (unsigned i = 0; i < 65536 && read(fd, byte, sizeof(byte)) > 0; i++)
		;
}

int tap_if_start(struct plx_port *port, unsigned offload)
{
	struct tap_port *tp = port->priv;
	int err = tap_if_filter(port);

	if (err < 0)
		return err;
	if (tp->conf.vnet && ioctl(tp->fds[0], TUNSETOFFLOAD, offload) != 0)
		return plx_err(errno, "%s: interface %s: TUNSETOFFLOAD: %s", plx_port_name(port),
			tp->netif.name, strerror(errno));
	for (uint16_t i = 0; i < tp->n_fds; i++)
		discard(tp->fds[i]);
	set_up(port);
	carrier(tp, 1);
	return 0;
}

void tap_if_stop(struct tap_port *tp)
{
	if (tp->n_fds > 0)
		carrier(tp, 0);
}

/* ---- filter ---- */

int tap_if_filter(struct plx_port *port)
{
	static const struct plx_mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	const struct tap_port *tp = port->priv;
	/* none: all packets come */
	const size_t n = tp->promisc ? 0 : 2 + tp->n_mcast;
	struct tun_filter *f = calloc(1, sizeof(*f) + n * PLX_ETH_ALEN);
	int err = 0;

	if (f == NULL)
		return plx_err(ENOMEM, "%s: no memory", plx_port_name(port));
	f->count = (uint16_t)n;
	f->flags = tp->allmulti ? TUN_FLT_ALLMULTI : 0;
	if (n > 0) {
		memcpy(f->addr[0], tp->mac.b, PLX_ETH_ALEN);
		memcpy(f->addr[1], all.b, PLX_ETH_ALEN);
		for (size_t i = 0; i < tp->n_mcast; i++)
			memcpy(f->addr[2 + i], tp->mcast[i].b, PLX_ETH_ALEN);
	}
	if (ioctl(tp->fds[0], TUNSETTXFILTER, f) < 0)
		err = plx_err(errno, "%s: interface %s: its filter: %s", plx_port_name(port),
			tp->netif.name, strerror(errno));
	free(f);
	return err;
}

/* ---- questions ---- */

/* The descriptors know, wherever the interface has been moved to. Follows a new name. */
bool tap_if_gone(struct tap_port *tp)
{
	struct ifreq ifr = {0};

	if (PLX_READ_ONCE(tp->dead))
		return true;
	if (tp->n_fds == 0)
		return false;
	if (ioctl(tp->fds[0], TUNGETIFF, &ifr) != 0)
		return errno == EBADFD;
	memcpy(tp->netif.name, ifr.ifr_name, sizeof(tp->netif.name));
	return false;
}

uint64_t tap_if_dropped(const struct tap_port *tp)
{
	struct ifaddrs *all = NULL;
	uint64_t dropped = 0;

	if (getifaddrs(&all) != 0)
		return 0;
	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next)
		if (a->ifa_addr != NULL && a->ifa_addr->sa_family == AF_PACKET &&
			a->ifa_data != NULL && strcmp(a->ifa_name, tp->netif.name) == 0)
			dropped = ((const struct rtnl_link_stats *)a->ifa_data)->tx_dropped;
	freeifaddrs(all);
	return dropped;
}
