/*
 * ctx and what hangs on it, as policies see it: userdata that hold nothing but the number of their request, so that one
 * kept past its request finds out and raises. Fields are facts (scripts/facts.lua) or methods, by the kind's table.
 */
#include "lua/bind.h"
#include "lua/frozen.h"
#include "wire/look.h"

#define LAST_USER_TEXT_BYTES_MAX (64 * 1024)

enum view_kind { VIEW_FIELDS, VIEW_HEADERS, VIEW_ROLES, VIEW_APPROVALS };

struct view {
    uint64_t serial;
    enum view_kind kind;
};

/* The evaluation that a view belongs to. */
static struct policy_eval *check_alive(lua_State *L, const struct view *view)
{
    struct policy_eval *running = bind_set(L)->running;
    if (!running || running->serial != view->serial) {
        luaL_error(L, "this ctx belongs to a request that is over: nothing of a request may be kept for the next");
    }
    return running;
}

/* That of the view at index 1. */
static struct policy_eval *check_view(lua_State *L, struct view **view)
{
    *view = lua_touserdata(L, 1);
    if (!*view || lua_objlen(L, 1) != sizeof **view) {
        luaL_error(L, "this is a method: call it with a colon, as in ctx:annotate(…)");
    }
    return check_alive(L, *view);
}

static struct policy_eval *check_eval(lua_State *L)
{
    struct view *view;
    return check_view(L, &view);
}

/* --- fields --- */

/* A fact that is false: one that may be, or one that is not there. */
static int push_false(lua_State *L)
{
    lua_getfield(L, lua_upvalueindex(1), "_booleans");
    if (!lua_isnil(L, -1)) {
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
    }
    if (!lua_isnil(L, -1)) lua_pushboolean(L, false);
    return 1;
}

/* Upvalues: the kind's table of fields, a function that raises for an unknown one. Called by Lua alone:
 * two arguments. */
static int on_index(lua_State *L)
{
    struct policy_eval *eval = check_alive(L, lua_touserdata(L, 1));
    lua_rawgeti(L, LUA_REGISTRYINDEX, eval->state_ref); // view key facts
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1)); // view key facts fact
    switch (lua_type(L, 4)) {
    case LUA_TFUNCTION: return 1;
    case LUA_TNIL:
        lua_pushvalue(L, lua_upvalueindex(2));
        lua_pushvalue(L, 2);
        lua_call(L, 1, 0);
        return 0;
    }
    lua_gettable(L, 3); // view key facts value
    return lua_isboolean(L, 4) && !lua_toboolean(L, 4) ? push_false(L) : 1;
}

static int on_newindex(lua_State *L)
{
    return luaL_error(L, "ctx is read-only: '%s' cannot be set", luaL_checkstring(L, 2));
}

/* --- headers, roles, approvals --- */

