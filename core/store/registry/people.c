#include "store/registry/people.h"

#include <jansson.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "store/registry/registry_inner.h"

static const char *const kinds[] = {[PERSON_HUMAN] = "human", [PERSON_SERVICE] = "service"};

/* ---- Making. */

static bool check_spec(const struct person_spec *spec, struct fault *why)
{
    const struct slice texts[] = {spec->issuer, spec->subject,    spec->name,
                                  spec->email,  spec->department, spec->made_by};
    if (!spec->issuer.len || !spec->subject.len)
        return fault_set(why, FAULT_INTERNAL, "a person needs an issuer and a subject");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].len > LIMIT_KEY_FIELD_BYTES)
            return fault_set(why, FAULT_INTERNAL, "a field is longer than %u bytes", LIMIT_KEY_FIELD_BYTES);
        if (!utf8_is_valid(texts[i])) return fault_set(why, FAULT_INTERNAL, "a field is not valid UTF-8");
    }
    return true;
}

static bool insert(struct registry *r, const struct person_spec *spec, const char *id, struct fault *why)
{
    return REGISTRY_DO(r, why,
                       "INSERT INTO person(id, kind, issuer, subject, name, email, department, made_by, confirmed_at,"
                       " rev) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       value_str(id), value_str(kinds[spec->kind]), value_text(spec->issuer),
                       value_text(spec->subject), value_text_or_null(spec->name), value_text_or_null(spec->email),
                       value_text_or_null(spec->department), value_text_or_null(spec->made_by),
                       value_int(registry_now_s()), value_rev(r));
}

static void set(json_t *object, const char *name, struct slice text)
{
    if (text.len) json_object_set_new(object, name, json_stringn(text.ptr, text.len));
}

static json_t *described(const struct person_spec *spec)
{
    json_t *after = json_object();
    set(after, "kind", slice_str(kinds[spec->kind]));
    set(after, "issuer", spec->issuer);
    set(after, "subject", spec->subject);
    set(after, "name", spec->name);
    set(after, "email", spec->email);
    set(after, "department", spec->department);
    set(after, "made_by", spec->made_by);
    return after;
}

bool registry_person_create(struct registry *r, const struct person_spec *spec, const struct change_by *by,
                            char id[PERSON_ID_BYTES], struct fault *why)
{
    bool is_good = check_spec(spec, why) && registry_make_id(id, "per_", why) && registry_begin(r, why) &&
                   insert(r, spec, id, why) &&
                   registry_commit(r, by, "people.create", slice_str(id), NULL, described(spec), why);
    return is_good || registry_abort(r);
}

/* ---- As he stands. */

struct old_person {
    int64_t disabled_at, rev;
    bool is_merged;
};

static enum registry_found read_old(struct registry *r, struct slice id, struct old_person *old, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT disabled_at, rev, same_as FROM person WHERE id = ?", value_text(id));
    bool is_there = registry_next(q);
    if (is_there)
        *old = (struct old_person){registry_int(q, 0), registry_int(q, 1), !registry_is_null(q, 2)};
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}

enum registry_found registry_person_find(struct registry *r, struct slice issuer, struct slice subject,
                                         char id[PERSON_ID_BYTES], struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT coalesce(same_as, id) FROM person WHERE issuer = ? AND subject = ?",
                     value_text(issuer), value_text(subject));
    bool is_there = registry_next(q);
    if (is_there) snprintf(id, PERSON_ID_BYTES, "%.*s", SLICE_FMT(registry_text(q, 0)));
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}

/* ---- Disabled, and enabled again. */

static bool set_disabled(struct registry *r, struct slice id, const struct old_person *old, int64_t at_s,
                         const struct change_by *by, struct fault *why)
{
    if (!old->disabled_at == !at_s) return true; /* nothing changes */
    if (old->is_merged) return registry_refuse_as(r, REGISTRY_IMMUTABLE, why);
    if (!REGISTRY_DO(r, why, "UPDATE person SET disabled_at = ?, disabled_by = NULL, rev = ? WHERE id = ?",
                     value_int_or_null(at_s), value_rev(r), value_text(id)))
        return false;
    return registry_commit(r, by, at_s ? "people.disable" : "people.enable", id,
                           json_pack("{s:I}", "disabled_at", (json_int_t)old->disabled_at),
                           json_pack("{s:I}", "disabled_at", (json_int_t)at_s), why);
}

