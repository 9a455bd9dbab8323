/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/save.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/units.h"
#include "makedumpfile-glue/destination.h"
#include "makedumpfile-glue/progress.h"

#define CHUNK_SIZE ((size_t)1 << 20)

/* A worker's buffers and codec context, and something to spare: what is
 * counted for each before it is started. */
#define WORKER_MEMORY ((uint64_t)4 << 20)

struct save;

/* Pages that one worker takes at once, gathered over runs of kept ones. */
struct chunk {
	uint64_t ticket; /* chunks are written in the order of these */
	size_t run;
	uint64_t at; /* the first page, in part->run[run] */
	size_t count;
};

struct worker {
	struct save *save;
	pthread_t thread;
	struct packer *packer; /* NULL: pages stay as they are */
	uint8_t *in;
	uint8_t *out;
	bool *lost_map;
	struct packed_page *pages;
	struct save_counts counts; /* of the chunk in hand */
	struct error *lost;
};

struct save {
	const struct dump *dump;
	const struct save_options *options;
	struct save_counts *counts;
	struct page_scan scan;
	const struct extents *kept;
	const struct extents *part; /* of kept, what goes to the file in hand */
	struct output *output;
	struct progress progress;
	struct error *lost; /* why the first lost page was lost */
	sigset_t signals;
	int signal;

	size_t chunk_pages;
	struct worker *workers;
	size_t worker_count;

	/* All below under the lock. Whoever has the ticket `turn` alone may use
	 * output, counts, lost and progress, without it. */
	pthread_mutex_t lock;
	pthread_cond_t turn_changed;
	pthread_mutex_t read_lock; /* for sources that one thread reads */
	struct chunk next;
	uint64_t turn;
	bool stop;
	struct error *err; /* the first */
};

/* Differs from its neighbour nowhere and begins with zeros: all are zero.
 * memcmp is the fastest loop there is. */
static bool is_zero(const uint8_t *page, size_t size)
{
	static const uint8_t zeros[64];

	return !memcmp(page, zeros, sizeof(zeros)) &&
	       !memcmp(page, page + sizeof(zeros), size - sizeof(zeros));
}

static void pack_page(struct worker *w, size_t i, uint8_t **room)
{
	const struct save *s = w->save;
	const size_t size = (size_t)1 << s->dump->page_shift;
	const uint8_t *page = w->in + i * size;
	struct packed_page *p = &w->pages[i];
	size_t packed = 0;

	*p = (struct packed_page){ .kind = PAGE_DATA, .size = size, .data = page };
	if (w->lost_map[i]) {
		p->kind = PAGE_MISSING;
		w->counts.lost++;
		return;
	}
	if (is_zero(page, size)) {
		p->kind = PAGE_ZERO;
		w->counts.zero++;
		return;
	}
	if (w->packer)
		packed = packer_pack(w->packer, page, size, *room, size);
	if (!packed) {
		w->counts.raw++;
		return;
	}
	p->codec = s->options->codec;
	p->size = packed;
	p->data = *room;
	*room += packed;
	w->counts.packed++;
}

/* The next stretch of the chunk that lies in one run; false at its end. */
static bool next_piece(const struct save *s, struct chunk *rest, uint64_t *ret_first,
		       size_t *ret_count)
{
	const struct extent *run = &s->part->run[rest->run];

	if (!rest->count)
		return false;
	*ret_first = rest->at;
	*ret_count = run->end - rest->at < rest->count ? run->end - rest->at : rest->count;
	rest->count -= *ret_count;
	rest->at += *ret_count;
	if (rest->at == run->end && ++rest->run < s->part->count)
		rest->at = run[1].start;
	return true;
}

/* False when there is nothing left to do. */
static bool take_chunk(struct save *s, struct chunk *ret)
{
	uint64_t first;
	size_t count;
	bool taken;

	pthread_mutex_lock(&s->lock);
	taken = !s->stop && s->next.run < s->part->count;
	if (taken) {
		*ret = s->next;
		ret->count = 0;
		s->next.count = s->chunk_pages;
		while (s->next.run < s->part->count &&
		       next_piece(s, &s->next, &first, &count))
			ret->count += count;
		s->next.ticket++;
	}
	pthread_mutex_unlock(&s->lock);
	return taken;
}

