#include "store/registry/provided.h"

#include <jansson.h>
#include <openssl/crypto.h>

#include "base/utf8.h"
#include "store/registry/registry_inner.h"

/* ---- Credentials. */

static bool check_owner(struct registry *r, struct slice owner, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT 1 FROM person WHERE id = ? AND disabled_at IS NULL", value_text(owner));
    bool is_there = registry_next(q);
    return registry_end(q, why) && (is_there || registry_refuse_as(r, REGISTRY_UNKNOWN, why));
}

static bool insert_key(struct registry *r, struct slice issuer, struct slice owner, int64_t expires_at,
                       const struct key_made *made, struct fault *why)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    keyring_digest(slice_str(made->text), digest);
    return REGISTRY_DO(r, why,
                       "INSERT INTO credential(id, kind, digest, tail, person, app, fields, created_at, expires_at,"
                       " made, rev) VALUES(?, 'scim', ?, ?, ?, ?, '{}', ?, ?, ?, ?)",
                       value_str(made->id), value_blob(digest, sizeof digest),
                       value_str(made->text + strlen(made->text) - 4), value_text(owner), value_text(issuer),
                       value_int(registry_now_s()), value_int_or_null(expires_at), value_rev(r), value_rev(r));
}

bool registry_scim_key_create(struct registry *r, struct slice issuer, struct slice owner, int64_t expires_at,
                              const struct change_by *by, struct key_made *made, struct fault *why)
{
    if (!issuer.len || issuer.len > LIMIT_KEY_FIELD_BYTES || !utf8_is_valid(issuer) ||
        slice_equal(issuer, PERSON_LOCAL))
        return registry_refuse_as(r, REGISTRY_INVALID, why);
    memcpy(made->text, SCIM_KEY_PREFIX, sizeof SCIM_KEY_PREFIX - 1);
    bool is_good =
        registry_random(made->text + 4, KEY_TEXT_BYTES - 5, why) && registry_make_id(made->id, "key_", why) &&
        registry_begin(r, why) && check_owner(r, owner, why) &&
        insert_key(r, issuer, owner, expires_at, made, why) &&
        registry_commit(r, by, "keys.create", slice_str(made->id), NULL,
                        json_pack("{s:s, s:s%, s:s%, s:I}", "kind", "scim", "owner", owner.ptr, owner.len, "issuer",
                                  issuer.ptr, issuer.len, "expires_at", (json_int_t)expires_at),
                        why);
    return is_good || registry_abort(r);
}

enum registry_found registry_scim_key_find(struct registry *r, struct slice text, int64_t now_s, struct scim_key *key,
                                           struct fault *why)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    keyring_digest(text, digest);
    struct registry_query *q = REGISTRY_ASK(
        r,
        "SELECT c.digest, c.id, p.id, c.app FROM credential c JOIN person p ON p.id = c.person WHERE c.digest = ?"
        " AND c.kind = 'scim' AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > ?)"
        " AND p.disabled_at IS NULL",
        value_blob(digest, sizeof digest), value_int(now_s));
    bool is_there = registry_next(q) && registry_text(q, 0).len == sizeof digest &&
                    CRYPTO_memcmp(registry_text(q, 0).ptr, digest, sizeof digest) == 0;
    if (is_there) {
        snprintf(key->id, sizeof key->id, "%.*s", SLICE_FMT(registry_text(q, 1)));
        snprintf(key->owner, sizeof key->owner, "%.*s", SLICE_FMT(registry_text(q, 2)));
        snprintf(key->issuer, sizeof key->issuer, "%.*s", SLICE_FMT(registry_text(q, 3)));
    }
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}

/* ---- As he stands. */

struct stands {
    bool is_there, is_managed, is_merged, is_by_hand;
    int64_t disabled_at;
};

static bool look(struct registry *r, const struct provided_spec *spec, struct stands *s, char id[PERSON_ID_BYTES],
                 struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(
        r, "SELECT id, managed_by, same_as, disabled_at, disabled_by FROM person WHERE issuer = ? AND subject = ?",
        value_text(spec->issuer), value_text(spec->subject));
    *s = (struct stands){.is_there = registry_next(q)};
    if (s->is_there) {
        snprintf(id, PERSON_ID_BYTES, "%.*s", SLICE_FMT(registry_text(q, 0)));
        s->is_managed = !registry_is_null(q, 1);
        s->is_merged = !registry_is_null(q, 2);
        s->disabled_at = registry_int(q, 3);
        s->is_by_hand = s->disabled_at && registry_is_null(q, 4);
    }
    return registry_end(q, why);
}

static bool check_name(struct registry *r, const struct provided_spec *spec, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT 1 FROM person WHERE issuer = ? AND lower(user_name) = lower(?) AND subject <> ?",
                     value_text(spec->issuer), value_text(spec->user_name), value_text(spec->subject));
    bool is_taken = registry_next(q);
    return registry_end(q, why) && (!is_taken || registry_refuse_as(r, REGISTRY_EXISTS, why));
}

static bool check_spec(struct registry *r, const struct provided_spec *spec, struct fault *why)
{
    const struct slice texts[] = {spec->subject, spec->user_name, spec->name, spec->email, spec->department};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].len > LIMIT_KEY_FIELD_BYTES || !utf8_is_valid(texts[i]))
            return registry_refuse_as(r, REGISTRY_INVALID, why);
    return (spec->subject.len && spec->user_name.len) || registry_refuse_as(r, REGISTRY_INVALID, why);
}

