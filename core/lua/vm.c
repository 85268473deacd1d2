#include "lua/vm.h"

#include <luajit.h>
#include <stddef.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/fiber.h"
#include "base/limits.h"
#include "base/mem.h"
#include "lua/pages.h"

#define SLICE_BYTECODES 10000
#define SLICE_NS NS_PER_MS
/* Reading the CPU clock is a system call, so a slice begins on the monotonic clock and changes over when it is not a
 * short one; being off the CPU until then counts no more than this. */
#define UNCLOCKED_NS (100 * 1000)
/* The collector starts a cycle when the heap has grown by this much or by its own size, whichever is more: a cycle
 * costs as much as the whole heap, so small heaps are left alone for longer. */
#define GARBAGE_BYTES (4u * MIB)

/* Allocations, large and small, between two looks at whether a slice of loading is over. */
#define REST_ALLOCATIONS 32u

struct vm {
    lua_State *L;
    void *owner;
    struct vm_task *task;
    size_t used, cap;
    size_t crowded; /* more than this is a heap full of garbage */
    struct pages pages;
    int events; /* that the hook is called for */
    unsigned allocations;
    bool is_hooked;
    bool is_loading; /* not armed yet */
    void (*on_line)(void *arg, const char *source, int line);
    void *line_arg;
};

/* --- loading in slices --- */

static uint64_t slice_cpu_ns(struct vm_task *task, uint64_t wall_ns)
{
    if (task->slice_cpu_ns) return clock_cpu_ns() - task->slice_cpu_ns;
    if (wall_ns < UNCLOCKED_NS) return wall_ns;
    task->slice_cpu_ns = clock_cpu_ns() - UNCLOCKED_NS;
    return UNCLOCKED_NS;
}

/* On a fiber: lets others have their turn when it is time. What they take is not the task's. */
static void rest(const struct vm *vm)
{
    if (!fiber_is_due()) return;
    struct vm_task *task = vm->task;
    uint64_t left = clock_mono_ns();
    if (task) task->cpu_ns += slice_cpu_ns(task, left - task->slice_mono_ns);
    fiber_pause();
    if (!task) return;
    task->slice_mono_ns = clock_mono_ns();
    task->slice_cpu_ns = 0;
    task->born_mono_ns += task->slice_mono_ns - left;
}

/* --- memory --- */

static uint64_t alloc_max(const struct vm_task *task)
{
    return task->limits.alloc_bytes ? task->limits.alloc_bytes : LIMIT_POLICY_EVAL_BYTES;
}

/* May this much more be had? Notes why not. */
static bool may_grow(struct vm *vm, size_t old_size, size_t new_size)
{
    struct vm_task *task = vm->task;
    if (task) {
        task->alloc_bytes += new_size;
        if (task->alloc_bytes > alloc_max(task)) {
            if (!task->stop) task->stop = VM_STOP_ALLOCATION;
            return false;
        }
    }
    if (vm->used + (new_size - old_size) > vm->cap) {
        if (task && !task->stop) {
            task->stop = VM_STOP_MEMORY;
            task->cap_mb = (unsigned)(vm->cap / MIB);
        }
        return false;
    }
    return true;
}

/* NULL makes Lua raise "not enough memory", so this is the one place that does not use mem_*. */
static void *on_alloc(void *arg, void *ptr, size_t old_size, size_t new_size)
{
    struct vm *vm = arg;
    if (++vm->allocations % REST_ALLOCATIONS == 0) rest(vm);
    if (new_size == 0) {
        vm->used -= old_size;
        if (ptr) pages_give_back(&vm->pages, ptr, old_size);
        return NULL;
    }
    if (new_size > old_size && !may_grow(vm, old_size, new_size)) return NULL;
    void *moved = pages_move(&vm->pages, ptr, old_size, new_size);
    if (moved) vm->used = vm->used - old_size + new_size;
    return moved;
}

/* --- the hook --- */

static bool is_policy_source(const char *source)
{
    return strncmp(source, "policies/", 9) == 0;
}

