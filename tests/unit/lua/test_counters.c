/* Counters behind limits and budgets: what is asked, answers at once and later, twice, never, too late, inside
 * together(), and what was taken when nobody is there to hear of it. What limits mean is tested in tests/spec. */
#include "desk.h"

#include <unistd.h>

#include "lua/ask.h"

/* --- cases --- */

static void it_is_asked_for_all_at_once(void)
{
    struct scene s = open_scene(RATE, BUDGET, NULL);
    EXPECT_INT(POLICY_WAITING, step(&s));
    EXPECT_INT(1, s.desk->count);
    const struct counters_question *q = s.desk->asked[0];
    EXPECT_INT(COUNTERS_ADMIT, q->operation);
    EXPECT_STR(s.x->id, q->hold);
    EXPECT_INT(s.x->born_wall_ns, q->time_ns);
    EXPECT(q->timeout_ms > 0 && q->timeout_ms <= LIMIT_POLICY_DEADLINE_MS);
    EXPECT_INT(4, q->item_count);
    const struct counters_item *requests = &q->items[0], *tokens = &q->items[1];
    const struct counters_item *sales = &q->items[2], *app = &q->items[3];
    EXPECT_INT(COUNTERS_REQUESTS, requests->unit);
    EXPECT_STR("user=ana,app=shop;1m", requests->key.ptr);
    EXPECT_STR("per", requests->rule.ptr);
    EXPECT_INT(2, requests->scope_count);
    EXPECT_STR("app", requests->scope[0].name.ptr);
    EXPECT_STR("shop", requests->scope[0].value.ptr);
    EXPECT_STR("user", requests->scope[1].name.ptr);
    EXPECT_INT(1, requests->amount);
    EXPECT_INT(60, requests->limit);
    EXPECT_INT(60, requests->window_s);
    EXPECT_INT(5, requests->burst);
    EXPECT_INT(COUNTERS_LOCAL, requests->on_loss);
    EXPECT(!requests->is_observed);
    EXPECT_INT(COUNTERS_TOKENS, tokens->unit);
    EXPECT_INT(120, tokens->amount);
    EXPECT_INT(COUNTERS_MONEY, sales->unit);
    EXPECT_STR("department=sales", sales->key.ptr);
    EXPECT_INT(220000, sales->amount); /* 20 tokens at 1000 nano-dollars, 100 at 2000 */
    EXPECT_INT(INT64_C(100000000000), sales->limit);
    EXPECT_INT(1748736000, sales->start_s); /* 1 June to 1 July 2025 */
    EXPECT_INT(1751328000, sales->stop_s);
    EXPECT(app->is_observed);
    EXPECT_INT(INT64_C(50000000000), app->limit);
    close_scene(&s);
}

/* The policies' limit, with what is added to this scope now; its words too, by which it is refused later on. */
static void a_topup_is_in_the_limit_that_is_asked_for(void)
{
    static const char *const topups =
        ",\"topups\":[{\"id\":\"topup_1\",\"budget\":\"b/sales\",\"scope\":\"department=sales\",\"nano\":25000000001,"
        "\"starts_at\":1750680000,\"ends_at\":1750680001},{\"id\":\"topup_2\",\"budget\":\"b/each-app\","
        "\"scope\":\"app=shop\",\"nano\":1,\"starts_at\":1750680001,\"ends_at\":1750680002},{\"id\":\"topup_3\","
        "\"budget\":\"b/sales\",\"scope\":\"department=law\",\"nano\":1,\"starts_at\":0,\"ends_at\":1750690000}]";
    struct scene s = {.desk = mem_zalloc(1, sizeof *s.desk)};
    s.desk->answer.is_ok = true;
    s.set = load(s.desk, RATE, BUDGET, NULL);
    begin_with(&s, &host, topups);
    EXPECT_INT(POLICY_WAITING, step(&s));
    const struct counters_item *sales = &s.desk->asked[0]->items[2], *app = &s.desk->asked[0]->items[3];
    EXPECT_INT(INT64_C(125000000001), sales->limit);
    EXPECT_STR("department=sales", sales->key.ptr);
    EXPECT_STR("$125.000000001 this month ($25.000000001 of it a top-up until 23 June, 12:00)", sales->words->what.ptr);
    EXPECT_STR("sales", sales->words->who.ptr);
    EXPECT_STR("sales@100%", sales->words->rule.ptr);
    EXPECT_STR("used_up", sales->words->code.ptr);
    EXPECT_INT(402, sales->words->status);
    EXPECT_INT(INT64_C(50000000000), app->limit); /* that one has not begun */
    close_scene(&s);
}

