#include "lua/eval.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "lua/calls.h"
#include "lua/simulate.h"

#define FAULTS_MAX 64 /* policies of one chain that may fail and be passed over */

struct policy_eval *policy_begin(struct policy_set *set, struct exchange *x, const struct policy_call *how)
{
    struct policy_eval *eval = mem_alloc(sizeof *eval);
    check(policy_has(set, how->phase));
    eval_init(eval, policy_set_ref(set), x, &set->entries[how->phase], how);
    if (how->phase == PHASE_REQUEST)
        memcpy(x->decision.policy_digest, policy_set_digest(set), sizeof x->decision.policy_digest);
    return eval;
}

struct policy_eval *policy_decide(struct policy_set *set, struct exchange *x)
{
    return policy_begin(set, x,
                        &(struct policy_call){.phase = PHASE_REQUEST, .host = set->host, .host_arg = set->host_arg});
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

const struct verdict *policy_eval_answer(const struct policy_eval *eval)
{
    return eval->answer;
}

uint32_t policy_eval_left_ms(const struct policy_eval *eval)
{
    uint64_t took_ms = (clock_mono_ns() - eval->task.born_mono_ns) / NS_PER_MS;
    return took_ms < eval->task.limits.deadline_ms ? eval->task.limits.deadline_ms - (uint32_t)took_ms : 0;
}

/* The same request draws the same numbers wherever it is decided again. */
static uint64_t seed_of(const char *id)
{
    uint64_t hash = hash_bytes(slice_str(id), 0);
    return hash ? hash : 1;
}

/* The request's tokens by the rules of the first target of the model it names, and what may be answered. The gateway
 * has counted between turns of its loop; where it did not, as in commands, it is done here. */
static void estimate(struct policy_set *set, struct exchange *x)
{
    if (x->estimate.is_made || !x->api->has_text) return;
    x->estimate.is_made = true;
    x->estimate.output_tokens = x->request.max_tokens > 0 ? (uint64_t)x->request.max_tokens : 0;
    if (!x->count) x->count = count_new(&x->request, 1u << terms_table_vocabulary(set->terms, x->request.model), NULL);
    while (!count_step(x->count, UINT64_MAX))
        continue;
    struct count_total total = count_total(x->count, terms_table_counting(set->terms, x->request.model));
    x->estimate.input_tokens = total.input_tokens;
    x->estimate.is_flagged = total.is_estimated;
    x->estimate.is_partial = total.is_partial;
}

static void believe_key(struct exchange *x)
{
    if (!x->identity.key || !key_record_is_live(x->identity.key, x->born_wall_ns)) return;
    x->identity.app = x->identity.key->app;
    x->identity.department = x->identity.key->department;
    x->identity.user = x->identity.key->user;
    x->identity.team = x->identity.key->team;
}

/* It begins in scripts/. */
static void init_task(struct policy_eval *eval)
{
    vm_task_init(&eval->task, &eval->set->limits);
    eval->task.is_trusted = true;
}

void eval_init(struct policy_eval *eval, struct policy_set *set, struct exchange *x, const struct policy_entry *entry,
               const struct policy_call *how)
{
    memset(eval, 0, sizeof *eval);
    eval->set = set;
    eval->x = x;
    eval->entry = *entry;
    eval->answer = &x->decision.verdict;
    eval->state_ref = LUA_NOREF;
    if (how) eval->how = *how;
    eval->serial = ++set->serials;
    eval->random = seed_of(x->id);
    init_task(eval);
    if (eval->how.phase != PHASE_REQUEST) {
        eval->own_answer = mem_zalloc(1, sizeof *eval->own_answer);
        eval->answer = eval->own_answer;
        return;
    }
    if (set->keeps_state) asked_miss(&x->asked, &x->arena, SLICE("keeps_state"));
    simulate_adopt(x, set->auth);
    believe_key(x);
    estimate(set, x);
}

/* --- the table of facts --- */

/* The one on top; places are used again, since making one is dearer than all else about it. */
static void keep_state(lua_State *L, struct policy_eval *eval)
{
    struct policy_set *set = eval->set;
    if (!set->state_ref_count) {
        eval->state_ref = luaL_ref(L, LUA_REGISTRYINDEX);
        return;
    }
    eval->state_ref = set->state_refs[--set->state_ref_count];
    lua_rawseti(L, LUA_REGISTRYINDEX, eval->state_ref);
}

static void drop_state(struct policy_eval *eval)
{
    struct policy_set *set = eval->set;
    lua_State *L = vm_main(set->vm);
    if (eval->state_ref == LUA_NOREF) return;
    if (set->state_ref_count == EVAL_SPARES_MAX) {
        luaL_unref(L, LUA_REGISTRYINDEX, eval->state_ref);
    } else {
        lua_pushboolean(L, false); /* the place is there: allocates nothing */
        lua_rawseti(L, LUA_REGISTRYINDEX, eval->state_ref);
        set->state_refs[set->state_ref_count++] = eval->state_ref;
    }
    eval->state_ref = LUA_NOREF;
}

/* --- strands --- */

/* One that raised, waits or was stopped is lost; one at work is not touched. */
static bool keep_spare(struct policy_eval *eval, struct strand *strand)
{
    struct policy_set *set = eval->set;
    if (lua_status(strand->co) != 0 || strand == eval->current || set->spare_count == EVAL_SPARES_MAX) return false;
    lua_settop(strand->co, 0);
    set->spares[set->spare_count++] = (struct spare_strand){strand->co, strand->co_ref};
    return true;
}

void eval_drop_strand(struct policy_eval *eval, struct strand *strand)
{
    if (strand->state == STRAND_FREE) return;
    calls_drop(eval, strand);
    if (!keep_spare(eval, strand)) {
        luaL_unref(vm_main(eval->set->vm), LUA_REGISTRYINDEX, strand->co_ref); /* gives a slot back, allocates none */
    }
    *strand = (struct strand){0};
}

static void drop_strands(struct policy_eval *eval)
{
    for (size_t i = 0; i < EVAL_STRANDS_MAX; i++)
        eval_drop_strand(eval, &eval->strands[i]);
}

void eval_clear(struct policy_eval *eval)
{
    drop_strands(eval);
    drop_state(eval);
    mem_free(eval->own_answer);
    eval->own_answer = NULL;
}

/* May raise before the strand is taken, never after. */
static struct strand *add_strand(lua_State *L, struct policy_eval *eval, struct strand *parent)
{
    struct strand *strand = eval->strands;
    while (strand < eval->strands + EVAL_STRANDS_MAX && strand->state != STRAND_FREE)
        strand++;
    if (strand == eval->strands + EVAL_STRANDS_MAX) return NULL;
    struct spare_strand use;
    if (eval->set->spare_count) {
        use = eval->set->spares[--eval->set->spare_count];
    } else {
        use.co = lua_newthread(L);
        use.co_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    *strand = (struct strand){.state = STRAND_READY, .co = use.co, .co_ref = use.co_ref, .parent = parent};
    return strand;
}

struct strand *eval_add_child(lua_State *L, struct policy_eval *eval)
{
    struct strand *child = add_strand(L, eval, eval->current);
    if (child) lua_xmove(L, child->co, 1);
    return child;
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
        lua_rawgeti(L, LUA_REGISTRYINDEX, eval->set->facts_ref);
        lua_call(L, 0, 1);
        keep_state(L, eval);
    }
    drop_strands(eval);
    lua_State *co = add_strand(L, eval, NULL)->co;
    lua_rawgeti(co, LUA_REGISTRYINDEX, start->entry_ref);
    lua_rawgeti(co, LUA_REGISTRYINDEX, eval->state_ref);
    if (start->fault_text) lua_pushstring(co, start->fault_text);
    return 0;
}

static void give_up(struct policy_eval *eval, const char *text)
{
    eval->answer->kind = VERDICT_FAULT;
    eval->answer->target_count = 0;
    eval->answer->fault_text = arena_copy(&eval->x->arena, slice_str(text));
    eval->is_done = true;
}

static enum vm_result run(struct policy_eval *eval, struct strand *strand, int nargs)
{
    struct policy_eval *outer = eval->set->running;
    eval->set->running = eval;
    eval->current = strand;
    enum vm_result result = vm_resume(eval->set->vm, &eval->task, strand->co, nargs);
    eval->current = NULL;
    eval->set->running = outer;
    return result;
}

/* A fresh first strand; how its first slice went. VM_DONE with is_done set when it could not even start. */
static enum vm_result start(struct policy_eval *eval, int entry_ref, const char *fault_text)
{
    struct fault why;
    struct start start = {eval, entry_ref, fault_text};
    if (vm_protect(eval->set->vm, on_start, &start, &why)) return run(eval, eval->strands, fault_text ? 2 : 1);
    give_up(eval, why.text);
    return VM_DONE;
}

/* A policy failed: scripts/ says what that means, in a coroutine and with limits of its own, because what it failed in
 * is lost. */
static enum vm_result after_fault(struct policy_eval *eval, struct strand *strand, enum vm_result result)
{
    char text[512];
    vm_fault_text(&eval->task, strand->co, result, text, sizeof text);
    if (eval->faults++ == FAULTS_MAX) {
        give_up(eval, text);
        return VM_DONE;
    }
    eval->is_late = false;
    init_task(eval);
    return start(eval, eval->entry.after_fault_ref, text);
}

/* The parent of a child's last sibling goes on. */
static void end_child(struct strand *child)
{
    child->state = STRAND_ENDED;
    if (--child->parent->children == 0) child->parent->state = STRAND_READY;
}

/* Strands take turns, so that a child that computes does not keep the others from their answers. */
static struct strand *next_ready(struct policy_eval *eval)
{
    struct strand *best = NULL;
    for (size_t i = EVAL_STRANDS_MAX; i-- > 0;) {
        struct strand *strand = &eval->strands[i];
        if (strand->state == STRAND_READY && (!best || strand->turns <= best->turns)) best = strand;
    }
    if (best) best->turns++;
    return best;
}

static bool has_ready(const struct policy_eval *eval)
{
    for (size_t i = 0; i < EVAL_STRANDS_MAX; i++) {
        if (eval->strands[i].state == STRAND_READY) return true;
    }
    return false;
}

/* Some strand waits for an answer, or nobody would be left to go on. */
static struct strand *waiting_strand(struct policy_eval *eval)
{
    struct strand *strand = eval->strands;
    while (strand->state != STRAND_WAITING)
        strand++;
    return strand;
}

/* While everything waits, no hook looks at the clock. */
static void stop_when_late(struct policy_eval *eval, struct strand *strand)
{
    if (eval->task.stop || (!eval->is_late && policy_eval_left_ms(eval) > 0)) return;
    eval->task.stop = VM_STOP_DEADLINE;
    vm_place(strand->co, eval->task.place, sizeof eval->task.place);
}

/* --- what the record keeps of the facts --- */

const char *const eval_kept_names[EVAL_KEPT] = {"data", "session", "labels"};

/* Pushes that fact; nil where nobody asked for it. Raises nothing: the names are there. */
static void push_kept(lua_State *L, struct policy_eval *eval, int which)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, eval->state_ref);
    lua_rawgeti(L, LUA_REGISTRYINDEX, eval->set->kept_refs[which]);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

