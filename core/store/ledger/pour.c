#include "store/ledger/pour.h"

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/ledger/batch.h"
#include "store/ledger/rollup.h"
#include "store/postgres_rows.h"

#define UNIQUE_VIOLATION "23505"

struct ledger_pour {
    struct postgres *conn;
    uint32_t types[3];
    struct ledger_pour_order order;
    ledger_pour_fn fn;
    void *arg;
    int64_t others;
    struct buf sql, bytes;
    struct postgres_rows days, labels;
};

struct ledger_pour *ledger_pour_new(struct postgres *conn, const uint32_t types[3])
{
    struct ledger_pour *p = mem_zalloc(1, sizeof *p);
    p->conn = conn;
    memcpy(p->types, types, sizeof p->types);
    buf_init(&p->sql);
    buf_init(&p->bytes);
    postgres_rows_init(&p->days);
    postgres_rows_init(&p->labels);
    return p;
}

void ledger_pour_free(struct ledger_pour *p)
{
    if (!p) return;
    buf_clear(&p->sql);
    buf_clear(&p->bytes);
    postgres_rows_clear(&p->days);
    postgres_rows_clear(&p->labels);
    mem_free(p);
}

static void end(struct ledger_pour *p, enum ledger_poured how, const struct postgres_answer *answer)
{
    p->fn(p->arg, how, p->others, answer);
}

static void ask(struct ledger_pour *p, const char *sql, postgres_answer_fn fn)
{
    postgres_ask(p->conn, sql, NULL, 0, LIMIT_POSTGRES_STATEMENT_MS, fn, p);
}

/* ---- Copying. */

static void copy(struct ledger_pour *p, const char *before, enum ledger_batch_rows kind, postgres_answer_fn fn)
{
    buf_reset(&p->sql);
    buf_printf(&p->sql, "%sCOPY ", before);
    ledger_batch_target(&p->sql, kind);
    buf_append(&p->sql, slice_of(" FROM STDIN (FORMAT binary)", sizeof " FROM STDIN (FORMAT binary)"));
    buf_reset(&p->bytes);
    postgres_rows_copy(ledger_batch_rows_of(p->order.batch, kind), p->order.gw, &p->bytes);
    postgres_copy(p->conn, buf_ptr(&p->sql), buf_slice(&p->bytes), LIMIT_POSTGRES_STATEMENT_MS, fn, p);
}

static void on_rolled_back(void *arg, const struct postgres_answer *answer)
{
    end(arg, answer->is_good ? POUR_KNOWN : POUR_FAILED, answer);
}

/* False: it goes no further. */
static bool is_copied(struct ledger_pour *p, const struct postgres_answer *answer)
{
    if (answer->is_good) return true;
    if (strcmp(answer->state, UNIQUE_VIOLATION) == 0) ask(p, "ROLLBACK", on_rolled_back);
    else end(p, POUR_FAILED, answer);
    return false;
}

/* ---- Sums, and the place. */

static void add_sums(struct postgres_rows *rows, const struct ledger_sums *from, int32_t gw, size_t texts, size_t sums)
{
    struct slice text[ROLLUP_TEXTS];
    postgres_rows_reset(rows);
    for (uint32_t i = 0; i < from->count; i++) {
        postgres_rows_begin(rows);
        postgres_rows_add_day(rows, ledger_sums_key(from, i, text, texts));
        for (size_t t = 0; t < texts; t++)
            postgres_rows_add_text(rows, text[t]);
        postgres_rows_add_int4(rows, gw);
        for (size_t s = 0; s < sums; s++)
            postgres_rows_add_int(rows, from->rows[i].sums[s]);
    }
}

static void on_committed(void *arg, const struct postgres_answer *answer)
{
    end(arg, answer->is_good ? POUR_DONE : POUR_FAILED, answer);
}

static void on_moved(void *arg, const struct postgres_answer *answer)
{
    struct ledger_pour *p = arg;
    if (!answer->is_good) {
        end(p, POUR_FAILED, answer);
        return;
    }
    if (postgres_int(answer, 0, 0) != 1) {
        end(p, POUR_TAKEN, answer);
        return;
    }
    p->others = postgres_int(answer, 0, 1);
    ask(p, "COMMIT", on_committed);
}

static void move(struct ledger_pour *p)
{
    struct postgres_param params[POUR_MOVED_PARAMS + 3];
    const struct ledger_rollup *sums = ledger_batch_sums(p->order.batch);
    add_sums(&p->days, &sums->days, p->order.gw, ROLLUP_TEXTS, ROLLUP_SUMS);
    add_sums(&p->labels, &sums->labels, p->order.gw, LABEL_TEXTS, LABEL_SUMS);
    memcpy(params, p->order.params, sizeof p->order.params);
    params[5] = postgres_rows_param(&p->days, p->types[0]);
    params[6] = postgres_rows_param(&p->labels, p->types[1]);
    params[7] = postgres_rows_param(ledger_batch_rows_of(p->order.batch, BATCH_ANCHORS), p->types[2]);
    buf_reset(&p->sql);
    buf_append(&p->sql, slice_str(p->order.moved));
    ledger_batch_sums_sql(&p->sql, POUR_MOVED_PARAMS + 1);
    buf_append_char(&p->sql, '\0');
    postgres_ask(p->conn, buf_ptr(&p->sql), params, POUR_MOVED_PARAMS + 3, LIMIT_POSTGRES_STATEMENT_MS, on_moved, p);
}

/* ---- One after the other. */

static void on_records(void *arg, const struct postgres_answer *answer)
{
    if (is_copied(arg, answer)) move(arg);
}

static void on_audit(void *arg, const struct postgres_answer *answer)
{
    struct ledger_pour *p = arg;
    if (is_copied(p, answer)) copy(p, "", BATCH_RECORDS, on_records);
}

void ledger_pour_send(struct ledger_pour *p, const struct ledger_pour_order *order, ledger_pour_fn fn, void *arg)
{
    p->order = *order;
    p->fn = fn;
    p->arg = arg;
    p->others = 0;
    copy(p, "BEGIN; ", BATCH_AUDIT, on_audit);
}
