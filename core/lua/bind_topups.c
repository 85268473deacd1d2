/* What top-ups add to the limits of budgets (scripts/topups.lua): those that the request came with, or what its record
 * says was added then. */
#include <inttypes.h>

#include "base/clock.h"
#include "lua/bind.h"
#include "store/topups.h"

/* has_topups(): is anything added to any budget? What is asked where there are none. */
static int on_has_topups(lua_State *L)
{
    const struct exchange *x = bind_eval(L)->x;
    const struct recall *recall = x->asked.recall;
    lua_pushboolean(L, recall ? recall_has(recall, ASKED_TOPUPS) : x->topups && topups_count(x->topups) > 0);
    return 1;
}

/* No scope has a ";" of its own. */
static struct slice key_of(struct exchange *x, struct slice budget, struct slice scope)
{
    return arena_printf(&x->arena, "%.*s;%.*s", SLICE_FMT(budget), SLICE_FMT(scope));
}

static void note(struct policy_eval *eval, struct slice key, const struct topups_sum *sum)
{
    bind_note(eval, ASKED_TOPUPS, key, ASKED_AS_JSON,
              arena_printf(&eval->x->arena, "[%" PRId64 ",%" PRId64 ",%" PRIu32 "]", sum->nano, sum->ends_at,
                           sum->count));
}

static int push_sum(lua_State *L, const struct topups_sum *sum)
{
    if (sum->count == 0) return 0;
    lua_pushnumber(L, (lua_Number)sum->nano);
    lua_pushnumber(L, (lua_Number)sum->ends_at);
    lua_pushnumber(L, (lua_Number)sum->count);
    return 3;
}

static int64_t number_at(const struct json_tape *tape, uint32_t node)
{
    int64_t value;
    return json_is(tape, node, JSON_NUMBER) && json_to_i64(tape, node, &value) ? value : 0;
}

/* A budget that has another name now, or another scope, has no top-up of then: nobody gave it one. */
static struct topups_sum recalled(const struct exchange *x, struct slice key)
{
    const struct json_tape *tape = recall_tape(x->asked.recall);
    uint32_t list = asked_find(&x->asked, ASKED_TOPUPS, key);
    if (!json_is(tape, list, JSON_ARRAY) || json_count(tape, list) != 3) return (struct topups_sum){0};
    uint32_t nano = json_first(tape, list), ends_at = json_next(tape, nano), count = json_next(tape, ends_at);
    return (struct topups_sum){number_at(tape, nano), number_at(tape, ends_at), (uint32_t)number_at(tape, count)};
}

/* topup(budget, scope) → nano-dollars, when the first of them ends, how many; nothing where nothing is added */
static int on_topup(lua_State *L)
{
    struct policy_eval *eval = bind_eval(L);
    struct exchange *x = eval->x;
    struct slice budget = bind_check_slice(L, 1), scope = bind_check_slice(L, 2);
    struct topups_sum sum;
    if (x->asked.recall) {
        sum = recalled(x, key_of(x, budget, scope));
        return push_sum(L, &sum);
    }
    sum = topups_now(x->topups, budget, scope, (int64_t)(x->born_wall_ns / NS_PER_S));
    if (sum.count) note(eval, key_of(x, budget, scope), &sum);
    return push_sum(L, &sum);
}

void bind_topups_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"has_topups", on_has_topups}, {"topup", on_topup}, {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
