#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/postgres.h"
#include "store/registry/registry_inner.h"
#include "store/registry/schema.h"

#define SCHEMA REGISTRY_SCHEMA_NAME
#define VALUES_MAX 16

/* Who stands still in the midst of a change holds up all others: he loses it. */
#define SETTINGS                                                                                                       \
    "SET client_encoding = 'UTF8'; SET search_path = " SCHEMA ", pg_temp; SET statement_timeout = '2s';"               \
    "SET idle_in_transaction_session_timeout = '5s'; SET default_transaction_isolation = 'read committed'"

/* A connection that never blocks, in a loop of its own that turns until the answer is there: callers wait for each
 * statement, but no longer than its deadline. One that was lost is made anew with the next change or reading. */
struct registry_postgres {
    struct registry base;
    struct loop *loop;
    struct postgres *conn; /* NULL: lost, or not made yet */
    char *conninfo, *node;
    bool is_ready;
    bool is_inside, is_broken; /* a transaction has begun, also when the connection is lost; it can but be taken back */
    struct fault lost;         /* why the last connection ended */
    struct query *asked;
};

struct query {
    struct registry_query base;
    struct postgres_answer answer; /* with rows that are kept */
    struct buf blob;               /* the last one read */
    size_t row, count;             /* row: the next one */
    bool is_answered;
    bool is_failed;
    struct fault why;
};

static struct registry_postgres *of(struct registry *r)
{
    return (struct registry_postgres *)r;
}

/* ---- The connection. */

static void on_ready(void *arg)
{
    struct registry_postgres *p = arg;
    p->is_ready = true;
    loop_stop(p->loop);
}

static void drop(struct registry_postgres *p)
{
    postgres_free(p->conn);
    p->conn = NULL;
    p->is_ready = false;
}

static void on_end(void *arg, const struct fault *why)
{
    struct registry_postgres *p = arg;
    p->lost = *why;
    drop(p);
    loop_stop(p->loop);
}

static const struct postgres_events events = {.on_ready = on_ready, .on_end = on_end};

static void on_answer(void *arg, const struct postgres_answer *answer)
{
    struct registry_postgres *p = arg;
    struct query *q = p->asked;
    q->answer = *answer;
    q->answer.result = postgres_keep(answer);
    q->count = answer->is_good ? postgres_rows(answer) : 0;
    q->is_answered = true;
    loop_stop(p->loop);
}

/* What PostgreSQL refused, in the store's words where it is one of them. */
static struct slice refusal_of(const struct postgres_answer *answer)
{
    struct slice state = slice_str(answer->state);
    if (slice_equal(state, SLICE("MG001"))) return slice_str(answer->why.text);
    if (slice_equal(state, SLICE("23505"))) return SLICE("exists");
    if (slice_equal(state, SLICE("23503"))) return SLICE("unknown");
    if (slice_equal(state, SLICE("23502"))) return SLICE("invalid");
    if (slice_equal(state, SLICE("23514")))
        return strstr(answer->why.text, "\"self_approval\"") ? SLICE("self_approval") : SLICE("invalid");
    return SLICE_NONE;
}

static void judge(struct registry_postgres *p, struct query *q)
{
    if (!q->is_answered) {
        q->is_failed = true;
        fault_set(&q->why, FAULT_INTERNAL, "%s: %s", p->base.name, p->lost.text);
        return;
    }
    if (q->answer.is_good) return;
    q->is_failed = true;
    p->is_broken = p->is_inside;
    struct slice word = refusal_of(&q->answer);
    if (!word.len || !registry_refuse(&p->base, word, &q->why))
        fault_set(&q->why, FAULT_INTERNAL, "%s: %s", p->base.name, q->answer.why.text);
}

/* ---- Statements. */

