/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake kernel's interrupts (VFIO_DEVICE_SET_IRQS) and hot resets. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_priv.h"
#include "fake_vfio_priv.h"

uint32_t fv_irq_count(const struct fake_vfio_dev *d, uint32_t index)
{
	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return d->f->irq_max[PLX_IRQ_INTX] != 0;
	case VFIO_PCI_MSI_IRQ_INDEX:
		return d->f->irq_max[PLX_IRQ_MSI];
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return d->f->irq_max[PLX_IRQ_MSIX];
	case VFIO_PCI_ERR_IRQ_INDEX:
		return d->f->cap_exp != 0;
	default:
		return index == VFIO_PCI_REQ_IRQ_INDEX;
	}
}

/* The device signals by the descriptors that are set; INTx goes through fake_vfio_intx(). */
static void sync_model(struct fake_vfio_dev *d)
{
	static const enum plx_irq_type types[] = {PLX_IRQ_INTX, PLX_IRQ_MSI, PLX_IRQ_MSIX};
	struct fake_pci *f = d->f;

	fake_lock(f);
	f->irq_type = d->irq_type < 0 ? PLX_IRQ_NONE : types[d->irq_type];
	f->n_irqs = d->irq_type > VFIO_PCI_INTX_IRQ_INDEX ? d->n_irqs : 0;
	memcpy(f->irq_fds, d->irq_fds, d->n_irqs * sizeof(int));
	fake_unlock(f);
}

static void drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void all_off(struct fake_vfio_dev *d)
{
	for (uint32_t i = 0; i < d->n_irqs; i++)
		drop(&d->irq_fds[i]);
	d->n_irqs = 0;
	d->irq_type = -1;
	d->intx_masked = false;
	sync_model(d);
}

void fv_irqs_off(struct fake_vfio_dev *d)
{
	all_off(d);
	drop(&d->err_fd);
	drop(&d->req_fd);
}

/* The kernel's own reference of a program's eventfd. */
static int keep(int fd, int *out)
{
	int own;

	drop(out);
	if (fd == -1)
		return 0;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return -EBADF;
	*out = own;
	return 0;
}

static long set_fds(struct fake_vfio_dev *d, uint32_t start, uint32_t n, const uint8_t *data)
{
	for (uint32_t i = 0; i < n; i++) {
		int fd, err;

		memcpy(&fd, data + 4 * i, sizeof(fd));
		err = fd < -1 ? -EINVAL : keep(fd, &d->irq_fds[start + i]);
		if (err < 0) {
			for (uint32_t u = 0; u < i; u++)
				drop(&d->irq_fds[start + u]);
			sync_model(d);
			return err;
		}
	}
	sync_model(d);
	return 0;
}

static long trigger_msi(struct fake_vfio_dev *d, const struct vfio_irq_set *s)
{
	uint32_t type = s->flags & VFIO_IRQ_SET_DATA_TYPE_MASK, want = s->start + s->count;
	bool mine = d->irq_type == (int)s->index;
	long err;

	if (mine && s->count == 0 && type == VFIO_IRQ_SET_DATA_NONE) {
		all_off(d);
		return 0;
	}
	if (!mine && d->irq_type >= 0)
		return -EINVAL; /* another type is on */
	if (type != VFIO_IRQ_SET_DATA_EVENTFD)
		return mine && want <= d->n_irqs ? 0 : -EINVAL;
	if (mine)
		return want > d->n_irqs ? -EINVAL : set_fds(d, s->start, s->count, s->data);
	/* Fewer than asked for: how many there would be, and nothing is set. */
	if (d->msix_grant != 0 && want > d->msix_grant)
		return d->msix_grant;
	if (want > FAKE_IRQS)
		return -ENOSPC;
	d->irq_type = (int)s->index;
	d->n_irqs = want;
	for (uint32_t i = 0; i < want; i++)
		d->irq_fds[i] = -1;
	err = set_fds(d, s->start, s->count, s->data);
	if (err < 0)
		all_off(d);
	return err;
}

