/* Generations: loading, all errors at once, deciding in slices, faults, limits, lifetimes. What rules mean is tested in
 * tests/spec and policies/specs. */
#include "deciding.h"

#include "base/buf.h"
#include "base/limits.h"

static struct policy_set *load_hook(const char *text, const struct settings *settings)
{
    struct policy_errors errors;
    struct file files[] = {{"init.lua", "return chain { 'x' }"}, {"models.lua", MODELS}, {"x.lua", text}, {NULL, NULL}};
    struct policy_set *set = load(files, settings, &errors);
    if (!set) UNIT_FAIL("%s: %.*s", text, SLICE_FMT(errors.items[0].text));
    policy_errors_clear(&errors);
    return set;
}

static void expect_errors(const struct file *files, const char *want)
{
    struct policy_errors errors;
    struct buf out;
    buf_init(&out);
    struct policy_set *set = load(files, NULL, &errors);
    EXPECT(!set);
    policy_errors_print(&errors, NULL, &out);
    EXPECT_SLICE(slice_str(want), buf_slice(&out));
    buf_clear(&out);
    policy_errors_clear(&errors);
    policy_set_unref(set);
}

static void expect_fault(const char *hook, const char *want)
{
    struct policy_set *set = load_hook(hook, NULL);
    if (!set) return;
    struct exchange *x = request("gpt-4o");
    decide(set, x);
    EXPECT_INT(VERDICT_FAULT, x->decision.verdict.kind);
    EXPECT_SLICE(slice_str(want), x->decision.verdict.fault_text);
    EXPECT_INT(0, x->decision.verdict.target_count);
    simulate_free(x);
    policy_set_unref(set);
}

/* --- deciding --- */

static void the_shipped_policies_load_and_decide(void)
{
    struct fault why;
    struct policy_errors errors;
    struct bundle *bundle = bundle_read("policies", &why);
    EXPECT(bundle);
    if (!bundle) return;
    policy_errors_init(&errors);
    struct policy_set *set = policy_set_load(bundle, NULL, &errors);
    EXPECT_INT(0, errors.count);
    EXPECT(set);
    if (set) {
        EXPECT_STR(bundle_digest(bundle), policy_set_digest(set));
        struct exchange *x = request("auto");
        decide(set, x);
        EXPECT_INT(VERDICT_ALLOW, x->decision.verdict.kind);
        EXPECT_INT(2, x->decision.verdict.target_count);
        EXPECT_SLICE(SLICE("openai/gpt-4o-mini"), x->decision.verdict.targets[0].name);
        EXPECT_SLICE(SLICE("openai"), x->decision.verdict.targets[0].provider);
        EXPECT_SLICE(SLICE("gpt-4o-mini"), x->decision.verdict.targets[0].model);
        EXPECT_SLICE(SLICE("auto"), x->decision.verdict.model);
        EXPECT_SLICE(SLICE("sales"), x->identity.department);
        EXPECT_STR(bundle_digest(bundle), x->decision.policy_digest);
        EXPECT(x->estimate.is_flagged);
        EXPECT_INT(8, x->estimate.input_tokens); /* 3, and 3 + 1 + 1 for "user" and "hi" */
        simulate_free(x);
    }
    policy_set_unref(set);
    bundle_unref(bundle);
    policy_errors_clear(&errors);
}

static void a_long_evaluation_comes_in_slices(void)
{
    struct policy_set *set =
        load_hook("return policy { on_request = function(ctx) for i = 1, 100000 do end end }", NULL);
    struct exchange *x = request("gpt-4o");
    EXPECT(decide(set, x) > 5);
    EXPECT_INT(VERDICT_ALLOW, x->decision.verdict.kind);
    simulate_free(x);
    policy_set_unref(set);
}

/* Each draws the numbers of its own id, the same in every version: recorded decisions depend on them. */
static void evaluations_interleave(void)
{
    struct policy_set *set = load_hook("return policy { on_request = function(ctx) "
                                       "local id = ctx.id for i = 1, 100000 do end assert(id == ctx.id) "
                                       "ctx:annotate('id', id .. ' ' .. math.random(1000000)) end }",
                                       NULL);
    static const char *const want[] = {"req-0 320026", "req-1 887672", "req-2 733950", "req-3 71322"};
    struct exchange *x[4];
    struct policy_eval *evals[4];
    for (int i = 0; i < 4; i++) {
        x[i] = request("gpt-4o");
        snprintf(x[i]->id, sizeof x[i]->id, "req-%d", i);
        evals[i] = policy_decide(set, x[i]);
    }
    for (int open = 4; open;) {
        open = 0;
        for (int i = 0; i < 4; i++)
            open += policy_eval_step(evals[i]) == POLICY_MORE;
    }
    for (int i = 0; i < 4; i++) {
        EXPECT_INT(VERDICT_ALLOW, x[i]->decision.verdict.kind);
        EXPECT_INT(1, x[i]->decision.annotation_count);
        if (x[i]->decision.annotation_count) EXPECT_SLICE(slice_str(want[i]), x[i]->decision.annotations[0].value);
        policy_eval_free(evals[i]);
        simulate_free(x[i]);
    }
    policy_set_unref(set);
}

