#include "store/registry/sessions.h"

#include <jansson.h>
#include <openssl/crypto.h>

#include "store/registry/registry_inner.h"

/* What makes a session good, of `s` and its person `p`; parameters: now, the last use that counts, now. */
#define GOOD                                                                                                           \
    " FROM session s JOIN person p ON p.id = s.person LEFT JOIN credential c ON c.id = s.credential"                   \
    " WHERE s.ended_at IS NULL AND s.ends_at > ? AND s.seen_at > ? AND p.disabled_at IS NULL"                          \
    " AND (s.credential IS NULL OR (c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > ?)))"

/* ---- Beginning. */

static bool insert(struct registry *r, const struct session_spec *spec, const struct session_made *made,
                   struct fault *why)
{
    int64_t now_s = registry_now_s();
    uint8_t digest[KEY_DIGEST_BYTES];
    keyring_digest(slice_str(made->secret), digest);
    return REGISTRY_DO(r, why, "DELETE FROM session WHERE ends_at < ?", value_int(now_s - SESSION_KEPT_S)) &&
           REGISTRY_DO(r, why,
                       "INSERT INTO session(id, digest, person, credential, place, made_at, seen_at, ends_at, rev)"
                       " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       value_str(made->id), value_blob(digest, sizeof digest), value_text(spec->person),
                       value_text_or_null(spec->key), value_text(spec->place), value_int(now_s), value_int(now_s),
                       value_int(spec->ends_at), value_rev(r));
}

static json_t *described(const struct session_spec *spec)
{
    json_t *after = json_pack("{s:s%, s:s%, s:I}", "person", spec->person.ptr, spec->person.len, "place",
                              spec->place.ptr, spec->place.len, "ends_at", (json_int_t)spec->ends_at);
    if (spec->key.len) json_object_set_new(after, "key", json_stringn(spec->key.ptr, spec->key.len));
    return after;
}

bool registry_session_begin(struct registry *r, const struct session_spec *spec, const struct change_by *by,
                            struct session_made *made, struct fault *why)
{
    bool is_good = registry_random(made->secret, SESSION_SECRET_BYTES - 1, why) &&
                   registry_make_id(made->id, "ses_", why) && registry_begin(r, why) && insert(r, spec, made, why) &&
                   registry_commit(r, by, "session.begin", slice_str(made->id), NULL, described(spec), why);
    return is_good || registry_abort(r);
}

bool registry_session_refused(struct registry *r, struct slice place, const struct change_by *by, struct fault *why)
{
    bool is_good = registry_begin(r, why) && registry_commit(r, by, "login.failed", place, NULL, NULL, why);
    return is_good || registry_abort(r);
}

/* ---- Who comes with one. */

static bool take_found(const struct registry_query *q, const uint8_t digest[KEY_DIGEST_BYTES], struct session *s)
{
    struct slice kept = registry_text(q, 0);
    if (kept.len != KEY_DIGEST_BYTES || CRYPTO_memcmp(kept.ptr, digest, KEY_DIGEST_BYTES) != 0) return false;
    snprintf(s->id, sizeof s->id, "%.*s", SLICE_FMT(registry_text(q, 1)));
    snprintf(s->person, sizeof s->person, "%.*s", SLICE_FMT(registry_text(q, 2)));
    snprintf(s->kind, sizeof s->kind, "%.*s", SLICE_FMT(registry_text(q, 3)));
    snprintf(s->name, sizeof s->name, "%.*s", SLICE_FMT(registry_text(q, 4)));
    s->made_at = registry_int(q, 5);
    s->ends_at = registry_int(q, 6);
    return true;
}

enum registry_found registry_session_find(struct registry *r, struct slice secret, int64_t now_s, int64_t idle_s,
                                          struct session *s, struct fault *why)
{
    uint8_t digest[KEY_DIGEST_BYTES];
    if (secret.len != SESSION_SECRET_BYTES - 1) return REGISTRY_MISSING;
    keyring_digest(secret, digest);
    struct registry_query *q = REGISTRY_ASK(
        r,
        "SELECT s.digest, s.id, p.id, p.kind, coalesce(p.name, p.subject), s.made_at, s.ends_at, s.seen_at" GOOD
        " AND s.digest = ?",
        value_int(now_s), value_int(now_s - idle_s), value_int(now_s), value_blob(digest, sizeof digest));
    bool is_there = registry_next(q) && take_found(q, digest, s);
    int64_t seen_at = is_there ? registry_int(q, 7) : 0;
    if (!registry_end(q, why)) return REGISTRY_FAILED;
    if (!is_there) return REGISTRY_MISSING;
    bool is_noted = seen_at > now_s - SESSION_SEEN_S ||
                    REGISTRY_DO(r, why, "UPDATE session SET seen_at = ? WHERE id = ?", value_int(now_s),
                                value_str(s->id));
    return is_noted ? REGISTRY_FOUND : REGISTRY_FAILED;
}

/* ---- Ending. */

enum registry_found registry_session_end(struct registry *r, struct slice id, const struct change_by *by,
                                         struct fault *why)
{
    if (!registry_begin(r, why)) return REGISTRY_FAILED;
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT coalesce(ended_at, 0) FROM session WHERE id = ?", value_text(id));
    enum registry_found found = registry_next(q) ? REGISTRY_FOUND : REGISTRY_MISSING;
    bool is_over = found == REGISTRY_FOUND && registry_int(q, 0);
    if (!registry_end(q, why)) found = REGISTRY_FAILED;
    bool is_good = found == REGISTRY_FOUND &&
                   (is_over || (REGISTRY_DO(r, why, "UPDATE session SET ended_at = ?, rev = ? WHERE id = ?",
                                            value_int(registry_now_s()), value_rev(r), value_text(id)) &&
                                registry_commit(r, by, "session.end", id, NULL, NULL, why)));
    return registry_end_change(r, found, is_good);
}

/* ---- What there is. */

json_t *registry_sessions(struct registry *r, struct slice person, int64_t now_s, int64_t idle_s, struct fault *why)
{
    static const char *const texts[] = {"id", "person", "key", "place"};
    static const char *const numbers[] = {"made_at", "seen_at", "ends_at"};
    json_t *sessions = json_array();
    struct registry_query *q = REGISTRY_ASK(
        r,
        "SELECT s.id, s.person, s.credential, s.place, s.made_at, s.seen_at, s.ends_at" GOOD
        " AND (? = '' OR s.person = ?) ORDER BY s.made_at DESC, s.id",
        value_int(now_s), value_int(now_s - idle_s), value_int(now_s), value_text(person), value_text(person));
    while (registry_next(q)) {
        json_t *one = json_object();
        for (int i = 0; i < 4; i++)
            registry_set_text(one, texts[i], q, i);
        for (int i = 0; i < 3; i++)
            registry_set_int(one, numbers[i], q, 4 + i);
        json_array_append_new(sessions, one);
    }
    if (registry_end(q, why)) return sessions;
    json_decref(sessions);
    return NULL;
}
