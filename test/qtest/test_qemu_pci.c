/* SPDX-License-Identifier: BSD-3-Clause */
/* The transport `qemu:` against a stock QEMU, as any user: its e1000e, registers and DMA only. */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem_lib.h"
#include "plx_pci_transport.h"
#include "qemu.h"
#include "qemu_run.h"
#include "qmp_sock.h"
#include "unit.h"

#define MS UINT64_C(1000000)

/* Intel 82574L datasheet, 10.2: the few registers that show life. */
enum {
	CTRL = 0x0000,
	STATUS = 0x0008,
	TCTL = 0x0400,
	TDBAL = 0x3800,
	TDBAH = 0x3804,
	TDLEN = 0x3808,
	TDH = 0x3810,
	TDT = 0x3818,
	RAL0 = 0x5400,
	CTRL_SLU = 1 << 6,
	TCTL_EN = 1 << 1,
	STATUS_LU = 1 << 1,
};

/* 7.2.10.1: a legacy transmit descriptor. */
struct tx_desc {
	plx_le64 addr;
	plx_le16 len;
	uint8_t cso, cmd; /* end of packet, insert FCS, report status */
	uint8_t sta, css; /* descriptor done */
	plx_le16 special;
};

/* A QEMU with an e1000e in slots 2 and 3, one behind root port 0x1c; and a context. */
struct lab {
	struct qemu_run r;
	struct plx_ctx *ctx;
	struct plx_pci_dev *dev;
	int wire;
};

static void lab_start(struct lab *l, unsigned mib)
{
	char wire[256];
	const char *args[] = {"-netdev", wire, "-device",
		"e1000e,netdev=n0,addr=2,romfile=,mac=52:54:00:00:00:02", "-device",
		"e1000e,addr=3,romfile=,mac=52:54:00:00:00:03", "-device",
		"pcie-root-port,id=rp,addr=0x1c", "-device",
		"e1000e,bus=rp,romfile=,mac=52:54:00:00:00:1c", NULL};

	memset(l, 0, sizeof(*l));
	CHECK_EQ(qemu_run_init(&l->r), 0);
	l->wire = qemu_run_wire(&l->r, "n0", wire, sizeof(wire));
	CHECK(l->wire >= 0);
	CHECK_EQ(qemu_run_start(&l->r, mib, args), 0);
	CHECK_EQ(plx_ctx_open(NULL, &l->ctx), 0);
}

static void lab_stop(struct lab *l)
{
	plx_pci_close(l->dev);
	plx_ctx_close(l->ctx);
	close(l->wire);
	qemu_run_stop(&l->r);
}

/* Opens qemu:QTEST,where,HOW; how: "ram", "qmp". */
static int lab_open_in(struct lab *l, struct plx_ctx *ctx, const char *where, const char *how,
	struct plx_pci_dev **dev)
{
	char text[512];
	struct plx_opts *opts;
	int err;

	snprintf(text, sizeof(text), "qemu:%s,%s,%s=%s", l->r.qtest, where, how,
		strcmp(how, "ram") == 0 ? l->r.ram : l->r.qmp);
	CHECK_EQ(plx_opts_parse(text, &opts), 0);
	err = plx_pci_open(ctx, opts, dev);
	if (err == 0)
		err = plx_opts_finish(opts);
	plx_opts_free(opts);
	return err;
}

static int lab_open(struct lab *l, const char *where, const char *how)
{
	return lab_open_in(l, l->ctx, where, how, &l->dev);
}

#define NEEDS_QEMU()                              \
	do {                                      \
		if (qemu_run_missing() != NULL)   \
			SKIP(qemu_run_missing()); \
	} while (0)

