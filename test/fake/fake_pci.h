/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PCI device made of callbacks in the test: transport `fake`, device string `fake:NAME`.
 *
 *	struct fake_pci *f = fake_new("nic", &my_ops, my_model);
 *	fake_ids(f, 0x8086, 0x10d3, 0x8086, 0xa01f, 0x020000);
 *	fake_bar(f, 0, 128 * 1024, 0);
 *	fake_cap_pcie(f, false);
 *	fake_attach(ctx, f);
 *	plx_port_open(ctx, "fake:nic", ...);
 *	...
 *	fake_free(f);		after the device was closed
 *
 * The model behaves as a device does: it sees registers and configuration space, reads and writes
 * memory only through fake_dma_read() and fake_dma_write(), which translate as an IOMMU would, and
 * signals by fake_irq(). A device that does DMA while bus mastering is off, outside of what is
 * mapped, or writes to memory that is for reading only, gets -EFAULT and the fault is recorded.
 *
 * Time stands still but for plx_pci_delay(), plx_win_wait() (which counts its pauses) and
 * fake_advance(): tests that wait for two seconds take none.
 *
 * Faults. Every access counts at its site. fake_inject() makes the n-th access from now at a site
 * fail in one way; a test that runs once without faults knows from fake_count() how many places
 * there are, and then tries each.
 *
 * Threads: callbacks of the model never run at the same time; a lock is held, which the model may
 * take again by calling what is here. Fields are read freely when no other thread uses the device.
 */
#ifndef FAKE_PCI_H
#define FAKE_PCI_H

#include <pthread.h>

#include "plx_pci_transport.h"

struct fake_pci;

/** The model. All may be NULL: a BAR is then plain memory. */
struct fake_ops {
	/** A read or write of width 1, 2, 4 or 8 bytes, inside the BAR and aligned. */
	uint64_t (*reg_read)(struct fake_pci *f, uint32_t bar, uint64_t off, unsigned width);
	void (*reg_write)(
		struct fake_pci *f, uint32_t bar, uint64_t off, unsigned width, uint64_t v);
	/** Configuration space was written; the image has the new value. */
	void (*cfg_written)(struct fake_pci *f, uint32_t off, unsigned width);
	/** A reset of the function: the transport's, FLR, or D3hot to D0. */
	void (*reset)(struct fake_pci *f);
	/** The clock moved to f->now_ns. */
	void (*tick)(struct fake_pci *f);
};

/** Where a fault can strike. */
enum fake_site {
	FAKE_OPEN,     /**< the transport's open */
	FAKE_CFG_READ, /**< read of configuration space */
	FAKE_CFG_WRITE,
	FAKE_INFO,      /**< question for a region's size */
	FAKE_WINDOW,    /**< mapping of a BAR */
	FAKE_REG_READ,  /**< by message */
	FAKE_REG_WRITE, /**< by message */
	FAKE_DMA_MAP,   /**< an extent of memory becomes reachable */
	FAKE_DMA_READ,  /**< the device reads memory */
	FAKE_DMA_WRITE, /**< the device writes memory */
	FAKE_IRQ_SET,   /**< interrupts are set up or turned off */
	FAKE_IRQ_RAISE, /**< the device signals */
	FAKE_RESET,     /**< the transport's reset */
	FAKE_SITES
};
const char *fake_site_name(enum fake_site site);

/** What happens there. */
enum fake_fault {
	FAKE_OK,
	FAKE_FAIL,  /**< calls return -EIO; register reads and DMA reads give all ones; writes,
	             *   DMA writes and interrupts are lost without a word */
	FAKE_GONE,  /**< the device leaves at this access, for good */
	FAKE_ONES,  /**< reads and DMA, both ways, carry all ones, once */
	FAKE_ZEROS, /**< ... zeros, once */
	FAKE_FLIP,  /**< ... the complement of what they should, once */
	FAKE_FAULTS
};
const char *fake_fault_name(enum fake_fault fault);
/** Does this fault mean anything at this site? (A loop over both skips the others.) */
bool fake_fault_applies(enum fake_site site, enum fake_fault fault);

/** Flags of fake_bar(). */
enum {
	FAKE_BAR_64 = 1u << 0,     /**< takes two of the six */
	FAKE_BAR_IO = 1u << 1,     /**< I/O space */
	FAKE_BAR_MAPPED = 1u << 2, /**< windows are mapped: plain memory, the model sees nothing */
};

enum { FAKE_CFG_SIZE = 4096, FAKE_EXTENTS = 64, FAKE_IRQS = 64, FAKE_TRACE = 4096 };

struct fake_access {
	enum fake_site site;
	uint32_t bar;
	uint64_t off; /**< in the BAR or configuration space; the I/O address of DMA */
	unsigned width;
	uint64_t v; /**< DMA: the length */
};

struct fake_pci {
	const char *name;
	const struct fake_ops *ops;
	void *model; /**< the test's own */
	uint64_t now_ns;

	/* behaviour, set before the device is opened */
	bool gone_reads_zero; /**< registers of a device that left read 0 and not all ones */
	bool has_reset;       /**< the transport offers a reset */
	bool no_domain_map;   /**< the domain is private: only plx_domain_map() maps */
	uint32_t irq_max[4];  /**< by enum plx_irq_type; 0 each: no interrupts */

	/* configuration space: its bytes, the bits that can be written, those that a 1 clears */
	uint8_t cfg[FAKE_CFG_SIZE], cfg_rw[FAKE_CFG_SIZE], cfg_w1c[FAKE_CFG_SIZE];
	uint32_t cap_end, cap_last, cap_pm, cap_exp;

