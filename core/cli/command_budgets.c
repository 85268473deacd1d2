#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/ask.h"
#include "cli/budgets.h"
#include "cli/fleet.h"
#include "cli/folder.h"
#include "cli/looking.h"
#include "cli/register.h"
#include "cli/table.h"
#include "cli/topped.h"
#include "exchange/money.h"

#define SHOWN 50u          /* unless --limit says another number */
#define SHOWN_MAX 1000000u
#define PERCENT_WARN 80
#define WIDE 100u /* columns of a terminal that has room for a longer bar */
#define BAR_MAX 12

struct showing {
    char *data_dir;
    const char *config;
    struct period_zone zone; /* of the policies' days */
    struct budgets *budgets;
    struct topups *topups; /* of this gateway's registry */
    uint64_t most;
    int64_t now_s;
    bool is_of_fleet; /* sums of all gateways together */
    char why[256];    /* the fleet's are out of reach */
    char no_topups[256]; /* why nobody knows them */
};

/* ---- Reading. */

/* What the policies of the configuration say; NULL after a message. */
static json_t *ask_for_rows(const struct ask *ask, int64_t now_s)
{
    char question[64];
    struct buf answer;
    json_t *rows = NULL;
    buf_init(&answer);
    snprintf(question, sizeof question, "{\"now\":%" PRId64 "}", now_s);
    if (ask_policies(ask, slice_str(question), &answer) == CLI_OK)
        rows = json_loadb(buf_ptr(&answer), buf_len(&answer), 0, NULL);
    buf_clear(&answer);
    return rows;
}

/* The periods that the rows have; as many as there are rows at most. */
static size_t list_starts(const json_t *rows, int64_t *starts)
{
    const json_t *list = json_object_get(rows, "budgets");
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        size_t same = 0;
        double start = json_number_value(json_object_get(json_array_get(list, i), "start"));
        while (same < count && starts[same] != (int64_t)start)
            same++;
        if (same == count) starts[count++] = (int64_t)start;
    }
    return count;
}

static bool read_fleet(struct showing *s, const json_t *rows)
{
    int64_t *starts = mem_alloc((json_array_size(json_object_get(rows, "budgets")) + 1) * sizeof *starts);
    size_t count = list_starts(rows, starts);
    enum fleet_said word =
        fleet_spent(s->data_dir, starts, count, s->now_s, budgets_add, s->budgets, s->why, sizeof s->why);
    if (word != FLEET_SILENT) s->why[0] = '\0';
    if (word == FLEET_NONE && register_is_of_fleet(s->config))
        snprintf(s->why, sizeof s->why, "no gateway runs here that tells what all have spent");
    mem_free(starts);
    s->is_of_fleet = word == FLEET_TOLD;
    return s->is_of_fleet;
}

static bool read_all(struct showing *s, const json_t *rows, struct fault *why)
{
    const char *zone = json_string_value(json_object_get(rows, "zone"));
    period_zone_read(&s->zone, zone ? zone : "UTC");
    s->topups = topped_read(s->data_dir, s->now_s, s->no_topups, sizeof s->no_topups);
    s->budgets = budgets_new(rows, s->topups, s->now_s);
    if (!read_fleet(s, rows) && !looking_charges(s->data_dir, s->now_s, budgets_add, s->budgets, why)) return false;
    budgets_end(s->budgets);
    return true;
}

/* ---- The picture. */

static const char *write_date(const struct showing *s, int64_t at_s, char text[24])
{
    period_write_day(zone_day(at_s + zone_offset(s->zone.changes, s->zone.count, at_s)), text);
    return text;
}

/* "84 % █████░"; the bar on a terminal alone. */
static const char *use_cell(int64_t percent, char text[96])
{
    int cells = !isatty(STDOUT_FILENO) ? 0 : table_terminal_width() < WIDE ? BAR_MAX / 2 : BAR_MAX;
    size_t at = (size_t)snprintf(text, 96, "%3" PRId64 " %%%s", percent, cells ? " " : "");
    for (int i = 0; i < cells; i++) {
        memcpy(text + at, percent >= 100 || i < (int)(percent * cells / 100) ? "█" : "░", 3);
        at += 3;
    }
    text[at] = '\0';
    return text;
}

static const char *reset_cell(const struct showing *s, const struct budget_use *use, char text[24])
{
    if (use->budget->stop_s) return write_date(s, use->budget->stop_s, text);
    if (!use->idle_s) return "";
    snprintf(text, 24, "%u min idle", (unsigned)(use->idle_s / 60));
    return text;
}

/* "+$100 until 2026-11-27": of several until the first of them ends. */
static const char *topup_cell(const struct showing *s, const struct budget_use *use, char text[96])
{
    char added[AMOUNT_BYTES], date[24];
    text[0] = '\0';
    if (use->raised.count)
        snprintf(text, 96, "+%s until %s", amount_usd_exactly(use->raised.nano, added),
                 write_date(s, use->raised.ends_at - 1, date));
    return text;
}

