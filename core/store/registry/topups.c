#include <inttypes.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "base/visible.h"
#include "store/registry/registry_inner.h"

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
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT count(*), CAST(coalesce(sum(nano) FILTER (WHERE budget = ? AND scope = ?), 0) AS bigint)"
                     " FROM topup WHERE ended_at IS NULL AND ends_at > ?",
                     value_text(spec->budget), value_text(spec->scope), value_int(at_s));
    if (registry_next(q)) {
        *count = registry_int(q, 0);
        *nano = registry_int(q, 1);
    }
    return registry_end(q, why);
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
    return REGISTRY_DO(r, why,
                       "INSERT INTO topup(id, budget, scope, nano, reason, made_by, created_at, starts_at, ends_at,"
                       " made, rev) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       value_str(made->id), value_text(spec->budget), value_text(spec->scope), value_int(spec->nano),
                       value_text(by->reason), value_text(by->actor), value_int(made->created_at),
                       value_int(made->created_at), value_int(spec->ends_at), value_rev(r), value_rev(r));
}

static bool commit_made(struct registry *r, const struct topup_spec *spec, const struct change_by *by,
                        const struct topup_made *made, struct fault *why)
{
    const char *scope = spec->scope.ptr ? spec->scope.ptr : "";
    json_int_t amount = spec->nano, added = made->before_nano;
    json_t *before = json_pack("{s:I}", "added_nano", added);
    json_t *after =
        json_pack("{s:s%, s:s%, s:I, s:I, s:I}", "budget", spec->budget.ptr, spec->budget.len, "scope", scope,
                  spec->scope.len, "amount_nano", amount, "added_nano", added + amount, "ends_at",
                  (json_int_t)spec->ends_at);
    return registry_commit(r, by, "topup.create", slice_str(made->id), before, after, why);
}

bool registry_topup_create(struct registry *r, const struct topup_spec *spec, const struct change_by *by,
                           struct topup_made *made, struct fault *why)
{
    made->created_at = registry_now_s();
    if (!check_spec(spec, by->reason, made->created_at, why) || !registry_make_id(made->id, TOPUP_ID_PREFIX, why))
        return false;
    bool is_good = registry_begin(r, why) && has_room(r, spec, made->created_at, &made->before_nano, why) &&
                   insert(r, spec, by, made, why) && commit_made(r, spec, by, made, why);
    return is_good || registry_abort(r);
}

/* ---- Ending. */

static enum registry_found read_old(struct registry *r, struct slice id, struct topup_ended *old, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT nano, ends_at, ended_at FROM topup WHERE id = ?", value_text(id));
    bool is_there = registry_next(q);
    if (is_there) {
        *old = (struct topup_ended){.nano = registry_int(q, 0), .ends_at = registry_int(q, 1)};
        old->ended_at = registry_is_null(q, 2) ? old->ends_at : registry_int(q, 2);
        old->was_over = !registry_is_null(q, 2) || old->ends_at <= registry_now_s();
    }
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}

static bool end_it(struct registry *r, struct slice id, const struct change_by *by, struct topup_ended *ended,
                   struct fault *why)
{
    if (ended->was_over) return true; /* nothing changes */
    ended->ended_at = registry_now_s();
    if (!REGISTRY_DO(r, why, "UPDATE topup SET ended_at = ?, rev = ? WHERE id = ?", value_int(ended->ended_at),
                     value_rev(r), value_text(id)))
        return false;
    json_t *before = json_pack("{s:I}", "ends_at", (json_int_t)ended->ends_at);
    json_t *after = json_pack("{s:I}", "ended_at", (json_int_t)ended->ended_at);
    return registry_commit(r, by, "topup.end", id, before, after, why);
}

enum registry_found registry_topup_end(struct registry *r, struct slice id, const struct change_by *by,
                                       struct topup_ended *ended, struct fault *why)
{
    if (by->reason.len && !registry_check_reason(by->reason, why)) return REGISTRY_FAILED;
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = read_old(r, id, ended, why);
    bool is_good = found == REGISTRY_FOUND && end_it(r, id, by, ended, why);
    return registry_end_change(r, found, is_good);
}

/* ---- All of them. */

/* `row` makes an object of a row; one without its id has a text that is damaged. */
static json_t *read_topups(struct registry *r, struct registry_query *q, json_t *(*row)(const struct registry_query *q),
                           struct fault *why)
{
    bool is_good = true;
    json_t *list = json_array();
    while (is_good && registry_next(q)) {
        is_good = json_array_append_new(list, row(q)) == 0 ||
                  fault_set(why, FAULT_INTERNAL, "%s: a text of %.*s is damaged", r->name,
                            SLICE_FMT(registry_text(q, 0)));
    }
    if (registry_end(q, is_good ? why : &(struct fault){.text = ""}) && is_good) return list;
    json_decref(list);
    return NULL;
}

/* NULL when one of the texts was no UTF-8. */
static json_t *whole(json_t *topup, size_t fields)
{
    if (json_object_size(topup) == fields) return topup;
    json_decref(topup);
    return NULL;
}

static json_t *full_row(const struct registry_query *q)
{
    static const char *const texts[] = {"id", "budget", "scope", "reason", "by"};
    static const char *const numbers[] = {"nano", "created_at", "starts_at", "ends_at", "ended_at"};
    json_t *topup = json_object();
    for (int i = 0; i < 5; i++)
        registry_set_text(topup, texts[i], q, i);
    for (int i = 0; i < 5; i++)
        registry_set_int(topup, numbers[i], q, 5 + i);
    return whole(topup, 10);
}

json_t *registry_topups(struct registry *r, struct fault *why)
{
    struct registry_query *q =
        registry_ask(r,
                     "SELECT id, budget, scope, reason, made_by, nano, created_at, starts_at, ends_at, ended_at"
                     " FROM topup ORDER BY made, id",
                     NULL, 0);
    return read_topups(r, q, full_row, why);
}

static json_t *worker_row(const struct registry_query *q)
{
    static const char *const texts[] = {"id", "budget", "scope"}, *const numbers[] = {"nano", "starts_at", "ends_at"};
    json_t *topup = json_object();
    for (int i = 0; i < 3; i++)
        registry_set_text(topup, texts[i], q, i);
    for (int i = 0; i < 3; i++)
        registry_set_int(topup, numbers[i], q, 3 + i);
    return whole(topup, 6);
}

/* The clock may be wrong and be set right later: who decides by it is the one who asks what is added, each time. That
 * there are more than the limit takes a clock that was set back, as has_room() counts them. */
bool registry_export_topups(struct registry *r, int64_t at_s, struct buf *out, struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(r,
                                            "SELECT id, budget, scope, nano, starts_at, ends_at FROM topup"
                                            " WHERE ended_at IS NULL AND ends_at > ? ORDER BY ends_at DESC, id LIMIT ?",
                                            value_int(at_s - LIMIT_TOPUPS_PAST_S), value_int(LIMIT_TOPUPS));
    json_t *list = read_topups(r, q, worker_row, why);
    if (!list) return false;
    registry_append(out, "topups", list);
    return true;
}
