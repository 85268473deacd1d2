/*
 * How a metrics segment lies in memory: shared by its writer (stats.c) and its readers (stats_render.c), nobody else.
 *
 * Entries are written in order of creation and published by raising `count` with release; what lies below `count` never
 * changes again. The writer's index over them is its own and is rebuilt when a process attaches, so that a writer
 * killed between any two instructions leaves nothing half done.
 */
#ifndef MOONGATE_BASE_STATS_INNER_H
#define MOONGATE_BASE_STATS_INNER_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/stats.h"

enum stats_kind {
    STATS_KIND_COUNTER,
    STATS_KIND_NANO,
    STATS_KIND_GAUGE,
    STATS_KIND_LARGEST,
    STATS_KIND_LONGEST,
    STATS_KIND_INFO,
    STATS_KIND_HISTOGRAM,
};

struct stats_metric_info {
    const char *name, *labels, *help;
    enum stats_kind kind;
};

#define STATS_METRIC_COUNT (STATS_BUILD_INFO + 1)
#define STATS_LABELS_MAX 8u
#define STATS_BUCKET_COUNT 12u
/* One cell a bucket, one for +Inf, one for the sum. */
#define STATS_HISTOGRAM_CELLS (STATS_BUCKET_COUNT + 2u)
/* Above LIMIT_SERIES there is always room for each metric's "other". */
#define STATS_ENTRIES (LIMIT_SERIES + STATS_METRIC_COUNT)
#define STATS_CELLS (2u * LIMIT_SERIES + STATS_METRIC_COUNT * STATS_HISTOGRAM_CELLS)

struct stats_entry {
    uint32_t cell; /* the first of its cells */
    uint16_t metric;
    uint16_t key_len;
    char key[LIMIT_SERIES_KEY_BYTES]; /* label values, each as one byte of length and its bytes */
};

struct stats_segment {
    _Atomic uint32_t count;
    uint32_t reserved;
    struct stats_entry entries[STATS_ENTRIES];
    _Atomic uint64_t cells[STATS_CELLS];
};

extern const struct stats_metric_info stats_metrics[STATS_METRIC_COUNT];

/* Of a list as the table spells it. */
unsigned stats_label_count(const char *labels);

static inline uint32_t stats_cells_of(enum stats_kind kind)
{
    return kind == STATS_KIND_HISTOGRAM ? STATS_HISTOGRAM_CELLS : 1;
}

#endif
