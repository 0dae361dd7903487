/* SPDX-License-Identifier: BSD-3-Clause */
/* The vmxnet3 driver on a model of its device, for the tests of its error paths and features. */
#ifndef VMXNET3_RIG_H
#define VMXNET3_RIG_H

#include "fake_vmxnet3.h"
#include "plx_ethdev.h"
#include "unit.h"

#define MS         UINT64_C(1000000)
#define RIG_POOL   2048u
#define RIG_QUEUES 4

struct rig {
	struct plx_ctx *ctx;
	struct fake_vmxnet3 *m;
	struct fake_pci *f;
	struct plx_mbuf_pool *pool;
	struct plx_port *port;
	struct plx_port_info info;
	struct plx_rxq *rxqs[RIG_QUEUES], *rxq; /* the first again */
	struct plx_txq *txqs[RIG_QUEUES], *txq;
	uint64_t freed; /* packets of RX that the test gave back */

	/* what the port is configured as */
	struct plx_port_conf conf;
	uint32_t room;
	uint16_t n_desc;

	/* the last frame that the model sent */
	uint8_t sent[FAKE_VMXNET3_PACKET];
	uint32_t sent_len;
	uint64_t n_sent;
};

/* The instruction set of the contexts that rig_begin() opens; options of its models, or NULL. */
extern enum plx_isa rig_isa;
extern const struct fake_vmxnet3_opts *rig_model;

/* The model and a context that knows it; stall_ns: of the watchdog, 0: off. */
void rig_begin(struct rig *r, uint64_t stall_ns);
/* Steps of bring-up; each returns what the library did. rig_open() makes the pool, too. */
int rig_open(struct rig *r);
int rig_set_up(struct rig *r);
/* 0 when the link is up, or an error. */
int rig_link(struct rig *r);
/* All of it, which must work. */
void rig_up(struct rig *r);
/* Closes the port and looks for what was left behind. */
void rig_close(struct rig *r);
void rig_end(struct rig *r);
/* The same, of a device against which nothing was done. */
void rig_end_clean(struct rig *r);

/* A frame of len bytes to the NIC's own address, of type 0x88b5, numbered. RSS leaves it to queue 0. */
void rig_frame(uint8_t *p, uint32_t number, uint32_t len);
/* The same length, as TCP or UDP over IPv4 from a port, with right checksums: 54 or 42 of headers. */
void rig_ipv4(uint8_t *p, bool udp, uint32_t port, uint32_t len);
struct plx_mbuf *rig_mbuf(struct rig *r, const void *frame, uint32_t len);
/* Sends n frames and receives n more, whole and in order: everything works. */
void rig_traffic(struct rig *r, unsigned n);
/* The same with a device that is out of order: what it can, on all queues that there are. */
void rig_try_traffic(struct rig *r, unsigned n);
/* One frame in; what comes out of the RX queue, or NULL. */
struct plx_mbuf *rig_receive(struct rig *r, const void *frame, uint32_t len);
/* What comes out of it now, or NULL. */
struct plx_mbuf *rig_take(struct rig *r);
/* Is it this frame? Frees it. */
void rig_check(struct rig *r, struct plx_mbuf *m, const void *frame, uint32_t len);

#endif
