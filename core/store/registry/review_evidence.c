#include "store/registry/review_evidence.h"

#include <openssl/sha.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "store/registry/reviews_inner.h"
#include "store/registry/review_canonical.h"

#define HASH_HEX (2 * SHA256_DIGEST_LENGTH + 1)

static bool hash(const json_t *evidence, char hex[HASH_HEX], struct fault *why)
{
    struct buf text;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char *dumped = json_dumps(evidence, JSON_COMPACT);
    buf_init(&text);
    bool is_good = dumped && review_canonical(slice_str(dumped), &text, why);
    SHA256((const uint8_t *)buf_ptr(&text), buf_len(&text), digest);
    hex_write(digest, sizeof digest, hex);
    mem_free(dumped);
    buf_clear(&text);
    return is_good;
}

static void what_is_signed(struct slice review, const char *sha256, char text[160])
{
    snprintf(text, 160, "moongate review 1\n%.*s\n%s\n", SLICE_FMT(review), sha256);
}

bool review_evidence_sign(void *arg, struct slice review, struct slice sha256, json_t *document, struct fault *why)
{
    const struct anchor_key *key = arg;
    const struct anchor_public *public = anchor_key_public(key);
    uint8_t signature[ANCHOR_SIGNATURE_BYTES];
    char text[160], hex[2 * ANCHOR_SIGNATURE_BYTES + 1], bytes[2 * ANCHOR_PUBLIC_BYTES + 1];
    (void)why;
    what_is_signed(review, sha256.ptr, text);
    anchor_key_sign(key, slice_str(text), signature);
    hex_write(signature, sizeof signature, hex);
    hex_write(public->bytes, sizeof public->bytes, bytes);
    json_object_set_new(document, "key", json_string(public->fingerprint));
    json_object_set_new(document, "public", json_string(bytes));
    json_object_set_new(document, "signature", json_string(hex));
    return true;
}

/* ---- What there is now. */

static json_t *state_of_stored(struct registry *r, const char *sql, struct slice id, const char *end, struct fault *why)
{
    json_t *state = json_pack("{s:s}", "state", "gone");
    struct registry_query *q = REGISTRY_ASK(r, sql, value_text(id));
    if (registry_next(q)) {
        json_object_set_new(state, "state", json_string(registry_is_null(q, 0) ? "there" : "revoked"));
        registry_set_int(state, "revoked_at", q, 0);
        registry_set_int(state, end, q, 1);
    }
    if (registry_end(q, why)) return state;
    json_decref(state);
    return NULL;
}

static json_t *state_of_role(struct registry *r, const json_t *facts, struct fault *why)
{
    json_t *state = json_pack("{s:s}", "state", "gone");
    struct registry_query *q =
        REGISTRY_ASK(r, "SELECT ends_at FROM role_grant WHERE person = ? AND role = ? AND scope = ?",
                     value_str(review_text(facts, "person")), value_str(review_text(facts, "role")),
                     value_str(review_text(facts, "scope")));
    if (registry_next(q)) {
        json_object_set_new(state, "state", json_string("there"));
        registry_set_int(state, "ends_at", q, 0);
    }
    if (registry_end(q, why)) return state;
    json_decref(state);
    return NULL;
}

static json_t *state_of_row(const json_t *item)
{
    const char *effect = review_text(json_object_get(item, "effect"), "state");
    return json_pack("{s:s}", "state", strcmp(effect, "in_force") == 0 ? "gone" : "there");
}

json_t *review_state_now(struct registry *r, const json_t *item, struct fault *why)
{
    const char *kind = review_text(item, "kind");
    struct slice id = slice_str(review_text(item, "object"));
    json_t *state =
        strcmp(kind, "grant") == 0
            ? state_of_stored(r, "SELECT revoked_at, ends_at FROM access_grant WHERE id = ?", id, "ends_at", why)
        : strcmp(kind, "key") == 0
            ? state_of_stored(r, "SELECT revoked_at, expires_at FROM credential WHERE id = ?", id, "expires_at", why)
        : strcmp(kind, "role") == 0 ? state_of_role(r, json_object_get(item, "facts"), why)
                                    : state_of_row(item);
    if (!state) return NULL;
    json_object_set(state, "n", json_object_get(item, "n"));
    json_object_set(state, "kind", json_object_get(item, "kind"));
    json_object_set(state, "object", json_object_get(item, "object"));
    return state;
}

/* ---- The document. */

