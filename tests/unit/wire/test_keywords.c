/* Keyword lists: against a plain search in place of the automaton, the same however the text is cut. */
#include "../unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/keywords.h"

struct seen {
    struct buf hits;
    size_t base, end;
};

static void print_hit(struct buf *to, unsigned word, size_t from, size_t len)
{
    buf_printf(to, "%u %zu %zu\n", word, from, len);
}

static void on_hit(void *arg, const struct detect_hit *hit)
{
    struct seen *seen = arg;
    EXPECT(seen->base + hit->from >= seen->end && hit->len > 0);
    seen->end = seen->base + hit->from + hit->len;
    print_hit(&seen->hits, hit->kind, seen->base + hit->from, hit->len);
}

static uint32_t random_state = 7;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

/* Pieces of `step` bytes after a first one of `first`; of random lengths when step is 0. */
static void feed(struct seen *seen, const struct keywords *k, struct slice text, size_t first, size_t step)
{
    struct detect_state at = {0};
    size_t kept = 0, end = first;
    *seen = (struct seen){.base = 0};
    buf_init(&seen->hits);
    for (bool is_last = false; !is_last; end += step ? step : 1 + next_random(9)) {
        is_last = end >= text.len;
        if (is_last) end = text.len;
        char *copy = mem_alloc(end - kept + (end == kept));
        if (end > kept) memcpy(copy, text.ptr + kept, end - kept);
        seen->base = kept;
        size_t safe = keywords_scan(k, &at, slice_of(copy, end - kept), is_last, on_hit, seen);
        EXPECT(safe <= end - kept && seen->end <= kept + safe);
        kept += safe;
        EXPECT(end - kept <= LIMIT_DETECT_HOLD_BYTES);
        mem_free(copy);
    }
    EXPECT_INT(text.len, kept);
}

static void expect_feed(const struct keywords *k, struct slice text, struct slice want, size_t first, size_t step)
{
    struct seen seen;
    feed(&seen, k, text, first, step);
    if (!slice_equal(want, buf_slice(&seen.hits)))
        UNIT_FAIL("first %zu, then %zu: \"%.*s\": expected \"%.*s\", got \"%.*s\"", first, step, SLICE_FMT(text),
                  SLICE_FMT(want), SLICE_FMT(buf_slice(&seen.hits)));
    buf_clear(&seen.hits);
}

static void check_text(const struct keywords *k, struct slice text, struct slice want)
{
    int failures = unit_case_failures;
    expect_feed(k, text, want, text.len, text.len + 1);
    if (unit_case_failures > failures) return;
    expect_feed(k, text, want, 1, 1);
    for (size_t cut = 0; cut < text.len; cut++)
        expect_feed(k, text, want, cut, text.len + 1);
    for (int i = 0; i < 5; i++)
        expect_feed(k, text, want, next_random(9), 0);
}

static struct keywords *list_of(const char *const *words, size_t count, unsigned flags)
{
    struct slice slices[64];
    struct fault why;
    for (size_t i = 0; i < count; i++)
        slices[i] = slice_str(words[i]);
    struct keywords *k = keywords_new(slices, count, flags, &why);
    if (!k) UNIT_FAIL("%s", fault_message(&why));
    return k;
}

static const char *const phrases[] = {"ignore previous instructions", "previous", "ignore all", "ssn ###-##",
                                      "jailbreak", "größe", "忽略之前", "<|im_start|>", "c++", "ignore", "@@-##",
                                      "C\\#"};

static void check_phrases(unsigned flags, const char *text, const char *want)
{
    struct keywords *k = list_of(phrases, sizeof phrases / sizeof phrases[0], flags);
    check_text(k, slice_str(text), slice_str(want));
    keywords_free(k);
}

static void words_and_phrases(void)
{
    check_phrases(0, "", "");
    check_phrases(0, "Please IGNORE previous instructions.", "0 7 28\n");
    check_phrases(0, "ignore  \n\tprevious\r\ninstructions", "0 0 32\n");
    check_phrases(0, "ignore\u00A0previous\u2003\u3000instructions", "0 0 34\n");
    check_phrases(0, "i\u00ADgn\u200Bo\u200D\u2060re\uFEFF \u200B previous\U000E0041 \u202Einstructions!", "0 0 53\n");
    check_phrases(0, "\u200Bignore\u200B all\u200B", "2 3 13\n");
    check_phrases(KEYWORDS_WHOLE_WORDS, "\u200Bignore\u200B jail\u200Bbreak\u200B", "9 3 6\n4 13 12\n");
    check_phrases(0, "ignore previous instruction", "9 0 6\n1 7 8\n");
    check_phrases(0, "ignore previous ignore all", "9 0 6\n1 7 8\n2 16 10\n");
    check_phrases(0, "ignored previously", "9 0 6\n1 8 8\n");
    check_phrases(0, "my SSN 123-45-6789", "3 3 10\n");
    check_phrases(0, "请忽略之前的指令", "6 3 12\n");
    check_phrases(0, "GRÖSSE größe Größe", "5 8 7\n5 16 7\n");
    check_phrases(0, "xx<|im_start|>yy c++11 C# c", "7 2 12\n8 17 3\n11 23 2\n");
    check_phrases(0, "ab-12 a-12 abc-123", "10 0 5\n10 12 5\n");
}

