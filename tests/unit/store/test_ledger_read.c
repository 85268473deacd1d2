/* The ledger read beside its writer: pages, single requests, sums, and files that are missing, damaged or locked away. */
#include "../unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "ledger_made.h"
#include "store/anchor/anchor.h"
#include "store/ledger/read.h"

#define REQUESTS 20

static sqlite3 *db;
static char folder[64];

/* Requests 1 to 20, of which each third is of Sales and each fifth denied; 21 a change, 22 an intent, 23 a loss. */
static void make(void)
{
    char set[256], body[256];
    db = made_open(folder);
    for (int seq = 1; seq <= REQUESTS; seq++) {
        bool is_denied = seq % 5 == 0;
        snprintf(set, sizeof set, "department = '%s', cost_nano = %d, input_tokens = 10, model = 'm%d', unpriced = %d",
                 seq % 3 ? "Support" : "Sales", seq * 1000, seq % 2, seq == 7);
        snprintf(body, sizeof body, "{\"id\":\"%d\"%s}", seq,
                 is_denied ? ",\"decision\":{\"reason\":\"Too late at night\"}" : "");
        made_entry(db, seq, CHAIN_EXCHANGE, body);
        made_request(db, seq, is_denied ? "denied" : "ok", set);
    }
    made_entry(db, 21, CHAIN_CHANGE, "{\"time\":\"2026-11-01T00:00:21.000Z\",\"actor\":\"kim\",\"action\":\"key.create\"}");
    made_entry(db, 22, CHAIN_INTENT, "{\"time\":\"2026-11-01T00:00:22.000Z\"}");
    made_run(db, "INSERT INTO intents VALUES(x'0199f3a27c4170008100000000000016', 22, x'00', 1)");
    made_entry(db, 23, CHAIN_LOSS, "{\"time\":\"2026-11-01T00:00:23.000Z\",\"count\":3}");
}

static struct ledger_read *open_ledger(void)
{
    struct fault why = {0};
    struct ledger_read *l = ledger_read_open(folder, &why);
    if (!l) UNIT_FAIL("%s", why.text);
    return l;
}

/* What was visited, as "23 21 20 …"; stops after `most`. */
struct seen {
    struct buf text;
    int count, most;
};

static bool see(void *arg, const struct ledger_row *row)
{
    struct seen *seen = arg;
    buf_printf(&seen->text, "%s%d", buf_len(&seen->text) ? " " : "", (int)row->seq);
    return ++seen->count != seen->most;
}

static void expect_page(const char *wanted, struct ledger_read *l, const char *where, struct ledger_page *page, int most)
{
    struct seen seen = {.most = most};
    struct fault why = {0};
    struct ledger_filter *filter = ledger_filter_new();
    buf_init(&seen.text);
    EXPECT(!where || ledger_filter_add(filter, slice_str(where), &why));
    EXPECT(ledger_read_page(l, filter, page, see, &seen, &why));
    EXPECT_STR("", why.text);
    EXPECT_SLICE(slice_str(wanted), buf_slice(&seen.text));
    buf_clear(&seen.text);
    ledger_filter_free(filter);
}

static void pages_follow_one_another(void)
{
    struct ledger_read *l = open_ledger();
    struct ledger_page page = {.limit = 8};
    if (!l) return;
    expect_page("20 19 18 17 16 15 14 13", l, NULL, &page, 0);
    EXPECT(!page.is_over);
    expect_page("12 11 10 9 8 7 6 5", l, NULL, &page, 0);
    expect_page("4 3 2 1", l, NULL, &page, 0);
    EXPECT(page.is_over);
    page = (struct ledger_page){.limit = 3, .is_oldest_first = true};
    expect_page("1 2 3", l, NULL, &page, 0);
    expect_page("4", l, NULL, &page, 1);
    EXPECT(!page.is_over);
    expect_page("6 9 12", l, "department:Sales", &page, 0);
    ledger_read_close(l);
}