static bool add_states(struct registry *r, const json_t *items, json_t *evidence, struct fault *why)
{
    size_t i;
    json_t *item, *after = json_array(), *unanswered = json_array(), *before = json_array();
    bool is_good = true;
    json_array_foreach ((json_t *)(uintptr_t)items, i, item) {
        json_t *now = review_state_now(r, item, why), *then = json_copy(item);
        json_object_del(then, "who");
        json_object_del(then, "rev");
        is_good = is_good && now;
        json_array_append_new(before, then);
        if (now) json_array_append_new(after, now);
        if (!json_object_get(item, "decided_by")) json_array_append(unanswered, json_object_get(item, "n"));
    }
    json_object_set_new(evidence, "before", before);
    json_object_set_new(evidence, "after", after);
    json_object_set_new(evidence, "unanswered", unanswered);
    return is_good;
}

static json_t *make(struct registry *r, struct slice id, const json_t *items, struct slice person, struct fault *why)
{
    int64_t now_s = registry_now_s();
    json_t *list = registry_reviews(r, id, now_s, why), *delegations = registry_review_delegations(r, id, why);
    json_t *evidence = json_pack("{s:i, s:I, s:s%}", "moongate_review", 1, "completed_at", (json_int_t)now_s,
                                 "completed_by", person.ptr, person.len);
    bool is_good = list && delegations && add_states(r, items, evidence, why);
    json_object_set(evidence, "review", json_array_get(list, 0));
    json_object_set(evidence, "delegations", delegations);
    json_decref(list);
    json_decref(delegations);
    if (is_good) return evidence;
    json_decref(evidence);
    return NULL;
}

char *review_evidence_make(struct registry *r, struct slice id, const json_t *items, struct slice person,
                           review_sign sign, void *arg, struct fault *why)
{
    char hex[HASH_HEX], *text = NULL;
    json_t *evidence = make(r, id, items, person, why), *document = json_object();
    if (evidence && hash(evidence, hex, why) && sign(arg, id, slice_str(hex), document, why)) {
        json_object_set(document, "evidence", evidence);
        json_object_set_new(document, "sha256", json_string(hex));
        text = json_dumps(document, JSON_INDENT(1) | JSON_SORT_KEYS);
    }
    json_decref(document);
    json_decref(evidence);
    return text;
}

/* ---- Checked. */

static bool read_key(const json_t *document, struct anchor_public *key, uint8_t signature[ANCHOR_SIGNATURE_BYTES])
{
    uint8_t bytes[ANCHOR_PUBLIC_BYTES];
    if (!hex_read(slice_str(review_text(document, "public")), bytes, sizeof bytes) ||
        !hex_read(slice_str(review_text(document, "signature")), signature, ANCHOR_SIGNATURE_BYTES))
        return false;
    anchor_public_set(key, bytes);
    return true;
}

static bool check_signature(const json_t *document, const char *hex, const struct anchor_trust *trust,
                            struct review_verified *v, struct fault *why)
{
    char text[160];
    struct anchor_public key;
    uint8_t signature[ANCHOR_SIGNATURE_BYTES];
    if (!read_key(document, &key, signature)) return fault_set(why, FAULT_BAD_REQUEST, "it is not signed");
    if (trust && !anchor_trust_has(trust, &key))
        return fault_set(why, FAULT_BAD_REQUEST, "signed with a key that is not trusted: %s", key.fingerprint);
    what_is_signed(slice_str(v->review), hex, text);
    if (!anchor_public_signed(&key, slice_str(text), signature))
        return fault_set(why, FAULT_BAD_REQUEST, "the signature is of something else");
    snprintf(v->key, sizeof v->key, "%s", key.fingerprint);
    return true;
}

static bool check(const json_t *document, const struct anchor_trust *trust, struct review_verified *v,
                  struct fault *why)
{
    const json_t *evidence = json_object_get(document, "evidence");
    if (!json_is_object(evidence) || review_number(evidence, "moongate_review") != 1)
        return fault_set(why, FAULT_BAD_REQUEST, "it is no evidence of an access review that this moongate knows");
    if (!hash(evidence, v->sha256, why)) return false;
    if (strcmp(v->sha256, review_text(document, "sha256")) != 0)
        return fault_set(why, FAULT_BAD_REQUEST, "it was changed: its SHA-256 is %s", v->sha256);
    snprintf(v->review, sizeof v->review, "%s", review_text(json_object_get(evidence, "review"), "id"));
    v->items = (int64_t)json_array_size(json_object_get(evidence, "before"));
    v->completed_at = review_number(evidence, "completed_at");
    return check_signature(document, v->sha256, trust, v, why);
}

bool review_evidence_verify(struct slice text, const struct anchor_trust *trust, struct review_verified *v,
                            struct fault *why)
{
    json_error_t error;
    *v = (struct review_verified){.items = 0};
    if (text.len > LIMIT_REVIEW_EVIDENCE_BYTES)
        return fault_set(why, FAULT_BAD_REQUEST, "longer than any such document");
    json_t *document = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!document) return fault_set(why, FAULT_BAD_REQUEST, "line %d: %s", error.line, error.text);
    bool is_good = check(document, trust, v, why);
    json_decref(document);
    return is_good;
}
