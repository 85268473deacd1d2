/* Evaluations that wait: tickets, answers in any order, answers too late, a thousand dropped at once. */
#include "../unit.h"

#include <unistd.h>

#include "base/mem.h"
#include "lua/policy.h"
#include "lua/simulate.h"

#define MODELS "return models { one = { targets = { 'p/one' }, price = usd_per_million { input = 1, output = 1 } } }"
#define CALLS_MAX 1200

/* A host that writes down what it is asked, and answers when the test says so. */
struct desk {
    uint64_t tickets[CALLS_MAX];
    char url[CALLS_MAX][64];
    size_t count, cancelled, ready;
    uint32_t timeout_ms;
    bool answers_at_once;
};

static void *on_start(void *arg, const struct policy_http_request *request, uint64_t ticket)
{
    struct desk *desk = arg;
    desk->timeout_ms = request->timeout_ms;
    snprintf(desk->url[desk->count], sizeof desk->url[0], "%.*s", SLICE_FMT(request->url));
    desk->tickets[desk->count++] = ticket;
    if (desk->answers_at_once)
        policy_http_done(ticket, &(struct policy_http_reply){.status = 200, .body = SLICE("now")});
    return desk;
}

static void on_cancel(void *arg, void *call)
{
    struct desk *desk = arg;
    EXPECT(call == desk);
    desk->cancelled++;
}

static void on_ready(void *arg)
{
    struct desk *desk = arg;
    desk->ready++;
}

static const struct policy_host host = {.http_start = on_start, .http_cancel = on_cancel};

static struct policy_set *load(const char *hook, uint32_t deadline_ms)
{
    char text[2048];
    struct fault why;
    struct policy_errors errors;
    struct settings *settings = settings_new();
    snprintf(text, sizeof text, "return policy { on_request = function(ctx)\n%s\nend }", hook);
    struct bundle_file files[] = {{SLICE("init.lua"), SLICE("return chain { 'x' }")},
                                  {SLICE("models.lua"), SLICE(MODELS)},
                                  {SLICE("x.lua"), slice_str(text)}};
    struct bundle *bundle = bundle_of(files, 3, &why);
    settings->providers = arena_zalloc(&settings->arena, sizeof *settings->providers);
    settings->providers->name = SLICE("p");
    settings->provider_count = 1;
    settings->policy_deadline_ms = deadline_ms;
    policy_errors_init(&errors);
    struct policy_set *set = policy_set_load(bundle, settings, &errors);
    if (!set) UNIT_FAIL("%s: %.*s", hook, SLICE_FMT(errors.items[0].text));
    policy_errors_clear(&errors);
    bundle_unref(bundle);
    settings_unref(settings);
    return set;
}

static struct exchange *request(void)
{
    struct fault why;
    struct exchange *x = simulate_exchange(
        SLICE("{\"body\":{\"model\":\"one\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}}"), &why);
    if (!x) UNIT_FAIL("%s", fault_message(&why));
    return x;
}

static struct policy_eval *begin(struct policy_set *set, struct exchange *x, struct desk *desk)
{
    return policy_begin(set, x,
                        &(struct policy_call){.phase = PHASE_REQUEST,
                                              .host = &host,
                                              .host_arg = desk,
                                              .on_ready = on_ready,
                                              .arg = desk});
}

static enum policy_step step(struct policy_eval *eval)
{
    enum policy_step word;
    while ((word = policy_eval_step(eval)) == POLICY_MORE)
        continue;
    return word;
}

static void answer(const struct desk *desk, size_t call, const char *body)
{
    policy_http_done(desk->tickets[call], &(struct policy_http_reply){.status = 200, .body = slice_str(body)});
}

static struct slice note(const struct exchange *x)
{
    return x->decision.annotation_count ? x->decision.annotations[0].value : SLICE("");
}

/* --- cases --- */

