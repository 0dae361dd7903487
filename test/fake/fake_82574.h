/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An Intel 82574L behind the fake PCI device, written from its datasheet ("Intel 82574 GbE
 * Controller Family Datasheet", revision 3.4; numbers in comments are its sections) and apart from
 * the driver.
 *
 *	struct fake_82574_opts o = FAKE_82574_OPTS_INIT;
 *	struct fake_82574 *a = fake_82574_new("a", &o), *b = fake_82574_new("b", &o);
 *	fake_82574_wire(a, b);
 *	fake_attach(ctx, fake_82574_pci(a));
 *	plx_port_open(ctx, "fake:a", &port);
 *	...
 *	CHECK_STR(fake_82574_violation(a, 0), "");
 *	fake_82574_free(a);		after the device was closed
 *
 * It behaves as the part does and is strict where the part would misbehave: what a driver does
 * against the datasheet (a register that is not there, a ring of odd length, a descriptor with
 * reserved bits, DMA asked for with bus mastering off, ...) is recorded as a violation, each with
 * its section. Tests end by looking that there is none.
 *
 * Not modelled: segmentation of UDP, packet split, timestamps, manageability, wake-up. Turning one on is a violation.
 *
 * Threads: what is here may be called from any thread; a model's work is done under the lock of
 * its fake_pci. Frames on the wire carry no FCS; the models add and check it.
 */
#ifndef FAKE_82574_H
#define FAKE_82574_H

#include "fake_pci.h"

struct fake_82574;

/** The longest frame, without FCS. */
#define FAKE_82574_FRAME 16380u

/** What the model is. */
enum fake_82574_part {
	FAKE_82574L, /**< what is written here */
	FAKE_82576,  /**< "Intel 82576 Gigabit Ethernet Controller Datasheet": fake_82576*.c */
};

struct fake_82574_opts {
	uint8_t mac[6];
	uint64_t reset_ns; /**< CTRL.RST: registers cannot be used for so long */
	uint64_t nvm_ns;   /**< after a reset, until the NVM has been read */
	uint64_t mdic_ns;  /**< one PHY register */
	uint64_t link_ns;  /**< autonegotiation */
	bool wall_clock;   /**< its time passes with the system's, besides fake_advance() */
	bool mapped;       /**< registers are plain memory: see fake_82574_prewrite_rx() */
	enum fake_82574_part part;
};

#define FAKE_82574_OPTS_INIT                                                                      \
	{                                                                                         \
		.mac = {0x00, 0x1b, 0x21, 0x00, 0x00, 0x01}, .reset_ns = 1000, .nvm_ns = 2000000, \
		.mdic_ns = 64000, .link_ns = 500000000, .wall_clock = false, .mapped = false      \
	}

/** A powered-up part. opts NULL: the defaults. Never NULL. */
struct fake_82574 *fake_82574_new(const char *name, const struct fake_82574_opts *opts);
/** Frees it and its fake_pci; takes it off its wire. NULL is allowed. */
void fake_82574_free(struct fake_82574 *m);
struct fake_pci *fake_82574_pci(struct fake_82574 *m);

/* ---- the wire ---- */

/** What one sends the other receives. */
void fake_82574_wire(struct fake_82574 *a, struct fake_82574 *b);
/** Each frame sent is also (or, without a wire, only) shown to fn, with the model's lock held. */
typedef void (*fake_82574_tx_fn)(void *arg, const uint8_t *frame, uint32_t len);
void fake_82574_on_tx(struct fake_82574 *m, fake_82574_tx_fn fn, void *arg);

/** What can be wrong with a frame that arrives. */
enum {
	FAKE_82574_CRC = 1u << 0,    /**< wrong FCS */
	FAKE_82574_SYMBOL = 1u << 1, /**< symbol error */
	FAKE_82574_RXE = 1u << 7,    /**< data error */
};
/** A frame arrives; bad: FAKE_82574_*. False: the part dropped it. */
bool fake_82574_rx(struct fake_82574 *m, const void *frame, uint32_t len, uint32_t bad);
/** Plugs the cable in or pulls it; link follows after autonegotiation, or at once. */
void fake_82574_cable(struct fake_82574 *m, bool in);
/** Stops DMA of a direction as a broken part would: RX drops and counts, TX completes nothing. */
void fake_82574_stall(struct fake_82574 *m, bool rx, bool tx);
/** RX DMA pauses after n more descriptors, which may be inside a packet; UINT32_MAX: goes on. */
void fake_82574_pause_rx(struct fake_82574 *m, uint32_t n);
/** PHY accesses end with MDIC.E from now on. */
void fake_82574_phy_error(struct fake_82574 *m, bool on);

/* ---- what it saw ---- */

/** How many violations there were, repetitions included. */
unsigned fake_82574_violations(const struct fake_82574 *m);
/** The i-th different one, "" beyond the last. */
const char *fake_82574_violation(const struct fake_82574 *m, unsigned i);
void fake_82574_forgive(struct fake_82574 *m);

/** A register as the part has it, without side effects. */
uint32_t fake_82574_peek(const struct fake_82574 *m, uint32_t off);
/** Sets one as somebody else may: the firmware, a program before. */
void fake_82574_poke(struct fake_82574 *m, uint32_t off, uint32_t v);
/** Registers of a queue's rings, from RDBAL and TDBAL on. */
uint32_t fake_82574_rx_block(const struct fake_82574 *m, uint32_t queue);
uint32_t fake_82574_tx_block(const struct fake_82574 *m, uint32_t queue);

/** A register of the PHY, likewise. */
uint16_t fake_82574_peek_phy(const struct fake_82574 *m, uint32_t reg);

/** Frames sent, received into memory, and dropped for want of room. */
struct fake_82574_counts {
	uint64_t tx, rx, missed;
};
void fake_82574_count(const struct fake_82574 *m, struct fake_82574_counts *c);

/* ---- for instruction counts ---- */

/*
 * With opts.mapped, registers are plain memory that a driver's windows map. The model runs only
 * when time passes (plx_pci_delay() and so plx_win_wait()), which is enough for bring-up, and costs
 * nothing in a counted region. It moves no packets: the two calls below stand in for the device.
 */

/**
 * Writes back up to n of the RX descriptors that the device owns, each as a frame of len bytes
 * that begins with head (hlen bytes). Returns how many.
 */
uint32_t fake_82574_prewrite_rx(
	struct fake_82574 *m, uint32_t n, const void *head, uint32_t hlen, uint32_t len);
/** Marks all TX descriptors up to the tail done that ask for it. Returns how many it passed. */
uint32_t fake_82574_complete_tx(struct fake_82574 *m);

#endif
