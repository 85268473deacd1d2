/*
 * Access reviews, alike on every engine. The file that includes it says how a registry is made: suite_fresh(),
 * SUITE_DROP_TRIGGER.
 */
#ifndef MOONGATE_TESTS_REVIEWS_SUITE_H
#define MOONGATE_TESTS_REVIEWS_SUITE_H

#include "reviews_kit.h"

/* ---- The tests. */

static void items_are_frozen_with_what_was_known(void)
{
    begin();
    open_with(REVIEW_ROWS | REVIEW_KEYS | REVIEW_ROLES, "flag");
    EXPECT_INT(6, made.items);
    EXPECT_STR("open", state());
    EXPECT_STR("", item(find("row", "research x large"), "recommend"));
    EXPECT_STR("revoke", item(find("row", "sales x large"), "recommend"));
    EXPECT_STR("not used", item(find("row", "sales x large"), "why"));
    EXPECT_STR("reduce", item(find("key", ana_key), "recommend"));
    EXPECT_STR("it never ends", item(find("key", ana_key), "why"));
    EXPECT_STR("nobody owns it", item(find("key", lost_key), "why"));
    EXPECT_STR(ana, item(find("key", ana_key), "subject"));
    EXPECT_STR("", item(find("role", lee), "recommend"));
    EXPECT_STR("immutable", try("UPDATE review_item SET facts = '{}'"));
    EXPECT_STR("immutable", try("UPDATE review_item SET recommend = ''  WHERE recommend <> ''"));
    EXPECT_STR("immutable", try("DELETE FROM review_item"));
    EXPECT_STR("immutable", try("UPDATE review SET as_of = '{}'"));
    EXPECT_INT(3, waiting(kim)); /* of his department but for his own: a row, two keys … */
    EXPECT_INT(5, waiting(lee)); /* … and of all: the other row, kim's role */
    EXPECT_INT(0, waiting(bot));
    struct review_spec spec = spec_of(REVIEW_KEYS, "flag");
    EXPECT(!registry_review_open(r, &spec, &by, &made, &why));
    EXPECT_STR("exists", registry_refusal_word(registry_refused(r)));
    end();
}

static void a_key_that_was_not_used_is_recommended_to_go(void)
{
    begin();
    sql(SUITE_DROP_TRIGGER("credential_stays", "credential"));
    sql("UPDATE credential SET created_at = 5, expires_at = 9000000000");
    open_with(REVIEW_KEYS, "flag");
    EXPECT_STR("revoke", item(find("key", ana_key), "recommend"));
    EXPECT_STR("not used", item(find("key", ana_key), "why"));
    end();
}

static void nobody_answers_for_his_own(void)
{
    begin();
    open_with(REVIEW_KEYS | REVIEW_ROLES, "flag");
    int64_t own = find("role", kim), others = find("role", lee), hers = find("key", ana_key);
    EXPECT_STR("self_approval", answer(kim, own, "keep", ""));
    EXPECT_STR("self_approval", answer(lee, others, "keep", ""));
    EXPECT_STR("not_your_scope", answer(kim, others, "keep", "")); /* of all departments */
    EXPECT_STR("not_your_scope", answer(ana, own, "keep", ""));
    EXPECT_STR("not_human", answer(bot, own, "keep", ""));
    EXPECT_STR("self_approval", answer(ana, hers, "keep", "mine"));
    EXPECT_STR("", answer(lee, own, "keep", ""));
    EXPECT_STR("not_pending", answer(lee, own, "revoke", ""));
    EXPECT_STR("unknown", answer(lee, 99, "keep", ""));
    /* Below all that. */
    char text[200];
    snprintf(text, sizeof text, "UPDATE review_item SET decision = 'keep', decided_by = '%s' WHERE subject_person = '%s'",
             ana, ana);
    EXPECT_STR("self_approval", try(text));
    end();
}

static void a_merged_person_answers_for_neither(void)
{
    char second[PERSON_ID_BYTES];
    begin();
    person("ana at work", PERSON_HUMAN, second);
    role(second, "approver", "*");
    open_with(REVIEW_KEYS, "flag");
    EXPECT_INT(REGISTRY_FOUND, registry_person_merge(r, slice_str(ana), slice_str(second), &by, &why));
    EXPECT_STR("self_approval", answer(second, find("key", ana_key), "keep", "mine"));
    EXPECT_STR("", answer(second, find("key", lost_key), "keep", "it is the build's"));
    EXPECT_STR("", checked());
    end();
}

