/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake kernel: descriptors and the system calls on them. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_vfio_priv.h"

void *fv_must(void *p)
{
	if (p == NULL) {
		fprintf(stderr, "fake kernel: no memory\n");
		abort();
	}
	return p;
}

/* ---- descriptors ---- */

int fv_fd_new(struct fake_vfio *k, enum fv_kind kind, void *obj)
{
	for (unsigned i = 0; i < FAKE_VFIO_FDS; i++) {
		struct fv_fd *f = &k->fds[i];
		int fd;

		if (f->kind != FV_NONE)
			continue;
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		*f = (struct fv_fd){.fd = fd, .kind = kind, .obj = obj};
		return fd;
	}
	return -EMFILE;
}

struct fv_fd *fv_fd_find(struct fake_vfio *k, int fd)
{
	for (unsigned i = 0; i < FAKE_VFIO_FDS; i++)
		if (k->fds[i].kind != FV_NONE && k->fds[i].fd == fd)
			return &k->fds[i];
	return NULL;
}

struct fv_fd *fv_fd_of(struct fake_vfio *k, int fd, enum fv_kind kind)
{
	struct fv_fd *f = fv_fd_find(k, fd);

	return f != NULL && f->kind == kind ? f : NULL;
}

/* ---- open ---- */

static long open_container(struct fake_vfio *k)
{
	struct fv_container *c;
	int fd;

	if (k->opts.no_vfio || k->opts.no_group)
		return -ENOENT;
	c = fv_must(calloc(1, sizeof(*c)));
	c->refs = 1;
	fd = fv_fd_new(k, FV_CONTAINER, c);
	if (fd < 0)
		fv_container_put(k, c);
	return fd;
}

static long open_iommu(struct fake_vfio *k)
{
	struct fv_iommu *o;
	int fd;

	if (k->opts.no_vfio || k->opts.no_cdev || k->opts.no_iommufd)
		return -ENOENT;
	o = fv_must(calloc(1, sizeof(*o)));
	o->refs = 1;
	fd = fv_fd_new(k, FV_IOMMU, o);
	if (fd < 0)
		fv_iommu_put(k, o);
	return fd;
}

static long open_cdev(struct fake_vfio *k, unsigned index)
{
	for (unsigned i = 0; i < k->n_devs && !k->opts.no_cdev && !k->opts.no_vfio; i++) {
		struct fake_vfio_dev *d = k->devs[i];

		if (d->index == index && d->group != UINT32_MAX && d->driver != NULL &&
			strcmp(d->driver, "vfio-pci") == 0)
			return fv_fd_new(k, FV_DEVICE, d);
	}
	return -ENOENT;
}

static long open_file(struct fake_vfio *k, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (unsigned i = 0; i < FAKE_VFIO_FDS; i++)
		if (k->fds[i].kind == FV_NONE) {
			k->fds[i] = (struct fv_fd){.fd = fd, .kind = FV_FILE};
			return fd;
		}
	close(fd);
	return -EMFILE;
}

static enum fake_vfio_call which_open(const struct fake_vfio *k, const char *path, unsigned *n)
{
	size_t dev = strlen(k->dev);
	int end = 0;

	if (strncmp(path, k->dev, dev) != 0 || path[dev] != '/')
		return FAKE_VFIO_OPEN_OTHER;
	path += dev;
	if (strcmp(path, "/vfio/vfio") == 0)
		return FAKE_VFIO_OPEN_CONTAINER;
	if (strcmp(path, "/iommu") == 0)
		return FAKE_VFIO_OPEN_IOMMU;
	if (sscanf(path, "/vfio/devices/vfio%u%n", n, &end) == 1 && path[end] == '\0')
		return FAKE_VFIO_OPEN_CDEV;
	if (sscanf(path, "/vfio/%u%n", n, &end) == 1 && path[end] == '\0')
		return FAKE_VFIO_OPEN_GROUP;
	return FAKE_VFIO_OPEN_OTHER;
}

