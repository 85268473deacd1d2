#include "wire/detect_inner.h"

#ifdef __SSE2__
#include <tmmintrin.h>
#endif

bool detect_is_word_before(const struct view *v, size_t i, size_t back)
{
    unsigned char c = byte_before(v, i, back + 1);
    unsigned char b = byte_before(v, i, back + 2);
    if (c < 0x80) return detect_class[c] & IS_WORD && !detect_is_escape(c, b);
    return detect_letter_len(b, c) == 2 || detect_letter_len(byte_before(v, i, back + 3), b) == 3;
}

size_t detect_letter_at(const struct view *v, size_t i)
{
    int lead = byte_at(v, i);
    if (lead != 0xE1 && (lead < 0xC3 || lead > 0xD4)) return lead == AT_LATER ? LETTER_LATER : 0;
    int next = byte_at(v, i + 1);
    size_t len = next >= 0 ? detect_letter_len((unsigned char)lead, (unsigned char)next) : 0;
    if (next == AT_LATER || (len == 3 && byte_at(v, i + 2) == AT_LATER)) return LETTER_LATER;
    return len == 3 && byte_at(v, i + 2) == AT_END ? 0 : len;
}

enum found detect_is_word_at(const struct view *v, size_t i)
{
    int c = byte_at(v, i);
    if (c < 0x80 && c != AT_LATER) return byte_is(c, IS_WORD) ? FOUND_YES : FOUND_NO;
    size_t len = detect_letter_at(v, i);
    return len == LETTER_LATER ? FOUND_LATER : len ? FOUND_YES : FOUND_NO;
}

/* ---- From trigger to trigger. */

static bool is_trigger(const struct detect *d, const unsigned char *p)
{
    return d->first[p[0]] & d->second[p[1]];
}

#ifdef __SSE2__

/* The table look-ups of is_trigger() for sixteen places at once, by halves of bytes: it may see triggers where there
 * are none, never miss one. */
__attribute__((target("ssse3"))) static size_t skip_ssse3(const struct detect *d, const unsigned char *text, size_t i,
                                                          size_t end)
{
    const __m128i *tables = (const __m128i *)(const void *)d->nibbles;
    const __m128i low_1 = _mm_loadu_si128(tables), high_1 = _mm_loadu_si128(tables + 1);
    const __m128i low_2 = _mm_loadu_si128(tables + 2), high_2 = _mm_loadu_si128(tables + 3);
    const __m128i half = _mm_set1_epi8(0x0F), zero = _mm_setzero_si128();
    for (; i + 17 <= end; i += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(text + i + 1));
        __m128i one = _mm_and_si128(_mm_shuffle_epi8(low_1, _mm_and_si128(a, half)),
                                    _mm_shuffle_epi8(high_1, _mm_and_si128(_mm_srli_epi16(a, 4), half)));
        __m128i two = _mm_and_si128(_mm_shuffle_epi8(low_2, _mm_and_si128(b, half)),
                                    _mm_shuffle_epi8(high_2, _mm_and_si128(_mm_srli_epi16(b, 4), half)));
        unsigned none = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(one, two), zero));
        for (unsigned some = ~none & 0xFFFF; some; some &= some - 1) {
            size_t place = i + (unsigned)__builtin_ctz(some);
            if (is_trigger(d, text + place)) return place;
        }
    }
    return i;
}

#endif

/* The first trigger from i on that has both its bytes; v->len when there is none. */
static size_t next_trigger(const struct view *v, size_t i)
{
#ifdef __SSE2__
    if (__builtin_cpu_supports("ssse3")) i = skip_ssse3(v->d, v->text, i, v->len);
#endif
    for (; i + 1 < v->len; i++) {
        if (is_trigger(v->d, v->text + i)) return i;
    }
    return v->len;
}

/* ---- At a trigger. */