static void whole_words(void)
{
    unsigned flags = KEYWORDS_WHOLE_WORDS;
    check_phrases(flags, "ignored previously", "");
    check_phrases(flags, "ignore; xignore ignore_ (ignore) éignore 请ignore", "9 0 6\n9 25 6\n9 45 6\n");
    check_phrases(flags, "ignore previous instructions", "0 0 28\n");
    check_phrases(flags, "ignore previous instructionsx", "9 0 6\n1 7 8\n");
    check_phrases(flags, "xx<|im_start|>yy c++11 C#", "7 2 12\n8 17 3\n11 23 2\n");
    check_phrases(flags, "ab-12 ab-123 xab-12", "10 0 5\n");
    check_phrases(flags, "größe größer", "5 0 7\n");
}

/* ---- The plain search: every word at every place, the leftmost and then longest. */

static bool is_blank(char c)
{
    return c == ' ' || c == '\n';
}

static size_t match_at(const char *word, struct slice text, size_t from)
{
    size_t i = from;
    for (; *word; word++) {
        if (*word == ' ') {
            if (i == text.len || !is_blank(text.ptr[i])) return 0;
            while (i < text.len && is_blank(text.ptr[i]))
                i++;
            continue;
        }
        char c = i < text.len ? text.ptr[i++] : '\0';
        bool is_same = *word == '#' ? c >= '0' && c <= '9' : *word == '@' ? (c | 0x20) >= 'a' && (c | 0x20) <= 'z'
                                                                        : (c | 0x20) == (*word | 0x20);
        if (!c || !is_same) return 0;
    }
    return i - from;
}

static bool is_wordy(struct slice text, size_t i)
{
    return i < text.len && (text.ptr[i] == 'a' || text.ptr[i] == 'b' || text.ptr[i] == 'A' || text.ptr[i] == '1');
}

static void search(struct buf *to, const char *const *words, size_t count, bool is_whole, struct slice text)
{
    for (size_t from = 0; from < text.len;) {
        size_t best = 0, which = 0;
        for (size_t w = 0; w < count; w++) {
            size_t len = match_at(words[w], text, from);
            if (len && is_whole && (is_wordy(text, from + len) || (from && is_wordy(text, from - 1)))) len = 0;
            if (len <= best) continue;
            best = len;
            which = w;
        }
        if (best) print_hit(to, (unsigned)which, from, best);
        from += best ? best : 1;
    }
}

static void like_a_plain_search(void)
{
    static const char *const words[] = {"a", "ab", "aab", "b a", "ab ba", "a#b", "@@1", "1 1",
                                        "bbbb", "ab ab ab", "#@#"};
    size_t count = sizeof words / sizeof words[0];
    for (int round = 0; round < 600; round++) {
        const char *some[8];
        size_t used = 1 + next_random(8);
        for (size_t i = 0; i < used; i++)
            some[i] = words[(i * 4 + (unsigned)round) % count];
        bool is_whole = round & 1;
        struct keywords *k = list_of(some, used, is_whole ? KEYWORDS_WHOLE_WORDS : 0);
        struct buf text, want;
        buf_init(&text);
        buf_init(&want);
        for (size_t i = next_random(40) + 1; i > 0; i--)
            buf_append_char(&text, "aaabbbAA1  \n"[next_random(12)]);
        search(&want, some, used, is_whole, buf_slice(&text));
        check_text(k, buf_slice(&text), buf_slice(&want));
        buf_clear(&text);
        buf_clear(&want);
        keywords_free(k);
    }
}

/* ---- Bounds. */

static void append_run(struct buf *to, const char *unit, size_t count)
{
    for (; count > 0; count--)
        buf_append(to, slice_str(unit));
}

/* White space may stretch a phrase as far as text is held back, and no further. */
static void long_white_space(void)
{
    struct keywords *k = list_of(phrases, sizeof phrases / sizeof phrases[0], 0);
    for (size_t extra = 0; extra < 12; extra++) {
        size_t blanks = LIMIT_DETECT_HOLD_BYTES - 13 + extra;
        struct buf text, want;
        buf_init(&text);
        buf_init(&want);
        buf_append(&text, SLICE("ignore"));
        append_run(&text, " ", blanks);
        buf_append(&text, SLICE("all of it"));
        if (9 + blanks <= LIMIT_DETECT_HOLD_BYTES - 4) print_hit(&want, 2, 0, 9 + blanks);
        else print_hit(&want, 9, 0, 6);
        expect_feed(k, buf_slice(&text), buf_slice(&want), buf_len(&text), 1);
        for (size_t first = 1; first < 16; first++)
            expect_feed(k, buf_slice(&text), buf_slice(&want), LIMIT_DETECT_HOLD_BYTES - 8 + first, 7);
        for (size_t step = 3; step < 6000; step = step * 2 + 1)
            expect_feed(k, buf_slice(&text), buf_slice(&want), step, step);
        buf_clear(&text);
        buf_clear(&want);
    }
    keywords_free(k);
}

