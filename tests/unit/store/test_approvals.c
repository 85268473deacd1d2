/* Requests for access, and decisions on them: who may, and when it begins. */
#include "approvals_kit.h"

/* ---- Asking and deciding. */

static void an_approved_request_is_a_grant_from_the_decision_on(void)
{
    begin();
    const char *id = ask_for(spec_of(ana));
    EXPECT_STR("pending", request_state(id));
    EXPECT(!holds(ana, registry_now_s()));
    int64_t before = registry_now_s();
    EXPECT_STR("", decide(id, kim, true));
    EXPECT(decided.is_granted && !decided.is_denied && !decided.missing[0]);
    EXPECT(decided.ends_at >= before + 7 * DAY && decided.ends_at <= registry_now_s() + 7 * DAY);
    EXPECT_STR("approved", request_state(id));
    EXPECT_STR("active", grant_state(decided.grant));
    EXPECT_STR(decided.grant, text_of(registry_access_requests(r, slice_str(id), before, &why), "grant"));
    /* To the second. */
    EXPECT(holds(ana, decided.ends_at - 1));
    EXPECT(!holds(ana, decided.ends_at));
    EXPECT(!holds(kim, before + 1));
    EXPECT_STR("not_pending", decide(id, lee, true));
    EXPECT_STR("missing", decide("apr_none", kim, true));
    end();
}

static void set_asked_at(const char *id, int64_t at_s)
{
    EXPECT(registry_begin(r, &why) &&
           REGISTRY_DO(r, &why, "UPDATE access_request SET requested_at = ?, expires_at = ? WHERE id = ?",
                       value_int(at_s), value_int(at_s + 7 * DAY), value_str(id)) &&
           registry_commit(r, &by, "test", slice_str(id), NULL, NULL, &why));
}

/* Asked six days ago, the seven days begin now. */
static void time_does_not_run_before_the_decision(void)
{
    begin();
    const char *id = ask_for(spec_of(ana));
    int64_t now = registry_now_s();
    set_asked_at(id, now - 6 * DAY);
    EXPECT_STR("", decide(id, kim, true));
    EXPECT(decided.ends_at >= now + 7 * DAY);
    EXPECT(holds(ana, now + 7 * DAY - 1));
    end();
}

static void what_nobody_decides_in_time_expires(void)
{
    unsigned count;
    begin();
    const char *id = ask_for(spec_of(ana));
    set_asked_at(id, registry_now_s() - 7 * DAY);
    EXPECT_STR("expired", request_state(id));
    EXPECT_STR("not_pending", decide(id, kim, true));
    EXPECT(registry_access_expire(r, registry_now_s(), &by, &count, &why));
    EXPECT_INT(1, count);
    EXPECT(registry_access_expire(r, registry_now_s(), &by, &count, &why));
    EXPECT_INT(0, count);
    EXPECT_STR("expired", request_state(id));
    /* The way is free for another. */
    EXPECT_STR("", decide(ask_for(spec_of(ana)), kim, true));
    end();
}

static void nobody_decides_on_his_own(void)
{
    begin();
    role(ana, "manager", "*");
    const char *id = ask_for(spec_of(ana));
    EXPECT_STR("self_approval", decide(id, ana, true));
    EXPECT_STR("self_approval", decide(id, ana, false));
    EXPECT_STR("", decide(id, kim, false));
    EXPECT(decided.is_denied);
    /* Kim asks for Ana: neither decides. */
    id = ask_for(spec_of(kim));
    EXPECT_STR("self_approval", decide(id, kim, true));
    EXPECT_STR("self_approval", decide(id, ana, true));
    EXPECT_STR("pending", request_state(id));
    end();
}

