/*
 * What reading a request of a dialect costs: the body in a file, parsed, walked, and counted with all its texts seen
 * before, as a worker does. The model: where the path says it, else "".
 *
 *     build/bench/parse anthropic "" FILE 200
 *     parse anthropic 66012 41.3                   # dialect, bytes, microseconds of CPU in the mean
 *     valgrind --tool=callgrind --toggle-collect=parse_once build/bench/parse anthropic "" FILE 20
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "wire/count.h"
#include "wire/dialect.h"

#define VOCABULARY 1u /* o200k_base */

struct ask {
    const struct dialect *dialect;
    struct slice model;
    char *body;
};

/* Apart, so that callgrind can count it alone. */
void parse_once(const struct ask *ask, struct memo *memo);

static bool on_piece(void *arg, const struct chat_piece *piece)
{
    *(size_t *)arg += piece->count;
    return true;
}

static void read_all(const struct ask *ask, struct memo *memo)
{
    struct chat_request r;
    struct arena arena;
    struct fault why;
    size_t sum = 0;
    arena_init(&arena);
    chat_init(&r);
    check(chat_parse_for(&r, ask->dialect, slice_str(ask->body), CHAT_CHAT, ask->model, &arena, &why));
    check(chat_walk(&r, on_piece, &sum));
    struct count *count = count_new(&r, VOCABULARY, memo);
    while (!count_step(count, 16384))
        continue;
    count_free(count);
    chat_clear(&r);
    arena_clear(&arena);
}

__attribute__((noinline)) void parse_once(const struct ask *ask, struct memo *memo)
{
    read_all(ask, memo);
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t cap = 0;
    check(file && getdelim(&text, &cap, '\0', file) > 0);
    fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    check(argc == 5);
    struct ask ask = {dialect_find(slice_str(argv[1])), slice_str(argv[2]), read_file(argv[3])};
    unsigned count = (unsigned)strtoul(argv[4], NULL, 10);
    struct memo *memo = memo_new(LIMIT_COUNT_MEMO);
    check(ask.dialect);
    read_all(&ask, memo);
    uint64_t began_ns = clock_cpu_ns();
    for (unsigned i = 0; i < count; i++)
        parse_once(&ask, memo);
    printf("parse %s %zu %.1f\n", ask.dialect->name, strlen(ask.body),
           (double)(clock_cpu_ns() - began_ns) / 1000.0 / count);
    memo_free(memo);
    free(ask.body);
    return 0;
}
