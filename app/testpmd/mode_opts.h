/* SPDX-License-Identifier: BSD-3-Clause */
/* What single forwarding modes are told on the command line. */
#ifndef MODE_OPTS_H
#define MODE_OPTS_H

#include "plx_ethdev.h"

enum { MAX_TX_SEGS = 64, MAX_PEERS = 32, MAX_ECHO_ADDRS = 16 };

/* Who computes a checksum. */
enum csum_by {
	CSUM_AUTO, /* the port where it can, else this program */
	CSUM_SW,
	CSUM_HW,
};

/* The checksums of csum, each with a word in --csum. */
enum { CSUM_IP, CSUM_UDP, CSUM_TCP, CSUM_SCTP, CSUM_OUTER_IP, CSUM_KINDS };

struct echo_addr {
	uint8_t version; /* 4 or 6 */
	uint8_t b[16];   /* of IPv4 the first four; network order */
};

struct mode_opts {
	/* txonly, flowgen */
	uint16_t tx_segs[MAX_TX_SEGS]; /* bytes of each segment of a packet */
	uint16_t n_tx_segs;            /* 0: one of 60 bytes */
	bool multi_flow;
	uint32_t tx_src, tx_dst; /* IPv4, the CPU's order */
	uint16_t tx_sport, tx_dport;
	uint32_t flows, clones;
	/* also mac: where packets that leave through a port go */
	struct plx_mac peers[MAX_PEERS];
	uint32_t peers_given; /* a bit each */
	/* noisy */
	uint32_t noisy_buffer; /* packets */
	uint64_t noisy_flush_ms;
	uint32_t noisy_memory; /* MiB */
	uint32_t noisy_reads, noisy_writes, noisy_reads_writes;
	const struct fwd_mode *noisy_mode;
	/* csum */
	uint8_t csum[CSUM_KINDS]; /* enum csum_by */
	bool parse_tunnel;
	uint16_t tso_segsz, tunnel_tso_segsz; /* 0: none */
	/* icmpecho: answers for these, for any if there are none */
	struct echo_addr echo[MAX_ECHO_ADDRS];
	uint16_t n_echo;
	uint32_t rss; /* PLX_RSS_*; 0: not asked for */
};

/* The sum of the segments, and how many a packet of txonly has. */
uint32_t mode_opts_pkt_len(const struct mode_opts *o);

void mode_opts_defaults(struct mode_opts *o);

/*
 * The option of that name (without --), which is one of mode_opts.c, with its text.
 * 0 or -EINVAL with plx_errmsg().
 */
int mode_opts_parse(struct mode_opts *o, const char *name, const char *text);

/* The names that --csum and --rss take, for messages and other front ends. */
extern const char *const csum_names[CSUM_KINDS + 1];

#endif
