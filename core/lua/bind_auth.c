/* What auth.lua says, turned into what C looks at; and for scripts/constructors/auth.lua, what the caller presented. */
#include "lua/bind.h"

#include <limits.h>

#include "base/clock.h"
#include "base/limits.h"

/* ---- While loading: core.auth { keys = …, tokens = …, issuers = …, apps = …, has_default_app = … },
 * of shapes that the script has checked. */

/* The table's list of texts, copied. Raises when it is longer than max. */
static struct slice *read_names(lua_State *L, struct auth_rules *rules, const char *name, size_t max, size_t *count)
{
    lua_getfield(L, -1, name);
    size_t length = lua_istable(L, -1) ? lua_objlen(L, -1) : 0;
    if (length > max) luaL_error(L, "%s: more than %d entries", name, (int)max);
    struct slice *names = arena_zalloc(&rules->arena, (length + 1) * sizeof *names);
    for (size_t i = 0; i < length; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        names[i] = arena_copy(&rules->arena, bind_check_slice(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    *count = length;
    return names;
}

static struct slice read_text(lua_State *L, struct auth_rules *rules, const char *name)
{
    lua_getfield(L, -1, name);
    struct slice text = lua_isstring(L, -1) ? arena_copy(&rules->arena, bind_check_slice(L, -1)) : SLICE("");
    lua_pop(L, 1);
    return text;
}

static unsigned algorithms_of(const struct slice *names, size_t count)
{
    unsigned bits = 0;
    enum jwt_alg alg;
    for (size_t i = 0; i < count; i++) {
        if (jwt_alg_parse(names[i], &alg)) bits |= 1u << alg;
    }
    return bits;
}

/* field, claim, field, claim … */
static void read_claims(lua_State *L, struct auth_rules *rules, struct issuer_rules *issuer)
{
    size_t count;
    struct slice *names = read_names(L, rules, "claims", 2 * LIMIT_AUTH_NAMES, &count);
    issuer->claims = arena_zalloc(&rules->arena, (count / 2 + 1) * sizeof *issuer->claims);
    for (; issuer->claim_count < count / 2; issuer->claim_count++) {
        size_t i = issuer->claim_count;
        issuer->claims[i] = (struct claim_rule){names[2 * i], names[2 * i + 1]};
    }
}

static void read_issuer(lua_State *L, struct auth_rules *rules, struct issuer_rules *issuer)
{
    size_t count;
    struct fault why;
    issuer->token.issuer = read_text(L, rules, "issuer");
    issuer->url = read_text(L, rules, "url");
    issuer->token.audiences = read_names(L, rules, "audiences", LIMIT_AUTH_NAMES, &issuer->token.audience_count);
    struct slice *algorithms = read_names(L, rules, "algorithms", JWT_ALGS, &count);
    issuer->token.algorithms = algorithms_of(algorithms, count);
    lua_getfield(L, -1, "leeway");
    issuer->token.leeway_s = (uint32_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    read_claims(L, rules, issuer);
    if (issuer->url.len) return;
    struct slice text = read_text(L, rules, "text");
    issuer->keys = jwks_parse(text, &why);
    if (!issuer->keys) luaL_error(L, "jwks: %s", why.text);
}

/* auth(rules): from now on this generation's. Raises when one is in force already. */
static int on_auth(lua_State *L)
{
    struct policy_set *set = bind_set(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (set->auth) return luaL_error(L, "the chain has an auth policy already");
    struct auth_rules *rules = set->auth = auth_rules_new(); /* the set's from here on, whatever raises below */
    rules->key_headers = read_names(L, rules, "keys", LIMIT_AUTH_NAMES, &rules->key_header_count);
    rules->token_headers = read_names(L, rules, "tokens", LIMIT_AUTH_NAMES, &rules->token_header_count);
    rules->apps = read_names(L, rules, "apps", INT_MAX, &rules->app_count);
    lua_getfield(L, 1, "apps");
    rules->has_apps = lua_istable(L, -1);
    lua_getfield(L, 1, "has_default_app");
    rules->has_default_app = lua_toboolean(L, -1);
    lua_getfield(L, 1, "confirm_s");
    rules->confirm_ns = (uint64_t)lua_tointeger(L, -1) * NS_PER_S;
    lua_settop(L, 1);
    lua_getfield(L, 1, "issuers");
    size_t count = lua_objlen(L, -1);
    if (count > LIMIT_ISSUERS) return luaL_error(L, "jwt: more than %d issuers", (int)LIMIT_ISSUERS);
    rules->issuers = arena_zalloc(&rules->arena, (count + 1) * sizeof *rules->issuers);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 2, (int)i + 1);
        read_issuer(L, rules, &rules->issuers[rules->issuer_count++]);
        lua_pop(L, 1);
    }
    return 0;
}

/* refuse_strangers(): the auth policy is enforced */
static int on_refuse_strangers(lua_State *L)
{
    struct auth_rules *rules = bind_set(L)->auth;
    if (rules) rules->refuses_strangers = true;
    return 0;
}

/* jwks_check(text) → nil and why it is no set; or how many keys it has, how many were passed over, and why the first */
static int on_jwks_check(lua_State *L)
{
    struct fault why;
    const char *reason;
    struct jwks *set = jwks_parse(bind_check_slice(L, 1), &why);
    if (!set) {
        lua_pushnil(L);
        lua_pushstring(L, why.text);
        return 2;
    }
    size_t count = jwks_count(set), passed = jwks_passed_over(set, &reason);
    jwks_unref(set); /* the reason is a constant */
    lua_pushinteger(L, (lua_Integer)count);
    lua_pushinteger(L, (lua_Integer)passed);
    lua_pushstring(L, reason);
    return 3;
}

/* ---- While deciding. */

static const char *key_word(const struct exchange *x)
{
    if (!x->identity.key) return x->identity.key_presented ? "unknown" : "missing";
    if (x->identity.key->is_revoked) return "revoked";
    return key_record_is_live(x->identity.key, x->born_wall_ns) ? "live" : "expired";
}

/* credential() → "missing", "unknown", "revoked", "expired", "live" or "refused"; the header it was in, or false */
static int on_credential(lua_State *L)
{
    const struct exchange *x = bind_eval(L)->x;
    bool is_refused = x->identity.token_presented && x->identity.token_refusal != JWT_GOOD;
    lua_pushstring(L, is_refused ? "refused" : key_word(x));
    return 1 + bind_push_fact(L, x->identity.credential_header);
}

/* refusal() → the word of why the token was refused, the text for the record, the claim that is to blame or false */
static int on_refusal(lua_State *L)
{
    const struct exchange *x = bind_eval(L)->x;
    lua_pushstring(L, jwt_refusal_word(x->identity.token_refusal));
    lua_pushstring(L, jwt_refusal_text(x->identity.token_refusal));
    return 2 + bind_push_fact(L, x->identity.token_claim);
}

/* issuer() → of the token that was presented, good or not; false */
static int on_issuer(lua_State *L)
{
    return bind_push_fact(L, bind_eval(L)->x->identity.token_issuer);
}

/* key_id() → the id of the key that was presented, live or not; false */
static int on_key_id(lua_State *L)
{
    const struct exchange *x = bind_eval(L)->x;
    return bind_push_fact(L, x->identity.key ? x->identity.key->id : SLICE(""));
}

void bind_auth_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"auth", on_auth},       {"jwks_check", on_jwks_check},
                                         {"refuse_strangers", on_refuse_strangers},
                                         {"issuer", on_issuer},   {"credential", on_credential},
                                         {"refusal", on_refusal}, {"key_id", on_key_id},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
