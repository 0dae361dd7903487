/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets and rings (packet(7), packet_mmap.rst): made when the port starts, closed when it stops,
 * so that stopped means that the kernel has nothing of it.
 */
#define PLX_LOG_TAG "af_packet"
#include "af_packet.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEND_BUFFER (8 << 20) /* bytes under way in the kernel, for each TX queue */

static int set_opt(int fd, int name, int value)
{
	return setsockopt(fd, SOL_PACKET, name, &value, sizeof(value)) == 0 ? 0 : -errno;
}

int afp_socket_error(const struct plx_port *port, const char *what, int err)
{
	const char *name = plx_port_name(port);

	switch (err) {
	case EPERM:
	case EACCES:
		return plx_err(EPERM,
			"%s: %s: no permission for packet sockets: run as root, or give the program "
			"CAP_NET_RAW (setcap cap_net_raw+ep PROGRAM)",
			name, what);
	case EAFNOSUPPORT:
		return plx_err(err, "%s: %s: this kernel has no packet sockets (CONFIG_PACKET)",
			name, what);
	case ENOMEM:
		return plx_err(err,
			"%s: %s: the kernel has no memory for the ring: ask for fewer descriptors, or "
			"smaller frames (MTU, TSO)",
			name, what);
	default:
		return plx_err(err, "%s: %s: %s", name, what, strerror(err));
	}
}

/* ---- a ring ---- */

static void ring_close(struct afp_ring *r)
{
	if (r->base != NULL)
		munmap(r->base, r->bytes);
	if (r->fd >= 0)
		close(r->fd);
	*r = (struct afp_ring){.fd = -1};
}

/* A socket that receives nothing yet, of the version that rings here have. */
static int ring_socket(struct plx_port *port, struct afp_ring *r)
{
	int err;

	*r = (struct afp_ring){.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
	if (r->fd < 0)
		return afp_socket_error(port, "socket", errno);
	err = set_opt(r->fd, PACKET_VERSION, TPACKET_V3);
	return err < 0 ? afp_socket_error(port, "PACKET_VERSION", -err) : 0;
}

static int ring_map(
	struct plx_port *port, struct afp_ring *r, int name, const struct tpacket_req3 *req)
{
	void *p;

	if (setsockopt(r->fd, SOL_PACKET, name, req, sizeof(*req)) != 0)
		return afp_socket_error(
			port, name == PACKET_RX_RING ? "RX ring" : "TX ring", errno);
	r->bytes = (size_t)req->tp_block_size * req->tp_block_nr;
	p = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd, 0);
	if (p == MAP_FAILED)
		return afp_socket_error(port, "mapping the ring", errno);
	r->base = p;
	(void)madvise(p, r->bytes, MADV_DONTDUMP);
	return 0;
}

static int ring_bind(struct plx_port *port, const struct afp_ring *r, int protocol)
{
	const struct afp_port *ap = port->priv;
	struct sockaddr_ll sll = {.sll_family = AF_PACKET,
		.sll_protocol = plx_be16_make((uint16_t)protocol).v,
		.sll_ifindex = (int)ap->netif.ifindex};

	if (bind(r->fd, (const struct sockaddr *)&sll, sizeof(sll)) != 0)
		return afp_socket_error(port, "bind", errno);
	return 0;
}

/* ---- RX ---- */

/* Has the kernel drop everything, or no longer. Until all queues are in the fanout group, each gets
   all packets: nobody is to see them twice. */
static int deaf(struct plx_port *port, const struct afp_ring *r, bool on)
{
	struct sock_filter drop = {.code = BPF_RET | BPF_K, .k = 0};
	const struct sock_fprog prog = {.len = 1, .filter = &drop};
	const int none = 0;
	int err = on ? setsockopt(r->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog))
		     : setsockopt(r->fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));

	return err == 0 ? 0 : afp_socket_error(port, "filter", errno);
}