static void a_cancelled_evaluation_is_dropped(void)
{
    struct policy_set *set = load_hook(
        "return policy { on_request = function(ctx) local t = {} for i = 1, 100000 do t[i] = i end end }", NULL);
    size_t memory = 0;
    for (int i = 0; i < 200; i++) {
        struct exchange *x = request("gpt-4o");
        struct policy_eval *eval = policy_decide(set, x);
        EXPECT_INT(POLICY_MORE, policy_eval_step(eval));
        policy_eval_free(eval);
        EXPECT_INT(VERDICT_NONE, x->decision.verdict.kind);
        simulate_free(x);
        if (i == 20) memory = policy_set_memory(set);
    }
    EXPECT(policy_set_memory(set) < memory + 8 * MIB);
    struct exchange *x = request("gpt-4o"); /* and one that never began */
    policy_eval_free(policy_decide(set, x));
    simulate_free(x);
    policy_set_unref(set);
}

/* --- faults --- */

static void what_a_policy_does_wrong_names_its_line(void)
{
    expect_fault("return policy {\n  on_request = function(ctx)\n    local x = nil .. 'a'\n  end }",
                 "policies/x.lua:3: attempt to concatenate a nil value");
    expect_fault("return policy {\n  on_request = function(ctx) while true do end end }",
                 "policies/x.lua:2: stopped after 2000000 bytecodes");
    expect_fault("return policy {\n on_request = function(ctx) local s = 'x' while true do s = s .. s end end }",
                 "policies/x.lua:2: stopped: it asked for more than 16 MB of memory in all");
    expect_fault(
        "return policy { on_request = function(ctx) return 7 + 0 end }",
        "policies/x.lua:1: on_request returned 7: return deny(…), route(…), only(…), drop(…), pass(…) or nothing");
    expect_fault("return policy { on_request = function(ctx)\n local _ = deny(403, 'no') end }",
                 "policies/x.lua:2: deny(…) was built but not returned: write 'return deny(…)'");
    expect_fault("return policy { on_request = function(ctx)\n local d = ctx.identity['departmnt'] end }",
                 "policies/x.lua:2: ctx.identity has no field 'departmnt' (did you mean 'department'?)");
    expect_fault("return policy { on_request = function(ctx)\n ctx.identity.department = 'x' end }",
                 "policies/x.lua:2: ctx is read-only: 'department' cannot be set");
    expect_fault("return policy { on_request = function(ctx)\n local h = ctx.request.headers.authorization end }",
                 "policies/x.lua:2: header 'authorization' holds a secret: policies never see it");
    expect_fault("return policy { on_request = function(ctx)\n error({}) end }",
                 "policies/x.lua:2: raised a table instead of a text");
}

/* Found when the file is loaded, though the hook has not run. */
static void expect_refused(const char *text, const char *want)
{
    char all[512];
    struct file files[] = {{"init.lua", "return chain { 'x' }"}, {"models.lua", MODELS}, {"x.lua", text}, {NULL, NULL}};
    snprintf(all, sizeof all,
             "policies/init.lua:1:14: warning: no auth policy in the chain: callers are let in without a key\n%s\n", want);
    expect_errors(files, all);
}

static void names_in_hooks_are_checked_at_load(void)
{
    expect_refused("return policy { on_request = function(ctx)\n count = 1 end }",
                   "policies/x.lua:2:2: assignment to global 'count': add 'local'");
    expect_refused("return policy { on_request = function(ctx)\n return function() dney(403, 'no') end end }",
                   "policies/x.lua:2:20: undefined name 'dney' (did you mean 'deny'?)");
}

/* What no hook can stop is not there: a function that calls itself through pcall. */
static void policies_have_no_pcall(void)
{
    expect_refused(
        "return policy { on_request = function(ctx)\n local function f() while true do pcall(f) end end f() end }",
        "policies/x.lua:2:35: undefined name 'pcall' (a policy that fails denies, or is skipped with on_error = "
        "\"skip\"; answers are return values)");
    expect_refused("return policy { on_request = function(ctx)\n xpcall(error, error) end }",
                   "policies/x.lua:2:2: undefined name 'xpcall' (a policy that fails denies, or is skipped with on_error "
                   "= \"skip\"; answers are return values)");
}

