/* SPDX-License-Identifier: BSD-3-Clause */
/* The transport vfio-user: against a server that keeps to the protocol. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vfu_rig.h"

#define SECOND UINT64_C(1000000000)

static void opened(struct vfu_rig *r, const char *options)
{
	CHECK_STR(vfu_rig_open(r, options) == 0 ? "" : plx_errmsg(), "");
}

/* Becomes true within a time that only a hang takes. */
#define EVENTUALLY(cond)                                     \
	do {                                                 \
		uint64_t end = plx_clock_ns() + 20 * SECOND; \
		while (!(cond) && plx_clock_ns() < end)      \
			(void)poll(NULL, 0, 1);              \
		CHECK(cond);                                 \
	} while (0)

TEST(vfio_user, opens_places_bars_and_turns_decoding_on)
{
	struct vfu_rig r;

	vfu_rig_begin(&r, NULL);
	vfu_sync(r.s);
	r.f->cfg[0x04] = 7; /* a killed program left it running */
	vfu_sync(r.s);
	opened(&r, "");
	vfu_sync(r.s);
	CHECK_EQ(plx_pci_vendor(r.dev), 0x1234);
	CHECK_EQ(plx_pci_device(r.dev), 0x5678);
	CHECK_HAS(plx_pci_name(r.dev), r.path);
	CHECK(!fake_master(r.f));
	CHECK_EQ(r.f->cfg[0x04] & 2, 2);
	/* each has an address of its own, below 4 GiB, aligned to its size */
	CHECK_EQ(fake_cfg_get(r.f, 0x10, 4), 0x80000000);
	CHECK_EQ(fake_cfg_get(r.f, 0x14, 4), 0x80004004);
	CHECK_EQ(fake_cfg_get(r.f, 0x18, 4), 0);
	CHECK_EQ(fake_cfg_get(r.f, 0x1c, 4), 0x80008000);
	CHECK_EQ(plx_pci_bar_len(r.dev, 0), RIG_BAR);
	CHECK_EQ(plx_pci_bar_len(r.dev, 2), 0);
	CHECK(plx_pci_cap(r.dev, 0x11) != 0);
	CHECK_EQ(plx_pci_cfg_read(r.dev, 0xffc, 4), 0);
	vfu_rig_end(&r);
}

TEST(vfio_user, registers_of_every_width_and_posted_writes)
{
	struct vfu_rig r;
	struct plx_win w;

	vfu_rig_begin(&r, NULL);
	opened(&r, "");
	CHECK_EQ(plx_pci_win(r.dev, 0, 0x100, 0x100, &w), 0);
	CHECK(w.base == NULL);
	for (unsigned width = 1; width <= 8; width *= 2) {
		plx_win_write(&w, 8, width, UINT64_C(0x8877665544332211) * width);
		CHECK_EQ(plx_win_read(&w, 8, width),
			(UINT64_C(0x8877665544332211) * width) &
				(width == 8 ? UINT64_MAX : plx_bit64(8 * width) - 1));
	}
	/* more than a socket holds: nobody waits for an answer, and a read comes after all of them */
	for (uint32_t i = 0; i < 3000; i++)
		plx_wr32(&w, 0, i);
	CHECK_EQ(plx_rd32(&w, 0), 2999);
	vfu_sync(r.s);
	CHECK_EQ(r.f->bars[0].writes[0x100 / 4], 3000);
	plx_pci_win_close(&w);
	vfu_rig_end(&r);
}

/* Some servers answer what they were asked not to. */
TEST(vfio_user, answers_to_posted_writes_do_no_harm)
{
	struct vfu_opts o = VFU_OPTS_INIT;
	struct vfu_rig r;
	struct plx_win w;

	o.answers_posted = true;
	vfu_rig_begin(&r, &o);
	opened(&r, "");
	CHECK_EQ(plx_pci_win(r.dev, 0, 0, 0x100, &w), 0);
	for (uint32_t i = 0; i < 3000; i++)
		plx_wr32(&w, 0, i);
	CHECK_EQ(plx_rd32(&w, 0), 2999);
	CHECK(!plx_pci_gone(r.dev));
	plx_pci_win_close(&w);
	vfu_rig_end(&r);
}

/* ---- windows ---- */

