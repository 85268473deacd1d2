/* Detectors of policies, compiled at load, and what they found in the request under way. */
#include "lua/bind.h"

#define DETECTOR "moongate.detector"

static int on_detector_gc(lua_State *L)
{
    struct redact_rules *rules = lua_touserdata(L, 1);
    detect_free(rules->detect);
    rules->detect = NULL;
    return 0;
}

/* Its memory belongs to the state before anything is made that must be freed. */
static struct redact_rules *push_rules(lua_State *L)
{
    struct redact_rules *rules = lua_newuserdata(L, sizeof *rules);
    memset(rules, 0, sizeof *rules);
    bind_set_kind(L, DETECTOR, on_detector_gc);
    return rules;
}

/* The built-in kinds of a list of names, as a set; names of masks are left to detect_new(). */
static uint32_t check_kinds(lua_State *L, int index)
{
    uint32_t kinds = 0;
    luaL_checktype(L, index, LUA_TTABLE);
    for (size_t i = 1; i <= lua_objlen(L, index); i++) {
        lua_rawgeti(L, index, (int)i);
        int kind = detect_kind_id(NULL, bind_check_slice(L, -1));
        if (kind == DETECT_NO_KIND) luaL_error(L, "no built-in kind '%s'", lua_tostring(L, -1));
        kinds |= 1u << kind;
        lua_pop(L, 1);
    }
    return kinds;
}

/* {{name, like}, …}; the texts stay on the stack, where the table keeps them. */
static size_t check_masks(lua_State *L, int index, struct detect_mask masks[LIMIT_DETECT_MASKS])
{
    luaL_checktype(L, index, LUA_TTABLE);
    size_t count = lua_objlen(L, index);
    if (count > LIMIT_DETECT_MASKS) luaL_error(L, "more than %d masks", (int)LIMIT_DETECT_MASKS);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (int)i + 1);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        masks[i] = (struct detect_mask){bind_check_slice(L, -2), bind_check_slice(L, -1)};
        lua_pop(L, 3);
    }
    return count;
}

/* detector(kinds, masks) → detector, or nil and why not */
static int on_detector(lua_State *L)
{
    struct detect_mask masks[LIMIT_DETECT_MASKS];
    struct fault why;
    lua_settop(L, 2);
    uint32_t kinds = check_kinds(L, 1);
    size_t count = check_masks(L, 2, masks);
    struct redact_rules *rules = push_rules(L);
    rules->detect = detect_new(kinds, masks, count, &why);
    if (!rules->detect) {
        lua_pushnil(L);
        lua_pushstring(L, fault_message(&why));
        return 2;
    }
    rules->kinds = kinds | (((uint64_t)1 << count) - 1) << DETECT_KINDS;
    rules->scan_bytes_max = LIMIT_REDACT_SCAN_BYTES;
    redact_rules_index(rules);
    return 1;
}

/* The kind of that name, DETECT_NO_KIND when it is not looked for. */
static int kind_of(const struct redact_rules *rules, struct slice name)
{
    int kind = detect_kind_id(rules->detect, name);
    return kind != DETECT_NO_KIND && rules->kinds >> kind & 1 ? kind : DETECT_NO_KIND;
}

static unsigned check_kind(lua_State *L, const struct redact_rules *rules, int index)
{
    int kind = kind_of(rules, bind_check_slice(L, index));
    if (kind == DETECT_NO_KIND) luaL_error(L, "no kind '%s'", lua_tostring(L, index));
    return (unsigned)kind;
}

/* detector_answer(detector, kind, is_masked): that kind is looked for in answers */
static int on_detector_answer(lua_State *L)
{
    struct redact_rules *rules = luaL_checkudata(L, 1, DETECTOR);
    uint64_t bit = (uint64_t)1 << check_kind(L, rules, 2);
    rules->response_finds |= bit;
    if (lua_toboolean(L, 3)) rules->response_masks |= bit;
    return 0;
}

