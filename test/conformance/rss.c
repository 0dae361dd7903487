/* SPDX-License-Identifier: BSD-3-Clause */
/* What every Ethernet driver with RSS must do: held against a Toeplitz hash of the test's own. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "rig.h"
#include "unit.h"

#define LONG_NS UINT64_C(10000000000)

enum { KEY_MAX = 64, TABLE_MAX = 1024, BATCH = 24 };

/* What the port under test is set to. */
struct settings {
	uint8_t key[KEY_MAX];
	uint16_t table[TABLE_MAX];
	uint32_t fields;
	uint16_t key_len, table_len;
};

/* The exclusive or of what stands in the key, 32 bits from each place where the input has a 1. */
static uint32_t toeplitz(const struct settings *s, const uint8_t *in, unsigned len)
{
	uint32_t hash = 0;

	for (unsigned i = 0; i < 8 * len; i++)
		for (unsigned j = 0; (in[i / 8] << i % 8 & 0x80) != 0 && j < 32; j++)
			if (i + j < 8u * s->key_len && (s->key[(i + j) / 8] << (i + j) % 8 & 0x80))
				hash ^= UINT32_C(0x80000000) >> j;
	return hash;
}

/* Is there something to hash of a frame of flow_make()? Its hash. */
static bool hash_of(const struct settings *s, const uint8_t *p, uint32_t *hash)
{
	const bool v4 = plx_load_be16(p + 12) == 0x0800, v6 = plx_load_be16(p + 12) == 0x86dd;
	const uint8_t *ip = p + 14, *l4 = ip + (v4 ? 20 : 40);
	const uint8_t proto = v4 ? ip[9] : ip[6];
	const uint32_t tcp = v4 ? PLX_RSS_IPV4_TCP : PLX_RSS_IPV6_TCP;
	const uint32_t udp = v4 ? PLX_RSS_IPV4_UDP : PLX_RSS_IPV6_UDP;
	bool ports = (proto == 6 && (s->fields & tcp)) || (proto == 17 && (s->fields & udp));
	unsigned addrs = v4 ? 8 : 32;
	uint8_t in[36];

	if (!v4 && !v6)
		return false;
	if (v4 && (plx_load_be16(ip + 6) & 0x3fff) != 0)
		ports = false; /* a fragment */
	if (!ports && !(s->fields & (v4 ? PLX_RSS_IPV4 : PLX_RSS_IPV6)))
		return false;
	memcpy(in, ip + (v4 ? 12 : 8), addrs);
	memcpy(in + addrs, l4, 4);
	*hash = toeplitz(s, in, addrs + (ports ? 4 : 0));
	return true;
}

static void read_back(struct rig *r, struct settings *s)
{
	memset(s, 0, sizeof(*s));
	s->key_len = r->a.info.rss_key_len;
	s->table_len = r->a.info.rss_table_len;
	CHECK_EQ(plx_port_get_rss(r->a.port, s->key, s->table, &s->fields), 0);
}

static void set(struct rig *r, struct settings *s)
{
	struct plx_rss rss = {.key = s->key,
		.key_len = s->key_len,
		.fields = s->fields,
		.table = s->table,
		.table_len = s->table_len};
	int err = plx_port_set_rss(r->a.port, &rss);

	CHECK_STR(err == 0 ? "" : plx_errmsg(), "");
}

static void set_table(struct rig *r, struct settings *s, uint16_t queue)
{
	struct plx_rss rss = {.fields = s->fields, .table = s->table, .table_len = s->table_len};

	for (unsigned i = 0; i < s->table_len; i++)
		s->table[i] = queue;
	CHECK_EQ(plx_port_set_rss(r->a.port, &rss), 0);
}

/* A packet that came out of queue q: is it there, and does it say, as the settings have it? */
static void check_one(struct rig *r, const struct settings *s, struct plx_mbuf *m, uint16_t q)
{
	const bool offload = (r->a.info.rx_offloads & PLX_RX_OFFLOAD_RSS_HASH) != 0;
	uint8_t p[128];
	uint32_t hash = 0;
	bool hashed;

	rx_check(m);
	CHECK_EQ(plx_mbuf_read(m, 0, p, PLX_MIN(m->pkt_len, (uint32_t)sizeof(p))), 0);
	hashed = hash_of(s, p, &hash);
	CHECK_EQ(q, hashed ? s->table[hash % s->table_len] : 0);
	CHECK_EQ((m->flags & PLX_RX_RSS_HASH) != 0, hashed && offload);
	CHECK_EQ(m->rss_hash, hashed && offload ? hash : 0);
	plx_mbuf_free(m);
}

