/*
 * What the cases of the registry's suite work with: questions, statements in a change of their own, the check's findings.
 */
#ifndef MOONGATE_TESTS_REGISTRY_SUITE_KIT_H
#define MOONGATE_TESTS_REGISTRY_SUITE_KIT_H

#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit.h"
#include "store/registry/check.h"
#include "store/registry/evidence.h"
#include "store/registry/people.h"
#include "store/registry/registry_inner.h"

static struct registry *suite_fresh(void);
static struct registry *suite_reopen(void);

static const struct change_by suite_by = {
    .actor = SLICE("k\"im"), .host = SLICE("gw-1"), .via = SLICE("cli"), .reason = SLICE("ticket 4711"), .uid = 1000};

/* ---- Helpers. */

/* The first row's columns with bars between them, NULL as nothing; "" when there is none. */
static inline const char *suite_ask(struct registry *r, const char *sql, int columns)
{
    static char answers[4][512];
    static unsigned turn;
    char *out = answers[turn++ % 4];
    size_t len = 0;
    struct fault why = {0};
    struct registry_query *q = registry_ask(r, sql, NULL, 0);
    out[0] = '\0';
    if (registry_next(q)) {
        for (int i = 0; i < columns; i++)
            len += (size_t)snprintf(out + len, 512 - len, "%s%.*s", i ? "|" : "", SLICE_FMT(registry_text(q, i)));
    }
    if (!registry_end(q, &why)) UNIT_FAIL("%s: %s", sql, why.text);
    return out;
}

/* One statement in a change of its own: what was refused, or "". */
static inline const char *suite_try(struct registry *r, const char *sql)
{
    struct fault why = {0};
    if (!registry_begin(r, &why)) UNIT_FAIL("%s", why.text);
    bool is_good = registry_run(r, sql, &why) && registry_commit(r, &suite_by, "test", SLICE("x"), NULL, NULL, &why);
    if (is_good) return "";
    registry_abort(r);
    if (!registry_refused(r)) UNIT_FAIL("%s: %s", sql, why.text);
    return registry_refusal_word(registry_refused(r));
}

static inline void suite_do(struct registry *r, const char *sql)
{
    EXPECT_STR("", suite_try(r, sql));
}

#define PERSON(id, kind)                                                                                               \
    "INSERT INTO person(id, kind, issuer, subject, rev) VALUES('" id "', '" kind "', 'local', '" id "', 1)"

static inline void suite_people(struct registry *r)
{
    suite_do(r, PERSON("per_ana", "human"));
    suite_do(r, PERSON("per_kim", "human"));
    suite_do(r, PERSON("per_lee", "human"));
    suite_do(r, PERSON("per_bot", "service"));
}

static inline void suite_note(void *arg, const struct registry_finding *finding)
{
    char *all = arg;
    size_t len = strlen(all);
    snprintf(all + len, 512 - len, "%s%s %.*s", len ? ", " : "", finding->rule, SLICE_FMT(finding->object));
}

/* What it finds, "V1 p@1.0.0, V7 …". */
static inline const char *suite_check(struct registry *r)
{
    static char all[512];
    struct fault why = {0};
    struct registry_checked sum;
    all[0] = '\0';
    if (!registry_check(r, suite_note, all, &sum, &why)) UNIT_FAIL("%s", why.text);
    if (!sum.findings != !all[0]) UNIT_FAIL("%d findings: %s", (int)sum.findings, all);
    return all;
}

#endif
