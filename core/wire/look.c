#include "wire/look.h"

struct looking {
    struct look *l;
    look_hit_fn on_hit;
    void *arg;
};

void look_begin(struct look *l, struct slice text)
{
    *l = (struct look){.text = text, .is_seen_apart = sight_is_other(text)};
    sight_init(&l->sight);
}

void look_end(struct look *l)
{
    sight_clear(&l->sight);
    l->text = SLICE_NONE;
    l->at = 0;
}

bool look_is_done(const struct look *l)
{
    return l->at == l->text.len;
}

bool look_is_too_deep(const struct look *l)
{
    return l->sight.is_too_deep;
}

static void tell(const struct looking *looking, unsigned kind, const struct sight_part *part)
{
    if (part->from < looking->l->told_to) return; /* told already, or of one number with the last */
    looking->l->told_to = (size_t)part->to;
    looking->on_hit(looking->arg, kind, part);
}

/* ---- As it stands. */

enum { OF_NUMBER = 1, OF_STRUCTURE = 2, BLANK = 4, BEFORE_VALUE = 8 };
static const unsigned char of_json[256] = {
    ['0'] = OF_NUMBER, ['1'] = OF_NUMBER, ['2'] = OF_NUMBER, ['3'] = OF_NUMBER, ['4'] = OF_NUMBER, ['5'] = OF_NUMBER,
    ['6'] = OF_NUMBER, ['7'] = OF_NUMBER, ['8'] = OF_NUMBER, ['9'] = OF_NUMBER, ['.'] = OF_NUMBER, ['-'] = OF_NUMBER,
    ['+'] = OF_NUMBER, ['e'] = OF_NUMBER, ['E'] = OF_NUMBER,
    ['"'] = OF_STRUCTURE, ['{'] = OF_STRUCTURE, ['}'] = OF_STRUCTURE, [']'] = OF_STRUCTURE,
    ['['] = OF_STRUCTURE | BEFORE_VALUE, [','] = OF_STRUCTURE | BEFORE_VALUE,
    [':'] = OF_STRUCTURE | BEFORE_VALUE, [' '] = BLANK, ['\t'] = BLANK, ['\r'] = BLANK, ['\n'] = BLANK,
};

/* Is it, or may it be, of a number of JSON, or has it signs of JSON in it? */
static bool is_of_json(struct slice text, size_t from, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    unsigned all = OF_NUMBER, any = 0;
    for (size_t i = from; i < from + len; i++) {
        all &= of_json[bytes[i]];
        any |= of_json[bytes[i]];
    }
    if (any & OF_STRUCTURE || !all) return any & OF_STRUCTURE;
    while (from > 0 && of_json[bytes[from - 1]] & OF_NUMBER)
        from--;
    while (from > 0 && of_json[bytes[from - 1]] & BLANK)
        from--;
    return from > 0 && of_json[bytes[from - 1]] & BEFORE_VALUE;
}

static void on_plain_hit(void *arg, const struct detect_hit *hit)
{
    struct looking *looking = arg;
    struct look *l = looking->l;
    struct sight_part part = {.from = l->at + hit->from, .to = l->at + hit->from + hit->len};
    bool is_always_text = hit->kind == DETECT_EMAIL || hit->kind == DETECT_API_KEY || hit->kind == DETECT_JWT;
    if (!is_always_text && is_of_json(l->text, l->at + hit->from, hit->len)) l->wants_sight = true;
    if (!l->wants_sight) tell(looking, hit->kind, &part);
}

static size_t look_plain(struct looking *looking, size_t max, look_scan_fn scan, const void *list)
{
    struct look *l = looking->l;
    struct slice rest = slice_of(l->text.ptr + l->at, l->text.len - l->at);
    bool is_last = rest.len <= max;
    if (!is_last) rest.len = max;
    size_t safe = scan(list, &l->state, rest, is_last, on_plain_hit, looking);
    l->at += safe;
    return safe;
}

/* ---- As it is seen. */

static void on_seen_hit(void *arg, const struct detect_hit *hit)
{
    struct looking *looking = arg;
    struct look *l = looking->l;
    struct sight_part part;
    uint64_t from = l->scanned + hit->from, to = from + hit->len;
    while (sight_next_part(&l->sight, &from, to, &part))
        tell(looking, hit->kind, &part);
}

static size_t look_apart(struct looking *looking, size_t max, look_scan_fn scan, const void *list)
{
    struct look *l = looking->l;
    struct slice piece = slice_of(l->text.ptr + l->at, l->text.len - l->at);
    bool is_last = piece.len <= max;
    if (!is_last) piece.len = max;
    sight_feed(&l->sight, piece);
    if (is_last) sight_flush(&l->sight);
    l->scanned += scan(list, &l->state, sight_from(&l->sight, l->scanned), is_last, on_seen_hit, looking);
    sight_forget(&l->sight, l->scanned);
    l->at += piece.len;
    return piece.len;
}

size_t look_on(struct look *l, size_t max, look_scan_fn scan, const void *list, look_hit_fn on_hit, void *arg)
{
    struct looking looking = {l, on_hit, arg};
    if (l->is_seen_apart) return look_apart(&looking, max, scan, list);
    size_t done = look_plain(&looking, max, scan, list);
    if (!l->wants_sight) return done;
    /* From the start: what comes before is needed to know, and hits that were told are not told again. */
    l->is_seen_apart = true;
    l->wants_sight = false;
    l->at = 0;
    l->state = (struct detect_state){.steps = l->state.steps};
    return done;
}

size_t look_detect(const void *list, struct detect_state *at, struct slice text, bool is_last, detect_hit_fn on_hit,
                   void *arg)
{
    return detect_scan(list, at, text, is_last, on_hit, arg);
}

#define CONTAINS_BYTES (16u * 1024)

bool look_contains(struct slice text, struct slice wanted)
{
    struct sight s;
    bool is_there = false;
    if (!sight_is_other(text)) return memmem(text.ptr, text.len, wanted.ptr, wanted.len) != NULL;
    sight_init(&s);
    for (size_t at = 0, len; at < text.len && !is_there && !s.is_too_deep; at += len) {
        len = text.len - at < CONTAINS_BYTES ? text.len - at : CONTAINS_BYTES;
        sight_feed(&s, slice_of(text.ptr + at, len));
        if (at + len == text.len) sight_flush(&s);
        struct slice seen = sight_from(&s, s.begun);
        is_there = memmem(seen.ptr, seen.len, wanted.ptr, wanted.len) != NULL;
        if (seen.len >= wanted.len) sight_forget(&s, sight_end(&s) - (wanted.len - 1));
    }
    is_there = is_there || s.is_too_deep;
    sight_clear(&s);
    return is_there;
}
