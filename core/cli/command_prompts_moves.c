/* From one state to the next: submit, withdraw, approve, reject, revoke, rollback, and what labels point at. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/prompts_inner.h"

#define USAGE "say which: NAME, or NAME@VERSION"

typedef enum registry_found (*move_fn)(struct registry *r, const struct prompt_at *at, const struct change_by *by,
                                       struct fault *why);

static int move(int argc, char **argv, const char *name, const char *from, move_fn fn, const char *done)
{
    struct prompts_work w;
    struct prompt_at at;
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = name, .least = 1, .most = 1, .usage = USAGE}))
        return w.code;
    if (!prompts_read_at(&w, w.words[0], &at)) return prompts_end(&w, CLI_USAGE, false);
    if (!prompts_choose(&w, &at, from)) return prompts_end(&w, w.code, false);
    int code = prompts_tell(&w, fn(w.registry, &at, &w.by, &w.why), &at, done);
    return prompts_end(&w, code, code == CLI_OK);
}

int command_prompts_submit(int argc, char **argv)
{
    return move(argc, argv, "submit", "draft", registry_prompt_submit, "submitted");
}

int command_prompts_withdraw(int argc, char **argv)
{
    return move(argc, argv, "withdraw", "review", registry_prompt_withdraw, "withdrawn");
}

/* ---- Verdicts. */

/* "10%" or thousandths. */
static bool read_share(const char *text, uint32_t *share)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    bool is_percent = strcmp(end, "%") == 0;
    *share = (uint32_t)(is_percent ? number * 10 : number);
    if (end != text && (is_percent || !*end) && number > 0 && *share <= 1000) return true;
    cli_usage_error("write 10%, or thousandths: 100", "`%s` is no share", text);
    return false;
}

int command_prompts_approve(int argc, char **argv)
{
    static const char *share, *sha256, *comment, *despite, *role;
    static bool is_kept_back;
    const struct option own[] = {{"--share", OPTION_TEXT, &share}, {"--sha256", OPTION_TEXT, &sha256},
                                 {"--comment", OPTION_TEXT, &comment}, {"--no-deploy", OPTION_FLAG, &is_kept_back},
                                 {"--despite-tests", OPTION_TEXT, &despite}, {"--role", OPTION_TEXT, &role},
                                 {NULL, OPTION_FLAG, NULL}};
    struct prompts_work w;
    struct prompt_judged judged = {.missing = ""};
    struct prompt_verdict v = {0};
    if (!prompts_begin(&w, argc, argv,
                       &(struct prompts_way){.name = "approve", .own = own, .decides = true, .least = 1, .most = 1,
                                             .usage = USAGE}))
        return w.code;
    if (!prompts_read_at(&w, w.words[0], &v.at) || (share && !read_share(share, &v.share)))
        return prompts_end(&w, CLI_USAGE, false);
    if (!prompts_choose(&w, &v.at, "review")) return prompts_end(&w, w.code, false);
    v.sha256 = slice_str(sha256);
    v.comment = slice_str(comment);
    v.is_kept_back = is_kept_back;
    v.despite = slice_str(despite);
    v.role = slice_str(role);
    v.judged = &judged;
    enum registry_found found = registry_prompt_approve(w.registry, &v, &w.by, &w.why);
    int code = prompts_tell(&w, found, &v.at, judged.missing[0] ? "looked at" : "approved");
    if (found == REGISTRY_FOUND && judged.missing[0] && !w.common.is_json)
        printf("it waits for another person, of the role %s\n", judged.missing);
    return prompts_end(&w, code, code == CLI_OK);
}

int command_prompts_reject(int argc, char **argv)
{
    static const char *comment;
    static bool is_changes;
    const struct option own[] = {{"--comment", OPTION_TEXT, &comment}, {"--changes", OPTION_FLAG, &is_changes},
                                 {NULL, OPTION_FLAG, NULL}};
    struct prompts_work w;
    struct prompt_verdict v = {0};
    if (!prompts_begin(&w, argc, argv,
                       &(struct prompts_way){.name = "reject", .own = own, .decides = true, .least = 1, .most = 1,
                                             .usage = USAGE}))
        return w.code;
    if (!prompts_read_at(&w, w.words[0], &v.at)) return prompts_end(&w, CLI_USAGE, false);
    if (!prompts_choose(&w, &v.at, "review")) return prompts_end(&w, w.code, false);
    v.comment = slice_str(comment);
    enum registry_found found = is_changes ? registry_prompt_ask_changes(w.registry, &v, &w.by, &w.why)
                                           : registry_prompt_reject(w.registry, &v, &w.by, &w.why);
    int code = prompts_tell(&w, found, &v.at, is_changes ? "given back" : "rejected");
    return prompts_end(&w, code, code == CLI_OK);
}

