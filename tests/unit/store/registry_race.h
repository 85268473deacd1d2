/*
 * Eight processes at one registry, who try to approve what is theirs: through the gateway's way of changing things, and
 * by SQL past it. Afterwards the check finds nothing.
 *
 *     race_run("PostgreSQL", open_it, RACE_SQL)        // prints what was tried, done and refused
 *
 * MOONGATE_RACE: how many transactions in all (2000); MOONGATE_SEED: of what they are (printed when something failed).
 * One text is edited, submitted, taken back, reviewed, approved, and put into production, one request after the other is
 * made, decided and granted, by five people and a service, each step with a person drawn by lot.
 */
#ifndef MOONGATE_TESTS_REGISTRY_RACE_H
#define MOONGATE_TESTS_REGISTRY_RACE_H

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "registry_suite.h"

#define RACERS 8
#define RACE_TEXTS 3
#define RACE_REQUESTS 4

enum race_way { RACE_CHANGES, RACE_SQL, RACE_BOTH };

struct racer {
    struct registry *r;
    uint64_t state, tried, done, refused, failed;
    unsigned number;
    enum race_way way;
};

static inline unsigned race_draw(struct racer *me, unsigned below)
{
    me->state ^= me->state << 13;
    me->state ^= me->state >> 7;
    me->state ^= me->state << 17;
    return (unsigned)((me->state >> 11) % below);
}

static inline const char *race_person(struct racer *me)
{
    static const char *const people[] = {"per_0", "per_1", "per_2", "per_3", "per_4", "per_bot"};
    return people[race_draw(me, 6)];
}

/* ---- What is tried: each a list of statements that stand or fall together. */

/* The text that is raced for: another one each 50 transactions, for an approved one is done with. */
struct race_text {
    unsigned name, patch;
};

static inline struct race_text race_pick(struct racer *me, struct buf *sql)
{
    struct race_text t = {race_draw(me, RACE_TEXTS), (unsigned)(me->tried / 50)};
    buf_printf(sql, "INSERT INTO prompt_version VALUES('p%u', 1, 0, %u, 'draft', 'b0', 'h0', NULL, 1)"
                    " ON CONFLICT DO NOTHING;", t.name, t.patch);
    return t;
}

#define RACE_KEY "name = 'p%u' AND patch = %u"

static inline void race_edit(struct racer *me, struct buf *sql, struct race_text t)
{
    unsigned hash = race_draw(me, 2);
    const char *who = race_person(me);
    buf_printf(sql, "UPDATE prompt_version SET status = 'draft' WHERE " RACE_KEY " AND status = 'review';", t.name, t.patch);
    buf_printf(sql, "UPDATE prompt_version SET body = 'b%u', sha256 = 'h%u' WHERE " RACE_KEY ";", hash, hash, t.name,
               t.patch);
    buf_printf(sql, "INSERT INTO prompt_author VALUES('p%u', 1, 0, %u, '%s') ON CONFLICT DO NOTHING;", t.name, t.patch, who);
}

static inline void race_submit(struct buf *sql, struct race_text t)
{
    buf_printf(sql, "UPDATE prompt_version SET status = 'review' WHERE " RACE_KEY " AND status = 'draft';", t.name, t.patch);
}

static inline void race_review(struct racer *me, struct buf *sql, struct race_text t)
{
    buf_printf(sql, "INSERT INTO prompt_review VALUES('p%u', 1, 0, %u, 'h%u', '%s', 'approver', 'approve', NULL, 1);",
               t.name, t.patch, race_draw(me, 2), race_person(me));
}

static inline void race_move(struct buf *sql, struct race_text t, const char *to)
{
    buf_printf(sql, "UPDATE prompt_version SET status = '%s' WHERE " RACE_KEY ";", to, t.name, t.patch);
}

static inline void race_label(struct racer *me, struct buf *sql, struct race_text t)
{
    buf_printf(sql, "DELETE FROM prompt_label WHERE name = 'p%u';", t.name);
    if (race_draw(me, 4))
        buf_printf(sql, "INSERT INTO prompt_label VALUES('p%u', 'production', 1, 0, %u, 1000, 1);", t.name, t.patch);
}

static inline void race_text(struct racer *me, struct buf *sql)
{
    struct race_text t = race_pick(me, sql);
    switch (race_draw(me, 10)) {
    case 0: race_edit(me, sql, t); return;
    case 1:
    case 2: race_submit(sql, t); return;
    case 3:
    case 4: race_review(me, sql, t); return;
    case 5: race_move(sql, t, "approved"); return;
    case 6: race_label(me, sql, t); return;
    case 7: race_move(sql, t, "archived"); return;
    case 8: /* who edits, restores and looks */
        race_edit(me, sql, t);
        race_submit(sql, t);
        race_review(me, sql, t);
        return;
    default: /* who looks and approves at once */
        race_review(me, sql, t);
        race_move(sql, t, "approved");
        return;
    }
}

