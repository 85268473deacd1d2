#include "store/postgres.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/postgres_inner.h"

#define PARAMS_MAX 16
#define COPY_BYTES (128u * KIB) /* handed over in one turn of the loop */

enum state { RESOLVING, CONNECTING, READY, ASKING, ENDED };

struct postgres {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer deadline, start;
    struct resolve *resolve;
    struct postgres_target target;
    struct resolve_result found;
    size_t address;     /* how many were tried */
    struct fault tried; /* what came of it */
    struct fault last_words; /* of the server, before it closed the connection unasked */
    const struct postgres_events *events;
    void *arg;
    char *name;
    PGconn *conn;
    enum state state;
    postgres_answer_fn on_answer;
    void *answer_arg;
    struct slice copy; /* still to be handed over */
    bool is_copying;   /* the server takes it */
    PGresult *result;  /* the first of a statement's that says something, or its failure */
};

/* ---- Ending. */

static void let_go(struct postgres *p)
{
    loop_watch_set(&p->watch, 0);
    loop_timer_disarm(&p->deadline);
    loop_timer_disarm(&p->start);
    resolve_free(p->resolve);
    p->resolve = NULL;
    PQclear(p->result);
    p->result = NULL;
    PQfinish(p->conn);
    p->conn = NULL;
    p->state = ENDED;
}

static void end(struct postgres *p, const struct fault *why)
{
    struct fault kept = *why;
    let_go(p);
    p->events->on_end(p->arg, &kept);
}

/* In one line, and without the password should a server ever repeat it. */
static void set_fault(const struct postgres *p, struct fault *why, struct slice text)
{
    const char *password = p->conn ? PQpass(p->conn) : NULL;
    struct slice rest = slice_trim(text);
    struct buf said;
    buf_init(&said);
    while (rest.len && rest.ptr[rest.len - 1] == '\n')
        rest.len--;
    size_t secret = password ? strlen(password) : 0;
    for (size_t i = 0; i < rest.len; i++) {
        if (secret && rest.len - i >= secret && memcmp(rest.ptr + i, password, secret) == 0) {
            buf_append(&said, SLICE("***"));
            i += secret - 1;
        } else {
            buf_append_char(&said, (unsigned char)rest.ptr[i] < ' ' ? ' ' : rest.ptr[i]);
        }
    }
    fault_set(why, FAULT_INTERNAL, "%.*s", SLICE_FMT(buf_slice(&said)));
    buf_clear(&said);
}

static void end_with_error(struct postgres *p)
{
    struct fault why = p->last_words;
    if (!why.text[0]) set_fault(p, &why, slice_str(PQerrorMessage(p->conn)));
    end(p, &why);
}

/* ---- Answers. */

/* An answer may free the connection, or ask for more. */
static void answer(struct postgres *p)
{
    struct postgres_answer a = {.result = (const struct postgres_result *)p->result};
    ExecStatusType status = PQresultStatus(p->result);
    a.is_good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!a.is_good) {
        const char *state = PQresultErrorField(p->result, PG_DIAG_SQLSTATE);
        const char *said = PQresultErrorField(p->result, PG_DIAG_MESSAGE_PRIMARY);
        snprintf(a.state, sizeof a.state, "%s", state ? state : "");
        set_fault(p, &a.why, slice_str(said ? said : PQresultErrorMessage(p->result)));
    }
    PGresult *result = p->result;
    postgres_answer_fn fn = p->on_answer;
    p->result = NULL;
    p->state = READY;
    loop_timer_disarm(&p->deadline);
    fn(p->answer_arg, &a);
    PQclear(result);
}

/* Of several statements the last one's counts, unless one has failed. */
static void keep(struct postgres *p, PGresult *result)
{
    ExecStatusType before = p->result ? PQresultStatus(p->result) : PGRES_COMMAND_OK;
    if (before != PGRES_COMMAND_OK && before != PGRES_TUPLES_OK) {
        PQclear(result);
        return;
    }
    PQclear(p->result);
    p->result = result;
}

