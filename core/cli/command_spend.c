#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/looking.h"
#include "cli/table.h"
#include "exchange/money.h"

#define BAR_CELLS 20

struct line {
    struct slice name;
    struct ledger_total sums;
    int64_t before_nano;
};

struct spend {
    struct looking looking;
    struct period period;
    const char *by;     /* as it is read: "label" for label:NAME */
    struct slice label; /* NAME */
    struct arena arena;
    struct line *lines;
    size_t count, room;
    struct ledger_total all, all_before;
    int64_t estimated;
    int64_t zone_day; /* the first of the zone, in these periods; 0: all are */
    json_t *before; /* name → nano-dollars of the period before */
};

/* ---- Reading. */

static void add_line(void *arg, struct slice name, const struct ledger_total *sums)
{
    struct spend *s = arg;
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 64;
        s->lines = mem_realloc(s->lines, s->room * sizeof *s->lines);
    }
    struct slice copy = arena_copy(&s->arena, name);
    s->lines[s->count++] =
        (struct line){copy, *sums, json_integer_value(json_object_getn(s->before, name.ptr, name.len))};
}

static void add_before(void *arg, struct slice name, const struct ledger_total *sums)
{
    struct spend *s = arg;
    json_object_setn_new(s->before, name.ptr, name.len, json_integer(sums->cost_nano));
}

static void keep_sums(void *arg, struct slice name, const struct ledger_total *sums)
{
    (void)name;
    *(struct ledger_total *)arg = *sums;
}

/* What was summed before the zone was another stays so, and is shown with the rest. */
static bool read_zone_day(struct spend *s, struct fault *why)
{
    int64_t first = s->all_before.requests ? s->period.before_from : s->period.from;
    if (!ledger_read_zone_day(s->looking.ledger, &s->zone_day, why)) return false;
    if (s->zone_day < first) s->zone_day = 0;
    return true;
}

static bool read_all(struct spend *s, struct fault *why)
{
    struct ledger_read *l = s->looking.ledger;
    const struct ledger_filter *f = s->looking.filter;
    const struct period *p = &s->period;
    struct ledger_spending now = {s->by, s->label, p->from, p->to};
    struct ledger_spending before = {s->by, s->label, p->before_from, p->before_to};
    struct ledger_spending all = {.from_day = p->from, .to_day = p->to};
    struct ledger_spending all_before = {.from_day = p->before_from, .to_day = p->before_to};
    return ledger_read_spending(l, &before, f, add_before, s, why) &&
           ledger_read_spending(l, &now, f, add_line, s, why) &&
           ledger_read_spending(l, &all, f, keep_sums, &s->all, why) &&
           ledger_read_spending(l, &all_before, f, keep_sums, &s->all_before, why) &&
           ledger_read_estimated(l, p->from, p->to, f, &s->estimated, why) && read_zone_day(s, why);
}

/* ---- The picture. */

static double share(const struct spend *s, const struct line *line)
{
    return s->all.cost_nano > 0 ? (double)line->sums.cost_nano / (double)s->all.cost_nano : 0;
}

/* "50 % ██████████░░░░░░░░░░"; the bar on a terminal alone. */
static const char *share_cell(struct arena *arena, double part)
{
    char bar[BAR_CELLS * 3 + 1] = "";
    size_t at = 0;
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    for (int i = 0; isatty(STDOUT_FILENO) && i < BAR_CELLS; i++) {
        memcpy(bar + at, i < (int)(part * BAR_CELLS + 0.5) ? "█" : "░", 3);
        at += 3;
    }
    bar[at] = '\0';
    return arena_printf(arena, "%3.0f %%%s%s", part * 100, at ? " " : "", bar).ptr;
}

static int64_t tokens_of(const struct ledger_total *t)
{
    int64_t all;
    return __builtin_add_overflow(t->input_tokens, t->output_tokens, &all) ? INT64_MAX : all;
}

