/* SPDX-License-Identifier: BSD-3-Clause */
#include <unistd.h>

#include "vfu_rig.h"

static void quiet(void *arg, enum plx_log_level level, const char *tag, const char *text)
{
}

void vfu_rig_begin(struct vfu_rig *r, const struct vfu_opts *opts)
{
	static const struct vfu_opts defaults = VFU_OPTS_INIT;

	memset(r, 0, sizeof(*r));
	strcpy(r->dir, "/tmp/plx-vfu-XXXXXX");
	CHECK(mkdtemp(r->dir) != NULL);
	snprintf(r->path, sizeof(r->path), "%s/s", r->dir);
	r->opts = opts != NULL ? *opts : defaults;
	r->f = fake_new("behind", NULL, NULL);
	fake_ids(r->f, 0x1234, 0x5678, 0x9abc, 0xdef0, 0x020000);
	fake_bar(r->f, 0, RIG_BAR, 0);
	fake_bar(r->f, 1, RIG_BAR, FAKE_BAR_64);
	fake_bar(r->f, 3, RIG_BAR, 0);
	fake_cap_pm(r->f, false);
	fake_cap_pcie(r->f, true);
	fake_cap_msix(r->f, RIG_VECTORS, 3, 0, 0x2000);
	r->s = vfu_start(r->path, r->f, &r->opts);
	vfu_rig_context(r, false);
}

void vfu_rig_context(struct vfu_rig *r, bool thread)
{
	struct plx_ctx_opts o = PLX_CTX_OPTS_INIT;

	plx_ctx_close(r->ctx);
	o.huge = PLX_HUGE_NONE;
	o.log_fn = quiet;
	o.control_thread = thread;
	r->ctx = NULL;
	CHECK_EQ(plx_ctx_open(&o, &r->ctx), 0);
}

int vfu_rig_open(struct vfu_rig *r, const char *options)
{
	struct plx_opts *opts;
	int err;

	snprintf(r->dev_text, sizeof(r->dev_text), "vfio-user:%s%s", r->path, options);
	CHECK_EQ(plx_opts_parse(r->dev_text, &opts), 0);
	err = plx_pci_open(r->ctx, opts, &r->dev);
	if (err == 0)
		CHECK_EQ(plx_opts_finish(opts), 0);
	plx_opts_free(opts);
	return err;
}

void vfu_rig_close(struct vfu_rig *r)
{
	plx_pci_close(r->dev);
	r->dev = NULL;
}

void vfu_rig_restart(struct vfu_rig *r)
{
	if (r->s != NULL)
		vfu_stop(r->s);
	r->s = vfu_start(r->path, r->f, &r->opts);
}

void vfu_rig_end(struct vfu_rig *r)
{
	vfu_rig_close(r);
	plx_ctx_close(r->ctx);
	CHECK_STR(vfu_violation(r->s), "");
	vfu_stop(r->s);
	fake_free(r->f);
	rmdir(r->dir);
}
