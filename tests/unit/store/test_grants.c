/* Grants and break-glass: when they end, who may end them, and what workers see of them. */
#include <time.h>

#include "approvals_kit.h"
#include "store/keyring.h"
#include "store/people.h"

/* ---- Grants. */

static void a_grant_is_shortened_and_revoked_never_lengthened(void)
{
    begin();
    EXPECT_STR("", decide(ask_for(spec_of(ana)), kim, true));
    char id[ACCESS_ID_BYTES];
    int64_t ends_at = decided.ends_at, now = registry_now_s();
    memcpy(id, decided.grant, sizeof id);
    EXPECT_INT(REGISTRY_FAILED, registry_grant_shorten(r, slice_str(id), ends_at + 1, 0, &by, &why));
    EXPECT_INT(REGISTRY_INVALID, registry_refused(r));
    EXPECT_INT(REGISTRY_FAILED, registry_grant_shorten(r, slice_str(id), now - 1, 0, &by, &why));
    EXPECT_INT(REGISTRY_FOUND, registry_grant_shorten(r, slice_str(id), now + 100, 0, &by, &why));
    EXPECT(holds(ana, now + 99) && !holds(ana, now + 100));
    EXPECT_INT(REGISTRY_FOUND, registry_grant_revoke(r, slice_str(id), slice_str(lee), 0, &by, &why));
    EXPECT(!holds(ana, registry_now_s() + 1));
    EXPECT_STR("revoked", grant_state(id));
    EXPECT_STR(lee, text_of(registry_grants(r, slice_str(id), now, &why), "revoked_by"));
    EXPECT_INT(REGISTRY_FOUND, registry_grant_revoke(r, slice_str(id), slice_str(kim), 0, &by, &why));
    EXPECT_STR(lee, text_of(registry_grants(r, slice_str(id), now, &why), "revoked_by"));
    EXPECT_INT(REGISTRY_FAILED, registry_grant_shorten(r, slice_str(id), now + 50, 0, &by, &why));
    EXPECT_INT(REGISTRY_MISSING, registry_grant_revoke(r, SLICE("gnt_none"), slice_str(kim), 0, &by, &why));
    end();
}

/* Whatever zone the machine is in, also where its clock jumps. */
static void instants_have_no_zone(void)
{
    static const char *const zones[] = {"UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu"};
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        setenv("TZ", zones[i], 1);
        tzset();
        begin();
        int64_t before = registry_now_s();
        EXPECT_STR("", decide(ask_for(spec_of(ana)), kim, true));
        EXPECT(decided.ends_at - 7 * DAY >= before && decided.ends_at - 7 * DAY <= before + 60);
        EXPECT(holds(ana, decided.ends_at - 1) && !holds(ana, decided.ends_at));
        end();
    }
    unsetenv("TZ");
    tzset();
}

static void a_disabled_person_has_no_grant_no_sign_in_and_no_key(void)
{
    struct buf bytes;
    struct key_made made;
    uint8_t digest[KEY_DIGEST_BYTES];
    begin();
    struct key_spec key = {.app = SLICE("bot"), .owner = slice_str(ana)};
    EXPECT(registry_key_create(r, &key, &by, &made, &why));
    EXPECT_STR("", decide(ask_for(spec_of(ana)), kim, true));
    for (int i = 0; i < 3; i++) {
        bool is_on = i != 1;
        if (i == 1) EXPECT_INT(REGISTRY_FOUND, registry_person_disable(r, slice_str(ana), 0, &by, &why));
        if (i == 2) EXPECT_INT(REGISTRY_FOUND, registry_person_enable(r, slice_str(ana), 0, &by, &why));
        EXPECT_INT(is_on, holds(ana, registry_now_s()));
        buf_init(&bytes);
        EXPECT(registry_section(r, SECTION_PEOPLE, 0, &bytes, &why));
        struct people *people = people_copy(buf_slice(&bytes), &why);
        EXPECT_STR(is_on ? ana : "", people_find(people, SLICE("local"), SLICE("ana")).len ? ana : "");
        EXPECT_SLICE(slice_str(kim), people_find(people, SLICE("local"), SLICE("kim")));
        EXPECT_INT(0, people_find(people, SLICE("elsewhere"), SLICE("kim")).len);
        people_unref(people);
        buf_reset(&bytes);
        EXPECT(registry_section(r, SECTION_KEYS, 0, &bytes, &why));
        struct keyring *ring = keyring_copy(buf_slice(&bytes), &why);
        keyring_digest(slice_str(made.text), digest);
        const struct key_record *record = keyring_find(ring, digest);
        EXPECT(record && record->is_revoked == !is_on && slice_equal(record->person, slice_str(ana)));
        keyring_unref(ring);
        buf_clear(&bytes);
    }
    end();
}

