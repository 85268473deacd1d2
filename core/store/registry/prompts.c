#include "store/registry/prompts_inner.h"

#include <jansson.h>
#include <stdio.h>

#include "base/limits.h"
#include "store/registry/people.h"

enum registry_found prompts_state(struct registry *r, const struct prompt_at *at, struct prompt_state *state,
                                  struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(r, "SELECT status, sha256, rev FROM prompt_version WHERE " AT_VERSION,
                                            VALUES_AT(at));
    bool is_there = registry_next(q);
    if (is_there) {
        snprintf(state->status, sizeof state->status, "%.*s", SLICE_FMT(registry_text(q, 0)));
        snprintf(state->sha256, sizeof state->sha256, "%.*s", SLICE_FMT(registry_text(q, 1)));
        state->rev = registry_int(q, 2);
    }
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}

bool prompts_set_status(struct registry *r, const struct prompt_at *at, const char *status, struct fault *why)
{
    return REGISTRY_DO(r, why, "UPDATE prompt_version SET status = ?, rev = ? WHERE " AT_VERSION, value_str(status),
                       value_rev(r), VALUES_AT(at));
}

enum registry_found prompts_department(struct registry *r, struct slice name, struct buf *department,
                                       struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(r, "SELECT department FROM prompt WHERE name = ?", value_text(name));
    bool is_there = registry_next(q);
    if (is_there) buf_append(department, registry_text(q, 0));
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}

bool prompts_may(struct registry *r, struct slice name, struct slice person, struct slice role, struct fault *why)
{
    struct buf department;
    bool is_held = false;
    buf_init(&department);
    bool is_good = prompts_department(r, name, &department, why) == REGISTRY_FOUND &&
                   registry_role_is_held(r, person, role, buf_slice(&department), registry_now_s(), &is_held, why);
    if (is_good && !is_held) {
        registry_refuse_as(r, REGISTRY_NOT_YOUR_SCOPE, why);
        is_good = fault_set(why, FAULT_INTERNAL, PROMPTS_FORBIDDEN "%.*s in the department %.*s is needed for that",
                            SLICE_FMT(role), SLICE_FMT(buf_slice(&department)));
    }
    buf_clear(&department);
    return is_good;
}

bool registry_prompt_person(struct registry *r, struct slice login, const struct change_by *by, char id[17],
                            struct fault *why)
{
    switch (registry_person_find(r, PERSON_LOCAL, login, id, why)) {
    case REGISTRY_FOUND: return true;
    case REGISTRY_FAILED: return false;
    case REGISTRY_MISSING: break;
    }
    struct person_spec spec = {.kind = PERSON_HUMAN, .issuer = PERSON_LOCAL, .subject = login, .name = login};
    return registry_person_create(r, &spec, by, id, why);
}

/* ---- Writing. */

struct pushing {
    struct registry *r;
    const struct prompt_push *push;
    struct prompt_pushed *pushed;
    struct buf canonical;
    struct fault *why;
};

/* The highest of one's versions, and its text. */
static bool read_newest(struct pushing *p, struct semver *newest, struct buf *body)
{
    struct registry_query *q =
        REGISTRY_ASK(p->r,
                     "SELECT major, minor, patch, body FROM prompt_version WHERE name = ?"
                     " ORDER BY major DESC, minor DESC, patch DESC LIMIT 1",
                     value_text(p->push->name));
    if (registry_next(q)) {
        *newest = (struct semver){(uint32_t)registry_int(q, 0), (uint32_t)registry_int(q, 1),
                                  (uint32_t)registry_int(q, 2)};
        buf_append(body, registry_text(q, 3));
    }
    return registry_end(q, p->why);
}

/* What it is called where nobody says: the first, or what follows the newest by what the change asks for. */
static bool choose_version(struct pushing *p, struct semver *next)
{
    struct semver newest = {0};
    struct buf body;
    buf_init(&body);
    bool is_good = read_newest(p, &newest, &body);
    enum semver_bump bump = p->push->bump;
    if (buf_len(&body) && bump == SEMVER_SAME) bump = prompts_propose(buf_slice(&body), buf_slice(&p->canonical));
    *next = buf_len(&body) ? semver_next(newest, bump) : (struct semver){1, 0, 0};
    buf_clear(&body);
    return is_good;
}

static bool refuse_taken(struct pushing *p, const struct prompt_state *state)
{
    struct semver next;
    char text[SEMVER_BYTES], free_one[SEMVER_BYTES];
    if (!choose_version(p, &next)) return false;
    semver_write(p->pushed->version, text);
    semver_write(next, free_one);
    registry_refuse_as(p->r, REGISTRY_IMMUTABLE, p->why);
    return fault_set(p->why, FAULT_INTERNAL, "%.*s@%s is %s, and its text stays as it is: the next free version is %s",
                     SLICE_FMT(p->push->name), text, state->status, free_one);
}

static bool put_prompt(struct pushing *p)
{
    const struct prompt_push *s = p->push;
    struct buf department;
    buf_init(&department);
    enum registry_found found = prompts_department(p->r, s->name, &department, p->why);
    buf_clear(&department);
    if (found == REGISTRY_FAILED) return false;
    if (found == REGISTRY_MISSING) {
        if (!s->owner.len || !s->department.len)
            return fault_set(p->why, FAULT_INTERNAL, "a new prompt needs an owner and a department");
        return REGISTRY_DO(p->r, p->why,
                           "INSERT INTO prompt(name, owner, department, fields, rev) VALUES(?, ?, ?, ?, ?)",
                           value_text(s->name), value_text(s->owner), value_text(s->department),
                           value_text(s->fields.len ? s->fields : SLICE("{}")), value_rev(p->r));
    }
    return REGISTRY_DO(p->r, p->why,
                       "UPDATE prompt SET owner = coalesce(?, owner), department = coalesce(?, department),"
                       " fields = coalesce(?, fields), rev = ? WHERE name = ?",
                       value_text_or_null(s->owner), value_text_or_null(s->department), value_text_or_null(s->fields),
                       value_rev(p->r), value_text(s->name));
}

