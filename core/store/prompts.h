/*
 * The prompts that requests may name, as workers have them: names, versions, labels with their shares, aliases, and the
 * versions' own bytes, in one section (store/section).
 *
 *     struct prompts *p = prompts_map(fd, &why);              // a sealed memory file; NULL: it is none
 *     struct prompts_asked asked = {.name = SLICE("support/reply"), .version = SLICE("2"), .caller = SLICE("ana")};
 *     struct prompts_hit hit;
 *     if (prompts_find(p, &asked, &hit) == PROMPTS_FOUND) ... hit.prompt ...   // borrowed while p is
 *     prompts_unref(p);
 *
 * What may be asked for: "2.1.0", that version; "2", "2.1": the newest approved one of it; "@staging": a label's;
 * nothing: the label's that is said, "production" where none is. A label with shares draws by the caller, always the
 * same for the same one; whoever has the newer version keeps it while its share grows.
 */
#ifndef MOONGATE_STORE_PROMPTS_H
#define MOONGATE_STORE_PROMPTS_H

#include "store/section/section.h"
#include "wire/prompt/prompt.h"

struct prompts;

enum prompt_status {
    PROMPT_DRAFT,
    PROMPT_REVIEW,
    PROMPT_APPROVED,
    PROMPT_ARCHIVED, /* no label has it; answers who names it exactly */
    PROMPT_REJECTED,
    PROMPT_REVOKED, /* answers nobody */
};
#define PROMPT_STATUSES (PROMPT_REVOKED + 1)
#define PROMPT_PRODUCTION SLICE("production")
#define PROMPT_SHARES 1000u /* of a label, in all */

enum prompts_found {
    PROMPTS_FOUND,
    PROMPTS_NO_NAME,
    PROMPTS_NO_VERSION,   /* none of that number, or no approved one of it */
    PROMPTS_NO_LABEL,     /* no version has it */
    PROMPTS_NOT_APPROVED, /* a draft, in review, rejected */
    PROMPTS_REVOKED,
    PROMPTS_BAD_VERSION,  /* neither numbers nor a label */
};

struct prompts_asked {
    struct slice name;    /* or an alias */
    struct slice version; /* empty: not said */
    struct slice label;   /* where no version is said; empty: "production" */
    struct slice caller;  /* who draws: any bytes that name him */
};

struct prompts_hit {
    struct prompt prompt;
    enum prompt_status status;
    struct slice name, label; /* label: that it was found by; empty: by its number */
    uint32_t share;           /* of that label, in thousandths; 0: by its number */
};

const char *prompt_status_name(enum prompt_status status); /* "approved" */
bool prompt_status_find(struct slice name, enum prompt_status *status);

struct prompts *prompts_map(int fd, struct fault *why);
struct prompts *prompts_copy(struct slice section, struct fault *why);
struct prompts *prompts_ref(struct prompts *p);
void prompts_unref(struct prompts *p); /* NULL is welcome */
const struct section_about *prompts_about(const struct prompts *p);
/* p NULL: there are none. */
enum prompts_found prompts_find(const struct prompts *p, const struct prompts_asked *asked, struct prompts_hit *hit);

/* ---- Building. */

struct prompts_build;

struct prompts_build *prompts_build_new(void);
void prompts_build_free(struct prompts_build *b); /* NULL is welcome */
/* A prompt, then its versions in their order, then its labels. False and *why: it is there already. */
bool prompts_build_prompt(struct prompts_build *b, struct slice name, struct fault *why);
/* bytes: of prompt_compile(); empty: nobody may be answered with it. */
bool prompts_build_version(struct prompts_build *b, struct semver version, enum prompt_status status,
                           struct slice bytes, struct fault *why);
/* One version's share of a label; those of one label follow each other, in the versions' order. */
bool prompts_build_arm(struct prompts_build *b, struct slice label, struct semver version, uint32_t share,
                       struct fault *why);
/* Behind all prompts. */
bool prompts_build_alias(struct prompts_build *b, struct slice alias, struct slice name, struct fault *why);
bool prompts_build_end(struct prompts_build *b, const struct section_about *about, struct buf *out, struct fault *why);

#endif