static void with_bodies_all_kinds_come_but_intents(void)
{
    struct ledger_read *l = open_ledger();
    struct ledger_page page = {.limit = 4, .has_bodies = true}, all = {.has_bodies = true, .has_all = true, .next = 20};
    if (!l) return;
    expect_page("23 21 20 19", l, NULL, &page, 0);
    page = (struct ledger_page){.has_bodies = true};
    expect_page("22", l, "kind:intent", &page, 0);
    page = (struct ledger_page){.has_bodies = true};
    expect_page("21", l, "actor:k*", &page, 0);
    page = (struct ledger_page){.has_bodies = true};
    expect_page("23 21", l, "!kind:exchange,import,intent", &page, 0);
    page = (struct ledger_page){.has_bodies = true, .is_oldest_first = true};
    expect_page("5 10 15 20", l, "late AT", &page, 0);
    all.is_oldest_first = true;
    expect_page("21 22 23", l, NULL, &all, 0);
    ledger_read_close(l);
}

static bool keep_id(void *arg, const struct ledger_row *row)
{
    snprintf(arg, 64, "%d %s %s %.*s", (int)row->seq, chain_kind_name(row->kind), row->id, SLICE_FMT(row->body));
    return true;
}

static void a_request_is_found_by_its_id_or_its_beginning(void)
{
    struct ledger_read *l = open_ledger();
    struct fault why = {0};
    char found[64] = "";
    if (!l) return;
    EXPECT_INT(LEDGER_FOUND, ledger_read_find(l, SLICE("req_0199f3a2-7c41-7000-8000-000000000007"), keep_id, found, &why));
    EXPECT_STR("7 exchange req_0199f3a2-7c41-7000-8000-000000000007 {\"id\":\"7\"}", found);
    EXPECT_INT(LEDGER_FOUND, ledger_read_find(l, SLICE("0199f3a27c417000800000000000000B"), keep_id, found, &why));
    EXPECT_INT(0, strncmp(found, "11 ", 3));
    EXPECT_INT(LEDGER_FOUND, ledger_read_find(l, SLICE("req_0199f3a2-7c41-7000-81"), keep_id, found, &why));
    EXPECT_INT(0, strncmp(found, "22 intent req_0199f3a2-7c41-7000-8100-000000000016", 50));
    EXPECT_INT(LEDGER_FOUND, ledger_read_find(l, SLICE("last"), keep_id, found, &why));
    EXPECT_INT(0, strncmp(found, "20 ", 3));
    EXPECT_INT(LEDGER_AMBIGUOUS, ledger_read_find(l, SLICE("req_0199f3a2-7c41-7000-8"), keep_id, found, &why));
    EXPECT(strstr(why.text, "write more of the id") != NULL);
    EXPECT_INT(LEDGER_MISSING, ledger_read_find(l, SLICE("req_02"), keep_id, found, &why));
    EXPECT_INT(LEDGER_MISSING, ledger_read_find(l, SLICE("req_0199f3a2-7c42"), keep_id, found, &why));
    EXPECT_INT(LEDGER_MISSING, ledger_read_find(l, SLICE("' OR 1 --"), keep_id, found, &why));
    ledger_read_close(l);
}

static void totals_are_of_all_that_fits(void)
{
    struct ledger_read *l = open_ledger();
    struct ledger_filter *filter = ledger_filter_new();
    struct ledger_total t;
    struct fault why = {0};
    if (!l) return;
    EXPECT(ledger_read_totals(l, NULL, &t, &why));
    EXPECT_INT(20, t.requests);
    EXPECT_INT(4, t.denied);
    EXPECT_INT(1, t.unpriced);
    EXPECT_INT(210000, t.cost_nano);
    ledger_filter_since(filter, MADE_TIME_US + 5 * 1000000);
    ledger_filter_until(filter, MADE_TIME_US + 8 * 1000000);
    EXPECT(ledger_read_totals(l, filter, &t, &why));
    EXPECT_INT(3, t.requests);
    EXPECT_INT(18000, t.cost_nano);
    ledger_filter_since(filter, MADE_TIME_US + 500 * 1000000ll);
    EXPECT(ledger_read_totals(l, filter, &t, &why));
    EXPECT_INT(0, t.requests);
    ledger_filter_free(filter);
    ledger_read_close(l);
}

