/*
 * What every engine of the registry does alike: changes, refusals, people and roles. The file that includes it says how
 * one is made: suite_fresh() (empty), suite_reopen() (the same again, a second time beside it).
 */
#ifndef MOONGATE_TESTS_REGISTRY_SUITE_H
#define MOONGATE_TESTS_REGISTRY_SUITE_H

#include "registry_suite_kit.h"

/* ---- Changes. */

static void a_change_is_one_revision_and_one_event(void)
{
    struct fault why = {0};
    struct registry *r = suite_fresh();
    EXPECT_STR("0|0", suite_ask(r, "SELECT rev, (SELECT count(*) FROM event) FROM rev", 2));
    EXPECT(registry_begin(r, &why));
    EXPECT_INT(1, registry_rev(r));
    json_t *after = json_pack("{s:s}", "a", "ü");
    EXPECT(registry_commit(r, &suite_by, "test.do", SLICE("thing"), NULL, after, &why));
    EXPECT_STR("1|k\"im|1000|gw-1|cli|test.do|thing|ticket 4711||{\"a\":\"ü\"}||0",
               suite_ask(r,
                         "SELECT rev, actor, uid, host, via, action, object, reason, before, after, rules, chained"
                         " FROM event",
                         12));
    int64_t epoch = 0, rev = 0;
    EXPECT(registry_moment(r, &epoch, &rev, &why));
    EXPECT(epoch > 1 && rev == 1);
    registry_set_rules(r, SLICE("9d0c41"));
    EXPECT(registry_begin(r, &why) && registry_commit(r, &suite_by, "test.do", SLICE("b"), NULL, NULL, &why));
    EXPECT_STR("2|9d0c41", suite_ask(r, "SELECT rev, rules FROM event ORDER BY rev DESC LIMIT 1", 2));
    registry_close(r);
}

static void what_is_taken_back_leaves_no_revision(void)
{
    struct fault why = {0};
    struct registry *r = suite_fresh();
    EXPECT(registry_begin(r, &why));
    EXPECT(registry_run(r, PERSON("per_ana", "human"), &why));
    EXPECT(!registry_abort(r));
    EXPECT_STR("0|0|0",
               suite_ask(r, "SELECT rev, (SELECT count(*) FROM event), (SELECT count(*) FROM person) FROM rev", 3));
    EXPECT(!registry_abort(r)); /* again: nothing is under way */
    suite_people(r);
    EXPECT_STR("exists", suite_try(r, PERSON("per_ana", "human")));
    EXPECT_STR("4|4", suite_ask(r, "SELECT rev, (SELECT count(*) FROM event) FROM rev", 2));
    registry_close(r);
}

static void values_come_back_as_they_went(void)
{
    static const uint8_t digest[] = {0, 1, 0xff, '\'', 0};
    struct fault why = {0};
    struct registry *r = suite_fresh();
    EXPECT(registry_begin(r, &why));
    EXPECT(REGISTRY_DO(r, &why,
                       "INSERT INTO credential(id, kind, digest, tail, person, fields, created_at, made, rev)"
                       " VALUES(?, 'data', ?, '?', ?, ?, ?, ?, ?)",
                       value_str("key_a"), value_blob(digest, sizeof digest), value_null(), value_str("{\"a\":\"ü'\"}"),
                       value_int(INT64_MIN), value_int(INT64_MAX), value_rev(r)));
    EXPECT(registry_commit(r, &suite_by, "test", SLICE("x"), NULL, NULL, &why));
    struct registry_query *q = REGISTRY_ASK(
        r, "SELECT digest, tail, person, fields, created_at, made, rev FROM credential WHERE id = ?", value_str("key_a"));
    EXPECT(registry_next(q));
    EXPECT_SLICE(slice_of((const char *)digest, sizeof digest), registry_text(q, 0));
    EXPECT_SLICE(SLICE("?"), registry_text(q, 1));
    EXPECT(registry_is_null(q, 2) && registry_text(q, 2).len == 0 && registry_int(q, 2) == 0);
    EXPECT_SLICE(SLICE("{\"a\":\"ü'\"}"), registry_text(q, 3));
    EXPECT(!registry_is_null(q, 4) && registry_int(q, 4) == INT64_MIN && registry_int(q, 5) == INT64_MAX);
    EXPECT_INT(1, registry_int(q, 6));
    EXPECT(!registry_next(q));
    EXPECT(registry_end(q, &why));
    registry_close(r);
}

