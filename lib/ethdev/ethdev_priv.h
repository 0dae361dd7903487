/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of lib/ethdev share. */
#ifndef ETHDEV_PRIV_H
#define ETHDEV_PRIV_H

#include "ethdev_pmd.h"

/* Control's side of a queue: what bursts never touch. */
struct queue_ctl {
	bool deferred;
	bool rx;
	bool stopping; /* taken from its thread, which was still inside a burst: call stop again */
	uint64_t *ctr;
	uint64_t base[8]; /* the counters at the last reset of statistics */
	/* watchdog */
	uint64_t done;
	uint64_t since_ns; /* when done last changed or nothing was owed; 0: not looked at yet */
};

/* Both kinds have the same number of counters, so that one piece of code serves both. */
PLX_STATIC_ASSERT(PLX_RXQ_COUNTERS == 8 && PLX_TXQ_COUNTERS == 8, "queue_ctl.base");

enum { EVENT_LINK = 1u << 0, EVENT_FAILED = 1u << 1, EVENT_GONE = 1u << 2 };

/* A port with what only lib/ethdev sees of it. */
struct plx_port_ctl {
	struct plx_port port;
	pthread_mutex_t lock;
	struct plx_ctx_child child;
	struct plx_work work;
	struct queue_ctl *rx, *tx;  /* conf.n_rxq, conf.n_txq */
	struct plx_port_stats past; /* of queues that are no more */
	plx_port_event_fn event_fn;
	void *event_arg;
	uint32_t events; /* EVENT_*, atomic: queues' threads set them too */
	bool configured;
	bool stopping; /* started, and a stop found a thread inside a burst: call it again */
	bool gone;     /* atomic */
	bool opened;
};

#define CONTROL_PERIOD_NS UINT64_C(100000000)
#define BUSY_LIMIT_NS     UINT64_C(1000000000)

/* handover.c */
void rxq_publish(struct plx_rxq *q);
void txq_publish(struct plx_txq *q);
void txq_publish_link(struct plx_txq *q);
void rxq_withdraw(struct plx_rxq *q, enum plx_queue_state state);
void txq_withdraw(struct plx_txq *q, enum plx_queue_state state);
void port_withdraw(struct plx_port *port, enum plx_queue_state state);
int rxq_quiesce(struct plx_rxq *q);
int port_quiesce(struct plx_port *port);
int handover_init(void);

/* queue.c */
void port_release_queues(struct plx_port *port);

/* control.c */
void port_control(struct plx_work *work, uint64_t now_ns);
void port_event(struct plx_port *port, uint32_t event);
int port_link_update(struct plx_port *port);
bool port_is_gone(struct plx_port *port);

/* stats.c */
void queue_stats_keep(struct plx_port *port, struct queue_ctl *qc);

/* port.c */
int conf_take(
	const struct plx_port *port, void *to, size_t size, const void *from, const char *init);
int port_enter(struct plx_port *port);
int port_leave(struct plx_port *port, int err);
int port_enter_op(struct plx_port *port, bool has, const char *what);

#endif
