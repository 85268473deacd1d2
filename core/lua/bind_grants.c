/* What scripts/grants.lua asks: which grants hold for the caller of the request under way, where one asks for one. */
#include "base/clock.h"
#include "exchange/granted.h"
#include "lua/bind.h"

#define GRANTS_MAX 32 /* of one model and caller; the newest of more */
#define PURPOSE_BYTES_MAX 200

static const char *const states[] = {[GRANTED_ACTIVE] = "active",
                                     [GRANTED_GLASS] = "glass",
                                     [GRANTED_EXPIRED] = "expired",
                                     [GRANTED_PENDING] = "pending"};
static const char *const coverings[] = {
    [GRANTED_USER] = "user", [GRANTED_APP] = "app", [GRANTED_DEPARTMENT] = "department"};

/* The clock is read at each decision: a grant ends to the second, whatever was pushed when. */
static enum granted_state state_at(const struct granted *g, uint64_t now_ns)
{
    bool is_over = g->ends_s <= (int64_t)(now_ns / NS_PER_S);
    return g->state != GRANTED_PENDING && is_over ? GRANTED_EXPIRED : g->state;
}

/* In one line: what people wrote may hold anything. */
static void append_purpose(struct buf *out, struct slice purpose)
{
    for (size_t i = 0; i < purpose.len && i < PURPOSE_BYTES_MAX; i++)
        buf_append_char(out, (unsigned char)purpose.ptr[i] < 0x20 ? ' ' : purpose.ptr[i]);
}

static void append(struct buf *out, const struct granted *g, uint64_t now_ns)
{
    buf_printf(out, "%s %s %.*s %lld ", states[state_at(g, now_ns)], coverings[g->covers], SLICE_FMT(g->id),
               (long long)g->ends_s);
    append_purpose(out, g->purpose);
    buf_append(out, SLICE("\n"));
}

static struct slice find(struct exchange *x, struct slice model)
{
    struct buf out;
    size_t count = 0;
    granted_fill(x);
    buf_init(&out);
    for (size_t i = 0; i < x->identity.grant_count && count < GRANTS_MAX; i++) {
        const struct granted *g = &x->identity.grants[i];
        if (!slice_equal(g->model, model)) continue;
        append(&out, g, granted_now_ns(x));
        count++;
    }
    struct slice text = arena_copy(&x->arena, buf_slice(&out));
    buf_clear(&out);
    return text;
}

/* grants(model) → a line for each: state, covers, id, when it ends, purpose; nil: there is none */
static int on_grants(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct exchange *x = eval->x;
    struct slice model = bind_check_slice(L, 1), key = arena_printf(&x->arena, "grants %.*s", SLICE_FMT(model));
    if (bind_recall(L, eval, ASKED_VALUES, key, "identity.grants")) return 1;
    struct slice text = find(x, model);
    bind_note(eval, ASKED_VALUES, key, ASKED_AS_TEXT, text.len ? text : SLICE_NONE);
    if (!text.len) return 0;
    lua_pushlstring(L, text.ptr, text.len);
    return 1;
}

/* approvals_unknown() → whether somebody may have revoked them at another gateway, and nobody here can tell. Noted when
 * it is so: a record without it had them. */
static int on_approvals_unknown(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct exchange *x = eval->x;
    struct slice key = SLICE("approvals unknown");
    bool is_unknown = x->asked.recall ? asked_find(&x->asked, ASKED_VALUES, key) != JSON_NONE : x->is_registry_stale;
    if (is_unknown && !x->asked.recall) bind_note(eval, ASKED_VALUES, key, ASKED_AS_TEXT, SLICE("true"));
    lua_pushboolean(L, is_unknown);
    return 1;
}

static void append_escaped(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                        c == '-' || c == '.' || c == '_';
        if (is_plain)
            buf_append_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned char)c);
    }
}

/* console_url(model) → where a person asks for it, or nil */
static int on_console_url(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    const struct settings *settings = eval->how.settings;
    struct slice model = bind_check_slice(L, 1);
    struct buf out;
    if (!settings || !settings->console_url.len) return 0;
    buf_init(&out);
    buf_printf(&out, "%.*s/ui/access/request?model=", SLICE_FMT(settings->console_url));
    append_escaped(&out, model);
    struct slice url = arena_copy(&eval->x->arena, buf_slice(&out));
    buf_clear(&out);
    lua_pushlstring(L, url.ptr, url.len);
    return 1;
}

/* granted(id, is break-glass): the grant that the request is let through by */
static int on_granted(lua_State *L)
{
    struct exchange *x = bind_eval(L)->x;
    x->decision.grant = arena_copy(&x->arena, bind_check_slice(L, 1));
    x->decision.is_break_glass = lua_toboolean(L, 2);
    return 0;
}

void bind_grants_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"grants", on_grants}, {"console_url", on_console_url}, {"approvals_unknown", on_approvals_unknown},
        {"granted", on_granted}, {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