static void an_answer_finds_back(void)
{
    struct desk *desk = mem_zalloc(1, sizeof *desk);
    struct policy_set *set = load("ctx:annotate('v', http.get(tostring 'https://a/x').body .. http.get(tostring 'https://a/y').body)", 2000);
    struct exchange *x = request();
    struct policy_eval *eval = begin(set, x, desk);
    EXPECT_INT(POLICY_WAITING, step(eval));
    EXPECT_INT(POLICY_WAITING, policy_eval_step(eval)); /* asking again changes nothing */
    EXPECT_INT(1, policy_tickets_open());
    EXPECT_STR("https://a/x", desk->url[0]);
    answer(desk, 0, "1");
    EXPECT_INT(1, desk->ready);
    answer(desk, 0, "again"); /* a ticket is good for one */
    EXPECT_INT(1, desk->ready);
    EXPECT_INT(POLICY_WAITING, step(eval));
    answer(desk, 1, "2");
    EXPECT_INT(POLICY_DONE, step(eval));
    EXPECT_SLICE(SLICE("12"), note(x));
    EXPECT_INT(0, policy_tickets_open());
    EXPECT_INT(0, desk->cancelled);
    policy_eval_free(eval);
    simulate_free(x);
    policy_set_unref(set);
    mem_free(desk);
}

static void an_answer_may_come_inside(void)
{
    struct desk *desk = mem_zalloc(1, sizeof *desk);
    struct policy_set *set = load("ctx:annotate('v', http.get(tostring 'https://a/x').body)", 2000);
    struct exchange *x = request();
    struct policy_eval *eval = begin(set, x, desk);
    desk->answers_at_once = true;
    EXPECT_INT(POLICY_DONE, step(eval));
    EXPECT_SLICE(SLICE("now"), note(x));
    policy_eval_free(eval);
    simulate_free(x);
    policy_set_unref(set);
    mem_free(desk);
}

static void children_are_answered_in_any_order(void)
{
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct desk *desk = mem_zalloc(1, sizeof *desk);
        struct policy_set *set = load("local function f(c) return function() return http.get(tostring 'https://' .. c).body end end\n"
                                      "ctx:annotate('v', table.concat({ together(f 'a', f 'b', f 'c') }))",
                                      2000);
        struct exchange *x = request();
        struct policy_eval *eval = begin(set, x, desk);
        EXPECT_INT(POLICY_WAITING, step(eval));
        EXPECT_INT(3, desk->count);
        for (int k = 0; k < 3; k++) {
            size_t call = (size_t)orders[i][k];
            answer(desk, call, desk->url[call] + 8);
            EXPECT_INT(k < 2 ? POLICY_WAITING : POLICY_DONE, step(eval));
        }
        EXPECT_SLICE(SLICE("abc"), note(x));
        policy_eval_free(eval);
        simulate_free(x);
        policy_set_unref(set);
        mem_free(desk);
    }
}

static void a_fault_cancels_what_its_siblings_wait_for(void)
{
    struct desk *desk = mem_zalloc(1, sizeof *desk);
    struct policy_set *set =
        load("together(function() http.get(tostring 'https://a') end, function() http.get(tostring 'https://b') error('no', 0) end)", 2000);
    struct exchange *x = request();
    struct policy_eval *eval = begin(set, x, desk);
    EXPECT_INT(POLICY_WAITING, step(eval));
    answer(desk, 1, "");
    EXPECT_INT(POLICY_DONE, step(eval));
    EXPECT_INT(VERDICT_FAULT, x->decision.verdict.kind);
    EXPECT_INT(1, desk->cancelled);
    EXPECT_INT(0, policy_tickets_open());
    answer(desk, 0, "late");
    policy_eval_free(eval);
    simulate_free(x);
    policy_set_unref(set);
    mem_free(desk);
}

