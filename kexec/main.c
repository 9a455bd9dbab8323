/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kexec/arch.h"
#include "kexec/armed.h"
#include "kexec/cmdline.h"
#include "kexec/image.h"
#include "kexec/load.h"
#include "kexec/machine.h"
#include "kexec/options.h"
#include "kexec/plan.h"
#include "kexec/rules.h"
#include "kexec/show.h"
#include "kexec/snapshot.h"
#include "kexec/start.h"
#include "lib/file.h"

#define INITRD_LIMIT ((size_t)2 << 30)

/* What -S answers when it cannot tell, as kexec-tools does. */
#define STATUS_FAILED 255

/* This machine's own /proc says nothing about a loongarch64 system. */
static struct error *require_described(const struct options *o)
{
	if (strcmp(o->system, "/") != 0 || !strcmp(arch_native(), "loongarch64"))
		return NULL;
	return error_remedy(
		error_new(ERROR_UNSUPPORTED, "this build of kexec runs on %s; planning works "
			  "here for a recorded system, loading does not", arch_native()),
		"Record a loongarch64 system there with kexec --snapshot=DIR, then use "
		"--dry-run --system=DIR here.");
}

static struct error *make_words(const struct options *o, const struct machine *machine,
				char **ret)
{
	char *reused cleanup_free = NULL;
	struct error *err;

	/* In a capture kernel mem= is kexec's own word. */
	if (o->reuse_cmdline) {
		err = cmdline_remove(machine->cmdline,
				     o->crash || cmdline_has(machine->cmdline, "elfcorehdr") ?
					     cmdline_not_reused : cmdline_not_reused_normal,
				     &reused, NULL);
		if (err)
			return err;
	}
	return cmdline_join(reused, o->append, ret);
}

static struct error *read_initrd(const char *path, struct blob *ret)
{
	struct error *err = file_read(path, INITRD_LIMIT, ret);

	if (!err && !ret->size)
		err = error_new(ERROR_FORMAT, "%s is empty", path);
	return error_remedy(error_add(err, "reading the initrd"),
			    "Check --initrd=, or build the initrd first.");
}

static void print_warnings(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->warning_count; i++)
		fprintf(stderr, "kexec: warning: %s\n", plan->warnings[i]);
}

static struct error *print_plan(const struct options *o, const struct image *image,
				const struct machine *machine, const struct plan *plan,
				const struct rule_result results[RULE_COUNT])
{
	if (o->json)
		return show_json(stdout, image, machine, plan, results);
	if (o->map == MAP_SVG) {
		show_map_svg(stdout, plan);
		return NULL;
	}
	if (o->debug || o->dry_run) {
		show_image(stdout, o->kernel, image);
		show_plan(stdout, plan, machine);
	}
	if (o->debug || o->dry_run || o->map == MAP_TEXT)
		show_map(stdout, plan);
	if (o->debug)
		show_rules(stdout, results);
	return NULL;
}

/* --- two images, one command line --- */

static const char in_the_way[] =
	"the kernel keeps one command line for the crash kernel and the next kernel";

/*
 * Is a crash image loaded whose command line the load of the next kernel will
 * overwrite, and what is that line? ERROR_RULE when nobody can tell.
 */
static struct error *crash_line(const struct options *o, char **ret)
{
	struct error *err = armed_read(true, ret);
	int loaded = 0;

	if (!err && !*ret)
		err = machine_loaded("/", true, &loaded);
	/* Without CONFIG_CRASH_DUMP there is no such file, and no crash image. */
	if (err && err->sys_errno == ENOENT) {
		error_free(err);
		return NULL;
	}
	if (!err && loaded && !*ret)
		err = error_remedy(
			error_new(ERROR_RULE, "%s, and the crash kernel that is loaded was not "
				  "loaded by this program: its command line would be lost",
				  in_the_way),
			"Load the crash kernel again with this kexec -p first, or add "
			"--drop-crash to do without it.");
	if (!err || !o->drop_crash)
		return err;
	error_free(err);
	err = load_unload(true);
	return err ? err : armed_forget(true);
}

