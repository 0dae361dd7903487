/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the vfio-user test server share. */
#ifndef VFU_PRIV_H
#define VFU_PRIV_H

#include "fake_priv.h"
#include "vfu_server.h"

/* Commands, header and flags of the specification. */
enum {
	C_VERSION = 1,
	C_DMA_MAP = 2,
	C_DMA_UNMAP = 3,
	C_DEVICE_INFO = 4,
	C_REGION_INFO = 5,
	C_IRQ_INFO = 7,
	C_SET_IRQS = 8,
	C_REGION_READ = 9,
	C_REGION_WRITE = 10,
	C_DMA_READ = 11,
	C_DMA_WRITE = 12,
	C_RESET = 13,
	C_COUNT = 20,

	H_ID = 0, /* offsets in the header */
	H_CMD = 2,
	H_SIZE = 4,
	H_FLAGS = 8,
	H_ERROR = 12,
	H_LEN = 16,

	F_REPLY = 1,
	F_NO_REPLY = 0x10,
	F_ERROR = 0x20,
};

enum { MAPS = 256, IRQS = 64 };

struct vfu_map {
	uint64_t iova, len;
	void *va;   /* NULL: it came without a descriptor */
	bool write; /* may be written */
};

struct vfu_server {
	struct fake_pci *f;
	struct plx_pci_dev dev; /* what fake_transport wants */
	struct vfu_opts opts;
	char path[108];
	char violation[256];
	unsigned count[C_COUNT];

	pthread_t thread;
	pthread_mutex_t lock; /* all below; taken before the device's */
	int listener, conn, wake;
	bool stop, versioned;
	unsigned sent;
	uint16_t dma_id;

	struct vfu_map maps[MAPS];
	unsigned n_maps;
	int bar_fd;

	/* eventfds of MSI-X (index 2), and where those go that may not signal */
	int irq[IRQS], nowhere;
	uint32_t n_irq;

	uint8_t in[VFU_MESSAGE];
	size_t in_len;
	int in_fds[VFU_FDS];
	unsigned n_in_fds;
	struct vfu_out out;
};

__attribute__((format(printf, 2, 3))) void vfu_wrong(struct vfu_server *s, const char *fmt, ...);

/* vfu_device.c. Each answers the request in s->in: 0 (payload in s->out), or an errno. */
int vfu_handle(struct vfu_server *s, uint16_t cmd, const uint8_t *p, size_t len);
/* The client left. */
void vfu_forget(struct vfu_server *s);
/* Makes the BAR that can be mapped a file. */
void vfu_bar_file(struct vfu_server *s);

static inline void vfu_put(struct vfu_server *s, const void *data, size_t len)
{
	memcpy(s->out.data + s->out.len, data, len);
	s->out.len += len;
}

static inline void vfu_put32(struct vfu_server *s, uint32_t v)
{
	vfu_put(s, &v, sizeof(v));
}

static inline void vfu_put64(struct vfu_server *s, uint64_t v)
{
	vfu_put(s, &v, sizeof(v));
}

#endif