static inline void race_access(struct racer *me, struct buf *sql)
{
    unsigned n = race_draw(me, RACE_REQUESTS);
    const char *who = race_person(me), *subject = race_person(me);
    switch (race_draw(me, 4)) {
    case 0:
        buf_printf(sql,
                   "INSERT INTO access_request(id, kind, subject_kind, subject, object, purpose, seconds, requested_by,"
                   " requested_at, expires_at, rule, rev) VALUES('apr_%u_%llu_%u', 'model', 'user', '%s', 'm',"
                   " 'for the tender', 600, '%s', 1, 2, 'r', 1);",
                   me->number, (unsigned long long)me->tried, n, subject, who);
        return;
    case 1:
        buf_printf(sql,
                   "INSERT INTO decision SELECT id, '%s', 'manager', 'approve', NULL, 1 FROM access_request"
                   " WHERE state = 'pending' ORDER BY id LIMIT 1;",
                   who);
        return;
    case 2:
        buf_printf(sql, "UPDATE access_request SET state = '%s' WHERE id = (SELECT min(q.id) FROM access_request q"
                        " WHERE q.state = 'pending' AND EXISTS(SELECT 1 FROM decision d WHERE d.request = q.id));",
                   race_draw(me, 4) ? "approved" : "withdrawn");
        return;
    default:
        buf_printf(sql,
                   "INSERT INTO access_grant(id, request, subject_kind, subject, object, starts_at, ends_at, granted_by,"
                   " reason, rev) SELECT 'gnt_%u_%llu', id, subject_kind, subject, object, 1000, %u, '%s', 'x', 1 FROM"
                   " access_request WHERE state = 'approved' AND NOT EXISTS(SELECT 1 FROM access_grant g"
                   " WHERE g.request = access_request.id) ORDER BY id LIMIT 1;",
                   me->number, (unsigned long long)me->tried, 1550 + race_draw(me, 100), who);
        return;
    }
}

/* ---- One process. */

static inline bool race_by_change(struct racer *me, const char *sql, struct fault *why)
{
    bool is_good = registry_begin(me->r, why) && registry_run(me->r, sql, why) &&
                   registry_commit(me->r, &suite_by, "race", SLICE("x"), NULL, NULL, why);
    return is_good || registry_abort(me->r);
}

static inline bool race_by_sql(struct racer *me, const char *sql, struct fault *why)
{
    bool is_good = registry_run(me->r, "BEGIN", why) && registry_run(me->r, sql, why) &&
                   registry_run(me->r, "COMMIT", why);
    return is_good || registry_abort(me->r);
}

static inline void race_once(struct racer *me)
{
    struct buf sql;
    struct fault why = {0};
    buf_init(&sql);
    if (race_draw(me, 3)) race_text(me, &sql);
    else race_access(me, &sql);
    buf_append_char(&sql, '\0');
    bool is_by_sql = me->way == RACE_SQL || (me->way == RACE_BOTH && race_draw(me, 2));
    bool is_good = is_by_sql ? race_by_sql(me, buf_ptr(&sql), &why) : race_by_change(me, buf_ptr(&sql), &why);
    me->tried++;
    if (is_good) me->done++;
    else if (registry_refused(me->r)) me->refused++;
    else me->failed++;
    buf_clear(&sql);
}

_Noreturn static inline void race_child(struct racer *me, struct registry *(*open_it)(void), uint64_t count)
{
    me->r = open_it();
    if (!me->r) _exit(1);
    while (me->tried < count)
        race_once(me);
    registry_close(me->r);
    _exit(0);
}

/* ---- All of them. */

static inline uint64_t race_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static inline void race_begin(struct registry *r)
{
    for (unsigned i = 0; i < 5; i++) {
        char sql[160];
        snprintf(sql, sizeof sql, PERSON("per_%u", "human"), i, i);
        suite_do(r, sql);
    }
    suite_do(r, PERSON("per_bot", "service"));
    for (unsigned i = 0; i < RACE_TEXTS; i++) {
        char sql[300];
        snprintf(sql, sizeof sql, "INSERT INTO prompt(name, owner, department, rev) VALUES('p%u', 'o', 'd', 1)", i);
        suite_do(r, sql);
    }
}

static inline void race_print(const char *name, const struct racer *racers, uint64_t seed, uint64_t ms)
{
    struct racer sum = {0};
    for (int i = 0; i < RACERS; i++) {
        sum.tried += racers[i].tried;
        sum.done += racers[i].done;
        sum.refused += racers[i].refused;
        sum.failed += racers[i].failed;
    }
    if (getenv("MOONGATE_RACE") || unit_case_failures)
        fprintf(stderr, "%s: %llu transactions by %d processes in %llu ms: %llu done, %llu refused, %llu in each other's"
                        " way; MOONGATE_SEED=%llu\n", name, (unsigned long long)sum.tried, RACERS, (unsigned long long)ms,
                (unsigned long long)sum.done, (unsigned long long)sum.refused, (unsigned long long)sum.failed,
                (unsigned long long)seed);
    EXPECT(sum.done > sum.tried / 20 && sum.refused > sum.tried / 20); /* it was a race, and not one of errors */
    EXPECT(sum.failed < sum.tried / 2);
}

static inline void race_run(const char *name, struct registry *(*open_it)(void), enum race_way way)
{
    uint64_t count = race_number("MOONGATE_RACE", 2000) / RACERS, begins = clock_wall_ns();
    uint64_t seed = race_number("MOONGATE_SEED", begins / 1000);
    struct racer *racers =
        mmap(NULL, RACERS * sizeof *racers, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[RACERS];
    struct registry *r = suite_fresh();
    race_begin(r);
    registry_close(r);
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.state = seed * RACERS + i + 1, .number = i, .way = way};
        pids[i] = fork();
        if (pids[i] == 0) race_child(&racers[i], open_it, count);
    }
    for (unsigned i = 0; i < RACERS; i++) {
        int status;
        waitpid(pids[i], &status, 0);
        EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    r = open_it();
    EXPECT_STR("", suite_check(r));
    EXPECT(strcmp("0", suite_ask(r, "SELECT count(*) FROM prompt_version WHERE status <> 'draft'", 1)) != 0);
    EXPECT(strcmp("0", suite_ask(r, "SELECT count(*) FROM access_grant", 1)) != 0);
    registry_close(r);
    race_print(name, racers, seed, (clock_wall_ns() - begins) / NS_PER_MS);
    munmap(racers, RACERS * sizeof *racers);
}

#endif
