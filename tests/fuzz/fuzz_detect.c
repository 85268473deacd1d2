/*
 * Detectors and keyword lists: hits lie in the text, in order and apart; any partition of the input gives the same
 * ones; what is held has its bound, and no input takes more than its share of steps.
 *
 * The first byte seeds the partition; one in eight of its values puts a token's beginning of nearly
 * LIMIT_DETECT_HOLD_BYTES before the input, so that the bound is met.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/keywords.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define STEPS_PER_BYTE 600u /* far above what text takes; quadratic time would pass it */

static struct detect *detectors;
static struct keywords *lists[2];

static void set_up(void)
{
    static const struct detect_mask masks[] = {
        {{"a", 1}, {"EMP-######", 10}}, {{"b", 1}, {"no. @@ ##/##", 12}}, {{"c", 1}, {"::@@@", 5}},
        {{"d", 1}, {"X Y-", 4}},        {{"e", 1}, {"#-@", 3}},           {{"f", 1}, {"(+#", 3}},
    };
    static const struct slice words[] = {{"ignore previous instructions", 28}, {"previous", 8}, {"a a", 3}, {"a", 1},
                                         {"##-@", 4}, {"\xE5\xBF\xBD", 3}, {"<|x|>", 5}, {"a b a", 5}};
    struct fault why;
    detectors = detect_new(DETECT_ALL, masks, sizeof masks / sizeof masks[0], &why);
    for (unsigned i = 0; i < 2; i++)
        lists[i] = keywords_new(words, sizeof words / sizeof words[0], i ? KEYWORDS_WHOLE_WORDS : 0, &why);
    check(detectors && lists[0] && lists[1]);
}

struct seen {
    struct buf hits;
    size_t base, end, len; /* of the text of this call in the whole; of the last hit; of that text */
};

static void on_hit(void *arg, const struct detect_hit *hit)
{
    struct seen *seen = arg;
    check(hit->len > 0 && hit->len <= LIMIT_DETECT_HOLD_BYTES && hit->from + hit->len <= seen->len);
    check(seen->base + hit->from >= seen->end);
    seen->end = seen->base + hit->from + hit->len;
    buf_printf(&seen->hits, "%u %zu %zu\n", hit->kind, seen->base + hit->from, hit->len);
}

static size_t scan(int which, struct detect_state *at, struct slice text, bool is_last, struct seen *seen)
{
    if (which == 0) return detect_scan(detectors, at, text, is_last, on_hit, seen);
    return keywords_scan(lists[which - 1], at, text, is_last, on_hit, seen);
}

/* Spans of 1 to `longest` bytes, or all at once when that is 0; each text a copy of exact size. */
static void run(struct seen *seen, int which, struct slice input, uint32_t seed, uint32_t longest)
{
    struct detect_state at = {.steps = 0};
    size_t kept = 0, end = 0;
    *seen = (struct seen){.base = 0};
    for (bool is_last = false; !is_last;) {
        seed = seed * 1664525u + 1013904223u;
        end += longest ? 1 + (seed >> 16) % longest : input.len;
        is_last = end >= input.len;
        if (is_last) end = input.len;
        seen->base = kept;
        seen->len = end - kept;
        char *copy = mem_alloc(seen->len + !seen->len);
        if (seen->len) memcpy(copy, input.ptr + kept, seen->len);
        size_t safe = scan(which, &at, slice_of(copy, seen->len), is_last, seen);
        mem_free(copy);
        check(safe <= seen->len && seen->end <= kept + safe);
        kept += safe;
        check(end - kept <= LIMIT_DETECT_HOLD_BYTES);
    }
    check(kept == input.len);
    check(longest || at.steps <= (input.len + 16) * STEPS_PER_BYTE);
}

static void compare(int which, struct slice input, uint32_t seed, bool is_long)
{
    static const uint32_t longest[] = {1, 2, 5, 40, 3000};
    struct seen whole, cut;
    run(&whole, which, input, 0, 0);
    for (size_t i = is_long ? 3 : 0; i < sizeof longest / sizeof longest[0]; i++) {
        run(&cut, which, input, seed, longest[i]);
        check(slice_equal(buf_slice(&whole.hits), buf_slice(&cut.hits)));
        buf_clear(&cut.hits);
    }
    buf_clear(&whole.hits);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct slice token = {"eyJ" "hbGciOiJIUzI1NiJ9.", 21};
    struct buf input;
    if (len == 0) return 0;
    if (!detectors) set_up();
    buf_init(&input);
    uint32_t choice = bytes[0];
    size_t fill = (choice & 7) == 1 ? LIMIT_DETECT_HOLD_BYTES - 24 - (choice >> 3) : 0;
    if (fill) buf_append(&input, token);
    if (fill) memset(buf_reserve(&input, fill), 'x', fill);
    buf_grew(&input, fill);
    buf_append(&input, slice_of((const char *)bytes + 1, len - 1));
    for (int which = 0; which < 3; which++)
        compare(which, buf_slice(&input), choice, fill > 0);
    buf_clear(&input);
    return 0;
}
