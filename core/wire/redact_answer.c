#include "wire/redact_answer.h"

#include "wire/redact_text.h"
#include "wire/redact_walk.h"

struct rewriting {
    struct redact *r;
    struct splice edits;
    struct arena *arena;
};

/* True when the whole text was changed: it is in out. */
static bool rewrite_text(struct redact *r, struct slice text, bool is_json, struct buf *out, bool *has_mask)
{
    struct redact_text t;
    redact_text_init(&t, is_json);
    redact_text_feed(&t, r, text);
    redact_text_end(&t, r);
    bool is_changed = redact_text_is_changed(&t, 0, text.len, has_mask);
    if (is_changed) redact_text_write(&t, 0, text, out);
    redact_text_clear(&t);
    return is_changed;
}

void redact_drop_logprobs(struct splice *edits, uint32_t choice)
{
    uint32_t logprobs = json_get(edits->tape, choice, SLICE("logprobs"));
    if (logprobs != JSON_NONE && !json_is(edits->tape, logprobs, JSON_NULL)) {
        splice_value(edits, logprobs, SLICE("null"));
    }
}

void redact_put_text(struct splice *edits, uint32_t node, struct slice text)
{
    struct buf json;
    buf_init(&json);
    buf_append_json(&json, text);
    splice_value(edits, node, arena_copy(edits->arena, buf_slice(&json)));
    buf_clear(&json);
}

static void on_text(void *arg, const struct redact_place *place)
{
    struct rewriting *w = arg;
    struct buf text;
    bool has_mask = false;
    buf_init(&text);
    struct slice whole = json_text(w->edits.tape, place->node, w->arena);
    if (rewrite_text(w->r, whole, place->is_json, &text, &has_mask)) {
        redact_put_text(&w->edits, place->node, buf_slice(&text));
    }
    if (has_mask && place->choice_node != JSON_NONE) redact_drop_logprobs(&w->edits, place->choice_node);
    buf_clear(&text);
}

static bool rewrite_json(struct redact *r, const struct json_tape *tape, struct slice body, struct buf *out)
{
    struct arena arena;
    arena_init(&arena);
    struct rewriting w = {.r = r, .arena = &arena};
    splice_init(&w.edits, tape, body, &arena);
    uint32_t choices = json_get(tape, 0, SLICE("choices"));
    if (json_is(tape, choices, JSON_ARRAY)) {
        redact_walk_choices(tape, choices, on_text, &w);
        redact_walk_value(tape, json_get(tape, 0, SLICE("error")), on_text, &w);
    } else {
        redact_walk_value(tape, 0, on_text, &w);
    }
    bool is_changed = !splice_is_empty(&w.edits);
    if (is_changed) splice_apply(&w.edits, out);
    arena_clear(&arena);
    return is_changed;
}

bool redact_answer(struct redact *r, struct slice body, struct buf *out)
{
    struct json_tape tape;
    struct fault why;
    bool has_mask, is_changed;
    json_init(&tape);
    if (json_parse(&tape, body, &why)) {
        is_changed = rewrite_json(r, &tape, body, out);
    } else {
        is_changed = rewrite_text(r, body, false, out, &has_mask);
    }
    json_clear(&tape);
    return is_changed;
}
