/* SPDX-License-Identifier: BSD-3-Clause */
/* Control work: the device's events, and what the watchdog wants to know. */
#define PLX_LOG_TAG "vmxnet3"
#include "vmxnet3_burst.h"

/* Why a queue has stopped. */
static const char *reason(uint32_t error)
{
	static const char *const names[] = {"a packet without an end",
		"a TX slot used again before it was reported", "too many slots in a packet",
		"a descriptor type that is not supported", "a buffer that is too small",
		"a stress option", "a failed mode switch", "an invalid TX slot"};
	const uint32_t i = error - 0x80000000u;

	return i < PLX_ARRAY_SIZE(names) ? names[i] : "no reason that is known";
}

static bool stopped(
	struct plx_port *port, const struct vmxnet3_queue_status *s, const char *kind, uint32_t i)
{
	const uint32_t error = plx_le32_read_once(&s->error);

	if (!(PLX_READ_ONCE(s->stopped) & 1))
		return false;
	plx_logf(plx_ctx_log(port->ctx), PLX_LOG_ERR,
		"%s: the device has stopped %s queue %u: %s (0x%08x); reset the port",
		plx_port_name(port), kind, i, reason(error), error);
	return true;
}

static void look_for_stopped(struct plx_port *port)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	uint32_t nothing;

	if (vmxnet3_ask(&p->hw, VMXNET3_CMD_GET_QUEUE_STATUS, &nothing) < 0)
		return;
	for (uint16_t i = 0; i < port->conf.n_rxq; i++)
		if (plx_rxq_state(port->rxqs[i], NULL) == PLX_QUEUE_RUNNING &&
			stopped(port, &vmxnet3_rx_desc(p, i)->rx.status, "RX", i))
			plx_rxq_set_failed(port->rxqs[i], EIO);
	for (uint16_t i = 0; i < port->conf.n_txq; i++)
		if (plx_txq_state(port->txqs[i], NULL) == PLX_QUEUE_RUNNING &&
			stopped(port, &vmxnet3_tx_desc(p, i)->tx.status, "TX", i))
			plx_txq_set_failed(port->txqs[i], EIO);
}

/* The link is asked for after this in any case. */
void vmxnet3_control(struct plx_port *port, uint64_t now_ns)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	const uint32_t events = plx_le32_read_once(&p->mem->shared.ecr);

	if (events == 0)
		return;
	vmxnet3_wr(&p->hw, VMXNET3_ECR, events);
	if (events & (VMXNET3_ECR_RQERR | VMXNET3_ECR_TQERR))
		look_for_stopped(port);
	if (events & VMXNET3_ECR_DIC)
		plx_logf(p->hw.log, PLX_LOG_INFO, "%s: the device has changed what implements it",
			plx_port_name(port));
}

/*
 * Silence on RX is no fault, nor is a ring that the program does not empty: something is owed only
 * while the device has all buffers, has nothing to report, and drops packets for want of one.
 */
void vmxnet3_rxq_progress(struct plx_port *port, struct plx_rxq *h, struct plx_progress *p)
{
	struct vmxnet3_rxq *q = (struct vmxnet3_rxq *)h;
	const uint32_t at = PLX_READ_ONCE(q->at);
	uint64_t missed, q1;

	if (vmxnet3_stats_ask(q->priv) < 0)
		return;
	missed = vmxnet3_rx_stat(q->priv, h->index, VMXNET3_RX_STAT_out_of_buffers);
	q1 = plx_le64_read_once(&q->comp[at].q[1]);
	p->owed = missed != q->missed_seen && ((q1 ^ PLX_READ_ONCE(q->gen)) & VMXNET3_C_GEN) != 0;
	p->done = at;
	q->missed_seen = missed;
}

/* Slots are in use, and the next completion is not there. */
void vmxnet3_txq_progress(struct plx_port *port, struct plx_txq *h, struct plx_progress *p)
{
	const struct vmxnet3_txq *q = (struct vmxnet3_txq *)h;
	const uint32_t at = PLX_READ_ONCE(q->at);
	const uint64_t q1 = plx_le64_read_once(&q->comp[at].q[1]);

	p->owed = PLX_READ_ONCE(q->used) != 0 &&
		  ((q1 ^ PLX_READ_ONCE(q->comp_gen)) & VMXNET3_C_GEN) != 0;
	p->done = at;
}
