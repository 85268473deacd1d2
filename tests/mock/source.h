/*
 * Where the body of an answer comes from: pieces, one after the other. A piece of a stream is one event.
 *
 *     struct source *s = openai_answer(&ask) or replay_answer(...);
 *     while (source_next(s, &piece)) ...            appends one piece; false: that was all
 *     source_free(s);
 *
 * It says what a well-behaved provider would; reply.c does the misbehaving.
 */
#ifndef MOONGATE_MOCK_SOURCE_H
#define MOONGATE_MOCK_SOURCE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct source {
    bool (*next)(struct source *s, struct buf *piece);
    void (*free)(struct source *s);
    int status;
    bool is_stream;
    const char *content_type; /* static */
    uint64_t tokens;          /* generated so far */
    struct buf headers;       /* further header lines, each with CRLF */
    /* Of a stream that is no server-sent events: an error in its middle, and an event that cannot be read. NULL: they
     * are OpenAI's. type NULL: the usual one. */
    void (*append_error)(struct buf *out, const char *type, const char *message);
    void (*append_bad)(struct buf *out);
};

static inline bool source_next(struct source *s, struct buf *piece)
{
    return s->next(s, piece);
}

void source_free(struct source *s); /* NULL is welcome */
/* A whole body, copied. */
struct source *source_of_bytes(int status, const char *content_type, struct slice body, uint64_t tokens);
/* {"error": {message, type, param: null, code}} as OpenAI has it. */
struct source *source_of_error(int status, const char *type, const char *code, const char *message);
/* The same object as text, for an event in the middle of a stream. */
void source_append_error(struct buf *out, const char *type, const char *code, const char *message);

#endif
