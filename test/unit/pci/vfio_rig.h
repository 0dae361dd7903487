/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices behind a made-up kernel, for the tests of the transport `pci:`. */
#ifndef VFIO_RIG_H
#define VFIO_RIG_H

#include <errno.h>

#include "fake_vfio.h"
#include "plx_ethdev.h"
#include "unit.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

enum { RIG_DEVS = 4 };

/* 0000:00:10.0 to .3, device i in IOMMU group 10 + i unless a test says otherwise. */
struct vrig {
	struct plx_ctx *ctx;
	struct fake_vfio *k;
	struct fake_pci *f[RIG_DEVS];
	struct fake_vfio_dev *d[RIG_DEVS];
	struct plx_pci_dev *dev[RIG_DEVS];
	char log[1536]; /* lines of the context's log */
	size_t n_log;
	unsigned fds; /* of the process, before */
};

/* Goes through a test by both interfaces of the kernel. */
#define EACH_VIA(via) \
	for (const char *via = "group"; via != NULL; via = via[0] == 'g' ? "cdev" : NULL)

/* n devices; groups: of each, or NULL. The context has ordinary pages and no thread. */
void vrig_new(struct vrig *v, const struct fake_vfio_opts *o, unsigned n, const unsigned *groups);
/* Opens device i as "pci:BDF,via=VIA" and more options ("" or ",..."). */
int vrig_open(struct vrig *v, unsigned i, const char *via, const char *more);
void vrig_close(struct vrig *v, unsigned i);
/* Closes all and looks that nothing is left. */
void vrig_end(struct vrig *v);

/* An arena with len bytes in it. */
struct plx_arena *vrig_arena(struct vrig *v, size_t len, uint32_t flags, struct plx_dma *dma);
/* Can the device write, and read, there? With bus mastering on. */
bool vrig_writes(struct vrig *v, unsigned i, uint64_t iova);
bool vrig_reads(struct vrig *v, unsigned i, uint64_t iova);

#endif