static long trigger_intx(struct fake_vfio_dev *d, const struct vfio_irq_set *s)
{
	uint32_t type = s->flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	bool mine = d->irq_type == VFIO_PCI_INTX_IRQ_INDEX;
	long err;

	if (mine && s->count == 0 && type == VFIO_IRQ_SET_DATA_NONE) {
		all_off(d);
		return 0;
	}
	if ((!mine && d->irq_type >= 0) || s->start != 0 || s->count != 1)
		return -EINVAL;
	if (type != VFIO_IRQ_SET_DATA_EVENTFD)
		return mine ? 0 : -EINVAL;
	if (!mine) {
		d->irq_type = VFIO_PCI_INTX_IRQ_INDEX;
		d->n_irqs = 1;
		d->irq_fds[0] = -1;
		d->intx_masked = false;
	}
	err = set_fds(d, 0, 1, s->data);
	if (err < 0)
		all_off(d);
	return err;
}

/* ERR and REQ: one descriptor. */
static long trigger_single(int *fd, const struct vfio_irq_set *s)
{
	const uint64_t one = 1;
	int given;

	if (s->start != 0 || s->count > 1)
		return -EINVAL;
	if ((s->flags & VFIO_IRQ_SET_DATA_EVENTFD) != 0 && s->count != 0) {
		memcpy(&given, s->data, sizeof(given));
		return keep(given, fd);
	}
	if ((s->flags & VFIO_IRQ_SET_DATA_NONE) == 0 || *fd < 0)
		return -EINVAL;
	if (s->count == 0)
		drop(fd);
	else if (write(*fd, &one, sizeof(one)) < 0)
		return -EIO;
	return 0;
}

static long mask_intx(struct fake_vfio_dev *d, const struct vfio_irq_set *s, bool mask)
{
	if (d->irq_type != VFIO_PCI_INTX_IRQ_INDEX || s->start != 0 || s->count != 1)
		return -EINVAL;
	if ((s->flags & VFIO_IRQ_SET_DATA_EVENTFD) != 0)
		return mask ? -ENOTTY : -EINVAL; /* irqfd of the unmasking kind is not modelled */
	if ((s->flags & VFIO_IRQ_SET_DATA_NONE) != 0 || s->data[0] != 0)
		d->intx_masked = mask;
	return 0;
}

static long check_set(const struct fake_vfio_dev *d, const struct vfio_irq_set *s)
{
	uint32_t types = s->flags & VFIO_IRQ_SET_DATA_TYPE_MASK, n, size;
	uint32_t actions = s->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;

	if (s->argsz < 20 || s->index >= VFIO_PCI_NUM_IRQS || s->count >= UINT32_MAX - s->start ||
		(s->flags & ~(uint32_t)(VFIO_IRQ_SET_DATA_TYPE_MASK |
					VFIO_IRQ_SET_ACTION_TYPE_MASK)) != 0)
		return -EINVAL;
	n = fv_irq_count(d, s->index);
	if (s->start >= n || s->start + s->count > n || actions == 0 ||
		(actions & (actions - 1)) != 0)
		return -EINVAL;
	switch (types) {
	case VFIO_IRQ_SET_DATA_NONE:
		size = 0;
		break;
	case VFIO_IRQ_SET_DATA_BOOL:
		size = 1;
		break;
	case VFIO_IRQ_SET_DATA_EVENTFD:
		size = 4;
		break;
	default:
		return -EINVAL;
	}
	if (size != 0 && (s->count == 0 || s->argsz - 20 < s->count * size))
		return -EINVAL;
	return 0;
}

long fv_set_irqs(struct fake_vfio_dev *d, const struct vfio_irq_set *s)
{
	uint32_t action = s->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
	long err = check_set(d, s);

	if (err < 0)
		return err;
	if (s->index == VFIO_PCI_INTX_IRQ_INDEX && action != VFIO_IRQ_SET_ACTION_TRIGGER)
		return mask_intx(d, s, action == VFIO_IRQ_SET_ACTION_MASK);
	if (action != VFIO_IRQ_SET_ACTION_TRIGGER)
		return -ENOTTY;
	switch (s->index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return trigger_intx(d, s);
	case VFIO_PCI_ERR_IRQ_INDEX:
		return trigger_single(&d->err_fd, s);
	case VFIO_PCI_REQ_IRQ_INDEX:
		return trigger_single(&d->req_fd, s);
	default:
		return trigger_msi(d, s);
	}
}

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		abort();
}

void fake_vfio_request(struct fake_vfio_dev *d)
{
	pthread_mutex_lock(&d->k->lock);
	signal_fd(d->req_fd);
	pthread_mutex_unlock(&d->k->lock);
}

