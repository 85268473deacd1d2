#include "wire/splice.h"

#include <stdlib.h>

#include "base/check.h"

#define FIRST_EDITS 4u

enum edit_kind { EDIT_BYTES, EDIT_REMOVE, EDIT_APPEND, EDIT_PREPEND };

/* As it was asked for. Members are found by node, so that commas can be set once all edits of their object are known.
 */
struct splice_edit {
    enum edit_kind kind;
    uint32_t object, value; /* EDIT_REMOVE: both; EDIT_APPEND, EDIT_PREPEND: object */
    uint32_t order;
    size_t from, to;   /* EDIT_BYTES */
    struct slice text; /* the new bytes; for a new member `"name":json` */
};

/* Resolved: what is left out, and what takes its place. */
struct splice_range {
    size_t from, to;
    struct slice text;
    uint32_t order, added;
    bool is_removal;
};

void splice_init(struct splice *s, const struct json_tape *tape, struct slice body, struct arena *arena)
{
    check(tape->bytes == body.ptr || body.len == 0);
    *s = (struct splice){.tape = tape, .body = body, .arena = arena};
}

static struct splice_edit *add_edit(struct splice *s, enum edit_kind kind)
{
    if (s->count == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : FIRST_EDITS;
        struct splice_edit *edits = arena_alloc(s->arena, cap * sizeof *edits);
        if (s->count) memcpy(edits, s->edits, s->count * sizeof *edits);
        s->edits = edits;
        s->cap = cap;
    }
    s->ranges = NULL;
    struct splice_edit *edit = &s->edits[s->count];
    *edit = (struct splice_edit){.kind = kind, .order = s->count++};
    return edit;
}

static size_t offset_of(const struct splice *s, const char *at)
{
    return (size_t)(at - s->tape->bytes);
}

void splice_bytes(struct splice *s, size_t from, size_t to, struct slice bytes)
{
    check(from <= to && to <= s->body.len);
    struct splice_edit *edit = add_edit(s, EDIT_BYTES);
    edit->from = from;
    edit->to = to;
    edit->text = bytes;
}

void splice_value(struct splice *s, uint32_t node, struct slice json)
{
    struct slice raw = json_raw(s->tape, node);
    size_t from = offset_of(s, raw.ptr);
    check(json.len > 0);
    splice_bytes(s, from, from + raw.len, json);
}

void splice_remove(struct splice *s, uint32_t object, uint32_t value)
{
    check(json_is(s->tape, object, JSON_OBJECT));
    check(value > object && value < json_after(s->tape, object));
    struct splice_edit *edit = add_edit(s, EDIT_REMOVE);
    edit->object = object;
    edit->value = value;
}

/* `"name":json` */
static struct slice member_text(struct splice *s, struct slice name, struct slice json)
{
    struct buf text;
    buf_init(&text);
    buf_append_json(&text, name);
    buf_append_char(&text, ':');
    buf_append(&text, json);
    struct slice member = arena_copy(s->arena, buf_slice(&text));
    buf_clear(&text);
    return member;
}

static void add_member(struct splice *s, enum edit_kind kind, uint32_t object, struct slice name, struct slice json)
{
    check(json_is(s->tape, object, JSON_OBJECT) && json.len > 0);
    struct splice_edit *edit = add_edit(s, kind);
    edit->object = object;
    edit->text = member_text(s, name, json);
}

void splice_append(struct splice *s, uint32_t object, struct slice name, struct slice json)
{
    add_member(s, EDIT_APPEND, object, name, json);
}

static struct splice_edit *find_appended(struct splice *s, uint32_t object, struct slice name)
{
    struct slice begin = member_text(s, name, SLICE("{"));
    for (uint32_t i = 0; i < s->count; i++) {
        struct splice_edit *e = &s->edits[i];
        if (e->kind == EDIT_APPEND && e->object == object && slice_starts(e->text, begin)) return e;
    }
    return NULL;
}

bool splice_append_inside(struct splice *s, uint32_t object, struct slice name, struct slice inner, struct slice json)
{
    struct splice_edit *e = find_appended(s, object, name);
    if (!e) return false;
    struct slice before = slice_of(e->text.ptr, e->text.len - 1), member = member_text(s, inner, json);
    bool is_empty = before.ptr[before.len - 1] == '{';
    e->text = arena_printf(s->arena, "%.*s%s%.*s}", SLICE_FMT(before), is_empty ? "" : ",", SLICE_FMT(member));
    s->ranges = NULL;
    return true;
}

