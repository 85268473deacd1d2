/* Where limits and budgets are counted: scripts/counters.lua says what is asked and what is answered in Lua,
 * and store/counters/counters.h in C. What is asked lives in the exchange's arena, as long as what was taken may be
 * held. */
#include <math.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "exchange/hold.h"
#include "lua/bind.h"
#include "lua/calls.h"

static const struct policy_host *counting_host(const struct policy_host *host)
{
    return host && host->counters ? host : NULL;
}

/* --- a question --- */

/* The member of the table at `index`: an amount, at most COUNTERS_AMOUNT_MAX; `absent` when there is none. */
static int64_t amount_of(lua_State *L, int index, const char *name, int64_t absent)
{
    lua_getfield(L, index, name);
    lua_Number value = lua_tonumber(L, -1);
    bool is_absent = lua_isnil(L, -1), is_number = lua_type(L, -1) == LUA_TNUMBER;
    lua_pop(L, 1);
    if (is_absent) return absent;
    if (!is_number || !(value >= 0) || value != floor(value))
        luaL_error(L, "counters: '%s' is a whole number from 0", name);
    return value >= (lua_Number)COUNTERS_AMOUNT_MAX ? COUNTERS_AMOUNT_MAX : (int64_t)value;
}

static uint32_t seconds_of(lua_State *L, int index, const char *name)
{
    int64_t seconds = amount_of(L, index, name, 0);
    return seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

static struct slice text_of(lua_State *L, int index, const char *name, struct arena *arena)
{
    lua_getfield(L, index, name);
    struct slice text = arena_copy(arena, bind_check_slice(L, -1));
    lua_pop(L, 1);
    return text;
}

static int word_of(lua_State *L, int index, const char *name, const char *const *words)
{
    lua_getfield(L, index, name);
    int no = luaL_checkoption(L, -1, NULL, words);
    lua_pop(L, 1);
    return no;
}

static void insert_scope(struct counters_scope *scope, size_t count, struct counters_scope one)
{
    for (; count > 0 && strcmp(scope[count - 1].name.ptr, one.name.ptr) > 0; count--)
        scope[count] = scope[count - 1];
    scope[count] = one;
}

/* The member `scope` of the table at `index`, {name = value}, by name. */
static void read_scope(lua_State *L, int index, struct counters_item *item, struct arena *arena)
{
    struct counters_scope scope[LIMIT_COUNTERS_SCOPE];
    size_t count = 0;
    lua_getfield(L, index, "scope");
    luaL_checktype(L, -1, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (count == LIMIT_COUNTERS_SCOPE) luaL_error(L, "counters: more than %d fields of a scope", (int)count);
        insert_scope(scope, count++, (struct counters_scope){arena_copy(arena, bind_check_slice(L, -2)),
                                                             arena_copy(arena, bind_check_slice(L, -1))});
    }
    lua_pop(L, 1);
    struct counters_scope *copy = arena_alloc(arena, (count + 1) * sizeof *copy);
    memcpy(copy, scope, count * sizeof *copy);
    item->scope = copy;
    item->scope_count = count;
}

/* What only rates have, and what only money has. */
static void read_span(lua_State *L, int index, struct counters_item *item)
{
    switch (item->unit) {
    case COUNTERS_REQUESTS:
    case COUNTERS_TOKENS:
        item->window_s = seconds_of(L, index, "window");
        item->burst = amount_of(L, index, "burst", 0);
        return;
    case COUNTERS_MONEY:
        item->start_s = amount_of(L, index, "start", 0);
        item->stop_s = amount_of(L, index, "stop", 0);
        item->idle_s = seconds_of(L, index, "idle");
        return;
    case COUNTERS_CONCURRENT: return;
    }
}

/* What the item's budget is called, and calls itself. */
static const struct counters_words *read_words(lua_State *L, int index, struct arena *arena)
{
    struct slice who = text_of(L, index, "who", arena), again = text_of(L, index, "again", arena);
    lua_getfield(L, index, "words");
    int at = lua_gettop(L);
    luaL_checktype(L, at, LUA_TTABLE);
    struct counters_words *words = arena_alloc(arena, sizeof *words);
    *words = (struct counters_words){
        .policy = text_of(L, at, "policy", arena),
        .rule = text_of(L, at, "rule", arena),
        .who = who,
        .what = text_of(L, at, "what", arena),
        .again = again,
        .file = text_of(L, at, "file", arena),
        .line = (int)amount_of(L, at, "line", 0),
        .code = text_of(L, at, "code", arena),
        .status = (int)amount_of(L, at, "status", 0),
    };
    lua_pop(L, 1);
    return words;
}

/* Those of what never blocks are never said. */
static bool has_words(lua_State *L, int index)
{
    lua_getfield(L, index, "words");
    bool has = lua_istable(L, -1);
    lua_pop(L, 1);
    return has;
}

/* The item of scripts/counters.lua at `index`. */
static void read_item(lua_State *L, int index, struct counters_item *item, struct arena *arena)
{
    static const char *const units[] = {"requests", "tokens", "concurrent", "money", NULL};
    static const char *const losses[] = {"local", "open", "closed", NULL};
    *item = (struct counters_item){
        .unit = (enum counters_unit)word_of(L, index, "kind", units),
        .key = text_of(L, index, "key", arena),
        .rule = text_of(L, index, "rule", arena),
        .amount = amount_of(L, index, "amount", 1),
        .limit = amount_of(L, index, "limit", COUNTERS_NO_LIMIT),
        .on_loss = (enum counters_loss)(COUNTERS_LOCAL + word_of(L, index, "on_loss", losses)),
    };
    lua_getfield(L, index, "observe");
    item->is_observed = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (has_words(L, index)) item->words = read_words(L, index, arena);
    read_span(L, index, item);
    read_scope(L, index, item, arena);
}

/* All that a request holds is told of in its record, which the ledger charges and counters forget it by: as much as is
 * read of one (store/ledger/held.h). */
static void check_room(lua_State *L, const struct hold *hold, size_t items)
{
    size_t holds = 1;
    for (; hold; hold = hold->next, holds++)
        items += hold->item_count;
    if (items > LIMIT_COUNTERS_ITEMS)
        luaL_error(L, "counters: one request falls under %d limits and budgets, %d are the most", (int)items,
                   (int)LIMIT_COUNTERS_ITEMS);
    if (holds > LIMIT_LEDGER_HOLDS)
        luaL_error(L, "counters: one request stops %d times for limits and budgets, %d are the most: let them stand "
                      "together in the chain", (int)holds, (int)LIMIT_LEDGER_HOLDS);
}

/* The list of items at `index`. */
static void read_items(lua_State *L, int index, struct counters_question *question, const struct exchange *x,
                       struct arena *arena)
{
    luaL_checktype(L, index, LUA_TTABLE);
    size_t count = lua_objlen(L, index);
    check_room(L, question->operation == COUNTERS_ADMIT ? x->holds : NULL, count);
    struct counters_item *items = arena_alloc(arena, (count + 1) * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (int)i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        read_item(L, lua_gettop(L), &items[i], arena);
        lua_pop(L, 1);
    }
    question->items = items;
    question->item_count = count;
    vm_charge(L, 300 * count);
}

/* The exchange's id, and of a later admission its number: "req_…/2". */
static void name_hold(const struct exchange *x, struct counters_question *question)
{
    unsigned no = 1;
    for (const struct hold *hold = x->holds; hold; hold = hold->next)
        no++;
    if (no == 1) snprintf(question->hold, sizeof question->hold, "%s", x->id);
    else snprintf(question->hold, sizeof question->hold, "%s/%u", x->id, no);
}

/* The text as records have it (buf_append_json), so that what is counted and what a ledger charges are the same; in
 * memory of Lua's, on the stack's top. */
static struct slice push_valid(lua_State *L, struct slice text)
{
    char *to = lua_newuserdata(L, 3 * text.len + 1);
    size_t len = 0;
    while (text.len) {
        size_t valid = utf8_valid_len(text);
        memcpy(to + len, text.ptr, valid);
        len += valid;
        if (valid < text.len) {
            memcpy(to + len, "\xEF\xBF\xBD", 3);
            len += 3;
            valid++;
        }
        text = slice_of(text.ptr + valid, text.len - valid);
    }
    return slice_of(to, len);
}

/* counted_name(text) → a name to count by, in UTF-8; of one that is too long nothing, and the 32 digits of its hash */
static int on_counted_name(lua_State *L)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char digits[33];
    struct slice text = push_valid(L, bind_check_slice(L, 1));
    if (text.len <= LIMIT_COUNTERS_VALUE_BYTES) {
        lua_pushlstring(L, text.ptr, text.len);
        return 1;
    }
    check(EVP_Digest(text.ptr, text.len, hash, NULL, EVP_sha256(), NULL) == 1);
    hex_write(hash, 16, digits);
    lua_pushnil(L);
    lua_pushlstring(L, digits, 32);
    return 2;
}

