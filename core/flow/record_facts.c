/* What policies may read of a request, and what they asked and were told: a decision can be taken again by it. */
#include "flow/record_inner.h"

/* Where another target's count stands in "estimate". */
static void append_own_estimate(struct buf *out, const struct exchange *x)
{
    const struct estimate *shown = exchange_estimate(x), *own = &x->estimate;
    if (shown->input_tokens != own->input_tokens) append_number(out, NAME("input_tokens"), own->input_tokens);
    if (shown->is_flagged == own->is_flagged) return;
    append_name(out, NAME("estimated"));
    buf_append(out, own->is_flagged ? SLICE("true") : SLICE("false"));
}

static void append_facts(struct buf *out, const struct exchange *x)
{
    append_open(out, NAME("facts"), '{');
    append_number(out, NAME("time_ns"), x->born_wall_ns);
    buf_append(out, x->told);
    append_own_estimate(out, x);
    if (x->known_cost_nano >= 0) append_number(out, NAME("cost_nano"), (uint64_t)x->known_cost_nano);
    buf_append_char(out, '}');
}

/* Every kind that was looked for, also those that are not there. */
static void append_found(struct buf *out, const struct redact *r)
{
    const struct redact_rules *rules = redact_rules_of(r);
    append_open(out, NAME("found"), '{');
    for (unsigned kind = 0; kind < detect_kind_count(rules->detect); kind++) {
        if (!(rules->kinds >> kind & 1)) continue;
        if (buf_ptr(out)[buf_len(out) - 1] != '{') buf_append_char(out, ',');
        buf_append_json(out, detect_kind_name(rules->detect, kind));
        buf_append_char(out, ':');
        buf_append_u64(out, redact_found(r, kind));
    }
    if (redact_is_cut(r)) append_number(out, NAME(".cut"), 1); /* no kind is called so */
    if (redact_is_foreign(r)) append_number(out, NAME(".foreign"), 1);
    if (redact_is_too_deep(r)) append_number(out, NAME(".deep"), 1);
    buf_append_char(out, '}');
}

static void append_asked(struct buf *out, const struct exchange *x)
{
    const struct redact *r = x->decision.redact;
    bool has_found = r && redact_is_scanned(r);
    if (!x->asked.groups && !has_found) return;
    append_name(out, NAME("asked"));
    asked_format(out, &x->asked);
    if (!has_found) return;
    if (x->asked.groups) out->end--; /* the object goes on */
    else buf_append_char(out, '{');
    append_found(out, r);
    buf_append_char(out, '}');
}

/* The ids stand in the caller's words. */
static void append_kept(struct buf *out, const struct exchange *x)
{
    if (!x->request.kept_count) return;
    append_open(out, NAME("names"), '[');
    for (uint32_t i = 0; i < x->request.kept_count; i++) {
        if (i) buf_append_char(out, ',');
        buf_append_json(out, x->request.kept[i].id);
    }
    buf_append_char(out, ']');
}

static void append_made(struct buf *out, const struct object_made *made)
{
    buf_append_char(out, '{');
    append_text(out, NAME("kind"), slice_str(kept_name(made->kind)));
    append_text(out, NAME("id"), made->id);
    append_text(out, NAME("account"), made->account);
    append_number(out, NAME("until"), made->until_s);
    buf_append_char(out, '}');
}

void record_objects(struct buf *out, const struct exchange *x)
{
    const struct objects_of *o = &x->objects;
    if (!o->made_count && !o->gone.len) return;
    append_open(out, NAME("objects"), '{');
    append_text(out, NAME("owner"), o->owner);
    if (o->gone.len) append_list(out, NAME("gone"), &o->gone, 1);
    if (o->made_count) append_open(out, NAME("made"), '[');
    for (size_t i = 0; i < o->made_count; i++) {
        if (i) buf_append_char(out, ',');
        append_made(out, &o->made[i]);
    }
    if (o->made_count) buf_append_char(out, ']');
    buf_append_char(out, '}');
}

void record_facts(struct buf *out, const struct exchange *x)
{
    append_facts(out, x);
    append_asked(out, x);
    append_kept(out, x);
    if (!asked_has_missed(&x->asked)) return;
    append_name(out, NAME("not_replayable"));
    asked_format_misses(out, &x->asked);
}
