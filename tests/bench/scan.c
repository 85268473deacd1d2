/*
 * What looking for personal data adds to a request: bodies from a file, one a line, each scanned once in its turn as a
 * worker does, which remembers in which texts nothing was found.
 *
 *     luajit tests/bench/text.lua half 300 32768 7 > FILE
 *     build/bench/scan FILE 100
 *     scan 200 0 31.2                           # requests, hits in all, microseconds in the mean
 *     valgrind --tool=callgrind --toggle-collect=scan_once build/bench/scan FILE 100
 *
 * The first so many are scanned before counting counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "wire/dialect.h"
#include "wire/redact.h"

/* Apart, so that callgrind can count it alone; those that are skipped go by another name. */
void scan_once(struct redact *r, const struct chat_request *request, struct slice body);

static void scan_request(struct redact *r, const struct chat_request *request, struct slice body)
{
    while (!redact_scan(r, request, body))
        continue;
}

__attribute__((noinline)) void scan_once(struct redact *r, const struct chat_request *request, struct slice body)
{
    scan_request(r, request, body);
}

struct sums {
    size_t requests, hits;
    uint64_t took_ns;
};

static void scan_body(struct slice body, const struct redact_rules *rules, struct memo *memo, bool is_skipped,
                      struct sums *sums)
{
    struct chat_request request;
    struct arena arena;
    struct fault why;
    arena_init(&arena);
    chat_init(&request);
    check(chat_parse(&request, &dialect_openai, body, CHAT_CHAT, &arena, &why));
    struct redact *r = redact_new(rules, &arena);
    redact_remember(r, memo);
    uint64_t began_ns = clock_cpu_ns();
    if (is_skipped) {
        scan_request(r, &request, body);
    } else {
        scan_once(r, &request, body);
        sums->took_ns += clock_cpu_ns() - began_ns;
        sums->requests++;
    }
    for (unsigned kind = 0; kind < detect_kind_count(rules->detect); kind++)
        sums->hits += redact_found(r, kind);
    chat_clear(&request);
    arena_clear(&arena);
}

static struct redact_rules make_rules(void)
{
    static const struct detect_mask masks[] = {{{"employee_id", 11}, {"EMP-######", 10}}};
    struct redact_rules rules = {.scan_bytes_max = LIMIT_REDACT_SCAN_MAX};
    struct fault why;
    rules.detect = detect_new(DETECT_ALL, masks, 1, &why);
    check(rules.detect);
    redact_rules_index(&rules);
    return rules;
}

int main(int argc, char **argv)
{
    check(argc == 3);
    FILE *file = fopen(argv[1], "rb");
    size_t skipped = strtoul(argv[2], NULL, 10);
    struct redact_rules rules = make_rules();
    struct memo *memo = memo_new(LIMIT_QUIET_MEMO);
    struct sums sums = {0};
    char *line = NULL;
    size_t cap = 0;
    check(file);
    for (size_t i = 0; getline(&line, &cap, file) > 0; i++)
        scan_body(slice_of(line, strcspn(line, "\n")), &rules, memo, i < skipped, &sums);
    check(sums.requests > 0);
    printf("scan %zu %zu %.1f\n", sums.requests, sums.hits, (double)sums.took_ns / 1000.0 / (double)sums.requests);
    free(line);
    fclose(file);
    memo_free(memo);
    detect_free(rules.detect);
    return 0;
}
