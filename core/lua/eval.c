#include "lua/eval.h"

#include "base/log.h"
#include "base/mem.h"

#define FAULTS_MAX 64   /* policies of one chain that may fail and be passed over */
#define STATE_FIELDS 32 /* facts that a usual request asks for: one allocation */

struct policy_eval *policy_decide(struct policy_set *set, struct exchange *x)
{
    struct policy_eval *eval = mem_zalloc(1, sizeof *eval);
    eval_init(eval, policy_set_ref(set), x, set->decide_ref, set->after_fault_ref);
    memcpy(x->policy_digest, policy_set_digest(set), sizeof x->policy_digest);
    return eval;
}

void policy_eval_free(struct policy_eval *eval)
{
    if (!eval) return;
    eval_clear(eval);
    policy_set_unref(eval->set);
    mem_free(eval);
}

enum policy_step policy_eval_step(struct policy_eval *eval)
{
    return eval->is_done ? POLICY_DONE : eval_step(eval);
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits: the same request draws the same numbers wherever it is decided again. */
static uint64_t seed_of(const char *id)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 0x100000001b3ull;
    return hash ? hash : 1;
}

/* Bytes of text / 4, and what may be answered: an estimate until tokens are counted. */
static void estimate(struct exchange *x)
{
    if (x->is_estimate_flagged || x->api == API_MODELS || x->api == API_MODEL || x->api == API_NONE) return;
    x->estimate_input_tokens = (chat_text_bytes(&x->request) + 3) / 4;
    x->estimate_output_tokens = x->request.max_tokens > 0 ? (uint64_t)x->request.max_tokens : 0;
    x->is_estimate_flagged = true;
}

static void believe_key(struct exchange *x)
{
    if (!x->key || !key_record_is_live(x->key, x->born_wall_ns)) return;
    x->app = x->key->app;
    x->department = x->key->department;
    x->user = x->key->user;
    x->team = x->key->team;
}

void eval_init(struct policy_eval *eval, struct policy_set *set, struct exchange *x, int decide_ref,
               int after_fault_ref)
{
    *eval = (struct policy_eval){.set = set,
                                 .x = x,
                                 .decide_ref = decide_ref,
                                 .after_fault_ref = after_fault_ref,
                                 .co_ref = LUA_NOREF,
                                 .state_ref = LUA_NOREF};
    eval->serial = ++set->serials;
    eval->random = seed_of(x->id);
    vm_task_init(&eval->task, &set->limits);
    believe_key(x);
    estimate(x);
}

void eval_clear(struct policy_eval *eval)
{
    lua_State *L = vm_main(eval->set->vm);
    luaL_unref(L, LUA_REGISTRYINDEX, eval->co_ref); /* gives a slot back: allocates nothing */
    luaL_unref(L, LUA_REGISTRYINDEX, eval->state_ref);
    eval->co_ref = eval->state_ref = LUA_NOREF;
    eval->co = NULL;
}

/* --- a slice --- */

struct start {
    struct policy_eval *eval;
    int entry_ref;
    const char *fault_text; /* NULL: the first start */
};

/* Protected: a fresh coroutine with the function and its arguments on its stack. */
static int on_start(lua_State *L)
{
    struct start *start = lua_touserdata(L, 1);
    struct policy_eval *eval = start->eval;
    if (eval->state_ref == LUA_NOREF) {
        lua_createtable(L, 0, STATE_FIELDS);
        eval->state_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    luaL_unref(L, LUA_REGISTRYINDEX, eval->co_ref);
    eval->co_ref = LUA_NOREF;
    lua_State *co = lua_newthread(L);
    eval->co_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_rawgeti(co, LUA_REGISTRYINDEX, start->entry_ref);
    lua_rawgeti(co, LUA_REGISTRYINDEX, eval->state_ref);
    if (start->fault_text) lua_pushstring(co, start->fault_text);
    eval->co = co;
    return 0;
}

static void give_up(struct policy_eval *eval, const char *text)
{
    eval->x->verdict.kind = VERDICT_FAULT;
    eval->x->verdict.target_count = 0;
    eval->x->verdict.fault_text = arena_copy(&eval->x->arena, slice_str(text));
    eval->is_done = true;
}

static enum vm_result run(struct policy_eval *eval, int nargs)
{
    struct policy_eval *outer = eval->set->running;
    eval->set->running = eval;
    enum vm_result result = vm_resume(eval->set->vm, &eval->task, eval->co, nargs);
    eval->set->running = outer;
    return result;
}

/* Starts a coroutine; how its first slice went. VM_DONE with is_done set when it could not even start. */
static enum vm_result start(struct policy_eval *eval, int entry_ref, const char *fault_text)
{
    struct fault why;
    struct start start = {eval, entry_ref, fault_text};
    if (vm_protect(eval->set->vm, on_start, &start, &why)) return run(eval, fault_text ? 2 : 1);
    give_up(eval, why.text);
    return VM_DONE;
}

/* A policy failed: scripts/chain.lua says what that means, in a coroutine and with limits of its own, because what it
 * failed in is lost. */
static enum vm_result after_fault(struct policy_eval *eval, enum vm_result result)
{
    char text[512];
    vm_fault_text(&eval->task, eval->co, result, text, sizeof text);
    if (eval->faults++ == FAULTS_MAX) {
        give_up(eval, text);
        return VM_DONE;
    }
    vm_task_init(&eval->task, &eval->set->limits);
    return start(eval, eval->after_fault_ref, text);
}

enum policy_step eval_step(struct policy_eval *eval)
{
    enum vm_result result = eval->co ? run(eval, 0) : start(eval, eval->decide_ref, NULL);
    while (result == VM_RAISED || result == VM_STOPPED)
        result = after_fault(eval, result);
    if (result == VM_MORE) return POLICY_MORE;
    if (!eval->is_done && eval->x->verdict.kind == VERDICT_NONE) give_up(eval, "the chain came to no verdict");
    eval->is_done = true;
    return POLICY_DONE;
}