/* On a busy machine a slice may be over before the chain is: once in so many times it is not. */
static void an_answer_inside_costs_no_turn(void)
{
    struct scene s;
    enum policy_step first = POLICY_MORE;
    for (int i = 0; i < 50 && first != POLICY_DONE; i++) {
        if (i) close_scene(&s);
        s = open_scene(RATE, BUDGET, NULL);
        s.desk->answers_at_once = true;
        first = policy_eval_step(s.eval);
    }
    EXPECT_INT(POLICY_DONE, first);
    EXPECT_INT(VERDICT_ALLOW, s.x->decision.verdict.kind);
    EXPECT_INT(0, s.desk->ready); /* who is in the middle of a step needs no waking */
    EXPECT(s.x->holds && !s.x->holds->next);
    EXPECT_STR(s.x->id, s.x->holds->id);
    EXPECT_INT(120, s.x->holds->totals.tokens);
    EXPECT_INT(220000, s.x->holds->totals.nano);
    close_scene(&s);
}

static void an_answer_later_is_heard_once(void)
{
    struct scene s = open_scene(RATE, BUDGET, NULL);
    EXPECT_INT(POLICY_WAITING, step(&s));
    EXPECT_INT(POLICY_WAITING, policy_eval_step(s.eval)); /* asking again changes nothing */
    EXPECT_INT(1, s.desk->count);
    EXPECT(!s.x->holds);
    EXPECT(give(s.desk, 0));
    EXPECT_INT(1, s.desk->ready);
    EXPECT(s.x->holds && s.x->holds->state == HOLD_OPEN); /* before the policies hear of it */
    EXPECT(!give(s.desk, 0));
    EXPECT_INT(1, s.desk->ready);
    EXPECT(s.x->holds && !s.x->holds->next);
    EXPECT_INT(POLICY_DONE, step(&s));
    EXPECT_INT(VERDICT_ALLOW, s.x->decision.verdict.kind);
    EXPECT(!give(s.desk, 0));
    EXPECT_INT(0, s.desk->cancelled);
    close_scene(&s);
}

/* The verdict and every word of the trace. */
static void tell(const struct exchange *x, char *text, size_t size)
{
    const struct verdict *v = &x->decision.verdict;
    size_t len = (size_t)snprintf(text, size, "%d %d %.*s %.*s %u %.*s\n", v->kind, v->status, SLICE_FMT(v->code),
                                  SLICE_FMT(v->reason), v->retry_after_s, SLICE_FMT(v->fault_text));
    for (size_t i = 0; i < x->decision.trace.count && len < size; i++) {
        const struct trace_entry *e = &x->decision.trace.entries[i];
        len += (size_t)snprintf(text + len, size - len, "%.*s/%.*s %.*s %.*s\n", SLICE_FMT(e->policy),
                                SLICE_FMT(e->rule), SLICE_FMT(e->verb), SLICE_FMT(e->reason));
    }
}

static void decide(const struct desk *answers, bool at_once, char *text, size_t size)
{
    struct scene s = open_scene(RATE, BUDGET, NULL);
    memcpy(s.desk->states, answers->states, sizeof s.desk->states);
    s.desk->answer = answers->answer;
    s.desk->answers_at_once = at_once;
    for (size_t no = 0; step(&s) == POLICY_WAITING && no < ASKED_MAX; no++)
        EXPECT(give(s.desk, no));
    tell(s.x, text, size);
    close_scene(&s);
}

