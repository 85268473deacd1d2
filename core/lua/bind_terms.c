/* What targets cost: taken from models.lua once, when a bundle is loaded,
 * and reckoned with while requests are decided. */
#include "base/clock.h"
#include "base/limits.h"
#include "exchange/bill.h"
#include "lua/bind.h"
#include "lua/counting.h"
#include "lua/traits.h"

/* As policy files spell the parts. */
static const char *const part_names[USAGE_PARTS] = {
    [USAGE_INPUT] = "input",
    [USAGE_CACHE_READ] = "cached_input",
    [USAGE_CACHE_WRITE_5M] = "cache_write",
    [USAGE_CACHE_WRITE_1H] = "cache_write_1h",
    [USAGE_AUDIO_INPUT] = "audio_input",
    [USAGE_IMAGE_INPUT] = "image_input",
    [USAGE_OUTPUT] = "output",
    [USAGE_REASONING] = "reasoning",
    [USAGE_AUDIO_OUTPUT] = "audio_output",
    [USAGE_IMAGE_OUTPUT] = "image_output",
    [USAGE_IMAGES] = "per_image",
    [USAGE_SEARCHES] = "per_search",
    [USAGE_TOOL_CALLS] = "per_tool_call",
    [USAGE_SECONDS] = "per_second",
    [USAGE_CHARACTERS] = "per_character",
    [USAGE_REQUESTS] = "per_request",
};

/* --- reading a price --- */

/* The whole number of 0 to max in the field of the table at index; `absent` where it is nil. */
static int64_t whole_field(lua_State *L, int index, const char *name, int64_t absent, double max)
{
    lua_getfield(L, index, name);
    double value = lua_isnil(L, -1) ? (double)absent : luaL_checknumber(L, -1);
    if (!lua_isnil(L, -1) && (!(value >= 0) || value > max || value != (double)(int64_t)value))
        luaL_error(L, "%s: a whole number is wanted", name);
    lua_pop(L, 1);
    return (int64_t)value;
}

static void read_rates(lua_State *L, int index, struct price_rates *rates)
{
    lua_getfield(L, index, "rates");
    luaL_checktype(L, -1, LUA_TTABLE);
    int table = lua_gettop(L);
    for (int part = 0; part < USAGE_PARTS; part++)
        rates->pico[part] = whole_field(L, table, part_names[part], PRICE_UNSET, (double)PRICE_RATE_MAX);
    lua_pop(L, 1);
}

/* How many entries the list in a field has, left on the stack. */
static size_t open_list(lua_State *L, int index, const char *name, size_t max)
{
    lua_getfield(L, index, name);
    luaL_checktype(L, -1, LUA_TTABLE);
    size_t count = lua_objlen(L, -1);
    if (count > max) luaL_error(L, "%s: more than %d", name, (int)max);
    return count;
}

