#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/input.h"
#include "base/mem.h"
#include "cli/folder.h"
#include "cli/reviews_inner.h"
#include "store/registry/review_evidence.h"

/* ---- Shown. */

/* As it is: CSV's lines end with CR LF, and nothing in either form is what a terminal would obey. */
static void put(struct slice bytes)
{
    fflush(stdout);
    while (bytes.len) {
        ssize_t n = write(STDOUT_FILENO, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR) return;
        if (n > 0) bytes = slice_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
}

static void print_as(const char *form, const json_t *document)
{
    struct buf out;
    buf_init(&out);
    if (strcmp(form, "csv") == 0) review_evidence_csv(document, &out);
    else review_evidence_markdown(document, &out);
    put(buf_slice(&out));
    buf_clear(&out);
}

int command_reviews_evidence(int argc, char **argv)
{
    int code;
    static const char *form;
    const struct option options[] = {{"--as", OPTION_TEXT, &form}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    struct governed g;
    const char *id;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &id, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"reviews", "evidence"});
    if (count != 1) return cli_usage_error("`moongate reviews list` shows them", "the id of a review");
    bool is_json = common.is_json || !form || strcmp(form, "json") == 0;
    if (!is_json && strcmp(form, "csv") != 0 && strcmp(form, "md") != 0)
        return cli_usage_error("--as json, --as csv, --as md", "--as: `%s` is no form of it", form);
    if (!reviews_ask(&common, "GET", "/reviews/%s/evidence.json", id, NULL, &g, &code)) return code;
    if (is_json) cli_print_json(json_incref(g.body));
    else print_as(form, g.body);
    governing_end(&g);
    return CLI_OK;
}

/* ---- Checked, without anything of the gateway's but its public keys. */

static int say(const struct review_verified *v, bool is_trusted, bool is_json)
{
    char when[CLOCK_TEXT_BYTES];
    clock_format((uint64_t)v->completed_at * NS_PER_S, when);
    if (is_json) {
        cli_print_json(json_pack("{s:b, s:s, s:s, s:s, s:b, s:I, s:s}", "ok", true, "review", v->review, "sha256",
                                 v->sha256, "key", v->key, "trusted", is_trusted, "items", (json_int_t)v->items,
                                 "completed_at", when));
    } else {
        printf("ok  %s, completed %s, %" PRId64 " items\n    SHA-256 %s\n    signed with %s%s\n", v->review, when,
               v->items, v->sha256, v->key, is_trusted ? "" : ", which nobody here says is the gateway's (--key)");
    }
    return CLI_OK;
}

static bool read_file(const char *path, struct buf *text, struct fault *why)
{
    struct input in;
    bool is_read = input_open(&in, path, why) && input_all(&in, LIMIT_REVIEW_EVIDENCE_BYTES, text, why);
    input_close(&in);
    return is_read;
}

static int verify(const char *file, const char *keys, bool is_json)
{
    struct buf text;
    struct fault why = {0};
    struct anchor_trust trust = {.count = 0};
    struct review_verified v;
    buf_init(&text);
    if (keys && !anchor_trust_read(&trust, keys, &why)) return cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    int code = CLI_USAGE;
    if (!read_file(file, &text, &why))
        cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    else if (review_evidence_verify(buf_slice(&text), keys ? &trust : NULL, &v, &why))
        code = say(&v, keys != NULL, is_json);
    else {
        if (is_json) cli_print_json(json_pack("{s:b, s:s}", "ok", false, "error", fault_message(&why)));
        code = cli_error(CLI_FOUND, NULL, "%s: %s", file, fault_message(&why));
    }
    buf_clear(&text);
    return code;
}

int command_reviews_verify(int argc, char **argv)
{
    static const char *keys;
    const struct option options[] = {{"--key", OPTION_TEXT, &keys}, {NULL, OPTION_FLAG, NULL}};
    struct common_options common;
    const char *file;
    size_t count;
    if (!cli_options(argc, argv, options, &common, &file, &count, 1)) return CLI_USAGE;
    if (common.is_help) return command_help(2, (char *[]){"reviews", "verify"});
    if (count != 1) return cli_usage_error("moongate reviews verify evidence.json --key anchor.pub", "say which file");
    return verify(file, keys, common.is_json);
}