static void a_sum_beyond_all_numbers_is_an_error_not_a_number(void)
{
    struct ledger_read *l = open_ledger();
    struct ledger_total t;
    struct fault why = {0};
    if (!l) return;
    made_run(db, "UPDATE records SET cost_nano = 9223372036854775807 WHERE seq < 3");
    EXPECT(!ledger_read_totals(l, NULL, &t, &why));
    EXPECT(strstr(why.text, "more than can be counted\n") != NULL);
    ledger_read_close(l);
}

/* Gaps of any width, and the last number that there is; a folder of its own. */
static void pieces_are_one_ledger(void)
{
    sqlite3 *before = db;
    char folder_before[sizeof folder];
    struct ledger_page page = {.limit = 3};
    struct ledger_filter *filter = ledger_filter_new();
    struct ledger_total t;
    struct fault why = {0};
    const int far = 7 * (int)LIMIT_LEDGER_PIECE;
    memcpy(folder_before, folder, sizeof folder);
    db = made_open(folder);
    for (int seq = 1; seq <= 3 * far; seq += far) {
        made_request(db, seq, "ok", "cost_nano = 4000000000000000000, department = 'Sales'");
        made_entry(db, seq, CHAIN_EXCHANGE, "{}");
        made_entry(db, seq + 1, CHAIN_START, "{}");
    }
    made_run(db, "INSERT INTO chain VALUES(9223372036854775807, 1, x'7b7d', zeroblob(32)),"
                 " (-5, 1, x'7b7d', zeroblob(32))");
    struct ledger_read *l = open_ledger();
    expect_page("700001 350001 1", l, NULL, &page, 0);
    expect_page("", l, NULL, &page, 0);
    EXPECT(page.is_over);
    page = (struct ledger_page){.limit = 4, .has_bodies = true};
    expect_page("-1 700002 700001 350002", l, NULL, &page, 0);
    expect_page("350001 2 1", l, NULL, &page, 0);
    EXPECT(page.is_over);
    page = (struct ledger_page){.has_bodies = true, .has_all = true, .is_oldest_first = true};
    expect_page("1 2 350001 350002 700001 700002 -1", l, NULL, &page, 0);
    EXPECT(page.is_over);
    page = (struct ledger_page){.limit = 2, .is_oldest_first = true};
    expect_page("1 350001", l, "department:Sales", &page, 0);
    EXPECT(!page.is_over);
    expect_page("700001", l, "department:Sales", &page, 0);
    EXPECT(page.is_over);
    EXPECT(!ledger_read_totals(l, NULL, &t, &why)); /* none of the pieces is too much, all together are */
    EXPECT(strstr(why.text, "more than can be counted\n") != NULL);
    ledger_filter_since(filter, MADE_TIME_US + 2 * 1000000);
    EXPECT(ledger_read_totals(l, filter, &t, &why));
    EXPECT_INT(2, t.requests);
    EXPECT_INT(8000000000000000000, t.cost_nano);
    ledger_filter_free(filter);
    ledger_read_close(l);
    made_close(db, folder);
    db = before;
    memcpy(folder, folder_before, sizeof folder);
}

static void add_line(void *arg, struct slice name, const struct ledger_total *t)
{
    buf_printf(arg, "%.*s=%d/%d ", SLICE_FMT(name), (int)t->requests, (int)t->cost_nano);
}

static void expect_spending(const char *wanted, struct ledger_spending what, const char *where)
{
    struct ledger_read *l = open_ledger();
    struct ledger_filter *filter = ledger_filter_new();
    struct fault why = {0};
    struct buf lines;
    buf_init(&lines);
    if (where) EXPECT(ledger_filter_add(filter, slice_str(where), &why));
    bool ok = ledger_read_spending(l, &what, filter, add_line, &lines, &why);
    EXPECT_SLICE(slice_str(wanted), ok ? buf_slice(&lines) : slice_of(why.text, strcspn(why.text, "\n")));
    buf_clear(&lines);
    ledger_filter_free(filter);
    ledger_read_close(l);
}

