/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap:iface=IF: a network interface of the kernel, by libpcap.
 *
 * The kernel stays the driver: each burst is a poll of libpcap's ring, each packet sent a system call.
 * It is the port for trying a program on any machine's network, not the fast one. Packets come as
 * the interface has them, also those for the kernel's own stack, and not those that are sent there.
 * With the pool empty they are dropped (PLX_RXQ_NOMBUF): a network does not wait.
 */
#define PLX_LOG_TAG "pcap"
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdlib.h>

#include "pcap_pmd.h"

#define KERNEL_BUFFER (16 << 20) /* bytes of the ring; it has frames of the longest packet */

struct capt_live {
	pcap_t *p;
	uint32_t drops_last; /* libpcap's 32-bit count at the last look */
	uint64_t drops, drops_base;
};

/* What a callback of libpcap adds to. */
struct rx_batch {
	struct capt_rxq *rxq;
	struct plx_mbuf **pkts;
	uint16_t got;
	uint32_t nombuf, errors;
	uint64_t bytes;
};

/* ---- open and close ---- */

static int activate_error(const struct capt_live *l, const char *name, int err)
{
	switch (err) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return plx_err(EPERM,
			"interface %s: no permission to capture: run as root, or give the program "
			"CAP_NET_RAW (setcap cap_net_raw+ep PROGRAM)",
			name);
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return plx_err(
			ENODEV, "interface %s: there is none of this name (see ip link)", name);
	case PCAP_ERROR_IFACE_NOT_UP:
		return plx_err(ENETDOWN, "interface %s: is down; ip link set %s up", name, name);
	default:
		return plx_err(EIO, "interface %s: %s: %s", name, pcap_statustostr(err),
			pcap_geterr(l->p));
	}
}

static int activate(struct capt_live *l, struct plx_port *port)
{
	const char *name = ((const struct capt_port *)port->priv)->netif.name;
	char why[PCAP_ERRBUF_SIZE] = "";
	int err;

	l->p = pcap_create(name, why);
	if (l->p == NULL)
		return plx_err(ENOMEM, "interface %s: %s", name, why);
	pcap_set_snaplen(l->p, (int)CAPT_CAPLEN_MAX);
	pcap_set_promisc(l->p, 0);
	pcap_set_immediate_mode(l->p, 1);
	pcap_set_buffer_size(l->p, KERNEL_BUFFER);
	(void)pcap_set_tstamp_precision(l->p, PCAP_TSTAMP_PRECISION_NANO); /* asked back in RX */
	err = pcap_activate(l->p);
	if (err < 0)
		return activate_error(l, name, err);
	/* libpcap leaves it open for programs that are started: they could capture and send */
	if (fcntl(pcap_fileno(l->p), F_SETFD, FD_CLOEXEC) < 0)
		return plx_err(errno, "interface %s: FD_CLOEXEC: %s", name, strerror(errno));
	if (pcap_datalink(l->p) != DLT_EN10MB)
		return plx_err(EPROTONOSUPPORT,
			"interface %s: link type %s: ports are Ethernet alone", name,
			pcap_datalink_val_to_name(pcap_datalink(l->p)));
	if (pcap_setnonblock(l->p, 1, why) < 0)
		return plx_err(EIO, "interface %s: %s", name, why);
	if (pcap_setdirection(l->p, PCAP_D_IN) < 0)
		plx_logf(plx_ctx_log(port->ctx), PLX_LOG_WARN,
			"interface %s: packets that are sent will be received, too: %s", name,
			pcap_geterr(l->p));
	return 0;
}

int capt_live_open(struct plx_port *port, const char *ifname, struct capt_live **out)
{
	struct capt_port *cp = port->priv;
	struct capt_live *l;
	int err = plx_netif_open(&cp->netif, plx_port_name(port), ifname);

	if (err < 0)
		return err;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return plx_err(ENOMEM, "%s: no memory", plx_port_name(port));
	*out = l;
	err = activate(l, port);
	return err < 0 ? err : plx_netif_filters(&cp->netif, plx_port_name(port));
}

void capt_live_close(struct capt_live *l)
{
	if (l == NULL)
		return;
	if (l->p != NULL)
		pcap_close(l->p);
	free(l);
}

/* What came while nobody polled is old: it is thrown away. */
static void discard(u_char *arg, const struct pcap_pkthdr *h, const u_char *data)
{
}

