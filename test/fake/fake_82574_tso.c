/* SPDX-License-Identifier: BSD-3-Clause */
/* The 82574L model: TCP segmentation (7.3). */
#include "fake_82574_priv.h"

/* 7.2.10.2, 7.3.6: what the fields of a context with TSE may be */
void m574_tso_context(struct fake_82574 *m)
{
	const struct m574_context *c = &m->context;
	uint32_t fifo = m->gen->tx_fifo(m);

	if (c->mss <= 16)
		m574_violation(m, "7.2.10.2: MSS %u", c->mss);
	if (c->hdrlen > 240)
		m574_violation(m, "7.3.6: HDRLEN %u, the part keeps 240 bytes", c->hdrlen);
	if (c->hdrlen < c->tucss + 20u)
		m574_violation(m, "7.2.10.2: HDRLEN %u with TUCSS %u", c->hdrlen, c->tucss);
	if (c->mss + c->hdrlen + 80u > fifo)
		m574_violation(m, "7.2.10.2: MSS %u and HDRLEN %u for a FIFO of %u", c->mss,
			c->hdrlen, fifo);
	if (c->paylen == 0)
		m574_violation(m, "7.2.10.2: PAYLEN 0 with TSE");
	if ((c->tucmd & 1) == 0)
		m574_violation(m, "7.3: segmentation of UDP is not modelled");
}

/* 7.3.5: what software leaves in the headers; false: nothing can be made of them */
static bool headers(struct fake_82574 *m)
{
	const struct m574_context *c = &m->context;
	const struct m574_tx *t = m->tx;
	const uint8_t *ip = t->data + c->ipcss;
	bool v4 = (c->tucmd & 2) != 0;

	if (!c->valid || (c->tucmd & 4) == 0) {
		m574_violation(m, "7.3: TSE without a context with TSE before it");
		return false;
	}
	if (t->len != c->hdrlen + c->paylen) {
		m574_violation(m, "7.2.10.2: %u bytes, HDRLEN %u and PAYLEN %u", t->len, c->hdrlen,
			c->paylen);
		return false;
	}
	if (c->hdrlen < c->tucss + 20u || c->tucss < c->ipcss + 20u || c->mss == 0)
		return false;
	if (t->first_len < c->hdrlen)
		m574_violation(
			m, "7.3.6: a first buffer of %u bytes, HDRLEN %u", t->first_len, c->hdrlen);
	if ((t->popts & 2) == 0 || ((t->popts & 1) != 0) != v4)
		m574_violation(m, "7.3: POPTS %u with TSE and IPv%u", t->popts, v4 ? 4 : 6);
	if (ip[0] >> 4 != (v4 ? 4 : 6))
		m574_violation(m, "7.3: TUCMD.IP does not fit an IP header of 0x%02x", ip[0]);
	if (plx_load_be16(ip + (v4 ? 2 : 4)) != 0)
		m574_violation(m, "7.3.5: the IP header's length is not 0");
	if (v4 && plx_load_be16(ip + 10) != 0)
		m574_violation(m, "7.3.5: the IPv4 header's checksum is not 0");
	return true;
}

/* 7.3.6.2: the headers of segment number i, of len bytes of payload */
static void update(struct fake_82574 *m, uint8_t *p, uint32_t i, uint32_t len, bool last)
{
	const struct m574_context *c = &m->context;
	uint8_t *ip = p + c->ipcss, *tcp = p + c->tucss;
	uint32_t total = len + c->hdrlen - c->ipcss, l4 = len + c->hdrlen - c->tucss;

	if ((c->tucmd & 2) != 0) {
		plx_store_be16(ip + 2, (uint16_t)total);
		plx_store_be16(ip + 4, (uint16_t)(plx_load_be16(ip + 4) + i));
	} else {
		plx_store_be16(ip + 4, (uint16_t)(total - 40));
	}
	plx_store_be32(tcp + 4, plx_load_be32(tcp + 4) + i * c->mss);
	if (!last)
		tcp[13] &= (uint8_t)~0x09u; /* FIN, PSH */
	/* the partial pseudo header lacks the length */
	plx_store_be16(p + c->tucso, m574_fold(plx_load_be16(p + c->tucso) + l4));
}

void m574_tso(struct fake_82574 *m, uint8_t cmd, uint16_t vlan)
{
	const struct m574_context *c = &m->context;
	struct m574_tx *whole = m->tx, *seg = &m->segment;

	if (!headers(m))
		return;
	for (uint32_t i = 0, at = 0; at < c->paylen; i++, at += c->mss) {
		uint32_t len = PLX_MIN((uint32_t)c->mss, c->paylen - at);

		memcpy(seg->data, whole->data, c->hdrlen);
		memcpy(seg->data + c->hdrlen, whole->data + c->hdrlen + at, len);
		seg->len = c->hdrlen + len;
		seg->popts = whole->popts;
		update(m, seg->data, i, len, at + len == c->paylen);
		m->tx = seg;
		m574_send_frame(m, cmd, vlan);
		m->tx = whole;
	}
	m574_count(m, R_TSCTC, 1);
}
