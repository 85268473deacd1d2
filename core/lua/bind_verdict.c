/* How the chain says what it decided: written into the exchange, in its arena. */
#include "exchange/outgoing.h"
#include "lua/bind.h"

#define ANNOTATIONS_MAX 32
#define ANNOTATION_BYTES_MAX (8 * 1024)
#define NAME_BYTES_MAX 64
#define REASON_BYTES_MAX 1024

/* At most max bytes, cut at a character of UTF-8. */
static struct slice cut(struct slice s, size_t max)
{
    if (s.len <= max) return s;
    while (max > 0 && ((unsigned char)s.ptr[max] & 0xC0) == 0x80)
        max--;
    return slice_of(s.ptr, max);
}

/* trace(policy, rule, verb, reason, mode, file, line) */
static int on_trace(lua_State *L)
{
    struct exchange *x = bind_eval(L)->x;
    struct trace_entry entry = {
        .policy = bind_opt_slice(L, 1),
        .rule = bind_opt_slice(L, 2),
        .verb = bind_opt_slice(L, 3),
        .reason = cut(bind_opt_slice(L, 4), REASON_BYTES_MAX),
        .mode = bind_opt_slice(L, 5),
        .file = bind_opt_slice(L, 6),
        .line = (int)luaL_optinteger(L, 7, 0),
    };
    trace_add(&x->decision.trace, &x->arena, &entry);
    return 0;
}

/* model(name): the canonical name of what was asked for */
static int on_model(lua_State *L)
{
    struct exchange *x = bind_eval(L)->x;
    x->decision.verdict.model = arena_copy(&x->arena, bind_check_slice(L, 1));
    return 0;
}

/* The catalogue's i-th target in the list at 1; upvalue 1: "terms". */
static const struct terms *check_target(lua_State *L, int i)
{
    lua_rawgeti(L, 1, i);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_rawget(L, -2);
    const struct terms *terms = lua_touserdata(L, -1);
    lua_pop(L, 2);
    if (!terms) luaL_error(L, "allow wants targets of the catalogue");
    return terms;
}

/* allow(targets): those of a list, in order of preference; beyond LIMIT_TARGETS they are left out */
static int on_allow(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct exchange *x = eval->x;
    luaL_checktype(L, 1, LUA_TTABLE);
    bind_redact(eval); /* for the answer, even where nobody looked at the request */
    struct verdict *v = &x->decision.verdict;
    size_t count = lua_objlen(L, 1) < LIMIT_TARGETS ? lua_objlen(L, 1) : LIMIT_TARGETS;
    v->targets = arena_alloc(&x->arena, (count + 1) * sizeof *v->targets);
    v->target_count = 0;
    for (size_t i = 1; i <= count; i++) {
        struct target *target = &v->targets[v->target_count++];
        target->terms = check_target(L, (int)i);
        target->name = arena_copy(&x->arena, target->terms->target);
        target->provider = slice_split(target->name, '/', &target->model);
    }
    v->kind = VERDICT_ALLOW;
    return 0;
}

/* drain(seconds, tokens): should the client go, the answer is read to its end within these bounds */
static int on_drain(lua_State *L)
{
    struct exchange *x = bind_eval(L)->x;
    lua_Integer seconds = luaL_checkinteger(L, 1), tokens = luaL_checkinteger(L, 2);
    x->decision.drain_seconds_max = seconds > 0 ? (uint32_t)seconds : 0;
    x->decision.drain_tokens_max = tokens > 0 ? (uint64_t)tokens : 0;
    return 0;
}

/* share_objects({ [id] = account, … }) → {ids} of what the request names there: the app may use it, whoever made it */
static int on_share_objects(lua_State *L)
{
    struct exchange *x = bind_eval(L)->x;
    const struct chat_request *r = &x->request;
    int count = 0;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_newtable(L);
    x->objects.shared = r->kept_count ? arena_zalloc(&x->arena, r->kept_count * sizeof *x->objects.shared) : NULL;
    for (uint32_t i = 0; i < r->kept_count; i++) {
        lua_pushlstring(L, r->kept[i].id.ptr, r->kept[i].id.len);
        lua_pushvalue(L, -1);
        lua_rawget(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) {
            x->objects.shared[i] = arena_copy(&x->arena, bind_check_slice(L, -1));
            lua_pushvalue(L, -2);
            lua_rawseti(L, 2, ++count);
        }
        lua_pop(L, 2);
    }
    return 1;
}

/* record(durability, intent, prompt, answer): durability as in enum durability, 0: nothing is said of it */
static int on_record(lua_State *L)
{
    struct record_wish *wish = &bind_eval(L)->x->decision.record;
    enum durability durability = (enum durability)luaL_checkinteger(L, 1);
    if (durability > wish->durability && durability <= DURABILITY_REMOTE) wish->durability = durability;
    wish->has_intent |= lua_toboolean(L, 2);
    wish->keeps_prompt |= lua_toboolean(L, 3);
    wish->keeps_answer |= lua_toboolean(L, 4);
    return 0;
}

