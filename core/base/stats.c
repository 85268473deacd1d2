#include "base/stats.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/stats_inner.h"

_Static_assert(LIMIT_LABEL_BYTES < 256, "a label's length is kept in one byte");

struct stats {
    struct stats_segment *segment;
    uint32_t used_cells;
    struct map by_key; /* this process's own way into the entries of the segment */
    unsigned char label_counts[STATS_METRIC_COUNT]; /* of each metric */
};

/* As it lies in an entry. */
struct key {
    uint16_t metric, len;
    char bytes[LIMIT_SERIES_KEY_BYTES];
};

#define IN_ENTRY(member) (offsetof(struct stats_entry, member) - offsetof(struct stats_entry, metric))
_Static_assert(IN_ENTRY(key_len) == offsetof(struct key, len) && IN_ENTRY(key) == offsetof(struct key, bytes),
               "a key is a part of its entry");

const struct stats_metric_info stats_metrics[STATS_METRIC_COUNT] = {
#define X(name, kind, text, labels, help) {text, labels, help, STATS_KIND_##kind},
    STATS_METRICS(X)
#undef X
};

static const uint64_t bucket_ms[STATS_BUCKET_COUNT] = {STATS_BUCKETS_MS};

unsigned stats_label_count(const char *labels)
{
    unsigned n = labels[0] != '\0';
    for (; *labels; labels++)
        n += *labels == ',';
    check(n <= STATS_LABELS_MAX);
    return n;
}

size_t stats_segment_bytes(void)
{
    return sizeof(struct stats_segment);
}

static _Atomic uint64_t *cell_of(const struct stats *s, stats_handle series)
{
    return &s->segment->cells[s->segment->entries[series].cell];
}

/* One writer: a plain add, made of two relaxed halves so that readers see whole values. */
static void cell_add(_Atomic uint64_t *cell, uint64_t n)
{
    uint64_t now = atomic_load_explicit(cell, memory_order_relaxed);
    atomic_store_explicit(cell, now + n, memory_order_relaxed);
}

static struct slice key_slice(const uint16_t *metric, size_t len)
{
    return slice_of((const char *)metric, offsetof(struct key, bytes) + len);
}

static struct slice key_of(const void *owner, uint32_t entry)
{
    const struct stats_entry *e = &((const struct stats *)owner)->segment->entries[entry];
    return key_slice(&e->metric, e->key_len);
}

/* A cut in the middle of a character would not be UTF-8 any more. */
static size_t cut_label(struct slice value)
{
    size_t len = value.len;
    if (len <= LIMIT_LABEL_BYTES) return len;
    len = LIMIT_LABEL_BYTES;
    while (len > 0 && ((unsigned char)value.ptr[len] & 0xC0) == 0x80)
        len--;
    return len;
}

static bool key_make(struct key *key, enum stats_metric metric, const struct slice *labels, unsigned count)
{
    key->metric = (uint16_t)metric;
    key->len = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t len = cut_label(labels[i]);
        if (key->len + 1 + len > sizeof key->bytes) return false;
        key->bytes[key->len++] = (char)(unsigned char)len;
        if (len) memcpy(key->bytes + key->len, labels[i].ptr, len);
        key->len = (uint16_t)(key->len + len);
    }
    return true;
}

static bool find(const struct stats *s, const struct key *key, uint32_t *entry)
{
    return map_find(&s->by_key, key_slice(&key->metric, key->len), entry);
}

static uint32_t entry_new(struct stats *s, const struct key *key)
{
    uint32_t n = atomic_load_explicit(&s->segment->count, memory_order_relaxed);
    struct stats_entry *e = &s->segment->entries[n];
    check(n < STATS_ENTRIES);
    e->cell = s->used_cells;
    e->metric = key->metric;
    e->key_len = key->len;
    memcpy(e->key, key->bytes, key->len);
    s->used_cells += stats_cells_of(stats_metrics[key->metric].kind);
    check(s->used_cells <= STATS_CELLS);
    atomic_store_explicit(&s->segment->count, n + 1, memory_order_release);
    map_add(&s->by_key, n);
    return n;
}

