/* Copies of the registry, the way back, and what was taken from somebody meanwhile. */
#include "ledger_kit.h"

#include <jansson.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "store/registry/backup.h"
#include "store/registry/check.h"
#include "store/registry/people.h"
#include "store/registry/registry_inner.h"

static const struct change_by by = {.actor = SLICE("kim"), .via = SLICE("cli"), .reason = SLICE("quarter end")};
static char backup[96];

static void unlink_all(void)
{
    static const char *const names[] = {"registry.db", "registry.db-wal", "registry.db-shm", "registry.db.part",
                                        "copy.db",     "copy.db.part",    "moongate.lock",   "ledger.lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[96];
        kit_path(path, names[i]);
        unlink(path);
    }
}

static struct registry *reopen(void)
{
    struct fault why = {0};
    struct registry *r = registry_open(kit_dir, &why);
    if (!r) UNIT_FAIL("%s", why.text);
    return r;
}

static struct registry *fresh(void)
{
    kit_fresh();
    unlink_all();
    kit_path(backup, "copy.db");
    return reopen();
}

static const char *ask(struct registry *r, const char *sql)
{
    static char answers[4][256];
    static unsigned turn;
    struct fault why = {0};
    char *out = answers[turn++ % 4];
    struct registry_query *q = registry_ask(r, sql, NULL, 0);
    out[0] = '\0';
    if (registry_next(q)) snprintf(out, 256, "%.*s", SLICE_FMT(registry_text(q, 0)));
    if (!registry_end(q, &why)) UNIT_FAIL("%s: %s", sql, why.text);
    return out;
}

static struct key_made make_key(struct registry *r, const char *app)
{
    struct fault why = {0};
    struct key_made made;
    if (!registry_key_create(r, &(struct key_spec){.app = slice_str(app)}, &by, &made, &why)) UNIT_FAIL("%s", why.text);
    return made;
}

static void make_person(struct registry *r, const char *subject, char id[PERSON_ID_BYTES])
{
    struct fault why = {0};
    struct person_spec spec = {.issuer = PERSON_LOCAL, .subject = slice_str(subject)};
    EXPECT(registry_person_create(r, &spec, &by, id, &why));
}

/* As the ledger process does it. */
static void put(void *arg, uint64_t number, struct slice body)
{
    (void)number;
    EXPECT_INT(LEDGER_STORED, kit_put_text(arg, CHAIN_CHANGE, NULL, body));
}

static void chain_all(struct registry *r)
{
    struct fault why = {0};
    struct ledger *l = kit_open();
    kit_begin(l);
    EXPECT(registry_changes(r, 0, 1000, put, l, &why));
    kit_commit(l);
    ledger_close(l);
    EXPECT(registry_changes_taken(r, 1000000, &why));
}

static void count_one(void *arg, const struct registry_finding *finding)
{
    (void)arg;
    UNIT_FAIL("%s: %s: %.*s", finding->rule, finding->what, SLICE_FMT(finding->object));
}

static struct registry_checked check_it(struct registry *r)
{
    struct fault why = {0};
    struct registry_checked sum;
    if (!registry_check(r, count_one, NULL, &sum, &why)) UNIT_FAIL("%s", why.text);
    return sum;
}

