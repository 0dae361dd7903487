/* SPDX-License-Identifier: BSD-3-Clause */
/* Resets and interrupts. */
#include <unistd.h>

#include "bench.h"

static void open_with_address(struct bench *b)
{
	CHECK_EQ(bench_open(b), 0);
	plx_pci_cfg_write(b->dev, 0x10, 4, 0xfe000000);
	CHECK_EQ(plx_pci_set_master(b->dev, true), 0);
}

static void after_reset(const struct bench *b)
{
	CHECK_EQ(b->f->n_resets, 1);
	CHECK(!fake_master(b->f));
	CHECK_EQ(b->f->cfg[0x04] & 2, 2);
	CHECK_EQ(fake_cfg_get(b->f, 0x10, 4), 0xfe000000);
}

TEST(reset, by_function_level_reset)
{
	struct bench b;

	bench_new(&b, NULL, NULL);
	fake_cap_pcie(b.f, true);
	open_with_address(&b);
	CHECK_EQ(plx_pci_reset(b.dev), 0);
	after_reset(&b);
	CHECK(b.f->now_ns >= 100 * MS);
	bench_free(&b);
}

TEST(reset, by_power_cycle)
{
	struct bench b;

	bench_new(&b, NULL, NULL);
	fake_cap_pcie(b.f, false);
	fake_cap_pm(b.f, false);
	open_with_address(&b);
	CHECK_EQ(plx_pci_reset(b.dev), 0);
	after_reset(&b);
	bench_free(&b);
}

TEST(reset, by_the_transport)
{
	struct bench b;

	bench_new(&b, NULL, NULL);
	b.f->has_reset = true;
	open_with_address(&b);
	CHECK_EQ(plx_pci_reset(b.dev), 0);
	after_reset(&b);
	fake_inject(b.f, FAKE_RESET, 1, FAKE_FAIL);
	CHECK_EQ(plx_pci_reset(b.dev), -EIO);
	bench_free(&b);
}

TEST(reset, the_device_has_none)
{
	struct bench b;

	bench_new(&b, NULL, NULL);
	fake_cap_pm(b.f, true);
	open_with_address(&b);
	CHECK_EQ(plx_pci_reset(b.dev), -ENOTSUP);
	CHECK_HAS(plx_errmsg(), "its own reset register");
	CHECK(!fake_master(b.f));
	bench_free(&b);
}

/* It says it can and does nothing: found out by the BARs, and the next rung is tried. */
TEST(reset, a_reset_that_did_not)
{
	struct bench b;

	bench_new(&b, NULL, NULL);
	fake_cap_pcie(b.f, true);
	open_with_address(&b);
	b.f->cap_exp = 0; /* the fake no longer looks at the bit */
	CHECK_EQ(plx_pci_reset(b.dev), -EIO);
	CHECK_HAS(plx_errmsg(), "did not reset");
	CHECK_EQ(fake_cfg_get(b.f, 0x10, 4), 0xfe000000);
	fake_cap_pm(b.f, false);
	CHECK_EQ(plx_pci_reset(b.dev), 0);
	CHECK_EQ(b.f->n_resets, 1);
	bench_free(&b);
}

static void leave(struct fake_pci *f)
{
	fake_remove(f);
}

TEST(reset, the_device_does_not_come_back)
{
	static const struct fake_ops ops = {.reset = leave};
	struct bench b;

	bench_new(&b, &ops, NULL);
	fake_cap_pcie(b.f, true);
	open_with_address(&b);
	CHECK_EQ(plx_pci_reset(b.dev), -ENODEV);
	CHECK_HAS(plx_errmsg(), "did not come back");
	CHECK(plx_pci_gone(b.dev));
	bench_free(&b);
}

/* ---- interrupts ---- */

static uint64_t fired(struct bench *b, uint32_t vector)
{
	uint64_t n = 0;

	return read(plx_pci_irq_fd(b->dev, vector), &n, sizeof(n)) == (ssize_t)sizeof(n) ? n : 0;
}

TEST(irq, best_type_and_sharing)
{
	enum plx_irq_type type;
	struct bench b;
	uint32_t got;

	bench_new(&b, NULL, NULL);
	fake_cap_msix(b.f, 3, 0, 0, 0x1000);
	b.f->irq_max[PLX_IRQ_MSI] = 1;
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_irq_fd(b.dev, 0), -ENOTSUP);
	CHECK_EQ(plx_pci_irq_enable(b.dev, 0, &got, &type), -EINVAL);
	CHECK_EQ(plx_pci_irq_enable(b.dev, 5, &got, &type), 0);
	CHECK_EQ(got, 3);
	CHECK_EQ(type, PLX_IRQ_MSIX);
	CHECK_EQ(plx_pci_irq_fd(b.dev, 4), plx_pci_irq_fd(b.dev, 1));
	fake_irq(b.f, 2);
	CHECK_EQ(fired(&b, 2), 1);
	CHECK_EQ(fired(&b, 1), 0);
	fake_irq(b.f, 3);
	CHECK_EQ(b.f->irqs_lost, 1);
	CHECK_EQ(plx_pci_irq_enable(b.dev, 1, &got, &type), -EBUSY);
	plx_pci_irq_disable(b.dev);
	CHECK_EQ(b.f->n_irqs, 0);
	b.f->irq_max[PLX_IRQ_MSIX] = 0;
	CHECK_EQ(plx_pci_irq_enable(b.dev, 2, &got, &type), 0);
	CHECK_EQ(got, 1);
	CHECK_EQ(type, PLX_IRQ_MSI);
	bench_free(&b); /* closing turns them off */
}

TEST(irq, errors)
{
	enum plx_irq_type type;
	struct bench b;
	uint32_t got;

	bench_new(&b, NULL, NULL);
	CHECK_EQ(bench_open(&b), 0);
	CHECK_EQ(plx_pci_irq_enable(b.dev, 1, &got, &type), -ENOTSUP);
	CHECK_HAS(plx_errmsg(), "has no interrupts");
	b.f->irq_max[PLX_IRQ_INTX] = 1;
	fake_inject(b.f, FAKE_IRQ_SET, 1, FAKE_FAIL);
	CHECK_EQ(plx_pci_irq_enable(b.dev, 1, &got, &type), -EIO);
	CHECK_HAS(plx_errmsg(), "1 vectors of INTx");
	CHECK_EQ(plx_pci_irq_enable(b.dev, 1, &got, &type), 0);
	CHECK_EQ(type, PLX_IRQ_INTX);
	bench_free(&b);
}
