#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "cli/reviews_inner.h"
#include "cli/table.h"

/* ---- All of them. */

static void add_review(struct table *table, const json_t *review)
{
    char due[32], decided[48], rows[24], waits[24];
    reviews_instant(review, "due_at", due);
    snprintf(decided, sizeof decided, "%" PRId64 "/%" PRId64, reviews_number(review, "decided"),
             reviews_number(review, "items"));
    snprintf(rows, sizeof rows, "%" PRId64, reviews_number(review, "pending_rows"));
    snprintf(waits, sizeof waits, "%" PRId64, reviews_number(review, "waits_for_me"));
    table_add(table, (const char *[]){reviews_text(review, "id"), reviews_text(review, "plan"),
                                      reviews_text(review, "state"), due, decided, waits, rows});
    if (strcmp(reviews_text(review, "state"), "overdue") == 0) table_mark(table, 2, TABLE_RED);
    if (reviews_number(review, "waits_for_me")) table_mark(table, 5, TABLE_YELLOW);
}

static void print_reviews(const json_t *items)
{
    static const struct table_column columns[] = {
        {.head = "ID"},       {.head = "PLAN", .is_flexible = true},        {.head = "STATE"},
        {.head = "DUE (UTC)"}, {.head = "ANSWERED", .is_right = true},       {.head = "FOR YOU", .is_right = true},
        {.head = "ROWS NOT IN FORCE", .is_right = true, .goes = 1},
    };
    size_t i;
    json_t *one;
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_array_foreach (items, i, one)
        add_review(table, one);
    if (json_array_size(items)) table_print(table);
    fflush(stdout);
    fprintf(stderr, "%zu review%s\n", json_array_size(items), json_array_size(items) == 1 ? "" : "s");
    table_free(table);
}

int command_reviews_list(int argc, char **argv)
{
    size_t i;
    int code;
    json_t *one;
    int64_t waiting = 0;
    struct governed g;
    struct common_options common;
    if (!cli_options(argc, argv, NULL, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"reviews", "list"});
    if (!reviews_ask(&common, "GET", "/reviews%s", "", NULL, &g, &code)) return code;
    json_array_foreach (json_object_get(g.body, "items"), i, one)
        waiting += reviews_number(one, "waits_for_me");
    if (common.is_json) cli_print_json(json_incref(g.body));
    else print_reviews(json_object_get(g.body, "items"));
    governing_end(&g);
    return waiting ? CLI_FOUND : CLI_OK;
}

/* ---- One. */

static const char *decision_of(const json_t *item, char text[64])
{
    const char *state = reviews_text(json_object_get(item, "effect"), "state");
    snprintf(text, 64, "%s%s%s", reviews_text(item, "decision"), state[0] ? ": " : "", state);
    return text;
}

static void add_item(struct table *table, const json_t *item)
{
    char n[24], decision[64], requests[24] = "";
    const json_t *facts = json_object_get(item, "facts");
    snprintf(n, sizeof n, "%" PRId64, reviews_number(item, "n"));
    if (json_object_get(facts, "requests"))
        snprintf(requests, sizeof requests, "%" PRId64, reviews_number(facts, "requests"));
    table_add(table, (const char *[]){n, reviews_text(item, "kind"), reviews_text(item, "object"),
                                      reviews_text(item, "department"), requests, reviews_text(item, "recommend"),
                                      reviews_text(item, "why"), decision_of(item, decision),
                                      reviews_text(item, "note")});
    if (json_is_true(json_object_get(item, "waits_for_me"))) table_mark(table, 0, TABLE_YELLOW);
}

static void print_items(const json_t *items, bool is_mine)
{
    static const struct table_column columns[] = {
        {.head = "N", .is_right = true},         {.head = "KIND"},
        {.head = "WHAT", .is_flexible = true},   {.head = "DEPARTMENT", .is_flexible = true, .goes = 3},
        {.head = "REQUESTS", .is_right = true, .goes = 4}, {.head = "RECOMMENDED"},
        {.head = "WHY", .is_flexible = true, .goes = 2},   {.head = "ANSWER"},
        {.head = "NOTE", .is_flexible = true, .goes = 1},
    };
    size_t i;
    json_t *item;
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_array_foreach (items, i, item)
        if (!is_mine || json_is_true(json_object_get(item, "waits_for_me"))) add_item(table, item);
    table_print(table);
    table_free(table);
}

static void print_review(const json_t *review, int64_t waiting, bool is_mine)
{
    char opened[32], due[32];
    const json_t *as_of = json_object_get(review, "as_of");
    reviews_instant(review, "opened_at", opened);
    reviews_instant(review, "due_at", due);
    printf("%s  %s, %s; opened %s, due %s UTC\n", reviews_text(review, "id"), reviews_text(review, "plan"),
           reviews_text(review, "state"), opened, due);
    printf("as of revision %" PRId64 ", policies %.12s, ledger %" PRId64 "; nobody answers: %s\n",
           reviews_number(as_of, "revision"), reviews_text(as_of, "bundle"), reviews_number(as_of, "ledger_seq"),
           reviews_text(review, "unanswered"));
    print_items(json_object_get(review, "entries"), is_mine);
    fflush(stdout);
    fprintf(stderr, "%" PRId64 " of %" PRId64 " answered, %" PRId64 " wait for you\n",
            reviews_number(review, "decided"), reviews_number(review, "items"), waiting);
}

int command_reviews_show(int argc, char **argv)
{
    size_t i;
    int code;
    json_t *item;
    int64_t waiting = 0;
    static bool is_mine;
    const struct option options[] = {{"--mine", OPTION_FLAG, &is_mine}, {NULL, OPTION_FLAG, NULL}};
    struct governed g;
    struct common_options common;
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"reviews", "show"});
    if (count != 1) return cli_usage_error("`moongate reviews list` shows them", "the id of a review");
    if (!reviews_settle(&common, id)) return CLI_USAGE;
    if (!reviews_ask(&common, "GET", "/reviews/%s", id, NULL, &g, &code)) return code;
    json_array_foreach (json_object_get(g.body, "entries"), i, item)
        waiting += json_is_true(json_object_get(item, "waits_for_me"));
    if (common.is_json) cli_print_json(json_incref(g.body));
    else print_review(g.body, waiting, is_mine);
    governing_end(&g);
    return waiting ? CLI_FOUND : CLI_OK;
}