/* `?` outside of quotes becomes $1, $2 … */
static void number_parameters(const char *sql, struct buf *out)
{
    bool is_quoted = false;
    unsigned count = 0;
    for (const char *c = sql; *c; c++) {
        if (*c == '\'') is_quoted = !is_quoted;
        if (*c == '?' && !is_quoted) buf_printf(out, "$%u", ++count);
        else buf_append_char(out, *c);
    }
    buf_append_char(out, '\0');
}

struct words {
    struct postgres_param params[VALUES_MAX];
    uint8_t numbers[VALUES_MAX][8];
};

static void write_number(uint8_t bytes[8], int64_t number)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
}

static void bind(struct words *w, size_t at, const struct registry_value *v)
{
    struct postgres_param *param = &w->params[at];
    param->is_binary = true;
    switch (v->type) {
    case REGISTRY_NULL: *param = (struct postgres_param){.type = POSTGRES_ROWS}; return;
    case REGISTRY_TEXT: param->type = POSTGRES_TEXT; break;
    case REGISTRY_BLOB: param->type = POSTGRES_BYTEA; break;
    case REGISTRY_INT:
        param->type = POSTGRES_INT8;
        write_number(w->numbers[at], v->number);
        param->bytes = slice_of((const char *)w->numbers[at], 8);
        return;
    }
    param->bytes = v->bytes;
}

static void put(struct registry_postgres *p, struct query *q, const char *sql, const struct registry_value *values,
                size_t count, unsigned timeout_ms)
{
    struct words w;
    struct buf text;
    buf_init(&text);
    number_parameters(sql, &text);
    for (size_t i = 0; i < count; i++)
        bind(&w, i, &values[i]);
    p->asked = q;
    postgres_ask(p->conn, buf_ptr(&text), w.params, count, timeout_ms, on_answer, p);
    loop_run(p->loop);
    p->asked = NULL;
    buf_clear(&text);
    judge(p, q);
}

static struct query *new_query(struct registry_postgres *p)
{
    struct query *q = mem_zalloc(1, sizeof *q);
    q->base.registry = &p->base;
    buf_init(&q->blob);
    return q;
}

static bool end(struct registry_query *base, struct fault *why)
{
    struct query *q = (struct query *)base;
    bool is_good = !q->is_failed;
    if (!is_good) *why = q->why;
    if (q->is_answered) postgres_drop(q->answer.result);
    buf_clear(&q->blob);
    mem_free(q);
    return is_good;
}

/* In the midst of a transaction a connection that was lost is not made anew: what was done in it is gone. */
static bool connect_it(struct registry_postgres *p, struct fault *why)
{
    if (p->is_ready) return true;
    if (!p->is_inside) {
        p->conn = postgres_new(p->loop, p->conninfo, p->node, &events, p, why);
        if (!p->conn) return false;
        loop_run(p->loop);
    }
    if (!p->is_ready) return fault_set(why, FAULT_INTERNAL, "%s: %s", p->base.name, p->lost.text);
    struct query *q = new_query(p);
    put(p, q, SETTINGS, NULL, 0, LIMIT_REGISTRY_OPEN_MS);
    return end(&q->base, why);
}

static struct registry_query *ask_for(struct registry_postgres *p, const char *sql, const struct registry_value *values,
                                      size_t count, unsigned timeout_ms)
{
    struct query *q = new_query(p);
    if (count > VALUES_MAX || !connect_it(p, &q->why)) q->is_failed = true;
    else put(p, q, sql, values, count, timeout_ms);
    return &q->base;
}

static struct registry_query *ask(struct registry *r, const char *sql, const struct registry_value *values,
                                  size_t count)
{
    return ask_for(of(r), sql, values, count, LIMIT_REGISTRY_MS);
}

static bool next(struct registry_query *base)
{
    struct query *q = (struct query *)base;
    if (q->is_failed || q->row >= q->count) return false;
    q->row++;
    return true;
}

static bool is_null(const struct registry_query *base, int column)
{
    const struct query *q = (const struct query *)base;
    return postgres_is_null(&q->answer, q->row - 1, (size_t)column);
}

