// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel module that goes wrong on purpose:
 *	insmod faults.ko fault=NAME [cpu=N] [seconds=S]
 * N is the processor it happens on (by default whichever insmod is on), S how long
 * late lasts.
 */
#include <linux/bug.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/timex.h>

static char *fault = "";
module_param(fault, charp, 0);
static int cpu = -1;
module_param(cpu, int, 0);
static int seconds = 30;
module_param(seconds, int, 0);

/* Each has a frame of its own, to be found in a backtrace. */
static noinline void fault_spin(void)
{
	unsigned long flags;

	pr_emerg("faults: spinning with interrupts off on CPU %d\n", raw_smp_processor_id());
	local_irq_save(flags);
	for (;;)
		barrier();
}

/* As QEMU's constant timer counts. */
#define TIMER_FREQUENCY 100000000ul

/* A processor that comes to its senses when another kernel runs already. */
static noinline void fault_late(void)
{
	cycles_t end = get_cycles() + seconds * TIMER_FREQUENCY;
	unsigned long flags;

	pr_emerg("faults: spinning with interrupts off on CPU %d, for %d s\n",
		 raw_smp_processor_id(), seconds);
	local_irq_save(flags);
	while (get_cycles() < end)
		barrier();
	local_irq_restore(flags);
}

static noinline void fault_soft(void)
{
	pr_emerg("faults: spinning without preemption on CPU %d\n", raw_smp_processor_id());
	preempt_disable();
	for (;;)
		barrier();
}

static noinline void fault_panic(void)
{
	panic("faults: panic on CPU %d", raw_smp_processor_id());
}

static noinline void fault_bug(void)
{
	BUG();
}

static noinline void fault_null(void)
{
	int *volatile nowhere = NULL;

	*nowhere = 1;
}

static noinline void fault_hung(void)
{
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule();
	}
}

static noinline void fault_irq(void *unused)
{
	panic("faults: panic in an interrupt on CPU %d", raw_smp_processor_id());
}

static const struct {
	const char *name;
	void (*happen)(void);
} table[] = {
	{ "spin", fault_spin },
	{ "late", fault_late },
	{ "soft", fault_soft },
	{ "panic", fault_panic },
	{ "bug", fault_bug },
	{ "null", fault_null },
	{ "hung", fault_hung },
};

static int happen(void *which)
{
	table[(unsigned long)which].happen();
	return 0;
}

static int __init faults_init(void)
{
	/* The call arrives as an interrupt, from another processor. */
	if (!strcmp(fault, "irq"))
		return smp_call_function_single(cpu < 0 ? 0 : cpu, fault_irq, NULL, 1);
	for (unsigned long i = 0; i < ARRAY_SIZE(table); i++) {
		if (strcmp(fault, table[i].name))
			continue;
		if (cpu < 0)
			return happen((void *)i);
		return smp_call_on_cpu(cpu, happen, (void *)i, false);
	}
	pr_err("faults: fault= is spin, late, soft, panic, bug, null, hung or irq\n");
	return -EINVAL;
}
module_init(faults_init);

MODULE_DESCRIPTION("goes wrong on purpose");
MODULE_LICENSE("GPL");