void splice_prepend(struct splice *s, uint32_t object, struct slice name, struct slice json)
{
    add_member(s, EDIT_PREPEND, object, name, json);
}

/* Edits of one object's members; sorted: removals in the order of the body, then what is prepended, then appended. */
struct group {
    const struct splice_edit *edits;
    uint32_t count, removals;
    uint32_t object;
    uint32_t order; /* of the latest of them */
};

/* Whether the member goes; *at steps over its removals. */
static bool is_removed(const struct group *g, uint32_t value, uint32_t *at)
{
    uint32_t before = *at;
    while (*at < g->removals && g->edits[*at].value == value)
        ++*at;
    return *at > before;
}

static void add_range(struct splice *s, size_t from, size_t to, struct slice text, uint32_t order)
{
    uint32_t added = s->range_count++;
    s->ranges[added] = (struct splice_range){from, to, text, order, added, to > from && text.len == 0};
}

/* New members of that kind as one text. A comma goes between them, and before or behind them where asked for. */
static struct slice join(struct splice *s, const struct group *g, enum edit_kind kind, bool comma_first,
                         bool comma_last)
{
    struct buf text;
    buf_init(&text);
    for (uint32_t i = g->removals; i < g->count; i++) {
        if (g->edits[i].kind != kind) continue;
        if (comma_first || buf_len(&text)) buf_append_char(&text, ',');
        buf_append(&text, g->edits[i].text);
    }
    if (comma_last && buf_len(&text)) buf_append_char(&text, ',');
    struct slice joined = buf_len(&text) ? arena_copy(s->arena, buf_slice(&text)) : SLICE_NONE;
    buf_clear(&text);
    return joined;
}

/*
 * Removals: a member goes with the comma behind it, up to the next key; those at the end of the object, where no comma
 * follows, go with the comma before them, from the end of the last member that stays. Additions then need commas only
 * towards members that stay.
 */
static void resolve_group(struct splice *s, const struct group *g)
{
    const struct json_tape *tape = s->tape;
    size_t begin = offset_of(s, json_raw(tape, g->object).ptr) + 1, end_of_last = 0, run = 0;
    bool any_stays = false, in_run = false;
    uint32_t at = 0;
    for (uint32_t v = json_first(tape, g->object); v != JSON_NONE; v = json_next(tape, v)) {
        size_t key = offset_of(s, json_key(tape, v).ptr);
        struct slice raw = json_raw(tape, v);
        if (v == json_first(tape, g->object)) begin = key;
        if (is_removed(g, v, &at)) {
            if (!in_run) run = key;
            in_run = true;
        } else {
            if (in_run) add_range(s, run, key, SLICE_NONE, g->order);
            in_run = false;
            any_stays = true;
            end_of_last = offset_of(s, raw.ptr) + raw.len;
        }
        if (in_run && json_next(tape, v) == JSON_NONE) {
            add_range(s, any_stays ? end_of_last : run, offset_of(s, raw.ptr) + raw.len, SLICE_NONE, g->order);
        }
    }
    check(at == g->removals); /* else a value that is no member of this object */
    struct slice first = join(s, g, EDIT_PREPEND, false, any_stays);
    struct slice last = join(s, g, EDIT_APPEND, any_stays || first.len, false);
    size_t end = any_stays ? end_of_last : begin;
    if (first.len) add_range(s, begin, begin, first, g->order);
    if (last.len) add_range(s, end, end, last, g->order);
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Byte edits first, then by object; in an object by kind, removals by place, the rest by order. */
static int compare_edits(const void *left, const void *right)
{
    const struct splice_edit *a = left, *b = right;
    int by = compare_u64(a->kind != EDIT_BYTES, b->kind != EDIT_BYTES);
    if (!by) by = compare_u64(a->object, b->object);
    if (!by) by = compare_u64(a->kind == EDIT_REMOVE ? 0 : 1, b->kind == EDIT_REMOVE ? 0 : 1);
    if (!by && a->kind == EDIT_REMOVE) by = compare_u64(a->value, b->value);
    return by ? by : compare_u64(a->order, b->order);
}

/* By place; what goes in at a place comes before what goes out from there; of two that begin together the longer. */
static int compare_ranges(const void *left, const void *right)
{
    const struct splice_range *a = left, *b = right;
    int by = compare_u64(a->from, b->from);
    if (!by) by = compare_u64(a->from != a->to, b->from != b->to);
    if (!by) by = compare_u64(b->to, a->to);
    if (!by) by = compare_u64(a->order, b->order);
    return by ? by : compare_u64(a->added, b->added);
}

/* Of sorted ranges keeps those that count; see the header for which vanish and which are bugs. */
static void settle_ranges(struct splice *s)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->range_count; i++) {
        struct splice_range range = s->ranges[i], *last = kept ? &s->ranges[kept - 1] : NULL;
        bool is_apart = !last || range.from >= last->to || (range.from == range.to && range.from == last->from);
        if (is_apart) {
            s->ranges[kept++] = range;
            continue;
        }
        check(range.to <= last->to);
        bool is_same = range.from == last->from && range.to == last->to;
        if (is_same && !last->is_removal) {
            *last = range;
        } else {
            check(last->is_removal || range.order < last->order);
        }
    }
    s->range_count = kept;
}

