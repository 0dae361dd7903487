/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Registers of the e1000 family, one row each; sections are those of the Intel 82574 GbE Controller
 * Family Datasheet, revision 3.4.
 *
 * From the rows come the constants E1000_CTRL, E1000_STATUS, ..., the register dump and the
 * device's counters. A name or an offset that is there twice does not compile.
 */
#ifndef E1000_REGS_H
#define E1000_REGS_H

#include "plx_base.h"

/* BAR 0 holds all of them: 128 KiB (10.1.1). */
#define E1000_BAR     0
#define E1000_BAR_LEN 0x20000u

/* Generations of the family. */
enum {
	E1000_IN_8254X = 1,
	E1000_IN_82574 = 2,
	E1000_IN_82576 = 4,
	E1000_IN_PCIE = E1000_IN_82574 | E1000_IN_82576,
	E1000_IN_OLD = E1000_IN_8254X | E1000_IN_82574, /* not the 82576 */
	E1000_IN_ALL = E1000_IN_8254X | E1000_IN_PCIE,
};

/*
 * X(name, offset, access, in, section, text). Access: RW, RO, WO; RC is cleared by reading, SE has
 * another side effect of reading. In: the generations that have it, E1000_IN_*.
 */
/* clang-format off */
#define E1000_REGS(X)                                                                          \
	X(CTRL, 0x00000, RW, ALL, "10.2.2", "device control")                                  \
	X(STATUS, 0x00008, RO, ALL, "10.2.2", "device status")                                 \
	X(EEC, 0x00010, RW, ALL, "10.2.2", "NVM control")                                      \
	X(EERD, 0x00014, RW, ALL, "10.2.2", "NVM read")                                        \
	X(CTRL_EXT, 0x00018, RW, ALL, "10.2.2", "device control, extended")                    \
	X(MDIC, 0x00020, RW, ALL, "10.2.2", "access to the PHY's registers")                   \
	X(FCAL, 0x00028, RW, ALL, "10.2.2", "flow control address, low")                       \
	X(FCAH, 0x0002c, RW, ALL, "10.2.2", "flow control address, high")                      \
	X(FCT, 0x00030, RW, ALL, "10.2.2", "flow control type")                                \
	X(VET, 0x00038, RW, ALL, "10.2.2", "EtherType of a VLAN tag")                          \
	X(FCTTV, 0x00170, RW, ALL, "10.2.2", "flow control timer")                             \
	X(LEDCTL, 0x00e00, RW, ALL, "10.2.2", "LEDs")                                          \
	X(EXTCNF_CTRL, 0x00f00, RW, 82574, "10.2.2", "extended configuration, MDIO ownership") \
	X(PBA, 0x01000, RW, OLD, "10.2.2", "split of the packet buffer")                       \
	X(GCR, 0x05b00, RW, PCIE, "10.2.3", "PCIe control")                                    \
	X(FACTPS, 0x05b30, RO, PCIE, "10.2.3", "function active and power state")              \
	X(FWSM, 0x05b54, RO, PCIE, "10.2.3", "firmware semaphore")                             \
	X(ICR, 0x000c0, RC, ALL, "10.2.4", "interrupt causes")                                 \
	X(ITR, 0x000c4, RW, OLD, "10.2.4", "interrupt throttling")                             \
	X(ICS, 0x000c8, WO, ALL, "10.2.4", "interrupt cause set")                              \
	X(IMS, 0x000d0, RW, ALL, "10.2.4", "interrupt mask set")                               \
	X(IMC, 0x000d8, WO, ALL, "10.2.4", "interrupt mask clear")                             \
	X(IAM, 0x000e0, RW, PCIE, "10.2.4", "interrupt acknowledge auto mask")                 \
	X(EIAC, 0x000dc, RW, 82574, "10.2.4", "interrupt auto clear")                          \
	X(IVAR, 0x000e4, RW, 82574, "10.2.4", "interrupt vector allocation")                   \
	X(EITR0, 0x000e8, RW, 82574, "10.2.4", "throttling of vector 0")                         \
	X(EITR1, 0x000ec, RW, 82574, "10.2.4", "throttling of vector 1")                         \
	X(EITR2, 0x000f0, RW, 82574, "10.2.4", "throttling of vector 2")                         \
	X(EITR3, 0x000f4, RW, 82574, "10.2.4", "throttling of vector 3")                         \
	X(EITR4, 0x000f8, RW, 82574, "10.2.4", "throttling of vector 4")                         \
	X(RCTL, 0x00100, RW, ALL, "10.2.5", "receive control")                                 \
	X(ERT, 0x02008, RW, 82574, "10.2.5", "early receive threshold")                        \
	X(FCRTL, 0x02160, RW, ALL, "10.2.5", "flow control threshold, low")                    \
	X(FCRTH, 0x02168, RW, ALL, "10.2.5", "flow control threshold, high")                   \
	X(PSRCTL, 0x02170, RW, 82574, "10.2.5", "packet split control")                        \
	X(RDBAL, 0x02800, RW, OLD, "10.2.5", "RX ring address, low")                           \
	X(RDBAH, 0x02804, RW, OLD, "10.2.5", "RX ring address, high")                          \
	X(RDLEN, 0x02808, RW, OLD, "10.2.5", "RX ring bytes")                                  \
	X(RDH, 0x02810, RW, OLD, "10.2.5", "RX ring head")                                     \
	X(RDT, 0x02818, RW, OLD, "10.2.5", "RX ring tail")                                     \
	X(RDTR, 0x02820, RW, OLD, "10.2.5", "RX interrupt delay")                              \
	X(RXDCTL, 0x02828, RW, OLD, "10.2.5", "RX descriptor control")                         \
	X(RADV, 0x0282c, RW, OLD, "10.2.5", "RX interrupt absolute delay")                     \
	X(RDBAL1, 0x02900, RW, 82574, "10.2.5", "RX ring address of queue 1, low")             \
	X(RDBAH1, 0x02904, RW, 82574, "10.2.5", "RX ring address of queue 1, high")            \
	X(RDLEN1, 0x02908, RW, 82574, "10.2.5", "RX ring bytes of queue 1")                    \
	X(RDH1, 0x02910, RW, 82574, "10.2.5", "RX ring head of queue 1")                       \
	X(RDT1, 0x02918, RW, 82574, "10.2.5", "RX ring tail of queue 1")                       \
	X(RXDCTL1, 0x02928, RW, 82574, "10.2.5", "RX descriptor control of queue 1")           \
	X(RXCSUM, 0x05000, RW, ALL, "10.2.5", "RX checksum control")                           \
	X(RFCTL, 0x05008, RW, PCIE, "10.2.5", "RX filter control")                             \
	X(MRQC, 0x05818, RW, PCIE, "10.2.5", "multiple RX queues")                             \
	X(TCTL, 0x00400, RW, ALL, "10.2.6", "transmit control")                                \
	X(TIPG, 0x00410, RW, ALL, "10.2.6", "inter-packet gap")                                \
	X(TDBAL, 0x03800, RW, OLD, "10.2.6", "TX ring address, low")                           \
	X(TDBAH, 0x03804, RW, OLD, "10.2.6", "TX ring address, high")                          \
	X(TDLEN, 0x03808, RW, OLD, "10.2.6", "TX ring bytes")                                  \
	X(TDH, 0x03810, RW, OLD, "10.2.6", "TX ring head")                                     \
	X(TDT, 0x03818, RW, OLD, "10.2.6", "TX ring tail")                                     \
	X(TIDV, 0x03820, RW, OLD, "10.2.6", "TX interrupt delay")                              \
	X(TXDCTL, 0x03828, RW, OLD, "10.2.6", "TX descriptor control")                         \
	X(TADV, 0x0382c, RW, OLD, "10.2.6", "TX interrupt absolute delay")                     \
	X(TARC0, 0x03840, RW, 82574, "10.2.6", "TX arbitration count")                         \
	X(TDBAL1, 0x03900, RW, 82574, "10.2.6", "TX ring address of queue 1, low")             \
	X(TDBAH1, 0x03904, RW, 82574, "10.2.6", "TX ring address of queue 1, high")            \
	X(TDLEN1, 0x03908, RW, 82574, "10.2.6", "TX ring bytes of queue 1")                    \
	X(TDH1, 0x03910, RW, 82574, "10.2.6", "TX ring head of queue 1")                       \
	X(TDT1, 0x03918, RW, 82574, "10.2.6", "TX ring tail of queue 1")                       \
	X(TXDCTL1, 0x03928, RW, 82574, "10.2.6", "TX descriptor control of queue 1")           \
	X(TARC1, 0x03940, RW, 82574, "10.2.6", "TX arbitration count of queue 1")              \
	X(SW_FW_SYNC, 0x05b5c, RW, 82576, "8.8", "what software and firmware have taken")           \
	X(EEMNGCTL, 0x01010, RW, 82576, "8.4", "management NVM control")                       \
	X(GPIE, 0x01514, RW, 82576, "8.8", "interrupt modes")                                  \
	X(EICS, 0x01520, WO, 82576, "8.8", "extended interrupt cause set")                     \
	X(EIMS, 0x01524, RW, 82576, "8.8", "extended interrupt mask set")                      \
	X(EIMC, 0x01528, WO, 82576, "8.8", "extended interrupt mask clear")                    \
	X(EIAC_EXT, 0x0152c, RW, 82576, "8.8", "extended interrupt auto clear")                \
	X(EIAM, 0x01530, RW, 82576, "8.8", "extended interrupt auto mask")                     \
	X(EICR, 0x01580, RC, 82576, "8.8", "extended interrupt causes")                        \
	X(IVAR_EXT0, 0x01700, RW, 82576, "8.8", "vectors of RX and TX queues 0 and 8")           \
	X(EITR_EXT0, 0x01680, RW, 82576, "8.8", "interrupt throttling of vector 0")            \
	X(IVAR_MISC, 0x01740, RW, 82576, "8.8", "vectors of other causes")                     \
	X(RXPBS, 0x02404, RW, 82576, "8.3", "RX packet buffer, KiB")                           \
	X(TXPBS, 0x03404, RW, 82576, "8.3", "TX packet buffer, KiB")                           \
	X(RLPML, 0x05004, RW, 82576, "8.10", "longest frame, bytes")                           \
	X(DTXCTL, 0x03590, RW, 82576, "8.12", "DMA of TX")                                     \
	X(WUC, 0x05800, RW, ALL, "10.2.8", "wake-up control")                                  \
	X(WUFC, 0x05808, RW, ALL, "10.2.8", "wake-up filters")                                 \
	X(MANC, 0x05820, RW, ALL, "10.2.8", "management control")                              \
	X(SWSM, 0x05b50, SE, PCIE, "10.2.3", "software semaphore")

