/* SPDX-License-Identifier: BSD-3-Clause */
/* The vmxnet3 model: the shared area and the queues' descriptors, read when a command says so. */
#include "fake_vmxnet3_priv.h"

static bool read_at(struct fake_vmxnet3 *m, uint32_t off, void *buf, size_t len)
{
	return m->shared != 0 && fake_dma_read(m->pci, m->shared + off, buf, len) == 0;
}

/* ---- what is received ---- */

void vx_read_mode(struct fake_vmxnet3 *m)
{
	uint8_t v[4];

	if (!read_at(m, SH_RX_MODE, v, sizeof(v)))
		return;
	m->rx_mode = plx_load_le32(v);
	if (m->rx_mode > 31)
		vx_violation(m, "rxMode 0x%x", m->rx_mode);
}

void vx_read_vlans(struct fake_vmxnet3 *m)
{
	uint8_t v[512];

	if (!read_at(m, SH_VFT, v, sizeof(v)))
		return;
	for (uint32_t i = 0; i < 128; i++)
		m->vft[i] = plx_load_le32(v + 4 * i);
}

void vx_read_groups(struct fake_vmxnet3 *m)
{
	uint8_t len[2], pa[8];
	uint32_t bytes;

	if (!read_at(m, SH_MF_LEN, len, sizeof(len)) || !read_at(m, SH_MF_PA, pa, sizeof(pa)))
		return;
	bytes = plx_load_le16(len);
	if (bytes % 6 != 0)
		vx_violation(m, "a multicast list of %u bytes", bytes);
	m->n_mcast = bytes / 6;
	if (bytes != 0 && fake_dma_read(m->pci, plx_load_le64(pa), m->mcast, bytes) < 0)
		m->n_mcast = 0;
	for (uint32_t i = 0; i < m->n_mcast; i++)
		if ((m->mcast[i][0] & 1) == 0)
			vx_violation(m, "entry %u of the multicast list is no group", i);
}

void vx_read_rss(struct fake_vmxnet3 *m)
{
	uint8_t where[16], c[176];
	uint32_t len;

	if (!read_at(m, SH_RSS, where, sizeof(where)))
		return;
	len = plx_load_le32(where + 4);
	if (plx_load_le32(where) != 1 || len != sizeof(c)) {
		vx_violation(
			m, "RSS configuration of version %u, %u bytes", plx_load_le32(where), len);
		return;
	}
	if (fake_dma_read(m->pci, plx_load_le64(where + 8), c, sizeof(c)) < 0)
		return;
	m->rss.types = plx_load_le16(c);
	m->rss.key_len = PLX_MIN(plx_load_le16(c + 4), 40u);
	m->rss.table_len = PLX_MIN(plx_load_le16(c + 6), 128u);
	if (m->rss.types > 15 || plx_load_le16(c + 2) != 1 || m->rss.key_len != 40 ||
		m->rss.table_len != plx_load_le16(c + 6) ||
		(m->rss.table_len & (m->rss.table_len - 1)) != 0 || m->rss.table_len == 0)
		vx_violation(m, "RSS: types 0x%x, function %u, a key of %u, a table of %u",
			m->rss.types, plx_load_le16(c + 2), plx_load_le16(c + 4),
			plx_load_le16(c + 6));
	memcpy(m->rss.key, c + 8, 40);
	memcpy(m->rss.table, c + 48, 128);
	for (uint32_t i = 0; i < m->rss.table_len; i++)
		if (m->rss.table[i] >= m->n_rxq)
			vx_violation(m, "RSS table: queue %u of %u", m->rss.table[i], m->n_rxq);
}

void vx_read_features(struct fake_vmxnet3 *m)
{
	uint8_t v[8];

	if (!read_at(m, SH_FEATURES, v, sizeof(v)))
		return;
	m->features = plx_load_le64(v);
	if (m->features > 15)
		vx_violation(m, "features 0x%llx", (unsigned long long)m->features);
	if ((m->features & F_LRO) != 0 && (m->features & F_RXCSUM) == 0)
		vx_violation(m, "LRO without RX checksums");
	if ((m->features & F_RSS) != 0)
		vx_read_rss(m);
}