/* has_postgres() → can records be had there? Yes where no moongate.lua says anything. */
static int on_has_postgres(lua_State *L)
{
    const struct settings *settings = bind_eval(L)->how.settings;
    lua_pushboolean(L, !settings || settings->has_postgres);
    return 1;
}

/* deny(status, code, reason, policy, rule, retry_after, approval): the last as JSON */
static int on_deny(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct exchange *x = eval->x;
    struct verdict *v = eval->answer;
    int status = (int)luaL_checkinteger(L, 1);
    struct slice code = bind_check_slice(L, 2), reason = cut(bind_opt_slice(L, 3), REASON_BYTES_MAX);
    struct slice policy = bind_opt_slice(L, 4), rule = bind_opt_slice(L, 5);
    lua_Integer retry_after = luaL_optinteger(L, 6, 0);
    struct slice approval = bind_opt_slice(L, 7);
    v->kind = VERDICT_DENY;
    v->status = status;
    v->target_count = 0;
    v->code = arena_copy(&x->arena, code);
    v->reason = arena_copy(&x->arena, reason);
    v->policy = arena_copy(&x->arena, policy);
    v->rule = arena_copy(&x->arena, rule);
    v->retry_after_s = retry_after > 0 ? (uint32_t)retry_after : 0;
    v->approval = arena_copy(&x->arena, approval);
    return 0;
}

/* fault(text, policy) */
static int on_fault(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct arena *arena = &eval->x->arena;
    struct slice text = cut(bind_check_slice(L, 1), REASON_BYTES_MAX), policy = bind_opt_slice(L, 2);
    eval->answer->kind = VERDICT_FAULT;
    eval->answer->target_count = 0;
    eval->answer->fault_text = arena_copy(arena, text);
    eval->answer->policy = arena_copy(arena, policy);
    return 0;
}

/* list(names): ALLOW with the models of a table, which is sorted */
static int on_list(lua_State *L)
{
    struct exchange *x = bind_eval(L)->x;
    struct verdict *v = &x->decision.verdict;
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t count = lua_objlen(L, 1);
    v->kind = VERDICT_ALLOW;
    v->models = arena_alloc(&x->arena, (count + 1) * sizeof *v->models);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 1, (int)i + 1);
        v->models[i] = arena_copy(&x->arena, bind_check_slice(L, -1));
        lua_pop(L, 1);
    }
    v->model_count = count;
    return 0;
}

/* annotate(name, value): into the record; a second one of a name replaces the first */
static int on_annotate(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct exchange *x = eval->x;
    struct decision *d = &x->decision;
    struct slice name = bind_check_slice(L, 1), value = bind_check_slice(L, 2);
    if (name.len == 0 || name.len > NAME_BYTES_MAX) return luaL_error(L, "annotate: a name has 1 to 64 bytes");
    d->annotation_bytes += name.len + value.len;
    if (d->annotation_bytes > ANNOTATION_BYTES_MAX) return luaL_error(L, "annotate: more than 8 KB on one request");
    size_t i = 0;
    while (i < d->annotation_count && !slice_equal(d->annotations[i].name, name))
        i++;
    if (i == ANNOTATIONS_MAX) return luaL_error(L, "annotate: more than 32 annotations on one request");
    if (!d->annotations) d->annotations = arena_alloc(&x->arena, ANNOTATIONS_MAX * sizeof *d->annotations);
    if (eval->how.phase != PHASE_REQUEST && i < d->decided_annotations) d->replaced |= 1u << i;
    d->annotations[i] = (struct pair){arena_copy(&x->arena, name), arena_copy(&x->arena, value)};
    if (i == d->annotation_count) d->annotation_count++;
    return 0;
}

/* warn(text): into x-moongate-warning; control characters become spaces */
static int on_warn(lua_State *L)
{
    struct exchange *x = bind_eval(L)->x;
    struct verdict *v = &x->decision.verdict;
    struct slice text = cut(bind_check_slice(L, 1), 256);
    if (v->warning_count == sizeof v->warnings / sizeof v->warnings[0]) return 0;
    char *copy = arena_alloc(&x->arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = (unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7F ? ' ' : text.ptr[i];
    v->warnings[v->warning_count++] = slice_of(copy, text.len);
    return 0;
}

void bind_verdict_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"trace", on_trace}, {"model", on_model},
                                         {"drain", on_drain}, {"record", on_record},
                                         {"share_objects", on_share_objects},
                                         {"has_postgres", on_has_postgres},
                                         {"deny", on_deny},   {"fault", on_fault},
                                         {"list", on_list},   {"annotate", on_annotate}, {"warn", on_warn},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
    lua_pushliteral(L, "terms");
    lua_pushcclosure(L, on_allow, 1);
    lua_setfield(L, -2, "allow");
}

/* --- a finished exchange as a table --- */

static void set_slice(lua_State *L, const char *name, struct slice s)
{
    if (!s.len) return;
    lua_pushlstring(L, s.ptr, s.len);
    lua_setfield(L, -2, name);
}

