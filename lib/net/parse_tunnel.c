/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parser: tunnels. A tunnel's header ends what is known of the outside; the inside is parsed by
 * the same code, within the bytes that the outer headers say are there.
 */
#include "parse.h"

#define ETHER 0 /* as the type of what is inside: an Ethernet frame */

/* What the header of a tunnel says. */
struct tunnel {
	uint32_t ptype; /* PLX_PTYPE_TUNNEL_*; 0: it is none */
	uint32_t len;   /* bytes from the outer layer 4 to the inside */
	uint16_t type;  /* of the inside: an EtherType or ETHER */
};

/* TEB: an Ethernet frame follows. */
static uint16_t inner_type(plx_be16 proto)
{
	uint16_t type = plx_be16_get(proto);

	return type == PLX_ETHER_TEB ? ETHER : type;
}

static void vxlan(struct cursor *c, uint32_t off, bool gpe, struct tunnel *t)
{
	const struct plx_vxlan_hdr *vx = header(c, off, sizeof(*vx));
	static const uint16_t types[] = {[PLX_VXLAN_GPE_IPV4] = PLX_ETHER_IPV4,
		[PLX_VXLAN_GPE_IPV6] = PLX_ETHER_IPV6,
		[PLX_VXLAN_GPE_ETHER] = ETHER};

	if (vx == NULL || !(vx->flags & PLX_VXLAN_I))
		return;
	t->type = ETHER;
	if (gpe && (vx->flags & PLX_VXLAN_P)) {
		if (vx->proto == 0 || vx->proto >= PLX_ARRAY_SIZE(types))
			return;
		t->type = types[vx->proto];
	}
	t->ptype = gpe ? PLX_PTYPE_TUNNEL_VXLAN_GPE : PLX_PTYPE_TUNNEL_VXLAN;
	t->len = sizeof(struct plx_udp_hdr) + sizeof(*vx);
}

static void geneve(struct cursor *c, uint32_t off, struct tunnel *t)
{
	const struct plx_geneve_hdr *g = header(c, off, sizeof(*g));

	if (g == NULL || g->ver_opt_len >> 6 != 0)
		return;
	t->ptype = PLX_PTYPE_TUNNEL_GENEVE;
	t->type = inner_type(g->proto);
	t->len = (uint32_t)(sizeof(struct plx_udp_hdr) + sizeof(*g)) + (g->ver_opt_len & 0x3fu) * 4;
}

static void udp_tunnel(struct cursor *c, const struct plx_pkt_hdrs *h, struct tunnel *t)
{
	const struct plx_udp_hdr *udp = header(c, h->l4_off, sizeof(*udp));
	uint32_t off = h->l4_off + (uint32_t)sizeof(*udp);

	if (udp == NULL)
		return;
	switch (plx_be16_get(udp->dport)) {
	case PLX_UDP_VXLAN:
		vxlan(c, off, false, t);
		break;
	case PLX_UDP_VXLAN_GPE:
		vxlan(c, off, true, t);
		break;
	case PLX_UDP_GENEVE:
		geneve(c, off, t);
		break;
	default:
		break;
	}
}

static void gre(struct cursor *c, const struct plx_pkt_hdrs *h, struct tunnel *t)
{
	const unsigned extras = PLX_GRE_CKSUM | PLX_GRE_KEY | PLX_GRE_SEQ;
	const struct plx_gre_hdr *g = header(c, h->l4_off, sizeof(*g));
	unsigned flags;

	if (g == NULL)
		return;
	flags = plx_be16_get(g->flags);
	if (flags & (PLX_GRE_VERSION_MASK | PLX_GRE_ROUTING))
		return;
	t->type = inner_type(g->proto);
	t->ptype = t->type == ETHER && (flags & extras) == PLX_GRE_KEY ? PLX_PTYPE_TUNNEL_NVGRE
								       : PLX_PTYPE_TUNNEL_GRE;
	t->len = (uint32_t)sizeof(*g) + 4 * (uint32_t)__builtin_popcount(flags & extras);
}

/* Looks for a tunnel behind the headers h. */
static struct tunnel find(struct cursor *c, const struct plx_pkt_hdrs *h)
{
	struct tunnel t = {0, 0, 0};

	switch (h->proto) {
	case PLX_IP_UDP:
		if (h->l4_len != 0)
			udp_tunnel(c, h, &t);
		break;
	case PLX_IP_GRE:
		gre(c, h, &t);
		break;
	case PLX_IP_IPIP:
		t.ptype = PLX_PTYPE_TUNNEL_IP;
		t.type = PLX_ETHER_IPV4;
		break;
	case PLX_IP_IPV6:
		t.ptype = PLX_PTYPE_TUNNEL_IP;
		t.type = PLX_ETHER_IPV6;
		break;
	default:
		break;
	}
	if (t.len > h->l4_bytes)
		t.ptype = 0;
	return t;
}

uint32_t net_parse_tunnel(struct cursor *c, struct plx_pkt_info *info, uint32_t ptype)
{
	struct plx_pkt_hdrs *h = &info->hdr;
	struct tunnel t;
	uint32_t inner = 0, end, off;

	if (h->version == 0 || (h->flags & (PLX_PKT_FRAG | PLX_PKT_BAD)))
		return ptype;
	end = h->l4_off + h->l4_bytes;
	c->total = end;
	c->contig = PLX_MIN(c->contig, end);
	t = find(c, h);
	if (t.ptype == 0)
		return ptype;
	off = h->l4_off + t.len;
	info->outer = *h;
	memset(h, 0, sizeof(*h));
	if (t.type == ETHER) {
		inner = net_parse_l2(c, off, h);
	} else {
		h->ether_type = t.type;
		h->l3_off = (uint16_t)off;
	}
	if (h->l3_off != 0)
		h->l2_len = (uint16_t)(h->l3_off - info->outer.l4_off);
	inner |= net_parse_l3(c, h);
	if ((ptype & PLX_PTYPE_L4_MASK) != PLX_PTYPE_L4_UDP)
		ptype &= ~(uint32_t)PLX_PTYPE_L4_MASK;
	return ptype | t.ptype | PLX_PTYPE_INNER(inner);
}