static void resolve(struct splice *s)
{
    if (s->ranges) return;
    /* An object with k edits gives at most k + 2 ranges: a run for each removal, two additions. */
    struct splice_edit *edits = arena_alloc(s->arena, (s->count + 1) * sizeof *edits);
    s->ranges = arena_alloc(s->arena, (3 * (size_t)s->count + 1) * sizeof *s->ranges);
    s->range_count = 0;
    if (s->count) memcpy(edits, s->edits, s->count * sizeof *edits);
    qsort(edits, s->count, sizeof *edits, compare_edits);
    for (uint32_t i = 0; i < s->count;) {
        struct group g = {.edits = &edits[i], .object = edits[i].object};
        if (edits[i].kind == EDIT_BYTES) {
            add_range(s, edits[i].from, edits[i].to, edits[i].text, edits[i].order);
            i++;
            continue;
        }
        for (; i < s->count && edits[i].object == g.object; i++, g.count++) {
            g.removals += edits[i].kind == EDIT_REMOVE;
            if (edits[i].order > g.order) g.order = edits[i].order;
        }
        resolve_group(s, &g);
    }
    qsort(s->ranges, s->range_count, sizeof *s->ranges, compare_ranges);
    settle_ranges(s);
}

size_t splice_length(struct splice *s)
{
    resolve(s);
    size_t len = s->body.len;
    for (uint32_t i = 0; i < s->range_count; i++)
        len += s->ranges[i].text.len - (s->ranges[i].to - s->ranges[i].from);
    return len;
}

void splice_apply(struct splice *s, struct buf *out)
{
    size_t at = 0;
    buf_reserve(out, splice_length(s));
    for (uint32_t i = 0; i < s->range_count; i++) {
        const struct splice_range *range = &s->ranges[i];
        buf_append(out, slice_of(s->body.ptr + at, range->from - at));
        buf_append(out, range->text);
        at = range->to;
    }
    buf_append(out, slice_of(s->body.ptr + at, s->body.len - at));
}

static void add_piece(struct iovec *pieces, size_t *count, const char *ptr, size_t len)
{
    if (len == 0) return;
    pieces[*count].iov_base = (void *)ptr;
    pieces[*count].iov_len = len;
    ++*count;
}

size_t splice_iovecs(struct splice *s, struct iovec **pieces)
{
    size_t count = 0, at = 0;
    resolve(s);
    *pieces = arena_alloc(s->arena, (2 * (size_t)s->range_count + 1) * sizeof **pieces);
    for (uint32_t i = 0; i < s->range_count; i++) {
        const struct splice_range *range = &s->ranges[i];
        add_piece(*pieces, &count, s->body.ptr + at, range->from - at);
        add_piece(*pieces, &count, range->text.ptr, range->text.len);
        at = range->to;
    }
    add_piece(*pieces, &count, s->body.ptr + at, s->body.len - at);
    return count;
}
