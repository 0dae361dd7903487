/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands: settings of devices. */
#include "commands.h"

/* Does it for each port that was named; what says which setting it is. */
static int each(struct testpmd *t, const struct args *a, const char *what,
	int (*fn)(struct tp_port *p, const struct args *a))
{
	int err = 0;

	for (size_t i = 0; i < a->n_ports; i++)
		if (fn(a->ports[i], a) < 0)
			err = port_complain(t, a->ports[i], what);
	return err;
}

/* A setting that stays with the port, if err says that it is in force; err. */
static int keep(int err, bool *setting, bool on)
{
	if (err == 0)
		*setting = on;
	return err;
}

static int promisc(struct tp_port *p, const struct args *a)
{
	return keep(plx_port_set_promisc(p->port, a->on), &p->promisc, a->on);
}

int cmd_set_promisc(struct testpmd *t, const struct args *a)
{
	return each(t, a, "set promisc", promisc);
}

static int allmulti(struct tp_port *p, const struct args *a)
{
	return keep(plx_port_set_allmulti(p->port, a->on), &p->allmulti, a->on);
}

int cmd_set_allmulti(struct testpmd *t, const struct args *a)
{
	return each(t, a, "set allmulti", allmulti);
}

/* A port that cannot change it while it runs, or not to this with its buffers, is set up again. */
static int mtu(struct testpmd *t, struct tp_port *p, uint16_t mtu)
{
	if (mtu < p->info.min_mtu || mtu > p->info.max_mtu) {
		complain("port %u (%s): an MTU of %u bytes; it can have %u to %u",
			port_number(t, p), p->device, mtu, p->info.min_mtu, p->info.max_mtu);
		return -1;
	}
	if (plx_port_set_mtu(p->port, mtu) < 0)
		return port_anew(t, p, "mtu", mtu);
	p->mtu = mtu;
	return 0;
}

int cmd_set_mtu(struct testpmd *t, const struct args *a)
{
	int err = 0;

	for (size_t i = 0; i < a->n_ports; i++)
		if (mtu(t, a->ports[i], (uint16_t)a->n[0]) < 0)
			err = -1;
	return err;
}

static int mac(struct tp_port *p, const struct args *a)
{
	int err = plx_port_set_mac(p->port, &a->mac);

	return err == 0 ? plx_port_info(p->port, &p->info) : err;
}

int cmd_set_mac(struct testpmd *t, const struct args *a)
{
	if (each(t, a, "set mac", mac) < 0)
		return -1;
	/* streams have the address of the port they send through */
	return plan_refresh(t);
}

static int mac_addr(struct tp_port *p, const struct args *a)
{
	return strcmp(a->word, "add") == 0 ? plx_port_add_mac(p->port, &a->mac)
					   : plx_port_del_mac(p->port, &a->mac);
}

int cmd_mac_addr(struct testpmd *t, const struct args *a)
{
	return each(t, a, "mac_addr", mac_addr);
}

int cmd_set_mcast(struct testpmd *t, const struct args *a)
{
	struct plx_mac list[MAX_WORDS];

	for (size_t i = 0; i < a->n_rest; i++) {
		if (!cmd_mac(a->rest[i], &list[i])) {
			complain("'%s': expected an Ethernet address, as 33:33:00:00:00:01",
				a->rest[i]);
			return -1;
		}
	}
	if (plx_port_set_mcast(a->ports[0]->port, list, a->n_rest) < 0)
		return port_complain(t, a->ports[0], "set mcast");
	return 0;
}

static int strip(struct tp_port *p, const struct args *a)
{
	return keep(plx_port_vlan_strip(p->port, a->on), &p->strip, a->on);
}

int cmd_vlan_strip(struct testpmd *t, const struct args *a)
{
	return each(t, a, "vlan strip", strip);
}

static int filter(struct tp_port *p, const struct args *a)
{
	return plx_port_vlan_filter(p->port, (uint16_t)a->n[0], a->on);
}

int cmd_vlan_filter(struct testpmd *t, const struct args *a)
{
	return each(t, a, "vlan filter", filter);
}

int cmd_rx_vlan(struct testpmd *t, const struct args *a)
{
	struct args b = *a;

	b.on = strcmp(a->word, "add") == 0;
	return cmd_vlan_filter(t, &b);
}

static int pause_frames(struct tp_port *p, const struct args *a)
{
	struct plx_pause want = {
		.rx = strcmp(a->word, "rx") == 0 || strcmp(a->word, "both") == 0,
		.tx = strcmp(a->word, "tx") == 0 || strcmp(a->word, "both") == 0,
		.autoneg = strcmp(a->word, "auto") == 0,
	};

	return plx_port_set_pause(p->port, &want);
}

int cmd_set_pause(struct testpmd *t, const struct args *a)
{
	return each(t, a, "set pause", pause_frames);
}

static int speed(struct tp_port *p, const struct args *a)
{
	struct plx_link want = {.full_duplex = true, .autoneg = a->n_n == 0};

	if (a->n_n != 0)
		want.speed_mbps = (uint32_t)a->n[0];
	return plx_port_set_speed(p->port, &want);
}

int cmd_set_speed(struct testpmd *t, const struct args *a)
{
	return each(t, a, "set speed", speed);
}

static int fec(struct tp_port *p, const struct args *a)
{
	static const char *const names[] = {[PLX_FEC_AUTO] = "auto",
		[PLX_FEC_NONE] = "none",
		[PLX_FEC_BASER] = "baser",
		[PLX_FEC_RS] = "rs"};
	int i = 0;

	while (strcmp(names[i], a->word) != 0)
		i++;
	return plx_port_set_fec(p->port, (enum plx_fec)i);
}

int cmd_set_fec(struct testpmd *t, const struct args *a)
{
	return each(t, a, "set fec", fec);
}

int cmd_set_moderation(struct testpmd *t, const struct args *a)
{
	struct tp_port *p = a->ports[0];

	if (!queue_there(t, p, true, a->n[0]))
		return -1;
	return plx_rxq_set_moderation(plx_port_rxq(p->port, (uint16_t)a->n[0]), a->n[1]) < 0
		       ? port_complain(t, p, "set moderation")
		       : 0;
}