/* After a load of the next kernel: the crash image gets its line back. */
static struct error *keep_crash_armed(const char *line)
{
	struct error *err = line ? load_command_line(line) : NULL;

	return error_remedy(error_add(err, "arming the crash kernel again"),
			    "The crash kernel is not armed any more: load it again.");
}

/* After a crash load that failed, or an unload: only the next kernel's line is
 * of use any more. As it is, it may be the crash kernel's. */
static struct error *put_back_normal(void)
{
	char *line cleanup_free = NULL;
	struct error *err = armed_read(false, &line);

	return err || !line ? err : load_command_line(line);
}

/* err, or else what came after it. */
static struct error *first_of(struct error *err, struct error *later)
{
	if (!err)
		return later;
	error_free(later);
	return err;
}

static struct error *load_and_record(const struct options *o, const struct plan *plan)
{
	char *crash cleanup_free = NULL;
	struct error *err = o->crash ? NULL : crash_line(o, &crash);

	if (err)
		return err;
	/* A load may fail after it has written its line. */
	err = load_plan(plan);
	if (!o->crash)
		err = first_of(err, keep_crash_armed(crash));
	else if (err)
		err = first_of(err, put_back_normal());
	/* A record of what was there before must not survive. */
	if (!err)
		err = armed_forget(o->crash);
	if (!err)
		err = armed_write(o->crash, plan->command_line);
	return err;
}

/* The next kernel's own line goes back where both kernels look for it. */
static struct error *do_exec(const struct options *o)
{
	char *line cleanup_free = NULL, *crash cleanup_free = NULL;
	int loaded = 0, crash_loaded = 0;
	struct error *err = machine_loaded("/", false, &loaded), *again;

	if (!err && !loaded)
		err = error_remedy(error_new(ERROR_RULE, "no kernel is loaded to start"),
				   "Load one first: kexec -l KERNEL.");
	if (!err)
		err = armed_read(false, &line);
	if (err)
		return err;
	again = armed_read(true, &crash);
	error_free(again);
	again = machine_loaded("/", true, &crash_loaded);
	error_free(again);
	if (!line && crash_loaded && !o->drop_crash)
		return error_remedy(
			error_new(ERROR_RULE, "%s, and the next kernel was not loaded by this "
				  "program: it might start with the crash kernel's", in_the_way),
			"Load it again with this kexec -l, or add --drop-crash to take the risk.");
	/* Without a crash image the line is in place, and a system where loading
	 * was switched off since must still be able to start it. */
	if (line && crash_loaded)
		err = load_command_line(line);
	if (!err)
		err = start_now(!o->no_sync, !o->no_ifdown);
	/* Still here: a panic must find its own line again. */
	again = keep_crash_armed(crash);
	error_free(again);
	return err;
}

static struct error *start_loaded(const struct options *o)
{
	if (o->then_exec)
		return do_exec(o);
	return o->then_shutdown ? start_shutdown() : NULL;
}

static struct error *do_load(const struct options *o)
{
	struct rule_result results[RULE_COUNT];
	struct machine machine cleanup_machine = { 0 };
	struct image image cleanup_image = { 0 };
	struct plan plan cleanup_plan = { 0 };
	struct blob initrd cleanup_blob = { 0 };
	char *words cleanup_free = NULL;
	struct rule_subject subject;
	struct wishes wishes = { .mem_min = o->mem_min, .mem_max = o->mem_max,
				 .entry = o->entry };
	struct error *err = require_described(o);

