/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the transport `pci:`: a device of this machine through the kernel's VFIO.
 * (Linux: Documentation/driver-api/vfio.rst, include/uapi/linux/vfio.h.)
 *
 *	vfio.c         the transport's operations, options, choice of the backend
 *	vfio_dev.c     a device's descriptor: regions, configuration space, registers, reset, removal
 *	vfio_irq.c     its interrupts
 *	vfio_reset.c   resets by the kernel
 *	vfio_virtio.c  virtio devices that the IOMMU does not confine
 *	vfio_domain.c  an I/O address space as a plx_domain: apertures, map and unmap with their errors
 *	vfio_group.c   backend "group": /dev/vfio/GROUP, containers, type 1 IOMMU
 *	vfio_cdev.c    backend "cdev": /dev/vfio/devices/vfioN, /dev/iommu
 *	sysfs.c        what sysfs says about a device
 *	vfio_sys.c     the system calls themselves
 *
 * What the kernel answers is checked like any other input: a test, or a seccomp sandbox, may be
 * what answers.
 */
#ifndef VFIO_H_PRIVATE
#define VFIO_H_PRIVATE

#include <pthread.h>

#include "pci_internal.h"
#include "sysfs.h"
#include "vfio_sys.h"

struct vfio_slot;
struct vfio_backend;

/*
 * One I/O address space: a container, or an IOAS. Shared ones hold every device of the context that
 * can join; private ones one IOMMU group. In the slot's list, with the slot's lock.
 */
struct vfio_iommu {
	struct vfio_iommu *next;
	struct vfio_slot *slot;
	const struct vfio_backend *backend;
	const struct plx_vfio_sys *sys;
	int fd;        /* container, or /dev/iommu; -1: none */
	uint32_t ioas; /* cdev: its number, if has_ioas */
	bool has_ioas;
	bool is_private;
	uint32_t refs; /* devices, or groups, in it: the backend's to count */
	/* filled by info(), by vfio_iommu_aperture() and directly */
	struct plx_range *apertures;
	size_t n_apertures;
	uint64_t page_sizes; /* a bit for each; 0: not known */
	/* vfio_domain.c's own */
	struct plx_domain dom;
	bool dom_added;
	char name[48];   /* for messages */
	uint64_t locked; /* bytes mapped: pinned memory is counted in each I/O address space */
};

/* An IOMMU group of the group backend: opened once, shared by the devices in it. */
struct vfio_group {
	struct vfio_group *next;
	uint32_t number;
	int fd;
	uint32_t refs;
	struct vfio_iommu *iommu;
	bool joined; /* in iommu's container */
};

/* What a context keeps. The lock is held while a device is opened or closed. */
struct vfio_slot {
	pthread_mutex_t lock;
	struct plx_ctx *ctx;
	struct vfio_iommu *iommus;
	struct vfio_group *groups;
	struct vfio_dev *devs;
	uint64_t locked; /* sum over iommus; with the context's memory locked */
	/* vfio_cdev.c's own */
	int iommufd; /* while iommufd_refs != 0 */
	uint32_t iommufd_refs;
	struct vfio_mapped *mapped; /* with the context's memory locked */
};

enum { VFIO_AREAS = 16 };

/* A region as the kernel described it, checked. */
struct vfio_region {
	uint64_t len;
	uint64_t off; /* in the device's descriptor */
	bool io, mappable;
	/* parts that can be mapped */
	uint32_t n_areas;
	struct plx_range areas[VFIO_AREAS];
};

struct vfio_dev {
	struct vfio_dev *next; /* in the slot */
	struct plx_pci_dev *pci;
	struct vfio_slot *slot;
	const struct plx_vfio_sys *sys;
	const struct vfio_backend *backend;
	struct pci_bdf bdf;
	char bdf_text[PCI_BDF_TEXT]; /* "0000:00:10.0" */
	uint32_t group_no;
	bool want_private;
	/* set by attach */
	int fd;                   /* the device's; -1: none */
	struct vfio_group *group; /* group backend */
	bool has_iommufd;         /* cdev: holds the slot's */
	struct vfio_iommu *iommu;
	/* vfio_dev.c's own */
	bool has_reset;
	struct vfio_region regions[PLX_PCI_REGIONS];
	uint32_t irq_count[3]; /* INTx, MSI, MSI-X */
	int req_fd, err_fd;    /* eventfds; -1: none */
	struct plx_work req_work, err_work;
	bool requested;        /* the kernel wants the device back */
	uint64_t next_look_ns; /* rate limit of the question whether it is still there */
};

