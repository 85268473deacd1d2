#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/stats_inner.h"

static const char *const bucket_texts[] = {"0.001", "0.005", "0.025", "0.1", "0.25", "0.5",
                                           "1",     "2",     "5",     "10",  "30",   "60"};
_Static_assert(sizeof bucket_texts / sizeof bucket_texts[0] == STATS_BUCKET_COUNT, "one text a bucket");

/* One series of one segment; sorted, those with equal labels stand side by side. */
struct found {
    const struct stats_entry *entry;
    const _Atomic uint64_t *cells;
};

static int compare_found(const void *left, const void *right)
{
    const struct stats_entry *a = ((const struct found *)left)->entry, *b = ((const struct found *)right)->entry;
    if (a->metric != b->metric) return a->metric < b->metric ? -1 : 1;
    size_t shorter = a->key_len < b->key_len ? a->key_len : b->key_len;
    int order = memcmp(a->key, b->key, shorter);
    return order ? order : (int)a->key_len - (int)b->key_len;
}

static size_t gather(void *const *segments, size_t count, struct found **all)
{
    size_t n = 0;
    *all = mem_zalloc(count * STATS_ENTRIES, sizeof **all);
    for (size_t i = 0; i < count; i++) {
        const struct stats_segment *segment = segments[i];
        uint32_t entries = atomic_load_explicit(&segment->count, memory_order_acquire);
        check(entries <= STATS_ENTRIES);
        for (uint32_t e = 0; e < entries; e++) {
            (*all)[n++] = (struct found){&segment->entries[e], &segment->cells[segment->entries[e].cell]};
        }
    }
    qsort(*all, n, sizeof **all, compare_found);
    return n;
}

static const char *type_of(enum stats_kind kind)
{
    switch (kind) {
    case STATS_KIND_COUNTER:
    case STATS_KIND_NANO: return "counter";
    case STATS_KIND_HISTOGRAM: return "histogram";
    case STATS_KIND_GAUGE:
    case STATS_KIND_LARGEST:
    case STATS_KIND_LONGEST:
    case STATS_KIND_INFO: return "gauge";
    }
    check(!"a kind without a type");
}

/* A label value as the text format wants it: \ " and newline escaped, always UTF-8. */
static void append_value(struct buf *out, struct slice value)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    for (size_t i = 0; i < value.len;) {
        unsigned char c = (unsigned char)value.ptr[i];
        size_t len = c < 0x80                ? 1
                     : c >= 0xC2 && c < 0xE0 ? 2
                     : c >= 0xE0 && c < 0xF0 ? 3
                     : c >= 0xF0 && c < 0xF5 ? 4
                                             : 0;
        bool is_whole = len > 0 && i + len <= value.len;
        for (size_t k = 1; is_whole && k < len; k++)
            is_whole = ((unsigned char)value.ptr[i + k] & 0xC0) == 0x80;
        if (!is_whole) {
            buf_append(out, slice_str(replacement));
            i++;
            continue;
        }
        if (c == '\n') {
            buf_append(out, SLICE("\\n"));
        } else {
            if (c == '\\' || c == '"') buf_append_char(out, '\\');
            buf_append(out, slice_of(value.ptr + i, len));
        }
        i += len;
    }
}

/* A metric that stands for many: its series name themselves. */
static bool is_open(unsigned metric)
{
    struct slice name = slice_str(stats_metrics[metric].name);
    return name.ptr[name.len - 1] == '_';
}

/* The next label value of a key. */
static struct slice next_value(const char **at)
{
    struct slice value = slice_of(*at + 1, (unsigned char)**at);
    *at += 1 + value.len;
    return value;
}

static void append_label(struct buf *out, char *before, struct slice name, struct slice value)
{
    buf_printf(out, "%c%.*s=\"", *before, SLICE_FMT(name));
    append_value(out, value);
    buf_append_char(out, '"');
    *before = ',';
}

/* Names and values in turn. What was folded into "other" has one name several times: once is enough. */
static void append_open_labels(struct buf *out, const struct stats_entry *e, char *before)
{
    const char *at = e->key, *end = e->key + e->key_len;
    struct slice last = SLICE("");
    next_value(&at);
    while (at < end) {
        struct slice name = next_value(&at), value = next_value(&at);
        if (name.len && !slice_equal(name, last)) append_label(out, before, name, value);
        last = name;
    }
}

static void append_fixed_labels(struct buf *out, const struct stats_entry *e, char *before)
{
    struct slice names = slice_str(stats_metrics[e->metric].labels), rest;
    const char *at = e->key, *end = e->key + e->key_len;
    for (; names.len; names = rest) {
        struct slice name = slice_split(names, ',', &rest);
        check(at < end);
        append_label(out, before, name, next_value(&at));
    }
}

