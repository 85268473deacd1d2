/* What governance's rules ask of access, on top of what the tables refuse: who must agree, for how long, for what, and
 * whose it may be. Where no rules are known it is as whoever asks says. */
#include <stdarg.h>
#include <stdio.h>

#include "store/governance.h"
#include "store/registry/approvals_inner.h"

static bool refuse(struct registry *r, struct fault *why, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(struct registry *r, struct fault *why, const char *format, ...)
{
    char text[FAULT_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    registry_refuse_as(r, REGISTRY_INVALID, why);
    return fault_set(why, FAULT_INTERNAL, "%s", text);
}

const struct governance_row *access_row(const struct registry *r, struct slice object, struct slice department)
{
    return r->governance ? governance_row(r->governance, object, department) : NULL;
}

/* A caller without a user is his app. */
static bool is_covered(enum governance_covers covers, struct slice kind)
{
    switch (covers) {
    case COVERS_USER: return slice_equal(kind, SLICE("user")) || slice_equal(kind, SLICE("app"));
    case COVERS_APP: return slice_equal(kind, SLICE("app"));
    case COVERS_DEPARTMENT: return slice_equal(kind, SLICE("department"));
    }
    return false;
}

static bool has_word(const struct governance_row *row, struct slice purpose)
{
    struct slice rest, word = slice_split(purpose, ':', &rest);
    for (size_t i = 0; i < row->purpose_count; i++)
        if (word.len < purpose.len && slice_equal(row->purposes[i], word)) return true;
    return row->purpose_count == 0;
}

/* Roles must cover where the person is, not where he says. */
static bool is_his(struct registry *r, const struct access_subject *s, struct fault *why)
{
    bool is_good = true;
    if (slice_equal(s->kind, SLICE("department")) && !slice_equal(s->subject, s->department))
        return refuse(r, why, "a grant of the department %.*s is decided there", SLICE_FMT(s->subject));
    if (!slice_equal(s->kind, SLICE("user"))) return true;
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT department FROM person WHERE id = ? AND department <> ''", value_text(s->subject));
    if (registry_next(q)) is_good = slice_equal(registry_text(q, 0), s->department);
    if (!registry_end(q, why)) return false;
    return is_good || refuse(r, why, "that person is in another department than %.*s", SLICE_FMT(s->department));
}

bool access_fits(struct registry *r, const struct governance_row *row, const struct access_subject *s,
                 struct fault *why)
{
    static const char *const whose[] = {"a user's, or an app's without one", "an app's", "a department's"};
    if (!is_covered(row->covers, s->kind))
        return refuse(r, why, "a grant of %.*s is %s (%.*s:%d)", SLICE_FMT(s->object), whose[row->covers],
                      SLICE_FMT(row->file), row->line);
    if (!has_word(row, s->purpose))
        return refuse(r, why, "what it is for begins with a word of the row's and a colon, such as `%.*s:` (%.*s:%d)",
                      SLICE_FMT(row->purposes[0]), SLICE_FMT(row->file), row->line);
    return is_his(r, s, why);
}

bool access_ask_by_rules(struct registry *r, struct access_spec *spec, struct fault *why)
{
    if (!r->governance) return true;
    const struct governance_row *row = access_row(r, spec->object, spec->department);
    if (!row)
        return refuse(r, why, "no row of the access matrix wants an approval of `%.*s` for %s%.*s",
                      SLICE_FMT(spec->object), spec->department.len ? "" : "a caller without a department",
                      SLICE_FMT(spec->department));
    if (spec->seconds > row->longest_s)
        return refuse(r, why, "no grant of %.*s lasts longer than %lld s (%.*s:%d)", SLICE_FMT(spec->object),
                      (long long)row->longest_s, SLICE_FMT(row->file), row->line);
    spec->rule = (struct access_rule){row->by, row->also};
    spec->pending_s = r->governance->pending_s;
    struct access_subject subject = {spec->subject_kind, spec->subject, spec->object, spec->purpose, spec->department};
    return access_fits(r, row, &subject, why);
}

bool access_break_by_rules(struct registry *r, struct glass_spec *spec, struct fault *why)
{
    const struct governance *g = r->governance;
    if (!g) return true;
    if (!g->has_break_glass) return refuse(r, why, "there is no break-glass here (policies/governance.lua)");
    if (!access_row(r, spec->object, spec->department))
        return refuse(r, why, "no row of the access matrix wants an approval of `%.*s`: break-glass opens nothing",
                      SLICE_FMT(spec->object));
    if (spec->seconds > g->glass_longest_s)
        return refuse(r, why, "break-glass lasts %lld s at most", (long long)g->glass_longest_s);
    spec->role = g->glass_by;
    return true;
}
