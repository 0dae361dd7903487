/* SPDX-License-Identifier: BSD-3-Clause */
/* The inline calls of lib/net as functions, for other languages. */
#include "plx_cksum.h"
#include "plx_net.h"

bool plx_mac_is_group_fn(const uint8_t mac[PLX_MAC_LEN])
{
	return plx_mac_is_group(mac);
}

bool plx_mac_is_zero_fn(const uint8_t mac[PLX_MAC_LEN])
{
	return plx_mac_is_zero(mac);
}

unsigned plx_ipv4_hdr_len_fn(const struct plx_ipv4_hdr *h)
{
	return plx_ipv4_hdr_len(h);
}

bool plx_ipv4_is_frag_fn(const struct plx_ipv4_hdr *h)
{
	return plx_ipv4_is_frag(h);
}

bool plx_ipv6_is_group_fn(const uint8_t addr[PLX_IPV6_ADDR_LEN])
{
	return plx_ipv6_is_group(addr);
}

unsigned plx_tcp_hdr_len_fn(const struct plx_tcp_hdr *h)
{
	return plx_tcp_hdr_len(h);
}

plx_be16 plx_cksum_fold_fn(uint32_t sum)
{
	return plx_cksum_fold(sum);
}

plx_be16 plx_cksum_finish_fn(uint32_t sum)
{
	return plx_cksum_finish(sum);
}

plx_be16 plx_cksum_udp_fn(uint32_t sum)
{
	return plx_cksum_udp(sum);
}

plx_be16 plx_cksum_update16_fn(plx_be16 cksum, plx_be16 was, plx_be16 is)
{
	return plx_cksum_update16(cksum, was, is);
}

plx_be16 plx_cksum_update32_fn(plx_be16 cksum, plx_be32 was, plx_be32 is)
{
	return plx_cksum_update32(cksum, was, is);
}

plx_be16 plx_cksum_udp_nonzero_fn(plx_be16 cksum)
{
	return plx_cksum_udp_nonzero(cksum);
}

plx_be16 plx_ipv4_cksum_fn(const struct plx_ipv4_hdr *ip)
{
	return plx_ipv4_cksum(ip);
}

uint32_t plx_ipv4_phdr_sum_fn(const struct plx_ipv4_hdr *ip, uint8_t proto, uint16_t len)
{
	return plx_ipv4_phdr_sum(ip, proto, len);
}