/* ---- Writing him. */

static bool make(struct registry *r, const struct provided_spec *spec, char id[PERSON_ID_BYTES], struct fault *why)
{
    return registry_make_id(id, "per_", why) &&
           REGISTRY_DO(r, why,
                       "INSERT INTO person(id, kind, issuer, subject, rev) VALUES(?, 'human', ?, ?, ?)", value_str(id),
                       value_text(spec->issuer), value_text(spec->subject), value_rev(r));
}

static bool fill(struct registry *r, const struct provided_spec *spec, const char *id, struct fault *why)
{
    return REGISTRY_DO(r, why,
                       "UPDATE person SET user_name = ?, name = ?, email = ?, department = ?, managed_by = ?,"
                       " confirmed_at = ?, rev = ? WHERE id = ?",
                       value_text(spec->user_name), value_text_or_null(spec->name), value_text_or_null(spec->email),
                       value_text_or_null(spec->department), value_text(spec->key), value_int(registry_now_s()),
                       value_rev(r), value_str(id));
}

static bool set_active(struct registry *r, const struct provided_spec *spec, const struct stands *s, const char *id,
                       struct fault *why)
{
    if (spec->is_active == !s->disabled_at) return true;
    if (spec->is_active && (s->is_by_hand || s->is_merged)) return registry_refuse_as(r, REGISTRY_IMMUTABLE, why);
    return REGISTRY_DO(r, why, "UPDATE person SET disabled_at = ?, disabled_by = ? WHERE id = ?",
                       value_int_or_null(spec->is_active ? 0 : registry_now_s()),
                       value_text_or_null(spec->is_active ? SLICE_NONE : spec->key), value_str(id));
}

static const char *action_of(const struct provided_spec *spec, const struct stands *s)
{
    if (s->is_there && !spec->is_active && !s->disabled_at) return "people.disable";
    if (s->is_there && spec->is_active && s->disabled_at) return "people.enable";
    return s->is_there ? "people.change" : "people.create";
}

static json_t *described(const struct provided_spec *spec)
{
    const struct {
        const char *name;
        struct slice text;
    } texts[] = {{"user_name", spec->user_name}, {"name", spec->name},      {"email", spec->email},
                 {"department", spec->department}, {"managed_by", spec->key}};
    json_t *after = json_pack("{s:b}", "active", spec->is_active);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].text.len)
            json_object_set_new(after, texts[i].name, json_stringn(texts[i].text.ptr, texts[i].text.len));
    return after;
}

bool registry_provided_write(struct registry *r, const struct provided_spec *spec, const struct change_by *by,
                             char id[PERSON_ID_BYTES], struct fault *why)
{
    struct stands s;
    bool is_good = check_spec(r, spec, why) && registry_begin(r, why) && look(r, spec, &s, id, why) &&
                   (!spec->is_new || !s.is_managed || registry_refuse_as(r, REGISTRY_EXISTS, why)) &&
                   check_name(r, spec, why) && (s.is_there || make(r, spec, id, why)) && fill(r, spec, id, why) &&
                   set_active(r, spec, &s, id, why) &&
                   registry_commit(r, by, action_of(spec, &s), slice_str(id), NULL, described(spec), why);
    return is_good || registry_abort(r);
}

enum registry_found registry_provided_remove(struct registry *r, struct slice issuer, struct slice key,
                                             struct slice id, const struct change_by *by, struct fault *why)
{
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    struct registry_query *q = REGISTRY_ASK(
        r,
        "UPDATE person SET user_name = NULL, managed_by = NULL, rev = ?, disabled_by = CASE WHEN disabled_at IS NULL"
        " THEN ? ELSE disabled_by END, disabled_at = coalesce(disabled_at, ?) WHERE id = ? AND issuer = ?"
        " AND managed_by IS NOT NULL RETURNING id",
        value_rev(r), value_text(key), value_int(registry_now_s()), value_text(id), value_text(issuer));
    enum registry_found found = registry_next(q) ? REGISTRY_FOUND : REGISTRY_MISSING;
    if (!registry_end(q, why)) found = REGISTRY_FAILED;
    bool is_good = found == REGISTRY_FOUND && registry_commit(r, by, "people.disable", id, NULL,
                                                              json_pack("{s:b}", "provided", 0), why);
    return registry_end_change(r, found, is_good);
}

/* ---- Who there is. */

json_t *registry_provided(struct registry *r, struct slice issuer, enum provided_by by, struct slice value,
                          struct fault *why)
{
    static const char *const texts[] = {"id", "subject", "user_name", "name", "email", "department"};
    json_t *people = json_array();
    struct registry_query *q = REGISTRY_ASK(
        r,
        "SELECT id, subject, user_name, name, email, department, disabled_at, rev FROM person WHERE issuer = ?"
        " AND managed_by IS NOT NULL AND CASE ? WHEN 0 THEN 1 = 1 WHEN 1 THEN id = ? WHEN 2 THEN"
        " lower(user_name) = lower(?) ELSE subject = ? END ORDER BY id",
        value_text(issuer), value_int(by), value_text(value), value_text(value), value_text(value));
    while (registry_next(q)) {
        json_t *one = json_object();
        for (int i = 0; i < 6; i++)
            registry_set_text(one, texts[i], q, i);
        registry_set_int(one, "disabled_at", q, 6);
        registry_set_int(one, "rev", q, 7);
        json_array_append_new(people, one);
    }
    if (registry_end(q, why)) return people;
    json_decref(people);
    return NULL;
}
