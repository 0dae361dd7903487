/* SPDX-License-Identifier: BSD-3-Clause */
/* What only some devices have: each call checks, then asks the driver. */
#include "ethdev_priv.h"

int plx_port_set_mtu(struct plx_port *port, uint32_t mtu)
{
	const struct plx_port_info *info = &port->info;
	int err = port_enter_op(port, port->ops->set_mtu != NULL, "changing the MTU");

	if (err < 0)
		return err;
	if (mtu < info->min_mtu || mtu > info->max_mtu)
		return port_leave(
			port, plx_err(EINVAL, "%s: MTU %u: must be %u to %u", plx_port_name(port),
				      mtu, info->min_mtu, info->max_mtu));
	err = port->ops->set_mtu(port, mtu);
	if (err == 0)
		port->conf.mtu = mtu;
	return port_leave(port, err);
}

int plx_port_set_promisc(struct plx_port *port, bool on)
{
	int err = port_enter_op(port, port->ops->set_promisc != NULL, "promiscuous mode");

	if (err < 0)
		return err;
	err = port->ops->set_promisc(port, on);
	if (err == 0)
		port->conf.promisc = on;
	return port_leave(port, err);
}

int plx_port_set_allmulti(struct plx_port *port, bool on)
{
	int err = port_enter_op(port, port->ops->set_allmulti != NULL, "all-multicast mode");

	if (err < 0)
		return err;
	err = port->ops->set_allmulti(port, on);
	if (err == 0)
		port->conf.allmulti = on;
	return port_leave(port, err);
}

/* A station's address: not zero, not a group's. */
static int check_mac(const struct plx_port *port, const struct plx_mac *mac)
{
	const uint8_t *b = mac->b;

	if (!(b[0] & 1) && (b[0] | b[1] | b[2] | b[3] | b[4] | b[5]) != 0)
		return 0;
	return plx_err(EINVAL,
		"%s: %02x:%02x:%02x:%02x:%02x:%02x is no station's address (zero or multicast)",
		plx_port_name(port), b[0], b[1], b[2], b[3], b[4], b[5]);
}

int plx_port_set_mac(struct plx_port *port, const struct plx_mac *mac)
{
	int err = port_enter_op(port, port->ops->set_mac != NULL, "setting its MAC address");

	if (err < 0)
		return err;
	err = check_mac(port, mac);
	return port_leave(port, err < 0 ? err : port->ops->set_mac(port, mac));
}

int plx_port_add_mac(struct plx_port *port, const struct plx_mac *mac)
{
	int err = port_enter_op(port, port->ops->add_mac != NULL, "more MAC addresses");

	if (err < 0)
		return err;
	err = check_mac(port, mac);
	return port_leave(port, err < 0 ? err : port->ops->add_mac(port, mac));
}

int plx_port_del_mac(struct plx_port *port, const struct plx_mac *mac)
{
	int err = port_enter_op(port, port->ops->del_mac != NULL, "more MAC addresses");

	return err < 0 ? err : port_leave(port, port->ops->del_mac(port, mac));
}

int plx_port_set_mcast(struct plx_port *port, const struct plx_mac *list, size_t n)
{
	int err = port_enter_op(port, port->ops->set_mcast != NULL, "multicast filters");

	if (err < 0)
		return err;
	for (size_t i = 0; i < n && err == 0; i++)
		if (!(list[i].b[0] & 1))
			err = plx_err(EINVAL, "%s: address %zu of the list is not multicast",
				plx_port_name(port), i);
	return port_leave(port, err < 0 ? err : port->ops->set_mcast(port, list, n));
}

int plx_port_vlan_filter(struct plx_port *port, uint16_t id, bool on)
{
	int err = port_enter_op(port, port->ops->vlan_filter != NULL, "VLAN filters");

	if (err < 0)
		return err;
	if (id > 4095)
		return port_leave(port,
			plx_err(EINVAL, "%s: VLAN %u: must be 0 to 4095", plx_port_name(port), id));
	return port_leave(port, port->ops->vlan_filter(port, id, on));
}

int plx_port_vlan_strip(struct plx_port *port, bool on)
{
	const uint32_t bit = PLX_RX_OFFLOAD_VLAN_STRIP;
	int err = port_enter_op(port, port->ops->vlan_strip != NULL, "VLAN stripping");

	if (err < 0)
		return err;
	err = port->ops->vlan_strip(port, on);
	if (err == 0)
		port->conf.rx_offloads =
			on ? port->conf.rx_offloads | bit : port->conf.rx_offloads & ~bit;
	return port_leave(port, err);
}

