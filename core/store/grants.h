/*
 * Grants as a worker sees them: who may use which model that needs approval, until when, and for what.
 *
 *     struct grants *grants = grants_map(fd, &why);
 *     struct grant grant;
 *     if (grants_find(grants, SLICE("user:per_7Q2f…"), SLICE("dear-1"), now_s, &grant)) …grant.ends_at…
 *     grants_unref(grants);
 *
 * A subject is "user:" and a person's id, "app:" and its name, "department:" and its name. A grant is live while
 * starts_at <= now < ends_at, by the clock of who asks: it ends to the second, whatever comes of the registry. The
 * section has those whose person is not disabled; some are over, or revoked, which is an end too. Beside them stand the
 * requests that wait for a decision, which open nothing: a refusal names them.
 */
#ifndef MOONGATE_STORE_GRANTS_H
#define MOONGATE_STORE_GRANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"
#include "store/section/section.h"

struct grants;

enum grant_kind { GRANT_ORDINARY, GRANT_BREAK_GLASS, GRANT_REQUEST };

struct grant {
    struct slice id, subject, model, purpose; /* purpose: of break-glass its reason */
    int64_t starts_at, ends_at;               /* s since 1970; of a request until when it waits */
    enum grant_kind kind;
};

/* From a sealed memory file, or of a copy of its bytes. NULL and *why: it is not one, and nothing of it is taken. */
struct grants *grants_map(int fd, struct fault *why);
struct grants *grants_copy(struct slice section, struct fault *why);
struct grants *grants_empty(void);
struct grants *grants_ref(struct grants *grants);
void grants_unref(struct grants *grants); /* NULL is welcome */
size_t grants_count(const struct grants *grants);
/* NULL: they are of no section. */
const struct section_about *grants_about(const struct grants *grants);

/* Of the grants that are live the one that ends last; its texts are valid while they are held. NULL grants are none. */
bool grants_find(const struct grants *grants, struct slice subject, struct slice model, int64_t now_s,
                 struct grant *found);
/* All of a subject, requests too, one after the other: *at is GRANTS_FIRST at first. False: there are no more. */
#define GRANTS_FIRST UINT32_MAX
bool grants_next(const struct grants *grants, struct slice subject, uint32_t *at, struct grant *found);

/* ---- Making the section. */

struct grants_build;

struct grants_build *grants_build_new(void);
void grants_build_free(struct grants_build *b); /* NULL is welcome */
/* Copies; at most LIMIT_GRANTS, each text within LIMIT_GRANT_TEXT_BYTES. False and *why: it is not in it. */
bool grants_build_add(struct grants_build *b, const struct grant *grant, struct fault *why);
/* Appends; once, last. Of `about` epoch and revision are taken. */
bool grants_build_end(struct grants_build *b, const struct section_about *about, struct buf *out, struct fault *why);

#endif
