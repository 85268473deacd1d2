/* What conditions ask of the prompt that a request names (exchange/prompted.h). */
#include "exchange/prompted.h"
#include "lua/bind.h"

static struct slice field(const struct prompted *p, struct slice name)
{
    if (slice_equal(name, SLICE("prompt"))) return p->name;
    if (slice_equal(name, SLICE("prompt_version"))) return p->version;
    if (slice_equal(name, SLICE("prompt_label"))) return p->label;
    if (slice_equal(name, SLICE("prompt_sha256"))) return p->sha256;
    return prompted_is(p) ? p->status : SLICE("none");
}

/* prompt(name): prompt, prompt_version, prompt_label, prompt_sha256 or prompt_status → text, or false */
static int on_prompt(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct slice name = bind_check_slice(L, 1);
    if (bind_recall(L, eval, ASKED_VALUES, name, "request.prompt")) return bind_push_fact(L, bind_opt_slice(L, -1));
    struct slice value = field(&eval->x->prompted, name);
    bind_note(eval, ASKED_VALUES, name, ASKED_AS_TEXT, value);
    return bind_push_fact(L, value);
}

void bind_prompts_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"prompt", on_prompt}, {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
