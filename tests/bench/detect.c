/*
 * Detectors, all of them with two masks, and a keyword list, over chat text of a given size: for callgrind, which counts
 * instructions.
 *
 *     valgrind --tool=callgrind --toggle-collect=detect_scan build/bench/detect whole 20 32768
 *     detect 20 32768 320                         # rounds, bytes, hits
 *
 * whole: the text in one call; stream: in pieces of 20 bytes, as answers come; keywords: the keyword list, whole; look: as
 * requests are scanned, whole, lookalikes and escapes looked for; plain: the same of ASCII without escapes.
 */
#include "base/buf.h"
#include "base/check.h"
#include "wire/keywords.h"
#include "wire/look.h"

#define PIECE 20u

/* What people and models write to each other: mostly prose, some figures, a list, a line of code, now and then an
 * address or a number. One paragraph in eight has something to find. */
static const char *const paragraphs[] = {
    "I have been looking at the report you sent on Tuesday, and I think the second half needs some work. The numbers "
    "in table 3 don't match what finance told us: they have 1,240 units for March 2024, we have 1,420.\n\n",
    "Sure! Here's a short summary of the well-known trade-offs:\n\n1. **Latency** - the first token arrives after "
    "about 350 ms, and the rest follows at 40 to 60 tokens per second.\n2. **Cost** - roughly 20% lower.\n\n",
    "Could you rewrite this so that a ten-year-old would understand it? Please keep it under 200 words, don't use "
    "any jargon, and end with a question that makes the reader want to find out more about the subject.\n\n",
    "```python\nfor i, row in enumerate(rows[1:]):\n    total += float(row[\"amount\"]) * 1.19  # VAT\n    "
    "print(f\"{i:04d} {row['name']} {total:.2f}\")\n```\nThis assumes that the file is sorted by date.\n\n",
    "The committee met again in the afternoon. Mrs. Okonkwo, who had been against the plan from the start, said that "
    "she would not stand in its way if the others could agree on a budget \xE2\x80\x94 which, of course, they could "
    "not.\n\n",
    "Das ist eine gute Frage! Grunds\xC3\xA4tzlich gilt: Wer zuerst kommt, mahlt zuerst. Im \xC3\x9C" "brigen sollten "
    "Sie pr\xC3\xBC" "fen, ob die Frist von 14 Tagen nach \xC2\xA7 355 BGB noch l\xC3\xA4uft.\n\n",
    "To install version 2.14.1, run the self-test first (see https://example.com/docs/setup#step-4), then restart "
    "the service; it should say \"ready\" within 30 seconds. If it doesn't, look into /var/log/app.log.\n\n",
    "Thanks, that helps. My colleague Jane (jane.doe@example.com, +1 415 555 2671) will take it from here; her staff "
    "number is EMP-004211 if you need to open a ticket for her. Best wishes, and have a good weekend!\n\n",
};
#define PARAGRAPHS (sizeof paragraphs / sizeof paragraphs[0])

static unsigned hits;

static void on_hit(void *arg, const struct detect_hit *hit)
{
    (void)arg;
    hits += hit->len > 0;
}

static struct detect *make_detectors(void)
{
    static const struct detect_mask masks[] = {{{"employee_id", 11}, {"EMP-######", 10}},
                                               {{"project", 7}, {"Project @@@@", 12}}};
    struct fault why;
    return detect_new(DETECT_ALL, masks, 2, &why);
}

static struct keywords *make_keywords(void)
{
    static const char *const words[] = {"ignore previous instructions", "ignore all previous instructions",
                                        "disregard the above", "you are now", "developer mode", "system prompt",
                                        "reveal your instructions", "pretend to be", "do anything now", "jailbreak",
                                        "without any restrictions", "print your prompt", "<|im_start|>", "act as"};
    struct slice list[sizeof words / sizeof words[0]];
    struct fault why;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        list[i] = slice_str(words[i]);
    return keywords_new(list, sizeof words / sizeof words[0], KEYWORDS_WHOLE_WORDS, &why);
}

static void stream(const struct detect *d, struct slice text)
{
    struct detect_state at = {.steps = 0};
    size_t kept = 0;
    for (size_t end = PIECE; end < text.len; end += PIECE)
        kept += detect_scan(d, &at, slice_of(text.ptr + kept, end - kept), false, on_hit, NULL);
    detect_scan(d, &at, slice_of(text.ptr + kept, text.len - kept), true, on_hit, NULL);
}

static size_t scan(const void *list, struct detect_state *at, struct slice text, bool is_last, detect_hit_fn then,
                   void *arg)
{
    return detect_scan(list, at, text, is_last, then, arg);
}

static void on_part(void *arg, unsigned kind, const struct sight_part *part)
{
    (void)arg;
    (void)kind;
    hits += part->to > part->from;
}

static void look(const struct detect *d, struct slice text)
{
    struct look l;
    look_begin(&l, text);
    while (!look_is_done(&l))
        look_on(&l, text.len, scan, d, on_part, NULL);
    look_end(&l);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "whole";
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20;
    size_t bytes = argc > 3 ? strtoul(argv[3], NULL, 10) : 32768;
    struct detect *d = make_detectors();
    struct keywords *k = make_keywords();
    struct buf text;
    check(d && k);
    buf_init(&text);
    for (size_t i = 0; buf_len(&text) < bytes; i++)
        buf_append(&text, slice_str(paragraphs[i % PARAGRAPHS]));
    for (size_t i = 0; strcmp(what, "plain") == 0 && i < buf_len(&text); i++)
        buf_ptr(&text)[i] &= 0x7F;
    struct slice whole = slice_of(buf_ptr(&text), bytes);
    for (unsigned i = 0; i < rounds; i++) {
        struct detect_state at = {.steps = 0};
        if (strcmp(what, "stream") == 0) stream(d, whole);
        else if (strcmp(what, "keywords") == 0) keywords_scan(k, &at, whole, true, on_hit, NULL);
        else if (strcmp(what, "look") == 0 || strcmp(what, "plain") == 0) look(d, whole);
        else detect_scan(d, &at, whole, true, on_hit, NULL);
    }
    printf("%s %u %zu %u\n", what, rounds, bytes, hits);
    buf_clear(&text);
    detect_free(d);
    keywords_free(k);
    return 0;
}