/*
 * Those that each queue of the 82576 has, from its window on (8.10, 8.12): X(name, offset, access, text). They
 * are where queue 0 of the others has its own.
 */
#define E1000_RX_QUEUE_REGS(X)                                                                 \
	X(RDBAL, 0x02800, RW, "RX ring address, low")                                          \
	X(RDBAH, 0x02804, RW, "RX ring address, high")                                         \
	X(RDLEN, 0x02808, RW, "RX ring bytes")                                                 \
	X(SRRCTL, 0x0280c, RW, "RX buffer size and descriptor type")                           \
	X(RDH, 0x02810, RW, "RX ring head")                                                    \
	X(RDT, 0x02818, RW, "RX ring tail")                                                    \
	X(RXDCTL, 0x02828, RW, "RX descriptor control")                                        \
	X(RQDPC, 0x02830, RC, "packets that the queue had no descriptor for")
#define E1000_TX_QUEUE_REGS(X)                                                                 \
	X(TDBAL, 0x03800, RW, "TX ring address, low")                                          \
	X(TDBAH, 0x03804, RW, "TX ring address, high")                                         \
	X(TDLEN, 0x03808, RW, "TX ring bytes")                                                 \
	X(TDH, 0x03810, RW, "TX ring head")                                                    \
	X(TDT, 0x03818, RW, "TX ring tail")                                                    \
	X(TXDCTL, 0x03828, RW, "TX descriptor control")
