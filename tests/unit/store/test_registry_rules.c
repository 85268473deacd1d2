/* The rules of governance in the registry: what they ask on top of what the tables refuse, by those in force at the
 * decision. */
#include "approvals_kit.h"

#include "store/governance.h"
#include "store/registry/prompts.h"

#define RULES(digest, review, tests, longest, row)                                                                     \
    "{\"digest\":\"" digest "\",\"prompts\":{\"review\":[" review "],\"protected\":[\"production\",\"eu\"],\"tests\":" tests   \
    "},\"approvals\":{\"pending_s\":3600,\"longest_s\":7776000,\"break_glass\":{\"by\":\"admin\",\"longest_s\":" longest    \
    ",\"close_within_s\":259200}},\"reviews\":[],\"checklist\":{\"require\":[],\"audit_retention_s\":0},\"rows\":[" row "]}"
#define APPROVER "{\"by\":\"approver\"}"
#define LEGAL APPROVER ",{\"by\":\"legal\",\"departments\":[\"claims\"]}"
#define ROW(more)                                                                                                      \
    "{\"model\":\"claude-3-opus\",\"file\":\"policies/access.lua\",\"line\":7,\"departments\":[\"research\"]," more "}"
#define MANAGER ROW("\"by\":\"manager\",\"longest_s\":86400,\"covers\":\"user\",\"purposes\":[\"tender\",\"incident\"]")
#define BOTH ROW("\"by\":\"manager\",\"also\":\"security\",\"longest_s\":604800,\"covers\":\"user\"")
#define OF_APPS ROW("\"by\":\"manager\",\"longest_s\":604800,\"covers\":\"app\"")

static struct governance *rules;

static void govern(const char *text)
{
    struct governance *old = rules;
    rules = text ? governance_read(slice_str(text), &why) : NULL;
    if (text && !rules) UNIT_FAIL("%s", why.text);
    registry_govern(r, rules);
    governance_free(old);
}

static void begin_with(const char *text)
{
    begin();
    govern(text);
}

static void leave(void)
{
    govern(NULL);
    end();
}

static const char *newest(const char *column)
{
    static char text[400];
    char sql[160];
    snprintf(sql, sizeof sql, "SELECT %s FROM event WHERE rev > ? ORDER BY rev DESC LIMIT 1", column);
    struct registry_query *q = REGISTRY_ASK(r, sql, value_int(0));
    EXPECT(registry_next(q));
    snprintf(text, sizeof text, "%.*s", SLICE_FMT(registry_text(q, 0)));
    EXPECT(registry_end(q, &why));
    return text;
}

/* ---- Access. */

static const char *refused(struct access_spec spec)
{
    struct access_made made;
    why.text[0] = '\0';
    return registry_access_request(r, &spec, &by, &made, &why) ? "" : registry_refusal_word(registry_refused(r));
}

static void a_request_is_as_the_row_allows(void)
{
    begin_with(RULES("d1", APPROVER, "false", "600", MANAGER));
    struct access_spec spec = spec_of(ana);
    EXPECT_STR("invalid", refused(spec)); /* a week */
    EXPECT(strstr(why.text, "86400 s (policies/access.lua:7)"));
    spec.seconds = 86400;
    spec.purpose = SLICE("whatever I like");
    EXPECT_STR("invalid", refused(spec));
    EXPECT(strstr(why.text, "`tender:`"));
    spec.purpose = SLICE("tender: the new town hall");
    spec.department = SLICE("sales");
    EXPECT_STR("invalid", refused(spec));
    EXPECT(strstr(why.text, "no row of the access matrix"));
    spec.department = SLICE("research");
    spec.subject_kind = SLICE("department");
    spec.subject = SLICE("research");
    EXPECT_STR("invalid", refused(spec));
    EXPECT(strstr(why.text, "a user's"));
    leave();
}

static void who_decides_and_how_long_it_waits_is_not_the_askers_to_say(void)
{
    struct access_made made;
    begin_with(RULES("d1", APPROVER, "false", "600", MANAGER));
    struct access_spec spec = spec_of(ana);
    spec.seconds = 3600;
    spec.rule.by = SLICE("friend");
    spec.pending_s = 30 * DAY;
    role(lee, "friend", "*");
    EXPECT(registry_access_request(r, &spec, &by, &made, &why));
    EXPECT(made.expires_at <= registry_now_s() + 3600);
    EXPECT_STR("d1", newest("rules"));
    EXPECT_STR("not_your_scope", decide(made.id, lee, true));
    EXPECT_STR("", decide(made.id, kim, true));
    leave();
}

