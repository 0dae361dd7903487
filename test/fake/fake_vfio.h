/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel in a test: what the transport `pci:` sees of /sys, /dev/vfio and /dev/iommu, and what the
 * system calls on them answer.
 *
 *	struct fake_vfio *k = fake_vfio_new(NULL);
 *	struct fake_vfio_dev *d = fake_vfio_add(k, "0000:00:10.0", 7, fake_82574_pci(m));
 *
 *	plx_vfio_sys_set(ctx, fake_vfio_sys(k));
 *	plx_port_open(ctx, "pci:0000:00:10.0", &port);
 *	...
 *	CHECK_STR(fake_vfio_left(k), "");	nothing is open, mapped or pinned
 *	fake_vfio_free(k);
 *
 * Behind each device is a fake PCI device (fake_pci.h) whose transport is this kernel: registers, DMA
 * and interrupts are the model's, and what is mapped in the address space that the device is attached
 * to is all that its DMA reaches.
 *
 * Written from the kernel's documentation (Documentation/driver-api/vfio.rst, userspace-api/iommufd.rst)
 * and the comments of linux/vfio.h and linux/iommufd.h, and strict as the kernel is: sizes, flags,
 * reserved fields, order of calls, alignment, what is mapped twice, who owns a group. /sys and the
 * names of /dev are files in a temporary folder; opening one of /dev gives a descriptor of the kernel's
 * own (a real number, of /dev/null), so that a leaked one shows in /proc/self/fd as well.
 *
 * Faults. Every call counts at its site. fake_vfio_fail() makes the n-th from now fail with an errno;
 * fake_vfio_lie() lets it succeed and spoils the answer. fake_vfio_answer() is for any other answer.
 *
 * Threads: calls are serialised. Fields are read freely while no other thread uses the kernel.
 */
#ifndef FAKE_VFIO_H
#define FAKE_VFIO_H

#include "fake_pci.h"
#include "vfio_sys.h"

/** The sites: a system call, and on what. */
enum fake_vfio_call {
	FAKE_VFIO_OPEN_CONTAINER, /**< /dev/vfio/vfio */
	FAKE_VFIO_OPEN_GROUP,     /**< /dev/vfio/N */
	FAKE_VFIO_OPEN_CDEV,      /**< /dev/vfio/devices/vfioN */
	FAKE_VFIO_OPEN_IOMMU,     /**< /dev/iommu */
	FAKE_VFIO_OPEN_OTHER,     /**< a file of /sys, or none */
	FAKE_VFIO_CLOSE,
	FAKE_VFIO_CFG_READ,
	FAKE_VFIO_CFG_WRITE,
	FAKE_VFIO_BAR_READ,
	FAKE_VFIO_BAR_WRITE,
	FAKE_VFIO_FILE_READ, /**< of a file of /sys */
	FAKE_VFIO_MMAP,
	FAKE_VFIO_MUNMAP,
	/* VFIO_... of a container, a group, a device */
	FAKE_VFIO_GET_API_VERSION,
	FAKE_VFIO_CHECK_EXTENSION,
	FAKE_VFIO_SET_IOMMU,
	FAKE_VFIO_IOMMU_GET_INFO,
	FAKE_VFIO_IOMMU_MAP_DMA,
	FAKE_VFIO_IOMMU_UNMAP_DMA,
	FAKE_VFIO_GROUP_GET_STATUS,
	FAKE_VFIO_GROUP_SET_CONTAINER,
	FAKE_VFIO_GROUP_UNSET_CONTAINER,
	FAKE_VFIO_GROUP_GET_DEVICE_FD,
	FAKE_VFIO_DEVICE_GET_INFO,
	FAKE_VFIO_DEVICE_GET_REGION_INFO,
	FAKE_VFIO_DEVICE_GET_IRQ_INFO,
	FAKE_VFIO_DEVICE_SET_IRQS,
	FAKE_VFIO_DEVICE_RESET,
	FAKE_VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
	FAKE_VFIO_DEVICE_PCI_HOT_RESET,
	FAKE_VFIO_DEVICE_BIND_IOMMUFD,
	FAKE_VFIO_DEVICE_ATTACH_IOMMUFD_PT,
	FAKE_VFIO_DEVICE_DETACH_IOMMUFD_PT,
	/* IOMMU_... */
	FAKE_VFIO_DESTROY,
	FAKE_VFIO_IOAS_ALLOC,
	FAKE_VFIO_IOAS_IOVA_RANGES,
	FAKE_VFIO_IOAS_MAP,
	FAKE_VFIO_IOAS_COPY,
	FAKE_VFIO_IOAS_UNMAP,
	FAKE_VFIO_OTHER_IOCTL, /**< ENOTTY, as it is */
	FAKE_VFIO_CALLS
};
const char *fake_vfio_call_name(enum fake_vfio_call call);