static void what_waits_and_what_was_is_told_beside_it(void)
{
    begin();
    char subject[64];
    struct grant one;
    unsigned seen[3] = {0};
    uint32_t at = GRANTS_FIRST;
    EXPECT_STR("", decide(ask_for(spec_of(ana)), kim, true));
    EXPECT_INT(REGISTRY_FOUND, registry_grant_revoke(r, slice_str(decided.grant), slice_str(kim), 0, &by, &why));
    ask_for(spec_of(ana));
    snprintf(subject, sizeof subject, "user:%s", ana);
    struct grants *grants = handed_over();
    while (grants_next(grants, slice_str(subject), &at, &one)) {
        seen[one.kind]++;
        EXPECT_SLICE(SLICE("tender: the new town hall"), one.purpose);
        if (one.kind == GRANT_ORDINARY) EXPECT(one.ends_at <= registry_now_s());
    }
    EXPECT(seen[GRANT_ORDINARY] == 1 && seen[GRANT_REQUEST] == 1 && seen[GRANT_BREAK_GLASS] == 0);
    grants_unref(grants);
    end();
}

/* ---- Break-glass. */

static const char *break_glass(const char *whose, int64_t seconds, struct slice reason, struct glass_made *made)
{
    struct glass_spec spec = {SLICE("user"), slice_str(whose), SLICE("claude-3-opus"), reason, seconds,
                              slice_str(whose), SLICE("admin"), SLICE("research")};
    why.text[0] = '\0';
    if (registry_break_glass(r, &spec, &by, made, &why)) return "";
    return registry_refused(r) ? registry_refusal_word(registry_refused(r)) : why.text;
}

static enum registry_found close_glass(const struct glass_made *made, const char *whose)
{
    return registry_break_glass_close(r, slice_str(made->id), slice_str(whose), SLICE("admin"), SLICE("research"), &by,
                                      &why);
}

static void break_glass_is_an_hour_with_a_reason_and_one_at_a_time(void)
{
    struct glass_made first, second;
    struct slice reason = SLICE("production is down");
    begin();
    EXPECT_STR("not_your_scope", break_glass(ana, 600, reason, &first));
    role(ana, "admin", "*");
    role(kim, "admin", "research");
    EXPECT(strstr(break_glass(ana, 3601, reason, &first), "an hour at most"));
    EXPECT(strstr(break_glass(ana, 600, SLICE("why"), &first), "8 characters"));
    EXPECT_STR("", break_glass(ana, 600, reason, &first));
    EXPECT(holds(ana, first.ends_at - 1) && !holds(ana, first.ends_at));
    EXPECT_STR("unclosed", break_glass(ana, 600, reason, &second));
    EXPECT_INT(REGISTRY_FAILED, close_glass(&first, ana));
    EXPECT_INT(REGISTRY_SELF_APPROVAL, registry_refused(r));
    EXPECT_INT(REGISTRY_FAILED, close_glass(&first, lee));
    EXPECT_INT(REGISTRY_NOT_YOUR_SCOPE, registry_refused(r));
    EXPECT_STR("", break_glass(kim, 600, reason, &second)); /* of another person */
    EXPECT_INT(REGISTRY_FOUND, close_glass(&first, kim));
    EXPECT(!holds(ana, registry_now_s() + 1)); /* what ran has ended with it */
    EXPECT_INT(REGISTRY_FAILED, close_glass(&first, kim));
    EXPECT_INT(REGISTRY_NOT_PENDING, registry_refused(r));
    EXPECT_STR("", break_glass(ana, 600, reason, &first));
    end();
}