/* What a call returns from a value or -errno; notes it. */
static int give(struct fake_vfio *k, enum fake_vfio_call call, long r)
{
	if (r < 0) {
		errno = (int)-r;
		r = -1;
	}
	fv_note(k, call, (int)r);
	return (int)r;
}

static int sys_open(void *arg, const char *path, int flags)
{
	struct fake_vfio *k = arg;
	enum fake_vfio_call call;
	enum fake_vfio_lie lie;
	unsigned n = 0;
	long r;

	pthread_mutex_lock(&k->lock);
	call = which_open(k, path, &n);
	if (fv_strike(k, call, &lie))
		r = -errno;
	else if (call == FAKE_VFIO_OPEN_CONTAINER)
		r = open_container(k);
	else if (call == FAKE_VFIO_OPEN_IOMMU)
		r = open_iommu(k);
	else if (call == FAKE_VFIO_OPEN_CDEV)
		r = open_cdev(k, n);
	else if (call == FAKE_VFIO_OPEN_GROUP)
		r = fv_group_open(k, n);
	else
		r = open_file(k, path, flags);
	r = give(k, call, r);
	pthread_mutex_unlock(&k->lock);
	return (int)r;
}

/* ---- close ---- */

static void release(struct fake_vfio *k, struct fv_fd *f)
{
	struct fv_fd was = *f;

	f->kind = FV_NONE;
	close(was.fd);
	switch (was.kind) {
	case FV_CONTAINER:
		fv_container_put(k, was.obj);
		break;
	case FV_GROUP:
		fv_group_put(k, was.obj);
		break;
	case FV_DEVICE:
		fv_device_close(k, &was);
		break;
	case FV_IOMMU:
		fv_iommu_put(k, was.obj);
		break;
	default:
		break;
	}
}

/* A close that fails has closed, as on Linux. */
static int sys_close(void *arg, int fd)
{
	struct fake_vfio *k = arg;
	enum fake_vfio_lie lie;
	struct fv_fd *f;
	long r = 0;

	pthread_mutex_lock(&k->lock);
	if (fv_strike(k, FAKE_VFIO_CLOSE, &lie))
		r = -errno;
	f = fv_fd_find(k, fd);
	if (f != NULL)
		release(k, f);
	else if (r == 0)
		r = -EBADF;
	r = give(k, FAKE_VFIO_CLOSE, r);
	pthread_mutex_unlock(&k->lock);
	return (int)r;
}

/* ---- ioctl ---- */