static void a_person_is_where_the_registry_says(void)
{
    char eve[PERSON_ID_BYTES];
    begin_with(RULES("d1", APPROVER, "false", "600", MANAGER));
    struct person_spec sales = {.kind = PERSON_HUMAN, .issuer = PERSON_LOCAL, .subject = SLICE("eve"),
                                .department = SLICE("sales")};
    EXPECT(registry_person_create(r, &sales, &by, eve, &why));
    struct access_spec spec = spec_of(eve);
    spec.subject = slice_str(eve);
    spec.seconds = 3600;
    EXPECT_STR("invalid", refused(spec));
    EXPECT(strstr(why.text, "another department"));
    leave();
}

/* Asked for under one rule, decided under another: its roles, its longest, its digest. */
static void the_rules_at_the_decision_count(void)
{
    char id[ACCESS_ID_BYTES];
    begin_with(RULES("d1", APPROVER, "false", "600", BOTH));
    snprintf(id, sizeof id, "%s", ask_for(spec_of(ana)));
    govern(RULES("d2", APPROVER, "false", "600", MANAGER));
    EXPECT_STR("not_your_scope", decide(id, lee, true)); /* security has no say any more */
    int64_t now = registry_now_s();
    EXPECT_STR("", decide(id, kim, true));
    EXPECT(decided.is_granted && decided.ends_at <= now + 86400 + 5);
    EXPECT_STR("d2", newest("rules"));
    /* And a second pair of eyes where there was to be one. */
    govern(RULES("d1", APPROVER, "false", "600", MANAGER));
    struct access_spec spec = spec_of(lee);
    spec.subject = slice_str(lee);
    spec.seconds = 3600;
    snprintf(id, sizeof id, "%s", ask_for(spec));
    role(ana, "security", "*");
    govern(RULES("d3", APPROVER, "false", "600", BOTH));
    EXPECT_STR("", decide(id, kim, true));
    EXPECT(!decided.is_granted);
    EXPECT_STR("security", decided.missing);
    EXPECT_STR("", decide(id, ana, true));
    EXPECT(decided.is_granted);
    leave();
}

static void what_fits_no_more_is_denied_not_granted(void)
{
    char id[ACCESS_ID_BYTES];
    begin_with(RULES("d1", APPROVER, "false", "600", BOTH));
    snprintf(id, sizeof id, "%s", ask_for(spec_of(ana)));
    govern(RULES("d2", APPROVER, "false", "600", OF_APPS));
    EXPECT_STR("invalid", decide(id, kim, true));
    EXPECT_STR("", decide(id, kim, false));
    EXPECT_STR("denied", request_state(id));
    leave();
}

static void who_has_nobody_to_decide_is_told_at_once(void)
{
    struct access_made made;
    begin_with(RULES("d1", APPROVER, "false", "600", BOTH));
    struct access_spec spec = spec_of(ana);
    EXPECT(registry_access_request(r, &spec, &by, &made, &why));
    EXPECT_INT(1, made.deciders);
    EXPECT_STR("", made.lacking);
    /* Kim asks for himself, and is the only manager. */
    spec.requested_by = spec.subject = slice_str(kim);
    EXPECT(registry_access_request(r, &spec, &by, &made, &why));
    EXPECT_INT(0, made.deciders);
    EXPECT_STR("manager", made.lacking);
    /* Lee for himself: a manager, and nobody for security. */
    spec.requested_by = spec.subject = slice_str(lee);
    EXPECT(registry_access_request(r, &spec, &by, &made, &why));
    EXPECT_INT(0, made.deciders);
    EXPECT_STR("security", made.lacking);
    leave();
}

static const char *break_glass(const char *person_id, const char *own_role, int64_t seconds, struct glass_made *made)
{
    struct glass_spec spec = {SLICE("user"), slice_str(person_id), SLICE("claude-3-opus"),
                              SLICE("the plant stands still"), seconds, slice_str(person_id), slice_str(own_role),
                              SLICE("research")};
    why.text[0] = '\0';
    return registry_break_glass(r, &spec, &by, made, &why) ? "" : registry_refusal_word(registry_refused(r));
}

static void break_glass_is_the_rules_roles_and_time(void)
{
    struct glass_made made;
    begin_with(RULES("d1", APPROVER, "false", "600", MANAGER));
    EXPECT_STR("not_your_scope", break_glass(kim, "manager", 600, &made)); /* he has that one, and it is not asked */
    role(kim, "admin", "*");
    EXPECT_STR("invalid", break_glass(kim, "admin", 3600, &made));
    EXPECT_STR("", break_glass(kim, "manager", 600, &made));
    role(lee, "manager", "*");
    struct slice id = slice_str(made.id), star = SLICE("*"), manager = SLICE("manager");
    EXPECT_INT(REGISTRY_FAILED, registry_break_glass_close(r, id, slice_str(lee), manager, star, &by, &why));
    EXPECT_INT(REGISTRY_NOT_YOUR_SCOPE, registry_refused(r));
    role(lee, "admin", "*");
    EXPECT_INT(REGISTRY_FOUND, registry_break_glass_close(r, id, slice_str(lee), manager, star, &by, &why));
    leave();
}

