/*
 * One Lua state that no program can hurt: interpreter only, its memory capped, and each run of a coroutine bound by
 * five limits: bytecodes, CPU time, allocation volume, C stack and a wall deadline.
 *
 *     struct vm *vm = vm_new();
 *     vm_protect(vm, open_things, arg, &why);          // whatever may raise runs under here
 *     vm_arm(vm);                                      // loaded: collect, from now on the cap holds
 *
 *     struct vm_task task;
 *     vm_task_init(&task, &limits);
 *     while ((result = vm_resume(vm, &task, co, nargs)) == VM_MORE) nargs = 0; // each a slice of a millisecond or less
 *
 * On a fiber (base/fiber.h) all that a state does rests when a slice is over, whatever it is in the middle of:
 * compiling, running, collecting, closing.
 *
 * A count hook runs every 1000 bytecodes and yields when the slice is over; where a few bytecodes take a slice (a text
 * of a megabyte read as a number), an alarm (lua/alarm.h) brings the hook in at the next one. A task over a limit is
 * stopped by never being resumed, which nothing in it can catch; where it cannot yield (inside a sort comparator, a
 * gsub callback) the hook raises at every further bytecode until it can. C functions that work without bytecodes charge
 * for it. The hook costs a dozen instructions a bytecode, so our own scripts, where they are known to be short, run
 * without it: vm_trust() turns it off, vm_distrust() on before a policy's code can run.
 *
 * Names: vm_raise_*, vm_charge and whatever takes a lua_State besides vm_of() may raise (longjmp): only call them from
 * inside a C function that Lua called. No C resource may be held across such a call.
 * The JIT stays off: compiled loops run no hooks in the distribution's build, so nothing could stop them.
 */
#ifndef MOONGATE_LUA_VM_H
#define MOONGATE_LUA_VM_H

#include <stdbool.h>
#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/fault.h"
#include "base/slice.h"

#define VM_TICK_BYTECODES 1000 /* between two calls of the hook */
#define VM_TRUSTS_MAX 64       /* times that one task may leave the hook: each forgets less than a tick */
#define VM_PLACE_BYTES 96

struct vm;

struct vm_limits {
    uint64_t bytecodes;
    uint32_t cpu_ms, deadline_ms;
    uint64_t alloc_bytes; /* 0: LIMIT_POLICY_EVAL_BYTES */
};

enum vm_stop {
    VM_STOP_NONE,
    VM_STOP_BYTECODES,
    VM_STOP_CPU,
    VM_STOP_ALLOCATION, /* this task asked for more memory than it may in all */
    VM_STOP_MEMORY,     /* the state is full: LIMIT_POLICY_STATE_BYTES, more for one that is large when it is armed */
    VM_STOP_STACK,
    VM_STOP_DEADLINE,
    VM_STOP_CANCELLED, /* the fiber that this is loaded on */
};

/* What one evaluation may still spend. Embedded in its owner, which outlives the coroutine's last resume. */
struct vm_task {
    struct vm_limits limits;
    enum vm_stop stop;
    uint64_t bytecodes;   /* run so far, and the work of C functions in the same coin */
    uint64_t alloc_bytes; /* asked for so far; freeing gives nothing back */
    uint64_t cpu_ns;      /* of the slices before this one */
    uint64_t born_mono_ns;
    unsigned cap_mb;      /* VM_STOP_MEMORY: what the state may hold */
    bool is_trusted;      /* our own code runs, without the hook */
    bool is_slow;         /* its bytecodes take long: its slices are on the processor's clock from their beginning */
    unsigned trusts;
    char place[VM_PLACE_BYTES]; /* "policies/budget.lua:38", where it was stopped; may be empty */

    /* this slice */
    uint64_t slice_bytecodes, slice_mono_ns, slice_cpu_ns;
    const char *stack_base;
};

struct vm *vm_new(void);
void vm_free(struct vm *vm); /* NULL is welcome; no coroutine may be running. Rests, when on a fiber */
lua_State *vm_main(const struct vm *vm);
/* For tests: on_line runs at every line of a policy file, "policies/x.lua". Before anything is loaded. */
void vm_watch(struct vm *vm, void (*on_line)(void *arg, const char *source, int line), void *arg);
/* For bindings: what owns this state. */
void vm_set_owner(struct vm *vm, void *owner);
void *vm_owner(const struct vm *vm);
struct vm *vm_of(lua_State *L);
size_t vm_memory(const struct vm *vm);

/* Calls fn(L) with arg as light userdata 1, protected; false and *why with Lua's message when it raised. */
bool vm_protect(struct vm *vm, lua_CFunction fn, void *arg, struct fault *why);
/* Collects what loading left and arms the cap. */
void vm_arm(struct vm *vm);

void vm_task_init(struct vm_task *task, const struct vm_limits *limits);

enum vm_result {
    VM_DONE,    /* the results are on co's stack */
    VM_MORE,    /* the slice is over: resume with 0 arguments, or never */
    VM_RAISED,  /* the error value is on top of co's stack */
    VM_STOPPED, /* task->stop says why: never resume co again */
};
/* co: a thread of this vm with a function and nargs arguments, or one that answered VM_MORE. Never raises. */
enum vm_result vm_resume(struct vm *vm, struct vm_task *task, lua_State *co, int nargs);
/* The task under way, NULL outside. */
struct vm_task *vm_task(const struct vm *vm);

/* Why co did not come to an end, with its place: "policies/x.lua:38: stopped after 2000000 bytecodes"; for people.
 * result is VM_RAISED or VM_STOPPED. Does not raise. */
void vm_fault_text(const struct vm_task *task, lua_State *co, enum vm_result result, char *text, size_t size);

/* What runs from here on is our own code, and little of it: no hook. */
void vm_trust(lua_State *L);
/* A policy's code may run from here on. Costs nothing where it did already. */
void vm_distrust(lua_State *L);
/* For C functions that work in pieces: has this slice taken its time, so that they shall yield? */
bool vm_is_slice_over(lua_State *L);
/* A C function's work, in bytes of text looked at (three weigh one bytecode); raises when the budget is gone. */
void vm_charge(lua_State *L, size_t bytes);
/* The nearest caller that is a policy file, as "policies/x.lua:38"; false when there is none. Does not raise. */
bool vm_place(lua_State *L, char *place, size_t size);

#endif