static bool is_observed(const struct budget *row)
{
    return slice_equal(row->mode, SLICE("observe"));
}

static const char *out_cell(const struct showing *s, const struct budget_use *use, const struct budget_course *course,
                            char text[24])
{
    if (budget_is_used_up(use)) return "used up";
    return course->runs_out_s ? write_date(s, course->runs_out_s, text) : "";
}

static const struct table_column columns[] = {
    {.head = "BUDGET", .is_flexible = true},
    {.head = "SCOPE", .is_flexible = true, .least = 10},
    {.head = "SPENT", .is_right = true},
    {.head = "LIMIT", .is_right = true},
    {.head = "TOP-UP"},
    {.head = "USED"},
    {.head = "ON COURSE FOR", .is_right = true, .goes = 2},
    {.head = "RUNS OUT"},
    {.head = "RESETS"},
    {.head = "AT", .goes = 3},
};
#define COLUMNS (sizeof columns / sizeof columns[0])
#define TOPUP_COLUMN 4 /* only where something is added */
#define USED_COLUMN 5

static bool is_any_raised(const struct showing *s, size_t shown)
{
    for (size_t i = 0; i < shown; i++)
        if (budgets_at(s->budgets, i)->raised.count) return true;
    return false;
}

/* In the table, which may be without that column. */
static size_t column_at(size_t column, bool has_topups)
{
    return column > TOPUP_COLUMN && !has_topups ? column - 1 : column;
}

static void mark_row(struct table *table, const struct budget_use *use, const struct budget_course *course,
                     bool has_topups)
{
    bool is_near = budget_percent(use) >= PERCENT_WARN || course->runs_out_s;
    enum table_colour colour = budget_is_used_up(use) ? TABLE_RED : is_near ? TABLE_YELLOW : TABLE_PLAIN;
    for (size_t c = 0; c < column_at(COLUMNS - 1, has_topups); c++) {
        bool is_marked = c == column_at(USED_COLUMN, has_topups) || colour == TABLE_RED;
        table_mark(table, c, is_marked ? colour : TABLE_PLAIN);
    }
}

static void add_row(struct table *table, const struct showing *s, const struct budget_use *use, bool has_topups)
{
    char name[256], spent[AMOUNT_BYTES], limit[AMOUNT_BYTES], going[AMOUNT_BYTES], part[96], out[24], reset[24];
    char topup[96];
    struct budget_course course = budget_course(use, s->now_s);
    snprintf(name, sizeof name, "%.*s%s", (int)(use->budget->name.len < 200 ? use->budget->name.len : 200),
             use->budget->name.ptr, is_observed(use->budget) ? " (observed)" : "");
    const char *cells[COLUMNS] = {name,
                                  use->scope.ptr,
                                  amount_usd(use->nano, spent),
                                  amount_usd_exactly(use->limit, limit),
                                  topup_cell(s, use, topup),
                                  use_cell(budget_percent(use), part),
                                  course.nano >= 0 ? amount_usd(course.nano, going) : "",
                                  out_cell(s, use, &course, out),
                                  reset_cell(s, use, reset),
                                  use->budget->at.ptr};
    if (!has_topups) memmove(cells + TOPUP_COLUMN, cells + TOPUP_COLUMN + 1,
                             (COLUMNS - TOPUP_COLUMN - 1) * sizeof *cells);
    table_add(table, cells);
    mark_row(table, use, &course, has_topups);
}

/* Those that refuse: one on trial does not. */
static size_t count_used_up(const struct showing *s)
{
    size_t count = 0;
    for (size_t i = 0; i < budgets_count(s->budgets); i++) {
        const struct budget_use *use = budgets_at(s->budgets, i);
        count += budget_is_used_up(use) && !is_observed(use->budget);
    }
    return count;
}

static const char *of_whom(const struct showing *s)
{
    return s->is_of_fleet ? "; sums of all gateways" : "";
}

static struct table *new_table(bool has_topups)
{
    struct table_column used[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++)
        used[column_at(i, has_topups)] = columns[i];
    return table_new(used, column_at(COLUMNS - 1, has_topups) + 1);
}

static void print_table(const struct showing *s)
{
    size_t count = budgets_count(s->budgets), shown = count < s->most ? count : s->most, used_up = count_used_up(s);
    bool has_topups = is_any_raised(s, shown);
    struct table *table = new_table(has_topups);
    for (size_t i = 0; i < shown; i++)
        add_row(table, s, budgets_at(s->budgets, i), has_topups);
    if (count) table_print(table);
    fflush(stdout);
    if (!count) fprintf(stderr, "the policies have no budgets: `budget` in policies/README.md\n");
    if (shown < count) fprintf(stderr, "%zu more: --limit %zu\n", count - shown, count);
    if (count) fprintf(stderr, "%zu used up; days are those of %s%s\n", used_up, s->zone.name, of_whom(s));
    if (s->why[0]) fprintf(stderr, "this gateway's own part: %s\n", s->why);
    if (s->no_topups[0]) fprintf(stderr, "without top-ups: %s\n", s->no_topups);
    table_free(table);
}

