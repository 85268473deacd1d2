#include "lua/describe.h"

#include "lua/bind.h"
#include "lua/sandbox.h"
#include "lua/script.h"

struct job {
    const char *wanted;
    struct buf *out;
};

/* Protected. */
static int on_describe(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    const struct embedded_script *script = script_find(SLICE("scripts/describe.lua"));
    if (!script) return luaL_error(L, "scripts/describe.lua is not in this binary");
    sandbox_open(L);
    script_push(L, script);
    bind_push_core(L);
    lua_pushstring(L, job->wanted);
    lua_setfield(L, -2, "wanted");
    lua_call(L, 1, 1);
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    buf_append(job->out, slice_of(text, text ? len : 0));
    return 0;
}

bool describe_policies(const char *wanted, struct buf *out, struct fault *why)
{
    struct job job = {wanted, out};
    struct policy_errors errors;
    struct bundle *bundle = bundle_of(NULL, 0, why);
    if (!bundle) return false;
    policy_errors_init(&errors);
    bool ok = policy_set_run(bundle, &errors, on_describe, &job, why);
    policy_errors_clear(&errors);
    bundle_unref(bundle);
    return ok;
}
