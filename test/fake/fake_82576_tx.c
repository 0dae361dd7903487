/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The 82576 model: advanced TX descriptors (7.2.2). A context is kept as it came, and becomes what the 82574L's
 * has when a packet uses it.
 */
#include "fake_82576_priv.h"

enum { DTYP_CONTEXT = 2, DTYP_DATA = 3 };
enum { POPTS_IXSM = 1, POPTS_TXSM = 2 };

static void context(struct fake_82574 *m, uint32_t queue, uint64_t q0, uint64_t q1)
{
	uint32_t idx = q1 >> 36 & 7, l4t = q1 >> 11 & 3;

	if (m->tx->descs != 0)
		m574_violation(m, "7.2.2.2: a context descriptor inside a packet");
	if (idx > 1)
		m574_violation(m, "7.2.2.2: context %u of 2", idx);
	/* security among them, which is not modelled */
	if ((q1 & 0xdf0001ff) != 0 || (q1 >> 32 & 0x8f) != 0 || q0 >> 32 != 0 || l4t == 3)
		m574_violation(m, "7.2.2.2: reserved bits of a context: 0x%016llx 0x%016llx",
			(unsigned long long)q0, (unsigned long long)q1);
	m->s576.context[queue][idx & 1][0] = q0;
	m->s576.context[queue][idx & 1][1] = q1;
	m->s576.valid[queue][idx & 1] = true;
}

/* The first descriptor of a packet: what it wants, in the 82574L's words. */
static void begin(struct fake_82574 *m, uint32_t queue, uint64_t q1, bool *vle)
{
	uint32_t idx = q1 >> 36 & 7, popts = q1 >> 40 & 0x3f;
	struct m574_context *c = &m->context;
	const uint64_t *ctx = m->s576.context[queue][idx & 1];
	uint32_t maclen = ctx[0] >> 9 & 0x7f, iplen = ctx[0] & 0x1ff;
	bool tse = (q1 >> 31 & 1) != 0, tcp = (ctx[1] >> 11 & 3) == 1;

	c->valid = idx <= 1 && m->s576.valid[queue][idx & 1];
	*vle = (q1 >> 30 & 1) != 0;
	if ((tse || *vle || popts != 0) && !c->valid)
		m574_violation(m, "7.2.2.3: an offload without a context before it");
	if (tse && (!tcp || (popts & POPTS_TXSM) == 0))
		m574_violation(m, "7.2.2.3: TSE without TCP in the context or TXSM in POPTS");
	if (c->valid && (popts != 0 || tse) && (maclen < 14 || iplen < 20))
		m574_violation(m, "7.2.2.2: MACLEN %u, IPLEN %u", maclen, iplen);
	c->tucmd = (uint8_t)((tcp ? 1 : 0) | ((ctx[1] >> 10 & 1) != 0 ? 2 : 0) | (tse ? 4 : 0));
	c->ipcss = (uint8_t)maclen;
	c->ipcso = (uint8_t)(maclen + 10);
	c->ipcse = (uint16_t)(maclen + iplen - 1);
	c->tucss = (uint8_t)(maclen + iplen);
	c->tucso = (uint8_t)(maclen + iplen + (tcp ? 16 : 6));
	c->tucse = 0;
	c->paylen = (uint32_t)(q1 >> 46);
	c->hdrlen = (uint8_t)(maclen + iplen + (ctx[1] >> 40 & 0xff));
	c->mss = (uint16_t)(ctx[1] >> 48);
	if (tse)
		m574_tso_context(m);
}

static bool data(struct fake_82574 *m, uint32_t queue, uint64_t q0, uint64_t q1)
{
	struct m574_tx *t = m->tx;
	uint32_t len = (uint32_t)(q1 & 0xffff), paylen = (uint32_t)(q1 >> 46);
	uint8_t cmd = (uint8_t)(q1 >> 24);
	bool tse = (cmd & 0x80) != 0, vle;

	if (len > 15872) /* 7.2.2.3 */
		m574_violation(m, "7.2.2.3: a descriptor of %u bytes", len);
	if ((cmd & 0x14) != 0 || (q1 >> 32 & 15) != 0 || (q1 >> 16 & 15) != 0 ||
		(q1 >> 42 & 15) != 0)
		m574_violation(m, "7.2.2.3: reserved bits of a data descriptor: 0x%016llx",
			(unsigned long long)q1);
	if (t->descs == 0) {
		begin(m, queue, q1, &vle);
		m->s576.vle = vle;
		m->s576.idx = q1 >> 36 & 1;
	}
	if (!m574_tx_data(m, q0, len, (uint8_t)(q1 >> 40 & 0x3f), tse))
		return false;
	if ((cmd & 1) == 0)
		return true;
	if (!tse && paylen != t->len)
		m574_violation(m, "7.2.2.3: PAYLEN %u of a packet of %u bytes", paylen, t->len);
	/* the tag is the context's; the command's other bits are the last descriptor's */
	m574_tx_end(m, (uint8_t)((cmd & ~0x40) | (m->s576.vle ? 0x40 : 0)),
		(uint16_t)(m->s576.context[queue][m->s576.idx][0] >> 16));
	return true;
}

bool m576_tx_desc(struct fake_82574 *m, uint32_t queue, uint64_t q0, uint64_t q1)
{
	uint32_t type = (uint32_t)(q1 >> 20) & 15;

	if ((q1 >> 29 & 1) == 0)
		m574_violation(m, "7.2.2.1: legacy TX descriptors are not modelled");
	else if (type == DTYP_CONTEXT)
		context(m, queue, q0, q1);
	else if (type == DTYP_DATA)
		return data(m, queue, q0, q1);
	else
		m574_violation(m, "7.2.2: TX descriptor of type %u", type);
	return true;
}
