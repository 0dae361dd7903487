/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the fake kernel share. */
#ifndef FAKE_VFIO_PRIV_H
#define FAKE_VFIO_PRIV_H

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "fake_vfio.h"
#include "vfio_uapi.h"

enum fv_kind { FV_NONE, FV_CONTAINER, FV_GROUP, FV_DEVICE, FV_IOMMU, FV_FILE };

/* Pinned memory: once for each mapping of type1, shared among copies of an iommufd. */
struct fv_pages {
	unsigned refs;
	uint64_t len;
	uint64_t *counted; /* where its bytes are counted */
};

struct fv_mapping {
	struct fake_vfio_map m;
	struct fv_pages *pages;
};

struct fake_vfio_space {
	struct fake_vfio_space *next; /* of the kernel's */
	struct fake_vfio *k;
	uint32_t id;       /* of an IOAS; 0: a container's */
	unsigned n_devs;   /* IOAS: attached */
	uint64_t *counted; /* locked bytes: the container's, the iommufd's */
	struct fv_mapping maps[FAKE_VFIO_MAPS];
	unsigned n_maps;
};

struct fv_container {
	unsigned refs; /* its descriptor and its groups */
	unsigned n_groups;
	uint64_t locked;
	struct fake_vfio_space *space; /* NULL: SET_IOMMU was not called */
};

struct fv_group {
	struct fv_group *next;
	unsigned number;
	unsigned refs; /* its descriptor and those of its devices */
	struct fv_container *container;
	unsigned n_open; /* devices open through it */
};

struct fv_iommu {
	unsigned refs; /* its descriptor and the devices bound */
	uint32_t last_id;
	uint64_t locked;
};

/* A descriptor of the kernel's own. */
struct fv_fd {
	int fd;
	enum fv_kind kind;
	void *obj;
	bool granted; /* a device: opened by its group, or bound */
	struct fv_group *group;
};

struct fv_plan {
	uint64_t at; /* the count at which it strikes; UINT64_MAX: always */
	int err;
	enum fake_vfio_lie lie;
};

struct fake_vfio {
	struct fake_vfio_opts opts;
	char root[64], sysfs[80], dev[80], proc[80];
	struct plx_vfio_sys sys;
	pthread_mutex_t lock;

	struct fake_vfio_dev *devs[32];
	unsigned n_devs;
	struct fv_group *groups;
	struct fake_vfio_space *spaces;

	struct fv_fd fds[FAKE_VFIO_FDS];
	struct fv_window {
		void *va;
		size_t len;
		struct fake_pci *f;
	} windows[FAKE_VFIO_WINDOWS];

	uint64_t locked; /* all together */
	uint64_t count[FAKE_VFIO_CALLS];
	struct fv_plan plan[FAKE_VFIO_CALLS];
	fake_vfio_answer_fn answer;
	void *answer_arg;
	uint64_t struck, noise;
	uint32_t grown;
	struct fake_vfio_trace trace[FAKE_VFIO_TRACE];
	uint64_t n_trace;
	char left[512];
};

void *fv_must(void *p);

/* ---- descriptors (fake_vfio.c) ---- */

/* A new one, or -1 and errno. */
int fv_fd_new(struct fake_vfio *k, enum fv_kind kind, void *obj);
struct fv_fd *fv_fd_find(struct fake_vfio *k, int fd);
struct fv_fd *fv_fd_of(struct fake_vfio *k, int fd, enum fv_kind kind);

/* ---- the tree (fake_vfio_tree.c) ---- */

void fv_tree_new(struct fake_vfio *k);
void fv_tree_free(struct fake_vfio *k);
void fv_tree_dev(struct fake_vfio_dev *d);
void fv_tree_bind(struct fake_vfio_dev *d);
void fv_tree_locked(struct fake_vfio *k);

/* ---- faults (fake_vfio_fault.c) ---- */

