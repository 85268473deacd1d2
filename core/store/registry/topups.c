#include <inttypes.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "base/visible.h"
#include "store/registry/registry_inner.h"

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

/* ---- What may be one. */

/* As a list shows it in a line: nothing in it that a terminal would obey, and not blank. */
static bool is_visible(struct slice text)
{
    struct buf shown;
    bool is_blank = true;
    buf_init(&shown);
    visible_append(&shown, text, false);
    bool is_same = slice_equal(buf_slice(&shown), text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n' || text.ptr[i] == '\t') is_same = false;
        if (text.ptr[i] != ' ') is_blank = false;
    }
    buf_clear(&shown);
    return is_same && !is_blank && utf8_is_valid(text);
}

bool registry_check_reason(struct slice reason, struct fault *why)
{
    if (reason.len == 0) return fault_set(why, FAULT_INTERNAL, "it needs a reason: the ledger keeps it");
    if (reason.len > LIMIT_REASON_BYTES)
        return fault_set(why, FAULT_INTERNAL, "the reason is longer than %u bytes", LIMIT_REASON_BYTES);
    return is_visible(reason) ||
           fault_set(why, FAULT_INTERNAL, "the reason is not one line of visible text in UTF-8");
}

static bool check_name(struct slice text, const char *what, struct fault *why)
{
    if (text.len > LIMIT_TOPUP_NAME_BYTES)
        return fault_set(why, FAULT_INTERNAL, "%s is longer than %u bytes", what, LIMIT_TOPUP_NAME_BYTES);
    return utf8_is_valid(text) || fault_set(why, FAULT_INTERNAL, "%s is not UTF-8", what);
}

static bool check_spec(const struct topup_spec *spec, struct slice reason, int64_t at_s, struct fault *why)
{
    if (spec->budget.len == 0) return fault_set(why, FAULT_INTERNAL, "a top-up of no budget");
    if (spec->nano < 1) return fault_set(why, FAULT_INTERNAL, "a top-up adds something");
    if (spec->nano > LIMIT_TOPUP_NANO) return fault_set(why, FAULT_INTERNAL, "a top-up is at most 4,000,000 USD");
    if (spec->ends_at <= at_s) return fault_set(why, FAULT_INTERNAL, "it would be over already");
    if (spec->ends_at - at_s > (int64_t)LIMIT_TOPUP_S)
        return fault_set(why, FAULT_INTERNAL, "it would last more than %u days", LIMIT_TOPUP_S / 86400u);
    return check_name(spec->budget, "the budget's name", why) && check_name(spec->scope, "the scope", why) &&
           registry_check_reason(reason, why);
}

/* ---- Making. */

/* How many are not over, and what those of this budget and scope add. A sum that overflows, as only a clock that was
 * set back many times could bring about, is an error of SQLite's. */
static bool read_live(struct registry *r, const struct topup_spec *spec, int64_t at_s, int64_t *count, int64_t *nano,
                      struct fault *why)
{
    sqlite3_stmt *q;
    const char *sql = "SELECT count(*), coalesce(sum(nano) FILTER (WHERE budget = ? AND scope = ?), 0) FROM topups"
                      " WHERE ended_at = 0 AND ends_at > ?";
    if (sqlite3_prepare_v2(r->db, sql, -1, &q, NULL) != SQLITE_OK) return registry_fail(r, why);
    registry_bind_text(q, 1, spec->budget);
    registry_bind_text(q, 2, spec->scope);
    sqlite3_bind_int64(q, 3, at_s);
    bool is_good = sqlite3_step(q) == SQLITE_ROW || registry_fail(r, why);
    *count = sqlite3_column_int64(q, 0);
    *nano = sqlite3_column_int64(q, 1);
    sqlite3_finalize(q);
    return is_good;
}

static bool has_room(struct registry *r, const struct topup_spec *spec, int64_t at_s, int64_t *before,
                     struct fault *why)
{
    int64_t count = 0;
    if (!read_live(r, spec, at_s, &count, before, why)) return false;
    if (count >= (int64_t)LIMIT_TOPUPS)
        return fault_set(why, FAULT_INTERNAL,
                         "%" PRId64 " top-ups are live, and of more than %u those that end last alone would hold: end "
                         "one first",
                         count, LIMIT_TOPUPS);
    if (*before > LIMIT_TOPUP_NANO - spec->nano)
        return fault_set(why, FAULT_INTERNAL, "the top-ups of this budget would come to more than 4,000,000 USD");
    return true;
}

