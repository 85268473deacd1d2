/* The state's limits: every row of what LuaJIT was measured to do with a hostile program, and the neighbours' fate. */
#include "chunks.h"

#include "base/mem.h"

static void expect_value(const char *want, const char *expression)
{
    struct vm *vm = new_vm();
    struct vm_task task;
    char text[1024], said[512];
    snprintf(text, sizeof text, "local v = tostring(%s) if v ~= %s then error(v, 0) end", expression, want);
    struct chunk chunk = start(vm, text);
    vm_task_init(&task, &small);
    if (finish(vm, &chunk, &task, said, sizeof said) != VM_DONE) {
        UNIT_FAIL("%s: expected %s, got %s", expression, want, said);
    }
    vm_free(vm);
}

/* --- the table of what was measured: loops --- */

static void an_endless_loop_is_stopped(void)
{
    expect_fault("while true do end", VM_STOPPED, "policies/x.lua:1: stopped after 500000 bytecodes");
    expect_fault("for i = 1, 1e12 do end", VM_STOPPED, "stopped after");
    expect_fault("local function f() end while true do f() end", VM_STOPPED, "stopped after");
    expect_fault("::again:: goto again", VM_STOPPED, "stopped after");
    expect_fault("local function f() return f() end f()", VM_STOPPED, "stopped after");
}

/* pcall is there for scripts/ only: a function that calls itself through pcall cannot be stopped by any hook, so
 * policies have none (test_policy.c). What else it catches does not help. */
static void retried_pcall_is_stopped(void)
{
    expect_fault("local function f() error('x') end while true do pcall(f) end", VM_STOPPED, "stopped after");
    expect_fault("local function f() while true do end end while true do pcall(f) end", VM_STOPPED, "stopped after");
    expect_fault("while true do pcall(pcall, function() while true do end end) end", VM_STOPPED, "stopped after");
}

static void xpcall_with_a_looping_handler_is_stopped(void)
{
    expect_fault("while true do xpcall(error, function() while true do end end) end", VM_STOPPED, "stopped");
}

static void a_looping_finalizer_cannot_be_made(void)
{
    expect_fault("local p = newproxy(true)", VM_RAISED, "attempt to call global 'newproxy'");
    expect_fault("local t = setmetatable({}, { __gc = function() while true do end end }) t = nil "
                 "for i = 1, 20000 do local x = {} end",
                 VM_DONE, NULL); /* tables have no finalizers in Lua 5.1 */
}

static void a_hostile_pattern_is_stopped(void)
{
    expect_fault("local s = ('a'):rep(100000) s:find('.-.-.-.-b')", VM_STOPPED, "stopped after 500000 bytecodes");
    expect_fault("local s = ('a'):rep(1000000) s:match('(.-)*$') s:match('(.-)%s$')", VM_STOPPED, "stopped");
    expect_fault("local s = ('a'):rep(100000) s:gsub('a*b', '')", VM_STOPPED, "stopped");
    expect_fault("local s = ('('):rep(100000) for w in s:gmatch('%b()') do end", VM_STOPPED, "stopped");
}

static void a_huge_rep_is_refused(void)
{
    expect_fault("local s = ('x'):rep(2^29)", VM_RAISED, "the result would be larger than 4194304 bytes");
    expect_fault("local s = ('x'):rep(2^53)", VM_RAISED, "the result would be larger");
    expect_value("'30'", "#('abc'):rep(10)");
    expect_value("'0'", "#('abc'):rep(-1)");
}

static void loops_inside_c_functions_are_stopped(void)
{
    expect_fault("local t = {} for i = 1, 100 do t[i] = i end table.sort(t, function() while true do end end)",
                 VM_STOPPED, "policies/x.lua:1: stopped");
    expect_fault("local t = setmetatable({}, { __index = function() while true do end end }) return t.x", VM_STOPPED,
                 "stopped");
    expect_fault("local t = setmetatable({}, { __tostring = function() while true do end end }) "
                 "return string.format('%s', t)",
                 VM_STOPPED, "stopped");
    expect_fault("for x in function() return 1 end do end", VM_STOPPED, "stopped");
}

