/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kexec/arch.h"
#include "kexec/armed.h"
#include "kexec/cmdline.h"
#include "kexec/file-mode.h"
#include "kexec/image.h"
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

/* --- two images, one command line --- */

static const char in_the_way[] =
	"the kernel keeps one command line for the crash kernel and the next kernel";

/* Without CONFIG_CRASH_DUMP there is no such file, and no crash image. */
static struct error *crash_loaded(int *ret)
{
	struct error *err = machine_loaded("/", true, ret);

	if (!err || err->sys_errno != ENOENT)
		return err;
	error_free(err);
	*ret = 0;
	return NULL;
}

/* Something stands against keeping the crash image: go on without it, or not. */
static struct error *or_drop_crash(const struct options *o, struct error *err)
{
	if (!err || !o->drop_crash)
		return err;
	error_free(err);
	err = load_unload(true);
	return err ? err : armed_forget(true);
}

/*
 * Is a crash image loaded whose command line the load of the next kernel will
 * overwrite, and what is that line? ERROR_RULE when nobody can tell.
 */
static struct error *crash_line(const struct options *o, char **ret)
{
	bool by_file = false;
	int loaded = 0;
	struct error *err = crash_loaded(&loaded);

	*ret = NULL;
	if (!err && loaded)
		err = armed_read(true, ret);
	if (!err && loaded && !*ret)
		err = armed_by_file(true, &by_file);
	if (!err && loaded && !*ret)
		err = error_remedy(
			error_new(ERROR_RULE, "%s, and the crash kernel that is loaded was %s: its "
				  "command line would be lost", in_the_way,
				  by_file ? "loaded with -s, where the kernel writes the line and "
					    "does not hand it out" :
					    "not loaded by this program"),
			"Load the crash kernel again with this kexec -p%s first, or add "
			"--drop-crash to do without it.", by_file ? " -c" : "");
	return or_drop_crash(o, err);
}

/* The line of a next kernel loaded by kexec_file_load is in the one place
 * there is, and nowhere else: a crash load would overwrite it for good. */
static struct error *require_no_next_by_file(void)
{
	bool by_file;
	struct error *err = armed_by_file(false, &by_file);

	if (err || !by_file)
		return err;
	return error_remedy(
		error_new(ERROR_RULE, "%s, and the next kernel was loaded with -s, where the "
			  "kernel writes the line and does not hand it out: it would be lost",
			  in_the_way),
		"Drop the next kernel (kexec -u), or load it again without -s.");
}

/* The other way round: the crash kernel's line could be put back, but then
 * the next kernel's would be lost. */
static struct error *require_no_crash(const struct options *o)
{
	int loaded = 0;
	struct error *err = crash_loaded(&loaded);

	if (!err && loaded)
		err = error_remedy(
			error_new(ERROR_UNSUPPORTED, "%s; a crash kernel is loaded, and with "
				  "kexec_file_load only one of the two lines can be kept",
				  in_the_way),
			"Leave -s out: kexec_load keeps both; or add --drop-crash to do without "
			"the crash kernel.");
	/* With -a the other call keeps it. */
	return o->call == CALL_AUTO ? err : or_drop_crash(o, err);
}

/* After a load of the next kernel: the crash image gets its line back. */
static struct error *keep_crash_armed(const char *line)
{
	struct error *err = line ? load_command_line(line) : NULL;

	return error_remedy(error_add(err, "arming the crash kernel again"),
			    "The crash kernel is not armed any more: load it again.");
}

/* The crash image is gone: only the next kernel's line is of use any more. As
 * it is, it may be the crash kernel's. */
static struct error *put_back_normal(void)
{
	char *line cleanup_free = NULL;
	struct error *err = armed_read(false, &line);

	return err || !line ? err : load_command_line(line);
}

/*
 * A load that failed late may have written its line. That of a next kernel
 * loaded with -s cannot be put back: better none than one that starts wrongly.
 */
static struct error *after_failed_load(void)
{
	bool by_file;
	struct error *err = armed_by_file(false, &by_file);

	if (err || !by_file)
		return err ? err : put_back_normal();
	fprintf(stderr, "kexec: warning: the next kernel that was loaded with -s is dropped: its "
		"command line may be overwritten\n");
	err = load_unload(false);
	return err ? err : armed_forget(false);
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
	struct error *err = o->crash ? require_no_next_by_file() : crash_line(o, &crash);

	if (err)
		return err;
	/* A load may fail after it has written its line. */
	err = load_plan(plan);
	if (crash)
		err = first_of(err, keep_crash_armed(crash));
	else if (err)
		err = first_of(err, after_failed_load());
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
	int loaded = 0, armed = 0;
	bool by_file = false;
	struct error *err = machine_loaded("/", false, &loaded), *again;

