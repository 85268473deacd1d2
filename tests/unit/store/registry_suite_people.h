/*
 * Of every engine: what a key is goes by what its owner is now, and sign-ins end when they should.
 */
#ifndef MOONGATE_TESTS_REGISTRY_SUITE_PEOPLE_H
#define MOONGATE_TESTS_REGISTRY_SUITE_PEOPLE_H

#include "registry_suite.h"
#include "store/people.h"
#include "store/registry/admin_keys.h"
#include "store/registry/provided.h"
#include "store/registry/sessions.h"

#define ISSUER SLICE("https://id.example")

/* As workers find that key now; the ring is the caller's. */
static inline const struct key_record *suite_key(struct registry *r, const char *text, struct keyring **ring)
{
    struct buf bytes;
    struct fault why = {0};
    uint8_t digest[KEY_DIGEST_BYTES];
    buf_init(&bytes);
    if (!registry_section(r, SECTION_KEYS, registry_now_s(), &bytes, &why)) UNIT_FAIL("%s", why.text);
    *ring = keyring_copy(buf_slice(&bytes), &why);
    buf_clear(&bytes);
    if (!*ring) UNIT_FAIL("%s", why.text);
    keyring_digest(slice_str(text), digest);
    return keyring_find(*ring, digest);
}

/* "department|clearance|user|role role|live" */
static inline const char *suite_stands_for(struct registry *r, const char *text)
{
    static char out[256];
    struct keyring *ring;
    const struct key_record *key = suite_key(r, text, &ring);
    if (!key) {
        keyring_unref(ring);
        return "unknown";
    }
    size_t len = (size_t)snprintf(out, sizeof out, "%.*s|%.*s|%.*s|", SLICE_FMT(key->department),
                                  SLICE_FMT(key->clearance), SLICE_FMT(key->user));
    for (size_t i = 0; i < key->role_count; i++)
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%.*s", i ? " " : "", SLICE_FMT(key->roles[i]));
    snprintf(out + len, sizeof out - len, "|%s", key->is_revoked ? "revoked" : "live");
    keyring_unref(ring);
    return out;
}

static inline void suite_new_key(struct registry *r, struct slice owner, const struct slice *roles, size_t count,
                                 struct key_made *made)
{
    struct fault why = {0};
    struct key_spec spec = {
        .app = SLICE("bot"), .department = SLICE("hq"), .owner = owner, .roles = roles, .role_count = count};
    if (!registry_key_create(r, &spec, &suite_by, made, &why)) UNIT_FAIL("%s", why.text);
}

static inline void suite_role(struct registry *r, const char *person, const char *role, const char *scope)
{
    struct fault why = {0};
    struct role_spec spec = {slice_str(person), slice_str(role), slice_str(scope), SLICE("kim"), 0};
    if (!registry_role_give(r, &spec, &suite_by, &why)) UNIT_FAIL("%s", why.text);
}

static void a_key_stands_for_what_its_owner_is_now(void)
{
    char ana[PERSON_ID_BYTES], kim[PERSON_ID_BYTES];
    struct key_made all, narrow, locals;
    struct fault why = {0};
    struct slice legal = SLICE("legal");
    struct registry *r = suite_fresh();
    struct person_spec a = {.issuer = ISSUER, .subject = SLICE("ana"), .department = SLICE("claims")};
    struct person_spec k = {.issuer = PERSON_LOCAL, .subject = SLICE("kim"), .department = SLICE("claims")};
    EXPECT(registry_person_create(r, &a, &suite_by, ana, &why));
    EXPECT(registry_person_create(r, &k, &suite_by, kim, &why));
    suite_new_key(r, slice_str(ana), NULL, 0, &all);
    suite_new_key(r, slice_str(ana), &legal, 1, &narrow);
    suite_new_key(r, slice_str(kim), &legal, 1, &locals);
    EXPECT_STR("claims||ana||live", suite_stands_for(r, all.text));
    suite_role(r, ana, "manager", "*");
    suite_role(r, ana, "finance", "claims");
    suite_role(r, ana, "legal", "sales");
    EXPECT_STR("claims||ana|finance manager|live", suite_stands_for(r, all.text));
    EXPECT_STR("claims||ana||live", suite_stands_for(r, narrow.text));
    suite_do(r, "UPDATE person SET department = 'sales', clearance = 'secret' WHERE subject = 'ana'");
    EXPECT_STR("sales|secret|ana|legal manager|live", suite_stands_for(r, all.text));
    EXPECT_STR("sales|secret|ana|legal|live", suite_stands_for(r, narrow.text));
    suite_do(r, "UPDATE role_grant SET ends_at = 1 WHERE role = 'manager'");
    EXPECT_STR("sales|secret|ana|legal|live", suite_stands_for(r, all.text));
    EXPECT_STR("hq|||legal|live", suite_stands_for(r, locals.text)); /* what administrators wrote stands */
    registry_close(r);
}

