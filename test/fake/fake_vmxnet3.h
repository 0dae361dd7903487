/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VMware's vmxnet3 behind the fake PCI device. There is no public datasheet: it is written from the
 * facts in the headers of Linux and QEMU (vmxnet3_defs.h) and from what QEMU's model does
 * (hw/net/vmxnet3.c), and apart from the driver.
 *
 *	struct fake_vmxnet3_opts o = FAKE_VMXNET3_OPTS_INIT;
 *	struct fake_vmxnet3 *a = fake_vmxnet3_new("a", &o), *b = fake_vmxnet3_new("b", &o);
 *	fake_vmxnet3_wire(a, b);
 *	fake_attach(ctx, fake_vmxnet3_pci(a));
 *	plx_port_open(ctx, "fake:a", &port);
 *	...
 *	CHECK_STR(fake_vmxnet3_violation(a, 0), "");
 *	fake_vmxnet3_free(a);		after the device was closed
 *
 * It has what QEMU's model lacks: RSS over several queues, TCP segmentation on every wire, revision 2
 * with its LRO completions, and queues that stop. And it is strict: what a driver does against the
 * facts (a register that is not there, a ring of odd length, reserved bits, a doorbell that is not the
 * ring's, an area that is read before its address is known, ...) is recorded as a violation. Tests end
 * by looking that there is none.
 *
 * Threads: what is here may be called from any thread; a model's work is done under the lock of its
 * fake_pci.
 */
#ifndef FAKE_VMXNET3_H
#define FAKE_VMXNET3_H

#include "fake_pci.h"

struct fake_vmxnet3;

/** The longest packet, in bytes. */
#define FAKE_VMXNET3_PACKET 65535u

struct fake_vmxnet3_opts {
	uint8_t mac[6];
	uint32_t revs;   /**< VRRS: a bit for each revision that is offered */
	uint32_t upts;   /**< UVRS */
	bool like_qemu;  /**< completions have no type, no RSS */
	bool wants_prod; /**< asks to be told of armed RX buffers, and takes no others */
};

#define FAKE_VMXNET3_OPTS_INIT                                                     \
	{                                                                          \
		.mac = {0x00, 0x50, 0x56, 0x00, 0x00, 0x01}, .revs = 3, .upts = 1, \
		.like_qemu = false, .wants_prod = false                            \
	}

/** A powered-up device. opts NULL: the defaults. Never NULL. */
struct fake_vmxnet3 *fake_vmxnet3_new(const char *name, const struct fake_vmxnet3_opts *opts);
/** Frees it and its fake_pci; takes it off its wire. NULL is allowed. */
void fake_vmxnet3_free(struct fake_vmxnet3 *m);
struct fake_pci *fake_vmxnet3_pci(struct fake_vmxnet3 *m);

/* ---- the wire ---- */

/** What one sends the other receives. */
void fake_vmxnet3_wire(struct fake_vmxnet3 *a, struct fake_vmxnet3 *b);
/** Each frame sent is also (or, without a wire, only) shown to fn, with the model's lock held. */
typedef void (*fake_vmxnet3_tx_fn)(void *arg, const uint8_t *frame, uint32_t len);
void fake_vmxnet3_on_tx(struct fake_vmxnet3 *m, fake_vmxnet3_tx_fn fn, void *arg);

/** A frame arrives. False: it was dropped. */
bool fake_vmxnet3_rx(struct fake_vmxnet3 *m, const void *frame, uint32_t len);
/** A packet that was joined from segs of mss bytes each; with LRO off it is dropped. */
bool fake_vmxnet3_rx_lro(
	struct fake_vmxnet3 *m, const void *packet, uint32_t len, uint32_t mss, uint32_t segs);
/** The next frame is reported with an error. */
void fake_vmxnet3_bad(struct fake_vmxnet3 *m);
/** The next n RX buffers are passed over, as if the device could not use them. */
void fake_vmxnet3_pass_over(struct fake_vmxnet3 *m, uint32_t n);
/** Plugs the cable in or pulls it. */
void fake_vmxnet3_cable(struct fake_vmxnet3 *m, bool in);
/** A direction hangs: RX drops for want of buffers that it has, TX completes nothing. */
void fake_vmxnet3_stall(struct fake_vmxnet3 *m, bool rx, bool tx);
/** This command has failed from now on, if it is one that says so; 0: none. */
void fake_vmxnet3_refuse(struct fake_vmxnet3 *m, uint32_t cmd);
/** A queue stops for this reason, and the device says so. */
void fake_vmxnet3_stop_queue(struct fake_vmxnet3 *m, bool rx, uint32_t queue, uint32_t error);
/** Raises events: bits of ECR. */
void fake_vmxnet3_event(struct fake_vmxnet3 *m, uint32_t bits);
/** The next completion, RX or TX, has these bits the other way round. */
void fake_vmxnet3_spoil(struct fake_vmxnet3 *m, bool rx, uint64_t q0, uint64_t q1);

/* ---- what it saw ---- */

/** How many violations there were, repetitions included. */
unsigned fake_vmxnet3_violations(const struct fake_vmxnet3 *m);
/** The i-th different one, "" beyond the last. */
const char *fake_vmxnet3_violation(const struct fake_vmxnet3 *m, unsigned i);
void fake_vmxnet3_forgive(struct fake_vmxnet3 *m);

/** Frames sent, received into memory, and dropped for want of buffers. */
struct fake_vmxnet3_counts {
	uint64_t tx, rx, missed;
};
void fake_vmxnet3_count(const struct fake_vmxnet3 *m, struct fake_vmxnet3_counts *c);
/** What was agreed on in VRRS. */
uint32_t fake_vmxnet3_rev(const struct fake_vmxnet3 *m);
/** The moderation level of a vector, the mtu and the number of RX buffers in a packet it was told. */
uint32_t fake_vmxnet3_level(const struct fake_vmxnet3 *m, uint32_t vector);
uint32_t fake_vmxnet3_mtu(const struct fake_vmxnet3 *m);
bool fake_vmxnet3_active(const struct fake_vmxnet3 *m);

/** Rings of a queue: a command ring (RX has two), and that of completions. */
enum fake_vmxnet3_ring { FAKE_VMXNET3_RING, FAKE_VMXNET3_RING2, FAKE_VMXNET3_COMP };
/** Where it is and how many bytes it has; 0: nowhere. */
uint32_t fake_vmxnet3_ring(const struct fake_vmxnet3 *m, bool rx, uint32_t queue,
	enum fake_vmxnet3_ring which, uint64_t *iova);

#endif
