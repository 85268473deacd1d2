/* What is known of a request, one fact at a time: false where there is none. The table of facts of a request reads them
 * here and keeps what it was told (scripts/facts.lua). */
#include "lua/bind.h"

#include <math.h>

#include "base/clock.h"
#include "base/hash.h"

struct field {
    const char *name;
    size_t offset;
};

#define KEY_FIELD(name)                                                                                                \
    {                                                                                                                  \
#name, offsetof(struct key_record, name)                                                                       \
    }
static const struct field key_fields[] = {KEY_FIELD(tier), KEY_FIELD(region), KEY_FIELD(clearance), KEY_FIELD(env)};
#undef KEY_FIELD

/* What the auth policy settles, and records carry. */
#define SETTLED_FIELD(name)                                                                                            \
    {                                                                                                                  \
#name, offsetof(struct identity, name)                                                                         \
    }
static const struct field settled_fields[] = {SETTLED_FIELD(app), SETTLED_FIELD(department), SETTLED_FIELD(user),
                                              SETTLED_FIELD(team)};
#undef SETTLED_FIELD

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct field *find_field(const struct field *fields, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(name, slice_str(fields[i].name))) return &fields[i];
    }
    return NULL;
}

/* NULL for a key that is not live, so that nothing of it is believed. */
static const struct key_record *live_key(const struct exchange *x)
{
    return x->identity.key && key_record_is_live(x->identity.key, x->born_wall_ns) ? x->identity.key : NULL;
}

static struct slice key_label(const struct key_record *key, struct slice name)
{
    for (size_t i = 0; i < key->label_count; i++) {
        if (slice_equal(key->labels[i].name, name)) return key->labels[i].value;
    }
    return SLICE("");
}

static struct slice identity(const struct policy_eval *eval, struct slice name)
{
    const struct exchange *x = eval->x;
    const struct key_record *key = live_key(x);
    const struct field *field = find_field(settled_fields, COUNT(settled_fields), name);
    if (field) return *(const struct slice *)((const char *)&x->identity + field->offset);
    if (slice_equal(name, SLICE("key_id"))) return key ? key->id : SLICE("");
    for (size_t i = 0; i < x->identity.added_count; i++) {
        if (slice_equal(x->identity.added[i].name, name)) return x->identity.added[i].value;
    }
    if (!key) return SLICE("");
    field = find_field(key_fields, COUNT(key_fields), name);
    return field ? *(const struct slice *)((const char *)key + field->offset) : key_label(key, name);
}

/* identity(name) → text or false */
static int on_identity(lua_State *L)
{
    return bind_push_fact(L, identity(bind_eval(L), bind_check_slice(L, 1)));
}

#define ADDED_MAX 32

/* settle(name, value): what the auth policy adds to the identity; true when the field was empty and is now this. */
static int on_settle(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct exchange *x = eval->x;
    struct identity *id = &x->identity;
    struct slice name = bind_check_slice(L, 1), value = bind_check_slice(L, 2);
    bool is_new = identity(eval, name).len == 0;
    lua_pushboolean(L, is_new);
    if (!is_new) return 1;
    const struct field *field = find_field(settled_fields, COUNT(settled_fields), name);
    if (field) {
        *(struct slice *)((char *)id + field->offset) = arena_copy(&x->arena, value);
        return 1;
    }
    if (id->added_count == ADDED_MAX) return luaL_error(L, "more than %d fields added to the identity", ADDED_MAX);
    if (!id->added) id->added = arena_alloc(&x->arena, ADDED_MAX * sizeof *id->added);
    id->added[id->added_count++] = (struct pair){arena_copy(&x->arena, name), arena_copy(&x->arena, value)};
    return 1;
}

static bool is_listed(const struct slice *list, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(list[i], name)) return true;
    }
    return false;
}

static int on_has_role(lua_State *L)
{
    const struct key_record *key = live_key(bind_eval(L)->x);
    lua_pushboolean(L, key && is_listed(key->roles, key->role_count, bind_check_slice(L, 1)));
    return 1;
}

static int on_is_approved(lua_State *L)
{
    const struct key_record *key = live_key(bind_eval(L)->x);
    lua_pushboolean(L, key && is_listed(key->approvals, key->approval_count, bind_check_slice(L, 1)));
    return 1;
}

/* --- the request --- */

static bool has_body(const struct exchange *x)
{
    return x->api->kind == API_CALL;
}

static int push_number(lua_State *L, bool is_there, double value)
{
    if (is_there)
        lua_pushnumber(L, value);
    else
        lua_pushboolean(L, false);
    return 1;
}