/* ---- JSON. */

static void append_text(struct buf *out, const char *name, struct slice value)
{
    buf_printf(out, ",\"%s\":", name);
    buf_append_json(out, value);
}

/* null where it is not known. */
static void append_usd(struct buf *out, const char *name, int64_t nano)
{
    char usd[MONEY_TEXT_BYTES];
    buf_printf(out, ",\"%s\":", name);
    buf_append(out, nano < 0 ? SLICE("null") : money_usd(nano, usd));
}

static void append_time(struct buf *out, const char *name, int64_t at_s)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format((uint64_t)at_s * NS_PER_S, text);
    if (at_s > 0) append_text(out, name, slice_str(text));
    else buf_printf(out, ",\"%s\":null", name);
}

static void append_use(struct buf *out, const struct showing *s, const struct budget_use *use)
{
    const struct budget *row = use->budget;
    struct budget_course course = budget_course(use, s->now_s);
    buf_append(out, SLICE("{\"budget\":"));
    buf_append_json(out, row->name);
    append_text(out, "policy", row->policy);
    append_text(out, "at", row->at);
    append_text(out, "mode", row->mode);
    append_text(out, "scope", use->scope);
    append_text(out, "period", row->period);
    append_time(out, "from", row->start_s);
    append_time(out, "resets_at", row->stop_s);
    append_usd(out, "limit_usd", use->limit);
    append_usd(out, "refuses_at_usd", use->blocks_at);
    append_usd(out, "topup_usd", use->raised.nano);
    append_time(out, "topup_ends_at", use->raised.ends_at);
    append_usd(out, "spent_usd", use->nano);
    append_usd(out, "on_course_for_usd", course.nano);
    append_time(out, "runs_out_at", course.runs_out_s);
    buf_printf(out, ",\"spent_nano\":%" PRId64 ",\"percent\":%" PRId64 ",\"is_used_up\":%s}", use->nano,
               budget_percent(use), budget_is_used_up(use) ? "true" : "false");
}

static void print_json(const struct showing *s)
{
    struct buf out;
    char now[CLOCK_TEXT_BYTES];
    size_t count = budgets_count(s->budgets), shown = count < s->most ? count : s->most;
    buf_init(&out);
    buf_append(&out, SLICE("{\"budgets\":["));
    for (size_t i = 0; i < shown; i++) {
        if (i) buf_append_char(&out, ',');
        append_use(&out, s, budgets_at(s->budgets, i));
    }
    clock_format((uint64_t)s->now_s * NS_PER_S, now);
    buf_printf(&out, "],\"count\":%zu,\"used_up\":%zu,\"timezone\":\"%s\",\"of\":\"%s\",\"as_of\":\"%s\"", count,
               count_used_up(s), s->zone.name, s->is_of_fleet ? "fleet" : "gateway", now);
    append_text(&out, "why", slice_str(s->why));
    append_text(&out, "without_topups", slice_str(s->no_topups));
    buf_append(&out, SLICE("}\n"));
    cli_print_answer(buf_slice(&out), false);
    buf_clear(&out);
}

/* ---- The command. */

static int run(struct showing *s, const struct ask *ask, bool is_json)
{
    struct fault why = {0};
    int code = CLI_USAGE;
    s->now_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    json_t *rows = ask_for_rows(ask, s->now_s);
    if (rows && !read_all(s, rows, &why)) {
        cli_fault(&why, NULL);
    } else if (rows) {
        if (is_json) print_json(s);
        else print_table(s);
        code = count_used_up(s) ? CLI_FOUND : CLI_OK;
    }
    budgets_free(s->budgets);
    topups_unref(s->topups);
    json_decref(rows);
    return code;
}

int command_budgets(int argc, char **argv)
{
    struct showing s = {.most = SHOWN};
    struct common_options common;
    const char *limit = NULL, *policies_dir = NULL;
    const struct option options[] = {{"--limit", OPTION_TEXT, &limit},
                                     {"--policies", OPTION_TEXT, &policies_dir},
                                     {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"budgets"});
    if (!looking_read_count("--limit", limit, SHOWN_MAX, &s.most)) return CLI_USAGE;
    s.config = common.config;
    s.data_dir = folder_find(common.config);
    if (!s.data_dir) return CLI_USAGE;
    struct ask ask = {.config = common.config, .policies_dir = policies_dir, .script = "budgets"};
    int code = run(&s, &ask, common.is_json);
    mem_free(s.data_dir);
    return code;
}