static void coroutines_cannot_be_made(void)
{
    expect_fault("coroutine.wrap(function() while true do end end)()", VM_RAISED, "global 'coroutine'");
}

/* --- memory --- */

static void memory_bombs_are_stopped(void)
{
    small.bytecodes = 100000000;
    expect_fault("local s = 'x' while true do s = s .. s end", VM_STOPPED, "asked for more than 16 MB");
    expect_fault("local t = {} for i = 1, 1e9 do t[i] = {} end", VM_STOPPED, "asked for more than 16 MB");
    expect_fault("local t = {} for i = 1, 1e9 do t[i] = i end", VM_STOPPED, "asked for more than 16 MB");
    expect_fault("while true do pcall(function() local s = 'x' while true do s = s .. s end end) end", VM_STOPPED,
                 "asked for more than 16 MB");
    expect_fault("while true do local t = { 1, 2, 3, 4, 5, 6, 7, 8 } end", VM_STOPPED, "asked for more than 16 MB");
    small.bytecodes = 500000;
}

/* --- work without bytecodes --- */

static void c_functions_charge_their_work(void)
{
    expect_fault("local t = {} for i = 1, 1e6 do table.insert(t, 1, i) end", VM_STOPPED, "stopped");
    expect_fault("local s = ('x'):rep(2000000) for i = 1, 100000 do s:upper() end", VM_STOPPED, "stopped");
    expect_fault("local t = {} for i = 1, 10000 do t[i] = -i end for i = 1, 1000 do table.sort(t) end", VM_STOPPED,
                 "stopped");
    expect_fault("local t = {} for i = 1, 50001 do t[i] = i end table.sort(t)", VM_RAISED, "more than 50000 elements");
    expect_fault("local s = ('x'):rep(1000000) for i = 1, 1000 do s:find('y', 1, true) end", VM_STOPPED, "stopped");
}

/* --- the C stack --- */

static void deep_recursion_ends_cleanly(void)
{
    expect_fault("local function f() return 1 + f() end f()", VM_RAISED, "stack overflow");
    expect_fault("local t t = setmetatable({}, { __index = function(_, k) return t[k .. 'x'] end }) return t.x",
                 ANY_FAULT, NULL);
    expect_fault("local t = {} for i = 1, 50 do t[i] = i end "
                 "local function f() table.sort(t, function() f() return false end) end f()",
                 ANY_FAULT, NULL);
}

/* --- time --- */

static void the_wall_deadline_holds_between_slices(void)
{
    struct vm *vm = new_vm();
    struct vm_task task;
    char said[512];
    struct vm_limits limits = {.bytecodes = 1u << 30, .cpu_ms = 100000, .deadline_ms = 1};
    struct chunk chunk = start(vm, "while true do end");
    vm_task_init(&task, &limits);
    EXPECT_INT(VM_STOPPED, finish(vm, &chunk, &task, said, sizeof said));
    EXPECT(strstr(said, "stopped after 1 ms"));
    vm_free(vm);
}

static void cpu_time_is_limited(void)
{
    struct vm *vm = new_vm();
    struct vm_task task;
    char said[512];
    struct vm_limits limits = {.bytecodes = 1ull << 40, .cpu_ms = 3, .deadline_ms = 100000};
    struct chunk chunk = start(vm, "while true do end");
    vm_task_init(&task, &limits);
    EXPECT_INT(VM_STOPPED, finish(vm, &chunk, &task, said, sizeof said));
    EXPECT(strstr(said, "stopped after 3 ms of CPU time"));
    vm_free(vm);
}

/* The same program dies at the same bytecode wherever it runs. */
static void stopping_is_deterministic(void)
{
    uint64_t bytecodes[2];
    for (int i = 0; i < 2; i++) {
        struct vm *vm = new_vm();
        struct vm_task task;
        char said[512];
        if (i == 1) {
            struct vm_task before;
            struct chunk other = start(vm, "local n = 0 for i = 1, 777 do n = n + 1 end");
            vm_task_init(&before, &small);
            EXPECT_INT(VM_DONE, finish(vm, &other, &before, said, sizeof said));
        }
        struct chunk chunk = start(vm, "counter = 0 while true do counter = counter + 1 end");
        vm_task_init(&task, &small);
        EXPECT_INT(VM_STOPPED, finish(vm, &chunk, &task, said, sizeof said));
        lua_getglobal(vm_main(vm), "counter");
        bytecodes[i] = (uint64_t)lua_tonumber(vm_main(vm), -1);
        lua_pop(vm_main(vm), 1);
        vm_free(vm);
    }
    EXPECT_INT(bytecodes[0], bytecodes[1]);
    EXPECT(bytecodes[0] > 50000);
}

