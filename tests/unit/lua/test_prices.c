/* What a generation says its targets cost, and what an exchange that it admitted is billed. */
#include "../unit.h"

#include "exchange/bill.h"
#include "lua/policy.h"
#include "lua/simulate.h"

#define RATES "input = '2.50', cached_input = '0.25', output = '10'"

/* A chain of one policy that says nothing, over these models. */
static struct policy_set *load(const char *models)
{
    struct bundle_file files[] = {{SLICE("init.lua"), SLICE("return chain { 'x' }")},
                                  {SLICE("models.lua"), slice_str(models)},
                                  {SLICE("x.lua"), SLICE("return policy {}")}};
    struct policy_errors errors;
    struct fault why;
    struct bundle *bundle = bundle_of(files, 3, &why);
    policy_errors_init(&errors);
    struct policy_set *set = policy_set_load(bundle, NULL, &errors);
    for (size_t i = 0; !set && i < errors.count; i++) {
        if (!finding_is_warning(errors.items[i].finding)) UNIT_FAIL("%.*s", SLICE_FMT(errors.items[i].text));
    }
    policy_errors_clear(&errors);
    bundle_unref(bundle);
    return set;
}

static const struct terms *terms_of(const struct policy_set *set, const char *target)
{
    const struct terms *terms = terms_table_find(policy_set_terms(set), slice_str(target));
    if (!terms) UNIT_FAIL("no terms of %s", target);
    return terms;
}

static void every_figure_of_a_price_arrives(void)
{
    struct policy_set *set = load(
        "return models { m = { targets = { 'p/m' }, context = 128000, price = { usd_per_million { input = '0.000001', "
        "cached_input = 2, cache_write = 3, cache_write_1h = 4, audio_input = 5, image_input = 6, output = 7, reasoning = 8, "
        "audio_output = 9, image_output = 10, per_image = '0.000000000011', per_search = '0.000000000012', "
        "per_tool_call = '0.000000000013', per_second = '0.000000000014', per_character = '0.000000000015', "
        "per_request = 12 }, "
        "usd_per_million { effective = '1970-01-02', correction = true, " RATES ", flex = { " RATES ", long = { { from = 10, " RATES " }, "
        "{ above = 5, input = 1, cached_input = 1, output = 1 } } } } } } }");
    const struct terms *terms = terms_of(set, "p/m");
    static const int64_t want[USAGE_PARTS] = {[USAGE_INPUT] = 1,
                                              [USAGE_CACHE_READ] = 2000000,
                                              [USAGE_CACHE_WRITE_5M] = 3000000,
                                              [USAGE_CACHE_WRITE_1H] = 4000000,
                                              [USAGE_AUDIO_INPUT] = 5000000,
                                              [USAGE_IMAGE_INPUT] = 6000000,
                                              [USAGE_OUTPUT] = 7000000,
                                              [USAGE_REASONING] = 8000000,
                                              [USAGE_AUDIO_OUTPUT] = 9000000,
                                              [USAGE_IMAGE_OUTPUT] = 10000000,
                                              [USAGE_IMAGES] = 11,
                                              [USAGE_SEARCHES] = 12,
                                              [USAGE_TOOL_CALLS] = 13,
                                              [USAGE_SECONDS] = 14,
                                              [USAGE_CHARACTERS] = 15,
                                              [USAGE_REQUESTS] = 12000000000000};
    EXPECT_INT(128000, terms->context_tokens);
    EXPECT(!terms->is_default_price);
    const struct price *price = terms->price;
    EXPECT_INT(2, price->period_count);
    EXPECT(price->periods[0].from_s == INT64_MIN);
    for (int i = 0; i < USAGE_PARTS; i++)
        EXPECT_INT(want[i], price->periods[0].tiers[0].rates.pico[i]);
    const struct price_period *later = &price->periods[1];
    EXPECT_INT(86400, later->from_s);
    EXPECT_INT(2, later->tier_count);
    EXPECT(strcmp(later->tiers[1].name, "flex") == 0);
    EXPECT_INT(PRICE_UNSET, later->tiers[0].rates.pico[USAGE_CACHE_WRITE_5M]);
    EXPECT_INT(PRICE_UNSET, later->tiers[0].rates.pico[USAGE_AUDIO_INPUT]);
    EXPECT_INT(10000000, later->tiers[0].rates.pico[USAGE_REASONING]);
    EXPECT_INT(0, later->tiers[0].rates.pico[USAGE_REQUESTS]);
    EXPECT_INT(2, later->tiers[1].long_count);
    EXPECT_INT(5, later->tiers[1].longs[0].input_tokens);
    EXPECT(!later->tiers[1].longs[0].is_inclusive);
    EXPECT(later->tiers[1].longs[1].is_inclusive);
    policy_set_unref(set);
}