static void to_keep_against_the_recommendation_takes_a_note(void)
{
    begin();
    open_with(REVIEW_KEYS, "flag");
    EXPECT_STR("note_needed", answer(kim, find("key", lost_key), "keep", ""));
    EXPECT_STR("", answer(kim, find("key", lost_key), "keep", "of the nightly build"));
    EXPECT_STR("of the nightly build", item(find("key", lost_key), "note"));
    EXPECT_INT(0, of_key(lost_key, "revoked_at"));
    end();
}

static void what_is_answered_is_done_in_the_same_change(void)
{
    begin();
    open_with(REVIEW_KEYS | REVIEW_ROLES, "flag");
    int64_t before = number("SELECT rev FROM rev"), both[] = {find("key", ana_key), find("key", lost_key)};
    int64_t wrong[] = {find("key", ana_key), find("role", lee)};
    EXPECT_STR("not_your_scope", answer_with(kim, wrong, 2, "revoke", "", 0));
    EXPECT_INT(0, of_key(ana_key, "revoked_at")); /* all or none */
    EXPECT_STR("", answer_with(kim, both, 2, "revoke", "", 0));
    EXPECT_INT(before + 1, number("SELECT rev FROM rev")); /* one act */
    EXPECT(of_key(ana_key, "revoked_at") && of_key(lost_key, "revoked_at"));
    EXPECT_INT(1, number("SELECT count(*) FROM event WHERE action = 'reviews.decide'"));
    EXPECT_STR("", answer(lee, find("role", kim), "revoke", ""));
    EXPECT_INT(0, number("SELECT count(*) FROM role_grant WHERE role = 'approver' AND scope = 'research'"));
    end();
}

static void reduced_ends_sooner_or_covers_less(void)
{
    begin();
    role(ana, "viewer", "*");
    open_with(REVIEW_KEYS | REVIEW_ROLES, "flag");
    int64_t now = registry_now_s(), n = find("key", lost_key), of_ana = find("role", ana);
    EXPECT_STR("invalid", answer_with(kim, &n, 1, "reduce", "", now - 1));
    EXPECT_STR("", answer_with(kim, &n, 1, "reduce", "", now + DAY));
    EXPECT_INT(now + DAY, of_key(lost_key, "expires_at"));
    EXPECT_STR("", answer(kim, find("key", ana_key), "reduce", ""));
    EXPECT(of_key(ana_key, "expires_at") >= now + REVIEW_REDUCED_S);
    struct review_answer narrower = {.review = slice_str(made.id),
                                     .person = slice_str(lee),
                                     .items = &of_ana,
                                     .count = 1,
                                     .decision = SLICE("reduce"),
                                     .scope = SLICE("sales")};
    EXPECT_STR("", word(registry_review_decide(r, &narrower, &by, &why)));
    EXPECT_INT(1, number("SELECT count(*) FROM role_grant WHERE role = 'viewer' AND scope = 'sales'"));
    EXPECT_INT(0, number("SELECT count(*) FROM role_grant WHERE role = 'viewer' AND scope = '*'"));
    end();
}

static void a_delegate_answers_until_then_and_not_for_who_let_him(void)
{
    begin();
    open_with(REVIEW_KEYS | REVIEW_ROLES, "flag");
    struct review_delegation d = {slice_str(made.id), slice_str(lee), slice_str(ana), SLICE("away"),
                                  registry_now_s() + DAY};
    EXPECT_STR("not_your_scope", answer(ana, find("key", lost_key), "revoke", ""));
    EXPECT_STR("", word(registry_review_delegate(r, &d, &by, &why)));
    EXPECT_STR("self_approval", answer(ana, find("key", ana_key), "keep", "mine"));
    EXPECT_STR("not_your_scope", answer(ana, find("role", lee), "keep", "")); /* it is his who let her */
    EXPECT_STR("", answer(ana, find("key", lost_key), "revoke", ""));
    EXPECT(strstr(item(find("key", lost_key), "effect"), lee));
    d.delegate = slice_str(bot);
    EXPECT_STR("not_human", word(registry_review_delegate(r, &d, &by, &why)));
    d.delegate = slice_str(lee);
    EXPECT_STR("self_approval", word(registry_review_delegate(r, &d, &by, &why)));
    d.person = slice_str(ana);
    EXPECT_STR("not_your_scope", word(registry_review_delegate(r, &d, &by, &why)));
    sql("UPDATE review_delegation SET at = 1, ends_at = 2");
    EXPECT_STR("not_your_scope", answer(ana, find("role", kim), "keep", ""));
    end();
}

