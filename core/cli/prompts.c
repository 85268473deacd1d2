#include "cli/prompts_inner.h"

#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "cli/folder.h"

static bool fail(struct prompts_work *w, int code)
{
    w->code = code;
    registry_close(w->registry);
    governance_free(w->rules);
    mem_free(w->data_dir);
    return false;
}

static bool open_registry(struct prompts_work *w, const struct prompts_way *way)
{
    const char *reason = way->reason && *way->reason ? *way->reason : "";
    if (!caller_read(reason, &w->by)) return fail(w, CLI_USAGE);
    w->data_dir = folder_find(w->common.config);
    if (!w->data_dir || (way->decides && !(w->rules = rules_load(w->common.config)))) return fail(w, CLI_USAGE);
    w->registry = register_open(w->data_dir);
    if (!w->registry) return fail(w, CLI_USAGE);
    registry_govern(w->registry, w->rules);
    if (!way->reads && !registry_prompt_person(w->registry, w->by.actor, &w->by, w->person, &w->why))
        return fail(w, cli_error(CLI_USAGE, NULL, "%s", fault_message(&w->why)));
    return true;
}

bool prompts_begin(struct prompts_work *w, int argc, char **argv, const struct prompts_way *way)
{
    static const struct option none[] = {{NULL, OPTION_FLAG, NULL}};
    *w = (struct prompts_work){.code = CLI_USAGE};
    size_t most = way->most < PROMPTS_WORDS_MAX ? way->most : PROMPTS_WORDS_MAX;
    if (!cli_options(argc, argv, way->own ? way->own : none, &w->common, w->words, &w->word_count, most)) return false;
    if (w->common.is_help) return fail(w, command_help(2, (char *[]){"prompts", (char *)(uintptr_t)way->name}));
    if (w->word_count < way->least) return fail(w, cli_usage_error(way->usage, "words are missing"));
    return open_registry(w, way);
}

int prompts_end(struct prompts_work *w, int code, bool is_changed)
{
    registry_close(w->registry);
    governance_free(w->rules);
    fflush(stdout);
    if (is_changed) register_tell(w->data_dir);
    mem_free(w->data_dir);
    return code;
}

bool prompts_read_version(const char *text, struct semver *v)
{
    if (semver_parse(slice_str(text), v)) return true;
    cli_usage_error("write three numbers: 2.1.0", "`%s` is no version", text);
    return false;
}

bool prompts_read_at(struct prompts_work *w, const char *word, struct prompt_at *at)
{
    struct slice version, name = slice_split(slice_str(word), '@', &version);
    *at = (struct prompt_at){.name = name, .person = slice_str(w->person)};
    return !version.len || prompts_read_version(version.ptr, &at->version);
}

int prompts_refused(struct prompts_work *w)
{
    enum registry_refusal refused = registry_refused(w->registry);
    const char *text = fault_message(&w->why);
    bool is_forbidden = strncmp(text, PROMPTS_FORBIDDEN, strlen(PROMPTS_FORBIDDEN)) == 0;
    const char *code = is_forbidden ? "not_your_scope" : registry_refusal_word(refused);
    if (w->common.is_json)
        cli_print_json(json_pack("{s:{s:s, s:s}}", "error", "code", *code ? code : "invalid", "message", text));
    return cli_error(is_forbidden || refused != REGISTRY_ACCEPTED ? CLI_FOUND : CLI_USAGE, NULL, "%s%s%s", code,
                     *code ? ": " : "", text);
}

json_t *prompts_one(struct prompts_work *w, struct slice name)
{
    json_t *list = registry_prompts(w->registry, name, &w->why);
    json_t *one = json_incref(json_array_get(list, 0));
    w->code = CLI_FOUND;
    if (!list)
        w->code = cli_error(CLI_USAGE, NULL, "%s", fault_message(&w->why));
    else if (!one)
        cli_error(CLI_FOUND, "`moongate prompts list` shows them", "there is no prompt `%.*s`", SLICE_FMT(name));
    json_decref(list);
    return one;
}

bool prompts_choose(struct prompts_work *w, struct prompt_at *at, const char *state)
{
    if (at->version.major || at->version.minor || at->version.patch) return true;
    json_t *one = prompts_one(w, at->name), *versions = json_object_get(one, "versions");
    bool is_found = false;
    for (size_t i = json_array_size(versions); !is_found && i-- > 0;) {
        json_t *version = json_array_get(versions, i);
        const char *status = json_string_value(json_object_get(version, "status"));
        is_found = (!*state || strcmp(status, state) == 0) &&
                   semver_parse(slice_str(json_string_value(json_object_get(version, "version"))), &at->version);
    }
    if (one && !is_found)
        cli_error(CLI_FOUND, "say which: NAME@VERSION", "%.*s has no version in state %s", SLICE_FMT(at->name), state);
    json_decref(one);
    return is_found;
}

int prompts_tell(struct prompts_work *w, enum registry_found found, const struct prompt_at *at, const char *done)
{
    char version[SEMVER_BYTES];
    semver_write(at->version, version);
    if (found == REGISTRY_FAILED) return prompts_refused(w);
    if (found == REGISTRY_MISSING)
        return cli_error(CLI_FOUND, "`moongate prompts show NAME` shows what there is", "there is no %.*s@%s",
                         SLICE_FMT(at->name), version);
    if (w->common.is_json)
        cli_print_json(json_pack("{s:s%, s:s, s:s, s:I}", "name", at->name.ptr, at->name.len, "version", version,
                                 "done", done, "rev", (json_int_t)registry_rev(w->registry)));
    else
        printf("%s %.*s@%s\n", done, SLICE_FMT(at->name), version);
    return CLI_OK;
}
