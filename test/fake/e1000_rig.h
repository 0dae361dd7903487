/* SPDX-License-Identifier: BSD-3-Clause */
/* The e1000 driver on a model of the 82574L, for the tests of its error paths and features. */
#ifndef E1000_RIG_H
#define E1000_RIG_H

#include "fake_82574.h"
#include "plx_ethdev.h"
#include "unit.h"

#define MS         UINT64_C(1000000)
#define LINK_NS    (500 * MS)
#define RIG_POOL   1024u
#define RIG_QUEUES 8 /* at most */

/* What the model is: the tests run for each. */
#ifndef RIG_PART
#define RIG_PART FAKE_82574L
#endif

struct rig {
	struct plx_ctx *ctx;
	struct fake_82574 *m;
	struct fake_pci *f;
	struct plx_mbuf_pool *pool;
	struct plx_port *port;
	struct plx_port_info info;
	struct plx_rxq *rxqs[RIG_QUEUES], *rxq; /* the first again */
	struct plx_txq *txqs[RIG_QUEUES], *txq;
	uint64_t freed;  /* packets of RX that the test gave back */
	uint64_t errors; /* packets of RX that the driver refused */

	/* what is opened, and what the port is configured as */
	const char *device;
	struct plx_port_conf conf;
	uint32_t room;
	uint16_t n_desc;
	uint32_t n_mbufs; /* of the pool: RIG_POOL, or set before rig_open() */

	/* the last frame that the model sent */
	uint8_t sent[FAKE_82574_FRAME];
	uint32_t sent_len;
	uint64_t n_sent;
};

/* The instruction set of the contexts that rig_begin() opens; options of its models, or NULL. */
extern enum plx_isa rig_isa;
extern const struct fake_82574_opts *rig_model;
/* Those of its models. */
struct fake_82574_opts rig_opts(void);

/* The model and a context that knows it; stall_ns: of the watchdog, 0: off. */
void rig_begin(struct rig *r, uint64_t stall_ns);
/* For fake_82574_on_tx(), with the rig as its argument: keeps the last frame. */
void rig_on_tx(void *rig, const uint8_t *frame, uint32_t len);
/* Steps of bring-up; each returns what the library did. rig_open() makes the pool, too. */
int rig_open(struct rig *r);
int rig_set_up(struct rig *r);
int rig_start(struct rig *r);
/* Lets autonegotiation pass; 0 when the link is up, or an error. */
int rig_link(struct rig *r);
/* All of it, which must work. */
void rig_up(struct rig *r);
/* Closes the port and looks for what was left behind. */
void rig_close(struct rig *r);
void rig_end(struct rig *r);

/* A frame of len bytes to the NIC's own address, of type 0x88b5, numbered. RSS leaves it to queue 0. */
void rig_frame(uint8_t *p, uint32_t number, uint32_t len);
/* The same length, as TCP over IPv4 from a port: 54 bytes of headers. */
void rig_tcp(uint8_t *p, uint32_t port, uint32_t len);
struct plx_mbuf *rig_mbuf(struct rig *r, const void *frame, uint32_t len);
/* Sends n frames and receives n more, whole and in order: everything works. */
void rig_traffic(struct rig *r, unsigned n);
/*
 * The same with a part that is out of order: sends and receives what it can, on all queues that there
 * are.
 */
void rig_try_traffic(struct rig *r, unsigned n);
/* One frame in; what comes out of the RX queue, or NULL. */
struct plx_mbuf *rig_receive(struct rig *r, const void *frame, uint32_t len);

#endif
