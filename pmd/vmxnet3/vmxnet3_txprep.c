/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Before transmitting with an offload: do the headers say what the metadata says? The device writes
 * sums where the metadata points, QEMU's model where it finds the headers itself, and drops what it
 * cannot parse. The field holds the pseudo header's sum; of a packet that is cut, without a length,
 * which is that of each piece, and an IPv4 header has no sum yet.
 */
#include "net_pmd.h"
#include "vmxnet3.h"

static int check_ipv4(const struct plx_mbuf *m, uint8_t *ip, uint8_t proto)
{
	if ((ip[0] & 0xfu) * 4 != m->tx.l3_len)
		return plx_err(EINVAL, "IPv4 header starts with 0x%02x, l3_len is %u", ip[0],
			(unsigned)m->tx.l3_len);
	if (ip[9] != proto)
		return plx_err(EINVAL, "IPv4 protocol is %u, the flags say %u", ip[9], proto);
	if (plx_load_be16(ip + 6) & 0x3fff)
		return plx_err(EINVAL, "a fragment's TCP or UDP checksum cannot be computed");
	return 0;
}

static int prepare_tso(struct plx_mbuf *m, uint8_t *ip)
{
	uint8_t *tcp = ip + m->tx.l3_len;
	plx_be16 sum;

	if (m->tx.tso_segsz > VMXNET3_TX_MSS_MAX)
		return plx_err(EINVAL, "tso_segsz is %u: the device takes up to %u",
			(unsigned)m->tx.tso_segsz, VMXNET3_TX_MSS_MAX);
	if ((tcp[12] >> 4) * 4u != m->tx.l4_len)
		return plx_err(EINVAL, "TCP's data offset is 0x%02x, l4_len is %u", tcp[12],
			(unsigned)m->tx.l4_len);
	if (m->flags & PLX_TX_IPV4) {
		plx_store_be16(ip + 10, 0);
		sum = plx_cksum_fold(plx_ipv4_phdr_sum((const void *)ip, PLX_IP_TCP, 0));
	} else {
		sum = plx_cksum_fold(plx_ipv6_phdr_sum((const void *)ip, NULL, PLX_IP_TCP, 0));
	}
	memcpy(tcp + 16, &sum, sizeof(sum));
	return 0;
}

static int prepare(struct plx_mbuf *m)
{
	const uint32_t l4 = (uint32_t)m->tx.l2_len + (uint32_t)m->tx.l3_len;
	const bool udp = (m->flags & PLX_TX_UDP_CKSUM) != 0;
	const uint32_t need = l4 + (m->flags & PLX_TX_TSO ? (uint32_t)m->tx.l4_len : udp ? 8 : 20);
	uint8_t *ip = plx_mbuf_data(m) + m->tx.l2_len;
	int err;

	if (need > m->data_len)
		return plx_err(EINVAL, "headers of %u bytes must lie in the first segment of %u",
			need, m->data_len);
	if (m->flags & PLX_TX_IPV4) {
		err = check_ipv4(m, ip, udp ? PLX_IP_UDP : PLX_IP_TCP);
		if (err < 0)
			return err;
	}
	/* checks the version as well */
	err = plx_tx_phdr(m);
	return err < 0 || !(m->flags & PLX_TX_TSO) ? err : prepare_tso(m, ip);
}

int vmxnet3_tx_prepare(struct plx_txq *h, struct plx_mbuf *m)
{
	if (m->nsegs > VMXNET3_MAX_SEGS)
		return plx_err(
			EINVAL, "%u segments: the device takes %u", m->nsegs, VMXNET3_MAX_SEGS);
	return m->flags & PLX_TX_L4_FLAGS ? prepare(m) : 0;
}