/* A check that says what the library said. */
#define CHECK_OK(call)                                                                   \
	do {                                                                             \
		if ((call) != 0) {                                                       \
			char ok_buf[700];                                                \
			snprintf(ok_buf, sizeof(ok_buf), "%s: %s", #call, plx_errmsg()); \
			UNIT_FAIL(ok_buf);                                               \
		}                                                                        \
	} while (0)

TEST(qemu_pci, configuration_space_and_bars)
{
	struct lab l;
	struct plx_win win, bad;
	uint32_t got;
	enum plx_irq_type type;

	NEEDS_QEMU();
	lab_start(&l, 256);
	CHECK_OK(lab_open(&l, "slot=2", "ram"));
	CHECK_EQ(plx_pci_vendor(l.dev), 0x8086);
	CHECK_EQ(plx_pci_device(l.dev), 0x10d3);
	CHECK_HAS(plx_pci_name(l.dev), "slot=0x2.0");
	CHECK_EQ(plx_pci_bar_len(l.dev, 0), 128 * 1024);
	CHECK_EQ(plx_pci_bar_len(l.dev, 2), 32);
	CHECK_EQ(plx_pci_bar_len(l.dev, 3), 16 * 1024);
	CHECK_EQ(plx_pci_bar_len(l.dev, 4), 0);
	CHECK(plx_pci_cap(l.dev, 0x01) != 0);
	CHECK(plx_pci_cap(l.dev, 0x10) != 0);
	CHECK(plx_pci_cap(l.dev, 0x11) != 0);
	CHECK_EQ(plx_pci_cap(l.dev, 0x55), 0);
	/* memory decoding on, I/O and bus mastering off */
	CHECK_EQ(plx_pci_cfg_read(l.dev, 4, 2) & 7, 2);
	CHECK_OK(plx_pci_set_master(l.dev, true));
	CHECK_EQ(plx_pci_cfg_read(l.dev, 4, 2) & 7, 6);

	CHECK_OK(plx_pci_win(l.dev, 0, 0, 128 * 1024, &win));
	CHECK(win.base == NULL);
	CHECK_EQ(plx_rd32(&win, RAL0), 0x00005452);
	plx_wr32(&win, TDLEN, 4096);
	CHECK_EQ(plx_rd32(&win, TDLEN), 4096);
	CHECK_EQ(plx_pci_win(l.dev, 2, 0, 32, &bad), -EINVAL);
	CHECK_HAS(plx_errmsg(), "I/O space");
	CHECK_EQ(plx_pci_irq_enable(l.dev, 1, &got, &type), -ENOTSUP);
	CHECK_HAS(plx_errmsg(), "poll");
	/* The model has no reset that works, and it is found out. */
	CHECK(plx_pci_reset(l.dev) < 0);
	CHECK_EQ(plx_rd32(&win, RAL0), 0x00005452);
	plx_pci_win_close(&win);
	lab_stop(&l);
}

TEST(qemu_pci, devices_of_one_machine_share_the_connection)
{
	struct lab l;
	struct plx_pci_dev *other, *third, *again = NULL;
	struct plx_win a, b, c;

	NEEDS_QEMU();
	lab_start(&l, 256);
	CHECK_OK(lab_open(&l, "slot=2", "ram"));
	CHECK_OK(lab_open_in(&l, l.ctx, "slot=0x3", "ram", &other));
	CHECK_OK(lab_open_in(&l, l.ctx, "port=0x1c,slot=0", "ram", &third));
	CHECK(plx_pci_domain(l.dev) == plx_pci_domain(third));
	CHECK_OK(plx_pci_win(l.dev, 0, 0, 128 * 1024, &a));
	CHECK_OK(plx_pci_win(other, 0, 0, 128 * 1024, &b));
	CHECK_OK(plx_pci_win(third, 0, 0, 128 * 1024, &c));
	CHECK_EQ(plx_rd32(&a, RAL0 + 4) & 0xffff, 0x0200);
	CHECK_EQ(plx_rd32(&b, RAL0 + 4) & 0xffff, 0x0300);
	CHECK_EQ(plx_rd32(&c, RAL0 + 4) & 0xffff, 0x1c00);
	CHECK_EQ(lab_open_in(&l, l.ctx, "slot=3", "ram", &again), -EBUSY);
	CHECK_HAS(plx_errmsg(), "open already");
	CHECK_EQ(lab_open_in(&l, l.ctx, "slot=4", "qmp", &again), -EINVAL);
	CHECK_HAS(plx_errmsg(), "give the same for all");
	CHECK_EQ(lab_open_in(&l, l.ctx, "slot=4", "ram", &again), -ENODEV);
	CHECK_HAS(plx_errmsg(), "query-pci");
	CHECK_EQ(lab_open_in(&l, l.ctx, "slot=0x1c", "ram", &again), -ENODEV);
	CHECK_HAS(plx_errmsg(), "port=28,slot=0");
	CHECK_EQ(lab_open_in(&l, l.ctx, "port=3,slot=0", "ram", &again), -ENODEV);
	CHECK_HAS(plx_errmsg(), "no root port");
	/* One closed, the others live. */
	plx_pci_close(other);
	CHECK_EQ(plx_rd32(&a, RAL0 + 4) & 0xffff, 0x0200);
	CHECK_OK(lab_open_in(&l, l.ctx, "slot=3", "ram", &other));
	CHECK_OK(plx_pci_win(other, 0, 0, 128 * 1024, &b));
	CHECK_EQ(plx_rd32(&b, RAL0 + 4) & 0xffff, 0x0300);
	plx_pci_close(other);
	plx_pci_close(third);
	lab_stop(&l);
}

/* Sends one frame through a descriptor ring until it comes out of the wire. */
static void send_frames(struct lab *l, struct plx_arena *arena)
{
	struct plx_dma ring, data;
	struct plx_win win;
	volatile struct tx_desc *d;
	uint8_t frame[256];
	ssize_t n = -1;
	uint32_t tail = 0;

	CHECK_OK(plx_pci_dma_alloc(l->dev, 4096, 4096, &ring));
	CHECK_OK(plx_arena_alloc(arena, 4096, 64, &data));
	d = ring.va;
	memset(data.va, 0x5a, 100);
	memset(data.va, 0xff, 6);
	memcpy((uint8_t *)data.va + 12, "\x88\xb5", 2); /* for experiments: not looked into */
	CHECK_OK(plx_pci_win(l->dev, 0, 0, 128 * 1024, &win));
	CHECK_OK(plx_pci_set_master(l->dev, true));
	plx_wr32(&win, CTRL, plx_rd32(&win, CTRL) | CTRL_SLU);
	plx_wr32(&win, TDBAL, (uint32_t)ring.iova);
	plx_wr32(&win, TDBAH, (uint32_t)(ring.iova >> 32));
	plx_wr32(&win, TDLEN, 4096);
	plx_wr32(&win, TCTL, TCTL_EN);
	CHECK_OK(plx_win_wait(&win, STATUS, STATUS_LU, STATUS_LU, 5000 * MS, "link"));
	/* The model drops what is sent until its autonegotiation is over. */
	for (int i = 0; i < 100 && n < 0; i++) {
		d[tail] = (struct tx_desc){
			.addr = plx_le64_make(data.iova), .len = plx_le16_make(100), .cmd = 0x0b};
		tail++;
		plx_io_wmb();
		plx_wr32(&win, TDT, tail);
		CHECK_OK(plx_win_wait(&win, TDH, 0xffff, tail, 1000 * MS, "TX"));
		CHECK_EQ(d[tail - 1].sta & 1, 1);
		n = qemu_run_recv(l->wire, frame, sizeof(frame), 100);
	}
	CHECK_EQ(n, 100);
	CHECK_EQ(memcmp(frame, data.va, 100), 0);
	plx_wr32(&win, TCTL, 0);
	CHECK_OK(plx_pci_set_master(l->dev, false));
	plx_pci_win_close(&win);
	plx_pci_dma_free(l->dev, &ring);
	plx_arena_free(arena, &data);
}

static void dma(unsigned mib, const char *how, bool arena_first, uint64_t first, uint64_t last)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *arena;
	struct plx_extent ext[8];
	struct lab l;
	size_t n;

	lab_start(&l, mib);
	if (arena_first)
		CHECK_OK(plx_arena_create(l.ctx, &o, &arena));
	if (arena_first) {
		struct plx_dma dma;

		CHECK_OK(plx_arena_alloc(arena, 100000, 64, &dma));
	}
	CHECK_OK(lab_open(&l, "slot=2", how));
	if (!arena_first)
		CHECK_OK(plx_arena_create(l.ctx, &o, &arena));
	send_frames(&l, arena);
	n = plx_arena_extents(arena, ext, 8);
	CHECK(n > 0);
	for (size_t i = 0; i < n; i++)
		CHECK(ext[i].iova >= first && ext[i].iova + ext[i].len - 1 <= last);
	plx_pci_close(l.dev);
	l.dev = NULL;
	plx_arena_destroy(arena);
	lab_stop(&l);
}