static bool is_mapped(struct vfu_rig *r, uint64_t off, uint64_t len)
{
	struct plx_win w;
	bool mapped;

	CHECK_EQ(plx_pci_win(r->dev, 1, off, len, &w), 0);
	mapped = w.base != NULL;
	/* the same registers either way */
	plx_wr32(&w, 0, (uint32_t)off + 7);
	CHECK_EQ(plx_rd32(&w, 0), off + 7);
	vfu_sync(r->s);
	CHECK_EQ(plx_load_le32(r->f->bars[1].mem + off), off + 7);
	plx_pci_win_close(&w);
	return mapped;
}

TEST(vfio_user, windows_inside_of_an_area_are_mapped)
{
	struct vfu_opts o = VFU_OPTS_INIT;
	struct vfu_rig r;

	o.mapped_bar = 1;
	o.n_areas = 2;
	o.areas[0].off = 4096;
	o.areas[0].len = 4096;
	o.areas[1].off = 12288;
	o.areas[1].len = 4096;
	vfu_rig_begin(&r, &o);
	opened(&r, "");
	CHECK(is_mapped(&r, 4096, 4096));
	CHECK(is_mapped(&r, 4096 + 64, 8));
	CHECK(is_mapped(&r, 12288, 4096));
	CHECK(!is_mapped(&r, 0, 4096));
	CHECK(!is_mapped(&r, 0, 8192));
	CHECK(!is_mapped(&r, 8188, 8)); /* half of it */
	vfu_rig_close(&r);
	opened(&r, ",mmap=off");
	CHECK(!is_mapped(&r, 4096, 4096));
	vfu_rig_end(&r);
}

TEST(vfio_user, a_region_without_areas_is_mapped_as_a_whole_and_its_file_sealed)
{
	struct vfu_opts o = VFU_OPTS_INIT;
	struct vfu_rig r;

	o.mapped_bar = 1;
	o.sealed = true;
	vfu_rig_begin(&r, &o);
	opened(&r, "");
	CHECK(is_mapped(&r, 0, RIG_BAR));
	CHECK((fcntl(vfu_bar_fd(r.s), F_GET_SEALS) & F_SEAL_SHRINK) != 0);
	vfu_rig_end(&r);
}

TEST(vfio_user, a_file_that_is_too_short_is_not_mapped)
{
	struct vfu_opts o = VFU_OPTS_INIT;
	struct vfu_rig r;
	struct plx_win w;

	o.mapped_bar = 1;
	vfu_rig_begin(&r, &o);
	opened(&r, "");
	CHECK_EQ(ftruncate(vfu_bar_fd(r.s), 4096), 0);
	CHECK_EQ(plx_pci_win(r.dev, 1, 0, RIG_BAR, &w), 0);
	CHECK(w.base == NULL);
	plx_pci_win_close(&w);
	CHECK(is_mapped(&r, 0, 4096));
	vfu_rig_end(&r);
}

/* ---- memory ---- */

TEST(vfio_user, memory_comes_and_goes)
{
	struct plx_arena_opts ao = PLX_ARENA_OPTS_INIT;
	struct plx_arena *before, *after;
	struct plx_dma a, b, rings;
	struct vfu_rig r;
	unsigned without;
	char buf[16];

	vfu_rig_begin(&r, NULL);
	CHECK_EQ(plx_arena_create(r.ctx, &ao, &before), 0);
	CHECK_EQ(plx_arena_alloc(before, 4096, 64, &a), 0);
	opened(&r, "");
	CHECK_EQ(vfu_extents(r.s, &without), 1);
	ao.flags = PLX_DMA_TO_DEVICE;
	CHECK_EQ(plx_arena_create(r.ctx, &ao, &after), 0);
	CHECK_EQ(plx_arena_alloc(after, 4096, 64, &b), 0);
	CHECK_EQ(plx_pci_dma_alloc(r.dev, 4096, 64, &rings), 0);
	CHECK_EQ(vfu_extents(r.s, &without), 3);
	CHECK_EQ(without, 0);
	CHECK_EQ(plx_pci_set_master(r.dev, true), 0);
	/* the device writes, the program sees it, and the other way round */
	CHECK_EQ(fake_dma_write(r.f, a.iova, "from the device", 16), 0);
	CHECK_STR(a.va, "from the device");
	strcpy(b.va, "to the device");
	CHECK_EQ(fake_dma_read(r.f, b.iova, buf, 14), 0);
	CHECK_STR(buf, "to the device");
	CHECK_EQ(fake_dma_write(r.f, b.iova, "no", 3), -EFAULT);
	CHECK_EQ(fake_dma_write(r.f, rings.iova, "rings", 6), 0);
	CHECK_STR(rings.va, "rings");
	plx_pci_dma_free(r.dev, &rings);
	plx_arena_destroy(after);
	CHECK_EQ(vfu_extents(r.s, &without), 2);
	vfu_rig_close(&r);
	EVENTUALLY(vfu_extents(r.s, &without) == 0);
	/* let go of by the client, not by the end of the connection */
	CHECK_EQ(vfu_count(r.s, 3), 3);
	vfu_rig_end(&r);
}

