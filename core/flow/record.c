#include "flow/record.h"

#include "base/clock.h"
#include "flow/record_inner.h"
#include "flow/wording.h"
#include "wire/secrets.h"

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

static void append_times(struct buf *out, const struct exchange *x)
{
    uint64_t decided = x->entered_ns[EXCHANGE_CALLING];
    if (!decided) decided = x->entered_ns[EXCHANGE_REPLYING];
    if (!decided) decided = x->entered_ns[EXCHANGE_SETTLING];
    append_name(out, NAME("ms"));
    buf_append_char(out, '{');
    record_ms(out, NAME("total"), x->born_mono_ns, x->entered_ns[EXCHANGE_SETTLING]);
    record_ms(out, NAME("deciding"), x->entered_ns[EXCHANGE_DECIDING], decided);
    record_ms(out, NAME("calling"), x->entered_ns[EXCHANGE_CALLING], x->entered_ns[EXCHANGE_SETTLING]);
    record_ms(out, NAME("first_byte"), x->born_mono_ns, x->first_byte_ns);
    buf_append_char(out, '}');
}

static struct slice model_of(const struct exchange *x)
{
    return x->decision.verdict.model.len ? x->decision.verdict.model : x->request.model;
}

static void append_request(struct buf *out, const struct exchange *x)
{
    char now[CLOCK_TEXT_BYTES];
    clock_format(x->born_wall_ns, now);
    append_text(out, NAME("id"), slice_str(x->id));
    append_text(out, NAME("time"), slice_str(now));
    append_text(out, NAME("api"), slice_str(x->api->name));
    if (x->api->client != api_none.client) append_text(out, NAME("dialect"), slice_str(x->api->client->name));
    append_text(out, NAME("path"), x->head.path);
    append_name(out, NAME("stream"));
    buf_append(out, x->request.is_stream ? SLICE("true") : SLICE("false"));
    append_some(out, NAME("model"), model_of(x));
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

static void append_digests(struct buf *out, const struct exchange *x)
{
    append_open(out, NAME("policy"), '{');
    append_text(out, NAME("sha256"), slice_str(x->decision.policy_digest));
    buf_append_char(out, '}');
    if (!x->config_digest) return;
    append_open(out, NAME("config"), '{');
    append_text(out, NAME("sha256"), slice_str(x->config_digest));
    buf_append_char(out, '}');
}

static void append_durability(struct buf *out, enum durability durability)
{
    static const struct slice names[] = {
        [DURABILITY_ASYNC] = {"async", 5}, [DURABILITY_LOCAL] = {"local", 5}, [DURABILITY_REMOTE] = {"remote", 6}};
    if (durability != DURABILITY_UNSAID) append_text(out, NAME("durability"), names[durability]);
}

/* Where others' words stand. */
static void append_words(struct buf *out, const struct exchange *x)
{
    buf_append_char(out, '{');
    append_request(out, x);
    append_number(out, NAME("status"), (uint64_t)x->response.status);
    append_text(out, NAME("outcome"), slice_str(exchange_outcome_name(x->outcome)));
    record_who(out, x);
    record_verdict(out, x);
    record_trace(out, &x->decision.trace);
    record_facts(out, x);
    record_client(out, x);
    append_upstream(out, exchange_attempt(x));
    record_redaction(out, x->decision.redact);
    record_annotations(out, x);
}

static void append_prompt(struct buf *out, const struct exchange *x)
{
    const struct prompted *p = &x->prompted;
    if (!prompted_is(p)) return;
    append_name(out, NAME("prompt"));
    buf_append(out, SLICE("{\"name\":"));
    buf_append_json(out, p->name);
    append_text(out, NAME("version"), p->version);
    append_text(out, NAME("sha256"), p->sha256);
    append_text(out, NAME("status"), p->status);
    if (p->label.len) append_text(out, NAME("label"), p->label);
    if (p->label.len) append_number(out, NAME("arm"), p->share);
    append_name(out, NAME("variables"));
    buf_append(out, p->variables.len ? p->variables : SLICE("[]"));
    append_number(out, NAME("bytes"), p->bytes);
    if (p->is_verified) buf_append(out, SLICE(",\"verified\":true"));
    buf_append_char(out, '}');
}

/* Figures, and names that the operator gave. */
static void append_figures(struct buf *out, const struct exchange *x)
{
    append_prompt(out, x);
    append_digests(out, x);
    append_durability(out, x->decision.record.durability);
    record_estimate(out, x);
    record_bill(out, x);
    record_holds(out, x);
    record_attempts(out, x);
    record_objects(out, x);
    append_times(out, x);
    append_number(out, NAME("bytes_out"), x->response.bytes_out);
    append_number(out, NAME("events"), events_of(x));
    if (x->response.inspect_errors) append_number(out, NAME("inspect_errors"), x->response.inspect_errors);
    wording_append(out, x);
    buf_append(out, SLICE("}\n"));
}

/* What was asked for stands in it in the caller's own words, and in reasons and faults once more. */
static void format(struct buf *out, const struct exchange *x, void (*append)(struct buf *, const struct exchange *))
{
    struct buf line;
    buf_init(&line);
    append(&line, x);
    secrets_append(out, buf_slice(&line));
    buf_clear(&line);
}

void record_format(struct buf *out, const struct exchange *x)
{
    format(out, x, append_words);
    append_figures(out, x);
}

static void append_what_was_decided(struct buf *out, const struct exchange *x)
{
    buf_append_char(out, '{');
    append_some(out, NAME("model"), model_of(x));
    record_who(out, x);
    record_verdict(out, x);
    record_trace(out, &x->decision.trace);
    record_annotations(out, x);
    buf_append_char(out, '}');
}

void record_format_decision(struct buf *out, const struct exchange *x)
{
    format(out, x, append_what_was_decided);
}