/* Property 17: three campaigns past due, each as its plan says, item by item. */
static void what_nobody_answered_is_done_as_the_plan_says(void)
{
    static const struct {
        const char *unanswered;
        bool is_ana_revoked, is_lost_revoked, is_ana_reduced;
    } plans[] = {{"flag", false, false, false}, {"revoke", true, true, false}, {"recommendation", false, true, true}};
    for (size_t i = 0; i < 3; i++) {
        begin();
        open_with(REVIEW_ROWS | REVIEW_KEYS, plans[i].unanswered);
        int64_t row = find("row", "research x large"), n = find("row", "sales x large");
        EXPECT_STR("", answer(lee, row, "keep", ""));
        EXPECT_INT(0, due(made.due_at - 1));
        EXPECT_STR("open", state());
        EXPECT_INT(1, due(made.due_at));
        EXPECT_INT(0, due(made.due_at + DAY)); /* once */
        EXPECT_STR("overdue", state());
        EXPECT_INT(plans[i].is_ana_revoked, of_key(ana_key, "revoked_at") != 0);
        EXPECT_INT(plans[i].is_lost_revoked, of_key(lost_key, "revoked_at") != 0);
        EXPECT_INT(plans[i].is_ana_reduced, of_key(ana_key, "expires_at") != 0);
        EXPECT_STR("keep", item(row, "decision"));
        EXPECT_STR(lee, item(row, "decided_by"));
        EXPECT_STR(i == 0 ? "" : "revoke", item(n, "decision"));
        EXPECT_STR("", item(n, "decided_by"));
        end();
    }
}

/* ---- Complete. */

/* Property 18: closing touches what nobody answered, and nothing else. */
static void closing_leaves_answers_as_they_are(void)
{
    struct buf text;
    begin();
    open_with(REVIEW_KEYS | REVIEW_ROLES, "flag");
    EXPECT_STR("", answer(kim, find("key", ana_key), "keep", "her thesis"));
    EXPECT_STR("", answer(lee, find("role", kim), "keep", ""));
    EXPECT_STR("unanswered", complete(lee));
    sql(SUITE_DROP_TRIGGER("campaign_moves", "review"));
    sql("UPDATE review SET due_at = 5");
    EXPECT_STR("not_your_scope", complete(ana));
    EXPECT_STR("not_your_scope", complete(bot));
    EXPECT_STR("", complete(kim));
    EXPECT_STR("complete", state());
    EXPECT_INT(0, of_key(ana_key, "revoked_at") + of_key(lost_key, "revoked_at"));
    EXPECT_STR("keep", item(find("key", ana_key), "decision"));
    EXPECT_STR("", item(find("key", lost_key), "decision"));
    EXPECT_STR("not_pending", answer(kim, find("key", lost_key), "revoke", ""));
    EXPECT_STR("not_pending", complete(kim));
    json_t *document = evidence(&text), *said = json_object_get(document, "evidence");
    EXPECT_INT(2, json_array_size(json_object_get(said, "unanswered"))); /* the lost key, and lee's own role */
    EXPECT_STR("", checked());
    json_decref(document);
    buf_clear(&text);
    end();
}

static void evidence_is_checked_offline(void)
{
    struct buf text, csv;
    struct review_verified v;
    struct anchor_trust trust = {.count = 0}, nobody = {.count = 0};
    begin();
    open_with(REVIEW_KEYS, "flag");
    EXPECT_STR("", answer(kim, find("key", ana_key), "keep", "=cmd|' /C calc'!A0"));
    EXPECT_STR("", answer(kim, find("key", lost_key), "revoke", ""));
    EXPECT_STR("", complete(kim));
    json_t *document = evidence(&text);
    anchor_trust_add(&trust, anchor_key_public(anchor));
    EXPECT(review_evidence_verify(buf_slice(&text), &trust, &v, &why));
    EXPECT_STR(made.id, v.review);
    EXPECT_INT(2, v.items);
    EXPECT(review_evidence_verify(buf_slice(&text), NULL, &v, &why));
    EXPECT(!review_evidence_verify(buf_slice(&text), &nobody, &v, &why));
    EXPECT(strstr(why.text, "not trusted"));
    EXPECT(!review_evidence_verify(slice_of(buf_ptr(&text), buf_len(&text) / 2), NULL, &v, &why));
    buf_init(&csv);
    review_evidence_csv(document, &csv);
    buf_append_char(&csv, '\0');
    EXPECT(strstr(buf_ptr(&csv), ",'=cmd|' /C calc'!A0,") != NULL);
    buf_reset(&csv);
    review_evidence_markdown(document, &csv);
    buf_append_char(&csv, '\0');
    EXPECT(strstr(buf_ptr(&csv), "=cmd\\|' /C calc'!A0") != NULL);
    json_decref(document);
    buf_clear(&csv);
    buf_clear(&text);
    end();
}

