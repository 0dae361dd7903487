/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive side scaling: which queue a packet goes to (7.1.11, 10.2.5).
 *
 * The table may be written while packets arrive, the key only while nothing is hashed, and whether
 * there are several queues only while the receiver is off. So MRQC's queues are enabled from start to
 * stop, and what is switched in between is its fields: without any, all packets go to queue 0.
 */
#include "e1000.h"
#include "plx_toeplitz.h"

PLX_STATIC_ASSERT(E1000_KEY_LEN == PLX_TOEPLITZ_KEY_LEN, "the default key is long enough");

void e1000_rss_init(struct e1000_rss *rss)
{
	memcpy(rss->key, plx_toeplitz_key_default, sizeof(rss->key));
}

void e1000_rss_configure(struct plx_port *port)
{
	const uint32_t fields = e1000_priv(port)->hw.gen->rss_fields;
	struct e1000_rss *rss = &e1000_priv(port)->rss;
	const uint16_t n = port->conf.n_rxq;

	rss->on = fields != 0 && (n > 1 || (port->conf.rx_offloads & PLX_RX_OFFLOAD_RSS_HASH) != 0);
	rss->fields = rss->on ? fields : 0;
	for (uint32_t i = 0; i < E1000_N_RETA; i++)
		rss->table[i] = (uint8_t)(n > 1 ? i % n : 0);
}

static uint32_t mrqc(const struct e1000_port *p)
{
	static const struct {
		uint32_t field, bit;
	} bits[] = {
		{PLX_RSS_IPV4, E1000_MRQC_IPV4},
		{PLX_RSS_IPV4_TCP, E1000_MRQC_TCP_IPV4},
		{PLX_RSS_IPV6, E1000_MRQC_IPV6},
		{PLX_RSS_IPV4_UDP, E1000_MRQC_UDP_IPV4},
		{PLX_RSS_IPV6_UDP, E1000_MRQC_UDP_IPV6},
	};
	const struct e1000_rss *rss = &p->rss;
	uint32_t v = rss->on ? p->hw.gen->mrqc_rss : 0;

	for (size_t i = 0; rss->on && i < PLX_ARRAY_SIZE(bits); i++)
		if (rss->fields & bits[i].field)
			v |= bits[i].bit;
	if (rss->on && (rss->fields & PLX_RSS_IPV6_TCP))
		v |= p->hw.gen->mrqc_tcp_ipv6;
	return v;
}

static void write_key(const struct e1000_hw *hw, const struct e1000_rss *rss)
{
	for (unsigned i = 0; i < E1000_KEY_LEN / 4; i++)
		e1000_wr(hw, E1000_RSSRK(i), plx_load_le32(&rss->key[4 * i]));
}

static void write_table(const struct e1000_hw *hw, const struct e1000_rss *rss)
{
	for (unsigned i = 0; i < E1000_N_RETA / 4; i++) {
		uint32_t v = 0;

		for (unsigned j = 0; j < 4; j++)
			v |= (uint32_t)rss->table[4 * i + j] << (8 * j + hw->gen->reta_shift);
		e1000_wr(hw, E1000_RETA(i), v);
	}
}

void e1000_rss_start(struct e1000_port *p)
{
	if (p->hw.gen->rss_fields == 0)
		return;
	if (p->rss.on) {
		write_key(&p->hw, &p->rss);
		write_table(&p->hw, &p->rss);
	}
	if (p->hw.gen->rss_fields != 0)
		e1000_wr(&p->hw, E1000_MRQC, mrqc(p));
}

int e1000_set_rss(struct plx_port *port, const struct plx_rss *want)
{
	struct e1000_port *p = e1000_priv(port);
	const bool live = p->running && p->rss.on;

	if (want->key != NULL && live) {
		e1000_wr(&p->hw, E1000_MRQC, p->hw.gen->mrqc_rss);
		e1000_flush(&p->hw);
	}
	if (want->key != NULL) {
		memcpy(p->rss.key, want->key, sizeof(p->rss.key));
		if (live)
			write_key(&p->hw, &p->rss);
	}
	if (want->table != NULL) {
		for (unsigned i = 0; i < E1000_N_RETA; i++)
			p->rss.table[i] = (uint8_t)want->table[i];
		if (live)
			write_table(&p->hw, &p->rss);
	}
	p->rss.fields = want->fields;
	if (live) {
		e1000_wr(&p->hw, E1000_MRQC, mrqc(p));
		e1000_flush(&p->hw);
	}
	return 0;
}

int e1000_get_rss(struct plx_port *port, uint8_t *key, uint16_t *table, uint32_t *fields)
{
	const struct e1000_rss *rss = &e1000_priv(port)->rss;

	if (key != NULL)
		memcpy(key, rss->key, sizeof(rss->key));
	for (unsigned i = 0; table != NULL && i < E1000_N_RETA; i++)
		table[i] = rss->table[i];
	if (fields != NULL)
		*fields = rss->fields;
	return 0;
}
