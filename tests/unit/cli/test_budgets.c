/* Budgets and what was spent on them: whose key it is, in which order they stand, and where they are going. */
#include "../unit.h"

#include <jansson.h>

#include "cli/budgets.h"
#include "store/topups_build.h"

#define DAY 86400
#define DOLLAR INT64_C(1000000000)

/* A month of 30 days from 1000 on, and a session's. */
static const char policies[] =
    "{\"budgets\":["
    "{\"policy\":\"budget\",\"name\":\"sales\",\"at\":\"policies/budget.lua:3\",\"mode\":\"enforce\",\"period\":\"month\","
    "\"start\":1000,\"stop\":2593000,\"limit\":100000000000,\"blocks_at\":100000000000,\"blocks_part\":10000,\"prefix\":\"\","
    "\"covers_default\":true,"
    "\"parts\":[{\"name\":\"department\",\"text\":\"sales\",\"key\":\"sales\",\"values\":[\"sales\"]}]},"
    "{\"policy\":\"budget\",\"name\":\"apps\",\"mode\":\"enforce\",\"period\":\"month\",\"start\":1000,\"stop\":2593000,"
    "\"limit\":50000000000,\"prefix\":\"budget/apps/\",\"parts\":[{\"name\":\"app\"},{\"name\":\"model\"}]},"
    "{\"policy\":\"budget\",\"name\":\"all\",\"mode\":\"observe\",\"period\":\"month\",\"start\":1000,\"stop\":2593000,"
    "\"limit\":1000000000000,\"blocks_at\":1200000000000,\"blocks_part\":12000,\"prefix\":\"\",\"parts\":[]},"
    "{\"policy\":\"budget\",\"name\":\"talk\",\"mode\":\"enforce\",\"period\":\"session\",\"start\":0,\"stop\":0,"
    "\"limit\":2000000000,\"blocks_at\":2000000000,\"blocks_part\":10000,\"prefix\":\"\",\"parts\":[{\"name\":\"session\"}]},"
    "{\"policy\":\"budget\",\"name\":\"default\",\"mode\":\"enforce\",\"period\":\"month\",\"start\":1000,\"stop\":2593000,"
    "\"limit\":10000000000,\"blocks_at\":10000000000,\"blocks_part\":10000,\"prefix\":\"\",\"is_default\":true,\"parts\":[{\"name\":\"department\"}]}"
    "]}";

static struct budgets *load_with(const struct topups *topups, int64_t now_s)
{
    json_t *rows = json_loads(policies, 0, NULL);
    struct budgets *b = budgets_new(rows, topups, now_s);
    json_decref(rows);
    return b;
}

static struct budgets *load(void)
{
    return load_with(NULL, 0);
}

static void spend(struct budgets *b, const char *key, int64_t start_s, int64_t nano)
{
    struct counters_spent spent = {.key = slice_str(key), .start_s = start_s, .nano = nano, .idle_s = 7200};
    budgets_add(b, &spent);
}

static const struct budget_use *find(const struct budgets *b, const char *name, const char *scope)
{
    static const struct budget nobody;
    static const struct budget_use none = {.budget = &nobody, .nano = -1};
    for (size_t i = 0; i < budgets_count(b); i++) {
        const struct budget_use *use = budgets_at(b, i);
        if (slice_equal(use->budget->name, slice_str(name)) && slice_equal(use->scope, slice_str(scope))) return use;
    }
    return &none;
}

