/*
 * What the commands about prompts share.
 *
 *     struct prompts_work w;
 *     if (!prompts_begin(&w, argc, argv, options, "submit", words_max)) return w.code;
 *     … w.registry, w.person, w.words …
 *     return prompts_end(&w, code, is_changed);      // tells the running gateway
 */
#ifndef MOONGATE_CLI_PROMPTS_INNER_H
#define MOONGATE_CLI_PROMPTS_INNER_H

#include "cli/caller.h"
#include "cli/cli.h"
#include "cli/prompts_commands.h"
#include "cli/register.h"
#include "cli/rules.h"
#include "store/registry/prompts.h"

struct json_t;

#define PROMPTS_WORDS_MAX 24

struct prompts_work {
    struct common_options common;
    const char *words[PROMPTS_WORDS_MAX];
    size_t word_count;
    char *data_dir;
    struct registry *registry;
    struct governance *rules; /* of who decides */
    struct change_by by;
    char person[17]; /* who runs it; empty for who only reads */
    int code;        /* where it did not begin */
    struct fault why;
};

/* own: the command's options, or NULL. reads: nobody is made a person for it. least: so many words are needed; usage
 * says which. False: w->code is the end. */
struct prompts_way {
    const char *name; /* "submit" */
    const struct option *own;
    bool reads;
    bool decides; /* by the rules of governance that the policies say */
    size_t least, most;
    const char *usage;
    const char **reason; /* of --reason, where the command has that */
};
bool prompts_begin(struct prompts_work *w, int argc, char **argv, const struct prompts_way *way);
int prompts_end(struct prompts_work *w, int code, bool is_changed);

/* NAME or NAME@VERSION; false after a message. version all 0: none is said. */
bool prompts_read_at(struct prompts_work *w, const char *word, struct prompt_at *at);
bool prompts_read_version(const char *text, struct semver *v);
/* One prompt as registry_prompts() has it; NULL after a message: w->code. */
struct json_t *prompts_one(struct prompts_work *w, struct slice name);
/* Where no version is said: its newest in that state ("" in any). False after a message. */
bool prompts_choose(struct prompts_work *w, struct prompt_at *at, const char *state);
/* What came of a change, for people or as JSON, and its exit code. done: "submitted". */
int prompts_tell(struct prompts_work *w, enum registry_found found, const struct prompt_at *at, const char *done);
/* What is refused: its code and sentence. CLI_FOUND, or CLI_USAGE where it is a fault. */
int prompts_refused(struct prompts_work *w);

#endif