bool vm_place(lua_State *L, char *place, size_t size)
{
    lua_Debug ar;
    for (int level = 0; level < 32 && lua_getstack(L, level, &ar); level++) {
        if (!lua_getinfo(L, "Sl", &ar) || !is_policy_source(ar.short_src)) continue;
        snprintf(place, size, "%s:%d", ar.short_src, ar.currentline > 0 ? ar.currentline : ar.linedefined);
        return true;
    }
    return false;
}

static enum vm_stop over_limit(struct vm_task *task, uint64_t now, const char *here)
{
    if (fiber_is_cancelled()) return VM_STOP_CANCELLED;
    if (task->bytecodes >= task->limits.bytecodes) return VM_STOP_BYTECODES;
    if (task->alloc_bytes > alloc_max(task) - alloc_max(task) / 16) return VM_STOP_ALLOCATION;
    if (here < task->stack_base && (size_t)(task->stack_base - here) > LIMIT_POLICY_STACK_BYTES) return VM_STOP_STACK;
    if (now - task->born_mono_ns > task->limits.deadline_ms * NS_PER_MS) return VM_STOP_DEADLINE;
    if (task->cpu_ns + slice_cpu_ns(task, now - task->slice_mono_ns) > task->limits.cpu_ms * NS_PER_MS) {
        return VM_STOP_CPU;
    }
    return VM_STOP_NONE;
}

static bool is_slice_over(const struct vm_task *task, uint64_t now)
{
    return task->bytecodes - task->slice_bytecodes >= SLICE_BYTECODES || now - task->slice_mono_ns >= SLICE_NS;
}

static void on_hook(lua_State *L, lua_Debug *ar);

static void tell_line(const struct vm *vm, lua_State *L, lua_Debug *ar)
{
    /* not short_src, which cuts long paths */
    if (!lua_getinfo(L, "S", ar) || ar->source[0] != '@' || !is_policy_source(ar->source + 1)) return;
    vm->on_line(vm->line_arg, ar->source + 1, ar->currentline);
}

/* Nobody wants what is being loaded any more. Whatever catches this is raised at anew. */
static void give_up(const struct vm *vm, lua_State *L)
{
    lua_sethook(L, on_hook, vm->events, 1);
    luaL_error(L, "cancelled");
}

static void on_hook(lua_State *L, lua_Debug *ar)
{
    struct vm *vm = vm_of(L);
    struct vm_task *task = vm->task;
    if (ar->event == LUA_HOOKLINE) {
        tell_line(vm, L, ar);
        return;
    }
    rest(vm);
    if (!task) {
        if (fiber_is_cancelled()) give_up(vm, L);
        return;
    }
    uint64_t now = clock_mono_ns();
    if (!task->stop) {
        task->bytecodes += VM_TICK_BYTECODES;
        task->stop = over_limit(task, now, __builtin_frame_address(0));
    }
    if (task->stop && !task->place[0]) {
        vm_place(L, task->place, sizeof task->place);
        lua_sethook(L, on_hook, vm->events, 1); /* nothing runs on between here and the freeze */
    }
    if (lua_isyieldable(L)) {
        if (task->stop || is_slice_over(task, now)) lua_yield(L, 0);
    } else if (task->stop) {
        luaL_error(L, "stopped");
    }
}

/* Lines are watched whoever runs. */
static void set_hook(struct vm *vm, bool is_wanted)
{
    is_wanted = is_wanted || vm->on_line;
    if (vm->is_hooked == is_wanted) return;
    vm->is_hooked = is_wanted;
    lua_sethook(vm->L, on_hook, is_wanted ? vm->events : 0, VM_TICK_BYTECODES);
}

/* Outside of tasks the hook is there for rests, and for being given up. */
static bool rests(const struct vm *vm)
{
    return vm->is_loading && fiber_is_inside();
}

static void clear_hook(struct vm *vm)
{
    vm->is_hooked = false;
    lua_sethook(vm->L, NULL, 0, 0);
}

static void distrust(struct vm *vm, struct vm_task *task)
{
    task->is_trusted = false;
    set_hook(vm, true);
}

void vm_trust(lua_State *L)
{
    struct vm *vm = vm_of(L);
    struct vm_task *task = vm->task;
    if (!task || task->is_trusted || task->stop || task->trusts == VM_TRUSTS_MAX) return;
    task->trusts++;
    task->is_trusted = true;
    set_hook(vm, false);
}

