/* How limits and budgets stand, for commands: asked of the counters without taking anything; of those of this
 * machine at once, of a fleet's when Redis has answered. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "server/config.h"
#include "server/supervisor_inner.h"
#include "store/counters/redis.h"

#define LOOKS_MAX 64u /* under way at the same time */
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

/* ---- A look at them. */

struct look {
    struct list_link link;
    struct supervisor *sup;
    struct line_peer *peer; /* NULL: it has left */
    json_t *request;        /* has the items' texts */
    bool is_of_spent;       /* and not at some limits and budgets */
    struct counters_item items[LIMIT_COUNTERS_ITEMS];
    struct counters_question question;
};

static void end_look(struct look *look)
{
    list_remove(&look->link);
    look->sup->looks.count--;
    json_decref(look->request);
    mem_free(look);
}

/* The look is over with that. */
static void tell(struct look *look, json_t *answer)
{
    if (look->peer)
        control_answer(look->peer, answer);
    else
        json_decref(answer);
    end_look(look);
}

static struct look *new_look(struct supervisor *sup, struct line_peer *peer, json_t *request)
{
    struct look *look = mem_zalloc(1, sizeof *look);
    look->sup = sup;
    look->peer = peer;
    look->request = json_incref(request);
    look->question = (struct counters_question){.operation = COUNTERS_PEEK,
                                                .items = look->items,
                                                .time_ns = clock_wall_ns(),
                                                .timeout_ms = LIMIT_COUNTERS_WAIT_MS};
    list_append(&sup->looks.all, &look->link);
    sup->looks.count++;
    return look;
}

/* NULL, or what is wrong with what is asked. */
static const char *read_items(struct look *look)
{
    const json_t *list = json_object_get(look->request, "items");
    size_t count = json_array_size(list);
    if (count > LIMIT_COUNTERS_ITEMS) return "more items than one question may have";
    for (size_t i = 0; i < count; i++)
        if (!read_item(json_array_get(list, i), &look->items[i])) return "an item has a kind and a key";
    look->question.item_count = count;
    return NULL;
}

static json_t *answer_json(const struct counters_answer *answer)
{
    if (answer->error) return failed(answer->error);
    return json_pack("{s:b, s:o}", "ok", 1, "states", states_json(answer));
}

static void look_here(struct look *look)
{
    struct counters_state states[LIMIT_COUNTERS_ITEMS];
    struct counters_answer answer;
    struct counters_asker asker = {.now_ns = (int64_t)look->question.time_ns};
    counters_shared_ask(look->sup->counters, &look->question, asker, states, &answer);
    tell(look, answer_json(&answer));
}

/* ---- In a fleet. */

static json_t *out_of_reach(struct supervisor *sup, const char *error)
{
    char why[SHARED_TEXT_BYTES];
    shared_text_get(&sup->board->counters.why, why, sizeof why);
    return json_pack("{s:b, s:s+}", "ok", 0, "error", "the fleet's counters are out of reach: ", why[0] ? why : error);
}

static void on_answer(void *arg, const struct counters_answer *answer)
{
    struct look *look = arg;
    tell(look, answer->error ? out_of_reach(look->sup, answer->error) : answer_json(answer));
}

static bool are_texts(const struct redis_reply *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].kind != REDIS_TEXT) return false;
    return true;
}

/* [key, nano-dollars, when it is over] of each. NULL: it is no such reply. */
static json_t *sums_json(const struct redis_reply *reply)
{
    if (counters_script_reply(reply) != COUNTERS_REPLY_OK || reply->count < 2) return NULL;
    if (!are_texts(reply->items + 1, reply->count - 1)) return NULL;
    json_t *sums = json_array();
    for (size_t i = 2; i + 2 < reply->count; i += 3) {
        struct slice key = reply->items[i].text, nano = reply->items[i + 1].text, over = reply->items[i + 2].text;
        json_array_append_new(sums, json_pack("[s%, I, I]", key.ptr, key.len, (json_int_t)strtoll(nano.ptr, NULL, 10),
                                              (json_int_t)strtoll(over.ptr, NULL, 10)));
    }
    return json_pack("{s:b, s:s, s:o}", "ok", 1, "cursor", reply->items[1].text.ptr, "sums", sums);
}

