/*
 * Questions that commands put to a policy folder, offline: loads it, prints what is wrong with it,
 * and has a script answer.
 *
 *     struct ask ask = {.config = common.config, .script = "explain"};
 *     int code = ask_policies(&ask, question, &answer);     // CLI_USAGE: said on stderr why there is no answer
 */
#ifndef MOONGATE_CLI_ASK_H
#define MOONGATE_CLI_ASK_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

struct bundle;
struct config;
struct policy_set;

struct ask {
    const char *config;       /* -c; may be NULL */
    const char *policies_dir; /* NULL: the configuration's. Without -c it is loaded as if every provider were there */
    const char *script;       /* scripts/<name>.lua */
    struct slice record;      /* of a past request, whose decision is taken again: the question's member "again" says
                               * what came of it; empty: there is none */
};

/* A folder of policies at work, for who asks in C. */
struct ask_loaded {
    struct config *config; /* NULL: without one */
    struct bundle *bundle;
    struct policy_set *set;
};

/* With the configuration where there is one, also beside --policies. False after a message. */
bool ask_load(const struct ask *ask, struct ask_loaded *loaded);
void ask_unload(struct ask_loaded *loaded);

/* question: one JSON value. Appends the answer; returns what the script said, or CLI_USAGE after a message. */
int ask_policies(const struct ask *ask, struct slice question, struct buf *answer);

/* The same, its answer printed as cli_print_answer() does. */
int ask_and_print(const struct ask *ask, struct slice question, bool is_json);

/* The same of a bundle at hand. name: how messages call it. */
int ask_bundle(struct bundle *bundle, const char *name, const char *script, struct slice question, struct buf *answer);

#endif
