/* What the levels of a text tell becomes what is seen, and where in the text it stands. */
#include "wire/sight_inner.h"

#include "base/mem.h"
#include "base/utf8.h"

/* ---- What is told becomes what is seen. */

static struct sight_span *add_span(struct sight *s, struct sight_span span)
{
    if (s->span_count == s->span_cap) {
        s->span_cap = s->span_cap ? 2 * s->span_cap : 4;
        s->spans = mem_realloc(s->spans, s->span_cap * sizeof *s->spans);
    }
    s->spans[s->span_count] = span;
    return &s->spans[s->span_count++];
}

/* The last span goes on with bytes as they stand. */
static bool goes_on(const struct sight *s, uint64_t raw, unsigned depth, enum sight_kind kind)
{
    const struct sight_span *last = s->span_count ? &s->spans[s->span_count - 1] : NULL;
    return last && !last->raw_len && last->depth == depth && last->kind == kind &&
           last->raw + (sight_end(s) - last->seen) == raw;
}

static void tell_run(struct sight *s, struct slice run, uint64_t raw, unsigned depth, enum sight_kind kind)
{
    if (!goes_on(s, raw, depth, kind))
        add_span(s, (struct sight_span){sight_end(s), raw, 0, (unsigned char)depth, (unsigned char)kind});
    buf_append(&s->seen, run);
    s->told_to = raw + run.len;
}

/* Bytes that together stand for a range of the text. */
static void tell_unit(struct sight *s, struct slice bytes, uint64_t from, uint64_t to, unsigned depth,
                      enum sight_kind kind)
{
    uint32_t len = (uint32_t)(to - from);
    add_span(s, (struct sight_span){sight_end(s), from, len, (unsigned char)depth, (unsigned char)kind});
    buf_append(&s->seen, bytes);
    s->told_to = to;
}

static void tell_wide_as_it_is(struct sight *s, unsigned depth)
{
    char bytes[4];
    bool is_run = true;
    for (unsigned i = 0; i < s->wide_len; i++) {
        bytes[i] = (char)s->wide[i].byte;
        is_run = is_run && s->wide[i].from == s->wide[0].from + i && s->wide[i].to == s->wide[i].from + 1;
    }
    struct slice text = slice_of(bytes, s->wide_len);
    if (is_run)
        tell_run(s, text, s->wide[0].from, depth, SIGHT_TEXT);
    else
        tell_unit(s, text, s->wide[0].from, s->wide[s->wide_len - 1].to, depth, SIGHT_TEXT);
    s->wide_len = 0;
}

static void tell_wide(struct sight *s, unsigned depth)
{
    unsigned char bytes[4];
    for (unsigned i = 0; i < s->wide_len; i++)
        bytes[i] = s->wide[i].byte;
    uint64_t from = s->wide[0].from, to = s->wide[s->wide_len - 1].to;
    unsigned seen = sight_fold(utf8_code_point(bytes, s->wide_len));
    if (seen == SIGHT_ITSELF) {
        tell_wide_as_it_is(s, depth);
        return;
    }
    char plain = (char)seen;
    s->wide_len = 0;
    if (seen == SIGHT_NOTHING)
        s->told_to = to;
    else
        tell_unit(s, slice_of(&plain, 1), from, to, depth, SIGHT_TEXT);
}

void sight_flush_wide(struct sight *s)
{
    if (s->wide_len) tell_wide_as_it_is(s, s->innermost);
}

void sight_tell(struct sight *s, struct sight_byte b, unsigned depth, enum sight_kind kind)
{
    char byte = (char)b.byte;
    if (s->wide_len && (b.byte & 0xC0) != 0x80) tell_wide_as_it_is(s, depth);
    if (s->wide_len || sight_lead[b.byte]) {
        s->wide[s->wide_len++] = b;
        if (s->wide_len == sight_char_len(s->wide[0].byte)) tell_wide(s, depth);
    } else if (b.to == b.from + 1) {
        tell_run(s, slice_of(&byte, 1), b.from, depth, kind);
    } else {
        tell_unit(s, slice_of(&byte, 1), b.from, b.to, depth, kind);
    }
}