	if (!err && !o->dry_run)
		err = load_allowed(o->crash);
	if (!err)
		err = machine_read(o->system, o->crash, &machine);
	if (!err && o->crash)
		err = machine_require_crash_region(&machine);
	if (!err && o->initrd)
		err = read_initrd(o->initrd, &initrd);
	if (!err)
		err = image_open(o->kernel, o->type, &image);
	if (!err)
		err = make_words(o, &machine, &words);
	if (err)
		return err;
	wishes.initrd = o->initrd ? &initrd : NULL;
	wishes.command_line = words;
	err = (o->crash ? plan_crash : plan_normal)(&image, &machine, &wishes, &plan);
	if (err)
		return err;

	/* The kernel drops the old image before it looks at the new one: what
	 * it would refuse has to be found out here. */
	subject = rules_subject_of(&plan, &machine);
	rules_check(&subject, results);
	print_warnings(&plan);
	err = print_plan(o, &image, &machine, &plan, results);
	if (!err)
		err = rules_verdict(results);
	if (err || o->dry_run)
		return err;
	fflush(stdout);
	err = load_and_record(o, &plan);
	return err ? err : start_loaded(o);
}

static struct error *do_inspect(const struct options *o)
{
	struct image image cleanup_image = { 0 };
	struct error *err = image_open(o->kernel, o->type, &image);

	if (err)
		return err;
	if (o->json)
		return show_json(stdout, &image, NULL, NULL, NULL);
	show_image(stdout, o->kernel, &image);
	return NULL;
}

static struct error *do_unload(const struct options *o)
{
	struct error *err;

	if (!o->dry_run) {
		err = load_unload(o->crash);
		if (!err)
			err = armed_forget(o->crash);
		return err || !o->crash ? err : put_back_normal();
	}
	printf("would drop the %s image\n", o->crash ? "crash" : "normal");
	return NULL;
}

static struct error *do_crash_size(const struct options *o)
{
	uint64_t size;
	struct error *err = machine_crash_size(o->system, &size);

	if (!err)
		printf("%" PRIu64 "\n", size);
	return err;
}

static const char *doing(const struct options *o)
{
	switch (o->action) {
	case ACTION_LOAD:
		if (o->crash)
			return o->dry_run ? "planning the crash kernel" : "loading the crash kernel";
		return o->dry_run ? "planning the next kernel" : "loading the next kernel";
	case ACTION_EXEC:       return "starting the next kernel";
	case ACTION_UNLOAD:     return "unloading";
	case ACTION_STATUS:     return "asking for the status";
	case ACTION_CRASH_SIZE: return "asking for the crash reservation";
	case ACTION_INSPECT:    return "inspecting";
	case ACTION_SNAPSHOT:   return "recording the system";
	case ACTION_HELP:
	case ACTION_VERSION:    break;
	}
	return "printing";
}

static struct error *run(const struct options *o, int *ret_status)
{
	*ret_status = 0;
	switch (o->action) {
	case ACTION_LOAD:       return do_load(o);
	case ACTION_EXEC:       return o->dry_run ? NULL : do_exec(o);
	case ACTION_UNLOAD:     return do_unload(o);
	case ACTION_STATUS:     return machine_loaded(o->system, o->crash, ret_status);
	case ACTION_CRASH_SIZE: return do_crash_size(o);
	case ACTION_INSPECT:    return do_inspect(o);
	case ACTION_SNAPSHOT:   return snapshot_write(o->system, o->snapshot);
	case ACTION_HELP:
		options_help(stdout);
		break;
	case ACTION_VERSION:
		printf("kexec (loongdump) %s, for loongarch64, built for %s\n", PACKAGE_VERSION,
		       arch_native());
		break;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct error *err cleanup_error = options_parse(argc, argv, &o);
	int status = 0;

	if (err) {
		error_print(stderr, "kexec", err);
		return 1;
	}
	err = run(&o, &status);
	if (!err && (fflush(stdout) != 0 || ferror(stdout)))
		err = error_new(ERROR_SYSTEM, "writing to standard output failed");
	if (!err)
		return status;
	err = error_add(err, "%s", doing(&o));
	fflush(stdout);
	error_print(stderr, "kexec", err);
	return o.action == ACTION_STATUS ? STATUS_FAILED : 1;
}
