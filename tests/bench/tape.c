/*
 * One JSON tape over a chat request of a given size, a given number of times: for callgrind, which counts instructions.
 *
 *     valgrind --tool=callgrind --toggle-collect=json_parse build/bench/tape 20 32768
 *     tape 20 32782                                    # rounds and the body's real bytes
 */
#include "wire/json.h"

#include "base/buf.h"

/* English with escapes, as chat messages have them: one escape in about 80 bytes. */
static void make_body(struct buf *b, size_t bytes)
{
    buf_append(b, SLICE("{\"model\":\"bench-model\",\"stream\":false,\"messages\":["));
    for (unsigned i = 0; buf_len(b) + 900 < bytes || i == 0; i++) {
        buf_printf(b, "%s{\"role\":\"%s\",\"content\":\"", i ? "," : "", i % 2 ? "assistant" : "user");
        for (int line = 0; line < 9; line++)
            buf_append(
                b, SLICE("The gateway said \\\"not yet\\\" and the client, who had waited for it, asked again.\\n"));
        buf_append(b, SLICE("\"}"));
    }
    buf_append(b, SLICE("],\"temperature\":0.7,\"user\":\""));
    while (buf_len(b) + 2 < bytes)
        buf_append_char(b, 'x');
    buf_append(b, SLICE("\"}"));
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20;
    size_t bytes = argc > 2 ? strtoul(argv[2], NULL, 10) : 32768;
    struct buf body;
    struct json_tape tape;
    struct fault why;
    buf_init(&body);
    make_body(&body, bytes);
    json_init(&tape);
    for (unsigned i = 0; i < rounds; i++) {
        if (json_parse(&tape, buf_slice(&body), &why)) continue;
        fprintf(stderr, "the bench's own body was refused\n");
        return 1;
    }
    printf("tape %u %zu\n", rounds, buf_len(&body));
    json_clear(&tape);
    buf_clear(&body);
    return 0;
}
