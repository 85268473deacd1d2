#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/git.h"
#include "lua/bundle.h"
#include "lua/configfile.h"
#include "server/config.h"
#include "server/config_reader.h"

struct side {
    struct bundle *bundle;
    json_t *egress; /* of moongate.lua: which services policies may call, with which data; NULL: not compared */
    char name[256]; /* how messages and the answer call it */
};

static bool read_side(struct side *side, const char *dir, const char *rev)
{
    struct fault why;
    snprintf(side->name, sizeof side->name, rev ? "%s at %s" : "%s", dir, rev);
    side->bundle = rev ? git_bundle(dir, rev, &why) : bundle_read(dir, &why);
    if (!side->bundle) cli_usage_error("`moongate help diff` says what it takes", "%s", fault_message(&why));
    return side->bundle != NULL;
}

/* The policy folder of the configuration; NULL after a message. Free it with mem_free. */
static char *configured_dir(const char *given)
{
    const char *path = config_path(given);
    if (access(path, R_OK) != 0) {
        cli_usage_error("name the folder: moongate diff --git HEAD policies", "%s: %s", path, strerror(errno));
        return NULL;
    }
    struct report *report = report_new();
    struct config *config = config_load_offline(path, report);
    if (!config) cli_print_report(stderr, report_json(report));
    char *dir = config ? mem_strdup(config->policies_dir.ptr) : NULL;
    config_free(config);
    report_free(report);
    return dir;
}

/* What moongate.lua says of services, without looking its secrets up; NULL when there is no such file or it is broken:
 * then `moongate check` is who says so. */
static json_t *egress_of(const struct buf *text)
{
    struct configfile_error error;
    json_t *tree = configfile_eval(buf_slice(text), &error);
    json_t *egress = tree ? json_incref(json_object_get(tree, "egress")) : NULL;
    if (tree && !egress) egress = json_object();
    json_decref(tree);
    return egress;
}

/* Policies and services belong together: what may leave is said in both. */
static void read_egress(struct side *old, struct side *new, const char *config, const char *rev)
{
    struct buf before, after;
    struct fault why;
    buf_init(&before);
    buf_init(&after);
    if (config_read_file(config, LIMIT_CONFIG_FILE_BYTES, &after) && git_file(config, rev, &before, &why)) {
        old->egress = egress_of(&before);
        new->egress = egress_of(&after);
    }
    buf_clear(&before);
    buf_clear(&after);
}

static bool read_both(struct side *old, struct side *new, const char *rev, const char **words, size_t count,
                      const char *config)
{
    if (!rev) return read_side(old, words[0], NULL) && read_side(new, words[1], NULL);
    char *dir = count ? mem_strdup(words[0]) : configured_dir(config);
    bool ok = dir && read_side(old, dir, rev) && read_side(new, dir, NULL);
    if (ok) read_egress(old, new, config_path(config), rev);
    mem_free(dir);
    return ok;
}

static void append_member(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    buf_append_json(out, slice_str(text));
}

static void append_egress(struct buf *out, const char *name, const json_t *egress)
{
    char *text = json_dumps(egress, JSON_COMPACT);
    buf_printf(out, ",\"%s\":%s", name, text);
    mem_free(text);
}

/* The old bundle tells what it says, the new one compares. */
static int compare(const struct side *old, const struct side *new, bool is_json, struct buf *answer)
{
    struct buf question;
    buf_init(&question);
    buf_append(&question, SLICE("{\"old\":"));
    int code = ask_bundle(old->bundle, old->name, "diff/snapshot", SLICE("{}"), &question);
    if (code == CLI_OK) {
        append_member(&question, "old_name", old->name);
        append_member(&question, "new_name", new->name);
        if (old->egress && new->egress) {
            append_egress(&question, "old_egress", old->egress);
            append_egress(&question, "new_egress", new->egress);
        }
        buf_printf(&question, ",\"json\":%s,\"colour\":%s}", is_json ? "true" : "false",
                   cli_is_coloured(stdout) ? "true" : "false");
        code = ask_bundle(new->bundle, new->name, "diff", buf_slice(&question), answer);
    }
    buf_clear(&question);
    return code;
}

int command_diff(int argc, char **argv)
{
    const char *rev = NULL, *words[2];
    size_t count;
    struct common_options common;
    struct side old = {0}, new = {0};
    const struct option options[] = {{"--git", OPTION_TEXT, &rev}, {NULL, OPTION_FLAG, NULL}};
    if (!cli_options(argc, argv, options, &common, words, &count, 2)) return CLI_USAGE;
    if (common.is_help) return command_help(1, (char *[]){"diff"});
    if (rev ? count > 1 : count != 2) {
        return cli_usage_error("moongate diff --git HEAD compares with a revision",
                               rev ? "--git compares one folder with itself" : "say which two policy folders");
    }
    struct buf answer;
    buf_init(&answer);
    int code = CLI_USAGE;
    if (read_both(&old, &new, rev, words, count, common.config)) {
        code = compare(&old, &new, common.is_json, &answer);
        cli_print_answer(buf_slice(&answer), common.is_json);
    }
    buf_clear(&answer);
    json_decref(old.egress);
    json_decref(new.egress);
    bundle_unref(old.bundle);
    bundle_unref(new.bundle);
    return code;
}