/* Some numbers mean one thing to one kind of descriptor and another to the next. */
static enum fake_vfio_call which_ioctl(enum fv_kind kind, unsigned long request)
{
	static const struct {
		enum fv_kind kind;
		unsigned long request;
		enum fake_vfio_call call;
	} rows[] = {
		{FV_CONTAINER, VFIO_GET_API_VERSION, FAKE_VFIO_GET_API_VERSION},
		{FV_CONTAINER, VFIO_CHECK_EXTENSION, FAKE_VFIO_CHECK_EXTENSION},
		{FV_CONTAINER, VFIO_SET_IOMMU, FAKE_VFIO_SET_IOMMU},
		{FV_CONTAINER, VFIO_IOMMU_GET_INFO, FAKE_VFIO_IOMMU_GET_INFO},
		{FV_CONTAINER, VFIO_IOMMU_MAP_DMA, FAKE_VFIO_IOMMU_MAP_DMA},
		{FV_CONTAINER, VFIO_IOMMU_UNMAP_DMA, FAKE_VFIO_IOMMU_UNMAP_DMA},
		{FV_GROUP, VFIO_GROUP_GET_STATUS, FAKE_VFIO_GROUP_GET_STATUS},
		{FV_GROUP, VFIO_GROUP_SET_CONTAINER, FAKE_VFIO_GROUP_SET_CONTAINER},
		{FV_GROUP, VFIO_GROUP_UNSET_CONTAINER, FAKE_VFIO_GROUP_UNSET_CONTAINER},
		{FV_GROUP, VFIO_GROUP_GET_DEVICE_FD, FAKE_VFIO_GROUP_GET_DEVICE_FD},
		{FV_DEVICE, VFIO_DEVICE_GET_INFO, FAKE_VFIO_DEVICE_GET_INFO},
		{FV_DEVICE, VFIO_DEVICE_GET_REGION_INFO, FAKE_VFIO_DEVICE_GET_REGION_INFO},
		{FV_DEVICE, VFIO_DEVICE_GET_IRQ_INFO, FAKE_VFIO_DEVICE_GET_IRQ_INFO},
		{FV_DEVICE, VFIO_DEVICE_SET_IRQS, FAKE_VFIO_DEVICE_SET_IRQS},
		{FV_DEVICE, VFIO_DEVICE_RESET, FAKE_VFIO_DEVICE_RESET},
		{FV_DEVICE, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
			FAKE_VFIO_DEVICE_GET_PCI_HOT_RESET_INFO},
		{FV_DEVICE, VFIO_DEVICE_PCI_HOT_RESET, FAKE_VFIO_DEVICE_PCI_HOT_RESET},
		{FV_DEVICE, VFIO_UAPI_BIND_IOMMUFD, FAKE_VFIO_DEVICE_BIND_IOMMUFD},
		{FV_DEVICE, VFIO_UAPI_ATTACH_IOMMUFD_PT, FAKE_VFIO_DEVICE_ATTACH_IOMMUFD_PT},
		{FV_DEVICE, VFIO_UAPI_DETACH_IOMMUFD_PT, FAKE_VFIO_DEVICE_DETACH_IOMMUFD_PT},
		{FV_IOMMU, IOMMU_UAPI_DESTROY, FAKE_VFIO_DESTROY},
		{FV_IOMMU, IOMMU_UAPI_IOAS_ALLOC, FAKE_VFIO_IOAS_ALLOC},
		{FV_IOMMU, IOMMU_UAPI_IOAS_IOVA_RANGES, FAKE_VFIO_IOAS_IOVA_RANGES},
		{FV_IOMMU, IOMMU_UAPI_IOAS_MAP, FAKE_VFIO_IOAS_MAP},
		{FV_IOMMU, IOMMU_UAPI_IOAS_COPY, FAKE_VFIO_IOAS_COPY},
		{FV_IOMMU, IOMMU_UAPI_IOAS_UNMAP, FAKE_VFIO_IOAS_UNMAP},
	};

	for (size_t i = 0; i < PLX_ARRAY_SIZE(rows); i++)
		if (rows[i].kind == kind && rows[i].request == request)
			return rows[i].call;
	return FAKE_VFIO_OTHER_IOCTL;
}

static long do_ioctl(struct fake_vfio *k, struct fv_fd *f, unsigned long request, void *p)
{
	switch (f->kind) {
	case FV_CONTAINER:
		return fv_container_ioctl(k, f->obj, request, p);
	case FV_GROUP:
		return fv_group_ioctl(k, f->obj, request, p);
	case FV_DEVICE:
		return fv_device_ioctl(k, f, request, p);
	case FV_IOMMU:
		return fv_iommu_ioctl(k, f->obj, request, p);
	default:
		return -ENOTTY;
	}
}

static int sys_ioctl(void *arg, int fd, unsigned long request, void *p)
{
	struct fake_vfio *k = arg;
	enum fake_vfio_call call = FAKE_VFIO_OTHER_IOCTL;
	enum fake_vfio_lie lie;
	struct fv_fd *f;
	long r;
	int ret;

	pthread_mutex_lock(&k->lock);
	f = fv_fd_find(k, fd);
	if (f != NULL)
		call = which_ioctl(f->kind, request);
	if (fv_strike(k, call, &lie))
		r = -errno;
	else if (f == NULL)
		r = -EBADF;
	else if (call == FAKE_VFIO_DEVICE_SET_IRQS && lie == FAKE_VFIO_SHORT)
		r = 0; /* nothing is set, and fv_spoil() says how many there are */
	else
		r = do_ioctl(k, f, request, p);
	if (r >= 0 && lie != FAKE_VFIO_TRUE)
		r = ret = fv_spoil(k, call, p, (int)r, lie);
	else
		r = ret = r < 0 ? (errno = (int)-r, -1) : (int)r;
	if (ret >= 0 && k->answer != NULL)
		ret = k->answer(k->answer_arg, call, p, ret);
	if (ret < 0 && errno == ENOMEM) {
		fv_tree_locked(k); /* who is told so looks there for the reason */
		errno = ENOMEM;
	}
	fv_note(k, call, ret);
	pthread_mutex_unlock(&k->lock);
	return ret;
}