static void no_evaluation_can_tell_when_it_was_answered(void)
{
    static const struct desk answers[] = {
        {.answer = {.is_ok = true}, .states = {[2] = {.spent = 70, .held = 30}}},
        {.answer = {.is_ok = true}, .states = {[2] = {.spent = INT64_C(85000000000), .lost = COUNTERS_LOCAL}}},
        {.answer = {.is_ok = true}, .states = {[0] = {.lost = COUNTERS_OPEN}, [3] = {.refusal = COUNTERS_OVER}}},
        {.answer = {.failed = 0, .retry_after_s = 7}, .states = {{.refusal = COUNTERS_OVER}}},
        {.answer = {.failed = 1}, .states = {[1] = {.refusal = COUNTERS_TOO_LARGE}}},
        {.answer = {.failed = 2}, .states = {[2] = {.spent = INT64_C(100000000000), .refusal = COUNTERS_OVER}}},
        {.answer = {.failed = 2}, .states = {[2] = {.held = INT64_C(100000000000), .refusal = COUNTERS_CONTENDED}}},
        {.answer = {.failed = 2}, .states = {[2] = {.refusal = COUNTERS_SHUT, .lost = COUNTERS_CLOSED}}},
        {.answer = {.error = "unreachable"}},
    };
    static const char *const wanted[] = {
        "1 0 ", "1 0 ",
        "1 0 ", "2 429 rate_limited user ana, app shop is over 5 requests at once, 60 a minute; again in 7 s 7 ",
        "2 429 rate_limited a request of 120 tokens can never pass", "2 402 used_up ",
        "2 429 budget_contended ", "2 503 limits_unavailable shared counters are out of reach 5",
        "2 503 limits_unavailable cannot be counted: unreachable 5",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char inside[4096], later[4096];
        decide(&answers[i], true, inside, sizeof inside);
        decide(&answers[i], false, later, sizeof later);
        EXPECT_STR(inside, later);
        if (strncmp(wanted[i], inside, strlen(wanted[i])) != 0) UNIT_FAIL("%zu: %s", i, inside);
    }
}

static void the_deadline_stops_what_waits(void)
{
    struct scene s = open_scene(RATE, NULL, NULL);
    EXPECT_INT(POLICY_WAITING, step(&s));
    while (policy_eval_left_ms(s.eval) > 0)
        usleep(1000 * policy_eval_left_ms(s.eval));
    EXPECT_INT(POLICY_DONE, step(&s));
    EXPECT_INT(VERDICT_FAULT, s.x->decision.verdict.kind);
    EXPECT_STR("stopped after 2000 ms", s.x->decision.verdict.fault_text.ptr);
    EXPECT_INT(1, s.desk->cancelled);
    EXPECT_INT(s.desk->tickets[0], s.desk->last_cancelled);
    EXPECT(!give(s.desk, 0)); /* granted too late: the desk's to release */
    EXPECT(!s.x->holds);
    close_scene(&s);
}

static void what_is_cancelled_hears_nothing(void)
{
    for (int inside = 0; inside < 2; inside++) {
        struct scene s = open_scene(RATE, NULL, NULL);
        s.desk->answers_cancels = inside;
        EXPECT_INT(POLICY_WAITING, step(&s));
        policy_eval_free(s.eval);
        s.eval = NULL;
        EXPECT_INT(1, s.desk->cancelled);
        EXPECT_INT(s.desk->tickets[0], s.desk->last_cancelled);
        EXPECT(!give(s.desk, 0));
        EXPECT(!s.x->holds);
        EXPECT_INT(0, s.desk->ready);
        close_scene(&s);
    }
}

static void what_was_granted_is_held_though_nobody_listens(void)
{
    struct counters_question q;
    struct scene s = open_scene(RATE, NULL, NULL);
    EXPECT_INT(POLICY_WAITING, step(&s));
    EXPECT(give(s.desk, 0));
    policy_eval_free(s.eval); /* its client has gone before the next step */
    s.eval = NULL;
    EXPECT_INT(0, s.desk->cancelled);
    EXPECT(s.x->holds && hold_close(s.x->holds, NULL, &q));
    EXPECT_STR(s.x->id, q.hold);
    EXPECT(!hold_close(s.x->holds, NULL, &q));
    close_scene(&s);
}

static void limits_apart_are_held_apart(void)
{
    static const char between[] = "return policy { on_request = function(ctx) ctx:annotate('v', 'between') end }";
    struct scene s = open_scene(RATE, between, BUDGET);
    EXPECT_INT(POLICY_WAITING, step(&s));
    EXPECT_INT(0, s.x->decision.annotation_count);
    EXPECT_INT(2, s.desk->asked[0]->item_count);
    EXPECT(give(s.desk, 0));
    EXPECT_INT(POLICY_WAITING, step(&s));
    EXPECT_SLICE(SLICE("between"), note(&s));
    char second[64];
    snprintf(second, sizeof second, "%s/2", s.x->id);
    EXPECT_STR(second, s.desk->asked[1]->hold);
    s.desk->answer = (struct counters_answer){.failed = 0};
    s.desk->states[0] = (struct counters_state){.spent = INT64_C(100000000000), .refusal = COUNTERS_OVER};
    EXPECT(give(s.desk, 1));
    EXPECT_INT(POLICY_DONE, step(&s));
    EXPECT_INT(VERDICT_DENY, s.x->decision.verdict.kind);
    EXPECT(s.x->holds && !s.x->holds->next); /* nothing more is held, and the first is for its owner to close */
    EXPECT_STR(s.x->id, s.x->holds->id);
    close_scene(&s);
}

