/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UMEM, sockets and rings (af_xdp.rst): made when the port starts, closed when it stops. RX queues with
 * the same pool share its UMEM; each socket has a fill and a completion ring of its own.
 */
#define PLX_LOG_TAG "af_xdp"
#include "af_xdp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#endif

#define SEND_BUFFER  (8 << 20)
#define BUSY_POLL_US 20
#define RELEASE_NS   UINT64_C(1000000000) /* in which the kernel frees the queue of a closed socket */

static struct axdp_rxq *rxq_at(const struct plx_port *port, uint16_t i)
{
	return plx_container_of(port->rxqs[i], struct axdp_rxq, q);
}

static struct axdp_txq *txq_at(const struct plx_port *port, uint16_t i)
{
	return plx_container_of(port->txqs[i], struct axdp_txq, q);
}

/* ---- UMEM ---- */

static int umem_shape(struct plx_port *port, struct axdp_umem *u, struct plx_mbuf_pool *pool)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct plx_dma rooms;
	size_t stride, pieces = plx_mbuf_pool_rooms(pool, &rooms, 1, &stride);
	uintptr_t begin;

	if (pieces != 1)
		return plx_err(ENOTSUP,
			"%s: the data rooms of pool %s lie in %zu pieces of memory; AF_XDP takes one: make "
			"the pool smaller, or earlier",
			plx_port_name(port), pool->mp.name, pieces);
	begin = (uintptr_t)rooms.va & ~(uintptr_t)(page - 1);
	*u = (struct axdp_umem){.pool = pool, .fd = -1, .area = (uint8_t *)begin};
	u->first = (uintptr_t)rooms.va - begin;
	u->len = plx_align_up(u->first + rooms.len, page);
	u->n = plx_mempool_size(&pool->mp);
	u->lines = (uint32_t)(stride / PLX_CACHE_LINE);
	u->inverse = (UINT64_C(1) << 40) / u->lines + 1;
	u->chunk = PLX_MIN(pool->room, AXDP_CHUNK_MAX);
	u->state = calloc(u->n, 1);
	return u->state != NULL ? 0 : plx_err(ENOMEM, "%s: no memory", plx_port_name(port));
}

static int umem_register(struct plx_port *port, struct axdp_umem *u, int fd)
{
	const struct xdp_umem_reg reg = {.addr = (uintptr_t)u->area,
		.len = u->len,
		.chunk_size = u->chunk,
		.flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG};

	if (setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) == 0) {
		u->fd = fd;
		return 0;
	}
	if (errno == ENOBUFS)
		return plx_err(ENOMEM,
			"%s: pool %s has %llu bytes, which the kernel locks: more than RLIMIT_MEMLOCK allows; "
			"ulimit -l %llu, fewer mbufs, or CAP_IPC_LOCK",
			plx_port_name(port), u->pool->mp.name, (unsigned long long)u->len,
			(unsigned long long)(u->len / 1024 + 1));
	return plx_err(errno, "%s: registering the memory of pool %s: %s", plx_port_name(port),
		u->pool->mp.name, strerror(errno));
}

/* The UMEM of a pool: one that an earlier queue has, or the next free one. */
static int umem_find(struct plx_port *port, struct plx_mbuf_pool *pool, struct axdp_umem **out)
{
	struct axdp_port *ap = port->priv;
	unsigned i = 0;

	while (i < AXDP_MAX_QUEUES - 1 && ap->umem[i].pool != NULL && ap->umem[i].pool != pool)
		i++;
	*out = &ap->umem[i];
	return ap->umem[i].pool == pool ? 0 : umem_shape(port, &ap->umem[i], pool);
}

/* ---- rings ---- */

static int ring_size(struct plx_port *port, int fd, int name, uint32_t n)
{
	int size = (int)plx_roundup_pow2_u64(n);

	if (setsockopt(fd, SOL_XDP, name, &size, sizeof(size)) != 0)
		return plx_err(errno, "%s: a ring of %d descriptors: %s", plx_port_name(port), size,
			strerror(errno));
	return 0;
}

static int ring_map(struct plx_port *port, int fd, struct axdp_ring *r,
	const struct xdp_ring_offset *off, uint64_t page_offset, uint32_t n, size_t desc)
{
	const uint32_t size = (uint32_t)plx_roundup_pow2_u64(n);
	void *p;

	r->bytes = off->desc + size * desc;
	p = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
		(off_t)page_offset);
	if (p == MAP_FAILED)
		return plx_err(
			errno, "%s: mapping a ring: %s", plx_port_name(port), strerror(errno));
	r->map = p;
	r->producer = (void *)((uint8_t *)p + off->producer);
	r->consumer = (void *)((uint8_t *)p + off->consumer);
	r->flags = (void *)((uint8_t *)p + off->flags);
	r->desc = (uint8_t *)p + off->desc;
	r->mask = size - 1;
	r->head = 0;
	return 0;
}