static void append_labels(struct buf *out, const struct stats_entry *e, const char *bucket)
{
    char before = '{';
    if (is_open(e->metric))
        append_open_labels(out, e, &before);
    else
        append_fixed_labels(out, e, &before);
    if (bucket) {
        buf_printf(out, "%cle=\"%s\"", before, bucket);
        before = ',';
    }
    if (before == ',') buf_append_char(out, '}');
}

static uint64_t cell_sum(const struct found *same, size_t count, unsigned cell)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += atomic_load_explicit(&same[i].cells[cell], memory_order_relaxed);
    return sum;
}

static int64_t cell_largest(const struct found *same, size_t count)
{
    int64_t largest = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        int64_t value = (int64_t)atomic_load_explicit(&same[i].cells[0], memory_order_relaxed);
        if (value > largest) largest = value;
    }
    return largest;
}

static void render_histogram(struct buf *out, const char *name, const struct found *same, size_t count)
{
    uint64_t below = 0;
    for (unsigned i = 0; i <= STATS_BUCKET_COUNT; i++) {
        below += cell_sum(same, count, i);
        buf_printf(out, "%s_bucket", name);
        append_labels(out, same[0].entry, i < STATS_BUCKET_COUNT ? bucket_texts[i] : "+Inf");
        buf_printf(out, " %llu\n", (unsigned long long)below);
    }
    uint64_t ns = cell_sum(same, count, STATS_BUCKET_COUNT + 1);
    buf_printf(out, "%s_sum", name);
    append_labels(out, same[0].entry, NULL);
    buf_printf(out, " %llu.%09llu\n%s_count", (unsigned long long)(ns / NS_PER_S), (unsigned long long)(ns % NS_PER_S),
               name);
    append_labels(out, same[0].entry, NULL);
    buf_printf(out, " %llu\n", (unsigned long long)below);
}

static void render_series(struct buf *out, const char *name, const struct found *same, size_t count)
{
    const struct stats_metric_info *m = &stats_metrics[same[0].entry->metric];
    if (m->kind == STATS_KIND_HISTOGRAM) {
        render_histogram(out, name, same, count);
        return;
    }
    bool is_time = m->kind == STATS_KIND_LONGEST,
         is_largest = is_time || m->kind == STATS_KIND_LARGEST || m->kind == STATS_KIND_INFO;
    int64_t value = is_largest ? cell_largest(same, count) : (int64_t)cell_sum(same, count, 0);
    if (m->kind == STATS_KIND_INFO && value == 0) return;
    buf_append(out, slice_str(name));
    append_labels(out, same[0].entry, NULL);
    if (m->kind == STATS_KIND_NANO || is_time)
        buf_printf(out, " %lld.%09lld\n", (long long)value / 1000000000, (long long)value % 1000000000);
    else
        buf_printf(out, " %lld\n", (long long)value);
}

/* "moongate_policy_checks_total"; series of one name stand side by side. */
static bool open_name(const struct stats_entry *e, char *name, size_t size)
{
    const char *at = e->key;
    char before[LIMIT_SERIES_KEY_BYTES];
    struct slice own = next_value(&at);
    snprintf(before, sizeof before, "%s", name);
    snprintf(name, size, "%s%.*s", stats_metrics[e->metric].name, SLICE_FMT(own));
    return strcmp(before, name) != 0;
}

static void render_metric(struct buf *out, unsigned metric, const struct found *found, size_t count)
{
    const struct stats_metric_info *m = &stats_metrics[metric];
    char name[LIMIT_SERIES_KEY_BYTES];
    snprintf(name, sizeof name, "%s", m->name);
    if (!is_open(metric)) buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, type_of(m->kind));
    if (count == 0 && !is_open(metric) && m->labels[0] == '\0' && m->kind != STATS_KIND_HISTOGRAM)
        buf_printf(out, "%s 0\n", m->name);
    for (size_t i = 0; i < count;) {
        size_t same = 1;
        while (i + same < count && compare_found(&found[i], &found[i + same]) == 0)
            same++;
        if (is_open(metric) && open_name(found[i].entry, name, sizeof name))
            buf_printf(out, "# TYPE %s %s\n", name, type_of(m->kind));
        render_series(out, name, &found[i], same);
        i += same;
    }
}

void stats_render(void *const *segments, size_t count, struct buf *out)
{
    struct found *all;
    size_t n = gather(segments, count, &all), at = 0;
    for (unsigned metric = 0; metric < STATS_METRIC_COUNT; metric++) {
        size_t of_metric = 0;
        while (at + of_metric < n && all[at + of_metric].entry->metric == metric)
            of_metric++;
        render_metric(out, metric, all + at, of_metric);
        at += of_metric;
    }
    mem_free(all);
}
