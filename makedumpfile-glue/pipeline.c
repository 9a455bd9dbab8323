/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/pipeline.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/file.h"
#include "makedumpfile-glue/page-tests.h"
#include "makedumpfile-glue/pipeline-worker.h"

/* What is read and what is packed of it stay in a CPU's own cache together: with 1 MiB
 * of that, 256 KiB save a dump 2 to 8 % faster than 512 KiB.
 * Read, not mapped: which of the two is faster depends on the machine (11 GB/s with
 * the test for zeros against 16 on one, 17 against 9 to 11 on another), mappings of two
 * CPUs wait for each other, and a page that cannot be read is an error here, not a
 * signal. */
#define CHUNK_SIZE ((size_t)256 << 10)

/* A codec's context at most, and something to spare. */
#define CODEC_MEMORY ((uint64_t)1 << 20)

/* A thread for less than this is not worth starting. */
#define WORKER_CHUNKS 64

/* The usual 8 MiB, of each thread, would be most of a small address space. */
#define STACK_SIZE ((size_t)512 << 10)

/* Enough for 2 GiB of different pages of 16 KiB. */
#define REPEATS_MEMORY ((size_t)4 << 20)

/* ---- One chunk ---- */

/* The next stretch of the chunk that lies in one run; false at its end. */
static bool next_piece(const struct pipeline *p, struct chunk *rest, uint64_t *ret_first,
		       size_t *ret_count)
{
	const struct extent *run = &p->pages->run[rest->run];

	if (!rest->count)
		return false;
	*ret_first = rest->at;
	*ret_count = run->end - rest->at < rest->count ? run->end - rest->at : rest->count;
	rest->count -= *ret_count;
	rest->at += *ret_count;
	if (rest->at == run->end && ++rest->run < p->pages->count)
		rest->at = run[1].start;
	return true;
}

/* False when there is nothing left to do. */
static bool take_chunk(struct pipeline *p, struct chunk *ret)
{
	uint64_t first;
	size_t count;
	bool taken;

	pthread_mutex_lock(&p->lock);
	taken = !p->stop && p->next.run < p->pages->count;
	if (taken) {
		*ret = p->next;
		ret->count = 0;
		p->next.count = p->chunk_pages;
		while (p->next.run < p->pages->count &&
		       next_piece(p, &p->next, &first, &count))
			ret->count += count;
		p->next.rank += ret->count;
	}
	pthread_mutex_unlock(&p->lock);
	return taken;
}

/* Of the pages from `first` on, how many at once lie in a hole of the file? */
static size_t count_holes(const struct pipeline *p, uint64_t first, size_t count)
{
	const unsigned int shift = p->plan.dump->page_shift;
	const uint64_t data = source_next_data(p->plan.dump->source, first << shift) >> shift;

	return data - first < count ? data - first : count;
}

/* Pages from `first` on that can be looked at where they lie: zeros stay there, the
 * others are copied. Returns how many; the next one has to be read. */
static size_t see_pages(struct worker *w, uint64_t first, size_t count, size_t at)
{
	const struct pipeline *p = w->pipeline;
	const struct dump *dump = p->plan.dump;
	size_t i;

	for (i = 0; i < count && !p->plan.read_only; i++, at++) {
		const uint8_t *page = source_see(dump->source, &w->window,
						 (first + i) << dump->page_shift,
						 p->page_size);

		if (!page)
			break;
		w->lost_map[at] = false;
		w->hole_map[at] = page_is_zero(page, p->page_size);
		if (!w->hole_map[at])
			memcpy(w->in + at * p->page_size, page, p->page_size);
	}
	w->counts.seen += i;
	return i;
}

static void read_piece(struct worker *w, uint64_t first, size_t count, size_t at)
{
	struct pipeline *p = w->pipeline;
	const size_t holes = count_holes(p, first, count);
	size_t done = holes, i;

	for (i = 0; i < count; i++)
		w->pages[at + i].frame = first + i;
	memset(w->hole_map + at, 0, count * sizeof(*w->hole_map));
	memset(w->hole_map + at, 1, holes * sizeof(*w->hole_map));
	memset(w->lost_map + at, 0, holes * sizeof(*w->lost_map));
	done += see_pages(w, first + done, count - done, at + done);
	if (done < count)
		dump_read_pages(p->plan.dump, first + done, count - done,
				w->in + (at + done) * p->page_size,
				w->lost_map + at + done, &w->lost);
}

static void read_chunk(struct worker *w, struct chunk chunk)
{
	struct pipeline *p = w->pipeline;
	const bool alone = !p->plan.dump->source->ops->reads_in_parallel;
	uint64_t first;
	size_t count, done = 0;

	if (alone)
		pthread_mutex_lock(&p->read_lock);
	for (; next_piece(p, &chunk, &first, &count); done += count)
		read_piece(w, first, count, done);
	if (alone)
		pthread_mutex_unlock(&p->read_lock);
}