static void add_row(struct table *table, const struct spend *s, const struct line *line)
{
    char usd[AMOUNT_BYTES], change[AMOUNT_BYTES], requests[AMOUNT_BYTES], tokens[AMOUNT_BYTES];
    struct arena arena;
    arena_init(&arena);
    amount_change(line->sums.cost_nano, line->before_nano, change);
    table_add(table, (const char *[]){line->name.ptr, amount_usd(line->sums.cost_nano, usd),
                                      share_cell(&arena, share(s, line)),
                                      s->all_before.requests ? change : "",
                                      amount_count(line->sums.requests, requests),
                                      amount_short(tokens_of(&line->sums), tokens)});
    arena_clear(&arena);
}

/* Beside the table where people read it, out of the way of what reads the table. */
static void print_title(const struct spend *s)
{
    char usd[AMOUNT_BYTES], change[AMOUNT_BYTES], requests[AMOUNT_BYTES], day[24], from[24], to[24];
    FILE *out = isatty(STDOUT_FILENO) ? stdout : stderr;
    const char *bold = cli_is_coloured(out) ? "\033[1m" : "", *end = *bold ? "\033[0m" : "";
    period_write_day(s->period.until, day);
    period_write_day(s->period.before_from, from);
    period_write_day(s->period.before_to, to);
    fprintf(out, "%s%s%s (%s)", bold, s->period.title, end, s->looking.zone.name);
    if (s->period.until < s->period.to) fprintf(out, ", to %s", day);
    fprintf(out, "   %s%s%s   %s request%s", bold, amount_usd(s->all.cost_nano, usd), end,
            amount_count(s->all.requests, requests), s->all.requests == 1 ? "" : "s");
    amount_change(s->all.cost_nano, s->all_before.cost_nano, change);
    if (s->all_before.cost_nano) fprintf(out, "   %s on %s to %s", change, from, to);
    fputc('\n', out);
}

/* What the sums do not say of themselves. */
static void print_notes(const struct spend *s)
{
    char count[AMOUNT_BYTES], day[24];
    period_write_day(s->zone_day, day);
    if (s->zone_day) fprintf(stderr, "days up to %s begin in another zone, which was the billing zone then\n", day);
    if (s->all.unpriced)
        fprintf(stderr, "%s of the requests had no price: their cost is not in these sums "
                "(`moongate requests` shows them as unpriced)\n", amount_count(s->all.unpriced, count));
    if (s->estimated)
        fprintf(stderr, "%s of the requests have tokens that were estimated: their provider told none\n",
                amount_count(s->estimated, count));
    if (s->all.saved_nano) fprintf(stderr, "caches saved %s\n", amount_usd(s->all.saved_nano, count));
}