/* counters_start("admit" or "peek", {item, …}, name for people): asks; what came is fetched with counters_take().
 * Waits, unless the answer is there at once. */
static int on_counters_start(lua_State *L)
{
    static const char *const operations[] = {"admit", "peek", NULL};
    struct policy_eval *eval = bind_waiting_eval(L, luaL_checkstring(L, 3));
    struct counters_question question = {.time_ns = eval->x->born_wall_ns};
    question.operation = (enum counters_operation)luaL_checkoption(L, 1, NULL, operations);
    if (eval->how.is_rehearsal) question.operation = COUNTERS_PEEK;
    read_items(L, 2, &question, eval->x, &eval->x->arena);
    name_hold(eval->x, &question);
    struct strand *strand = eval->current;
    strand->counted = NULL;
    if (!counting_host(eval->how.host)) return 0;
    calls_count(eval, strand, &question);
    return strand->state == STRAND_READY ? 0 : lua_yield(L, 0);
}

/* --- an answer --- */

static void set_flag(lua_State *L, const char *name, bool value)
{
    if (!value) return;
    lua_pushboolean(L, true);
    lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, int64_t value)
{
    lua_pushnumber(L, (lua_Number)value);
    lua_setfield(L, -2, name);
}

static void push_state(lua_State *L, const struct counters_state *state)
{
    lua_createtable(L, 0, 4);
    set_number(L, "spent", state->spent);
    set_number(L, "held", state->held);
    set_flag(L, "is_over", state->refusal != COUNTERS_FITS);
    if (state->lost == COUNTERS_NOT_LOST) return;
    lua_pushstring(L, counters_loss_name(state->lost));
    lua_setfield(L, -2, "lost");
    if (state->part) set_number(L, "part", state->part);
}

