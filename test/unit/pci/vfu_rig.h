/* SPDX-License-Identifier: BSD-3-Clause */
/* A plain fake device behind a vfio-user server, and a context to open it in. */
#ifndef VFU_RIG_H
#define VFU_RIG_H

#include "plx_ethdev.h"
#include "unit.h"
#include "vfu_server.h"

enum { RIG_VECTORS = 5, RIG_BAR = 16384 };

struct vfu_rig {
	char dir[32], path[64], dev_text[128];
	struct fake_pci *f; /* BAR 0: registers, 1: may be mapped (64 bits), 3: MSI-X */
	struct vfu_server *s;
	struct vfu_opts opts;
	struct plx_ctx *ctx;
	struct plx_pci_dev *dev;
};

/* Device and server; opts NULL: the defaults. */
void vfu_rig_begin(struct vfu_rig *r, const struct vfu_opts *opts);
/* A context (with a control thread) and the device in it, with options such as ",mmap=off". */
void vfu_rig_context(struct vfu_rig *r, bool thread);
int vfu_rig_open(struct vfu_rig *r, const char *options);
void vfu_rig_close(struct vfu_rig *r);
/* Closes all; the client has kept to the protocol. */
void vfu_rig_end(struct vfu_rig *r);
/* The server starts once more. */
void vfu_rig_restart(struct vfu_rig *r);

#endif