static void print_table(const struct spend *s)
{
    char head[64];
    snprintf(head, sizeof head, "%.*s", (int)sizeof head - 1, s->label.len ? s->label.ptr : s->by);
    for (char *c = head; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    const struct table_column columns[] = {
        {.head = head, .is_flexible = true},    {.head = "SPEND", .is_right = true},
        {.head = "SHARE"},                      {.head = "CHANGE", .is_right = true},
        {.head = "REQUESTS", .is_right = true}, {.head = "TOKENS", .is_right = true},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    print_title(s);
    for (size_t i = 0; i < s->count; i++)
        add_row(table, s, &s->lines[i]);
    if (s->count) table_print(table);
    if (s->count == 0 && s->all.requests)
        fprintf(stderr, "none of these requests had the label %.*s\n", SLICE_FMT(s->label));
    if (s->count == 0 && !s->all.requests) fprintf(stderr, "no requests in this time\n");
    fflush(stdout);
    print_notes(s);
    table_free(table);
}

/* ---- JSON. */

static void append_usd(struct buf *out, const char *name, int64_t nano)
{
    char usd[MONEY_TEXT_BYTES];
    buf_printf(out, ",\"%s\":", name);
    buf_append(out, money_usd(nano, usd));
}

static void append_line(struct buf *out, const struct line *line)
{
    const struct ledger_total *t = &line->sums;
    buf_append(out, SLICE("{\"key\":"));
    buf_append_json(out, line->name);
    append_usd(out, "usd", t->cost_nano);
    append_usd(out, "previous_usd", line->before_nano);
    buf_printf(out, ",\"cost_nano\":%" PRId64 ",\"requests\":%" PRId64 ",\"denied\":%" PRId64 ",\"failed\":%" PRId64
               ",\"unpriced\":%" PRId64, t->cost_nano, t->requests, t->denied, t->failed, t->unpriced);
    buf_printf(out, ",\"tokens\":{\"input\":%" PRId64 ",\"output\":%" PRId64 ",\"cached_input\":%" PRId64
               ",\"reasoning\":%" PRId64 "}}", t->input_tokens, t->output_tokens, t->cached_tokens,
               t->reasoning_tokens);
}

static void append_period(struct buf *out, const struct spend *s)
{
    char from[24], to[24], until[24];
    period_write_day(s->period.from, from);
    period_write_day(s->period.to, to);
    period_write_day(s->period.until, until);
    buf_printf(out, "{\"period\":{\"from\":\"%s\",\"to\":\"%s\",\"timezone\":\"%s\",\"until\":\"%s\"", from, to,
               s->looking.zone.name, until);
    period_write_day(s->zone_day, from);
    if (s->zone_day) buf_printf(out, ",\"timezone_since\":\"%s\"", from);
    buf_append_char(out, '}');
    period_write_day(s->period.before_from, from);
    period_write_day(s->period.before_to, to);
    buf_printf(out, ",\"previous\":{\"from\":\"%s\",\"to\":\"%s\"},\"group_by\":", from, to);
}

static void print_json(const struct spend *s)
{
    struct buf out;
    char now[CLOCK_TEXT_BYTES];
    buf_init(&out);
    append_period(&out, s);
    buf_append_json(&out, slice_str(s->by));
    if (s->label.len) {
        buf_append(&out, SLICE(",\"label\":"));
        buf_append_json(&out, s->label);
    }
    append_usd(&out, "total_usd", s->all.cost_nano);
    append_usd(&out, "previous_usd", s->all_before.cost_nano);
    append_usd(&out, "saved_usd", s->all.saved_nano);
    buf_printf(&out, ",\"total_nano\":%" PRId64 ",\"requests\":%" PRId64 ",\"unpriced\":{\"requests\":%" PRId64
               "},\"estimated\":{\"requests\":%" PRId64 "},\"rows\":[", s->all.cost_nano, s->all.requests,
               s->all.unpriced, s->estimated);
    for (size_t i = 0; i < s->count; i++) {
        if (i) buf_append_char(&out, ',');
        append_line(&out, &s->lines[i]);
    }
    clock_format((uint64_t)s->looking.now_us * 1000, now);
    buf_printf(&out, "],\"as_of\":\"%s\"}\n", now);
    cli_print_answer(buf_slice(&out), false);
    buf_clear(&out);
}

/* ---- The command. */

static bool read_by(struct spend *s, const char *text)
{
    s->by = text ? text : "department";
    if (strncmp(s->by, "label:", 6) != 0) return true;
    s->label = slice_str(s->by + 6);
    s->by = "label";
    if (s->label.len) return true;
    cli_usage_error("moongate spend --by label:cost_center", "say which label");
    return false;
}

static int run(struct spend *s, const char *period, bool is_json)
{
    struct fault why = {0};
    int code = CLI_OK;
    if (!period_days(&s->looking.zone, period ? period : "month", s->looking.now_us, &s->period))
        return cli_usage_error("2026-11, 2026, today, 7d, 2026-11-01..2026-11-15", "--period: `%s` is no time", period);
    arena_init(&s->arena);
    s->before = json_object();
    if (!read_all(s, &why)) {
        code = cli_fault(&why, NULL);
    } else if (is_json) {
        print_json(s);
    } else {
        print_table(s);
    }
    json_decref(s->before);
    mem_free(s->lines);
    arena_clear(&s->arena);
    return code;
}

int command_spend(int argc, char **argv)
{
    struct spend s = {0};
    struct common_options common;
    const char *by = NULL, *period = NULL;
    const struct option options[] = {{"--by", OPTION_TEXT, &by},
                                     {"--period|-p", OPTION_TEXT, &period},
                                     {"--where|-w", OPTION_LIST, &s.looking.where},
                                     {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"spend"});
    if (!read_by(&s, by)) return CLI_USAGE;
    if (!looking_open(&s.looking, common.config, NULL, 0)) return CLI_USAGE;
    int code = run(&s, period, common.is_json);
    looking_close(&s.looking);
    return code;
}
