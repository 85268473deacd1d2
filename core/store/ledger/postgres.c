#include "store/ledger/postgres.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/ledger/batch.h"
#include "store/ledger/pour.h"
#include "store/ledger/postgres_schema.h"
#include "store/postgres.h"

#define DAYS_AHEAD 7
#define DAYS_KNOWN 512 /* partitions remembered; forgotten together when they are more */
#define DROPPED_AT_ONCE 4
#define OWN_PARAMS POUR_MOVED_PARAMS
#define SUM_KINDS 2
#define DAY_S (24 * 3600)

/* Memory of what moves the place. */
struct move {
    char gw[24], epoch[24], from[24], to[24];
    uint8_t hash[CHAIN_HASH_BYTES];
};

struct ledger_postgres {
    struct loop *loop;
    struct postgres *conn;
    const struct ledger_postgres_events *events;
    void *arg;
    char *gateway;
    int64_t gw, epoch;
    struct ledger_postgres_place place;
    struct buf insert; /* the batch's statement */
    struct ledger_pour *pour;
    struct ledger_batch *batch;
    struct move move; /* of a batch that is being poured */
    int32_t known[DAYS_KNOWN];
    size_t known_count;
    struct buf days; /* to be made: "{20421,20422" */
    uint32_t types[BATCH_KINDS + SUM_KINDS];
    int64_t drop_before; /* days since 1970; 0: none */
};

/* What a session has of its own, whatever the role or the database say. An off of theirs would take back what `remote`
 * promises; ON CONFLICT wants to see what others have just committed; silence is no reason to end a connection. */
static const char settings[] =
    "SET statement_timeout = %u; SET lock_timeout = %u; SET TimeZone = 'UTC'; SET search_path = pg_catalog; "
    "SET default_transaction_isolation = 'read committed'; "
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'; "
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout', "
    "'idle_in_transaction_session_timeout', 'transaction_timeout')";

/* Once the tables are there. */
static const char timeouts[] = "SET statement_timeout = %u; SET lock_timeout = %u; SELECT ";

static const char place_of[] =
    "SELECT g.gw, g.epoch, g.seq, encode(g.hash, 'hex'), "
    "coalesce((SELECT max(a.seq) FROM moongate.anchor a WHERE a.gw = g.gw), 0) "
    "FROM moongate.gateway g WHERE g.name = $1";

static const char claim[] = "UPDATE moongate.gateway SET epoch = epoch + 1, seen = now() "
                            "WHERE gw = $1 AND epoch = $2 AND seq = $3 RETURNING epoch";

/* ---- Ending. */

static void let_go(struct ledger_postgres *lp)
{
    postgres_free(lp->conn);
    lp->conn = NULL;
}

static void end(struct ledger_postgres *lp, enum ledger_postgres_end how, const struct fault *why)
{
    struct fault kept = *why;
    let_go(lp);
    lp->events->on_end(lp->arg, how, &kept);
}

static void on_lost(void *arg, const struct fault *why)
{
    end(arg, POSTGRES_FAILED, why);
}

/* A class of errors, or one; of those that do not pass by themselves. The first that fits. */
static const struct cure {
    const char *state, *text;
} cures[] = {
    {LEDGER_POSTGRES_NEWER, ""},
    {"42501", ": its role must own the database, or the schema moongate and what is in it"},
    {"42", ": is the schema moongate another program's? Then give this one a database of its own"},
};

static const struct cure *cure_of(const char *state)
{
    for (size_t i = 0; i < sizeof cures / sizeof *cures; i++) {
        if (strncmp(state, cures[i].state, strlen(cures[i].state)) == 0) return &cures[i];
    }
    return NULL;
}

/* False, and all is over: PostgreSQL has refused the statement. */
static bool is_done(struct ledger_postgres *lp, const struct postgres_answer *answer)
{
    if (answer->is_good) return true;
    struct fault why = answer->why;
    const struct cure *cure = cure_of(answer->state);
    if (answer->state[0]) {
        fault_set(&why, FAULT_INTERNAL, "%s (SQLSTATE %s)%s", answer->why.text, answer->state, cure ? cure->text : "");
    }
    end(lp, cure ? POSTGRES_REFUSED : POSTGRES_FAILED, &why);
    return false;
}

static void ask(struct ledger_postgres *lp, const char *sql, const struct postgres_param *params, size_t count,
                postgres_answer_fn fn)
{
    postgres_ask(lp->conn, sql, params, count, LIMIT_POSTGRES_STATEMENT_MS, fn, lp);
}

static struct postgres_param text_param(const char *text)
{
    return (struct postgres_param){POSTGRES_TEXT, slice_str(text), false};
}

/* Written into memory of the caller's. */
static struct postgres_param int_param(int64_t value, char text[24])
{
    snprintf(text, 24, "%" PRId64, value);
    return (struct postgres_param){POSTGRES_INT8, slice_str(text), false};
}

