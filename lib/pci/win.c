/* SPDX-License-Identifier: BSD-3-Clause */
/* Windows of BARs: opening, the path by message, waiting. */
#define PLX_LOG_TAG "pci"
#include <inttypes.h>
#include <sys/mman.h>
#include <time.h>

#include "pci_internal.h"

static int region(struct plx_pci_dev *dev, uint32_t bar, struct plx_pci_region *info)
{
	memset(info, 0, sizeof(*info));
	if (bar >= PLX_PCI_BARS)
		return plx_err(EINVAL, "%s: BAR %u: a device has BARs 0 to %u", dev->name, bar,
			PLX_PCI_BARS - 1);
	return dev->t->region_info(dev, bar, info);
}

uint64_t plx_pci_bar_len(struct plx_pci_dev *dev, uint32_t bar)
{
	struct plx_pci_region info;

	return region(dev, bar, &info) < 0 ? 0 : info.len;
}

void pci_keep_to_us(void *va, size_t len)
{
	(void)madvise(va, len, MADV_DONTFORK);
	(void)madvise(va, len, MADV_DONTDUMP);
}

int plx_pci_win(
	struct plx_pci_dev *dev, uint32_t bar, uint64_t offset, uint64_t len, struct plx_win *win)
{
	struct plx_pci_region info;
	int err;

	memset(win, 0, sizeof(*win));
	err = region(dev, bar, &info);
	if (err < 0)
		return err;
	if (info.len == 0)
		return plx_err(EINVAL, "%s: the device has no BAR %u", dev->name, bar);
	if (info.io)
		return plx_err(
			EINVAL, "%s: BAR %u is I/O space, which has no windows", dev->name, bar);
	if (len == 0 || offset > info.len || len > info.len - offset)
		return plx_err(EINVAL,
			"%s: BAR %u has %" PRIu64 " bytes, too few for %" PRIu64
			" from offset %" PRIu64,
			dev->name, bar, info.len, len, offset);
	win->bar = bar;
	win->offset = offset;
	win->len = len;
	if (info.mappable && dev->t->region_map != NULL) {
		err = dev->t->region_map(dev, bar, offset, len, &win->base);
		if (err < 0 && err != -ENOTSUP) {
			memset(win, 0, sizeof(*win));
			return err;
		}
		if (err < 0)
			win->base = NULL;
	}
	win->dev = dev;
	return 0;
}

void plx_pci_win_close(struct plx_win *win)
{
	if (win == NULL)
		return;
	if (win->base != NULL)
		win->dev->t->region_unmap(win->dev, win->base, win->len);
	memset(win, 0, sizeof(*win));
}

/* A driver that leaves its window has a fault of its own: it is told, and nothing is accessed. */
static bool inside(const struct plx_win *w, uint64_t off, unsigned width, const char *what)
{
	bool ok = width != 0 && width <= 8 && off <= w->len && width <= w->len - off &&
		  off % width == 0;

	if (!ok && w->dev != NULL)
		plx_logf(plx_ctx_log(w->dev->ctx), PLX_LOG_ERR,
			"%s: BAR %u: %s of %u bytes at %" PRIu64 " of a window of %" PRIu64,
			w->dev->name, w->bar, what, width, off, w->len);
	return ok;
}

uint64_t plx_win_read(const struct plx_win *w, uint64_t off, unsigned width)
{
	if (!inside(w, off, width, "read") || PLX_READ_ONCE(w->dev->gone))
		return pci_ones(width);
	return w->dev->t->reg_read(w->dev, w->bar, w->offset + off, width) & pci_ones(width);
}

void plx_win_write(const struct plx_win *w, uint64_t off, unsigned width, uint64_t v)
{
	if (!inside(w, off, width, "write") || PLX_READ_ONCE(w->dev->gone))
		return;
	w->dev->t->reg_write(w->dev, w->bar, w->offset + off, width, v & pci_ones(width));
}

void plx_pci_delay(struct plx_pci_dev *dev, uint64_t ns)
{
	uint64_t end, now;
	struct timespec ts;

	if (dev->t->delay != NULL) {
		dev->t->delay(dev, ns);
		return;
	}
	now = plx_clock_ns();
	end = now + ns;
	/* A sleep of less costs more than it saves. */
	while (now < end && end - now < 50000) {
		plx_pause();
		now = plx_clock_ns();
	}
	while (now < end) {
		ts.tv_sec = (time_t)((end - now) / 1000000000u);
		ts.tv_nsec = (long)((end - now) % 1000000000u);
		nanosleep(&ts, NULL);
		now = plx_clock_ns();
	}
}

int plx_win_wait(const struct plx_win *w, uint64_t off, uint32_t mask, uint32_t value,
	uint64_t limit_ns, const char *what)
{
	struct plx_pci_dev *dev = w->dev;
	uint64_t start = plx_clock_ns(), paused = 0, pause = 1000, spent = 0;
	uint32_t v;

	for (;;) {
		v = plx_rd32(w, off);
		/* All ones may be the answer of nobody: first see whether it is there. */
		if ((v == UINT32_MAX || v == 0 || spent >= limit_ns) && plx_pci_gone(dev))
			return plx_err(ENODEV, "%s: %s: the device is gone", dev->name, what);
		if ((v & mask) == value)
			return 0;
		if (spent >= limit_ns)
			break;
		pause = PLX_MIN(pause, limit_ns - spent);
		plx_pci_delay(dev, pause);
		paused += pause;
		pause = PLX_MIN(pause * 2, UINT64_C(100000));
		/* The limit is looked at before the register is: a thread that was away for
		 * longer than the limit still reads once more. */
		spent = dev->t->delay != NULL ? paused : plx_clock_ns() - start;
	}
	return plx_err(ETIMEDOUT,
		"%s: %s: waited %" PRIu64 " us for register 0x%" PRIx64
		" & 0x%x to be 0x%x; it reads 0x%x",
		dev->name, what, limit_ns / 1000, off, mask, value, v);
}
