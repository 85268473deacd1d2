/*
 * What metering adds to an event of a stream: its text found, and counted.
 *
 *     build/bench/meter 2000 20
 *     meter 2000 20 0.412                 # events, rounds, microseconds per event in the best round
 *     valgrind --tool=callgrind --toggle-collect=meter_event build/bench/meter 2000 1
 *
 * Events are those of a chat stream of OpenAI's: one token each, about 300 bytes with padding.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "wire/dialect.h"
#include "wire/meter.h"

static const char *const words[] = {" the", " report", " that", " you", " sent", " on", " Tues", "day", ",", " and",
                                    " it", " says", " 1", "240", " units", "\\n\\n", " for", " March", ".", " Gr\xC3\xBC\xC3\x9F" "e"};
#define WORDS (sizeof words / sizeof words[0])

/* Apart, so that callgrind can count it alone. */
__attribute__((noinline)) static void meter_event(struct meter *m, struct slice data)
{
    static struct said_reader reader;
    static struct dialect_stream stream;
    struct said said;
    dialect_openai.read_event(&reader, &stream, SLICE(""), data, &said);
    meter_feed(m, &said);
}

static void make_events(struct buf *events, size_t count)
{
    static const char padding[] = "aB3dE5gH7jK9mN1pQ4sT6vW8yZ0cF2iL";
    for (size_t i = 0; i < count; i++) {
        buf_init(&events[i]);
        buf_printf(&events[i],
                   "{\"id\":\"chatcmpl-C1a2b3c4d5e6f7g8h9\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,"
                   "\"model\":\"a-model-2026-01-01\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\","
                   "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":null}],"
                   "\"usage\":null,\"obfuscation\":\"%.*s\"}",
                   words[i % WORDS], (int)(i * 7 % 12), padding);
    }
}

int main(int argc, char **argv)
{
    check(argc == 3);
    size_t count = strtoul(argv[1], NULL, 10), rounds = strtoul(argv[2], NULL, 10);
    struct buf *events = mem_zalloc(count, sizeof *events);
    uint64_t best_ns = UINT64_MAX;
    make_events(events, count);
    for (size_t round = 0; round < rounds; round++) {
        struct meter *m = meter_new(vocabulary_at(0));
        uint64_t began_ns = clock_cpu_ns();
        for (size_t i = 0; i < count; i++)
            meter_event(m, buf_slice(&events[i]));
        uint64_t took_ns = clock_cpu_ns() - began_ns;
        if (took_ns < best_ns) best_ns = took_ns;
        check(meter_total(m).text_tokens > count / 2);
        meter_free(m);
    }
    printf("meter %zu %zu %.3f\n", count, rounds, (double)best_ns / 1000.0 / (double)count);
    for (size_t i = 0; i < count; i++)
        buf_clear(&events[i]);
    mem_free(events);
    return 0;
}
