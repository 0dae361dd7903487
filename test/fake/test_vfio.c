/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake kernel itself: it is as strict as the kernel's documentation, and its faults strike. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_vfio.h"
#include "unit.h"
#include "vfio_uapi.h"

#define BDF  "0000:00:10.0"
#define RAM  (UINT64_C(1) << 32)
#define MIB  (UINT64_C(1) << 20)
#define FAIL (-1)

struct lab {
	struct fake_vfio *k;
	const struct plx_vfio_sys *s;
	struct fake_pci *f;
	struct fake_vfio_dev *d;
	int container, group, iommu, dev;
	uint32_t ioas;
	uint8_t *mem; /* 4 MiB */
};

static int call(struct lab *l, int fd, unsigned long request, void *p)
{
	return l->s->ioctl(l->s->arg, fd, request, p);
}

static int value(struct lab *l, int fd, unsigned long request, uintptr_t v)
{
	return l->s->ioctl(l->s->arg, fd, request, (void *)v);
}

static int open_dev(struct lab *l, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", l->s->dev, name);
	return l->s->open(l->s->arg, path, O_RDWR);
}

#define REFUSED(what, with)            \
	do {                           \
		errno = 0;             \
		CHECK_EQ(what, FAIL);  \
		CHECK_EQ(errno, with); \
	} while (0)

static void lab_new(struct lab *l, const struct fake_vfio_opts *o)
{
	memset(l, 0, sizeof(*l));
	l->container = l->group = l->iommu = l->dev = -1;
	l->k = fake_vfio_new(o);
	l->s = fake_vfio_sys(l->k);
	l->f = fake_new("lab", NULL, NULL);
	fake_ids(l->f, 0x8086, 0x10d3, 0, 0, 0x020000);
	fake_bar(l->f, 0, 65536, FAKE_BAR_MAPPED);
	fake_cap_pcie(l->f, false);
	fake_cap_msix(l->f, 5, 0, 0x2000, 0x3000);
	l->f->irq_max[PLX_IRQ_INTX] = 1;
	l->d = fake_vfio_add(l->k, BDF, 7, l->f);
	l->mem = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(l->mem != MAP_FAILED);
}

static void lab_free(struct lab *l)
{
	const int fds[] = {l->dev, l->group, l->container, l->iommu};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			CHECK_EQ(l->s->close(l->s->arg, fds[i]), 0);
	CHECK_STR(fake_vfio_left(l->k), "");
	fake_vfio_free(l->k);
	fake_free(l->f);
	munmap(l->mem, 4 * MIB);
}

/* A device open through its group, with a type 1 container. */
static void by_group(struct lab *l)
{
	char bdf[] = BDF;

	l->container = open_dev(l, "vfio/vfio");
	l->group = open_dev(l, "vfio/7");
	CHECK(l->container >= 0 && l->group >= 0);
	CHECK_EQ(call(l, l->group, VFIO_GROUP_SET_CONTAINER, &l->container), 0);
	CHECK_EQ(value(l, l->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), 0);
	l->dev = call(l, l->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	CHECK(l->dev >= 0);
}

static int bind_dev(struct lab *l, int dev)
{
	struct vfio_uapi_bind b = {.argsz = sizeof(b), .iommufd = l->iommu};

	return call(l, dev, VFIO_UAPI_BIND_IOMMUFD, &b);
}

static int attach(struct lab *l, uint32_t ioas)
{
	struct vfio_uapi_attach a = {.argsz = sizeof(a), .pt_id = ioas};

	return call(l, l->dev, VFIO_UAPI_ATTACH_IOMMUFD_PT, &a);
}

static uint32_t new_ioas(struct lab *l)
{
	struct iommu_uapi_ioas_alloc a = {.size = sizeof(a)};

	CHECK_EQ(call(l, l->iommu, IOMMU_UAPI_IOAS_ALLOC, &a), 0);
	return a.out_ioas_id;
}

static void by_cdev(struct lab *l)
{
	l->iommu = open_dev(l, "iommu");
	l->dev = open_dev(l, "vfio/devices/vfio0");
	CHECK(l->iommu >= 0 && l->dev >= 0);
	CHECK_EQ(bind_dev(l, l->dev), 0);
	l->ioas = new_ioas(l);
	CHECK_EQ(attach(l, l->ioas), 0);
}

static int map1(struct lab *l, uint64_t iova, uint64_t len, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
		.flags = flags,
		.vaddr = (uintptr_t)l->mem,
		.iova = iova,
		.size = len};

	return call(l, l->container, VFIO_IOMMU_MAP_DMA, &m);
}

