/*
 * Makes the section that workers read top-ups of (store/topups.h): of rows, or of JSON.
 *
 *     struct topups_build *b = topups_build_new();
 *     if (!topups_build_add(b, &topup, &why)) …
 *     bool is_good = topups_build_end(b, &(struct section_about){.revision = 42}, &bytes, &why);
 *     topups_build_free(b);
 */
#ifndef MOONGATE_STORE_TOPUPS_BUILD_H
#define MOONGATE_STORE_TOPUPS_BUILD_H

#include "base/buf.h"
#include "store/section/section.h"
#include "store/topups.h"

struct topups_build;

struct topup {
    struct slice id, budget, scope; /* at most LIMIT_TOPUP_NAME_BYTES; the budget is not empty */
    int64_t nano;                   /* 1 … LIMIT_TOPUP_NANO */
    int64_t starts_at, ends_at;     /* s since 1970; it is over from ends_at on */
};

struct topups_build *topups_build_new(void);
void topups_build_free(struct topups_build *b); /* NULL is welcome */
/* Copies; at most LIMIT_TOPUPS. False and *why: it is not in it. */
bool topups_build_add(struct topups_build *b, const struct topup *topup, struct fault *why);
/* Appends; once, last. Of `about` epoch and revision are taken. */
bool topups_build_end(struct topups_build *b, const struct section_about *about, struct buf *out, struct fault *why);

/* {"topups":[{"id","budget","scope","nano","starts_at","ends_at"}]}: as what it makes is read. NULL and *why on bad
 * input. */
struct topups *topups_parse(struct slice json, struct fault *why);
/* The same text as a section, appended. */
bool topups_build_text(struct slice json, const struct section_about *about, struct buf *out, struct fault *why);

#endif
