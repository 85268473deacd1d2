#include "lua/vm_inner.h"

#include <luajit.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/fiber.h"
#include "base/limits.h"
#include "base/mem.h"
#include "lua/alarm.h"

#define SLICE_BYTECODES 10000
#define SLICE_NS NS_PER_MS
/* Reading the CPU clock is a system call, so a slice begins on the monotonic clock and changes over when it is not a
 * short one; being off the CPU until then counts no more than this. */
#define UNCLOCKED_NS (100 * 1000)
/* Of the processor, between two looks at a task: ten times what VM_TICK_BYTECODES take. */
#define SLOW_TICK_NS (400 * 1000)

/* --- loading in slices --- */

static uint64_t slice_cpu_ns(struct vm_task *task, uint64_t wall_ns)
{
    if (task->slice_cpu_ns) return clock_cpu_ns() - task->slice_cpu_ns;
    if (wall_ns < UNCLOCKED_NS) return wall_ns;
    task->slice_cpu_ns = clock_cpu_ns() - UNCLOCKED_NS;
    return UNCLOCKED_NS;
}

/* On a fiber: lets others have their turn when it is time. What they take is not the task's. */
void vm_rest(const struct vm *vm)
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
    if (task->alloc_bytes > vm_alloc_max(task) - vm_alloc_max(task) / 16) return VM_STOP_ALLOCATION;
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

/* The alarm comes in between otherwise, and LuaJIT's tables are half of the one and half of the other. */
static void put_hook(struct vm *vm, int events, int count)
{
    vm->is_setting = 1;
    atomic_signal_fence(memory_order_seq_cst);
    lua_sethook(vm->L, events ? on_hook : NULL, events, count);
    atomic_signal_fence(memory_order_seq_cst);
    vm->is_setting = 0;
}

/* A bytecode may take a millisecond (a long text read as a number, a step through a table that was emptied), and then a
 * thousand of them are more than a slice. What runs as fast as bytecodes do never comes here, whatever else the machine
 * does: it is stopped at the same bytecode each time. */
static void on_alarm(void *arg)
{
    struct vm *vm = arg;
    uint64_t cpu_ns = clock_cpu_ns();
    if (vm->looks != vm->looks_seen) {
        vm->looks_seen = vm->looks;
        vm->cpu_seen_ns = cpu_ns;
    } else if (cpu_ns - vm->cpu_seen_ns >= SLOW_TICK_NS && !vm->is_setting && !vm->is_pressed) {
        vm->is_pressed = 1;
        lua_sethook(vm->L, on_hook, vm->events, 1);
    }
}

/* Nobody wants what is being loaded any more. Whatever catches this is raised at anew. */
static void give_up(struct vm *vm, lua_State *L)
{
    put_hook(vm, vm->events, 1);
    luaL_error(L, "cancelled");
}

/* Back to the usual count, or none. */
static void release(struct vm *vm)
{
    if (!vm->is_pressed) return;
    vm->is_pressed = 0;
    put_hook(vm, vm->is_hooked ? vm->events : 0, VM_TICK_BYTECODES);
}

static void on_hook(lua_State *L, lua_Debug *ar)
{
    struct vm *vm = vm_of(L);
    struct vm_task *task = vm->task;
    if (ar->event == LUA_HOOKLINE) {
        tell_line(vm, L, ar);
        return;
    }
    vm_rest(vm);
    if (!task) {
        if (fiber_is_cancelled()) give_up(vm, L);
        return;
    }
    uint64_t now = clock_mono_ns();
    vm->looks++;
    if (!task->stop) {
        task->bytecodes += VM_TICK_BYTECODES;
        task->stop = over_limit(task, now, __builtin_frame_address(0));
    }
    bool is_pressed = vm->is_pressed;
    task->is_slow |= is_pressed;
    release(vm);
    if (task->stop && !task->place[0]) {
        vm_place(L, task->place, sizeof task->place);
        put_hook(vm, vm->events, 1); /* nothing runs on between here and the freeze */
    }
    if (lua_isyieldable(L)) {
        if (task->stop || is_pressed || is_slice_over(task, now)) lua_yield(L, 0);
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
    put_hook(vm, is_wanted ? vm->events : 0, VM_TICK_BYTECODES);
}

/* Outside of tasks the hook is there for rests, and for being given up. */
static bool rests(const struct vm *vm)
{
    return vm->is_loading && fiber_is_inside();
}

static void clear_hook(struct vm *vm)
{
    vm->is_hooked = false;
    put_hook(vm, 0, 0);
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
    /* So much for short. */
    if (task->is_trusted && task->bytecodes - task->slice_bytecodes >= SLICE_BYTECODES) distrust(vm, task);
}

/* --- running --- */

void vm_task_init(struct vm_task *task, const struct vm_limits *limits)
{
    *task = (struct vm_task){.limits = *limits, .born_mono_ns = clock_mono_ns()};
}

static void begin_slice(struct vm *vm, struct vm_task *task)
{
    vm->task = task;
    vm->looks++;
    task->stack_base = __builtin_frame_address(0);
    task->slice_mono_ns = clock_mono_ns();
    task->slice_cpu_ns = task->is_slow ? clock_cpu_ns() : 0;
    task->slice_bytecodes = task->bytecodes;
    set_hook(vm, !task->is_trusted);
}

static void end_slice(struct vm *vm, struct vm_task *task, struct vm_task *outer)
{
    release(vm);
    vm->task = outer;
    task->cpu_ns += slice_cpu_ns(task, clock_mono_ns() - task->slice_mono_ns);
    if (task->stop) clear_hook(vm); /* it ran at every bytecode */
    set_hook(vm, outer ? !outer->is_trusted : rests(vm));
}

/* One that has not begun keeps its arguments. */
static int arguments_of(lua_State *co, int nargs)
{
    return lua_status(co) == 0 ? lua_gettop(co) - 1 : nargs;
}

enum vm_result vm_resume(struct vm *vm, struct vm_task *task, lua_State *co, int nargs)
{
    struct vm_task *outer = vm->task;
    if (task->stop) return VM_STOPPED;
    if (!outer) vm_make_room(vm);
    if (!outer && vm->is_collecting && vm->used > vm->full) return VM_MORE;
    struct alarm_call before = {0};
    begin_slice(vm, task);
    if (!outer) before = alarm_set((struct alarm_call){on_alarm, vm});
    int status = lua_resume(co, arguments_of(co, nargs));
    if (!outer) alarm_set(before);
    end_slice(vm, task, outer);
    if (task->stop && !task->place[0]) vm_place(co, task->place, sizeof task->place);
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
                 (unsigned)(vm_alloc_max(task) / MIB));
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
    vm->cap = vm->crowded = vm->full = SIZE_MAX;
    vm->events = LUA_MASKCOUNT;
    vm->L = lua_newstate(vm_alloc, vm);
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
    vm->is_loading = false;
    set_hook(vm, false);
    lua_gc(vm->L, LUA_GCRESTART, 0);
    vm_collect(vm);
    vm->cap = LIMIT_POLICY_STATE_BYTES;
    /* A large catalogue leaves as much for its requests. */
    if (vm->used > vm->cap / 2) vm->cap = vm->used + vm->cap / 2;
    vm->crowded_armed = vm_set_marks(vm, vm->used);
}
