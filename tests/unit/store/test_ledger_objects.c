/* Objects that providers keep, in the ledger: with the record that tells of them, through restarts, until they end. */
#include "ledger_kit.h"

#include "store/ledger/objects.h"
#include "store/ledger/schema.h"
#include "wire/kept.h"

#define NOW 1748952000ull /* KIT_TIME */

static void put(struct ledger *l, uint64_t n, const char *objects)
{
    struct buf body;
    uint8_t id[16];
    buf_init(&body);
    kit_id(id, n);
    kit_body(&body, n, KIT_TIME);
    body.end--;
    buf_printf(&body, ",\"objects\":%s}", objects);
    EXPECT_INT(LEDGER_STORED, kit_put_text(l, CHAIN_EXCHANGE, id, buf_slice(&body)));
    buf_clear(&body);
}

static void put_one(struct ledger *l, uint64_t n, const char *objects)
{
    kit_begin(l);
    put(l, n, objects);
    kit_commit(l);
}

/* Its account; 0: unknown. */
static uint64_t find_at(struct ledger *l, const char *owner, const char *id, uint64_t now)
{
    struct owned_key key;
    struct owned found = {0};
    owned_key(&key, slice_str(owner), slice_str(id));
    enum ledger_found is = ledger_find_object(l, &key, now, &found);
    EXPECT(is != LEDGER_OBJECT_UNREAD);
    return is == LEDGER_OBJECT_FOUND ? found.account : 0;
}

static uint64_t find(struct ledger *l, const char *owner, const char *id)
{
    return find_at(l, owner, id, NOW);
}

#define MADE(id, until)                                                                                                \
    "{\"owner\":\"app:a\",\"made\":[{\"kind\":\"response\",\"id\":\"" id "\",\"account\":\"east\",\"until\":" until    \
    "}]}"

static void what_was_made_is_known_after_a_restart(void)
{
    uint64_t east = owned_account(SLICE("east"));
    kit_fresh();
    struct ledger *l = kit_open();
    put_one(l, 1, MADE("resp_1", "1748952010"));
    EXPECT(find(l, "app:a", "resp_1") == east);
    ledger_close(l);
    l = kit_open();
    EXPECT(find(l, "app:a", "resp_1") == east);
    EXPECT_INT(0, find(l, "app:b", "resp_1"));
    EXPECT_INT(0, find(l, "app:a", "resp_2"));
    EXPECT_INT(0, find_at(l, "app:a", "resp_1", NOW + 10));
    put_one(l, 2, "{\"owner\":\"app:b\",\"gone\":[\"resp_1\"]}"); /* is not his */
    EXPECT(find(l, "app:a", "resp_1") == east);
    put_one(l, 3, "{\"owner\":\"app:a\",\"gone\":[\"resp_1\"]}");
    EXPECT_INT(0, find(l, "app:a", "resp_1"));
    ledger_close(l);
}

static void what_was_rolled_back_was_not_made(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    kit_begin(l);
    put(l, 1, MADE("resp_1", "1748952010"));
    ledger_rollback(l);
    EXPECT_INT(0, find(l, "app:a", "resp_1"));
    ledger_close(l);
}

/* ---- Lists. */

static void on_object(void *arg, struct slice id, int64_t made_s)
{
    struct buf *ids = arg;
    EXPECT_INT((long long)NOW, made_s);
    buf_printf(ids, "%.*s ", SLICE_FMT(id));
}

/* The ids in their order, or "?": `after` is none of the owner's. */
static void expect_page(struct ledger *l, const struct ledger_page *page, const char *after, const char *want)
{
    struct buf ids;
    struct owned_key key;
    struct ledger_page asked = *page;
    owned_key(&key, page->owner, slice_str(after));
    if (*after) asked.after = &key;
    buf_init(&ids);
    enum ledger_found found = ledger_list_objects(l, &asked, NOW, on_object, &ids);
    EXPECT(found != LEDGER_OBJECT_UNREAD);
    if (found == LEDGER_OBJECT_UNKNOWN) buf_append_char(&ids, '?');
    EXPECT_SLICE(slice_str(want), buf_slice(&ids));
    buf_clear(&ids);
}

static void put_file(struct ledger *l, uint64_t n, const char *owner, const char *kind, const char *id, int until)
{
    char objects[200];
    snprintf(objects, sizeof objects,
             "{\"owner\":\"%s\",\"made\":[{\"kind\":\"%s\",\"id\":\"%s\",\"account\":\"e\",\"until\":%d}]}",
             owner, kind, id, until);
    put_one(l, n, objects);
}