enum { E1000_SRRCTL = 0x0280c, E1000_RQDPC = 0x02830 };

/*
 * The device's counters (10.2.7): X(name, offset, bytes, in, name in plx_port_xstats()). All are cleared
 * by reading; those of 8 bytes are two registers, cleared when the upper one is read.
 */
#define E1000_STATS(X)                                                                         \
	X(CRCERRS, 0x04000, 4, ALL, "rx_crc_errors")                                           \
	X(ALGNERRC, 0x04004, 4, ALL, "rx_alignment_errors")                                    \
	X(RXERRC,  0x0400c, 4, ALL, "rx_symbol_errors")                                        \
	X(MPC,     0x04010, 4, ALL, "rx_missed_packets")                                       \
	X(SCC,     0x04014, 4, ALL, "tx_single_collisions")                                    \
	X(ECOL,    0x04018, 4, ALL, "tx_excessive_collisions")                                 \
	X(MCC,     0x0401c, 4, ALL, "tx_multiple_collisions")                                  \
	X(LATECOL, 0x04020, 4, ALL, "tx_late_collisions")                                      \
	X(COLC,    0x04028, 4, ALL, "tx_collisions")                                           \
	X(DC,      0x04030, 4, ALL, "tx_deferred")                                             \
	X(TNCRS,   0x04034, 4, ALL, "tx_no_carrier")                                           \
	X(CEXTERR, 0x0403c, 4, OLD, "rx_carrier_extension_errors")                             \
	X(RLEC,    0x04040, 4, ALL, "rx_length_errors")                                        \
	X(XONRXC,  0x04048, 4, ALL, "rx_xon")                                                  \
	X(XONTXC,  0x0404c, 4, ALL, "tx_xon")                                                  \
	X(XOFFRXC, 0x04050, 4, ALL, "rx_xoff")                                                 \
	X(XOFFTXC, 0x04054, 4, ALL, "tx_xoff")                                                 \
	X(FCRUC,   0x04058, 4, ALL, "rx_unsupported_flow_control")                             \
	X(PRC64,   0x0405c, 4, ALL, "rx_64")                                                   \
	X(PRC127,  0x04060, 4, ALL, "rx_65_to_127")                                            \
	X(PRC255,  0x04064, 4, ALL, "rx_128_to_255")                                           \
	X(PRC511,  0x04068, 4, ALL, "rx_256_to_511")                                           \
	X(PRC1023, 0x0406c, 4, ALL, "rx_512_to_1023")                                          \
	X(PRC1522, 0x04070, 4, ALL, "rx_1024_to_max")                                          \
	X(GPRC,    0x04074, 4, ALL, "rx_good_packets")                                         \
	X(BPRC,    0x04078, 4, ALL, "rx_broadcast_packets")                                    \
	X(MPRC,    0x0407c, 4, ALL, "rx_multicast_packets")                                    \
	X(GPTC,    0x04080, 4, ALL, "tx_good_packets")                                         \
	X(GORC,    0x04088, 8, ALL, "rx_good_bytes")                                           \
	X(GOTC,    0x04090, 8, ALL, "tx_good_bytes")                                           \
	X(RNBC,    0x040a0, 4, ALL, "rx_no_buffer")                                            \
	X(RUC,     0x040a4, 4, ALL, "rx_undersize")                                            \
	X(RFC,     0x040a8, 4, ALL, "rx_fragments")                                            \
	X(ROC,     0x040ac, 4, ALL, "rx_oversize")                                             \
	X(RJC,     0x040b0, 4, ALL, "rx_jabber")                                               \
	X(MGTPRC,  0x040b4, 4, ALL, "rx_management_packets")                                   \
	X(MGTPDC,  0x040b8, 4, ALL, "rx_management_dropped")                                   \
	X(MGTPTC,  0x040bc, 4, ALL, "tx_management_packets")                                   \
	X(TOR,     0x040c0, 8, ALL, "rx_total_bytes")                                          \
	X(TOT,     0x040c8, 8, ALL, "tx_total_bytes")                                          \
	X(TPR,     0x040d0, 4, ALL, "rx_total_packets")                                        \
	X(TPT,     0x040d4, 4, ALL, "tx_total_packets")                                        \
	X(PTC64,   0x040d8, 4, ALL, "tx_64")                                                   \
	X(PTC127,  0x040dc, 4, ALL, "tx_65_to_127")                                            \
	X(PTC255,  0x040e0, 4, ALL, "tx_128_to_255")                                           \
	X(PTC511,  0x040e4, 4, ALL, "tx_256_to_511")                                           \
	X(PTC1023, 0x040e8, 4, ALL, "tx_512_to_1023")                                          \
	X(PTC1522, 0x040ec, 4, ALL, "tx_1024_to_max")                                          \
	X(MPTC,    0x040f0, 4, ALL, "tx_multicast_packets")                                    \
	X(BPTC,    0x040f4, 4, ALL, "tx_broadcast_packets")                                    \
	X(TSCTC,   0x040f8, 4, ALL, "tx_tso_contexts")                                         \
	X(TSCTFC,  0x040fc, 4, OLD, "tx_tso_contexts_failed")                                  \
	X(IAC,     0x04100, 4, PCIE, "interrupts")                                             \
	X(RPTHC,   0x04104, 4, 82576, "rx_packets_to_host")                                    \
	X(HGPTC,   0x04118, 4, 82576, "tx_packets_from_host")                                  \
	X(HGORC,   0x04128, 8, 82576, "rx_bytes_to_host")                                      \
	X(HGOTC,   0x04130, 8, 82576, "tx_bytes_from_host")                                    \
	X(LENERRS, 0x04138, 4, 82576, "rx_length_field_errors")