static struct error *put_chunk(struct worker *w, const struct chunk *chunk)
{
	struct pipeline *p = w->pipeline;
	struct page_batch batch = {
		.rank = chunk->rank,
		.pages = w->pages,
		.count = chunk->count,
		.data = w->out ? w->out : w->in,
		.size = w->out ? w->used : chunk->count * p->page_size,
	};
	struct error *err = p->output->ops->put(p->output, &batch);
	size_t i;

	for (i = 0; i < w->added_count && !err; i++) {
		const struct repeat *page = &w->added[i];

		repeats_placed(p->repeats, page->key, page->pattern, page->frame,
			       batch.place + w->pages[page->place].at);
	}
	return err;
}

/* ---- All ---- */

/* Ends the work of all; takes err. */
static void stop(struct pipeline *p, struct error *err)
{
	pthread_mutex_lock(&p->lock);
	if (p->err)
		error_free(err);
	else
		p->err = err;
	p->stop = true;
	pthread_mutex_unlock(&p->lock);
}

/* A chunk is in the file. */
static void account(struct worker *w, size_t count)
{
	struct pipeline *p = w->pipeline;
	struct pipeline_counts *c = &p->counts;

	pthread_mutex_lock(&p->lock);
	c->pages += count;
	c->zero += w->counts.zero;
	c->repeated += w->counts.repeated;
	c->spared += w->counts.spared;
	c->packed += w->counts.packed;
	c->raw += w->counts.raw;
	c->unpacked += w->counts.unpacked;
	c->lost += w->counts.lost;
	c->seen += w->counts.seen;
	if (!p->lost) {
		p->lost = w->lost;
		w->lost = NULL;
	}
	progress_step(p->plan.progress, c->pages * p->page_size);
	pthread_mutex_unlock(&p->lock);
}

/* The signals are blocked meanwhile and asked for between chunks: no handler,
 * no flag, and nothing half done. */
static bool interrupted(struct pipeline *p)
{
	const struct timespec now = { 0 };
	int number = sigtimedwait(p->plan.signals, NULL, &now);

	if (number > 0)
		p->signal = number;
	return number > 0;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct pipeline *p = w->pipeline;
	struct chunk chunk;
	size_t i;

	while (take_chunk(p, &chunk)) {
		struct error *err;

		w->counts = (struct pipeline_counts){ 0 };
		w->used = w->added_count = 0;
		read_chunk(w, chunk);
		for (i = 0; i < chunk.count; i++)
			worker_pack_page(w, i);
		err = put_chunk(w, &chunk);
		if (err) {
			stop(p, err);
			break;
		}
		account(w, chunk.count);
		/* The first worker is the thread that owns the signals. */
		if (w == p->workers && interrupted(p))
			stop(p, error_new(ERROR_LIMIT, "interrupted by %s",
					  strsignal(p->signal)));
	}
	return NULL;
}

struct error *pipeline_run(struct pipeline *p, const struct extents *pages,
			   struct output *output)
{
	size_t started = 1, i;
	pthread_attr_t attributes;
	struct error *err;

	if (!pages->count)
		return NULL;
	p->pages = pages;
	p->output = output;
	p->next = (struct chunk){ .at = pages->run[0].start };
	if (p->repeats)
		repeats_clear(p->repeats);
	/* A thread that cannot be had is one less. */
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	for (; started < p->worker_count; started++)
		if (pthread_create(&p->workers[started].thread, &attributes, work,
				   &p->workers[started]))
			break;
	pthread_attr_destroy(&attributes);
	work(&p->workers[0]);
	for (i = 1; i < started; i++)
		pthread_join(p->workers[i].thread, NULL);
	err = p->err;
	p->err = NULL;
	return err;
}

const struct pipeline_counts *pipeline_counts(const struct pipeline *p)
{
	return &p->counts;
}

struct error *pipeline_take_lost(struct pipeline *p)
{
	struct error *lost = p->lost;

	p->lost = NULL;
	return lost;
}

int pipeline_signal(const struct pipeline *p)
{
	return p->signal;
}

/* ---- Workers, as many as there is memory for ---- */

static void worker_deinit(struct worker *w)
{
	free(w->in);
	free(w->out);
	free(w->twin);
	free(w->lost_map);
	free(w->hole_map);
	free(w->pages);
	free(w->added);
	packer_destroy(w->packer);
	input_window_close(&w->window);
	error_free(w->lost);
	*w = (struct worker){ 0 };
}

/* Does the output take pages from a buffer of their own? */
static bool gathers(const struct pipeline *p)
{
	return p->plan.output->takes_packed;
}

/* Some codecs take most of their memory with the first page. A page of zeros
 * always packs, unless there is none left. */
static bool warm_up(struct worker *w)
{
	const size_t size = w->pipeline->page_size;

	memset(w->in, 0, size);
	return packer_pack(w->packer, w->in, size, w->out);
}

static struct error *worker_init(struct worker *w, struct pipeline *p, uint16_t number)
{
	const size_t chunk = p->chunk_pages * p->page_size;
	struct error *err = NULL;