TEST(qemu_pci, dma_in_a_small_ram_file)
{
	NEEDS_QEMU();
	dma(256, "ram", false, 0x100000, 0xfffffff);
}

TEST(qemu_pci, dma_in_a_ram_file_above_4g)
{
	NEEDS_QEMU();
	dma(4096, "ram", false, 0x100000000, 0x17fffffff);
}

TEST(qemu_pci, dma_in_attached_memory)
{
	NEEDS_QEMU();
	dma(256, "qmp", false, 0x100000000, UINT64_MAX);
}

TEST(qemu_pci, memory_made_before_the_device_is_attached)
{
	NEEDS_QEMU();
	dma(256, "qmp", true, 0x100000000, UINT64_MAX);
}

TEST(qemu_pci, ram_has_to_be_the_machines_and_ours_alone)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_ctx *other;
	struct plx_arena *arena;
	struct plx_dma dma;
	struct plx_pci_dev *dev;
	struct lab l, m;
	char good[sizeof(l.r.ram)];

	NEEDS_QEMU();
	lab_start(&l, 256);
	lab_start(&m, 256);
	memcpy(good, l.r.ram, sizeof(good));

	memcpy(l.r.ram, m.r.ram, sizeof(good));
	CHECK_EQ(lab_open(&l, "slot=2", "ram"), -EINVAL);
	CHECK_HAS(plx_errmsg(), "is not the RAM of the QEMU at");
	snprintf(l.r.ram, sizeof(l.r.ram), "%s/log", l.r.dir);
	CHECK_EQ(lab_open(&l, "slot=2", "ram"), -EINVAL);
	CHECK_HAS(plx_errmsg(), "too few");
	snprintf(l.r.ram, sizeof(l.r.ram), "%s/none", l.r.dir);
	CHECK_EQ(lab_open(&l, "slot=2", "ram"), -ENOENT);
	CHECK_HAS(plx_errmsg(), "mem-path=");
	memcpy(l.r.ram, good, sizeof(good));

	/* A device that is not there: the file is let go, and memory comes from elsewhere. */
	CHECK_EQ(lab_open(&l, "slot=9", "ram"), -ENODEV);
	CHECK_HAS(plx_errmsg(), "has no device there");
	CHECK_OK(plx_ctx_open(NULL, &other));
	CHECK_EQ(lab_open_in(&l, other, "slot=9", "ram", &dev), -ENODEV);
	CHECK_OK(plx_arena_create(other, &o, &arena));
	CHECK_OK(plx_arena_alloc(arena, 4096, 64, &dma));
	CHECK(dma.iova >= UINT64_C(1) << 32);
	plx_ctx_close(other);

	/* Pools first: too late for ram=. */
	CHECK_OK(plx_ctx_open(NULL, &other));
	CHECK_OK(plx_arena_create(other, &o, &arena));
	CHECK_OK(plx_arena_alloc(arena, 4096, 64, &dma));
	CHECK_EQ(lab_open_in(&l, other, "slot=2", "ram", &dev), -EBUSY);
	CHECK_HAS(plx_errmsg(), "before making pools, or use qmp=");
	plx_ctx_close(other);

	CHECK_OK(lab_open(&l, "slot=2", "ram"));
	/* The other machine's RAM in the same context. */
	CHECK_EQ(lab_open_in(&m, l.ctx, "slot=2", "ram", &dev), -EBUSY);
	CHECK_HAS(plx_errmsg(), "qmp=");
	/* The same file in another context. */
	CHECK_OK(plx_ctx_open(NULL, &other));
	memcpy(m.r.ram, good, sizeof(good));
	CHECK_EQ(lab_open_in(&m, other, "slot=2", "ram", &dev), -EBUSY);
	CHECK_HAS(plx_errmsg(), "has locked it");
	plx_ctx_close(other);
	lab_stop(&m);
	lab_stop(&l);
}