/* Each of two sees what the other has committed; who changes nothing does not wait. */
static void a_second_one_sees_what_was_committed(void)
{
    struct fault why = {0};
    struct registry *r = suite_fresh(), *other = suite_reopen();
    EXPECT(registry_begin(r, &why) && registry_run(r, PERSON("per_ana", "human"), &why));
    EXPECT_STR("0", suite_ask(other, "SELECT count(*) FROM person", 1));
    EXPECT(registry_commit(r, &suite_by, "test", SLICE("x"), NULL, NULL, &why));
    EXPECT_STR("1", suite_ask(other, "SELECT count(*) FROM person", 1));
    EXPECT(registry_read_begin(other, &why));
    EXPECT_STR("1", suite_ask(other, "SELECT rev FROM rev", 1));
    suite_do(r, PERSON("per_kim", "human"));
    EXPECT_STR("1|1", suite_ask(other, "SELECT rev, (SELECT count(*) FROM person) FROM rev", 2)); /* one moment */
    EXPECT(registry_read_end(other, true, &why));
    EXPECT_STR("2|2", suite_ask(other, "SELECT rev, (SELECT count(*) FROM person) FROM rev", 2));
    registry_close(other);
    registry_close(r);
}

static inline void suite_told(void *arg, struct slice action, struct slice object)
{
    char *all = arg;
    size_t len = strlen(all);
    snprintf(all + len, 128 - len, "%.*s %.*s;", SLICE_FMT(action), SLICE_FMT(object));
}

static void who_is_behind_is_told_what_was_changed(void)
{
    char all[128] = "";
    bool is_far = true;
    int64_t rev = 0;
    struct fault why = {0};
    struct registry *r = suite_fresh();
    suite_people(r);
    EXPECT_INT(REGISTRY_FOUND, registry_person_disable(r, SLICE("per_ana"), 0, &suite_by, &why));
    EXPECT(registry_read_begin(r, &why) && registry_since(r, 3, suite_told, all, &is_far, &rev, &why) &&
           registry_read_end(r, true, &why));
    EXPECT_STR("test x;people.disable per_ana;", all);
    EXPECT(!is_far && rev == 5);
    EXPECT(registry_since(r, 5, suite_told, all, &is_far, &rev, &why) && !is_far);
    EXPECT_STR("test x;people.disable per_ana;", all);
    EXPECT(registry_since(r, 6, suite_told, all, &is_far, &rev, &why) && is_far); /* another epoch's */
    EXPECT(registry_since(r, 5 - REGISTRY_BEHIND - 1, suite_told, all, &is_far, &rev, &why) && is_far);
    registry_close(r);
}

/* ---- Killed in the midst of it. */

_Noreturn static inline void suite_change_on(void)
{
    struct registry *r = suite_reopen();
    for (;;) {
        struct fault why;
        struct key_made made;
        struct key_rotated rotated;
        if (!r || !registry_key_create(r, &(struct key_spec){.app = SLICE("bot")}, &suite_by, &made, &why)) _exit(1);
        if (registry_key_rotate(r, slice_str(made.id), 60, &suite_by, &rotated, &why) != REGISTRY_FOUND) _exit(1);
    }
}

static inline int64_t suite_revision(struct registry *r)
{
    int64_t epoch, rev = 0;
    struct fault why = {0};
    if (!registry_moment(r, &epoch, &rev, &why)) UNIT_FAIL("%s", why.text);
    return rev;
}

