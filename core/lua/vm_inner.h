/* What the parts of the state's room share: vm.c (hook, slices), vm_memory.c (allocator, collector).
 * For these two alone. */
#ifndef MOONGATE_LUA_VM_INNER_H
#define MOONGATE_LUA_VM_INNER_H

#include <signal.h>

#include "lua/pages.h"
#include "lua/vm.h"

struct vm {
    lua_State *L;
    void *owner;
    struct vm_task *task;
    size_t used, cap;
    size_t crowded; /* more than this is a heap full of garbage … */
    size_t crowded_armed; /* the same, by what loading has left */
    size_t full;    /* … and with more than this nothing runs before it is collected */
    struct pages pages;
    int events; /* that the hook is called for */
    unsigned allocations;
    bool is_hooked;
    bool is_loading;    /* not armed yet */
    bool is_collecting; /* a cycle that was begun because the heap was crowded */
    volatile unsigned looks; /* at the task: beginnings of slices, and hooks */
    unsigned looks_seen;     /* by the alarm, as the next */
    uint64_t cpu_seen_ns;
    volatile sig_atomic_t is_pressed;  /* by the alarm: the hook comes at the next bytecode */
    volatile sig_atomic_t is_setting;  /* the hook is being set: not for the alarm to touch */
    void (*on_line)(void *arg, const char *source, int line);
    void *line_arg;
};

/* vm.c: on a fiber, lets others have their turn when it is time. */
void vm_rest(const struct vm *vm);

/* vm_memory.c */
/* lua_Alloc, arg is the vm. */
void *vm_alloc(void *arg, void *ptr, size_t old_size, size_t new_size);
/* What this task may ask for in all. */
uint64_t vm_alloc_max(const struct vm_task *task);
/* Collects all, and says from where on the heap is crowded. */
void vm_collect(struct vm *vm);
/* Before a slice: a part of a cycle, when one is needed. */
void vm_make_room(struct vm *vm);
/* From where on a heap is crowded that has so much in use; and where nothing may run before it is collected. */
size_t vm_set_marks(struct vm *vm, size_t in_use);

#endif
