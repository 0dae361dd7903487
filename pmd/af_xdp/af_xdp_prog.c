/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program: six instructions that hand a packet to the socket of the queue it came on, or, where
 * there is none, let it go its way. It is attached by a bpf_link (bpf(2), BPF_LINK_CREATE), which the
 * kernel takes away when this process ends, however it ends: a program that was killed leaves an
 * interface as it was.
 */
#define PLX_LOG_TAG "af_xdp"
#include "af_xdp.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(__NR_bpf, command, attr, sizeof(*attr));
}

static int bpf_error(const struct plx_port *port, const char *what, int err)
{
	if (err == EPERM || err == EACCES)
		return plx_err(EPERM,
			"%s: %s: no permission: run as root, or give the program CAP_NET_RAW, CAP_NET_ADMIN "
			"and CAP_BPF (setcap cap_net_raw,cap_net_admin,cap_bpf+ep PROGRAM); a user "
			"namespace is not enough",
			plx_port_name(port), what);
	if (err == ENOSYS)
		return plx_err(err, "%s: %s: this kernel has no bpf(2) (CONFIG_BPF_SYSCALL)",
			plx_port_name(port), what);
	return plx_err(err, "%s: %s: %s", plx_port_name(port), what, strerror(err));
}

/* ---- map and program ---- */

static int map_make(struct plx_port *port)
{
	struct axdp_port *ap = port->priv;
	union bpf_attr attr = {0};

	attr.map_type = BPF_MAP_TYPE_XSKMAP;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = sizeof(int);
	attr.max_entries = ap->conf.queue + AXDP_MAX_QUEUES;
	memcpy(attr.map_name, "plx_xsks", sizeof("plx_xsks"));
	ap->map_fd = (int)bpf(BPF_MAP_CREATE, &attr);
	return ap->map_fd < 0 ? bpf_error(port, "making a map of sockets", errno) : 0;
}

/* A map that the user pinned, of a program of his own: BPF_OBJ_GET. */
static int map_open(struct plx_port *port)
{
	struct axdp_port *ap = port->priv;
	struct bpf_map_info info = {0};
	union bpf_attr attr = {0};

	attr.pathname = (uintptr_t)ap->conf.xsks_map;
	ap->map_fd = (int)bpf(BPF_OBJ_GET, &attr);
	if (ap->map_fd < 0)
		return bpf_error(port, ap->conf.xsks_map, errno);
	attr = (union bpf_attr){0};
	attr.info.bpf_fd = (uint32_t)ap->map_fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0 && info.type != BPF_MAP_TYPE_XSKMAP)
		return plx_err(EINVAL, "%s: %s is no map of type XSKMAP", plx_port_name(port),
			ap->conf.xsks_map);
	return 0;
}

static int prog_load(struct plx_port *port)
{
	struct axdp_port *ap = port->priv;
	/* return bpf_redirect_map(&map, ctx->rx_queue_index, XDP_PASS), which is the result without entry */
	const struct bpf_insn code[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W,
			.dst_reg = BPF_REG_2,
			.src_reg = BPF_REG_1,
			.off = offsetof(struct xdp_md, rx_queue_index)},
		{.code = BPF_LD | BPF_DW | BPF_IMM,
			.dst_reg = BPF_REG_1,
			.src_reg = BPF_PSEUDO_MAP_FD,
			.imm = ap->map_fd},
		{0}, /* the upper half of the 64-bit constant */
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {0};

	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.expected_attach_type = BPF_XDP;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = PLX_ARRAY_SIZE(code);
	attr.license = (uintptr_t) "BSD";
	memcpy(attr.prog_name, "plx_xsk", sizeof("plx_xsk"));
	ap->prog_fd = (int)bpf(BPF_PROG_LOAD, &attr);
	return ap->prog_fd < 0 ? bpf_error(port, "loading the XDP program", errno) : 0;
}

int axdp_prog_open(struct plx_port *port)
{
	const struct axdp_port *ap = port->priv;
	int err;

	if (ap->conf.xsks_map != NULL)
		return map_open(port);
	err = map_make(port);
	return err == 0 ? prog_load(port) : err;
}

void axdp_prog_close(struct axdp_port *ap)
{
	int *fds[] = {&ap->link_fd, &ap->prog_fd, &ap->map_fd};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

/* ---- attaching ---- */

static int attach_error(const struct plx_port *port, int err)
{
	const struct axdp_port *ap = port->priv;
	const char *name = plx_port_name(port), *dev = ap->netif.name;

	switch (err) {
	case EBUSY:
	case EEXIST:
		return plx_err(EBUSY,
			"%s: interface %s has an XDP program already (ip link show %s): take it off (ip "
			"link set dev %s xdp off), or give the pinned XSKMAP of a program that serves "
			"both as xsks_map=PATH",
			name, dev, dev, dev);
	case ERANGE:
	case EOPNOTSUPP:
		return plx_err(err,
			"%s: the driver of interface %s takes no XDP program at its MTU of %u: use a "
			"smaller one, or mode=skb",
			name, dev, plx_netif_mtu(&ap->netif));
	default:
		return bpf_error(port, "attaching the XDP program", err);
	}
}

static int attach_in(struct plx_port *port, uint32_t flags)
{
	struct axdp_port *ap = port->priv;
	union bpf_attr attr = {0};

	attr.link_create.prog_fd = (uint32_t)ap->prog_fd;
	attr.link_create.target_fd = ap->netif.ifindex; /* the same place as target_ifindex */
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = flags;
	ap->link_fd = (int)bpf(BPF_LINK_CREATE, &attr);
	ap->skb_mode = flags == XDP_FLAGS_SKB_MODE;
	return ap->link_fd < 0 ? -errno : 0;
}

int axdp_attach(struct plx_port *port)
{
	struct axdp_port *ap = port->priv;
	int err;

	if (ap->conf.xsks_map != NULL)
		return 0; /* its owner attached it */
	if (ap->conf.mode == AXDP_SKB) {
		err = attach_in(port, XDP_FLAGS_SKB_MODE);
		return err < 0 ? attach_error(port, -err) : 0;
	}
	err = attach_in(port, XDP_FLAGS_DRV_MODE);
	if (err < 0 && err != -EBUSY && err != -EEXIST && ap->conf.mode == AXDP_AUTO) {
		plx_logf(ap->log, PLX_LOG_WARN,
			"%s: the driver of %s runs no XDP program here (%s): the kernel's generic path does, "
			"which is slower",
			plx_port_name(port), ap->netif.name, strerror(-err));
		err = attach_in(port, XDP_FLAGS_SKB_MODE);
	}
	return err < 0 ? attach_error(port, -err) : 0;
}

void axdp_detach(struct axdp_port *ap)
{
	if (ap->link_fd >= 0)
		close(ap->link_fd);
	ap->link_fd = -1;
}

int axdp_map_set(struct plx_port *port, uint32_t queue, int fd)
{
	const struct axdp_port *ap = port->priv;
	union bpf_attr attr = {0};

	attr.map_fd = (uint32_t)ap->map_fd;
	attr.key = (uintptr_t)&queue;
	attr.value = (uintptr_t)&fd;
	return bpf(BPF_MAP_UPDATE_ELEM, &attr) < 0
		       ? bpf_error(port, "entering a socket in the map", errno)
		       : 0;
}

void axdp_map_clear(struct axdp_port *ap, uint32_t queue)
{
	union bpf_attr attr = {0};

	attr.map_fd = (uint32_t)ap->map_fd;
	attr.key = (uintptr_t)&queue;
	(void)bpf(BPF_MAP_DELETE_ELEM, &attr);
}
