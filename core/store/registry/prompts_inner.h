/*
 * What the registry's files of prompts share; nobody else includes it.
 *
 *     prompts.c          writing
 *     prompts_moves.c    from one state to the next, verdicts
 *     prompts_labels.c   what labels point at
 *     prompts_rules.c    what governance asks of them
 *     prompts_list.c     all of them, and what happened
 *     prompts_content.c  texts: checked, hashed, what a change is called; what workers get
 */
#ifndef MOONGATE_STORE_REGISTRY_PROMPTS_INNER_H
#define MOONGATE_STORE_REGISTRY_PROMPTS_INNER_H

#include "store/governance.h"
#include "store/registry/prompts.h"
#include "store/registry/registry_inner.h"

#define AT_VERSION "name = ? AND major = ? AND minor = ? AND patch = ?"
#define VALUES_AT(at)                                                                                                  \
    value_text((at)->name), value_int((at)->version.major), value_int((at)->version.minor),                           \
        value_int((at)->version.patch)

struct prompt_state {
    char status[16];
    char sha256[PROMPT_HASH_BYTES];
    int64_t rev;
};

static inline bool semver_is_said(struct semver v)
{
    return v.major || v.minor || v.patch;
}

/* As it stands, in the transaction. */
enum registry_found prompts_state(struct registry *r, const struct prompt_at *at, struct prompt_state *state,
                                  struct fault *why);
/* Its department; REGISTRY_MISSING: there is no such prompt. */
enum registry_found prompts_department(struct registry *r, struct slice name, struct buf *department,
                                       struct fault *why);
/* False: *why names the role. */
bool prompts_may(struct registry *r, struct slice name, struct slice person, struct slice role, struct fault *why);
bool prompts_set_status(struct registry *r, const struct prompt_at *at, const char *status, struct fault *why);
/* The label's whole set: versions that lose their last label are archived, those that get one are approved again. */
bool prompts_point(struct registry *r, struct slice name, struct slice label, const struct prompt_arm *arms,
                   size_t count, struct fault *why);
/* What a label points at; at most PROMPT_ARMS_MAX. */
bool prompts_arms(struct registry *r, struct slice name, struct slice label, struct prompt_arm *arms, size_t *count,
                  struct fault *why);
/* {"production":{"2.1.0":1000}} */
struct json_t *prompts_label_json(struct slice label, const struct prompt_arm *arms, size_t count);

/* ---- By the rules in force (registry_govern). */

/* The roles that must look, each met by another person; at least one. */
struct prompts_lines {
    struct slice roles[GOVERNANCE_REVIEWERS_MAX];
    size_t count;
};

bool prompts_lines(struct registry *r, struct slice name, struct prompts_lines *lines, struct fault *why);
bool prompts_is_line(const struct prompts_lines *lines, struct slice role);
/* The first that nobody has met of this text; empty: all are met. */
bool prompts_open_line(struct registry *r, const struct prompt_at *at, struct slice sha256,
                       const struct prompts_lines *lines, struct slice *role, struct fault *why);
/* As which at->person judges: the first line that is open (to an approval) and for which he has the role; else one
 * that he has not, and prompts_may() refuses. */
bool prompts_choose_line(struct registry *r, const struct prompt_at *at, struct slice sha256, bool is_approval,
                         const struct prompts_lines *lines, struct slice *role, struct fault *why);
bool prompts_has_approved(struct registry *r, const struct prompt_at *at, struct slice sha256, bool *has,
                          struct fault *why);
/* Takes the label approved versions only, moved by who has the role of the first line? */
bool prompts_is_protected(const struct registry *r, struct slice label);
bool prompts_may_move(struct registry *r, struct slice name, struct slice person, struct fault *why);
/* False and REGISTRY_NOT_TESTED: the rules want its cases to have passed. */
bool prompts_is_tested(struct registry *r, const struct prompt_at *at, struct slice sha256, struct fault *why);

/* The content's canonical form and hash, when it compiles. False: *why. */
bool prompts_check(struct slice name, struct semver version, struct slice content, struct buf *canonical,
                   char sha256[PROMPT_HASH_BYTES], struct fault *why);
/* What the change asks for. */
enum semver_bump prompts_propose(struct slice before, struct slice after);
bool prompts_section(struct registry *r, const struct section_about *about, struct buf *out, struct fault *why);

#endif