static void read_chunk(struct worker *w, struct chunk chunk)
{
	struct save *s = w->save;
	const bool alone = !s->dump->source->ops->reads_in_parallel;
	uint64_t first;
	size_t count, done = 0;

	if (alone)
		pthread_mutex_lock(&s->read_lock);
	for (; next_piece(s, &chunk, &first, &count); done += count)
		dump_read_pages(s->dump, first, count,
				w->in + (done << s->dump->page_shift),
				w->lost_map + done, &w->lost);
	if (alone)
		pthread_mutex_unlock(&s->read_lock);
}

static struct error *write_chunk(struct worker *w, struct chunk chunk)
{
	struct save *s = w->save;
	uint64_t first;
	size_t count, done = 0;
	struct error *err = NULL;

	s->counts->pages += chunk.count;
	s->counts->bytes_in += (uint64_t)chunk.count << s->dump->page_shift;
	s->counts->zero += w->counts.zero;
	s->counts->packed += w->counts.packed;
	s->counts->raw += w->counts.raw;
	s->counts->lost += w->counts.lost;
	if (!s->lost) {
		s->lost = w->lost;
		w->lost = NULL;
	}
	for (; !err && next_piece(s, &chunk, &first, &count); done += count)
		err = s->output->ops->put(s->output, first, w->pages + done, count);
	if (!err)
		progress_step(&s->progress, s->counts->bytes_in);
	return err;
}

/* Ends the work of all; takes err. */
static void stop(struct save *s, struct error *err)
{
	pthread_mutex_lock(&s->lock);
	if (s->err)
		error_free(err);
	else
		s->err = err;
	s->stop = true;
	pthread_cond_broadcast(&s->turn_changed);
	pthread_mutex_unlock(&s->lock);
}

/* False when the work ended meanwhile. */
static bool wait_for_turn(struct save *s, uint64_t ticket)
{
	bool go;

	pthread_mutex_lock(&s->lock);
	while (s->turn != ticket && !s->stop)
		pthread_cond_wait(&s->turn_changed, &s->lock);
	go = !s->stop;
	pthread_mutex_unlock(&s->lock);
	return go;
}

static void pass_turn(struct save *s)
{
	pthread_mutex_lock(&s->lock);
	s->turn++;
	pthread_cond_broadcast(&s->turn_changed);
	pthread_mutex_unlock(&s->lock);
}

/* The signals are blocked meanwhile and asked for between chunks: no handler,
 * no flag, and nothing half done. */
static bool interrupted(struct save *s)
{
	const struct timespec now = { 0 };
	int signal = sigtimedwait(&s->signals, NULL, &now);

	if (signal > 0)
		s->signal = signal;
	return signal > 0;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct save *s = w->save;
	struct chunk chunk;

	while (take_chunk(s, &chunk)) {
		uint8_t *room = w->out;
		struct error *err;
		size_t i;

		w->counts = (struct save_counts){ 0 };
		read_chunk(w, chunk);
		for (i = 0; i < chunk.count; i++)
			pack_page(w, i, &room);
		if (!wait_for_turn(s, chunk.ticket))
			break;
		err = write_chunk(w, chunk);
		if (err)
			stop(s, err);
		else
			pass_turn(s);
		/* The first worker is the thread that owns the signals. */
		if (!err && w == s->workers && interrupted(s))
			stop(s, error_new(ERROR_LIMIT, "interrupted by %s",
					  strsignal(s->signal)));
	}
	return NULL;
}

static struct error *save_pages(struct save *s)
{
	size_t started = 1, i;

	s->next = (struct chunk){ 0 };
	s->turn = 0;
	if (s->part->count)
		s->next.at = s->part->run[0].start;
	/* A thread that cannot be had is one less. */
	for (; started < s->worker_count; started++)
		if (pthread_create(&s->workers[started].thread, NULL, work,
				   &s->workers[started]))
			break;
	work(&s->workers[0]);
	for (i = 1; i < started; i++)
		pthread_join(s->workers[i].thread, NULL);
	return s->err;
}

/* Which pages to save. At levels 0 and 1 types matter only to a kernel that
 * may have pages which no level keeps. */
static struct error *choose_pages(struct save *s)
{
	const unsigned int level = s->options->level;
	const struct dump *dump = s->dump;
	struct error *err;
	unsigned int type;
	size_t i;

