#include "lua/policy.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "lua/betas.h"
#include "lua/bind.h"
#include "lua/counting.h"
#include "lua/observe.h"
#include "lua/sandbox.h"
#include "lua/script.h"
#include "lua/traits.h"
#include "lua/unspent.h"

static size_t live_generations;
static void (*on_dead)(void *arg, struct policy_set *set);
static void *on_dead_arg;

static struct policy_set *set_new(struct bundle *bundle, const struct settings *settings)
{
    struct policy_set *set = mem_zalloc(1, sizeof *set);
    set->refs = 1;
    set->bundle = bundle_ref(bundle);
    set->vm = vm_new();
    set->terms = terms_table_new();
    set->random = 1;
    set->watched_ref = LUA_NOREF;
    for (size_t i = 0; i < POLICY_PHASES; i++)
        set->entries[i] = (struct policy_entry){LUA_NOREF, LUA_NOREF};
    set->limits = (struct vm_limits){.bytecodes = LIMIT_POLICY_BYTECODES,
                                     .cpu_ms = LIMIT_POLICY_CPU_MS,
                                     .deadline_ms = LIMIT_POLICY_DEADLINE_MS};
    if (settings) {
        set->limits = (struct vm_limits){.bytecodes = settings->policy_bytecodes,
                                         .cpu_ms = settings->policy_cpu_ms,
                                         .deadline_ms = settings->policy_deadline_ms};
    }
    vm_set_owner(set->vm, set);
    live_generations++;
    return set;
}

void policy_set_free_dead(struct policy_set *set)
{
    vm_free(set->vm);
    bundle_unref(set->bundle);
    auth_rules_free(set->auth);
    terms_table_free(set->terms);
    mem_free(set->governance);
    mem_free(set);
    live_generations--;
}

/* Protected: everything that loading does, under scripts/boot.lua. */
static int on_load(lua_State *L)
{
    static const struct slice boot_name = {"scripts/boot.lua", 16};
    const struct embedded_script *boot = script_find(boot_name);
    lua_gc(L, LUA_GCSTOP, 0); /* next to nothing of it is garbage; vm_arm() collects once */
    sandbox_open(L);
    lua_newtable(L);
    luaL_unref(L, LUA_REGISTRYINDEX, luaL_ref(L, LUA_REGISTRYINDEX)); /* so that later unrefs find their slot there */
    if (!boot) return luaL_error(L, "scripts/boot.lua is not in this binary");
    script_push(L, boot);
    bind_push_core(L);
    lua_call(L, 1, 0);
    return 0;
}

static void load(struct policy_set *set)
{
    struct fault why;
    if (vm_protect(set->vm, on_load, NULL, &why)) return;
    struct policy_error error = {
        .finding = FINDING_OTHER_ERROR, .file = SLICE("policies"), .text = slice_str(why.text)};
    policy_errors_add(set->errors, &error);
}

bool policy_set_run(struct bundle *bundle, struct policy_errors *errors, lua_CFunction fn, void *arg, struct fault *why)
{
    struct policy_set *set = set_new(bundle, NULL);
    set->errors = errors;
    bool ok = vm_protect(set->vm, fn, arg, why);
    set->errors = NULL;
    policy_set_free_dead(set);
    return ok;
}

struct policy_set *policy_set_load(struct bundle *bundle, const struct settings *settings, struct policy_errors *errors)
{
    return policy_set_load_for(bundle, &(struct policy_load){.settings = settings, .host = unspent_host()}, errors);
}

static void observe(struct policy_set *set, const struct policy_observer *observer)
{
    if (!observer) return;
    set->observer = *observer;
    if (!observer->on_line) return;
    vm_watch(set->vm, observer->on_line, observer->arg);
    set->limits.cpu_ms *= observer->slowdown;
}

struct policy_set *policy_set_load_for(struct bundle *bundle, const struct policy_load *how,
                                       struct policy_errors *errors)
{
    struct policy_set *set = set_new(bundle, how->settings);
    observe(set, how->observer);
    set->host = how->host;
    set->host_arg = how->host_arg;
    set->settings = how->settings;
    set->errors = errors;
    set->is_checked = how->is_checked;
    load(set);
    set->settings = NULL;
    set->errors = NULL;
    policy_errors_sort(errors);
    if (errors->error_count) {
        policy_set_free_dead(set);
        return NULL;
    }
    vm_arm(set->vm);
    set->loaded_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    return set;
}

void policy_warm(void)
{
    struct bundle_file smallest = {SLICE("init.lua"), SLICE("return chain {}")};
    struct policy_errors ignored;
    struct fault why;
    struct bundle *bundle = bundle_of(&smallest, 1, &why);
    policy_errors_init(&ignored);
    policy_set_unref(policy_set_load(bundle, NULL, &ignored));
    policy_errors_clear(&ignored);
    bundle_unref(bundle);
    counting_find(SLICE(""));
    traits_find(SLICE(""));
    betas_bedrock_takes(SLICE(""));
}

struct policy_set *policy_set_ref(struct policy_set *set)
{
    set->refs++;
    return set;
}

void policy_set_unref(struct policy_set *set)
{
    if (!set || --set->refs > 0) return;
    if (on_dead)
        on_dead(on_dead_arg, set);
    else
        policy_set_free_dead(set);
}

void policy_on_dead(void (*fn)(void *arg, struct policy_set *set), void *arg)
{
    on_dead = fn;
    on_dead_arg = arg;
}

bool policy_has(const struct policy_set *set, enum policy_phase phase)
{
    return set->entries[phase].run_ref != LUA_NOREF;
}

bool policy_buffers(const struct policy_set *set)
{
    return set->buffers;
}

bool policy_wants_remote(const struct policy_set *set, struct slice *path, int *line)
{
    if (!set->remote_file) return false;
    *path = set->remote_file->path;
    *line = set->remote_line;
    return true;
}

const char *policy_set_digest(const struct policy_set *set)
{
    return bundle_digest(set->bundle);
}

size_t policy_set_memory(const struct policy_set *set)
{
    return vm_memory(set->vm);
}

int64_t policy_set_loaded_s(const struct policy_set *set)
{
    return set->loaded_s;
}

struct slice policy_set_governance(const struct policy_set *set)
{
    return slice_str(set->governance ? set->governance : "");
}

const struct auth_rules *policy_set_auth(const struct policy_set *set)
{
    return set->auth;
}

const struct terms_table *policy_set_terms(const struct policy_set *set)
{
    return set->terms;
}

size_t policy_live_generations(void)
{
    return live_generations;
}