static void spending_comes_from_the_sums_of_days(void)
{
    made_run(db, "INSERT INTO rollup VALUES(20261101,'Sales','a','','m','p','k',2,0,0,0,5,0,5,0,70,0),"
                 "(20261102,'Sales','b','','m','p','k',1,0,0,0,5,0,5,0,50,0),"
                 "(20261101,'Support','b','','m','p','k',9,0,0,0,5,0,5,0,90,0),"
                 "(20261001,'Support','b','','m','p','k',4,0,0,0,5,0,5,0,10,0);"
                 "INSERT INTO rollup_label VALUES(20261101,'cost_center','42',3,1,1,8),(20261101,'eu','',1,1,1,1)");
    struct ledger_spending november = {.by = "department", .from_day = 20261101, .to_day = 20261130};
    expect_spending("Sales=3/120 Support=9/90 ", november, NULL);
    expect_spending("Sales=2/70 ", november, "app:a");
    november.by = NULL;
    expect_spending("=12/210 ", november, NULL);
    november.by = "label", november.label = SLICE("cost_center");
    expect_spending("42=3/8 ", november, NULL);
    expect_spending("sums by label are of all requests", november, "app:a");
    november.by = "team";
    expect_spending("sums are not kept by team", november, NULL);
    november.by = "app";
    expect_spending("sums are not kept by usd", november, "usd>1");
}

static void news_are_told_once(void)
{
    struct ledger_read *l = open_ledger();
    if (!l) return;
    EXPECT(ledger_read_has_news(l));
    EXPECT(!ledger_read_has_news(l));
    made_run(db, "INSERT INTO meta VALUES('x', 1)");
    EXPECT(ledger_read_has_news(l));
    EXPECT(!ledger_read_has_news(l));
    ledger_read_close(l);
}

static void an_open_transaction_of_the_writer_is_no_hindrance(void)
{
    struct ledger_read *l = open_ledger();
    struct ledger_total t;
    struct fault why = {0};
    if (!l) return;
    made_run(db, "BEGIN IMMEDIATE; DELETE FROM records WHERE seq = 1");
    EXPECT(ledger_read_totals(l, NULL, &t, &why));
    EXPECT_INT(20, t.requests);
    made_run(db, "ROLLBACK");
    ledger_read_close(l);
}

static void the_zone_is_the_last_that_was_written(void)
{
    struct ledger_read *l = open_ledger();
    struct fault why = {0};
    char zone[LEDGER_ZONE_BYTES];
    int64_t day = -1;
    if (!l) return;
    EXPECT(ledger_read_zone(l, zone, &why));
    EXPECT_STR("UTC", zone);
    made_run(db, "INSERT INTO meta VALUES('zone.00000000000000000001', 'UTC'), ('gateway', 'x')");
    EXPECT(ledger_read_zone_day(l, &day, &why));
    EXPECT_INT(0, day);
    made_run(db, "INSERT INTO meta VALUES('zone.00000000000000000009', 'Europe/Berlin')");
    EXPECT(ledger_read_zone(l, zone, &why));
    EXPECT_STR("Europe/Berlin", zone);
    EXPECT(ledger_read_zone_day(l, &day, &why));
    EXPECT_INT(20261101, day);
    ledger_read_close(l);
}

/* Else what is behind it would look as if it had never been signed. */
static void a_damaged_anchor_is_not_passed_over(void)
{
    struct ledger_read *l = open_ledger();
    struct anchor anchor;
    struct fault why = {0};
    if (!l) return;
    EXPECT(ledger_read_anchor(l, 0, &anchor, &why) && anchor.seq == 0);
    made_run(db, "INSERT INTO anchors VALUES(3, 5, zeroblob(32), zeroblob(64)), (7, 5, zeroblob(32), zeroblob(63))");
    EXPECT(ledger_read_anchor(l, 0, &anchor, &why) && anchor.seq == 3);
    EXPECT(!ledger_read_anchor(l, 3, &anchor, &why));
    EXPECT(strstr(why.text, "the anchor of entry 7 is damaged\n") != NULL);
    ledger_read_close(l);
}