/* Itself, where it is in lower case. */
static struct slice lower(struct slice name, struct arena *arena)
{
    size_t i = 0;
    while (i < name.len && !(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z'))
        i++;
    if (i == name.len) return name;
    char *copy = arena_alloc(arena, name.len + 1);
    for (i = 0; i < name.len; i++)
        copy[i] = name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? (char)(name.ptr[i] | 0x20) : name.ptr[i];
    return slice_of(copy, name.len);
}

static int on_header(lua_State *L)
{
    struct policy_eval *eval = check_eval(L);
    struct slice name = bind_check_slice(L, 2);
    if (auth_rules_is_secret(eval->set->auth, name))
        return luaL_error(L, "header '%s' holds a secret: policies never see it", name.ptr);
    struct slice value = exchange_header(eval->x, name), key = lower(name, &eval->x->arena);
    if (bind_recall(L, eval, ASKED_HEADERS, key, "request.headers")) return 1;
    bind_note(eval, ASKED_HEADERS, key, ASKED_AS_TEXT, value);
    if (!value.ptr) return 0;
    lua_pushlstring(L, value.ptr, value.len);
    return 1;
}

static const struct slice *view_list(const struct policy_eval *eval, enum view_kind kind, size_t *count)
{
    const struct key_record *key = eval->x->identity.key;
    *count = 0;
    if (!key || !key_record_is_live(key, eval->x->born_wall_ns)) return NULL;
    *count = kind == VIEW_ROLES ? key->role_count : key->approval_count;
    return kind == VIEW_ROLES ? key->roles : key->approvals;
}

/* A set: true for a member, nil else. */
static int on_member(lua_State *L)
{
    struct view *view;
    struct policy_eval *eval = check_view(L, &view);
    struct slice name = bind_check_slice(L, 2);
    size_t count;
    const struct slice *list = view_list(eval, view->kind, &count);
    for (size_t i = 0; i < count; i++) {
        if (!slice_equal(list[i], name)) continue;
        lua_pushboolean(L, true);
        return 1;
    }
    return 0;
}

/* The member or header at a place, and whether there is one. */
static bool view_at(const struct policy_eval *eval, enum view_kind kind, size_t i, struct pair *pair)
{
    size_t count;
    if (kind == VIEW_HEADERS) {
        if (i >= eval->x->head.header_count) return false;
        *pair = eval->x->head.headers[i];
        return true;
    }
    const struct slice *list = view_list(eval, kind, &count);
    if (i >= count) return false;
    *pair = (struct pair){list[i], SLICE_NONE};
    return true;
}

static bool is_repeated(const struct policy_eval *eval, enum view_kind kind, size_t i)
{
    struct pair pair, earlier;
    view_at(eval, kind, i, &pair);
    for (size_t e = 0; e < i && view_at(eval, kind, e, &earlier); e++) {
        if (slice_iequal(earlier.name, pair.name)) return true;
    }
    return false;
}

int bind_view_next(lua_State *L)
{
    if (frozen_table(L, 1)) {
        lua_replace(L, 1);
        lua_settop(L, 2);
        return lua_next(L, 1) ? 2 : 0;
    }
    struct view *view;
    struct policy_eval *eval = check_view(L, &view);
    if (view->kind == VIEW_FIELDS) return luaL_error(L, "pairs() cannot walk this view: name the field");
    if (view->kind == VIEW_HEADERS) bind_miss(eval, SLICE("pairs(request.headers)"));
    struct slice after = bind_opt_slice(L, 2);
    struct pair pair;
    size_t i = 0;
    if (after.len) {
        while (view_at(eval, view->kind, i, &pair) && !slice_iequal(pair.name, after))
            i++;
        i++;
    }
    while (view_at(eval, view->kind, i, &pair) &&
           (auth_rules_is_secret(eval->set->auth, pair.name) || is_repeated(eval, view->kind, i)))
        i++;
    if (!view_at(eval, view->kind, i, &pair)) {
        lua_pushnil(L);
        return 1;
    }
    vm_charge(L, 100);
    lua_pushlstring(L, pair.name.ptr, pair.name.len);
    if (view->kind == VIEW_HEADERS)
        lua_pushlstring(L, pair.value.ptr, pair.value.len);
    else
        lua_pushboolean(L, true);
    return 2;
}

/* --- methods of ctx.request --- */

static bool has_text(const struct exchange *x)
{
    return x->api->has_text;
}

static int on_last_user_text(lua_State *L)
{
    struct policy_eval *eval = check_eval(L);
    struct exchange *x = eval->x;
    if (!has_text(x)) return 0;
    bind_miss(eval, SLICE("request.last_user_text"));
    struct slice text = chat_last_user_text(&x->request, LAST_USER_TEXT_BYTES_MAX, &x->arena);
    if (!text.ptr) return 0;
    vm_charge(L, text.len);
    lua_pushlstring(L, text.ptr, text.len);
    return 1;
}

/* In a text of the request as who reads it sees it. */
static bool is_seen(const struct chat_request *r, struct slice wanted)
{
    struct arena texts;
    bool is_there = false;
    arena_init(&texts);
    struct chat_reading at = CHAT_READING;
    for (uint32_t n; !is_there && (n = chat_next_reading(r, &at)) != JSON_NONE;)
        is_there = look_contains(chat_read(r, n, &texts), wanted);
    arena_clear(&texts);
    return is_there;
}

/* Bytes as they stand in the body, or as who reads its texts sees them: no escape hides them. A file that nobody can
 * look into may have any. */
static int on_contains(lua_State *L)
{
    struct policy_eval *eval = check_eval(L);
    struct exchange *x = eval->x;
    struct slice wanted = bind_check_slice(L, 2), body = buf_slice(&x->body);
    if (bind_recall(L, eval, ASKED_CONTAINS, wanted, "request.contains")) return 1;
    vm_charge(L, body.len / 8); /* memmem runs well below a nanosecond a byte */
    bool is_unread = x->request.attached.has_foreign_text;
    bool is_there = wanted.len == 0 || is_unread;
    if (!is_there && has_text(x)) is_there = memmem(body.ptr, body.len, wanted.ptr, wanted.len) != NULL;
    if (!is_there && has_text(x) && x->request.tape.count && sight_is_other(body)) {
        vm_charge(L, 2 * body.len);
        is_there = is_seen(&x->request, wanted);
    }
    bind_note(eval, ASKED_CONTAINS, wanted, ASKED_AS_JSON, bind_word(is_there));
    lua_pushboolean(L, is_there);
    return 1;
}

static int on_text_bytes(lua_State *L)
{
    struct policy_eval *eval = check_eval(L);
    struct exchange *x = eval->x;
    char digits[24];
    if (bind_recall(L, eval, ASKED_VALUES, SLICE("text_bytes"), "request.text_bytes")) return 1;
    uint64_t bytes = has_text(x) ? chat_text_bytes(&x->request) : 0;
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)bytes);
    bind_note(eval, ASKED_VALUES, SLICE("text_bytes"), ASKED_AS_JSON, slice_of(digits, (size_t)n));
    lua_pushnumber(L, (double)bytes);
    return 1;
}

