#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "admin/api/body.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/ask.h"
#include "cli/budgets.h"
#include "cli/caller.h"
#include "cli/fleet.h"
#include "cli/folder.h"
#include "cli/governing.h"
#include "cli/looking.h"
#include "cli/topup_inner.h"
#include "exchange/money.h"
#include "server/units.h"

#define EXAMPLE "moongate topup \"department sales\" 100 --until 2026-11-27 --reason \"quarter end\""
#define WORDS_MAX 32
#define NOT_TEXT "the scope, or the budget, is not UTF-8 or has a NUL in it"

struct topping {
    const char *until, *budget, *config;
    bool is_json, is_of_fleet;
    int64_t nano, now_s, spent; /* spent -1: nothing, or it is not known … */
    char unread[256];           /* … and why */
    char *data_dir;
    struct change_by by;
    /* What is meant (scripts/budget_of.lua), from answer_read() on. */
    json_t *meant;
    struct period_zone zone;
    struct topup_spec spec;
    struct topup_made made;
    enum register_told told;
};

static const char *text_of(const struct topping *t, const char *name)
{
    const char *text = json_string_value(json_object_get(t->meant, name));
    return text ? text : "";
}

static int64_t number_of(const struct topping *t, const char *name)
{
    return (int64_t)json_number_value(json_object_get(t->meant, name));
}

/* ---- Which budget, and whose. */

/* The first line says what is wrong, the second how to right it. */
static bool refuse(struct slice answer)
{
    struct slice hint, text = slice_split(answer, '\n', &hint);
    char *cure = hint.len ? mem_strndup(hint.ptr, hint.len) : NULL;
    cli_usage_error(cure ? cure : "`moongate budgets` shows the budgets and whose they are", "%.*s", SLICE_FMT(text));
    mem_free(cure);
    return false;
}

static bool read_answer(struct topping *t, int code, struct slice answer)
{
    if (code != CLI_OK) return refuse(answer);
    t->meant = json_loadb(answer.ptr, answer.len, 0, NULL);
    if (!t->meant) return cli_usage_error(NULL, NOT_TEXT) == CLI_OK;
    period_zone_read(&t->zone, text_of(t, "zone"));
    t->spec.budget = slice_str(text_of(t, "budget"));
    t->spec.scope = slice_str(text_of(t, "scope"));
    return true;
}

static bool find_budget(struct topping *t, const char *scope)
{
    struct buf answer;
    json_t *asked = json_pack("{s:s, s:s*, s:I}", "scope", scope, "budget", t->budget, "now", (json_int_t)t->now_s);
    char *question = asked ? json_dumps(asked, JSON_COMPACT) : NULL;
    buf_init(&answer);
    int code = question ? ask_policies(&(struct ask){.config = t->config, .script = "budget_of"}, slice_str(question),
                                       &answer)
                        : cli_usage_error(NULL, NOT_TEXT);
    bool is_good = code != CLI_USAGE && read_answer(t, code, buf_slice(&answer));
    buf_clear(&answer);
    mem_free(question);
    json_decref(asked);
    t->is_of_fleet = register_is_of_fleet(t->config);
    return is_good;
}

/* ---- How much, and until when. */

static bool read_amount(struct topping *t, const char *text)
{
    if (amount_read(text, LIMIT_TOPUP_NANO, &t->nano) && t->nano > 0) return true;
    cli_usage_error("write 100, $100 or 2.50: USD with at most nine decimals, up to 4000000",
                    t->nano == 0 && strspn(text, "$0.") == strlen(text) ? "`%s` adds nothing" : "`%s` is no amount",
                    text);
    return false;
}

#define TIMES "write 2026-11-27 (all of that day), 2026-11-27T18:00, 30d, 12h, or period: the end of the budget's own"

static bool read_period_end(struct topping *t)
{
    t->spec.ends_at = number_of(t, "stop");
    if (t->spec.ends_at) return true;
    cli_usage_error("write 12h, 30d or a date", "--until period: that budget is of sessions, which end by themselves");
    return false;
}

static bool read_until(struct topping *t)
{
    uint64_t ms;
    int64_t us;
    if (strcmp(t->until, "period") == 0) return read_period_end(t);
    if (units_duration(slice_str(t->until), &ms) && ms >= 1000) {
        bool is_far = ms / 1000 > LIMIT_TOPUP_S;
        t->spec.ends_at = t->now_s + (int64_t)(is_far ? LIMIT_TOPUP_S + 1u : ms / 1000);
    } else if (!units_duration(slice_str(t->until), &ms) &&
               period_instant(&t->zone, t->until, true, t->now_s * 1000000, &us)) {
        t->spec.ends_at = us / 1000000;
    } else {
        cli_usage_error(TIMES, "--until: `%s` is no time", t->until);
        return false;
    }
    return true;
}

