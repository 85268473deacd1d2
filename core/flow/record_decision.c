/* What was decided, by whom and in which words; what was found. */
#include "flow/record_inner.h"

static void append_decision(struct buf *out, const struct verdict *v)
{
    if (v->kind != VERDICT_DENY) return;
    append_name(out, NAME("decision"));
    buf_append_char(out, '{');
    append_text(out, NAME("policy"), v->policy);
    append_text(out, NAME("rule"), v->rule);
    append_text(out, NAME("code"), v->code);
    append_text(out, NAME("reason"), v->reason);
    if (v->retry_after_s) append_number(out, NAME("retry_after_s"), v->retry_after_s);
    buf_append_char(out, '}');
}

static void append_fault(struct buf *out, const struct exchange *x)
{
    bool is_policy = x->decision.verdict.kind == VERDICT_FAULT;
    if (x->fault.code == FAULT_NONE && !is_policy) return;
    append_name(out, NAME("fault"));
    buf_append_char(out, '{');
    append_text(out, NAME("code"), slice_str(fault_info(is_policy ? FAULT_POLICY : x->fault.code)->code));
    append_text(out, NAME("text"), is_policy ? x->decision.verdict.fault_text : slice_str(fault_message(&x->fault)));
    buf_append_char(out, '}');
}

/* As people and editors write it, file:line; the file alone where no line of it says so. */
static void append_place(struct buf *out, struct slice file, int line)
{
    buf_append_json(out, file);
    if (line <= 0) return;
    out->end--; /* the line goes inside the quotes */
    buf_append_char(out, ':');
    buf_append_u64(out, (uint64_t)line);
    buf_append_char(out, '"');
}

void record_trace(struct buf *out, const struct trace *trace)
{
    append_open(out, NAME("trace"), '[');
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_entry *e = &trace->entries[i];
        if (i) buf_append_char(out, ',');
        buf_append_char(out, '{');
        append_text(out, NAME("policy"), e->policy);
        append_some(out, NAME("rule"), e->rule);
        append_text(out, NAME("verb"), e->verb);
        append_some(out, NAME("reason"), e->reason);
        if (!slice_equal(e->mode, SLICE("enforce"))) append_some(out, NAME("mode"), e->mode);
        if (e->file.len) {
            append_name(out, NAME("at"));
            append_place(out, e->file, e->line);
        }
        buf_append_char(out, '}');
    }
    buf_append_char(out, ']');
    if (trace->dropped) append_number(out, NAME("trace_dropped"), trace->dropped);
}

/* ---- The decision before the call, whatever became of it: what a later one of the same facts is compared with. */

/* Hooks of later phases leave the targets where they are. */
static bool was_allowed(const struct verdict *v)
{
    return v->kind == VERDICT_ALLOW || v->target_count > 0;
}

static void append_targets(struct buf *out, const struct verdict *v)
{
    append_open(out, NAME("targets"), '[');
    for (size_t i = 0; i < v->target_count; i++) {
        if (i) buf_append_char(out, ',');
        buf_append_json(out, v->targets[i].name);
    }
    buf_append_char(out, ']');
}

/* What replaces members of the request; null: it was taken out. */
static void append_edits(struct buf *out, const struct decision *d)
{
    if (!d->edit_count) return;
    append_open(out, NAME("edits"), '{');
    for (size_t i = 0; i < d->edit_count; i++) {
        if (i) buf_append_char(out, ',');
        buf_append_json(out, d->edits[i].name);
        buf_append_char(out, ':');
        buf_append(out, d->edits[i].json.len ? d->edits[i].json : SLICE("null"));
    }
    buf_append_char(out, '}');
}

/* How much of trace and annotations was there already, where later hooks added to it. */
static void append_before(struct buf *out, const struct decision *d)
{
    if (d->trace.count > d->decided_trace) append_number(out, NAME("trace"), d->decided_trace);
    if (d->annotation_count > d->decided_annotations) append_number(out, NAME("annotations"), d->decided_annotations);
    if (d->replaced) append_number(out, NAME("replaced"), d->replaced);
}

static void append_decided(struct buf *out, const struct exchange *x)
{
    const struct decision *d = &x->decision;
    const struct verdict *v = &d->verdict;
    if (v->kind == VERDICT_NONE) return;
    append_open(out, NAME("decided"), '{');
    bool is_allowed = was_allowed(v);
    append_text(out, NAME("kind"),
                is_allowed ? SLICE("allow") : v->kind == VERDICT_DENY ? SLICE("deny") : SLICE("fault"));
    if (is_allowed && x->api->kind == API_CALL) append_targets(out, v);
    if (is_allowed && x->api->kind != API_CALL) append_number(out, NAME("models"), v->model_count);
    append_edits(out, d);
    append_list(out, NAME("warnings"), v->warnings, v->warning_count);
    append_before(out, d);
    buf_append_char(out, '}');
}

void record_verdict(struct buf *out, const struct exchange *x)
{
    append_decision(out, &x->decision.verdict);
    append_fault(out, x);
    append_decided(out, x);
}

void record_annotations(struct buf *out, const struct exchange *x)
{
    if (!x->decision.annotation_count) return;
    append_open(out, NAME("annotations"), '{');
    for (size_t i = 0; i < x->decision.annotation_count; i++) {
        if (i) buf_append_char(out, ',');
        buf_append_json(out, x->decision.annotations[i].name);
        buf_append_char(out, ':');
        buf_append_json(out, x->decision.annotations[i].value);
    }
    buf_append_char(out, '}');
}

/* { "email": 2, … }: names are of a-z, 0-9 and _. */
static void append_kinds(struct buf *out, struct slice name, const struct redact *r, bool of_answer)
{
    const struct detect *detect = redact_rules_of(r)->detect;
    append_name(out, name);
    buf_append_char(out, '{');
    for (unsigned kind = 0; kind < detect_kind_count(detect); kind++) {
        uint32_t count = of_answer ? redact_answer_counts(r)->found[kind] : redact_found(r, kind);
        if (!count) continue;
        if (buf_ptr(out)[buf_len(out) - 1] != '{') buf_append_char(out, ',');
        buf_append_json(out, detect_kind_name(detect, kind));
        buf_append_char(out, ':');
        buf_append_u64(out, count);
    }
    buf_append_char(out, '}');
}

/* How much was found, never what. */
void record_redaction(struct buf *out, const struct redact *r)
{
    if (!r) return;
    append_name(out, NAME("redaction"));
    buf_append_char(out, '{');
    append_kinds(out, NAME("request"), r, false);
    append_kinds(out, NAME("response"), r, true);
    append_number(out, NAME("masked_in_response"), redact_answer_counts(r)->masked);
    append_number(out, NAME("restored"), redact_answer_counts(r)->restored);
    buf_append_char(out, '}');
}
