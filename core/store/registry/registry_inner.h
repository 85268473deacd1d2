/*
 * What the registry's files share; nobody else includes it. One interface over SQLite and PostgreSQL.
 *
 *     registry/schema.sql  the tables and what they refuse; schema.c: for PostgreSQL
 *     registry/registry.c  what both engines have in common: statements, changes, refusals
 *     registry/sqlite.c    SQLite; postgres.c: PostgreSQL
 *     registry/upgrade.c   files of older versions
 *     registry/backup.c    copies, the way back, and the way into PostgreSQL; copy.c replay.c: parts of that
 *     registry/check.c     does it keep what is promised of it?
 *     registry/changes.c   what the ledger is to be told
 *     registry/place.c     in a file, or in a fleet's PostgreSQL?
 *     registry/people.c    people and their roles (roles.c): the model of a file of rows
 *     registry/sessions.c  sign-ins of people
 *     registry/provided.c  people as their identity provider writes them
 *     registry/keys.c      making, rotating and revoking keys
 *     registry/list.c      all of them
 *     registry/sections.c  what workers get, of each kind; sections_keys.c: keys, and what their owners are now
 *     registry/topups.c    making, ending and listing top-ups
 *     registry/requests.c  access that is asked for; decisions.c: what others say to that; grants.c;
 *                          approvals_rules.c: what governance asks of them
 *     registry/reviews.c   access reviews: reviews_inner.h says which file is for what
 *     registry/reading.c   what is there, without opening it for writing
 *     registry/notices.c   who is told of changes; evidence.c: what the checklist is told
 *     registry/mark.c      has it changed? without opening it
 *     registry/text.c      names that nobody guesses, lists as workers get them
 *
 * Reading, parameters written `?` in both engines:
 *
 *     struct registry_query *q = REGISTRY_ASK(r, "SELECT name, rev FROM person WHERE id=?", value_text(id));
 *     while (registry_next(q)) …registry_text(q, 0), registry_int(q, 1)…     // borrowed until the next call
 *     if (!registry_end(q, why)) return false;                               // always; says whether all was well
 *
 * A change: one transaction, one revision, one event.
 *
 *     bool is_good = registry_begin(r, why) &&               // queues behind all other changes
 *                    REGISTRY_DO(r, why, "INSERT INTO …(…, rev) VALUES(?, ?)", value_text(id), value_rev(r)) &&
 *                    registry_commit(r, by, "people.create", id, before, after, why);
 *     return is_good || registry_abort(r);
 *
 * `UPDATE … WHERE id=? AND rev=? RETURNING rev` gives no row when somebody else was faster (If-Match). What a trigger
 * or a constraint refused is told by registry_refused(r), and *why is its sentence.
 * SQL is what both understand: no rowid, no max(a, b), sums as CAST(coalesce(sum(x), 0) AS bigint), order by what is
 * selected, ON CONFLICT as both have it. Each statement on PostgreSQL has a deadline (LIMIT_REGISTRY_MS).
 */
#ifndef MOONGATE_STORE_REGISTRY_REGISTRY_INNER_H
#define MOONGATE_STORE_REGISTRY_REGISTRY_INNER_H

#include "store/registry/registry.h"

struct registry_backup;
struct registry_restoring;

/* ---- Values: parameters of statements. Texts are borrowed until registry_end(). */

enum registry_type { REGISTRY_NULL, REGISTRY_INT, REGISTRY_TEXT, REGISTRY_BLOB };

struct registry_value {
    enum registry_type type;
    int64_t number;
    struct slice bytes;
};

static inline struct registry_value value_int(int64_t number)
{
    return (struct registry_value){.type = REGISTRY_INT, .number = number};
}

static inline struct registry_value value_text(struct slice text)
{
    return (struct registry_value){.type = REGISTRY_TEXT, .bytes = text.ptr ? text : SLICE("")};
}

static inline struct registry_value value_str(const char *text)
{
    return value_text(slice_str(text));
}

static inline struct registry_value value_blob(const void *bytes, size_t len)
{
    return (struct registry_value){.type = REGISTRY_BLOB, .bytes = slice_of(bytes, len)};
}

static inline struct registry_value value_null(void)
{
    return (struct registry_value){.type = REGISTRY_NULL};
}

/* NULL for 0 (never, not) and for an empty text (not said). */
static inline struct registry_value value_int_or_null(int64_t number)
{
    return number ? value_int(number) : value_null();
}

static inline struct registry_value value_text_or_null(struct slice text)
{
    return text.len ? value_text(text) : value_null();
}