static bool check_until(const struct topping *t)
{
    int64_t lasts = t->spec.ends_at - t->now_s;
    if (lasts <= 0) cli_usage_error(TIMES, "--until: `%s` is over already", t->until);
    else if (lasts > (int64_t)LIMIT_TOPUP_S)
        cli_usage_error("raise the limit in the policies", "--until: `%s` is more than 400 days from now", t->until);
    return lasts > 0 && lasts <= (int64_t)LIMIT_TOPUP_S;
}

/* ---- What was spent on it. */

static void take_spent(void *arg, const struct counters_spent *spent)
{
    ((struct topping *)arg)->spent = spent->nano;
}

static void read_spent(struct topping *t)
{
    struct fault fault;
    int64_t start = number_of(t, "start");
    const char *key = text_of(t, "key");
    t->spent = -1;
    switch (fleet_spent_of(t->data_dir, key, start, t->now_s, take_spent, t, t->unread, sizeof t->unread)) {
    case FLEET_SILENT: return;
    case FLEET_TOLD: t->unread[0] = '\0'; return;
    case FLEET_NONE: t->unread[0] = '\0';
    }
    if (!looking_charge(t->data_dir, slice_str(key), start, t->now_s, take_spent, t, &fault))
        snprintf(t->unread, sizeof t->unread, "%s", fault_message(&fault));
}

/* A name that is nearly another's, and that nobody has used, is misspelt. Who names the budget has looked. */
static bool is_meant(const struct topping *t)
{
    const char *near = text_of(t, "near"), *budget = text_of(t, "budget");
    char cure[512];
    if (t->spent >= 0 || t->unread[0] || t->budget || !*near) return true;
    snprintf(cure, sizeof cure, "%s else: --budget %s", near, budget);
    cli_usage_error(cure, "nothing was spent by '%s', which falls under %s, in this period", text_of(t, "spelt"),
                    budget);
    return false;
}

/* ---- What came of it. */

static int64_t before_nano(const struct topping *t)
{
    return number_of(t, "limit") + t->made.before_nano;
}

static void print_notes(const struct topping *t)
{
    int64_t stop = number_of(t, "stop");
    char day[32];
    if (strcmp(text_of(t, "mode"), "observe") == 0)
        fprintf(stderr, "note: that budget is on trial and refuses nothing\n");
    if (t->unread[0]) fprintf(stderr, "note: what was spent on it is not known: %s\n", t->unread);
    else if (t->spent < 0) fprintf(stderr, "note: nothing was spent on it in this period\n");
    if (stop && t->spec.ends_at > stop)
        fprintf(stderr, "note: its period ends before (%s): the limit of the next is raised, too\n",
                topup_write_end(&t->zone, stop, day));
    if (t->told == REGISTER_ABSENT)
        fprintf(stderr, "note: no gateway runs on this data folder: it holds from the next start on\n");
    if (t->is_of_fleet) topup_say_fleet();
}

static void print_made(const struct topping *t)
{
    char amount[AMOUNT_BYTES], was[AMOUNT_BYTES], is[AMOUNT_BYTES], spent[AMOUNT_BYTES], end[32];
    printf("%s: %s, %s: limit %s → %s until %s (%s)\n", t->made.id, text_of(t, "budget"), text_of(t, "spelt"),
           amount_usd_exactly(before_nano(t), was), amount_usd_exactly(before_nano(t) + t->nano, is),
           topup_write_end(&t->zone, t->spec.ends_at, end), t->zone.name);
    if (t->spent >= 0)
        printf("%s are added; %s were spent in this period\n", amount_usd_exactly(t->nano, amount),
               amount_usd(t->spent, spent));
    fflush(stdout);
}

static void append_usd(struct buf *out, const char *name, int64_t nano)
{
    char usd[MONEY_TEXT_BYTES];
    if (nano < 0) buf_printf(out, ",\"%s_usd\":null,\"%s_nano\":null", name, name);
    else buf_printf(out, ",\"%s_usd\":%s,\"%s_nano\":%" PRId64, name, money_usd(nano, usd).ptr, name, nano);
}

