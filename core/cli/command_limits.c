#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/ask.h"
#include "cli/folder.h"
#include "cli/looking.h"
#include "cli/table.h"
#include "cli/topped.h"
#include "exchange/money.h"
#include "store/counters/table.h"

#define CALL_TIMEOUT_MS 5000u

/* Who asks, for what: flags of scripts/explain/question.lua. Those of the identity become its `as`. */
static const char *const identity_flags[] = {"app", "user", "department", "team", "tier", "region", "key_id"};
static const char *const text_flags[] = {"model",  "api",    "session", "label",      "task", "data",
                                         "tokens", "max_tokens", "uses", "time"};
static const char *const list_flags[] = {"as", "set"};

#define IDENTITY_FLAGS (sizeof identity_flags / sizeof identity_flags[0])
#define TEXT_FLAGS (sizeof text_flags / sizeof text_flags[0])
#define LIST_FLAGS (sizeof list_flags / sizeof list_flags[0])
#define FLAG_BYTES 24

struct flags {
    char names[IDENTITY_FLAGS + TEXT_FLAGS + LIST_FLAGS][FLAG_BYTES];
    const char *identity[IDENTITY_FLAGS], *texts[TEXT_FLAGS];
    struct option_list lists[LIST_FLAGS];
    const char *policies_dir;
};

/* One limit or budget that applies, and how it stands. */
struct line {
    const json_t *entry; /* of scripts/applying.lua */
    bool is_money, is_rate, is_observed;
    int64_t limit; /* what is let through; COUNTERS_NO_LIMIT: it never refuses */
    int64_t spent, held, left, reset_s; /* left: of money what may still be spent */
    bool is_over;  /* this request would be refused by it now */
    bool narrows;  /* or its models would be fewer instead, and it fits … */
    bool shrinks;  /* … or its answer shorter */
    bool is_tightest; /* of its unit */
};

struct showing {
    char *data_dir;
    struct period_zone zone;
    json_t *answer;
    struct line *lines;
    size_t count;
    bool is_live; /* as the running gateway counts */
    char why[256]; /* it does not say */
    char no_topups[256]; /* why nobody knows them */
};

/* ---- The question. */

static struct option option_of(char name[FLAG_BYTES], const char *word, enum option_kind kind, void *value)
{
    snprintf(name, FLAG_BYTES, "--%s", word);
    for (char *c = name; *c; c++)
        if (*c == '_') *c = '-';
    return (struct option){name, kind, value};
}

static void list_options(struct flags *flags, struct option *options)
{
    size_t n = 0;
    for (size_t i = 0; i < IDENTITY_FLAGS; i++, n++)
        options[n] = option_of(flags->names[n], identity_flags[i], OPTION_TEXT, &flags->identity[i]);
    for (size_t i = 0; i < TEXT_FLAGS; i++, n++)
        options[n] = option_of(flags->names[n], text_flags[i], OPTION_TEXT, &flags->texts[i]);
    for (size_t i = 0; i < LIST_FLAGS; i++, n++)
        options[n] = option_of(flags->names[n], list_flags[i], OPTION_LIST, &flags->lists[i]);
    options[n++] = (struct option){"--policies", OPTION_TEXT, &flags->policies_dir};
    options[n] = (struct option){NULL, OPTION_FLAG, NULL};
}

static json_t *list_json(const struct option_list *given)
{
    json_t *list = json_array();
    for (size_t i = 0; i < given->count; i++)
        json_array_append_new(list, json_string(given->items[i]));
    return list;
}

static json_t *question_json(const struct flags *flags)
{
    json_t *json = json_object(), *as = list_json(&flags->lists[0]);
    for (size_t i = 0; i < IDENTITY_FLAGS; i++)
        if (flags->identity[i]) json_array_append_new(as, json_sprintf("%s=%s", identity_flags[i], flags->identity[i]));
    for (size_t i = 0; i < TEXT_FLAGS; i++)
        if (flags->texts[i]) json_object_set_new(json, text_flags[i], json_string(flags->texts[i]));
    json_object_set_new(json, "as", as);
    if (flags->lists[1].count) json_object_set_new(json, "set", list_json(&flags->lists[1]));
    return json_pack("{s:o}", "flags", json);
}

/* NULL after a message. */
static json_t *ask_policy(const struct ask *ask, const struct flags *flags, struct showing *s)
{
    struct buf answer;
    json_t *question = question_json(flags), *said = NULL;
    topped_ask(question, s->data_dir, (int64_t)(clock_wall_ns() / NS_PER_S), s->no_topups, sizeof s->no_topups);
    char *text = json_dumps(question, JSON_COMPACT);
    buf_init(&answer);
    if (text && ask_policies(ask, slice_str(text), &answer) == CLI_OK)
        said = json_loadb(buf_ptr(&answer), buf_len(&answer), 0, NULL);
    buf_clear(&answer);
    free(text);
    json_decref(question);
    return said;
}