static bool insert(struct registry *r, const struct topup_spec *spec, const struct change_by *by,
                   const struct topup_made *made, struct fault *why)
{
    sqlite3_stmt *q;
    const char *sql = "INSERT INTO topups(id, budget, scope, nano, reason, made_by, created_at, starts_at, ends_at)"
                      " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)";
    if (sqlite3_prepare_v2(r->db, sql, -1, &q, NULL) != SQLITE_OK) return registry_fail(r, why);
    registry_bind_text(q, 1, slice_str(made->id));
    registry_bind_text(q, 2, spec->budget);
    registry_bind_text(q, 3, spec->scope);
    sqlite3_bind_int64(q, 4, spec->nano);
    registry_bind_text(q, 5, by->reason);
    registry_bind_text(q, 6, by->actor);
    sqlite3_bind_int64(q, 7, made->created_at);
    sqlite3_bind_int64(q, 8, made->created_at);
    sqlite3_bind_int64(q, 9, spec->ends_at);
    bool is_good = sqlite3_step(q) == SQLITE_DONE || registry_fail(r, why);
    sqlite3_finalize(q);
    return is_good;
}

static bool note_made(struct registry *r, const struct topup_spec *spec, const struct change_by *by,
                      const struct topup_made *made, struct fault *why)
{
    const char *scope = spec->scope.ptr ? spec->scope.ptr : "";
    json_int_t amount = spec->nano, added = made->before_nano;
    json_t *before = json_pack("{s:I}", "added_nano", added);
    json_t *after =
        json_pack("{s:s%, s:s%, s:I, s:I, s:I}", "budget", spec->budget.ptr, spec->budget.len, "scope", scope,
                  spec->scope.len, "amount_nano", amount, "added_nano", added + amount, "ends_at",
                  (json_int_t)spec->ends_at);
    return registry_note(r, by, "topup.create", slice_str(made->id), before, after, why);
}

bool registry_topup_create(struct registry *r, const struct topup_spec *spec, const struct change_by *by,
                           struct topup_made *made, struct fault *why)
{
    made->created_at = now_s();
    memcpy(made->id, TOPUP_ID_PREFIX, sizeof TOPUP_ID_PREFIX - 1);
    if (!check_spec(spec, by->reason, made->created_at, why)) return false;
    if (!registry_random(made->id + sizeof TOPUP_ID_PREFIX - 1, TOPUP_ID_BYTES - sizeof TOPUP_ID_PREFIX, why))
        return false;
    bool is_good = registry_run(r, "BEGIN IMMEDIATE", why) &&
                   has_room(r, spec, made->created_at, &made->before_nano, why) && insert(r, spec, by, made, why) &&
                   note_made(r, spec, by, made, why) && registry_run(r, "COMMIT", why);
    return is_good || registry_give_up(r);
}

/* ---- Ending. */

static enum registry_found read_old(struct registry *r, struct slice id, struct topup_ended *old, struct fault *why)
{
    sqlite3_stmt *q;
    int rc = sqlite3_prepare_v2(r->db, "SELECT nano, ends_at, ended_at FROM topups WHERE id = ?", -1, &q, NULL);
    if (rc == SQLITE_OK) {
        registry_bind_text(q, 1, id);
        rc = sqlite3_step(q);
    }
    if (rc == SQLITE_ROW) {
        int64_t ended_at = sqlite3_column_int64(q, 2);
        *old = (struct topup_ended){.nano = sqlite3_column_int64(q, 0), .ends_at = sqlite3_column_int64(q, 1)};
        old->ended_at = ended_at ? ended_at : old->ends_at;
        old->was_over = ended_at != 0 || old->ends_at <= now_s();
    } else if (rc != SQLITE_DONE) {
        registry_fail(r, why);
    }
    sqlite3_finalize(q);
    return rc == SQLITE_ROW ? REGISTRY_FOUND : rc == SQLITE_DONE ? REGISTRY_MISSING : REGISTRY_FAILED;
}