/* Counts the call. A fault: true, with errno set. *lie: how the answer is to be spoilt. */
bool fv_strike(struct fake_vfio *k, enum fake_vfio_call call, enum fake_vfio_lie *lie);
/* Spoils what an ioctl answered in p; returns what the call returns. */
int fv_spoil(
	struct fake_vfio *k, enum fake_vfio_call call, void *p, int ret, enum fake_vfio_lie lie);
void fv_spoil_bytes(struct fake_vfio *k, void *p, size_t n, enum fake_vfio_lie lie);
void fv_note(struct fake_vfio *k, enum fake_vfio_call call, int ret);

/* ---- address spaces (fake_vfio_space.c): 0 or -errno ---- */

struct fake_vfio_space *fv_space_new(struct fake_vfio *k, uint64_t *counted);
void fv_space_free(struct fake_vfio_space *s);
struct fake_vfio_space *fv_space_find(struct fake_vfio *k, struct fv_iommu *of, uint32_t id);
/* Where it can map, given the devices in it; returns how many ranges. */
unsigned fv_space_ranges(const struct fake_vfio_space *s, struct plx_range *out, unsigned max);
/* Whole of [iova, iova + len) in them? */
bool fv_space_allows(const struct fake_vfio_space *s, uint64_t iova, uint64_t len);
struct fv_mapping *fv_space_overlap(struct fake_vfio_space *s, uint64_t iova, uint64_t len);
/* pages NULL: pins anew. */
int fv_space_map(struct fake_vfio_space *s, const struct fake_vfio_map *m, struct fv_pages *pages);
/* Unmaps what lies whole in the range; returns the bytes. */
uint64_t fv_space_unmap(struct fake_vfio_space *s, uint64_t iova, uint64_t last);
/* The devices' DMA goes where the address spaces say now. */
void fv_space_sync(struct fake_vfio *k);

/* ---- ioctls: what the system call returns, or -errno ---- */

long fv_container_ioctl(
	struct fake_vfio *k, struct fv_container *c, unsigned long request, void *p);
long fv_group_ioctl(struct fake_vfio *k, struct fv_group *g, unsigned long request, void *p);
long fv_iommu_ioctl(struct fake_vfio *k, struct fv_iommu *o, unsigned long request, void *p);
long fv_device_ioctl(struct fake_vfio *k, struct fv_fd *fd, unsigned long request, void *p);

int fv_group_open(struct fake_vfio *k, unsigned number);
void fv_group_put(struct fake_vfio *k, struct fv_group *g);
void fv_container_put(struct fake_vfio *k, struct fv_container *c);
void fv_iommu_put(struct fake_vfio *k, struct fv_iommu *o);
/* Is a device of the group in the hands of another driver? */
bool fv_group_viable(const struct fake_vfio *k, unsigned number);

/* The first open and the last close of a device. */
void fv_device_enable(struct fake_vfio_dev *d);
void fv_device_disable(struct fake_vfio_dev *d);
void fv_device_reset(struct fake_vfio_dev *d);
void fv_device_close(struct fake_vfio *k, struct fv_fd *fd);
ssize_t fv_device_rw(struct fake_vfio_dev *d, void *buf, size_t n, uint64_t off, bool write);
void *fv_device_mmap(struct fake_vfio_dev *d, size_t len, int prot, int flags, uint64_t off);
/* Interrupts and hot resets (fake_vfio_irq.c). */
long fv_set_irqs(struct fake_vfio_dev *d, const struct vfio_irq_set *s);
uint32_t fv_irq_count(const struct fake_vfio_dev *d, uint32_t index);
void fv_irqs_off(struct fake_vfio_dev *d);
long fv_hot_reset_info(struct fake_vfio *k, struct fv_fd *fd, struct vfio_pci_hot_reset_info *info);
long fv_hot_reset(struct fake_vfio *k, struct fv_fd *fd, const struct vfio_pci_hot_reset *r);

static inline struct fake_vfio_dev *fv_dev(const struct fv_fd *fd)
{
	return fd->obj;
}

#define FV_INDEX_SHIFT 40 /* a region's offset in the device's descriptor */

#endif