/* ---- Opening: settings, tables, the gateway's row, its place. */

static void read_place(struct ledger_postgres *lp, const struct postgres_answer *answer)
{
    lp->gw = postgres_int(answer, 0, 0);
    lp->epoch = postgres_int(answer, 0, 1);
    lp->place.seq = (uint64_t)postgres_int(answer, 0, 2);
    memset(lp->place.hash, 0, CHAIN_HASH_BYTES);
    hex_read(postgres_text(answer, 0, 3), lp->place.hash, CHAIN_HASH_BYTES);
    lp->place.anchor = (uint64_t)postgres_int(answer, 0, 4);
}

static void on_place(void *arg, const struct postgres_answer *answer)
{
    struct ledger_postgres *lp = arg;
    struct fault why = {0};
    if (!is_done(lp, answer)) return;
    if (postgres_rows(answer) == 1) {
        read_place(lp, answer);
        lp->events->on_open(lp->arg, &lp->place);
        return;
    }
    fault_set(&why, FAULT_INTERNAL, "the row of this gateway has gone from moongate.gateway");
    end(lp, POSTGRES_FAILED, &why);
}

static void on_types(void *arg, const struct postgres_answer *answer)
{
    struct ledger_postgres *lp = arg;
    struct postgres_param name = text_param(lp->gateway);
    if (!is_done(lp, answer)) return;
    for (size_t i = 0; i < BATCH_KINDS + SUM_KINDS; i++)
        lp->types[i] = (uint32_t)postgres_int(answer, 0, i);
    const uint32_t pour_types[] = {lp->types[BATCH_KINDS], lp->types[BATCH_KINDS + 1], lp->types[BATCH_ANCHORS]};
    lp->pour = ledger_pour_new(lp->conn, pour_types);
    ask(lp, place_of, &name, 1, on_place);
}

static void on_named(void *arg, const struct postgres_answer *answer)
{
    struct ledger_postgres *lp = arg;
    struct buf sql;
    if (!is_done(lp, answer)) return;
    buf_init(&sql);
    buf_printf(&sql, timeouts, LIMIT_POSTGRES_STATEMENT_MS, LIMIT_POSTGRES_LOCK_MS);
    for (size_t i = 0; i < BATCH_KINDS + SUM_KINDS; i++)
        buf_printf(&sql, "%s'%s'::regtype::oid", i ? ", " : "",
                   i < BATCH_KINDS ? ledger_batch_types[i] : ledger_batch_sum_types[i - BATCH_KINDS]);
    buf_append_char(&sql, '\0');
    ask(lp, buf_ptr(&sql), NULL, 0, on_types);
    buf_clear(&sql);
}

static void on_tables(void *arg, const struct postgres_answer *answer)
{
    struct ledger_postgres *lp = arg;
    struct postgres_param name = text_param(lp->gateway);
    if (!is_done(lp, answer)) return;
    ask(lp, "INSERT INTO moongate.gateway(name) VALUES($1) ON CONFLICT DO NOTHING", &name, 1, on_named);
}

static void on_set(void *arg, const struct postgres_answer *answer)
{
    struct ledger_postgres *lp = arg;
    struct buf sql;
    if (!is_done(lp, answer)) return;
    buf_init(&sql);
    ledger_postgres_migration(&sql);
    buf_append_char(&sql, '\0');
    postgres_ask(lp->conn, buf_ptr(&sql), NULL, 0, LIMIT_POSTGRES_SCHEMA_MS, on_tables, lp);
    buf_clear(&sql);
}

static void on_ready(void *arg)
{
    struct ledger_postgres *lp = arg;
    char sql[sizeof settings + 32];
    struct fault why = {0};
    const char *encoding = postgres_said(lp->conn, "server_encoding");
    if (strcmp(encoding, "UTF8") != 0) {
        fault_set(&why, FAULT_INTERNAL, "the database's encoding is %s: make one with ENCODING 'UTF8' TEMPLATE "
                                        "template0", encoding);
        end(lp, POSTGRES_REFUSED, &why);
        return;
    }
    snprintf(sql, sizeof sql, settings, LIMIT_POSTGRES_SCHEMA_MS, LIMIT_POSTGRES_SCHEMA_MS);
    ask(lp, sql, NULL, 0, on_set);
}

static const struct postgres_events conn_events = {.on_ready = on_ready, .on_end = on_lost};

static const char moved[] = "WITH moved AS (UPDATE moongate.gateway SET seq = $4, hash = $5, seen = now() "
                            "WHERE gw = $1 AND epoch = $2 AND seq = $3 RETURNING gw)";