static void limits_come_from_the_settings(void)
{
    struct settings *settings = settings_new();
    settings->policy_bytecodes = 20000;
    struct policy_set *set =
        load_hook("return policy { on_request = function(ctx) for i = 1, 1e9 do end end }", settings);
    struct exchange *x = request("gpt-4o");
    decide(set, x);
    EXPECT_SLICE(SLICE("policies/x.lua:1: stopped after 20000 bytecodes"), x->decision.verdict.fault_text);
    simulate_free(x);
    policy_set_unref(set);

    settings->policy_bytecodes = 1u << 31;
    settings->policy_deadline_ms = 1;
    set = load_hook("return policy { on_request = function(ctx) for i = 1, 1e9 do end end }", settings);
    x = request("gpt-4o");
    decide(set, x);
    EXPECT_SLICE(SLICE("policies/x.lua:1: stopped after 1 ms"), x->decision.verdict.fault_text);
    simulate_free(x);
    policy_set_unref(set);
    settings_unref(settings);
}

static void a_policy_that_says_skip_is_passed_over(void)
{
    static const char *const broken[] = {
        "return policy { on_error = 'skip', on_request = function() error('no') end }",
        "return policy { on_error = 'skip', on_request = function() while true do end end }",
        "return policy { on_error = 'skip', on_request = function() local s = 'x' while true do s = s .. s end end }",
        "return policy { on_error = 'skip', on_request = function() local _ = deny(403, 'no') end }",
        "return policy { mode = 'observe', on_request = function() error('no') end }",
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct policy_errors errors;
        struct file files[] = {{"init.lua", "return chain { 'x', 'y' }"},
                               {"models.lua", MODELS},
                               {"x.lua", broken[i]},
                               {"y.lua", "return policy { on_request = function(ctx) ctx:annotate('y', 1) end }"},
                               {NULL, NULL}};
        struct policy_set *set = load(files, NULL, &errors);
        struct exchange *x = request("gpt-4o");
        decide(set, x);
        EXPECT_INT(VERDICT_ALLOW, x->decision.verdict.kind);
        EXPECT_INT(1, x->decision.annotation_count);
        EXPECT_SLICE(SLICE("skip"), x->decision.trace.entries[0].verb);
        simulate_free(x);
        policy_set_unref(set);
        policy_errors_clear(&errors);
    }
}

static void a_ctx_kept_past_its_request_raises(void)
{
    struct policy_set *set = load_hook("local kept\n"
                                       "return policy { on_request = function(ctx)\n"
                                       "  if kept then return kept.request.model end\n"
                                       "  kept = ctx\n"
                                       "end }",
                                       NULL);
    struct exchange *x = request("gpt-4o");
    decide(set, x);
    EXPECT_INT(VERDICT_ALLOW, x->decision.verdict.kind);
    simulate_free(x);
    x = request("gpt-4o");
    decide(set, x);
    EXPECT_SLICE(SLICE("policies/x.lua:3: this ctx belongs to a request that is over: nothing of a request may be kept "
                       "for the next"),
                 x->decision.verdict.fault_text);
    simulate_free(x);
    policy_set_unref(set);
}

/* --- loading --- */