/* clang-format on */

enum {
#define X(name, offset, access, in, section, text) E1000_##name = (offset),
	E1000_REGS(X)
#undef X
#define X(name, offset, bytes, in, text) E1000_##name = (offset),
		E1000_STATS(X)
#undef X
};

/* Is there a row for this offset? The compiler refuses a switch with a case twice. */
static inline bool e1000_reg_known(uint32_t offset)
{
	switch (offset) {
#define X(name, off, access, in, section, text) case (off):
		E1000_REGS(X)
#undef X
#define X(name, off, bytes, in, text) case (off):
		E1000_STATS(X)
#undef X
		return true;
	default:
		return false;
	}
}

/* Tables of registers. */
#define E1000_MTA(n)   (0x05200u + 4 * (n)) /* 128: multicast hash (10.2.5) */
#define E1000_RAL(n)   (0x05400u + 8 * (n)) /* 16: addresses to receive, low (10.2.5) */
#define E1000_RAH(n)   (0x05404u + 8 * (n)) /* and high */
#define E1000_VFTA(n)  (0x05600u + 4 * (n)) /* 128: VLAN ids to receive (10.2.5) */
#define E1000_UTA(n)   (0x0a000u + 4 * (n)) /* 128: unicast hash, of the 82576 (8.10) */
#define E1000_RETA(n)  (0x05c00u + 4 * (n)) /* 32: RSS table, four entries each (10.2.5) */
#define E1000_RSSRK(n) (0x05c80u + 4 * (n)) /* 10: RSS key (10.2.5) */
enum {
	E1000_N_MTA = 128,
	E1000_N_RAR = 16,
	E1000_N_VFTA = 128,
	E1000_N_UTA = 128,
	E1000_N_RETA = 128,
	E1000_KEY_LEN = 40
};

