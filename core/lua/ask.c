#include "lua/ask.h"

#include "lua/bind.h"

struct question {
    struct policy_set *set;
    const char *script;
    struct slice text;
    struct buf *answer;
    int code;
};

/* Protected: use(script)(question) → text, code */
static int on_ask(lua_State *L)
{
    struct question *q = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, q->set->use_ref);
    lua_pushstring(L, q->script);
    lua_call(L, 1, 1);
    bind_push_json(L, q->text);
    lua_call(L, 1, 2);
    buf_append(q->answer, bind_check_slice(L, -2)); /* grows by mem_*, which never raises */
    q->code = (int)luaL_checkinteger(L, -1);
    return 0;
}

bool policy_set_ask_all(struct policy_set *set, const char *script, struct slice question, struct policy_errors *errors,
                        struct buf *answer, int *code, struct fault *why)
{
    struct question q = {.set = set, .script = script, .text = question, .answer = answer};
    set->errors = errors;
    bool ok = vm_protect(set->vm, on_ask, &q, why);
    set->errors = NULL;
    *code = q.code;
    return ok;
}

bool policy_set_ask(struct policy_set *set, const char *script, struct slice question, struct buf *answer, int *code,
                    struct fault *why)
{
    struct policy_errors ignored; /* scripts try edits; those that do not compile are no answers */
    policy_errors_init(&ignored);
    bool ok = policy_set_ask_all(set, script, question, &ignored, answer, code, why);
    policy_errors_clear(&ignored);
    return ok;
}
