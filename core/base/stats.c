#include "base/stats.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/stats_segment.h"

#define INDEX_SLOTS 32768u /* a power of two, at least twice STATS_ENTRIES */

_Static_assert(INDEX_SLOTS >= 2 * STATS_ENTRIES, "the index must stay sparse");
_Static_assert(LIMIT_LABEL_BYTES < 256, "a label's length is kept in one byte");

struct stats {
    struct stats_segment *segment;
    uint32_t used_cells;
    uint32_t index[INDEX_SLOTS]; /* entry + 1; 0: free */
};

struct key {
    char bytes[LIMIT_SERIES_KEY_BYTES];
    size_t len;
};

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

static uint32_t hash_key(enum stats_metric metric, const struct key *key)
{
    uint64_t h = 0xcbf29ce484222325ull ^ (uint64_t)metric;
    for (size_t i = 0; i < key->len; i++)
        h = (h ^ (unsigned char)key->bytes[i]) * 0x100000001b3ull;
    h ^= h >> 32;
    return (uint32_t)(h * 0x9e3779b97f4a7c15ull >> 40);
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

static bool key_make(struct key *key, const struct slice *labels, unsigned count)
{
    key->len = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t len = cut_label(labels[i]);
        if (key->len + 1 + len > sizeof key->bytes) return false;
        key->bytes[key->len++] = (char)(unsigned char)len;
        if (len) memcpy(key->bytes + key->len, labels[i].ptr, len);
        key->len += len;
    }
    return true;
}

/* The index slot that holds this key, or the free one where it belongs. */
static uint32_t *find_slot(struct stats *s, enum stats_metric metric, const struct key *key)
{
    for (uint32_t at = hash_key(metric, key);; at++) {
        uint32_t *slot = &s->index[at % INDEX_SLOTS];
        if (*slot == 0) return slot;
        const struct stats_entry *e = &s->segment->entries[*slot - 1];
        if (e->metric == metric && e->key_len == key->len && memcmp(e->key, key->bytes, key->len) == 0) return slot;
    }
}

static uint32_t entry_new(struct stats *s, enum stats_metric metric, const struct key *key)
{
    uint32_t n = atomic_load_explicit(&s->segment->count, memory_order_relaxed);
    struct stats_entry *e = &s->segment->entries[n];
    check(n < STATS_ENTRIES);
    e->cell = s->used_cells;
    e->metric = (uint16_t)metric;
    e->key_len = (uint16_t)key->len;
    memcpy(e->key, key->bytes, key->len);
    s->used_cells += stats_cells_of(stats_metrics[metric].kind);
    check(s->used_cells <= STATS_CELLS);
    atomic_store_explicit(&s->segment->count, n + 1, memory_order_release);
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
    struct key key = {.len = e->key_len};
    check(e->metric < STATS_METRIC_COUNT && e->key_len <= sizeof key.bytes);
    memcpy(key.bytes, e->key, e->key_len);
    *find_slot(s, (enum stats_metric)e->metric, &key) = entry + 1;
    uint32_t end = e->cell + stats_cells_of(stats_metrics[e->metric].kind);
    if (end > s->used_cells) s->used_cells = end;
}

struct stats *stats_attach(void *segment)
{
    struct stats *s = mem_zalloc(1, sizeof *s);
    s->segment = segment;
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
    check(key_make(&key, labels, label_count));
    uint32_t *slot = find_slot(s, metric, &key);
    if (*slot == 0) *slot = entry_new(s, metric, &key) + 1;
    return *slot - 1;
}

stats_handle stats_series(struct stats *s, enum stats_metric metric, const struct slice *labels)
{
    struct key key;
    check((unsigned)metric < STATS_METRIC_COUNT);
    unsigned label_count = stats_label_count(stats_metrics[metric].labels);
    if (!key_make(&key, labels, label_count)) return other_series(s, metric, label_count);
    uint32_t *slot = find_slot(s, metric, &key);
    if (*slot) return *slot - 1;
    if (!has_room(s, metric)) return other_series(s, metric, label_count);
    *slot = entry_new(s, metric, &key) + 1;
    return *slot - 1;
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
