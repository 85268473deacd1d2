/* log.* of policies: a line of the gateway's own log; scripts/sandbox.lua does the formatting. */
#include "base/log.h"
#include "lua/bind.h"

#define LINE_BYTES_MAX 1000

/* log(level, text) */
static int on_log(lua_State *L)
{
    static const char *const names[] = {"error", "warn", "info", "debug", NULL};
    enum log_level level = (enum log_level)luaL_checkoption(L, 1, NULL, names);
    struct slice text = bind_check_slice(L, 2);
    struct policy_eval *eval = bind_set(L)->running;
    char place[VM_PLACE_BYTES] = "policies";
    vm_place(L, place, sizeof place);
    vm_charge(L, 3000); /* a line is a system call */
    if (text.len > LINE_BYTES_MAX) text.len = LINE_BYTES_MAX;
    if (eval && eval->how.host && eval->how.host->log) {
        eval->how.host->log(eval->how.host_arg, names[level], slice_str(place), text);
        return 0;
    }
    log_event(level, "policy", "%s: %.*s%s%s", place, SLICE_FMT(text), eval ? " request " : "",
              eval ? eval->x->id : "");
    return 0;
}

void bind_log_register(lua_State *L)
{
    lua_pushcfunction(L, on_log);
    lua_setfield(L, -2, "log");
}