static bool add_author(struct pushing *p, const struct prompt_at *at)
{
    return REGISTRY_DO(p->r, p->why,
                       "INSERT INTO prompt_author(name, major, minor, patch, person) VALUES(?, ?, ?, ?, ?)"
                       " ON CONFLICT(name, major, minor, patch, person) DO NOTHING",
                       VALUES_AT(at), value_text(at->person));
}

static bool insert_version(struct pushing *p, const struct prompt_at *at)
{
    int64_t count = 0;
    struct registry_query *q =
        REGISTRY_ASK(p->r, "SELECT count(*) FROM prompt_version WHERE name = ?", value_text(at->name));
    if (registry_next(q)) count = registry_int(q, 0);
    if (!registry_end(q, p->why)) return false;
    if (count >= LIMIT_PROMPT_VERSIONS)
        return fault_set(p->why, FAULT_INTERNAL, "a prompt has at most %u versions", LIMIT_PROMPT_VERSIONS);
    p->pushed->is_new = true;
    return put_prompt(p) &&
           REGISTRY_DO(p->r, p->why,
                       "INSERT INTO prompt_version(name, major, minor, patch, body, sha256, rev)"
                       " VALUES(?, ?, ?, ?, ?, ?, ?)",
                       VALUES_AT(at), value_text(buf_slice(&p->canonical)), value_str(p->pushed->sha256),
                       value_rev(p->r)) &&
           add_author(p, at);
}

/* Whoever changes it is one of its authors from then on, also where the text becomes what it was. */
static bool change_draft(struct pushing *p, const struct prompt_at *at, const struct prompt_state *state)
{
    bool is_draft = strcmp(state->status, "draft") == 0;
    if (strcmp(state->sha256, p->pushed->sha256) == 0) {
        p->pushed->is_same = true;
        return true;
    }
    if (!is_draft) return refuse_taken(p, state);
    return put_prompt(p) &&
           REGISTRY_DO(p->r, p->why, "UPDATE prompt_version SET body = ?, sha256 = ?, rev = ? WHERE " AT_VERSION,
                       value_text(buf_slice(&p->canonical)), value_str(p->pushed->sha256), value_rev(p->r),
                       VALUES_AT(at)) &&
           add_author(p, at);
}

/* Is the newest the same text already? Then nothing is to be called anything. */
static bool is_newest_same(struct pushing *p, struct semver *newest)
{
    struct buf body;
    buf_init(&body);
    *newest = (struct semver){0};
    bool is_good = read_newest(p, newest, &body);
    bool same = is_good && buf_len(&body) && slice_equal(buf_slice(&body), buf_slice(&p->canonical));
    buf_clear(&body);
    return same;
}

static bool find_version(struct pushing *p)
{
    struct semver newest;
    p->pushed->version = p->push->version;
    if (semver_is_said(p->push->version)) return true;
    if (is_newest_same(p, &newest)) {
        p->pushed->version = newest;
        return true;
    }
    return choose_version(p, &p->pushed->version);
}

static json_t *describe(const struct pushing *p)
{
    char version[SEMVER_BYTES];
    semver_write(p->pushed->version, version);
    return json_pack("{s:s, s:s, s:s}", "version", version, "status", "draft", "sha256", p->pushed->sha256);
}

static bool put_version(struct pushing *p, const struct change_by *by)
{
    struct prompt_state state;
    struct prompt_at at = {p->push->name, p->pushed->version, p->push->person};
    enum registry_found found = prompts_state(p->r, &at, &state, p->why);
    if (found == REGISTRY_FAILED) return false;
    bool is_good = found == REGISTRY_MISSING ? insert_version(p, &at) : change_draft(p, &at, &state);
    if (!is_good) return false;
    if (p->pushed->is_same) {
        registry_abort(p->r);
        return true;
    }
    return registry_commit(p->r, by, p->pushed->is_new ? "prompts.new" : "prompts.edit", p->push->name, NULL,
                           describe(p), p->why);
}

bool registry_prompt_push(struct registry *r, const struct prompt_push *push, const struct change_by *by,
                          struct prompt_pushed *pushed, struct fault *why)
{
    struct pushing p = {.r = r, .push = push, .pushed = pushed, .why = why};
    *pushed = (struct prompt_pushed){0};
    buf_init(&p.canonical);
    bool is_good = prompts_check(push->name, push->version, push->content, &p.canonical, pushed->sha256, why) &&
                   registry_begin(r, why) && find_version(&p) && put_version(&p, by);
    buf_clear(&p.canonical);
    return is_good || registry_abort(r);
}

enum registry_found registry_prompt_content(struct registry *r, const struct prompt_at *at, struct buf *out,
                                            struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(r, "SELECT body FROM prompt_version WHERE " AT_VERSION, VALUES_AT(at));
    bool is_there = registry_next(q);
    if (is_there) buf_append(out, registry_text(q, 0));
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}
