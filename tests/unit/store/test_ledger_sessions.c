/* What a ledger's file is known by in a fleet's counters: one name for it and its copies, another for another file. */
#include "base/limits.h"
#include "ledger_kit.h"
#include "store/ledger_sessions.h"

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

static const char *sessions(struct ledger *l)
{
    static char text[512];
    struct buf all;
    buf_init(&all);
    EXPECT(ledger_sessions_each(ledger_connection(l), on_session, &all));
    snprintf(text, sizeof text, "%.*s", SLICE_FMT(buf_slice(&all)));
    buf_clear(&all);
    return text;
}

static bool cleared(struct ledger *l, const char *session, int64_t now_s)
{
    return ledger_sessions_cleared(ledger_connection(l), session, now_s);
}

static void sessions_are_kept_for_a_day_after_they_were_cleared_away(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    EXPECT(ledger_sessions_keep(ledger_connection(l), "gw-1-aa") && ledger_sessions_keep(ledger_connection(l), "gw-1-bb"));
    EXPECT(ledger_sessions_keep(ledger_connection(l), "gw-1-aa"));
    ledger_close(l);
    l = kit_open();
    EXPECT_STR("gw-1-aa;gw-1-bb;", sessions(l));
    EXPECT(cleared(l, "gw-1-aa", 1000000) && cleared(l, "x", 1000000));
    EXPECT_STR("gw-1-bb;gw-1-aa;", sessions(l));
    EXPECT(cleared(l, "gw-1-aa", 1000000 + 86400)); /* once more, which does not count */
    EXPECT_STR("gw-1-bb;gw-1-aa;", sessions(l));
    EXPECT(cleared(l, "gw-1-aa", 1000000 + 86401));
    EXPECT_STR("gw-1-bb;", sessions(l));
    ledger_close(l);
}

static void of_many_that_were_cleared_away_the_last_are_kept(void)
{
    kit_fresh();
    struct ledger *l = kit_open();
    char name[16];
    struct buf wanted;
    buf_init(&wanted);
    buf_append(&wanted, SLICE("never;"));
    EXPECT(ledger_sessions_keep(ledger_connection(l), "never"));
    for (int i = 100; i < 140; i++) {
        snprintf(name, sizeof name, "s%d", i);
        EXPECT(ledger_sessions_keep(ledger_connection(l), name) && cleared(l, name, 1000000 + i));
        if (i >= 140 - LIMIT_COUNTERS_SESSIONS) buf_printf(&wanted, "%s;", name);
    }
    EXPECT_SLICE(buf_slice(&wanted), slice_str(sessions(l)));
    buf_clear(&wanted);
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
    RUN(sessions_are_kept_for_a_day_after_they_were_cleared_away);
    RUN(of_many_that_were_cleared_away_the_last_are_kept);
    RUN(names_are_letters_and_nobody_elses);
    kit_end();
    return unit_close("ledger_sessions");
}
