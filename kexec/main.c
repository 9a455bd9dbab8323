/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kexec/arch.h"
#include "kexec/cmdline.h"
#include "kexec/file-mode.h"
#include "kexec/image.h"
#include "kexec/initrd.h"
#include "kexec/keep.h"
#include "kexec/load-file.h"
#include "kexec/load.h"
#include "kexec/machine.h"
#include "kexec/options.h"
#include "kexec/plan.h"
#include "kexec/rules.h"
#include "kexec/show.h"
#include "kexec/snapshot.h"
#include "kexec/start.h"
#include "lib/file.h"

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

static void print_warnings(char *const *warnings, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		fprintf(stderr, "kexec: warning: %s\n", warnings[i]);
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

static struct error *do_exec(const struct options *o)
{
	return keep_exec(o->drop_crash, !o->no_sync, !o->no_ifdown);
}

static struct error *start_loaded(const struct options *o)
{
	if (o->then_exec)
		return do_exec(o);
	return o->then_shutdown ? start_shutdown() : NULL;
}

/* What a load is made from, either way. */
struct inputs {
	struct machine machine;
	struct image image;
	struct initrd initrd;
	char *words;
};
#define INPUTS_NONE { .initrd = INITRD_NONE }

static void inputs_deinit(struct inputs *inputs)
{
	machine_deinit(&inputs->machine);
	image_deinit(&inputs->image);
	initrd_deinit(&inputs->initrd);
	free(inputs->words);
}
#define cleanup_inputs __attribute__((cleanup(inputs_deinit)))

/* What costs least is asked first. */
static struct error *gather(const struct options *o, bool by_file, struct inputs *ret)
{
	struct error *err = require_described(o);

	if (!err && !o->dry_run)
		err = load_allowed(o->crash, by_file);
	if (!err)
		err = machine_read(o->system, o->crash, &ret->machine);
	if (!err && o->crash)
		err = machine_require_crash_region(&ret->machine);
	if (!err && o->initrd)
		err = (by_file ? initrd_open_file : initrd_open)(o->initrd, &ret->initrd);
	if (!err)
		err = image_open(o->kernel, o->type, &ret->image);
	if (!err)
		err = make_words(o, &ret->machine, &ret->words);
	return err;
}

static struct error *load_segments(const struct options *o)
{
	struct rule_result results[RULE_COUNT];
	struct inputs inputs cleanup_inputs = INPUTS_NONE;
	struct plan plan cleanup_plan = { 0 };
	struct rule_subject subject;
	struct wishes wishes = { .mem_min = o->mem_min, .mem_max = o->mem_max,
				 .entry = o->entry, .hotplug = o->hotplug };
	struct error *err = gather(o, false, &inputs);

	if (err)
		return err;
	wishes.initrd = o->initrd ? &inputs.initrd.bytes : NULL;
	wishes.command_line = inputs.words;
	err = (o->crash ? plan_crash : plan_normal)(&inputs.image, &inputs.machine, &wishes, &plan);
	if (!err)
		err = initrd_read(o->initrd, &inputs.initrd);
	if (err)
		return err;

	/* The kernel drops the old image before it looks at the new one: what
	 * it would refuse has to be found out here. */
	subject = rules_subject_of(&plan, &inputs.machine);
	rules_check(&subject, results);
	print_warnings(plan.warnings, plan.warning_count);
	err = print_plan(o, &inputs.image, &inputs.machine, &plan, results);
	if (!err)
		err = rules_verdict(results);
	if (err || o->dry_run)
		return err;
	fflush(stdout);
	return keep_load(&plan, o->drop_crash);
}

/* --- the kernel reads the files itself --- */

/* *ret_other: what failed may succeed with kexec_load. */
static struct error *load_by_file(const struct options *o, bool *ret_other)
{
	struct file_request request cleanup_file_request = { 0 };
	struct inputs inputs cleanup_inputs = INPUTS_NONE;
	int kernel cleanup_close = -1;
	struct file_wishes wishes = { .crash = o->crash, .has_initrd = o->initrd != NULL,
				      .debug = o->debug, .no_cma = o->no_cma };
	struct error *err = gather(o, true, &inputs);

	*ret_other = false;
	if (!err)
		err = file_open(o->kernel, O_RDONLY, 0, &kernel);
	if (err)
		return err;
	wishes.initrd_size = inputs.initrd.size;
	wishes.command_line = inputs.words;
	err = file_request_make(&inputs.image, &inputs.machine, &wishes, &request);
	*ret_other = err && err->code == ERROR_UNSUPPORTED;
	if (err)
		return err;
	print_warnings(request.warnings, request.warning_count);
	if (o->debug || o->dry_run) {
		show_image(stdout, o->kernel, &inputs.image);
		file_request_show(stdout, &request);
		fflush(stdout);
	}
	if (o->dry_run)
		return NULL;
	/* With -a the other call keeps the crash image. */
	err = keep_load_file(&request, kernel, inputs.initrd.fd,
			     o->drop_crash && o->call != CALL_AUTO);
	*ret_other = err && (err->code == ERROR_UNSUPPORTED || load_file_may_fall_back(err));
	return err;
}

static void note_fallback(const char *why)
{
	fprintf(stderr, "kexec: note: kexec_load is used: %s\n", why);
}

/* kexec_file_load where it can do it. A plan is always kexec_load's. */
static struct error *load_auto(const struct options *o)
{
	const char *against = options_against_file(o);
	struct error *err;
	bool other;

	if (o->dry_run)
		return load_segments(o);
	if (against) {
		note_fallback(against);
		return load_segments(o);
	}
	err = load_by_file(o, &other);
	if (!err || !other)
		return err;
	note_fallback(err->message);
	error_free(err);
	return load_segments(o);
}

static struct error *do_load(const struct options *o)
{
	struct error *err = NULL;
	bool other;

	switch (o->call) {
	case CALL_KEXEC_LOAD: err = load_segments(o); break;
	case CALL_FILE:       err = load_by_file(o, &other); break;
	case CALL_AUTO:       err = load_auto(o); break;
	}
	return err || o->dry_run ? err : start_loaded(o);
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
	if (!o->dry_run)
		return keep_unload(o->crash);
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
	case ACTION_PREPARE_EXEC: return "preparing the start of the next kernel";
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
	case ACTION_PREPARE_EXEC: return o->dry_run ? NULL : keep_prepare_exec();
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
	struct error *err cleanup_error = NULL;
	int status = 0;

	file_reserve_standard();
	err = options_parse(argc, argv, &o);
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