static void push_trace(lua_State *L, const struct trace *trace)
{
    lua_newtable(L);
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_entry *entry = &trace->entries[i];
        lua_newtable(L);
        set_slice(L, "policy", entry->policy);
        set_slice(L, "rule", entry->rule);
        set_slice(L, "verb", entry->verb);
        set_slice(L, "reason", entry->reason);
        set_slice(L, "mode", entry->mode);
        set_slice(L, "file", entry->file);
        lua_pushinteger(L, entry->line);
        lua_setfield(L, -2, "line");
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static void push_pairs(lua_State *L, const struct pair *pairs, size_t count)
{
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        lua_pushlstring(L, pairs[i].name.ptr, pairs[i].name.len);
        lua_pushlstring(L, pairs[i].value.ptr, pairs[i].value.len);
        lua_settable(L, -3);
    }
}

static void push_list(lua_State *L, const struct slice *list, size_t count)
{
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        lua_pushlstring(L, list[i].ptr, list[i].len);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static const char *kind_name(enum verdict_kind kind)
{
    switch (kind) {
    case VERDICT_NONE: return "none";
    case VERDICT_ALLOW: return "allow";
    case VERDICT_DENY: return "deny";
    case VERDICT_FAULT: return "fault";
    }
    return "none";
}

static void push_targets(lua_State *L, const struct verdict *v)
{
    lua_newtable(L);
    for (size_t i = 0; i < v->target_count; i++) {
        lua_pushlstring(L, v->targets[i].name.ptr, v->targets[i].name.len);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

/* What the first target would be sent: `sent`, the body, and `sent_text`, the last user's part of it. Nothing is
 * held across what may raise: both lie in the arena. */
static void push_sent(lua_State *L, struct exchange *x)
{
    const struct verdict *v = &x->decision.verdict;
    struct splice edits;
    struct buf body;
    struct chat_request sent;
    struct fault why;
    if (v->kind != VERDICT_ALLOW || !x->request.tape.count) return;
    outgoing_edit(x, v->target_count ? &v->targets[0] : NULL, false, &x->arena, &edits);
    buf_init(&body);
    splice_apply(&edits, &body);
    struct slice copy = arena_copy(&x->arena, buf_slice(&body)), text = SLICE("");
    buf_clear(&body);
    chat_init(&sent);
    if (chat_parse(&sent, x->request.dialect, copy, x->request.kind, &x->arena, &why)) {
        text = arena_copy(&x->arena, chat_last_user_text(&sent, copy.len, &x->arena));
    }
    chat_clear(&sent);
    set_slice(L, "sent", copy);
    set_slice(L, "sent_text", text);
}

/* record: { durability =, intent = true, prompt = true, answer = true }, as far as a policy said; else nothing. */
static void push_wish(lua_State *L, const struct record_wish *wish)
{
    static const char *const names[] = {NULL, "async", "local", "remote"};
    bool has_texts = wish->keeps_prompt || wish->keeps_answer;
    if (wish->durability == DURABILITY_UNSAID && !wish->has_intent && !has_texts) return;
    lua_newtable(L);
    lua_pushstring(L, names[wish->durability]);
    lua_setfield(L, -2, "durability");
    lua_pushboolean(L, wish->has_intent);
    lua_setfield(L, -2, "intent");
    lua_pushboolean(L, wish->keeps_prompt);
    lua_setfield(L, -2, "prompt");
    lua_pushboolean(L, wish->keeps_answer);
    lua_setfield(L, -2, "answer");
    lua_setfield(L, -2, "record");
}

void bind_push_outcome(lua_State *L, struct exchange *x)
{
    const struct verdict *v = &x->decision.verdict;
    lua_newtable(L);
    lua_pushstring(L, kind_name(v->kind));
    lua_setfield(L, -2, "kind");
    lua_pushinteger(L, v->status);
    lua_setfield(L, -2, "status");
    if (v->retry_after_s) {
        lua_pushnumber(L, v->retry_after_s);
        lua_setfield(L, -2, "retry_after");
    }
    set_slice(L, "code", v->code);
    set_slice(L, "reason", v->reason);
    set_slice(L, "policy", v->policy);
    set_slice(L, "rule", v->rule);
    set_slice(L, "approval", v->approval);
    set_slice(L, "grant", x->decision.grant);
    set_slice(L, "model", v->model);
    set_slice(L, "fault", v->fault_text);
    set_slice(L, "app", x->identity.app);
    set_slice(L, "department", x->identity.department);
    set_slice(L, "user", x->identity.user);
    set_slice(L, "team", x->identity.team);
    push_targets(L, v);
    lua_setfield(L, -2, "targets");
    push_list(L, v->warnings, v->warning_count);
    lua_setfield(L, -2, "warnings");
    push_list(L, v->models, v->model_count);
    lua_setfield(L, -2, "models");
    push_pairs(L, x->decision.annotations, x->decision.annotation_count);
    lua_setfield(L, -2, "annotations");
    push_wish(L, &x->decision.record);
    push_sent(L, x);
    push_trace(L, &x->decision.trace);
    lua_setfield(L, -2, "trace");
}