static int check_rss(const struct plx_port *port, const struct plx_rss *rss)
{
	const struct plx_port_info *info = &port->info;
	const uint32_t missing = rss->fields & ~info->rss_fields;
	const unsigned bit = missing != 0 ? (unsigned)__builtin_ctz(missing) : 0;

	if (missing != 0)
		return plx_err(ENOTSUP, "%s: the %s driver cannot hash '%s'", plx_port_name(port),
			port->dev->driver->name,
			plx_rss_field_name(bit) != NULL ? plx_rss_field_name(bit) : "unknown");
	if (rss->key != NULL && rss->key_len != info->rss_key_len)
		return plx_err(EINVAL, "%s: RSS key of %u bytes, it takes %u", plx_port_name(port),
			rss->key_len, info->rss_key_len);
	if (rss->table == NULL)
		return 0;
	if (rss->table_len != info->rss_table_len)
		return plx_err(EINVAL, "%s: RSS table of %u entries, it takes %u",
			plx_port_name(port), rss->table_len, info->rss_table_len);
	for (uint16_t i = 0; i < rss->table_len; i++)
		if (rss->table[i] >= port->conf.n_rxq)
			return plx_err(EINVAL, "%s: RSS table entry %u is queue %u of %u",
				plx_port_name(port), i, rss->table[i], port->conf.n_rxq);
	return 0;
}

int plx_port_set_rss(struct plx_port *port, const struct plx_rss *rss)
{
	const bool has = port->ops->set_rss != NULL && port->info.rss_fields != 0;
	int err = port_enter_op(port, has, "RSS");

	if (err < 0)
		return err;
	err = check_rss(port, rss);
	return port_leave(port, err < 0 ? err : port->ops->set_rss(port, rss));
}

int plx_port_get_rss(struct plx_port *port, uint8_t *key, uint16_t *table, uint32_t *fields)
{
	const bool has = port->ops->get_rss != NULL && port->info.rss_fields != 0;
	int err = port_enter_op(port, has, "RSS");

	return err < 0 ? err : port_leave(port, port->ops->get_rss(port, key, table, fields));
}

int plx_flow_create(struct plx_port *port, const struct plx_flow_match *match,
	const struct plx_flow_action *action, uint32_t *id)
{
	int err = port_enter_op(port, port->ops->flow_create != NULL, "flow rules");

	if (err < 0)
		return err;
	if (!action->drop && action->queue >= port->conf.n_rxq)
		return port_leave(
			port, plx_err(EINVAL, "%s: flow rule to RX queue %u of %u",
				      plx_port_name(port), action->queue, port->conf.n_rxq));
	return port_leave(port, port->ops->flow_create(port, match, action, id));
}

int plx_flow_destroy(struct plx_port *port, uint32_t id)
{
	int err = port_enter_op(port, port->ops->flow_destroy != NULL, "flow rules");

	return err < 0 ? err : port_leave(port, port->ops->flow_destroy(port, id));
}

int plx_port_get_pause(struct plx_port *port, struct plx_pause *pause)
{
	int err = port_enter_op(port, port->ops->get_pause != NULL, "pause frames");

	return err < 0 ? err : port_leave(port, port->ops->get_pause(port, pause));
}

int plx_port_set_pause(struct plx_port *port, const struct plx_pause *pause)
{
	int err = port_enter_op(port, port->ops->set_pause != NULL, "pause frames");

	return err < 0 ? err : port_leave(port, port->ops->set_pause(port, pause));
}

int plx_port_set_speed(struct plx_port *port, const struct plx_link *want)
{
	int err = port_enter_op(port, port->ops->set_speed != NULL, "setting its speed");

	return err < 0 ? err : port_leave(port, port->ops->set_speed(port, want));
}

int plx_port_get_fec(struct plx_port *port, enum plx_fec *fec)
{
	int err = port_enter_op(port, port->ops->get_fec != NULL, "FEC");

	return err < 0 ? err : port_leave(port, port->ops->get_fec(port, fec));
}

int plx_port_set_fec(struct plx_port *port, enum plx_fec fec)
{
	int err = port_enter_op(port, port->ops->set_fec != NULL, "FEC");

	return err < 0 ? err : port_leave(port, port->ops->set_fec(port, fec));
}

int plx_rxq_set_moderation(struct plx_rxq *q, uint64_t ns)
{
	struct plx_port *port = q->port;
	int err = port_enter_op(port, port->ops->set_moderation != NULL, "interrupt moderation");

	return err < 0 ? err : port_leave(port, port->ops->set_moderation(port, q, ns));
}

int plx_rxq_fd(struct plx_rxq *q)
{
	struct plx_port *port = q->port;
	int err = port_enter_op(port, port->ops->rxq_fd != NULL, "RX interrupts");

	return err < 0 ? err : port_leave(port, port->ops->rxq_fd(port, q));
}

