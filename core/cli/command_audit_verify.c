#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/input.h"
#include "base/mem.h"
#include "cli/amounts.h"
#include "cli/looking.h"
#include "cli/noting.h"
#include "cli/terminal.h"
#include "server/config.h"
#include "store/verify/verify.h"

#define PROGRESS_NS NS_PER_S

struct verification {
    bool is_json;
    json_t *findings;
    uint64_t told_ns;
};

/* On a terminal: how far it has come, once a second. */
static void print_progress(void *arg, uint64_t done, uint64_t of)
{
    struct verification *v = arg;
    char line[128], done_text[AMOUNT_BYTES], of_text[AMOUNT_BYTES];
    uint64_t now = clock_mono_ns();
    if (now - v->told_ns < PROGRESS_NS) return;
    v->told_ns = now;
    snprintf(line, sizeof line, "%s%s%s entries", amount_count((int64_t)done, done_text), of ? " of " : "",
             of ? amount_count((int64_t)of, of_text) : "");
    terminal_progress(line);
}

static void tell(void *arg, const struct verify_finding *f)
{
    struct verification *v = arg;
    const char *red = cli_is_coloured(stdout) ? (f->state == VERIFY_TAMPERED ? "\033[1;31m" : "\033[1;33m") : "";
    terminal_progress("");
    if (v->is_json) {
        json_array_append_new(v->findings, json_pack("{s:s, s:s, s:I, s:s, s:s}", "state", verify_state_name(f->state),
                                                     "finding", f->word, "seq", (json_int_t)f->seq, "text", f->text,
                                                     "meaning", f->meaning));
        return;
    }
    printf("%s%s%s", red, f->word, *red ? "\033[0m" : "");
    if (f->seq) printf(" at entry %" PRIu64, f->seq);
    printf(": %s\n  %s\n", f->text, f->meaning);
}

/* ---- What it came to. */

static void print_anchors(const struct verify_result *r)
{
    char count[AMOUNT_BYTES], when[CLOCK_TEXT_BYTES] = "";
    uint64_t behind = r->last_seq - r->anchored_seq;
    if (r->anchored_us) clock_format(r->anchored_us * 1000, when);
    if (r->anchored_seq) printf("    signed up to entry %" PRIu64 " at %s, key %.16s…", r->anchored_seq, when, r->key);
    if (r->anchored_seq && behind) printf("; %s after it not yet", amount_count((int64_t)behind, count));
    if (r->anchored_seq) fputc('\n', stdout);
    if (r->witnessed) printf("    a witness has seen it up to entry %" PRIu64 "\n", r->witnessed_seq);
    if (r->lost) printf("    %s records could not be kept: the chain says so\n", amount_count((int64_t)r->lost, count));
    if (r->texts_erased) printf("    %s texts are erased\n", amount_count((int64_t)r->texts_erased, count));
}

static void print_result(const struct verify_result *r)
{
    static const char *const words[] = {"ok", "incomplete", "tampered"};
    static const char *const colours[] = {"\033[32m", "\033[1;33m", "\033[1;31m"};
    char hash[2 * CHAIN_HASH_BYTES + 1], entries[AMOUNT_BYTES];
    bool is_coloured = cli_is_coloured(stdout);
    hex_write(r->hash, CHAIN_HASH_BYTES, hash);
    printf("%s%s%s  %s %s", is_coloured ? colours[r->state] : "", words[r->state], is_coloured ? "\033[0m" : "",
           amount_count((int64_t)r->entries, entries), r->entries == 1 ? "entry" : "entries");
    if (r->entries) printf("  %" PRIu64 " … %" PRIu64 "  head %.16s…", r->first_seq, r->last_seq, hash);
    fputc('\n', stdout);
    print_anchors(r);
}