/* A second account of the same person is the same person: for what was asked, and for what was decided. */
static void a_merged_person_is_one(void)
{
    char second[PERSON_ID_BYTES];
    begin();
    person("ana.admin", PERSON_HUMAN, second);
    role(second, "manager", "*");
    const char *id = ask_for(spec_of(ana));
    EXPECT_INT(REGISTRY_FOUND, registry_person_merge(r, slice_str(ana), slice_str(second), &by, &why));
    EXPECT_STR("self_approval", decide(id, second, true));
    EXPECT_STR("pending", request_state(id));
    EXPECT_STR("", decide(id, kim, true));
    EXPECT(holds(second, registry_now_s()));
    EXPECT(!holds(ana, registry_now_s())); /* her sign-ins are the other's by now */
    end();
}

static void services_and_the_disabled_decide_nothing(void)
{
    begin();
    role(bot, "manager", "*");
    const char *id = ask_for(spec_of(ana));
    EXPECT_STR("not_human", decide(id, bot, true));
    EXPECT_INT(REGISTRY_FOUND, registry_person_disable(r, slice_str(kim), 0, &by, &why));
    EXPECT_STR("not_your_scope", decide(id, kim, true));
    EXPECT_STR("pending", request_state(id));
    /* But a service may ask. */
    struct access_spec spec = spec_of(bot);
    spec.subject_kind = SLICE("app");
    spec.subject = SLICE("nightly");
    EXPECT_STR("pending", request_state(ask_for(spec)));
    end();
}

/* A role of the same name in another department is another role. */
static void a_role_counts_where_it_covers_the_department(void)
{
    begin();
    struct access_spec spec = spec_of(ana);
    spec.department = SLICE("sales");
    const char *id = ask_for(spec);
    EXPECT_STR("not_your_scope", decide(id, kim, true));
    EXPECT_STR("not_your_scope", decide(id, lee, true));
    role(lee, "manager", "sales");
    EXPECT_STR("", decide(id, lee, true));
    end();
}

static void a_role_that_has_ended_counts_nowhere(void)
{
    begin();
    struct role_spec given = {slice_str(lee), SLICE("manager"), SLICE("*"), .given_by = SLICE("root"),
                              .ends_at = registry_now_s() - 1};
    EXPECT(registry_role_give(r, &given, &by, &why));
    EXPECT_STR("not_your_scope", decide(ask_for(spec_of(ana)), lee, true));
    end();
}

/* Each line by another person, in whatever order; one denial is enough. */
static void two_lines_take_two_people(void)
{
    begin();
    struct access_spec spec = spec_of(ana);
    spec.rule.also = SLICE("security");
    role(kim, "security", "*");
    const char *id = ask_for(spec);
    EXPECT_STR("", decide(id, kim, true));
    EXPECT(!decided.is_granted);
    EXPECT_STR("security", decided.missing);
    EXPECT_STR("pending", request_state(id));
    EXPECT_STR("exists", decide(id, kim, true)); /* he has both roles, and is one */
    EXPECT_STR("", decide(id, lee, true));
    EXPECT(decided.is_granted);
    id = ask_for(spec);
    EXPECT_STR("", decide(id, lee, true));
    EXPECT_STR("manager", decided.missing);
    EXPECT_STR("", decide(id, kim, false));
    EXPECT_STR("denied", request_state(id));
    end();
}

static void the_rule_in_force_at_the_decision_counts(void)
{
    begin();
    const char *id = ask_for(spec_of(ana));
    struct access_rule stricter = {SLICE("manager"), SLICE("security")};
    struct access_verdict verdict = {slice_str(id), slice_str(kim), true, .rule = &stricter, .longest_s = DAY};
    EXPECT_INT(REGISTRY_FOUND, registry_access_decide(r, &verdict, &by, &decided, &why));
    EXPECT_STR("security", decided.missing);
    verdict.person = slice_str(lee);
    EXPECT_INT(REGISTRY_FOUND, registry_access_decide(r, &verdict, &by, &decided, &why));
    EXPECT(decided.is_granted && decided.ends_at <= registry_now_s() + DAY);
    end();
}