static void who_is_killed_leaves_revision_and_events_that_agree(void)
{
    struct registry *r = suite_fresh();
    for (int round = 0; round < 20; round++) {
        int64_t before = suite_revision(r);
        pid_t pid = fork();
        if (pid == 0) suite_change_on();
        while (suite_revision(r) < before + 1 + round % 4 && waitpid(pid, NULL, WNOHANG) == 0)
            continue;
        EXPECT_INT(0, kill(pid, SIGKILL));
        waitpid(pid, NULL, 0);
        EXPECT(suite_revision(r) > before);
        EXPECT_STR("", suite_check(r));
    }
    /* Each key that was rotated has one successor, and each making and rotating its event. */
    EXPECT_STR("0", suite_ask(r,
                              "SELECT (SELECT count(*) FROM credential) - (SELECT count(*) FROM event WHERE action IN("
                              "'keys.create', 'keys.rotate'))",
                              1));
    registry_close(r);
}

/* ---- Refusals, each by SQL past all functions. */

#define VERSION(status) "INSERT INTO prompt_version VALUES('p', 1, 0, 0, '" status "', 'b', 'h', NULL, 1)"
#define AUTHOR(who) "INSERT INTO prompt_author VALUES('p', 1, 0, 0, '" who "')"
#define REVIEW(who, sha) "INSERT INTO prompt_review VALUES('p', 1, 0, 0, '" sha "', '" who "', 'approver', 'approve', NULL, 1)"
#define MOVE(to) "UPDATE prompt_version SET status = '" to "'"
#define LABEL(label, share) "INSERT INTO prompt_label VALUES('p', '" label "', 1, 0, 0, " share ", 1)"

static void texts_are_under_four_eyes(void)
{
    struct registry *r = suite_fresh();
    suite_people(r);
    suite_do(r, "INSERT INTO prompt(name, owner, department, rev) VALUES('p', 'o', 'd', 1)");
    EXPECT_STR("not_a_draft", suite_try(r, VERSION("approved")));
    suite_do(r, VERSION("draft"));
    suite_do(r, AUTHOR("per_ana"));
    EXPECT_STR("unknown", suite_try(r, AUTHOR("per_nobody")));
    EXPECT_STR("stale_review", suite_try(r, REVIEW("per_kim", "h"))); /* not submitted yet */
    EXPECT_STR("illegal_move", suite_try(r, MOVE("approved")));
    suite_do(r, MOVE("review"));
    EXPECT_STR("immutable", suite_try(r, AUTHOR("per_lee")));
    EXPECT_STR("immutable", suite_try(r, "UPDATE prompt_version SET body = 'c'"));
    EXPECT_STR("immutable", suite_try(r, "DELETE FROM prompt_author"));
    EXPECT_STR("immutable", suite_try(r, "UPDATE prompt_author SET person = 'per_lee'"));
    EXPECT_STR("not_reviewed", suite_try(r, MOVE("approved")));
    EXPECT_STR("self_approval", suite_try(r, REVIEW("per_ana", "h")));
    EXPECT_STR("not_human", suite_try(r, REVIEW("per_bot", "h")));
    EXPECT_STR("stale_review", suite_try(r, REVIEW("per_kim", "g")));
    EXPECT_STR("not_approved", suite_try(r, LABEL("production", "1000")));
    suite_do(r, REVIEW("per_kim", "h"));
    EXPECT_STR("exists", suite_try(r, REVIEW("per_kim", "h")));
    EXPECT_STR("immutable", suite_try(r, "UPDATE prompt_review SET verdict = 'reject'"));
    EXPECT_STR("immutable", suite_try(r, "DELETE FROM prompt_review"));
    suite_do(r, MOVE("approved"));
    EXPECT_STR("invalid", suite_try(r, LABEL("production", "0")));
    suite_do(r, LABEL("production", "600"));
    EXPECT_STR("immutable", suite_try(r, "UPDATE prompt_label SET share = 1000"));
    EXPECT_STR("in_production", suite_try(r, MOVE("revoked")));
    EXPECT_STR("immutable", suite_try(r, "DELETE FROM prompt_version"));
    EXPECT_STR("immutable", suite_try(r, "UPDATE prompt_version SET patch = 9"));
    suite_do(r, "DELETE FROM prompt_label");
    suite_do(r, MOVE("archived"));
    EXPECT_STR("illegal_move", suite_try(r, MOVE("draft")));
    registry_close(r);
}

