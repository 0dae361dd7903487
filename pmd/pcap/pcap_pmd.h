/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of the pcap driver.
 *
 *	pcap.c        device string, operations
 *	pcap_rx.c     RX of capture files: bursts        pcap_tx.c     TX into a capture file: bursts
 *	pcap_file.c   packets out of a file              pcap_write.c  records into a file
 *	pcap_store.c  packets out of memory (preload=1)
 *	pcap_pace.c   when a packet is due (speed=real)
 *	pcap_live.c   iface=: a live interface
 *
 * All of RX belongs to the thread of the RX queue while the port runs, all of TX to that of the TX
 * queue; control has both when it has taken the queues (plx_rx_burst()).
 */
#ifndef PCAP_PMD_H
#define PCAP_PMD_H

#include "ethdev_pmd.h"
#include "netif_pmd.h"
#include "plx_log.h"

/** A packet in a capture. data is valid until the next one is asked for. */
struct capt_pkt {
	uint64_t ts;         /* ns since 1970; wraps in the year 2554 */
	const uint8_t *data; /* NULL: more than PLX_PKT_LEN_MAX bytes, skipped */
	uint32_t caplen;     /* bytes captured */
	uint32_t len;        /* bytes on the wire, as the file says */
};

/** A packet may claim so many bytes and no more: libpcap's own limit for Ethernet. */
#define CAPT_CAPLEN_MAX 262144u
/** Bytes of a classic record before its packet. */
#define CAPT_REC_HDR    16u
/** Read at a time; holds the largest record that is not skipped, and stays in the L2 cache. */
#define CAPT_BUF        (128u * 1024)

/* ---- pcap_file.c ---- */

/** A path for messages, cut at its beginning if need be. */
void capt_short_name(char *name, size_t size, const char *path);

/** A capture file that is read: [pos, len) of buf was read and not yet used. */
struct capt_file {
	uint8_t *buf;
	size_t pos, len;
	uint32_t frac_ns; /* of the fraction in a classic record: 1 or 1000 */
	bool swapped;     /* big-endian */
	bool classic;     /* records are stepped through here; else libpcap reads */
	bool regular;     /* can be read again */
	bool whole;       /* read to its end */
	int fd;
	int io_errno;  /* of read(2) below libpcap */
	uint64_t n;    /* packets found in this pass */
	void *pcap;    /* pcap_t of a file that libpcap reads */
	char *iobuf;   /* its stdio's */
	char name[80]; /* for messages */
};

/**
 * Opens path ("-": standard input) and looks at its beginning. f is zeroed; capt_file_close() also
 * after an error, which is: that of open(2) or read(2), -EBUSY (it is being written by another
 * port), -EBADMSG (no capture), -EPROTONOSUPPORT (not Ethernet), -ENOMEM.
 */
int capt_file_open(struct capt_file *f, const char *path);
void capt_file_close(struct capt_file *f);
/** Back to the first packet. -ESPIPE for what is no regular file, or the error of reading. */
int capt_file_rewind(struct capt_file *f);

/** The next packet: 1, 0 at the end, or -errno with a message that names file and packet. */
int capt_file_next_libpcap(struct capt_file *f, struct capt_pkt *p);
/** What capt_file_next_classic() does when the record is not all in the buffer or is odd. */
int capt_file_next_slow(struct capt_file *f, struct capt_pkt *p);

/** The record header at h. */
static inline void capt_rec_parse(
	const uint8_t *h, bool swapped, uint32_t frac_ns, struct capt_pkt *p)
{
	uint32_t v[4];

	for (unsigned i = 0; i < 4; i++)
		v[i] = swapped ? plx_load_be32(h + 4 * i) : plx_load_le32(h + 4 * i);
	p->ts = v[0] * UINT64_C(1000000000) + (uint64_t)v[1] * frac_ns;
	p->caplen = v[2];
	p->len = v[3];
}

