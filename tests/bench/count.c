/*
 * What counting adds to a request: bodies from a file, one a line, each counted once in its turn as a worker does, which
 * remembers texts.
 *
 *     luajit tests/bench/text.lua half 300 32768 7 > FILE
 *     build/bench/count FILE 100
 *     count 200 32744 9713 98.2                 # requests, bytes and tokens of one, microseconds in the mean
 *     valgrind --tool=callgrind --toggle-collect=count_once build/bench/count FILE 100
 *
 * The first so many are counted before counting counts, so that what a process has at hand after a while is at hand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "wire/count.h"
#include "wire/dialect.h"

#define CHAT_VOCABULARY 1u /* o200k_base */

/* Apart, so that callgrind can count it alone; those that are skipped go by another name. */
uint64_t count_once(const struct chat_request *r, struct memo *memo);

static uint64_t count_request(const struct chat_request *r, struct memo *memo)
{
    struct count *c = count_new(r, CHAT_VOCABULARY, memo);
    while (!count_step(c, 16384))
        continue;
    uint64_t tokens = count_total(c, NULL).input_tokens;
    count_free(c);
    return tokens;
}

__attribute__((noinline)) uint64_t count_once(const struct chat_request *r, struct memo *memo)
{
    return count_request(r, memo);
}

struct sums {
    size_t requests, bytes;
    uint64_t tokens, took_ns;
};

static void count_body(struct slice body, struct memo *memo, bool is_skipped, struct sums *sums)
{
    struct chat_request r;
    struct arena arena;
    struct fault why;
    arena_init(&arena);
    chat_init(&r);
    check(chat_parse(&r, &dialect_openai, body, CHAT_CHAT, &arena, &why));
    uint64_t began_ns = clock_cpu_ns();
    uint64_t tokens = is_skipped ? count_request(&r, memo) : count_once(&r, memo);
    if (!is_skipped) {
        sums->took_ns += clock_cpu_ns() - began_ns;
        sums->tokens += tokens;
        sums->bytes += body.len;
        sums->requests++;
    }
    chat_clear(&r);
    arena_clear(&arena);
}

int main(int argc, char **argv)
{
    check(argc == 3);
    FILE *file = fopen(argv[1], "rb");
    size_t skipped = strtoul(argv[2], NULL, 10);
    struct memo *memo = memo_new(LIMIT_COUNT_MEMO);
    struct sums sums = {0};
    char *line = NULL;
    size_t cap = 0;
    check(file);
    for (size_t i = 0; getline(&line, &cap, file) > 0; i++)
        count_body(slice_of(line, strcspn(line, "\n")), memo, i < skipped, &sums);
    check(sums.requests > 0);
    printf("count %zu %zu %llu %.1f\n", sums.requests, sums.bytes / sums.requests,
           (unsigned long long)(sums.tokens / sums.requests), (double)sums.took_ns / 1000.0 / (double)sums.requests);
    free(line);
    fclose(file);
    memo_free(memo);
    return 0;
}
