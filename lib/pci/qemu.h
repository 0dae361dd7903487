/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the transport `qemu:`: the device models of a stock QEMU, reached through its qtest socket.
 *
 *	qemu.c        the transport's operations, one device
 *	qemu_conn.c   what the devices of one QEMU share: the connection, ECAM, addresses of BARs
 *	qemu_ram.c    memory cut from the file that is the machine's RAM (ram=FILE)
 *	qemu_dimm.c   memory attached to the running machine (qmp=SOCKET)
 *	qtest_sock.c, qmp_sock.c   the two protocols
 *
 * The machine is a q35 whose CPU is halted, so nobody else places BARs or programs devices.
 */
#ifndef QEMU_H
#define QEMU_H

#include <pthread.h>
#include <sys/types.h>

#include "pci_internal.h"
#include "qtest_sock.h"

struct qmp;

/* Addresses handed out in a part of the machine's address space; whose they are. */
struct qemu_space {
	uint64_t first, last;
	struct qemu_range {
		uint64_t first, last;
		const void *owner;
	} * used; /* sorted */
	size_t n, max;
};

/* A root port on bus 0. */
struct qemu_port {
	uint32_t refs;
	struct qemu_space space;
};

/* RAM of a QEMU as a memory source; in the context's slot until the context closes. */
struct qemu_ram {
	struct plx_mem_source src;
	int fd;
	dev_t dev;
	ino_t ino;
	uint64_t size, page;
	uint64_t delta; /* I/O address minus file offset */
	char *path;
};

/* Memory attached by QMP, one a connection. */
enum { QEMU_DIMMS = 256 };
struct qemu_dimms {
	struct qmp *qmp;
	char *path;
	struct {
		uint64_t iova; /* 0: slot not used by us */
		bool stuck;    /* it could not be taken out: its names are in use still */
	} slot[QEMU_DIMMS];
};

/* A device that is open, by the address of its configuration space. */
struct qemu_claim {
	struct qemu_claim *next;
	uint64_t ecam; /* 0: none */
};

/* What devices of one QEMU opened in one context share. */
struct qemu_conn {
	struct qemu_conn *next;
	struct plx_ctx *ctx;
	char *path;
	uint32_t refs;
	struct qtest *q;
	struct qemu_claim *claims;
	struct qemu_space space;
	struct qemu_port ports[32];
	struct plx_domain dom;
	char dom_name[128];
	bool dom_added;
	/* one of the two */
	struct qemu_ram *ram;
	struct qemu_dimms *dimms;
};

/*
 * What a context keeps: its connections and its RAM file. Devices belong to different threads: the lock
 * is held while one is opened or closed, and guards this and all of a connection but its sockets,
 * which have locks of their own. Taken before the context's memory.
 */
struct qemu_slot {
	pthread_mutex_t lock;
	struct qemu_conn *conns;
	struct qemu_ram *ram;
};

struct qemu_opts {
	uint32_t slot, func, port;
	const char *ram, *qmp;
	uint64_t limit_ns;
};
#define QEMU_NO_PORT UINT32_MAX

/* ---- qemu_conn.c ---- */

/* Holds the context's devices still, and no longer. -ENOMEM. */
int qemu_lock(struct plx_ctx *ctx);
void qemu_unlock(struct plx_ctx *ctx);

/* All of the following with that lock held. */

/* The connection for an address, made if it is not there. */
int qemu_conn_get(
	struct plx_ctx *ctx, const char *path, const struct qemu_opts *o, struct qemu_conn **out);
void qemu_conn_put(struct qemu_conn *c);

/* Configuration space of a function, through ECAM. */
uint64_t qemu_ecam(uint32_t bus, uint32_t slot, uint32_t func, uint32_t off);
int qemu_cfg_read(struct qemu_conn *c, uint64_t ecam, unsigned width, uint32_t *v);

/* A device is opened once. -EBUSY. */
int qemu_claim_get(struct qemu_conn *c, struct qemu_claim *claim, uint64_t ecam);
void qemu_claim_put(struct qemu_conn *c, struct qemu_claim *claim);

/* Programs a root port, and its bus number; counted. */
int qemu_port_get(struct qemu_conn *c, uint32_t slot, uint32_t *bus);
void qemu_port_put(struct qemu_conn *c, uint32_t slot);

/* len, a power of two, aligned to itself. -ENOSPC. */
int qemu_space_get(struct qemu_space *s, uint64_t len, const void *owner, uint64_t *addr);
/* Gives back all of an owner. */
void qemu_space_put(struct qemu_space *s, const void *owner);

/* ---- qemu_ram.c ---- */

/* Makes FILE the context's memory source, or finds that it is; checks that it is c's RAM. */
int qemu_ram_open(struct qemu_conn *c, struct qemu_slot *slot, const char *path);
void qemu_ram_free(struct qemu_ram *ram);
int qemu_ram_map(struct qemu_conn *c, const struct plx_extent *ext);

/* ---- qemu_dimm.c ---- */

int qemu_dimms_open(struct qemu_conn *c, const char *path, uint64_t limit_ns);
void qemu_dimms_close(struct qemu_conn *c);
int qemu_dimms_map(struct qemu_conn *c, const struct plx_extent *ext);
void qemu_dimms_unmap(struct qemu_conn *c, const struct plx_extent *ext);

#endif
