/* What was called, what it used, what it costs. */
#include "exchange/bill.h"
#include "exchange/hold.h"
#include "exchange/money.h"
#include "flow/record_inner.h"
#include "wire/secrets.h"

void record_ms(struct buf *out, struct slice name, uint64_t from_ns, uint64_t to_ns)
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
void record_bill(struct buf *out, const struct exchange *x)
{
    struct bill bill = bill_of(x);
    append_usage(out, &bill.usage);
    if (x->target_index < 0 && !bill.is_billed) return;
    append_parts(out, &bill.parts, x->is_drained);
    append_cost(out, &bill.cost, price_of(x));
}

void record_estimate(struct buf *out, const struct exchange *x)
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

/* A provider's word, which may repeat the caller's. */
static void append_theirs(struct buf *out, struct slice name, struct slice value)
{
    struct buf text;
    if (!value.len) return;
    buf_init_small(&text, value.len + 16);
    buf_append_json(&text, value);
    append_name(out, name);
    secrets_append(out, buf_slice(&text));
    buf_clear(&text);
}

static void append_answer(struct buf *out, const struct attempt *a)
{
    if (a->status) append_number(out, NAME("status"), (uint64_t)a->status);
    if (a->is_denied) append_text(out, NAME("error"), SLICE("denied"));
    if (a->error != FAULT_NONE) append_text(out, NAME("error"), slice_str(fault_info(a->error)->code));
    record_ms(out, NAME("ms"), a->began_ns, a->ended_ns);
    append_theirs(out, NAME("request_id"), a->request_id);
    append_theirs(out, NAME("finish_reason"), a->finish_reason);
}

static void append_attempt(struct buf *out, const struct exchange *x, const struct attempt *a)
{
    const struct target *target = &x->decision.verdict.targets[a->target];
    buf_append_char(out, '{');
    append_text(out, NAME("target"), target->name);
    append_text(out, NAME("provider"), target->provider);
    append_text(out, NAME("model"), target->model);
    if (a->dialect) append_text(out, NAME("dialect"), slice_str(a->dialect->name));
    append_answer(out, a);
    append_theirs(out, NAME("dropped"), a->dropped);
    append_theirs(out, NAME("dropped_answer"), a->dropped_answer);
    if (a->estimate.is_made) {
        append_open(out, NAME("estimate"), '{');
        append_number(out, NAME("input_tokens"), a->estimate.input_tokens);
        buf_append_char(out, '}');
    }
    if (usage_is_known(&a->usage)) append_usage(out, &a->usage);
    if (a->is_billed) {
        append_parts(out, &a->parts, false);
        append_cost(out, &a->cost, bill_price(x, a));
    }
    buf_append_char(out, '}');
}

void record_attempts(struct buf *out, const struct exchange *x)
{
    if (!x->attempt_count) return;
    append_open(out, NAME("attempts"), '[');
    for (size_t i = 0; i < x->attempt_count; i++) {
        if (i) buf_append_char(out, ',');
        append_attempt(out, x, x->attempts[i]);
    }
    buf_append_char(out, ']');
}

/* What a ledger sums of it, and by which the counters forget it: its id, and each budget that it was held in. */
static void append_budget(struct buf *out, const struct counters_item *item)
{
    buf_append_char(out, '[');
    buf_append_json(out, item->key);
    buf_append_char(out, ',');
    buf_append_u64(out, item->stop_s ? (uint64_t)item->start_s : 0);
    buf_append_char(out, ',');
    buf_append_u64(out, (uint64_t)item->stop_s);
    buf_append_char(out, ',');
    buf_append_u64(out, item->idle_s);
    buf_append_char(out, ']');
}

static void append_hold(struct buf *out, const struct hold *hold)
{
    bool is_first = true;
    buf_append_char(out, '{');
    append_text(out, NAME("id"), slice_str(hold->id));
    append_open(out, NAME("money"), '[');
    for (size_t i = 0; i < hold->item_count; i++) {
        if (hold->items[i].unit != COUNTERS_MONEY) continue;
        if (!is_first) buf_append_char(out, ',');
        is_first = false;
        append_budget(out, &hold->items[i]);
    }
    buf_append(out, SLICE("]}"));
}

void record_holds(struct buf *out, const struct exchange *x)
{
    if (!x->holds) return;
    append_open(out, NAME("holds"), '[');
    for (const struct hold *hold = x->holds; hold; hold = hold->next) {
        if (hold != x->holds) buf_append_char(out, ',');
        append_hold(out, hold);
    }
    buf_append_char(out, ']');
}