TEST(vfio_user, a_private_device_gets_what_is_named)
{
	struct plx_arena_opts ao = PLX_ARENA_OPTS_INIT;
	struct plx_arena *arena;
	struct plx_dma a;
	struct vfu_rig r;
	unsigned without;

	vfu_rig_begin(&r, NULL);
	CHECK_EQ(plx_arena_create(r.ctx, &ao, &arena), 0);
	CHECK_EQ(plx_arena_alloc(arena, 4096, 64, &a), 0);
	opened(&r, ",iommu=private");
	CHECK_EQ(vfu_extents(r.s, &without), 0);
	CHECK_EQ(plx_domain_map(plx_pci_domain(r.dev), arena), 0);
	CHECK_EQ(vfu_extents(r.s, &without), 1);
	vfu_rig_end(&r);
}

TEST(vfio_user, memory_without_a_file_is_asked_for_by_message)
{
	uint8_t *va = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct plx_memreg *reg, *to_device;
	struct vfu_rig r;
	static char big[100000];
	unsigned without;
	char buf[16] = {0};
	uint64_t at;

	CHECK(va != MAP_FAILED);
	vfu_rig_begin(&r, NULL);
	vfu_rig_context(&r, true);
	opened(&r, "");
	CHECK_EQ(plx_mem_register(r.ctx, va, 4096, -1, 0, 0, &reg), 0);
	CHECK_EQ(plx_mem_register(r.ctx, va + 4096, 4096, -1, 0, PLX_DMA_TO_DEVICE, &to_device), 0);
	CHECK_EQ(vfu_extents(r.s, &without), 2);
	CHECK_EQ(without, 2);
	at = plx_memreg_iova(reg);
	CHECK_EQ(vfu_dma(r.s, at + 4080, "in its last byte", 16, true), 0);
	CHECK_EQ(memcmp(va + 4080, "in its last byte", 16), 0);
	strcpy((char *)va, "read");
	CHECK_EQ(vfu_dma(r.s, at, buf, 5, false), 0);
	CHECK_STR(buf, "read");
	/* one byte too far, before, far away, around the end of addresses, nothing, too much */
	CHECK_EQ(vfu_dma(r.s, at + 4081, buf, 16, false), -EFAULT);
	CHECK_EQ(vfu_dma(r.s, at - 1, buf, 2, false), -EFAULT);
	CHECK_EQ(vfu_dma(r.s, 0, buf, 16, true), -EFAULT);
	CHECK_EQ(vfu_dma(r.s, UINT64_MAX - 3, buf, 16, false), -EFAULT);
	CHECK_EQ(vfu_dma(r.s, at, buf, 0, false), 0);
	CHECK_EQ(vfu_dma(r.s, at, big, 65537, false), -EINVAL);
	/* for the device to read alone */
	CHECK_EQ(vfu_dma(r.s, plx_memreg_iova(to_device), buf, 16, false), 0);
	CHECK_EQ(vfu_dma(r.s, plx_memreg_iova(to_device), buf, 16, true), -EACCES);
	CHECK_EQ(plx_mem_unregister(reg), 0);
	CHECK_EQ(vfu_dma(r.s, at, buf, 5, false), -EFAULT);
	CHECK(!plx_pci_gone(r.dev));
	CHECK_EQ(plx_mem_unregister(to_device), 0);
	vfu_rig_end(&r);
	munmap(va, 8192);
}