TEST(qemu_pci, two_machines_in_one_context_with_attached_memory)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *arena;
	struct plx_pci_dev *dev;
	struct lab l, m;

	NEEDS_QEMU();
	lab_start(&l, 256);
	lab_start(&m, 256);
	CHECK_OK(plx_arena_create(l.ctx, &o, &arena));
	CHECK_OK(lab_open(&l, "slot=2", "qmp"));
	CHECK_OK(lab_open_in(&m, l.ctx, "slot=2", "qmp", &dev));
	send_frames(&l, arena);
	plx_pci_close(l.dev);
	l.dev = dev;
	close(l.wire);
	l.wire = m.wire;
	send_frames(&l, arena);
	plx_pci_close(dev);
	l.dev = NULL;
	m.wire = -1;
	plx_arena_destroy(arena);
	lab_stop(&l);
	lab_stop(&m);
}

TEST(qemu_pci, attached_memory_that_devices_only_read)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *data, *ro;
	struct plx_win win;
	struct plx_dma ring;
	struct tx_desc *d;
	struct lab l;

	NEEDS_QEMU();
	lab_start(&l, 256);
	CHECK_OK(lab_open(&l, "slot=2", "qmp"));
	o.flags = PLX_DMA_TO_DEVICE;
	CHECK_OK(plx_arena_create(l.ctx, &o, &data));
	send_frames(&l, data);
	/* A ring there: the descriptor is read and "done" is not written. */
	CHECK_OK(plx_arena_create(l.ctx, &o, &ro));
	CHECK_OK(plx_arena_alloc(ro, 4096, 4096, &ring));
	d = ring.va;
	d[0] = (struct tx_desc){
		.addr = plx_le64_make(ring.iova), .len = plx_le16_make(100), .cmd = 0x0b};
	CHECK_OK(plx_pci_win(l.dev, 0, 0, 128 * 1024, &win));
	CHECK_OK(plx_pci_set_master(l.dev, true));
	plx_wr32(&win, TDBAL, (uint32_t)ring.iova);
	plx_wr32(&win, TDBAH, (uint32_t)(ring.iova >> 32));
	plx_wr32(&win, TDH, 0);
	plx_wr32(&win, TDT, 0);
	plx_wr32(&win, TCTL, TCTL_EN);
	plx_wr32(&win, TDT, 1);
	CHECK_OK(plx_win_wait(&win, TDH, 0xffff, 1, 1000 * MS, "TX"));
	CHECK_EQ(d[0].sta, 0);
	lab_stop(&l);
}