/* ---- reads, writes, mappings ---- */

static enum fake_vfio_call which_rw(const struct fv_fd *f, uint64_t off, bool write)
{
	if (f == NULL || f->kind != FV_DEVICE)
		return FAKE_VFIO_FILE_READ;
	if (off >> FV_INDEX_SHIFT == VFIO_PCI_CONFIG_REGION_INDEX)
		return write ? FAKE_VFIO_CFG_WRITE : FAKE_VFIO_CFG_READ;
	return write ? FAKE_VFIO_BAR_WRITE : FAKE_VFIO_BAR_READ;
}

static ssize_t rw(struct fake_vfio *k, int fd, void *buf, size_t n, uint64_t off, bool write)
{
	struct fv_fd *f;
	enum fake_vfio_call call;
	enum fake_vfio_lie lie;
	ssize_t r;

	pthread_mutex_lock(&k->lock);
	f = fv_fd_find(k, fd);
	call = which_rw(f, off, write);
	if (fv_strike(k, call, &lie))
		r = -errno;
	else if (f == NULL)
		r = -EBADF;
	else if (f->kind == FV_DEVICE && !f->granted)
		r = -EINVAL;
	else if (lie == FAKE_VFIO_SHORT && f->kind == FV_DEVICE)
		r = (ssize_t)(n / 2); /* the device sees nothing of it */
	else if (f->kind == FV_DEVICE)
		r = fv_device_rw(f->obj, buf, n, off, write);
	else if (f->kind == FV_FILE && !write)
		r = pread(fd, buf, lie == FAKE_VFIO_SHORT ? n / 2 : n, (off_t)off);
	else
		r = -EINVAL;
	if (r > 0 && !write)
		fv_spoil_bytes(k, buf, (size_t)r, lie);
	r = give(k, call, r);
	pthread_mutex_unlock(&k->lock);
	return r;
}

static ssize_t sys_pread(void *arg, int fd, void *buf, size_t n, uint64_t off)
{
	return rw(arg, fd, buf, n, off, false);
}

static ssize_t sys_pwrite(void *arg, int fd, const void *buf, size_t n, uint64_t off)
{
	return rw(arg, fd, (void *)(uintptr_t)buf, n, off, true);
}

static void *sys_mmap(void *arg, size_t len, int prot, int flags, int fd, uint64_t off)
{
	struct fake_vfio *k = arg;
	void *va = MAP_FAILED;
	enum fake_vfio_lie lie;
	struct fv_fd *f;

	pthread_mutex_lock(&k->lock);
	f = fv_fd_of(k, fd, FV_DEVICE);
	if (!fv_strike(k, FAKE_VFIO_MMAP, &lie)) {
		errno = f == NULL ? EBADF : EINVAL;
		if (f != NULL && f->granted)
			va = fv_device_mmap(f->obj, len, prot, flags, off);
	}
	fv_note(k, FAKE_VFIO_MMAP, va == MAP_FAILED ? -1 : 0);
	pthread_mutex_unlock(&k->lock);
	return va;
}

static int sys_munmap(void *arg, void *va, size_t len)
{
	struct fake_vfio *k = arg;
	enum fake_vfio_lie lie;
	long r = -EINVAL;

	pthread_mutex_lock(&k->lock);
	len = plx_align_up(len, 4096);
	if (fv_strike(k, FAKE_VFIO_MUNMAP, &lie))
		r = -errno;
	for (unsigned i = 0; i < FAKE_VFIO_WINDOWS; i++) {
		struct fv_window *w = &k->windows[i];

		if (w->va != va || w->len != len)
			continue;
		w->va = NULL;
		w->f->n_windows--;
		if (r == -EINVAL)
			r = 0;
		break;
	}
	r = give(k, FAKE_VFIO_MUNMAP, r);
	pthread_mutex_unlock(&k->lock);
	return (int)r;
}