/* Text of the innermost level, as it stands. */
void sight_tell_run(struct sight *s, struct slice run, uint64_t raw)
{
    tell_run(s, run, raw, s->innermost, SIGHT_TEXT);
}

/* ---- Where it stands. */

struct slice sight_from(const struct sight *s, uint64_t seen)
{
    struct slice all = buf_slice(&s->seen);
    size_t skip = (size_t)(seen - s->begun);
    return slice_of(all.ptr + skip, all.len - skip);
}

/* The span that holds what is seen there. */
static uint32_t span_at(const struct sight *s, uint64_t seen)
{
    uint32_t low = 0, high = s->span_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->spans[middle].seen <= seen) low = middle + 1;
        else high = middle;
    }
    return low - 1;
}

static uint64_t span_end(const struct sight *s, uint32_t i)
{
    return i + 1 < s->span_count ? s->spans[i + 1].seen : sight_end(s);
}

/* The raw offset behind what the span has before `seen`. */
static uint64_t raw_end(const struct sight_span *span, uint64_t seen)
{
    return span->raw_len ? span->raw + span->raw_len : span->raw + (seen - span->seen);
}

uint64_t sight_raw(const struct sight *s, uint64_t seen)
{
    if (seen >= sight_end(s)) return s->told_to;
    const struct sight_span *span = &s->spans[span_at(s, seen)];
    return span->raw_len ? span->raw : span->raw + (seen - span->seen);
}

struct sight_part sight_place(const struct sight *s, uint64_t from, uint64_t to)
{
    const struct sight_span *first = &s->spans[span_at(s, from)], *last = &s->spans[span_at(s, to - 1)];
    return (struct sight_part){.from = sight_raw(s, from), .to = raw_end(last, to), .depth = first->depth};
}

void sight_forget(struct sight *s, uint64_t seen)
{
    uint32_t gone = 0;
    if (seen <= s->begun) return;
    while (gone < s->span_count && span_end(s, gone) <= seen)
        gone++;
    /* The last one stays, to go on. */
    if (gone == s->span_count && gone) gone--;
    s->span_count -= gone;
    if (gone) memmove(s->spans, s->spans + gone, s->span_count * sizeof *s->spans);
    buf_consume(&s->seen, (size_t)(seen - s->begun));
    s->begun = seen;
}

static bool is_same_part(const struct sight_span *a, const struct sight_span *b)
{
    return a->kind == b->kind && a->depth == b->depth;
}

/* A number is replaced as a whole: all of it is told at once, so all of it is there. */
static void take_whole_number(const struct sight *s, uint32_t first, uint32_t last, struct sight_part *part)
{
    while (first > 0 && s->spans[first - 1].kind == SIGHT_NUMBER)
        first--;
    while (last + 1 < s->span_count && s->spans[last + 1].kind == SIGHT_NUMBER)
        last++;
    part->from = s->spans[first].raw;
    part->to = raw_end(&s->spans[last], span_end(s, last));
}

bool sight_next_part(const struct sight *s, uint64_t *from, uint64_t to, struct sight_part *part)
{
    while (*from < to) {
        uint32_t first = span_at(s, *from), last = first;
        const struct sight_span *span = &s->spans[first];
        while (last + 1 < s->span_count && s->spans[last + 1].seen < to && is_same_part(span, &s->spans[last + 1]))
            last++;
        uint64_t begin = *from, end = span_end(s, last) < to ? span_end(s, last) : to;
        *from = end;
        if (span->kind == SIGHT_STRUCTURE) continue;
        *part = (struct sight_part){.from = sight_raw(s, begin), .to = raw_end(&s->spans[last], end)};
        part->depth = span->depth;
        part->is_number = span->kind == SIGHT_NUMBER;
        if (part->is_number) take_whole_number(s, first, last, part);
        return true;
    }
    return false;
}