static void a_revision_names_the_figures_and_nothing_else(void)
{
    static const char one[] = "return models { m = { targets = { 'p/m' }, price = usd_per_million { " RATES " } } }";
    static const char same[] = "-- other words\nreturn models { x = { targets = { 'p/m' }, context = 5, price = usd_per_million "
                               "{ output = 10, cached_input = '0.250', input = 2.5 } } }";
    static const char other[] = "return models { m = { targets = { 'p/m' }, price = usd_per_million { input = '2.50', cached_input "
                                "= '0.25', output = '10.000001' } } }";
    struct policy_set *sets[] = {load(one), load(same), load(other)};
    const char *revision = terms_of(sets[0], "p/m")->price->revision;
    EXPECT_INT(PRICE_REVISION_BYTES - 1, strlen(revision));
    EXPECT(strcmp(revision, terms_of(sets[1], "p/m")->price->revision) == 0);
    EXPECT(strcmp(revision, terms_of(sets[2], "p/m")->price->revision) != 0);
    for (int i = 0; i < 3; i++)
        policy_set_unref(sets[i]);
}

static void targets_share_their_models_price_and_may_have_their_own(void)
{
    struct policy_set *set = load("return models { m = { targets = { 'p/m', 'q/m', { 'r/m', price = free } }, snapshots = { 'm-1' }, "
                                  "price = usd_per_million { " RATES " } }, n = { targets = { 'p/n' } }, ['*'] = { price = "
                                  "usd_per_million { input = 1, output = 1 } } }");
    const struct price *price = terms_of(set, "p/m")->price;
    EXPECT(price == terms_of(set, "q/m")->price);
    EXPECT(price == terms_of(set, "p/m-1")->price);
    EXPECT_INT(0, terms_of(set, "r/m")->price->periods[0].tiers[0].rates.pico[USAGE_INPUT]);
    EXPECT(terms_of(set, "p/n")->is_default_price);
    EXPECT_INT(1000000, terms_of(set, "p/n")->price->periods[0].tiers[0].rates.pico[USAGE_INPUT]);
    EXPECT(!terms_table_find(policy_set_terms(set), SLICE("p/o")));
    policy_set_unref(set);
    set = load("return models { n = { targets = { 'p/n' } } }");
    EXPECT(terms_of(set, "p/n")->price == NULL);
    EXPECT_INT(0, terms_of(set, "p/n")->context_tokens);
    policy_set_unref(set);
}

static struct exchange *admitted_by(struct policy_set *set)
{
    struct fault why;
    struct exchange *x = simulate_exchange(SLICE("{\"body\":{\"model\":\"m\",\"service_tier\":\"flex\",\"messages\":[]},"
                                                 "\"key\":{\"id\":\"key_1\",\"app\":\"demo\"}}"),
                                           &why);
    if (!x) UNIT_FAIL("%s", fault_message(&why));
    struct policy_eval *eval = policy_decide(set, x);
    while (policy_eval_step(eval) == POLICY_MORE)
        continue;
    policy_eval_free(eval);
    EXPECT_INT(VERDICT_ALLOW, x->decision.verdict.kind);
    return x;
}

/* As far as the provider has told, before it is settled. */
static int64_t billed(struct exchange *x, const char *told)
{
    struct usage *usage = &exchange_attempt(x)->usage;
    usage_init(usage);
    usage->input_tokens = 1000;
    usage->cached_tokens = 400;
    usage->output_tokens = 10;
    snprintf(usage->tier, sizeof usage->tier, "%s", told);
    struct bill bill = bill_of(x);
    EXPECT_INT(600, bill.parts.count[USAGE_INPUT]);
    return bill.cost.nano;
}

/* A price that changes while requests are under way changes nothing for them. */
static void an_exchange_is_billed_at_what_admitted_it(void)
{
    struct policy_set *old = load("return models { m = { targets = { 'p/m' }, price = usd_per_million { " RATES
                                  ", flex = { input = 1, cached_input = 1, output = 1 } } } }");
    struct policy_set *new = load("return models { m = { targets = { 'p/m' }, price = usd_per_million { input = 5, cached_input = "
                                  "1, output = 20 } } }");
    struct exchange *first = admitted_by(old), *second = admitted_by(new);
    first->target_index = second->target_index = 0;
    EXPECT(first->decision.verdict.targets[0].terms == terms_of(old, "p/m"));
    EXPECT(bill_price(first, exchange_add_attempt(first)) == terms_of(old, "p/m")->price);
    exchange_add_attempt(second);
    EXPECT_INT(600 * 2500 + 400 * 250 + 10 * 10000, billed(first, "default"));
    EXPECT_INT(1010 * 1000, billed(first, ""));     /* what was asked for */
    EXPECT_INT(1010 * 1000, billed(first, "flex")); /* what was told */
    EXPECT_INT(600 * 5000 + 400 * 1000 + 10 * 20000, billed(second, "default"));
    EXPECT_INT(600 * 5000 + 400 * 1000 + 10 * 20000, billed(second, "")); /* no such tier: the usual rates … */
    EXPECT_INT(COST_INCOMPLETE, bill_of(second).cost.state); /* … and it is said */
    simulate_free(first);
    simulate_free(second);
    policy_set_unref(old);
    policy_set_unref(new);
}

int main(void)
{
    RUN(every_figure_of_a_price_arrives);
    RUN(a_revision_names_the_figures_and_nothing_else);
    RUN(targets_share_their_models_price_and_may_have_their_own);
    RUN(an_exchange_is_billed_at_what_admitted_it);
    return unit_close("prices");
}