static void make_insert(struct buf *sql)
{
    buf_init(sql);
    buf_append(sql, slice_str(moved));
    ledger_batch_sql(sql, OWN_PARAMS + 1);
    buf_append_char(sql, '\0');
}

struct ledger_postgres *ledger_postgres_new(struct loop *loop, const struct ledger_postgres_options *options,
                                            const struct ledger_postgres_events *events, void *arg, struct fault *why)
{
    struct ledger_postgres *lp = mem_zalloc(1, sizeof *lp);
    lp->loop = loop;
    lp->events = events;
    lp->arg = arg;
    lp->gateway = mem_strndup(options->gateway.ptr, options->gateway.len);
    buf_init(&lp->days);
    make_insert(&lp->insert);
    struct buf name;
    buf_init(&name);
    buf_printf(&name, "moongate %s%c", lp->gateway, '\0');
    lp->conn = postgres_new(loop, options->conninfo, buf_ptr(&name), &conn_events, lp, why);
    buf_clear(&name);
    if (lp->conn) return lp;
    ledger_postgres_free(lp);
    return NULL;
}

static void free_now(void *arg)
{
    struct ledger_postgres *lp = arg;
    buf_clear(&lp->days);
    buf_clear(&lp->insert);
    ledger_pour_free(lp->pour);
    mem_free(lp->gateway);
    mem_free(lp);
}

void ledger_postgres_free(struct ledger_postgres *lp)
{
    if (!lp) return;
    let_go(lp);
    loop_defer(lp->loop, free_now, lp);
}

const struct ledger_postgres_place *ledger_postgres_place(const struct ledger_postgres *lp)
{
    return &lp->place;
}

/* ---- Claiming. */

static void end_taken(struct ledger_postgres *lp)
{
    struct fault why = {0};
    fault_set(&why, FAULT_INTERNAL, "another process of the name \"%s\" writes to this database: give each gateway its "
                                    "own ledger.gateway", lp->gateway);
    end(lp, POSTGRES_TAKEN, &why);
}

static void on_claimed(void *arg, const struct postgres_answer *answer)
{
    struct ledger_postgres *lp = arg;
    if (!is_done(lp, answer)) return;
    if (postgres_rows(answer) != 1) {
        end_taken(lp);
        return;
    }
    lp->epoch = postgres_int(answer, 0, 0);
    lp->events->on_idle(lp->arg);
}

void ledger_postgres_claim(struct ledger_postgres *lp)
{
    char gw[24], epoch[24], seq[24];
    struct postgres_param params[] = {int_param(lp->gw, gw), int_param(lp->epoch, epoch),
                                      int_param((int64_t)lp->place.seq, seq)};
    ask(lp, claim, params, 3, on_claimed);
}

/* ---- Partitions. */

static bool is_known(const struct ledger_postgres *lp, int32_t day)
{
    for (size_t i = lp->known_count; i > 0; i--) {
        if (lp->known[i - 1] == day) return true;
    }
    return false;
}

static void need(struct ledger_postgres *lp, int32_t day)
{
    if (is_known(lp, day)) return;
    if (lp->known_count == DAYS_KNOWN) lp->known_count = 0;
    lp->known[lp->known_count++] = day;
    buf_printf(&lp->days, "%c%" PRId32, buf_len(&lp->days) ? ',' : '{', day);
}

/* False: all that are needed are there. */
static bool make_days(struct ledger_postgres *lp, postgres_answer_fn fn)
{
    if (buf_len(&lp->days) == 0) return false;
    buf_append(&lp->days, slice_of("}", 2)); /* and its NUL */
    struct postgres_param param = text_param(buf_ptr(&lp->days));
    ask(lp, "SELECT moongate.make_days($1::int[])", &param, 1, fn);
    buf_reset(&lp->days);
    return true;
}

/* ---- A batch. */

static void say_other_heads(const struct ledger_postgres *lp, int64_t count)
{
    log_event(LOG_ERROR, "anchors_differ", "PostgreSQL has %" PRId64 " signed heads of \"%s\" with other hashes: "
              "\"moongate audit verify\" says more", count, lp->gateway);
}

static void is_there(struct ledger_postgres *lp, int64_t others)
{
    uint8_t hash[CHAIN_HASH_BYTES];
    uint64_t last = ledger_batch_last(lp->batch, hash);
    if (others) say_other_heads(lp, others);
    if (ledger_batch_rows(lp->batch)) {
        lp->place.seq = last;
        memcpy(lp->place.hash, hash, sizeof hash);
    }
    lp->batch = NULL;
    lp->events->on_idle(lp->arg);
}

static void on_sent(void *arg, const struct postgres_answer *answer)
{
    struct ledger_postgres *lp = arg;
    if (!is_done(lp, answer)) return;
    if (postgres_int(answer, 0, 0) == 1) is_there(lp, postgres_int(answer, 0, 1));
    else end_taken(lp);
}

