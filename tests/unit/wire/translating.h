/*
 * An answer through a translator, in pieces of any size: what the tests of it share.
 *
 *     struct translating t;
 *     translate_stream(&t, &dialect_openai, &dialect_anthropic, bytes, 7);   // provider, client, bytes a piece; 0: all
 *     translate_body(&t, &dialect_openai, &dialect_anthropic, bytes);
 *     ... t.out, t.why.code, t.end (as the provider's dialect judges it), t.dropped ...
 *     translating_clear(&t);
 *
 * Every event is fed from memory of its own, freed behind the call.
 */
#ifndef MOONGATE_TESTS_UNIT_TRANSLATING_H
#define MOONGATE_TESTS_UNIT_TRANSLATING_H

#include <string.h>

#include "base/mem.h"
#include "wire/dialect.h"
#include "wire/sse.h"
#include "wire/translate/translator.h"

struct translating {
    const struct dialect *provider;
    struct said_reader reader;
    struct dialect_stream told;
    struct translator *translator;
    struct dropped dropped; /* as it was in the end */
    struct buf out;
    struct fault why;
    bool has_stopped; /* the translator said no */
    enum dialect_end end;
    int status; /* of an error */
};

static const struct answer_manner translating_events = {
    .id = {"req-1", 5}, .created = 1700000000, .is_stream = true, .wants_usage = true};
static const struct answer_manner translating_whole = {.id = {"req-1", 5}, .created = 1700000000};

static inline bool translating_on_out(void *arg, const struct sse_event *event)
{
    struct translating *t = arg;
    buf_append(&t->out, event->raw);
    return true;
}

static inline void translating_begin(struct translating *t, const struct dialect *provider,
                                     const struct dialect *client, const struct answer_manner *manner)
{
    *t = (struct translating){.provider = provider};
    said_reader_init(&t->reader);
    dialect_stream_init(&t->told, 1);
    t->translator = translator_new(client, provider, manner, translating_on_out, t);
}

static inline void translating_on_event(void *arg, const struct sse_event *event)
{
    struct translating *t = arg;
    struct sse_event copy = *event;
    struct said said = {0};
    if (t->has_stopped || event->is_raw) return;
    char *data = mem_alloc(event->data.len + 1);
    if (event->data.len) memcpy(data, event->data.ptr, event->data.len);
    data = mem_realloc(data, event->data.len ? event->data.len : 1);
    copy.data = slice_of(data, event->data.len);
    if (!event->is_comment_only) t->provider->read_event(&t->reader, &t->told, copy.name, copy.data, &said);
    t->has_stopped = !translator_event(t->translator, &copy, &said, &t->told, &t->why);
    mem_free(data);
}

static inline void translating_end(struct translating *t)
{
    if (translator_dropped(t->translator)) t->dropped = *translator_dropped(t->translator);
}

static inline void translate_stream_as(struct translating *t, const struct dialect *provider,
                                       const struct dialect *client, const struct answer_manner *manner,
                                       struct slice bytes, size_t step)
{
    struct sse_parser *sse = sse_new();
    translating_begin(t, provider, client, manner);
    sse_keep(sse, 4u << 20);
    if (!step) step = bytes.len ? bytes.len : 1;
    for (size_t at = 0, len; at < bytes.len; at += len) {
        len = step < bytes.len - at ? step : bytes.len - at;
        sse_feed(sse, slice_of(bytes.ptr + at, len), translating_on_event, t);
    }
    sse_finish(sse, translating_on_event, t);
    t->end = provider->judge_end(&t->told);
    if (t->end == DIALECT_COMPLETE_UNMARKED && !t->has_stopped)
        t->has_stopped = !translator_finish(t->translator, &t->told, &t->why);
    sse_free(sse);
    translating_end(t);
}

static inline void translate_stream(struct translating *t, const struct dialect *provider,
                                    const struct dialect *client, struct slice bytes, size_t step)
{
    translate_stream_as(t, provider, client, &translating_events, bytes, step);
}

static inline void translate_body(struct translating *t, const struct dialect *provider,
                                  const struct dialect *client, struct slice bytes)
{
    struct said said;
    translating_begin(t, provider, client, &translating_whole);
    provider->read_body(&t->reader, &t->told, bytes, &said);
    t->has_stopped = !translator_body(t->translator, &said, &t->told, &t->why);
    translating_end(t);
}

/* name: what the answer's head calls the error. */
static inline void translate_named_failure(struct translating *t, const struct dialect *provider,
                                           const struct dialect *client, int status, struct slice name,
                                           struct slice bytes)
{
    struct said said;
    translating_begin(t, provider, client, &translating_whole);
    provider->read_body(&t->reader, &t->told, bytes, &said);
    t->status = translator_failure(t->translator, status, name, &said, SLICE("req-1"), &t->out);
}

static inline void translate_failure(struct translating *t, const struct dialect *provider,
                                     const struct dialect *client, int status, struct slice bytes)
{
    translate_named_failure(t, provider, client, status, SLICE_NONE, bytes);
}

static inline void translating_clear(struct translating *t)
{
    translator_free(t->translator);
    said_reader_clear(&t->reader);
    buf_clear(&t->out);
}

#endif
