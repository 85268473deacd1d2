#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/governance.h"
#include "store/registry/registry_inner.h"
#include "store/registry/schema.h"

/* ---- Refusals. */

static const struct {
    const char *word, *sentence;
} refusals[] = {[REGISTRY_ACCEPTED] = {"", ""},
#define X(NAME, WORD, SENTENCE) [REGISTRY_##NAME] = {WORD, SENTENCE},
                REGISTRY_REFUSALS(X)
#undef X
};

enum registry_refusal registry_refused(const struct registry *r)
{
    return r->refused;
}

const char *registry_refusal_word(enum registry_refusal refusal)
{
    return refusals[refusal].word;
}

enum registry_refusal registry_refuse(struct registry *r, struct slice said, struct fault *why)
{
    for (int i = REGISTRY_ACCEPTED + 1; i <= REGISTRY_INVALID; i++) {
        if (!slice_equal(said, slice_str(refusals[i].word))) continue;
        registry_refuse_as(r, (enum registry_refusal)i, why);
        return r->refused;
    }
    return REGISTRY_ACCEPTED;
}

bool registry_refuse_as(struct registry *r, enum registry_refusal refusal, struct fault *why)
{
    r->refused = refusal;
    return fault_set(why, FAULT_INTERNAL, "%s: %s", refusals[refusal].word, refusals[refusal].sentence);
}

bool registry_is_as_seen(struct registry *r, int64_t rev, int64_t if_rev, struct fault *why)
{
    return !if_rev || rev == if_rev || registry_refuse_as(r, REGISTRY_STALE, why);
}

/* ---- Statements. */

struct registry_query *registry_ask(struct registry *r, const char *sql, const struct registry_value *values,
                                    size_t count)
{
    r->refused = REGISTRY_ACCEPTED;
    return r->engine->ask(r, sql, values, count);
}

bool registry_next(struct registry_query *q)
{
    return q->registry->engine->next(q);
}

bool registry_end(struct registry_query *q, struct fault *why)
{
    return q->registry->engine->end(q, why);
}

bool registry_is_null(const struct registry_query *q, int column)
{
    return q->registry->engine->is_null(q, column);
}

int64_t registry_int(const struct registry_query *q, int column)
{
    return q->registry->engine->number(q, column);
}

struct slice registry_text(const struct registry_query *q, int column)
{
    return q->registry->engine->bytes(q, column);
}

bool registry_do(struct registry *r, const char *sql, const struct registry_value *values, size_t count,
                 struct fault *why)
{
    struct registry_query *q = registry_ask(r, sql, values, count);
    while (registry_next(q)) {
    }
    return registry_end(q, why);
}

bool registry_run(struct registry *r, const char *sql, struct fault *why)
{
    r->refused = REGISTRY_ACCEPTED;
    return r->engine->run(r, sql, why);
}

/* ---- Changes. */

int64_t registry_rev(const struct registry *r)
{
    return r->rev;
}

void registry_set_rules(struct registry *r, struct slice digest)
{
    mem_free(r->rules);
    r->rules = mem_strndup(digest.len ? digest.ptr : "", digest.len);
}

void registry_govern(struct registry *r, const struct governance *rules)
{
    r->governance = rules;
    registry_set_rules(r, rules ? rules->digest : SLICE(""));
}

static bool take_turn(struct registry *r, struct fault *why)
{
    struct registry_query *q = registry_ask(r, "UPDATE rev SET rev = rev + 1 WHERE id = 1 RETURNING rev", NULL, 0);
    bool is_there = registry_next(q);
    if (is_there) r->rev = registry_int(q, 0);
    if (!registry_end(q, why)) return false;
    return is_there || fault_set(why, FAULT_INTERNAL, "%s: has no revision", r->name);
}

bool registry_begin(struct registry *r, struct fault *why)
{
    if (r->is_moved)
        return fault_set(why, FAULT_INTERNAL, "%s: was moved to PostgreSQL: registry = { postgres = … } says where",
                         r->name);
    return registry_run(r, r->engine->begin_change, why) && (take_turn(r, why) || registry_abort(r));
}

bool registry_abort(struct registry *r)
{
    struct fault ignored;
    enum registry_refusal refused = r->refused; /* of what is taken back */
    if (r->engine->is_inside(r)) registry_run(r, "ROLLBACK", &ignored);
    r->refused = refused;
    return false;
}

static char *text_of(json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(object);
    return text;
}

static struct registry_value value_json(const char *text)
{
    return text ? value_str(text) : value_null();
}

