/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive side scaling: which queue a packet goes to. The table may be changed while packets arrive
 * (UPDATE_RSSIDT); key and fields are read when the feature is turned on, so that a change turns it off
 * and on again, and packets in between go to queue 0.
 */
#include "vmxnet3.h"
#include "plx_toeplitz.h"

PLX_STATIC_ASSERT(VMXNET3_KEY_LEN == PLX_TOEPLITZ_KEY_LEN, "the default key is long enough");

void vmxnet3_rss_init(struct vmxnet3_rss *rss)
{
	memcpy(rss->key, plx_toeplitz_key_default, sizeof(rss->key));
}

void vmxnet3_rss_configure(struct plx_port *port)
{
	struct vmxnet3_rss *rss = &vmxnet3_priv(port)->rss;
	const uint16_t n = port->conf.n_rxq;

	rss->on = n > 1 || (port->conf.rx_offloads & PLX_RX_OFFLOAD_RSS_HASH) != 0;
	rss->fields = rss->on ? VMXNET3_RSS_FIELDS : 0;
	for (uint32_t i = 0; i < VMXNET3_N_RETA; i++)
		rss->table[i] = (uint8_t)(n > 1 ? i % n : 0);
}

static uint32_t hash_type(uint32_t fields)
{
	static const struct {
		uint32_t field, bit;
	} bits[] = {
		{PLX_RSS_IPV4, VMXNET3_RSS_IPV4},
		{PLX_RSS_IPV4_TCP, VMXNET3_RSS_TCP_IPV4},
		{PLX_RSS_IPV6, VMXNET3_RSS_IPV6},
		{PLX_RSS_IPV6_TCP, VMXNET3_RSS_TCP_IPV6},
	};
	uint32_t v = 0;

	for (size_t i = 0; i < PLX_ARRAY_SIZE(bits); i++)
		if (fields & bits[i].field)
			v |= bits[i].bit;
	return v;
}

void vmxnet3_rss_fill(struct vmxnet3_port *p)
{
	struct vmxnet3_rss_conf *c = &p->mem->rss;
	struct vmxnet3_var_conf *where = &p->mem->shared.rss;

	if (!p->rss.on)
		return;
	c->hash_type = plx_le16_make((uint16_t)hash_type(p->rss.fields));
	c->hash_func = plx_le16_make(VMXNET3_RSS_TOEPLITZ);
	c->key_len = plx_le16_make(VMXNET3_KEY_LEN);
	c->table_len = plx_le16_make(VMXNET3_N_RETA);
	memcpy(c->key, p->rss.key, sizeof(c->key));
	memcpy(c->table, p->rss.table, sizeof(c->table));
	where->version = plx_le32_make(1);
	where->len = plx_le32_make(sizeof(*c));
	where->pa = plx_le64_make(vmxnet3_iova(p, c));
}

static int features(struct plx_port *port)
{
	vmxnet3_conf_features(port);
	plx_io_wmb(); /* the features, then the command */
	return vmxnet3_tell(&vmxnet3_priv(port)->hw, VMXNET3_CMD_UPDATE_FEATURE);
}

/* Off, what is new, on again. */
static int rehash(struct plx_port *port, uint32_t fields)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	int err;

	p->rss.fields = 0;
	err = features(port);
	p->rss.fields = fields;
	vmxnet3_rss_fill(p);
	if (err == 0 && fields != 0)
		err = features(port);
	return err;
}

int vmxnet3_set_rss(struct plx_port *port, const struct plx_rss *want)
{
	struct vmxnet3_port *p = vmxnet3_priv(port);
	const bool live = p->running && p->rss.on;
	const bool other = want->key != NULL || want->fields != p->rss.fields;

	if (want->key != NULL)
		memcpy(p->rss.key, want->key, sizeof(p->rss.key));
	for (uint32_t i = 0; want->table != NULL && i < VMXNET3_N_RETA; i++)
		p->rss.table[i] = (uint8_t)want->table[i];
	if (live && other)
		return rehash(port, want->fields);
	p->rss.fields = want->fields;
	if (!live || want->table == NULL)
		return 0;
	vmxnet3_rss_fill(p);
	plx_io_wmb(); /* the table, then the command */
	return vmxnet3_tell(&p->hw, VMXNET3_CMD_UPDATE_RSSIDT);
}

int vmxnet3_get_rss(struct plx_port *port, uint8_t *key, uint16_t *table, uint32_t *fields)
{
	const struct vmxnet3_rss *rss = &vmxnet3_priv(port)->rss;

	if (key != NULL)
		memcpy(key, rss->key, sizeof(rss->key));
	for (uint32_t i = 0; table != NULL && i < VMXNET3_N_RETA; i++)
		table[i] = rss->table[i];
	if (fields != NULL)
		*fields = rss->fields;
	return 0;
}
