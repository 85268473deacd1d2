#include "store/registry/admin_keys.h"

#include <jansson.h>
#include <openssl/crypto.h>

#include "base/limits.h"
#include "store/registry/registry_inner.h"

/* ---- Making. */

/* In the change that depends on it. */
static bool check_owner(struct registry *r, struct slice person, struct fault *why)
{
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT 1 FROM person WHERE id = ? AND disabled_at IS NULL", value_text(person));
    bool is_there = registry_next(q);
    if (!registry_end(q, why)) return false;
    return is_there || registry_refuse_as(r, REGISTRY_UNKNOWN, why);
}

static bool insert(struct registry *r, struct slice person, int64_t expires_at, const struct key_made *made,
                   struct fault *why)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    keyring_digest(slice_str(made->text), digest);
    return REGISTRY_DO(r, why,
                       "INSERT INTO credential(id, kind, digest, tail, person, fields, created_at, expires_at, made,"
                       " rev) VALUES(?, 'admin', ?, ?, ?, '{}', ?, ?, ?, ?)",
                       value_str(made->id), value_blob(digest, sizeof digest),
                       value_str(made->text + strlen(made->text) - 4), value_text(person), value_int(registry_now_s()),
                       value_int_or_null(expires_at), value_rev(r), value_rev(r));
}

bool registry_admin_key_create(struct registry *r, struct slice person, int64_t expires_at, const struct change_by *by,
                               struct key_made *made, struct fault *why)
{
    memcpy(made->text, ADMIN_KEY_PREFIX, sizeof ADMIN_KEY_PREFIX - 1);
    bool is_good =
        registry_random(made->text + 4, KEY_TEXT_BYTES - 5, why) && registry_make_id(made->id, "key_", why) &&
        registry_begin(r, why) && check_owner(r, person, why) && insert(r, person, expires_at, made, why) &&
        registry_commit(r, by, "keys.create", slice_str(made->id), NULL,
                        json_pack("{s:s, s:s%, s:I}", "kind", "admin", "owner", person.ptr, person.len, "expires_at",
                                  (json_int_t)expires_at),
                        why);
    return is_good || registry_abort(r);
}

/* ---- Who comes with one. */

static bool take_found(const struct registry_query *q, const uint8_t digest[KEY_DIGEST_BYTES], struct admin_key *key)
{
    struct slice kept = registry_text(q, 0);
    if (kept.len != KEY_DIGEST_BYTES || CRYPTO_memcmp(kept.ptr, digest, KEY_DIGEST_BYTES) != 0) return false;
    snprintf(key->id, sizeof key->id, "%.*s", SLICE_FMT(registry_text(q, 1)));
    snprintf(key->person, sizeof key->person, "%.*s", SLICE_FMT(registry_text(q, 2)));
    snprintf(key->kind, sizeof key->kind, "%.*s", SLICE_FMT(registry_text(q, 3)));
    snprintf(key->name, sizeof key->name, "%.*s", SLICE_FMT(registry_text(q, 4)));
    return true;
}

enum registry_found registry_admin_key_find(struct registry *r, struct slice text, int64_t now_s,
                                            struct admin_key *key, struct fault *why)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    keyring_digest(text, digest);
    struct registry_query *q = REGISTRY_ASK(
        r,
        "SELECT c.digest, c.id, p.id, p.kind, coalesce(p.name, p.subject) FROM credential c"
        " JOIN person p ON p.id = c.person WHERE c.digest = ? AND c.kind = 'admin' AND c.revoked_at IS NULL"
        " AND (c.expires_at IS NULL OR c.expires_at > ?) AND p.disabled_at IS NULL",
        value_blob(digest, sizeof digest), value_int(now_s));
    bool is_there = registry_next(q) && take_found(q, digest, key);
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}

/* ---- Revoking. */

static bool revoke(struct registry *r, struct slice id, const struct change_by *by, struct fault *why)
{
    return REGISTRY_DO(r, why, "UPDATE credential SET revoked_at = ?, rev = ? WHERE id = ?",
                       value_int(registry_now_s()), value_rev(r), value_text(id)) &&
           registry_commit(r, by, "keys.revoke", id, json_pack("{s:b}", "revoked", 0), json_pack("{s:b}", "revoked", 1),
                           why);
}

enum registry_found registry_admin_key_revoke(struct registry *r, struct slice id, int64_t if_rev,
                                              const struct change_by *by, struct fault *why)
{
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    struct registry_query *q = REGISTRY_ASK(
        r, "SELECT rev, coalesce(revoked_at, 0) FROM credential WHERE id = ? AND kind <> 'data'", value_text(id));
    enum registry_found found = registry_next(q) ? REGISTRY_FOUND : REGISTRY_MISSING;
    int64_t rev = found == REGISTRY_FOUND ? registry_int(q, 0) : 0;
    bool is_revoked = found == REGISTRY_FOUND && registry_int(q, 1);
    if (!registry_end(q, why)) found = REGISTRY_FAILED;
    bool is_good = found == REGISTRY_FOUND && registry_is_as_seen(r, rev, if_rev, why) &&
                   (is_revoked || revoke(r, id, by, why));
    return registry_end_change(r, found, is_good);
}

/* ---- What there is. */

json_t *registry_admin_keys(struct registry *r, struct fault *why)
{
    json_t *keys = json_array();
    static const char all[] = "SELECT id, tail, person, created_at, expires_at, revoked_at, rev, kind, made"
                              " FROM credential WHERE kind <> 'data' ORDER BY made, id";
    struct registry_query *q = registry_ask(r, all, NULL, 0);
    while (registry_next(q)) {
        json_t *key = json_object();
        registry_set_text(key, "id", q, 0);
        registry_set_text(key, "tail", q, 1);
        registry_set_text(key, "owner", q, 2);
        registry_set_int(key, "created_at", q, 3);
        registry_set_int(key, "expires_at", q, 4);
        registry_set_int(key, "revoked_at", q, 5);
        registry_set_int(key, "rev", q, 6);
        registry_set_text(key, "kind", q, 7);
        json_array_append_new(keys, key);
    }
    if (registry_end(q, why)) return keys;
    json_decref(keys);
    return NULL;
}

enum registry_found registry_credential_kind(struct registry *r, struct slice id, char kind[8], struct fault *why)
{
    struct registry_query *q = REGISTRY_ASK(r, "SELECT kind FROM credential WHERE id = ?", value_text(id));
    bool is_there = registry_next(q);
    if (is_there) snprintf(kind, 8, "%.*s", SLICE_FMT(registry_text(q, 0)));
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    return is_there ? REGISTRY_FOUND : REGISTRY_MISSING;
}
