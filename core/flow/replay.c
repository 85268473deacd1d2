#include "flow/replay.h"

#include <string.h>

#include "base/mem.h"
#include "exchange/bill.h"
#include "exchange/price.h"
#include "flow/record.h"
#include "lua/again.h"
#include "lua/simulate.h"

struct replay {
    struct policy_set *set;
    const struct settings *settings;
    struct buf decision, differences, missing;
    struct json_tape now;
    struct fault why;
};

/* Two sides of one comparison: what the record says, and what is decided now. */
struct sides {
    struct replay *r;
    const struct json_tape *was, *is;
    bool is_same_bundle;
};

struct replay *replay_new(struct policy_set *set, const struct settings *settings)
{
    struct replay *r = mem_zalloc(1, sizeof *r);
    r->set = policy_set_ref(set);
    r->settings = settings;
    buf_init(&r->decision);
    buf_init(&r->differences);
    buf_init(&r->missing);
    json_init(&r->now);
    return r;
}

void replay_free(struct replay *r)
{
    if (!r) return;
    policy_set_unref(r->set);
    json_clear(&r->now);
    buf_clear(&r->decision);
    buf_clear(&r->differences);
    buf_clear(&r->missing);
    mem_free(r);
}

const char *replay_outcome_name(enum replay_outcome outcome)
{
    static const char *const names[REPLAY_OUTCOMES] = {"same",    "denied",         "allowed",  "rerouted",
                                                       "changed", "not_replayable", "undecided"};
    return names[outcome];
}

/* ---- Comparing. */

static void differ(struct sides *s, struct slice what, struct slice was, struct slice is)
{
    struct buf *out = &s->r->differences;
    buf_append(out, buf_len(out) ? SLICE(",{\"what\":") : SLICE("[{\"what\":"));
    buf_append_json(out, what);
    buf_append(out, SLICE(",\"was\":"));
    buf_append(out, was.ptr ? was : SLICE("null"));
    buf_append(out, SLICE(",\"is\":"));
    buf_append(out, is.ptr ? is : SLICE("null"));
    buf_append_char(out, '}');
}

/* Both sides are of one hand: equal values are equal texts. */
static bool compare(struct sides *s, struct slice what, uint32_t was, uint32_t is)
{
    struct slice then = json_raw(s->was, was), now = json_raw(s->is, is);
    if (slice_equal(then, now)) return true;
    differ(s, what, then, now);
    return false;
}

static uint32_t get(const struct json_tape *tape, uint32_t object, const char *name)
{
    return object == JSON_NONE ? JSON_NONE : json_get(tape, object, slice_str(name));
}

static bool compare_member(struct sides *s, const char *name, uint32_t was, uint32_t is)
{
    return compare(s, slice_str(name), get(s->was, was, name), get(s->is, is, name));
}

/* "200 in 12 ms": without the time. */
static struct slice untimed(struct slice reason)
{
    for (size_t i = 0; i + 4 <= reason.len; i++)
        if (memcmp(reason.ptr + i, " in ", 4) == 0) return slice_of(reason.ptr, i);
    return reason;
}

static bool is_same_reason(struct sides *s, uint32_t was, uint32_t is)
{
    uint32_t verb = get(s->was, was, "verb");
    struct slice then = json_raw(s->was, get(s->was, was, "reason")), now = json_raw(s->is, get(s->is, is, "reason"));
    if (json_text_is(s->was, verb, SLICE("span"))) return true;
    if (json_text_is(s->was, verb, SLICE("http"))) return slice_equal(untimed(then), untimed(now));
    return slice_equal(then, now);
}

static bool is_same_entry(struct sides *s, uint32_t was, uint32_t is)
{
    static const char *const names[] = {"policy", "rule", "verb", "mode"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!slice_equal(json_raw(s->was, get(s->was, was, names[i])), json_raw(s->is, get(s->is, is, names[i]))))
            return false;
    }
    if (s->is_same_bundle &&
        !slice_equal(json_raw(s->was, get(s->was, was, "at")), json_raw(s->is, get(s->is, is, "at"))))
        return false;
    return is_same_reason(s, was, is);
}

static void differ_in_trace(struct sides *s, unsigned no, uint32_t was, uint32_t is)
{
    char what[32];
    int n = snprintf(what, sizeof what, "trace[%u]", no);
    differ(s, slice_of(what, (size_t)n), was == JSON_NONE ? SLICE_NONE : json_raw(s->was, was),
           is == JSON_NONE ? SLICE_NONE : json_raw(s->is, is));
}