	struct fake_bar {
		uint64_t len;
		uint32_t flags;
		uint8_t *mem;                                /* what it is without a model */
		uint32_t *reads, *writes;                    /* by register (4 bytes) */
		uint32_t stuck_off, stuck_mask, stuck_value; /* fake_stick() */
	} bars[PLX_PCI_BARS];

	/* state */
	bool open, gone;
	struct plx_pci_dev *dev;
	enum plx_irq_type irq_type;
	uint32_t n_irqs;
	int irq_fds[FAKE_IRQS];
	uint64_t irqs_raised, irqs_lost; /**< lost: no such vector, or none set up */
	uint32_t n_resets;
	uint32_t n_windows; /**< mapped and not yet unmapped */

	/* what an IOMMU would know */
	struct plx_domain domain;
	struct plx_extent extents[FAKE_EXTENTS];
	uint32_t n_extents;
	uint64_t dma_faults; /**< all together */
	uint64_t fault_iova; /**< the last one */
	bool fault_write;
	uint64_t dma_without_master; /**< tried while bus mastering was off */

	uint64_t count[FAKE_SITES];
	struct fake_plan {
		uint64_t at; /* count[] at which it strikes; 0: none */
		enum fake_fault fault;
	} plan[FAKE_SITES];
	uint64_t random; /* state of fake_random(); 0: off */
	uint32_t per_million;
	uint64_t struck; /**< faults that happened */

	struct fake_access
		trace[FAKE_TRACE]; /**< the last ones; entry i is trace[i % FAKE_TRACE] */
	uint64_t n_trace;

	pthread_mutex_t lock;
	struct fake_pci *next;
};

extern const struct plx_pci_transport fake_transport;

/** A device without ids, BARs and capabilities; ops may be NULL. Never NULL. */
struct fake_pci *fake_new(const char *name, const struct fake_ops *ops, void *model);
/** Frees it; the device must have been closed. */
void fake_free(struct fake_pci *f);
/** Makes `fake:NAME` known in a context. 0 or -errno. */
int fake_attach(struct plx_ctx *ctx, struct fake_pci *f);
/** The fake behind an open device. */
struct fake_pci *fake_of(struct plx_pci_dev *dev);

/* ---- configuration space ---- */

void fake_ids(struct fake_pci *f, uint16_t vendor, uint16_t device, uint16_t subvendor,
	uint16_t subdevice, uint32_t class_code);
/** len: a power of two, 16 at least. */
void fake_bar(struct fake_pci *f, uint32_t bar, uint64_t len, uint32_t flags);
/**
 * Appends a capability whose body (after id and next) is len bytes, all zero where body is NULL;
 * rw: bits that can be written, or NULL. Returns its offset.
 */
uint32_t fake_cap(struct fake_pci *f, uint8_t id, const void *body, const void *rw, uint32_t len);
/** Power management; no_soft_reset: D3hot to D0 keeps the registers. */
uint32_t fake_cap_pm(struct fake_pci *f, bool no_soft_reset);
/** PCI Express endpoint; flr: with function level reset, which calls ops->reset. */
uint32_t fake_cap_pcie(struct fake_pci *f, bool flr);
/** MSI-X with n vectors, and f->irq_max to match. */
uint32_t fake_cap_msix(struct fake_pci *f, uint32_t n, uint32_t bar, uint32_t table, uint32_t pba);
uint32_t fake_cfg_get(const struct fake_pci *f, uint32_t off, unsigned width);
void fake_cfg_set(struct fake_pci *f, uint32_t off, unsigned width, uint32_t v);
/** Is bus mastering on? */
bool fake_master(const struct fake_pci *f);
/** What a reset does besides calling ops->reset: BARs and command register 0. */
void fake_reset(struct fake_pci *f);

/* ---- what a model does ---- */

/**
 * DMA. 0 (also where an injected fault spoilt it), -EFAULT (recorded: not mapped, not writable, or
 * bus mastering is off), -ENODEV once the device left. Bytes before a fault have been moved.
 */
int fake_dma_read(struct fake_pci *f, uint64_t iova, void *buf, size_t len);
int fake_dma_write(struct fake_pci *f, uint64_t iova, const void *buf, size_t len);
/** The memory at an I/O address, for models in benchmarks; NULL where an IOMMU would fault. */
void *fake_dma_ptr(struct fake_pci *f, uint64_t iova, size_t len, bool write);
/** Signals a vector. */
void fake_irq(struct fake_pci *f, uint32_t vector);
/** Lets time pass: the clock moves and ops->tick runs. */
void fake_advance(struct fake_pci *f, uint64_t ns);
/** The device leaves: all ones from now on (or zero, see above), no DMA, no interrupts. */
void fake_remove(struct fake_pci *f);

/* ---- faults and counts ---- */

/** The n-th access from now at a site (1: the next) fails in this way. One plan a site. */
void fake_inject(struct fake_pci *f, enum fake_site site, uint64_t n, enum fake_fault fault);
/** Each access fails with this probability, in a way chosen from the seed; 0: no more. */
void fake_random(struct fake_pci *f, uint64_t seed, uint32_t per_million);
/** Reads of this register show these bits, whatever the model says; mask 0: no more. One a BAR. */
void fake_stick(struct fake_pci *f, uint32_t bar, uint32_t off, uint32_t mask, uint32_t value);
/** Takes back all of these and brings back a device that left. Counts go on. */
void fake_heal(struct fake_pci *f);

uint64_t fake_count(const struct fake_pci *f, enum fake_site site);
/** How often a register (by message) was read and written. */
uint32_t fake_reads(const struct fake_pci *f, uint32_t bar, uint64_t off);
uint32_t fake_writes(const struct fake_pci *f, uint32_t bar, uint64_t off);
/** Sets all counts to 0 and empties the trace. */
void fake_count_reset(struct fake_pci *f);

#endif