static void what_changed_since_it_was_seen_is_not_decided(void)
{
    begin();
    struct access_spec spec = spec_of(ana);
    spec.rule.also = SLICE("security");
    const char *id = ask_for(spec);
    json_t *list = registry_access_requests(r, slice_str(id), registry_now_s(), &why);
    int64_t rev = json_integer_value(json_object_get(json_array_get(list, 0), "rev"));
    json_decref(list);
    EXPECT_STR("", decide(id, kim, true));
    struct access_verdict verdict = {slice_str(id), slice_str(lee), true, .if_rev = rev};
    EXPECT_INT(REGISTRY_FAILED, registry_access_decide(r, &verdict, &by, &decided, &why));
    EXPECT_INT(REGISTRY_STALE, registry_refused(r));
    end();
}

static void who_asked_may_take_it_back(void)
{
    begin();
    const char *id = ask_for(spec_of(ana));
    EXPECT_INT(REGISTRY_FAILED, registry_access_withdraw(r, slice_str(id), slice_str(kim), &by, &why));
    EXPECT_INT(REGISTRY_NOT_YOURS, registry_refused(r));
    EXPECT_INT(REGISTRY_FOUND, registry_access_withdraw(r, slice_str(id), slice_str(ana), &by, &why));
    EXPECT_STR("withdrawn", request_state(id));
    EXPECT_INT(REGISTRY_FAILED, registry_access_withdraw(r, slice_str(id), slice_str(ana), &by, &why));
    EXPECT_INT(REGISTRY_NOT_PENDING, registry_refused(r));
    EXPECT_INT(REGISTRY_MISSING, registry_access_withdraw(r, SLICE("apr_none"), slice_str(ana), &by, &why));
    end();
}

static void expect_refused(struct access_spec spec, const char *word)
{
    struct access_made made;
    why.text[0] = '\0';
    EXPECT(!registry_access_request(r, &spec, &by, &made, &why));
    if (!strstr(why.text, word)) UNIT_FAIL("%s: %s", word, why.text);
}

static void what_cannot_be_asked_is_refused(void)
{
    begin();
    struct access_spec spec = spec_of(ana);
    spec.purpose = SLICE("because");
    expect_refused(spec, "8 characters");
    spec = spec_of(ana);
    spec.purpose = SLICE("two\nlines");
    expect_refused(spec, "one line");
    spec = spec_of(ana);
    spec.seconds = 59;
    expect_refused(spec, "a minute to a year");
    spec = spec_of(ana);
    spec.subject_kind = SLICE("key");
    expect_refused(spec, "user, app or department");
    spec = spec_of("per_none");
    expect_refused(spec, "unknown");
    ask_for(spec_of(ana));
    expect_refused(spec_of(kim), "exists");
    end();
}

static void who_asks_learns_how_many_could_decide(void)
{
    struct access_made made;
    begin();
    struct access_spec spec = spec_of(ana);
    EXPECT(registry_access_request(r, &spec, &by, &made, &why));
    EXPECT_INT(1, made.deciders);
    spec.rule.by = SLICE("legal");
    spec.object = SLICE("o3-pro");
    EXPECT(registry_access_request(r, &spec, &by, &made, &why));
    EXPECT_INT(0, made.deciders);
    end();
}

int main(void)
{
    RUN(an_approved_request_is_a_grant_from_the_decision_on);
    RUN(time_does_not_run_before_the_decision);
    RUN(what_nobody_decides_in_time_expires);
    RUN(nobody_decides_on_his_own);
    RUN(a_merged_person_is_one);
    RUN(services_and_the_disabled_decide_nothing);
    RUN(a_role_counts_where_it_covers_the_department);
    RUN(a_role_that_has_ended_counts_nowhere);
    RUN(two_lines_take_two_people);
    RUN(the_rule_in_force_at_the_decision_counts);
    RUN(what_changed_since_it_was_seen_is_not_decided);
    RUN(who_asked_may_take_it_back);
    RUN(what_cannot_be_asked_is_refused);
    RUN(who_asks_learns_how_many_could_decide);
    return unit_close("approvals");
}