static void a_copy_has_every_row(void)
{
    struct fault why = {0};
    struct registry_backup about;
    struct stat st;
    char ana[PERSON_ID_BYTES], kim[PERSON_ID_BYTES];
    struct registry *r = fresh();
    make_person(r, "ana", ana);
    make_person(r, "kim", kim);
    EXPECT_INT(REGISTRY_FOUND, registry_person_merge(r, slice_str(ana), slice_str(kim), &by, &why));
    struct key_made made = make_key(r, "bot");
    struct key_rotated rotated;
    EXPECT_INT(REGISTRY_FOUND, registry_key_rotate(r, slice_str(made.id), 60, &by, &rotated, &why));
    if (!registry_backup(r, backup, &about, &why)) UNIT_FAIL("%s", why.text);
    EXPECT_INT(5, about.revision);
    EXPECT_INT(2 + 2 + 5, about.rows);
    EXPECT(stat(backup, &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_size == about.bytes);
    EXPECT(!registry_backup(r, backup, &about, &why));
    EXPECT(strstr(why.text, "is there already") != NULL);
    struct registry *copy = registry_open_reader_file(backup, &why);
    json_t *of_it = registry_keys(r, &why), *of_copy = registry_keys(copy, &why);
    EXPECT(json_equal(of_it, of_copy) && json_array_size(of_copy) == 2);
    json_decref(of_it);
    json_decref(of_copy);
    EXPECT_INT(5, check_it(copy).revision);
    registry_close(copy);
    registry_close(r);
}

/* The list of tables that are copied is the schema's. */
static void no_table_is_forgotten(void)
{
    size_t count = 0;
    char said[32];
    struct registry *r = fresh();
    while (registry_table(count))
        count++;
    snprintf(said, sizeof said, "%zu", count);
    EXPECT_STR(said, ask(r, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT IN('meta', 'rev')"
                            " AND name NOT LIKE 'sqlite_%'"));
    registry_close(r);
}

struct lost {
    unsigned count;
    char last[128];
};

static void on_lost(void *arg, struct slice time, struct slice action, struct slice target)
{
    struct lost *lost = arg;
    EXPECT(time.len > 0);
    lost->count++;
    snprintf(lost->last, sizeof lost->last, "%.*s %.*s", SLICE_FMT(action), SLICE_FMT(target));
}

static void a_restored_one_revives_nothing(void)
{
    struct fault why = {0};
    struct registry_backup about;
    struct lost lost = {0};
    struct registry_restoring how = {.is_forced = true, .by = &by, .on_lost = on_lost, .arg = &lost};
    char ana[PERSON_ID_BYTES], kim[PERSON_ID_BYTES], lee[PERSON_ID_BYTES];
    struct registry *r = fresh();
    make_person(r, "ana", ana);
    make_person(r, "kim", kim);
    make_person(r, "lee", lee);
    struct role_spec role = {slice_str(ana), SLICE("admin"), SLICE("*"), slice_str(kim), 0};
    EXPECT(registry_role_give(r, &role, &by, &why));
    struct key_made kept = make_key(r, "kept"), revoked = make_key(r, "revoked"), rotated = make_key(r, "rotated");
    chain_all(r);
    EXPECT(registry_backup(r, backup, &about, &why));
    struct key_rotated next;
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, slice_str(revoked.id), false, &by, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_key_rotate(r, slice_str(rotated.id), 60, &by, &next, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_person_disable(r, slice_str(lee), 0, &by, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_role_take(r, &role, &by, &why));
    struct key_made late = make_key(r, "late");
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, slice_str(late.id), false, &by, &why));
    chain_all(r);
    int64_t before = check_it(r).revision, epoch = check_it(r).epoch;
    registry_close(r);
    if (!registry_restore(kit_dir, backup, &how, &about, &why)) UNIT_FAIL("%s", why.text);
    EXPECT_INT(2, lost.count); /* the late key, and its end */
    EXPECT_INT(2, about.lost);
    EXPECT_INT(4, about.replayed);
    char said[128];
    snprintf(said, sizeof said, "keys.revoke %s", late.id);
    EXPECT_STR(said, lost.last);
    r = reopen();
    EXPECT(check_it(r).revision > before && check_it(r).epoch == epoch + 1);
    EXPECT_STR("kept,rotated", ask(r, "SELECT group_concat(app) FROM (SELECT app FROM credential"
                                      " WHERE revoked_at IS NULL ORDER BY made)"));
    EXPECT_STR("rotated", ask(r, "SELECT app FROM credential WHERE expires_at IS NOT NULL"));
    EXPECT_STR(lee, ask(r, "SELECT id FROM person WHERE disabled_at IS NOT NULL"));
    EXPECT_STR("0", ask(r, "SELECT count(*) FROM role_grant"));
    EXPECT_STR("5", ask(r, "SELECT count(*) FROM event WHERE chained = 0")); /* the restoring, and what it did again */
    (void)kept;
    registry_close(r);
}

static void it_is_refused_where_it_would_do_harm(void)
{
    struct fault why = {0};
    struct registry_backup about;
    struct registry_restoring how = {.by = &by, .on_lost = on_lost};
    struct registry *r = fresh();
    make_key(r, "bot");
    EXPECT(registry_backup(r, backup, &about, &why));
    registry_close(r);
    EXPECT(!registry_restore(kit_dir, backup, &how, &about, &why));
    EXPECT(strstr(why.text, "--yes") != NULL);
    how.is_forced = true;
    EXPECT(!registry_restore(kit_dir, "/nonexistent/copy.db", &how, &about, &why));
    r = registry_open_file(backup, &why);
    EXPECT(registry_run(r, "DROP TRIGGER event_kept; DELETE FROM event", &why));
    registry_close(r);
    EXPECT(!registry_restore(kit_dir, backup, &how, &about, &why));
    EXPECT(strstr(why.text, "1 findings") != NULL && strstr(why.text, "V5") != NULL);
    r = reopen();
    EXPECT_STR("1", ask(r, "SELECT count(*) FROM event")); /* the one that is there stays as it was */
    registry_close(r);
}

int main(void)
{
    RUN(a_copy_has_every_row);
    RUN(no_table_is_forgotten);
    RUN(a_restored_one_revives_nothing);
    RUN(it_is_refused_where_it_would_do_harm);
    unlink_all();
    kit_end();
    return unit_close("registry_backup");
}
