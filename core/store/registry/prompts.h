/*
 * Prompts under version control: texts, their states, who wrote and who approved them, and the labels that point at
 * them. Each function is one change: one transaction, one revision, one event, whose object is the prompt's name.
 *
 *     struct prompt_push push = {.name = SLICE("support/reply"), .owner = …, .department = …, .content = json,
 *                                .person = per};
 *     if (!registry_prompt_push(r, &push, &by, &pushed, &why)) …             // a draft
 *     struct prompt_at at = {SLICE("support/reply"), pushed.version, per};
 *     registry_prompt_submit(r, &at, &by, &why);                             // in review
 *     registry_prompt_approve(r, &(struct prompt_verdict){.at = {…, other}}, &by, &why);    // approved, in production
 *
 * Four eyes stand in the database (schema.sql): nobody approves what they wrote, and a verdict names the hash of the
 * text it is about. Here stands what needs a role, in a scope that covers the prompt's department: for verdicts those
 * that the rules of governance ask for (registry_govern), each met by another person; for protected labels, rollback
 * and revoking the first of them; approver where no rules are known. What is refused is told by
 * registry_refused(r); PROMPTS_FORBIDDEN in *why's text begins what a missing role is told with.
 * Versions: draft, review, approved, archived, rejected, revoked (store/prompts.h); none is ever deleted.
 */
#ifndef MOONGATE_STORE_REGISTRY_PROMPTS_H
#define MOONGATE_STORE_REGISTRY_PROMPTS_H

#include "base/limits.h"
#include "store/registry/registry.h"
#include "wire/prompt/semver.h"

#define PROMPTS_FORBIDDEN "the role "
#define PROMPT_ARMS_MAX 16
#define PROMPT_HASH_BYTES 65 /* of a SHA-256 in hexadecimal, with the NUL */

struct prompt_push {
    struct slice name, owner, department; /* the last two: empty: as they are; a new prompt needs both */
    struct slice fields;                  /* JSON: description, tags, links; empty: as they are */
    struct slice content;                 /* JSON: what wire/prompt compiles */
    struct slice person;                  /* who writes it */
    struct semver version;                /* all 0: not said … */
    enum semver_bump bump;                /* … the next of that kind; SEMVER_SAME: as the change asks for */
};

struct prompt_pushed {
    struct semver version;
    char sha256[PROMPT_HASH_BYTES];
    bool is_same; /* nothing was changed: that version has this text already */
    bool is_new;  /* a version more */
};

struct prompt_at {
    struct slice name;
    struct semver version;
    struct slice person; /* who does it */
};

struct prompt_verdict {
    struct prompt_at at;
    struct slice sha256;  /* of the text that was looked at; empty: the one that stands there */
    struct slice comment;
    struct slice role;    /* as which; empty: the first that is open and his */
    bool is_kept_back;    /* approved, and not put into production */
    uint32_t share;       /* of production, in thousandths, the rest stays; 0: all of it */
    struct slice despite; /* why it is approved though its cases have not passed; empty: they must have */
    struct prompt_judged *judged; /* what came of an approval; may be NULL */
};

struct prompt_judged {
    char missing[LIMIT_KEY_FIELD_BYTES + 1]; /* the role of another person who must approve, too; "": it is approved */
};

struct prompt_arm {
    struct semver version;
    uint32_t share; /* in thousandths */
};

/* A draft, or more of one. False: *why; of a version that is no draft any more the next free number is in it. */
bool registry_prompt_push(struct registry *r, const struct prompt_push *push, const struct change_by *by,
                          struct prompt_pushed *pushed, struct fault *why);
/* draft → review, and back. REGISTRY_MISSING: there is no such version. */
enum registry_found registry_prompt_submit(struct registry *r, const struct prompt_at *at, const struct change_by *by,
                                           struct fault *why);
enum registry_found registry_prompt_withdraw(struct registry *r, const struct prompt_at *at, const struct change_by *by,
                                             struct fault *why);
/* review → approved, and production points at it, once all who must have approved it; → rejected;
 * → draft again, with changes asked for. */
enum registry_found registry_prompt_approve(struct registry *r, const struct prompt_verdict *v,
                                            const struct change_by *by, struct fault *why);
enum registry_found registry_prompt_reject(struct registry *r, const struct prompt_verdict *v,
                                           const struct change_by *by, struct fault *why);
enum registry_found registry_prompt_ask_changes(struct registry *r, const struct prompt_verdict *v,
                                                const struct change_by *by, struct fault *why);
/* The whole set of a label, whose shares come to 1000; count 0: the label goes (production never does). */
enum registry_found registry_prompt_label(struct registry *r, struct slice name, struct slice label,
                                          const struct prompt_arm *arms, size_t count, struct slice person,
                                          const struct change_by *by, struct fault *why);
/* Production points at that version again, or (all 0) at what it pointed at before. */
enum registry_found registry_prompt_rollback(struct registry *r, const struct prompt_at *at, const struct change_by *by,
                                             struct semver *now, struct fault *why);
/* Answers nobody any more. `to` (all 0: not said): what labels that point at it point at instead. */
enum registry_found registry_prompt_revoke(struct registry *r, const struct prompt_at *at, struct semver to,
                                           const struct change_by *by, struct fault *why);
/* Another name for it. */
enum registry_found registry_prompt_alias(struct registry *r, struct slice alias, const struct prompt_at *at,
                                          const struct change_by *by, struct fault *why);

/* All prompts, or one, as an array of objects: "name", "owner", "department", "fields", "rev", "versions": [{"version",
 * "status", "sha256", "rev", "authors": [person], "reviews": [{"person", "verdict", "role", "sha256", "comment"}]}],
 * "labels": {name: {version: share}}, "aliases". NULL and *why. */
struct json_t *registry_prompts(struct registry *r, struct slice name, struct fault *why);
/* What happened to one, newest first: "rev", "at", "actor", "via", "action", "reason", "before", "after". */
struct json_t *registry_prompt_history(struct registry *r, struct slice name, struct fault *why);
/* Appends a version's content. */
enum registry_found registry_prompt_content(struct registry *r, const struct prompt_at *at, struct buf *out,
                                            struct fault *why);
/* Who runs a command, as a person: made when there is none of that name. */
bool registry_prompt_person(struct registry *r, struct slice login, const struct change_by *by, char id[17],
                            struct fault *why);

#endif