TEST(vfio_user, limits_of_the_server_on_memory)
{
	struct plx_arena_opts ao = PLX_ARENA_OPTS_INIT;
	struct vfu_opts o = VFU_OPTS_INIT;
	struct plx_arena *arena;
	struct plx_dma a;
	struct vfu_rig r;
	unsigned without;

	o.page_sizes = 1 << 30;
	vfu_rig_begin(&r, &o);
	CHECK_EQ(plx_arena_create(r.ctx, &ao, &arena), 0);
	CHECK_EQ(plx_arena_alloc(arena, 4096, 64, &a), 0);
	CHECK_EQ(vfu_rig_open(&r, ""), -ENOTSUP);
	CHECK_HAS(plx_errmsg(), "pages of 1073741824 bytes");
	/* a server that takes no descriptors asks for everything by message */
	r.opts.page_sizes = 4096;
	r.opts.max_fds = 0;
	vfu_rig_restart(&r);
	opened(&r, "");
	CHECK_EQ(vfu_extents(r.s, &without), 1);
	CHECK_EQ(without, 1);
	vfu_rig_close(&r);
	r.opts.max_fds = 8;
	r.opts.version = "{\"capabilities\":{\"max_msg_fds\":8,\"max_dma_maps\":0}}";
	vfu_rig_restart(&r);
	CHECK_EQ(vfu_rig_open(&r, ""), -ENOSPC);
	CHECK_HAS(plx_errmsg(), "the server takes 0 pieces of memory");
	vfu_rig_end(&r);
}

/* ---- interrupts ---- */

static unsigned fired(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == (ssize_t)sizeof(n) ? (unsigned)n : 0;
}

static void each_fires(struct vfu_rig *r, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		int fd = plx_pci_irq_fd(r->dev, i);

		CHECK_EQ(fired(fd), 0);
		fake_irq(r->f, i);
		CHECK_EQ(fired(fd), 1);
	}
}

TEST(vfio_user, interrupts_in_several_messages)
{
	struct vfu_opts o = VFU_OPTS_INIT;
	enum plx_irq_type type;
	struct vfu_rig r;
	uint32_t got;

	o.max_fds = 2;
	vfu_rig_begin(&r, &o);
	opened(&r, "");
	CHECK_EQ(plx_pci_irq_enable(r.dev, 64, &got, &type), 0);
	CHECK_EQ(type, PLX_IRQ_MSIX);
	CHECK_EQ(got, RIG_VECTORS);
	CHECK_EQ(vfu_count(r.s, 8), 3);
	/* the last of the vectors was unmasked by a posted write */
	(void)plx_pci_cfg_read(r.dev, 0, 4);
	each_fires(&r, got);
	/* a reset masks them, and they are on again after it */
	CHECK_EQ(plx_pci_reset(r.dev), 0);
	vfu_sync(r.s);
	CHECK_EQ(r.f->n_resets, 1);
	(void)plx_pci_cfg_read(r.dev, 0, 4);
	each_fires(&r, got);
	plx_pci_irq_disable(r.dev);
	vfu_sync(r.s);
	CHECK_EQ(r.f->n_irqs, 0);
	vfu_rig_end(&r);
}

TEST(vfio_user, interrupts_there_are_none_of)
{
	struct vfu_opts o = VFU_OPTS_INIT;
	enum plx_irq_type type;
	struct vfu_rig r;
	uint32_t got;

	o.no_irq = true;
	vfu_rig_begin(&r, &o);
	opened(&r, "");
	CHECK_EQ(plx_pci_irq_enable(r.dev, 1, &got, &type), -ENOTSUP);
	vfu_rig_close(&r);
	/* all at once or not at all: as many as go into one message */
	r.opts.no_irq = false;
	r.opts.no_resize = true;
	r.opts.max_fds = 3;
	vfu_rig_restart(&r);
	opened(&r, "");
	CHECK_EQ(plx_pci_irq_enable(r.dev, 5, &got, &type), 0);
	CHECK_EQ(got, 3);
	vfu_rig_end(&r);
}

TEST(vfio_user, a_reset_keeps_the_bars_where_they_were)
{
	struct vfu_rig r;
	struct plx_win w;
	uint32_t bar;

	vfu_rig_begin(&r, NULL);
	opened(&r, "");
	vfu_sync(r.s);
	bar = fake_cfg_get(r.f, 0x10, 4);
	CHECK_EQ(plx_pci_reset(r.dev), 0);
	CHECK_EQ(vfu_count(r.s, 13), 1);
	CHECK_EQ(fake_cfg_get(r.f, 0x10, 4), bar);
	CHECK_EQ(plx_pci_win(r.dev, 0, 0, 4096, &w), 0);
	plx_wr32(&w, 0, 5);
	CHECK_EQ(plx_rd32(&w, 0), 5);
	plx_pci_win_close(&w);
	vfu_rig_close(&r);
	/* without one of the server: what configuration space offers */
	r.opts.no_reset = true;
	vfu_rig_restart(&r);
	opened(&r, "");
	CHECK_EQ(plx_pci_reset(r.dev), 0);
	CHECK_EQ(vfu_count(r.s, 13), 0);
	CHECK_EQ(r.f->n_resets, 2);
	vfu_rig_end(&r);
}