/* ---- Files that are not as they should be. */

static void expect_refused(const char *says, const char *cure)
{
    struct fault why = {0};
    struct ledger_read *l = ledger_read_open(folder, &why);
    struct seen seen = {0};
    struct ledger_page page = {.has_bodies = true, .has_all = true};
    buf_init(&seen.text);
    bool ok = l && ledger_read_page(l, NULL, &page, see, &seen, &why);
    buf_clear(&seen.text);
    ledger_read_close(l);
    EXPECT(!ok);
    if (!strstr(why.text, says) || !strstr(why.text, cure) || !strchr(why.text, '\n')) UNIT_FAIL("%s", why.text);
}

static void a_missing_file_says_who_makes_it(void)
{
    struct fault why = {0};
    EXPECT(ledger_read_open("/nonexistent", &why) == NULL);
    EXPECT(strstr(why.text, "/nonexistent/ledger.db: No such file") && strstr(why.text, "\nthe gateway makes it"));
}

/* Runs a shell line with the folder for every %s of it; the writer has gone, as when no gateway runs. */
static void with_file(const char *line, const char *says, const char *cure)
{
    char command[512];
    make();
    sqlite3_close(db);
    snprintf(command, sizeof command, line, folder, folder, folder);
    EXPECT_INT(0, system(command));
    expect_refused(says, cure);
    made_close(NULL, folder);
}

static void what_is_no_ledger_is_said_with_its_place(void)
{
    with_file("echo 'this is a text, and a long one, as texts are' > %s/ledger.db", "ledger.db: ", "moongate ledger");
    with_file("dd if=/dev/zero of=%s/ledger.db bs=4096 seek=2 count=40 conv=notrunc 2>/dev/null", "ledger.db: ",
              "moongate ledger check");
    with_file("rm %s/ledger.db*; : > %s/ledger.db", "no ledger of this version", "start the gateway once");
}

static void a_newer_file_is_left_alone(void)
{
    make();
    made_run(db, "PRAGMA user_version = 99");
    expect_refused("newer moongate (schema 99", "go on with that version");
    made_close(db, folder);
}

static bool give_away(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -f %s/*-shm %s/*-wal; chown 1:1 %s/*", folder, folder, folder);
    return system(command) == 0;
}

static void a_closed_ledger_is_read_also_where_nothing_may_be_written(void)
{
    struct ledger_page page = {.limit = 2};
    make();
    sqlite3_close(db);
    struct ledger_read *l = open_ledger();
    expect_page("20 19", l, NULL, &page, 0);
    ledger_read_close(l);
    EXPECT_INT(0, chmod(folder, 0500));
    if (geteuid() == 0) EXPECT(chown(folder, 1, 1) == 0 && give_away() && seteuid(1) == 0); /* root may write anywhere */
    l = open_ledger();
    page.next = 0;
    if (l) expect_page("20 19", l, NULL, &page, 0);
    ledger_read_close(l);
    if (getuid() == 0) EXPECT_INT(0, seteuid(0));
    made_close(NULL, folder);
}

int main(void)
{
    make();
    RUN(pages_follow_one_another);
    RUN(with_bodies_all_kinds_come_but_intents);
    RUN(a_request_is_found_by_its_id_or_its_beginning);
    RUN(totals_are_of_all_that_fits);
    RUN(pieces_are_one_ledger);
    RUN(spending_comes_from_the_sums_of_days);
    RUN(news_are_told_once);
    RUN(an_open_transaction_of_the_writer_is_no_hindrance);
    RUN(the_zone_is_the_last_that_was_written);
    RUN(a_damaged_anchor_is_not_passed_over);
    RUN(a_missing_file_says_who_makes_it);
    RUN(a_sum_beyond_all_numbers_is_an_error_not_a_number);
    made_close(db, folder);
    RUN(what_is_no_ledger_is_said_with_its_place);
    RUN(a_newer_file_is_left_alone);
    RUN(a_closed_ledger_is_read_also_where_nothing_may_be_written);
    return unit_close("ledger_read");
}
