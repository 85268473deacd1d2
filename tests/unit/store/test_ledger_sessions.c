/* What a ledger's file is known by in a fleet's counters: one name for it and its copies, another for another file. */
#include "ledger_kit.h"
#include "store/ledger/sessions.h"

static void source_of(struct ledger *l, char source[LEDGER_SOURCE_BYTES])
{
    memset(source, 0, LEDGER_SOURCE_BYTES);
    EXPECT(ledger_sessions_source(ledger_connection(l), source));
    EXPECT_INT(LEDGER_SOURCE_BYTES - 1, strspn(source, "0123456789abcdef"));
}

static void put_one(struct ledger *l, uint64_t n)
{
    kit_begin(l);
    EXPECT_INT(LEDGER_STORED, kit_put(l, n));
    kit_commit(l);
}

static void a_file_has_one_name(void)
{
    char first[LEDGER_SOURCE_BYTES], again[LEDGER_SOURCE_BYTES];
    kit_fresh();
    struct ledger *l = kit_open();
    source_of(l, first);
    put_one(l, 1);
    source_of(l, again);
    EXPECT_STR(first, again);
    ledger_close(l);
    l = kit_open();
    source_of(l, again);
    EXPECT_STR(first, again);
    ledger_close(l);
    kit_fresh();
    l = kit_open();
    source_of(l, again);
    EXPECT(strcmp(first, again) != 0);
    ledger_close(l);
}

/* A backup from before anybody had asked for the name is put back. */
static void copies_have_the_same_name(void)
{
    char first[LEDGER_SOURCE_BYTES], again[LEDGER_SOURCE_BYTES];
    kit_fresh();
    struct ledger *l = kit_open();
    put_one(l, 1);
    source_of(l, first);
    EXPECT_INT(SQLITE_OK, sqlite3_exec(ledger_connection(l), "DELETE FROM meta WHERE k = 'counters.source'", NULL, NULL,
                                       NULL));
    put_one(l, 2);
    source_of(l, again);
    EXPECT_STR(first, again);
    ledger_close(l);
}

static void on_session(void *arg, const char *session)
{
    struct buf *all = arg;
    buf_printf(all, "%s;", session);
}

static const char *sessions(struct ledger *l, bool is_all)
{
    static char text[256];
    struct buf all;
    buf_init(&all);
    EXPECT(ledger_sessions_each(ledger_connection(l), is_all, on_session, &all));
    snprintf(text, sizeof text, "%.*s", SLICE_FMT(buf_slice(&all)));
    buf_clear(&all);
    return text;
}

static void sessions_are_kept_until_they_are_forgotten(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    EXPECT(ledger_sessions_keep(ledger_connection(l), "gw-1-aa") && ledger_sessions_keep(ledger_connection(l), "gw-1-bb"));
    EXPECT(ledger_sessions_keep(ledger_connection(l), "gw-1-aa"));
    ledger_close(l);
    l = kit_open();
    EXPECT_STR("gw-1-aa;gw-1-bb;", sessions(l, false));
    EXPECT(ledger_sessions_clear(ledger_connection(l), "gw-1-aa", 1000) &&
           ledger_sessions_clear(ledger_connection(l), "x", 1000));
    EXPECT_STR("gw-1-bb;", sessions(l, false));
    EXPECT_STR("gw-1-bb;gw-1-aa;", sessions(l, true));
    EXPECT(ledger_sessions_forget(ledger_connection(l), 1000));
    EXPECT_STR("gw-1-bb;gw-1-aa;", sessions(l, true));
    EXPECT(ledger_sessions_forget(ledger_connection(l), 1001));
    EXPECT_STR("gw-1-bb;", sessions(l, true));
    ledger_close(l);
}

static void names_are_letters_and_nobody_elses(void)
{
    char one[64], other[64];
    ledger_sessions_name("gw.1 ü/a-very-long-name-of-a-gateway", one, sizeof one);
    ledger_sessions_name("gw.1 ü/a-very-long-name-of-a-gateway", other, sizeof other);
    EXPECT_INT(0, strncmp("gw-1----a-very-long-name-", one, 24));
    EXPECT_INT(strlen(one), strspn(one, "abcdefghijklmnopqrstuvwxyz0123456789-"));
    EXPECT(strcmp(one, other) != 0);
    ledger_sessions_name("", one, sizeof one);
    EXPECT_INT(17, strlen(one));
}

int main(void)
{
    RUN(a_file_has_one_name);
    RUN(copies_have_the_same_name);
    RUN(sessions_are_kept_until_they_are_forgotten);
    RUN(names_are_letters_and_nobody_elses);
    kit_end();
    return unit_close("ledger_sessions");
}