/* True: all of the answer is there. A server that would copy to us, unasked, would never come to an end. */
static bool take_results(struct postgres *p)
{
    while (!p->is_copying && !PQisBusy(p->conn)) {
        PGresult *result = PQgetResult(p->conn);
        if (!result) return true;
        ExecStatusType status = PQresultStatus(result);
        p->is_copying = status == PGRES_COPY_IN;
        if (p->is_copying) PQclear(result);
        else keep(p, result);
        if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) return true;
    }
    return false;
}

static bool flush(struct postgres *p)
{
    int left = PQflush(p->conn);
    bool has_more = left > 0 || p->is_copying;
    if (left >= 0) loop_watch_set(&p->watch, has_more ? LOOP_READ | LOOP_WRITE : LOOP_READ);
    return left >= 0;
}

/* A piece of what is copied, once the one before has gone. What the server has against it comes as the answer. */
static bool hand_over(struct postgres *p)
{
    size_t len = p->copy.len < COPY_BYTES ? p->copy.len : COPY_BYTES;
    int left = PQflush(p->conn);
    if (left) return left > 0;
    int is_taken = len ? PQputCopyData(p->conn, p->copy.ptr, (int)len) : PQputCopyEnd(p->conn, NULL);
    if (is_taken == 1 && !len) p->is_copying = false;
    if (is_taken == 1) p->copy = slice_of(p->copy.ptr + len, p->copy.len - len);
    return is_taken >= 0;
}

/* False: who was told has freed the connection. */
static bool tell(struct postgres *p)
{
    bool is_told = false;
    for (PGnotify *n; p->events->on_told && (n = PQnotifies(p->conn)); PQfreemem(n))
        is_told = true;
    if (is_told) p->events->on_told(p->arg);
    return p->conn != NULL;
}

static void on_traffic(struct postgres *p, unsigned ready)
{
    if (ready & LOOP_READ && !PQconsumeInput(p->conn)) {
        end_with_error(p);
        return;
    }
    if (!tell(p)) return;
    if (p->state != ASKING) {
        PQisBusy(p->conn); /* what was said unasked is read, and gone */
        return;
    }
    if (take_results(p)) {
        if (PQstatus(p->conn) == CONNECTION_OK && p->result) answer(p);
        else end_with_error(p);
        return;
    }
    if ((p->is_copying && !hand_over(p)) || !flush(p)) end_with_error(p);
}

/* ---- Connecting: to one address after the other, as the library would do it where it blocks. */

static void connected(struct postgres *p)
{
    check(PQsetnonblocking(p->conn, 1) == 0);
    loop_timer_disarm(&p->deadline);
    p->state = READY;
    loop_watch_set(&p->watch, LOOP_READ); /* a server that ends says so here */
    p->events->on_ready(p->arg);
}

static void connect_next(struct postgres *p);

/* All that was tried is told together, the last one first, should there be more than a fault holds. What follows the
 * first line is advice. */
static void give_up_address(struct postgres *p, const char *text)
{
    struct fault before = p->tried, why = {0};
    set_fault(p, &why, slice_of(text, strcspn(text, "\n")));
    fault_set(&p->tried, FAULT_INTERNAL, "%s%s%s", why.text, before.text[0] ? "; " : "", before.text);
    loop_watch_set(&p->watch, 0);
    loop_timer_disarm(&p->deadline);
    PQfinish(p->conn);
    p->conn = NULL;
    connect_next(p);
}

static void on_ready(void *arg, unsigned ready);

/* The library opens another socket for each address, so that none is watched over a step. */
static void watch(struct postgres *p, unsigned interest)
{
    loop_watch_init(&p->watch, p->loop, PQsocket(p->conn), on_ready, p);
    loop_watch_set(&p->watch, interest);
}