/* Holds of so many items, as of admissions before. */
static void hold_before(struct scene *s, size_t holds, size_t items)
{
    struct counters_question q = {.items = arena_zalloc(&s->x->arena, items * sizeof *q.items), .item_count = items};
    struct counters_answer answer = {.is_ok = true, .hold = "before"};
    while (holds-- > 0)
        hold_open(&s->x->holds, &q, &answer, &s->x->arena);
}

static const char *fault_of(const struct scene *s)
{
    static char text[256];
    const struct verdict *v = &s->x->decision.verdict;
    snprintf(text, sizeof text, "%d %.*s", v->kind == VERDICT_FAULT, SLICE_FMT(v->fault_text));
    return text;
}

/* No request holds more than its record is read for: what is beyond would be charged to nobody, and held for ever. */
static void more_than_a_record_is_read_for_is_not_held(void)
{
    struct scene s = open_scene(BUDGET, NULL, NULL);
    s.desk->answers_at_once = true;
    hold_before(&s, 15, 8);
    EXPECT_INT(POLICY_DONE, step(&s));
    EXPECT_STR("0 ", fault_of(&s));
    close_scene(&s);
    s = open_scene(BUDGET, NULL, NULL);
    hold_before(&s, 16, 1);
    EXPECT_INT(POLICY_DONE, step(&s));
    EXPECT(strstr(fault_of(&s), "one request stops 17 times for limits and budgets, 16 are the most") != NULL);
    EXPECT_INT(0, s.desk->count);
    close_scene(&s);
    s = open_scene(BUDGET, NULL, NULL);
    hold_before(&s, 2, 64);
    EXPECT_INT(POLICY_DONE, step(&s));
    EXPECT(strstr(fault_of(&s), "one request falls under 130 limits and budgets, 128 are the most") != NULL);
    EXPECT_INT(0, s.desk->count);
    close_scene(&s);
}

static void notices_go_out_without_waiting(void)
{
    struct scene s = open_scene(BUDGET, NULL, NULL);
    s.desk->answers_at_once = true;
    s.desk->states[0] = (struct counters_state){.spent = INT64_C(81000000000)};
    EXPECT_INT(POLICY_DONE, step(&s));
    EXPECT_INT(1, s.desk->told);
    EXPECT_STR("department=sales 8000 owner+slack:#spend a/sales@80% 80%", s.desk->notice);
    close_scene(&s);
}

static void children_peek_in_any_order(void)
{
    static const int orders[][2] = {{0, 1}, {1, 0}};
    for (size_t i = 0; i < 2; i++) {
        struct scene s = open_scene("return policy { on_request = function(ctx)\n"
                                    "local function f(n) return function() return ctx.budget[n].spent end end\n"
                                    "local a, b = together(f 'department', f 'app')\n"
                                    "ctx:annotate('v', a .. ' ' .. b .. ' ' .. ctx.budget.app.spent)\nend }",
                                    BUDGET, NULL);
        EXPECT_INT(POLICY_WAITING, step(&s));
        EXPECT_INT(2, s.desk->count);
        EXPECT_INT(COUNTERS_PEEK, s.desk->asked[0]->operation);
        EXPECT_STR("department=sales", s.desk->asked[0]->items[0].key.ptr);
        EXPECT_STR("app=shop", s.desk->asked[1]->items[0].key.ptr);
        for (int k = 0; k < 2; k++) {
            int no = orders[i][k];
            s.desk->states[0].spent = INT64_C(1000000000) * (no + 1);
            EXPECT(give(s.desk, (size_t)no));
            EXPECT_INT(POLICY_WAITING, step(&s)); /* for the other, then for its own admission */
        }
        EXPECT_SLICE(SLICE("1 2 2"), note(&s));
        EXPECT_INT(3, s.desk->count); /* what was read once is not asked for again */
        EXPECT(!s.x->holds);
        close_scene(&s);
    }
}