/*
 * Registers of a ring are those of queue 0 above, from these on; where other queues have theirs is in
 * a queue's window (e1000_rx_win(), e1000_tx_win()).
 */
#define E1000_RX_RING E1000_RDBAL
#define E1000_TX_RING E1000_TDBAL
#define E1000_QUEUES  2u /* of the 82574, each way */

/* CTRL */
#define E1000_CTRL_FD                 PLX_BIT(0)  /* full duplex */
#define E1000_CTRL_GIO_MASTER_DISABLE PLX_BIT(2)  /* ask for no more bus requests */
#define E1000_CTRL_SLU                PLX_BIT(6)  /* set link up */
#define E1000_CTRL_FRCSPD             PLX_BIT(11) /* force speed */
#define E1000_CTRL_FRCDPX             PLX_BIT(12) /* force duplex */
#define E1000_CTRL_RST                PLX_BIT(26) /* reset; clears itself */
#define E1000_CTRL_RFCE               PLX_BIT(27) /* obey pause frames */
#define E1000_CTRL_TFCE               PLX_BIT(28) /* send pause frames */
#define E1000_CTRL_VME                PLX_BIT(30) /* VLAN mode: strip and insert tags */

/* STATUS */
#define E1000_STATUS_FD            PLX_BIT(0)
#define E1000_STATUS_LU            PLX_BIT(1)       /* link up */
#define E1000_STATUS_SPEED(s)      (((s) >> 6) & 3) /* 10, 100, 1000, 1000 Mbit/s */
#define E1000_STATUS_MASTER_ENABLE PLX_BIT(19)      /* bus requests outstanding or allowed */