/* Sends n packets of different flows and finds each in the queue where it belongs. */
static void check_steering(struct rig *r, const struct settings *s, unsigned n)
{
	uint64_t until = plx_clock_ns() + LONG_NS;
	struct plx_mbuf *pkts[BATCH];
	unsigned came = 0;

	for (unsigned sent = 0; sent < n;) {
		for (unsigned i = 0; i < BATCH; i++)
			pkts[i] = flow_make(r, sent + i);
		send_all(r, &r->b, pkts, BATCH);
		sent += BATCH;
		while (came < sent) {
			for (uint16_t q = 0; q < r->a.n_queues; q++) {
				uint16_t got = plx_rx_burst(r->a.rxqs[q], pkts, BATCH);

				for (uint16_t i = 0; i < got; i++)
					check_one(r, s, pkts[i], q);
				came += got;
			}
			CHECK(plx_clock_ns() < until);
			plx_ctx_poll(r->ctx);
		}
	}
	CHECK_EQ(came % BATCH, 0);
}

static void rss_up(struct rig *r, uint16_t n_queues)
{
	struct rig_opts o = RIG_OPTS_INIT;

	o.n_queues = n_queues;
	o.rss_hash = true;
	rig_open(r, &o);
	if (r->a.info.rss_table_len == 0 || r->b.port == NULL) {
		rig_down(r);
		SKIP("the driver has no RSS, or the port no other end");
	}
	if (r->c.no_rss != NULL) {
		rig_down(r);
		SKIP(r->c.no_rss);
	}
	CHECK(r->a.info.rss_key_len <= KEY_MAX && r->a.info.rss_table_len <= TABLE_MAX);
	rig_start(r, &o);
}

TEST(conf, rss_steers_as_key_table_and_fields_say)
{
	struct settings s;
	struct rig r;

	rss_up(&r, END_QUEUES);
	read_back(&r, &s);
	/* what it is set to without being told */
	CHECK_EQ(s.fields, r.a.info.rss_fields);
	for (unsigned i = 0; i < s.table_len; i++)
		CHECK_EQ(s.table[i], i % r.a.n_queues);
	check_steering(&r, &s, r.c.packets / 2);
	for (unsigned i = 0; i < s.key_len; i++)
		s.key[i] = (uint8_t)(i * 151 + 77);
	for (unsigned i = 0; i < s.table_len; i++)
		s.table[i] = (uint16_t)((i * 7 + i / 5) % r.a.n_queues);
	set(&r, &s);
	check_steering(&r, &s, r.c.packets / 2);
	/* each field alone, and none */
	for (unsigned bit = 0; plx_rss_field_name(bit) != NULL; bit++) {
		s.fields = r.a.info.rss_fields & 1u << bit;
		set(&r, &s);
		check_steering(&r, &s, BATCH);
	}
	s.fields = 0;
	set(&r, &s);
	check_steering(&r, &s, BATCH);
	rig_down(&r);
}

TEST(conf, rss_with_one_queue_still_says_the_hash)
{
	struct settings s;
	struct rig r;

	rss_up(&r, 1);
	read_back(&r, &s);
	check_steering(&r, &s, r.c.packets / 4);
	rig_down(&r);
}

TEST(conf, rss_settings_hold_over_stop_and_reset)
{
	struct rig_opts o = RIG_OPTS_INIT;
	struct settings s, now;
	struct rig r;

	rss_up(&r, END_QUEUES);
	read_back(&r, &s);
	for (unsigned i = 0; i < s.key_len; i++)
		s.key[i] = (uint8_t)(i * 29 + 3);
	for (unsigned i = 0; i < s.table_len; i++)
		s.table[i] = (uint16_t)((i / 3) % r.a.n_queues);
	set(&r, &s);
	for (unsigned i = 0; i < 3; i++) {
		if (i == 1) {
			CHECK_EQ(plx_port_stop(r.a.port), 0);
			read_back(&r, &now);
			CHECK_EQ(memcmp(&now, &s, sizeof(s)), 0);
			CHECK_EQ(plx_port_start(r.a.port), 0);
		} else if (i == 2) {
			CHECK_EQ(plx_port_reset(r.a.port), 0);
		}
		rig_link(&r, &r.a);
		read_back(&r, &now);
		CHECK_EQ(memcmp(&now, &s, sizeof(s)), 0);
		check_steering(&r, &s, 2 * BATCH);
	}
	/* while it is stopped, too */
	CHECK_EQ(plx_port_stop(r.a.port), 0);
	s.key[0] ^= 0xff;
	set(&r, &s);
	CHECK_EQ(plx_port_start(r.a.port), 0);
	rig_link(&r, &r.a);
	check_steering(&r, &s, 2 * BATCH);
	/* a new configuration has a table of its own; the key stays */
	CHECK_EQ(plx_port_stop(r.a.port), 0);
	o.n_queues = END_QUEUES;
	CHECK_EQ(end_set_up(&r, &r.a, &o), 0);
	read_back(&r, &now);
	CHECK_EQ(memcmp(now.key, s.key, s.key_len), 0);
	CHECK_EQ(now.fields, r.a.info.rss_fields);
	for (unsigned i = 0; i < now.table_len; i++)
		CHECK_EQ(now.table[i], i % r.a.n_queues);
	rig_down(&r);
}

