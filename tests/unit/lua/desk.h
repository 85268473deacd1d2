/*
 * A desk that stands for counters, and one evaluation that asks it.
 *
 *     struct scene s = open_scene(RATE, BUDGET, NULL);       // a chain of these files
 *     EXPECT_INT(POLICY_WAITING, step(&s));                  // s.desk->asked[0] is the question
 *     EXPECT(give(s.desk, 0));                               // s.desk->answer, with s.desk->states
 *     close_scene(&s);
 *
 * The desk answers when the test says so, or inside the call: answers_at_once.
 */
#ifndef MOONGATE_TESTS_UNIT_LUA_DESK_H
#define MOONGATE_TESTS_UNIT_LUA_DESK_H

#include "../unit.h"

#include "base/mem.h"
#include "exchange/hold.h"
#include "lua/policy.h"
#include "lua/simulate.h"

#define MODELS "return models { one = { targets = { 'p/one' }, price = usd_per_million { input = 1, output = 2 } } }"
#define RATE                                                                                                           \
    "return ratelimit { limits = { { 'per', by = { 'user', 'app' }, requests = 60, per = '1m', burst = 5 },"           \
    " { 'tokens', by = { 'user', 'app' }, tokens = 6000, per = '1m' } } }"
#define BUDGET                                                                                                         \
    "return budget { budgets = { { 'sales', department = 'sales', limit = 100, per = 'month', thresholds = {"         \
    " { at = '80%', notify = { 'owner', 'slack:#spend' } }, { at = '100%', deny = { 402, 'used_up' } } } },"          \
    " { 'each-app', each = 'app', limit = 50, per = 'day', mode = 'observe' } } }"
#define ITEMS_MAX 8
#define ASKED_MAX 256

/* Counters that write down what they are asked, and answer when the test says so. */
struct desk {
    const struct counters_question *asked[ASKED_MAX];
    uint64_t tickets[ASKED_MAX];
    size_t count, admissions, cancelled, ready, told;
    uint64_t last_cancelled;
    char notice[256];
    struct counters_state states[ITEMS_MAX];
    struct counters_answer answer;
    bool answers_at_once, answers_cancels;
};

static bool give(struct desk *desk, size_t no)
{
    desk->answer.states = desk->states;
    desk->answer.state_count = desk->asked[no]->item_count;
    memcpy(desk->answer.hold, desk->asked[no]->hold, sizeof desk->answer.hold);
    return policy_counters_done(desk->tickets[no], &desk->answer);
}

static void on_counters(void *arg, const struct counters_question *question, uint64_t ticket)
{
    struct desk *desk = arg;
    size_t no = desk->count++;
    desk->asked[no] = question;
    desk->admissions += question->operation == COUNTERS_ADMIT;
    desk->tickets[no] = ticket;
    if (desk->answers_at_once) EXPECT(give(desk, no));
}

static void on_cancel(void *arg, uint64_t ticket)
{
    struct desk *desk = arg;
    desk->cancelled++;
    desk->last_cancelled = ticket;
    if (desk->answers_cancels) EXPECT(!give(desk, 0));
}

static void on_notify(void *arg, const struct counters_notice *n)
{
    struct desk *desk = arg;
    desk->told++;
    snprintf(desk->notice, sizeof desk->notice, "%.*s %u %.*s+%.*s %.*s %.*s", SLICE_FMT(n->key), n->at,
             SLICE_FMT(n->to[0]), SLICE_FMT(n->to[n->to_count - 1]), SLICE_FMT(n->rule), SLICE_FMT(n->threshold));
}

static void on_ready(void *arg)
{
    struct desk *desk = arg;
    desk->ready++;
}

static const struct policy_host host = {.counters = on_counters, .counters_cancel = on_cancel, .notify = on_notify};

/* A chain of these files, a, b, c. */
static struct policy_set *load(struct desk *desk, const char *a, const char *b, const char *c)
{
    const char *chain = c   ? "return chain { 'a', 'b', 'c' }"
                        : b ? "return chain { 'a', 'b' }"
                            : "return chain { 'a' }";
    struct fault why;
    struct policy_errors errors;
    struct bundle_file files[] = {{SLICE("init.lua"), slice_str(chain)},
                                  {SLICE("models.lua"), SLICE(MODELS)},
                                  {SLICE("a.lua"), slice_str(a)},
                                  {SLICE("b.lua"), slice_str(b ? b : "")},
                                  {SLICE("c.lua"), slice_str(c ? c : "")}};
    struct bundle *bundle = bundle_of(files, c ? 5 : b ? 4 : 3, &why);
    policy_errors_init(&errors);
    struct policy_set *set =
        policy_set_load_for(bundle, &(struct policy_load){.host = &host, .host_arg = desk}, &errors);
    if (!set) UNIT_FAIL("%.*s", SLICE_FMT(errors.items[0].text));
    policy_errors_clear(&errors);
    bundle_unref(bundle);
    return set;
}

/* What one case needs. */
struct scene {
    struct desk *desk;
    struct policy_set *set;
    struct exchange *x;
    struct policy_eval *eval;
};

static struct exchange *request(const char *more)
{
    struct fault why;
    char json[1024];
    snprintf(json, sizeof json,
             "{\"body\":{\"model\":\"one\",\"max_tokens\":100,"
             "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]},"
             "\"key\":{\"id\":\"k\",\"app\":\"shop\",\"department\":\"sales\",\"user\":\"ana\"},"
             "\"time\":1750680000,\"input_tokens\":20,\"output_tokens\":100%s}",
             more);
    struct exchange *x = simulate_exchange(slice_str(json), &why);
    if (!x) UNIT_FAIL("%s", fault_message(&why));
    return x;
}

static void begin_with(struct scene *s, const struct policy_host *services, const char *more)
{
    s->x = request(more);
    s->eval = policy_begin(s->set, s->x,
                           &(struct policy_call){
                               .host = services, .host_arg = s->desk, .on_ready = on_ready, .arg = s->desk});
}

static struct scene open_scene(const char *a, const char *b, const char *c)
{
    struct scene s = {.desk = mem_zalloc(1, sizeof *s.desk)};
    s.desk->answer.is_ok = true;
    s.set = load(s.desk, a, b, c);
    begin_with(&s, &host, "");
    return s;
}

static void close_scene(struct scene *s)
{
    policy_eval_free(s->eval);
    simulate_free(s->x);
    policy_set_unref(s->set);
    mem_free(s->desk);
    EXPECT_INT(0, policy_tickets_open());
}

static enum policy_step step(struct scene *s)
{
    enum policy_step word;
    while ((word = policy_eval_step(s->eval)) == POLICY_MORE)
        continue;
    return word;
}

static struct slice note(const struct scene *s)
{
    return s->x->decision.annotation_count ? s->x->decision.annotations[0].value : SLICE("");
}

#endif