TEST(qemu_pci, attached_memory_has_an_end)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *arena;
	struct plx_dma dma;
	struct lab l;
	unsigned n = 0;
	int err;

	NEEDS_QEMU();
	lab_start(&l, 256);
	CHECK_OK(lab_open(&l, "slot=2", "qmp"));
	do {
		CHECK_OK(plx_arena_create(l.ctx, &o, &arena));
		err = plx_arena_alloc(arena, 4096, 64, &dma);
	} while (err == 0 && ++n < 100);
	CHECK_EQ(n, 32);
	CHECK_EQ(err, -ENOSPC);
	CHECK_HAS(plx_errmsg(), "no free slots");
	CHECK_HAS(plx_errmsg(), "slots=");
	lab_stop(&l);
}

/* What could not be taken out keeps its names until it can be. */
TEST(qemu_pci, a_failed_removal_is_tried_again)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *arena;
	struct qemu_conn *c;
	struct plx_dma dma;
	struct lab l;

	NEEDS_QEMU();
	lab_start(&l, 256);
	CHECK_OK(lab_open(&l, "slot=2", "qmp"));
	CHECK_OK(plx_arena_create(l.ctx, &o, &arena));
	CHECK_OK(plx_arena_alloc(arena, 4096, 64, &dma));
	/* the DIMM goes without our doing: its slot is the first, its memory stays */
	c = plx_container_of(l.dev->domain, struct qemu_conn, dom);
	(void)qmp_run(c->dimms->qmp,
		"{\"execute\": \"device_del\", \"arguments\": {\"id\": \"plx-dimm-0\"}}");
	CHECK_OK(qtest_out(c->q, 0xa00, 4, 0));
	CHECK_OK(qtest_out(c->q, 0xa14, 1, 8));
	CHECK_OK(qtest_sync(c->q));
	plx_arena_destroy(arena);
	CHECK(c->dimms->slot[0].stuck);
	CHECK_OK(plx_arena_create(l.ctx, &o, &arena));
	CHECK_OK(plx_arena_alloc(arena, 4096, 64, &dma));
	CHECK(!c->dimms->slot[0].stuck);
	CHECK_EQ(c->dimms->slot[0].iova, dma.iova);
	lab_stop(&l);
}

