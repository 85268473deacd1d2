/*
 * Texts of Lua run in a state of their own, under limits: what tests of the state share.
 *
 *     struct vm *vm = new_vm();
 *     struct chunk chunk = start(vm, "while true do end");
 *     vm_task_init(&task, &small);
 *     EXPECT_INT(VM_STOPPED, finish(vm, &chunk, &task, said, sizeof said));
 */
#ifndef MOONGATE_TESTS_UNIT_LUA_CHUNKS_H
#define MOONGATE_TESTS_UNIT_LUA_CHUNKS_H

#include "../unit.h"

#include "base/limits.h"
#include "lua/eval.h"
#include "lua/sandbox.h"
#include "lua/vm.h"

static struct vm_limits small = {.bytecodes = 500000, .cpu_ms = 20000, .deadline_ms = 100000};
#define ANY_FAULT ((enum vm_result) - 1)
static struct policy_set set; /* what bindings reach for: only there is one */

struct chunk {
    const char *text;
    lua_State *co;
    int ref;
};

static inline int open_libraries(lua_State *L)
{
    sandbox_open(L);
    return 0;
}

static inline struct vm *new_vm(void)
{
    struct fault why;
    struct vm *vm = vm_new();
    set = (struct policy_set){.vm = vm, .random = 1};
    vm_set_owner(vm, &set);
    EXPECT(vm_protect(vm, open_libraries, NULL, &why));
    vm_arm(vm);
    return vm;
}

static inline int load_chunk(lua_State *L)
{
    struct chunk *chunk = lua_touserdata(L, 1);
    chunk->co = lua_newthread(L);
    chunk->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    if (luaL_loadbuffer(chunk->co, chunk->text, strlen(chunk->text), "@policies/x.lua") != 0) {
        return luaL_error(L, "%s", lua_tostring(chunk->co, -1));
    }
    return 0;
}

static inline struct chunk start(struct vm *vm, const char *text)
{
    struct fault why;
    struct chunk chunk = {.text = text};
    bool ok = vm_protect(vm, load_chunk, &chunk, &why);
    if (!ok) UNIT_FAIL("%s: %s", text, why.text);
    return chunk;
}

/* To its end, however many slices; the text of the fault, or "" when it came to its end. */
static inline enum vm_result finish(struct vm *vm, struct chunk *chunk, struct vm_task *task, char *text, size_t size)
{
    enum vm_result result = vm_resume(vm, task, chunk->co, 0);
    for (unsigned slices = 0; result == VM_MORE && slices < 1000000; slices++)
        result = vm_resume(vm, task, chunk->co, 0);
    text[0] = '\0';
    if (result == VM_RAISED || result == VM_STOPPED) vm_fault_text(task, chunk->co, result, text, size);
    luaL_unref(vm_main(vm), LUA_REGISTRYINDEX, chunk->ref);
    return result;
}

/* A neighbour that is half way through its work must come to its end in the same state, whatever the text does. */
static inline void expect_fault(const char *text, enum vm_result want, const char *words)
{
    struct vm *vm = new_vm();
    struct vm_task neighbour_task, task;
    char said[512], neighbour_said[512];
    struct chunk neighbour = start(vm, "local n = 0 for i = 1, 20000 do n = n + i end assert(n == 200010000)");
    vm_task_init(&neighbour_task, &small);
    EXPECT_INT(VM_MORE, vm_resume(vm, &neighbour_task, neighbour.co, 0));

    struct chunk chunk = start(vm, text);
    vm_task_init(&task, &small);
    enum vm_result result = finish(vm, &chunk, &task, said, sizeof said);
    if (want == ANY_FAULT ? result == VM_DONE : result != want)
        UNIT_FAIL("%s: expected result %d, got %d (%s)", text, want, result, said);
    if (words && !strstr(said, words)) UNIT_FAIL("%s: expected \"%s\", got \"%s\"", text, words, said);

    EXPECT_INT(VM_DONE, finish(vm, &neighbour, &neighbour_task, neighbour_said, sizeof neighbour_said));
    EXPECT(vm_memory(vm) < LIMIT_POLICY_STATE_BYTES);
    vm_free(vm);
}

#endif