static void ring_unmap(struct axdp_ring *r)
{
	if (r->map != NULL)
		munmap(r->map, r->bytes);
	*r = (struct axdp_ring){0};
}

static int rings_size(struct plx_port *port, const struct axdp_rxq *rxq, const struct axdp_txq *txq)
{
	int err = ring_size(port, rxq->fd, XDP_UMEM_FILL_RING, rxq->q.n_desc);

	/* a completion ring there must be, also without TX */
	if (err == 0)
		err = ring_size(
			port, rxq->fd, XDP_UMEM_COMPLETION_RING, txq != NULL ? txq->q.n_desc : 2);
	if (err == 0)
		err = ring_size(port, rxq->fd, XDP_RX_RING, rxq->q.n_desc);
	if (err == 0 && txq != NULL)
		err = ring_size(port, rxq->fd, XDP_TX_RING, txq->q.n_desc);
	return err;
}

static int rings_map(struct plx_port *port, struct axdp_rxq *rxq, struct axdp_txq *txq)
{
	struct xdp_mmap_offsets off;
	socklen_t len = sizeof(off);
	const uint16_t n = rxq->q.n_desc;
	int err;

	if (getsockopt(rxq->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len) != 0 || len != sizeof(off))
		return plx_err(ENOTSUP, "%s: AF_XDP of this kernel is older than Linux 5.4",
			plx_port_name(port));
	err = ring_map(
		port, rxq->fd, &rxq->rx, &off.rx, XDP_PGOFF_RX_RING, n, sizeof(struct xdp_desc));
	if (err == 0)
		err = ring_map(port, rxq->fd, &rxq->fill, &off.fr, XDP_UMEM_PGOFF_FILL_RING, n,
			sizeof(uint64_t));
	if (err == 0 && txq != NULL)
		err = ring_map(port, rxq->fd, &txq->tx, &off.tx, XDP_PGOFF_TX_RING, txq->q.n_desc,
			sizeof(struct xdp_desc));
	if (err == 0 && txq != NULL)
		err = ring_map(port, rxq->fd, &txq->comp, &off.cr, XDP_UMEM_PGOFF_COMPLETION_RING,
			txq->q.n_desc, sizeof(uint64_t));
	return err;
}

/* ---- sockets ---- */

static int bind_error(const struct plx_port *port, uint32_t queue, int err)
{
	const struct axdp_port *ap = port->priv;
	const char *name = plx_port_name(port), *dev = ap->netif.name;

	switch (err) {
	case EBUSY:
		return plx_err(err,
			"%s: queue %u of %s is another AF_XDP socket's: end the program that has it, or "
			"give queue=N",
			name, queue, dev);
	case EINVAL:
		return plx_err(err,
			"%s: %s has no queue %u, or its driver takes no such memory: configure fewer "
			"queues, or the interface for more (ethtool -L %s)",
			name, dev, queue, dev);
	case EOPNOTSUPP:
		return plx_err(err, "%s: the driver of %s has no zero-copy: mode=auto or mode=copy",
			name, dev);
	case ENETDOWN:
		return plx_err(err, "%s: %s is down: ip link set %s up", name, dev, dev);
	default:
		return plx_err(
			err, "%s: binding to queue %u of %s: %s", name, queue, dev, strerror(err));
	}
}

/* Does the kernel take these pages for a NIC? It gives up frames that cross into a page elsewhere. */
static bool umem_contiguous(const struct axdp_umem *u)
{
	struct plx_extent e[64];
	size_t n =
		PLX_MIN(plx_arena_extents(u->pool->arena, e, PLX_ARRAY_SIZE(e)), PLX_ARRAY_SIZE(e));

	for (size_t i = 0; i < n; i++)
		if (u->area >= (uint8_t *)e[i].va && u->area < (uint8_t *)e[i].va + e[i].len)
			return e[i].page >= UINT64_C(2) << 20;
	return false;
}