static enum found try_masks(const struct view *v, uint32_t set, size_t at, struct candidate *c)
{
    for (; set; set &= set - 1) {
        enum found found = detect_mask_at(v, &v->d->masks[__builtin_ctz(set)], at, c);
        if (found != FOUND_NO) return found;
    }
    return FOUND_NO;
}

/* A number right before an '@' is the name of an address, if there is one. */
static enum found prefer_email(const struct view *v, struct candidate *c)
{
    struct candidate email;
    if (byte_at(v, c->to) != '@') return FOUND_YES;
    enum found found = detect_email(v, c->to, &email);
    if (found == FOUND_YES) *c = email;
    return found == FOUND_LATER ? FOUND_LATER : FOUND_YES;
}

static enum found try_digit(const struct view *v, size_t at, struct candidate *c)
{
    enum found found = try_masks(v, v->d->digit_masks[byte_before(v, at, 1)], at, c);
    if (found == FOUND_NO && at > 0 && (v->d->kinds & 1u << DETECT_IBAN) && byte_is(v->text[at - 1], IS_ALPHA))
        found = detect_iban(v, at, c);
    if (found == FOUND_NO && (v->d->kinds & NUMBER_KINDS) && !detect_run_is_hopeless(v, at))
        found = detect_number(v, at, c);
    return found == FOUND_YES ? prefer_email(v, c) : found;
}

static enum found try_literal(const struct view *v, size_t at, struct candidate *c)
{
    const unsigned char *p = v->text + at;
    enum found found = try_masks(v, v->d->literal_masks, at, c);
    if (found == FOUND_NO && (v->d->kinds & 1u << DETECT_JWT) && memcmp(p, &JWT_PREFIX[JWT_ANCHOR], 2) == 0)
        found = detect_jwt(v, at, c);
    if (found != FOUND_NO || !(v->d->kinds & 1u << DETECT_API_KEY)) return found;
    if (memcmp(p, &PEM_PREFIX[PEM_ANCHOR], 2) == 0) return detect_pem(v, at, c);
    for (uint64_t set = v->d->key_first[p[0]] & v->d->key_second[p[1]]; set && found == FOUND_NO; set &= set - 1)
        found = detect_key(v, &detect_key_formats[__builtin_ctzll(set)], at, c);
    return found;
}

/* The families whose trigger stands at `at`, in order of precedence. */
static enum found try_all(const struct view *v, size_t at, struct candidate *c)
{
    unsigned char bits = v->d->first[v->text[at]] & v->d->second[v->text[at + 1]];
    enum found found = FOUND_NO;
    if (bits >= TRIGGER_LITERAL) found = try_literal(v, at, c);
    if (found == FOUND_NO && (bits & TRIGGER_AT)) found = detect_email(v, at, c);
    if (found == FOUND_NO && (bits & TRIGGER_DIGIT)) found = try_digit(v, at + 1, c);
    return found;
}

/* ---- The scan. */

struct scan {
    struct view v;
    detect_hit_fn on_hit;
    void *arg;
};

static void tell(struct scan *s, const struct candidate *c)
{
    struct detect_hit hit = {.kind = c->kind, .from = c->from, .len = c->to - c->from};
    s->on_hit(s->arg, &hit);
    s->v.floor = c->to;
    s->v.state->long_kind = c->set ? (unsigned char)(c->kind + 1) : 0;
    s->v.state->long_set = c->set;
}

/* The further pieces of a long key or token, each of LIMIT_DETECT_HOLD_BYTES but for the last. False: it may go on. */
static bool go_on(struct scan *s)
{
    struct detect_state *state = s->v.state;
    while (state->long_kind) {
        size_t from = s->v.floor, i = from, limit = from + LIMIT_DETECT_HOLD_BYTES;
        while (i < s->v.len && i < limit && (detect_class[s->v.text[i]] & state->long_set))
            i++;
        state->steps += i - from + 1;
        if (i == s->v.len && i < limit && !s->v.is_last) return false;
        struct candidate c = {.from = from, .to = i, .kind = state->long_kind - 1u};
        if (i == limit) c.set = state->long_set;
        if (i > from) tell(s, &c);
        else state->long_kind = 0;
    }
    return true;
}