TEST(qemu_pci, ram_has_an_end)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *arena;
	struct plx_dma dma;
	struct lab l;

	NEEDS_QEMU();
	lab_start(&l, 256);
	CHECK_OK(lab_open(&l, "slot=2", "ram"));
	CHECK_OK(plx_arena_create(l.ctx, &o, &arena));
	CHECK_OK(plx_arena_alloc(arena, 100 << 20, 64, &dma));
	CHECK_EQ(plx_arena_alloc(arena, 200 << 20, 64, &dma), -ENOSPC);
	CHECK_HAS(plx_errmsg(), "RAM file");
	lab_stop(&l);
}

TEST(qemu_pci, one_connection_at_a_time)
{
	struct plx_ctx *other;
	struct plx_pci_dev *dev;
	struct lab l;

	NEEDS_QEMU();
	lab_start(&l, 256);
	CHECK_OK(lab_open(&l, "slot=2", "qmp"));
	CHECK_OK(plx_ctx_open(NULL, &other));
	CHECK_EQ(lab_open_in(&l, other, "slot=3,limit=50ms", "qmp", &dev), -EBUSY);
	CHECK_HAS(plx_errmsg(), "one qtest connection");
	plx_ctx_close(other);
	lab_stop(&l);
}

/* A program that opens a device, uses memory, and is killed. */
static void killed_program(struct lab *l, const char *where, const char *how)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
		struct plx_arena *arena;
		struct plx_dma dma;
		int err = lab_open(l, where, how);

		if (err == 0)
			err = plx_arena_create(l->ctx, &o, &arena);
		if (err == 0)
			err = plx_arena_alloc(arena, 5 << 20, 64, &dma);
		if (err == 0)
			err = plx_pci_set_master(l->dev, true);
		_exit(err == 0 ? 42 : 1);
	}
	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static void after_killed(const char *how)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *arena;
	struct plx_pci_dev *other;
	struct plx_win win;
	struct lab l;

	lab_start(&l, 256);
	killed_program(&l, "slot=3", how);
	killed_program(&l, "port=0x1c,slot=0", how);
	/* Slot 2 gets the addresses that slot 3 had, and the memory. */
	CHECK_OK(lab_open(&l, "slot=2", how));
	CHECK_OK(plx_arena_create(l.ctx, &o, &arena));
	send_frames(&l, arena);
	CHECK_OK(lab_open_in(&l, l.ctx, "slot=3", how, &other));
	CHECK_EQ(plx_pci_cfg_read(other, 4, 2) & 4, 0);
	CHECK_OK(plx_pci_win(other, 0, 0, 128 * 1024, &win));
	CHECK_EQ(plx_rd32(&win, RAL0 + 4) & 0xffff, 0x0300);
	plx_pci_close(other);
	plx_pci_close(l.dev);
	l.dev = NULL;
	plx_arena_destroy(arena);
	lab_stop(&l);
}

TEST(qemu_pci, what_a_killed_program_left_in_ram)
{
	NEEDS_QEMU();
	after_killed("ram");
}

TEST(qemu_pci, what_a_killed_program_left_attached)
{
	NEEDS_QEMU();
	after_killed("qmp");
}

