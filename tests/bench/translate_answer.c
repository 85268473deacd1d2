/*
 * What translation adds to an event of a stream: the client's event written, and read as policies read it.
 *
 *     build/bench/translate_answer 2000 20
 *     openai_to_anthropic 1.2              # a line for each pair, the provider's first: microseconds per event in the
 *     anthropic_to_openai 0.9              # best round
 *
 * Events are those of chat streams: one token each, about 300 bytes of OpenAI's, 110 of Anthropic's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "wire/translate/translate.h"
#include "wire/translate/translator.h"

static const char *const words[] = {" the", " report", " that", " you", " sent", " on", " Tues", "day", ",", " and",
                                    " it", " says", " 1", "240", " units", "\\n\\n", " for", " March", "."};
#define WORDS (sizeof words / sizeof words[0])

struct run {
    const struct dialect *provider, *client;
    struct said_reader reader, other;
    struct dialect_stream told, heard;
    struct translator *translator;
    size_t bytes;
};

static bool on_event(void *arg, const struct sse_event *event)
{
    struct run *run = arg;
    struct said said;
    run->bytes += event->raw.len;
    run->client->read_event(&run->other, &run->heard, event->name, event->data, &said);
    return true;
}

static void begin(struct run *run, const struct dialect *provider, const struct dialect *client)
{
    static const struct answer_manner manner = {.id = {"req-1", 5}, .created = 1764000000, .is_stream = true};
    *run = (struct run){.provider = provider, .client = client};
    said_reader_init(&run->reader);
    said_reader_init(&run->other);
    dialect_stream_init(&run->told, 1);
    dialect_stream_init(&run->heard, 1);
    run->translator = translator_new(run->client, provider, &manner, on_event, run);
}

static void end(struct run *run)
{
    translator_free(run->translator);
    said_reader_clear(&run->reader);
    said_reader_clear(&run->other);
}

/* The provider's own reading is not counted: it is there in any case. */
static uint64_t feed(struct run *run, struct slice name, struct slice data)
{
    struct said said;
    struct fault why;
    struct sse_event event = {.name = name, .data = data, .retry_ms = -1, .ends = true};
    run->provider->read_event(&run->reader, &run->told, name, data, &said);
    uint64_t began_ns = clock_cpu_ns();
    check(translator_event(run->translator, &event, &said, &run->told, &why));
    return clock_cpu_ns() - began_ns;
}

static void write_openai(struct buf *event, size_t i)
{
    buf_printf(event,
               "{\"id\":\"chatcmpl-C1a2b3c4d5e6f7g8h9\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,"
               "\"model\":\"a-model-2026-01-01\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\","
               "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":null}],"
               "\"usage\":null,\"obfuscation\":\"%.*s\"}",
               words[i % WORDS], (int)(i * 7 % 12), "aB3dE5gH7jK9mN1pQ4sT6vW8yZ0cF2iL");
}

static void write_anthropic(struct buf *event, size_t i)
{
    buf_printf(event,
               "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"%s\"} }",
               words[i % WORDS]);
}

static void write_gemini(struct buf *event, size_t i)
{
    buf_printf(event,
               "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"%s\"}],\"role\":\"model\"},\"index\":0}],"
               "\"usageMetadata\":{\"promptTokenCount\":4,\"candidatesTokenCount\":%zu,\"totalTokenCount\":%zu},"
               "\"modelVersion\":\"a-model\",\"responseId\":\"r1\"}",
               words[i % WORDS], i + 1, i + 5);
}

static const struct stream {
    const struct dialect *provider;
    void (*write)(struct buf *event, size_t i);
} streams[] = {{&dialect_openai, write_openai}, {&dialect_anthropic, write_anthropic}, {&dialect_gemini, write_gemini}};
#define STREAMS (sizeof streams / sizeof streams[0])

/* Reading the clock is part of what is measured. */
static uint64_t clock_ns(size_t count)
{
    uint64_t began_ns = clock_cpu_ns();
    for (size_t i = 0; i < count; i++)
        clock_cpu_ns();
    return clock_cpu_ns() - began_ns;
}

static uint64_t measure(const struct dialect *provider, const struct dialect *client, const struct buf *events,
                        size_t count)
{
    struct run run;
    uint64_t took_ns = 0, clock = clock_ns(count);
    begin(&run, provider, client);
    if (provider == &dialect_anthropic) {
        feed(&run, SLICE("message_start"),
             SLICE("{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"m\"}}"));
        feed(&run, SLICE("content_block_start"),
             SLICE("{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}"));
    }
    for (size_t i = 0; i < count; i++)
        took_ns += feed(&run, SLICE("content_block_delta"), buf_slice(&events[i]));
    check(run.bytes > count * 50);
    end(&run);
    return took_ns > clock ? took_ns - clock : 0;
}

static double best_us(const struct stream *of, const struct dialect *client, size_t count, size_t rounds)
{
    struct buf *events = mem_zalloc(count, sizeof *events);
    uint64_t best_ns = UINT64_MAX;
    for (size_t i = 0; i < count; i++)
        of->write(&events[i], i);
    for (size_t round = 0; round < rounds; round++) {
        uint64_t took_ns = measure(of->provider, client, events, count);
        if (took_ns < best_ns) best_ns = took_ns;
    }
    for (size_t i = 0; i < count; i++)
        buf_clear(&events[i]);
    mem_free(events);
    return (double)best_ns / 1000.0 / (double)count;
}

int main(int argc, char **argv)
{
    check(argc == 3);
    size_t count = strtoul(argv[1], NULL, 10), rounds = strtoul(argv[2], NULL, 10);
    const struct dialect *client;
    for (size_t s = 0; s < STREAMS; s++) {
        const struct dialect *provider = streams[s].provider;
        for (size_t c = 0; (client = dialect_at(c)) != NULL; c++)
            if (client != provider && translate_can(client, provider, CHAT_CHAT))
                printf("%s_to_%s %.3f\n", provider->name, client->name, best_us(&streams[s], client, count, rounds));
    }
    return 0;
}