#define E1000_STATUS_LAN(s) (((s) >> 2) & 3) /* which port of the 82576 */

/* CTRL_EXT */
#define E1000_CTRL_EXT_EIAME   PLX_BIT(24) /* MSI-X: causes of IAM that fire mask themselves */
#define E1000_CTRL_EXT_IAME    PLX_BIT(27) /* all of IAM are masked when ICR is read */
#define E1000_CTRL_EXT_PBA_CLR PLX_BIT(31) /* pending bits of MSI-X clear themselves */

/* ICR, ICS, IMS, IMC; EIAC, IAM */
#define E1000_ICR_LSC    PLX_BIT(2)  /* link status changed */
#define E1000_ICR_RXDMT0 PLX_BIT(4)  /* few RX descriptors */
#define E1000_ICR_RXO    PLX_BIT(6)  /* RX overrun */
#define E1000_ICR_RXT0   PLX_BIT(7)  /* packets */
#define E1000_ICR_RXQ0   PLX_BIT(20) /* of queue 0, with MSI-X; the next has the next */
#define E1000_ICR_OTHER  PLX_BIT(24) /* link change and the like, with MSI-X */

/* IVAR: a cause's vector, and that it is valid */
#define E1000_IVAR_RXQ(q, v) ((8u | (v)) << 4 * (q))
#define E1000_IVAR_OTHER(v)  ((8u | (v)) << 16)

/* Of the 82576: GPIE, IVAR_EXT, IVAR_MISC */
#define E1000_GPIE_NSICR     PLX_BIT(0)  /* reading ICR clears it */
#define E1000_GPIE_MSIX      PLX_BIT(4)  /* EICR, EIMS: a bit for each vector */
#define E1000_GPIE_EIAME     PLX_BIT(30) /* what fires is masked, as EIAM says */
#define E1000_GPIE_PBA       PLX_BIT(31) /* pending bits of MSI-X clear themselves */
#define E1000_IVAR_EXT(v)    (0x80u | (v))
#define E1000_IVAR_EXT_OTHER 8 /* bit of IVAR_MISC where other causes' is */

/* EEC */
#define E1000_EEC_AUTO_RD PLX_BIT(9) /* the device has read its NVM */

