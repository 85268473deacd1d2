#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cli/entry.h"
#include "cli/looking.h"
#include "cli/table.h"

#define LINES_DEFAULT 10
#define NEWS_MS 200  /* between two looks at the file's version, which reads nothing from the disk */
#define PAGE_ROWS 1000
#define INTERRUPTED 130

struct tail {
    struct looking looking;
    bool is_json, follows;
    uint64_t lines, seq; /* seq: of the last entry that was shown or passed over */
    struct buf text;     /* lines of the page under way … */
    struct buf *backwards; /* … or at first each by itself: they come newest first */
    size_t count;
};

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    is_interrupted = 1;
}

/* ---- A line: fixed widths on a terminal, since nobody knows the next rows; tabs into a pipe. */

#define WIDE 110u /* of a terminal that has room for what requests cost, and more of who and what */

static void append_aligned(struct buf *out, struct arena *arena, const char *text, size_t width)
{
    char cut[256];
    const char *cell = table_cut(table_cell(arena, text), width, cut, sizeof cut);
    buf_append(out, slice_str(cell));
    for (size_t n = table_width(cell); n < width + 2; n++)
        buf_append_char(out, ' ');
}

/* The reason may go on in the next line. */
static void append_seen(struct buf *out, struct arena *arena, const struct entry_cells *c)
{
    bool is_wide = table_terminal_width() >= WIDE;
    append_aligned(out, arena, c->when, 9);
    append_aligned(out, arena, *c->id ? c->id : c->kind, 22);
    append_aligned(out, arena, c->who, is_wide ? 16 : 10);
    append_aligned(out, arena, c->what, is_wide ? 24 : 18);
    append_aligned(out, arena, c->result, 10);
    if (is_wide) append_aligned(out, arena, c->usd, 10);
    if (*c->detail) buf_append(out, slice_str(table_cell(arena, c->detail)));
}

static void append_cell(struct buf *out, struct arena *arena, const char *text)
{
    buf_append(out, slice_str(table_cell(arena, text)));
    buf_append_char(out, '\t');
}

static void append_whole(struct buf *out, struct arena *arena, const struct entry_cells *c, const char *name)
{
    append_cell(out, arena, c->time);
    append_cell(out, arena, name);
    append_cell(out, arena, c->who);
    append_cell(out, arena, c->what);
    append_cell(out, arena, c->result);
    append_cell(out, arena, c->usd);
    append_cell(out, arena, c->took);
    if (*c->detail) buf_append(out, slice_str(table_cell(arena, c->detail)));
}

static void append_line(struct buf *out, const struct ledger_row *row)
{
    struct entry_cells c;
    struct arena arena;
    arena_init(&arena);
    entry_read(&c, &arena, row);
    if (isatty(STDOUT_FILENO) == 1)
        append_seen(out, &arena, &c);
    else
        append_whole(out, &arena, &c, row->is_request ? row->id : c.kind);
    arena_clear(&arena);
}

static bool add_line(void *arg, const struct ledger_row *row)
{
    struct tail *t = arg;
    struct buf line;
    buf_init(&line);
    if (t->is_json) {
        entry_append_json(&line, row);
    } else {
        append_line(&line, row);
    }
    buf_append_char(&line, '\n');
    if (t->backwards) {
        t->backwards[t->count++] = line;
        return true;
    }
    buf_append(&t->text, buf_slice(&line));
    buf_clear(&line);
    return true;
}

/* ---- What is there, then what comes. */

/* False: nobody reads any more. */
static bool print_text(struct slice text)
{
    fwrite(text.ptr, 1, text.len, stdout);
    return fflush(stdout) == 0 && !ferror(stdout);
}

