#include "base/limits.h"
#include "store/grants.h"
#include "store/people.h"
#include "store/registry/prompts_inner.h"
#include "store/registry/registry_inner.h"
#include "store/topups_build.h"

/* What workers get of the registry: a builder for each kind of section that it has. */

bool registry_end_rows(struct registry_query *q, bool is_good, struct fault *why)
{
    struct fault ignored;
    return registry_end(q, is_good ? why : &ignored) && is_good;
}

/* ---- Top-ups. */

static bool build_topups(struct registry *r, int64_t now_s, const struct section_about *about, struct buf *out,
                         struct fault *why)
{
    struct buf text;
    buf_init(&text);
    bool is_good = registry_export_topups(r, now_s, &text, why) && topups_build_text(buf_slice(&text), about, out, why);
    buf_clear(&text);
    return is_good;
}

static bool build_prompts(struct registry *r, int64_t now_s, const struct section_about *about, struct buf *out,
                          struct fault *why)
{
    (void)now_s;
    return prompts_section(r, about, out, why);
}

/* ---- Grants of models, and requests for them. What was revoked has ended then; what is over stays for some days,
 * since the clock may be wrong and be set right later, and since a refusal names it. Nothing counts of a person who is
 * disabled. */

#define SUBJECT                                                                                                        \
    " LEFT JOIN person p ON p.id = g.subject AND g.subject_kind = 'user'"                                              \
    " LEFT JOIN person w ON w.id = coalesce(p.same_as, p.id)"
#define COUNTS " AND (g.subject_kind <> 'user' OR (w.id IS NOT NULL AND w.disabled_at IS NULL)) ORDER BY g.id"

static const char all_grants[] =
    "SELECT g.id, g.subject_kind, coalesce(w.id, g.subject), g.object, g.reason, g.starts_at,"
    " CASE WHEN g.revoked_at < g.ends_at THEN g.revoked_at ELSE g.ends_at END, g.is_break_glass"
    " FROM access_grant g LEFT JOIN access_request a ON a.id = g.request" SUBJECT
    " WHERE g.ends_at > ? AND (a.id IS NULL OR a.kind = 'model')" COUNTS;

static const char all_requests[] =
    "SELECT g.id, g.subject_kind, coalesce(w.id, g.subject), g.object, g.purpose, g.requested_at, g.expires_at, 2"
    " FROM access_request g" SUBJECT " WHERE g.expires_at > ? AND g.state = 'pending' AND g.kind = 'model'" COUNTS;

static bool add_grant(struct grants_build *b, const struct registry_query *q, struct fault *why)
{
    struct buf subject;
    buf_init(&subject);
    buf_printf(&subject, "%.*s:", SLICE_FMT(registry_text(q, 1)));
    buf_append(&subject, registry_text(q, 2));
    struct grant grant = {.id = registry_text(q, 0),
                          .subject = buf_slice(&subject),
                          .model = registry_text(q, 3),
                          .purpose = registry_text(q, 4),
                          .starts_at = registry_int(q, 5),
                          .ends_at = registry_int(q, 6),
                          .kind = (enum grant_kind)registry_int(q, 7)};
    bool is_good = grants_build_add(b, &grant, why);
    buf_clear(&subject);
    return is_good;
}

static bool add_grants(struct registry *r, struct grants_build *b, const char *sql, int64_t since_s, struct fault *why)
{
    bool is_good = true;
    struct registry_query *q = REGISTRY_ASK(r, sql, value_int(since_s));
    while (is_good && registry_next(q))
        is_good = add_grant(b, q, why);
    return registry_end_rows(q, is_good, why);
}

static bool build_grants(struct registry *r, int64_t now_s, const struct section_about *about, struct buf *out,
                         struct fault *why)
{
    struct grants_build *b = grants_build_new();
    bool is_good = add_grants(r, b, all_grants, now_s - LIMIT_GRANTS_PAST_S, why) &&
                   add_grants(r, b, all_requests, now_s, why) && grants_build_end(b, about, out, why);
    grants_build_free(b);
    return is_good;
}

/* ---- People who may sign in. */

static const char all_people[] =
    "SELECT p.issuer, p.subject, CASE WHEN w.disabled_at IS NULL THEN w.id ELSE '' END FROM person p"
    " JOIN person w ON w.id = coalesce(p.same_as, p.id) ORDER BY p.id";

static bool build_people(struct registry *r, int64_t now_s, const struct section_about *about, struct buf *out,
                         struct fault *why)
{
    bool is_good = true;
    struct people_build *b = people_build_new();
    struct registry_query *q = registry_ask(r, all_people, NULL, 0);
    (void)now_s;
    while (is_good && registry_next(q))
        is_good = people_build_add(b, registry_text(q, 0), registry_text(q, 1), registry_text(q, 2), why);
    is_good = registry_end_rows(q, is_good, why) && people_build_end(b, about, out, why);
    people_build_free(b);
    return is_good;
}

/* ---- All of them. */

static bool (*const builders[SECTION_KINDS])(struct registry *r, int64_t now_s, const struct section_about *about,
                                             struct buf *out, struct fault *why) = {
    [SECTION_KEYS] = registry_build_keys,
    [SECTION_TOPUPS] = build_topups,
    [SECTION_PROMPTS] = build_prompts,
    [SECTION_GRANTS] = build_grants,
    [SECTION_PEOPLE] = build_people,
};

static bool build(struct registry *r, enum section_kind kind, int64_t now_s, struct buf *out, struct fault *why)
{
    int64_t epoch, rev;
    if (!registry_moment(r, &epoch, &rev, why)) return false;
    struct section_about about = {.kind = kind, .epoch = (uint64_t)epoch, .revision = (uint64_t)rev};
    return builders[kind](r, now_s, &about, out, why);
}

bool registry_section(struct registry *r, enum section_kind kind, int64_t now_s, struct buf *out, struct fault *why)
{
    return registry_read_begin(r, why) && registry_read_end(r, build(r, kind, now_s, out, why), why);
}

static bool build_all(struct registry *r, int64_t now_s,
                      bool (*each)(void *arg, enum section_kind kind, struct slice bytes), void *arg,
                      struct fault *why)
{
    bool is_good = true;
    for (enum section_kind kind = SECTION_KEYS; is_good && kind < SECTION_KINDS; kind++) {
        struct buf bytes;
        if (!builders[kind]) continue;
        buf_init(&bytes);
        is_good = build(r, kind, now_s, &bytes, why) && each(arg, kind, buf_slice(&bytes));
        buf_clear(&bytes);
    }
    return is_good;
}

bool registry_sections(struct registry *r, int64_t now_s,
                       bool (*each)(void *arg, enum section_kind kind, struct slice bytes), void *arg,
                       struct fault *why)
{
    return registry_read_begin(r, why) && registry_read_end(r, build_all(r, now_s, each, arg, why), why);
}
