#include "flow/record.h"

#include "base/clock.h"
#include "exchange/bill.h"
#include "exchange/money.h"
#include "wire/secrets.h"

/* A member's name with all that stands around it, so that it is one copy. */
#define NAME(text) SLICE(",\"" text "\":")

/* The first of an object goes without the comma. */
static void append_name(struct buf *out, struct slice name)
{
    size_t comma = buf_ptr(out)[buf_len(out) - 1] == '{';
    buf_append(out, slice_of(name.ptr + comma, name.len - comma));
}

static void append_text(struct buf *out, struct slice name, struct slice value)
{
    append_name(out, name);
    if (value.ptr)
        buf_append_json(out, value);
    else
        buf_append(out, SLICE("null"));
}

/* Empty means not said: the field is left out. */
static void append_some(struct buf *out, struct slice name, struct slice value)
{
    if (value.len) append_text(out, name, value);
}

static void append_number(struct buf *out, struct slice name, uint64_t value)
{
    append_name(out, name);
    buf_append_u64(out, value);
}

static void append_ms(struct buf *out, struct slice name, uint64_t from_ns, uint64_t to_ns)
{
    if (!from_ns || to_ns < from_ns) return;
    uint64_t us = (to_ns - from_ns) / 1000;
    append_name(out, name);
    buf_append_u64(out, us / 1000);
    buf_append_char(out, '.');
    buf_append_char(out, (char)('0' + us / 100 % 10));
    buf_append_char(out, (char)('0' + us / 10 % 10));
    buf_append_char(out, (char)('0' + us % 10));
}

static void append_identity(struct buf *out, const struct exchange *x)
{
    append_name(out, NAME("identity"));
    buf_append_char(out, '{');
    if (x->identity.key) append_some(out, NAME("key_id"), x->identity.key->id);
    if (x->identity.token) append_some(out, NAME("issuer"), x->identity.token_issuer);
    append_some(out, NAME("app"), x->identity.app);
    append_some(out, NAME("department"), x->identity.department);
    append_some(out, NAME("user"), x->identity.user);
    append_some(out, NAME("team"), x->identity.team);
    buf_append_char(out, '}');
}

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