	if (!err && !loaded)
		err = error_remedy(error_new(ERROR_RULE, "no kernel is loaded to start"),
				   "Load one first: kexec -l KERNEL.");
	if (!err)
		err = armed_read(false, &line);
	if (!err && !line)
		err = armed_by_file(false, &by_file);
	if (err)
		return err;
	/* Without its record the crash kernel's line is lost only if the start
	 * fails, and that is said below. */
	error_free(armed_read(true, &crash));
	err = crash_loaded(&armed);
	if (err)
		return err;
	if (!line && armed && !o->drop_crash)
		return error_remedy(
			error_new(ERROR_RULE, "%s, and the next kernel was %s: it might start with "
				  "the crash kernel's", in_the_way,
				  by_file ? "loaded with -s, before the crash kernel" :
					    "not loaded by this program"),
			"Load it again with this kexec -l, or add --drop-crash to take the risk.");
	/* Without a crash image the line is in place, and a system where loading
	 * was switched off since must still be able to start it. */
	if (line && armed)
		err = load_command_line(line);
	if (!err)
		err = start_now(!o->no_sync, !o->no_ifdown);
	/* Still here: a panic must find its own line again. */
	again = keep_crash_armed(crash);
	if (again || (line && armed && !crash))
		err = error_add(err, "the crash kernel has lost its command line and has to be "
				"loaded again");
	error_free(again);
	return err;
}

static struct error *start_loaded(const struct options *o)
{
	if (o->then_exec)
		return do_exec(o);
	return o->then_shutdown ? start_shutdown() : NULL;
}

static struct error *load_segments(const struct options *o)
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
		err = load_allowed(o->crash, false);
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
	print_warnings(plan.warnings, plan.warning_count);
	err = print_plan(o, &image, &machine, &plan, results);
	if (!err)
		err = rules_verdict(results);
	if (err || o->dry_run)
		return err;
	fflush(stdout);
	return load_and_record(o, &plan);
}

/* --- the kernel reads the files itself --- */

struct open_files {
	int kernel, initrd;
	uint64_t initrd_size;
};

static void close_files(struct open_files *files)
{
	close_cleanup(&files->kernel);
	close_cleanup(&files->initrd);
}

static struct error *open_initrd(const char *path, struct open_files *files)
{
	struct error *err = file_open(path, O_RDONLY, 0, &files->initrd);
	struct stat st;

	if (!err && fstat(files->initrd, &st) < 0)
		err = error_errno(errno, "looking at %s", path);
	if (!err && !S_ISREG(st.st_mode))
		err = error_new(ERROR_USAGE, "%s is no regular file", path);
	if (!err && !st.st_size)
		err = error_new(ERROR_FORMAT, "%s is empty", path);
	if (!err)
		files->initrd_size = st.st_size;
	return error_remedy(error_add(err, "opening the initrd"),
			    "Check --initrd=, or build the initrd first.");
}

static struct error *load_file_and_record(const struct options *o,
					  const struct file_request *request,
					  const struct open_files *files)
{
	struct error *err = o->crash ? require_no_next_by_file() : require_no_crash(o);

	if (err)
		return err;
	err = load_file(request, files->kernel, files->initrd, o->debug);
	if (err)
		return first_of(err, after_failed_load());
	err = armed_forget(o->crash);
	return err ? err : armed_write_by_file(o->crash);
}

/* *ret_other: what failed may succeed with kexec_load. */
static struct error *load_by_file(const struct options *o, bool *ret_other)
{
	struct machine machine cleanup_machine = { 0 };
	struct image image cleanup_image = { 0 };
	struct file_request request cleanup_file_request = { 0 };
	struct open_files files __attribute__((cleanup(close_files))) = { -1, -1, 0 };
	struct file_wishes wishes = { .crash = o->crash, .has_initrd = o->initrd != NULL };
	char *words cleanup_free = NULL;
	struct error *err = require_described(o);

	*ret_other = false;
	if (!err && !o->dry_run)
		err = load_allowed(o->crash, true);
	if (!err)
		err = machine_read(o->system, o->crash, &machine);
	if (!err && o->initrd)
		err = open_initrd(o->initrd, &files);
	if (!err)
		err = file_open(o->kernel, O_RDONLY, 0, &files.kernel);
	if (!err)
		err = image_open(o->kernel, o->type, &image);
	if (!err)
		err = make_words(o, &machine, &words);
	if (err)
		return err;
	wishes.initrd_size = files.initrd_size;
	wishes.command_line = words;
	err = file_request_make(&image, &machine, &wishes, &request);
	*ret_other = err && err->code == ERROR_UNSUPPORTED;
	if (err)
		return err;
	print_warnings(request.warnings, request.warning_count);
	if (o->debug || o->dry_run) {
		show_image(stdout, o->kernel, &image);
		file_request_show(stdout, &request);
		fflush(stdout);
	}
	if (o->dry_run)
		return NULL;
	err = load_file_and_record(o, &request, &files);
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
	struct error *err = NULL;
	int armed = 0;

	if (!o->dry_run) {
		/* Another program's, loaded over the next kernel's line. */
		if (o->crash)
			err = crash_loaded(&armed);
		if (!err && armed)
			err = require_no_next_by_file();
		if (err)
			return err;
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