static enum registry_found change_disabled(struct registry *r, struct slice id, int64_t if_rev, int64_t at_s,
                                           const struct change_by *by, struct fault *why)
{
    struct old_person old = {0};
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = read_old(r, id, &old, why);
    bool is_good = found == REGISTRY_FOUND && registry_is_as_seen(r, old.rev, if_rev, why) &&
                   set_disabled(r, id, &old, at_s, by, why);
    return registry_end_change(r, found, is_good);
}

enum registry_found registry_person_disable(struct registry *r, struct slice id, int64_t if_rev,
                                            const struct change_by *by, struct fault *why)
{
    return change_disabled(r, id, if_rev, registry_now_s(), by, why);
}

enum registry_found registry_person_enable(struct registry *r, struct slice id, int64_t if_rev,
                                           const struct change_by *by, struct fault *why)
{
    return change_disabled(r, id, if_rev, 0, by, why);
}

/* ---- Merged. */

/* Who was merged into him before follows him. */
static bool merge(struct registry *r, struct slice from, struct slice into, const struct change_by *by,
                  struct fault *why)
{
    int64_t at_s = registry_now_s();
    return REGISTRY_DO(r, why,
                       "UPDATE person SET same_as = ?, disabled_at = coalesce(disabled_at, ?), rev = ? WHERE id = ?",
                       value_text(into), value_int(at_s), value_rev(r), value_text(from)) &&
           REGISTRY_DO(r, why, "UPDATE person SET same_as = ?, rev = ? WHERE same_as = ?", value_text(into),
                       value_rev(r), value_text(from)) &&
           registry_commit(r, by, "people.merge", from, NULL, json_pack("{s:s%}", "same_as", into.ptr, into.len), why);
}

enum registry_found registry_person_merge(struct registry *r, struct slice from, struct slice into,
                                          const struct change_by *by, struct fault *why)
{
    struct old_person one = {0}, other = {0};
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    enum registry_found found = read_old(r, from, &one, why);
    if (found == REGISTRY_FOUND) found = read_old(r, into, &other, why);
    bool is_good = found == REGISTRY_FOUND &&
                   ((!one.is_merged && !other.is_merged) || registry_refuse_as(r, REGISTRY_IMMUTABLE, why)) &&
                   merge(r, from, into, by, why);
    return registry_end_change(r, found, is_good);
}

/* ---- All of them. */

static json_t *person_of_row(const struct registry_query *q)
{
    static const char *const texts[] = {"id",         "kind",    "issuer", "subject", "name", "email",
                                        "department", "made_by", "same_as", "clearance",
                                        "user_name",  "managed_by"};
    static const char *const numbers[] = {"confirmed_at", "disabled_at", "rev"};
    json_t *person = json_object();
    for (int i = 0; i < 12; i++)
        registry_set_text(person, texts[i], q, i);
    for (int i = 0; i < 3; i++)
        registry_set_int(person, numbers[i], q, 12 + i);
    json_object_set_new(person, "roles", json_array());
    return person;
}

static json_t *read_people(struct registry *r, struct slice id, struct fault *why)
{
    json_t *people = json_array();
    struct registry_query *q =
        REGISTRY_ASK(r,
                     "SELECT id, kind, issuer, subject, name, email, department, made_by, same_as, clearance,"
                     " user_name, managed_by, confirmed_at, disabled_at, rev FROM person WHERE ? = '' OR id = ?"
                     " ORDER BY id",
                     value_text(id), value_text(id));
    while (registry_next(q))
        json_array_append_new(people, person_of_row(q));
    if (registry_end(q, why)) return people;
    json_decref(people);
    return NULL;
}

/* Both lists are in the order of the persons' ids. */
static void give_out(json_t *people, json_t *roles)
{
    size_t at = 0;
    json_t *role;
    size_t i;
    json_array_foreach(roles, i, role) {
        const char *whose = json_string_value(json_object_get(role, "person"));
        while (at < json_array_size(people) &&
               strcmp(json_string_value(json_object_get(json_array_get(people, at), "id")), whose) != 0)
            at++;
        json_array_append(json_object_get(json_array_get(people, at), "roles"), role);
    }
}

/* Of one moment: none has a role that is not his. */
json_t *registry_people(struct registry *r, struct slice id, struct fault *why)
{
    if (!registry_read_begin(r, why)) return NULL;
    json_t *people = read_people(r, id, why);
    json_t *roles = people ? registry_roles(r, id, why) : NULL;
    if (registry_read_end(r, roles != NULL, why)) give_out(people, roles);
    else json_decref(people);
    bool is_good = roles != NULL;
    json_decref(roles);
    return is_good ? people : NULL;
}