/** The same as capt_file_next_libpcap() for a classic file. */
static PLX_ALWAYS_INLINE int capt_file_next_classic(struct capt_file *f, struct capt_pkt *p)
{
	size_t left = f->len - f->pos;
	const uint8_t *h = f->buf + f->pos;

	if (plx_unlikely(left < CAPT_REC_HDR))
		return capt_file_next_slow(f, p);
	capt_rec_parse(h, f->swapped, f->frac_ns, p);
	if (plx_unlikely(p->caplen > left - CAPT_REC_HDR || p->caplen > PLX_PKT_LEN_MAX))
		return capt_file_next_slow(f, p);
	p->data = h + CAPT_REC_HDR;
	f->pos += CAPT_REC_HDR + p->caplen;
	f->n++;
	return 1;
}

static inline int capt_file_next(struct capt_file *f, struct capt_pkt *p)
{
	return f->classic ? capt_file_next_classic(f, p) : capt_file_next_libpcap(f, p);
}

/* ---- pcap_store.c ---- */

/** Packets in memory, one after the other: struct capt_rec, data, padding to 8. */
struct capt_rec {
	uint64_t ts;
	uint32_t caplen, len;
};

struct capt_store {
	uint8_t *base;
	size_t pos, len, size;
	int end_err; /* of the file after the last packet, 0: none */
	char *end_msg;
};

/** Bytes of packet data that a record has: none for a packet that is skipped. */
static inline uint32_t capt_rec_data(uint32_t caplen)
{
	return caplen <= PLX_PKT_LEN_MAX ? caplen : 0;
}

/**
 * Reads all of f. What is wrong within the file is kept for capt_store_next() to tell after the
 * packets before it. -ENOMEM. capt_store_free() also after an error.
 */
int capt_store_load(struct capt_store *s, struct capt_file *f, size_t hint);
void capt_store_free(struct capt_store *s);
/** The fault after the last packet: 0 or -errno with its message. */
int capt_store_end(const struct capt_store *s);

static PLX_ALWAYS_INLINE int capt_store_next(struct capt_store *s, struct capt_pkt *p)
{
	struct capt_rec rec;

	if (plx_unlikely(s->pos == s->len))
		return capt_store_end(s);
	memcpy(&rec, s->base + s->pos, sizeof(rec));
	p->ts = rec.ts;
	p->caplen = rec.caplen;
	p->len = rec.len;
	p->data = rec.caplen <= PLX_PKT_LEN_MAX ? s->base + s->pos + sizeof(rec) : NULL;
	s->pos += sizeof(rec) + plx_align_up(capt_rec_data(rec.caplen), 8);
	return 1;
}

/* ---- pcap_pace.c ---- */

/**
 * When packets are due. Sums of whole nanoseconds between packets, never of waiting times: however
 * late one is, the next is due when it would have been.
 */
struct capt_pace {
	uint64_t (*clock)(void); /* ns; plx_clock_ns() but in tests */
	bool begun;              /* start_ns holds */
	uint64_t start_ns;       /* clock when the first packet was due */
	uint64_t due_ns;         /* of the newest packet, since start_ns */
	uint64_t last_ts;        /* of that packet */
	uint64_t first_due;      /* of the pass's first packet */
	uint64_t n;              /* packets in this pass */
	uint64_t gap_ns;         /* between the last packet of a pass and the first of the next */
};

/** The next packet has this timestamp. Once a packet. One from before the last is due at once. */
void capt_pace_next(struct capt_pace *c, uint64_t ts);
/** A pass is over: the next begins after the pass's mean distance of packets. */
void capt_pace_pass(struct capt_pace *c);
/** Traffic goes on after a stop: the time between does not count. */
void capt_pace_restart(struct capt_pace *c);
/** Packets may go whose due time is at most this. */
uint64_t capt_pace_now(struct capt_pace *c);

/* ---- pcap_write.c ---- */