static int on_trust(lua_State *L)
{
    vm_trust(L);
    return 0;
}

static int on_distrust(lua_State *L)
{
    vm_distrust(L);
    return 0;
}

static int on_charge(lua_State *L)
{
    vm_charge(L, (size_t)lua_tointeger(L, 1));
    return 0;
}

static struct chunk start_trusting(struct vm *vm, const char *text)
{
    static const luaL_Reg functions[] = {{"trust", on_trust}, {"distrust", on_distrust}, {"charge", on_charge}, {NULL, NULL}};
    luaL_register(vm_main(vm), "_G", functions);
    return start(vm, text);
}

static uint64_t bytecodes_of(const char *text)
{
    struct vm *vm = new_vm();
    struct vm_task task;
    char said[512];
    struct chunk chunk = start_trusting(vm, text);
    vm_task_init(&task, &small);
    if (finish(vm, &chunk, &task, said, sizeof said) != VM_DONE) UNIT_FAIL("%s: %s", text, said);
    vm_free(vm);
    return task.bytecodes;
}

static void trusted_code_is_not_counted(void)
{
    EXPECT_INT(0, bytecodes_of("trust() for i = 1, 5000 do end"));
    EXPECT_INT(5000, bytecodes_of("trust() for i = 1, 5000 do end distrust() for i = 1, 5000 do end"));
    EXPECT_INT(5000, bytecodes_of("for i = 1, 5000 do end"));
    EXPECT(bytecodes_of("trust() charge(60000) for i = 1, 50000 do end") >= 60000); /* not short after all */
}

static void trust_ends(void)
{
    struct vm *vm = new_vm();
    struct vm_task task;
    char said[512];
    struct chunk chunk = start_trusting(vm, "while true do trust() distrust() end");
    vm_task_init(&task, &small);
    EXPECT_INT(VM_STOPPED, finish(vm, &chunk, &task, said, sizeof said));
    EXPECT_INT(VM_TRUSTS_MAX, task.trusts);
    vm_free(vm);
}

/* A task that was stopped leaves nothing behind that the next one would pay for, or escape by. */
static void trust_is_a_tasks_own(void)
{
    struct vm *vm = new_vm();
    struct vm_task first, second, third;
    char said[512];
    struct chunk a = start_trusting(vm, "while true do end");
    vm_task_init(&first, &small);
    EXPECT_INT(VM_MORE, vm_resume(vm, &first, a.co, 0));
    struct chunk b = start(vm, "trust() for i = 1, 100000 do end");
    vm_task_init(&second, &small);
    EXPECT_INT(VM_DONE, finish(vm, &b, &second, said, sizeof said));
    EXPECT_INT(0, second.bytecodes);
    EXPECT_INT(VM_STOPPED, finish(vm, &a, &first, said, sizeof said));
    struct chunk c = start(vm, "for i = 1, 5000 do end");
    vm_task_init(&third, &small);
    EXPECT_INT(VM_DONE, finish(vm, &c, &third, said, sizeof said));
    EXPECT_INT(5000, third.bytecodes);
    vm_free(vm);
}