/* How the first socket of a UMEM asks for its memory to be used. */
static int bind_flags(struct plx_port *port, const struct axdp_rxq *rxq, uint16_t *flags)
{
	const struct axdp_port *ap = port->priv;
	const bool contiguous = umem_contiguous(rxq->umem);

	*flags = ap->conf.need_wakeup ? XDP_USE_NEED_WAKEUP : 0;
	if (ap->conf.mode == AXDP_ZEROCOPY && !contiguous)
		return plx_err(ENOTSUP,
			"%s: zero-copy takes data rooms in huge pages (plx-testpmd --huge 2M); reserve "
			"some in /proc/sys/vm/nr_hugepages, or use mode=auto",
			plx_port_name(port));
	if (ap->conf.mode == AXDP_ZEROCOPY)
		*flags |= XDP_ZEROCOPY;
	else if (ap->conf.mode != AXDP_AUTO || ap->skb_mode || !contiguous)
		*flags |= XDP_COPY;
	return 0; /* with neither, the kernel does what its driver can */
}

/*
 * bind(2), with patience: the kernel frees the queue of a socket that was closed (by this port's last stop, or
 * by a program that was killed) in a work item of its own, and says EBUSY until then.
 */
static int patient_bind(int fd, const struct sockaddr_xdp *sa)
{
	const struct timespec nap = {0, 1000000};
	const uint64_t until = plx_clock_ns() + RELEASE_NS;

	while (bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) != 0) {
		if (errno != EBUSY || plx_clock_ns() > until)
			return -errno;
		nanosleep(&nap, NULL);
	}
	return 0;
}

/* The first socket of a UMEM says how its memory is used; the others share that. */
static int sock_bind(struct plx_port *port, const struct axdp_rxq *rxq, uint32_t queue)
{
	struct axdp_port *ap = port->priv;
	struct sockaddr_xdp sa = {
		.sxdp_family = AF_XDP, .sxdp_ifindex = ap->netif.ifindex, .sxdp_queue_id = queue};
	struct xdp_options got = {0};
	socklen_t len = sizeof(got);
	int err = 0;

	if (rxq->umem->fd != rxq->fd) {
		sa.sxdp_flags = XDP_SHARED_UMEM;
		sa.sxdp_shared_umem_fd = (uint32_t)rxq->umem->fd;
	} else {
		err = bind_flags(port, rxq, &sa.sxdp_flags);
	}
	if (err < 0)
		return err;
	err = patient_bind(rxq->fd, &sa);
	if (err < 0)
		return bind_error(port, queue, -err);
	if (getsockopt(rxq->fd, SOL_XDP, XDP_OPTIONS, &got, &len) == 0 &&
		(got.flags & XDP_OPTIONS_ZEROCOPY))
		ap->zero_copy = true;
	plx_logf(ap->log, PLX_LOG_INFO, "%s: queue %u of %s: %s", plx_port_name(port), queue,
		ap->netif.name, ap->zero_copy ? "zero-copy" : "the kernel copies");
	return 0;
}

static void sock_options(struct plx_port *port, int fd)
{
	const struct axdp_port *ap = port->priv;
	const int send_buffer = SEND_BUFFER, on = 1, us = BUSY_POLL_US;
	const int budget = (int)ap->conf.busy_poll;

	/* as much as may be had: what is under way in the kernel counts here */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send_buffer, sizeof(int)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(int));
	if (budget == 0)
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof(int)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &us, sizeof(int)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof(int)) != 0)
		plx_logf(ap->log, PLX_LOG_WARN, "%s: busy_poll: %s; it takes Linux 5.11",
			plx_port_name(port), strerror(errno));
}

static int sock_open(struct plx_port *port, uint16_t i)
{
	struct axdp_port *ap = port->priv;
	struct axdp_rxq *rxq = rxq_at(port, i);
	struct axdp_txq *txq = i < port->conf.n_txq ? txq_at(port, i) : NULL;
	int err;

	rxq->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (rxq->fd < 0)
		return plx_err(errno, "%s: AF_XDP socket: %s%s", plx_port_name(port),
			strerror(errno), errno == EAFNOSUPPORT ? " (CONFIG_XDP_SOCKETS)" : "");
	err = umem_find(port, rxq->q.pool, &rxq->umem);
	if (err == 0 && rxq->umem->fd < 0)
		err = umem_register(port, rxq->umem, rxq->fd);
	if (err == 0)
		err = rings_size(port, rxq, txq);
	if (err == 0)
		err = rings_map(port, rxq, txq);
	if (err < 0)
		return err;
	sock_options(port, rxq->fd);
	rxq->mine = (uint8_t)(AXDP_IN_RX + i);
	rxq->need_wakeup = ap->conf.need_wakeup;
	rxq->sums = ap->sums;
	rxq->busy_poll = ap->conf.busy_poll != 0;
	if (txq != NULL) {
		txq->umem = rxq->umem;
		txq->fd = rxq->fd;
		txq->mine = (uint8_t)(AXDP_IN_TX + i);
		txq->need_wakeup = ap->conf.need_wakeup;
		txq->out = txq->pending = 0;
	}
	err = sock_bind(port, rxq, ap->conf.queue + i);
	if (err < 0)
		return err;
	rxq->lacking = rxq->q.n_desc - axdp_fill(rxq, rxq->q.n_desc);
	if (rxq->lacking == rxq->q.n_desc)
		return plx_err(ENOMEM,
			"%s: RX queue %u: pool %s has no mbuf left; plx_mbuf_pool_need() computes how many",
			plx_port_name(port), i, rxq->q.pool->mp.name);
	return 0;
}

