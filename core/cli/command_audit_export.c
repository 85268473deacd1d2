#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>

#include "base/limits.h"
#include "cli/export.h"
#include "cli/looking.h"

#define PAGE_ROWS 1000 /* of one reading: the writer can tidy up between two */

static bool write_all(struct looking *looking, struct export *e, struct fault *why)
{
    struct ledger_page page = {.limit = PAGE_ROWS, .is_oldest_first = true, .has_bodies = true, .has_all = true};
    while (!page.is_over && !e->has_failed) {
        if (!ledger_read_page(looking->ledger, looking->filter, &page, export_row, e, why)) return false;
    }
    return true;
}

static int run(struct looking *looking, enum export_format format, const char *path, bool is_json)
{
    struct fault why = {0}, unwritten = {0};
    struct export e;
    if (!export_open(&e, format, path, &why)) return looking_fail(CLI_USAGE, &why);
    signal(SIGPIPE, SIG_IGN);
    bool is_read = write_all(looking, &e, &why);
    if (!is_read) e.has_failed = true;
    bool is_written = export_close(&e, &unwritten);
    if (!is_read) return looking_fail(CLI_USAGE, &why);
    if (!is_written && e.error == EPIPE) return CLI_OK; /* who read it has had enough */
    if (!is_written) return looking_fail(CLI_USAGE, &unwritten);
    if (path && is_json) cli_print_json(json_pack("{s:s, s:I}", "file", path, "entries", (json_int_t)e.rows));
    if (path && !is_json) fprintf(stderr, "%" PRIu64 " entries in %s\n", e.rows, path);
    return CLI_OK;
}

static bool read_format(const char *text, enum export_format *format)
{
    *format = text && strcmp(text, "csv") == 0 ? EXPORT_CSV : EXPORT_JSONL;
    if (!text || *format == EXPORT_CSV || strcmp(text, "jsonl") == 0) return true;
    cli_usage_error(NULL, "--format takes jsonl or csv, not `%s`", text);
    return false;
}

int command_audit_export(int argc, char **argv)
{
    struct looking looking = {0};
    struct common_options common;
    const char *format_text = NULL, *path = NULL, *words[LIMIT_FILTER_TERMS];
    const struct option options[] = {LOOKING_OPTIONS(&looking),
                                     {"--format", OPTION_TEXT, &format_text},
                                     {"--output|-o", OPTION_TEXT, &path},
                                     {NULL, OPTION_FLAG, NULL}};
    enum export_format format;
    size_t count;
    if (!cli_options(argc, argv, options, &common, words, &count, LIMIT_FILTER_TERMS)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"audit", "export"});
    if (!read_format(format_text, &format)) return CLI_USAGE;
    if (!looking_open(&looking, common.config, words, count)) return looking.exit_code;
    int code = run(&looking, format, path, common.is_json);
    looking_close(&looking);
    return code;
}
