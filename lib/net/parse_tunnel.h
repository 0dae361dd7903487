/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers of tunnels: a part of parse.c. */
#ifndef PARSE_TUNNEL_H
#define PARSE_TUNNEL_H

#include "parse.h"

/* What is inside of a tunnel, when it is no EtherType: an Ethernet frame. */
#define PARSE_ETHER 0

/* The longest header that is looked at: UDP and VXLAN, or GENEVE without options. */
#define TUNNEL_HDR 16u

/* What the header of a tunnel says. */
struct tunnel {
	uint32_t ptype; /* PLX_PTYPE_TUNNEL_*; 0: it is none */
	uint32_t len;   /* bytes from the outer layer 4 to the inside */
	uint16_t type;  /* of the inside: an EtherType or PARSE_ETHER */
};

/* Is it the port of a tunnel? */
static PLX_ALWAYS_INLINE bool tunnel_port(plx_be16 port)
{
	return plx_unlikely(port.v == plx_be16_make(PLX_UDP_VXLAN).v ||
			    port.v == plx_be16_make(PLX_UDP_VXLAN_GPE).v ||
			    port.v == plx_be16_make(PLX_UDP_GENEVE).v);
}

/* TEB: an Ethernet frame follows. */
static PLX_ALWAYS_INLINE uint16_t inner_type(plx_be16 proto)
{
	uint16_t type = plx_be16_get(proto);

	return type == PLX_ETHER_TEB ? PARSE_ETHER : type;
}

static PLX_ALWAYS_INLINE void vxlan(const struct plx_vxlan_hdr *vx, bool gpe, struct tunnel *t)
{
	if (!(vx->flags & PLX_VXLAN_I))
		return;
	t->type = PARSE_ETHER;
	if (gpe && (vx->flags & PLX_VXLAN_P)) {
		if (vx->proto == PLX_VXLAN_GPE_IPV4)
			t->type = PLX_ETHER_IPV4;
		else if (vx->proto == PLX_VXLAN_GPE_IPV6)
			t->type = PLX_ETHER_IPV6;
		else if (vx->proto != PLX_VXLAN_GPE_ETHER)
			return;
	}
	t->ptype = gpe ? PLX_PTYPE_TUNNEL_VXLAN_GPE : PLX_PTYPE_TUNNEL_VXLAN;
	t->len = sizeof(struct plx_udp_hdr) + sizeof(*vx);
}

static PLX_ALWAYS_INLINE void geneve(const struct plx_geneve_hdr *g, struct tunnel *t)
{
	if (g->ver_opt_len >> 6 != 0)
		return;
	t->ptype = PLX_PTYPE_TUNNEL_GENEVE;
	t->type = inner_type(g->proto);
	t->len = (uint32_t)(sizeof(struct plx_udp_hdr) + sizeof(*g)) + (g->ver_opt_len & 0x3fu) * 4;
}

/* All of these have 8 bytes. */
static PLX_ALWAYS_INLINE void udp_tunnel(const uint8_t *p, uint32_t n, struct tunnel *t)
{
	const uint8_t *behind = p + sizeof(struct plx_udp_hdr);

	if (n < TUNNEL_HDR)
		return;
	switch (plx_be16_get(((const struct plx_udp_hdr *)p)->dport)) {
	case PLX_UDP_VXLAN:
		vxlan((const struct plx_vxlan_hdr *)behind, false, t);
		break;
	case PLX_UDP_VXLAN_GPE:
		vxlan((const struct plx_vxlan_hdr *)behind, true, t);
		break;
	case PLX_UDP_GENEVE:
		geneve((const struct plx_geneve_hdr *)behind, t);
		break;
	default:
		break;
	}
}

static PLX_ALWAYS_INLINE void gre(const uint8_t *p, uint32_t n, struct tunnel *t)
{
	const struct plx_gre_hdr *g = (const struct plx_gre_hdr *)p;
	unsigned flags;

	if (n < sizeof(*g))
		return;
	flags = plx_be16_get(g->flags);
	if (flags & (PLX_GRE_VERSION_MASK | PLX_GRE_ROUTING))
		return;
	t->type = inner_type(g->proto);
	t->ptype = PLX_PTYPE_TUNNEL_GRE;
	flags &= PLX_GRE_CKSUM | PLX_GRE_KEY | PLX_GRE_SEQ;
	if (t->type == PARSE_ETHER && flags == PLX_GRE_KEY)
		t->ptype = PLX_PTYPE_TUNNEL_NVGRE;
	t->len = sizeof(*g);
	for (; plx_unlikely(flags != 0); flags &= flags - 1)
		t->len += 4;
}

/*
 * Looks for a tunnel in layer 4 of a packet that is no fragment: in its first n bytes at p, which are
 * all that there are, or TUNNEL_HDR.
 */
static PLX_ALWAYS_INLINE void find_tunnel(
	const uint8_t *p, uint32_t n, const struct plx_pkt_hdrs *h, struct tunnel *t)
{
	t->ptype = 0;
	t->len = 0;
	t->type = 0;
	if (h->proto == PLX_IP_UDP) {
		udp_tunnel(p, n, t);
	} else if (h->proto == PLX_IP_GRE) {
		gre(p, n, t);
	} else {
		t->ptype = PLX_PTYPE_TUNNEL_IP;
		t->type = h->proto == PLX_IP_IPIP ? PLX_ETHER_IPV4 : PLX_ETHER_IPV6;
	}
	if (t->len > h->l4_bytes)
		t->ptype = 0;
}

#endif