/* detector_class(detector, kind, rank): what is found of that kind raises the request's data class */
static int on_detector_class(lua_State *L)
{
    struct redact_rules *rules = luaL_checkudata(L, 1, DETECTOR);
    rules->rank[check_kind(L, rules, 2)] = (unsigned char)luaL_checkinteger(L, 3);
    return 0;
}

/* detector_options(detector, is_restoring, max_scan) */
static int on_detector_options(lua_State *L)
{
    struct redact_rules *rules = luaL_checkudata(L, 1, DETECTOR);
    rules->is_restoring = lua_toboolean(L, 2);
    lua_Number bytes = luaL_checknumber(L, 3);
    rules->scan_bytes_max = bytes < LIMIT_REDACT_SCAN_MAX ? (size_t)bytes : LIMIT_REDACT_SCAN_MAX;
    return 0;
}

/* detector_kinds() → names of the built-in kinds */
static int on_detector_kinds(lua_State *L)
{
    lua_newtable(L);
    for (unsigned kind = 0; kind < DETECT_KINDS; kind++) {
        struct slice name = detect_kind_name(NULL, kind);
        lua_pushlstring(L, name.ptr, name.len);
        lua_rawseti(L, -2, (int)kind + 1);
    }
    return 1;
}

/* --- the request under way --- */

struct memo *bind_quiet(const struct policy_eval *eval)
{
    const struct policy_host *host = eval->how.host;
    return host && host->quiet ? host->quiet(eval->how.host_arg) : NULL;
}

struct redact *bind_redact(struct policy_eval *eval)
{
    struct exchange *x = eval->x;
    if (x->decision.redact || !eval->detector || !x->request.tape.count) return x->decision.redact;
    x->decision.redact = redact_new(eval->detector, &x->arena);
    redact_remember(x->decision.redact, bind_quiet(eval));
    return x->decision.redact;
}

/* ---- In a decision that is taken again: what was found stands in the record. */

/* Of the member, how often; -1: that kind was not looked for then. */
static int64_t recalled(const struct policy_eval *eval, struct slice kind)
{
    const struct json_tape *tape = recall_tape(eval->x->asked.recall);
    uint32_t found = json_get(tape, json_get(tape, 0, SLICE("asked")), SLICE("found"));
    uint32_t node = found == JSON_NONE ? JSON_NONE : json_get(tape, found, kind);
    int64_t count = -1;
    if (json_is(tape, node, JSON_NUMBER)) json_to_i64(tape, node, &count);
    return count;
}

static uint32_t recalled_count(struct policy_eval *eval, unsigned kind)
{
    struct slice name = detect_kind_name(eval->detector->detect, kind);
    int64_t count = recalled(eval, name);
    if (count < 0) bind_miss(eval, SLICE("redaction"));
    return count > 0 ? (uint32_t)count : 0;
}

static bool is_recalled(const struct policy_eval *eval, const char *what)
{
    return recalled(eval, slice_str(what)) > 0;
}

static bool recalls(const struct policy_eval *eval)
{
    return eval->x->asked.recall && eval->detector && eval->x->api->kind == API_CALL;
}

static bool has_recalled(struct policy_eval *eval)
{
    bool has = is_recalled(eval, ".cut") || is_recalled(eval, ".foreign") || is_recalled(eval, ".deep");
    for (unsigned kind = 0; kind < detect_kind_count(eval->detector->detect); kind++) {
        if (eval->detector->kinds >> kind & 1 && recalled_count(eval, kind)) has = true;
    }
    return has;
}

/* ---- */

/* scan() → whether all is looked at: a piece a call, and nothing where others shall have their turn in between; whether
 * there is anything to say of it */
