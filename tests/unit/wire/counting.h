/*
 * Requests to count in tests: rules with plain numbers, and a body parsed and counted in one call.
 *
 *     EXPECT_INT(21, total_of(&plain_rules, CHAT_CHAT, body).input_tokens);
 */
#ifndef MOONGATE_TESTS_COUNTING_H
#define MOONGATE_TESTS_COUNTING_H

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "wire/chat.h"
#include "wire/dialect.h"
#include "wire/count.h"
#include "wire/count_rules.h"

struct counted_request {
    struct arena arena;
    struct chat_request r;
    struct count *c;
};

static bool open_request(struct counted_request *q, enum chat_kind kind, struct slice body, unsigned vocabularies,
                         struct memo *memo)
{
    struct fault why;
    q->c = NULL;
    arena_init(&q->arena);
    chat_init(&q->r);
    if (!chat_parse(&q->r, &dialect_openai, body, kind, &q->arena, &why)) return false;
    q->c = count_new(&q->r, vocabularies, memo);
    return true;
}

static void close_request(struct counted_request *q)
{
    count_free(q->c);
    chat_clear(&q->r);
    arena_clear(&q->arena);
}

static void count_all(struct count *c, uint64_t bytes)
{
    while (!count_step(c, bytes))
        continue;
}

/* The numbers of the family that counts plain messages exactly. */
static struct count_rules rules_of(const char *vocabulary)
{
    return (struct count_rules){
        .vocabulary = vocabulary_find(slice_str(vocabulary)),
        .factor_milli = 1000,
        .is_exact = true,
        .request_tokens = 3,
        .message_tokens = 3,
        .name_tokens = 1,
        .tools_tokens = 9,
        .tools_system_tokens = -4,
        .call_tokens = 7,
        .audio_bytes = 1600,
        .file_bytes = 32,
        .image = {.rule = IMAGE_TILES, .low_tokens = 85, .base_tokens = 85, .unit_tokens = 170, .unit_pixels = 512,
                  .long_edge = 2048, .short_edge = 768, .unknown_tokens = 1445},
    };
}

/* input_tokens of UINT64_MAX: the body was refused. */
static struct count_total total_of(const struct count_rules *rules, enum chat_kind kind, const char *body)
{
    struct counted_request q;
    struct count_total total = {.input_tokens = UINT64_MAX};
    if (open_request(&q, kind, slice_str(body), 1u << vocabulary_index(count_vocabulary(rules)), NULL)) {
        count_all(q.c, UINT64_MAX);
        total = count_total(q.c, rules);
    }
    close_request(&q);
    return total;
}

#endif