static void push_refusal(lua_State *L, const struct counters_answer *answer)
{
    enum counters_refusal why = answer->states[answer->failed].refusal;
    set_number(L, "failed", (int64_t)answer->failed + 1);
    if (answer->retry_after_s) set_number(L, "retry_after", answer->retry_after_s);
    set_flag(L, "is_contended", why == COUNTERS_CONTENDED);
    set_flag(L, "is_too_large", why == COUNTERS_TOO_LARGE);
    set_flag(L, "is_closed", why == COUNTERS_SHUT);
}

/* reserve(output tokens, slice or 0, whether to cut): what budgets hold of an answer, said anew by each of them. An
 * admission holds the widest slice that was said so far; more is asked for by the smallest of all, since an earlier
 * admission may hold no more: too often for the others, and never too late */
static int on_reserve(lua_State *L)
{
    struct reserve *r = &bind_eval(L)->x->decision.reserve;
    lua_Number tokens = luaL_checknumber(L, 1);
    uint32_t slice = (uint32_t)luaL_checkinteger(L, 2);
    r->output_tokens = tokens >= (lua_Number)COUNTERS_AMOUNT_MAX ? (uint64_t)COUNTERS_AMOUNT_MAX : (uint64_t)tokens;
    if (slice && (!r->slice || slice < r->slice)) r->slice = slice;
    r->cuts |= (bool)lua_toboolean(L, 3);
    return 0;
}

