/* What no count of bytecodes foresees does not hold the loop: long bytecodes, and the collector. */
#include "chunks.h"

static unsigned slices_of(const char *prepare, const char *text, const char *words)
{
    struct vm *vm = new_vm();
    struct vm_task task;
    char said[512];
    struct vm_limits wide = {.bytecodes = 1ull << 40, .cpu_ms = 20000, .deadline_ms = 100000}, limits = wide;
    struct chunk chunk = start(vm, prepare);
    limits.cpu_ms = 40;
    vm_task_init(&task, &wide);
    if (finish(vm, &chunk, &task, said, sizeof said) != VM_DONE) UNIT_FAIL("%s: %s", prepare, said);
    chunk = start(vm, text);
    vm_task_init(&task, &limits);
    unsigned slices = 1;
    while (vm_resume(vm, &task, chunk.co, 0) == VM_MORE)
        slices++;
    vm_fault_text(&task, chunk.co, VM_STOPPED, said, sizeof said);
    if (!strstr(said, words)) UNIT_FAIL("%s: %s", text, said);
    vm_free(vm);
    return slices;
}

/* A thousand of these bytecodes take half a second: others have their turn in between, and the time is the task's. */
static void bytecodes_that_take_long_are_cut(void)
{
    static const char *const texts[][2] = {
        {"text = '0x' .. ('1'):rep(500000)", "while true do local _ = text + 1 end"},
        {"text = ('1'):rep(500000)", "while true do local _ = -text end"},
        {"text = ('1'):rep(500000)", "while true do for i = text, 1 do end end"},
        {"text = ('x'):rep(900000) a, b = text .. 'a', text .. 'b'", "while true do local _ = a < b end"},
        {"text = {} for i = 1, 60000 do text[i * 3] = 1 end for i = 1, 60000 do text[i * 3] = nil end",
         "while true do for _ in pairs(text) do end end"},
        {"text = {} for i = 1, 60000 do text[i * 3] = 1 end for i = 1, 60000 do text[i * 3] = nil end",
         "while true do next(text) end"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        unsigned slices = slices_of(texts[i][0], texts[i][1], "stopped after 40 ms of CPU time");
        if (slices < 10) UNIT_FAIL("%s: only %u slices", texts[i][1], slices);
    }
}

/* Half of a state is in use, and the next request finds it crowded with garbage: that is collected bit by bit. */
static void a_large_heap_is_collected_between_slices(void)
{
    struct vm *vm = new_vm();
    struct vm_task task;
    char said[512];
    unsigned resumes = 0;
    for (int i = 0; i < 4; i++) {
        struct chunk fill = start(vm, "kept = kept or {} for i = 1, 60000 do kept[#kept + 1] = { i } end "
                                      "seen = setmetatable({ {} }, { __mode = 'v' })");
        vm_task_init(&task, &(struct vm_limits){.bytecodes = 1u << 30, .cpu_ms = 20000, .deadline_ms = 100000});
        EXPECT_INT(VM_DONE, finish(vm, &fill, &task, said, sizeof said));
    }
    for (bool is_seen = true; is_seen && resumes < 100000; resumes++) {
        struct chunk chunk = start(vm, "local garbage = {} for i = 1, 1000 do garbage[i] = {} end return seen[1] ~= nil");
        vm_task_init(&task, &small);
        EXPECT_INT(VM_DONE, finish(vm, &chunk, &task, said, sizeof said));
        is_seen = lua_toboolean(chunk.co, -1);
    }
    EXPECT(resumes > 3);
    EXPECT(resumes < 100000);
    EXPECT(vm_memory(vm) < LIMIT_POLICY_STATE_BYTES);
    vm_free(vm);
}

int main(void)
{
    RUN(bytecodes_that_take_long_are_cut);
    RUN(a_large_heap_is_collected_between_slices);
    return unit_close("vm turns");
}