/* ---- How they stand. */

static int64_t number_of(const json_t *from, const char *name, int64_t absent)
{
    const json_t *value = json_object_get(from, name);
    if (!json_is_number(value)) return absent;
    double number = json_number_value(value);
    return number >= (double)COUNTERS_AMOUNT_MAX ? COUNTERS_AMOUNT_MAX : (int64_t)number;
}

static const char *word_of(const json_t *from, const char *name)
{
    const char *word = json_string_value(json_object_get(from, name));
    return word ? word : "";
}

/* As it is when nothing was asked for yet. */
static void read_line(const json_t *entry, struct line *line)
{
    const char *kind = word_of(entry, "kind");
    *line = (struct line){.entry = entry,
                          .is_money = strcmp(kind, "money") == 0,
                          .is_rate = json_object_get(entry, "window") != NULL,
                          .is_observed = strcmp(word_of(entry, "mode"), "observe") == 0,
                          .limit = number_of(entry, "limit", COUNTERS_NO_LIMIT)};
    line->left = line->is_rate ? number_of(entry, "burst", line->limit) : line->limit;
}

/* What only others hold shortens nothing: it may come back. */
static bool is_shrunk(const struct line *line, int64_t amount)
{
    return counters_sum(line->spent, amount) > line->limit &&
           number_of(line->entry, "least", COUNTERS_AMOUNT_MAX) <= line->left;
}

/* With the models that are left from where it would come to. */
static bool is_narrowed(const struct line *line, int64_t amount)
{
    const json_t *list = json_object_get(line->entry, "narrowed"), *one;
    int64_t used = counters_sum(line->spent, line->held), cost = COUNTERS_AMOUNT_MAX;
    size_t i;
    if (counters_sum(line->spent, amount) <= line->limit) return false;
    json_array_foreach(list, i, one) if (number_of(one, "from", 0) <= counters_sum(used, amount))
        cost = number_of(one, "cost", COUNTERS_AMOUNT_MAX);
    return cost <= line->left;
}

static void settle_money(struct line *line)
{
    int64_t used = counters_sum(line->spent, line->held), amount = number_of(line->entry, "amount", 0);
    line->left = line->limit > used ? line->limit - used : 0;
    line->is_over = line->limit != COUNTERS_NO_LIMIT && counters_sum(used, amount) > line->limit;
    line->narrows = line->is_over && is_narrowed(line, amount);
    line->shrinks = line->is_over && !line->narrows && is_shrunk(line, amount);
    if (line->limit == COUNTERS_NO_LIMIT) line->left = COUNTERS_NO_LIMIT;
}

/* Without a gateway: what the ledger was charged. */
static void add_spent(void *arg, const struct counters_spent *spent)
{
    struct showing *s = arg;
    for (size_t i = 0; i < s->count; i++) {
        struct line *line = &s->lines[i];
        const json_t *key = json_object_get(line->entry, "key");
        if (!line->is_money || number_of(line->entry, "start", 0) != spent->start_s) continue;
        if (slice_equal(spent->key, slice_of(json_string_value(key), json_string_length(key))))
            line->spent = spent->nano;
    }
}

static bool read_ledger(struct showing *s, struct fault *why)
{
    if (!looking_charges(s->data_dir, (int64_t)(clock_wall_ns() / NS_PER_S), add_spent, s, why)) return false;
    for (size_t i = 0; i < s->count; i++)
        if (s->lines[i].is_money) settle_money(&s->lines[i]);
    return true;
}

static void take_state(struct line *line, const json_t *state)
{
    line->spent = number_of(state, "spent", 0);
    line->held = number_of(state, "held", 0);
    line->reset_s = number_of(state, "reset", 0);
    line->left = number_of(state, "left", 0);
    line->is_over = json_is_true(json_object_get(state, "is_over"));
    if (line->is_money) settle_money(line);
}

/* As the running gateway counts; false: none says it. */
static bool ask_gateway(struct showing *s)
{
    json_t *items = json_incref(json_object_get(s->answer, "limits"));
    json_t *said = cli_call_with(s->data_dir, json_pack("{s:s, s:o}", "cmd", "counters", "items", items),
                                 CALL_TIMEOUT_MS, s->why, sizeof s->why);
    const json_t *states = json_object_get(said, "states");
    bool is_said = json_array_size(states) == s->count && json_is_true(json_object_get(said, "ok"));
    for (size_t i = 0; is_said && i < s->count; i++)
        take_state(&s->lines[i], json_array_get(states, i));
    if (said && !is_said) snprintf(s->why, sizeof s->why, "the gateway does not say: %s", word_of(said, "error"));
    json_decref(said);
    return is_said;
}