static struct slice kept_text(lua_State *L, struct policy_eval *eval, int which)
{
    size_t len;
    struct slice text = SLICE("");
    push_kept(L, eval, which);
    if (lua_type(L, -1) == LUA_TSTRING) {
        const char *bytes = lua_tolstring(L, -1, &len);
        text = arena_copy(&eval->x->arena, slice_of(bytes, len));
    }
    lua_pop(L, 1);
    return text;
}

static int by_bytes(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    int order = memcmp(x->ptr, y->ptr, x->len < y->len ? x->len : y->len);
    return order ? order : x->len < y->len ? -1 : x->len > y->len;
}

/* The names of the set on top, in an order of their own. */
static void keep_labels(lua_State *L, struct exchange *x)
{
    struct slice found[LIMIT_DATA_LABELS];
    size_t count = 0, len;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || count == LIMIT_DATA_LABELS) continue;
        const char *bytes = lua_tolstring(L, -2, &len);
        found[count++] = arena_copy(&x->arena, slice_of(bytes, len));
    }
    qsort(found, count, sizeof *found, by_bytes);
    x->decision.labels = arena_alloc(&x->arena, (count + 1) * sizeof *found);
    memcpy(x->decision.labels, found, count * sizeof *found);
    x->decision.label_count = count;
}