static int64_t number(const struct registry_query *base, int column)
{
    const struct query *q = (const struct query *)base;
    return postgres_int(&q->answer, q->row - 1, (size_t)column);
}

/* bytea comes as \x and digits. */
static struct slice blob(struct query *q, struct slice text)
{
    if (text.len < 2) return SLICE("");
    size_t len = (text.len - 2) / 2;
    buf_reset(&q->blob);
    char *room = buf_reserve(&q->blob, len + 1);
    if (!hex_read(slice_of(text.ptr + 2, 2 * len), (uint8_t *)room, len)) return SLICE("");
    return slice_of(room, len);
}

static struct slice bytes(const struct registry_query *base, int column)
{
    struct query *q = (struct query *)(uintptr_t)base;
    struct slice text = postgres_text(&q->answer, q->row - 1, (size_t)column);
    bool is_blob = postgres_column_type(&q->answer, (size_t)column) == POSTGRES_BYTEA;
    return is_blob ? blob(q, text) : text;
}

static int columns(const struct registry_query *base)
{
    return (int)postgres_columns(&((const struct query *)base)->answer);
}

static enum registry_type type(const struct registry_query *base, int column)
{
    const struct query *q = (const struct query *)base;
    if (is_null(base, column)) return REGISTRY_NULL;
    switch (postgres_column_type(&q->answer, (size_t)column)) {
    case POSTGRES_INT8: return REGISTRY_INT;
    case POSTGRES_BYTEA: return REGISTRY_BLOB;
    default: return REGISTRY_TEXT;
    }
}

/* ---- Transactions. */

static bool run_for(struct registry_postgres *p, const char *sql, unsigned timeout_ms, struct fault *why)
{
    return end(ask_for(p, sql, NULL, 0, timeout_ms), why);
}

/* What was begun on a connection that is lost is taken back already. */
static bool take_back(struct registry_postgres *p, struct fault *why)
{
    bool is_good = !p->is_ready || run_for(p, "ROLLBACK", LIMIT_REGISTRY_MS, why);
    p->is_inside = p->is_broken = false;
    return is_good;
}

/* PostgreSQL takes a COMMIT of what has failed for a ROLLBACK, and calls that good. */
static bool commit(struct registry_postgres *p, struct fault *why)
{
    if (p->is_broken) return fault_set(why, FAULT_INTERNAL, "%s: a part of the change failed", p->base.name);
    bool is_good = run_for(p, "COMMIT", LIMIT_REGISTRY_MS, why);
    p->is_inside = false;
    return is_good;
}

static bool run(struct registry *r, const char *sql, struct fault *why)
{
    struct registry_postgres *p = of(r);
    struct slice text = slice_str(sql);
    if (slice_equal(text, SLICE("ROLLBACK"))) return take_back(p, why);
    if (slice_equal(text, SLICE("COMMIT"))) return commit(p, why);
    bool is_good = run_for(p, sql, LIMIT_REGISTRY_MS, why);
    if (is_good && slice_starts(text, SLICE("BEGIN"))) p->is_inside = true;
    return is_good;
}

static bool is_inside(const struct registry *r)
{
    return ((const struct registry_postgres *)r)->is_inside;
}

/* In the transaction of a copy: nobody else sees them down. */
static bool lower(struct registry *r, bool is_down, struct fault *why)
{
    bool is_good = true;
    for (size_t i = 0; is_good && registry_table(i); i++) {
        char sql[96];
        snprintf(sql, sizeof sql, "ALTER TABLE %s %s TRIGGER USER", registry_table(i), is_down ? "DISABLE" : "ENABLE");
        is_good = run(r, sql, why);
    }
    return is_good;
}

static void be_brief(struct registry *r)
{
    (void)r; /* each statement has its deadline */
}

