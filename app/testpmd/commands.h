/* SPDX-License-Identifier: BSD-3-Clause */
/* What the rows of commands.c call, by the file that has it. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "cmd.h"

typedef int cmd_fn(struct testpmd *t, const struct args *a);

/* cmd_run.c */
cmd_fn cmd_start, cmd_start_tx_first, cmd_stop, cmd_quit, cmd_help_words, cmd_sleep,
	cmd_clear_stats;
/* cmd_set.c */
cmd_fn cmd_set_fwd, cmd_set_burst, cmd_set_nbcore, cmd_set_cores, cmd_set_queue_core;
cmd_fn cmd_set_topology, cmd_set_stats_period;
/* cmd_dev.c */
cmd_fn cmd_set_promisc, cmd_set_allmulti, cmd_set_mtu, cmd_set_mac, cmd_mac_addr, cmd_set_mcast;
cmd_fn cmd_vlan_strip, cmd_vlan_filter, cmd_rx_vlan, cmd_set_pause, cmd_set_speed, cmd_set_fec;
cmd_fn cmd_set_moderation;
/* cmd_rss.c */
cmd_fn cmd_rss_fields, cmd_rss_key, cmd_rss_table, cmd_show_rss;
/* What RSS a port has, kept while it is set up again. */
enum { RSS_MAX_KEY = 256, RSS_MAX_TABLE = 4096 };
struct rss_saved {
	bool there;
	uint16_t n_rxq;
	uint32_t fields;
	uint8_t key[RSS_MAX_KEY];
	uint16_t table[RSS_MAX_TABLE];
};
void rss_save(const struct tp_port *p, struct rss_saved *r);
int rss_restore(struct testpmd *t, struct tp_port *p, struct rss_saved *r);
/* cmd_flow.c */
cmd_fn cmd_flow_create, cmd_flow_destroy;
/* cmd_port.c */
cmd_fn cmd_port_attach, cmd_port_detach, cmd_port_start, cmd_port_stop, cmd_port_reset;
cmd_fn cmd_port_config, cmd_port_queue;
/* Sets a port up again, while others forward; with another rxq, txq, rxd, txd or mtu, or (NULL) as it is. */
int port_anew(struct testpmd *t, struct tp_port *p, const char *name, uint16_t value);
/* Has it such a queue? Says when not. */
bool queue_there(const struct testpmd *t, const struct tp_port *p, bool rx, uint64_t queue);
/* cmd_show.c */
cmd_fn cmd_show_port, cmd_show_stats, cmd_show_xstats, cmd_show_config, cmd_show_mempool;
cmd_fn cmd_show_queue, cmd_show_fwd;
/* For each port: what there is of it, name and value in a format. */
int show_values(struct testpmd *t, const struct args *a, const char *format, const char *what,
	int (*fn)(struct plx_port *, struct plx_xstat *, size_t, size_t *));
/* cmd_debug.c */
cmd_fn cmd_show_registers, cmd_show_descriptors, cmd_show_eeprom;

#endif