/* Where no policy asked; an app that has headers of its own for it was asked. */
static void keep_session(struct policy_eval *eval)
{
    struct exchange *x = eval->x;
    for (size_t i = 0; i < EVAL_SESSION_HEADERS && eval->set->session_headers[i][0]; i++) {
        struct slice value = exchange_header(x, slice_str(eval->set->session_headers[i]));
        if (!value.len) continue;
        x->decision.session = arena_copy(&x->arena, value);
        return;
    }
}

static void keep_decided(struct policy_eval *eval)
{
    struct decision *d = &eval->x->decision;
    lua_State *L = vm_main(eval->set->vm);
    d->decided_trace = d->trace.count;
    d->decided_annotations = d->annotation_count;
    if (eval->state_ref == LUA_NOREF) return;
    d->data = kept_text(L, eval, 0);
    if (!d->session.ptr) { /* nobody has said, not even that there is none */
        d->session = kept_text(L, eval, 1);
        if (!d->session.len) keep_session(eval);
    }
    push_kept(L, eval, 2);
    if (lua_istable(L, -1)) keep_labels(L, eval->x);
    lua_pop(L, 1);
}

static enum policy_step finish(struct policy_eval *eval)
{
    if (eval->how.phase == PHASE_REQUEST) keep_decided(eval);
    if (!eval->is_done && eval->answer->kind == VERDICT_NONE) {
        if (eval->how.phase == PHASE_REQUEST) give_up(eval, "the chain came to no verdict");
        else eval->answer->kind = VERDICT_ALLOW;
    }
    eval->is_done = true;
    return POLICY_DONE;
}

