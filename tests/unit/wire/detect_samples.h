/*
 * Texts with their hits marked, fed to the detectors whole and in pieces: what both tests of the detectors share.
 *
 *     all = detect_new(DETECT_ALL, masks, MASKS, &why);
 *     check("write to {email|a@example.com}.");
 */
#ifndef MOONGATE_TESTS_DETECT_SAMPLES_H
#define MOONGATE_TESTS_DETECT_SAMPLES_H

#include "../unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/detect_inner.h"

/* In a sample "{kind|text}" stands for text that must be found as that kind, and nothing else must be found. */
struct sample {
    struct buf text, want; /* want: one line a hit, "kind from len" */
};

static const struct detect_mask masks[] = {
    {{"employee_id", 11}, {"EMP-######", 10}},
    {{"ticket", 6}, {"case \\#@@ ##/##", 15}},
    {{"project", 7}, {"::@@@", 5}},
    {{"codename", 8}, {"Blue Heron", 10}},
    {{"plate", 5}, {"@@-####-@", 9}},
};
#define MASKS (sizeof masks / sizeof masks[0])

/* The parts of a token, each cut so that it is none in this file. */
#define HEADER "eyJ" "hbGciOiJIUzI1NiJ9"
#define PAYLOAD "eyJ" "zdWIiOiIxMjM0NTY3ODkwIn0"

static struct detect *all;

static inline void sample_init(struct sample *s, const char *marked)
{
    size_t from = 0;
    struct slice kind = SLICE_NONE;
    buf_init(&s->text);
    buf_init(&s->want);
    for (const char *p = marked; *p; p++) {
        const char *bar = *p == '{' ? p + 1 + strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_") : "";
        if (*bar == '|') {
            kind = slice_of(p + 1, (size_t)(bar - p - 1));
            from = buf_len(&s->text);
            p = bar;
        } else if (*p == '}' && kind.ptr) {
            buf_printf(&s->want, "%.*s %zu %zu\n", SLICE_FMT(kind), from, buf_len(&s->text) - from);
            kind = SLICE_NONE;
        } else {
            buf_append_char(&s->text, *p);
        }
    }
}

static inline void sample_clear(struct sample *s)
{
    buf_clear(&s->text);
    buf_clear(&s->want);
}

struct seen {
    const struct detect *d;
    struct buf hits;
    size_t base, end; /* of the text of this call in the whole; of the last hit */
};

static inline void on_hit(void *arg, const struct detect_hit *hit)
{
    struct seen *seen = arg;
    EXPECT(seen->base + hit->from >= seen->end && hit->len > 0);
    seen->end = seen->base + hit->from + hit->len;
    buf_printf(&seen->hits, "%.*s %zu %zu\n", SLICE_FMT(detect_kind_name(seen->d, hit->kind)), seen->base + hit->from,
               hit->len);
}

/* Feeds the text in pieces; each call sees a copy of exact size, so that the sanitizers see what is read too far. */
static inline size_t feed(struct seen *seen, const struct detect *d, struct slice text, const size_t *cuts,
                          size_t count)
{
    struct detect_state at = {0};
    size_t kept = 0, held_max = 0;
    *seen = (struct seen){.d = d};
    buf_init(&seen->hits);
    for (size_t i = 0; i <= count; i++) {
        size_t end = i < count ? cuts[i] : text.len;
        char *copy = mem_alloc(end - kept + (end == kept));
        if (end > kept) memcpy(copy, text.ptr + kept, end - kept);
        seen->base = kept;
        size_t safe = detect_scan(d, &at, slice_of(copy, end - kept), i == count, on_hit, seen);
        EXPECT(safe <= end - kept && seen->end <= kept + safe);
        kept += safe;
        if (i < count && end - kept > held_max) held_max = end - kept;
        mem_free(copy);
    }
    EXPECT_INT(text.len, kept);
    EXPECT(held_max <= LIMIT_DETECT_HOLD_BYTES);
    return held_max;
}

static inline void expect_cut(const struct detect *d, struct slice text, struct slice want, const size_t *cuts,
                              size_t count)
{
    struct seen seen;
    feed(&seen, d, text, cuts, count);
    if (!slice_equal(want, buf_slice(&seen.hits)))
        UNIT_FAIL("cut %zu times, first at %zu: \"%.*s\": expected \"%.*s\", got \"%.*s\"", count, count ? cuts[0] : 0,
                  SLICE_FMT(text), SLICE_FMT(want), SLICE_FMT(buf_slice(&seen.hits)));
    buf_clear(&seen.hits);
}

/* Cut at `from`, and again every `step` bytes. */
static inline void expect_steps(const struct detect *d, struct slice text, struct slice want, size_t from, size_t step)
{
    size_t *cuts = mem_alloc((text.len + 1) * sizeof *cuts), count = 0;
    for (size_t at = from; at < text.len; at += step)
        cuts[count++] = at;
    expect_cut(d, text, want, cuts, count);
    mem_free(cuts);
}

static uint32_t random_state = 1;

static inline uint32_t next_random(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

static inline void expect_random(const struct detect *d, struct slice text, struct slice want, uint32_t longest)
{
    size_t *cuts = mem_alloc((text.len + 1) * sizeof *cuts), count = 0;
    for (size_t at = next_random(longest); at < text.len; at += 1 + next_random(longest))
        cuts[count++] = at;
    expect_cut(d, text, want, cuts, count);
    mem_free(cuts);
}

/* Whole, byte by byte, cut once at every position, from there on every three bytes, and at random. */
static inline void check_text(const struct detect *d, struct slice text, struct slice want)
{
    int failures = unit_case_failures;
    expect_cut(d, text, want, NULL, 0);
    if (unit_case_failures > failures) return; /* the cuts would say no more */
    expect_steps(d, text, want, 1, 1);
    for (size_t cut = 0; cut < text.len; cut++) {
        expect_steps(d, text, want, cut, text.len);
        expect_steps(d, text, want, cut, 3);
    }
    for (uint32_t i = 0; i < 20; i++)
        expect_random(d, text, want, 2 + i * 2);
}

static inline void check(const char *marked)
{
    struct sample s;
    sample_init(&s, marked);
    check_text(all, buf_slice(&s.text), buf_slice(&s.want));
    sample_clear(&s);
}

#endif
