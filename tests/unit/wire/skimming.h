/*
 * An answer as it is read in one piece, and as wire/skim.h tells it: both must have said the same.
 *
 *     struct skimming whole, pieces;
 *     skimming_open(&whole), skimming_open(&pieces);
 *     if (skimming_read(&whole, json)) {
 *         skimming_feed(&pieces, json, step);
 *         skimming_difference(&whole, &pieces)     // NULL: none
 *     }
 *     skimming_close(&whole), skimming_close(&pieces);
 *
 * Shared with the fuzzer: nothing here expects, it only notes.
 */
#ifndef MOONGATE_TESTS_UNIT_SKIMMING_H
#define MOONGATE_TESTS_UNIT_SKIMMING_H

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "wire/dialect.h"
#include "wire/skim.h"

#define SKIMMING_CHANNELS 64

struct skimming_channel {
    uint32_t choice, call;
    enum said_kind kind;
    struct buf text;
};

struct skimming {
    struct said_reader reader;
    struct dialect_stream told;
    struct skimming_channel channels[SKIMMING_CHANNELS];
    size_t channel_count, pieces, unreadable, largest;
    unsigned what;
    bool is_read;
    uint64_t lost;
};

static inline void skimming_open(struct skimming *s)
{
    *s = (struct skimming){0};
    said_reader_init(&s->reader);
    dialect_stream_init(&s->told, 1);
}

static inline void skimming_close(struct skimming *s)
{
    for (size_t i = 0; i < s->channel_count; i++)
        buf_clear(&s->channels[i].text);
    said_reader_clear(&s->reader);
}

static inline struct skimming_channel *skimming_channel(struct skimming *s, const struct said_text *text)
{
    for (size_t i = 0; i < s->channel_count; i++) {
        struct skimming_channel *c = &s->channels[i];
        if (c->choice == text->choice && c->call == text->call && c->kind == text->kind) return c;
    }
    if (s->channel_count == SKIMMING_CHANNELS) return &s->channels[SKIMMING_CHANNELS - 1];
    struct skimming_channel *c = &s->channels[s->channel_count++];
    *c = (struct skimming_channel){.choice = text->choice, .call = text->call, .kind = text->kind};
    return c;
}

static inline void skimming_take(struct skimming *s, const struct said *said)
{
    struct arena arena;
    arena_init(&arena);
    s->what |= said->what;
    s->unreadable += (said->what & SAID_UNREADABLE) != 0;
    for (uint32_t i = 0; i < said->text_count; i++)
        buf_append(&skimming_channel(s, &said->texts[i])->text, said_decode(said, &said->texts[i], &arena));
    arena_clear(&arena);
}

/* In one piece. False: it is no object. */
static inline bool skimming_read(struct skimming *s, struct slice json)
{
    struct said said;
    dialect_openai.read_event(&s->reader, &s->told, SLICE(""), json, &said);
    skimming_take(s, &said);
    return s->unreadable == 0;
}

static inline void skimming_on_piece(void *arg, struct slice json)
{
    struct skimming *s = arg;
    s->pieces++;
    if (json.len > s->largest) s->largest = json.len;
    skimming_read(s, json);
}

/* In steps; 0: all at once. Each from memory of its own. */
static inline void skimming_feed(struct skimming *s, struct slice json, size_t step)
{
    struct skim *skim = skim_new();
    if (!step) step = json.len ? json.len : 1;
    for (size_t at = 0; at < json.len; at += step) {
        size_t len = step < json.len - at ? step : json.len - at;
        char *copy = mem_alloc(len);
        memcpy(copy, json.ptr + at, len);
        skim_feed(skim, slice_of(copy, len), skimming_on_piece, s);
        mem_free(copy);
    }
    s->is_read = skim_finish(skim, skimming_on_piece, s);
    s->lost = skim_lost_bytes(skim);
    skim_free(skim);
}

static inline bool skimming_has(const struct skimming *s, const struct skimming_channel *c)
{
    for (size_t i = 0; i < s->channel_count; i++) {
        const struct skimming_channel *o = &s->channels[i];
        bool is_it = o->choice == c->choice && o->call == c->call && o->kind == c->kind;
        if (is_it) return slice_equal(buf_slice(&o->text), buf_slice(&c->text));
    }
    return false;
}

/* Usage and ends, and each text. */
static inline const char *skimming_difference(const struct skimming *a, const struct skimming *b)
{
    if (memcmp(&a->told.usage, &b->told.usage, sizeof a->told.usage) != 0) return "usage";
    if (strcmp(a->told.finish_reason, b->told.finish_reason) != 0) return "finish reason";
    if (memcmp(a->told.finished, b->told.finished, sizeof a->told.finished) != 0) return "choices that finished";
    if (a->told.has_error != b->told.has_error) return "error";
    if (a->channel_count != b->channel_count) return "number of texts";
    for (size_t i = 0; i < a->channel_count; i++) {
        if (!skimming_has(b, &a->channels[i])) return "a text";
    }
    return NULL;
}

#endif