	*w = (struct worker){ .pipeline = p, .number = number };
	w->in = malloc(chunk);
	w->lost_map = calloc(p->chunk_pages, sizeof(*w->lost_map));
	w->hole_map = calloc(p->chunk_pages, sizeof(*w->hole_map));
	w->pages = calloc(p->chunk_pages, sizeof(*w->pages));
	if (gathers(p))
		w->out = malloc(chunk + packer_slack(p->page_size));
	if (p->repeats) {
		w->added = calloc(p->chunk_pages, sizeof(*w->added));
		w->twin = malloc(p->page_size);
	}
	if (!w->in || !w->lost_map || !w->hole_map || !w->pages || (gathers(p) && !w->out) ||
	    (p->repeats && (!w->added || !w->twin)))
		err = error_nomem();
	else if (gathers(p) && p->plan.codec != PAGE_RAW)
		err = packer_create(p->plan.codec, &w->packer);
	if (!err && w->packer && !warm_up(w))
		err = error_nomem();
	if (err)
		worker_deinit(w);
	return err;
}

static uint64_t worker_memory(const struct pipeline *p)
{
	const uint64_t chunk = p->chunk_pages * p->page_size;

	return gathers(p) ? 2 * chunk + CODEC_MEMORY : chunk;
}

/* With what the page cache would give back: in a capture kernel that has written
 * for a while there is little else. */
static uint64_t free_memory(void)
{
	static const char key[] = "MemAvailable:";
	char *text cleanup_free = NULL;
	struct error *err = file_read_text("/proc/meminfo", 65536, &text);
	const char *line = err ? NULL : strstr(text, key);

	error_free(err);
	return line ? strtoull(line + sizeof(key) - 1, NULL, 10) << 10 : UINT64_MAX;
}

/* As many as were asked for, or as CPUs this process may use; never more than
 * the memory has room for, nor than there is work for. */
static size_t count_workers(const struct pipeline *p, uint64_t memory)
{
	const uint64_t work = p->plan.pages / p->chunk_pages / WORKER_CHUNKS + 1;
	uint64_t count = p->plan.threads;
	cpu_set_t cpus;

	if (!count)
		count = sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : CPU_COUNT(&cpus);
	if (count > memory / worker_memory(p))
		count = memory / worker_memory(p);
	if (count > work)
		count = work;
	return count ? count : 1;
}

/* As large as there is memory for, or none. */
static struct error *create_repeats(struct pipeline *p, uint64_t memory)
{
	uint64_t room = REPEATS_MEMORY;
	struct error *err;

	if (!p->plan.output->shares_pages)
		return NULL;
	while (room > memory / 8 || room / 2 > p->plan.pages * sizeof(struct repeat))
		room /= 2;
	while ((err = repeats_create(room, &p->repeats)) && err->code == ERROR_NOMEM) {
		error_free(err);
		room /= 2;
	}
	return err;
}

/* What to do without when there is no memory for a single worker: large chunks,
 * then the search for repeated pages, and last the codec. A dump that is larger
 * is still a dump. */
static bool give_way(struct pipeline *p)
{
	if (p->chunk_pages > 1) {
		p->chunk_pages /= 2;
	} else if (p->repeats) {
		repeats_destroy(p->repeats);
		p->repeats = NULL;
	} else if (p->plan.codec != PAGE_RAW) {
		p->plan.codec = PAGE_RAW;
	} else {
		return false;
	}
	return true;
}

static struct error *create_workers(struct pipeline *p, size_t wanted)
{
	p->workers = calloc(wanted, sizeof(*p->workers));
	if (!p->workers)
		return error_nomem();
	while (p->worker_count < wanted) {
		struct error *err = worker_init(&p->workers[p->worker_count], p,
						p->worker_count);

		if (!err) {
			p->worker_count++;
			continue;
		}
		if (err->code != ERROR_NOMEM || (!p->worker_count && !give_way(p)))
			return err;
		error_free(err);
		if (p->worker_count)
			break;
	}
	return NULL;
}

struct error *pipeline_create(const struct pipeline_plan *plan, struct pipeline **ret)
{
	struct pipeline *p = calloc(1, sizeof(*p));
	uint64_t memory = plan->memory_budget ? plan->memory_budget : free_memory() / 2;
	struct error *err;

	if (!p)
		return error_nomem();
	p->plan = *plan;
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->read_lock, NULL);
	p->page_size = (size_t)1 << plan->dump->page_shift;
	p->chunk_pages = CHUNK_SIZE / p->page_size;
	err = create_repeats(p, memory);
	if (p->repeats)
		memory -= memory / 8;
	while (p->chunk_pages > 1 && worker_memory(p) > memory)
		p->chunk_pages /= 2;
	if (!err)
		err = create_workers(p, count_workers(p, memory));
	if (err) {
		pipeline_destroy(p);
		return err;
	}
	*ret = p;
	return NULL;
}

bool pipeline_packs(const struct pipeline *p)
{
	return p->plan.codec != PAGE_RAW;
}

void pipeline_destroy(struct pipeline *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->worker_count; i++)
		worker_deinit(&p->workers[i]);
	free(p->workers);
	repeats_destroy(p->repeats);
	error_free(p->lost);
	error_free(p->err);
	pthread_mutex_destroy(&p->lock);
	pthread_mutex_destroy(&p->read_lock);
	free(p);
}
