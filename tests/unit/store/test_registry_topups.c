/* Top-ups in the registry: made and ended with their notes, listed, and handed to workers. */
#include "../unit.h"

#include <jansson.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "store/registry/registry.h"
#include "store/topups.h"

#define USD INT64_C(1000000000)

static char dir[64];
static const struct change_by by = {
    .actor = SLICE("kim"), .via = SLICE("cli"), .reason = SLICE("quarter end, ticket 4711"), .uid = 7};

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

static void path_of(char path[96], const char *name)
{
    snprintf(path, 96, "%s/%s", dir, name);
}

static void remove_files(void)
{
    static const char *const names[] = {"registry.db", "registry.db-wal", "registry.db-shm"};
    char path[96];
    for (size_t i = 0; dir[0] && i < 3; i++) {
        path_of(path, names[i]);
        unlink(path);
    }
    if (dir[0]) EXPECT_INT(0, rmdir(dir));
    dir[0] = '\0';
}

static void fresh_folder(void)
{
    remove_files();
    snprintf(dir, sizeof dir, "/tmp/moongate-topups-XXXXXX");
    if (!mkdtemp(dir)) exit(1);
}

static struct registry *reopen(void)
{
    struct fault why = {0};
    struct registry *r = registry_open(dir, &why);
    if (!r) UNIT_FAIL("%s", why.text);
    return r;
}

static struct registry *fresh(void)
{
    fresh_folder();
    return reopen();
}

static void run_sql(const char *sql)
{
    char path[96];
    sqlite3 *db;
    path_of(path, "registry.db");
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    char *said = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &said) != SQLITE_OK) UNIT_FAIL("%s: %s", sql, said);
    sqlite3_free(said);
    sqlite3_close(db);
}

static struct topup_spec sales(int64_t nano)
{
    return (struct topup_spec){SLICE("budget/sales"), SLICE("department=sales"), nano, now_s() + 1000};
}

static struct topup_made make(struct registry *r, int64_t nano)
{
    struct fault why = {0};
    struct topup_made made = {.id = ""};
    struct topup_spec spec = sales(nano);
    if (!registry_topup_create(r, &spec, &by, &made, &why)) UNIT_FAIL("%s", why.text);
    return made;
}

/* As workers get them. NULL: it was said why. */
static struct topups *handed_over(struct registry *r)
{
    struct fault why = {0};
    struct buf bytes;
    buf_init(&bytes);
    bool is_good = registry_section(r, SECTION_TOPUPS, now_s(), &bytes, &why);
    struct topups *topups = is_good ? topups_copy(buf_slice(&bytes), &why) : NULL;
    if (!topups) UNIT_FAIL("%s", why.text);
    buf_clear(&bytes);
    return topups;
}

/* What workers would add now. */
static int64_t added(struct registry *r, struct slice budget, struct slice scope)
{
    struct topups *topups = handed_over(r);
    int64_t nano = topups ? topups_now(topups, budget, scope, now_s()).nano : -1;
    topups_unref(topups);
    return nano;
}

static int64_t added_to_sales(struct registry *r)
{
    return added(r, SLICE("budget/sales"), SLICE("department=sales"));
}

struct seen {
    unsigned count;
    json_t *all;
};

static void on_change(void *arg, uint64_t number, struct slice body)
{
    struct seen *s = arg;
    (void)number;
    s->count++;
    json_array_append_new(s->all, json_loadb(body.ptr, body.len, 0, NULL));
}

static struct seen look(struct registry *r)
{
    struct fault why = {0};
    struct seen s = {.all = json_array()};
    if (!registry_changes(r, 0, 1000000, on_change, &s, &why)) UNIT_FAIL("%s", why.text);
    return s;
}

static unsigned notes(struct registry *r)
{
    struct seen s = look(r);
    json_decref(s.all);
    return s.count;
}

static json_t *member(const struct seen *s, unsigned i, const char *part, const char *name)
{
    return json_object_get(json_object_get(json_array_get(s->all, i), part), name);
}

static const char *text_of(const struct seen *s, unsigned i, const char *name)
{
    const char *text = json_string_value(json_object_get(json_array_get(s->all, i), name));
    return text ? text : "";
}

/* ---- */