static void enabling_brings_back_what_was_and_only_that(void)
{
    char ana[PERSON_ID_BYTES];
    struct key_made key, by_hand, admin;
    struct admin_key found;
    struct fault why = {0};
    struct registry *r = suite_fresh();
    struct person_spec a = {.issuer = ISSUER, .subject = SLICE("ana")};
    EXPECT(registry_person_create(r, &a, &suite_by, ana, &why));
    suite_new_key(r, slice_str(ana), NULL, 0, &key);
    suite_new_key(r, slice_str(ana), NULL, 0, &by_hand);
    EXPECT(registry_admin_key_create(r, slice_str(ana), 0, &suite_by, &admin, &why));
    EXPECT(registry_key_revoke(r, slice_str(by_hand.id), false, &suite_by, &why) == REGISTRY_FOUND);
    EXPECT(registry_person_disable(r, slice_str(ana), 0, &suite_by, &why) == REGISTRY_FOUND);
    EXPECT_STR("||ana||revoked", suite_stands_for(r, key.text));
    EXPECT(registry_admin_key_find(r, slice_str(admin.text), registry_now_s(), &found, &why) == REGISTRY_MISSING);
    EXPECT(registry_person_enable(r, slice_str(ana), 0, &suite_by, &why) == REGISTRY_FOUND);
    EXPECT_STR("||ana||live", suite_stands_for(r, key.text));
    EXPECT_STR("||ana||revoked", suite_stands_for(r, by_hand.text));
    EXPECT(registry_admin_key_find(r, slice_str(admin.text), registry_now_s(), &found, &why) == REGISTRY_FOUND);
    registry_close(r);
}

/* The time comes from the row, so that nobody waits for it. */
static void a_key_lapses_where_nobody_confirms_its_owner(void)
{
    char ana[PERSON_ID_BYTES];
    struct key_made made;
    struct keyring *ring;
    struct fault why = {0};
    struct registry *r = suite_fresh();
    struct person_spec a = {.issuer = ISSUER, .subject = SLICE("ana")};
    EXPECT(registry_person_create(r, &a, &suite_by, ana, &why));
    suite_new_key(r, slice_str(ana), NULL, 0, &made);
    suite_do(r, "UPDATE person SET confirmed_at = 1000");
    const struct key_record *key = suite_key(r, made.text, &ring);
    EXPECT(key_record_end(key, 0) == 0);
    EXPECT(key_record_end(key, 60 * 1000000000ull) == 1060 * 1000000000ull);
    EXPECT(key_record_end(key, UINT64_MAX) == UINT64_MAX);
    keyring_unref(ring);
    suite_do(r, "UPDATE person SET managed_by = 'key_scim'"); /* who is kept up to date need not be seen */
    EXPECT(key_record_end(suite_key(r, made.text, &ring), 1) == 0);
    keyring_unref(ring);
    char kim[PERSON_ID_BYTES];
    struct person_spec k = {.issuer = PERSON_LOCAL, .subject = SLICE("kim")};
    EXPECT(registry_person_create(r, &k, &suite_by, kim, &why));
    suite_new_key(r, slice_str(kim), NULL, 0, &made);
    EXPECT(key_record_end(suite_key(r, made.text, &ring), 1) == 0);
    keyring_unref(ring);
    registry_close(r);
}

