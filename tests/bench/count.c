/*
 * What counting adds to a request.
 *
 *     build/bench/count history 20 102400
 *     count 20 102400 25401 98.2               # rounds, bytes of text, tokens, microseconds of the quickest round
 *     valgrind --tool=callgrind --toggle-collect=count_once build/bench/count request 100 1024
 *
 * request: one chat request of so many bytes of text, each round another text; history: a hundred messages, the same in each
 * round, with a memo; first: the same history, each round the first time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "wire/count.h"
#include "wire/dialect.h"

static const char *const sentences[] = {
    "I have been looking at the report you sent on Tuesday, and the second half needs some work. ",
    "Could you rewrite this so that a ten-year-old would understand it, in under 200 words? ",
    "The committee met again in the afternoon; nobody could agree on a budget for 2026. ",
    "Please list the three largest customers by revenue, with the change since last quarter. ",
    "for i, row in enumerate(rows[1:]): total += float(row['amount']) * 1.19 ",
};

static void append_text(struct buf *body, size_t bytes, size_t seed)
{
    size_t end = buf_len(body) + bytes;
    for (size_t i = seed; buf_len(body) < end; i++)
        buf_printf(body, "%s%zu. ", sentences[i % 5], i);
}

static void make_body(struct buf *body, size_t messages, size_t bytes, size_t seed)
{
    buf_reset(body);
    buf_append(body, SLICE("{\"model\":\"m\",\"messages\":["));
    for (size_t i = 0; i < messages; i++) {
        buf_printf(body, "%s{\"role\":\"%s\",\"content\":\"", i ? "," : "", i % 2 ? "assistant" : "user");
        append_text(body, bytes / messages, seed + i * 131);
        buf_append(body, SLICE("\"}"));
    }
    buf_append(body, SLICE("]}"));
}

/* Apart, so that callgrind can count it alone. */
__attribute__((noinline)) static uint64_t count_once(const struct chat_request *r, struct count_memo *memo)
{
    struct count *c = count_new(r, 1, memo);
    while (!count_step(c, 16384))
        continue;
    uint64_t tokens = count_total(c, NULL).input_tokens;
    count_free(c);
    return tokens;
}

int main(int argc, char **argv)
{
    check(argc == 4);
    size_t rounds = strtoul(argv[2], NULL, 10), bytes = strtoul(argv[3], NULL, 10);
    bool is_history = strcmp(argv[1], "request") != 0, is_same = strcmp(argv[1], "history") == 0;
    struct count_memo *memo = is_same ? count_memo_new() : NULL;
    struct buf body;
    uint64_t tokens = 0, best_ns = UINT64_MAX;
    buf_init(&body);
    for (size_t round = 0; round < rounds; round++) {
        struct chat_request r;
        struct arena arena;
        struct fault why;
        arena_init(&arena);
        chat_init(&r);
        make_body(&body, is_history ? 100 : 1, bytes, is_history ? 1 : round * 17);
        check(chat_parse(&r, &dialect_openai, buf_slice(&body), CHAT_CHAT, &arena, &why));
        uint64_t began_ns = clock_cpu_ns();
        tokens = count_once(&r, memo);
        uint64_t took_ns = clock_cpu_ns() - began_ns;
        if (took_ns < best_ns) best_ns = took_ns;
        chat_clear(&r);
        arena_clear(&arena);
    }
    printf("count %zu %zu %llu %.1f\n", rounds, bytes, (unsigned long long)tokens, (double)best_ns / 1000.0);
    buf_clear(&body);
    count_memo_free(memo);
    return 0;
}