/* answers() → how many are made for the request, and paid for */
static int on_answers(lua_State *L)
{
    const struct exchange *x = bind_eval(L)->x;
    lua_pushnumber(L, x->request.generated ? x->request.generated : 1);
    return 1;
}

/* counters_take() → the reply of scripts/counters.lua; or nil and why there is none */
static int on_counters_take(lua_State *L)
{
    struct strand *strand = bind_eval(L)->current;
    const struct counters_answer *answer = strand->counted;
    strand->counted = NULL;
    if (!answer || answer->error) {
        lua_pushnil(L);
        lua_pushstring(L, answer ? answer->error : "nobody counts here");
        return 2;
    }
    lua_createtable(L, 0, 7);
    set_flag(L, "ok", answer->is_ok);
    if (!answer->is_ok) push_refusal(L, answer);
    set_flag(L, "is_unspent", answer->is_unspent);
    lua_createtable(L, (int)answer->state_count, 0);
    for (size_t i = 0; i < answer->state_count; i++) {
        push_state(L, &answer->states[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "states");
    return 1;
}

/* --- notices --- */

/* notify's {from =, whole =, who =, what =, stop =, idle =, uncounted =}; none of it where it is to be told now */
static void read_awaited(lua_State *L, struct counters_notice *notice, struct arena *arena)
{
    notice->from = amount_of(L, 1, "from", 0);
    if (notice->from == 0) return;
    notice->whole = amount_of(L, 1, "whole", 0);
    notice->stop_s = amount_of(L, 1, "stop", 0);
    notice->idle_s = seconds_of(L, 1, "idle");
    lua_getfield(L, 1, "uncounted");
    notice->is_uncounted = lua_toboolean(L, -1);
    lua_pop(L, 1);
    notice->who = text_of(L, 1, "who", arena);
    notice->what = text_of(L, 1, "what", arena);
}

/* notify {key =, period =, at =, to = {…}, text =, budget =, threshold =, rule =, app =, owner =} */
static int on_notify(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    const struct policy_host *host = eval->how.host;
    struct arena *arena = &eval->x->arena;
    luaL_checktype(L, 1, LUA_TTABLE);
    if (eval->how.is_rehearsal || !host || !host->notify) return 0;
    struct counters_notice notice = {
        .key = text_of(L, 1, "key", arena),
        .start_s = amount_of(L, 1, "period", 0),
        .at = seconds_of(L, 1, "at"),
        .text = text_of(L, 1, "text", arena),
        .budget = text_of(L, 1, "budget", arena),
        .threshold = text_of(L, 1, "threshold", arena),
        .rule = text_of(L, 1, "rule", arena),
        .app = text_of(L, 1, "app", arena),
        .owner = text_of(L, 1, "owner", arena),
        .request = slice_str(eval->x->id),
    };
    read_awaited(L, &notice, arena);
    lua_getfield(L, 1, "to");
    luaL_checktype(L, -1, LUA_TTABLE);
    notice.to_count = lua_objlen(L, -1);
    struct slice *to = arena_alloc(arena, (notice.to_count + 1) * sizeof *to);
    for (size_t i = 0; i < notice.to_count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        to[i] = arena_copy(arena, bind_check_slice(L, -1));
        lua_pop(L, 1);
    }
    notice.to = to;
    host->notify(eval->how.host_arg, &notice);
    return 0;
}

void bind_counters_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"counters_start", on_counters_start},
                                         {"counters_take", on_counters_take},
                                         {"counted_name", on_counted_name},
                                         {"reserve", on_reserve},
                                         {"answers", on_answers},
                                         {"notify", on_notify},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
