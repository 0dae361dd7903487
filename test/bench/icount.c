/* SPDX-License-Identifier: BSD-3-Clause */
#include <capstone/capstone.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "icount.h"

volatile bool icount_armed;

/* Shared with the child. */
struct shared {
	uint64_t mmio, mmio_len;
};
static struct shared *shared;

void icount_mmio(const volatile void *mem, size_t len)
{
	shared->mmio = (uintptr_t)mem;
	shared->mmio_len = len;
}

struct stepper {
	pid_t pid;
	csh cs;
	cs_insn *insn;
	uint64_t last_rip;
	struct icount *out;
};

static uint64_t reg_value(const struct user_regs_struct *r, x86_reg reg)
{
	switch (reg) {
	case X86_REG_RAX:
		return r->rax;
	case X86_REG_RBX:
		return r->rbx;
	case X86_REG_RCX:
		return r->rcx;
	case X86_REG_RDX:
		return r->rdx;
	case X86_REG_RSI:
		return r->rsi;
	case X86_REG_RDI:
		return r->rdi;
	case X86_REG_RBP:
		return r->rbp;
	case X86_REG_RSP:
		return r->rsp;
	case X86_REG_R8:
		return r->r8;
	case X86_REG_R9:
		return r->r9;
	case X86_REG_R10:
		return r->r10;
	case X86_REG_R11:
		return r->r11;
	case X86_REG_R12:
		return r->r12;
	case X86_REG_R13:
		return r->r13;
	case X86_REG_R14:
		return r->r14;
	case X86_REG_R15:
		return r->r15;
	default:
		return 0;
	}
}

static bool is_mmio(const struct stepper *s, const struct user_regs_struct *r, const x86_op_mem *m)
{
	uint64_t at = reg_value(r, m->base) +
		      reg_value(r, m->index) * (uint64_t)(unsigned)m->scale + (uint64_t)m->disp;

	if (m->base == X86_REG_RIP)
		at = r->rip + s->insn->size + (uint64_t)m->disp;
	return at - shared->mmio < shared->mmio_len;
}

/* Operands in memory that are no accesses: addresses to compute, hints. */
static bool no_access(unsigned id)
{
	switch (id) {
	case X86_INS_LEA:
	case X86_INS_NOP:
	case X86_INS_PREFETCH:
	case X86_INS_PREFETCHW:
	case X86_INS_PREFETCHNTA:
	case X86_INS_PREFETCHT0:
	case X86_INS_PREFETCHT1:
	case X86_INS_PREFETCHT2:
		return true;
	default:
		return false;
	}
}

/*
 * What an operand in memory is: capstone 4.0.2 calls the destination of a vector move a source. In its
 * order the destination comes first, and a move reads none of it.
 */
static uint8_t access_of(const cs_insn *insn, uint8_t i)
{
	static const char *const moves[] = {"mov", "vmov", "vextract", "vpextr", "pextr"};

	for (size_t k = 0; k < sizeof(moves) / sizeof(moves[0]); k++)
		if (strncmp(insn->mnemonic, moves[k], strlen(moves[k])) == 0)
			return i == 0 ? CS_AC_WRITE : CS_AC_READ;
	return insn->detail->x86.operands[i].access;
}

static void count_operands(struct stepper *s, const struct user_regs_struct *r)
{
	const cs_x86 *x = &s->insn->detail->x86;
	bool load = false, store = false;

	for (uint8_t i = 0; i < x->op_count; i++) {
		const cs_x86_op *op = &x->operands[i];
		const uint8_t access = access_of(s->insn, i);
		bool mmio;

		if (op->type != X86_OP_MEM || no_access(s->insn->id))
			continue;
		mmio = is_mmio(s, r, &op->mem);
		if (access & CS_AC_WRITE) {
			store = true;
			s->out->mmio_writes += mmio;
		}
		/* where it does not say, it is the source of a vector instruction */
		if ((access & CS_AC_READ) || access == 0) {
			load = true;
			s->out->mmio_reads += mmio;
		}
		s->out->atomics += s->insn->id == X86_INS_XCHG;
	}
	switch (s->insn->id) { /* the stack */
	case X86_INS_PUSH:
	case X86_INS_CALL:
		store = true;
		break;
	case X86_INS_POP:
	case X86_INS_RET:
	case X86_INS_LEAVE:
		load = true;
		break;
	default:
		break;
	}
	s->out->loads += load;
	s->out->stores += store;
	s->out->atomics += x->prefix[0] == X86_PREFIX_LOCK;
}

/* One instruction about to run; the child's code is at the same place here. */
static void look(struct stepper *s, const struct user_regs_struct *r)
{
	const uint8_t *code = (const uint8_t *)(uintptr_t)r->rip;
	uint64_t at = r->rip;
	size_t len = 15;

	if (r->rip == s->last_rip && (*code == 0xf2 || *code == 0xf3))
		return; /* the next round of a repeated string instruction */
	s->last_rip = r->rip;
	s->out->instructions++;
	if (cs_disasm_iter(s->cs, &code, &len, &at, s->insn))
		count_operands(s, r);
	else
		s->out->unknown++; /* capstone 4.0.2 does not know vbroadcasti128, for one */
}

static int step_region(struct stepper *s)
{
	struct user_regs_struct r;
	int status;

	s->out->regions++;
	s->last_rip = 0;
	for (;;) {
		if (ptrace(PTRACE_GETREGS, s->pid, NULL, &r) != 0)
			return -1;
		if (*(const uint8_t *)(uintptr_t)r.rip == 0xcc) {
			r.rip++; /* past the int3 that ends it */
			return ptrace(PTRACE_SETREGS, s->pid, NULL, &r) == 0 ? 0 : -1;
		}
		look(s, &r);
		if (ptrace(PTRACE_SINGLESTEP, s->pid, NULL, NULL) != 0 ||
			waitpid(s->pid, &status, 0) != s->pid || !WIFSTOPPED(status) ||
			WSTOPSIG(status) != SIGTRAP)
			return -1;
	}
}

static int follow(struct stepper *s)
{
	int status, sig = 0;

	while (waitpid(s->pid, &status, 0) == s->pid) {
		if (WIFEXITED(status))
			return WEXITSTATUS(status) == 0 ? 0 : -1;
		if (!WIFSTOPPED(status))
			return -1;
		sig = WSTOPSIG(status);
		if (sig == SIGTRAP) {
			if (step_region(s) != 0)
				break;
			sig = 0;
		} else if (sig == SIGSTOP) {
			sig = 0;
		}
		if (ptrace(PTRACE_CONT, s->pid, NULL, (void *)(intptr_t)sig) != 0)
			break;
	}
	kill(s->pid, SIGKILL);
	waitpid(s->pid, &status, 0);
	return -1;
}

int icount_run(void (*fn)(void *arg), void *arg, struct icount *out)
{
	struct stepper s = {.out = out};
	int err = -1;

	memset(out, 0, sizeof(*out));
	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -1;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &s.cs) != CS_ERR_OK)
		return -1;
	cs_option(s.cs, CS_OPT_DETAIL, CS_OPT_ON);
	s.insn = cs_malloc(s.cs);
	fflush(NULL);
	s.pid = fork();
	if (s.pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(3);
		raise(SIGSTOP);
		fn(arg);
		_exit(0);
	}
	if (s.pid > 0)
		err = follow(&s);
	if (err != 0)
		fprintf(stderr, "icount: the counted program failed, or may not be traced here\n");
	munmap(shared, sizeof(*shared));
	cs_free(s.insn, 1);
	cs_close(&s.cs);
	return err;
}