/* most: entries that the decision made; those of later hooks stand behind them. */
static bool compare_traces(struct sides *s, uint64_t most)
{
    uint32_t then = get(s->was, 0, "trace"), now = get(s->is, 0, "trace");
    uint32_t was = then == JSON_NONE ? JSON_NONE : json_first(s->was, then), is = json_first(s->is, now);
    bool is_same = true;
    for (unsigned no = 1; was != JSON_NONE || is != JSON_NONE; no++) {
        if (no > most) was = JSON_NONE;
        if (was == JSON_NONE && is == JSON_NONE) break;
        if (was == JSON_NONE || is == JSON_NONE || !is_same_entry(s, was, is)) {
            differ_in_trace(s, no, was, is);
            is_same = false;
        }
        if (was != JSON_NONE) was = json_next(s->was, was);
        if (is != JSON_NONE) is = json_next(s->is, is);
    }
    return is_same;
}

static uint64_t count_of(const struct json_tape *tape, uint32_t object, const char *name, uint64_t absent)
{
    int64_t value;
    uint32_t node = get(tape, object, name);
    return json_is(tape, node, JSON_NUMBER) && json_to_i64(tape, node, &value) && value >= 0 ? (uint64_t)value : absent;
}

static bool compare_annotations(struct sides *s, uint32_t decided)
{
    uint64_t most = count_of(s->was, decided, "annotations", UINT64_MAX);
    uint64_t replaced = count_of(s->was, decided, "replaced", 0);
    uint32_t then = get(s->was, 0, "annotations"), now = get(s->is, 0, "annotations");
    uint32_t was = then == JSON_NONE ? JSON_NONE : json_first(s->was, then);
    uint32_t is = now == JSON_NONE ? JSON_NONE : json_first(s->is, now);
    bool is_same = true;
    for (uint64_t i = 0; is_same; i++) {
        if (i >= most) was = JSON_NONE;
        if (was == JSON_NONE && is == JSON_NONE) return true;
        is_same = was != JSON_NONE && is != JSON_NONE && slice_equal(json_key(s->was, was), json_key(s->is, is)) &&
                  ((i < 32 && replaced >> i & 1) || slice_equal(json_raw(s->was, was), json_raw(s->is, is)));
        if (was != JSON_NONE) was = json_next(s->was, was);
        if (is != JSON_NONE) is = json_next(s->is, is);
    }
    differ(s, SLICE("annotations"), then == JSON_NONE ? SLICE_NONE : json_raw(s->was, then),
           now == JSON_NONE ? SLICE_NONE : json_raw(s->is, now));
    return false;
}

enum kind { KIND_NONE, KIND_ALLOW, KIND_DENY, KIND_FAULT };

static enum kind kind_of(const struct json_tape *tape, uint32_t decided)
{
    static const char *const names[] = {"", "allow", "deny", "fault"};
    uint32_t kind = get(tape, decided, "kind");
    for (int i = KIND_ALLOW; i <= KIND_FAULT; i++)
        if (json_text_is(tape, kind, slice_str(names[i]))) return (enum kind)i;
    return KIND_NONE;
}

/* What stands beside a denial or a fault; a hook of a later phase writes it too, and is not asked again. */
static bool compare_words(struct sides *s, enum kind was, enum kind is)
{
    uint32_t none = JSON_NONE;
    bool is_same = true;
    if (was == KIND_DENY || is == KIND_DENY) {
        static const char *const names[] = {"policy", "rule", "code", "reason", "retry_after_s"};
        uint32_t then = was == KIND_DENY ? get(s->was, 0, "decision") : none;
        uint32_t now = is == KIND_DENY ? get(s->is, 0, "decision") : none;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            is_same &= compare_member(s, names[i], then, now);
    }
    if (was == KIND_FAULT || is == KIND_FAULT)
        is_same &= compare(s, SLICE("fault"), was == KIND_FAULT ? get(s->was, get(s->was, 0, "fault"), "text") : none,
                           is == KIND_FAULT ? get(s->is, get(s->is, 0, "fault"), "text") : none);
    return is_same;
}

static bool compare_status(struct sides *s, const struct verdict *v, enum kind was)
{
    char digits[16];
    if (was != KIND_DENY || v->kind != VERDICT_DENY) return true;
    int n = snprintf(digits, sizeof digits, "%d", v->status);
    struct slice then = json_raw(s->was, get(s->was, 0, "status")), now = slice_of(digits, (size_t)n);
    if (slice_equal(then, now) || slice_equal(then, SLICE("0"))) return true; /* 0: the client had gone */
    differ(s, SLICE("status"), then, now);
    return false;
}

static bool compare_rest(struct sides *s, uint32_t was, uint32_t is)
{
    static const char *const whole[] = {"model", "identity", "data", "labels", "session"};
    static const char *const inner[] = {"models", "edits", "warnings"};
    bool is_same = true;
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        is_same &= compare_member(s, whole[i], 0, 0);
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++)
        is_same &= compare_member(s, inner[i], was, is);
    is_same &= compare_annotations(s, was);
    return is_same & compare_traces(s, count_of(s->was, was, "trace", UINT64_MAX));
}