static void shares_of_a_label_are_no_more_than_all(void)
{
    struct registry *r = suite_fresh();
    suite_do(r, LABEL("staging", "600"));
    EXPECT_STR("shares", suite_try(r, "INSERT INTO prompt_label VALUES('p', 'staging', 2, 0, 0, 401, 1)"));
    suite_do(r, "INSERT INTO prompt_label VALUES('p', 'staging', 2, 0, 0, 400, 1)");
    registry_close(r);
}

/* Who was merged is the same person, before it and after. */
static void a_merged_person_is_not_somebody_else(void)
{
    struct fault why = {0};
    struct registry *r = suite_fresh();
    suite_people(r);
    suite_do(r, "INSERT INTO prompt(name, owner, department, rev) VALUES('p', 'o', 'd', 1)");
    suite_do(r, VERSION("draft"));
    suite_do(r, AUTHOR("per_ana"));
    suite_do(r, MOVE("review"));
    suite_do(r, REVIEW("per_kim", "h"));
    EXPECT_INT(REGISTRY_FOUND, registry_person_merge(r, SLICE("per_ana"), SLICE("per_kim"), &suite_by, &why));
    EXPECT_STR("not_reviewed", suite_try(r, MOVE("approved"))); /* pending decisions are judged again */
    EXPECT_STR("immutable", suite_try(r, "UPDATE person SET same_as = NULL WHERE id = 'per_ana'"));
    suite_do(r, REVIEW("per_lee", "h"));
    suite_do(r, MOVE("approved"));
    EXPECT_INT(REGISTRY_FAILED, registry_person_merge(r, SLICE("per_ana"), SLICE("per_lee"), &suite_by, &why));
    EXPECT_INT(REGISTRY_IMMUTABLE, registry_refused(r));
    EXPECT_INT(REGISTRY_MISSING, registry_person_merge(r, SLICE("per_lee"), SLICE("per_none"), &suite_by, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_person_merge(r, SLICE("per_kim"), SLICE("per_lee"), &suite_by, &why));
    EXPECT_STR("per_lee", suite_ask(r, "SELECT who FROM identity WHERE id = 'per_ana'", 1)); /* who followed him */
    char id[PERSON_ID_BYTES] = "";
    EXPECT_INT(REGISTRY_FOUND, registry_person_find(r, SLICE("local"), SLICE("per_ana"), id, &why));
    EXPECT_STR("per_lee", id);
    registry_close(r);
}

#define REQUEST(id, subject, by)                                                                                       \
    "INSERT INTO access_request(id, kind, subject_kind, subject, object, purpose, seconds, requested_by, requested_at,"  \
    " expires_at, rule, rev) VALUES('" id "', 'model', 'user', '" subject "', 'm', 'for the tender', 600, '" by         \
    "', 1, 2, 'r', 1)"
#define DECIDE(id, who) "INSERT INTO decision VALUES('" id "', '" who "', 'manager', 'approve', NULL, 1)"
#define GRANT(id, request, ends)                                                                                       \
    "INSERT INTO access_grant(id, request, subject_kind, subject, object, starts_at, ends_at, granted_by, reason, rev)" \
    " VALUES('" id "', '" request "', 'user', 'per_lee', 'm', 1000, " ends ", 'per_kim', 'x', 1)"

static void access_is_under_four_eyes(void)
{
    struct registry *r = suite_fresh();
    suite_people(r);
    EXPECT_STR("unknown", suite_try(r, REQUEST("apr_0", "per_lee", "per_none")));
    suite_do(r, REQUEST("apr_1", "per_lee", "per_ana"));
    EXPECT_STR("not_decided", suite_try(r, GRANT("gnt_1", "apr_1", "1600")));
    EXPECT_STR("self_approval", suite_try(r, DECIDE("apr_1", "per_ana"))); /* who asked */
    EXPECT_STR("self_approval", suite_try(r, DECIDE("apr_1", "per_lee"))); /* who would get it */
    EXPECT_STR("not_human", suite_try(r, DECIDE("apr_1", "per_bot")));
    EXPECT_STR("immutable", suite_try(r, "UPDATE access_request SET subject = 'per_kim'"));
    suite_do(r, DECIDE("apr_1", "per_kim"));
    EXPECT_STR("not_decided", suite_try(r, GRANT("gnt_1", "apr_1", "1600"))); /* one line of several may be met */
    suite_do(r, "UPDATE access_request SET state = 'approved'");
    EXPECT_STR("not_decided", suite_try(r, GRANT("gnt_1", "apr_1", "1601"))); /* longer than was asked */
    suite_do(r, GRANT("gnt_1", "apr_1", "1600"));
    EXPECT_STR("exists", suite_try(r, GRANT("gnt_2", "apr_1", "1600")));
    EXPECT_STR("not_pending", suite_try(r, "INSERT INTO decision VALUES('apr_1', 'per_kim', 'legal', 'deny', NULL, 1)"));
    EXPECT_STR("not_pending", suite_try(r, "UPDATE access_request SET state = 'denied'"));
    EXPECT_STR("immutable", suite_try(r, "UPDATE access_grant SET ends_at = ends_at + 1"));
    suite_do(r, "UPDATE access_grant SET ends_at = ends_at - 1");
    suite_do(r, "UPDATE access_grant SET revoked_at = 7");
    EXPECT_STR("immutable", suite_try(r, "UPDATE access_grant SET revoked_at = NULL"));
    EXPECT_STR("immutable", suite_try(r, "DELETE FROM access_grant"));
    EXPECT_STR("invalid", suite_try(r, "INSERT INTO access_request SELECT 'apr_2', kind, subject_kind, subject, object,"
                                       " '  short  ', seconds, requested_by, 1, 2, 'pending', rule, 1 FROM access_request"));
    registry_close(r);
}

#define GLASS(id, ends, reason)                                                                                        \
    "INSERT INTO access_grant(id, subject_kind, subject, object, starts_at, ends_at, granted_by, is_break_glass,"       \
    " reason, rev) VALUES('" id "', 'user', 'per_ana', 'm', 1000, " ends ", 'per_ana', 1, '" reason "', 1)"

static void break_glass_is_short_has_a_reason_and_is_closed_by_another(void)
{
    struct registry *r = suite_fresh();
    suite_people(r);
    EXPECT_STR("invalid", suite_try(r, GLASS("gnt_1", "4601", "production is down")));
    EXPECT_STR("invalid", suite_try(r, GLASS("gnt_1", "4600", "down")));
    suite_do(r, GLASS("gnt_1", "4600", "production is down"));
    EXPECT_STR("self_approval", suite_try(r, "UPDATE access_grant SET closed_by = 'per_ana'"));
    EXPECT_STR("not_human", suite_try(r, "UPDATE access_grant SET closed_by = 'per_bot'"));
    suite_do(r, "UPDATE access_grant SET closed_by = 'per_kim'");
    EXPECT_STR("immutable", suite_try(r, "UPDATE access_grant SET closed_by = 'per_lee'"));
    registry_close(r);
}

static void nothing_is_forgotten(void)
{
    struct registry *r = suite_fresh();
    suite_people(r);
    EXPECT_STR("immutable", suite_try(r, "DELETE FROM event"));
    EXPECT_STR("immutable", suite_try(r, "UPDATE event SET actor = 'somebody'"));
    EXPECT_STR("immutable", suite_try(r, "DELETE FROM person"));
    EXPECT_STR("immutable", suite_try(r, "UPDATE person SET kind = 'human'"));
    EXPECT_STR("immutable", suite_try(r, "UPDATE rev SET rev = rev - 2"));
    suite_do(r, "INSERT INTO credential(id, kind, digest, tail, fields, created_at, made, rev)"
                " SELECT 'key_a', 'data', digest, 't', '{}', 1, 1, 1 FROM (SELECT CAST('abc' AS " SUITE_BLOB
                ") AS digest) AS d");
    EXPECT_STR("immutable", suite_try(r, "DELETE FROM credential"));
    suite_do(r, "UPDATE credential SET revoked_at = 5");
    EXPECT_STR("immutable", suite_try(r, "UPDATE credential SET revoked_at = NULL"));
    registry_close(r);
}

/* ---- The check. */

/* What triggers refuse, written by who took them away. */
static inline void suite_break(struct registry *r, const char *trigger, const char *table, const char *sql)
{
    char text[256];
    snprintf(text, sizeof text, SUITE_DROP_TRIGGER, trigger, table);
    suite_do(r, text);
    suite_do(r, sql);
}

static void the_check_finds_what_nobody_should_have_written(void)
{
    struct registry *r = suite_fresh();
    suite_people(r);
    suite_do(r, "INSERT INTO prompt(name, owner, department, rev) VALUES('p', 'o', 'd', 1)");
    suite_do(r, VERSION("draft"));
    suite_do(r, AUTHOR("per_ana"));
    suite_do(r, MOVE("review"));
    EXPECT_STR("", suite_check(r));
    suite_break(r, "version_approved", "prompt_version", MOVE("approved"));
    EXPECT_STR("V1 p@1.0.0", suite_check(r));
    suite_break(r, "review_rules", "prompt_review", REVIEW("per_ana", "h"));
    EXPECT_STR("V1 p@1.0.0", suite_check(r)); /* his own does not count */
    suite_do(r, REVIEW("per_kim", "h"));
    EXPECT_STR("", suite_check(r));
    registry_close(r);
    r = suite_fresh();
    suite_do(r, LABEL("staging", "1000"));
    EXPECT_STR("", suite_check(r));
    suite_break(r, "label_rules", "prompt_label", LABEL("production", "400"));
    EXPECT_STR("V2 p@1.0.0, V2 p@production", suite_check(r));
    registry_close(r);
    r = suite_fresh();
    suite_people(r);
    suite_do(r, REQUEST("apr_1", "per_lee", "per_ana"));
    suite_break(r, "grant_rules", "access_grant", GRANT("gnt_1", "apr_1", "1601"));
    EXPECT_STR("V3 gnt_1, V4 gnt_1", suite_check(r));
    suite_break(r, "decision_rules", "decision", DECIDE("apr_1", "per_lee"));
    EXPECT_STR("V3 gnt_1, V4 gnt_1, V7 apr_1", suite_check(r));
    suite_break(r, "event_kept", "event", "DELETE FROM event WHERE rev = 3");
    EXPECT_STR("V3 gnt_1, V4 gnt_1, V5 4, V7 apr_1", suite_check(r));
    registry_close(r);
}

/* Who was somebody else when he decided, and is not any more. */
static void the_check_sees_who_is_the_same(void)
{
    struct fault why = {0};
    struct registry *r = suite_fresh();
    suite_people(r);
    suite_do(r, "INSERT INTO role_grant VALUES('per_lee', 'admin', '*', 'per_kim', 1, NULL, 1)");
    EXPECT_STR("", suite_check(r));
    EXPECT_INT(REGISTRY_FOUND, registry_person_merge(r, SLICE("per_lee"), SLICE("per_kim"), &suite_by, &why));
    EXPECT_STR("V7 per_lee admin *", suite_check(r));
    registry_close(r);
}

/* ---- People and roles. */

static void people_are_made_found_and_disabled(void)
{
    struct fault why = {0};
    char id[PERSON_ID_BYTES], again[PERSON_ID_BYTES];
    struct registry *r = suite_fresh();
    struct person_spec ana = {.issuer = SLICE("https://id"), .subject = SLICE("ana"), .name = SLICE("Ana"),
                              .department = SLICE("claims")};
    EXPECT(registry_person_create(r, &ana, &suite_by, id, &why));
    EXPECT(strncmp(id, "per_", 4) == 0 && strlen(id) == PERSON_ID_BYTES - 1);
    EXPECT(!registry_person_create(r, &ana, &suite_by, again, &why));
    EXPECT_INT(REGISTRY_EXISTS, registry_refused(r));
    EXPECT_INT(REGISTRY_FOUND, registry_person_find(r, SLICE("https://id"), SLICE("ana"), again, &why));
    EXPECT_STR(id, again);
    EXPECT_INT(REGISTRY_MISSING, registry_person_find(r, SLICE("https://id"), SLICE("kim"), again, &why));
    EXPECT_INT(REGISTRY_FAILED, registry_person_disable(r, slice_str(id), 99, &suite_by, &why));
    EXPECT_INT(REGISTRY_STALE, registry_refused(r));
    EXPECT_INT(REGISTRY_FOUND, registry_person_disable(r, slice_str(id), 1, &suite_by, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_person_disable(r, slice_str(id), 0, &suite_by, &why)); /* changes nothing */
    EXPECT_STR("2|people.disable", suite_ask(r, "SELECT rev, action FROM event ORDER BY rev DESC LIMIT 1", 2));
    EXPECT_INT(REGISTRY_FOUND, registry_person_enable(r, slice_str(id), 2, &suite_by, &why));
    EXPECT_INT(REGISTRY_MISSING, registry_person_enable(r, SLICE("per_none"), 0, &suite_by, &why));
    EXPECT_STR("3", suite_ask(r, "SELECT rev FROM rev", 1));
    registry_close(r);
}

static bool holds(struct registry *r, const char *person, const char *role, const char *department, int64_t now_s)
{
    bool is_held = false;
    struct fault why = {0};
    EXPECT(registry_role_is_held(r, slice_str(person), slice_str(role), slice_str(department), now_s, &is_held, &why));
    return is_held;
}

static void roles_are_given_by_somebody_else_and_end(void)
{
    struct fault why = {0};
    struct registry *r = suite_fresh();
    suite_people(r);
    struct role_spec role = {SLICE("per_ana"), SLICE("approver"), SLICE("claims"), SLICE("per_ana"), 1000};
    EXPECT(!registry_role_give(r, &role, &suite_by, &why));
    EXPECT_INT(REGISTRY_SELF_APPROVAL, registry_refused(r));
    role.given_by = SLICE("per_bot");
    EXPECT(!registry_role_give(r, &role, &suite_by, &why));
    EXPECT_INT(REGISTRY_NOT_HUMAN, registry_refused(r));
    role.given_by = SLICE("per_kim");
    EXPECT(registry_role_give(r, &role, &suite_by, &why));
    EXPECT(!registry_role_give(r, &role, &suite_by, &why));
    EXPECT_INT(REGISTRY_EXISTS, registry_refused(r));
    EXPECT(holds(r, "per_ana", "approver", "claims", 999) && !holds(r, "per_ana", "approver", "claims", 1000));
    EXPECT(!holds(r, "per_ana", "approver", "sales", 999) && !holds(r, "per_ana", "admin", "claims", 999));
    EXPECT_STR("immutable", suite_try(r, "UPDATE role_grant SET ends_at = NULL"));
    struct role_spec wide = {SLICE("per_lee"), SLICE("admin"), SLICE("*"), SLICE("per_kim"), 0};
    EXPECT(registry_role_give(r, &wide, &suite_by, &why));
    EXPECT(holds(r, "per_lee", "admin", "claims", 1) && holds(r, "per_lee", "admin", "", 1));
    EXPECT_INT(REGISTRY_FOUND, registry_person_disable(r, SLICE("per_lee"), 0, &suite_by, &why));
    EXPECT(!holds(r, "per_lee", "admin", "claims", 1));
    json_t *people = registry_people(r, SLICE_NONE, &why);
    EXPECT_INT(4, json_array_size(people));
    json_t *roles = json_object_get(json_array_get(people, 0), "roles"); /* per_ana is the first of them */
    EXPECT_INT(1, json_array_size(roles));
    EXPECT_STR("claims", json_string_value(json_object_get(json_array_get(roles, 0), "scope")));
    json_decref(people);
    EXPECT_INT(REGISTRY_FOUND, registry_role_take(r, &role, &suite_by, &why));
    EXPECT_INT(REGISTRY_MISSING, registry_role_take(r, &role, &suite_by, &why));
    EXPECT(!holds(r, "per_ana", "approver", "claims", 999));
    registry_close(r);
}

/* ---- What the checklist goes by. */

static void sums_of_evidence_are_of_what_is_there(void)
{
    struct fault why = {0};
    struct registry *r = suite_fresh();
    suite_people(r);
    EXPECT(registry_note(r, &suite_by, "audit.verify", SLICE("ledger"), json_pack("{s:s}", "state", "intact"), &why));
    EXPECT(registry_note(r, &suite_by, "audit.verify", SLICE("ledger"), json_pack("{s:s}", "state", "tampered"), &why));
    struct key_spec spec = {.app = SLICE("bot"), .department = SLICE("research")};
    struct key_made made;
    EXPECT(registry_key_create(r, &spec, &suite_by, &made, &why));
    json_t *facts = registry_evidence(r, 0, registry_now_s(), &why);
    EXPECT(facts);
    json_t *keys = json_object_get(facts, "keys"), *events = json_object_get(facts, "events");
    EXPECT_INT(1, json_integer_value(json_object_get(keys, "live")));
    EXPECT_INT(1, json_integer_value(json_object_get(keys, "unowned")));
    EXPECT_INT(1, json_integer_value(json_object_get(keys, "endless")));
    EXPECT_STR(made.id, json_string_value(json_array_get(json_object_get(keys, "sample"), 0)));
    EXPECT_INT(1, json_array_size(events)); /* the newest of each */
    EXPECT_STR("tampered", json_string_value(json_object_get(json_object_get(json_array_get(events, 0), "after"),
                                                             "state")));
    EXPECT_INT(0, json_integer_value(json_object_get(facts, "revokes_waiting")));
    json_decref(facts);
    registry_close(r);
}

static inline void suite_run(void)
{
    RUN(a_change_is_one_revision_and_one_event);
    RUN(what_is_taken_back_leaves_no_revision);
    RUN(values_come_back_as_they_went);
    RUN(a_second_one_sees_what_was_committed);
    RUN(who_is_behind_is_told_what_was_changed);
    RUN(who_is_killed_leaves_revision_and_events_that_agree);
    RUN(texts_are_under_four_eyes);
    RUN(shares_of_a_label_are_no_more_than_all);
    RUN(a_merged_person_is_not_somebody_else);
    RUN(access_is_under_four_eyes);
    RUN(break_glass_is_short_has_a_reason_and_is_closed_by_another);
    RUN(nothing_is_forgotten);
    RUN(the_check_finds_what_nobody_should_have_written);
    RUN(the_check_sees_who_is_the_same);
    RUN(people_are_made_found_and_disabled);
    RUN(roles_are_given_by_somebody_else_and_end);
    RUN(sums_of_evidence_are_of_what_is_there);
}

#endif
