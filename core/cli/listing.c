#include "cli/listing.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/limits.h"

#define LIMIT_DEFAULT 50

bool listing_open(struct listing *l, int argc, char **argv, char **command, int words)
{
    struct common_options common;
    const char *limit = NULL, *before = NULL, *conditions[LIMIT_FILTER_TERMS];
    const struct option options[] = {LOOKING_OPTIONS(&l->looking),
                                     {"--limit|-n", OPTION_TEXT, &limit},
                                     {"--before", OPTION_TEXT, &before},
                                     {NULL, OPTION_FLAG, NULL}};
    size_t count;
    l->exit_code = CLI_USAGE;
    l->page.limit = LIMIT_DEFAULT;
    if (!cli_options(argc, argv, options, &common, conditions, &count, LIMIT_FILTER_TERMS)) return false;
    if (common.is_help) l->exit_code = command_help(words, command);
    l->is_json = common.is_json;
    l->is_seen = isatty(STDOUT_FILENO) == 1;
    return !common.is_help && looking_read_count("--limit", limit, LIMIT_LEDGER_PAGE, &l->page.limit) &&
           looking_read_count("--before", before, INT64_MAX, &l->page.next) &&
           looking_open(&l->looking, common.config, conditions, count);
}

void listing_close(struct listing *l)
{
    looking_close(&l->looking);
}

void listing_mark(struct table *table, size_t column, const struct entry_cells *cells)
{
    if (cells->is_refused) table_mark(table, column, TABLE_YELLOW);
    if (cells->is_bad) table_mark(table, column, TABLE_RED);
}

static bool add_item(void *arg, const struct ledger_row *row)
{
    struct buf *out = arg;
    if (buf_ptr(out)[buf_len(out) - 1] != '[') buf_append_char(out, ',');
    entry_append_json(out, row);
    return true;
}

bool listing_append_json(struct listing *l, struct buf *out, struct fault *why)
{
    buf_append(out, SLICE("{\"items\":["));
    if (!ledger_read_page(l->looking.ledger, l->looking.filter, &l->page, add_item, out, why)) return false;
    buf_append(out, SLICE("],\"next\":"));
    if (l->page.is_over)
        buf_append(out, SLICE("null"));
    else
        buf_printf(out, "\"%" PRIu64 "\"", l->page.next);
    return true;
}