/* With the device's answers gone, nothing may hang or crash. */
static void use_gone(struct lab *l, struct plx_win *win)
{
	uint64_t start = plx_clock_ns();
	uint32_t v;

	CHECK_EQ(plx_win_wait(win, STATUS, 1u << 31, 1u << 31, 3000 * MS, "what never comes"),
		-ENODEV);
	CHECK_HAS(plx_errmsg(), "gone");
	CHECK(plx_clock_ns() - start < 2000 * MS);
	CHECK(plx_pci_gone(l->dev));
	v = plx_rd32(win, STATUS);
	CHECK(v == 0 || v == UINT32_MAX);
	plx_wr32(win, TDT, 1);
	CHECK_EQ(plx_pci_cfg_read(l->dev, 0, 2), 0xffff);
	CHECK_EQ(plx_pci_set_master(l->dev, true), -ENODEV);
	CHECK_EQ(plx_pci_reset(l->dev), -ENODEV);
	plx_pci_win_close(win);
}

TEST(qemu_pci, device_pulled_out)
{
	struct plx_pci_dev *other;
	struct plx_win win, stays;
	struct lab l;

	NEEDS_QEMU();
	lab_start(&l, 256);
	CHECK_OK(lab_open(&l, "port=0x1c,slot=0", "ram"));
	CHECK_OK(lab_open_in(&l, l.ctx, "slot=2", "ram", &other));
	CHECK_OK(plx_pci_win(l.dev, 0, 0, 128 * 1024, &win));
	CHECK_OK(plx_pci_win(other, 0, 0, 128 * 1024, &stays));
	CHECK(!plx_pci_gone(l.dev));
	CHECK_OK(qemu_run_pull(&l.r));
	use_gone(&l, &win);
	CHECK(!plx_pci_gone(other));
	CHECK_EQ(plx_rd32(&stays, RAL0 + 4) & 0xffff, 0x0200);
	/* A new one in its place is a device to open, not the old one come back. */
	CHECK_OK(qemu_run_qmp(&l.r,
		"{\"execute\": \"device_add\", \"arguments\": {\"driver\": \"e1000e\", \"id\": "
		"\"new\", \"bus\": \"rp\", \"romfile\": \"\"}}"));
	CHECK(plx_pci_gone(l.dev));
	plx_pci_close(l.dev);
	l.dev = NULL;
	CHECK_OK(lab_open(&l, "port=0x1c,slot=0", "ram"));
	plx_pci_close(other);
	lab_stop(&l);
}

static void qemu_ends(const char *how)
{
	struct plx_arena_opts o = PLX_ARENA_OPTS_INIT;
	struct plx_arena *arena;
	struct plx_pci_dev *dev;
	struct plx_dma dma, more;
	struct plx_win win;
	struct lab l;

	lab_start(&l, 256);
	CHECK_OK(lab_open(&l, "slot=2", how));
	CHECK_OK(plx_arena_create(l.ctx, &o, &arena));
	CHECK_OK(plx_arena_alloc(arena, 4096, 64, &dma));
	CHECK_OK(plx_pci_dma_alloc(l.dev, 4096, 64, &more));
	CHECK_OK(plx_pci_win(l.dev, 0, 0, 128 * 1024, &win));
	qemu_run_kill(&l.r);
	use_gone(&l, &win);
	CHECK_EQ(lab_open_in(&l, l.ctx, "slot=3", how, &dev), -ENODEV);
	CHECK_HAS(plx_errmsg(), "this QEMU is gone");
	plx_pci_dma_free(l.dev, &more);
	plx_pci_close(l.dev);
	l.dev = NULL;
	CHECK_EQ(lab_open(&l, "slot=2", how), -ECONNREFUSED);
	CHECK_HAS(plx_errmsg(), "-qtest unix:");
	plx_arena_destroy(arena);
	lab_stop(&l);
}

TEST(qemu_pci, qemu_ends_with_ram)
{
	NEEDS_QEMU();
	qemu_ends("ram");
}

TEST(qemu_pci, qemu_ends_with_attached_memory)
{
	NEEDS_QEMU();
	qemu_ends("qmp");
}

