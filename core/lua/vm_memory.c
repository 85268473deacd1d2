#include "lua/vm_inner.h"

#include "base/clock.h"
#include "base/limits.h"

/* The collector starts a cycle when the heap has grown by this much or by its own size, whichever is more: a cycle
 * costs as much as the whole heap, so small heaps are left alone for longer. */
#define GARBAGE_BYTES (4u * MIB)

/* The collector's own time, between two slices or instead of one, while the heap is crowded. */
#define COLLECT_NS (NS_PER_MS / 2)
#define COLLECT_STEP_KIB 16 /* some microseconds */

/* Allocations, large and small, between two looks at whether a slice of loading is over. */
#define REST_ALLOCATIONS 32u

uint64_t vm_alloc_max(const struct vm_task *task)
{
    return task->limits.alloc_bytes ? task->limits.alloc_bytes : LIMIT_POLICY_EVAL_BYTES;
}

/* May this much more be had? Notes why not. */
static bool may_grow(struct vm *vm, size_t old_size, size_t new_size)
{
    struct vm_task *task = vm->task;
    if (task) {
        task->alloc_bytes += new_size;
        if (task->alloc_bytes > vm_alloc_max(task)) {
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
void *vm_alloc(void *arg, void *ptr, size_t old_size, size_t new_size)
{
    struct vm *vm = arg;
    if (++vm->allocations % REST_ALLOCATIONS == 0) vm_rest(vm);
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

/* --- collecting --- */

size_t vm_set_marks(struct vm *vm, size_t in_use)
{
    size_t rest = vm->cap > in_use ? vm->cap - in_use : 0;
    vm->crowded = in_use + rest / 2;
    vm->full = in_use + rest / 4 * 3;
    return vm->crowded;
}

/* One whole cycle of the collector, or what is left of one. */
static void collect_cycle(const struct vm *vm, lua_State *L)
{
    while (!lua_gc(L, LUA_GCSTEP, 0))
        vm_rest(vm);
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

static int collect_some(lua_State *L)
{
    struct vm *vm = vm_of(L);
    uint64_t began = clock_mono_ns();
    do {
        if (!lua_gc(L, LUA_GCSTEP, COLLECT_STEP_KIB)) continue;
        vm->is_collecting = false;
        vm_set_marks(vm, vm->used);
        break;
    } while (clock_mono_ns() - began < COLLECT_NS);
    return 0;
}

/* LuaJIT has no emergency collection: at the cap it would raise with the heap full of garbage. So a cycle is begun
 * before, and goes on between slices. What it leaves is in use,
 * and the next cycle begins when half of the rest is gone. */
void vm_make_room(struct vm *vm)
{
    struct fault ignored;
    if (vm->used < vm->crowded_armed && vm->crowded > vm->crowded_armed) vm_set_marks(vm, vm->used);
    if (vm->used > vm->crowded) vm->is_collecting = true;
    if (vm->is_collecting) vm_protect(vm, collect_some, NULL, &ignored);
}

void vm_collect(struct vm *vm)
{
    struct fault ignored;
    vm_protect(vm, collect, NULL, &ignored);
}
