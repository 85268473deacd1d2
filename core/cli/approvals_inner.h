/*
 * What the commands about approvals and grants share: who decides, by which rules, in which registry.
 *
 *     struct approvals a;
 *     if (!approvals_open(&a, common.config, reason, true)) return CLI_USAGE;   // the message was printed
 *     … registry_access_decide(a.registry, …, &a.by, …) …
 *     return approvals_close(&a, code);
 *
 * Who acts is the person of the login that runs the command, in the registry of the data folder: made when it is not
 * there yet. Who has a login has the file, too: four eyes are those of different logins.
 */
#ifndef MOONGATE_CLI_APPROVALS_INNER_H
#define MOONGATE_CLI_APPROVALS_INNER_H

#include <stdint.h>

#include "cli/cli.h"
#include "store/governance.h"
#include "store/registry/approvals.h"

struct json_t;

struct approvals {
    char *data_dir;
    struct registry *registry;
    struct governance *rules; /* NULL: not asked for */
    struct change_by by;
    char person[PERSON_ID_BYTES];
    int64_t now_s;
};

/* has_rules: the policies are loaded, and say who decides. */
bool approvals_open(struct approvals *a, const char *config, const char *reason, bool has_rules);
/* Gives the code back. */
int approvals_close(struct approvals *a, int code);
/* A change was made: a running gateway is told. */
void approvals_tell(const struct approvals *a);
/* What a change that failed is answered with: 3 for what is refused, with its word in JSON, 2 for faults, 1 for what is
 * not there. */
int approvals_refused(const struct approvals *a, enum registry_found found, const char *what, const char *id,
                      const struct fault *why, bool is_json);

/* One object of the registry's list; NULL after a message. */
struct json_t *approvals_one(struct json_t *list, const char *what, const char *id, const struct fault *why);
const char *approvals_text(const struct json_t *object, const char *name); /* "" when it is not there */
int64_t approvals_number(const struct json_t *object, const char *name);
/* "user:ana", with a person's own name where the registry has one. */
void approvals_name_person(const struct approvals *a, const char *id, char *text, size_t size);
void approvals_subject(const struct approvals *a, const struct json_t *object, char *text, size_t size);
/* "2026-11-24 06:41" of UTC, or "-" for 0. */
void approvals_instant(int64_t at_s, char text[32]);
/* Each member on a line of its own. */
void approvals_print(const struct json_t *object);

/* Does it wait for this person: may he decide it? */
bool approvals_waits(const struct approvals *a, const struct json_t *request);
/* … or close it? */
bool approvals_is_unclosed(const struct approvals *a, const struct json_t *grant);

/* "7d" → seconds, 0 after a message. */
int64_t approvals_span(const char *option, const char *text);
/* Whose it is to be, as the row of the access matrix has it: the person's, an app's, a department's. False after a
 * message. */
struct approvals_whose {
    const char *app, *department, *person; /* options; NULL: not said, the person is he who asks */
    const struct governance_row *row;
    struct slice subject_kind, subject, scope; /* scope: the department that roles must cover */
    char room[LIMIT_KEY_FIELD_BYTES + 1];
};
bool approvals_whose(const struct approvals *a, const char *model, struct approvals_whose *whose);

#endif
