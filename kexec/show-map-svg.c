/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map as SVG: a bar to scale, the highest address on top, and a label for
 * each block, joined to it by a line where blocks lie too close together.
 */
#include <inttypes.h>

#include "kexec/show-map.h"
#include "kexec/show.h"
#include "lib/units.h"

/* In pixels. */
#define WIDTH       960
#define BAR_X       40
#define BAR_WIDTH   150
#define BAR_Y       60
#define BAR_HEIGHT  560
#define LABEL_X     250
#define LABEL_STEP  26 /* between two labels' baselines */
#define LINE        1.5 /* what is thinner would be too faint to see */
#define MARGIN      40

static const char *color_of(char letter)
{
	switch (letter) {
	case 'K': return "#4878a8";
	case 'I': return "#e0a040";
	case 'c': return "#58a068";
	case 'e': return "#b05880";
	case 'x': return "#707070";
	default:  return "#eeeeee";
	}
}

/* Each label at its block's middle, or as near as the others let it. */
static void place_labels(const double *middle, size_t count, double *label)
{
	double limit = BAR_Y + BAR_HEIGHT;
	size_t i;

	for (i = 0; i < count; i++) {
		label[i] = middle[i];
		if (i && label[i] < label[i - 1] + LABEL_STEP)
			label[i] = label[i - 1] + LABEL_STEP;
	}
	for (i = count; i-- > 0;) {
		if (label[i] > limit)
			label[i] = limit;
		limit = label[i] - LABEL_STEP;
	}
}

static void show_block(FILE *out, const struct block *block, double y, double height)
{
	fprintf(out, "<rect x=\"%d\" y=\"%.2f\" width=\"%d\" height=\"%.2f\" fill=\"%s\"/>\n",
		BAR_X, y, BAR_WIDTH, height, color_of(block->letter));
	if (height < LINE && block->letter != MAP_UNUSED)
		fprintf(out, "<path d=\"M%d %.2fh%d\" stroke=\"%s\" stroke-width=\"%.1f\"/>\n",
			BAR_X, y + height / 2, BAR_WIDTH, color_of(block->letter), LINE);
}

static void show_label(FILE *out, const struct block *block, double middle, double label)
{
	char text[UNITS_SIZE_TEXT];

	fprintf(out, "<polyline points=\"%d,%.2f %d,%.2f %d,%.2f\" fill=\"none\" stroke=\"#999\"/>\n",
		BAR_X + BAR_WIDTH, middle, BAR_X + BAR_WIDTH + 20, middle, LABEL_X - 8, label);
	fprintf(out, "<rect x=\"%d\" y=\"%.2f\" width=\"12\" height=\"12\" fill=\"%s\" stroke=\"#999\"/>\n",
		LABEL_X, label - 6, color_of(block->letter));
	fprintf(out, "<text x=\"%d\" y=\"%.2f\">%s, %s</text>\n", LABEL_X + 20, label + 4,
		block->name, size_text(block->range.end - block->range.start, text));
	fprintf(out, "<text x=\"%d\" y=\"%.2f\" text-anchor=\"end\" class=\"address\">0x%" PRIx64
		"-0x%" PRIx64 "</text>\n", WIDTH - MARGIN, label + 4, block->range.start,
		block->range.end - 1);
}

void show_map_svg(FILE *out, const struct plan *plan)
{
	const uint64_t size = plan->region.end - plan->region.start;
	double middle[MAP_BLOCKS], label[MAP_BLOCKS];
	struct block blocks[MAP_BLOCKS];
	size_t count = map_blocks(plan, blocks), i;
	char text[UNITS_SIZE_TEXT];

	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\">\n", WIDTH, BAR_Y + BAR_HEIGHT + MARGIN, WIDTH,
		BAR_Y + BAR_HEIGHT + MARGIN);
	fprintf(out, "<style>text { font: 14px sans-serif } .address { font-family: monospace } "
		".title { font-weight: bold }</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n");
	fprintf(out, "<text x=\"%d\" y=\"36\" class=\"title\">%s 0x%" PRIx64 "-0x%" PRIx64
		", %s</text>\n", BAR_X, map_title(plan), plan->region.start,
		plan->region.end - 1, size_text(size, text));
	for (i = 0; i < count; i++) {
		double y = BAR_Y + (double)(plan->region.end - blocks[i].range.end) / size * BAR_HEIGHT;
		double height = (double)(blocks[i].range.end - blocks[i].range.start) / size *
				BAR_HEIGHT;

		middle[i] = y + height / 2;
		show_block(out, &blocks[i], y, height);
	}
	fprintf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" "
		"stroke=\"black\"/>\n", BAR_X, BAR_Y, BAR_WIDTH, BAR_HEIGHT);
	place_labels(middle, count, label);
	for (i = 0; i < count; i++)
		show_label(out, &blocks[i], middle[i], label[i]);
	fprintf(out, "</svg>\n");
}
