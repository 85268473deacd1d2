#include "wire/redact_answer.h"

#include "wire/redact_changes.h"
#include "wire/redact_text.h"
#include "wire/redact_walk.h"

struct rewriting {
    struct redact *r;
    const struct json_tape *tape;
    struct redact_changes changes;
    struct arena arena; /* of decoded texts */
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

static void change_text(struct rewriting *w, uint32_t node, struct slice text)
{
    struct slice raw = json_raw(w->tape, node);
    redact_changes_text(&w->changes, (uint32_t)(raw.ptr - w->tape->bytes), (uint32_t)raw.len, text);
}

static void drop_logprobs(struct rewriting *w, uint32_t choice)
{
    struct slice raw = redact_walk_logprobs(w->tape, choice);
    if (raw.len) redact_changes_null(&w->changes, (uint32_t)(raw.ptr - w->tape->bytes), (uint32_t)raw.len);
}

static void on_text(void *arg, const struct redact_place *place)
{
    struct rewriting *w = arg;
    struct buf text;
    bool has_mask = false;
    buf_init(&text);
    struct slice whole = json_text(w->tape, place->node, &w->arena);
    if (rewrite_text(w->r, whole, &text, &has_mask)) change_text(w, place->node, buf_slice(&text));
    if (has_mask && place->choice_node != JSON_NONE) drop_logprobs(w, place->choice_node);
    buf_clear(&text);
}

static bool rewrite_json(struct redact *r, const struct said *said, struct buf *out, struct said_text *texts)
{
    struct rewriting w = {.r = r, .tape = said->tape};
    arena_init(&w.arena);
    redact_walk_choices(w.tape, json_get(w.tape, 0, SLICE("choices")), on_text, &w);
    redact_walk_rest(w.tape, on_text, &w);
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
