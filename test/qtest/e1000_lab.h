/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two 82574L of a QEMU, a and b, and a socket of the test's, w, on one hub: what one sends the
 * other two see. A third device, c, is behind a root port and can be pulled out.
 */
#ifndef E1000_LAB_H
#define E1000_LAB_H

#include "plx_ethdev.h"
#include "qemu_run.h"
#include "unit.h"

#define MS UINT64_C(1000000)

#define NEEDS_QEMU()                              \
	do {                                      \
		if (qemu_run_missing() != NULL)   \
			SKIP(qemu_run_missing()); \
	} while (0)

/* A check that says what the library said. */
#define CHECK_OK(call)                                                                   \
	do {                                                                             \
		if ((call) != 0) {                                                       \
			char ok_buf[700];                                                \
			snprintf(ok_buf, sizeof(ok_buf), "%s: %s", #call, plx_errmsg()); \
			UNIT_FAIL(ok_buf);                                               \
		}                                                                        \
	} while (0)

/* A port with one queue each way and a pool of its own. */
struct end {
	struct plx_port *port;
	struct plx_rxq *rx;
	struct plx_txq *tx;
	struct plx_mbuf_pool *pool;
	uint32_t n_mbufs;
};

struct lab {
	struct qemu_run r;
	struct plx_ctx *ctx;
	struct end a, b, c;
	int wire;
};

/* What a port is to be; zero: the defaults. */
struct setup {
	uint32_t mtu, rx_offloads, tx_offloads, room, n_mbufs;
	uint16_t n_desc, n_tx_desc;
	bool promisc;
};

void lab_start(struct lab *l);
void lab_start_isa(struct lab *l, enum plx_isa isa);
/* With a QEMU of 8.0 or later. Why there is none, or NULL. */
const char *lab_start_newer(struct lab *l);
void lab_stop(struct lab *l);
/* Opens, configures and starts; waits for the link. where: "slot=2". */
void end_start(struct lab *l, struct end *e, const char *where, const struct setup *s);
/* a and b with the same set-up. */
void lab_pair(struct lab *l, const struct setup *s);
/* Are all mbufs of a stopped port back? */
void end_check_empty(struct end *e);

/* A frame of so many bytes from one station to another, the rest a pattern made of seed. */
void frame_make(uint8_t *f, size_t len, const struct plx_mac *to, const struct plx_mac *from,
	uint32_t seed);
struct plx_mac end_mac(struct end *e);
/* The same as a packet of segments of seg bytes at most. NULL: no mbufs. */
struct plx_mbuf *packet(struct end *e, const uint8_t *f, size_t len, size_t seg);
/* Sends packets, all of them, within five seconds. */
void send_all(struct end *e, struct plx_mbuf **pkts, uint16_t n);
/* Receives up to n packets, waiting up to limit_ms for the n-th. */
uint16_t receive(struct end *e, struct plx_mbuf **pkts, uint16_t n, unsigned limit_ms);
/* Is m these bytes, and sound? Frees it. */
void check_packet(struct plx_mbuf *m, const uint8_t *f, size_t len);
void wire_send(struct lab *l, const uint8_t *f, size_t len);

/* Headers behind an Ethernet header; @return the length of all. Checksums are right. */
size_t ipv4_frame(uint8_t *f, const struct plx_mac *to, const struct plx_mac *from, uint8_t proto,
	size_t payload);
size_t ipv6_frame(uint8_t *f, const struct plx_mac *to, const struct plx_mac *from, uint8_t proto,
	size_t payload);

#endif