static void print_json(const struct topping *t)
{
    struct buf out;
    char end[CLOCK_TEXT_BYTES];
    clock_format((uint64_t)t->spec.ends_at * NS_PER_S, end);
    buf_init(&out);
    buf_printf(&out, "{\"id\":\"%s\",\"budget\":", t->made.id);
    buf_append_json(&out, t->spec.budget);
    buf_append(&out, SLICE(",\"scope\":"));
    buf_append_json(&out, t->spec.scope);
    append_usd(&out, "amount", t->nano);
    append_usd(&out, "limit_before", before_nano(t));
    append_usd(&out, "limit_after", before_nano(t) + t->nano);
    append_usd(&out, "spent", t->spent);
    buf_printf(&out, ",\"ends_at\":\"%s\",\"gateway\":\"%s\",\"is_of_fleet\":%s}\n", end, register_word(t->told),
               t->is_of_fleet ? "true" : "false");
    cli_print_answer(buf_slice(&out), false);
    buf_clear(&out);
}

/* ---- The command. */

static void take_made(struct topping *t, const struct governed *g)
{
    snprintf(t->made.id, sizeof t->made.id, "%s", governing_text(g, "id"));
    instant_read(slice_str(governing_text(g, "created_at")), &t->made.created_at);
    t->made.before_nano = json_integer_value(json_object_get(g->body, "before_nano"));
    t->told = g->told;
}

static bool make(struct topping *t)
{
    struct governed g;
    t->spec.nano = t->nano;
    json_t *body = json_pack("{s:s%, s:s%, s:I, s:o, s:s%}", "budget", t->spec.budget.ptr, t->spec.budget.len, "scope",
                             t->spec.scope.ptr, t->spec.scope.len, "nano", (json_int_t)t->nano, "ends_at",
                             instant_json(t->spec.ends_at), "reason", t->by.reason.ptr, t->by.reason.len);
    if (!governing_call(t->data_dir, "POST", "/topups", body, &g)) return false;
    bool is_made = g.status < 300;
    if (is_made) take_made(t, &g);
    else cli_error(CLI_USAGE, NULL, "%s", governing_message(&g));
    governing_end(&g);
    return is_made;
}

static int run(struct topping *t, const char *scope)
{
    if (!find_budget(t, scope) || !read_until(t) || !check_until(t)) return CLI_USAGE;
    read_spent(t);
    if (!is_meant(t) || !make(t)) return CLI_USAGE;
    if (t->is_json) print_json(t);
    else print_made(t);
    print_notes(t);
    return CLI_OK;
}

/* All words but the last are the scope: a shell may have taken "department sales" apart. */
static void join(const char *const *words, size_t count, struct buf *to)
{
    for (size_t i = 0; i < count; i++) {
        if (i) buf_append_char(to, ' ');
        buf_append(to, slice_str(words[i]));
    }
    buf_append_char(to, '\0');
}

static bool check_said(const struct topping *t, const char *reason, size_t count)
{
    struct fault why;
    if (count < 2) cli_usage_error(EXAMPLE, "say whose budget, and how much; `list` and `end` stand alone");
    else if (!t->until) cli_usage_error(EXAMPLE, "say until when: --until");
    else if (!reason || !*reason) cli_usage_error(EXAMPLE, "say what for: --reason");
    else if (!registry_check_reason(slice_str(reason), &why))
        cli_usage_error(EXAMPLE, "--reason: %s", fault_message(&why));
    else return true;
    return false;
}

int command_topup(int argc, char **argv)
{
    static struct topping t;
    struct common_options common;
    const char *words[WORDS_MAX], *reason = NULL;
    const struct option options[] = {{"--until", OPTION_TEXT, &t.until},
                                     {"--reason", OPTION_TEXT, &reason},
                                     {"--budget", OPTION_TEXT, &t.budget},
                                     {NULL, OPTION_FLAG, NULL}};
    size_t count;
    struct buf scope;
    if (!cli_options(argc, argv, options, &common, words, &count, WORDS_MAX)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"topup"});
    if (!check_said(&t, reason, count) || !caller_read(reason, &t.by)) return CLI_USAGE;
    if (!read_amount(&t, words[count - 1])) return CLI_USAGE;
    t.config = common.config;
    t.is_json = common.is_json;
    t.now_s = (int64_t)(clock_wall_ns() / NS_PER_S);
    t.data_dir = folder_find(common.config);
    if (!t.data_dir) return CLI_USAGE;
    buf_init(&scope);
    join(words, count - 1, &scope);
    int code = run(&t, buf_ptr(&scope));
    buf_clear(&scope);
    json_decref(t.meant);
    mem_free(t.data_dir);
    return code;
}