/* Every byte of it that is more than white space. */
static void no_byte_of_it_can_be_changed(void)
{
    struct buf text;
    struct review_verified v;
    unsigned accepted = 0;
    begin();
    open_with(REVIEW_KEYS, "flag");
    EXPECT_STR("", answer(kim, find("key", ana_key), "keep", "her thesis"));
    EXPECT_STR("", answer(kim, find("key", lost_key), "revoke", ""));
    EXPECT_STR("", complete(kim));
    json_decref(evidence(&text));
    for (size_t i = 0; i < buf_len(&text); i++) {
        char *at = (char *)(uintptr_t)buf_ptr(&text) + i, old = *at;
        if (old == ' ' || old == '\n') continue;
        *at = (char)(old ^ 1);
        if (review_evidence_verify(buf_slice(&text), NULL, &v, &why)) accepted++;
        *at = old;
    }
    /* "key" is a name for people: who trusts goes by "public". */
    EXPECT(accepted <= 3 + 64);
    EXPECT(review_evidence_verify(buf_slice(&text), NULL, &v, &why));
    buf_clear(&text);
    end();
}

static void a_row_is_done_when_a_loaded_bundle_says_so(void)
{
    int64_t count, one = 2;
    begin();
    open_with(REVIEW_ROWS, "flag");
    EXPECT_STR("", answer(lee, 1, "keep", ""));
    EXPECT_STR("", answer(lee, 2, "revoke", ""));
    EXPECT_STR("not_in_force", complete(lee));
    EXPECT_STR("", word(registry_review_patched(r, slice_str(made.id), &one, 1, &by, &why)));
    EXPECT(strstr(item(2, "effect"), "\"patched\""));
    json_t *allowed = rows();
    EXPECT_STR("", word(registry_review_in_force(r, slice_str(made.id), allowed, SLICE("abc"), &by, &count, &why)));
    EXPECT_INT(0, count);
    EXPECT_STR("not_in_force", complete(lee));
    json_array_remove(allowed, 1);
    EXPECT_STR("", word(registry_review_in_force(r, slice_str(made.id), allowed, SLICE("abd"), &by, &count, &why)));
    EXPECT_INT(1, count);
    EXPECT(strstr(item(2, "effect"), "\"in_force\""));
    EXPECT_STR("", complete(lee));
    json_decref(allowed);
    end();
}

static void what_is_otherwise_afterwards_and_nobody_did_is_found(void)
{
    char text[160], found[64];
    begin();
    open_with(REVIEW_KEYS, "flag");
    EXPECT_STR("", answer(kim, find("key", ana_key), "keep", "her thesis"));
    EXPECT_STR("", answer(kim, find("key", lost_key), "revoke", ""));
    EXPECT_STR("", complete(kim));
    EXPECT_STR("", checked());
    snprintf(text, sizeof text, "UPDATE credential SET expires_at = 9 WHERE id = '%s'", ana_key);
    sql(text); /* its event names something else */
    snprintf(found, sizeof found, "V8 %s/%d", made.id, (int)find("key", ana_key));
    EXPECT_STR(found, checked());
    EXPECT_INT(REGISTRY_FOUND, registry_key_revoke(r, slice_str(ana_key), false, &by, &why));
    EXPECT_STR("", checked());
    end();
}

static inline void suite_run(void)
{
    RUN(items_are_frozen_with_what_was_known);
    RUN(a_key_that_was_not_used_is_recommended_to_go);
    RUN(nobody_answers_for_his_own);
    RUN(a_merged_person_answers_for_neither);
    RUN(to_keep_against_the_recommendation_takes_a_note);
    RUN(what_is_answered_is_done_in_the_same_change);
    RUN(reduced_ends_sooner_or_covers_less);
    RUN(a_delegate_answers_until_then_and_not_for_who_let_him);
    RUN(what_nobody_answered_is_done_as_the_plan_says);
    RUN(closing_leaves_answers_as_they_are);
    RUN(evidence_is_checked_offline);
    RUN(no_byte_of_it_can_be_changed);
    RUN(a_row_is_done_when_a_loaded_bundle_says_so);
    RUN(what_is_otherwise_afterwards_and_nobody_did_is_found);
}

#endif