static void own_ones_are_listed_in_pages(void)
{
    struct ledger_page page = {.owner = SLICE("app:a"), .kind = KEPT_FILE, .limit = 2};
    kit_fresh();
    struct ledger *l = kit_open();
    expect_page(l, &page, "", "");
    put_file(l, 1, "app:a", "file", "f_1", NOW + 10);
    put_file(l, 2, "app:a", "batch", "b_1", NOW + 10);
    put_file(l, 3, "app:b", "file", "f_other", NOW + 10);
    put_file(l, 4, "app:a", "file", "f_2", NOW + 10);
    put_file(l, 5, "app:a", "file", "f_3", NOW + 10);
    put_file(l, 6, "app:a", "file", "f_4", NOW + 10);
    put_file(l, 7, "app:a", "file", "f_1", NOW + 20); /* is told of again: it keeps its place */
    put_one(l, 8, "{\"owner\":\"app:a\",\"gone\":[\"f_3\"]}");
    expect_page(l, &page, "", "f_4 f_2 f_1 ");
    expect_page(l, &page, "f_2", "f_1 ");
    expect_page(l, &page, "f_1", "");
    expect_page(l, &page, "f_3", "?");
    expect_page(l, &page, "f_other", "?");
    expect_page(l, &page, "b_1", "?");
    page.is_ascending = true;
    page.limit = 1;
    expect_page(l, &page, "", "f_1 f_2 ");
    expect_page(l, &page, "f_2", "f_4 ");
    page.kind = KEPT_BATCH;
    expect_page(l, &page, "", "b_1 ");
    page.owner = SLICE("app:b");
    expect_page(l, &page, "", "");
    ledger_close(l);
}

static void of_one_record_each_is_listed_once(void)
{
    struct ledger_page page = {.owner = SLICE("app:a"), .kind = KEPT_FILE, .limit = 1};
    char both[64] = "";
    kit_fresh();
    struct ledger *l = kit_open();
    put_one(l, 1, "{\"owner\":\"app:a\",\"made\":["
                  "{\"kind\":\"file\",\"id\":\"f_1\",\"account\":\"e\",\"until\":1748952010},"
                  "{\"kind\":\"file\",\"id\":\"f_2\",\"account\":\"e\",\"until\":1748952010},"
                  "{\"kind\":\"file\",\"id\":\"f_over\",\"account\":\"e\",\"until\":1748952000}]}");
    struct owned_key one, two;
    owned_key(&one, SLICE("app:a"), SLICE("f_1"));
    owned_key(&two, SLICE("app:a"), SLICE("f_2"));
    bool is_one_first = memcmp(&one, &two, sizeof one) > 0;
    snprintf(both, sizeof both, "%s", is_one_first ? "f_1 f_2 " : "f_2 f_1 ");
    expect_page(l, &page, "", both);
    expect_page(l, &page, is_one_first ? "f_1" : "f_2", is_one_first ? "f_2 " : "f_1 ");
    expect_page(l, &page, is_one_first ? "f_2" : "f_1", "");
    ledger_close(l);
}

static long long rows(struct ledger *l)
{
    sqlite3_stmt *q;
    sqlite3_prepare_v2(ledger_connection(l), "SELECT count(*) FROM objects", -1, &q, NULL);
    sqlite3_step(q);
    long long count = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return count;
}

static void what_is_over_goes(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    for (uint64_t n = 0; n < 6; n++) {
        char objects[160];
        snprintf(objects, sizeof objects,
                 "{\"owner\":\"app:a\",\"made\":[{\"kind\":\"file\",\"id\":\"f_%d\",\"account\":\"e\",\"until\":%d}]}",
                 (int)n, 1000 + (int)n);
        put_one(l, n, objects);
    }
    EXPECT_INT(0, rows(l));
    ledger_close(l);
}

/* Whatever stands there: a record is stored, and what is no object makes none. */
static void nonsense_makes_nothing(void)
{
    static const char *const bodies[] = {
        "null", "[]", "7", "{}", "{\"made\":7,\"gone\":{}}", "{\"made\":[7,null,{}],\"gone\":[7,null]}",
        "{\"owner\":7,\"made\":[{\"kind\":\"response\",\"id\":7,\"account\":\"e\",\"until\":9999999999}]}",
        "{\"owner\":\"app:a\",\"made\":[{\"kind\":\"nothing\",\"id\":\"x\",\"account\":\"e\",\"until\":9999999999}]}",
        "{\"owner\":\"app:a\",\"made\":[{\"kind\":\"file\",\"id\":\"x\",\"account\":\"\",\"until\":9999999999}]}"};
    kit_fresh();
    struct ledger *l = kit_open();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        put_one(l, i, bodies[i]);
    EXPECT_INT(0, rows(l));
    ledger_close(l);
}

static void a_file_of_before_is_brought_up_to_date(void)
{
    char path[96];
    sqlite3 *db;
    kit_fresh();
    struct ledger *l = kit_open();
    ledger_close(l);
    kit_path(path, "ledger.db");
    EXPECT_INT(SQLITE_OK, sqlite3_open(path, &db));
    EXPECT_INT(SQLITE_OK, sqlite3_exec(db, "DROP TABLE objects; PRAGMA user_version = 3", NULL, NULL, NULL));
    sqlite3_close(db);
    l = kit_open();
    put_one(l, 1, MADE("resp_1", "1748952010"));
    EXPECT(find(l, "app:a", "resp_1") == owned_account(SLICE("east")));
    ledger_close(l);
}

int main(void)
{
    RUN(what_was_made_is_known_after_a_restart);
    RUN(what_was_rolled_back_was_not_made);
    RUN(own_ones_are_listed_in_pages);
    RUN(of_one_record_each_is_listed_once);
    RUN(what_is_over_goes);
    RUN(nonsense_makes_nothing);
    RUN(a_file_of_before_is_brought_up_to_date);
    kit_end();
    return unit_close("ledger objects");
}
