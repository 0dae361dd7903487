/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Registers and commands of vmxnet3, one row each. VMware publishes no datasheet: the facts are those
 * of the headers that Linux (drivers/net/vmxnet3/vmxnet3_defs.h) and QEMU (hw/net/vmxnet3.h) share,
 * and of what QEMU's model does (hw/net/vmxnet3.c).
 *
 * From the rows come the constants VMXNET3_VRRS, VMXNET3_CMD_ACTIVATE_DEV, ... and the register dump.
 * A name or an offset that is there twice does not compile.
 */
#ifndef VMXNET3_REGS_H
#define VMXNET3_REGS_H

#include "plx_base.h"

/* BAR 0: doorbells and interrupt masks. BAR 1: everything else. BAR 2: MSI-X. Registers are 8 apart. */
#define VMXNET3_BAR_DOORBELL 0
#define VMXNET3_BAR_CONTROL  1
#define VMXNET3_BAR_LEN      0x1000u

/* BAR 0; queue or vector n. */
#define VMXNET3_IMR(n)     (0x000u + 8 * (n)) /* interrupt mask: 1 masks vector n */
#define VMXNET3_TXPROD(n)  (0x600u + 8 * (n)) /* next TX slot to be filled */
#define VMXNET3_RXPROD(n)  (0x800u + 8 * (n)) /* next slot of RX ring 1 to be filled */
#define VMXNET3_RXPROD2(n) (0xa00u + 8 * (n)) /* and of RX ring 2 */

/* BAR 1: X(name, offset, access, text). RC: reading clears; WO: reads say nothing. */
/* clang-format off */
#define VMXNET3_REGS(X)                                                                     \
	X(VRRS, 0x00, RW, "device revisions, a bit each; written: the one to be used")      \
	X(UVRS, 0x08, RW, "UPT versions, a bit each; written: the one to be used")          \
	X(DSAL, 0x10, WO, "address of the shared area, low; 0 turns the device off")        \
	X(DSAH, 0x18, WO, "and high, which takes both over")                                \
	X(CMD,  0x20, WO, "a command; read: its answer")                                    \
	X(MACL, 0x28, RW, "address to receive, bytes 0 to 3")                               \
	X(MACH, 0x30, RW, "bytes 4 and 5")                                                  \
	X(ICR,  0x38, RC, "interrupt cause, of INTx")                                       \
	X(ECR,  0x40, WO, "written: events that have been seen")

/* X(name, value, text): what plx_errmsg() says the device was to do. */
#define VMXNET3_COMMANDS(X)                                                                 \
	X(ACTIVATE_DEV,        0xcafe0000, "to start")                                      \
	X(QUIESCE_DEV,         0xcafe0001, "to stop")                                       \
	X(RESET_DEV,           0xcafe0002, "to reset")                                      \
	X(UPDATE_RX_MODE,      0xcafe0003, "to take the receive mode")                      \
	X(UPDATE_MAC_FILTERS,  0xcafe0004, "to take the multicast list")                    \
	X(UPDATE_VLAN_FILTERS, 0xcafe0005, "to take the VLAN filter")                       \
	X(UPDATE_RSSIDT,       0xcafe0006, "to take the RSS table")                         \
	X(UPDATE_IML,          0xcafe0007, "to take interrupt moderation")                  \
	X(UPDATE_FEATURE,      0xcafe0009, "to take the features")                          \
	X(GET_QUEUE_STATUS,    0xf00d0000, "to write the queues' status")                   \
	X(GET_STATS,           0xf00d0001, "to write its counters")                         \
	X(GET_LINK,            0xf00d0002, "to tell its link")                              \
	X(GET_PERM_MAC_LO,     0xf00d0003, "to tell its address, low")                      \
	X(GET_PERM_MAC_HI,     0xf00d0004, "to tell its address, high")
/* clang-format on */

enum {
#define X(name, offset, access, text) VMXNET3_##name = (offset),
	VMXNET3_REGS(X)
#undef X
};

#define X(name, value, text) static const uint32_t VMXNET3_CMD_##name = (value);
VMXNET3_COMMANDS(X)
#undef X

/* The text of a command. The compiler refuses a switch with a case twice. */
static inline const char *vmxnet3_cmd_text(uint32_t cmd)
{
	switch (cmd) {
#define X(name, value, text) \
	case (value):        \
		return #name ": " text;
		VMXNET3_COMMANDS(X)
#undef X
	default:
		return "";
	}
}

static inline bool vmxnet3_reg_known(uint32_t offset)
{
	switch (offset) {
#define X(name, off, access, text) case (off):
		VMXNET3_REGS(X)
#undef X
		return true;
	default:
		return false;
	}
}

/* VRRS and UVRS: bit n - 1 is revision n. The second has LRO completions. */
#define VMXNET3_REV(n) PLX_BIT((n)-1)

/* The answer to GET_LINK. */
#define VMXNET3_LINK_UP       PLX_BIT(0)
#define VMXNET3_LINK_SPEED(v) ((v) >> 16) /* Mbit/s */

/* Events in the shared area's ecr. */
#define VMXNET3_ECR_RQERR PLX_BIT(0) /* an RX queue has stopped */
#define VMXNET3_ECR_TQERR PLX_BIT(1) /* a TX queue has stopped */
#define VMXNET3_ECR_LINK  PLX_BIT(2) /* the link has changed */
#define VMXNET3_ECR_DIC   PLX_BIT(3) /* another implementation has taken over the device */
#define VMXNET3_ECR_DEBUG PLX_BIT(4)

#endif