static int rx_open(struct plx_port *port, struct afp_rxq *rxq)
{
	const struct afp_port *ap = port->priv;
	const uint32_t block = (uint32_t)ap->conf.block, n_desc = rxq->q.n_desc;
	struct tpacket_req3 req = {.tp_block_size = block, .tp_frame_size = AFP_RX_FRAME};
	int err = ring_socket(port, &rxq->ring);

	if (err < 0)
		return err;
	/* the packet that is filled and the one that is read, at the least */
	req.tp_block_nr = PLX_MAX((n_desc * AFP_RX_FRAME + block - 1) / block, 2u);
	req.tp_frame_nr = block / AFP_RX_FRAME * req.tp_block_nr;
	req.tp_retire_blk_tov = (uint32_t)((ap->conf.latency_ns + 999999) / 1000000);
	if (port->conf.rx_offloads & PLX_RX_OFFLOAD_RSS_HASH)
		req.tp_feature_req_word = TP_FT_REQ_FILL_RXHASH;
	err = set_opt(rxq->ring.fd, PACKET_VNET_HDR, 1);
	if (err < 0)
		return afp_socket_error(port, "PACKET_VNET_HDR", -err);
	rxq->skip_outgoing = set_opt(rxq->ring.fd, PACKET_IGNORE_OUTGOING, 1) < 0;
	err = ring_map(port, &rxq->ring, PACKET_RX_RING, &req);
	if (err < 0)
		return err;
	rxq->ring.size = block;
	rxq->ring.n = req.tp_block_nr;
	rxq->block = rxq->left = rxq->pos = 0;
	rxq->cut.payload = NULL;
	rxq->rx_flags = port->conf.rx_offloads;
	rxq->seg_max = PLX_MIN(rxq->q.pool->room - PLX_MBUF_HEADROOM, PLX_PKT_LEN_MAX);
	err = deaf(port, &rxq->ring, true);
	return err < 0 ? err : ring_bind(port, &rxq->ring, ETH_P_ALL);
}

/* One group for all queues: the first makes it, with an id that nobody has. */
static int fanout(struct plx_port *port)
{
	static const uint16_t types[] = {PACKET_FANOUT_HASH, PACKET_FANOUT_LB, PACKET_FANOUT_CPU,
		PACKET_FANOUT_ROLLOVER, PACKET_FANOUT_RND, PACKET_FANOUT_QM};
	const struct afp_port *ap = port->priv;
	const uint32_t type = types[ap->conf.fanout];
	uint32_t arg = (type | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
	socklen_t len = sizeof(arg);

	for (uint16_t i = 0; i < port->conf.n_rxq; i++) {
		int fd = plx_container_of(port->rxqs[i], struct afp_rxq, q)->ring.fd;

		if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof(arg)) != 0)
			return afp_socket_error(port, "PACKET_FANOUT", errno);
		if (i == 0 && getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg, &len) != 0)
			return afp_socket_error(port, "PACKET_FANOUT", errno);
		arg = (arg & 0xffff) | type << 16;
	}
	return 0;
}

static int rx_begin(struct plx_port *port)
{
	int err = port->conf.n_rxq > 1 ? fanout(port) : 0;

	for (uint16_t i = 0; err == 0 && i < port->conf.n_rxq; i++)
		err = deaf(port, &plx_container_of(port->rxqs[i], struct afp_rxq, q)->ring, false);
	return err;
}

void afp_missed(struct plx_port *port)
{
	struct afp_port *ap = port->priv;

	for (uint16_t i = 0; port->rxqs != NULL && i < port->conf.n_rxq; i++) {
		struct tpacket_stats_v3 s = {0};
		socklen_t len = sizeof(s);

		if (port->rxqs[i] == NULL)
			continue;
		/* the kernel's count begins anew with each look */
		if (getsockopt(plx_container_of(port->rxqs[i], struct afp_rxq, q)->ring.fd,
			    SOL_PACKET, PACKET_STATISTICS, &s, &len) == 0)
			ap->missed += s.tp_drops;
	}
}

/* ---- TX ---- */