TEST(qemu_pci, machine_reset)
{
	struct plx_win win;
	struct lab l;

	NEEDS_QEMU();
	lab_start(&l, 256);
	CHECK_OK(lab_open(&l, "slot=2", "ram"));
	CHECK_OK(plx_pci_win(l.dev, 0, 0, 128 * 1024, &win));
	CHECK_OK(qemu_run_qmp(&l.r, "{\"execute\": \"system_reset\"}"));
	use_gone(&l, &win);
	plx_pci_close(l.dev);
	l.dev = NULL;
	CHECK_OK(lab_open(&l, "slot=2", "ram"));
	CHECK_OK(plx_pci_win(l.dev, 0, 0, 128 * 1024, &win));
	CHECK_EQ(plx_rd32(&win, RAL0 + 4) & 0xffff, 0x0200);
	lab_stop(&l);
}

TEST(qemu_pci, opened_and_closed_often)
{
	struct lab l;
	int fd, first = -1;

	NEEDS_QEMU();
	lab_start(&l, 256);
	for (unsigned i = 0; i < unit_rounds(50); i++) {
		CHECK_OK(lab_open(&l, i % 2 == 0 ? "slot=2" : "port=0x1c,slot=0", "ram"));
		plx_pci_close(l.dev);
		l.dev = NULL;
		/* The lowest free descriptor stays the same: none is left behind. */
		fd = dup(0);
		CHECK(fd >= 0);
		close(fd);
		CHECK(first < 0 || fd == first);
		first = fd;
	}
	lab_stop(&l);
}

struct opener {
	struct lab *l;
	const char *where;
	int err;
	char why[PLX_ERRMSG_SIZE];
};

static void *open_and_close(void *arg)
{
	struct opener *o = arg;

	for (unsigned i = 0; i < 60 && o->err == 0; i++) {
		struct plx_pci_dev *dev = NULL;

		o->err = lab_open_in(o->l, o->l->ctx, o->where, "ram", &dev);
		if (o->err != 0)
			snprintf(o->why, sizeof(o->why), "%s", plx_errmsg());
		plx_pci_close(dev);
	}
	return NULL;
}

/* Devices of one machine share a connection, and belong to different threads. */
TEST(qemu_pci, opened_and_closed_by_several_threads)
{
	struct lab l;
	struct opener o[3] = {
		{.where = "slot=2"}, {.where = "slot=3"}, {.where = "port=0x1c,slot=0"}};
	pthread_t t[3];

	NEEDS_QEMU();
	lab_start(&l, 256);
	for (unsigned i = 0; i < 3; i++) {
		o[i].l = &l;
		CHECK_EQ(pthread_create(&t[i], NULL, open_and_close, &o[i]), 0);
	}
	for (unsigned i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	for (unsigned i = 0; i < 3; i++)
		CHECK_STR(o[i].why, "");
	lab_stop(&l);
}

TEST(qemu_pci, options)
{
	static const struct {
		const char *text, *says;
		int err;
	} rows[] = {
		{"qemu:slot=2", "qtest socket comes first", -EINVAL},
		{"qemu:/x,ram=/y", "Add slot=N", -EINVAL},
		{"qemu:/x,slot=2", "Add ram=FILE", -EINVAL},
		{"qemu:/x,slot=2,ram=/y,qmp=/z", "give one", -EINVAL},
		{"qemu:/x,slot=32,ram=/y", "slot", -ERANGE},
		{"qemu:/x,slot=two,ram=/y", "slot", -EINVAL},
		{"qemu:/nonexistent/x,slot=2,ram=/y", "no such socket; start QEMU with -qtest",
			-ENOENT},
	};
	struct plx_ctx *ctx;

	CHECK_OK(plx_ctx_open(NULL, &ctx));
	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++) {
		struct plx_opts *opts;
		struct plx_pci_dev *dev;

		CHECK_OK(plx_opts_parse(rows[i].text, &opts));
		CHECK_EQ(plx_pci_open(ctx, opts, &dev), rows[i].err);
		CHECK_HAS(plx_errmsg(), rows[i].says);
		plx_opts_free(opts);
	}
	plx_ctx_close(ctx);
}