static bool write_end(struct registry *r, struct slice id, int64_t at_s, struct fault *why)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(r->db, "UPDATE topups SET ended_at = ? WHERE id = ?", -1, &q, NULL) != SQLITE_OK)
        return registry_fail(r, why);
    sqlite3_bind_int64(q, 1, at_s);
    registry_bind_text(q, 2, id);
    bool is_good = sqlite3_step(q) == SQLITE_DONE || registry_fail(r, why);
    sqlite3_finalize(q);
    return is_good;
}

static bool end_it(struct registry *r, struct slice id, const struct change_by *by, struct topup_ended *ended,
                   struct fault *why)
{
    if (ended->was_over) return true; /* nothing changes */
    ended->ended_at = now_s();
    json_t *before = json_pack("{s:I}", "ends_at", (json_int_t)ended->ends_at);
    json_t *after = json_pack("{s:I}", "ended_at", (json_int_t)ended->ended_at);
    return write_end(r, id, ended->ended_at, why) && registry_note(r, by, "topup.end", id, before, after, why);
}

enum registry_found registry_topup_end(struct registry *r, struct slice id, const struct change_by *by,
                                       struct topup_ended *ended, struct fault *why)
{
    if (by->reason.len && !registry_check_reason(by->reason, why)) return REGISTRY_FAILED;
    if (!registry_run(r, "BEGIN IMMEDIATE", why)) return REGISTRY_FAILED;
    enum registry_found found = read_old(r, id, ended, why);
    bool is_good = found == REGISTRY_FOUND && end_it(r, id, by, ended, why);
    return registry_end_change(r, found, is_good, why);
}

/* ---- All of them. */

static void set_text(json_t *to, const char *name, sqlite3_stmt *q, int column)
{
    json_object_set_new(to, name, json_stringn((const char *)sqlite3_column_text(q, column),
                                               (size_t)sqlite3_column_bytes(q, column)));
}

/* The columns' own names; NULL when a text is damaged. */
static json_t *topup_of_row(sqlite3_stmt *q)
{
    json_t *topup = json_object();
    for (int i = 0; i < sqlite3_column_count(q); i++) {
        const char *name = sqlite3_column_name(q, i);
        if (sqlite3_column_type(q, i) == SQLITE_INTEGER)
            json_object_set_new(topup, name, json_integer(sqlite3_column_int64(q, i)));
        else
            set_text(topup, name, q, i);
    }
    if ((int)json_object_size(topup) == sqlite3_column_count(q)) return topup;
    json_decref(topup);
    return NULL;
}

/* since_s: of a statement that asks for those that end after it, and for no more than may be handed over. */
static json_t *read_topups(struct registry *r, const char *sql, int64_t since_s, struct fault *why)
{
    sqlite3_stmt *q;
    int rc = sqlite3_prepare_v2(r->db, sql, -1, &q, NULL);
    json_t *list = json_array();
    if (rc == SQLITE_OK && sqlite3_bind_parameter_count(q)) {
        sqlite3_bind_int64(q, 1, since_s);
        sqlite3_bind_int64(q, 2, LIMIT_TOPUPS);
    }
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(q);
        if (rc != SQLITE_ROW) break;
        if (json_array_append_new(list, topup_of_row(q)) == 0) continue;
        fault_set(why, FAULT_INTERNAL, "%s: a text of %s is damaged", r->path, sqlite3_column_text(q, 0));
        break;
    }
    if (rc != SQLITE_DONE && rc != SQLITE_ROW) registry_fail(r, why);
    sqlite3_finalize(q);
    if (rc == SQLITE_DONE) return list;
    json_decref(list);
    return NULL;
}

json_t *registry_topups(struct registry *r, struct fault *why)
{
    return read_topups(r,
                       "SELECT id, budget, scope, nano, reason, made_by AS \"by\", created_at, starts_at, ends_at,"
                       " ended_at FROM topups ORDER BY rowid",
                       0, why);
}

/* The clock may be wrong and be set right later: who decides by it is the one who asks what is added, each time. That
 * there are more than the limit takes a clock that was set back, as has_room() counts them. */
bool registry_export_topups(struct registry *r, int64_t at_s, struct buf *out, struct fault *why)
{
    json_t *list = read_topups(r,
                               "SELECT id, budget, scope, nano, starts_at, ends_at FROM topups"
                               " WHERE ended_at = 0 AND ends_at > ? ORDER BY ends_at DESC, rowid LIMIT ?",
                               at_s - LIMIT_TOPUPS_PAST_S, why);
    if (!list) return false;
    registry_append(out, "topups", list);
    return true;
}
