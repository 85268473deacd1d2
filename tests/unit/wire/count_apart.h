/* Requests to count in tests, by rules whose constants stand apart: a sum says how often each was added. */
#ifndef MOONGATE_TESTS_UNIT_WIRE_COUNT_APART_H
#define MOONGATE_TESTS_UNIT_WIRE_COUNT_APART_H

#include "../unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "wire/count.h"
#include "wire/count_inner.h"
#include "wire/count_rules.h"
#include "wire/dialect.h"

#define BOTH 3u /* vocabularies */
#define WHOLE UINT64_MAX

#define MODEL "{\"model\":\"m\","
#define HELLO "Hello, world!" /* 4 tokens */
#define FUNCTION(inside) "{\"type\":\"function\",\"function\":{" inside "}}"

/* Each constant has a decimal place of its own, so that a sum says how often each was added. */
static inline struct count_rules apart(unsigned vocabulary)
{
    return (struct count_rules){.vocabulary = vocabulary_at(vocabulary), .factor_milli = 1000, .is_exact = true,
                                .request_tokens = 100000000, .message_tokens = 1000000, .name_tokens = 100000,
                                .tools_tokens = 10000000, .tools_system_tokens = 50000000, .call_tokens = 10000,
                                .image = {.unknown_tokens = 1000}};
}

struct counting {
    struct arena arena;
    struct chat_request r;
    struct count *count;
};

/* Parsed, not yet counted. */
static inline void counting_open(struct counting *c, struct slice body, enum chat_kind kind, unsigned vocabularies,
                                 struct memo *memo)
{
    struct fault why = {0};
    arena_init(&c->arena);
    chat_init(&c->r);
    if (!chat_parse(&c->r, &dialect_openai, body, kind, &c->arena, &why)) UNIT_FAIL("%.200s: %s", body.ptr, why.text);
    c->count = count_new(&c->r, vocabularies, memo);
}

/* In steps of so many bytes; returns how many there were. */
static inline unsigned counting_run(struct counting *c, uint64_t step)
{
    unsigned steps = 1;
    while (!count_step(c->count, step))
        steps++;
    return steps;
}

static inline void counting_close(struct counting *c)
{
    count_free(c->count);
    chat_clear(&c->r);
    arena_clear(&c->arena);
}

static inline struct count_total counted(struct slice body, enum chat_kind kind, const struct count_rules *rules)
{
    struct counting c;
    counting_open(&c, body, kind, 1u << vocabulary_index(count_vocabulary(rules)), NULL);
    counting_run(&c, WHOLE);
    struct count_total total = count_total(c.count, rules);
    counting_close(&c);
    return total;
}

#endif
