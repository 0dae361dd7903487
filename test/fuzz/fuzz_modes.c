/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet through the forwarding modes of plx-testpmd, in segments whose memory ends where they do.
 * The input's first three bytes choose options, where the first cut is and how long the other
 * segments are. Beside not crashing: what comes out is a packet by the rules; macswap and 5tswap
 * done twice change nothing; a second csum finds nothing wrong and changes nothing; icmpecho alone
 * keeps packets or changes their length; no mbuf is lost.
 */
#include <stdlib.h>

#include "modes.h"
#include "plx_mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { POOL = 8192, MAX_LEN = 9000, HEADER = 3 };

static const struct fwd_mode *const modes[] = {&fwd_io, &fwd_mac, &fwd_macswap, &fwd_5tswap,
	&fwd_noisy, &fwd_csum, &fwd_icmpecho, &fwd_rxonly};

static struct testpmd t;
static struct tp_port port;
static struct stream s;
static struct plx_rxq rxq;
static struct plx_txq txq;
static struct plx_mbuf *next_in;  /* what RX gives */
static struct plx_mbuf *last_out; /* what TX took */

static void must(bool ok)
{
	if (!ok)
		abort();
}

void complain(const char *fmt, ...)
{
	abort(); /* no option here is one that a mode refuses */
}

static uint16_t give(struct plx_rxq *q, struct plx_mbuf **pkts, uint16_t n)
{
	pkts[0] = next_in;
	n = next_in != NULL;
	next_in = NULL;
	return n;
}

static uint16_t take(struct plx_txq *q, struct plx_mbuf **pkts, uint16_t n)
{
	must(n == 1 && last_out == NULL && plx_mbuf_check(pkts[0]) == 0);
	last_out = pkts[0];
	return n;
}

static void start(void)
{
	struct plx_ctx_opts ctx = PLX_CTX_OPTS_INIT;
	struct plx_mbuf_pool_opts pool = PLX_MBUF_POOL_OPTS_INIT;

	if (t.ctx != NULL)
		return;
	ctx.huge = PLX_HUGE_NONE;
	ctx.log_level = PLX_LOG_OFF;
	pool.n = POOL;
	pool.room = 192;
	must(plx_ctx_open(&ctx, &t.ctx) == 0);
	must(plx_mbuf_pool_create(t.ctx, &pool, &t.pool) == 0);
	must(plx_mempool_cache_create(t.ctx, 0, -1, &s.cache) == 0);
	plx_mempool_cache_bind(s.cache, &t.pool->mp);
	mode_opts_defaults(&t.opt.modes);
	must(mode_opts_parse(&t.opt.modes, "noisy-forward-mode", "5tswap") == 0);
	must(mode_opts_parse(&t.opt.modes, "echo-addr", "192.0.2.77,2001:db8::77") == 0);
	rxq.burst = give;
	txq.burst = take;
	s.rxq = &rxq;
	s.txq = &txq;
	s.burst = 1;
	s.rx_port = s.tx_port = &port;
	s.pool = t.pool;
}

/* ---- packets ---- */

static void release(struct plx_mbuf_ext *ext)
{
	free(ext->arg);
	free(ext);
}

static struct plx_mbuf *segment(const uint8_t *p, uint32_t len)
{
	struct plx_mbuf *m = plx_mbuf_alloc(t.pool);
	struct plx_mbuf_ext *ext = calloc(1, sizeof(*ext));
	uint8_t *copy = malloc(len);

	must(m != NULL && ext != NULL && copy != NULL);
	memcpy(copy, p, len);
	*ext = (struct plx_mbuf_ext){.free_fn = release, .arg = copy, .refcnt = 1};
	plx_mbuf_attach_ext(m, copy, 0, (uint16_t)len, ext);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	return m;
}

static struct plx_mbuf *packet(const uint8_t *p, uint32_t len, uint32_t first, uint32_t piece)
{
	struct plx_mbuf *head = segment(p, PLX_MIN(first, len));

	for (uint32_t at = head->data_len; at < len;) {
		const uint32_t n = PLX_MIN(piece, len - at);

		must(plx_mbuf_chain(head, segment(p + at, n)) == 0);
		at += n;
	}
	return head;
}

/* One packet through a mode; what comes out, or NULL. */
static struct plx_mbuf *through(const struct fwd_mode *mode, struct plx_mbuf *m)
{
	last_out = NULL;
	next_in = m;
	s.state = NULL;
	must(mode->begin == NULL || mode->begin(&t, &s) == 0);
	must(mode->burst(&s) == 1 && mode->burst(&s) == 0);
	if (mode->end != NULL)
		mode->end(&s);
	return last_out;
}

/* The packet's bytes are these? */
static bool same(const struct plx_mbuf *m, const uint8_t *p, uint32_t len)
{
	static uint8_t bytes[MAX_LEN];

	return m->pkt_len == len && plx_mbuf_read(m, 0, bytes, len) == 0 &&
	       memcmp(bytes, p, len) == 0;
}

static uint64_t bad(void)
{
	return s.ctr[CTR_BAD_IP] + s.ctr[CTR_BAD_L4] + s.ctr[CTR_BAD_OUTER_IP] +
	       s.ctr[CTR_BAD_OUTER_L4];
}

static void again(const struct fwd_mode *mode, struct plx_mbuf *m, const uint8_t *p, uint32_t len)
{
	static uint8_t once[MAX_LEN];
	uint64_t was = bad();

	must(plx_mbuf_read(m, 0, once, len) == 0);
	m = through(mode, m);
	must(m != NULL);
	if (mode == &fwd_csum)
		must(bad() == was && same(m, once, len));
	else if (mode == &fwd_macswap || mode == &fwd_5tswap || mode == &fwd_noisy)
		must(same(m, p, len));
	plx_mbuf_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t len;

	start();
	if (size <= HEADER)
		return 0;
	len = (uint32_t)PLX_MIN(size - HEADER, (size_t)MAX_LEN);
	t.opt.modes.parse_tunnel = data[0] & 1;
	t.opt.modes.n_echo = data[0] & 2 ? 2 : 0;
	for (size_t i = 0; i < PLX_ARRAY_SIZE(modes); i++) {
		struct plx_mbuf *m =
			packet(data + HEADER, len, data[1] != 0 ? data[1] : len, data[2] + 1u);

		m = through(modes[i], m);
		if (modes[i] == &fwd_rxonly)
			must(m == NULL);
		if (modes[i] == &fwd_icmpecho || modes[i] == &fwd_rxonly) {
			plx_mbuf_free(m);
			continue;
		}
		must(m != NULL && m->pkt_len == len);
		again(modes[i], m, data + HEADER, len);
	}
	return 0;
}