/* A strand asked for the request's tokens in one more vocabulary (core.count_input): a slice of that, at nobody's
 * expense. True: they are there. */
static bool is_counted(const struct policy_eval *eval)
{
    struct count *count = eval->x->count;
    uint64_t began_ns = clock_mono_ns();
    while (count && !count_step(count, LIMIT_COUNT_STEP_BYTES)) {
        if (clock_mono_ns() - began_ns >= LIMIT_COUNT_SLICE_MS * NS_PER_MS) return false;
    }
    return true;
}

enum policy_step eval_step(struct policy_eval *eval)
{
    if (!is_counted(eval)) return POLICY_MORE;
    struct strand *strand = next_ready(eval);
    enum vm_result result;
    if (strand) {
        stop_when_late(eval, strand);
        result = run(eval, strand, 0);
    } else if (eval->strands[0].state == STRAND_FREE) {
        result = start(eval, eval->entry.run_ref, NULL);
        strand = eval->strands;
    } else if (policy_eval_left_ms(eval) > 0) {
        return POLICY_WAITING;
    } else {
        strand = waiting_strand(eval);
        stop_when_late(eval, strand);
        result = VM_STOPPED;
    }
    while (result == VM_RAISED || result == VM_STOPPED) {
        result = after_fault(eval, strand, result);
        strand = eval->strands;
    }
    if (result == VM_DONE && !eval->is_done && strand->parent) {
        end_child(strand);
        result = VM_MORE;
    }
    if (result == VM_DONE) return finish(eval);
    return has_ready(eval) ? POLICY_MORE : POLICY_WAITING;
}