/* ---- Prompts. */

static void push_in(const char *department, const char *cases)
{
    char content[300];
    struct prompt_pushed pushed;
    snprintf(content, sizeof content, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello.\"}]%s}", cases);
    struct prompt_push push = {.name = SLICE("reply"), .owner = SLICE("team"), .department = slice_str(department),
                               .content = slice_str(content), .person = slice_str(ana), .version = {1, 0, 0}};
    if (!registry_prompt_push(r, &push, &by, &pushed, &why)) UNIT_FAIL("%s", why.text);
    struct prompt_at at = {SLICE("reply"), {1, 0, 0}, slice_str(ana)};
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_submit(r, &at, &by, &why));
}

static struct prompt_judged judged;

static const char *approve_despite(const char *person_id, const char *despite)
{
    struct prompt_verdict v = {.at = {SLICE("reply"), {1, 0, 0}, slice_str(person_id)}, .despite = slice_str(despite),
                               .judged = &judged};
    why.text[0] = judged.missing[0] = '\0';
    enum registry_found found = registry_prompt_approve(r, &v, &by, &why);
    if (found == REGISTRY_FAILED && !registry_refused(r)) UNIT_FAIL("%s", why.text);
    return found == REGISTRY_FOUND ? "" : registry_refusal_word(registry_refused(r));
}

static const char *approve(const char *person_id)
{
    return approve_despite(person_id, "");
}

static const char *status(void)
{
    static char text[32];
    json_t *all = registry_prompts(r, SLICE("reply"), &why);
    const json_t *version = json_array_get(json_object_get(json_array_get(all, 0), "versions"), 0);
    snprintf(text, sizeof text, "%s", json_string_value(json_object_get(version, "status")));
    json_decref(all);
    return text;
}

static void each_line_is_met_by_another_person(void)
{
    begin_with(RULES("d1", LEGAL, "false", "600", MANAGER));
    role(kim, "approver", "*");
    role(kim, "legal", "*");
    role(lee, "approver", "claims");
    push_in("claims", "");
    EXPECT_STR("self_approval", approve(ana));
    EXPECT_STR("", approve(kim));
    EXPECT_STR("legal", judged.missing);
    EXPECT_STR("review", status());
    EXPECT(strstr(newest("after"), "\"missing\":\"legal\""));
    EXPECT_STR("exists", approve(kim)); /* he has both roles, and is one person */
    EXPECT_STR("not_your_scope", approve(lee));
    EXPECT(strstr(why.text, "the role legal in the department claims"));
    role(lee, "legal", "support");
    EXPECT_STR("not_your_scope", approve(lee)); /* the same word, of another department */
    role(lee, "legal", "claims");
    EXPECT_STR("", approve(lee));
    EXPECT_STR("", judged.missing);
    EXPECT_STR("approved", status());
    leave();
}

static void a_line_of_another_department_asks_nobody(void)
{
    begin_with(RULES("d1", LEGAL, "false", "600", MANAGER));
    role(kim, "approver", "*");
    push_in("support", "");
    EXPECT_STR("", approve(kim));
    EXPECT_STR("approved", status());
    leave();
}

static void rules_that_changed_meanwhile_count(void)
{
    begin_with(RULES("d1", APPROVER, "false", "600", MANAGER));
    role(kim, "approver", "*");
    role(lee, "legal", "*");
    push_in("claims", "");
    govern(RULES("d2", LEGAL, "false", "600", MANAGER));
    EXPECT_STR("", approve(kim));
    EXPECT_STR("review", status());
    EXPECT_STR("d2", newest("rules"));
    EXPECT_STR("", approve(lee));
    EXPECT_STR("approved", status());
    leave();
}

static void who_wrote_at_it_since_has_met_no_line(void)
{
    struct prompt_pushed pushed;
    begin_with(RULES("d1", LEGAL, "false", "600", MANAGER));
    role(kim, "approver", "*");
    role(lee, "legal", "*");
    push_in("claims", "");
    EXPECT_STR("", approve(kim));
    struct prompt_at at = {SLICE("reply"), {1, 0, 0}, slice_str(ana)};
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_withdraw(r, &at, &by, &why));
    static const char *const texts[] = {"Other.", "Hello."}; /* the same in the end */
    for (int i = 0; i < 2; i++) {
        char content[200];
        snprintf(content, sizeof content, "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", texts[i]);
        struct prompt_push push = {.name = SLICE("reply"), .content = slice_str(content), .person = slice_str(kim),
                                   .version = {1, 0, 0}};
        EXPECT(registry_prompt_push(r, &push, &by, &pushed, &why));
    }
    EXPECT_INT(REGISTRY_FOUND, registry_prompt_submit(r, &at, &by, &why));
    EXPECT_STR("", approve(lee));
    EXPECT_STR("approver", judged.missing);
    EXPECT_STR("review", status());
    leave();
}