static void tokens_of_the_disabled_are_known_as_such(void)
{
    char ana[PERSON_ID_BYTES];
    struct buf bytes;
    struct fault why = {0};
    struct registry *r = suite_fresh();
    struct person_spec a = {.issuer = ISSUER, .subject = SLICE("ana")};
    EXPECT(registry_person_create(r, &a, &suite_by, ana, &why));
    for (int is_off = 0; is_off < 2; is_off++) {
        if (is_off) EXPECT(registry_person_disable(r, slice_str(ana), 0, &suite_by, &why) == REGISTRY_FOUND);
        buf_init(&bytes);
        EXPECT(registry_section(r, SECTION_PEOPLE, registry_now_s(), &bytes, &why));
        struct people *people = people_copy(buf_slice(&bytes), &why);
        EXPECT(people_is_disabled(people, ISSUER, SLICE("ana")) == is_off);
        EXPECT((people_find(people, ISSUER, SLICE("ana")).len == 0) == is_off);
        EXPECT(!people_is_disabled(people, ISSUER, SLICE("bob")));
        people_unref(people);
        buf_clear(&bytes);
    }
    registry_close(r);
}

/* ---- Sessions. */

static inline enum registry_found suite_session(struct registry *r, const struct session_made *made, int64_t now_s)
{
    struct session s;
    struct fault why = {0};
    return registry_session_find(r, slice_str(made->secret), now_s, 1800, &s, &why);
}

static void sessions_end_as_they_should(void)
{
    char ana[PERSON_ID_BYTES];
    struct key_made key;
    struct session_made made, other;
    struct session s;
    struct fault why = {0};
    struct registry *r = suite_fresh();
    int64_t now_s = registry_now_s();
    struct person_spec a = {.issuer = PERSON_LOCAL, .subject = SLICE("ana"), .name = SLICE("Ana")};
    EXPECT(registry_person_create(r, &a, &suite_by, ana, &why));
    EXPECT(registry_admin_key_create(r, slice_str(ana), 0, &suite_by, &key, &why));
    struct session_spec spec = {slice_str(ana), slice_str(key.id), SLICE("192.0.2.1"), now_s + 43200};
    EXPECT(registry_session_begin(r, &spec, &suite_by, &made, &why));
    spec.key = SLICE("");
    EXPECT(registry_session_begin(r, &spec, &suite_by, &other, &why));
    EXPECT(registry_session_find(r, slice_str(made.secret), now_s, 1800, &s, &why) == REGISTRY_FOUND);
    EXPECT_STR(ana, s.person);
    EXPECT_STR("Ana", s.name);
    EXPECT_STR(made.id, s.id);
    EXPECT(registry_session_find(r, SLICE("short"), now_s, 1800, &s, &why) == REGISTRY_MISSING);
    EXPECT(suite_session(r, &made, now_s + 1799) == REGISTRY_FOUND); /* and is used then, */
    EXPECT(suite_session(r, &made, now_s + 3598) == REGISTRY_FOUND); /* which counts from there */
    EXPECT(suite_session(r, &other, now_s + 1801) == REGISTRY_MISSING);
    for (int64_t at = now_s + 5000; at < now_s + 43200; at += 1700)
        suite_session(r, &made, at);
    EXPECT(suite_session(r, &made, now_s + 43200) == REGISTRY_MISSING); /* however it was used */
    EXPECT(registry_person_disable(r, slice_str(ana), 0, &suite_by, &why) == REGISTRY_FOUND);
    EXPECT(suite_session(r, &other, now_s) == REGISTRY_MISSING);
    EXPECT(registry_person_enable(r, slice_str(ana), 0, &suite_by, &why) == REGISTRY_FOUND);
    EXPECT(suite_session(r, &other, now_s) == REGISTRY_FOUND);
    EXPECT(registry_admin_key_revoke(r, slice_str(key.id), 0, &suite_by, &why) == REGISTRY_FOUND);
    EXPECT(suite_session(r, &made, now_s) == REGISTRY_MISSING); /* it began with that key */
    EXPECT(registry_session_end(r, slice_str(other.id), &suite_by, &why) == REGISTRY_FOUND);
    EXPECT(registry_session_end(r, slice_str(other.id), &suite_by, &why) == REGISTRY_FOUND);
    EXPECT(registry_session_end(r, SLICE("ses_none"), &suite_by, &why) == REGISTRY_MISSING);
    EXPECT(suite_session(r, &other, now_s) == REGISTRY_MISSING);
    EXPECT_STR("0", suite_ask(r, "SELECT count(*) FROM event WHERE after LIKE '%secret%'", 1));
    EXPECT_STR("session.end", suite_ask(r, "SELECT action FROM event ORDER BY rev DESC LIMIT 1", 1));
    registry_close(r);
}