/* How a device is opened, and its I/O address space told what to map. */
struct vfio_backend {
	const char *name; /* "group", "cdev" */
	/* Can this device be opened that way? No message. NULL: always tried. */
	bool (*there)(const struct vfio_dev *d);
	/*
	 * Opens the device: fills d->fd; joins d->iommu (shared: the context's; private: one for
	 * the device's IOMMU group), made with vfio_iommu_new() and, once it can map, added with
	 * vfio_iommu_ready(). With the slot's lock. Sets the message. detach() undoes it, also
	 * half-done.
	 */
	int (*attach)(struct vfio_dev *d);
	void (*detach)(struct vfio_dev *d);
	/* Reads apertures and page sizes once, checked; called by vfio_iommu_ready(). Sets the message. */
	int (*info)(struct vfio_iommu *s);
	/*
	 * 0 or -errno as the kernel said it, without a message: vfio_domain.c explains. 1: done, and
	 * the memory is counted as locked in another I/O address space (map: already; unmap: still).
	 */
	int (*map)(struct vfio_iommu *s, const struct plx_extent *e);
	int (*unmap)(struct vfio_iommu *s, const struct plx_extent *e);
	/*
	 * Descriptor of an IOMMU group of the context, which proves to the kernel whose it is (reset
	 * of a bus), or -1. NULL: it knows by itself. With the slot's lock.
	 */
	int (*proof)(const struct vfio_dev *d, uint32_t group);
};

extern const struct vfio_backend vfio_backend_cdev, vfio_backend_group;

/* ---- vfio_group.c ---- */

/* Opens a file of /dev/vfio: the descriptor, or -errno with a message that says what to do. */
int vfio_open_file(const struct vfio_dev *d, const char *path);
/* The message of a group that is not viable: who else is in it. Returns -EPERM. */
int vfio_not_viable(const struct vfio_dev *d);

/* ---- vfio_domain.c ---- */

/* A new one in the slot's list, with fd -1 and refs 0. */
int vfio_iommu_new(struct vfio_dev *d, struct vfio_iommu **out);
/* Adds [first, last], in order, to the apertures; -EIO for a range that is none. */
int vfio_iommu_aperture(struct vfio_iommu *s, uint64_t first, uint64_t last);
/*
 * Asks info() (again, after a device joined: apertures may have shrunk), and adds the domain to the
 * context if it is not there yet: all memory is mapped then.
 */
int vfio_iommu_ready(struct vfio_iommu *s);
/* Unmaps all; takes it out of the context and of the list, closes fd, frees it. */
void vfio_iommu_free(struct vfio_iommu *s);

/* ---- vfio_dev.c ---- */

/* Reads regions and interrupts of d->fd and watches for its removal. close undoes; fd stays. */
int vfio_dev_start(struct vfio_dev *d);
void vfio_dev_stop(struct vfio_dev *d);

int vfio_cfg_read(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t *v);
int vfio_cfg_write(struct plx_pci_dev *dev, uint32_t off, unsigned width, uint32_t v);
uint64_t vfio_reg_read(struct plx_pci_dev *dev, uint32_t bar, uint64_t off, unsigned width);
void vfio_reg_write(
	struct plx_pci_dev *dev, uint32_t bar, uint64_t off, unsigned width, uint64_t v);
int vfio_region_info(struct plx_pci_dev *dev, uint32_t region, struct plx_pci_region *info);
int vfio_region_map(struct plx_pci_dev *dev, uint32_t region, uint64_t off, uint64_t len,
	volatile uint8_t **base);
void vfio_region_unmap(struct plx_pci_dev *dev, volatile uint8_t *base, uint64_t len);
bool vfio_gone(struct plx_pci_dev *dev);

/* ---- vfio_irq.c ---- */

/* How many interrupts an index of VFIO has, as eventfds. */
uint32_t vfio_irq_count(const struct vfio_dev *d, uint32_t index);
int vfio_irq_start(struct vfio_dev *d);
/* n eventfds for the index, 0: none. 0, -errno without a message, or as plx_pci_transport.irq_set. */
int vfio_irq_eventfds(const struct vfio_dev *d, uint32_t index, uint32_t n, const int *fds);
int vfio_irq_max(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t *max);
int vfio_irq_set(struct plx_pci_dev *dev, enum plx_irq_type type, uint32_t n, const int *fds);

int vfio_intx_unmask(struct plx_pci_dev *dev);

/* ---- vfio_reset.c ---- */

int vfio_reset(struct plx_pci_dev *dev);
int vfio_bus_reset(struct plx_pci_dev *dev);

/* ---- vfio_virtio.c ---- */

/* -EPERM: a virtio device that the IOMMU does not confine. */
int vfio_virtio_check(struct plx_pci_dev *dev);

/* ---- vfio_caps.c ---- */

/*
 * Walks the capability chain in the len bytes at info that an ioctl filled. Returns the next
 * capability of that id from offset at on, whose size bytes lie in the buffer, or NULL. A chain only
 * leads upwards, so it cannot loop.
 */
const void *vfio_cap(const void *info, size_t len, uint32_t at, uint16_t id, size_t size);
/*
 * Calls an ioctl whose structure starts with argsz, with a buffer that grows to what it asks for.
 * in: the structure with its fields set, size bytes; *out is freed by the caller, *len its valid
 * bytes. Returns 0 or -errno, no message (-EIO: it asks for more than it may).
 */
int vfio_info(const struct plx_vfio_sys *sys, int fd, unsigned long request, const void *in,
	size_t size, void **out, size_t *len);

#endif