static int on_scan(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct redact *r = bind_redact(eval);
    if (recalls(eval)) {
        lua_pushboolean(L, true);
        lua_pushboolean(L, has_recalled(eval));
        return 2;
    }
    bool is_done = !r || redact_is_scanned(r) || redact_scan(r, &eval->x->request, buf_slice(&eval->x->body));
    if (!is_done && vm_is_slice_over(L)) return lua_yield(L, 0);
    lua_pushboolean(L, is_done);
    lua_pushboolean(L, r && redact_has_findings(r));
    return 2;
}

/* What was found is asked for: then it must be known, in one go if need be. */
static struct redact *scanned(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct redact *r = bind_redact(eval);
    while (r && !redact_is_scanned(r))
        redact_scan(r, &eval->x->request, buf_slice(&eval->x->body));
    return r;
}

/* found(kind) → how often */
static int on_found(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    if (recalls(eval)) {
        int no = kind_of(eval->detector, bind_check_slice(L, 1));
        lua_pushnumber(L, no == DETECT_NO_KIND ? 0 : recalled_count(eval, (unsigned)no));
        return 1;
    }
    struct redact *r = scanned(L);
    int kind = r ? kind_of(redact_rules_of(r), bind_check_slice(L, 1)) : DETECT_NO_KIND;
    lua_pushnumber(L, kind == DETECT_NO_KIND ? 0 : redact_found(r, (unsigned)kind));
    return 1;
}

/* found_rank() → of the most sensitive data class that something found stands for; 0: none */
static int on_found_rank(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct redact *r = recalls(eval) ? NULL : scanned(L);
    unsigned char rank = 0;
    for (unsigned kind = 0; recalls(eval) && kind < detect_kind_count(eval->detector->detect); kind++) {
        unsigned char of_kind = eval->detector->rank[kind];
        if (of_kind > rank && recalled_count(eval, kind)) rank = of_kind;
    }
    for (unsigned kind = 0; r && kind < detect_kind_count(redact_rules_of(r)->detect); kind++) {
        unsigned char of_kind = redact_rules_of(r)->rank[kind];
        if (of_kind > rank && redact_found(r, kind)) rank = of_kind;
    }
    lua_pushinteger(L, rank);
    return 1;
}

/* is_cut() → is there more text than was scanned? is there JSON in JSON that is nested deeper than this many levels? is
 * there a file that is a text in another encoding? */
static int on_is_cut(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    bool is_again = recalls(eval);
    struct redact *r = is_again ? NULL : scanned(L);
    lua_pushboolean(L, is_again ? is_recalled(eval, ".cut") : r && redact_is_cut(r));
    if (is_again ? is_recalled(eval, ".deep") : r && redact_is_too_deep(r))
        lua_pushinteger(L, LIMIT_SIGHT_LEVELS);
    else
        lua_pushnil(L);
    lua_pushboolean(L, is_again ? is_recalled(eval, ".foreign") : r && redact_is_foreign(r));
    return 3;
}

/* is_detected(kind) → does a detector of this chain look for it? */
static int on_is_detected(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    const struct redact *r = bind_redact(eval);
    const struct redact_rules *rules = r ? redact_rules_of(r) : recalls(eval) ? eval->detector : NULL;
    lua_pushboolean(L, rules && kind_of(rules, bind_check_slice(L, 1)) != DETECT_NO_KIND);
    return 1;
}

/* mask(kind): its values leave as placeholders */
static int on_mask(lua_State *L)
{
    struct redact *r = recalls(bind_eval(L)) ? NULL : scanned(L);
    if (r) redact_mask(r, check_kind(L, redact_rules_of(r), 1));
    return 0;
}

void bind_redact_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"detector", on_detector},
                                         {"detector_answer", on_detector_answer},
                                         {"detector_class", on_detector_class},
                                         {"detector_options", on_detector_options},
                                         {"detector_kinds", on_detector_kinds},
                                         {"scan", on_scan},
                                         {"found", on_found},
                                         {"found_rank", on_found_rank},
                                         {"is_cut", on_is_cut},
                                         {"is_detected", on_is_detected},
                                         {"mask", on_mask},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