static void slices_interleave_with_the_right_results(void)
{
    struct vm *vm = new_vm();
    struct chunk chunks[8];
    struct vm_task tasks[8];
    int left = 8;
    for (int i = 0; i < 8; i++) {
        chunks[i] = start(vm, "local t = {} for i = 1, 3000 do t[#t + 1] = i * 2 end "
                              "local n = 0 for _, v in ipairs(t) do n = n + v end assert(n == 9003000) "
                              "assert(('abc'):gsub('b', 'x') == 'axc')");
        vm_task_init(&tasks[i], &small);
    }
    enum vm_result results[8] = {VM_MORE, VM_MORE, VM_MORE, VM_MORE, VM_MORE, VM_MORE, VM_MORE, VM_MORE};
    while (left) {
        for (int i = 0; i < 8; i++) {
            if (results[i] != VM_MORE) continue;
            results[i] = vm_resume(vm, &tasks[i], chunks[i].co, 0);
            if (results[i] != VM_MORE) left--;
        }
    }
    for (int i = 0; i < 8; i++)
        EXPECT_INT(VM_DONE, results[i]);
    vm_free(vm);
}

static void a_stopped_task_is_never_resumed(void)
{
    struct vm *vm = new_vm();
    struct vm_task task;
    char said[512];
    struct chunk chunk = start(vm, "after = 0 while true do after = after + 1 end");
    vm_task_init(&task, &small);
    EXPECT_INT(VM_STOPPED, finish(vm, &chunk, &task, said, sizeof said));
    lua_getglobal(vm_main(vm), "after");
    double before = lua_tonumber(vm_main(vm), -1);
    EXPECT_INT(VM_STOPPED, vm_resume(vm, &task, chunk.co, 0));
    lua_getglobal(vm_main(vm), "after");
    EXPECT(lua_tonumber(vm_main(vm), -1) == before);
    vm_free(vm);
}

/* A thousand suspended coroutines, dropped: what they held is free after a collection. */
static void dropped_coroutines_are_collected(void)
{
    struct vm *vm = new_vm();
    struct vm_task tasks[1];
    lua_gc(vm_main(vm), LUA_GCCOLLECT, 0);
    size_t before = vm_memory(vm);
    for (int i = 0; i < 1000; i++) {
        struct chunk chunk = start(vm, "local t = {} for i = 1, 100 do t[i] = i end while true do end");
        vm_task_init(tasks, &small);
        EXPECT_INT(VM_MORE, vm_resume(vm, tasks, chunk.co, 0));
        luaL_unref(vm_main(vm), LUA_REGISTRYINDEX, chunk.ref);
    }
    lua_gc(vm_main(vm), LUA_GCCOLLECT, 0);
    lua_gc(vm_main(vm), LUA_GCCOLLECT, 0);
    EXPECT(vm_memory(vm) < before + 64 * 1024);
    vm_free(vm);
}

/* --- errors --- */

static void raised_values_are_told(void)
{
    expect_fault("\nerror('no')", VM_RAISED, "policies/x.lua:2: no");
    expect_fault("error({})", VM_RAISED, "raised a table instead of a text");
    expect_fault("error()", VM_RAISED, "raised a nil instead of a text");
    expect_fault("local x = nil .. 'a'", VM_RAISED, "policies/x.lua:1: attempt to concatenate");
    expect_fault("error(setmetatable({}, { __tostring = function() error('again') end }))", VM_RAISED,
                 "raised a table");
}

static void bytecode_and_dangerous_names_are_gone(void)
{
    static const char *const gone[] = {"io",        "os",       "debug", "package",  "jit",           "ffi",
                                       "coroutine", "newproxy", "load",  "loadfile", "dofile",        "loadstring",
                                       "module",    "require",  "print", "gcinfo",   "collectgarbage"};
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        expect_value("'nil'", gone[i]);
    expect_value("'nil'", "('').dump");
    expect_value("'false'", "getmetatable('')");
}

/* --- patterns: the same answers as the library's own --- */

