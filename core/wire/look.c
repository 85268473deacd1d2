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

static bool is_of_number(char c)
{
    return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || (c | 0x20) == 'e';
}

/* Is it, or may it be, a number of JSON, or has it signs of JSON in it? */
static bool is_of_json(struct slice text, size_t from, size_t len)
{
    for (size_t i = from; i < from + len; i++) {
        if (strchr("\"{}[],:", text.ptr[i])) return true;
    }
    if (!is_of_number(text.ptr[from])) return false;
    while (from > 0 && is_of_number(text.ptr[from - 1]))
        from--;
    while (from > 0 && (text.ptr[from - 1] == ' ' || text.ptr[from - 1] == '\n'))
        from--;
    return from > 0 && strchr(":,[", text.ptr[from - 1]) != NULL;
}

static void on_plain_hit(void *arg, const struct detect_hit *hit)
{
    struct looking *looking = arg;
    struct look *l = looking->l;
    struct sight_part part = {.from = l->at + hit->from, .to = l->at + hit->from + hit->len};
    l->wants_sight = l->wants_sight || is_of_json(l->text, l->at + hit->from, hit->len);
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