/* The queue's own thread arms it, often: no lock, the driver's registers of a queue are its own. */
int plx_rxq_arm(struct plx_rxq *q, bool on)
{
	struct plx_port *port = q->port;

	if (port->ops->rxq_arm == NULL)
		return plx_err(ENOTSUP, "%s: the %s driver does not support RX interrupts",
			plx_port_name(port), port->dev->driver->name);
	return port->ops->rxq_arm(port, q, on);
}

int plx_port_xstats(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n)
{
	int err = port_enter_op(port, port->ops->xstats != NULL, "extended statistics");

	return err < 0 ? err : port_leave(port, port->ops->xstats(port, out, max, n));
}

int plx_port_regs(struct plx_port *port, struct plx_xstat *out, size_t max, size_t *n)
{
	int err = port_enter_op(port, port->ops->regs != NULL, "a register dump");

	return err < 0 ? err : port_leave(port, port->ops->regs(port, out, max, n));
}

/* The slots of a ring that are asked for; each is told its index. */
static int take_slots(const struct plx_port *port, uint16_t n_desc, uint16_t first,
	struct plx_desc *out, uint16_t max, uint16_t *n)
{
	*n = 0;
	if (first >= n_desc)
		return plx_err(EINVAL, "%s: descriptor %u of a ring of %u", plx_port_name(port),
			first, n_desc);
	*n = (uint16_t)PLX_MIN((uint32_t)max, (uint32_t)n_desc - first);
	if (*n != 0) /* else out may be NULL */
		memset(out, 0, *n * sizeof(*out));
	for (uint16_t i = 0; i < *n; i++)
		out[i].index = (uint16_t)(first + i);
	return 0;
}

int plx_rxq_descs(
	struct plx_rxq *q, uint16_t first, struct plx_desc *out, uint16_t max, uint16_t *n)
{
	struct plx_port *port = q->port;
	int err = port_enter_op(port, port->ops->rxq_descs != NULL, "a dump of descriptors");

	if (err < 0)
		return err;
	err = take_slots(port, q->n_desc, first, out, max, n);
	if (err == 0 && *n != 0)
		port->ops->rxq_descs(port, q, out, *n);
	return port_leave(port, err);
}

int plx_txq_descs(
	struct plx_txq *q, uint16_t first, struct plx_desc *out, uint16_t max, uint16_t *n)
{
	struct plx_port *port = q->port;
	int err = port_enter_op(port, port->ops->txq_descs != NULL, "a dump of descriptors");

	if (err < 0)
		return err;
	err = take_slots(port, q->n_desc, first, out, max, n);
	if (err == 0 && *n != 0)
		port->ops->txq_descs(port, q, out, *n);
	return port_leave(port, err);
}

int plx_port_eeprom_len(struct plx_port *port, uint32_t *len)
{
	int err = port_enter_op(port, port->ops->eeprom_len != NULL, "EEPROM access");

	return err < 0 ? err : port_leave(port, port->ops->eeprom_len(port, len));
}

/* Is [off, off + len) in the EEPROM? */
static int check_eeprom(struct plx_port *port, uint32_t off, uint32_t len)
{
	uint32_t size = 0;
	int err = port->ops->eeprom_len != NULL ? port->ops->eeprom_len(port, &size) : 0;

	if (err == 0 && (off > size || len > size - off))
		err = plx_err(EINVAL, "%s: EEPROM bytes %u+%u of %u", plx_port_name(port), off, len,
			size);
	return err;
}

int plx_port_eeprom_read(struct plx_port *port, uint32_t off, void *buf, uint32_t len)
{
	int err = port_enter_op(port, port->ops->eeprom_read != NULL, "EEPROM access");

	if (err < 0)
		return err;
	err = check_eeprom(port, off, len);
	return port_leave(port, err < 0 ? err : port->ops->eeprom_read(port, off, buf, len));
}

int plx_port_eeprom_write(struct plx_port *port, uint32_t off, const void *buf, uint32_t len)
{
	int err = port_enter_op(port, port->ops->eeprom_write != NULL, "writing the EEPROM");

	if (err < 0)
		return err;
	err = check_eeprom(port, off, len);
	return port_leave(port, err < 0 ? err : port->ops->eeprom_write(port, off, buf, len));
}

int plx_port_module_eeprom(struct plx_port *port, uint32_t off, void *buf, uint32_t len)
{
	int err = port_enter_op(port, port->ops->module_eeprom != NULL, "module EEPROM access");

	return err < 0 ? err : port_leave(port, port->ops->module_eeprom(port, off, buf, len));
}