static int open_entry(lua_State *L, size_t i)
{
    lua_rawgeti(L, -1, (int)i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    return lua_gettop(L);
}

static void read_tier(lua_State *L, int index, struct price_tier *tier)
{
    lua_getfield(L, index, "name");
    snprintf(tier->name, sizeof tier->name, "%s", luaL_checkstring(L, -1));
    lua_pop(L, 1);
    read_rates(L, index, &tier->rates);
    tier->long_count = open_list(L, index, "longs", PRICE_LONGS_MAX);
    for (size_t i = 0; i < tier->long_count; i++) {
        int entry = open_entry(L, i);
        tier->longs[i].input_tokens = (uint64_t)whole_field(L, entry, "input_tokens", 0, 0x1p53);
        lua_getfield(L, entry, "is_inclusive");
        tier->longs[i].is_inclusive = lua_toboolean(L, -1);
        lua_pop(L, 1);
        read_rates(L, entry, &tier->longs[i].rates);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_period(lua_State *L, int index, struct price_period *period)
{
    lua_getfield(L, index, "from");
    period->from_s = lua_isnil(L, -1) ? INT64_MIN : (int64_t)luaL_checknumber(L, -1);
    lua_pop(L, 1);
    period->tier_count = open_list(L, index, "tiers", PRICE_TIERS_MAX);
    for (size_t i = 0; i < period->tier_count; i++) {
        read_tier(L, open_entry(L, i), &period->tiers[i]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

#define PERIODS_MAX 64u

/* price(periods) → handle, revision: the figures of scripts/rates.lua, kept for the life of the generation. A handle is
 * only good for the functions below. */
static int on_price(lua_State *L)
{
    struct arena *arena = terms_table_arena(bind_set(L)->terms);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct price *price = arena_zalloc(arena, sizeof *price);
    price->period_count = lua_objlen(L, 1);
    luaL_argcheck(L, price->period_count > 0 && price->period_count <= PERIODS_MAX, 1, "no periods, or too many");
    price->periods = arena_zalloc(arena, price->period_count * sizeof *price->periods);
    for (size_t i = 0; i < price->period_count; i++) {
        read_period(L, open_entry(L, i), &price->periods[i]);
        lua_pop(L, 1);
    }
    price_seal(price);
    lua_pushlightuserdata(L, price);
    lua_pushstring(L, price->revision);
    return 2;
}

/* NULL for nil: unpriced. */
static const struct price *check_price(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index)) return NULL;
    luaL_checktype(L, index, LUA_TLIGHTUSERDATA);
    return lua_touserdata(L, index);
}

/* What the row says, else the deployment's name, else the model's: a deployment may be called anything. */
static const struct count_rules *counting_for(struct slice counts_as, struct slice target, struct slice model)
{
    struct slice deployment;
    slice_split(target, '/', &deployment);
    const struct count_rules *rules = counts_as.len ? counting_find(counts_as) : counting_find(deployment);
    return rules || counts_as.len ? rules : counting_find(model);
}

/* Likewise. */
static const struct traits *traits_for(struct slice counts_as, struct slice target, struct slice model)
{
    struct slice deployment;
    slice_split(target, '/', &deployment);
    if (counts_as.len) return traits_find(counts_as);
    return traits_find(traits_has(deployment) ? deployment : model);
}

/* is_counted(name): is there a family of models that it belongs to? */
static int on_is_counted(lua_State *L)
{
    lua_pushboolean(L, counting_find(bind_check_slice(L, 1)) != NULL);
    return 1;
}

/* add_terms(target, context tokens or 0, price or nil, is the price the default's, model, counts_as or nil, is what it
 * cannot be told whole refused, its account's kind or nil) → what allow() and the functions below know the target by */
static int on_add_terms(lua_State *L)
{
    struct slice name = bind_check_slice(L, 1);
    double context = luaL_checknumber(L, 2);
    const struct price *price = check_price(L, 3);
    struct terms *terms = terms_table_add(bind_set(L)->terms, name);
    terms->price = price;
    terms->counting = counting_for(bind_opt_slice(L, 6), name, bind_check_slice(L, 5));
    terms->traits = traits_for(bind_opt_slice(L, 6), name, bind_check_slice(L, 5));
    terms->refuses_dropped = lua_toboolean(L, 7);
    terms->is_default_price = lua_toboolean(L, 4);
    terms->kind = arena_copy(terms_table_arena(bind_set(L)->terms), bind_opt_slice(L, 8));
    terms_table_set_context(bind_set(L)->terms, terms, context > 0 && context <= 0x1p53 ? (uint64_t)context : 0);
    lua_pushlightuserdata(L, terms);
    return 1;
}

static const struct terms *check_terms(lua_State *L, int index)
{
    const struct terms *terms = terms_table_find(bind_set(L)->terms, bind_check_slice(L, index));
    if (!terms) luaL_error(L, "the target has no terms yet");
    return terms;
}

/* add_name(name, target): a name that callers may ask for runs there; the preferred target comes first */
static int on_add_name(lua_State *L)
{
    terms_table_add_name(bind_set(L)->terms, bind_check_slice(L, 1), check_terms(L, 2));
    return 0;
}

/* add_virtual(name, target): routing may lead that name there */
static int on_add_virtual(lua_State *L)
{
    terms_table_add_virtual(bind_set(L)->terms, bind_check_slice(L, 1), check_terms(L, 2));
    return 0;
}

/* --- reckoning --- */

static uint64_t now_ns(const struct policy_set *set)
{
    return set->running ? set->running->x->born_wall_ns : clock_wall_ns();
}

static struct slice asked_tier(const struct policy_set *set, const struct terms *terms)
{
    return set->running ? bill_asked_tier(set->running->x, terms) : SLICE("");
}

/* What add_terms gave for a target. */
static const struct terms *check_target(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TLIGHTUSERDATA);
    return lua_touserdata(L, index);
}

static unsigned uses_of(const struct policy_set *set)
{
    return set->running ? set->running->x->request.uses : 0;
}

static int64_t check_tokens(lua_State *L, int index)
{
    double tokens = luaL_checknumber(L, index);
    if (!(tokens > 0)) return 0;
    return tokens < 0x1p53 ? (int64_t)tokens : (int64_t)1 << 53;
}

static struct price_ask ask_of(const struct policy_set *set, const struct terms *terms)
{
    const struct exchange *x = set->running ? set->running->x : NULL;
    struct price_ask ask = {.uses = uses_of(set), .tier = asked_tier(set, terms), .when_ns = now_ns(set)};
    if (!x) return ask;
    ask.kind = x->api->asks;
    ask.pieces = x->request.pieces;
    return ask;
}

/* cost_at_most(terms, input tokens, output tokens) → nano-dollars of the request under way, by what it uses and at the
 * tier that this target is asked for; nil when it has no price, or none that has begun, and behind it what a price
 * would have to name that such a request can be paid by */
static int on_cost_at_most(lua_State *L)
{
    const struct policy_set *set = bind_set(L);
    const struct terms *terms = check_target(L, 1);
    struct price_ask ask = ask_of(set, terms);
    ask.input_tokens = (uint64_t)check_tokens(L, 2);
    ask.output_tokens = (uint64_t)check_tokens(L, 3);
    if (set->running) ask.output_tokens = bill_output(set->running->x, terms, ask.output_tokens);
    struct cost cost = price_at_most(terms->price, &ask);
    if (cost.state == COST_UNPRICED) {
        lua_pushnil(L);
        lua_pushstring(L, price_lacks(terms->price, &ask)); /* NULL is nil */
        return 2;
    }
    lua_pushnumber(L, (double)cost.nano);
    return 1;
}

static __int128 of_pieces(const struct price_rates *rates, const struct chat_pieces *pieces)
{
    int64_t search = rates->pico[USAGE_SEARCHES], call = rates->pico[USAGE_TOOL_CALLS];
    __int128 sum = search > 0 ? (__int128)price_searches_at_most(pieces) * search : 0;
    return sum + (call > 0 ? (__int128)pieces->may_call * call : 0);
}

/* How much output the money pays for at these rates; negative: they have none. */
static double affordable(const struct price_rates *rates, const struct price_ask *ask, int64_t nano)
{
    int64_t rate = rates ? rates->pico[price_dearest_output(rates, ask->uses)] : 0;
    if (rate <= 0) return -1;
    __int128 left = (__int128)nano * 1000 - of_pieces(rates, &ask->pieces);
    int64_t read = rates->pico[price_dearest_input(rates, ask->uses)];
    if (read > 0) left -= (__int128)ask->input_tokens * read;
    if (rates->pico[USAGE_REQUESTS] > 0) left -= rates->pico[USAGE_REQUESTS];
    return left > 0 ? (double)(left / rate) : 0;
}

/* affordable_output(terms, input tokens, nano-dollars) → how many tokens of output the money pays for beside that
 * input, at the tier that is asked for or the usual one, whichever is dearer; nil when they cost nothing, or nobody
 * knows what */
static int on_affordable_output(lua_State *L)
{
    const struct policy_set *set = bind_set(L);
    const struct terms *terms = check_target(L, 1);
    struct price_ask ask = ask_of(set, terms);
    ask.input_tokens = (uint64_t)check_tokens(L, 2);
    double nano = luaL_checknumber(L, 3), least = -1;
    struct slice tiers[] = {ask.tier, SLICE("")};
    for (size_t i = 0; terms->price && i < sizeof tiers / sizeof tiers[0]; i++) {
        const struct price_rates *rates = price_rates_at(terms->price, ask.input_tokens, tiers[i], ask.when_ns);
        double tokens = affordable(rates, &ask, nano > 0 && nano < 0x1p63 ? (int64_t)nano : 0);
        if (tokens >= 0 && (least < 0 || tokens < least)) least = tokens;
    }
    if (least < 0) return 0;
    lua_pushnumber(L, least);
    return 1;
}

/* For the record; a count in the target's own vocabulary stands for what was a bound before. */
static void note_tokens(struct policy_eval *eval, struct slice target, uint64_t tokens, bool is_estimated,
                        bool is_bound)
{
    char json[64], key[LIMIT_ASKED_KEY_BYTES];
    int n = snprintf(json, sizeof json, "[%llu,%s%s]", (unsigned long long)tokens, bind_word(is_estimated).ptr,
                     is_bound ? ",true" : "");
    int k = snprintf(key, sizeof key, "%.*s%s", SLICE_FMT(target), is_bound ? " at most" : "");
    if (k < (int)sizeof key)
        bind_note(eval, ASKED_TOKENS, slice_of(key, (size_t)k), ASKED_AS_JSON, slice_of(json, (size_t)n));
}

/* As noted; else the request's own estimate, which then was the target's too. */
static int recall_tokens(lua_State *L, struct policy_eval *eval, struct slice target)
{
    struct exchange *x = eval->x;
    const struct json_tape *tape = recall_tape(x->asked.recall);
    uint32_t node = asked_find(&x->asked, ASKED_TOKENS, target);
    if (node == JSON_NONE)
        node = asked_find(&x->asked, ASKED_TOKENS, arena_join(&x->arena, target, SLICE(" at most")));
    uint32_t count = node == JSON_NONE ? JSON_NONE : json_first(tape, node);
    bool is_known = json_is(tape, count, JSON_NUMBER);
    uint32_t flag = is_known ? json_next(tape, count) : JSON_NONE;
    lua_pushnumber(L, is_known ? json_to_double(tape, count) : (double)x->estimate.input_tokens);
    lua_pushboolean(L, is_known ? json_is(tape, flag, JSON_TRUE) : x->estimate.is_flagged);
    if (!is_known || flag == JSON_NONE || json_next(tape, flag) == JSON_NONE) return 2;
    lua_pushboolean(L, true);
    return 3;
}

/* input_tokens(target) → of the request under way as that target counts them, and whether that is an estimate; what
 * stands in the question where one gave it. With a third value, true, when nobody has counted in that target's
 * vocabulary yet: then what it cannot be above. */
static int on_input_tokens(lua_State *L)
{
    const struct policy_set *set = bind_set(L);
    struct policy_eval *eval = set->running;
    struct slice name = bind_check_slice(L, 1);
    const struct terms *terms = terms_table_find(set->terms, name);
    const struct count_rules *rules = terms ? terms->counting : NULL;
    if (!eval) return luaL_error(L, "there is no request");
    const struct exchange *x = eval->x;
    if (x->asked.recall) return recall_tokens(L, eval, name);
    if (x->count && !count_has(x->count, vocabulary_index(count_vocabulary(rules)))) {
        lua_pushnumber(L, (double)count_at_most(x->count, rules));
        lua_pushboolean(L, true);
        lua_pushboolean(L, true);
        note_tokens(eval, name, count_at_most(x->count, rules), true, true);
        return 3;
    }
    const struct estimate *e = exchange_estimate(x);
    struct count_total total = {e->input_tokens, e->is_flagged, e->is_partial};
    if (x->count) total = count_total(x->count, rules);
    if (total.input_tokens != e->input_tokens || total.is_estimated != e->is_flagged)
        note_tokens(eval, name, total.input_tokens, total.is_estimated, false);
    lua_pushnumber(L, (double)total.input_tokens);
    lua_pushboolean(L, total.is_estimated);
    return 2;
}

/* count_input(target): counts the request in that target's vocabulary, too. A long one waits, and the evaluation counts
 * it in slices (lua/eval.c); where nothing can wait, inside a sort, it is counted at once. */
static int on_count_input(lua_State *L)
{
    const struct policy_set *set = bind_set(L);
    struct count *count = bind_eval(L)->x->count;
    const struct terms *terms = terms_table_find(set->terms, bind_check_slice(L, 1));
    if (!count) return 0;
    count_want(count, vocabulary_index(count_vocabulary(terms ? terms->counting : NULL)));
    if (count_step(count, LIMIT_COUNT_STEP_BYTES)) return 0;
    if (lua_isyieldable(L)) return lua_yield(L, 0);
    while (!count_step(count, UINT64_MAX))
        continue;
    return 0;
}

/* --- a bill, for commands --- */

/* Pico-dollars beyond what a Lua number holds, as digits. */
static void push_digits(lua_State *L, unsigned __int128 value)
{
    char digits[40], *p = digits + sizeof digits;
    do
        *--p = (char)('0' + (int)(value % 10));
    while (value /= 10);
    lua_pushlstring(L, p, (size_t)(digits + sizeof digits - p));
}

static void push_line(lua_State *L, int part, int64_t count, int64_t rate)
{
    lua_createtable(L, 0, 4);
    lua_pushstring(L, part_names[part]);
    lua_setfield(L, -2, "part");
    lua_pushnumber(L, (double)count);
    lua_setfield(L, -2, "count");
    if (rate == PRICE_UNSET) return;
    push_digits(L, (unsigned __int128)rate);
    lua_setfield(L, -2, "rate_pico");
    push_digits(L, (unsigned __int128)rate * (unsigned __int128)count);
    lua_setfield(L, -2, "pico");
}

static const char *state_name(enum cost_state state)
{
    switch (state) {
    case COST_UNPRICED: return "unpriced";
    case COST_KNOWN: return "known";
    case COST_INCOMPLETE: return "incomplete";
    }
    return "unpriced";
}

static void set_flag(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

/* bill(price, {input = …, …}, tier, seconds since 1970, nil: this moment) →
 * { state, nano, at, lines = {{part, count, rate_pico, pico}}, is_long, is_tier_missing, is_overflow };
 * nano, rate_pico and pico are digits, and a part without a rate has none of its own */
static int on_bill(lua_State *L)
{
    const struct price *price = check_price(L, 1);
    struct usage_parts parts = {.count = {0}};
    luaL_checktype(L, 2, LUA_TTABLE);
    for (int part = 0; part < USAGE_PARTS; part++)
        parts.count[part] = whole_field(L, 2, part_names[part], 0, 0x1p53);
    struct slice tier = bind_opt_slice(L, 3);
    double seconds = luaL_optnumber(L, 4, (double)now_ns(bind_set(L)) / 1e9);
    uint64_t when_ns = seconds > 0 && seconds < 1e10 ? (uint64_t)seconds * NS_PER_S : 0;
    struct cost cost = price_cost(price, &parts, tier, when_ns);
    const struct price_rates *rates =
        price ? price_rates_at(price, (uint64_t)usage_parts_input(&parts), tier, when_ns) : NULL;
    lua_newtable(L);
    lua_pushstring(L, state_name(cost.state));
    lua_setfield(L, -2, "state");
    push_digits(L, (unsigned __int128)cost.nano);
    lua_setfield(L, -2, "nano");
    lua_pushnumber(L, (double)(when_ns / NS_PER_S));
    lua_setfield(L, -2, "at");
    set_flag(L, "is_long", cost.is_long);
    set_flag(L, "is_tier_missing", cost.is_tier_missing);
    set_flag(L, "is_overflow", cost.is_overflow);
    lua_newtable(L);
    for (int part = 0, lines = 0; rates && part < USAGE_PARTS; part++) {
        if (parts.count[part] == 0) continue;
        push_line(L, part, parts.count[part], rates->pico[part]);
        lua_rawseti(L, -2, ++lines);
    }
    lua_setfield(L, -2, "lines");
    return 1;
}

/* seconds() → since 1970, of the request under way, else by the clock */
static int on_seconds(lua_State *L)
{
    lua_pushnumber(L, (double)(now_ns(bind_set(L)) / NS_PER_S));
    return 1;
}

void bind_terms_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"price", on_price},
                                         {"add_terms", on_add_terms},
                                         {"is_counted", on_is_counted},
                                         {"add_name", on_add_name},
                                         {"add_virtual", on_add_virtual},
                                         {"input_tokens", on_input_tokens},
                                         {"count_input", on_count_input},
                                         {"cost_at_most", on_cost_at_most},
                                         {"affordable_output", on_affordable_output},
                                         {"bill", on_bill},
                                         {"seconds", on_seconds},
                                         {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