static void on_sums(void *arg, const struct redis_answer *answer)
{
    struct look *look = arg;
    json_t *sums = answer->outcome == REDIS_ANSWERED ? sums_json(answer->reply) : NULL;
    tell(look, sums ? sums : out_of_reach(look->sup, "no answer came"));
}

/* Why it is not asked, or NULL. */
static const char *ask_sums(struct look *look)
{
    struct arena arena;
    const char *cursor = json_string_value(json_object_get(look->request, "cursor"));
    const char *key = json_string_value(json_object_get(look->request, "key"));
    arena_init(&arena);
    int64_t start_s = amount_of(look->request, "start", 0);
    struct counters_call call = counters_call_spent(start_s, cursor ? cursor : "0", key, &arena);
    enum redis_taken taken =
        counters_redis_call(look->sup->looks.redis, &call, LIMIT_COUNTERS_WAIT_MS, on_sums, look);
    arena_clear(&arena);
    return taken == REDIS_TAKEN ? NULL : "unreachable";
}

static const char *ask_states(struct look *look)
{
    struct counters_post_view view;
    counters_post_read(&look->sup->board->counters, &view);
    counters_redis_enter(look->sup->looks.redis, view.session, view.epoch);
    return counters_redis_ask(look->sup->looks.redis, &look->question, on_answer, look, NULL);
}

/* The connection is made for the first who looks, and kept. False: there is no Redis. */
static bool connect_redis(struct supervisor *sup, struct fault *why)
{
    static const struct counters_redis_events silent = {.on_ready = NULL};
    if (sup->looks.redis) return true;
    struct config *config = generation_read_config(sup->current.config_fd);
    if (config && config->redis_url.len)
        sup->looks.redis = counters_redis_new(sup->loop, config->redis_url.ptr, 0, &silent, sup, why);
    config_free(config);
    return sup->looks.redis != NULL;
}

static void look_there(struct look *look)
{
    struct fault why = {.code = FAULT_NONE};
    const char *error = NULL;
    if (!connect_redis(look->sup, &why)) error = fault_message(&why);
    if (!error) error = look->is_of_spent ? ask_sums(look) : ask_states(look);
    if (error) tell(look, out_of_reach(look->sup, error));
}

/* NULL after an answer: too many look already. */
static struct look *begin_look(struct supervisor *sup, struct line_peer *peer, json_t *request)
{
    if (sup->looks.count < LOOKS_MAX) return new_look(sup, peer, request);
    control_answer(peer, failed("too many look at the counters at the same time"));
    return NULL;
}

void looks_begin(struct supervisor *sup, struct line_peer *peer, json_t *request)
{
    struct look *look = begin_look(sup, peer, request);
    const char *wrong = look ? read_items(look) : NULL;
    if (!look) return;
    if (wrong)
        tell(look, failed(wrong));
    else if (atomic_load(&sup->board->counters.is_used))
        look_there(look);
    else
        look_here(look);
}

void looks_begin_spent(struct supervisor *sup, struct line_peer *peer, json_t *request)
{
    struct look *look = begin_look(sup, peer, request);
    if (!look) return;
    look->is_of_spent = true;
    if (atomic_load(&sup->board->counters.is_used))
        look_there(look);
    else
        tell(look, json_pack("{s:b, s:b}", "ok", 1, "is_alone", 1));
}

void looks_init(struct supervisor *sup)
{
    list_init(&sup->looks.all);
}

void looks_forget(struct supervisor *sup, const struct line_peer *peer)
{
    for (struct list_link *at = sup->looks.all.next; at != &sup->looks.all; at = at->next) {
        struct look *look = LIST_OWNER(at, struct look, link);
        if (look->peer == peer) look->peer = NULL;
    }
}

void looks_clear(struct supervisor *sup)
{
    counters_redis_free(sup->looks.redis);
    while (!list_is_empty(&sup->looks.all))
        end_look(LIST_OWNER(sup->looks.all.next, struct look, link));
}