static void move_params(const struct ledger_postgres *lp, struct move *m, struct postgres_param params[OWN_PARAMS])
{
    uint64_t last = ledger_batch_last(lp->batch, m->hash);
    if (!ledger_batch_rows(lp->batch)) {
        last = lp->place.seq;
        memcpy(m->hash, lp->place.hash, sizeof m->hash);
    }
    params[0] = int_param(lp->gw, m->gw);
    params[1] = int_param(lp->epoch, m->epoch);
    params[2] = int_param((int64_t)lp->place.seq, m->from);
    params[3] = int_param((int64_t)last, m->to);
    params[4] = (struct postgres_param){POSTGRES_BYTEA, slice_of((const char *)m->hash, last ? sizeof m->hash : 0),
                                        true};
}

static void insert(struct ledger_postgres *lp)
{
    struct postgres_param params[OWN_PARAMS + BATCH_KINDS];
    struct move m;
    move_params(lp, &m, params);
    ledger_batch_param_list(lp->batch, lp->types, params + OWN_PARAMS);
    ask(lp, buf_ptr(&lp->insert), params, OWN_PARAMS + BATCH_KINDS, on_sent);
}

static void on_poured(void *arg, enum ledger_poured how, int64_t others, const struct postgres_answer *answer)
{
    struct ledger_postgres *lp = arg;
    switch (how) {
    case POUR_DONE: is_there(lp, others); return;
    case POUR_KNOWN: insert(lp); return;
    case POUR_TAKEN: end_taken(lp); return;
    case POUR_FAILED: is_done(lp, answer); return;
    }
}

static void put(struct ledger_postgres *lp)
{
    if (ledger_batch_rows(lp->batch) < LIMIT_SHIP_POUR_ROWS) {
        insert(lp);
        return;
    }
    struct ledger_pour_order order = {.batch = lp->batch, .moved = moved, .gw = (int32_t)lp->gw};
    move_params(lp, &lp->move, order.params);
    ledger_pour_send(lp->pour, &order, on_poured, lp);
}

static void on_days(void *arg, const struct postgres_answer *answer)
{
    struct ledger_postgres *lp = arg;
    if (is_done(lp, answer)) put(lp);
}

void ledger_postgres_send(struct ledger_postgres *lp, struct ledger_batch *batch)
{
    size_t count;
    const int32_t *days = ledger_batch_days(batch, &count);
    lp->batch = batch;
    for (size_t i = 0; i < count; i++)
        need(lp, days[i]);
    if (!make_days(lp, on_days)) put(lp);
}

/* ---- Keeping. */

static void drop(struct ledger_postgres *lp);

/* A gateway whose clock runs ahead must not drop what a fleet has: days are over when the database says so too. */
static const char drop_days[] =
    "SELECT moongate.drop_days(least(date '1970-01-01' + $1::int, (now() AT TIME ZONE 'UTC')::date - $3::int), "
    "$2::int) FROM set_config('lock_timeout', $4::text, true)";

static int32_t today(void)
{
    return (int32_t)(clock_wall_ns() / NS_PER_S / DAY_S);
}

/* A reader who holds one of them is waited for some other time. */
static void on_dropped(void *arg, const struct postgres_answer *answer)
{
    struct ledger_postgres *lp = arg;
    bool is_locked = strcmp(answer->state, "55P03") == 0;
    if (is_locked) log_event(LOG_WARN, "partition_in_use", "%s: it is dropped later", answer->why.text);
    else if (!is_done(lp, answer)) return;
    if (!is_locked && postgres_int(answer, 0, 0) == DROPPED_AT_ONCE) drop(lp);
    else lp->events->on_idle(lp->arg);
}

static void drop(struct ledger_postgres *lp)
{
    char days[24], at_most[24], kept[24], wait_ms[24];
    struct postgres_param params[] = {int_param(lp->drop_before, days), int_param(DROPPED_AT_ONCE, at_most),
                                      int_param(today() - lp->drop_before, kept),
                                      int_param(LIMIT_POSTGRES_DROP_LOCK_MS, wait_ms)};
    lp->known_count = 0; /* entries of such a day make it anew */
    ask(lp, drop_days, params, 4, on_dropped);
}

static void on_made(void *arg, const struct postgres_answer *answer)
{
    struct ledger_postgres *lp = arg;
    if (!is_done(lp, answer)) return;
    if (lp->drop_before > 0) drop(lp);
    else lp->events->on_idle(lp->arg);
}

void ledger_postgres_keep(struct ledger_postgres *lp, int64_t before)
{
    int32_t first = today();
    lp->drop_before = before;
    lp->known_count = 0;
    for (int32_t day = first; day <= first + DAYS_AHEAD; day++)
        need(lp, day);
    check(make_days(lp, on_made));
}
