/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hand-over: how control takes a queue from a thread that may be inside a burst.
 *
 *   polling thread                      control
 *   busy = 1                            burst = dummy
 *   (compiler barrier)                  membarrier: a full barrier on every thread of the process
 *   f = burst; f()                      wait until busy == 0
 *   busy = 0 (release)                  touch hardware, free
 *
 * Of the two accesses on each side, one side must see the other's: either the thread loads the
 * dummy, or control sees busy. Such a store-load order needs a full barrier on both sides;
 * membarrier(2) executes the thread's one for it, and the burst path pays nothing.
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ethdev_priv.h"

static uint16_t rx_dummy(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return 0;
}

static uint16_t tx_dummy(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return 0;
}

static uint32_t reclaim_dummy(struct plx_txq *q)
{
	return 0;
}

/* In place of a queue's burst while the port has no link. */
static uint16_t tx_nolink(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	plx_ctr_add(&q->ctr[PLX_TXQ_NOLINK], n);
	return 0;
}

static long membarrier(int cmd)
{
	return syscall(SYS_membarrier, cmd, 0, 0);
}

int handover_init(void)
{
	if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0)
		return 0;
	return plx_err(errno,
		"membarrier(2) is refused (%s), without it queues cannot be taken from polling threads; "
		"allow the system call in the sandbox, or use Linux 4.14 or later",
		strerror(errno));
}

void rxq_publish(struct plx_rxq *q)
{
	__atomic_store_n(&q->state, PLX_QUEUE_RUNNING, __ATOMIC_RELEASE);
	/* release: the burst sees all that start wrote */
	__atomic_store_n(&q->burst, q->port->ops->rx_select(q->port, q), __ATOMIC_RELEASE);
}

/* The burst that fits the link, for a running queue. */
void txq_publish_link(struct plx_txq *q)
{
	struct plx_port *port = q->port;

	if (plx_txq_state(q, NULL) != PLX_QUEUE_RUNNING)
		return;
	/*
	 * The queue's own thread may call it failed in between: either it is seen here, or the dummy
	 * that it stores comes after this. Hence all four accesses are sequentially consistent: release
	 * and acquire alone let the load of state pass the store of burst.
	 */
	__atomic_store_n(&q->burst, port->link.up ? port->ops->tx_select(port, q) : tx_nolink,
		__ATOMIC_SEQ_CST);
	if ((__atomic_load_n(&q->state, __ATOMIC_SEQ_CST) & 0xffff) != PLX_QUEUE_RUNNING)
		__atomic_store_n(&q->burst, tx_dummy, __ATOMIC_RELEASE);
}

/* Of a driver whose TX keeps nothing back. */
static uint32_t reclaim_nothing(struct plx_txq *q)
{
	return 0;
}

void txq_publish(struct plx_txq *q)
{
	const plx_reclaim_fn reclaim = q->port->ops->reclaim;

	__atomic_store_n(&q->state, PLX_QUEUE_RUNNING, __ATOMIC_RELEASE);
	__atomic_store_n(
		&q->reclaim, reclaim != NULL ? reclaim : reclaim_nothing, __ATOMIC_RELEASE);
	txq_publish_link(q);
}

void rxq_withdraw(struct plx_rxq *q, enum plx_queue_state state)
{
	__atomic_store_n(&q->burst, rx_dummy, __ATOMIC_RELEASE);
	__atomic_store_n(&q->state, state, __ATOMIC_RELEASE);
}

void txq_withdraw(struct plx_txq *q, enum plx_queue_state state)
{
	__atomic_store_n(&q->burst, tx_dummy, __ATOMIC_RELEASE);
	__atomic_store_n(&q->reclaim, reclaim_dummy, __ATOMIC_RELEASE);
	__atomic_store_n(&q->state, state, __ATOMIC_RELEASE);
}

void port_withdraw(struct plx_port *port, enum plx_queue_state state)
{
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (port->rxqs[i] != NULL)
			rxq_withdraw(port->rxqs[i], state);
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		if (port->txqs[i] != NULL)
			txq_withdraw(port->txqs[i], state);
}

/* Waits until the thread that marked it has left its burst. */
static int wait_idle(
	const struct plx_port *port, const char *kind, uint16_t index, const uint32_t *busy)
{
	const struct timespec nap = {0, 20000};
	uint64_t until = 0;

	for (unsigned spins = 0; __atomic_load_n(busy, __ATOMIC_ACQUIRE) != 0; spins++) {
		if (spins < 1000) {
			plx_pause();
			continue;
		}
		/* its thread may need this CPU to get on */
		nanosleep(&nap, NULL);
		if (until == 0)
			until = plx_clock_ns() + BUSY_LIMIT_NS;
		else if (plx_clock_ns() > until)
			return plx_err(EBUSY,
				"%s: a thread has been inside a burst of %s queue %u for a second; "
				"let it return, then call again",
				plx_port_name(port), kind, index);
	}
	return 0;
}

int rxq_quiesce(struct plx_rxq *q)
{
	membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	return wait_idle(q->port, "RX", q->index, &q->busy);
}

int plx_txq_quiesce(struct plx_txq *q)
{
	membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	return wait_idle(q->port, "TX", q->index, &q->busy);
}

int port_quiesce(struct plx_port *port)
{
	membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	for (uint16_t i = 0; i < port->conf.n_rxq; i++) {
		struct plx_rxq *q = port->rxqs[i];
		int err = q == NULL ? 0 : wait_idle(port, "RX", i, &q->busy);

		if (err < 0)
			return err;
	}
	for (uint16_t i = 0; i < port->conf.n_txq; i++) {
		struct plx_txq *q = port->txqs[i];
		int err = q == NULL ? 0 : wait_idle(port, "TX", i, &q->busy);

		if (err < 0)
			return err;
	}
	return 0;
}

/* From RUNNING alone, so that a queue that control stopped meanwhile stays stopped. */
static bool state_to(uint32_t *state, uint32_t to)
{
	uint32_t from = PLX_QUEUE_RUNNING;

	return __atomic_compare_exchange_n(
		state, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}

void plx_rxq_set_failed(struct plx_rxq *q, int errnum)
{
	if (!state_to(&q->state, PLX_QUEUE_FAILED | (uint32_t)errnum << 16))
		return;
	__atomic_store_n(&q->burst, rx_dummy, __ATOMIC_RELEASE);
	port_event(q->port, EVENT_FAILED);
}

void plx_txq_set_failed(struct plx_txq *q, int errnum)
{
	if (!state_to(&q->state, PLX_QUEUE_FAILED | (uint32_t)errnum << 16))
		return;
	__atomic_store_n(&q->burst, tx_dummy, __ATOMIC_SEQ_CST); /* see txq_publish_link() */
	__atomic_store_n(&q->reclaim, reclaim_dummy, __ATOMIC_RELEASE);
	port_event(q->port, EVENT_FAILED);
}

void plx_port_set_gone(struct plx_port *port)
{
	if (__atomic_exchange_n(&port->ctl->gone, true, __ATOMIC_ACQ_REL))
		return;
	if (port->dev->pci != NULL)
		plx_pci_set_gone(port->dev->pci);
	port_withdraw(port, PLX_QUEUE_GONE);
	port_event(port, EVENT_GONE);
}

uint16_t plx_rx_burst_fn(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return plx_rx_burst(q, pkts, n);
}

uint16_t plx_tx_burst_fn(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	return plx_tx_burst(q, pkts, n);
}

uint32_t plx_tx_reclaim_fn(struct plx_txq *q)
{
	return plx_tx_reclaim(q);
}