	s->kept = &dump->pages;
	if (!(level & DUMP_LEVEL_TYPES) && !s->options->stats &&
	    !pages_always_dropped(dump->vmcoreinfo))
		return NULL;
	err = pages_scan(dump->source, dump->vmcoreinfo, dump->page_shift, &dump->pages,
			 level, s->options->output->max_runs, &s->scan);
	if (err)
		return err;
	s->kept = &s->scan.kept;
	s->counts->types_known = s->scan.done;
	memcpy(s->counts->types, s->scan.count, sizeof(s->counts->types));
	for (type = 0; type < PAGE_TYPES; type++)
		if (page_type_dropped(type, level & s->scan.filters))
			s->counts->dropped[type] = s->scan.count[type];
	if (level & DUMP_LEVEL_TYPES)
		for (i = 0; i < s->scan.note_count; i++)
			fprintf(stderr, "vmcore: warning: %s: %s\n", dump->path,
				s->scan.notes[i]);
	return NULL;
}

static void worker_deinit(struct worker *w)
{
	free(w->in);
	free(w->out);
	free(w->lost_map);
	free(w->pages);
	packer_destroy(w->packer);
	error_free(w->lost);
	*w = (struct worker){ 0 };
}

static struct error *worker_init(struct worker *w, struct save *s)
{
	const struct save_options *options = s->options;
	struct error *err = NULL;

	*w = (struct worker){ .save = s };
	w->in = malloc(CHUNK_SIZE);
	w->out = options->codec != PAGE_RAW ? malloc(CHUNK_SIZE) : NULL;
	w->lost_map = calloc(s->chunk_pages, sizeof(*w->lost_map));
	w->pages = calloc(s->chunk_pages, sizeof(*w->pages));
	if (!w->in || !w->lost_map || !w->pages ||
	    (!w->out && options->codec != PAGE_RAW))
		err = error_nomem();
	else if (options->output->takes_packed && options->codec != PAGE_RAW)
		err = packer_create(options->codec, &w->packer);
	if (err)
		worker_deinit(w);
	return err;
}

/* As many as were asked for, or as CPUs this process may use; never more than
 * half of the free memory has room for, nor than there is work for. */