/* ---- Kept up to date by the identity provider. */

static inline const char *suite_provide(struct registry *r, struct provided_spec spec, char id[PERSON_ID_BYTES])
{
    struct fault why = {0};
    if (registry_provided_write(r, &spec, &suite_by, id, &why)) return "";
    if (!registry_refused(r)) UNIT_FAIL("%s", why.text);
    return registry_refusal_word(registry_refused(r));
}

static inline size_t suite_provided(struct registry *r, enum provided_by by, struct slice value)
{
    struct fault why = {0};
    json_t *people = registry_provided(r, ISSUER, by, value, &why);
    if (!people) UNIT_FAIL("%s", why.text);
    size_t count = json_array_size(people);
    json_decref(people);
    return count;
}

static void the_provider_disables_and_enables_what_it_disabled(void)
{
    char ana[PERSON_ID_BYTES], id[PERSON_ID_BYTES];
    struct key_made key, scim;
    struct scim_key found;
    struct fault why = {0};
    struct registry *r = suite_fresh();
    struct person_spec a = {.issuer = ISSUER, .subject = SLICE("ana")};
    EXPECT(registry_person_create(r, &a, &suite_by, ana, &why));
    suite_new_key(r, slice_str(ana), NULL, 0, &key);
    EXPECT(registry_scim_key_create(r, ISSUER, slice_str(ana), 0, &suite_by, &scim, &why));
    EXPECT(registry_scim_key_find(r, slice_str(scim.text), 1, &found, &why) == REGISTRY_FOUND);
    EXPECT(registry_scim_key_find(r, slice_str(key.text), 1, &found, &why) == REGISTRY_MISSING);
    struct provided_spec spec = {.key = slice_str(scim.id), .issuer = ISSUER, .subject = SLICE("ana"),
                                 .user_name = SLICE("Ana@x"), .department = SLICE("claims"), .is_active = true,
                                 .is_new = true};
    EXPECT_STR("", suite_provide(r, spec, id));
    EXPECT_STR(ana, id); /* who signed in before is taken over */
    EXPECT_STR("claims||ana||live", suite_stands_for(r, key.text));
    EXPECT_STR("exists", suite_provide(r, spec, id));
    spec.is_new = spec.is_active = false;
    EXPECT_STR("", suite_provide(r, spec, id));
    EXPECT_STR("claims||ana||revoked", suite_stands_for(r, key.text));
    spec.is_active = true;
    EXPECT_STR("", suite_provide(r, spec, id));
    EXPECT_STR("claims||ana||live", suite_stands_for(r, key.text));
    EXPECT_STR("people.enable", suite_ask(r, "SELECT action FROM event ORDER BY rev DESC LIMIT 1", 1));
    EXPECT(registry_person_disable(r, slice_str(ana), 0, &suite_by, &why) == REGISTRY_FOUND);
    EXPECT_STR("immutable", suite_provide(r, spec, id));
    EXPECT(registry_person_enable(r, slice_str(ana), 0, &suite_by, &why) == REGISTRY_FOUND);
    EXPECT(suite_provided(r, PROVIDED_USER_NAME, SLICE("aNA@X")) == 1);
    EXPECT(suite_provided(r, PROVIDED_SUBJECT, SLICE("ana")) == 1);
    EXPECT(suite_provided(r, PROVIDED_ID, SLICE("ana")) == 0);
    EXPECT(registry_provided_remove(r, ISSUER, slice_str(scim.id), slice_str(ana), &suite_by, &why) == REGISTRY_FOUND);
    EXPECT(suite_provided(r, PROVIDED_ALL, SLICE("")) == 0);
    EXPECT_STR("claims||ana||revoked", suite_stands_for(r, key.text));
    registry_close(r);
}

static inline void suite_run_people(void)
{
    RUN(the_provider_disables_and_enables_what_it_disabled);
    RUN(a_key_stands_for_what_its_owner_is_now);
    RUN(enabling_brings_back_what_was_and_only_that);
    RUN(a_key_lapses_where_nobody_confirms_its_owner);
    RUN(tokens_of_the_disabled_are_known_as_such);
    RUN(sessions_end_as_they_should);
}

#endif
