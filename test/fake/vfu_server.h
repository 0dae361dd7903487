/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vfio-user server around a fake PCI device (fake_pci.h), written from the protocol's specification
 * (QEMU's docs/interop/vfio-user.rst; numbers in comments are its messages) and apart from the client.
 *
 *	struct vfu_opts o = VFU_OPTS_INIT;
 *	struct vfu_server *s = vfu_start("/tmp/x/s", fake_82574_pci(m), &o);
 *	plx_port_open(ctx, "vfio-user:/tmp/x/s", &port);
 *	...
 *	CHECK_STR(vfu_violation(s), "");
 *	vfu_stop(s);
 *
 * It serves one client at a time, in a thread of its own, as servers do: a second one waits. What the
 * client does against the specification is recorded; the first such thing is vfu_violation(). MSI-X
 * signals as on the strictest of servers: when Enable is set in the capability and the vector is
 * unmasked in the table.
 *
 * A test may spoil what it sends: mangle() sees each message before it goes out.
 *
 * Memory that came without a descriptor is not for the model: vfu_dma() reaches it.
 */
#ifndef VFU_SERVER_H
#define VFU_SERVER_H

#include "fake_pci.h"

struct vfu_server;

enum { VFU_MESSAGE = 80 * 1024, VFU_FDS = 32, VFU_AREAS = 4 };

/* A message on its way out, header and all. */
struct vfu_out {
	uint16_t cmd;
	unsigned number; /* how many there were before it, since the client came */
	uint8_t data[VFU_MESSAGE];
	size_t len;
	int fds[VFU_FDS];
	unsigned n_fds;
};

enum vfu_fate {
	VFU_SEND,
	VFU_DROP,  /* it is not sent, and nothing is said */
	VFU_CLOSE, /* the connection is closed */
	VFU_SEND_AND_CLOSE,
};

struct vfu_opts {
	uint32_t max_fds;    /* that it takes in a message */
	const char *version; /* JSON; NULL: its own */
	uint16_t minor;      /* of its version */
	uint64_t max_data;   /* max_data_xfer_size */
	uint64_t page_sizes; /* pgsizes */
	bool answers_posted; /* also what is sent with No_reply */
	bool no_reset;       /* the device has none */
	bool no_resize;      /* interrupts are set up in one message */
	bool no_irq;         /* no interrupts by eventfd */
	uint32_t mapped_bar; /* this BAR can be mapped; UINT32_MAX: none */
	bool sealed;         /* ... and its file cannot be shortened */
	uint32_t n_areas;    /* ... in these areas; 0: all of it, without a capability */
	struct {
		uint64_t off, len;
	} areas[VFU_AREAS];
	enum vfu_fate (*mangle)(void *arg, struct vfu_out *m);
	void *arg;
};

#define VFU_OPTS_INIT                                                              \
	{                                                                          \
		.max_fds = 8, .minor = 1, .max_data = 1 << 20, .page_sizes = 4096, \
		.mapped_bar = UINT32_MAX                                           \
	}

/* Listens at path, which is replaced, and serves f. Never NULL. opts may be NULL. */
struct vfu_server *vfu_start(const char *path, struct fake_pci *f, const struct vfu_opts *opts);
/* Ends it as if it were killed, and frees it. */
void vfu_stop(struct vfu_server *s);
/* Closes the client's connection and takes no other. */
void vfu_leave(struct vfu_server *s);
/* The first thing that a client did wrong, or "". */
const char *vfu_violation(struct vfu_server *s);
/*
 * Orders what the server has done so far and what this thread looks at, or changes, in the device: for
 * the language's memory model, in which a message through a socket does not.
 */
void vfu_sync(struct vfu_server *s);
/* How many requests of a kind came. */
unsigned vfu_count(struct vfu_server *s, uint16_t cmd);
/* The descriptor behind the BAR that can be mapped. */
int vfu_bar_fd(struct vfu_server *s);
/* How many pieces of memory it was told of, and (without) how many of them without a descriptor. */
unsigned vfu_extents(struct vfu_server *s, unsigned *without);

/*
 * Asks the client for memory by message (DMA_READ, DMA_WRITE). 0, the client's error (negative),
 * -ENOTCONN, or -EPROTO where its answer is wrong. From any thread.
 */
int vfu_dma(struct vfu_server *s, uint64_t iova, void *buf, size_t len, bool write);
/* Sends bytes as they are. */
void vfu_say(struct vfu_server *s, const void *data, size_t len);

#endif