static size_t count_workers(const struct save *s)
{
	const uint64_t chunks = extents_total(s->kept) / s->chunk_pages + 1;
	const long pages = sysconf(_SC_AVPHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t count = s->options->threads, room;
	cpu_set_t cpus;

	if (!count)
		count = sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : CPU_COUNT(&cpus);
	room = pages > 0 && size > 0 ? (uint64_t)pages * size / 2 / WORKER_MEMORY : count;
	if (count > room)
		count = room;
	if (count > SAVE_THREADS_MAX)
		count = SAVE_THREADS_MAX;
	if (count > chunks)
		count = chunks;
	return count ? count : 1;
}

static struct error *save_init(struct save *s)
{
	size_t wanted;
	struct error *err;

	s->chunk_pages = CHUNK_SIZE >> s->dump->page_shift;
	wanted = count_workers(s);
	s->workers = calloc(wanted, sizeof(*s->workers));
	if (!s->workers)
		return error_nomem();
	for (; s->worker_count < wanted; s->worker_count++) {
		err = worker_init(&s->workers[s->worker_count], s);
		if (err && s->worker_count && err->code == ERROR_NOMEM) {
			error_free(err);
			break;
		}
		if (err)
			return err;
	}
	return NULL;
}

static void save_deinit(struct save *s)
{
	size_t i;

	for (i = 0; i < s->worker_count; i++)
		worker_deinit(&s->workers[i]);
	free(s->workers);
	page_scan_deinit(&s->scan);
}

/* One file, or one of several: everything between opening it and its name. */
static struct error *write_part(struct save *s, struct target *target,
				const struct output_plan *plan)
{
	struct error *err = s->options->output->open(plan, target, &s->output);

	if (err)
		return err;
	s->part = plan->part;
	err = save_pages(s);
	if (!err)
		err = s->output->ops->finish(s->output);
	s->output->ops->close(s->output);
	s->output = NULL;
	return err;
}

/* The page frame before which `rank` of the kept pages lie. */
static uint64_t frame_of_rank(const struct extents *kept, uint64_t rank)
{
	size_t i;

	for (i = 0; i < kept->count; i++) {
		uint64_t count = kept->run[i].end - kept->run[i].start;

		if (rank < count)
			return kept->run[i].start + rank;
		rank -= count;
	}
	return extents_end(kept);
}

/* Where file `i` of a split dump begins: all get the same number of pages,
 * as far as the size of a block allows. */
static uint64_t split_at(const struct save *s, size_t i)
{
	const uint64_t block = s->options->split_block >> s->dump->page_shift;
	uint64_t frame;

	if (!i)
		return 0;
	if (i == s->options->part_count)
		return extents_end(&s->dump->pages);
	frame = frame_of_rank(s->kept, extents_total(s->kept) * i / s->options->part_count);
	return block > 1 ? frame / block * block : frame;
}

static struct error *write_parts(struct save *s, struct destination *parts)
{
	const struct save_options *options = s->options;
	struct output_plan plan = {
		.page_shift = s->dump->page_shift,
		.present = &s->dump->pages,
		.kept = s->kept,
		.notes = &s->dump->notes,
		.cpu_count = s->dump->registers.count,
		.utsname = s->dump->utsname,
		.crash_time = s->dump->crash_time,
		.dump_level = options->level | s->dump->source->dump_level,
		.codec = options->codec,
		.split = options->part_count > 1,
	};
	size_t i;

	if (plan.split && extents_total(s->kept) < options->part_count)
		return error_new(ERROR_USAGE, "%zu files for %" PRIu64 " pages",
				 options->part_count, extents_total(s->kept));
	for (i = 0; i < options->part_count; i++) {
		struct extents cut cleanup_extents = { 0 };
		struct error *err = NULL;

		plan.part = s->kept;
		if (plan.split) {
			plan.split_start = split_at(s, i);
			plan.split_end = split_at(s, i + 1);
			plan.part = &cut;
			err = extents_cut(s->kept, plan.split_start, plan.split_end, &cut);
		}
		if (!err)
			err = destination_open(options->parts[i], options->force,
					       options->flatten, options->size_limit,
					       &parts[i]);
		if (!err)
			err = write_part(s, &parts[i].target, &plan);
		if (err)
			return err;
	}
	return NULL;
}

/* The files of a split dump get their names together, or none does. */
static struct error *save_to_files(struct save *s)
{
	const size_t count = s->options->part_count;
	struct destination *parts cleanup_free = calloc(count, sizeof(*parts));
	char written[UNITS_SIZE_TEXT];
	struct error *err;
	bool useful;
	size_t i;

	if (!parts)
		return error_nomem();
	progress_start(&s->progress, "saving",
		       extents_total(s->kept) << s->dump->page_shift,
		       s->options->quiet);
	err = write_parts(s, parts);
	progress_end(&s->progress);
	useful = s->counts->pages;
	for (i = 0; i < count; i++)
		s->counts->bytes_out += parts[i].target.written;
	if (err && s->counts->bytes_out)
		err = error_add(err, "after %s", size_text(s->counts->bytes_out, written));
	for (i = 0; i < count && !err; i++)
		err = destination_commit(&parts[i]);
	for (i = 0; i < count; i++)
		err = destination_close(&parts[i], useful, err);
	return err;
}

struct error *save_run(const struct dump *dump, const struct save_options *options,
		       struct save_counts *ret, struct error **ret_lost, int *ret_signal)
{
	struct save s = {
		.dump = dump,
		.options = options,
		.counts = ret,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.turn_changed = PTHREAD_COND_INITIALIZER,
		.read_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	double started = progress_now();
	sigset_t old;
	struct error *err;

	*ret = (struct save_counts){ 0 };
	sigemptyset(&s.signals);
	sigaddset(&s.signals, SIGINT);
	sigaddset(&s.signals, SIGTERM);
	sigaddset(&s.signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &s.signals, &old);
	/* A file size limit and a closed pipe shall be errors of write(), not the
	 * end. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);

	err = choose_pages(&s);
	if (!err && options->dry_run) {
		ret->pages = extents_total(s.kept);
		ret->bytes_in = ret->pages << dump->page_shift;
		goto out;
	}
	if (!err)
		err = save_init(&s);
	if (!err)
		err = save_to_files(&s);
out:
	save_deinit(&s);
	sigprocmask(SIG_SETMASK, &old, NULL);
	ret->seconds = progress_now() - started;
	*ret_lost = s.lost;
	*ret_signal = s.signal;
	return error_add(err, "saving %s to %s", dump->path,
			 destination_name(options->destination));
}