static void step(struct postgres *p)
{
    loop_watch_set(&p->watch, 0);
    switch (PQconnectPoll(p->conn)) {
    case PGRES_POLLING_READING: watch(p, LOOP_READ); return;
    case PGRES_POLLING_WRITING: watch(p, LOOP_WRITE); return;
    case PGRES_POLLING_ACTIVE: watch(p, LOOP_READ | LOOP_WRITE); return;
    case PGRES_POLLING_OK:
        loop_watch_init(&p->watch, p->loop, PQsocket(p->conn), on_ready, p);
        connected(p);
        return;
    case PGRES_POLLING_FAILED: give_up_address(p, PQerrorMessage(p->conn)); return;
    }
}

static void on_ready(void *arg, unsigned ready)
{
    struct postgres *p = arg;
    if (p->state == CONNECTING) step(p);
    else on_traffic(p, ready);
}

/* Notices are for people at a terminal; unasked, the library prints them. An end is told as one too. */
static void on_notice(void *arg, const PGresult *notice)
{
    struct postgres *p = arg;
    const char *said = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (said && severity && strcmp(severity, "FATAL") == 0) set_fault(p, &p->last_words, slice_str(said));
    log_event(LOG_DEBUG, "postgres_notice", "%s", said ? said : "");
}

static void connect_next(struct postgres *p)
{
    struct postgres_words words;
    struct postgres_host address;
    if (!postgres_target_address(&p->target, &p->found, p->address++, &address)) {
        end(p, &p->tried);
        return;
    }
    postgres_words_make(&words, &p->target, &address, p->name);
    p->conn = PQconnectStartParams(words.keywords, words.values, 0);
    check(p->conn);
    PQsetNoticeReceiver(p->conn, on_notice, p);
    p->state = CONNECTING;
    loop_timer_arm_ms(&p->deadline, postgres_target_timeout_ms(&p->target));
    if (PQstatus(p->conn) == CONNECTION_BAD) give_up_address(p, PQerrorMessage(p->conn));
    else watch(p, LOOP_WRITE);
}

/* A name without an address is told, and the other hosts are tried. */
static void on_resolved(void *arg, const struct resolve_result *found, const struct fault *why)
{
    struct postgres *p = arg;
    p->found = *found;
    if (why) fault_set(&p->tried, FAULT_INTERNAL, "host name of postgres.url: %s", fault_message(why));
    connect_next(p);
}

static void on_deadline(void *arg)
{
    struct postgres *p = arg;
    struct buf text;
    if (p->state == ASKING) {
        struct fault why = {0};
        fault_set(&why, FAULT_INTERNAL, "no answer to a statement in time");
        end(p, &why);
        return;
    }
    buf_init(&text);
    buf_printf(&text, "connection to server at \"%s\", port %s failed: no answer in time%c", PQhost(p->conn),
               PQport(p->conn), '\0');
    give_up_address(p, buf_ptr(&text));
    buf_clear(&text);
}

/* From the loop, so that what fails at once is told like all else. */
static void begin(void *arg)
{
    struct postgres *p = arg;
    const char *names[LIMIT_POSTGRES_HOSTS];
    size_t count = 0;
    for (size_t i = 0; i < p->target.host_count; i++) {
        if (p->target.hosts[i].is_named) names[count++] = p->target.hosts[i].name;
    }
    if (count == 0) {
        connect_next(p);
        return;
    }
    struct fault why = {0};
    p->resolve = resolve_start(p->loop, names, count, on_resolved, p, &why);
    if (!p->resolve) end(p, &why);
}

/* ---- The room. */

bool postgres_check(const char *conninfo, struct fault *why)
{
    struct postgres_target target;
    bool is_good = postgres_target_read(&target, conninfo, why);
    postgres_target_clear(&target);
    return is_good;
}

