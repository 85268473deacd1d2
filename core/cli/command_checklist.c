/* The checklist of governance, computed here from what the data folder, the configuration and the policies say. */
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/checking.h"
#include "cli/period.h"
#include "cli/table.h"

#define ID_COLUMNS 21

struct asked {
    const char *required, *since, *report;
};

/* ---- The screen. */

static const char *colour_of(const char *status)
{
    if (!cli_is_coloured(stdout)) return "";
    if (strcmp(status, "ok") == 0) return "\033[32m";
    if (strcmp(status, "failing") == 0) return "\033[1;31m";
    return strcmp(status, "unknown") == 0 ? "\033[1;35m" : "\033[1;33m";
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* Behind `indent` columns, broken at blanks where the line would be wider than the terminal. */
static void print_wrapped(const char *text, size_t indent, size_t width)
{
    size_t column = indent;
    struct slice rest = slice_str(text);
    while (rest.len) {
        struct slice word = slice_split(rest, ' ', &rest);
        char copy[512];
        snprintf(copy, sizeof copy, "%.*s", SLICE_FMT(word));
        size_t wide = table_width(copy);
        if (column > indent && column + 1 + wide > width) {
            printf("\n%*s", (int)indent, "");
            column = indent;
        }
        column += (size_t)printf("%s", column > indent ? " " : "") + wide;
        printf("%.*s", SLICE_FMT(word));
    }
    putchar('\n');
}

/* "these: key_1, key_2" */
static void print_sample(const json_t *sample, size_t indent, size_t width)
{
    size_t i;
    json_t *one;
    struct buf text;
    if (json_array_size(sample) == 0) return;
    buf_init(&text);
    json_array_foreach(sample, i, one) buf_printf(&text, "%s%s", i ? ", " : "", json_string_value(one));
    buf_append_char(&text, '\0');
    printf("%*sthese: ", (int)indent, "");
    print_wrapped(buf_ptr(&text), indent + 7, width);
    buf_clear(&text);
}

static void print_fact(const json_t *fact, size_t width)
{
    const char *status = text_of(fact, "status"), *colour = colour_of(status);
    const size_t indent = 11 + ID_COLUMNS + 1;
    printf("%s%-9s%s  %-*s ", colour, status, *colour ? "\033[0m" : "", ID_COLUMNS, text_of(fact, "id"));
    print_wrapped(text_of(fact, "value"), indent, width);
    if (strcmp(status, "ok") == 0) return;
    if (strcmp(status, "unknown") != 0) {
        printf("%*swanted: ", (int)indent, "");
        print_wrapped(text_of(fact, "wanted"), indent + 8, width);
    }
    print_sample(json_object_get(json_object_get(fact, "evidence"), "sample"), indent, width);
    printf("%*scure: ", (int)indent, "");
    print_wrapped(text_of(fact, "cure"), indent + 6, width);
}

static void print_screen(const json_t *all)
{
    static const char *const words[] = {"ok", "attention", "failing", "unknown"};
    const json_t *report = json_object_get(all, "report"), *counts = json_object_get(report, "counts");
    size_t i, width = table_terminal_width();
    json_t *fact;
    printf("Governance of %s at %s, traffic since %s\n\n", text_of(report, "gateway"), text_of(report, "as_of"),
           text_of(report, "since"));
    json_array_foreach(json_object_get(report, "facts"), i, fact) print_fact(fact, width);
    fflush(stdout);
    for (size_t w = 0; w < 4; w++)
        fprintf(stderr, "%s%lld %s", w ? ", " : "", (long long)json_integer_value(json_object_get(counts, words[w])),
                words[w]);
    fprintf(stderr, "; sha256 %.16s…\n", text_of(all, "sha256"));
}

/* ---- The command. */

static json_t *split(const char *text)
{
    struct slice rest = slice_str(text);
    json_t *list = text ? json_array() : NULL;
    while (rest.len) {
        struct slice one = slice_split(rest, ',', &rest);
        json_array_append_new(list, json_stringn(one.ptr, one.len));
    }
    return list;
}

static bool print(const struct checking *c, const json_t *all, const struct asked *a, bool is_json)
{
    struct fault why = {0};
    struct buf out;
    if (is_json || (a->report && strcmp(a->report, "json") == 0)) {
        cli_print_json(json_deep_copy(all));
        return true;
    }
    if (!a->report) {
        print_screen(all);
        return true;
    }
    buf_init(&out);
    bool is_good = checklist_write(c->loaded.set, all, slice_str(a->report), &out, &why);
    if (is_good) cli_print_answer(buf_slice(&out), false);
    else cli_fault(&why, "md, html or json");
    buf_clear(&out);
    return is_good;
}

static int check(struct checking *c, const struct asked *a, bool is_json)
{
    struct fault why = {0};
    bool is_well = false;
    json_t *required = split(a->required);
    c->parts.required = required;
    json_t *all = checklist_new(c->loaded.set, &c->parts, &is_well, &why);
    json_decref(required);
    if (!all) return cli_fault(&why, "`moongate help checklist`");
    int code = !print(c, all, a, is_json) ? CLI_USAGE : is_well ? CLI_OK : CLI_FOUND;
    json_decref(all);
    return code;
}

static bool read_since(struct checking *c, const char *text)
{
    int64_t us;
    struct period_zone zone;
    if (!text) return true;
    period_zone_read(&zone, "UTC");
    if (!period_instant(&zone, text, false, c->parts.now_s * 1000000, &us))
        return cli_usage_error("90d, 2026-11-01, 2026-11", "--since: `%s` is no time", text) == CLI_OK;
    c->parts.since_s = us / 1000000;
    return true;
}

int command_checklist(int argc, char **argv)
{
    static struct asked a;
    struct common_options common;
    struct checking c;
    const struct option options[] = {{"--require", OPTION_TEXT, &a.required},
                                     {"--since", OPTION_TEXT, &a.since},
                                     {"--report", OPTION_TEXT, &a.report},
                                     {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, NULL, NULL, 0)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"checklist"});
    if (!checking_open(&c, common.config)) return CLI_UNREACHABLE;
    int code = read_since(&c, a.since) ? check(&c, &a, common.is_json) : CLI_USAGE;
    checking_close(&c);
    return code;
}