static void what_cannot_wait_says_so(void)
{
    struct scene s = open_scene("return policy { on_request = function(ctx)\n"
                                "table.sort({ 1, 2 }, function() return ctx.budget.department.spent < 1 end)\nend }",
                                BUDGET, NULL);
    EXPECT_INT(POLICY_DONE, step(&s));
    EXPECT_INT(VERDICT_FAULT, s.x->decision.verdict.kind);
    EXPECT_STR("policies/a.lua:2: ctx.budget cannot wait inside a sort comparator: call it before the sort",
               s.x->decision.verdict.fault_text.ptr);
    EXPECT_INT(0, s.desk->count);
    close_scene(&s);

    s = open_scene("return policy { on_delta = function(ctx) local n = ctx.budget.app.spent end }", BUDGET, NULL);
    policy_eval_free(s.eval);
    s.eval = policy_begin(s.set, s.x,
                          &(struct policy_call){
                              .phase = PHASE_DELTA, .delta = SLICE("x"), .host = &host, .host_arg = s.desk});
    EXPECT_INT(POLICY_DONE, step(&s));
    EXPECT_STR("policies/a.lua:1: ctx.budget cannot wait in on_delta, which stands in the way of a stream: "
               "ask in on_request",
               policy_eval_answer(s.eval)->fault_text.ptr);
    EXPECT_INT(0, s.desk->count);
    close_scene(&s);
}

static void a_host_that_does_not_count_is_no_answer(void)
{
    static const struct policy_host idle = {0};
    const struct policy_host *const hosts[] = {NULL, &idle};
    for (size_t i = 0; i < 2; i++) {
        struct scene s = open_scene(RATE, NULL, NULL);
        policy_eval_free(s.eval);
        simulate_free(s.x);
        begin_with(&s, hosts[i], "");
        EXPECT_INT(POLICY_DONE, step(&s));
        EXPECT_INT(503, s.x->decision.verdict.status);
        EXPECT_STR("cannot be counted: nobody counts here", s.x->decision.verdict.reason.ptr);
        close_scene(&s);
    }
}

static void amounts_beyond_all_bounds_stay_amounts(void)
{
    struct scene s = open_scene(BUDGET, NULL, NULL);
    policy_eval_free(s.eval);
    simulate_free(s.x);
    begin_with(&s, &host, ",\"cost_nano\":9223372036854775807");
    EXPECT_INT(POLICY_WAITING, step(&s));
    EXPECT_INT(COUNTERS_AMOUNT_MAX, s.desk->asked[0]->items[0].amount);
    close_scene(&s);
}

/* explain decides inside a call of Lua's: it peeks, and what does not come at once does not come. */
static void rehearsals_peek_and_do_not_wait(void)
{
    struct fault why;
    struct buf out;
    int code;
    struct scene s = open_scene(BUDGET, NULL, NULL);
    struct slice question = SLICE("{\"flags\":{\"model\":\"one\",\"as\":[\"sales/ana\"]},\"json\":true}");
    for (int at_once = 0; at_once < 2; at_once++) {
        s.desk->answers_at_once = at_once;
        s.desk->count = s.desk->cancelled = 0;
        s.desk->states[0] = (struct counters_state){.spent = INT64_C(91000000000)};
        buf_init(&out);
        EXPECT(policy_set_ask(s.set, "explain", question, &out, &code, &why));
        EXPECT(s.desk->count > 0);
        EXPECT_INT(0, s.desk->admissions);
        EXPECT_INT(at_once ? 0 : s.desk->count, s.desk->cancelled);
        EXPECT_INT(0, s.desk->told);
        buf_append_char(&out, 0);
        const char *wanted = at_once ? "sales has used 91%" : "cannot be counted: nobody can wait for them here";
        if (!strstr(buf_ptr(&out), wanted)) UNIT_FAIL("%s", buf_ptr(&out));
        buf_clear(&out);
    }
    close_scene(&s);
}

int main(void)
{
    RUN(it_is_asked_for_all_at_once);
    RUN(a_topup_is_in_the_limit_that_is_asked_for);
    RUN(an_answer_inside_costs_no_turn);
    RUN(an_answer_later_is_heard_once);
    RUN(no_evaluation_can_tell_when_it_was_answered);
    RUN(the_deadline_stops_what_waits);
    RUN(what_is_cancelled_hears_nothing);
    RUN(what_was_granted_is_held_though_nobody_listens);
    RUN(limits_apart_are_held_apart);
    RUN(more_than_a_record_is_read_for_is_not_held);
    RUN(notices_go_out_without_waiting);
    RUN(children_peek_in_any_order);
    RUN(what_cannot_wait_says_so);
    RUN(a_host_that_does_not_count_is_no_answer);
    RUN(amounts_beyond_all_bounds_stay_amounts);
    RUN(rehearsals_peek_and_do_not_wait);
    return unit_close("counters");
}