static void a_key_is_of_the_budgets_that_write_it(void)
{
    struct budgets *b = load();
    spend(b, "department=sales", 1000, 40 * DOLLAR);
    spend(b, "department=sales", 999, 7 * DOLLAR);    /* of the month before */
    spend(b, "department=support", 1000, 3 * DOLLAR); /* the default's; sales has a row of its own */
    spend(b, "department=", 1000, DOLLAR);
    spend(b, "budget/apps/app=a%2cb%3d,model=x%2fy", 1000, 2 * DOLLAR);
    spend(b, "app=a,model=b", 1000, DOLLAR); /* of no budget that there is */
    spend(b, "budget/apps/app=a", 1000, DOLLAR);
    spend(b, "budget/apps/app=a,model=b,more=c", 1000, DOLLAR);
    spend(b, "", 1000, 9 * DOLLAR);
    spend(b, "session=s1", 0, 2 * DOLLAR);
    budgets_end(b);
    EXPECT_INT(6, budgets_count(b));
    EXPECT_INT(40 * DOLLAR, find(b, "sales", "department sales")->nano);
    EXPECT_INT(3 * DOLLAR, find(b, "default", "department support")->nano);
    EXPECT_INT(DOLLAR, find(b, "default", "no department")->nano);
    EXPECT_INT(2 * DOLLAR, find(b, "apps", "app a,b=, model x/y")->nano);
    EXPECT_INT(9 * DOLLAR, find(b, "all", "everybody")->nano);
    EXPECT_INT(2 * DOLLAR, find(b, "talk", "session s1")->nano);
    budgets_free(b);
}

static void a_budget_without_spending_is_there_too(void)
{
    struct budgets *b = load();
    budgets_end(b);
    EXPECT_INT(5, budgets_count(b));
    EXPECT_INT(0, find(b, "sales", "department sales")->nano);
    EXPECT_INT(0, find(b, "default", "each department")->nano);
    EXPECT_INT(0, find(b, "apps", "each app, each model")->nano);
    budgets_free(b);
}

static void used_up_ones_come_first(void)
{
    struct budgets *b = load();
    spend(b, "department=sales", 1000, 99 * DOLLAR);
    spend(b, "department=support", 1000, 10 * DOLLAR);
    spend(b, "budget/apps/app=a,model=b", 1000, 60 * DOLLAR); /* beyond its limit, and refuses nothing */
    spend(b, "session=s1", 0, 2 * DOLLAR - 1);
    budgets_end(b);
    const char *names[] = {"default", "apps", "talk", "sales", "all"};
    for (size_t i = 0; i < 5; i++)
        EXPECT_SLICE(slice_str(names[i]), budgets_at(b, i)->budget->name);
    EXPECT(budget_is_used_up(budgets_at(b, 0)) && !budget_is_used_up(budgets_at(b, 1)));
    EXPECT_INT(120, budget_percent(budgets_at(b, 1)));
    EXPECT_INT(99, budget_percent(budgets_at(b, 2))); /* never 100 before it is */
    budgets_free(b);
}

static void it_goes_on_as_until_now(void)
{
    struct budgets *b = load();
    spend(b, "department=sales", 1000, 40 * DOLLAR);
    spend(b, "session=s1", 0, DOLLAR);
    budgets_end(b);
    const struct budget_use *sales = find(b, "sales", "department sales");
    struct budget_course course = budget_course(sales, 1000 + 6 * DAY);
    EXPECT_INT(200 * DOLLAR, course.nano);
    EXPECT_INT(1000 + 15 * DAY, course.runs_out_s);
    course = budget_course(sales, 1000 + 12 * DAY);
    EXPECT_INT(100 * DOLLAR, course.nano);
    EXPECT_INT(0, course.runs_out_s);
    EXPECT_INT(-1, budget_course(sales, 1000 + DAY).nano); /* too early */
    EXPECT_INT(-1, budget_course(sales, 1000).nano);
    EXPECT_INT(-1, budget_course(find(b, "talk", "session s1"), 5000).nano);
    spend(b, "department=x", 1000, COUNTERS_AMOUNT_MAX);
    budgets_free(b);
}

static void amounts_without_end_stay_amounts(void)
{
    struct budgets *b = load();
    spend(b, "department=x", 1000, COUNTERS_AMOUNT_MAX);
    budgets_end(b);
    EXPECT_INT(COUNTERS_AMOUNT_MAX, budget_course(budgets_at(b, 0), 1000 + 2 * DAY).nano);
    EXPECT(budget_percent(budgets_at(b, 0)) > 100);
    budgets_free(b);
}

/* ---- Top-ups. */