/* --- making views --- */

static void set_metamethod(lua_State *L, const char *name, lua_CFunction fn)
{
    lua_pushcfunction(L, fn);
    lua_setfield(L, -2, name);
}

/* view_kind(name, fields, unknown [, index]): fields maps names to facts or methods; unknown(name) raises.
 * index(view, name) instead of the usual reading: a function of Lua's can wait in the middle, one of C's cannot. */
static int on_view_kind(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    lua_settop(L, 4);
    if (!luaL_newmetatable(L, luaL_checkstring(L, 1))) return luaL_error(L, "view kind twice");
    lua_insert(L, 2); // name metatable fields unknown index
    if (lua_isnil(L, 5)) {
        lua_pop(L, 1);
        lua_pushcclosure(L, on_index, 2);
    }
    lua_setfield(L, 2, "__index");
    lua_settop(L, 2);
    set_metamethod(L, "__newindex", on_newindex);
    lua_pushboolean(L, false);
    lua_setfield(L, 2, "__metatable");
    return 0;
}

static void make_map_kind(lua_State *L, const char *name, lua_CFunction index)
{
    if (luaL_newmetatable(L, name)) {
        set_metamethod(L, "__index", index);
        set_metamethod(L, "__newindex", on_newindex);
        lua_pushboolean(L, false);
        lua_setfield(L, -2, "__metatable");
    }
    lua_pop(L, 1);
}

static const char *const view_names[EVAL_VIEWS + 1] = {"ctx",   "identity",  "request", "estimate", "headers", "roles",
                                                   "approvals", "budget", "route",   "response", "usage", "grants"};

static const enum view_kind view_kinds[EVAL_VIEWS] = {[4] = VIEW_HEADERS, [5] = VIEW_ROLES, [6] = VIEW_APPROVALS};

/* Kinds of fields get their metatables when all files are read. */
static void push_metatable(lua_State *L, struct policy_set *set, int view)
{
    if (!set->view_refs[view]) {
        luaL_getmetatable(L, view_names[view]);
        set->view_refs[view] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, set->view_refs[view]);
}

void bind_push_view(lua_State *L, struct policy_eval *eval, int view)
{
    vm_distrust(L);
    lua_rawgeti(L, 1, view + 1);
    if (lua_type(L, -1) == LUA_TUSERDATA) return;
    lua_pop(L, 1);
    struct view *made = lua_newuserdata(L, sizeof *made);
    *made = (struct view){eval->serial, view_kinds[view]};
    push_metatable(L, eval->set, view);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawseti(L, 1, view + 1);
}

/* viewer(kind) → what stands for that view among the facts that C answers */
static int on_viewer(lua_State *L)
{
    lua_pushinteger(L, BIND_VIEWS + luaL_checkoption(L, 1, NULL, view_names));
    return 1;
}

/* trust(): what runs from here on is this script's, and little; until a view is asked for */
static int on_trust(lua_State *L)
{
    vm_trust(L);
    return 0;
}

/* distrust(): from here on all is counted, whoever's it is */
static int on_distrust(lua_State *L)
{
    vm_distrust(L);
    bind_eval(L)->task.trusts = VM_TRUSTS_MAX;
    return 0;
}

/* facts() → the table of facts of the request under way */
static int on_facts(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, bind_eval(L)->state_ref);
    return 1;
}

/* check_ctx(view): raises unless it belongs to the request under way */
static int on_check_ctx(lua_State *L)
{
    check_eval(L);
    return 0;
}

void bind_ctx_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"view_kind", on_view_kind},
                                         {"viewer", on_viewer},
                                         {"trust", on_trust},
                                         {"distrust", on_distrust},
                                         {"facts", on_facts},
                                         {"check_ctx", on_check_ctx},
                                         {"last_user_text", on_last_user_text},
                                         {"contains", on_contains},
                                         {"text_bytes", on_text_bytes},
                                         {NULL, NULL}};
    make_map_kind(L, "headers", on_header);
    make_map_kind(L, "roles", on_member);
    make_map_kind(L, "approvals", on_member);
    luaL_register(L, NULL, functions);
}