static enum replay_outcome judge(struct sides *s, const struct exchange *x)
{
    uint32_t was = get(s->was, 0, "decided"), is = get(s->is, 0, "decided");
    enum kind then = kind_of(s->was, was), now = kind_of(s->is, is);
    bool is_routed = then != KIND_ALLOW || now != KIND_ALLOW || compare_member(s, "targets", was, is);
    if (then != now) compare_member(s, "kind", was, is);
    bool is_same = compare_words(s, then, now) & compare_status(s, &x->decision.verdict, then);
    is_same &= compare_rest(s, was, is) & (then == now);
    if (then == KIND_ALLOW && now != KIND_ALLOW) return REPLAY_DENIED;
    if (then != KIND_ALLOW && now == KIND_ALLOW) return REPLAY_ALLOWED;
    if (!is_routed) return REPLAY_REROUTED;
    return is_same ? REPLAY_SAME : REPLAY_CHANGED;
}

/* ---- Money: what was paid for then, at the price of the target that it would go to now. */

static void read_parts(const struct json_tape *tape, uint32_t billed, struct usage_parts *parts)
{
    for (int part = 0; part < USAGE_PARTS; part++)
        parts->count[part] = (int64_t)count_of(tape, billed, usage_part_name((enum usage_part)part), 0);
}

/* The one that was called, where it still is one of them. */
static const struct target *target_of(const struct verdict *v, const struct json_tape *tape)
{
    uint32_t called = get(tape, 0, "target");
    for (size_t i = 0; i < v->target_count; i++)
        if (json_text_is(tape, called, v->targets[i].name)) return &v->targets[i];
    return v->target_count ? &v->targets[0] : NULL;
}

static void weigh(const struct exchange *x, const struct json_tape *tape, enum replay_outcome outcome,
                  struct replay_report *report)
{
    struct usage_parts parts = {.count = {0}};
    uint32_t cost = get(tape, 0, "cost"), billed = get(tape, 0, "billed");
    uint64_t was = cost == JSON_NONE ? UINT64_MAX : count_of(tape, cost, "nano_usd", UINT64_MAX);
    if (was == UINT64_MAX || billed == JSON_NONE) return;
    report->cost_was = report->cost_is = (int64_t)was;
    report->has_cost = true;
    if (outcome == REPLAY_DENIED) {
        report->cost_is = 0;
        return;
    }
    if (outcome == REPLAY_SAME && report->is_same_bundle) return;
    const struct verdict *v = &x->decision.verdict;
    const struct target *target = outcome == REPLAY_REROUTED ? &v->targets[0] : target_of(v, tape);
    const struct price *price = target && target->terms ? target->terms->price : NULL;
    read_parts(tape, billed, &parts);
    struct cost now = price ? price_cost(price, &parts, bill_asked_tier(x, target->terms), x->born_wall_ns)
                            : (struct cost){.state = COST_UNPRICED};
    report->has_cost = now.state != COST_UNPRICED;
    report->cost_is = now.nano;
}

/* ---- One record. */

static enum replay_outcome none(struct replay_report *report, const char *reason)
{
    report->reason = reason;
    return REPLAY_NONE;
}

static void keep_decision(struct replay *r, const struct exchange *x)
{
    buf_reset(&r->decision);
    record_format_decision(&r->decision, x);
}

static enum replay_outcome decide_again(struct replay *r, struct exchange *x, struct replay_report *report)
{
    const struct json_tape *was = recall_tape(x->asked.recall);
    uint32_t policy = get(was, 0, "policy");
    if (get(was, 0, "decided") == JSON_NONE) return none(report, "no policy decided it");
    again_decide(r->set, x, r->settings);
    keep_decision(r, x);
    report->decision = buf_slice(&r->decision);
    report->is_same_bundle =
        json_text_is(was, get(was, policy, "sha256"), slice_str(policy_set_digest(r->set)));
    if (!json_parse(&r->now, buf_slice(&r->decision), &r->why)) return none(report, r->why.text);
    struct sides sides = {r, was, &r->now, report->is_same_bundle};
    enum replay_outcome outcome = judge(&sides, x);
    if (asked_has_missed(&x->asked)) {
        buf_reset(&r->missing);
        asked_format_misses(&r->missing, &x->asked);
        report->missing = buf_slice(&r->missing);
        report->would_be = outcome;
        return REPLAY_UNKNOWN;
    }
    if (x->decision.verdict.target_count || outcome == REPLAY_DENIED) weigh(x, was, outcome, report);
    return outcome;
}

enum replay_outcome replay_run(struct replay *r, struct slice record, struct replay_report *report)
{
    *report = (struct replay_report){.missing = SLICE("[]"), .differences = SLICE("[]"), .decision = SLICE("null")};
    buf_reset(&r->differences);
    struct exchange *x = again_exchange(record, &r->why);
    if (!x) return none(report, r->why.text);
    enum replay_outcome outcome = decide_again(r, x, report);
    simulate_free(x);
    if (buf_len(&r->differences)) {
        buf_append_char(&r->differences, ']');
        report->differences = buf_slice(&r->differences);
    }
    return outcome;
}