/* Where a character begins that has not come in full; v->len when there is none. */
static size_t whole_chars(const struct view *v)
{
    size_t i = v->len;
    while (i > v->floor && v->len - i < 3) {
        unsigned char c = v->text[--i];
        if (c >= 0xC0) return (c >= 0xF0 ? 4u : c >= 0xE0 ? 3u : 2u) > v->len - i ? i : v->len;
        if (c < 0x80) break;
    }
    return v->len;
}

/* Where what may still become a hit begins, when all triggers so far have been answered. */
static size_t tail_start(const struct view *v)
{
    size_t end = whole_chars(v), from = end;
    if (from > v->floor && v->text[from - 1] == '@') from--;
    from = detect_local_start(v, from);
    while (from > v->floor && end - from < 2 && (v->text[from - 1] == '(' || v->text[from - 1] == '+'))
        from--;
    for (size_t i = 0; v->d->has_wide_masks && i < v->d->mask_count; i++) {
        size_t pending = v->d->masks[i].is_wide ? detect_mask_pending(v, &v->d->masks[i]) : v->len;
        if (pending < from) from = pending;
    }
    return from;
}

/* How far back from an unanswered candidate a later trigger could still reach. */
static size_t before_candidate(const struct view *v, size_t from)
{
    size_t start = detect_local_start(v, from), lead = v->d->wide_lead;
    if (from - v->floor < lead) lead = from - v->floor;
    return start < from - lead ? start : from - lead;
}

/* A number begins at the floor: it has no byte before it that could be a trigger with it. */
static bool is_digit_at_floor(const struct view *v)
{
    return (v->d->kinds & NUMBER_KINDS || v->d->has_digit_masks) && byte_is(byte_at(v, v->floor), IS_DIGIT) &&
           !byte_is(byte_before(v, v->floor, 1), IS_DIGIT);
}

/* Goes through the text; returns where what is not decided begins. */
static size_t walk(struct scan *s)
{
    struct view *v = &s->v;
    struct candidate c;
    enum found found;
    size_t i = 0;
    do {
        /* Behind the last hit, or at the start. */
        if (!go_on(s)) return v->floor;
        if (i < v->floor) i = v->floor;
        found = is_digit_at_floor(v) ? try_digit(v, v->floor, &c) : FOUND_NO;
        while (found == FOUND_NO && (i = next_trigger(v, i)) < v->len)
            found = try_all(v, i++, &c);
        if (found == FOUND_LATER) return before_candidate(v, c.from);
        if (found == FOUND_YES) tell(s, &c);
    } while (found == FOUND_YES);
    return v->is_last ? v->len : tail_start(v);
}

void detect_leave(struct detect_state *state, const unsigned char *text, size_t safe, bool is_last)
{
    size_t size = sizeof state->before;
    if (is_last) {
        *state = (struct detect_state){.steps = state->steps};
        return;
    }
    if (safe >= size) {
        memcpy(state->before, text + safe - size, size);
        return;
    }
    memmove(state->before, state->before + safe, size - safe);
    if (safe) memcpy(state->before + size - safe, text, safe);
}

size_t detect_scan(const struct detect *d, struct detect_state *at, struct slice text, bool is_last,
                   detect_hit_fn on_hit, void *arg)
{
    struct scan s = {.v = {.d = d, .text = (const unsigned char *)text.ptr, .len = text.len, .is_last = is_last,
                           .state = at},
                     .on_hit = on_hit,
                     .arg = arg};
    at->steps += text.len;
    size_t safe = walk(&s);
    detect_leave(at, s.v.text, safe, is_last);
    return safe;
}