int capt_live_start(struct plx_port *port)
{
	struct capt_port *cp = port->priv;
	int err = plx_netif_promisc(&cp->netif, port->conf.promisc);

	if (err == 0)
		err = plx_netif_allmulti(&cp->netif, port->conf.allmulti);
	if (err == 0)
		(void)pcap_dispatch(cp->live->p, 65536, discard, NULL); /* a fault shows in RX */
	return err;
}

void capt_live_stop(struct plx_port *port)
{
	struct capt_port *cp = port->priv;

	/* a vanished interface has no modes to leave */
	(void)plx_netif_promisc(&cp->netif, false);
	(void)plx_netif_allmulti(&cp->netif, false);
}

void capt_live_stats(struct capt_live *l, struct plx_port_stats *stats, bool reset)
{
	struct pcap_stat s;

	if (pcap_stats(l->p, &s) == 0) {
		l->drops += (uint32_t)(s.ps_drop - l->drops_last); /* 32 bits that wrap */
		l->drops_last = s.ps_drop;
	}
	if (reset)
		l->drops_base = l->drops;
	else
		stats->rx_missed += l->drops - l->drops_base;
}

/* ---- bursts ---- */

static void receive(u_char *arg, const struct pcap_pkthdr *h, const u_char *data)
{
	struct rx_batch *b = (void *)arg;
	struct capt_rxq *rxq = b->rxq;
	uint64_t unit = 1;
	struct capt_pkt p = {.data = data, .caplen = h->caplen, .len = h->len};
	struct plx_mbuf *m;

	if (pcap_get_tstamp_precision(rxq->cp->live->p) != PCAP_TSTAMP_PRECISION_NANO)
		unit = 1000;
	p.ts = (uint64_t)h->ts.tv_sec * UINT64_C(1000000000) + (uint64_t)h->ts.tv_usec * unit;
	if (!capt_rx_fits(rxq, &p)) {
		b->errors++;
		return;
	}
	if (plx_mempool_get_bulk(rxq->q.cache, (void **)&m, 1) == 0) {
		b->nombuf++;
		return;
	}
	if (!capt_rx_build(rxq, m, &p)) {
		plx_mempool_put_bulk(rxq->q.cache, (void **)&m, 1);
		b->nombuf++;
		return;
	}
	b->pkts[b->got++] = m;
	b->bytes += p.caplen;
}

/* The interface was removed (control work finds it gone), or capturing broke. */
static void rx_broken(struct plx_rxq *q, struct capt_port *cp)
{
	plx_logf(cp->log, PLX_LOG_ERR, "%s: capturing: %s", plx_port_name(q->port),
		pcap_geterr(cp->live->p));
	plx_rxq_set_failed(q, EIO);
}

uint16_t capt_live_rx(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct capt_rxq *rxq = plx_container_of(q, struct capt_rxq, q);
	struct rx_batch b = {.rxq = rxq, .pkts = pkts};

	/* 0 would mean "all there are" to libpcap */
	if (n == 0)
		return 0;
	if (pcap_dispatch(rxq->cp->live->p, n, receive, (void *)&b) < 0)
		rx_broken(q, rxq->cp);
	return plx_rxq_count(q, b.got, b.bytes, b.nombuf, b.errors);
}

/* Sends one: true, or false when the kernel wants to be asked again. *bad: it will never go. */
static bool send_one(struct capt_txq *txq, const struct plx_mbuf *m, bool *bad)
{
	const uint8_t *data = plx_mbuf_data(m);

	*bad = false;
	if (m->next != NULL || m->data_len != m->pkt_len) {
		if (capt_copy_out(m, txq->flat, PLX_PKT_LEN_MAX) < 0) {
			*bad = true;
			return true;
		}
		data = txq->flat;
	}
	if (pcap_inject(txq->cp->live->p, data, m->pkt_len) >= 0)
		return true;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR)
		return false;
	*bad = true; /* longer than the MTU, the interface down or gone */
	return true;
}

uint16_t capt_live_tx(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	struct capt_txq *txq = plx_container_of(q, struct capt_txq, q);
	uint64_t bytes = 0;
	uint32_t errors = 0;
	uint16_t i;

	for (i = 0; i < n; i++) {
		bool bad;

		if (!send_one(txq, pkts[i], &bad))
			break;
		errors += bad;
		bytes += pkts[i]->pkt_len;
	}
	return plx_txq_finish(q, pkts, i, bytes, errors);
}