void vm_distrust(lua_State *L)
{
    struct vm *vm = vm_of(L);
    if (vm->task && vm->task->is_trusted) distrust(vm, vm->task);
}

bool vm_is_slice_over(lua_State *L)
{
    struct vm_task *task = vm_of(L)->task;
    return task && lua_isyieldable(L) && is_slice_over(task, clock_mono_ns());
}

void vm_charge(lua_State *L, size_t bytes)
{
    struct vm *vm = vm_of(L);
    struct vm_task *task = vm->task;
    if (!task) return;
    task->bytecodes += bytes / 3;
    if (!task->stop && task->bytecodes >= task->limits.bytecodes) task->stop = VM_STOP_BYTECODES;
    if (task->stop) luaL_error(L, "stopped");
    if (task->is_trusted && task->bytecodes - task->slice_bytecodes >= SLICE_BYTECODES) distrust(vm, task); /* so much for short */
}

/* --- running --- */

void vm_task_init(struct vm_task *task, const struct vm_limits *limits)
{
    *task = (struct vm_task){.limits = *limits, .born_mono_ns = clock_mono_ns()};
}

static void begin_slice(struct vm *vm, struct vm_task *task)
{
    vm->task = task;
    task->stack_base = __builtin_frame_address(0);
    task->slice_mono_ns = clock_mono_ns();
    task->slice_cpu_ns = 0;
    task->slice_bytecodes = task->bytecodes;
    set_hook(vm, !task->is_trusted);
}

static void end_slice(struct vm *vm, struct vm_task *task, struct vm_task *outer)
{
    vm->task = outer;
    task->cpu_ns += slice_cpu_ns(task, clock_mono_ns() - task->slice_mono_ns);
    if (task->stop) clear_hook(vm); /* it ran at every bytecode */
    set_hook(vm, outer ? !outer->is_trusted : rests(vm));
}

/* One whole cycle of the collector, or what is left of one. */
static void collect_cycle(const struct vm *vm, lua_State *L)
{
    while (!lua_gc(L, LUA_GCSTEP, 0))
        rest(vm);
}

static int collect(lua_State *L)
{
    struct vm *vm = vm_of(L);
    collect_cycle(vm, L);
    size_t pause = 200;
    if (vm->used < GARBAGE_BYTES) pause = (vm->used + GARBAGE_BYTES) * 100 / (vm->used + 1);
    lua_gc(L, LUA_GCSETPAUSE, pause < 2000 ? (int)pause : 2000);
    collect_cycle(vm, L); /* the pause acts from the end of a cycle */
    return 0;
}

/* LuaJIT has no emergency collection: at the cap it would raise with the heap full of garbage. */
static void make_room(struct vm *vm)
{
    struct fault ignored;
    if (vm->used > vm->crowded) vm_protect(vm, collect, NULL, &ignored);
}

enum vm_result vm_resume(struct vm *vm, struct vm_task *task, lua_State *co, int nargs)
{
    struct vm_task *outer = vm->task;
    if (task->stop) return VM_STOPPED;
    begin_slice(vm, task);
    int status = lua_resume(co, nargs);
    end_slice(vm, task, outer);
    if (task->stop && !task->place[0]) vm_place(co, task->place, sizeof task->place);
    if (!outer) make_room(vm);
    if (task->stop) return VM_STOPPED;
    if (status == LUA_YIELD) return VM_MORE;
    return status == 0 ? VM_DONE : VM_RAISED;
}

static void stop_text(const struct vm_task *task, char *text, size_t size)
{
    switch (task->stop) {
    case VM_STOP_NONE: snprintf(text, size, "not stopped"); return;
    case VM_STOP_BYTECODES:
        snprintf(text, size, "stopped after %llu bytecodes", (unsigned long long)task->limits.bytecodes);
        return;
    case VM_STOP_CPU: snprintf(text, size, "stopped after %u ms of CPU time", task->limits.cpu_ms); return;
    case VM_STOP_ALLOCATION:
        snprintf(text, size, "stopped: it asked for more than %u MB of memory in all",
                 (unsigned)(alloc_max(task) / MIB));
        return;
    case VM_STOP_MEMORY:
        snprintf(text, size, "stopped: all policies together hold %u MB", task->cap_mb);
        return;
    case VM_STOP_STACK: snprintf(text, size, "stopped: calls nested too deep"); return;
    case VM_STOP_DEADLINE: snprintf(text, size, "stopped after %u ms", task->limits.deadline_ms); return;
    case VM_STOP_CANCELLED: snprintf(text, size, "cancelled"); return;
    }
}