struct postgres *postgres_new(struct loop *loop, const char *conninfo, const char *name,
                              const struct postgres_events *events, void *arg, struct fault *why)
{
    struct postgres *p = mem_zalloc(1, sizeof *p);
    *p = (struct postgres){.loop = loop, .events = events, .arg = arg, .name = mem_strdup(name), .state = RESOLVING};
    if (!postgres_target_read(&p->target, conninfo, why)) {
        postgres_free(p);
        return NULL;
    }
    loop_timer_init(&p->deadline, loop, on_deadline, p);
    loop_timer_init(&p->start, loop, begin, p);
    loop_timer_arm_ms(&p->start, 0);
    return p;
}

static void free_now(void *arg)
{
    struct postgres *p = arg;
    postgres_target_clear(&p->target);
    mem_free(p->name);
    mem_free(p);
}

void postgres_free(struct postgres *p)
{
    if (!p) return;
    let_go(p);
    loop_defer(p->loop, free_now, p);
}

void postgres_ask(struct postgres *p, const char *sql, const struct postgres_param *params, size_t count,
                  unsigned timeout_ms, postgres_answer_fn fn, void *arg)
{
    Oid types[PARAMS_MAX];
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX], formats[PARAMS_MAX];
    check(p->state == READY && count <= PARAMS_MAX);
    for (size_t i = 0; i < count; i++) {
        types[i] = (Oid)params[i].type;
        values[i] = params[i].bytes.ptr;
        lengths[i] = (int)params[i].bytes.len;
        formats[i] = params[i].is_binary;
    }
    p->state = ASKING;
    p->on_answer = fn;
    p->answer_arg = arg;
    loop_timer_arm_ms(&p->deadline, timeout_ms);
    int is_sent = count ? PQsendQueryParams(p->conn, sql, (int)count, types, values, lengths, formats, 0)
                        : PQsendQuery(p->conn, sql);
    /* A connection that has broken says so when it is read: not to who is still asking. */
    if (!is_sent || !flush(p)) loop_watch_again(&p->watch, LOOP_READ);
}

void postgres_copy(struct postgres *p, const char *sql, struct slice bytes, unsigned timeout_ms, postgres_answer_fn fn,
                   void *arg)
{
    p->copy = bytes;
    p->is_copying = false;
    postgres_ask(p, sql, NULL, 0, timeout_ms, fn, arg);
}

size_t postgres_rows(const struct postgres_answer *answer)
{
    return (size_t)PQntuples((const PGresult *)answer->result);
}

struct slice postgres_text(const struct postgres_answer *answer, size_t row, size_t column)
{
    const PGresult *result = (const PGresult *)answer->result;
    if (row >= (size_t)PQntuples(result) || column >= (size_t)PQnfields(result)) return SLICE("");
    return slice_of(PQgetvalue(result, (int)row, (int)column), (size_t)PQgetlength(result, (int)row, (int)column));
}

int64_t postgres_int(const struct postgres_answer *answer, size_t row, size_t column)
{
    return strtoll(postgres_text(answer, row, column).ptr, NULL, 10);
}

bool postgres_is_null(const struct postgres_answer *answer, size_t row, size_t column)
{
    return PQgetisnull((const PGresult *)answer->result, (int)row, (int)column) != 0;
}

size_t postgres_columns(const struct postgres_answer *answer)
{
    return (size_t)PQnfields((const PGresult *)answer->result);
}

unsigned postgres_column_type(const struct postgres_answer *answer, size_t column)
{
    const PGresult *result = (const PGresult *)answer->result;
    return column < (size_t)PQnfields(result) ? PQftype(result, (int)column) : 0;
}

struct postgres_result *postgres_keep(const struct postgres_answer *answer)
{
    PGresult *copy = PQcopyResult((const PGresult *)answer->result, PG_COPYRES_TUPLES);
    check(copy);
    return (struct postgres_result *)copy;
}

void postgres_drop(const struct postgres_result *result)
{
    PQclear((PGresult *)(uintptr_t)result);
}

const char *postgres_said(const struct postgres *p, const char *parameter)
{
    const char *said = PQparameterStatus(p->conn, parameter);
    return said ? said : "";
}
