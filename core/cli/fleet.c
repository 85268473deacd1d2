#include "cli/fleet.h"

#include <jansson.h>
#include <string.h>

#include "cli/cli.h"

#define CALL_TIMEOUT_MS 5000u

/* NULL: no gateway runs. */
static json_t *ask_piece(const char *data_dir, int64_t start_s, const char *cursor, const char *key, char *why,
                         size_t why_size)
{
    json_t *request = json_pack("{s:s, s:I, s:s, s:s*}", "cmd", "spent", "start", (json_int_t)start_s, "cursor",
                                cursor, "key", key);
    return cli_call_with(data_dir, request, CALL_TIMEOUT_MS, why, why_size);
}

/* By key: one that comes twice is there once. */
static void take_sums(json_t *all, const json_t *said)
{
    size_t i;
    json_t *sum;
    json_array_foreach(json_object_get(said, "sums"), i, sum) {
        const char *key = json_string_value(json_array_get(sum, 0));
        if (key) json_object_set(all, key, sum);
    }
}

static enum fleet_said take_piece(json_t *all, const json_t *said, char cursor[32], char *why, size_t why_size)
{
    const char *error = json_string_value(json_object_get(said, "error"));
    const char *next = json_string_value(json_object_get(said, "cursor"));
    if (!said || json_is_true(json_object_get(said, "is_alone"))) return FLEET_NONE;
    if (error || !next) {
        snprintf(why, why_size, "%s", error ? error : "the gateway does not say");
        return FLEET_SILENT;
    }
    take_sums(all, said);
    snprintf(cursor, 32, "%s", next);
    return FLEET_TOLD;
}

/* All of a period; of one key where it is given. */
static enum fleet_said ask_period(const char *data_dir, int64_t start_s, const char *key, json_t *all, char *why,
                                  size_t why_size)
{
    char cursor[32] = "0";
    enum fleet_said word;
    do {
        json_t *said = ask_piece(data_dir, start_s, cursor, key, why, why_size);
        word = take_piece(all, said, cursor, why, why_size);
        json_decref(said);
    } while (word == FLEET_TOLD && strcmp(cursor, "0") != 0);
    return word;
}

static void tell(const json_t *all, int64_t start_s, int64_t now_s,
                 void (*visit)(void *arg, const struct counters_spent *spent), void *arg)
{
    const char *key;
    json_t *sum;
    json_object_foreach((json_t *)(uintptr_t)all, key, sum) {
        struct counters_spent spent = {.key = slice_str(key),
                                       .start_s = start_s,
                                       .nano = json_integer_value(json_array_get(sum, 1))};
        int64_t over_s = json_integer_value(json_array_get(sum, 2));
        if (start_s || over_s > now_s) visit(arg, &spent);
    }
}

enum fleet_said fleet_spent(const char *data_dir, const int64_t *starts, size_t start_count, int64_t now_s,
                            void (*visit)(void *arg, const struct counters_spent *spent), void *arg, char *why,
                            size_t why_size)
{
    json_t *periods = json_array();
    enum fleet_said word = FLEET_TOLD;
    for (size_t i = 0; i < start_count && word == FLEET_TOLD; i++) {
        json_t *all = json_object();
        json_array_append_new(periods, all);
        word = ask_period(data_dir, starts[i], NULL, all, why, why_size);
    }
    for (size_t i = 0; i < start_count && word == FLEET_TOLD; i++)
        tell(json_array_get(periods, i), starts[i], now_s, visit, arg);
    json_decref(periods);
    return word;
}

enum fleet_said fleet_spent_of(const char *data_dir, const char *key, int64_t start_s, int64_t now_s,
                               void (*visit)(void *arg, const struct counters_spent *spent), void *arg, char *why,
                               size_t why_size)
{
    json_t *found = json_object();
    enum fleet_said word = ask_period(data_dir, start_s, key, found, why, why_size);
    if (word == FLEET_TOLD) tell(found, start_s, now_s, visit, arg);
    json_decref(found);
    return word;
}