/** How an answer is spoilt. */
enum fake_vfio_lie {
	FAKE_VFIO_TRUE,
	FAKE_VFIO_ZEROS,       /**< what is answered is all zeros */
	FAKE_VFIO_ONES,        /**< ... all ones */
	FAKE_VFIO_NOISE,       /**< ... bytes of no meaning */
	FAKE_VFIO_GROWS,       /**< argsz is never enough */
	FAKE_VFIO_CAP_LOOP,    /**< a capability's successor is itself */
	FAKE_VFIO_CAP_OUTSIDE, /**< the first capability starts 4 bytes before the end of the buffer */
	FAKE_VFIO_CAP_LONG,    /**< a capability says that it has 2^28 entries */
	FAKE_VFIO_SHORT,       /**< fewer bytes than asked for, or vectors */
	FAKE_VFIO_LIES
};
const char *fake_vfio_lie_name(enum fake_vfio_lie lie);
/** Does this lie mean anything at this site? */
bool fake_vfio_lie_applies(enum fake_vfio_call call, enum fake_vfio_lie lie);

enum { FAKE_VFIO_FDS = 512, FAKE_VFIO_MAPS = 256, FAKE_VFIO_RESERVED = 8, FAKE_VFIO_WINDOWS = 64 };

/** The machine. */
struct fake_vfio_opts {
	unsigned aw_bits;   /**< width of I/O addresses */
	uint64_t pgsizes;   /**< bitmap of the page sizes that type1 reports */
	uint64_t memlock;   /**< bytes that may be pinned, for each container and each iommufd */
	uint32_t dma_avail; /**< mappings of a container */
	bool no_iommu;      /**< no IOMMU: no groups */
	bool no_vfio;       /**< module vfio is not there: neither /dev/vfio nor /dev/iommu */
	bool no_type1;      /**< module vfio_iommu_type1 is not loaded */
	bool no_group;      /**< a kernel without the group interface */
	bool no_cdev;       /**< a kernel before 6.6: no vfio-dev, no /dev/iommu */
	bool no_iommufd;    /**< module iommufd is not loaded: no /dev/iommu */
};
#define FAKE_VFIO_OPTS_INIT                                                                      \
	{                                                                                        \
		.aw_bits = 39, .pgsizes = 0x40201000, .memlock = UINT64_MAX, .dma_avail = 65535, \
	}

struct fake_vfio_space; /* an I/O address space */

struct fake_vfio_dev {
	char bdf[16];
	unsigned group; /**< UINT32_MAX: none */
	unsigned index; /**< N of vfioN */
	const char *driver;
	struct fake_pci *f;
	struct fake_vfio *k;

	/* behaviour, changed at will before it is opened */
	bool no_reset;       /**< VFIO_DEVICE_RESET does not work */
	unsigned reset_set;  /**< those with the same number reset together; 0: no hot reset */
	uint32_t msix_grant; /**< so many vectors are had, at most; 0: all */
	bool no_mmap[PLX_PCI_BARS]; /**< no BAR_MMAP for it */
	struct plx_range areas[4];  /**< of BAR 0, if n_areas != 0: sparse mmap */
	unsigned n_areas;
	struct plx_range reserved; /**< of I/O addresses; last == 0: none */

