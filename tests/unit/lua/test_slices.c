/* Loading and freeing in slices: as short as they can be, they come to the same as in one go; cancelled anywhere, nothing is
 * left. */
#include "../unit.h"

#include <lualib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fiber.h"
#include "exchange/settings.h"
#include "lua/policy.h"
#include "lua/simulate.h"
#include "lua/vm.h"

/* What a policy can do that no coroutine could put aside: comparators, callbacks, protected calls, examples. */
static const char policy[] =
    "local lists = require 'lib.lists'\n"
    "local names = { 'c', 'b', 'a' }\n"
    "for i = 1, 300 do names[#names + 1] = 'n' .. (i * 7919) % 1009 end\n"
    "table.sort(names, function(a, b) return a < b end)\n"
    "local text = ('x y '):rep(200):gsub('%a', function(c) return c:upper() end)\n"
    "return policy {\n"
    "  rules = {\n"
    "    { 'words', when = { contains = names }, deny = { 403, 'words' } },\n"
    "    { 'home', when = { department = lists.sensitive }, only = { 'local/*' } },\n"
    "  },\n"
    "  on_request = function(ctx) if ctx.identity.team == text then return deny(403, 'team') end end,\n"
    "  examples = { { model = 'gpt-4o', as = { department = 'hr' }, route = 'local/gpt-4o' },\n"
    "               { model = 'gpt-4o', text = 'n5', deny = 'words' } },\n"
    "}\n";

static struct bundle *make_bundle(bool is_good)
{
    struct fault why;
    struct buf models, broken;
    buf_init(&models);
    buf_init(&broken);
    buf_append(&models, SLICE("return models { auto = { virtual = true },\n"
                              "['gpt-4o'] = { targets = { 'openai/gpt-4o', 'local/gpt-4o' }, price = free },\n"));
    for (int i = 0; i < 100; i++)
        buf_printf(&models, "['m%d'] = { targets = { 'p/m%d' }%s },\n", i, i, i % 10 ? ", price = free" : "");
    buf_append(&models, SLICE("}\n"));
    buf_append(&broken, slice_of(policy, sizeof policy - 1));
    if (!is_good) buf_append(&broken, SLICE("local x = nothing_of_that_name\n"));
    struct bundle_file files[] = {
        {SLICE("init.lua"), SLICE("return chain { 'x', 'y' }")},
        {SLICE("models.lua"), buf_slice(&models)},
        {SLICE("lib/lists.lua"), SLICE("return { sensitive = { 'hr', 'legal' } }")},
        {SLICE("x.lua"), is_good ? buf_slice(&broken) : SLICE("return policy { rules = { { 'a', dney = 1 } } }")},
        {SLICE("y.lua"), is_good ? SLICE("return policy {}") : buf_slice(&broken)}};
    struct bundle *bundle = bundle_of(files, 5, &why);
    buf_clear(&models);
    buf_clear(&broken);
    return bundle;
}

struct job {
    struct bundle *bundle;
    struct settings *settings; /* NULL: those of a gateway without any */
    struct policy_errors errors;
    struct policy_set *set;
};

static void load(void *arg)
{
    struct job *job = arg;
    policy_errors_init(&job->errors);
    job->set = policy_set_load(job->bundle, job->settings, &job->errors);
}

static void print(struct job *job, struct buf *out)
{
    buf_init(out);
    policy_errors_print(&job->errors, job->bundle, out);
    policy_errors_clear(&job->errors);
}

static int run_in_slices(struct fiber *fiber)
{
    int slices = 1;
    while (!fiber_run(fiber, 0))
        slices++;
    fiber_free(fiber);
    return slices;
}

static enum verdict_kind decide(struct policy_set *set, const char *department, const char *text)
{
    struct fault why;
    char json[256];
    snprintf(json, sizeof json,
             "{\"body\":{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]},"
             "\"key\":{\"id\":\"key_1\",\"app\":\"demo\",\"department\":\"%s\"}}",
             text, department);
    struct exchange *x = simulate_exchange(slice_str(json), &why);
    struct policy_eval *eval = policy_decide(set, x);
    while (policy_eval_step(eval) == POLICY_MORE)
        continue;
    policy_eval_free(eval);
    enum verdict_kind kind = x->decision.verdict.kind;
    EXPECT_INT(strcmp(department, "hr") == 0 || kind != VERDICT_ALLOW ? kind == VERDICT_ALLOW : 2, x->decision.verdict.target_count);
    simulate_free(x);
    return kind;
}

static void bury(void *arg)
{
    policy_set_free_dead(arg);
}

static void on_dead(void *arg, struct policy_set *set)
{
    *(struct policy_set **)arg = set;
}

static void the_shortest_slices_give_the_same_generation(void)
{
    struct job whole = {.bundle = make_bundle(true)}, sliced = whole;
    struct policy_set *dead = NULL;
    struct buf whole_errors, sliced_errors;
    load(&whole);
    EXPECT(run_in_slices(fiber_new(load, &sliced)) > 1000);
    print(&whole, &whole_errors);
    print(&sliced, &sliced_errors);
    EXPECT(buf_len(&whole_errors) > 0); /* ten models have no price */
    EXPECT_SLICE(buf_slice(&whole_errors), buf_slice(&sliced_errors));
    EXPECT(whole.set && sliced.set);
    if (whole.set && sliced.set) {
        EXPECT_INT(VERDICT_ALLOW, decide(sliced.set, "hr", "hello"));
        EXPECT_INT(VERDICT_ALLOW, decide(sliced.set, "sales", "hello"));
        EXPECT_INT(VERDICT_DENY, decide(sliced.set, "sales", "say n5 now"));
        policy_on_dead(on_dead, &dead);
        policy_set_unref(sliced.set);
        EXPECT(dead == sliced.set);
        EXPECT_INT(2, policy_live_generations());
        EXPECT(run_in_slices(fiber_new(bury, dead)) > 100);
        policy_on_dead(NULL, NULL);
        policy_set_unref(whole.set);
    }
    EXPECT_INT(0, policy_live_generations());
    buf_clear(&whole_errors);
    buf_clear(&sliced_errors);
    bundle_unref(whole.bundle);
}