/* Of the 82576: EEMNGCTL, SWSM, SW_FW_SYNC */
#define E1000_EEMNGCTL_CFG_DONE \
	PLX_BIT(18)                   /* of port 0: its PHY is set up; the next bit of port 1 */
#define E1000_SWSM_SMBI    PLX_BIT(0) /* between programs: set by reading */
#define E1000_SWSM_SWESMBI PLX_BIT(1) /* between them and the firmware */
#define E1000_SYNC_PHY     PLX_BIT(1) /* PHY of port 0; the next bit: of port 1 */
#define E1000_SYNC_FW      16         /* so much further up: taken by the firmware */

/* EERD: bits 2 and 1 differ between generations: struct e1000_gen */
#define E1000_EERD_START PLX_BIT(0)

/* FCRTL */
#define E1000_FCRTL_XONE PLX_BIT(31) /* a frame that ends the pause is sent */

/* EXTCNF_CTRL */
#define E1000_EXTCNF_MDIO_OWN PLX_BIT(5) /* software owns MDIO, once it reads as set */

/* MDIC */
#define E1000_MDIC_REG(r) ((uint32_t)(r) << 16)
#define E1000_MDIC_PHY    (1u << 21) /* the internal PHY's address */
#define E1000_MDIC_WRITE  (1u << 26)
#define E1000_MDIC_READ   (2u << 26)
#define E1000_MDIC_READY  PLX_BIT(28)
#define E1000_MDIC_ERROR  PLX_BIT(30)

/* The PHY's registers (IEEE 802.3 clause 22.2.4; datasheet 10.3). */
enum {
	E1000_PHY_BMCR = 0,
	E1000_PHY_BMSR = 1,
	E1000_PHY_ADV = 4,  /* what we offer, */
	E1000_PHY_LPA = 5,  /* and the other end */
	E1000_PHY_GBCR = 9, /* what we offer of 1000 Mbit/s */
};
#define E1000_BMCR_RESTART_AN PLX_BIT(9)
#define E1000_BMCR_ISOLATE    PLX_BIT(10)
#define E1000_BMCR_POWER_DOWN PLX_BIT(11)
#define E1000_BMCR_AN_ENABLE  PLX_BIT(12)
#define E1000_BMSR_LINK       PLX_BIT(2) /* stays 0 until read, once it was 0 */
#define E1000_BMSR_AN_DONE    PLX_BIT(5)
#define E1000_ADV_10_HALF     PLX_BIT(5)
#define E1000_ADV_10_FULL     PLX_BIT(6)
#define E1000_ADV_100_HALF    PLX_BIT(7)
#define E1000_ADV_100_FULL    PLX_BIT(8)
#define E1000_ADV_PAUSE       PLX_BIT(10)
#define E1000_ADV_ASM_DIR     PLX_BIT(11)
#define E1000_ADV_SPEEDS \
	(E1000_ADV_10_HALF | E1000_ADV_10_FULL | E1000_ADV_100_HALF | E1000_ADV_100_FULL)
#define E1000_ADV_MASK  (E1000_ADV_SPEEDS | E1000_ADV_PAUSE | E1000_ADV_ASM_DIR)
#define E1000_GBCR_HALF PLX_BIT(8)
#define E1000_GBCR_FULL PLX_BIT(9)

/* RCTL */
#define E1000_RCTL_EN         PLX_BIT(1)
#define E1000_RCTL_UPE        PLX_BIT(3)  /* all unicast */
#define E1000_RCTL_MPE        PLX_BIT(4)  /* all multicast */
#define E1000_RCTL_LPE        PLX_BIT(5)  /* packets above 1522 bytes */
#define E1000_RCTL_BAM        PLX_BIT(15) /* broadcast */
#define E1000_RCTL_BSIZE(c)   ((uint32_t)(c) << 16)
#define E1000_RCTL_VFE        PLX_BIT(18) /* VLAN filter */
#define E1000_RCTL_BSEX       PLX_BIT(25) /* BSIZE times 16 */
#define E1000_RCTL_SECRC      PLX_BIT(26) /* strip the FCS */
#define E1000_RCTL_FLXBUF(kb) ((uint32_t)(kb) << 27)
#define E1000_FRAME_NO_LPE    1518u /* longest frame without LPE, without FCS */