	/* state */
	unsigned open_count;
	bool by_cdev;
	struct fake_vfio_space *space; /**< attached to */
	void *iommufd;                 /**< bound to */
	uint32_t devid;
	int irq_fds[FAKE_IRQS]; /**< the kernel's own descriptors of the program's eventfds */
	uint32_t n_irqs;
	int irq_type, err_fd, req_fd; /**< VFIO_PCI_*_IRQ_INDEX or -1; -1: not set */
	bool intx_masked;
	uint8_t ids
		[4]; /**< vendor and device, which are answered from this copy of when it was opened */
	uint64_t n_resets, n_hot_resets;
};

/** What a system call did: for the order of calls. */
struct fake_vfio_trace {
	enum fake_vfio_call call;
	int ret, err;
};
enum { FAKE_VFIO_TRACE = 1024 };

struct fake_vfio;

/** opts NULL: the defaults. Never NULL. */
struct fake_vfio *fake_vfio_new(const struct fake_vfio_opts *opts);
/** Frees it and removes its files; what is left open is closed. NULL is allowed. */
void fake_vfio_free(struct fake_vfio *k);
const struct plx_vfio_sys *fake_vfio_sys(struct fake_vfio *k);
/** What was left: "" or text on descriptors, windows, pinned memory, device memory. */
const char *fake_vfio_left(struct fake_vfio *k);

/**
 * A device bound to vfio-pci, in a group (UINT32_MAX: none); f must outlive it. Its configuration space
 * and BARs are in /sys as they are now.
 */
struct fake_vfio_dev *fake_vfio_add(
	struct fake_vfio *k, const char *bdf, unsigned group, struct fake_pci *f);
/** Another driver, or NULL for none. */
void fake_vfio_bind(struct fake_vfio_dev *d, const char *driver);
/** Writes, replaces or (text NULL) removes a file of /sys or /dev: "sys/...", "dev/...". */
void fake_vfio_file(struct fake_vfio *k, const char *path, const char *text);

/** The host wants the device back: the REQ event. */
void fake_vfio_request(struct fake_vfio_dev *d);
/** The device signals INTx, unless VFIO masks it, which it does until the program unmasks. */
void fake_vfio_intx(struct fake_vfio_dev *d);

/* ---- address spaces ---- */

struct fake_vfio_map {
	uint64_t iova, len, va;
	bool read, write;
	bool copied; /**< by IOMMU_IOAS_COPY */
};
/** The i-th mapping that this device can reach, or NULL. */
const struct fake_vfio_map *fake_vfio_reach(const struct fake_vfio_dev *d, unsigned i);
/** Bytes that the kernel counts as locked, all together. */
uint64_t fake_vfio_locked(const struct fake_vfio *k);
/** Containers, or address spaces of an iommufd, with a device in them. */
unsigned fake_vfio_spaces(const struct fake_vfio *k);

/* ---- faults and counts ---- */

/** The n-th call of a site from now (1: the next; 0: every one) fails with this errno. */
void fake_vfio_fail(struct fake_vfio *k, enum fake_vfio_call call, uint64_t n, int err);
/** ... succeeds, and its answer is spoilt. */
void fake_vfio_lie(
	struct fake_vfio *k, enum fake_vfio_call call, uint64_t n, enum fake_vfio_lie lie);
/**
 * fn sees each ioctl with a pointer that succeeded, and may change what it answers and returns (-1: with
 * errno set).
 */
typedef int (*fake_vfio_answer_fn)(void *arg, enum fake_vfio_call call, void *p, int ret);
void fake_vfio_answer(struct fake_vfio *k, fake_vfio_answer_fn fn, void *arg);
/** Takes back all of these. */
void fake_vfio_heal(struct fake_vfio *k);

uint64_t fake_vfio_count(const struct fake_vfio *k, enum fake_vfio_call call);
/** How many faults and lies there were. */
uint64_t fake_vfio_struck(const struct fake_vfio *k);
void fake_vfio_count_reset(struct fake_vfio *k);
/** The i-th call since then, up to FAKE_VFIO_TRACE; NULL: there were fewer. */
const struct fake_vfio_trace *fake_vfio_traced(const struct fake_vfio *k, uint64_t i);

#endif