static void append_trace(struct buf *out, const struct trace *trace)
{
    append_name(out, NAME("trace"));
    buf_append_char(out, '[');
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

static void append_part(struct buf *out, struct slice name, int64_t tokens)
{
    if (tokens != USAGE_UNKNOWN && tokens >= 0) append_number(out, name, (uint64_t)tokens);
}

static void append_usage(struct buf *out, const struct usage *u)
{
    append_name(out, NAME("usage"));
    if (!usage_is_known(u)) {
        buf_append(out, SLICE("null"));
        return;
    }
    buf_append_char(out, '{');
    append_part(out, NAME("input_tokens"), u->input_tokens);
    append_part(out, NAME("output_tokens"), u->output_tokens);
    append_part(out, NAME("total_tokens"), u->total_tokens);
    append_part(out, NAME("cached_tokens"), u->cached_tokens);
    append_part(out, NAME("cache_write_tokens"), u->cache_write_tokens);
    append_part(out, NAME("reasoning_tokens"), u->reasoning_tokens);
    if (u->is_suspect) {
        append_name(out, NAME("suspect"));
        buf_append(out, SLICE("true"));
    }
    buf_append_char(out, '}');
}

static void append_flag(struct buf *out, struct slice name, bool is_set)
{
    if (!is_set) return;
    append_name(out, name);
    buf_append(out, SLICE("true"));
}

static void append_missing(struct buf *out, const struct cost *cost)
{
    bool is_first = true;
    if (cost->state != COST_INCOMPLETE) return;
    append_flag(out, NAME("tier_unpriced"), cost->is_tier_missing);
    append_name(out, NAME("parts_unpriced"));
    buf_append_char(out, '[');
    for (int part = 0; part < USAGE_PARTS; part++) {
        if (!(cost->missing & 1u << part)) continue;
        if (!is_first) buf_append_char(out, ',');
        is_first = false;
        buf_append_json(out, slice_str(usage_part_name((enum usage_part)part)));
    }
    buf_append_char(out, ']');
}

/* null: no price. The number of dollars is for people; sums are made of nano_usd. price NULL: it is not named. */
static void append_cost(struct buf *out, const struct cost *cost, const struct price *price)
{
    char usd[MONEY_TEXT_BYTES];
    append_name(out, NAME("cost"));
    if (cost->state == COST_UNPRICED) {
        buf_append(out, SLICE("null"));
        return;
    }
    buf_append_char(out, '{');
    append_name(out, NAME("usd"));
    buf_append(out, money_usd(cost->nano, usd));
    append_number(out, NAME("nano_usd"), (uint64_t)cost->nano);
    if (price) append_text(out, NAME("price"), slice_str(price->revision));
    append_flag(out, NAME("long_context"), cost->is_long);
    append_flag(out, NAME("overflow"), cost->is_overflow);
    append_missing(out, cost);
    buf_append_char(out, '}');
}

/* What is paid for, in disjoint parts. */
static void append_parts(struct buf *out, const struct usage_parts *parts, bool is_drained)
{
    append_name(out, NAME("billed"));
    buf_append_char(out, '{');
    for (int part = 0; part < USAGE_PARTS; part++) {
        if (!parts->count[part]) continue;
        append_name(out, SLICE(",\""));
        buf_append(out, slice_str(usage_part_name((enum usage_part)part)));
        buf_append(out, SLICE("\":"));
        buf_append_u64(out, (uint64_t)parts->count[part]);
    }
    append_flag(out, NAME("estimated"), parts->is_estimated);
    append_flag(out, NAME("drained"), is_drained);
    buf_append_char(out, '}');
}

/* The price of all that is billed; NULL where there is none, or several: each attempt names its own. */
static const struct price *price_of(const struct exchange *x)
{
    const struct price *price = NULL;
    for (size_t i = 0; i < x->attempt_count; i++) {
        if (!x->attempts[i]->is_billed) continue;
        if (price && price != bill_price(x, x->attempts[i])) return NULL;
        price = bill_price(x, x->attempts[i]);
    }
    return price;
}

/* Of all attempts together. */
static void append_bill(struct buf *out, const struct exchange *x)
{
    struct bill bill = bill_of(x);
    append_usage(out, &bill.usage);
    if (x->target_index < 0 && !bill.is_billed) return;
    append_parts(out, &bill.parts, x->is_drained);
    append_cost(out, &bill.cost, price_of(x));
}

/* What the request told of itself: flow/told.h made the members. */
static void append_told(struct buf *out, struct slice told)
{
    append_name(out, NAME("facts"));
    buf_append_char(out, '{');
    if (told.len) buf_append(out, slice_of(told.ptr + 1, told.len - 1)); /* without its first comma */
    buf_append_char(out, '}');
}

static void append_estimate(struct buf *out, const struct exchange *x)
{
    const struct estimate *e = exchange_estimate(x);
    append_name(out, NAME("estimate"));
    buf_append_char(out, '{');
    append_number(out, NAME("input_tokens"), e->input_tokens);
    append_number(out, NAME("output_tokens"), x->estimate.output_tokens);
    append_name(out, NAME("estimated"));
    buf_append(out, e->is_flagged ? SLICE("true") : SLICE("false"));
    append_flag(out, NAME("at_least"), e->is_partial);
    buf_append_char(out, '}');
}

static void append_upstream(struct buf *out, const struct attempt *a)
{
    if (!a || !a->status) return;
    append_name(out, NAME("upstream"));
    buf_append_char(out, '{');
    append_number(out, NAME("status"), (uint64_t)a->status);
    append_some(out, NAME("request_id"), a->request_id);
    append_some(out, NAME("finish_reason"), a->finish_reason);
    buf_append_char(out, '}');
}

static void append_attempt(struct buf *out, const struct exchange *x, const struct attempt *a)
{
    buf_append_char(out, '{');
    append_text(out, NAME("target"), x->decision.verdict.targets[a->target].name);
    if (a->status) append_number(out, NAME("status"), (uint64_t)a->status);
    if (a->is_denied) append_text(out, NAME("error"), SLICE("denied"));
    if (a->error != FAULT_NONE) append_text(out, NAME("error"), slice_str(fault_info(a->error)->code));
    append_ms(out, NAME("ms"), a->began_ns, a->ended_ns);
    append_some(out, NAME("request_id"), a->request_id);
    if (usage_is_known(&a->usage)) append_usage(out, &a->usage);
    if (a->is_billed) {
        append_parts(out, &a->parts, false);
        append_cost(out, &a->cost, bill_price(x, a));
    }
    buf_append_char(out, '}');
}

/* Of one that was called and answered, `upstream` says it all. */
static void append_attempts(struct buf *out, const struct exchange *x)
{
    if (x->attempt_count < 2 && !(x->attempt_count && x->attempts[0]->is_denied)) return;
    append_name(out, NAME("attempts"));
    buf_append_char(out, '[');
    for (size_t i = 0; i < x->attempt_count; i++) {
        if (i) buf_append_char(out, ',');
        append_attempt(out, x, x->attempts[i]);
    }
    buf_append_char(out, ']');
}

static void append_times(struct buf *out, const struct exchange *x)
{
    uint64_t decided = x->entered_ns[EXCHANGE_CALLING];
    if (!decided) decided = x->entered_ns[EXCHANGE_REPLYING];
    if (!decided) decided = x->entered_ns[EXCHANGE_SETTLING];
    append_name(out, NAME("ms"));
    buf_append_char(out, '{');
    append_ms(out, NAME("total"), x->born_mono_ns, x->entered_ns[EXCHANGE_SETTLING]);
    append_ms(out, NAME("deciding"), x->entered_ns[EXCHANGE_DECIDING], decided);
    append_ms(out, NAME("calling"), x->entered_ns[EXCHANGE_CALLING], x->entered_ns[EXCHANGE_SETTLING]);
    append_ms(out, NAME("first_byte"), x->born_mono_ns, x->first_byte_ns);
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
static void append_redaction(struct buf *out, const struct redact *r)
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

static void append_annotations(struct buf *out, const struct exchange *x)
{
    if (!x->decision.annotation_count) return;
    append_name(out, NAME("annotations"));
    buf_append_char(out, '{');
    for (size_t i = 0; i < x->decision.annotation_count; i++) {
        if (i) buf_append_char(out, ',');
        buf_append_json(out, x->decision.annotations[i].name);
        buf_append_char(out, ':');
        buf_append_json(out, x->decision.annotations[i].value);
    }
    buf_append_char(out, '}');
}

static void append_asked(struct buf *out, const struct exchange *x)
{
    char now[CLOCK_TEXT_BYTES];
    clock_format(x->born_wall_ns, now);
    append_text(out, NAME("id"), slice_str(x->id));
    append_text(out, NAME("time"), slice_str(now));
    append_text(out, NAME("api"), slice_str(x->api->name));
    append_text(out, NAME("path"), x->head.path);
    append_name(out, NAME("stream"));
    buf_append(out, x->request.is_stream ? SLICE("true") : SLICE("false"));
    append_some(out, NAME("model"), x->decision.verdict.model.len ? x->decision.verdict.model : x->request.model);
    append_some(out, NAME("model_asked"), x->request.model);
    if (x->target_index >= 0) {
        const struct target *t = &x->decision.verdict.targets[x->target_index];
        append_text(out, NAME("target"), t->name);
        append_text(out, NAME("provider"), t->provider);
    }
}

/* That the client got: those of an answer that was given up are none of its. */
static uint64_t events_of(const struct exchange *x)
{
    const struct attempt *a = exchange_attempt(x);
    return a && x->entered_ns[EXCHANGE_STREAMING] ? a->events : 0;
}

static void append_all(struct buf *out, const struct exchange *x)
{
    buf_append_char(out, '{');
    append_asked(out, x);
    append_number(out, NAME("status"), (uint64_t)x->response.status);
    append_text(out, NAME("outcome"), slice_str(exchange_outcome_name(x->outcome)));
    append_identity(out, x);
    append_decision(out, &x->decision.verdict);
    append_fault(out, x);
    append_name(out, NAME("policy"));
    buf_append_char(out, '{');
    append_text(out, NAME("sha256"), slice_str(x->decision.policy_digest));
    buf_append_char(out, '}');
    append_trace(out, &x->decision.trace);
    append_told(out, x->told);
    append_estimate(out, x);
    append_bill(out, x);
    append_upstream(out, exchange_attempt(x));
    append_attempts(out, x);
    append_times(out, x);
    append_number(out, NAME("bytes_out"), x->response.bytes_out);
    append_number(out, NAME("events"), events_of(x));
    if (x->response.inspect_errors) append_number(out, NAME("inspect_errors"), x->response.inspect_errors);
    append_redaction(out, x->decision.redact);
    append_annotations(out, x);
    buf_append(out, SLICE("}\n"));
}

/* What was asked for stands in it in the caller's own words, and in reasons and faults once more. */
void record_format(struct buf *out, const struct exchange *x)
{
    struct buf line;
    buf_init(&line);
    append_all(&line, x);
    secrets_append(out, buf_slice(&line));
    buf_clear(&line);
}
