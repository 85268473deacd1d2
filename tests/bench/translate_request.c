/*
 * What a request costs that goes to an account of another dialect: a conversation with tools of about so many bytes,
 * read and written, beside what its own dialect's reading costs in any case.
 *
 *     build/bench/translate_request 1024 20000
 *     translate_request openai_to_anthropic 1030 7.1 anthropic_to_openai 1035 6.9 openai_to_gemini 1030 7.0
 *                       # bytes, microseconds of CPU in the mean
 *     valgrind --tool=callgrind --toggle-collect=translate_once build/bench/translate_request 1024 200
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "wire/translate/translate.h"

/* Apart, so that callgrind can count it alone. */
void translate_once(const struct dialect *from, const struct dialect *to, struct slice body, struct buf *out);

__attribute__((noinline)) void translate_once(const struct dialect *from, const struct dialect *to, struct slice body,
                                              struct buf *out)
{
    static const struct traits traits = {.output_tokens = 64000, .thinking = THINKING_BUDGET, .has_schema = true};
    struct translate_target target = {.traits = &traits, .asks_usage = true};
    struct dropped dropped = {.count = 0};
    struct arena arena;
    struct fault why;
    arena_init(&arena);
    buf_reset(out);
    check(translate_request(from, body, to, &target, &arena, out, &dropped, &why));
    arena_clear(&arena);
}

/* Turns of an agent: a question, a call, its result. */
static void make(struct buf *out, size_t bytes)
{
    buf_append(out, SLICE("{\"model\":\"m\",\"max_tokens\":2000,\"stream\":true,\"temperature\":0.2,\"tools\":[{\"type\":"
                          "\"function\",\"function\":{\"name\":\"read\",\"description\":\"Reads a file.\",\"parameters\":"
                          "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"}},\"required\":[\"path\"]}}}],"
                          "\"messages\":[{\"role\":\"system\",\"content\":\"You help with code.\"}"));
    for (unsigned turn = 0; turn == 0 || buf_len(out) + 300 < bytes; turn++)
        buf_printf(out, ",{\"role\":\"user\",\"content\":\"What is in file %u, and what does it do?\\nBe brief.\"},"
                        "{\"role\":\"assistant\",\"content\":\"I look.\",\"tool_calls\":[{\"id\":\"call_%u\",\"type\":"
                        "\"function\",\"function\":{\"name\":\"read\",\"arguments\":\"{\\\"path\\\":\\\"src/%u.c\\\"}\"}}]},"
                        "{\"role\":\"tool\",\"tool_call_id\":\"call_%u\",\"content\":\"int main(void)\\n{\\n    return 0;\\n}\"}",
                   turn, turn, turn, turn);
    buf_append(out, SLICE("]}"));
}

static double measure(const struct dialect *from, const struct dialect *to, struct slice body, unsigned count)
{
    struct buf out;
    buf_init(&out);
    translate_once(from, to, body, &out);
    uint64_t began_ns = clock_cpu_ns();
    for (unsigned i = 0; i < count; i++)
        translate_once(from, to, body, &out);
    double each_us = (double)(clock_cpu_ns() - began_ns) / count / 1000;
    buf_clear(&out);
    return each_us;
}

int main(int argc, char **argv)
{
    size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 1024;
    unsigned count = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20000;
    struct buf body, other;
    buf_init(&body);
    buf_init(&other);
    make(&body, bytes);
    translate_once(&dialect_openai, &dialect_anthropic, buf_slice(&body), &other);
    double there = measure(&dialect_openai, &dialect_anthropic, buf_slice(&body), count);
    double back = measure(&dialect_anthropic, &dialect_openai, buf_slice(&other), count);
    double to_gemini = measure(&dialect_openai, &dialect_gemini, buf_slice(&body), count);
    printf("translate_request openai_to_anthropic %zu %.2f anthropic_to_openai %zu %.2f openai_to_gemini %zu %.2f\n",
           buf_len(&body), there, buf_len(&other), back, buf_len(&body), to_gemini);
    buf_clear(&body);
    buf_clear(&other);
    return 0;
}