static const char added[] =
    "{\"topups\":["
    "{\"id\":\"topup_1\",\"budget\":\"budget/sales\",\"scope\":\"department=sales\",\"nano\":50000000000,"
    "\"starts_at\":1000,\"ends_at\":500000},"
    "{\"id\":\"topup_2\",\"budget\":\"budget/default\",\"scope\":\"department=support\",\"nano\":3000000000,"
    "\"starts_at\":1000,\"ends_at\":600000},"
    "{\"id\":\"topup_3\",\"budget\":\"budget/default\",\"scope\":\"department=law\",\"nano\":1,"
    "\"starts_at\":1000,\"ends_at\":600000},"
    "{\"id\":\"topup_4\",\"budget\":\"budget/default\",\"scope\":\"department=law\",\"nano\":2000000000,"
    "\"starts_at\":1000,\"ends_at\":550000},"
    "{\"id\":\"topup_5\",\"budget\":\"budget/apps\",\"scope\":\"app=a%2cb%3d,model=x%2fy\",\"nano\":50000000000,"
    "\"starts_at\":1000,\"ends_at\":600000},"
    "{\"id\":\"topup_6\",\"budget\":\"budget/default\",\"scope\":\"department=sales\",\"nano\":7,"
    "\"starts_at\":1000,\"ends_at\":600000},"
    "{\"id\":\"topup_7\",\"budget\":\"budget/gone\",\"scope\":\"department=law\",\"nano\":7,\"starts_at\":1000,"
    "\"ends_at\":600000},"
    "{\"id\":\"topup_8\",\"budget\":\"budget/sales\",\"scope\":\"model=x\",\"nano\":7,\"starts_at\":1000,"
    "\"ends_at\":600000},"
    "{\"id\":\"topup_9\",\"budget\":\"budget/all\",\"scope\":\"\",\"nano\":1000000000,\"starts_at\":1000,"
    "\"ends_at\":5000}]}";

static struct topups *add(void)
{
    struct fault why;
    struct topups *topups = topups_parse(slice_str(added), &why);
    EXPECT(topups != NULL);
    return topups;
}

static void a_topup_raises_its_own_budget(void)
{
    struct topups *topups = add();
    struct budgets *b = load_with(topups, 400000);
    spend(b, "department=sales", 1000, 120 * DOLLAR);
    spend(b, "department=support", 1000, 15 * DOLLAR);
    spend(b, "department=x", 1000, 12 * DOLLAR);
    spend(b, "budget/apps/app=a%2cb%3d,model=x%2fy", 1000, 60 * DOLLAR);
    budgets_end(b);
    const struct budget_use *sales = find(b, "sales", "department sales");
    EXPECT_INT(150 * DOLLAR, sales->limit);
    EXPECT_INT(150 * DOLLAR, sales->blocks_at);
    EXPECT_INT(50 * DOLLAR, sales->raised.nano);
    EXPECT_INT(500000, sales->raised.ends_at);
    EXPECT_SLICE(SLICE("department=sales"), sales->key);
    EXPECT(!budget_is_used_up(sales));
    EXPECT_INT(80, budget_percent(sales));
    const struct budget_use *support = find(b, "default", "department support");
    EXPECT_INT(13 * DOLLAR, support->limit);
    EXPECT_INT(13 * DOLLAR, support->blocks_at);
    EXPECT(budget_is_used_up(support));
    EXPECT(budget_is_used_up(find(b, "default", "department x")));
    EXPECT_INT(60, budget_percent(find(b, "apps", "app a,b=, model x/y")));
    EXPECT_INT(-1, find(b, "apps", "app a,b=, model x/y")->blocks_at);
    EXPECT_SLICE(SLICE("default"), budgets_at(b, 0)->budget->name); /* the one that is used up */
    budgets_free(b);
    topups_unref(topups);
}