/* RFCTL */
#define E1000_RFCTL_ISCSI_DIS PLX_BIT(0)
#define E1000_RFCTL_NFSW_DIS  PLX_BIT(6)
#define E1000_RFCTL_NFSR_DIS  PLX_BIT(7)
#define E1000_RFCTL_ACK_DIS   PLX_BIT(12)
#define E1000_RFCTL_EXSTEN    PLX_BIT(15) /* extended RX descriptors */

/* RXCSUM */
#define E1000_RXCSUM_IPOFL PLX_BIT(8)
#define E1000_RXCSUM_TUOFL PLX_BIT(9)
#define E1000_RXCSUM_PCSD  PLX_BIT(13) /* the RSS hash in place of packet checksum and IP id */

/* MRQC */
#define E1000_MRQC_RSS \
	PLX_BIT(0) /* of the 82574: two queues; changed only while the receiver is off */
#define E1000_MRQC_TCP_IPV4 PLX_BIT(16) /* what is hashed: no bit, nothing */
#define E1000_MRQC_IPV4     PLX_BIT(17)
#define E1000_MRQC_TCP_IPV6 PLX_BIT(18)
#define E1000_MRQC_IPV6     PLX_BIT(20)

#define E1000_MRQC_RSS_82576 2u /* of the 82576: RSS without virtual machines */
#define E1000_MRQC_TCP_IPV6_ONLY \
	PLX_BIT(21) /* of the 82576; bit 18 is with extension headers there */
#define E1000_MRQC_UDP_IPV4 PLX_BIT(22)
#define E1000_MRQC_UDP_IPV6 PLX_BIT(23)

/* SRRCTL */
#define E1000_SRRCTL_KB(len) ((len) / 1024) /* 0: RCTL has the size */
#define E1000_SRRCTL_ADV_ONE (1u << 25)     /* advanced descriptors, one buffer */
#define E1000_SRRCTL_DROP    PLX_BIT(31)    /* packets without a descriptor are dropped */

/* RXPBS, TXPBS: what they are after power-up */
#define E1000_RXPBS_KB 64u
#define E1000_TXPBS_KB 40u

/* RXDCTL and TXDCTL */
#define E1000_DCTL_PTHRESH(n) ((uint32_t)(n))
#define E1000_DCTL_HTHRESH(n) ((uint32_t)(n) << 8)
#define E1000_DCTL_WTHRESH(n) ((uint32_t)(n) << 16)
#define E1000_TXDCTL_BIT22    PLX_BIT(22) /* reserved, to be written as 1 */
#define E1000_DCTL_GRAN       PLX_BIT(24) /* thresholds count descriptors */

#define E1000_DCTL_ENABLE PLX_BIT(25) /* of the 82576: the queue is on */

/* MANC */
#define E1000_MANC_ARP PLX_BIT(13) /* the firmware sees ARP requests */

/* TCTL */
#define E1000_TCTL_EN          PLX_BIT(1)
#define E1000_TCTL_PSP         PLX_BIT(3) /* pad short packets */
#define E1000_TCTL_CT(n)       ((uint32_t)(n) << 4)
#define E1000_TCTL_COLD(n)     ((uint32_t)(n) << 12)
#define E1000_TCTL_MULR        PLX_BIT(28) /* several reads at a time */
#define E1000_TCTL_RRTHRESH(n) ((uint32_t)(n) << 29)

#define E1000_TIPG_VALUE(t, r1, r2) ((uint32_t)(t) | (uint32_t)(r1) << 10 | (uint32_t)(r2) << 20)
#define E1000_TARC_ENABLE           PLX_BIT(10)

/* RAH */
#define E1000_RAH_AV PLX_BIT(31) /* address valid */

#endif
