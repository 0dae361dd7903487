/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>
#include <unistd.h>

#include "e1000_lab.h"

static void start(struct lab *l, enum plx_isa isa, const char *program)
{
	struct plx_ctx_opts opts = PLX_CTX_OPTS_INIT;
	char wire[256];
	const char *args[] = {"-netdev", wire, "-netdev", "hubport,id=hw,hubid=1,netdev=w",
		"-netdev", "hubport,id=ha,hubid=1", "-netdev", "hubport,id=hb,hubid=1", "-device",
		"e1000e,id=da,netdev=ha,addr=2,romfile=,mac=52:54:00:00:00:0a", "-device",
		"e1000e,id=db,netdev=hb,addr=3,romfile=,mac=52:54:00:00:00:0b", "-device",
		"pcie-root-port,id=rp,addr=0x1c", "-device",
		"e1000e,bus=rp,romfile=,mac=52:54:00:00:00:0c", NULL};

	memset(l, 0, sizeof(*l));
	CHECK_EQ(qemu_run_init(&l->r), 0);
	if (program != NULL)
		snprintf(l->r.program, sizeof(l->r.program), "%s", program);
	l->wire = qemu_run_wire(&l->r, "w", wire, sizeof(wire));
	CHECK(l->wire >= 0);
	CHECK_OK(qemu_run_start(&l->r, 256, args));
	opts.isa = isa;
	CHECK_OK(plx_ctx_open(&opts, &l->ctx));
}

void lab_start_isa(struct lab *l, enum plx_isa isa)
{
	start(l, isa, NULL);
}

const char *lab_start_newer(struct lab *l)
{
	char program[512];
	const char *why = qemu_run_find("igb", program, sizeof(program));

	if (why == NULL)
		start(l, PLX_ISA_AUTO, program);
	return why;
}

void lab_start(struct lab *l)
{
	lab_start_isa(l, PLX_ISA_AUTO);
}

static void end_stop(struct end *e)
{
	CHECK_OK(plx_port_close(e->port));
	plx_mbuf_pool_destroy(e->pool);
}

void lab_stop(struct lab *l)
{
	end_stop(&l->a);
	end_stop(&l->b);
	end_stop(&l->c);
	plx_ctx_close(l->ctx);
	close(l->wire);
	qemu_run_stop(&l->r);
}

void end_start(struct lab *l, struct end *e, const char *where, const struct setup *s)
{
	struct plx_mbuf_pool_opts po = PLX_MBUF_POOL_OPTS_INIT;
	struct plx_port_conf pc = PLX_PORT_CONF_INIT;
	struct plx_rxq_conf rc = PLX_RXQ_CONF_INIT;
	struct plx_txq_conf tc = PLX_TXQ_CONF_INIT;
	char text[512];

	snprintf(text, sizeof(text), "qemu:%s,%s,ram=%s", l->r.qtest, where, l->r.ram);
	CHECK_OK(plx_port_open(l->ctx, text, &e->port));
	po.n = s->n_mbufs != 0 ? s->n_mbufs : 1500;
	po.room = s->room != 0 ? s->room : po.room;
	e->n_mbufs = po.n;
	CHECK_OK(plx_mbuf_pool_create(l->ctx, &po, &e->pool));
	pc.mtu = s->mtu != 0 ? s->mtu : pc.mtu;
	pc.rx_offloads = s->rx_offloads;
	pc.tx_offloads = s->tx_offloads;
	pc.promisc = s->promisc;
	CHECK_OK(plx_port_configure(e->port, &pc));
	rc.pool = e->pool;
	rc.n_desc = s->n_desc;
	tc.n_desc = s->n_tx_desc;
	CHECK_OK(plx_rxq_setup(e->port, 0, &rc, &e->rx));
	CHECK_OK(plx_txq_setup(e->port, 0, &tc, &e->tx));
	CHECK_OK(plx_port_start(e->port));
	CHECK_OK(plx_port_link_wait(e->port, 3000 * MS));
}

void lab_pair(struct lab *l, const struct setup *s)
{
	end_start(l, &l->a, "slot=2", s);
	end_start(l, &l->b, "slot=3", s);
}

void end_check_empty(struct end *e)
{
	plx_mempool_cache_flush(plx_mempool_thread_cache(&e->pool->mp));
	CHECK_EQ(plx_mbuf_pool_avail(e->pool), e->n_mbufs);
}

struct plx_mac end_mac(struct end *e)
{
	struct plx_port_info info;

	CHECK_OK(plx_port_info(e->port, &info));
	return info.mac;
}

void frame_make(
	uint8_t *f, size_t len, const struct plx_mac *to, const struct plx_mac *from, uint32_t seed)
{
	for (size_t i = 0; i < len; i++)
		f[i] = (uint8_t)(seed + i * 7 + (i >> 8));
	memcpy(f, to->b, 6);
	memcpy(f + 6, from->b, 6);
	plx_store_be16(f + 12, 0x88b5); /* local experiments (IEEE 802) */
}

