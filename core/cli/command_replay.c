#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/given.h"
#include "cli/looking.h"
#include "cli/replayed.h"
#include "cli/terminal.h"
#include "server/config.h"
#include "wire/json.h"

#define PAGE_RECORDS 500u
#define PROGRESS_MS 100u

/* One run through records, wherever they come from. */
struct run {
    struct replay *replay;
    struct replayed *sums;
    uint64_t began_ns, shown_ns;
    uint64_t total; /* records; 0: not known */
    bool has_progress;
};

/* On terminals alone; a bar where it is known how many there are. */
static void show_progress(struct run *run)
{
    char bar[31] = "", line[128];
    uint64_t now = clock_mono_ns(), done = replayed_count(run->sums);
    if (!run->has_progress || now - run->shown_ns < PROGRESS_MS * NS_PER_MS) return;
    run->shown_ns = now;
    double seconds = (double)(now - run->began_ns) / NS_PER_S;
    for (size_t i = 0; run->total && i < 30; i++)
        bar[i] = i < done * 30 / run->total ? '#' : '.';
    if (run->total)
        snprintf(line, sizeof line, "replay  [%s] %" PRIu64 "/%" PRIu64 "  %.1f k/s", bar, done, run->total,
                 (double)done / seconds / 1000);
    else
        snprintf(line, sizeof line, "replay  %" PRIu64 "  %.1f k/s", done, (double)done / seconds / 1000);
    terminal_progress(line);
}

static void take(struct run *run, struct slice record)
{
    struct replay_report report;
    enum replay_outcome outcome = replay_run(run->replay, record, &report);
    replayed_add(run->sums, record, outcome, &report);
    show_progress(run);
}

/* ---- The ledger. */

static bool on_row(void *arg, const struct ledger_row *row)
{
    struct run *run = arg;
    if (row->kind == CHAIN_EXCHANGE && row->body.len) take(run, row->body);
    return true;
}

static bool read_ledger(struct run *run, struct looking *looking)
{
    struct fault why = {0};
    struct ledger_total total;
    struct ledger_page page = {.limit = PAGE_RECORDS, .has_bodies = true, .is_oldest_first = true};
    bool ok = ledger_read_totals(looking->ledger, looking->filter, &total, &why);
    if (ok) run->total = (uint64_t)total.requests;
    while (ok && !page.is_over)
        ok = ledger_read_page(looking->ledger, looking->filter, &page, on_row, run, &why);
    if (!ok) cli_fault(&why, NULL);
    return ok;
}

/* ---- A file of JSON lines: records, or what `moongate audit export` writes, where a record is the member "body". */

static bool take_line(struct run *run, struct json_tape *tape, struct slice line)
{
    struct fault why;
    struct arena arena;
    if (!json_parse(tape, line, &why) || !json_is(tape, 0, JSON_OBJECT)) return false;
    uint32_t body = json_get(tape, 0, SLICE("body")), kind = json_get(tape, 0, SLICE("kind"));
    if (json_is(tape, body, JSON_STRING)) {
        if (kind != JSON_NONE && !json_text_is(tape, kind, SLICE("exchange"))) return true;
        arena_init(&arena);
        take(run, json_text(tape, body, &arena));
        arena_clear(&arena);
    } else if (json_get(tape, 0, SLICE("outcome")) != JSON_NONE) {
        take(run, line);
    }
    return true;
}

/* False after a message. */
static bool read_lines(struct run *run, struct input *in)
{
    struct slice line;
    struct fault why;
    struct json_tape tape;
    enum input_got got;
    bool is_record = true;
    json_init(&tape);
    while (is_record && (got = input_line(in, LIMIT_VERIFY_LINE_BYTES, &line, &why)) == INPUT_LINE) {
        line = slice_trim(line);
        is_record = !line.len || take_line(run, &tape, line);
    }
    json_clear(&tape);
    if (!is_record)
        cli_usage_error("a line is one record, or one entry of `moongate audit export`", "%s:%zu: not a JSON object",
                        in->name, in->line);
    else if (got == INPUT_FAILED)
        cli_fault(&why, NULL);
    return is_record && got == INPUT_END;
}

/* ---- The command. */

/* A condition never ends so. */
static bool is_file(const char *word)
{
    size_t len = strlen(word);
    return strcmp(word, "-") == 0 || (len > 6 && strcmp(word + len - 6, ".jsonl") == 0);
}

/* Of a file, or of what was opened of the ledger. */
static int replay_all(const struct ask_loaded *loaded, struct looking *looking, struct input *file, int only,
                      bool is_json)
{
    struct run run = {.began_ns = clock_mono_ns(), .has_progress = isatty(STDERR_FILENO) == 1};
    run.shown_ns = run.began_ns;
    run.replay = replay_new(loaded->set, loaded->config ? loaded->config->settings : NULL);
    run.sums = replayed_new(only, is_json);
    bool ok = file ? read_lines(&run, file) : read_ledger(&run, looking);
    terminal_progress("");
    double seconds = (double)(clock_mono_ns() - run.began_ns) / NS_PER_S;
    int code = replayed_close(run.sums, seconds, ok);
    replay_free(run.replay);
    return ok ? code : CLI_USAGE;
}

static int with_policies(const struct ask *ask, struct looking *looking, struct input *file, int only, bool is_json)
{
    struct ask_loaded loaded;
    if (!ask_load(ask, &loaded)) return CLI_USAGE;
    int code = replay_all(&loaded, looking, file, only, is_json);
    ask_unload(&loaded);
    return code;
}

static int replay_file(const struct ask *ask, const char *path, int only, bool is_json)
{
    struct input in;
    if (!given_open(&in, path, "a file of records, or conditions such as department:sales")) return CLI_USAGE;
    int code = with_policies(ask, NULL, &in, only, is_json);
    input_close(&in);
    return code;
}

#define WORDS_MAX 64

int command_replay(int argc, char **argv)
{
    struct looking looking = {0};
    struct common_options common;
    const char *policies_dir = NULL, *only = NULL, *words[WORDS_MAX], *file = NULL;
    size_t count;
    const struct option options[] = {LOOKING_OPTIONS(&looking),
                                     {"--policies", OPTION_TEXT, &policies_dir},
                                     {"--only", OPTION_TEXT, &only},
                                     {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, words, &count, WORDS_MAX)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"replay"});
    int kind = only ? replayed_kind(only) : REPLAYED_ALL;
    if (kind < REPLAYED_ALL) return cli_usage_error(replayed_kinds(), "--only %s: no such kind", only);
    if (count && is_file(words[0])) file = words[0];
    if (file && (count > 1 || looking.where.count || looking.since || looking.until))
        return cli_usage_error("the ledger takes conditions", "%s is read as a whole", file);
    struct ask ask = {.config = common.config, .policies_dir = policies_dir};
    if (file) return replay_file(&ask, file, kind, common.is_json);
    if (!looking_open(&looking, common.config, words, count)) return CLI_USAGE;
    int code = with_policies(&ask, &looking, NULL, kind, common.is_json);
    looking_close(&looking);
    return code;
}
