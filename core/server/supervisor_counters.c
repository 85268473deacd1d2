/* How limits and budgets stand, for `moongate limits`: asked of the counters without taking anything. */
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "server/supervisor_inner.h"

#define SECONDS_MAX (366 * 86400) /* no policy's window is longer */

/* From 0 to COUNTERS_AMOUNT_MAX; `absent` when there is none. */
static int64_t amount_of(const json_t *from, const char *name, int64_t absent)
{
    const json_t *value = json_object_get(from, name);
    double amount = json_number_value(value);
    if (!json_is_number(value) || !(amount >= 0)) return absent;
    return amount >= (double)COUNTERS_AMOUNT_MAX ? COUNTERS_AMOUNT_MAX : (int64_t)amount;
}

static uint32_t seconds_of(const json_t *from, const char *name)
{
    int64_t seconds = amount_of(from, name, 0);
    return seconds > SECONDS_MAX ? SECONDS_MAX : (uint32_t)seconds;
}

static bool read_unit(const json_t *from, enum counters_unit *unit)
{
    const char *word = json_string_value(json_object_get(from, "kind"));
    for (int i = COUNTERS_REQUESTS; word && i <= COUNTERS_MONEY; i++) {
        if (strcmp(word, counters_unit_name((enum counters_unit)i)) != 0) continue;
        *unit = (enum counters_unit)i;
        return true;
    }
    return false;
}

/* An item as scripts/counters.lua has them. Texts are borrowed. */
static bool read_item(const json_t *from, struct counters_item *item)
{
    const json_t *key = json_object_get(from, "key");
    *item = (struct counters_item){.key = slice_of(json_string_value(key), json_string_length(key)),
                                   .amount = amount_of(from, "amount", 1),
                                   .limit = amount_of(from, "limit", COUNTERS_NO_LIMIT),
                                   .window_s = seconds_of(from, "window"),
                                   .burst = amount_of(from, "burst", 1),
                                   .start_s = amount_of(from, "start", 0),
                                   .stop_s = amount_of(from, "stop", 0),
                                   .idle_s = seconds_of(from, "idle"),
                                   .on_loss = COUNTERS_OPEN};
    return json_is_string(key) && read_unit(from, &item->unit);
}

static json_t *states_json(const struct counters_answer *answer)
{
    json_t *list = json_array();
    for (size_t i = 0; i < answer->state_count; i++) {
        const struct counters_state *state = &answer->states[i];
        json_array_append_new(list, json_pack("{s:I, s:I, s:I, s:I, s:b}", "spent", (json_int_t)state->spent, "held",
                                              (json_int_t)state->held, "left", (json_int_t)state->left, "reset",
                                              (json_int_t)state->reset_s, "is_over",
                                              state->refusal != COUNTERS_FITS));
    }
    return list;
}

static json_t *failed(const char *why)
{
    return json_pack("{s:b, s:s}", "ok", 0, "error", why);
}

json_t *counters_answer_to(struct supervisor *sup, const json_t *request)
{
    struct counters_item items[LIMIT_COUNTERS_ITEMS];
    struct counters_state states[LIMIT_COUNTERS_ITEMS];
    struct counters_answer answer;
    struct counters_question question = {
        .operation = COUNTERS_PEEK, .items = items, .time_ns = clock_wall_ns()};
    const json_t *list = json_object_get(request, "items");
    struct counters_asker asker = {.now_ns = (int64_t)question.time_ns};
    question.item_count = json_array_size(list);
    if (!sup->counters) return failed("nobody counts here");
    if (question.item_count > LIMIT_COUNTERS_ITEMS) return failed("more items than one question may have");
    for (size_t i = 0; i < question.item_count; i++)
        if (!read_item(json_array_get(list, i), &items[i])) return failed("an item has a kind and a key");
    counters_shared_ask(sup->counters, &question, asker, states, &answer);
    if (answer.error) return failed(answer.error);
    return json_pack("{s:b, s:o}", "ok", 1, "states", states_json(&answer));
}