void vx_read_levels(struct fake_vmxnet3 *m)
{
	if (!read_at(m, SH_LEVELS, m->levels, sizeof(m->levels)))
		return;
	for (uint32_t i = 0; i < INTRS; i++)
		if (m->levels[i] > 8)
			vx_violation(m, "moderation level %u of vector %u", m->levels[i], i);
}

/* ---- queues ---- */

static void ring(struct fake_vmxnet3 *m, struct vx_ring *r, uint64_t pa, uint32_t n, uint32_t max,
	const char *what)
{
	*r = (struct vx_ring){.pa = pa, .n = n, .gen = 1};
	if (n == 0 || n % 32 != 0 || n > max)
		vx_violation(m, "%s ring of %u slots", what, n);
	if ((pa & 511) != 0 || pa == 0)
		vx_violation(
			m, "%s ring at 0x%llx, not on 512 bytes", what, (unsigned long long)pa);
	r->n = PLX_MIN(n, max);
}

/* What both kinds have in one place. */
static void queue(struct fake_vmxnet3 *m, struct vx_queue *q, const uint8_t *d, uint64_t pa)
{
	memset(q, 0, sizeof(*q));
	q->pa = pa;
	q->intr = d[QD_INTR];
	if (q->intr >= m->n_intrs)
		vx_violation(m, "a queue's vector %u of %u", q->intr, m->n_intrs);
	if (plx_load_le64(d + QD_DD_PA) != 0 || plx_load_le32(d + QD_DD_LEN) != 0)
		vx_violation(m, "driver data of a queue");
}

static bool read_txq(struct fake_vmxnet3 *m, uint32_t i, uint64_t pa)
{
	struct vx_queue *q = &m->txq[i];
	uint8_t d[QD_LEN], threshold[4] = {1};

	if (fake_dma_read(m->pci, pa, d, sizeof(d)) < 0)
		return false;
	queue(m, q, d, pa);
	ring(m, &q->ring[0], plx_load_le64(d + QD_RINGS), plx_load_le32(d + QD_SIZES), 4096, "TX");
	ring(m, &q->comp, plx_load_le64(d + QD_TX_COMP), plx_load_le32(d + QD_COMP_SIZE), 4096,
		"TX completion");
	if (q->comp.n < q->ring[0].n)
		vx_violation(m, "%u TX completions for %u slots", q->comp.n, q->ring[0].n);
	return fake_dma_write(m->pci, pa + 4, threshold, sizeof(threshold)) == 0;
}

static bool read_rxq(struct fake_vmxnet3 *m, uint32_t i, uint64_t pa)
{
	struct vx_queue *q = &m->rxq[i];
	uint8_t d[QD_LEN], wants[1] = {1};

	if (fake_dma_read(m->pci, pa, d, sizeof(d)) < 0)
		return false;
	queue(m, q, d, pa);
	for (uint32_t k = 0; k < 2; k++)
		ring(m, &q->ring[k], plx_load_le64(d + QD_RINGS + 8 * k),
			plx_load_le32(d + QD_SIZES + 4 * k), 4096, "RX");
	ring(m, &q->comp, plx_load_le64(d + QD_RX_COMP), plx_load_le32(d + QD_COMP_SIZE), 8192,
		"RX completion");
	if (q->comp.n < q->ring[0].n)
		vx_violation(m, "%u RX completions for %u slots", q->comp.n, q->ring[0].n);
	return !m->opts.wants_prod || fake_dma_write(m->pci, pa, wants, sizeof(wants)) == 0;
}

static bool read_queues(struct fake_vmxnet3 *m, const uint8_t *s)
{
	const uint64_t pa = plx_load_le64(s + SH_QUEUES_PA);
	const uint32_t n = m->n_txq + m->n_rxq;

	if ((pa & 127) != 0)
		vx_violation(m, "queue descriptors not on 128 bytes");
	if (plx_load_le32(s + SH_QUEUES_LEN) != n * QD_LEN)
		vx_violation(m, "%u bytes of queue descriptors for %u",
			plx_load_le32(s + SH_QUEUES_LEN), n);
	for (uint32_t i = 0; i < n; i++) {
		const uint64_t at = pa + (uint64_t)i * QD_LEN;

		if (i < m->n_txq ? !read_txq(m, i, at) : !read_rxq(m, i - m->n_txq, at))
			return false;
	}
	return true;
}