static void a_service_breaks_no_glass(void)
{
    struct glass_made made;
    begin();
    role(bot, "admin", "*");
    EXPECT_STR("not_human", break_glass(bot, 600, SLICE("production is down"), &made));
    end();
}

/* ---- Whoever writes beside all this meets the database. */

static const char *try_sql(const char *sql)
{
    if (!registry_begin(r, &why)) UNIT_FAIL("%s", why.text);
    bool is_good = registry_run(r, sql, &why) && registry_commit(r, &by, "test", SLICE("x"), NULL, NULL, &why);
    if (is_good) return "";
    registry_abort(r);
    return registry_refusal_word(registry_refused(r));
}

static void sql_gets_no_grant_either(void)
{
    char sql[500];
    begin();
    const char *id = ask_for(spec_of(ana));
    snprintf(sql, sizeof sql,
             "INSERT INTO access_grant(id, request, subject_kind, subject, object, starts_at, ends_at, granted_by,"
             " reason, rev) VALUES('gnt_x', '%s', 'user', '%s', 'claude-3-opus', 1, 2, '%s', 'xxxxxxxx', 1)",
             id, ana, kim);
    EXPECT_STR("not_decided", try_sql(sql));
    snprintf(sql, sizeof sql, "INSERT INTO decision(request, person, role, verdict, rev) VALUES('%s', '%s', 'manager',"
             " 'approve', 1)", id, ana);
    EXPECT_STR("self_approval", try_sql(sql));
    EXPECT_STR("", decide(id, kim, true));
    snprintf(sql, sizeof sql, "UPDATE access_grant SET ends_at = ends_at + 1 WHERE id = '%s'", decided.grant);
    EXPECT_STR("immutable", try_sql(sql));
    snprintf(sql, sizeof sql, "DELETE FROM access_grant WHERE id = '%s'", decided.grant);
    EXPECT_STR("immutable", try_sql(sql));
    end();
}

static void what_keys_were_approved_for_before_is_listed(void)
{
    struct key_made made;
    struct slice models[] = {SLICE("gpt-4o"), SLICE("o3-pro")};
    begin();
    struct key_spec key = {.app = SLICE("bot"), .approvals = models, .approval_count = 2};
    EXPECT(registry_key_create(r, &key, &by, &made, &why));
    json_t *list = registry_grants_imported(r, registry_now_s(), &why);
    EXPECT_INT(2, json_array_size(list));
    EXPECT_STR("o3-pro", json_string_value(json_object_get(json_array_get(list, 1), "model")));
    json_decref(list);
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, slice_str(made.id), false, &by, &why));
    list = registry_grants_imported(r, registry_now_s(), &why);
    EXPECT_INT(0, json_array_size(list));
    json_decref(list);
    end();
}

int main(void)
{
    RUN(a_grant_is_shortened_and_revoked_never_lengthened);
    RUN(instants_have_no_zone);
    RUN(a_disabled_person_has_no_grant_no_sign_in_and_no_key);
    RUN(what_waits_and_what_was_is_told_beside_it);
    RUN(break_glass_is_an_hour_with_a_reason_and_one_at_a_time);
    RUN(a_service_breaks_no_glass);
    RUN(sql_gets_no_grant_either);
    RUN(what_keys_were_approved_for_before_is_listed);
    return unit_close("grants");
}
