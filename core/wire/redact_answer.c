#include "wire/redact_answer.h"

#include "base/limits.h"
#include "base/mem.h"
#include "wire/redact_changes.h"
#include "wire/redact_text.h"
#include "wire/redact_walk.h"

/* Texts that stand in several places, as thoughts do of which pieces have one "index", and parts of a candidate. */
struct joined {
    uint64_t choice, path;
    struct redact_text text;
};

/* A run of such a text. */
struct piece {
    struct redact_place place;
    uint32_t joined;
    uint64_t from;
};

struct rewriting {
    struct redact *r;
    const struct json_tape *tape;
    struct redact_changes changes;
    struct arena arena; /* of decoded texts */
    struct joined *joined;
    uint32_t joined_count, joined_cap;
    struct piece *pieces;
    uint32_t piece_count, piece_cap;
};

/* True when the whole text was changed: it is in out. */
static bool rewrite_text(struct redact *r, struct slice text, struct buf *out, bool *has_mask)
{
    struct redact_text t;
    redact_text_init(&t);
    redact_text_feed(&t, r, text);
    redact_text_end(&t, r);
    bool is_changed = redact_text_is_changed(&t, 0, text.len, has_mask);
    if (is_changed) redact_text_write(&t, 0, text, out);
    redact_text_clear(&t);
    return is_changed;
}

static void drop_logprobs(struct rewriting *w, uint32_t choice)
{
    struct slice raw = redact_walk_logprobs(w->tape, choice);
    if (raw.len) redact_changes_null(&w->changes, (uint32_t)(raw.ptr - w->tape->bytes), (uint32_t)raw.len);
}

static void change_text(struct rewriting *w, const struct redact_place *place, struct slice text, bool has_mask)
{
    struct slice raw = json_raw(w->tape, place->node);
    uint32_t at = (uint32_t)(raw.ptr - w->tape->bytes), len = (uint32_t)raw.len;
    if (place->is_json)
        redact_changes_json(&w->changes, at, len, text);
    else
        redact_changes_text(&w->changes, at, len, text);
    if (has_mask && place->choice_node != JSON_NONE) drop_logprobs(w, place->choice_node);
}

static struct joined *joined_at(struct rewriting *w, const struct redact_place *place)
{
    for (uint32_t i = w->joined_count; i-- > 0;) {
        if (w->joined[i].choice == place->choice && w->joined[i].path == place->path) return &w->joined[i];
    }
    if (w->joined_count == w->joined_cap) {
        w->joined_cap = w->joined_cap ? 2 * w->joined_cap : 4;
        w->joined = mem_realloc(w->joined, w->joined_cap * sizeof *w->joined);
    }
    struct joined *joined = &w->joined[w->joined_count++];
    *joined = (struct joined){.choice = place->choice, .path = place->path};
    redact_text_init(&joined->text);
    return joined;
}

static void join(struct rewriting *w, const struct redact_place *place, struct slice text)
{
    struct joined *joined = joined_at(w, place);
    if (w->piece_count == w->piece_cap) {
        w->piece_cap = w->piece_cap ? 2 * w->piece_cap : 4;
        w->pieces = mem_realloc(w->pieces, w->piece_cap * sizeof *w->pieces);
    }
    w->pieces[w->piece_count++] =
        (struct piece){*place, (uint32_t)(joined - w->joined), redact_text_length(&joined->text)};
    redact_text_feed(&joined->text, w->r, text);
}

/* More texts than a stream may have are each read alone. */
static void on_text(void *arg, const struct redact_place *place)
{
    struct rewriting *w = arg;
    struct buf text;
    bool has_mask = false;
    struct slice whole = redact_walk_text(w->tape, place, &w->arena);
    if (place->goes_on && w->joined_count < LIMIT_REDACT_TEXTS) {
        join(w, place, whole);
        return;
    }
    buf_init(&text);
    if (rewrite_text(w->r, whole, &text, &has_mask)) change_text(w, place, buf_slice(&text), has_mask);
    buf_clear(&text);
}

static void rewrite_piece(struct rewriting *w, const struct piece *piece)
{
    const struct redact_text *text = &w->joined[piece->joined].text;
    struct slice was = redact_walk_text(w->tape, &piece->place, &w->arena);
    struct buf out;
    bool has_mask = false;
    if (!redact_text_is_changed(text, piece->from, piece->from + was.len, &has_mask)) return;
    buf_init(&out);
    redact_text_write(text, piece->from, was, &out);
    change_text(w, &piece->place, buf_slice(&out), has_mask);
    buf_clear(&out);
}

static void rewrite_joined(struct rewriting *w)
{
    for (uint32_t i = 0; i < w->joined_count; i++)
        redact_text_end(&w->joined[i].text, w->r);
    for (uint32_t i = 0; i < w->piece_count; i++)
        rewrite_piece(w, &w->pieces[i]);
    for (uint32_t i = 0; i < w->joined_count; i++)
        redact_text_clear(&w->joined[i].text);
    mem_free(w->joined);
    mem_free(w->pieces);
}

static bool rewrite_json(struct redact *r, const struct said *said, struct buf *out, struct said_text *texts)
{
    struct rewriting w = {.r = r, .tape = said->tape};
    arena_init(&w.arena);
    redact_walk_answer(w.tape, on_text, &w);
    rewrite_joined(&w);
    bool is_changed = w.changes.count > 0;
    if (is_changed) redact_changes_apply(&w.changes, said->json, out);
    if (is_changed && texts) redact_changes_move(&w.changes, texts, said->text_count);
    redact_changes_clear(&w.changes);
    arena_clear(&w.arena);
    return is_changed;
}

bool redact_answer(struct redact *r, const struct said *said, struct buf *out, struct said_text *texts)
{
    bool has_mask;
    return said->tape ? rewrite_json(r, said, out, texts) : rewrite_text(r, said->json, out, &has_mask);
}