TEST(conf, rss_refuses_what_it_cannot)
{
	struct settings s, now;
	struct plx_rss rss = {0};
	struct rig r;

	rss_up(&r, END_QUEUES);
	read_back(&r, &s);
	rss.fields = s.fields;
	rss.key = s.key;
	rss.key_len = (uint16_t)(s.key_len - 1);
	CHECK_EQ(plx_port_set_rss(r.a.port, &rss), -EINVAL);
	rss.key = NULL;
	rss.table = s.table;
	rss.table_len = (uint16_t)(s.table_len + 1);
	CHECK_EQ(plx_port_set_rss(r.a.port, &rss), -EINVAL);
	rss.table_len = s.table_len;
	s.table[s.table_len - 1] = r.a.n_queues;
	CHECK_EQ(plx_port_set_rss(r.a.port, &rss), -EINVAL);
	CHECK_HAS(plx_errmsg(), "RSS table entry");
	rss.table = NULL;
	for (unsigned bit = 0; bit < 32; bit++) {
		rss.fields = 1u << bit;
		if (r.a.info.rss_fields & rss.fields)
			continue;
		CHECK_EQ(plx_port_set_rss(r.a.port, &rss), -ENOTSUP);
		CHECK_HAS(plx_errmsg(), "cannot hash");
	}
	s.table[s.table_len - 1] = (uint16_t)((s.table_len - 1) % r.a.n_queues);
	read_back(&r, &now);
	CHECK_EQ(memcmp(&now, &s, sizeof(s)), 0);
	rig_down(&r);
}

/* ---- while threads poll ---- */

struct taker {
	pthread_t thread;
	struct plx_rxq *q;
	bool stop;
	uint64_t got;
};

static void *take(void *arg)
{
	struct taker *t = arg;
	struct plx_mbuf *pkts[16];

	while (!__atomic_load_n(&t->stop, __ATOMIC_ACQUIRE)) {
		uint16_t n = plx_rx_burst(t->q, pkts, 16);

		plx_mbuf_free_bulk(pkts, n);
		__atomic_store_n(&t->got, t->got + n, __ATOMIC_RELEASE);
		if (n == 0)
			sched_yield();
	}
	plx_mempool_cache_flush(plx_mempool_thread_cache(&t->q->pool->mp));
	return NULL;
}

static uint64_t got_by(const struct taker *t)
{
	return __atomic_load_n(&t->got, __ATOMIC_ACQUIRE);
}

/* Until all takers together have n. */
static void wait_for(struct rig *r, const struct taker *t, uint64_t n)
{
	const struct timespec nap = {0, 200000};
	uint64_t until = plx_clock_ns() + LONG_NS, sum = 0;

	while (sum < n) {
		sum = 0;
		for (uint16_t i = 0; i < r->a.n_queues; i++)
			sum += got_by(&t[i]);
		CHECK(plx_clock_ns() < until);
		plx_ctx_poll(r->ctx);
		nanosleep(&nap, NULL);
	}
	CHECK_EQ(sum, n);
}

static void send_flows(struct rig *r, uint64_t *sent)
{
	struct plx_mbuf *pkts[BATCH];

	for (unsigned i = 0; i < BATCH; i++)
		pkts[i] = flow_make(r, (unsigned)*sent + i);
	send_all(r, &r->b, pkts, BATCH);
	*sent += BATCH;
}

TEST(conf, rss_table_changes_while_threads_poll)
{
	struct taker t[END_QUEUES];
	uint64_t sent = 0;
	struct settings s;
	struct rig r;

	rss_up(&r, END_QUEUES);
	read_back(&r, &s);
	for (uint16_t i = 0; i < r.a.n_queues; i++) {
		t[i] = (struct taker){.q = r.a.rxqs[i]};
		CHECK_EQ(pthread_create(&t[i].thread, NULL, take, &t[i]), 0);
	}
	/* changed in the middle of traffic: nothing is lost, whatever queue it takes */
	for (unsigned i = 0; i < r.c.rounds / 2; i++) {
		send_flows(&r, &sent);
		set_table(&r, &s, (uint16_t)(i % r.a.n_queues));
		if (i % 4 == 3) {
			s.key[i % s.key_len] ^= (uint8_t)i;
			set(&r, &s);
		}
		wait_for(&r, t, i % 2 == 0 && sent > BATCH ? sent : 0);
		if (i % 2 != 0)
			wait_for(&r, t, sent);
	}
	wait_for(&r, t, sent);
	/* once the call is over, the new table holds: all that can be hashed goes where it says */
	for (unsigned i = 0; i < 2u * r.a.n_queues; i++) {
		uint16_t q = (uint16_t)(i % r.a.n_queues);
		uint64_t before = got_by(&t[q]), first = got_by(&t[0]);

		set_table(&r, &s, q);
		send_flows(&r, &sent);
		wait_for(&r, t, sent);
		/* queue 0 gets the others */
		CHECK_EQ(got_by(&t[q]) - before + (q != 0 ? got_by(&t[0]) - first : 0), BATCH);
		CHECK(got_by(&t[q]) - before > BATCH / 2);
	}
	for (uint16_t i = 0; i < r.a.n_queues; i++) {
		__atomic_store_n(&t[i].stop, true, __ATOMIC_RELEASE);
		pthread_join(t[i].thread, NULL);
	}
	rig_down(&r);
}
