/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksums that are left to somebody else: for drivers whose device, kernel or peer finishes a sum that
 * software begins, and for those that get such packets.
 *
 * TX: plx_tx_phdr() is what tx_prepare does with a packet, the rest a burst's. Bursts may meet packets that
 * nobody prepared: what they call refuses lengths that do not lie in the packet.
 * RX: a kernel computes no sums within a machine; a program is to see what would be on a wire.
 *
 * struct virtio_net_hdr (linux/virtio_net.h; virtio 1.2, 5.1.6) is what virtio, TAP and packet sockets have
 * in front of a packet, here in the CPU's order.
 */
#ifndef NET_PMD_H
#define NET_PMD_H

#include "plx_cksum.h"

PLX_BEGIN_DECLS

struct virtio_net_hdr;

/** Flags of packets whose TCP or UDP checksum is left to the device. */
#define PLX_TX_L4_FLAGS (PLX_TX_TCP_CKSUM | PLX_TX_UDP_CKSUM | PLX_TX_TSO)

/**
 * Puts the pseudo header's sum (RFC 9293 3.1, RFC 8200 8.1) into the checksum field of a packet with any
 * of PLX_TX_L4_FLAGS, whose lengths plx_tx_prepare() has checked. Others stay as they are.
 * @return 0, or -EINVAL: the headers are not all in the first segment, or not what the flags say.
 */
PLX_API
int plx_tx_phdr(struct plx_mbuf *m);

/**
 * The same for a packet with PLX_TX_TSO and a device that adds each segment's length by itself: the sum
 * is without it; the IP header's length, and IPv4's checksum, become 0.
 */
PLX_API
int plx_tx_phdr_tso(struct plx_mbuf *m);

/**
 * Is the checksum of an IPv4 header to be computed, l3_len bytes at l2_len? Linux wants that done also
 * with PLX_TX_TSO alone.
 * @return 1, 0, or -1: yes, and the header does not lie in the packet.
 */
PLX_API
int plx_tx_wants_ipv4_cksum(const struct plx_mbuf *m);

/** Writes the checksum of an IPv4 header of len bytes, whatever the header says of its length. */
static inline void plx_ipv4_cksum_put(void *ip, uint32_t len)
{
	uint8_t *field = (uint8_t *)ip + offsetof(struct plx_ipv4_hdr, cksum);
	plx_be16 cksum = {0};

	memcpy(field, &cksum, sizeof(cksum));
	cksum = plx_cksum(ip, len);
	memcpy(field, &cksum, sizeof(cksum));
}

/**
 * Describes what is to be done with a packet before it is on a wire.
 * @param tag bytes that the driver puts in before layer 3.
 * @return false: the lengths do not lie in the packet.
 */
PLX_API
bool plx_vnet_tx(struct virtio_net_hdr *vh, const struct plx_mbuf *m, uint32_t tag);

/**
 * Computes the checksum that vh says is unfinished; it wants none: nothing is done.
 * @param tag bytes that the driver has put in before layer 3.
 * @return whether the checksum is known to be right now: finished here, or checked by who sent it.
 */
PLX_API
bool plx_vnet_rx(struct plx_mbuf *m, const struct virtio_net_hdr *vh, uint32_t tag);

PLX_END_DECLS

#endif