/* ---- The open registry. */

struct registry_query;

/* What an engine does for registry.c. `ask` never returns NULL: what failed is told by `end`. */
struct registry_engine {
    const char *begin_change, *begin_read;
    const char *const *intact; /* statements that give a row for each damage of the file; NULL: it looks after itself */
    bool (*run)(struct registry *r, const char *sql, struct fault *why); /* a list, without parameters or rows */
    struct registry_query *(*ask)(struct registry *r, const char *sql, const struct registry_value *values,
                                  size_t count);
    bool (*next)(struct registry_query *q);
    bool (*end)(struct registry_query *q, struct fault *why);
    bool (*is_null)(const struct registry_query *q, int column);
    int64_t (*number)(const struct registry_query *q, int column);
    struct slice (*bytes)(const struct registry_query *q, int column);
    int (*columns)(const struct registry_query *q);
    enum registry_type (*type)(const struct registry_query *q, int column);
    bool (*lower)(struct registry *r, bool is_down, struct fault *why); /* what triggers refuse, for a whole copy */
    bool (*is_inside)(const struct registry *r); /* a transaction has begun and not ended */
    void (*be_brief)(struct registry *r);
    bool (*claim)(struct registry *r, bool *is_mine, struct fault *why); /* of several with ledgers; or NULL */
    void (*close)(struct registry *r);
};

/* The first member of an engine's own. */
struct registry {
    const struct registry_engine *engine;
    char *name; /* of the file, or of the database without its password: begins what is told of failures */
    char *rules; /* the digest of governance's rules, for events; "" where there are none */
    const struct governance *governance; /* those rules, borrowed; NULL: none are known */
    int64_t rev; /* of the change under way, or of the last one */
    enum registry_refusal refused;
    bool is_moved; /* into another one: this one is read-only */
};

/* The first member of an engine's own. */
struct registry_query {
    struct registry *registry;
};

/* ---- Statements. */

#define REGISTRY_VALUES(...) (const struct registry_value[]){__VA_ARGS__}
#define REGISTRY_COUNT(...) (sizeof(REGISTRY_VALUES(__VA_ARGS__)) / sizeof(struct registry_value))
/* At least one value each. */
#define REGISTRY_ASK(r, sql, ...) registry_ask(r, sql, REGISTRY_VALUES(__VA_ARGS__), REGISTRY_COUNT(__VA_ARGS__))
#define REGISTRY_DO(r, why, sql, ...)                                                                                  \
    registry_do(r, sql, REGISTRY_VALUES(__VA_ARGS__), REGISTRY_COUNT(__VA_ARGS__), why)

/* Values are borrowed until registry_end(), which always follows. */
struct registry_query *registry_ask(struct registry *r, const char *sql, const struct registry_value *values,
                                    size_t count);
/* False: there are no more, or it failed. */
bool registry_next(struct registry_query *q);
/* Frees it. False and *why: it failed; what it gave before may be short. */
bool registry_end(struct registry_query *q, struct fault *why);
/* Columns from 0, of the row that registry_next() came to. NULL is 0 and "". */
bool registry_is_null(const struct registry_query *q, int column);
int64_t registry_int(const struct registry_query *q, int column);
struct slice registry_text(const struct registry_query *q, int column); /* a blob's bytes, too */
/* The same to its end, without looking at rows. */
bool registry_do(struct registry *r, const char *sql, const struct registry_value *values, size_t count,
                 struct fault *why);
/* A list of statements without parameters. */
bool registry_run(struct registry *r, const char *sql, struct fault *why);

/* ---- Changes. */

/* Waits for its turn. False and *why: nothing has begun. */
bool registry_begin(struct registry *r, struct fault *why);
static inline struct registry_value value_rev(const struct registry *r)
{
    return value_int(r->rev);
}
/* Writes the event, commits. `before` and `after` are given back, also when it fails; NULL: there is none. Both are
 * what differs, without secrets, texts by their hash. When it fails registry_abort() is still to be called. */
bool registry_commit(struct registry *r, const struct change_by *by, const char *action, struct slice object,
                     struct json_t *before, struct json_t *after, struct fault *why);
/* Takes back what was begun, if anything was. Always false. */
bool registry_abort(struct registry *r);
/* The end of a change that began with the reading of what it changes; is_good: registry_commit() has said so, or
 * nothing had to be changed. */
enum registry_found registry_end_change(struct registry *r, enum registry_found found, bool is_good);