/* Held until the connection ends. */
static bool claim(struct registry *r, bool *is_mine, struct fault *why)
{
    struct registry_query *q = ask(r, "SELECT pg_try_advisory_lock(7233182305911)", NULL, 0);
    *is_mine = next(q) && slice_equal(bytes(q, 0), SLICE("t"));
    return end(q, why);
}

static void close_it(struct registry *r)
{
    struct registry_postgres *p = of(r);
    drop(p);
    loop_free(p->loop);
    explicit_bzero(p->conninfo, strlen(p->conninfo));
    mem_free(p->conninfo);
    mem_free(p->node);
    registry_clear(r);
    mem_free(p);
}

static const struct registry_engine engine = {.begin_change = "BEGIN ISOLATION LEVEL READ COMMITTED",
                                              .begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                                              .run = run,
                                              .ask = ask,
                                              .next = next,
                                              .end = end,
                                              .is_null = is_null,
                                              .number = number,
                                              .bytes = bytes,
                                              .columns = columns,
                                              .type = type,
                                              .lower = lower,
                                              .is_inside = is_inside,
                                              .be_brief = be_brief,
                                              .claim = claim,
                                              .close = close_it};

/* ---- Opening. */

/* Whoever commits an event tells who listens, by whatever way it came. */
#define TELLS                                                                                                          \
    "CREATE FUNCTION event_told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"                                        \
    " PERFORM pg_notify('" SCHEMA "', NEW.rev::text); RETURN NULL; END $$;"                                            \
    "CREATE TRIGGER event_told AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION event_told()"

/* Tables that were made anew begin another epoch. */
#define BEGIN_EPOCH                                                                                                    \
    "UPDATE meta SET v = CAST(CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) AS TEXT) WHERE k = 'epoch'"

static bool has_schema(struct registry_postgres *p, bool *has, struct fault *why)
{
    struct registry_query *q = ask(&p->base, "SELECT to_regclass('" SCHEMA ".rev') IS NOT NULL", NULL, 0);
    *has = next(q) && slice_equal(bytes(q, 0), SLICE("t"));
    return end(q, why);
}

static bool make(struct registry_postgres *p, struct fault *why)
{
    struct buf sql;
    buf_init(&sql);
    buf_append(&sql, SLICE("CREATE SCHEMA IF NOT EXISTS " SCHEMA ";\n"));
    registry_schema_postgres(&sql, SCHEMA);
    buf_append(&sql, SLICE(TELLS ";" BEGIN_EPOCH));
    buf_append_char(&sql, '\0');
    bool is_good = run_for(p, buf_ptr(&sql), LIMIT_REGISTRY_OPEN_MS, why);
    buf_clear(&sql);
    return is_good;
}

/* Of several gateways that start together one makes it. The number is the lock's, of nothing else. */
static bool make_once(struct registry_postgres *p, struct fault *why)
{
    bool has = false;
    bool is_good = run(&p->base, engine.begin_change, why) &&
                   run_for(p, "SELECT pg_advisory_xact_lock(7233182305910)", LIMIT_REGISTRY_OPEN_MS, why) &&
                   has_schema(p, &has, why) && (has || make(p, why)) && run(&p->base, "COMMIT", why);
    return is_good || registry_abort(&p->base);
}

static bool prepare(struct registry_postgres *p, struct fault *why)
{
    bool has = false;
    return has_schema(p, &has, why) && (has || make_once(p, why)) && registry_check_version(&p->base, why);
}

struct registry *registry_open_postgres(const char *conninfo, const char *node, struct fault *why)
{
    struct registry_postgres *p = mem_zalloc(1, sizeof *p);
    registry_init(&p->base, &engine, mem_strdup("PostgreSQL"));
    p->loop = loop_new();
    p->conninfo = mem_strdup(conninfo);
    p->node = mem_strdup(node);
    if (connect_it(p, why) && prepare(p, why)) return &p->base;
    close_it(&p->base);
    return NULL;
}
