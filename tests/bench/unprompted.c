/*
 * What prompts cost a chat request that names none: it is indexed, asked whether it names one, and read; beside the same
 * without that question.
 *
 *     valgrind --tool=callgrind --toggle-collect=read_asked build/bench/unprompted 1024 200
 *     valgrind --tool=callgrind --toggle-collect=read_plain build/bench/unprompted 1024 200
 *
 * The first word is a message's bytes, the second how many requests of each kind there are.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "wire/chat.h"
#include "wire/dialect.h"
#include "wire/filled/filled.h"

/* Apart, so that callgrind can count them alone. */
void read_plain(struct slice body);
void read_asked(struct slice body);

static void begin(struct chat_request *r, struct arena *arena)
{
    arena_init(arena);
    chat_init(r);
}

static void end(struct chat_request *r, struct arena *arena)
{
    chat_clear(r);
    arena_clear(arena);
}

__attribute__((noinline)) void read_plain(struct slice body)
{
    struct chat_request r;
    struct arena arena;
    struct fault why;
    begin(&r, &arena);
    check(chat_parse_for(&r, &dialect_openai, body, CHAT_CHAT, SLICE_NONE, &arena, &why));
    end(&r, &arena);
}

/* As flow/fill and flow/receive do. */
__attribute__((noinline)) void read_asked(struct slice body)
{
    struct chat_request r;
    struct arena arena;
    struct fault why;
    struct filled_asked asked;
    begin(&r, &arena);
    check(json_parse(&r.tape, body, &why));
    check(filled_ask(&r.tape, &dialect_openai, SLICE_NONE, &arena, &asked, &why) && !asked.is_asked);
    check(chat_read_indexed(&r, &dialect_openai, CHAT_CHAT, SLICE_NONE, &arena, &why));
    end(&r, &arena);
}

int main(int argc, char **argv)
{
    if (argc != 3) return fprintf(stderr, "usage: unprompted BYTES REQUESTS\n"), 2;
    struct buf body;
    buf_init(&body);
    buf_append(&body, SLICE("{\"model\":\"gpt-4o\",\"max_tokens\":100,\"messages\":[{\"role\":\"user\",\"content\":\""));
    for (long i = 0; i < strtol(argv[1], NULL, 10); i++)
        buf_append_char(&body, "the moon over the gate "[i % 23]);
    buf_append(&body, SLICE("\"}],\"temperature\":0.2,\"presence_penalty\":0}"));
    for (long i = 0; i < strtol(argv[2], NULL, 10); i++) {
        read_plain(buf_slice(&body));
        read_asked(buf_slice(&body));
    }
    buf_clear(&body);
    return 0;
}
