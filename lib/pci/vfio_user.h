/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the transport `vfio-user:`: a device that another process offers on a UNIX socket.
 *
 *	vfio_user.c       the transport's operations: open, registers, windows, reset
 *	vfio_user_info.c  what the server says of itself, the device and its regions
 *	vfio_user_irq.c   interrupts: eventfds, and what configuration space and the MSI-X table need
 *	vfio_user_dma.c   the domain: memory sent to the server, and its requests for memory
 *	vfio_user_sock.c  messages
 *
 * Structures are those of the protocol, which took them from <linux/vfio.h>; they have no holes.
 */
#ifndef VFIO_USER_H
#define VFIO_USER_H

#include "pci_internal.h"
#include "vfio_user_sock.h"

enum {
	VU_AREAS = 32, /* of a region that can be mapped */
	VU_CAPS = 16,  /* capabilities of a region that are looked at */
	VU_IRQS = 2048,
};

struct vu_region_access {
	uint64_t offset;
	uint32_t region, count;
};

struct vu_dma_map {
	uint32_t argsz, flags;
	uint64_t offset, addr, size;
};
enum { VU_MAP_READ = 1 << 0, VU_MAP_WRITE = 1 << 1 };

struct vu_dma_unmap {
	uint32_t argsz, flags;
	uint64_t addr, size;
};

/* Of DMA_READ and DMA_WRITE. */
struct vu_dma_access {
	uint64_t addr, count;
};

struct vu_device_info {
	uint32_t argsz, flags, num_regions, num_irqs;
};

struct vu_region_info {
	uint32_t argsz, flags, index, cap_offset;
	uint64_t size, offset;
};
enum {
	VU_REGION_R = 1 << 0,
	VU_REGION_W = 1 << 1,
	VU_REGION_MMAP = 1 << 2,
	VU_REGION_CAPS = 1 << 3
};

struct vu_irq_info {
	uint32_t argsz, flags, index, count;
};
enum { VU_IRQ_EVENTFD = 1 << 0, VU_IRQ_AUTOMASKED = 1 << 2, VU_IRQ_NORESIZE = 1 << 3 };

struct vu_irq_set {
	uint32_t argsz, flags, index, start, count;
};
enum { VU_SET_NONE = 1 << 0, VU_SET_EVENTFD = 1 << 2, VU_SET_TRIGGER = 1 << 5 };

/* What the two sides agreed on in VERSION. */
struct vu_limits {
	uint64_t max_fds, max_data, max_maps, page_sizes;
};

struct vu_area {
	uint64_t off, len;
};

/* A region as far as it is believed. */
struct vu_region {
	uint64_t len;
	uint32_t flags;
	bool io;
	int fd;           /* what the areas are mapped from; -1: none */
	uint64_t fd_base; /* where the region is in it */
	uint32_t n_areas;
	struct vu_area areas[VU_AREAS];
	uint64_t addr; /* where a BAR was placed */
};

/* Memory that the server was told of. */
struct vu_extent {
	uint64_t iova, len;
	uint8_t *va;
	bool read_only;
};

struct vu_domain {
	struct plx_domain dom;
	struct vu_sock *s;
	const struct plx_log *log;
	struct vu_limits limits;
	size_t n, max;
	struct vu_extent *ext; /* sorted; with the lock of s */
};

struct vu_dev {
	struct vu_sock *s;
	struct vu_limits limits;
	struct vu_device_info info;
	struct vu_region regions[PLX_PCI_REGIONS];
	struct vu_domain domain;
	char domain_name[128];
	struct plx_work work;
	bool has_work;
	bool map;              /* windows may be mapped */
	enum plx_irq_type irq; /* those on */
};

/* ---- vfio_user_info.c ---- */

/* Agrees on version 0.1 or less. Errors as vu_call(); -EPROTO. */
int vu_version(struct vu_sock *s, struct vu_limits *out);
/* The JSON text of the server's VERSION, which ends with a NUL; false: that is not such a text. */
bool vu_parse_caps(const char *text, struct vu_limits *out);
int vu_get_info(struct vu_sock *s, struct vu_device_info *out);
/* The descriptor in *r is the caller's. */
int vu_get_region(struct vu_sock *s, uint32_t index, struct vu_region *r);
/* The answer to DEVICE_GET_REGION_INFO; NULL, or what is wrong with it. */
const char *vu_parse_region(const uint8_t *data, size_t len, uint32_t index, struct vu_region *r);

/* Registers and configuration space; width 1, 2, 4 or 8. */
int vu_read(struct vu_sock *s, uint32_t region, uint64_t off, unsigned width, uint64_t *v);
/* posted: without an answer. */
int vu_write(
	struct vu_sock *s, uint32_t region, uint64_t off, unsigned width, uint64_t v, bool posted);

/* ---- vfio_user_irq.c ---- */

int vu_irq_max(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t *max);
int vu_irq_set(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t n, const int *fds);
/* What a reset may have turned off is on again. */
int vu_irq_restore(struct plx_pci_dev *dev);

/* ---- vfio_user_dma.c ---- */

/* Answers DMA_READ and DMA_WRITE from a sorted table; as a vu_serve_fn. */
int vu_serve_memory(const struct vu_extent *ext, size_t n, uint16_t cmd, const uint8_t *in,
	size_t len, uint8_t *out, size_t *out_len);
int vu_domain_open(struct vu_domain *d, struct plx_ctx *ctx);
void vu_domain_close(struct vu_domain *d);

#endif