struct plx_mbuf *packet(struct end *e, const uint8_t *f, size_t len, size_t seg)
{
	struct plx_mbuf *head = NULL;

	for (size_t at = 0; at < len; at += seg) {
		struct plx_mbuf *m = plx_mbuf_alloc(e->pool);
		size_t n = PLX_MIN(seg, len - at);

		CHECK(m != NULL);
		memcpy(plx_mbuf_append(m, (uint16_t)n), f + at, n);
		if (head == NULL)
			head = m;
		else
			CHECK_OK(plx_mbuf_chain(head, m));
	}
	return head;
}

void send_all(struct end *e, struct plx_mbuf **pkts, uint16_t n)
{
	uint64_t until = plx_clock_ns() + 5000 * MS;

	for (uint16_t sent = 0; sent < n;) {
		sent = (uint16_t)(sent + plx_tx_burst(e->tx, pkts + sent, (uint16_t)(n - sent)));
		CHECK(plx_clock_ns() < until);
	}
}

uint16_t receive(struct end *e, struct plx_mbuf **pkts, uint16_t n, unsigned limit_ms)
{
	const struct timespec nap = {0, 200000};
	uint64_t until = plx_clock_ns() + limit_ms * MS;
	uint16_t got = 0;

	while (got < n) {
		got = (uint16_t)(got + plx_rx_burst(e->rx, pkts + got, (uint16_t)(n - got)));
		if (got == n || plx_clock_ns() > until)
			break;
		nanosleep(&nap, NULL);
	}
	return got;
}

void check_packet(struct plx_mbuf *m, const uint8_t *f, size_t len)
{
	static uint8_t got[65536];

	CHECK_OK(plx_mbuf_check(m));
	CHECK_EQ(m->pkt_len, len);
	CHECK_OK(plx_mbuf_read(m, 0, got, (uint32_t)len));
	CHECK_EQ(memcmp(got, f, len), 0);
	plx_mbuf_free(m);
}

void wire_send(struct lab *l, const uint8_t *f, size_t len)
{
	CHECK_OK(qemu_run_send(&l->r, l->wire, "w", f, len));
}

/* ---- IP ---- */

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t l4(uint8_t *p, uint8_t proto, size_t payload, uint32_t pseudo)
{
	size_t head = proto == 6 ? 20 : 8, len = head + payload;
	size_t at = proto == 6 ? 16 : 6;

	memset(p, 0, head);
	plx_store_be16(p, 1234);
	plx_store_be16(p + 2, 4321);
	if (proto == 6)
		p[12] = 5 << 4;
	else
		plx_store_be16(p + 4, (uint16_t)len);
	for (size_t i = 0; i < payload; i++)
		p[head + i] = (uint8_t)(i * 3 + 1);
	plx_store_be16(p + at, fold(sum16(pseudo + proto + (uint32_t)len, p, len)));
	return len;
}

size_t ipv4_frame(uint8_t *f, const struct plx_mac *to, const struct plx_mac *from, uint8_t proto,
	size_t payload)
{
	uint8_t *ip = f + 14;
	size_t len = (proto == 6 ? 20 : 8) + payload;

	memcpy(f, to->b, 6);
	memcpy(f + 6, from->b, 6);
	plx_store_be16(f + 12, 0x0800);
	memset(ip, 0, 20);
	ip[0] = 0x45;
	plx_store_be16(ip + 2, (uint16_t)(20 + len));
	plx_store_be16(ip + 4, 0x1234);
	ip[8] = 64;
	ip[9] = proto;
	plx_store_be32(ip + 12, 0x0a000001);
	plx_store_be32(ip + 16, 0x0a000002);
	plx_store_be16(ip + 10, fold(sum16(0, ip, 20)));
	return 34 + l4(ip + 20, proto, payload, sum16(0, ip + 12, 8));
}

size_t ipv6_frame(uint8_t *f, const struct plx_mac *to, const struct plx_mac *from, uint8_t proto,
	size_t payload)
{
	uint8_t *ip = f + 14;
	size_t len = (proto == 6 ? 20 : 8) + payload;

	memcpy(f, to->b, 6);
	memcpy(f + 6, from->b, 6);
	plx_store_be16(f + 12, 0x86dd);
	memset(ip, 0, 40);
	ip[0] = 0x60;
	plx_store_be16(ip + 4, (uint16_t)len);
	ip[6] = proto;
	ip[7] = 64;
	ip[8] = 0xfd;
	ip[23] = 1;
	ip[24] = 0xfd;
	ip[39] = 2;
	return 54 + l4(ip + 40, proto, payload, sum16(0, ip + 8, 32));
}
