#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "store/ledger/file.h"
#include "store/ledger/read.h"
#include "store/registry/backup.h"
#include "store/registry/registry_inner.h"
#include "wire/json.h"

/* What a change took from somebody, done once more: by the last word of its action and what its target is. Parameters:
 * what `part`'s `name` says (or now, where nothing is named), the revision, the target. */
static const struct {
    const char *verb, *target, *part, *name, *sql;
} losses[] = {
    {".revoke", "key_", NULL, NULL,
     "UPDATE credential SET revoked_at = coalesce(revoked_at, ?), rev = ? WHERE id = ? RETURNING id"},
    {".rotate", "key_", "after", "expires_at",
     "UPDATE credential SET expires_at = ?, rev = ? WHERE id = ? RETURNING id"},
    {".revoke", "gnt_", NULL, NULL,
     "UPDATE access_grant SET revoked_at = coalesce(revoked_at, ?), rev = ? WHERE id = ? RETURNING id"},
    {".disable", "per_", NULL, NULL,
     "UPDATE person SET disabled_at = coalesce(disabled_at, ?), rev = ? WHERE id = ? RETURNING id"},
    {".merge", "per_", "after", "same_as",
     "UPDATE person SET same_as = ?, disabled_at = coalesce(disabled_at, 1), rev = ? WHERE id = ? RETURNING id"},
    {".take", "per_", "before", "role",
     "DELETE FROM role_grant WHERE role = ? AND rev < ? AND person = ? RETURNING person"},
    {".end", "topup_", NULL, NULL,
     "UPDATE topup SET ended_at = coalesce(ended_at, ?), rev = ? WHERE id = ? RETURNING id"},
    {".end", "ses_", NULL, NULL,
     "UPDATE session SET ended_at = coalesce(ended_at, ?), rev = ? WHERE id = ? RETURNING id"},
    {".deny", "apr_", NULL, NULL,
     "UPDATE access_request SET state = CASE WHEN ? > 0 THEN 'denied' END, rev = ? WHERE id = ? AND state = 'pending'"
     " RETURNING id"},
};

struct replay {
    struct registry *r;
    const struct registry_restoring *how; /* NULL: they are only counted */
    struct registry_backup *about;
    struct json_tape tape;
    struct arena arena;
    struct fault *why;
    bool is_good;
};

static struct slice member(struct replay *p, const char *name)
{
    uint32_t node = json_get(&p->tape, 0, slice_str(name));
    return json_is(&p->tape, node, JSON_STRING) ? json_text(&p->tape, node, &p->arena) : SLICE_NONE;
}

static bool ends(struct slice text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.ptr + text.len - len, with, len) == 0;
}

/* The copy has it: it was made before the backup. */
static bool is_known(struct replay *p, struct slice id)
{
    struct registry_query *q = REGISTRY_ASK(p->r, "SELECT 1 FROM event WHERE id = ?", value_text(id));
    bool is_there = registry_next(q);
    p->is_good = registry_end(q, p->why) && p->is_good;
    return is_there;
}

static struct registry_value first_of(struct replay *p, size_t loss)
{
    int64_t number;
    if (!losses[loss].part) return value_int(registry_now_s());
    uint32_t part = json_get(&p->tape, 0, slice_str(losses[loss].part));
    uint32_t node = json_get(&p->tape, part, slice_str(losses[loss].name));
    if (json_is(&p->tape, node, JSON_STRING)) return value_text(json_text(&p->tape, node, &p->arena));
    return json_is(&p->tape, node, JSON_NUMBER) && json_to_i64(&p->tape, node, &number) ? value_int(number)
                                                                                        : value_null();
}

/* False: what it was of is not there. */
static bool change(struct replay *p, size_t loss, const char *action, struct slice target)
{
    if (!registry_begin(p->r, p->why)) return p->is_good = false;
    struct registry_query *q =
        REGISTRY_ASK(p->r, losses[loss].sql, first_of(p, loss), value_rev(p->r), value_text(target));
    bool is_done = registry_next(q);
    bool is_good = registry_end(q, p->why) && is_done &&
                   registry_commit(p->r, p->how->by, action, target, NULL, NULL, p->why);
    return is_good || registry_abort(p->r);
}

static bool take_again(struct replay *p, struct slice action, struct slice target)
{
    bool is_done = false;
    char *name = mem_strndup(action.ptr, action.len);
    for (size_t i = 0; !is_done && i < sizeof losses / sizeof losses[0]; i++) {
        if (ends(action, losses[i].verb) && slice_starts(target, slice_str(losses[i].target)))
            is_done = change(p, i, name, target);
    }
    mem_free(name);
    return is_done;
}

static void replay(struct replay *p)
{
    struct slice action = member(p, "action"), target = member(p, "target");
    if (!slice_starts(member(p, "id"), SLICE("chg_")) || is_known(p, member(p, "id"))) return;
    if (!p->how) {
        p->about->lost++;
    } else if (take_again(p, action, target)) {
        p->about->replayed++;
        p->about->lost--;
    } else if (p->is_good) {
        p->how->on_lost(p->how->arg, member(p, "time"), action, target);
    }
}

/* Of the registry's changes alone: the chain has others (reload, drain), whose targets are no objects of it. */
static bool is_of_registry(struct slice action)
{
    static const char *const rooms[] = {"keys.",  "topup.",   "people.", "roles.",   "prompts.",  "approvals.",
                                        "grants.", "reviews.", "provider", "admin_keys.", "registry."};
    if (slice_equal(action, SLICE("registry.backup")) || slice_equal(action, SLICE("registry.trial")))
        return false; /* a note (registry/evidence.h), with which nothing is lost */
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        if (slice_starts(action, slice_str(rooms[i]))) return true;
    }
    return false;
}

static bool on_entry(void *arg, const struct ledger_row *row)
{
    struct replay *p = arg;
    struct fault ignored;
    if (row->kind == CHAIN_CHANGE && json_parse(&p->tape, row->body, &ignored) && json_is(&p->tape, 0, JSON_OBJECT) &&
        is_of_registry(member(p, "action")))
        replay(p);
    arena_clear(&p->arena);
    arena_init(&p->arena);
    return p->is_good;
}

static bool read_chain(struct replay *p, const char *data_dir)
{
    struct ledger_page page = {.has_bodies = true, .has_all = true, .is_oldest_first = true};
    struct ledger_read *l = ledger_read_open(data_dir, p->why);
    if (!l) return false;
    bool is_read = ledger_read_page(l, NULL, &page, on_entry, p, p->why);
    ledger_read_close(l);
    return is_read && p->is_good;
}

static bool is_there(const char *data_dir)
{
    char *path = ledger_file_path(data_dir);
    bool is_there = access(path, F_OK) == 0;
    mem_free(path);
    return is_there;
}

static bool walk(struct registry *r, const char *data_dir, const struct registry_restoring *how,
                 struct registry_backup *about, struct fault *why)
{
    struct replay p = {.r = r, .how = how, .about = about, .why = why, .is_good = true};
    if (!is_there(data_dir)) return true; /* nobody knows of anything later */
    json_init(&p.tape);
    arena_init(&p.arena);
    bool is_good = read_chain(&p, data_dir);
    arena_clear(&p.arena);
    json_clear(&p.tape);
    return is_good;
}

bool registry_count_later(struct registry *r, const char *data_dir, struct registry_backup *about, struct fault *why)
{
    return walk(r, data_dir, NULL, about, why);
}

bool registry_replay(struct registry *r, const char *data_dir, const struct registry_restoring *how,
                     struct registry_backup *about, struct fault *why)
{
    return walk(r, data_dir, how, about, why);
}