/* Of each unit the one that leaves least, of those that refuse. */
static void find_tightest(struct showing *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct line *line = &s->lines[i];
        line->is_tightest = !line->is_observed && line->limit != COUNTERS_NO_LIMIT;
        for (size_t k = 0; k < s->count && line->is_tightest; k++) {
            const struct line *other = &s->lines[k];
            if (k == i || other->is_observed || other->limit == COUNTERS_NO_LIMIT) continue;
            if (strcmp(word_of(line->entry, "kind"), word_of(other->entry, "kind")) != 0) continue;
            line->is_tightest = other->left > line->left || (other->left == line->left && k > i);
        }
    }
}

static bool refuses(const struct line *line)
{
    return line->is_over && !line->is_observed && !line->narrows && !line->shrinks;
}

/* Those that refuse first; else as they are. */
static void sort_lines(struct showing *s)
{
    struct line *sorted = mem_alloc((s->count + 1) * sizeof *sorted);
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < s->count; i++)
            if (refuses(&s->lines[i]) == (pass == 0)) sorted[n++] = s->lines[i];
    mem_free(s->lines);
    s->lines = sorted;
}

static bool read_all(struct showing *s, struct fault *why)
{
    const json_t *list = json_object_get(s->answer, "limits");
    s->count = json_array_size(list);
    s->lines = mem_zalloc(s->count + 1, sizeof *s->lines);
    period_zone_read(&s->zone, word_of(s->answer, "zone"));
    for (size_t i = 0; i < s->count; i++)
        read_line(json_array_get(list, i), &s->lines[i]);
    s->is_live = ask_gateway(s);
    if (!s->is_live && !read_ledger(s, why)) return false;
    find_tightest(s);
    sort_lines(s);
    return true;
}

/* ---- The picture. */

static const char *left_cell(const struct line *line, char text[AMOUNT_BYTES])
{
    if (line->limit == COUNTERS_NO_LIMIT) return "";
    return line->is_money ? amount_usd_left(line->left, text) : amount_count(line->left, text);
}

static const char *reset_cell(const struct showing *s, const struct line *line, char text[32])
{
    int64_t stop_s = number_of(line->entry, "stop", 0), idle_s = number_of(line->entry, "idle", 0);
    if (line->is_rate && line->reset_s) {
        bool is_long = line->reset_s >= 120;
        snprintf(text, 32, "in %" PRId64 " %s", is_long ? (line->reset_s + 59) / 60 : line->reset_s,
                 is_long ? "min" : "s");
        return text;
    }
    if (line->is_money && !stop_s && idle_s) {
        snprintf(text, 32, "%" PRId64 " min idle", idle_s / 60);
        return text;
    }
    if (!stop_s) return "";
    period_write_day(zone_day(stop_s + zone_offset(s->zone.changes, s->zone.count, stop_s)), text);
    return text;
}

static const char *says_of(const struct line *line)
{
    if (line->is_observed) return "observed";
    if (refuses(line)) return "refuses";
    return line->narrows ? "narrows" : line->shrinks ? "shrinks" : line->is_tightest ? "binds" : "";
}

static const char *place_of(const struct line *line)
{
    const char *at = word_of(line->entry, "at");
    return strncmp(at, "policies/", 9) == 0 ? at + 9 : at;
}

static void add_row(struct table *table, const struct showing *s, const struct line *line)
{
    char left[AMOUNT_BYTES], reset[32];
    const char *allows = isatty(STDOUT_FILENO) ? "brief" : "allows";
    table_add(table, (const char *[]){word_of(line->entry, "rule"), word_of(line->entry, "scope"),
                                      word_of(line->entry, allows), left_cell(line, left),
                                      reset_cell(s, line, reset), says_of(line), place_of(line)});
    for (size_t c = 0; c < 7; c++)
        table_mark(table, c, refuses(line) ? TABLE_RED : TABLE_PLAIN);
    if (!refuses(line) && line->is_tightest) table_mark(table, 5, TABLE_YELLOW);
}

/* Of another policy: what limits and budgets refuse stands in their lines. */
static const json_t *denial_of(const struct showing *s)
{
    const json_t *verdict = json_object_get(s->answer, "verdict");
    if (strcmp(word_of(verdict, "kind"), "allow") == 0) return NULL;
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(word_of(verdict, "policy"), word_of(s->lines[i].entry, "policy")) == 0) return NULL;
    return verdict;
}

