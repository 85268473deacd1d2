/*
 * One connection to PostgreSQL that never blocks the loop: connecting, statements and answers, each with a deadline.
 *
 *     struct postgres *p = postgres_new(loop, "postgresql://moongate@db/ledger", "moongate gw-1", &events, arg, &why);
 *     on_ready:  postgres_ask(p, "SELECT $1::text", params, 1, timeout_ms, on_answer, arg);
 *     on_answer: answer->is_good, postgres_text(answer, row, column) …
 *     postgres_free(p);
 *
 * One statement at a time. When no address lets us in, the connection is lost or a deadline is over, on_end() tells
 * once and the connection is to be freed; a new one is for the caller to make. A statement that PostgreSQL refused is
 * an answer.
 * Host names are looked up by net/resolve.h, because libpq would block on them. Of several hosts and addresses each has
 * a time of its own, and the first one counts that may be written to, unless target_session_attrs says else. TLS
 * (sslmode …), password files and variables of the environment (PGUSER …) are as libpq has them; but PGHOSTADDR and
 * PGSERVICE, which could lead to lookups by the library, are refused when they are set, and GSSAPI encryption is off
 * unless it is asked for.
 * No message of this room holds a password.
 */
#ifndef MOONGATE_STORE_POSTGRES_H
#define MOONGATE_STORE_POSTGRES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

struct loop;
struct postgres;
struct postgres_result;

/* Types of parameters, as pg_type has their numbers: they have never changed. */
enum postgres_type {
    POSTGRES_ROWS = 0, /* what the statement makes of it: an array of rows (store/postgres_rows.h) */
    POSTGRES_BYTEA = 17,
    POSTGRES_INT8 = 20,
    POSTGRES_TEXT = 25,
};

struct postgres_param {
    enum postgres_type type;
    struct slice bytes;
    bool is_binary; /* else text, and NUL-terminated */
};

struct postgres_answer {
    bool is_good;
    char state[6];        /* SQLSTATE of what was refused: "23505" */
    struct fault why;     /* … and what PostgreSQL said */
    const struct postgres_result *result;
};

struct postgres_events {
    void (*on_ready)(void *arg);
    void (*on_end)(void *arg, const struct fault *why);
    void (*on_told)(void *arg); /* or NULL: a NOTIFY that the connection listens to, at any moment from on_ready on */
};

/* Borrowed during the call. */
typedef void (*postgres_answer_fn)(void *arg, const struct postgres_answer *answer);

/* Refused here: what is no connection string, or one with what would block. Nothing of it is in *why. */
bool postgres_check(const char *conninfo, struct fault *why);
/* NULL and *why: as postgres_check(). `name` is what pg_stat_activity shows. `events` is borrowed until the end. */
struct postgres *postgres_new(struct loop *loop, const char *conninfo, const char *name,
                              const struct postgres_events *events, void *arg, struct fault *why);
/* Ends the connection without waiting; no callback follows. Safe inside all of them. NULL is welcome. */
void postgres_free(struct postgres *p);

/* With parameters one statement, without any a list of them; copies all. Only from on_ready on, and when none is under
 * way (on_answer has been called). */
void postgres_ask(struct postgres *p, const char *sql, const struct postgres_param *params, size_t count,
                  unsigned timeout_ms, postgres_answer_fn fn, void *arg);

/* The same of a list of statements without parameters that ends in a COPY … FROM STDIN, which takes `bytes`: borrowed
 * until on_answer or on_end is called. */
void postgres_copy(struct postgres *p, const char *sql, struct slice bytes, unsigned timeout_ms, postgres_answer_fn fn,
                   void *arg);

size_t postgres_rows(const struct postgres_answer *answer);
/* Empty where there is none. */
struct slice postgres_text(const struct postgres_answer *answer, size_t row, size_t column);
/* 0 for what is null or no number. */
int64_t postgres_int(const struct postgres_answer *answer, size_t row, size_t column);

bool postgres_is_null(const struct postgres_answer *answer, size_t row, size_t column);
size_t postgres_columns(const struct postgres_answer *answer);
/* As pg_type has it; 0 where there is no such column. */
unsigned postgres_column_type(const struct postgres_answer *answer, size_t column);
/* The rows for longer than on_answer: to be put in the place of `result`, and dropped (NULL is welcome). */
struct postgres_result *postgres_keep(const struct postgres_answer *answer);
void postgres_drop(const struct postgres_result *result);

/* What the server said of itself when it was connected: "server_encoding"; "" when nothing. */
const char *postgres_said(const struct postgres *p, const char *parameter);

#endif