/* What a function refuses by itself, in the store's words. Always false. */
bool registry_refuse_as(struct registry *r, enum registry_refusal refusal, struct fault *why);
/* if_rev: what was seen; 0: as it may be. False: another revision stands there, REGISTRY_STALE. */
bool registry_is_as_seen(struct registry *r, int64_t rev, int64_t if_rev, struct fault *why);

/* All reads until registry_read_end() see one moment. */
bool registry_read_begin(struct registry *r, struct fault *why);
bool registry_read_end(struct registry *r, bool is_good, struct fault *why); /* is_good, or false */
/* What is read is of this revision, in this epoch: a restored registry begins another one. */
bool registry_moment(struct registry *r, int64_t *epoch, int64_t *rev, struct fault *why);

/* Of a fleet's: whose tables it has, and the channel on which commits are told. */
#define REGISTRY_SCHEMA_NAME "moongate_registry"
/* Where it is, borrowed; appends what pg_stat_activity is to show. NULL: it is a file. */
const char *registry_place(struct buf *name);
/* In a fleet: the database that conninfo names, which is made ready when it is empty. `node`: what pg_stat_activity
 * shows of who is connected. NULL and *why, without a password in it. */
struct registry *registry_open_postgres(const char *conninfo, const char *node, struct fault *why);
/* The file of a data folder, wherever the registry may be. */
struct registry *registry_open_folder(const char *data_dir, struct fault *why);
bool registry_read_folder(const char *data_dir, struct registry **r, struct fault *why);

/* The same of a file anywhere; it must be there. */
struct registry *registry_open_reader_file(const char *path, struct fault *why);
/* A file that is made where there is none. */
struct registry *registry_open_file(const char *path, struct fault *why);

/* What was changed behind that revision, in its order: between registry_read_begin() and _end(), with the reading of
 * the objects it names, so that all is of one moment. *is_far: it is more than REGISTRY_BEHIND, and everything is to be
 * read instead; nothing was told. *rev: what has been read up to. */
#define REGISTRY_BEHIND 1000
bool registry_since(struct registry *r, int64_t after,
                    void (*each)(void *arg, struct slice action, struct slice object), void *arg, bool *is_far,
                    int64_t *rev, struct fault *why);

/* ---- Copies (backup.c). */

/* The n-th table but meta and rev, in the order in which they can be filled; NULL behind the last. */
const char *registry_table(size_t n);
/* In one transaction of `to`, which must be empty. */
bool registry_copy(struct registry *from, struct registry *to, int64_t *rows, struct fault *why);
/* How many of the changes that the ledger has are not in the copy: about->lost. */
bool registry_count_later(struct registry *r, const char *data_dir, struct registry_backup *about, struct fault *why);
/* Of those each that took something is done once more. */
bool registry_replay(struct registry *r, const char *data_dir, const struct registry_restoring *how,
                     struct registry_backup *about, struct fault *why);

/* ---- For engines. */

/* Notes what a message of a trigger or a constraint stands for, when it is one: REGISTRY_ACCEPTED: it is none. */
enum registry_refusal registry_refuse(struct registry *r, struct slice said, struct fault *why);
void registry_init(struct registry *r, const struct registry_engine *engine, char *name /* taken */);
void registry_clear(struct registry *r);
/* In a transaction of its own or a caller's. */
bool registry_check_version(struct registry *r, struct fault *why);

/* ---- For workers (sections.c, sections_keys.c). */

struct section_about;
struct buf;

/* After rows until one could not be taken, whose fault stands; else that of the query. */
bool registry_end_rows(struct registry_query *q, bool is_good, struct fault *why);
bool registry_build_keys(struct registry *r, int64_t now_s, const struct section_about *about, struct buf *out,
                         struct fault *why);

/* ---- Beside it. */

/* Seconds since 1970. */
int64_t registry_now_s(void);
/* `count` characters of base 62 and a NUL. */
bool registry_random(char *text, size_t count, struct fault *why);
/* An id: the prefix, which `id` has room for, and twelve such characters. */
bool registry_make_id(char *id, const char *prefix, struct fault *why);
/* {"name":list} in one line; the list is given back. */
void registry_append(struct buf *out, const char *name, struct json_t *list);
/* Sets a text, or nothing where it is NULL. */
void registry_set_text(struct json_t *object, const char *name, const struct registry_query *q, int column);
/* Sets a number, 0 where it is NULL. */
void registry_set_int(struct json_t *object, const char *name, const struct registry_query *q, int column);

#endif