/* ---- all of it ---- */

/* False: the device does not start. */
static bool read_misc(struct fake_vmxnet3 *m, const uint8_t *s)
{
	m->mtu = plx_load_le32(s + SH_MTU);
	m->rx_sg = PLX_MAX(plx_load_le16(s + SH_RX_SG), 1u);
	m->n_txq = s[SH_N_TXQ];
	m->n_rxq = s[SH_N_RXQ];
	if (plx_load_le32(s + SH_MAGIC) != 0xbabefee1u || m->n_txq == 0 || m->n_txq > QUEUES ||
		m->n_rxq == 0 || m->n_rxq > QUEUES || m->mtu < 60 || m->mtu > 9000) {
		vx_violation(m, "ACTIVATE_DEV: magic 0x%x, %u and %u queues, MTU %u",
			plx_load_le32(s + SH_MAGIC), m->n_txq, m->n_rxq, m->mtu);
		return false;
	}
	if (plx_load_le32(s + SH_REV) != 1 || plx_load_le32(s + SH_UPT) != 1 ||
		plx_load_le64(s + SH_DD_PA) != 0 || plx_load_le32(s + SH_DD_LEN) != 0)
		vx_violation(m, "ACTIVATE_DEV: the driver's revisions or data");
	if ((plx_load_le32(s + SH_GOS) & 3) == 0)
		vx_violation(m, "ACTIVATE_DEV: an operating system without a number of bits");
	return true;
}

static void read_intrs(struct fake_vmxnet3 *m, const uint8_t *s)
{
	m->auto_mask = s[SH_AUTO_MASK] != 0;
	m->n_intrs = s[SH_N_INTRS];
	m->event_intr = s[SH_EVENT_INTR];
	if (m->n_intrs == 0 || m->n_intrs > INTRS || m->event_intr >= m->n_intrs ||
		s[SH_AUTO_MASK] > 1)
		vx_violation(m, "%u vectors, events have %u", m->n_intrs, m->event_intr);
	vx_read_levels(m);
}

void vx_activate(struct fake_vmxnet3 *m)
{
	uint8_t s[SH_LEN];

	if (m->rev == 0 || m->upt == 0)
		vx_violation(m, "ACTIVATE_DEV before VRRS and UVRS");
	if (!read_at(m, 0, s, sizeof(s)) || !read_misc(m, s))
		return;
	read_intrs(m, s);
	if (!read_queues(m, s))
		return;
	vx_read_features(m);
	vx_read_mode(m);
	vx_read_vlans(m);
	vx_read_groups(m);
	/* as QEMU's model does */
	memcpy(m->mac, m->opts.mac, sizeof(m->mac));
	m->tx.len = m->tx.slots = 0;
	m->active = true;
}

void vx_write_stats(struct fake_vmxnet3 *m)
{
	for (uint32_t i = 0; i < m->n_txq + m->n_rxq; i++) {
		const struct vx_queue *q = i < m->n_txq ? &m->txq[i] : &m->rxq[i - m->n_txq];
		uint8_t out[8 * STATS];

		for (uint32_t k = 0; k < STATS; k++)
			plx_store_le64(out + 8 * k, q->stats[k]);
		(void)fake_dma_write(m->pci, q->pa + QD_STATS, out, sizeof(out));
	}
}

void vx_write_status(struct fake_vmxnet3 *m)
{
	for (uint32_t i = 0; i < m->n_txq + m->n_rxq; i++) {
		const struct vx_queue *q = i < m->n_txq ? &m->txq[i] : &m->rxq[i - m->n_txq];
		uint8_t out[8] = {q->stopped};

		plx_store_le32(out + 4, q->error);
		(void)fake_dma_write(m->pci, q->pa + QD_STATUS, out, sizeof(out));
	}
}