static bool print_last(struct tail *t, struct fault *why)
{
    uint64_t oldest;
    if (!ledger_read_ends(t->looking.ledger, &oldest, &t->seq, why)) return false;
    struct ledger_page page = {.limit = t->lines, .has_bodies = true, .next = t->seq + 1};
    t->backwards = mem_zalloc(t->lines, sizeof *t->backwards);
    bool ok = ledger_read_page(t->looking.ledger, t->looking.filter, &page, add_line, t, why);
    for (size_t i = t->count; i-- > 0;) {
        if (ok) print_text(buf_slice(&t->backwards[i]));
        buf_clear(&t->backwards[i]);
    }
    mem_free(t->backwards);
    t->backwards = NULL;
    return ok;
}

/* All up to the head that there was before: entries that do not fit are not looked at again. */
static bool read_news(struct tail *t, struct fault *why)
{
    uint64_t oldest, head;
    bool is_over = false;
    if (!ledger_read_ends(t->looking.ledger, &oldest, &head, why)) return false;
    while (!is_over && !is_interrupted) {
        struct ledger_page page = {.limit = PAGE_ROWS, .has_bodies = true, .is_oldest_first = true, .next = t->seq};
        buf_reset(&t->text);
        if (!ledger_read_page(t->looking.ledger, t->looking.filter, &page, add_line, t, why)) return false;
        if (!print_text(buf_slice(&t->text))) return true;
        is_over = page.is_over;
        t->seq = is_over && page.next < head ? head : page.next;
    }
    return true;
}

/* A backup was put in its place: what comes from now on is followed there. */
static bool open_anew(struct tail *t, struct fault *why)
{
    uint64_t oldest;
    struct ledger_read *ledger = ledger_read_open(t->looking.data_dir, why);
    if (!ledger) return false;
    ledger_read_close(t->looking.ledger);
    t->looking.ledger = ledger;
    fprintf(stderr, "%s was replaced: going on with its end\n", ledger_read_path(ledger));
    return ledger_read_ends(ledger, &oldest, &t->seq, why);
}

/* Waits; false: nobody reads any more. */
static bool is_still_read(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    poll(&out, 1, NEWS_MS);
    return !(out.revents & (POLLERR | POLLHUP | POLLNVAL));
}

static bool follow(struct tail *t, struct fault *why)
{
    do {
        if (ledger_read_is_replaced(t->looking.ledger) && !open_anew(t, why)) return false;
        if (ledger_read_has_news(t->looking.ledger) && !read_news(t, why)) return false;
    } while (!is_interrupted && !ferror(stdout) && is_still_read() && !is_interrupted);
    return true;
}

static int run(struct tail *t)
{
    struct fault why = {0};
    struct sigaction interrupt = {.sa_handler = on_interrupt};
    if (t->follows) sigaction(SIGINT, &interrupt, NULL);
    signal(SIGPIPE, SIG_IGN);
    buf_init(&t->text);
    bool ok = print_last(t, &why);
    fflush(stdout);
    ok = ok && (!t->follows || follow(t, &why));
    buf_clear(&t->text);
    if (!ok) return cli_fault(&why, NULL);
    return is_interrupted ? INTERRUPTED : CLI_OK;
}

int command_audit_tail(int argc, char **argv)
{
    struct tail t = {.lines = LINES_DEFAULT};
    struct common_options common;
    const char *lines = NULL, *words[LIMIT_FILTER_TERMS];
    const struct option options[] = {LOOKING_OPTIONS(&t.looking),
                                     {"--lines|-n", OPTION_TEXT, &lines},
                                     {"--follow|-f", OPTION_FLAG, &t.follows},
                                     {NULL, OPTION_FLAG, NULL}};
    size_t count;
    if (!cli_options(argc, argv, options, &common, words, &count, LIMIT_FILTER_TERMS)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"audit", "tail"});
    if (!looking_read_count("--lines", lines, LIMIT_LEDGER_PAGE, &t.lines)) return CLI_USAGE;
    t.is_json = common.is_json;
    if (!looking_open(&t.looking, common.config, words, count)) return CLI_USAGE;
    int code = run(&t);
    looking_close(&t.looking);
    return code;
}