static const char *label(const char *name, const char *person_id)
{
    struct prompt_arm arm = {{1, 0, 0}, 1000};
    enum registry_found found =
        registry_prompt_label(r, SLICE("reply"), slice_str(name), &arm, 1, slice_str(person_id), &by, &why);
    return found == REGISTRY_FOUND ? "" : registry_refusal_word(registry_refused(r));
}

static void a_protected_label_takes_approved_versions_by_approvers(void)
{
    begin_with(RULES("d1", APPROVER, "false", "600", MANAGER));
    role(kim, "approver", "*");
    push_in("support", "");
    EXPECT_STR("", label("dev", ana));
    EXPECT_STR("not_your_scope", label("eu", ana));
    EXPECT_STR("not_approved", label("eu", kim));
    EXPECT_STR("", approve(kim));
    EXPECT_STR("", label("eu", kim));
    leave();
}

static void add_run(const char *sha256, int failed, int64_t at_s)
{
    EXPECT(registry_begin(r, &why) &&
           REGISTRY_DO(r, &why, "INSERT INTO prompt_run VALUES(?, 'reply', ?, 'mock', 2, ?, '', ?, ?, ?)",
                       value_int(r->rev), value_str(sha256), value_int(failed), value_str(ana), value_int(at_s),
                       value_rev(r)) &&
           registry_commit(r, &by, "prompts.run", SLICE("reply"), NULL, NULL, &why));
}

static void tests_that_are_wanted_have_passed_on_this_very_text(void)
{
    char sha256[65];
    begin_with(RULES("d1", APPROVER, "true", "600", MANAGER));
    role(kim, "approver", "*");
    push_in("support", ",\"cases\":[{\"name\":\"greets\",\"rendered\":{\"has\":[\"Hello\"]}}]");
    struct registry_query *q = REGISTRY_ASK(r, "SELECT sha256 FROM prompt_version WHERE name = ?", value_str("reply"));
    EXPECT(registry_next(q));
    snprintf(sha256, sizeof sha256, "%.*s", SLICE_FMT(registry_text(q, 0)));
    EXPECT(registry_end(q, &why));
    EXPECT_STR("not_tested", approve(kim));
    add_run("of another text", 0, registry_now_s());
    add_run(sha256, 0, registry_now_s() - 8 * DAY);
    EXPECT_STR("not_tested", approve(kim));
    add_run(sha256, 0, registry_now_s() - 60);
    add_run(sha256, 1, registry_now_s());
    EXPECT_STR("not_tested", approve(kim)); /* the last one failed */
    EXPECT_STR("review", status());
    add_run(sha256, 0, registry_now_s() + 1);
    EXPECT_STR("", approve(kim));
    leave();
}

static void despite_tests_is_written_down(void)
{
    begin_with(RULES("d1", APPROVER, "true", "600", MANAGER));
    role(kim, "approver", "*");
    push_in("support", ",\"cases\":[{\"name\":\"greets\",\"rendered\":{\"has\":[\"Hello\"]}}]");
    EXPECT_STR("not_tested", approve(kim));
    EXPECT_STR("", approve_despite(kim, "the provider is away"));
    EXPECT(strstr(newest("after"), "\"despite_tests\":\"the provider is away\""));
    leave();
}

int main(void)
{
    RUN(a_request_is_as_the_row_allows);
    RUN(who_decides_and_how_long_it_waits_is_not_the_askers_to_say);
    RUN(a_person_is_where_the_registry_says);
    RUN(the_rules_at_the_decision_count);
    RUN(what_fits_no_more_is_denied_not_granted);
    RUN(who_has_nobody_to_decide_is_told_at_once);
    RUN(break_glass_is_the_rules_roles_and_time);
    RUN(each_line_is_met_by_another_person);
    RUN(a_line_of_another_department_asks_nobody);
    RUN(rules_that_changed_meanwhile_count);
    RUN(who_wrote_at_it_since_has_met_no_line);
    RUN(a_protected_label_takes_approved_versions_by_approvers);
    RUN(tests_that_are_wanted_have_passed_on_this_very_text);
    RUN(despite_tests_is_written_down);
    return unit_close("registry rules");
}