static void the_shortest_slices_find_the_same_errors(void)
{
    struct job whole = {.bundle = make_bundle(false)}, sliced = whole;
    struct buf whole_errors, sliced_errors;
    load(&whole);
    run_in_slices(fiber_new(load, &sliced));
    EXPECT(!whole.set && !sliced.set);
    EXPECT(whole.errors.error_count >= 2);
    print(&whole, &whole_errors);
    print(&sliced, &sliced_errors);
    EXPECT_SLICE(buf_slice(&whole_errors), buf_slice(&sliced_errors));
    buf_clear(&whole_errors);
    buf_clear(&sliced_errors);
    bundle_unref(whole.bundle);
}

/* Whether anything is left, the sanitizers say. */
static void cancelled_anywhere_nothing_is_left(void)
{
    struct bundle *bundle = make_bundle(true);
    bool has_ended = false;
    for (int slices = 0; !has_ended; slices += 1 + slices / 16) {
        struct job job = {.bundle = bundle};
        struct fiber *fiber = fiber_new(load, &job);
        for (int i = 0; i < slices && !has_ended; i++)
            has_ended = fiber_run(fiber, 0);
        fiber_free(fiber);
        EXPECT(job.set || !has_ended);
        policy_set_unref(job.set);
        policy_errors_clear(&job.errors);
        EXPECT_INT(0, policy_live_generations());
    }
    /* Nor is what only one loading at a time may use left in the middle. */
    struct job after = {.bundle = bundle};
    load(&after);
    EXPECT(after.set);
    policy_set_unref(after.set);
    policy_errors_clear(&after.errors);
    bundle_unref(bundle);
}

static void use_cpu(uint64_t ns)
{
    uint64_t end = clock_cpu_ns() + ns;
    while (clock_cpu_ns() < end)
        continue;
}

/* What others take while the file below rests, some 600 ms, is not the file's, which has 200. */
static void the_time_between_slices_does_not_count(void)
{
    struct fault why;
    struct bundle_file files[] = {
        {SLICE("init.lua"), SLICE("return chain { 'x' }")},
        {SLICE("models.lua"), SLICE("return models { a = { targets = { 'p/a' }, price = free } }")},
        {SLICE("x.lua"), SLICE("local n = 0\nfor i = 1, 1000000 do n = n + i end\nreturn policy {}")}};
    struct job job = {.bundle = bundle_of(files, 3, &why), .settings = settings_new()};
    job.settings->policy_bytecodes = 20000000;
    job.settings->policy_cpu_ms = 200;
    job.settings->policy_deadline_ms = 400;
    struct fiber *fiber = fiber_new(load, &job);
    for (int i = 0; !fiber_run(fiber, 0); i++) {
        if (i % 10 == 0) use_cpu(2 * NS_PER_MS);
    }
    fiber_free(fiber);
    EXPECT_INT(0, job.errors.error_count);
    policy_set_unref(job.set);
    policy_errors_clear(&job.errors);
    settings_unref(job.settings);
    bundle_unref(job.bundle);
}

/* Our own scripts loop too, without allocating and outside of any task. */
static int loop_for_long(lua_State *L)
{
    static const char text[] = "local n = 0 for i = 1, 1000000 do n = n + i end return n";
    luaopen_base(L);
    if (luaL_loadstring(L, text) != 0) return lua_error(L);
    lua_call(L, 0, 1);
    *(lua_Number *)lua_touserdata(L, 1) = lua_tonumber(L, -1);
    return 0;
}

static int loop_for_ever(lua_State *L)
{
    luaopen_base(L);
    if (luaL_loadstring(L, "while true do pcall(function() while true do end end) end") != 0) return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

struct loop_job {
    lua_CFunction fn;
    lua_Number sum;
    bool is_good;
};

static void run_script(void *arg)
{
    struct loop_job *job = arg;
    struct fault why;
    struct vm *vm = vm_new();
    job->is_good = vm_protect(vm, job->fn, &job->sum, &why);
    vm_free(vm);
}

static void scripts_rest_outside_of_tasks_too(void)
{
    struct loop_job job = {.fn = loop_for_long};
    EXPECT(run_in_slices(fiber_new(run_script, &job)) > 1000);
    EXPECT(job.is_good);
    EXPECT_INT(500000500000ll, job.sum);
}

static void what_is_cancelled_cannot_hold_on(void)
{
    struct loop_job job = {.fn = loop_for_ever};
    struct fiber *fiber = fiber_new(run_script, &job);
    for (int i = 0; i < 100; i++)
        EXPECT(!fiber_run(fiber, 0));
    fiber_free(fiber);
    EXPECT(!job.is_good);
}

int main(void)
{
    RUN(scripts_rest_outside_of_tasks_too);
    RUN(what_is_cancelled_cannot_hold_on);
    RUN(the_shortest_slices_give_the_same_generation);
    RUN(the_shortest_slices_find_the_same_errors);
    RUN(cancelled_anywhere_nothing_is_left);
    RUN(the_time_between_slices_does_not_count);
    return unit_close("slices");
}