static void a_scope_without_spending_that_was_given_one_is_there_too(void)
{
    struct topups *topups = add();
    struct budgets *b = load_with(topups, 400000);
    budgets_end(b);
    EXPECT_INT(6, budgets_count(b)); /* none of what has ended, is not there, or has a row of its own */
    const struct budget_use *law = find(b, "default", "department law");
    EXPECT_INT(12 * DOLLAR + 1, law->limit);
    EXPECT_INT(2, law->raised.count);
    EXPECT_INT(550000, law->raised.ends_at);
    EXPECT_INT(0, law->nano);
    EXPECT_INT(13 * DOLLAR, find(b, "default", "department support")->limit);
    EXPECT_INT(0, find(b, "all", "everybody")->raised.count);
    EXPECT_SLICE(SLICE(""), find(b, "all", "everybody")->key);
    EXPECT(!find(b, "talk", "each session")->key.ptr);
    budgets_free(b);
    topups_unref(topups);
}

static void it_refuses_at_the_same_part_of_it(void)
{
    struct topups *topups = add();
    struct budgets *b = load_with(topups, 4000);
    spend(b, "", 1000, 1201 * DOLLAR);
    budgets_end(b);
    const struct budget_use *all = find(b, "all", "everybody");
    EXPECT_INT(1001 * DOLLAR, all->limit);
    EXPECT_INT(1201 * DOLLAR + 200000000, all->blocks_at);
    EXPECT(!budget_is_used_up(all));
    budgets_free(b);
    topups_unref(topups);
}

static void it_runs_out_later_with_one(void)
{
    struct topups *topups = add();
    struct budgets *b = load_with(topups, 400000);
    spend(b, "department=sales", 1000, 40 * DOLLAR);
    budgets_end(b);
    struct budget_course course = budget_course(find(b, "sales", "department sales"), 1000 + 6 * DAY);
    EXPECT_INT(200 * DOLLAR, course.nano);
    EXPECT_INT(1000 + 22 * DAY + DAY / 2, course.runs_out_s);
    budgets_free(b);
    topups_unref(topups);
}

static void the_end_of_a_topup_is_the_old_limit(void)
{
    struct topups *topups = add();
    struct budgets *b = load_with(topups, 600000);
    spend(b, "department=sales", 1000, 120 * DOLLAR);
    budgets_end(b);
    EXPECT_INT(100 * DOLLAR, find(b, "sales", "department sales")->limit);
    EXPECT(budget_is_used_up(find(b, "sales", "department sales")));
    EXPECT_INT(5, budgets_count(b));
    budgets_free(b);
    topups_unref(topups);
}

/* Teams a and b together, and each team: a team may be called "a+b". */
static void a_name_is_not_taken_for_several(void)
{
    json_t *rows = json_loads("{\"budgets\":["
                              "{\"policy\":\"b\",\"name\":\"two\",\"start\":1000,\"stop\":2000,\"limit\":1,\"prefix\":\"\","
                              "\"parts\":[{\"name\":\"team\",\"text\":\"a+b\",\"key\":\"a+b\",\"values\":[\"a\",\"b\"]}]},"
                              "{\"policy\":\"b\",\"name\":\"each\",\"start\":1000,\"stop\":2000,\"limit\":1,\"prefix\":\"\","
                              "\"parts\":[{\"name\":\"team\"}]}]}",
                              0, NULL);
    struct budgets *b = budgets_new(rows, NULL, 0);
    spend(b, "team=a+b", 1000, 3 * DOLLAR);
    spend(b, "team=a%2bb", 1000, 5 * DOLLAR);
    budgets_end(b);
    EXPECT_INT(2, budgets_count(b));
    EXPECT_INT(3 * DOLLAR, find(b, "two", "team a+b")->nano);
    EXPECT_INT(5 * DOLLAR, find(b, "each", "team a+b")->nano);
    budgets_free(b);
    json_decref(rows);
}

int main(void)
{
    RUN(a_key_is_of_the_budgets_that_write_it);
    RUN(a_name_is_not_taken_for_several);
    RUN(a_budget_without_spending_is_there_too);
    RUN(used_up_ones_come_first);
    RUN(it_goes_on_as_until_now);
    RUN(amounts_without_end_stay_amounts);
    RUN(a_topup_raises_its_own_budget);
    RUN(a_scope_without_spending_that_was_given_one_is_there_too);
    RUN(it_refuses_at_the_same_part_of_it);
    RUN(it_runs_out_later_with_one);
    RUN(the_end_of_a_topup_is_the_old_limit);
    return unit_close("budgets");
}