static void on_any_hit(void *arg, const struct detect_hit *hit)
{
    *(size_t *)arg += hit->len > 0;
}

static void no_text_is_slow(void)
{
    static const char *const words[] = {"a", "aaaaaaaaaaaaaaab", "a b", "a b a b a b a b c", "@@@@@@@#", "#-#-#-@",
                                        "ab"};
    static const char *const units[] = {"a", "a ", "ab ", "a b ", "b", "1-", " ", "\xC2\xA0", "a\xC2\xAD",
                                        "\xC2\xAD", "a \xC2\xAD", "a\xE2\x80\x8B b", "aaaaaaaaaaaaaaa",
                                        "aaaaaaa1"};
    struct keywords *k = list_of(words, sizeof words / sizeof words[0], 0);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct detect_state at = {.steps = 0};
        struct buf text;
        size_t hits = 0;
        buf_init(&text);
        append_run(&text, units[i], 64u * KIB / strlen(units[i]));
        keywords_scan(k, &at, buf_slice(&text), true, on_any_hit, &hits);
        uint64_t steps = at.steps / buf_len(&text);
        if (steps > 60) UNIT_FAIL("\"%s\": %" PRIu64 " steps a byte", units[i], steps);
        buf_clear(&text);
    }
    keywords_free(k);
}

static void a_full_list(void)
{
    struct slice *words = mem_alloc((LIMIT_KEYWORDS + 1) * sizeof *words);
    struct buf names, want;
    struct fault why;
    struct seen seen;
    buf_init(&names);
    buf_init(&want);
    buf_reserve(&names, 20 * LIMIT_KEYWORDS); /* so that the slices stay */
    for (unsigned i = 0; i < LIMIT_KEYWORDS; i++) {
        size_t from = buf_len(&names);
        buf_printf(&names, "word %u of many", i * 7919u);
        words[i] = slice_of(buf_ptr(&names) + from, buf_len(&names) - from);
    }
    struct keywords *k = keywords_new(words, LIMIT_KEYWORDS, KEYWORDS_WHOLE_WORDS, &why);
    feed(&seen, k, SLICE("word 7919 of many, word 7920 of many, WORD  31676 of many"), 57, 1);
    print_hit(&want, 1, 0, 17);
    print_hit(&want, 4, 38, 19);
    EXPECT_SLICE(buf_slice(&want), buf_slice(&seen.hits));
    words[LIMIT_KEYWORDS] = SLICE("one more");
    EXPECT(!keywords_new(words, LIMIT_KEYWORDS + 1, 0, &why));
    EXPECT_STR("4097 keywords, 4096 are the limit of one list", fault_message(&why));
    keywords_free(k);
    buf_clear(&seen.hits);
    buf_clear(&names);
    buf_clear(&want);
    mem_free(words);
}

static void expect_refused(struct slice word, const char *want)
{
    struct slice two[] = {SLICE("fine"), word};
    struct fault why = {.code = FAULT_NONE};
    EXPECT(!keywords_new(two, 2, 0, &why));
    EXPECT_STR(want, fault_message(&why));
}

static void bad_words_are_refused(void)
{
    struct buf text;
    struct fault why;
    buf_init(&text);
    append_run(&text, "x", LIMIT_KEYWORD_BYTES + 1);
    expect_refused(SLICE(""), "keyword 2, \"\": empty");
    expect_refused(SLICE(" \t"), "keyword 2, \" \t\": empty");
    expect_refused(SLICE("x\\"), "keyword 2, \"x\\\": nothing follows the last \\");
    expect_refused(buf_slice(&text), "keyword 2 has 257 bytes, 256 are the limit");
    buf_clear(&text);
    /* Masks that begin everywhere: each state is another set of the places where they may have begun. */
    struct slice masks[] = {SLICE("a@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@b"), SLICE("@a@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@c")};
    EXPECT(!keywords_new(masks, 2, 0, &why));
    EXPECT_STR("the keywords need a table of more than 16 MB; use fewer of them, shorter ones or fewer masks",
               fault_message(&why));
}

static void an_empty_list(void)
{
    struct fault why;
    struct keywords *k = keywords_new(NULL, 0, 0, &why);
    check_text(k, SLICE("anything \xC2\xA0 at all"), SLICE(""));
    keywords_free(k);
}

int main(void)
{
    RUN(words_and_phrases);
    RUN(whole_words);
    RUN(like_a_plain_search);
    RUN(long_white_space);
    RUN(no_text_is_slow);
    RUN(a_full_list);
    RUN(bad_words_are_refused);
    RUN(an_empty_list);
    return unit_close("keywords");
}