/* ---- the kernel ---- */

struct fake_vfio *fake_vfio_new(const struct fake_vfio_opts *opts)
{
	static const struct fake_vfio_opts defaults = FAKE_VFIO_OPTS_INIT;
	struct fake_vfio *k = fv_must(calloc(1, sizeof(*k)));
	pthread_mutexattr_t attr;

	k->opts = opts != NULL ? *opts : defaults;
	k->noise = 4711;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&k->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	fv_tree_new(k);
	k->sys = (struct plx_vfio_sys){
		.arg = k,
		.sysfs = k->sysfs,
		.dev = k->dev,
		.open = sys_open,
		.close = sys_close,
		.ioctl = sys_ioctl,
		.pread = sys_pread,
		.pwrite = sys_pwrite,
		.mmap = sys_mmap,
		.munmap = sys_munmap,
		.proc = k->proc,
	};
	return k;
}

void fake_vfio_free(struct fake_vfio *k)
{
	if (k == NULL)
		return;
	for (unsigned i = 0; i < FAKE_VFIO_FDS; i++)
		if (k->fds[i].kind != FV_NONE)
			release(k, &k->fds[i]);
	fv_tree_free(k);
	for (unsigned i = 0; i < k->n_devs; i++)
		free(k->devs[i]);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

const struct plx_vfio_sys *fake_vfio_sys(struct fake_vfio *k)
{
	return &k->sys;
}

struct fake_vfio_dev *fake_vfio_add(
	struct fake_vfio *k, const char *bdf, unsigned group, struct fake_pci *f)
{
	struct fake_vfio_dev *d = fv_must(calloc(1, sizeof(*d)));

	if (k->n_devs == PLX_ARRAY_SIZE(k->devs))
		fv_must(NULL);
	snprintf(d->bdf, sizeof(d->bdf), "%s", bdf);
	d->group = k->opts.no_iommu ? UINT32_MAX : group;
	d->index = k->n_devs;
	d->driver = "vfio-pci";
	d->f = f;
	d->k = k;
	d->irq_type = d->err_fd = d->req_fd = -1;
	k->devs[k->n_devs++] = d;
	fv_tree_dev(d);
	fv_tree_bind(d);
	return d;
}

void fake_vfio_bind(struct fake_vfio_dev *d, const char *driver)
{
	pthread_mutex_lock(&d->k->lock);
	d->driver = driver;
	fv_tree_bind(d);
	pthread_mutex_unlock(&d->k->lock);
}

const char *fake_vfio_left(struct fake_vfio *k)
{
	static const char *const kinds[] = {"", "container", "group", "device", "iommufd", "file"};
	size_t n = 0;

	k->left[0] = '\0';
#define LEFT(...)                                                                             \
	do {                                                                                  \
		if (n < sizeof(k->left))                                                      \
			n += (size_t)snprintf(k->left + n, sizeof(k->left) - n, __VA_ARGS__); \
	} while (0)
	for (unsigned i = 0; i < FAKE_VFIO_FDS; i++)
		if (k->fds[i].kind != FV_NONE)
			LEFT("%s open; ", kinds[k->fds[i].kind]);
	for (unsigned i = 0; i < FAKE_VFIO_WINDOWS; i++)
		if (k->windows[i].va != NULL)
			LEFT("window of %zu bytes; ", k->windows[i].len);
	if (k->locked != 0)
		LEFT("%" PRIu64 " bytes locked; ", k->locked);
	for (unsigned i = 0; i < k->n_devs; i++) {
		const struct fake_vfio_dev *d = k->devs[i];

		if (d->irq_type >= 0 || d->err_fd >= 0 || d->req_fd >= 0)
			LEFT("%s: interrupts set; ", d->bdf);
		if ((d->f->cfg[0x04] & 4) != 0)
			LEFT("%s: bus mastering on; ", d->bdf);
	}
#undef LEFT
	return k->left;
}
