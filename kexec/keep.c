/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/keep.h"

#include <stdio.h>

#include "kexec/armed.h"
#include "kexec/load-file.h"
#include "kexec/load.h"
#include "kexec/start.h"

static const char in_the_way[] =
	"the kernel keeps one command line for the crash kernel and the next kernel";

/* err, or else what came after it. */
static struct error *first_of(struct error *err, struct error *later)
{
	if (!err)
		return later;
	error_free(later);
	return err;
}

static struct error *drop(bool crash)
{
	struct error *err = load_unload(crash);

	return err ? err : armed_forget(crash);
}

/* Something stands against keeping the crash image: go on without it, or not. */
static struct error *or_drop_crash(struct error *err, bool drop_crash)
{
	if (!err || !drop_crash)
		return err;
	error_free(err);
	return drop(true);
}

/*
 * Is a crash image loaded whose command line the load of the next kernel will
 * overwrite, and what is that line? ERROR_RULE when nobody can tell.
 */
static struct error *crash_line(bool drop_crash, struct armed *ret)
{
	struct error *err = armed_read(true, ret);
	const bool by_file = ret->state == ARMED_BY_FILE;

	if (!err && ret->state != ARMED_NOTHING && ret->state != ARMED_LINE)
		err = error_remedy(
			error_new(ERROR_RULE, "%s, and the crash kernel that is loaded was %s: its "
				  "command line would be lost", in_the_way,
				  by_file ? "loaded with -s, where the kernel writes the line and "
					    "does not hand it out" :
					    "not loaded by this program"),
			"Load the crash kernel again with this kexec -p%s first, or add "
			"--drop-crash to do without it.", by_file ? " -c" : "");
	return or_drop_crash(err, drop_crash);
}

/*
 * The line of a next kernel loaded by kexec_file_load is in the one place
 * there is, and nowhere else: a crash load would overwrite it for good.
 * *ret_foreign: one of another program's is loaded, and loses it.
 */
static struct error *require_no_next_by_file(bool *ret_foreign)
{
	struct armed next cleanup_armed = { 0 };
	struct error *err = armed_read(false, &next);

	*ret_foreign = next.state == ARMED_FOREIGN;
	if (err || next.state != ARMED_BY_FILE)
		return err;
	return error_remedy(
		error_new(ERROR_RULE, "%s, and the next kernel was loaded with -s, where the "
			  "kernel writes the line and does not hand it out: it would be lost",
			  in_the_way),
		"Drop the next kernel (kexec -u), or load it again without -s.");
}

/* Whoever starts it has to know that its line is not in place any more. */
static struct error *note_lost_next(void)
{
	fprintf(stderr, "kexec: warning: the next kernel that is loaded was not loaded by this "
		"program and has lost its command line to the crash kernel: load it again, with "
		"this kexec -l\n");
	return armed_write(false, ARMED_LOST, NULL);
}

/* The other way round: the crash kernel's line could be put back, but then
 * the next kernel's would be lost. */
static struct error *require_no_crash(bool drop_crash)
{
	bool loaded = false;
	struct error *err = armed_loaded(true, &loaded);

	if (!err && loaded)
		err = error_remedy(
			error_new(ERROR_UNSUPPORTED, "%s; a crash kernel is loaded, and with "
				  "kexec_file_load only one of the two lines can be kept",
				  in_the_way),
			"Leave -s out: kexec_load keeps both; or add --drop-crash to do without "
			"the crash kernel.");
	return or_drop_crash(err, drop_crash);
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
	struct armed next cleanup_armed = { 0 };
	struct error *err = armed_read(false, &next);

	return err || !next.line ? err : load_command_line(next.line);
}

/*
 * A load that failed late may have written its line. That of a next kernel
 * loaded with -s cannot be put back: better none than one that starts wrongly.
 */
static struct error *after_failed_load(void)
{
	struct armed next cleanup_armed = { 0 };
	struct error *err = armed_read(false, &next);

	if (err || next.state != ARMED_BY_FILE)
		return err ? err : put_back_normal();
	fprintf(stderr, "kexec: warning: the next kernel that was loaded with -s is dropped: its "
		"command line may be overwritten\n");
	return drop(false);
}

struct error *keep_load(const struct plan *plan, bool drop_crash)
{
	const bool is_crash = plan_is_crash(plan);
	struct armed crash cleanup_armed = { 0 };
	bool foreign = false;
	struct error *err = is_crash ? require_no_next_by_file(&foreign) :
				       crash_line(drop_crash, &crash);

	if (err)
		return err;
	/* A load may fail after it has written its line. */
	err = load_plan(plan);
	if (crash.line)
		err = first_of(err, keep_crash_armed(crash.line));
	else if (err)
		err = first_of(err, after_failed_load());
	if (!err)
		err = armed_write(is_crash, ARMED_LINE, plan->command_line);
	if (!err && foreign)
		err = note_lost_next();
	return err;
}

