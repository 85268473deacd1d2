#include "wire/redact_stream_inner.h"

#include "base/limits.h"
#include "base/mem.h"

#define TOLD_NOTHING 0xcbf29ce484222325ull /* where the hash of a text begins */

static struct channel *find_channel(struct redact_stream *s, const struct redact_place *place)
{
    for (uint32_t i = s->channel_count; i-- > 0;) { /* the newest is the likeliest */
        struct channel *c = &s->channels[i];
        if (c->choice == place->choice && c->path == place->path) return c;
    }
    if (s->channel_count == LIMIT_REDACT_TEXTS) return NULL;
    if (s->channel_count == s->channel_cap) {
        s->channel_cap = s->channel_cap ? 2 * s->channel_cap : 4;
        s->channels = mem_realloc(s->channels, s->channel_cap * sizeof *s->channels);
    }
    struct channel *c = &s->channels[s->channel_count++];
    *c = (struct channel){.choice = place->choice, .path = place->path, .field = place->field, .told = TOLD_NOTHING};
    redact_text_init(&c->text);
    return c;
}

static struct piece *add_piece(struct event *e)
{
    if (e->piece_count == e->piece_cap) {
        e->piece_cap = e->piece_cap ? 2 * e->piece_cap : 2;
        e->pieces = mem_realloc(e->pieces, e->piece_cap * sizeof *e->pieces);
    }
    e->pieces[e->piece_count] = (struct piece){0};
    return &e->pieces[e->piece_count++];
}

static void place_piece(const struct redact_stream *s, const struct redact_place *place, struct piece *p)
{
    struct slice raw = json_raw(s->tape, place->node);
    bool has_choice = place->choice_node != JSON_NONE;
    struct slice logprobs = has_choice ? redact_walk_logprobs(s->tape, place->choice_node) : SLICE_NONE;
    p->at = (uint32_t)(raw.ptr - s->tape->bytes);
    p->len = (uint32_t)raw.len;
    p->is_json = place->is_json;
    p->logprobs_len = (uint32_t)logprobs.len;
    if (logprobs.len) p->logprobs_at = (uint32_t)(logprobs.ptr - s->tape->bytes);
}

bool redact_stream_has_text(const struct redact_stream *s, uint64_t choice)
{
    for (uint32_t i = 0; i < s->channel_count; i++) {
        if (s->channels[i].choice == choice && s->channels[i].seen == s->events) return true;
    }
    return false;
}

/* --- what an event says twice --- */

/* FNV-1a: of a text that grows. */
static uint64_t tell_on(uint64_t told, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        told = (told ^ (unsigned char)text.ptr[i]) * 0x100000001b3ull;
    return told;
}

static bool may_tell_again(const struct channel *c, const struct redact_place *place)
{
    return c->choice != REDACT_NO_CHOICE && (place->choice == REDACT_NO_CHOICE || place->choice == c->choice);
}

/* The run of a choice's text that stands in this event in the same words. */
static bool is_piece_again(const struct redact_stream *s, const struct redact_place *place, struct piece *again)
{
    struct slice raw = json_raw(s->tape, place->node);
    for (uint32_t i = 0; i < s->reading->piece_count; i++) {
        const struct piece *p = &s->reading->pieces[i];
        if (!may_tell_again(&s->channels[p->channel], place)) continue;
        if (!slice_equal(slice_of(s->tape->bytes + p->at, p->len), raw)) continue;
        *again = *p;
        return true;
    }
    return false;
}

/* All that a choice's text has said until now. */
static bool is_all_again(struct redact_stream *s, const struct redact_place *place, struct piece *again)
{
    struct slice text = redact_walk_text(s->tape, place, &s->arena);
    uint64_t told = 0;
    for (uint32_t i = 0; i < s->channel_count; i++) {
        const struct channel *c = &s->channels[i];
        if (c->has_forgotten || redact_text_length(&c->text) != text.len || !may_tell_again(c, place)) continue;
        if (!told) told = tell_on(TOLD_NOTHING, text);
        if (c->told != told) continue;
        *again = (struct piece){.channel = i, .to = text.len};
        return true;
    }
    return false;
}

/* What stands beside a text and says the same is masked as that is, however the text is cut. */
static bool read_again(struct redact_stream *s, const struct redact_place *place)
{
    struct piece again;
    if (place->choice != REDACT_NO_CHOICE && !place->is_beside) return false;
    if (!is_piece_again(s, place, &again) && !is_all_again(s, place, &again)) return false;
    s->channels[again.channel].is_told_again = true;
    place_piece(s, place, &again);
    *add_piece(s->reading) = again;
    return true;
}

/* Beside a choice's delta that says something a text stands whole, unless it repeats that. */
static struct redact_place place_of(const struct redact_stream *s, const struct redact_place *place)
{
    struct redact_place alone = *place;
    if (!place->is_beside || !redact_stream_has_text(s, place->choice)) return alone;
    alone.path ^= place->choice * 0x9E3779B97F4A7C15ull;
    alone.choice = REDACT_NO_CHOICE;
    return alone;
}

void redact_stream_text(void *arg, const struct redact_place *as_told)
{
    struct redact_stream *s = arg;
    if (read_again(s, as_told)) return;
    struct redact_place place = place_of(s, as_told);
    struct channel *c = find_channel(s, &place);
    if (!c) {
        s->has_too_many = true;
        return;
    }
    struct piece *p = add_piece(s->reading);
    struct slice text = redact_walk_text(s->tape, &place, &s->arena);
    place_piece(s, &place, p);
    p->channel = (uint32_t)(c - s->channels);
    p->from = redact_text_length(&c->text);
    c->seen = s->events;
    redact_text_feed(&c->text, s->r, text);
    if (c->choice != REDACT_NO_CHOICE) c->told = tell_on(c->told, text);
    p->to = redact_text_length(&c->text);
}
