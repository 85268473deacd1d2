#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "cli/export.h"
#include "cli/looking.h"
#include "store/anchor/anchor.h"

#define PAGE_ROWS 1000 /* of one reading: the writer can tidy up between two */
#define INTERRUPTED 130

/* What somebody breaks off would look like an export of less. */
static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    is_interrupted = 1;
}

/* Signed heads stand between the entries of a whole export, each behind its own. */
struct writing {
    struct looking *looking;
    struct export *to;
    struct anchor_trust trust;
    struct anchor next; /* seq 0: there is none */
    char gateway[LEDGER_GATEWAY_BYTES];
    struct fault why;
    bool is_whole, has_failed;
};

/* What the first entry goes on from, when others were deleted for their age. Read with it, of the same moment. */
static bool write_base(struct writing *w, uint64_t first)
{
    uint8_t hash[CHAIN_HASH_BYTES];
    char hex[2 * CHAIN_HASH_BYTES + 1];
    uint64_t cut;
    struct buf line;
    if (!w->is_whole || w->to->rows) return true;
    w->has_failed = !ledger_read_cut(w->looking->ledger, &cut, hash, &w->why);
    if (w->has_failed || !cut || cut + 1 != first) return !w->has_failed;
    buf_init(&line);
    hex_write(hash, sizeof hash, hex);
    buf_printf(&line, "{\"seq\":%" PRIu64 ",\"hash\":\"%s\"}", cut, hex);
    bool ok = export_line(w->to, buf_slice(&line));
    buf_clear(&line);
    return ok;
}

/* False: it could not be written, or read: has_failed. */
static bool write_anchor(struct writing *w)
{
    struct buf line;
    w->next.gateway = slice_str(w->gateway); /* is signed too */
    const struct anchor_public *signer = anchor_signer(&w->trust, &w->next);
    buf_init(&line);
    if (signer) anchor_write(&w->next, signer, &line);
    bool ok = !signer || export_line(w->to, buf_slice(&line));
    buf_clear(&line);
    w->has_failed = !ledger_read_anchor(w->looking->ledger, w->next.seq, &w->next, &w->why);
    return ok && !w->has_failed;
}

static bool write_row(void *arg, const struct ledger_row *row)
{
    struct writing *w = arg;
    if (is_interrupted || !write_base(w, row->seq)) return false;
    while (w->next.seq && w->next.seq < row->seq)
        if (!write_anchor(w)) return false;
    return export_row(w->to, row);
}

static bool begin_anchors(struct writing *w)
{
    struct fault ignored;
    char path[1024];
    w->is_whole = w->to->format == EXPORT_JSONL && ledger_filter_is_empty(w->looking->filter);
    snprintf(path, sizeof path, "%s/" ANCHOR_PUBLIC_FILE, w->looking->data_dir);
    if (!w->is_whole || !anchor_trust_read(&w->trust, path, &ignored)) return true;
    return ledger_read_gateway(w->looking->ledger, w->gateway, &w->why) &&
           ledger_read_anchor(w->looking->ledger, 0, &w->next, &w->why);
}

static bool write_all(struct looking *looking, struct export *e, struct fault *why)
{
    struct ledger_page page = {.limit = PAGE_ROWS, .is_oldest_first = true, .has_bodies = true, .has_all = true};
    struct writing w = {.looking = looking, .to = e};
    bool ok = begin_anchors(&w);
    while (ok && !page.is_over && !e->has_failed && !w.has_failed && !is_interrupted)
        ok = ledger_read_page(looking->ledger, looking->filter, &page, write_row, &w, &w.why);
    while (ok && !e->has_failed && !is_interrupted && w.next.seq && w.next.seq <= page.next)
        ok = write_anchor(&w);
    *why = w.why;
    return !w.has_failed && (ok || e->has_failed); /* what could not be written is told at the end */
}

/* What is ignored, by nohup for one, stays so. */
static void catch_signals(bool is_file)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction was, interrupt = {.sa_handler = on_interrupt};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; is_file && i < sizeof ends / sizeof ends[0]; i++)
        if (sigaction(ends[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN) sigaction(ends[i], &interrupt, NULL);
}

static int run(struct looking *looking, enum export_format format, const char *path, bool is_json)
{
    struct fault why = {0}, unwritten = {0};
    struct export e;
    if (!export_open(&e, format, path, &why)) return cli_fault(&why, NULL);
    catch_signals(path != NULL);
    bool is_read = write_all(looking, &e, &why);
    if (!is_read || is_interrupted) e.has_failed = true;
    bool is_written = export_close(&e, &unwritten);
    if (!is_read) return cli_fault(&why, NULL);
    if (is_interrupted) return cli_error(INTERRUPTED, NULL, "interrupted: %s was removed again", path);
    if (!is_written && e.error == EPIPE) return CLI_OK; /* who read it has had enough */
    if (!is_written) return cli_fault(&unwritten, NULL);
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
    if (!looking_open(&looking, common.config, words, count)) return CLI_USAGE;
    int code = run(&looking, format, path, common.is_json);
    looking_close(&looking);
    return code;
}
