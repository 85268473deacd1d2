/* What of an evaluation is counted, and takes turns: all of the policies' own code, and of ours what is not short. */
#include "deciding.h"

#include "base/buf.h"

/* Our own scripts are not counted while they are short: a chain that is not takes turns all the same. */
static void a_long_chain_comes_in_slices(void)
{
    struct buf text;
    buf_init(&text);
    buf_append(&text, SLICE("return policy { rules = {"));
    for (int i = 0; i < 7000; i++)
        buf_printf(&text, "{'r%d',when={app='x'},pass=true},", i);
    buf_append(&text, SLICE("} }"));
    buf_append_char(&text, '\0');
    struct policy_errors errors;
    struct file files[] = {{"init.lua", "return chain { 'before', 'x' }"},
                           {"before.lua", "return policy { on_request = function(ctx) end }"},
                           {"models.lua", MODELS}, {"x.lua", buf_slice(&text).ptr}, {NULL, NULL}};
    struct policy_set *set = load(files, NULL, &errors);
    policy_errors_clear(&errors);
    struct exchange *x = request("gpt-4o");
    EXPECT(decide(set, x) > 1);
    EXPECT_INT(VERDICT_ALLOW, x->decision.verdict.kind);
    simulate_free(x);
    policy_set_unref(set);
    buf_clear(&text);
}

/* Of few rules: what makes a decision long may be the lists that they walk. */
static void expect_slices(const char *models, const char *x_text, const char *json)
{
    struct policy_errors errors;
    struct fault why;
    struct file files[] = {{"init.lua", "return chain { 'before', 'x', 'routing' }"},
                           {"before.lua", "return policy { on_request = function(ctx) end }"},
                           {"routing.lua", "local t = {} for i = 1, 5000 do t[i] = 'openai/m' .. i end "
                                           "return routing { rules = { { 'r', route = t } } }"},
                           {"models.lua", models}, {"x.lua", x_text}, {NULL, NULL}};
    struct policy_set *set = load(files, NULL, &errors);
    if (!set) UNIT_FAIL("%s: %.*s", x_text, SLICE_FMT(errors.items[0].text));
    policy_errors_clear(&errors);
    if (!set) return;
    struct exchange *x = simulate_exchange(slice_str(json), &why);
    EXPECT(decide(set, x) > 1);
    simulate_free(x);
    policy_set_unref(set);
}

#define LONG_MODELS                                                                                                    \
    "local list = { m = { targets = { 'openai/m' } }, n = { targets = { 'openai/n' } } } "                             \
    "for i = 1, 5000 do list['m' .. i] = { targets = { 'openai/m' .. i } } end list.auto = { virtual = true } "        \
    "return models(list)"
#define CHAT(MODEL) "{\"body\":{\"model\":\"" MODEL "\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}}"

static void few_rules_with_long_lists_come_in_slices(void)
{
    expect_slices(LONG_MODELS, "local r = {} for i = 1, 90 do r[i] = { 'd' .. i, drop = 'openai/n' } end return policy { rules = r }",
                  CHAT("auto"));
    expect_slices(LONG_MODELS,
                  "local v = {} for i = 1, 1000 do v[i] = 'role' .. i end local r = {} "
                  "for i = 1, 60 do r[i] = { 'd' .. i, when = { role = v }, drop = 'openai/n' } end return policy { rules = r }",
                  CHAT("m"));
}

static void a_long_list_of_models_comes_in_slices(void)
{
    expect_slices(LONG_MODELS,
                  "local r = {} for i = 1, 150 do r[i] = { 'd' .. i, when = { department = 'x' }, drop = 'openai/n' } end "
                  "return access { default = 'allow', rules = r }",
                  "{\"api\":\"models\"}");
}

static void a_long_text_is_looked_at_in_slices(void)
{
    struct fault why;
    struct buf json;
    struct policy_errors errors;
    struct file files[] = {
        {"init.lua", "return chain { 'x' }"},
        {"models.lua", MODELS},
        {"x.lua", "return redaction { detect = { 'email' }, request = { email = 'deny' }, max_scan = '16MB' }"},
        {NULL, NULL}};
    struct policy_set *set = load(files, NULL, &errors);
    policy_errors_clear(&errors);
    buf_init(&json);
    buf_append(&json, SLICE("{\"body\":{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\""));
    for (int i = 0; i < 100000; i++)
        buf_append(&json, SLICE("a.b@c d@e.f.g h "));
    buf_append(&json, SLICE("ana@example.com\"}]},\"input_tokens\":1}"));
    struct exchange *x = simulate_exchange(buf_slice(&json), &why);
    EXPECT(decide(set, x) > 1);
    EXPECT_INT(VERDICT_DENY, x->decision.verdict.kind);
    EXPECT_SLICE(SLICE("sensitive_data"), x->decision.verdict.code);
    simulate_free(x);
    policy_set_unref(set);
    buf_clear(&json);
}

#define LOOP "while true do end"

/* A policy that returned nothing goes before, after which nobody is counted until the next function begins. */
static void expect_stopped(const char *x_text)
{
    struct policy_errors errors;
    struct file files[] = {{"init.lua", "return chain { 'auth', 'before', 'x' }"},
                           {"auth.lua", "return auth { enrich = function(id) if id.user == 'bob' then " LOOP " end end }"},
                           {"before.lua", "return policy { on_request = function(ctx) local app = ctx.identity.app end }"},
                           {"models.lua", MODELS}, {"x.lua", x_text}, {NULL, NULL}};
    struct policy_set *set = load(files, NULL, &errors);
    if (!set) UNIT_FAIL("%s: %.*s", x_text, SLICE_FMT(errors.items[0].text));
    policy_errors_clear(&errors);
    if (!set) return;
    struct exchange *x = request("gpt-4o");
    decide(set, x);
    EXPECT_INT(VERDICT_FAULT, x->decision.verdict.kind);
    if (!slice_starts(x->decision.verdict.fault_text, SLICE("policies/x.lua:1: stopped after 2000000 bytecodes")))
        UNIT_FAIL("%s: %.*s", x_text, SLICE_FMT(x->decision.verdict.fault_text));
    simulate_free(x);
    policy_set_unref(set);
}

static void whatever_function_of_a_policy_runs_is_counted(void)
{
    expect_stopped("return policy { on_request = function(ctx) " LOOP " end }");
    expect_stopped("return policy { on_request = function() " LOOP " end }");
    expect_stopped("return policy { rules = { { 'r', when = function() " LOOP " end, pass = true } } }");
    expect_stopped("return policy { rules = { { 'r', when = function() return true end, annotate = { a = 1 } }, "
                   "{ 's', unless = function() " LOOP " end, pass = true } } }");
    expect_stopped("return ratelimit { limits = { { 'l', requests = 1, per = '1m' } }, adjust = function() " LOOP " end }");
    expect_stopped("return routing { rules = { { 'r', when = function() " LOOP " end, route = 'openai/gpt-4o' } }, "
                   "choose_for = 'gpt-4o' }");
    expect_stopped("return policy { on_request = function(ctx) local t = setmetatable({}, { __index = function() " LOOP
                   " end }) return deny(t) end }");
}

int main(void)
{
    RUN(a_long_chain_comes_in_slices);
    RUN(few_rules_with_long_lists_come_in_slices);
    RUN(a_long_list_of_models_comes_in_slices);
    RUN(a_long_text_is_looked_at_in_slices);
    RUN(whatever_function_of_a_policy_runs_is_counted);
    return unit_close("trust");
}