static void all_errors_come_at_once_with_their_places(void)
{
    struct file files[] = {
        {"init.lua", "return chain {\n  'x',\n  'acess',\n  'y', 'z', 'w',\n}"},
        {"models.lua",
         "return models {\n  ['gpt-4o'] = { targets = { 'openai/gpt-4o' }, price = usd_per_million { input = 'two', output "
         "= 1 } },\n}"},
        {"access.lua", "return access { models = {} }"},
        {"x.lua",
         "return policy {\n  rules = {\n    { 'r', when = { max_latency = lt(1000) }, only = { 'openai/gpt-4' } "
         "},\n  },\n}"},
        {"y.lua", "return policy {\n  rules = {\n"},
        {"z.lua", "local a = 1\nwhile true do end\nreturn policy {}"},
        {"w.lua", "return models {}"},
        {NULL, NULL}};
    expect_errors(
        files, "policies/init.lua:1:14: warning: no auth policy in the chain: callers are let in without a key\n"
               "policies/init.lua:1:14: warning: policies/access.lua is not in the chain, and nobody requires it: it has no effect (return chain { \"access\", \"x\", \"y\", \"z\", \"w\" } in policies/init.lua)\n"
               "policies/init.lua:3:3: [2]: there is no file policies/acess.lua (did you mean 'access'?)\n"
               "policies/models.lua:2:75: gpt-4o.price.input: a price is USD per million tokens with at most six "
               "decimals, such as \"2.50\"; got the text 'two'\n"
               "policies/w.lua:1:15: policies/w.lua stands in the chain, and returns models { … }, which is no policy\n"
               "policies/x.lua:3:21: rules[1].when.max_latency: unknown condition 'max_latency' (did you mean "
               "'max_latency_ms'?)\n"
               "policies/x.lua:3:47: rules[1].only: no target 'openai/gpt-4' in policies/models.lua (did you mean "
               "'openai/gpt-4o'?)\n"
               "policies/y.lua:2:12: unexpected symbol near '<eof>' (the file ends in the middle: is a '}' or an 'end' "
                  "missing?)\n"
               "policies/z.lua:2: stopped after 2000000 bytecodes (an endless loop? if not: moongate.lua sets the budget, "
                  "policy = { bytecodes = … })\n");
}

static void missing_files_are_named(void)
{
    struct file none[] = {{"x.lua", ""}, {NULL, NULL}};
    expect_errors(none, "policies/init.lua: there is no file policies/init.lua\n"
                        "policies/models.lua: there is no file policies/models.lua\n");
    struct file nothing[] = {
        {"init.lua", "return chain { 'x' }"}, {"models.lua", MODELS}, {"x.lua", "local a = 1"}, {NULL, NULL}};
    expect_errors(nothing,
                  "policies/init.lua:1:14: warning: no auth policy in the chain: callers are let in without a key\n"
                  "policies/x.lua: the file returns nothing (it must end with: return access { … })\n");
    struct file runtime[] = {{"init.lua", "return chain { 'x' }"},
                             {"models.lua", MODELS},
                             {"x.lua", "local t = nil\nreturn policy { name = t.x }"},
                             {NULL, NULL}};
    expect_errors(runtime,
                  "policies/init.lua:1:14: warning: no auth policy in the chain: callers are let in without a key\n"
                  "policies/x.lua:2:24: attempt to index local 't' (a nil value) (what stands before the dot or bracket is not "
                  "there)\n");
}

static void a_failing_example_is_an_error_with_a_caret(void)
{
    struct policy_errors errors;
    struct fault why;
    struct buf out;
    struct bundle_file files[] = {
        {SLICE("init.lua"), SLICE("return chain { 'x' }")},
        {SLICE("models.lua"), SLICE(MODELS)},
        {SLICE("x.lua"),
         SLICE("return policy {\n  on_request = function() return deny(403, 'nope', 'because') end,\n"
               "  examples = {\n    { model = 'gpt-4o' },\n    { model = 'gpt-4o', deny = 'nope' },\n  },\n}")},
    };
    struct bundle *bundle = bundle_of(files, 3, &why);
    policy_errors_init(&errors);
    buf_init(&out);
    EXPECT(!policy_set_load(bundle, NULL, &errors));
    EXPECT_INT(1, errors.error_count);
    policy_errors_print(&errors, bundle, &out);
    EXPECT(strstr(buf_ptr(&out),
                  "policies/x.lua:4:5: examples[1]: expected allow, got deny nope (x/on_request: because)\n"
                  "    |     { model = 'gpt-4o' },\n"
                  "    |     ^\n"));
    buf_clear(&out);
    policy_errors_clear(&errors);
    bundle_unref(bundle);
}

static void bytecode_is_refused(void)
{
    struct file files[] = {
        {"init.lua", "return chain { 'x' }"}, {"models.lua", MODELS}, {"x.lua", "\x1bLJ\x02"}, {NULL, NULL}};
    expect_errors(files,
                  "policies/init.lua:1:14: warning: no auth policy in the chain: callers are let in without a key\n"
                  "policies/x.lua: compiled Lua is refused: a policy is source, for people to read\n");
}