static int push_body_user(lua_State *L, struct policy_eval *eval)
{
    struct exchange *x = eval->x;
    const struct chat_request *r = &x->request;
    if (x->asked.recall) {
        bind_recall(L, eval, ASKED_VALUES, SLICE("user"), "request.user");
        return bind_push_fact(L, bind_opt_slice(L, -1));
    }
    bool is_there = has_body(x) && json_is(&r->tape, r->user_node, JSON_STRING);
    struct slice user = is_there ? json_text(&r->tape, r->user_node, &x->arena) : SLICE("");
    bind_note(eval, ASKED_VALUES, SLICE("user"), ASKED_AS_TEXT, user);
    return bind_push_fact(L, user);
}

static struct slice asked_model(const struct exchange *x)
{
    if (has_body(x)) return x->request.model;
    return x->api->kind == API_MODEL ? x->model_path : SLICE("");
}

static int push_flag(lua_State *L, bool value)
{
    lua_pushboolean(L, value);
    return 1;
}

static int push_text(lua_State *L, const char *text)
{
    lua_pushstring(L, text);
    return 1;
}

/* Facts that C answers itself; the identity's come first. */
enum fact {
    FACT_USER,
    FACT_APP,
    FACT_DEPARTMENT,
    FACT_TEAM,
    FACT_TIER,
    FACT_REGION,
    FACT_CLEARANCE,
    FACT_ENV,
    FACT_KEY_ID,
    FACT_API,
    FACT_ASKED,
    FACT_STREAM,
    FACT_MAX_TOKENS,
    FACT_TEMPERATURE,
    FACT_REQUEST_USER,
    FACT_TOOLS,
    FACT_USES,
    FACT_INPUT_TOKENS,
    FACT_OUTPUT_TOKENS,
    FACT_CONTEXT_TOKENS,
    FACT_INPUT_ESTIMATED,
    FACT_KNOWN_COST_NANO,
    FACT_ID,
    FACT_TIME,
    FACT_DIALECT,
    FACT_CROSSES,
};

static const char *const fact_names[] = {
    "user",   "app",          "department",    "team",           "tier",       "region",      "clearance",    "env",
    "key_id", "api",          "asked",         "stream",         "max_tokens", "temperature", "request_user", "tools",
    "uses",   "input_tokens", "output_tokens", "context_tokens",
    "input_estimated", "known_cost_nano", "id", "time", "dialect",
    "crosses",
};

static int push_fact(lua_State *L, struct policy_eval *eval, enum fact fact)
{
    struct exchange *x = eval->x;
    const struct chat_request *r = &x->request;
    bool is = has_body(x);
    switch (fact) {
    case FACT_USER: return bind_push_fact(L, x->identity.user);
    case FACT_APP: return bind_push_fact(L, x->identity.app);
    case FACT_DEPARTMENT: return bind_push_fact(L, x->identity.department);
    case FACT_TEAM: return bind_push_fact(L, x->identity.team);
    case FACT_TIER:
    case FACT_REGION:
    case FACT_CLEARANCE:
    case FACT_ENV:
    case FACT_KEY_ID: return bind_push_fact(L, identity(eval, slice_str(fact_names[fact])));
    case FACT_API: return push_text(L, x->api->name);
    case FACT_ASKED: return bind_push_fact(L, asked_model(x));
    case FACT_STREAM: return push_flag(L, is && r->is_stream);
    case FACT_MAX_TOKENS: return push_number(L, is && r->max_tokens >= 0, (double)r->max_tokens);
    case FACT_TEMPERATURE: return push_number(L, is && !isnan(r->temperature), r->temperature);
    case FACT_REQUEST_USER: return push_body_user(L, eval);
    case FACT_TOOLS: return push_number(L, is, r->tool_count);
    case FACT_USES: return push_number(L, true, is ? r->uses : 0);
    case FACT_INPUT_TOKENS: return push_number(L, true, (double)exchange_estimate(x)->input_tokens);
    case FACT_OUTPUT_TOKENS: return push_number(L, true, (double)x->estimate.output_tokens);
    case FACT_CONTEXT_TOKENS:
        return push_number(L, true, (double)exchange_estimate(x)->input_tokens + (double)x->estimate.output_tokens);
    case FACT_INPUT_ESTIMATED: return push_flag(L, exchange_estimate(x)->is_flagged);
    case FACT_KNOWN_COST_NANO: return push_number(L, x->known_cost_nano >= 0, (double)x->known_cost_nano);
    case FACT_ID: return push_text(L, x->id);
    case FACT_DIALECT: return push_text(L, x->api->client->name);
    case FACT_CROSSES: return push_flag(L, x->api->asks == CHAT_CHAT || x->api->asks == CHAT_COUNT);
    case FACT_TIME: return push_number(L, true, (double)x->born_wall_ns / (double)NS_PER_S);
    }
    return 0;
}