/* Without "scripts/verbs.lua:18: ": authors want their own line, which stands before it. */
static const char *without_script(const char *message)
{
    const char *colon = strncmp(message, "scripts/", 8) == 0 ? strstr(message, ": ") : NULL;
    return colon ? colon + 2 : message;
}

void vm_fault_text(const struct vm_task *task, lua_State *co, enum vm_result result, char *text, size_t size)
{
    char place[VM_PLACE_BYTES] = "";
    if (result == VM_STOPPED) {
        char why[96];
        stop_text(task, why, sizeof why);
        snprintf(text, size, "%s%s%s", task->place, task->place[0] ? ": " : "", why);
        return;
    }
    vm_place(co, place, sizeof place);
    const char *message = lua_type(co, -1) == LUA_TSTRING ? lua_tostring(co, -1) : NULL;
    if (!message)
        snprintf(text, size, "%s: raised a %s instead of a text", place, luaL_typename(co, -1));
    else if (is_policy_source(message) || !place[0])
        snprintf(text, size, "%s", message);
    else
        snprintf(text, size, "%s: %s", place, without_script(message));
}

/* --- the state --- */

static int on_panic(lua_State *L)
{
    /* Lua raised outside every protected call: a bug of a binding. */
    check(!lua_tostring(L, -1));
    return 0;
}

struct vm *vm_new(void)
{
    struct vm *vm = mem_zalloc(1, sizeof *vm);
    vm->is_loading = true;
    vm->cap = vm->crowded = SIZE_MAX;
    vm->events = LUA_MASKCOUNT;
    vm->L = lua_newstate(on_alloc, vm);
    check(vm->L);
    lua_atpanic(vm->L, on_panic);
    check(luaJIT_setmode(vm->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF));
    set_hook(vm, rests(vm));
    return vm;
}

void vm_free(struct vm *vm)
{
    if (!vm) return;
    check(!vm->task);
    lua_close(vm->L);
    check(vm->used == 0);
    pages_clear(&vm->pages);
    mem_free(vm);
}

void vm_watch(struct vm *vm, void (*on_line)(void *arg, const char *source, int line), void *arg)
{
    vm->on_line = on_line;
    vm->line_arg = arg;
    vm->events = LUA_MASKCOUNT | LUA_MASKLINE;
    set_hook(vm, true);
}

lua_State *vm_main(const struct vm *vm)
{
    return vm->L;
}

void vm_set_owner(struct vm *vm, void *owner)
{
    vm->owner = owner;
}

void *vm_owner(const struct vm *vm)
{
    return vm->owner;
}

struct vm *vm_of(lua_State *L)
{
    void *arg;
    lua_getallocf(L, &arg);
    return arg;
}

size_t vm_memory(const struct vm *vm)
{
    return vm->used;
}

struct vm_task *vm_task(const struct vm *vm)
{
    return vm->task;
}

bool vm_protect(struct vm *vm, lua_CFunction fn, void *arg, struct fault *why)
{
    if (lua_cpcall(vm->L, fn, arg) == 0) return true;
    const char *text = lua_tostring(vm->L, -1); /* a string already: nothing is allocated */
    fault_set(why, FAULT_POLICY, "%s", text ? text : "an error that is no text");
    lua_pop(vm->L, 1);
    return false;
}

void vm_arm(struct vm *vm)
{
    struct fault ignored;
    vm->is_loading = false;
    set_hook(vm, false);
    lua_gc(vm->L, LUA_GCRESTART, 0);
    vm_protect(vm, collect, NULL, &ignored);
    vm->cap = LIMIT_POLICY_STATE_BYTES;
    if (vm->used > vm->cap / 2) vm->cap = vm->used + vm->cap / 2; /* a large catalogue leaves as much for its requests */
    vm->crowded = vm->used + (vm->cap - vm->used) / 2;
}