static void it_is_made_handed_out_listed_and_ended(void)
{
    struct fault why = {0};
    struct topup_ended ended;
    struct registry *r = fresh();
    EXPECT_INT(0, added_to_sales(r));
    struct topup_made first = make(r, 100 * USD), second = make(r, 20 * USD);
    EXPECT(strncmp(first.id, "topup_", 6) == 0 && strlen(first.id) == TOPUP_ID_BYTES - 1);
    EXPECT(strcmp(first.id, second.id) != 0);
    EXPECT_INT(0, first.before_nano);
    EXPECT_INT(100 * USD, second.before_nano);
    EXPECT_INT(120 * USD, added_to_sales(r));
    EXPECT_INT(0, added(r, SLICE("budget/sales"), SLICE("department=support")));
    EXPECT_INT(0, added(r, SLICE("other/sales"), SLICE("department=sales")));

    json_t *list = registry_topups(r, &why);
    EXPECT_INT(2, json_array_size(list));
    json_t *one = json_array_get(list, 0);
    EXPECT_STR(first.id, json_string_value(json_object_get(one, "id")));
    EXPECT_STR("budget/sales", json_string_value(json_object_get(one, "budget")));
    EXPECT_STR("department=sales", json_string_value(json_object_get(one, "scope")));
    EXPECT_STR("quarter end, ticket 4711", json_string_value(json_object_get(one, "reason")));
    EXPECT_STR("kim", json_string_value(json_object_get(one, "by")));
    EXPECT_INT(100 * USD, json_integer_value(json_object_get(one, "nano")));
    EXPECT_INT(first.created_at, json_integer_value(json_object_get(one, "starts_at")));
    EXPECT_INT(0, json_integer_value(json_object_get(one, "ended_at")));
    json_decref(list);

    EXPECT_INT(REGISTRY_MISSING, registry_topup_end(r, SLICE("topup_none"), &by, &ended, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_topup_end(r, slice_str(first.id), &by, &ended, &why));
    EXPECT(!ended.was_over && ended.nano == 100 * USD && ended.ended_at >= first.created_at);
    EXPECT_INT(20 * USD, added_to_sales(r));
    EXPECT_INT(REGISTRY_FOUND, registry_topup_end(r, slice_str(first.id), &by, &ended, &why));
    EXPECT(ended.was_over);
    registry_close(r);
    r = reopen();
    EXPECT_INT(20 * USD, added_to_sales(r));
    registry_close(r);
}

static void each_change_says_who_what_and_why(void)
{
    struct fault why = {0};
    struct topup_ended ended;
    struct registry *r = fresh();
    make(r, 5 * USD);
    struct topup_made made = make(r, 100 * USD);
    EXPECT_INT(REGISTRY_FOUND, registry_topup_end(r, slice_str(made.id), &by, &ended, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_topup_end(r, slice_str(made.id), &by, &ended, &why)); /* changes nothing */
    struct seen s = look(r);
    EXPECT_INT(3, s.count);
    EXPECT_STR("topup.create", text_of(&s, 1, "action"));
    EXPECT_STR("topup.end", text_of(&s, 2, "action"));
    for (unsigned i = 1; i < 3; i++) {
        EXPECT_STR(made.id, text_of(&s, i, "target"));
        EXPECT_STR("kim", text_of(&s, i, "actor"));
        EXPECT_STR("quarter end, ticket 4711", text_of(&s, i, "reason"));
    }
    EXPECT_STR("budget/sales", json_string_value(member(&s, 1, "after", "budget")));
    EXPECT_STR("department=sales", json_string_value(member(&s, 1, "after", "scope")));
    EXPECT_INT(100 * USD, json_integer_value(member(&s, 1, "after", "amount_nano")));
    EXPECT_INT(5 * USD, json_integer_value(member(&s, 1, "before", "added_nano")));
    EXPECT_INT(105 * USD, json_integer_value(member(&s, 1, "after", "added_nano")));
    EXPECT_INT(ended.ends_at, json_integer_value(member(&s, 1, "after", "ends_at")));
    EXPECT_INT(ended.ends_at, json_integer_value(member(&s, 2, "before", "ends_at")));
    EXPECT_INT(ended.ended_at, json_integer_value(member(&s, 2, "after", "ended_at")));
    json_decref(s.all);
    registry_close(r);
}

static void refused(struct registry *r, const struct topup_spec *spec, struct slice reason, const char *word)
{
    struct fault why = {0};
    struct topup_made made;
    struct change_by who = by;
    who.reason = reason;
    if (registry_topup_create(r, spec, &who, &made, &why) || !strstr(why.text, word)) UNIT_FAIL("%s: %s", word, why.text);
}

static void what_cannot_be_one_is_refused(void)
{
    static char wide[LIMIT_TOPUP_NAME_BYTES + 1];
    struct registry *r = fresh();
    struct topup_spec spec = sales(USD);
    memset(wide, 'a', sizeof wide);
    refused(r, &spec, SLICE(""), "needs a reason");
    refused(r, &spec, slice_of(wide, LIMIT_REASON_BYTES + 1), "longer than 500");
    refused(r, &spec, SLICE("   "), "visible");
    refused(r, &spec, SLICE("a\nb"), "visible");
    refused(r, &spec, SLICE("a\tb"), "visible");
    refused(r, &spec, SLICE("a\x1b[2Jb"), "visible");
    refused(r, &spec, SLICE("a\xe2\x80\xae""b"), "visible"); /* turns the direction of writing */
    refused(r, &spec, SLICE("a\xff"), "visible");
    spec = sales(0);
    refused(r, &spec, by.reason, "adds something");
    spec = sales(-USD);
    refused(r, &spec, by.reason, "adds something");
    spec = sales(LIMIT_TOPUP_NANO + 1);
    refused(r, &spec, by.reason, "at most 4,000,000 USD");
    spec = sales(USD);
    spec.ends_at = now_s();
    refused(r, &spec, by.reason, "over already");
    spec.ends_at = now_s() + (int64_t)LIMIT_TOPUP_S + 1000;
    refused(r, &spec, by.reason, "more than 400 days");
    spec = sales(USD);
    spec.budget = SLICE("");
    refused(r, &spec, by.reason, "no budget");
    spec.budget = slice_of(wide, sizeof wide);
    refused(r, &spec, by.reason, "longer than 4096");
    spec = sales(USD);
    spec.scope = SLICE("user=\xff");
    refused(r, &spec, by.reason, "UTF-8");
    spec.scope = slice_of(wide, sizeof wide);
    refused(r, &spec, by.reason, "longer than 4096");
    EXPECT_INT(0, notes(r));
    registry_close(r);
}

static void together_they_have_a_bound(void)
{
    struct fault why = {0};
    struct topup_ended ended;
    struct registry *r = fresh();
    struct topup_made first = make(r, USD);
    struct topup_spec spec = sales(LIMIT_TOPUP_NANO);
    refused(r, &spec, by.reason, "more than 4,000,000 USD");
    make(r, LIMIT_TOPUP_NANO - USD);
    spec = sales(1);
    refused(r, &spec, by.reason, "more than 4,000,000 USD");
    spec.scope = SLICE(""); /* another's is another's */
    struct topup_made made;
    EXPECT(registry_topup_create(r, &spec, &by, &made, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_topup_end(r, slice_str(first.id), &by, &ended, &why));
    make(r, USD); /* what has ended takes no room */
    registry_close(r);
}

static void so_many_are_live_and_no_more(void)
{
    struct registry *r = fresh();
    run_sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"
            "INSERT INTO topup(id, budget, scope, nano, reason, made_by, created_at, starts_at, ends_at, ended_at, made, rev)"
            " SELECT 'topup_' || i, 'b/r', 'user=' || i, 1, 'x', 'kim', 1, 1, iif(i > 1250, 2, 99999999999),"
            " iif(i <= 250, 5, NULL), 0, 0 FROM n");
    struct topup_spec spec = sales(USD);
    refused(r, &spec, by.reason, "1000 top-ups are live");
    EXPECT_INT(1, added(r, SLICE("b/r"), SLICE("user=1250")));
    EXPECT_INT(0, added(r, SLICE("b/r"), SLICE("user=250")));  /* was ended */
    EXPECT_INT(0, added(r, SLICE("b/r"), SLICE("user=1251"))); /* has ended */
    struct fault why = {0};
    struct topup_ended ended;
    EXPECT_INT(REGISTRY_FOUND, registry_topup_end(r, SLICE("topup_1251"), &by, &ended, &why));
    EXPECT(ended.was_over && ended.ended_at == 2);
    EXPECT_INT(REGISTRY_FOUND, registry_topup_end(r, SLICE("topup_300"), &by, &ended, &why));
    EXPECT(!ended.was_over);
    make(r, USD);
    registry_close(r);
}

/* Nothing is done that could not be noted. */
static void a_change_and_its_note_are_one(void)
{
    struct fault why = {0};
    struct topup_ended ended;
    struct registry *r = fresh();
    struct topup_made made = make(r, USD);
    run_sql("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'no room'); END");
    struct topup_spec spec = sales(USD);
    refused(r, &spec, by.reason, "no room");
    EXPECT_INT(REGISTRY_FAILED, registry_topup_end(r, slice_str(made.id), &by, &ended, &why));
    EXPECT(strstr(why.text, "no room") != NULL);
    EXPECT_INT(USD, added_to_sales(r));
    run_sql("DROP TRIGGER full");
    EXPECT_INT(REGISTRY_FOUND, registry_topup_end(r, slice_str(made.id), &by, &ended, &why));
    EXPECT_INT(0, added_to_sales(r));
    EXPECT_INT(2, notes(r));
    registry_close(r);
}

_Noreturn static void make_and_end(void)
{
    struct fault why;
    struct registry *r = registry_open(dir, &why);
    for (;;) {
        struct topup_made made;
        struct topup_ended ended;
        struct topup_spec spec = sales(1);
        if (!r || !registry_topup_create(r, &spec, &by, &made, &why)) _exit(1);
        registry_topup_end(r, slice_str(made.id), &by, &ended, &why);
    }
}

/* Killed at any moment, in the midst of what it does. */
static void who_is_killed_leaves_both_or_neither(void)
{
    registry_close(fresh());
    for (int round = 0; round < 25; round++) {
        struct registry *r = reopen();
        unsigned before = notes(r);
        pid_t pid = fork();
        if (pid == 0) make_and_end();
        while (notes(r) < before + 2 && waitpid(pid, NULL, WNOHANG) == 0) /* it is at work */
            continue;
        EXPECT_INT(0, kill(pid, SIGKILL));
        waitpid(pid, NULL, 0);
        registry_close(r);
    }
    struct registry *r = reopen();
    struct seen s = look(r);
    int64_t made = 0, ended = 0;
    for (unsigned i = 0; i < s.count; i++) {
        made += strcmp("topup.create", text_of(&s, i, "action")) == 0;
        ended += strcmp("topup.end", text_of(&s, i, "action")) == 0;
    }
    struct fault why = {0};
    json_t *list = registry_topups(r, &why), *one;
    size_t i;
    EXPECT_INT(made, json_array_size(list));
    json_array_foreach(list, i, one)
        ended -= json_integer_value(json_object_get(one, "ended_at")) != 0;
    EXPECT_INT(0, ended);
    json_decref(list);
    json_decref(s.all);
    registry_close(r);
}

/* Each of two commands sees what the other did. */
static void two_at_once_do_not_exceed_the_bound(void)
{
    enum { CHILDREN = 4 };
    pid_t children[CHILDREN];
    struct registry *r = fresh();
    registry_close(r);
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct fault why;
            struct topup_made made;
            struct registry *mine = registry_open(dir, &why);
            struct topup_spec spec = sales(LIMIT_TOPUP_NANO / 2 - 1);
            _exit(mine && registry_topup_create(mine, &spec, &by, &made, &why) ? 0 : 1);
        }
    }
    int good = 0, status;
    for (int i = 0; i < CHILDREN; i++) {
        waitpid(children[i], &status, 0);
        good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    EXPECT_INT(2, good);
    r = reopen();
    EXPECT_INT(LIMIT_TOPUP_NANO - 2, added_to_sales(r));
    registry_close(r);
}

/* As version 3 made it, with keys and with what the ledger has not taken. */
static void an_older_file_is_brought_up_to_date(void)
{
    fresh_folder();
    run_sql("CREATE TABLE keys(id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, tail TEXT NOT NULL, attributes TEXT NOT"
            " NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL,"
            " ends_requests INTEGER NOT NULL DEFAULT 0, successor TEXT NOT NULL DEFAULT '') STRICT;"
            "CREATE TABLE changes(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, taken INTEGER"
            " NOT NULL DEFAULT 0) STRICT;"
            "CREATE INDEX changes_new ON changes(number) WHERE taken = 0;"
            "INSERT INTO keys VALUES('key_old', '5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592',"
            " 'tail', '{\"app\":\"bot\"}', 1, 0, 0, 0, '');"
            "INSERT INTO changes VALUES(7, 'chg_1', '{\"action\":\"keys.create\"}', 0);"
            "PRAGMA user_version = 3");
    struct fault why = {0};
    for (int64_t i = 0; i < 2; i++) {
        struct registry *r = reopen();
        json_t *keys = registry_keys(r, &why);
        EXPECT_INT(1, json_array_size(keys));
        json_decref(keys);
        EXPECT_INT(i * USD, added_to_sales(r));
        make(r, USD);
        EXPECT_INT(2 + i, notes(r));
        struct topups *topups = handed_over(r);
        EXPECT_INT(i + 1, topups ? (int64_t)topups_count(topups) : -1);
        topups_unref(topups);
        registry_close(r);
    }
}

int main(void)
{
    RUN(it_is_made_handed_out_listed_and_ended);
    RUN(each_change_says_who_what_and_why);
    RUN(what_cannot_be_one_is_refused);
    RUN(together_they_have_a_bound);
    RUN(so_many_are_live_and_no_more);
    RUN(a_change_and_its_note_are_one);
    RUN(who_is_killed_leaves_both_or_neither);
    RUN(two_at_once_do_not_exceed_the_bound);
    RUN(an_older_file_is_brought_up_to_date);
    remove_files();
    return unit_close("registry_topups");
}