static void zero_gauge(const struct stats *s, uint32_t entry)
{
    enum stats_kind kind = stats_metrics[s->segment->entries[entry].metric].kind;
    if (kind == STATS_KIND_COUNTER || kind == STATS_KIND_NANO || kind == STATS_KIND_HISTOGRAM) return;
    atomic_store_explicit(cell_of(s, entry), 0, memory_order_relaxed);
}

static void index_entry(struct stats *s, uint32_t entry)
{
    const struct stats_entry *e = &s->segment->entries[entry];
    check(e->metric < STATS_METRIC_COUNT && e->key_len <= sizeof e->key);
    map_add(&s->by_key, entry);
    uint32_t end = e->cell + stats_cells_of(stats_metrics[e->metric].kind);
    if (end > s->used_cells) s->used_cells = end;
}

struct stats *stats_attach(void *segment)
{
    struct stats *s = mem_zalloc(1, sizeof *s);
    s->segment = segment;
    map_init(&s->by_key, key_of, s);
    for (unsigned metric = 0; metric < STATS_METRIC_COUNT; metric++)
        s->label_counts[metric] = (unsigned char)stats_label_count(stats_metrics[metric].labels);
    uint32_t count = atomic_load_explicit(&s->segment->count, memory_order_acquire);
    check(count <= STATS_ENTRIES);
    for (uint32_t i = 0; i < count; i++) {
        index_entry(s, i);
        zero_gauge(s, i);
    }
    return s;
}

void stats_detach(struct stats *stats)
{
    if (!stats) return;
    map_clear(&stats->by_key);
    mem_free(stats);
}

/* What is left above LIMIT_SERIES and its cells is kept for the "other" of each metric. */
static bool has_room(const struct stats *s, enum stats_metric metric)
{
    uint32_t reserve = STATS_METRIC_COUNT * STATS_HISTOGRAM_CELLS;
    return atomic_load_explicit(&s->segment->count, memory_order_relaxed) < LIMIT_SERIES &&
           s->used_cells + stats_cells_of(stats_metrics[metric].kind) <= STATS_CELLS - reserve;
}

static stats_handle other_series(struct stats *s, enum stats_metric metric, unsigned label_count)
{
    struct slice labels[STATS_LABELS_MAX];
    struct key key;
    for (unsigned i = 0; i < label_count; i++)
        labels[i] = SLICE("other");
    check(key_make(&key, metric, labels, label_count));
    uint32_t entry;
    return find(s, &key, &entry) ? entry : entry_new(s, &key);
}

stats_handle stats_series(struct stats *s, enum stats_metric metric, const struct slice *labels)
{
    struct key key;
    uint32_t entry;
    check((unsigned)metric < STATS_METRIC_COUNT);
    unsigned label_count = s->label_counts[metric];
    if (!key_make(&key, metric, labels, label_count)) return other_series(s, metric, label_count);
    if (find(s, &key, &entry)) return entry;
    return has_room(s, metric) ? entry_new(s, &key) : other_series(s, metric, label_count);
}

void stats_add(struct stats *s, stats_handle series, int64_t n)
{
    cell_add(cell_of(s, series), (uint64_t)n);
}

void stats_set(struct stats *s, stats_handle series, int64_t value)
{
    atomic_store_explicit(cell_of(s, series), (uint64_t)value, memory_order_relaxed);
}

void stats_observe(struct stats *s, stats_handle series, uint64_t ns)
{
    _Atomic uint64_t *cells = cell_of(s, series);
    unsigned i = 0;
    while (i < STATS_BUCKET_COUNT && ns > bucket_ms[i] * NS_PER_MS)
        i++;
    cell_add(&cells[i], 1);
    cell_add(&cells[STATS_BUCKET_COUNT + 1], ns);
}

int64_t stats_value(const struct stats *s, stats_handle series)
{
    return (int64_t)atomic_load_explicit(cell_of(s, series), memory_order_relaxed);
}
