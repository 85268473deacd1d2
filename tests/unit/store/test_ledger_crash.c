/* The ledger's writer killed in the middle, beside another one, and on a full disk: nothing committed is lost, and
 * nothing is there twice. */
#include "ledger_kit.h"

#include <signal.h>
#include <sys/wait.h>

#define ROUNDS 25
#define BASE 1000000u /* what the second writer's numbers begin with */

struct writer {
    pid_t pid;
    int acknowledged; /* read end: the number up to which all is committed */
    uint64_t done;
};

/* Puts from the number behind `from` on, until it is killed, or up to `last`. What was committed and not acknowledged
 * is put again. */
static void write_on(uint64_t from, uint64_t last, unsigned seed, int fd)
{
    struct fault why;
    struct ledger *l = kit_open();
    for (uint64_t n = from; l && n < last;) {
        uint64_t end = n + 1 + (uint64_t)(rand_r(&seed) % 12);
        if (end > last) end = last;
        if (!ledger_begin(l, &why)) continue;
        bool is_good = true;
        for (uint64_t i = n + 1; i <= end && is_good; i++)
            is_good = kit_put(l, i) != LEDGER_FAILED;
        if (!is_good || !ledger_commit(l, &why)) continue;
        n = end;
        if (write(fd, &n, sizeof n) != sizeof n) break;
    }
    ledger_close(l);
}

static struct writer start(uint64_t from, uint64_t last, unsigned seed)
{
    int ends[2];
    struct writer w = {.done = from};
    if (pipe(ends) != 0) abort();
    w.acknowledged = ends[0];
    w.pid = fork();
    if (w.pid == 0) {
        close(ends[0]);
        write_on(from, last, seed, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    return w;
}

/* False: it has ended. */
static bool take(struct writer *w)
{
    uint64_t n;
    if (read(w->acknowledged, &n, sizeof n) != sizeof n) return false;
    w->done = n;
    return true;
}

/* After so many commits, and then some of its work. */
static void kill_after(struct writer *w, unsigned commits, unsigned work)
{
    while (commits-- && take(w)) {
    }
    for (volatile unsigned i = 0; i < work; i++) {
    }
    kill(w->pid, SIGKILL);
    while (take(w)) {
    }
    close(w->acknowledged);
    waitpid(w->pid, NULL, 0);
}

static void finish(struct writer *w)
{
    int status = 0;
    while (take(w)) {
    }
    close(w->acknowledged);
    EXPECT(waitpid(w->pid, &status, 0) == w->pid && status == 0);
}

static void expect_all(uint64_t from, uint64_t to)
{
    char sql[200], id[33], last[33];
    uint8_t bytes[16];
    kit_id(bytes, from);
    hex_write(bytes, 16, id);
    kit_id(bytes, to);
    hex_write(bytes, 16, last);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM records WHERE id BETWEEN x'%s' AND x'%s'", id, last);
    snprintf(last, sizeof last, "%llu", (unsigned long long)(to - from + 1));
    EXPECT_STR(last, kit_ask(sql));
}

static void a_killed_writer_loses_nothing(void)
{
    unsigned seed = 20251129;
    uint64_t done = 0;
    kit_fresh();
    for (int round = 0; round < ROUNDS; round++) {
        struct writer w = start(done, UINT64_MAX, seed + (unsigned)round);
        kill_after(&w, 1 + (unsigned)rand_r(&seed) % 15, (unsigned)rand_r(&seed) % 1000000);
        done = w.done;
        kit_verify(UINT64_MAX);
        expect_all(1, done);
    }
    struct writer w = start(done, done + 30, seed);
    finish(&w);
    kit_verify(w.done);
    EXPECT_INT(done + 30, w.done);
}

static void one_is_killed_and_the_other_goes_on(void)
{
    unsigned seed = 7;
    uint64_t done = 0;
    kit_fresh();
    struct writer other = start(BASE, BASE + 1200, 3);
    for (int round = 0; round < ROUNDS; round++) {
        struct writer w = start(done, UINT64_MAX, seed + (unsigned)round);
        kill_after(&w, 1 + (unsigned)rand_r(&seed) % 8, (unsigned)rand_r(&seed) % 1000000);
        done = w.done;
    }
    finish(&other);
    struct writer w = start(done, done + 30, seed);
    finish(&w);
    kit_verify(w.done + 1200);
    expect_all(1, w.done);
    expect_all(BASE + 1, BASE + 1200);
}

/* ---- A full disk. */

static void set_pages(struct ledger *l, unsigned pages)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA max_page_count = %u", pages);
    EXPECT(sqlite3_exec(ledger_connection(l), sql, NULL, NULL, NULL) == SQLITE_OK);
}

/* How many of `count` numbers behind `from` are in; all or none. */
static uint64_t put_batch(struct ledger *l, uint64_t from, uint64_t count, struct fault *why)
{
    struct buf body;
    bool is_good = ledger_begin(l, why);
    buf_init(&body);
    for (uint64_t n = from + 1; n <= from + count && is_good; n++) {
        kit_body(&body, n, KIT_TIME);
        struct ledger_entry e = {.kind = CHAIN_EXCHANGE, .body = buf_slice(&body)};
        is_good = ledger_put(l, &e, why) != LEDGER_FAILED;
    }
    buf_clear(&body);
    return is_good && ledger_commit(l, why) ? count : 0;
}

static void a_full_disk_loses_nothing(void)
{
    struct fault why = {0};
    uint64_t done = 0, got, batch = 1;
    uint8_t hash[CHAIN_HASH_BYTES];
    kit_fresh();
    struct ledger *l = kit_open_with((struct ledger_options){.pages_max = 80});
    while ((got = put_batch(l, done, batch, &why)) != 0) {
        done += got;
        batch = done % 7 + 1;
    }
    EXPECT(strstr(why.text, "full") && strstr(why.text, "make room"));
    EXPECT(done > 50);
    for (int i = 0; i < 3; i++)
        EXPECT_INT(0, put_batch(l, done, 200, &why));
    EXPECT_INT(done, ledger_head(l, hash));
    kit_verify(done);
    set_pages(l, 100000);
    done += put_batch(l, done, batch, &why);
    done += put_batch(l, done, 200, &why);
    EXPECT_INT(done, ledger_head(l, hash));
    ledger_close(l);
    kit_verify(done);
    expect_all(1, done);
}

/* The ledger that starts on a full disk sees what is there, and takes more as soon as it can. */
static void a_full_disk_is_opened(void)
{
    struct fault why = {0};
    kit_fresh();
    struct ledger *l = kit_open();
    EXPECT_INT(100, put_batch(l, 0, 100, &why));
    ledger_close(l);
    l = kit_open_with((struct ledger_options){.pages_max = 1}); /* no page more than there are */
    EXPECT_INT(0, put_batch(l, 100, 100, &why));
    set_pages(l, 100000);
    EXPECT_INT(100, put_batch(l, 100, 100, &why));
    ledger_close(l);
    kit_verify(200);
}

int main(void)
{
    RUN(a_killed_writer_loses_nothing);
    RUN(one_is_killed_and_the_other_goes_on);
    RUN(a_full_disk_loses_nothing);
    RUN(a_full_disk_is_opened);
    kit_end();
    return unit_close("ledger_crash");
}
