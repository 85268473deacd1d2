/*
 * What a request costs that goes to an account of another dialect: a conversation with tools of about so many bytes,
 * read and written, beside what its own dialect's reading costs in any case. Requests of a dialect that OpenAI's clients
 * are translated to are made by that; the Responses API's, which only has clients, by themselves.
 *
 *     build/bench/translate_request 1024 20000
 *     openai_to_anthropic 1030 7.1              # a line for each pair that is translated: bytes, microseconds of CPU
 *     anthropic_to_openai 1035 6.9              # in the mean
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

static void make_responses(struct buf *out, size_t bytes)
{
    buf_append(out, SLICE("{\"model\":\"m\",\"max_output_tokens\":2000,\"stream\":true,\"temperature\":0.2,\"tools\":[{"
                          "\"type\":\"function\",\"name\":\"read\",\"description\":\"Reads a file.\",\"parameters\":"
                          "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"}},\"required\":[\"path\"]}}],"
                          "\"instructions\":\"You help with code.\",\"input\":["));
    for (unsigned turn = 0; turn == 0 || buf_len(out) + 300 < bytes; turn++)
        buf_printf(out, "%s{\"role\":\"user\",\"content\":\"What is in file %u, and what does it do?\\nBe brief.\"},"
                        "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","
                        "\"text\":\"I look.\"}]},{\"type\":\"function_call\",\"call_id\":\"call_%u\",\"name\":\"read\","
                        "\"arguments\":\"{\\\"path\\\":\\\"src/%u.c\\\"}\"},{\"type\":\"function_call_output\","
                        "\"call_id\":\"call_%u\",\"output\":\"int main(void)\\n{\\n    return 0;\\n}\"}",
                   turn ? "," : "", turn, turn, turn, turn);
    buf_append(out, SLICE("]}"));
}

/* False: nobody can make one. */
static bool make_of(const struct dialect *from, struct buf *out, size_t bytes)
{
    struct buf body;
    if (from == &dialect_openai) make(out, bytes);
    if (from == &dialect_responses) make_responses(out, bytes);
    if (buf_len(out)) return true;
    if (!translate_can(&dialect_openai, from, CHAT_CHAT)) return false;
    buf_init(&body);
    make(&body, bytes);
    translate_once(&dialect_openai, from, buf_slice(&body), out);
    buf_clear(&body);
    return true;
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

static void measure_pair(const struct dialect *from, const struct dialect *to, size_t bytes, unsigned count)
{
    struct buf body;
    buf_init(&body);
    if (translate_can(from, to, CHAT_CHAT) && make_of(from, &body, bytes))
        printf("%s_to_%s %zu %.2f\n", from->name, to->name, buf_len(&body), measure(from, to, buf_slice(&body), count));
    buf_clear(&body);
}

int main(int argc, char **argv)
{
    size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 1024;
    unsigned count = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20000;
    const struct dialect *from, *to;
    for (size_t f = 0; (from = dialect_at(f)) != NULL; f++) {
        for (size_t t = 0; (to = dialect_at(t)) != NULL; t++)
            if (from != to) measure_pair(from, to, bytes, count);
    }
    return 0;
}