static int tx_open(struct plx_port *port, struct afp_txq *txq)
{
	const struct afp_port *ap = port->priv;
	const bool tso = (port->conf.tx_offloads & PLX_TX_OFFLOAD_TSO) != 0;
	const int send_buffer = SEND_BUFFER;
	struct tpacket_req3 req = {0};
	uint32_t frame;
	int err = ring_socket(port, &txq->ring);

	if (err < 0)
		return err;
	txq->vnet = port->conf.tx_offloads & AFP_TX_SUMS ? AFP_VNET : 0;
	frame = PLX_MAX(txq->q.max_pkt + AFP_AFTER + AFP_VNET, tso ? 65536u : 2048u);
	frame = (uint32_t)plx_roundup_pow2_u64(frame);
	req.tp_frame_size = frame;
	req.tp_block_size = PLX_MAX(frame, 4096u);
	req.tp_frame_nr = txq->q.n_desc;
	req.tp_block_nr = req.tp_frame_nr / (req.tp_block_size / frame);
	/* a frame that the kernel refuses is not to hold up those behind it */
	err = set_opt(txq->ring.fd, PACKET_LOSS, 1);
	if (err == 0 && ap->conf.qdisc_bypass)
		err = set_opt(txq->ring.fd, PACKET_QDISC_BYPASS, 1);
	if (err == 0 && txq->vnet != 0)
		err = set_opt(txq->ring.fd, PACKET_VNET_HDR, 1);
	if (err < 0)
		return afp_socket_error(port, "TX socket", -err);
	/* as much as may be had: forced with CAP_NET_ADMIN, else up to net.core.wmem_max */
	if (setsockopt(txq->ring.fd, SOL_SOCKET, SO_SNDBUFFORCE, &send_buffer, sizeof(int)) != 0)
		(void)setsockopt(txq->ring.fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(int));
	err = ring_map(port, &txq->ring, PACKET_TX_RING, &req);
	if (err < 0)
		return err;
	txq->ring.size = frame;
	txq->ring.n = req.tp_frame_nr;
	txq->room = frame - AFP_AFTER - txq->vnet;
	txq->next = 0;
	txq->pending = 0;
	PLX_WRITE_ONCE(txq->if_frame, plx_netif_mtu(&ap->netif) + 14);
	return ring_bind(port, &txq->ring, 0);
}

/* Frames that the kernel did not take, and now will not. */
static uint64_t tx_unsent(const struct afp_ring *r)
{
	uint64_t n = 0;

	for (uint32_t i = 0; r->base != NULL && i < r->n; i++) {
		const struct tpacket3_hdr *h = (const void *)(r->base + (size_t)i * r->size);

		n += (PLX_READ_ONCE(h->tp_status) & TP_STATUS_SEND_REQUEST) != 0;
	}
	return n;
}

/* ---- all ---- */

int afp_rings_open(struct plx_port *port)
{
	int err = 0;

	for (uint16_t i = 0; err == 0 && i < port->conf.n_rxq; i++)
		err = rx_open(port, plx_container_of(port->rxqs[i], struct afp_rxq, q));
	for (uint16_t i = 0; err == 0 && i < port->conf.n_txq; i++)
		err = tx_open(port, plx_container_of(port->txqs[i], struct afp_txq, q));
	return err == 0 ? rx_begin(port) : err;
}

void afp_rings_close(struct plx_port *port)
{
	struct afp_port *ap = port->priv;

	afp_missed(port);
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (port->rxqs[i] != NULL)
			ring_close(&plx_container_of(port->rxqs[i], struct afp_rxq, q)->ring);
	for (uint16_t i = 0; i < port->conf.n_txq; i++) {
		struct afp_txq *txq;

		if (port->txqs[i] == NULL)
			continue;
		txq = plx_container_of(port->txqs[i], struct afp_txq, q);
		if (txq->ring.base != NULL)
			afp_tx_kick(txq);
		ap->tx_unsent += tx_unsent(&txq->ring);
		ring_close(&txq->ring);
	}
}
