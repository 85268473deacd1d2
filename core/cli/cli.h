/*
 * The command line: one table of commands, one file a command, the same manners in all of them.
 *
 *     return cli_main(argc, argv);
 *
 * Data goes to stdout, everything else to stderr. --json everywhere. Exit codes: CLI_OK fine, CLI_FOUND something is
 * wrong with what was looked at, CLI_USAGE wrong words or unreadable input, CLI_UNREACHABLE no gateway, or it refused.
 * Colour on a terminal only; NO_COLOR, CLICOLOR_FORCE, TERM=dumb and --color=auto|always|never are honoured.
 */
#ifndef MOONGATE_CLI_CLI_H
#define MOONGATE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/slice.h"

enum { CLI_OK = 0, CLI_FOUND = 1, CLI_USAGE = 2, CLI_UNREACHABLE = 3 };

struct command {
    const char *name;    /* "keys create" */
    const char *summary; /* one line for the list */
    const char *help;    /* at most 24 lines; opens with an example */
    int (*run)(int argc, char **argv);
};

/* Ends with a name of NULL. */
extern const struct command cli_commands[];

int cli_main(int argc, char **argv);

int command_approvals_approve(int argc, char **argv);
int command_approvals_break_glass(int argc, char **argv);
int command_approvals_close(int argc, char **argv);
int command_approvals_deny(int argc, char **argv);
int command_approvals_list(int argc, char **argv);
int command_approvals_request(int argc, char **argv);
int command_approvals_show(int argc, char **argv);
int command_approvals_withdraw(int argc, char **argv);
int command_audit_export(int argc, char **argv);
int command_audit_search(int argc, char **argv);
int command_audit_tail(int argc, char **argv);
int command_audit_text(int argc, char **argv);
int command_audit_verify(int argc, char **argv);
int command_budgets(int argc, char **argv);
int command_bundle_manifest(int argc, char **argv);
int command_bundle_rollback(int argc, char **argv);
int command_bundle_sign(int argc, char **argv);
int command_bundle_status(int argc, char **argv);
int command_bundle_verify(int argc, char **argv);
int command_check(int argc, char **argv);
int command_checklist(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_grants_list(int argc, char **argv);
int command_grants_revoke(int argc, char **argv);
int command_grants_shorten(int argc, char **argv);
int command_grants_show(int argc, char **argv);
int command_help(int argc, char **argv);
int command_init(int argc, char **argv);
int command_keys_create(int argc, char **argv);
int command_keys_list(int argc, char **argv);
int command_keys_revoke(int argc, char **argv);
int command_keys_rotate(int argc, char **argv);
int command_ledger_backup(int argc, char **argv);
int command_ledger_check(int argc, char **argv);
int command_ledger_erase(int argc, char **argv);
int command_ledger_rekey(int argc, char **argv);
int command_ledger_restore(int argc, char **argv);
int command_limits(int argc, char **argv);
int command_people_create(int argc, char **argv);
int command_people_disable(int argc, char **argv);
int command_people_enable(int argc, char **argv);
int command_people_list(int argc, char **argv);
int command_people_merge(int argc, char **argv);
int command_price(int argc, char **argv);
int command_provider_disable(int argc, char **argv);
int command_provider_enable(int argc, char **argv);
int command_provider_list(int argc, char **argv);
int command_registry_backup(int argc, char **argv);
int command_registry_check(int argc, char **argv);
int command_registry_move(int argc, char **argv);
int command_registry_restore(int argc, char **argv);
int command_reload(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_requests(int argc, char **argv);
int command_reviews_complete(int argc, char **argv);
int command_reviews_decide(int argc, char **argv);
int command_reviews_delegate(int argc, char **argv);
int command_reviews_evidence(int argc, char **argv);
int command_reviews_list(int argc, char **argv);
int command_reviews_open(int argc, char **argv);
int command_reviews_patch(int argc, char **argv);
int command_reviews_show(int argc, char **argv);
int command_reviews_verify(int argc, char **argv);
int command_roles_give(int argc, char **argv);
int command_roles_list(int argc, char **argv);
int command_roles_take(int argc, char **argv);
int command_run(int argc, char **argv);
int command_sinks_test(int argc, char **argv);
int command_spend(int argc, char **argv);
int command_test(int argc, char **argv);
int command_tokens(int argc, char **argv);
int command_topup(int argc, char **argv);
int command_topup_end(int argc, char **argv);
int command_topup_list(int argc, char **argv);
int command_version(int argc, char **argv);

/* ---- Options. */

enum option_kind {
    OPTION_FLAG, /* bool */
    OPTION_TEXT, /* const char * */
    OPTION_LIST, /* struct option_list: may be given again and again */
};

#define OPTION_LIST_MAX 256

struct option_list {
    const char *items[OPTION_LIST_MAX];
    size_t count;
};

struct option {
    const char *name; /* "--app"; a short form may follow: "--config|-c" */
    enum option_kind kind;
    void *value;
};

/* What every command takes. */
struct common_options {
    const char *config; /* -c */
    const char *color;  /* --color */
    bool is_json, is_help;
};

/* Reads options in any order, also as --name=value; what is left, in order, goes to words[0..*word_count). False: a
 * message was printed, exit with CLI_USAGE. `options` ends with a name of NULL. */
bool cli_options(int argc, char **argv, const struct option *options, struct common_options *common, const char **words,
                 size_t *word_count, size_t words_max);

/* ---- Output. */

/* May stdout, or stderr, be coloured? */
bool cli_is_coloured(FILE *to);
/* --color; false: not one of its words. */
bool cli_set_color(const char *when);
/* "error: …" on stderr, and a cure on the next line unless it is NULL. Always CLI_USAGE. */
int cli_usage_error(const char *cure, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for any other end. */
int cli_error(int exit_code, const char *cure, const char *format, ...) __attribute__((format(printf, 3, 4)));

struct fault;
/* What is wrong, and the cure that stands behind the first line of *why, else the one given here. Always CLI_USAGE. */
int cli_fault(const struct fault *why, const char *cure);

struct json_t;
/* A list of diagnostics (server/report.h) as people read them: place, source line, caret, help. */
void cli_print_report(FILE *to, const struct json_t *report);
/* What a script of the policies answered (cli/ask.h), a text or one JSON document; nothing when it is empty. */
void cli_print_answer(struct slice answer, bool is_json);
/* Prints one JSON document and a newline on stdout, and gives it back. */
void cli_print_json(struct json_t *document);

/* ---- The running gateway. */

/* Sends {"cmd":name}, with the caller's login for the ledger, to <data>/control.sock; NULL and nothing printed when
 * nobody listens there (*why says it). */
struct json_t *cli_call(const char *data_dir, const char *name, unsigned timeout_ms, char *why, size_t why_size);
/* Then: is it that nobody listens, or that nobody answers? */
bool cli_is_served(const char *data_dir);
/* The same with a request of one's own, which is given back. */
struct json_t *cli_call_with(const char *data_dir, struct json_t *request, unsigned timeout_ms, char *why,
                             size_t why_size);

#endif