int axdp_socks_open(struct plx_port *port)
{
	const struct axdp_port *ap = port->priv;
	int err = axdp_attach(port);

	for (uint16_t i = 0; err == 0 && i < port->conf.n_rxq; i++)
		err = sock_open(port, i);
	/* packets come from here on */
	for (uint16_t i = 0; err == 0 && i < port->conf.n_rxq; i++) {
		err = axdp_map_set(port, ap->conf.queue + i, rxq_at(port, i)->fd);
		rxq_at(port, i)->mapped = err == 0;
	}
	return err;
}

/* ---- close ---- */

static void sum(struct xdp_statistics *s, const struct xdp_statistics *more)
{
	s->rx_dropped += more->rx_dropped;
	s->rx_invalid_descs += more->rx_invalid_descs;
	s->tx_invalid_descs += more->tx_invalid_descs;
	s->rx_ring_full += more->rx_ring_full;
	s->rx_fill_ring_empty_descs += more->rx_fill_ring_empty_descs;
	s->tx_ring_empty_descs += more->tx_ring_empty_descs;
}

void axdp_counts(struct plx_port *port, struct xdp_statistics *s)
{
	const struct axdp_port *ap = port->priv;

	*s = ap->old;
	for (uint16_t i = 0; port->rxqs != NULL && i < port->conf.n_rxq; i++) {
		struct xdp_statistics now = {0};
		socklen_t len = sizeof(now);

		if (port->rxqs[i] != NULL && rxq_at(port, i)->fd >= 0 &&
			getsockopt(rxq_at(port, i)->fd, SOL_XDP, XDP_STATISTICS, &now, &len) == 0)
			sum(s, &now);
	}
}

/* Every room that was in a ring goes home. */
static void umem_close(struct plx_port *port, struct axdp_umem *u)
{
	for (uint32_t i = 0; i < u->n && u->state != NULL; i++) {
		const uint8_t state = u->state[i];
		struct plx_mbuf *m = axdp_mbuf(u, i);

		if (state == AXDP_FREE)
			continue;
		if (state >= AXDP_IN_TX)
			plx_ctr_add(&port->txqs[state - AXDP_IN_TX]->ctr[PLX_TXQ_DONE], 1);
		plx_mempool_put_bulk_nocache(&u->pool->mp, (void *const *)&m, 1);
	}
	free(u->state);
	*u = (struct axdp_umem){.fd = -1};
}

/* Frames that the kernel did not take, and now will not. */
static uint32_t tx_unsent(const struct axdp_ring *tx)
{
	return tx->map == NULL ? 0 : PLX_MIN(tx->head - PLX_READ_ONCE(*tx->consumer), tx->mask + 1);
}

void axdp_socks_close(struct plx_port *port)
{
	const struct timespec settle = {0, 50000000};
	struct axdp_port *ap = port->priv;

	axdp_counts(port, &ap->old);
	/* in a map that others use, too, what this port did not enter is theirs */
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (port->rxqs[i] != NULL && rxq_at(port, i)->mapped) {
			axdp_map_clear(ap, ap->conf.queue + i);
			rxq_at(port, i)->mapped = false;
		}
	axdp_detach(ap);
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		if (port->txqs[i] != NULL) {
			ap->unsent += tx_unsent(&txq_at(port, i)->tx);
			ring_unmap(&txq_at(port, i)->tx);
			ring_unmap(&txq_at(port, i)->comp);
			txq_at(port, i)->fd = -1;
		}
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (port->rxqs[i] != NULL) {
			ring_unmap(&rxq_at(port, i)->rx);
			ring_unmap(&rxq_at(port, i)->fill);
			if (rxq_at(port, i)->fd >= 0)
				close(rxq_at(port, i)->fd);
			rxq_at(port, i)->fd = -1;
		}
	/* the kernel takes a NIC's own rings back in a work item that nothing tells the end of */
	if (ap->zero_copy)
		nanosleep(&settle, NULL);
	ap->zero_copy = false;
	for (unsigned i = 0; i < AXDP_MAX_QUEUES && ap->umem[i].pool != NULL; i++)
		umem_close(port, &ap->umem[i]);
}