/* ---- What answers. */

int command_prompts_rollback(int argc, char **argv)
{
    static const char *reason;
    const struct option own[] = {{"--reason", OPTION_TEXT, &reason}, {NULL, OPTION_FLAG, NULL}};
    struct prompts_work w;
    struct prompt_at at;
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = "rollback", .own = own, .decides = true,
                                                             .least = 1, .most = 2,
                                                             .usage = USAGE, .reason = &reason}))
        return w.code;
    bool is_read = prompts_read_at(&w, w.words[0], &at) &&
                   (w.word_count < 2 || prompts_read_version(w.words[1], &at.version));
    if (!is_read) return prompts_end(&w, CLI_USAGE, false);
    enum registry_found found = registry_prompt_rollback(w.registry, &at, &w.by, &at.version, &w.why);
    int code = prompts_tell(&w, found, &at, "production is");
    return prompts_end(&w, code, code == CLI_OK);
}

int command_prompts_revoke(int argc, char **argv)
{
    static const char *reason, *to;
    const struct option own[] = {{"--reason", OPTION_TEXT, &reason}, {"--to", OPTION_TEXT, &to},
                                 {NULL, OPTION_FLAG, NULL}};
    struct prompts_work w;
    struct prompt_at at;
    struct semver other = {0};
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = "revoke", .own = own, .decides = true,
                                                             .least = 1, .most = 1,
                                                             .usage = "say which: NAME@VERSION", .reason = &reason}))
        return w.code;
    if (!prompts_read_at(&w, w.words[0], &at) || (to && !prompts_read_version(to, &other)))
        return prompts_end(&w, CLI_USAGE, false);
    int code = prompts_tell(&w, registry_prompt_revoke(w.registry, &at, other, &w.by, &w.why), &at, "revoked");
    return prompts_end(&w, code, code == CLI_OK);
}

/* VERSION=SHARE */
static bool read_arm(const char *word, struct prompt_arm *arm)
{
    struct slice share, version = slice_split(slice_str(word), '=', &share);
    if (semver_parse(version, &arm->version) && share.len) return read_share(share.ptr, &arm->share);
    cli_usage_error("write VERSION=SHARE, 2.1.0=900", "`%s` is no share of a version", word);
    return false;
}

int command_prompts_share(int argc, char **argv)
{
    static const char *label;
    const struct option own[] = {{"--label", OPTION_TEXT, &label}, {NULL, OPTION_FLAG, NULL}};
    struct prompt_arm arms[PROMPT_ARMS_MAX];
    struct prompts_work w;
    struct prompt_at at;
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = "share", .own = own, .decides = true,
                                                             .least = 2,
                                                             .most = 1 + PROMPT_ARMS_MAX,
                                                             .usage = "NAME 2.1.0=900 2.2.0=100 [--label production]"}))
        return w.code;
    bool is_read = prompts_read_at(&w, w.words[0], &at);
    size_t count = w.word_count - 1;
    for (size_t i = 0; is_read && i < count; i++)
        is_read = read_arm(w.words[1 + i], &arms[i]);
    if (!is_read) return prompts_end(&w, CLI_USAGE, false);
    at.version = arms[0].version;
    enum registry_found found =
        registry_prompt_label(w.registry, at.name, label ? slice_str(label) : SLICE("production"), arms, count,
                              slice_str(w.person), &w.by, &w.why);
    int code = prompts_tell(&w, found, &at, "shared");
    return prompts_end(&w, code, code == CLI_OK);
}

int command_prompts_alias(int argc, char **argv)
{
    struct prompts_work w;
    struct prompt_at at;
    if (!prompts_begin(&w, argc, argv, &(struct prompts_way){.name = "alias", .least = 2, .most = 2,
                                                             .usage = "ALIAS NAME"}))
        return w.code;
    if (!prompts_read_at(&w, w.words[1], &at)) return prompts_end(&w, CLI_USAGE, false);
    enum registry_found found = registry_prompt_alias(w.registry, slice_str(w.words[0]), &at, &w.by, &w.why);
    if (found == REGISTRY_FOUND && !w.common.is_json) printf("%s stands for %s\n", w.words[0], w.words[1]);
    int code = CLI_OK;
    if (found == REGISTRY_FAILED) code = prompts_refused(&w);
    if (found == REGISTRY_MISSING) code = cli_error(CLI_FOUND, NULL, "there is no prompt `%s`", w.words[1]);
    return prompts_end(&w, code, code == CLI_OK);
}