void fake_vfio_intx(struct fake_vfio_dev *d)
{
	pthread_mutex_lock(&d->k->lock);
	if (d->irq_type == VFIO_PCI_INTX_IRQ_INDEX && !d->intx_masked) {
		d->intx_masked = true;
		signal_fd(d->irq_fds[0]);
	}
	pthread_mutex_unlock(&d->k->lock);
}

/* ---- hot reset ---- */

/* What a device's number is for the one who asks, and whether it is theirs. */
static uint32_t number_for(
	const struct fake_vfio *k, const struct fv_fd *fd, const struct fake_vfio_dev *o)
{
	const struct fake_vfio_dev *d = fv_dev(fd);

	if (fd->group != NULL)
		return o->group;
	if (o->driver == NULL || strcmp(o->driver, "vfio-pci") != 0)
		return VFIO_UAPI_DEVID_NOT_OWNED;
	if (o->iommufd == d->iommufd)
		return o->devid;
	for (unsigned i = 0; i < k->n_devs; i++)
		if (k->devs[i]->group == o->group && k->devs[i]->iommufd == d->iommufd)
			return VFIO_UAPI_DEVID_OWNED;
	return VFIO_UAPI_DEVID_NOT_OWNED;
}

long fv_hot_reset_info(struct fake_vfio *k, struct fv_fd *fd, struct vfio_pci_hot_reset_info *info)
{
	const struct fake_vfio_dev *d = fv_dev(fd);
	bool owned = true;
	uint32_t n = 0, room;

	if (info->argsz < sizeof(*info))
		return -EINVAL;
	if (d->reset_set == 0)
		return -ENODEV;
	room = (uint32_t)((info->argsz - sizeof(*info)) / sizeof(info->devices[0]));
	for (unsigned i = 0; i < k->n_devs; i++) {
		const struct fake_vfio_dev *o = k->devs[i];
		unsigned bus = 0, slot = 0, func = 0;

		if (o->reset_set != d->reset_set)
			continue;
		owned = owned && number_for(k, fd, o) != VFIO_UAPI_DEVID_NOT_OWNED;
		if (n < room && sscanf(o->bdf, "%*x:%x:%x.%x", &bus, &slot, &func) == 3) {
			info->devices[n].group_id = number_for(k, fd, o);
			info->devices[n].segment = 0;
			info->devices[n].bus = (uint8_t)bus;
			info->devices[n].devfn = (uint8_t)(slot << 3 | func);
		}
		n++;
	}
	info->count = n;
	info->flags = 0;
	if (fd->group == NULL)
		info->flags =
			VFIO_UAPI_HOT_RESET_DEV_ID | (owned ? VFIO_UAPI_HOT_RESET_DEV_ID_OWNED : 0);
	return n > room ? -ENOSPC : 0;
}

/* Groups whose descriptors are shown prove whose their devices are. */
static bool proven(struct fake_vfio *k, const struct vfio_pci_hot_reset *r, unsigned group)
{
	for (uint32_t i = 0; i < r->count; i++) {
		struct fv_fd *g = fv_fd_of(k, r->group_fds[i], FV_GROUP);

		if (g != NULL && ((struct fv_group *)g->obj)->number == group)
			return true;
	}
	return false;
}

long fv_hot_reset(struct fake_vfio *k, struct fv_fd *fd, const struct vfio_pci_hot_reset *r)
{
	struct fake_vfio_dev *d = fv_dev(fd);

	if (r->argsz < sizeof(*r) || r->flags != 0)
		return -EINVAL;
	if (d->reset_set == 0)
		return -ENODEV;
	if ((r->count != 0) != (fd->group != NULL))
		return -EINVAL;
	for (uint32_t i = 0; i < r->count; i++)
		if (fv_fd_of(k, r->group_fds[i], FV_GROUP) == NULL)
			return -EINVAL;
	for (unsigned i = 0; i < k->n_devs; i++) {
		const struct fake_vfio_dev *o = k->devs[i];

		if (o->reset_set != d->reset_set)
			continue;
		if (o->driver == NULL || strcmp(o->driver, "vfio-pci") != 0)
			return -EINVAL;
		if (fd->group != NULL ? !proven(k, r, o->group)
				      : number_for(k, fd, o) == VFIO_UAPI_DEVID_NOT_OWNED)
			return -EINVAL;
	}
	for (unsigned i = 0; i < k->n_devs; i++) {
		struct fake_vfio_dev *o = k->devs[i];

		if (o->reset_set != d->reset_set)
			continue;
		o->n_hot_resets++;
		fv_device_reset(o);
	}
	return 0;
}
