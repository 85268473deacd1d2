/* The rules of governance as the registry reads them: from a bundle, through their text, into plain values. */
#include "deciding.h"

#include "store/governance.h"

static struct governance *rules_of(const char *governance, const char *access)
{
    struct file files[] = {{"init.lua", "return chain { 'access' }"},
                           {"models.lua", MODELS},
                           {"access.lua", access},
                           {governance ? "governance.lua" : NULL, governance},
                           {NULL, NULL}};
    struct policy_errors errors;
    struct fault why = {0};
    struct policy_set *set = load(files, NULL, &errors);
    if (!set) UNIT_FAIL("%.*s", SLICE_FMT(errors.items[0].text));
    struct governance *rules = set ? governance_read(policy_set_governance(set), &why) : NULL;
    if (set && !rules) UNIT_FAIL("%s", fault_message(&why));
    if (rules) EXPECT_SLICE(slice_str(policy_set_digest(set)), rules->digest);
    policy_set_unref(set);
    policy_errors_clear(&errors);
    return rules;
}

#define NOBODY "return access { models = {} }"

static void without_a_file_the_usual_is_there(void)
{
    struct governance *g = rules_of(NULL, NOBODY);
    struct slice roles[4];
    if (!g) return;
    EXPECT_INT(1, governance_reviewers(g, SLICE("claims"), roles, 4));
    EXPECT_SLICE(SLICE("approver"), roles[0]);
    EXPECT(governance_is_protected(g, SLICE("production")));
    EXPECT(!governance_is_protected(g, SLICE("staging")));
    EXPECT(!g->wants_tests);
    EXPECT_INT(7 * 86400, g->pending_s);
    EXPECT_INT(90 * 86400, g->longest_s);
    EXPECT(g->has_break_glass);
    EXPECT_SLICE(SLICE("admin"), g->glass_by);
    EXPECT_INT(3600, g->glass_longest_s);
    EXPECT_INT(3 * 86400, g->glass_close_within_s);
    EXPECT_INT(0, g->plan_count);
    EXPECT_INT(0, g->row_count);
    EXPECT(!governance_row(g, SLICE("gpt-4o"), SLICE("claims")));
    governance_free(g);
}

static void what_the_file_says_is_there(void)
{
    struct governance *g = rules_of(
        "return governance { prompts = { review = { { by = 'approver' }, { by = 'legal', when = { department = "
        "{ 'claims', 'law' } } } }, protected = { 'eu' }, tests = 'required' },\n"
        "approvals = { pending = '2d', longest = '30d', break_glass = false },\n"
        "reviews = { { 'q', every = 'half-year', scope = { 'grants', 'roles' }, by = 'ciso', due = '7d', unused = "
        "'30d', unanswered = 'revoke' } },\n"
        "checklist = { require = { 'audit.trail' }, audit_retention = '183d' } }",
        NOBODY);
    struct slice roles[4];
    if (!g) return;
    EXPECT_INT(2, governance_reviewers(g, SLICE("law"), roles, 4));
    EXPECT_SLICE(SLICE("legal"), roles[1]);
    EXPECT_INT(1, governance_reviewers(g, SLICE("law"), roles, 1));
    EXPECT_INT(1, governance_reviewers(g, SLICE("lawn"), roles, 4));
    EXPECT(governance_is_protected(g, SLICE("eu")) && governance_is_protected(g, SLICE("production")));
    EXPECT(g->wants_tests);
    EXPECT_INT(2 * 86400, g->pending_s);
    EXPECT(!g->has_break_glass);
    EXPECT_INT(1, g->plan_count);
    EXPECT_SLICE(SLICE("q"), g->plans[0].name);
    EXPECT_SLICE(SLICE("ciso"), g->plans[0].by);
    EXPECT_INT(EVERY_HALF_YEAR, g->plans[0].every);
    EXPECT_INT(SCOPE_GRANTS | SCOPE_ROLES, g->plans[0].scope);
    EXPECT_INT(7 * 86400, g->plans[0].due_s);
    EXPECT_INT(UNANSWERED_REVOKE, g->plans[0].unanswered);
    EXPECT_INT(1, g->required_count);
    EXPECT_SLICE(SLICE("audit.trail"), g->required[0]);
    EXPECT_INT(183 * 86400, g->audit_retention_s);
    governance_free(g);
}

static void rows_that_want_an_approval_are_there(void)
{
    struct governance *g = rules_of(NULL,
                                    "return access { models = {\n['gpt-4o'] = { departments = { 'law' }, data = "
                                    "'internal', approval = { by = 'manager', also = 'security', longest = '1d', "
                                    "covers = 'app', purposes = { 'tender' } } } } }");
    if (!g) return;
    EXPECT_INT(1, g->row_count);
    EXPECT(!governance_row(g, SLICE("gpt-4o"), SLICE("sales")));
    const struct governance_row *row = governance_row(g, SLICE("gpt-4o"), SLICE("law"));
    if (row) {
        EXPECT_SLICE(SLICE("manager"), row->by);
        EXPECT_SLICE(SLICE("security"), row->also);
        EXPECT_SLICE(SLICE("internal"), row->data);
        EXPECT_SLICE(SLICE("policies/access.lua"), row->file);
        EXPECT_INT(2, row->line);
        EXPECT_INT(86400, row->longest_s);
        EXPECT_INT(COVERS_APP, row->covers);
        EXPECT_INT(1, row->purpose_count);
    } else {
        UNIT_FAIL("no row");
    }
    governance_free(g);
}

static void what_only_observes_asks_nobody(void)
{
    struct governance *g = rules_of(NULL, "return access { models = { ['gpt-4o'] = { departments = any, data = "
                                          "'internal', approval = 'manager', mode = 'observe' } } }");
    EXPECT(g && g->row_count == 0);
    governance_free(g);
}

/* Any cut of the text, and anything else, is refused: no rules are better than rules that ask nobody. */
static void a_damaged_text_is_refused(void)
{
    static const char text[] = "{\"digest\":\"d\",\"prompts\":{\"review\":[{\"by\":\"approver\"}],\"protected\":["
                               "\"production\"]},\"approvals\":{\"pending_s\":1,\"longest_s\":1}}";
    struct fault why;
    struct governance *g = governance_read(slice_str(text), &why);
    EXPECT(g && !g->has_break_glass);
    governance_free(g);
    for (size_t len = 0; len < sizeof text - 1; len++)
        EXPECT(!governance_read(slice_of(text, len), &why));
    const char *others[] = {"[]", "null", "{\"digest\":\"d\"}", "{\"digest\":1,\"prompts\":[],\"approvals\":\"x\"}",
                            "{\"digest\":\"d\",\"prompts\":{\"review\":[{\"by\":\"a\"}],\"protected\":[\"p\"]},"
                            "\"approvals\":{\"pending_s\":1,\"longest_s\":1,\"break_glass\":{\"by\":\"admin\","
                            "\"longest_s\":7200}}}"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        EXPECT(!governance_read(slice_str(others[i]), &why));
}

int main(void)
{
    RUN(without_a_file_the_usual_is_there);
    RUN(what_the_file_says_is_there);
    RUN(rows_that_want_an_approval_are_there);
    RUN(what_only_observes_asks_nobody);
    RUN(a_damaged_text_is_refused);
    return unit_close("governance");
}