/* __index of a table of facts. Upvalue: name → number of one of the facts above, or function(facts) of another. */
static int on_fact(lua_State *L)
{
    int number;
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1)); // facts name what
    switch (lua_type(L, 3)) {
    case LUA_TNUMBER:
        number = (int)lua_tointeger(L, 3);
        if (number >= BIND_VIEWS) {
            bind_push_view(L, bind_eval(L), number - BIND_VIEWS);
            return 1;
        }
        push_fact(L, bind_eval(L), (enum fact)number);
        break;
    case LUA_TNIL: return 1;
    default:
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
    }
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 1); // facts name … value
    return 1;
}

/* fact_reader(functions) → the metamethod; adds C's names to the table, each with its number */
static int on_fact_reader(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    for (size_t i = 0; i < COUNT(fact_names); i++) {
        lua_pushinteger(L, (lua_Integer)i);
        lua_setfield(L, 1, fact_names[i]);
    }
    lua_pushcclosure(L, on_fact, 1);
    return 1;
}

/* facts_by(new): what makes the table of facts of each evaluation */
static int on_facts_by(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    struct policy_set *set = bind_set(L);
    set->facts_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    for (int i = 0; i < EVAL_KEPT; i++) {
        lua_pushstring(L, eval_kept_names[i]);
        set->kept_refs[i] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    return 0;
}

static bool is_listing(const struct exchange *x)
{
    switch (x->api->kind) {
    case API_MODELS:
    case API_MODEL:
    case API_OBJECT:
    case API_LIST: return true;
    case API_NONE:
    case API_CALL: break;
    }
    return false;
}

/* line_models() → those that the lines of a batch's file name, in their provider's words */
static int on_line_models(lua_State *L)
{
    const struct chat_request *r = &bind_eval(L)->x->request;
    lua_createtable(L, (int)r->line_model_count, 0);
    for (uint32_t i = 0; i < r->line_model_count; i++) {
        lua_pushlstring(L, r->line_models[i].ptr, r->line_models[i].len);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* listing() → nil for a request that calls a model; "all", "one" for GET /v1/models/{id}, "object" or
 * "end": something that a provider keeps, or its end; "own": which of that the caller has */
static int on_listing(lua_State *L)
{
    const struct exchange *x = bind_eval(L)->x;
    if (!is_listing(x)) return 0;
    if (x->api->kind == API_OBJECT)
        lua_pushstring(L, x->api->is_end ? "end" : "object");
    else if (x->api->kind == API_LIST)
        lua_pushstring(L, "own");
    else
        lua_pushstring(L, x->api->kind == API_MODEL ? "one" : "all");
    return 1;
}

/* --- hints --- */

static struct slice hint_header(const struct exchange *x, struct slice name)
{
    static const struct slice prefix = {"x-moongate-", 11};
    for (size_t i = 0; i < x->head.header_count; i++) {
        struct slice header = x->head.headers[i].name;
        if (header.len != prefix.len + name.len || !slice_iequal(slice_of(header.ptr, prefix.len), prefix)) continue;
        bool same = true;
        for (size_t c = 0; c < name.len; c++) { /* max_latency_ms is x-moongate-max-latency-ms */
            char want = name.ptr[c] == '_' ? '-' : name.ptr[c];
            same = same && (header.ptr[prefix.len + c] | 0x20) == (want | 0x20);
        }
        if (same) return x->head.headers[i].value;
    }
    return SLICE_NONE;
}

static void push_body_hint(lua_State *L, struct exchange *x, struct slice name)
{
    const struct chat_request *r = &x->request;
    uint32_t node = has_body(x) && r->hints_node != JSON_NONE ? json_get(&r->tape, r->hints_node, name) : JSON_NONE;
    if (node == JSON_NONE || json_is(&r->tape, node, JSON_NULL)) {
        lua_pushnil(L);
    } else if (json_is(&r->tape, node, JSON_STRING)) {
        struct slice text = json_text(&r->tape, node, &x->arena);
        lua_pushlstring(L, text.ptr, text.len);
    } else {
        struct slice raw = json_raw(&r->tape, node); /* a number, or what the check of hints refuses */
        lua_pushlstring(L, raw.ptr, raw.len < 64 ? raw.len : 64);
    }
}

/* What one of the two says, where the facts of a record do not say it as well. */
static void note_hint(struct policy_eval *eval, struct slice name, struct slice header, struct slice body)
{
    struct buf json;
    if (!header.ptr && !body.ptr) return;
    if (!(header.ptr && body.ptr) && asked_is_words(header.ptr ? header : body)) return;
    buf_init_small(&json, 256);
    buf_append_char(&json, '[');
    if (header.ptr) buf_append_json(&json, header);
    else buf_append(&json, SLICE("null"));
    buf_append_char(&json, ',');
    if (body.ptr) buf_append_json(&json, body);
    else buf_append(&json, SLICE("null"));
    buf_append_char(&json, ']');
    bind_note(eval, ASKED_HINTS, name, ASKED_AS_JSON, buf_slice(&json));
    buf_clear(&json);
}

/* What was noted. False: the facts of the record say it, which stand for headers. */
static bool recall_hint(lua_State *L, struct exchange *x, struct slice name)
{
    uint32_t node = x->asked.recall ? asked_find(&x->asked, ASKED_HINTS, name) : JSON_NONE;
    if (node == JSON_NONE) return false;
    const struct json_tape *tape = recall_tape(x->asked.recall);
    for (uint32_t one = json_first(tape, node); one != JSON_NONE; one = json_next(tape, one)) {
        struct slice text = json_is(tape, one, JSON_STRING) ? json_text(tape, one, &x->arena) : SLICE_NONE;
        if (text.ptr) lua_pushlstring(L, text.ptr, text.len);
        else lua_pushnil(L);
    }
    return true;
}

/* hint(name) → text of the header x-moongate-<name> or nil, text in the body's metadata.moongate or nil */
static int on_hint(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct exchange *x = eval->x;
    struct slice name = bind_check_slice(L, 1), header = hint_header(x, name);
    lua_settop(L, 1);
    if (recall_hint(L, x, name)) {
        lua_settop(L, 3);
        return 2;
    }
    if (header.ptr)
        lua_pushlstring(L, header.ptr, header.len);
    else
        lua_pushnil(L);
    push_body_hint(L, x, name);
    note_hint(eval, name, header, lua_isnil(L, -1) ? SLICE_NONE : bind_opt_slice(L, -1));
    return 2;
}

/* Is any given? One walk, so that requests without hints pay for no more. */
static bool has_hints(const struct exchange *x)
{
    if (has_body(x) && x->request.hints_node != JSON_NONE) return true;
    if (x->asked.recall && recall_has(x->asked.recall, ASKED_HINTS)) return true;
    for (size_t i = 0; i < x->head.header_count; i++) {
        struct slice name = x->head.headers[i].name;
        if (name.len > 11 && slice_iequal(slice_of(name.ptr, 11), SLICE("x-moongate-"))) return true;
    }
    return false;
}

/* --- */

static bool is_refused(const struct exchange *x)
{
    return x->identity.token_presented && x->identity.token_refusal != JWT_GOOD;
}

/* begin(detector or nil) → app, department, key_id, the model that was asked for, has it hints, is it a listing, is its
 * credential good, the issuer of its token: what every chain asks for, given at once */
static int on_begin(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    const struct exchange *x = eval->x;
    const struct key_record *key = live_key(x);
    eval->detector = lua_touserdata(L, 1);
    bind_push_fact(L, x->identity.app);
    bind_push_fact(L, x->identity.department);
    bind_push_fact(L, key ? key->id : SLICE(""));
    bind_push_fact(L, asked_model(x));
    lua_pushboolean(L, has_hints(x));
    lua_pushboolean(L, is_listing(x));
    lua_pushboolean(L, key && !is_refused(x));
    bind_push_fact(L, x->identity.token_issuer);
    return 8;
}

/* share(text, salt) → 0 to 9999, the same for the same two: which part of all callers this one belongs to */
static int on_share(lua_State *L)
{
    struct slice text = bind_check_slice(L, 1), salt = bind_check_slice(L, 2);
    lua_pushinteger(L, (lua_Integer)(hash_bytes(text, hash_bytes(salt, 0)) % 10000));
    return 1;
}

void bind_facts_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"identity", on_identity},
                                         {"settle", on_settle},
                                         {"has_role", on_has_role},
                                         {"is_approved", on_is_approved},
                                         {"fact_reader", on_fact_reader},
                                         {"facts_by", on_facts_by},
                                         {"begin", on_begin},
                                         {"listing", on_listing},
                                         {"line_models", on_line_models},
                                         {"hint", on_hint},
                                         {"share", on_share},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