struct error *keep_load_file(const struct file_request *request, int kernel_fd, int initrd_fd,
			     bool drop_crash)
{
	bool foreign = false;
	struct error *err = request->crash ? require_no_next_by_file(&foreign) :
					     require_no_crash(drop_crash);

	if (err)
		return err;
	err = load_file(request, kernel_fd, initrd_fd);
	if (err)
		return first_of(err, after_failed_load());
	err = armed_write(request->crash, ARMED_BY_FILE, NULL);
	if (!err && foreign)
		err = note_lost_next();
	return err;
}

struct error *keep_unload(bool crash)
{
	struct error *err = NULL;
	bool loaded = false, foreign;

	/* Another program's, loaded over the next kernel's line. */
	if (crash)
		err = armed_loaded(true, &loaded);
	if (!err && loaded)
		err = require_no_next_by_file(&foreign);
	if (!err)
		err = drop(crash);
	return err || !crash ? err : put_back_normal();
}

/* The two images as the start of the next kernel finds them. */
struct pair {
	struct armed next, crash;
	bool crash_loaded;
	const char *against; /* why the next kernel might start with the crash kernel's line */
};

static void pair_deinit(struct pair *pair)
{
	armed_deinit(&pair->next);
	armed_deinit(&pair->crash);
}
#define cleanup_pair __attribute__((cleanup(pair_deinit)))

static const char *against_start(const struct pair *pair)
{
	switch (pair->next.state) {
	case ARMED_BY_FILE:
		return "loaded with -s, before the crash kernel";
	case ARMED_LOST:
		return "not loaded by this program, and before the crash kernel";
	case ARMED_FOREIGN:
		/* A crash load of ours would have noted it as lost: so it came later,
		 * and the line in place is its own. */
		return pair->crash.state == ARMED_LINE || pair->crash.state == ARMED_BY_FILE ?
			       NULL : "not loaded by this program";
	case ARMED_LINE: /* can be written */
	case ARMED_NOTHING:
		break;
	}
	return NULL;
}

static struct error *look_at_both(struct pair *ret)
{
	struct error *err = armed_read(false, &ret->next);

	/* Without its record the crash kernel's line is lost only if the start
	 * fails, and that is said there. */
	if (!err)
		error_free(armed_read(true, &ret->crash));
	if (!err)
		err = armed_loaded(true, &ret->crash_loaded);
	if (!err && ret->crash_loaded)
		ret->against = against_start(ret);
	return err;
}

/* Without a crash image the line is in place, and a system where loading was
 * switched off since must still be able to start the next kernel. */
static struct error *put_in_place(const struct pair *pair)
{
	return pair->next.line && pair->crash_loaded ? load_command_line(pair->next.line) : NULL;
}

struct error *keep_exec(bool drop_crash, bool sync_first, bool interfaces_down)
{
	struct pair pair cleanup_pair = { 0 };
	struct error *err = look_at_both(&pair), *again;

	if (!err && pair.next.state == ARMED_NOTHING)
		err = error_remedy(error_new(ERROR_RULE, "no kernel is loaded to start"),
				   "Load one first: kexec -l KERNEL.");
	if (!err && pair.against && !drop_crash)
		err = error_remedy(
			error_new(ERROR_RULE, "%s, and the next kernel was %s: it might start with "
				  "the crash kernel's", in_the_way, pair.against),
			"Load it again with this kexec -l, or add --drop-crash to take the risk.");
	if (err)
		return err;
	err = put_in_place(&pair);
	if (!err)
		err = start_now(sync_first, interfaces_down);
	/* Still here: a panic must find its own line again. */
	again = keep_crash_armed(pair.crash.line);
	if (again || (pair.next.line && pair.crash_loaded && !pair.crash.line))
		err = error_add(err, "the crash kernel has lost its command line and has to be "
				"loaded again");
	error_free(again);
	return err;
}

struct error *keep_prepare_exec(void)
{
	struct pair pair cleanup_pair = { 0 };
	struct error *err = look_at_both(&pair), *dropped;

	if (err || pair.next.state == ARMED_NOTHING)
		return err;
	err = put_in_place(&pair);
	/* Where neither was loaded here, this is not the place to judge. */
	if (!err && pair.against && pair.next.state != ARMED_FOREIGN)
		err = error_new(ERROR_RULE, "%s, and the next kernel was %s", in_the_way,
				pair.against);
	if (!err)
		return NULL;
	dropped = drop(false);
	err = error_add(err, dropped ? "the next kernel starts with the crash kernel's command line "
				       "and cannot be dropped" :
				       "the next kernel is dropped, the machine starts through its "
				       "firmware");
	error_free(dropped);
	return err;
}