/** A capture file that is written: buf[0, len) holds whole records that are not in the file. */
struct capt_write {
	uint8_t *buf;
	uint32_t len;
	uint32_t n;       /* records in buf */
	uint32_t frac_ns; /* 1 or 1000 */
	int fd;
	bool regular;
	bool touched;  /* by a burst since the last look */
	uint64_t good; /* bytes of the file: up to a record's end */
	char name[80];
};

/** Opens path ("-": standard output) and writes the file header; w is zeroed. The error of open(2)
 *  or write(2); -EBUSY: another port uses the file. capt_write_close() also after an error. */
int capt_write_open(struct capt_write *w, const char *path, bool nano);
/** Writes out what is buffered. On an error, -errno, what did not reach the file is thrown away,
 *  *lost says how many records that were, and the file ends with the last whole one. */
int capt_write_flush(struct capt_write *w, uint32_t *lost);
/** What is still buffered is lost: flush first. */
void capt_write_close(struct capt_write *w);

/* ---- pcap_live.c ---- */

struct capt_live;

int capt_live_open(struct plx_port *port, const char *ifname, struct capt_live **out);
void capt_live_close(struct capt_live *l);
int capt_live_start(struct plx_port *port);
void capt_live_stop(struct plx_port *port);
void capt_live_stats(struct capt_live *l, struct plx_port_stats *stats, bool reset);
uint16_t capt_live_rx(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n);
uint16_t capt_live_tx(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n);

/* ---- pcap.c, pcap_rx.c, pcap_tx.c ---- */

enum capt_speed { CAPT_MAX, CAPT_REAL };

/** Values of the device string. */
struct capt_conf {
	const char *rx, *tx, *iface;
	uint32_t loop; /* 0: for ever */
	int speed;     /* enum capt_speed */
	int tsprec;    /* 0 micro, 1 nano */
	bool preload;
};

/** RX: a file or its copy in memory, and where in it we are. */
struct capt_rx {
	struct capt_file file;
	struct capt_store store;
	struct capt_pkt pkt; /* have: read, and not delivered */
	bool have;
	bool open;
	bool real;
	uint32_t loop;
	uint32_t pass;    /* 1: the first */
	bool pass_empty;  /* nothing to deliver in this pass so far */
	bool ended;       /* the last pass is over */
	uint32_t drained; /* read by any thread: ended, and a burst after it found nothing */
	bool long_told, scatter_told, pool_told; /* one log line each */
	struct capt_pace pace;
};

struct capt_port {
	struct capt_rx rx;
	struct capt_write write;
	struct capt_live *live; /* NULL: files */
	struct plx_netif netif; /* of live */
	struct capt_conf conf;
	struct plx_log *log;
};

struct capt_rxq {
	struct plx_rxq q;
	struct capt_port *cp;
	uint32_t seg_max; /* data bytes a segment has room for */
	bool scatter;
};

struct capt_txq {
	struct plx_txq q;
	struct capt_port *cp;
	uint8_t *flat; /* for chains that a live interface wants in one piece */
};

/** Makes a packet of the first mbuf and as many as it takes: true, or false when the pool is empty;
 *  first is then as it was. */
bool capt_rx_build(struct capt_rxq *rxq, struct plx_mbuf *first, const struct capt_pkt *p);
/** Whether a packet can be delivered at all; logs once why not. */
bool capt_rx_fits(struct capt_rxq *rxq, const struct capt_pkt *p);
plx_rx_fn capt_rx_select(const struct capt_port *cp);
/** Back to the first packet of the first pass. */
int capt_rx_rewind(struct capt_rx *rx);

plx_tx_fn capt_tx_select(const struct capt_port *cp);
uint32_t capt_tx_reclaim(struct plx_txq *q);
/** Writes out the rest, from control: counts and logs what fails. */
void capt_tx_stop(struct plx_port *port, struct plx_txq *q);

/** Copies a packet to dst, which has room for max bytes: its length, or -1 when it is longer or its
 *  segments do not add up to pkt_len. */
int capt_copy_out(const struct plx_mbuf *m, uint8_t *dst, uint32_t max);

#endif