static void print_json(struct verification *v, const struct verify_result *r)
{
    char hash[2 * CHAIN_HASH_BYTES + 1];
    hex_write(r->hash, CHAIN_HASH_BYTES, hash);
    json_t *all = json_pack("{s:s, s:b, s:I, s:I, s:I, s:s, s:s, s:s}", "state", verify_state_name(r->state), "ok",
                            r->state == VERIFY_INTACT, "entries", (json_int_t)r->entries, "first_seq",
                            (json_int_t)r->first_seq, "last_seq", (json_int_t)r->last_seq, "head", hash, "gateway",
                            r->gateway, "key", r->key);
    json_object_update_new(all, json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "anchors", (json_int_t)r->anchors,
                                          "anchored_seq", (json_int_t)r->anchored_seq, "witnessed_seq",
                                          (json_int_t)r->witnessed_seq, "lost", (json_int_t)r->lost, "texts",
                                          (json_int_t)r->texts, "texts_erased", (json_int_t)r->texts_erased,
                                          "finding_count", (json_int_t)r->findings));
    json_object_set(all, "findings", v->findings);
    cli_print_json(all);
}

/* ---- The command. */

/* A ledger's or a backup's first bytes; an export begins with a brace. False: it is no file, or cannot be read. */
static bool look_at(const char *path, bool *is_database, struct fault *why)
{
    static const char magic[] = "SQLite format 3";
    char first[sizeof magic];
    struct input in;
    if (!input_is_file(path, why)) return false;
    bool is_open = input_open(&in, path, why);
    *is_database = is_open && read(in.fd, first, sizeof first) == (ssize_t)sizeof first &&
                   memcmp(first, magic, sizeof magic) == 0;
    input_close(&in);
    return is_open;
}

/* Of this gateway's own ledger, all of it: what the checklist goes by. */
static void note(const struct verify_options *o, const struct verify_result *r)
{
    if (o->file || o->is_quick) return;
    noting(o->data_dir, "audit.verify", "ledger",
           json_pack("{s:s, s:I, s:I, s:I}", "state", verify_state_name(r->state), "entries", (json_int_t)r->entries,
                     "last_seq", (json_int_t)r->last_seq, "anchored_seq", (json_int_t)r->anchored_seq));
}

static int run(struct verify_options *o, struct verification *v)
{
    struct verify_result r = {0};
    struct fault why = {0};
    o->on_finding = tell;
    o->on_progress = isatty(STDERR_FILENO) == 1 ? print_progress : NULL;
    o->arg = v;
    v->findings = json_array();
    v->told_ns = clock_mono_ns();
    bool ok = verify_ledger(o, &r, &why);
    terminal_progress("");
    if (ok && v->is_json) print_json(v, &r);
    if (ok && !v->is_json) print_result(&r);
    json_decref(v->findings);
    if (ok) note(o, &r);
    if (!ok) return cli_fault(&why, NULL);
    return r.state == VERIFY_INTACT ? CLI_OK : CLI_FOUND;
}

int command_audit_verify(int argc, char **argv)
{
    static struct verify_options o;
    struct verification v = {0};
    struct common_options common;
    struct fault why;
    const struct option options[] = {{"--key", OPTION_TEXT, &o.key_file},
                                     {"--witness", OPTION_TEXT, &o.witness_file},
                                     {"--quick", OPTION_FLAG, &o.is_quick},
                                     {NULL, OPTION_FLAG, NULL}};
    size_t count;
    if (!cli_options(argc, argv, options, &common, &o.file, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"audit", "verify"});
    bool is_database = true;
    if (count && !look_at(o.file, &is_database, &why)) return cli_fault(&why, NULL);
    bool is_export = !is_database;
    if (is_export && !o.key_file)
        return cli_usage_error("--key anchor.pub: the gateway's public key, as you have kept it",
                               "an export is verified with a key");
    char *data_dir = is_export ? NULL : config_data_dir(config_path(common.config));
    o.data_dir = data_dir;
    v.is_json = common.is_json;
    int code = run(&o, &v);
    mem_free(data_dir);
    return code;
}