static int unmap1(struct lab *l, uint64_t iova, uint64_t len, uint64_t *done)
{
	struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .iova = iova, .size = len};
	int r = call(l, l->container, VFIO_IOMMU_UNMAP_DMA, &u);

	*done = u.size;
	return r;
}

#define RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

TEST(vfio, calls_of_the_group_interface_have_an_order)
{
	struct vfio_group_status st = {.argsz = sizeof(st)};
	char bdf[] = BDF;
	struct lab l;

	lab_new(&l, NULL);
	l.container = open_dev(&l, "vfio/vfio");
	CHECK_EQ(value(&l, l.container, VFIO_GET_API_VERSION, 0), 0);
	CHECK_EQ(value(&l, l.container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 1);
	CHECK_EQ(value(&l, l.container, VFIO_CHECK_EXTENSION, VFIO_SPAPR_TCE_IOMMU), 0);
	REFUSED(value(&l, l.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), EINVAL);
	REFUSED(map1(&l, RAM, 4096, RW), EINVAL);
	REFUSED(open_dev(&l, "vfio/8"), ENOENT);
	l.group = open_dev(&l, "vfio/7");
	REFUSED(open_dev(&l, "vfio/7"), EBUSY);
	CHECK_EQ(call(&l, l.group, VFIO_GROUP_GET_STATUS, &st), 0);
	CHECK_EQ(st.flags, VFIO_GROUP_FLAGS_VIABLE);
	REFUSED(call(&l, l.group, VFIO_GROUP_GET_DEVICE_FD, bdf), EINVAL);
	REFUSED(call(&l, l.group, VFIO_GROUP_SET_CONTAINER, &l.group), EBADF);
	CHECK_EQ(call(&l, l.group, VFIO_GROUP_SET_CONTAINER, &l.container), 0);
	REFUSED(call(&l, l.group, VFIO_GROUP_SET_CONTAINER, &l.container), EINVAL);
	REFUSED(call(&l, l.group, VFIO_GROUP_GET_DEVICE_FD, bdf), EINVAL);
	REFUSED(value(&l, l.container, VFIO_SET_IOMMU, 99), ENODEV);
	CHECK_EQ(value(&l, l.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), 0);
	REFUSED(call(&l, l.group, VFIO_GROUP_GET_DEVICE_FD, (char[]){"0000:00:11.0"}), ENODEV);
	l.dev = call(&l, l.group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	CHECK(l.dev >= 0);
	REFUSED(value(&l, l.group, VFIO_GROUP_UNSET_CONTAINER, 0), EBUSY);
	REFUSED(bind_dev(&l, l.dev), EINVAL);
	/* The group is in use until the device's descriptor is closed, too. */
	CHECK_EQ(l.s->close(l.s->arg, l.group), 0);
	REFUSED(open_dev(&l, "vfio/7"), EBUSY);
	CHECK_EQ(l.s->close(l.s->arg, l.dev), 0);
	l.dev = -1;
	l.group = open_dev(&l, "vfio/7");
	CHECK(l.group >= 0);
	lab_free(&l);
}

TEST(vfio, a_group_with_a_foreign_driver_is_not_viable)
{
	struct vfio_group_status st = {.argsz = sizeof(st)};
	struct fake_pci *f2 = fake_new("two", NULL, NULL);
	struct fake_vfio_dev *two;
	struct lab l;

	lab_new(&l, NULL);
	two = fake_vfio_add(l.k, "0000:00:10.1", 7, f2);
	fake_vfio_bind(two, "ixgbe");
	l.container = open_dev(&l, "vfio/vfio");
	l.group = open_dev(&l, "vfio/7");
	CHECK_EQ(call(&l, l.group, VFIO_GROUP_GET_STATUS, &st), 0);
	CHECK_EQ(st.flags, 0);
	REFUSED(call(&l, l.group, VFIO_GROUP_SET_CONTAINER, &l.container), EPERM);
	fake_vfio_bind(two, NULL);
	CHECK_EQ(call(&l, l.group, VFIO_GROUP_SET_CONTAINER, &l.container), 0);
	lab_free(&l);
	fake_free(f2);
}

TEST(vfio, type1_maps_as_the_kernel_does)
{
	uint64_t done;
	uint8_t buf[64];
	struct lab l;

	lab_new(&l, NULL);
	by_group(&l);
	REFUSED(map1(&l, RAM, 4096, 0), EINVAL);
	REFUSED(map1(&l, RAM + 1, 4096, RW), EINVAL);
	REFUSED(map1(&l, RAM, 100, RW), EINVAL);
	REFUSED(map1(&l, RAM, 0, RW), EINVAL);
	REFUSED(map1(&l, UINT64_C(1) << 39, 4096, RW), EINVAL); /* 39 bits end before it */
	REFUSED(map1(&l, 0xfee00000, 4096, RW), EINVAL);        /* MSI */
	CHECK_EQ(map1(&l, (UINT64_C(1) << 39) - 4096, 4096, RW), 0);
	CHECK_EQ(map1(&l, RAM, 2 * MIB, RW), 0);
	REFUSED(map1(&l, RAM + MIB, 4096, RW), EEXIST);
	CHECK_EQ(fake_vfio_locked(l.k), 2 * MIB + 4096);
	REFUSED(unmap1(&l, RAM, MIB, &done), EINVAL); /* cuts it */
	CHECK_EQ(unmap1(&l, RAM + 8 * MIB, MIB, &done), 0);
	CHECK_EQ(done, 0);
	/* DMA goes where it is mapped, once the device is a master. */
	CHECK_EQ(fake_dma_write(l.f, RAM, buf, 64), -EFAULT);
	fake_cfg_set(l.f, 4, 2, 6);
	memset(buf, 0xa5, sizeof(buf));
	CHECK_EQ(fake_dma_write(l.f, RAM + 4096, buf, 64), 0);
	CHECK_EQ(memcmp(l.mem + 4096, buf, 64), 0);
	CHECK_EQ(unmap1(&l, RAM, 2 * MIB, &done), 0);
	CHECK_EQ(done, 2 * MIB);
	CHECK_EQ(fake_dma_write(l.f, RAM + 4096, buf, 64), -EFAULT);
	CHECK_EQ(map1(&l, RAM, 4096, VFIO_DMA_MAP_FLAG_READ), 0);
	CHECK_EQ(fake_dma_read(l.f, RAM, buf, 64), 0);
	CHECK_EQ(fake_dma_write(l.f, RAM, buf, 64), -EFAULT);
	munmap(l.mem + MIB, MIB);
	REFUSED(map1(&l, 2 * RAM, 2 * MIB, RW), EFAULT); /* a hole in the process's memory */
	/* When the last group leaves, nothing is mapped or counted any more. */
	CHECK_EQ(l.s->close(l.s->arg, l.dev), 0);
	CHECK_EQ(l.s->close(l.s->arg, l.group), 0);
	l.dev = l.group = -1;
	CHECK_EQ(fake_vfio_locked(l.k), 0);
	lab_free(&l);
}

TEST(vfio, locked_memory_and_mappings_have_limits)
{
	struct fake_vfio_opts o = FAKE_VFIO_OPTS_INIT;
	struct lab l;

	o.memlock = MIB;
	o.dma_avail = 2;
	lab_new(&l, &o);
	by_group(&l);
	REFUSED(map1(&l, RAM, 2 * MIB, RW), ENOMEM);
	CHECK_EQ(map1(&l, RAM, MIB, RW), 0);
	REFUSED(map1(&l, 2 * RAM, 4096, RW), ENOMEM);
	o.memlock = 4 * MIB;
	lab_free(&l);
	lab_new(&l, &o);
	by_group(&l);
	CHECK_EQ(map1(&l, RAM, 4096, RW), 0);
	CHECK_EQ(map1(&l, 2 * RAM, 4096, RW), 0);
	REFUSED(map1(&l, 3 * RAM, 4096, RW), ENOSPC);
	lab_free(&l);
}

TEST(vfio, type1_info_has_capabilities)
{
	struct {
		struct vfio_iommu_type1_info i;
		uint8_t room[512];
	} a;
	const struct vfio_iommu_type1_info_cap_iova_range *r = NULL;
	struct vfio_info_cap_header h;
	struct lab l;

	lab_new(&l, NULL);
	by_group(&l);
	memset(&a, 0, sizeof(a));
	a.i.argsz = 8;
	REFUSED(call(&l, l.container, VFIO_IOMMU_GET_INFO, &a), EINVAL);
	a.i.argsz = sizeof(a.i);
	CHECK_EQ(call(&l, l.container, VFIO_IOMMU_GET_INFO, &a), 0);
	CHECK(a.i.argsz > sizeof(a.i)); /* so much it takes */
	CHECK_EQ(a.i.cap_offset, 0);
	CHECK_EQ(call(&l, l.container, VFIO_IOMMU_GET_INFO, &a), 0);
	CHECK_EQ(a.i.iova_pgsizes, 0x40201000);
	for (uint32_t at = a.i.cap_offset; at != 0; at = h.next) {
		memcpy(&h, (uint8_t *)&a + at, sizeof(h));
		if (h.id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			r = (const void *)((uint8_t *)&a + at);
	}
	CHECK(r != NULL);
	CHECK_EQ(r->nr_iovas, 2);
	CHECK_EQ(r->iova_ranges[0].end, 0xfedfffff);
	CHECK_EQ(r->iova_ranges[1].start, 0xfef00000);
	CHECK_EQ(r->iova_ranges[1].end, 0x7fffffffff);
	lab_free(&l);
}

static int ioas_map(struct lab *l, uint32_t ioas, uint64_t iova, uint64_t len, uint32_t flags)
{
	struct iommu_uapi_ioas_map m = {.size = sizeof(m),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = (uintptr_t)l->mem,
		.length = len,
		.iova = iova};

	return call(l, l->iommu, IOMMU_UAPI_IOAS_MAP, &m);
}

static int ioas_copy(struct lab *l, uint32_t to, uint32_t from, uint64_t iova, uint64_t len)
{
	struct iommu_uapi_ioas_copy c = {.size = sizeof(c),
		.flags = IOMMU_UAPI_MAP_FIXED_IOVA | IOMMU_UAPI_MAP_READABLE,
		.dst_ioas_id = to,
		.src_ioas_id = from,
		.length = len,
		.dst_iova = iova,
		.src_iova = iova};

	return call(l, l->iommu, IOMMU_UAPI_IOAS_COPY, &c);
}

static int ioas_unmap(struct lab *l, uint32_t ioas, uint64_t iova, uint64_t len)
{
	struct iommu_uapi_ioas_unmap u = {
		.size = sizeof(u), .ioas_id = ioas, .iova = iova, .length = len};

	return call(l, l->iommu, IOMMU_UAPI_IOAS_UNMAP, &u);
}

#define FIXED (IOMMU_UAPI_MAP_FIXED_IOVA | IOMMU_UAPI_MAP_READABLE | IOMMU_UAPI_MAP_WRITEABLE)

TEST(vfio, a_device_is_bound_before_it_is_used)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	uint8_t b[4];
	struct lab l;
	int other;

	lab_new(&l, NULL);
	l.iommu = open_dev(&l, "iommu");
	l.dev = open_dev(&l, "vfio/devices/vfio0");
	REFUSED(call(&l, l.dev, VFIO_DEVICE_GET_INFO, &info), EINVAL);
	REFUSED(l.s->pread(l.s->arg, l.dev, b, 4, UINT64_C(7) << 40), EINVAL);
	REFUSED(attach(&l, 1), EINVAL);
	CHECK_EQ(bind_dev(&l, l.dev), 0);
	REFUSED(bind_dev(&l, l.dev), EINVAL);
	other = open_dev(&l, "vfio/devices/vfio0");
	REFUSED(bind_dev(&l, other), EINVAL);
	CHECK_EQ(l.s->close(l.s->arg, other), 0);
	REFUSED(open_dev(&l, "vfio/7"), EBUSY);
	REFUSED(attach(&l, 99), ENOENT);
	CHECK_EQ(call(&l, l.dev, VFIO_DEVICE_GET_INFO, &info), 0);
	CHECK_EQ(info.flags, VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
	CHECK_EQ(l.s->pread(l.s->arg, l.dev, b, 4, UINT64_C(7) << 40), 4);
	CHECK_EQ(b[0] | b[1] << 8, 0x8086);
	lab_free(&l);
	/* And not while the group is open. */
	lab_new(&l, NULL);
	by_group(&l);
	l.iommu = open_dev(&l, "iommu");
	other = open_dev(&l, "vfio/devices/vfio0");
	REFUSED(bind_dev(&l, other), EBUSY);
	CHECK_EQ(l.s->close(l.s->arg, other), 0);
	lab_free(&l);
}

TEST(vfio, an_ioas_maps_copies_and_unmaps_whole_ranges)
{
	struct iommu_uapi_destroy gone = {.size = sizeof(gone)};
	uint32_t two;
	struct lab l;

	lab_new(&l, NULL);
	by_cdev(&l);
	two = new_ioas(&l);
	REFUSED(ioas_map(&l, 99, RAM, 4096, FIXED), ENOENT);
	REFUSED(ioas_map(&l, l.ioas, RAM, 4096, FIXED | 64), EOPNOTSUPP);
	REFUSED(ioas_map(&l, l.ioas, RAM, 4096, IOMMU_UAPI_MAP_FIXED_IOVA), EINVAL);
	REFUSED(ioas_map(&l, l.ioas, RAM + 16, 4096, FIXED), EINVAL);
	REFUSED(ioas_map(&l, l.ioas, 0xfee00000, 4096, FIXED), EINVAL);
	REFUSED(ioas_map(&l, l.ioas, UINT64_C(1) << 39, 4096, FIXED), EINVAL);
	CHECK_EQ(ioas_map(&l, l.ioas, RAM, MIB, FIXED), 0);
	REFUSED(ioas_map(&l, l.ioas, RAM, MIB, FIXED), EEXIST);
	REFUSED(ioas_copy(&l, two, l.ioas, RAM, 4096), ENOENT); /* not all of it */
	CHECK_EQ(ioas_copy(&l, two, l.ioas, RAM, MIB), 0);
	REFUSED(ioas_copy(&l, two, l.ioas, RAM, MIB), EEXIST);
	CHECK_EQ(fake_vfio_locked(l.k), MIB); /* counted once */
	REFUSED(ioas_unmap(&l, l.ioas, RAM, 4096), ENOENT);
	CHECK_EQ(ioas_unmap(&l, l.ioas, RAM, MIB), 0);
	REFUSED(ioas_unmap(&l, l.ioas, RAM, MIB), ENOENT);
	CHECK_EQ(fake_vfio_locked(l.k), MIB); /* the copy holds it */
	gone.id = l.ioas;
	REFUSED(call(&l, l.iommu, IOMMU_UAPI_DESTROY, &gone), EBUSY);
	gone.id = two;
	CHECK_EQ(call(&l, l.iommu, IOMMU_UAPI_DESTROY, &gone), 0);
	CHECK_EQ(fake_vfio_locked(l.k), 0);
	lab_free(&l);
}

TEST(vfio, ranges_of_an_ioas_narrow_with_its_devices)
{
	struct iommu_uapi_iova_range r[3];
	struct iommu_uapi_ioas_iova_ranges a = {
		.size = sizeof(a), .num_iovas = 1, .allowed_iovas = (uintptr_t)r};
	struct lab l;
	uint32_t two;

	lab_new(&l, NULL);
	by_cdev(&l);
	two = new_ioas(&l);
	a.ioas_id = two;
	CHECK_EQ(call(&l, l.iommu, IOMMU_UAPI_IOAS_IOVA_RANGES, &a), 0);
	CHECK(r[0].start == 0 && r[0].last == UINT64_MAX);
	a.ioas_id = l.ioas;
	REFUSED(call(&l, l.iommu, IOMMU_UAPI_IOAS_IOVA_RANGES, &a), EMSGSIZE);
	CHECK_EQ(a.num_iovas, 2);
	CHECK_EQ(call(&l, l.iommu, IOMMU_UAPI_IOAS_IOVA_RANGES, &a), 0);
	CHECK(r[1].start == 0xfef00000 && r[1].last == 0x7fffffffff);
	a.reserved = 1;
	REFUSED(call(&l, l.iommu, IOMMU_UAPI_IOAS_IOVA_RANGES, &a), EOPNOTSUPP);
	/* What is mapped there does not let the device in. */
	CHECK_EQ(ioas_map(&l, two, 0xfee00000, 4096, FIXED), 0);
	REFUSED(attach(&l, two), EADDRINUSE);
	lab_free(&l);
}

static int set_irqs(struct lab *l, uint32_t index, uint32_t start, uint32_t n, const int *fds)
{
	union {
		struct vfio_irq_set s;
		uint8_t room[sizeof(struct vfio_irq_set) + 8 * sizeof(int)];
	} a;

	memset(&a, 0, sizeof(a));
	a.s.argsz = (uint32_t)(sizeof(a.s) + n * sizeof(int));
	a.s.flags = VFIO_IRQ_SET_ACTION_TRIGGER;
	a.s.flags |= fds != NULL ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE;
	a.s.index = index;
	a.s.start = start;
	a.s.count = n;
	if (fds != NULL)
		memcpy(a.s.data, fds, n * sizeof(int));
	return call(l, l->dev, VFIO_DEVICE_SET_IRQS, &a);
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

TEST(vfio, interrupts_are_set_one_type_at_a_time)
{
	const struct vfio_irq_set unmask = {.argsz = sizeof(unmask),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
		.index = VFIO_PCI_INTX_IRQ_INDEX,
		.count = 1};
	struct vfio_irq_info info = {.argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX};
	int fds[6];
	struct lab l;
	uint64_t v;

	lab_new(&l, NULL);
	by_group(&l);
	for (int i = 0; i < 6; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK_EQ(call(&l, l.dev, VFIO_DEVICE_GET_IRQ_INFO, &info), 0);
	CHECK_EQ(info.count, 5);
	REFUSED(set_irqs(&l, VFIO_PCI_MSIX_IRQ_INDEX, 0, 6, fds), EINVAL);
	REFUSED(set_irqs(&l, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, fds), EINVAL); /* there is none */
	REFUSED(set_irqs(&l, VFIO_PCI_MSIX_IRQ_INDEX, 0, 0, NULL), EINVAL);
	CHECK_EQ(set_irqs(&l, VFIO_PCI_MSIX_IRQ_INDEX, 0, 2, fds), 0);
	REFUSED(set_irqs(&l, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, fds), EINVAL);
	REFUSED(set_irqs(&l, VFIO_PCI_MSIX_IRQ_INDEX, 2, 1, fds), EINVAL); /* no growing */
	fake_irq(l.f, 1);
	CHECK(!readable(fds[0]) && readable(fds[1]));
	CHECK_EQ(set_irqs(&l, VFIO_PCI_MSIX_IRQ_INDEX, 0, 0, NULL), 0);
	fake_irq(l.f, 0);
	CHECK(!readable(fds[0]));
	l.d->msix_grant = 1;
	CHECK_EQ(set_irqs(&l, VFIO_PCI_MSIX_IRQ_INDEX, 0, 2, fds), 1); /* one can be had */
	CHECK_EQ(set_irqs(&l, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, fds), 0);
	fake_vfio_intx(l.d);
	CHECK(readable(fds[0]));
	CHECK_EQ(read(fds[0], &v, 8), 8);
	fake_vfio_intx(l.d);
	CHECK(!readable(fds[0])); /* masked */
	CHECK_EQ(call(&l, l.dev, VFIO_DEVICE_SET_IRQS, (void *)(uintptr_t)&unmask), 0);
	fake_vfio_intx(l.d);
	CHECK(readable(fds[0]));
	CHECK_EQ(set_irqs(&l, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, &fds[5]), 0);
	fake_vfio_request(l.d);
	CHECK(readable(fds[5]));
	for (int i = 0; i < 6; i++)
		close(fds[i]);
	lab_free(&l);
}

TEST(vfio, regions_are_read_written_and_mapped)
{
	struct vfio_region_info r = {.argsz = sizeof(r), .index = 0};
	volatile uint32_t *win;
	uint32_t v = 0x12345678;
	struct lab l;

	lab_new(&l, NULL);
	l.d->n_areas = 1;
	l.d->areas[0] = (struct plx_range){0x1000, 0x1fff};
	by_group(&l);
	CHECK_EQ(call(&l, l.dev, VFIO_DEVICE_GET_REGION_INFO, &r), 0);
	CHECK_EQ(r.size, 65536);
	CHECK((r.flags & VFIO_REGION_INFO_FLAG_CAPS) != 0);
	CHECK(r.argsz > sizeof(r));
	REFUSED(l.s->pread(l.s->arg, l.dev, &v, 4, r.offset), EIO); /* decoding is off */
	l.f->cfg[4] = 2;
	CHECK_EQ(l.s->pwrite(l.s->arg, l.dev, &v, 4, r.offset + 0x1004), 4);
	CHECK(l.s->mmap(l.s->arg, 8192, PROT_READ, MAP_SHARED, l.dev, r.offset) == MAP_FAILED);
	CHECK(l.s->mmap(l.s->arg, 4096, PROT_READ, MAP_PRIVATE, l.dev, r.offset + 4096) ==
		MAP_FAILED);
	win = l.s->mmap(l.s->arg, 4096, PROT_READ, MAP_SHARED, l.dev, r.offset + 4096);
	CHECK(win != MAP_FAILED);
	CHECK_EQ(win[1], 0x12345678);
	CHECK_HAS(fake_vfio_left(l.k), "window of 4096 bytes");
	REFUSED(l.s->munmap(l.s->arg, (void *)(uintptr_t)win, 8192), EINVAL);
	CHECK_EQ(l.s->munmap(l.s->arg, (void *)(uintptr_t)win, 4096), 0);
	lab_free(&l);
}

TEST(vfio, hot_reset_wants_proof)
{
	union {
		struct vfio_pci_hot_reset_info i;
		uint8_t room[64];
	} a;
	union {
		struct vfio_pci_hot_reset r;
		uint8_t room[16];
	} r;
	struct fake_pci *f2 = fake_new("two", NULL, NULL);
	struct fake_vfio_dev *two;
	struct lab l;

	memset(&a, 0, sizeof(a));
	memset(&r, 0, sizeof(r));
	a.i.argsz = sizeof(a.i);
	r.r.argsz = sizeof(r);
	r.r.count = 1;
	lab_new(&l, NULL);
	two = fake_vfio_add(l.k, "0000:00:10.1", 8, f2);
	by_group(&l);
	REFUSED(call(&l, l.dev, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &a), ENODEV);
	l.d->reset_set = two->reset_set = 1;
	REFUSED(call(&l, l.dev, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &a), ENOSPC);
	CHECK_EQ(a.i.count, 2);
	a.i.argsz = sizeof(a);
	CHECK_EQ(call(&l, l.dev, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &a), 0);
	CHECK_EQ(a.i.devices[1].group_id, 8);
	CHECK_EQ(a.i.devices[1].devfn, 0x81);
	r.r.group_fds[0] = l.group;
	REFUSED(call(&l, l.dev, VFIO_DEVICE_PCI_HOT_RESET, &r), EINVAL); /* group 8 is not shown */
	two->reset_set = 0;
	CHECK_EQ(call(&l, l.dev, VFIO_DEVICE_PCI_HOT_RESET, &r), 0);
	CHECK_EQ(l.d->n_hot_resets, 1);
	lab_free(&l);
	fake_free(f2);
}

TEST(vfio, faults_strike_where_they_are_put)
{
	struct vfio_group_status st = {.argsz = sizeof(st)};
	struct lab l;
	uint32_t v;

	lab_new(&l, NULL);
	fake_vfio_fail(l.k, FAKE_VFIO_OPEN_CONTAINER, 1, EACCES);
	REFUSED(open_dev(&l, "vfio/vfio"), EACCES);
	by_group(&l);
	fake_vfio_lie(l.k, FAKE_VFIO_GROUP_GET_STATUS, 2, FAKE_VFIO_ONES);
	CHECK_EQ(call(&l, l.group, VFIO_GROUP_GET_STATUS, &st), 0);
	CHECK_EQ(st.flags, 3);
	CHECK_EQ(call(&l, l.group, VFIO_GROUP_GET_STATUS, &st), 0);
	CHECK_EQ(st.flags, UINT32_MAX);
	fake_vfio_lie(l.k, FAKE_VFIO_CFG_READ, 0, FAKE_VFIO_SHORT);
	CHECK_EQ(l.s->pread(l.s->arg, l.dev, &v, 4, UINT64_C(7) << 40), 2);
	CHECK_EQ(l.s->pread(l.s->arg, l.dev, &v, 4, UINT64_C(7) << 40), 2);
	fake_vfio_heal(l.k);
	CHECK_EQ(l.s->pread(l.s->arg, l.dev, &v, 4, UINT64_C(7) << 40), 4);
	CHECK_EQ(fake_vfio_struck(l.k), 4);
	CHECK_EQ(fake_vfio_traced(l.k, 0)->err, EACCES);
	lab_free(&l);
}

TEST(vfio, sysfs_says_what_is_bound_to_what)
{
	char path[512], to[256];
	struct lab l;
	ssize_t n;
	int fd;

	lab_new(&l, NULL);
	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/driver", l.s->sysfs, BDF);
	n = readlink(path, to, sizeof(to) - 1);
	CHECK(n > 0);
	to[n] = '\0';
	CHECK_STR(strrchr(to, '/'), "/vfio-pci");
	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/vendor", l.s->sysfs, BDF);
	fd = l.s->open(l.s->arg, path, O_RDONLY);
	CHECK_EQ(l.s->pread(l.s->arg, fd, to, sizeof(to), 0), 7);
	CHECK_EQ(memcmp(to, "0x8086\n", 7), 0);
	CHECK_EQ(l.s->close(l.s->arg, fd), 0);
	snprintf(path, sizeof(path), "%s/vfio/7", l.s->dev);
	CHECK_EQ(access(path, F_OK), 0);
	fake_vfio_bind(l.d, "e1000e");
	CHECK_EQ(access(path, F_OK), -1);
	REFUSED(open_dev(&l, "vfio/7"), ENOENT);
	REFUSED(open_dev(&l, "vfio/devices/vfio0"), ENOENT);
	lab_free(&l);
}