static void patterns_do_what_the_manual_says(void)
{
    expect_value("'3'", "('hello'):find('l')");
    expect_value("'nil'", "('hello'):find('xyz')");
    expect_value("'3,4'", "table.concat({ ('hello'):find('l+') }, ',')");
    expect_value("'key,value'", "table.concat({ ('key = value'):match('^(%w+)%s*=%s*(%w+)$') }, ',')");
    expect_value("'1,6'", "table.concat({ ('hello'):match('()hello()') }, ',')");
    expect_value("'(a(b)c)'", "('x(a(b)c)y'):match('%b()')");
    expect_value("'THE'", "('THE (quick) fox'):match('%f[%a]%a+')");
    expect_value("'xx'", "('axxb'):match('(x)%1') and ('axxb'):match('x+')");
    expect_value("'a-b-c'", "(('a b c'):gsub(' ', '-'))");
    expect_value("'hello hello world world'", "(('hello world'):gsub('%w+', '%0 %0'))");
    expect_value("'world hello'", "(('hello world'):gsub('(%w+) (%w+)', '%2 %1'))");
    expect_value("'-a-b-'", "(('ab'):gsub('', '-'))");
    expect_value("'2'", "select(2, ('banana'):gsub('an', 'x', 2))");
    expect_value("'abc'", "('[[abc]]'):match('%[%[(.-)%]%]')");
    expect_value("']'", "('a]'):match('[]]')");
    expect_value("'b'", "('a-b'):match('[^a%-]')");
    expect_value("'-'", "('a-'):match('[a-]$')");
    expect_value("'2024,08,06'", "table.concat({ ('gpt-2024-08-06'):match('(%d+)-(%d+)-(%d+)') }, ',')");
    expect_value("'nil'", "('abc'):match('^b')");
    expect_value("'b'", "('abc'):match('^b', 2)");
    expect_value("'4'", "('a.b.c'):find('.', 3, true)");
    expect_value("'c'", "('abc'):match('.$')");
    expect_value("'4'", "('a\\0b\\0'):find('%z', 3)");
    expect_value("'a,b,c'", "(function() local t = {} for w in ('a b c'):gmatch('%a') do t[#t + 1] = w end "
                            "return table.concat(t, ',') end)()");
    expect_value("'^a'", "('x^a'):gmatch('^a')()"); /* no anchor there */
    expect_value("'k=1;'",
                 "(function() local o = '' for k, v in ('k=1'):gmatch('(%w)=(%w)') do o = o .. k .. '=' .. v .. ';' "
                 "end return o end)()");
}

static void bad_patterns_are_named(void)
{
    expect_fault("('x'):find('[a')", VM_RAISED, "pattern lacks a ']'");
    expect_fault("('x'):find('%')", VM_RAISED, "pattern ends with '%'");
    expect_fault("('x'):match('x)')", VM_RAISED, "a ')' too many");
    expect_fault("('x'):find('(x')", VM_RAISED, "lacks a ')'");
    expect_fault("('x'):find('%1')", VM_RAISED, "capture %1, which is not there");
    expect_fault("('x'):gsub('x', '%2')", VM_RAISED, "capture %2");
    expect_fault("('x'):find('%f')", VM_RAISED, "wants a set");
    expect_fault("('x'):find('%b')", VM_RAISED, "wants two characters");
    expect_fault("('x'):find(('x?'):rep(600))", VM_RAISED, "longer than 1024 bytes");
    expect_fault("('x'):rep(500):find(('x?'):rep(400) .. 'y')", VM_RAISED, "too complex");
}

int main(void)
{
    RUN(an_endless_loop_is_stopped);
    RUN(retried_pcall_is_stopped);
    RUN(xpcall_with_a_looping_handler_is_stopped);
    RUN(a_looping_finalizer_cannot_be_made);
    RUN(a_hostile_pattern_is_stopped);
    RUN(a_huge_rep_is_refused);
    RUN(loops_inside_c_functions_are_stopped);
    RUN(coroutines_cannot_be_made);
    RUN(memory_bombs_are_stopped);
    RUN(c_functions_charge_their_work);
    RUN(deep_recursion_ends_cleanly);
    RUN(the_wall_deadline_holds_between_slices);
    RUN(cpu_time_is_limited);
    RUN(stopping_is_deterministic);
    RUN(trusted_code_is_not_counted);
    RUN(trust_ends);
    RUN(trust_is_a_tasks_own);
    RUN(slices_interleave_with_the_right_results);
    RUN(a_stopped_task_is_never_resumed);
    RUN(dropped_coroutines_are_collected);
    RUN(raised_values_are_told);
    RUN(bytecode_and_dangerous_names_are_gone);
    RUN(patterns_do_what_the_manual_says);
    RUN(bad_patterns_are_named);
    return unit_close("vm");
}