static void print_notes(const struct showing *s)
{
    const json_t *notes = json_object_get(s->answer, "notes"), *denial = denial_of(s), *note;
    size_t i;
    json_array_foreach(notes, i, note) fprintf(stderr, "(%s)\n", json_string_value(note));
    if (denial)
        fprintf(stderr, "refused all the same, by %s: %s (`moongate explain` says more)\n",
                *word_of(denial, "policy") ? word_of(denial, "policy") : "the policies", word_of(denial, "reason"));
    if (s->no_topups[0]) fprintf(stderr, "without top-ups: %s\n", s->no_topups);
    if (s->count == 0) fputs("no limit and no budget applies to this request\n", stderr);
    else if (s->is_live) fputs("as the running gateway counts\n", stderr);
    else fprintf(stderr, "budgets as in the ledger; rates as when nothing was asked yet (%s)\n", s->why);
}

static void print_table(const struct showing *s)
{
    static const struct table_column columns[] = {
        {.head = "LIMIT", .is_flexible = true},
        {.head = "SCOPE", .is_flexible = true},
        {.head = "ALLOWS", .is_flexible = true, .least = 24},
        {.head = "LEFT", .is_right = true},
        {.head = "RESETS", .goes = 1},
        {.head = "NOW"},
        {.head = "AT"},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < s->count; i++)
        add_row(table, s, &s->lines[i]);
    if (s->count) table_print(table);
    fflush(stdout);
    print_notes(s);
    table_free(table);
}

/* ---- JSON. */

static json_t *usd_json(int64_t nano)
{
    return nano < 0 ? json_null() : json_real((double)nano / MONEY_NANO_PER_USD);
}

static json_t *line_json(const struct line *line)
{
    json_t *json = json_deep_copy(line->entry);
    json_object_set_new(json, "observed", json_boolean(line->is_observed));
    json_object_set_new(json, "refuses", json_boolean(refuses(line)));
    json_object_set_new(json, "narrows", json_boolean(line->narrows && !line->is_observed));
    json_object_set_new(json, "shrinks", json_boolean(line->shrinks && !line->is_observed));
    json_object_set_new(json, "binds", json_boolean(line->is_tightest));
    json_object_set_new(json, "left", line->left < 0 ? json_null() : json_integer(line->left));
    if (line->is_rate) json_object_set_new(json, "reset_s", json_integer(line->reset_s));
    if (!line->is_money) return json;
    json_object_set_new(json, "spent", json_integer(line->spent));
    json_object_set_new(json, "held", json_integer(line->held));
    json_object_set_new(json, "limit_usd", usd_json(line->limit));
    json_object_set_new(json, "topup_usd", usd_json(number_of(json_object_get(line->entry, "topup"), "nano", 0)));
    json_object_set_new(json, "spent_usd", usd_json(line->spent));
    json_object_set_new(json, "left_usd", usd_json(line->left));
    return json;
}

static void print_json(const struct showing *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->count; i++)
        json_array_append_new(list, line_json(&s->lines[i]));
    cli_print_json(json_pack("{s:o, s:O, s:O, s:O, s:s, s:s, s:s}", "limits", list, "verdict",
                             json_object_get(s->answer, "verdict"), "notes", json_object_get(s->answer, "notes"),
                             "timezone", json_object_get(s->answer, "zone"), "counted_by",
                             s->is_live ? "gateway" : "ledger", "why", s->is_live ? "" : s->why,
                             "without_topups", s->no_topups));
}

/* ---- The command. */

static int run(struct showing *s, bool is_json)
{
    struct fault why = {0};
    if (!read_all(s, &why)) return cli_fault(&why, NULL);
    if (is_json) print_json(s);
    else print_table(s);
    for (size_t i = 0; i < s->count; i++)
        if (refuses(&s->lines[i])) return CLI_FOUND;
    return denial_of(s) ? CLI_FOUND : CLI_OK;
}

int command_limits(int argc, char **argv)
{
    struct flags flags = {0};
    struct showing s = {0};
    struct option options[IDENTITY_FLAGS + TEXT_FLAGS + LIST_FLAGS + 2];
    struct common_options common;
    list_options(&flags, options);
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"limits"});
    s.data_dir = folder_find(common.config);
    if (!s.data_dir) return CLI_USAGE;
    struct ask ask = {.config = common.config, .policies_dir = flags.policies_dir, .script = "applying"};
    s.answer = ask_policy(&ask, &flags, &s);
    int code = s.answer ? run(&s, common.is_json) : CLI_USAGE;
    mem_free(s.lines);
    json_decref(s.answer);
    mem_free(s.data_dir);
    return code;
}
