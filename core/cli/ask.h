/*
 * Questions that commands put to a policy folder, offline: loads it, prints what is wrong with it,
 * and has a script answer.
 *
 *     struct ask ask = {.config = common.config, .script = "explain"};
 *     int code = ask_policies(&ask, question, &answer);     // CLI_USAGE: said on stderr why there is no answer
 */
#ifndef MOONGATE_CLI_ASK_H
#define MOONGATE_CLI_ASK_H

#include "base/buf.h"
#include "base/slice.h"

struct bundle;

struct ask {
    const char *config;       /* -c; may be NULL */
    const char *policies_dir; /* NULL: the configuration's. Without -c it is loaded as if every provider were there */
    const char *script;       /* scripts/<name>.lua */
};

/* question: one JSON value. Appends the answer; returns what the script said, or CLI_USAGE after a message. */
int ask_policies(const struct ask *ask, struct slice question, struct buf *answer);

/* The same, its answer printed as cli_print_answer() does. */
int ask_and_print(const struct ask *ask, struct slice question, bool is_json);

/* The same of a bundle at hand. name: how messages call it. */
int ask_bundle(struct bundle *bundle, const char *name, const char *script, struct slice question, struct buf *answer);

#endif
