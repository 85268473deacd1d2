#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/folder.h"
#include "cli/table.h"
#include "cli/topup_inner.h"
#include "store/ledger/read.h"

static int64_t number_of(const json_t *topup, const char *name)
{
    return json_integer_value(json_object_get(topup, name));
}

static const char *text_of(const json_t *topup, const char *name)
{
    return json_string_value(json_object_get(topup, name));
}

static const char *state_of(const json_t *topup, int64_t now_s)
{
    if (number_of(topup, "ended_at")) return "ended";
    if (number_of(topup, "ends_at") <= now_s) return "over";
    return number_of(topup, "starts_at") > now_s ? "later" : "live"; /* the clock was set back */
}

/* In which the ledger's days begin; UTC where there is none yet. */
static void find_zone(const char *data_dir, struct period_zone *zone)
{
    struct fault ignored;
    char name[LEDGER_ZONE_BYTES];
    struct ledger_read *ledger = ledger_read_open(data_dir, &ignored);
    bool is_known = ledger && ledger_read_zone(ledger, name, &ignored);
    period_zone_read(zone, is_known ? name : "UTC");
    ledger_read_close(ledger);
}

/* Those that are live, or will be, unless all are wanted; each with its state. Takes the list. held: how many of the
 * former. */
static json_t *choose(json_t *topups, bool is_all, int64_t now_s, size_t *held)
{
    json_t *chosen = json_array(), *topup;
    size_t i;
    *held = 0;
    json_array_foreach(topups, i, topup)
    {
        const char *state = state_of(topup, now_s);
        json_object_set_new(topup, "state", json_string(state));
        bool is_held = strcmp(state, "live") == 0 || strcmp(state, "later") == 0;
        if (is_held) ++*held;
        if (is_all || is_held) json_array_append(chosen, topup);
    }
    json_decref(topups);
    return chosen;
}

static void add_row(struct table *table, const struct period_zone *zone, const json_t *topup)
{
    char amount[AMOUNT_BYTES], end[32];
    int64_t ended_at = number_of(topup, "ended_at");
    const char *scope = text_of(topup, "scope"), *state = text_of(topup, "state");
    table_add(table, (const char *[]){text_of(topup, "id"), text_of(topup, "budget"), *scope ? scope : "everybody",
                                      amount_usd_exactly(number_of(topup, "nano"), amount),
                                      topup_write_end(zone, ended_at ? ended_at : number_of(topup, "ends_at"), end),
                                      state, text_of(topup, "by"), text_of(topup, "reason")});
    if (strcmp(state, "live") != 0)
        for (size_t c = 0; c < 8; c++)
            table_mark(table, c, TABLE_FAINT);
}

static void print_table(const json_t *topups, const struct period_zone *zone)
{
    static const struct table_column columns[] = {
        {.head = "ID"},
        {.head = "BUDGET", .is_flexible = true},
        {.head = "SCOPE", .is_flexible = true, .least = 10},
        {.head = "ADDED", .is_right = true},
        {.head = "UNTIL"},
        {.head = "STATE", .goes = 2},
        {.head = "BY", .goes = 1},
        {.head = "REASON", .is_flexible = true, .goes = 3},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_t *topup;
    size_t i;
    json_array_foreach(topups, i, topup) add_row(table, zone, topup);
    if (json_array_size(topups)) table_print(table);
    fflush(stdout);
    size_t count = json_array_size(topups);
    fprintf(stderr, "%zu top-up%s; times are those of %s\n", count, count == 1 ? "" : "s", zone->name);
    table_free(table);
}

int command_topup_list(int argc, char **argv)
{
    static bool is_all;
    struct common_options common;
    struct period_zone zone;
    struct fault why;
    const struct option options[] = {{"--all", OPTION_FLAG, &is_all}, {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"topup", "list"});
    char *data_dir = folder_find(common.config);
    if (!data_dir) return CLI_USAGE;
    json_t *topups = registry_read_all_topups(data_dir, &why);
    if (topups) find_zone(data_dir, &zone);
    mem_free(data_dir);
    if (!topups) return cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    size_t held;
    topups = choose(topups, is_all, (int64_t)(clock_wall_ns() / NS_PER_S), &held);
    if (!common.is_json) print_table(topups, &zone);
    if (common.is_json) cli_print_json(json_pack("{s:O}", "topups", topups));
    if (held > LIMIT_TOPUPS)
        fprintf(stderr, "warning: of these %zu the %u that end last hold, the others add nothing: end some\n", held,
                LIMIT_TOPUPS);
    json_decref(topups);
    return CLI_OK;
}