static void the_deadline_stops_what_waits(void)
{
    struct desk *desk = mem_zalloc(1, sizeof *desk);
    struct policy_set *set = load("http.get(tostring 'https://a', { timeout = tostring '60s' })", 30);
    struct exchange *x = request();
    struct policy_eval *eval = begin(set, x, desk);
    EXPECT_INT(POLICY_WAITING, step(eval));
    EXPECT(desk->timeout_ms <= 30);
    /* The host says "timeout" when the time is over: it is the evaluation's, so the policy hears nothing of it. */
    policy_http_done(desk->tickets[0], &(struct policy_http_reply){.error = "timeout"});
    EXPECT_INT(POLICY_DONE, step(eval));
    EXPECT_INT(VERDICT_FAULT, x->decision.verdict.kind);
    EXPECT_SLICE(SLICE("policies/x.lua:2: stopped after 30 ms"), x->decision.verdict.fault_text);
    policy_eval_free(eval);
    simulate_free(x);

    x = request();
    eval = begin(set, x, desk);
    EXPECT_INT(POLICY_WAITING, step(eval));
    while (policy_eval_left_ms(eval) > 0)
        usleep(1000); /* a host that never says anything */
    EXPECT_INT(POLICY_DONE, step(eval));
    EXPECT_SLICE(SLICE("policies/x.lua:2: stopped after 30 ms"), x->decision.verdict.fault_text);
    EXPECT_INT(0, policy_tickets_open());
    policy_eval_free(eval);
    simulate_free(x);
    policy_set_unref(set);
    mem_free(desk);
}

/* Twice: what the first thousand held must be there for the second. */
static void a_thousand_are_dropped_at_once(void)
{
    static struct policy_eval *evals[1000];
    static struct exchange *x[1000];
    struct desk *desk = mem_zalloc(1, sizeof *desk);
    struct policy_set *set = load("local t = ctx.request:last_user_text() http.get(tostring 'https://a/' .. t)", 60000);
    size_t after_first = 0;
    for (int round = 0; round < 6; round++) {
        desk->count = desk->cancelled = 0;
        for (size_t i = 0; i < 1000; i++) {
            evals[i] = begin(set, x[i] = request(), desk);
            EXPECT_INT(POLICY_WAITING, step(evals[i]));
        }
        EXPECT_INT(1000, policy_tickets_open());
        for (size_t i = 0; i < 1000; i++) {
            policy_eval_free(evals[i]);
            simulate_free(x[i]);
        }
        EXPECT_INT(1000, desk->cancelled);
        EXPECT_INT(0, policy_tickets_open());
        for (size_t i = 0; i < 1000; i++) /* orphans, on slots that were used again and on free ones */
            answer(desk, i, "late");
        if (round == 1) after_first = policy_set_memory(set);
    }
    EXPECT_INT(0, desk->ready);
    /* Four thousand dropped later: what is left is what the collector has not looked at. */
    if (policy_set_memory(set) > after_first + (6u << 20))
        UNIT_FAIL("%zu bytes, then %zu", after_first, policy_set_memory(set));
    policy_set_unref(set);
    mem_free(desk);
}

static void phases_that_nobody_defines_are_not_there(void)
{
    struct policy_set *set = load("return", 2000);
    EXPECT(policy_has(set, PHASE_REQUEST));
    EXPECT(!policy_has(set, PHASE_ATTEMPT) && !policy_has(set, PHASE_DELTA));
    EXPECT(!policy_has(set, PHASE_RESPONSE) && !policy_has(set, PHASE_DONE));
    EXPECT(!policy_buffers(set));
    policy_set_unref(set);
}

int main(void)
{
    RUN(an_answer_finds_back);
    RUN(an_answer_may_come_inside);
    RUN(children_are_answered_in_any_order);
    RUN(a_fault_cancels_what_its_siblings_wait_for);
    RUN(the_deadline_stops_what_waits);
    RUN(a_thousand_are_dropped_at_once);
    RUN(phases_that_nobody_defines_are_not_there);
    return unit_close("calls");
}