/* Who asked, approves or owns is told of these (notices.h): a row for no sink yet, within the change. */
static bool write_notice(struct registry *r, const char *event_id, const char *action, int64_t at_s, struct fault *why)
{
    static const char *const rooms[] = {"approvals.", "grants.", "prompts.", "reviews.", "sinks."};
    bool is_told = false;
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
        is_told = is_told || slice_starts(slice_str(action), slice_str(rooms[i]));
    return !is_told ||
           REGISTRY_DO(r, why, "INSERT INTO notice(id, rev, sink, body, tries, next_at) VALUES(?, ?, '', '', 0, ?)",
                       value_str(event_id), value_rev(r), value_int(at_s));
}

static bool write_event(struct registry *r, const struct change_by *by, const char *action, struct slice object,
                        const char *before, const char *after, struct fault *why)
{
    char id[CHANGE_ID_BYTES];
    uint64_t wall_ns = clock_wall_ns();
    change_make_id(id, wall_ns);
    bool is_written =
        REGISTRY_DO(r, why,
                       "INSERT INTO event(rev, id, at, actor, uid, host, via, action, object, reason, before, after,"
                       " rules) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       value_rev(r), value_str(id), value_int((int64_t)(wall_ns / NS_PER_S)), value_text(by->actor),
                       value_int(by->uid), value_text(by->host), value_text(by->via), value_str(action),
                       value_text(object), value_text_or_null(by->reason), value_json(before), value_json(after),
                       value_str(r->rules));
    return is_written && write_notice(r, id, action, (int64_t)(wall_ns / NS_PER_S), why);
}

bool registry_commit(struct registry *r, const struct change_by *by, const char *action, struct slice object,
                     json_t *before, json_t *after, struct fault *why)
{
    char *old = text_of(before), *new = text_of(after);
    bool is_good = write_event(r, by, action, object, old, new, why);
    mem_free(old);
    mem_free(new);
    return is_good && registry_run(r, "COMMIT", why);
}

enum registry_found registry_end_change(struct registry *r, enum registry_found found, bool is_good)
{
    registry_abort(r); /* where nothing had to be changed, or nothing could */
    if (found != REGISTRY_FOUND) return found;
    return is_good ? REGISTRY_FOUND : REGISTRY_FAILED;
}

bool registry_read_begin(struct registry *r, struct fault *why)
{
    return registry_run(r, r->engine->begin_read, why);
}

bool registry_read_end(struct registry *r, bool is_good, struct fault *why)
{
    if (is_good && registry_run(r, "COMMIT", why)) return true;
    return registry_abort(r);
}

bool registry_moment(struct registry *r, int64_t *epoch, int64_t *rev, struct fault *why)
{
    struct registry_query *q =
        registry_ask(r, "SELECT CAST(m.v AS bigint), r.rev FROM meta m, rev r WHERE m.k = 'epoch'", NULL, 0);
    bool is_there = registry_next(q);
    *epoch = is_there ? registry_int(q, 0) : 0;
    *rev = is_there ? registry_int(q, 1) : 0;
    if (!registry_end(q, why)) return false;
    return is_there || fault_set(why, FAULT_INTERNAL, "%s: has no epoch", r->name);
}

/* ---- Its life. */

void registry_init(struct registry *r, const struct registry_engine *engine, char *name)
{
    *r = (struct registry){.engine = engine, .name = name, .rules = mem_strdup("")};
}

void registry_clear(struct registry *r)
{
    mem_free(r->name);
    mem_free(r->rules);
}

/* Versions are additive within reads_from: an older gateway may work beside a newer one. */
bool registry_check_version(struct registry *r, struct fault *why)
{
    int64_t made = 0, from = 0;
    struct registry_query *q = registry_ask(
        r, "SELECT v, k FROM meta WHERE k IN('schema', 'reads_from', 'moved_to')", NULL, 0);
    while (registry_next(q)) {
        struct slice k = registry_text(q, 1);
        if (slice_equal(k, SLICE("schema"))) made = registry_int(q, 0);
        else if (slice_equal(k, SLICE("reads_from"))) from = registry_int(q, 0);
        else r->is_moved = true;
    }
    if (!registry_end(q, why)) return false;
    if (!made) return fault_set(why, FAULT_INTERNAL, "%s: is no registry", r->name);
    if (from <= REGISTRY_SCHEMA) return true;
    return fault_set(why, FAULT_INTERNAL, "%s: made by a newer moongate (schema %lld, this one knows %d)", r->name,
                     (long long)made, REGISTRY_SCHEMA);
}

void registry_be_brief(struct registry *r)
{
    r->engine->be_brief(r);
}

void registry_close(struct registry *r)
{
    if (r) r->engine->close(r);
}