static void a_provider_that_is_not_there_is_a_warning_and_503(void)
{
    struct settings *settings = settings_new();
    struct policy_errors errors;
    struct file files[] = {
        {"init.lua", "return chain { 'x' }"}, {"models.lua", MODELS}, {"x.lua", "return policy {}"}, {NULL, NULL}};
    struct policy_set *set = load(files, settings, &errors);
    EXPECT(set);
    EXPECT_INT(2, errors.count);
    EXPECT_INT(0, errors.error_count);
    EXPECT_SLICE(SLICE("gpt-4o.targets[1]: moongate.lua has no provider 'openai': openai/gpt-4o cannot be used"),
                 errors.items[1].text);
    if (set) {
        struct exchange *x = request("gpt-4o");
        decide(set, x);
        EXPECT_INT(VERDICT_DENY, x->decision.verdict.kind);
        EXPECT_INT(503, x->decision.verdict.status);
        EXPECT_SLICE(SLICE("no_target"), x->decision.verdict.code);
        simulate_free(x);
    }
    policy_set_unref(set);
    policy_errors_clear(&errors);
    settings_unref(settings);
}

/* --- lifetimes --- */

static void an_old_generation_lives_until_its_last_evaluation(void)
{
    size_t before = policy_live_generations();
    struct policy_set *set = load_hook("return policy { on_request = function() for i = 1, 50000 do end end }", NULL);
    EXPECT_INT(before + 1, policy_live_generations());
    struct exchange *x = request("gpt-4o");
    struct policy_eval *eval = policy_decide(set, x);
    EXPECT_INT(POLICY_MORE, policy_eval_step(eval));
    policy_set_unref(set);
    EXPECT_INT(before + 1, policy_live_generations());
    while (policy_eval_step(eval) == POLICY_MORE)
        continue;
    EXPECT_INT(VERDICT_ALLOW, x->decision.verdict.kind);
    policy_eval_free(eval);
    simulate_free(x);
    EXPECT_INT(before, policy_live_generations());
}

static void many_evaluations_leave_no_memory_behind(void)
{
    struct policy_set *set =
        load_hook("return policy { rules = { { 'a', when = { user = 'ana' }, annotate = { a = 1 } } }, "
                  "on_request = function(ctx) ctx:annotate('t', ctx.request:last_user_text()) end }",
                  NULL);
    size_t level = 0;
    for (int i = 0; i < 20000; i++) {
        struct exchange *x = request("gpt-4o");
        decide(set, x);
        if (x->decision.annotation_count != 2) EXPECT_INT(2, x->decision.annotation_count);
        simulate_free(x);
        if (policy_set_memory(set) > level && i < 10000) level = policy_set_memory(set);
        if (i >= 10000 && policy_set_memory(set) > level + 64 * KIB) {
            EXPECT_INT(level, policy_set_memory(set));
            break;
        }
    }
    policy_set_unref(set);
}

/* A worker loads what a checker has loaded: what was said of it then is not said again. */
static void what_was_checked_is_not_checked_again(void)
{
    struct fault why;
    struct policy_errors errors;
    struct bundle_file files[] = {
        {SLICE("init.lua"), SLICE("return chain { 'x' }")},
        {SLICE("models.lua"), SLICE(MODELS)},
        {SLICE("x.lua"), SLICE("return policy { rules = { { 'a', deny = { 403, 'a' } }, { 'b', deny = { 403, 'b' } } },\n"
                               "examples = { { model = 'gpt-4o' } } }")}};
    struct bundle *bundle = bundle_of(files, 3, &why);
    for (int is_checked = 0; is_checked < 2; is_checked++) {
        policy_errors_init(&errors);
        struct policy_set *set =
            policy_set_load_for(bundle, &(struct policy_load){.is_checked = is_checked}, &errors);
        EXPECT(is_checked == (set != NULL)); /* the example fails */
        EXPECT_INT(is_checked ? 1 : 2, errors.count); /* there is no auth in the chain */
        policy_set_unref(set);
        policy_errors_clear(&errors);
    }
    bundle_unref(bundle);
}

int main(void)
{
    RUN(the_shipped_policies_load_and_decide);
    RUN(a_long_evaluation_comes_in_slices);
    RUN(evaluations_interleave);
    RUN(a_cancelled_evaluation_is_dropped);
    RUN(what_a_policy_does_wrong_names_its_line);
    RUN(names_in_hooks_are_checked_at_load);
    RUN(policies_have_no_pcall);
    RUN(limits_come_from_the_settings);
    RUN(a_policy_that_says_skip_is_passed_over);
    RUN(a_ctx_kept_past_its_request_raises);
    RUN(all_errors_come_at_once_with_their_places);
    RUN(missing_files_are_named);
    RUN(a_failing_example_is_an_error_with_a_caret);
    RUN(bytecode_is_refused);
    RUN(a_provider_that_is_not_there_is_a_warning_and_503);
    RUN(an_old_generation_lives_until_its_last_evaluation);
    RUN(many_evaluations_leave_no_memory_behind);
    RUN(what_was_checked_is_not_checked_again);
    return unit_close("policy");
}