/* ---- connections ---- */

TEST(vfio_user, nobody_there_says_what_to_do)
{
	char path[200];
	struct vfu_rig r;

	vfu_rig_begin(&r, NULL);
	vfu_stop(r.s);
	CHECK_EQ(vfu_rig_open(&r, ""), -ENOENT);
	CHECK_HAS(plx_errmsg(), "there is no such socket; start the server");
	strcpy(path, r.path);
	memset(r.path, 0, sizeof(r.path));
	CHECK_EQ(vfu_rig_open(&r, ""), -EINVAL);
	CHECK_HAS(plx_errmsg(), "vfio-user:PATH");
	strcpy(r.path, path);
	r.s = vfu_start(r.path, r.f, NULL);
	vfu_rig_end(&r);
}

TEST(vfio_user, a_second_client_is_told_that_there_is_another)
{
	struct plx_ctx *first;
	struct plx_pci_dev *dev;
	struct vfu_rig r;

	vfu_rig_begin(&r, NULL);
	opened(&r, "");
	first = r.ctx;
	dev = r.dev;
	r.ctx = NULL;
	vfu_rig_context(&r, false);
	CHECK_EQ(vfu_rig_open(&r, ",limit=50ms"), -EBUSY);
	CHECK_HAS(plx_errmsg(), "nobody answers within 50 ms");
	CHECK_HAS(plx_errmsg(), "another program (or context) has it");
	plx_pci_close(dev);
	plx_ctx_close(first);
	/* the first has left */
	opened(&r, "");
	vfu_rig_end(&r);
}

TEST(vfio_user, a_server_that_ends_is_a_device_that_left)
{
	struct plx_arena_opts ao = PLX_ARENA_OPTS_INIT;
	struct plx_arena *arena;
	struct plx_win w;
	struct plx_dma a;
	struct vfu_rig r;

	vfu_rig_begin(&r, NULL);
	opened(&r, "");
	CHECK_EQ(plx_pci_win(r.dev, 0, 0, 4096, &w), 0);
	vfu_leave(r.s);
	EVENTUALLY(plx_pci_gone(r.dev));
	CHECK_EQ(plx_rd32(&w, 0), UINT32_MAX);
	plx_wr32(&w, 0, 1);
	CHECK_EQ(plx_pci_set_master(r.dev, true), -ENODEV);
	CHECK_EQ(plx_pci_reset(r.dev), -ENODEV);
	/* other devices of the context still get memory */
	CHECK_EQ(plx_arena_create(r.ctx, &ao, &arena), 0);
	CHECK_EQ(plx_arena_alloc(arena, 4096, 64, &a), 0);
	CHECK(plx_ctx_poll(r.ctx) >= 0);
	CHECK_EQ(plx_ctx_poll(r.ctx), 0); /* the socket is not looked at for ever */
	plx_pci_win_close(&w);
	vfu_rig_close(&r);
	vfu_rig_restart(&r);
	opened(&r, "");
	CHECK_EQ(plx_pci_set_master(r.dev, true), 0);
	vfu_rig_end(&r);
}

/* Closes the connection instead of taking memory, once it is told to. */
static enum vfu_fate dies_of_memory(void *arg, struct vfu_out *m)
{
	return m->cmd == 2 && PLX_READ_ONCE(*(bool *)arg) ? VFU_CLOSE : VFU_SEND;
}

TEST(vfio_user, a_server_that_dies_of_new_memory_keeps_nobody_from_it)
{
	struct plx_arena_opts ao = PLX_ARENA_OPTS_INIT;
	struct vfu_opts o = VFU_OPTS_INIT;
	struct plx_arena *arena;
	bool dies = false;
	struct plx_dma a;
	struct vfu_rig r;

	o.mangle = dies_of_memory;
	o.arg = &dies;
	vfu_rig_begin(&r, &o);
	opened(&r, "");
	CHECK_EQ(plx_arena_create(r.ctx, &ao, &arena), 0);
	PLX_WRITE_ONCE(dies, true);
	CHECK_STR(plx_arena_alloc(arena, 4096, 64, &a) == 0 ? "" : plx_errmsg(), "");
	CHECK(plx_pci_gone(r.dev));
	vfu_rig_end(&r);
}
