/* Costs: what holds when and for whom, what has no rate, revisions; random records against arithmetic made apart. */
#include "../unit.h"

#include <stdlib.h>

#include "exchange/price.h"

#if defined(__SANITIZE_ADDRESS__)
#define RECORDS 300000u
#else
#define RECORDS 10000000u
#endif

#define S (uint64_t)1000000000

static struct price_rates flat(int64_t pico)
{
    struct price_rates rates;
    for (int i = 0; i < USAGE_PARTS; i++)
        rates.pico[i] = pico;
    return rates;
}

static struct price_period period(int64_t from_s, int64_t pico)
{
    return (struct price_period){.from_s = from_s, .tiers = {{.rates = flat(pico)}}, .tier_count = 1};
}

static struct usage_parts input(int64_t tokens)
{
    return (struct usage_parts){.count = {[USAGE_INPUT] = tokens}};
}

static void without_a_price_there_is_no_cost(void)
{
    struct usage_parts one = input(1);
    struct price_period later = period(2000, 1000);
    struct price price = {&later, 1, ""};
    EXPECT_INT(COST_UNPRICED, price_cost(NULL, &one, SLICE(""), 2000 * S).state);
    EXPECT_INT(COST_UNPRICED, price_cost(&price, &one, SLICE(""), 2000 * S - 1).state);
    EXPECT_INT(0, price_cost(&price, &one, SLICE(""), 2000 * S - 1).nano);
    EXPECT(!price_rates_at(&price, 1, SLICE(""), 1999 * S));
    EXPECT(!price_rates_at(NULL, 1, SLICE(""), 1999 * S));
    EXPECT_INT(COST_KNOWN, price_cost(&price, &one, SLICE(""), 2000 * S).state);
    EXPECT_INT(1, price_cost(&price, &one, SLICE(""), 2000 * S).nano);
}

static void the_last_period_that_has_begun_holds(void)
{
    struct usage_parts one = input(1);
    struct price_period periods[] = {period(INT64_MIN, 1000), period(100, 2000), period(200, 3000)};
    struct price price = {periods, 3, ""};
    EXPECT_INT(1, price_cost(&price, &one, SLICE(""), 0).nano);
    EXPECT_INT(1, price_cost(&price, &one, SLICE(""), 100 * S - 1).nano);
    EXPECT_INT(2, price_cost(&price, &one, SLICE(""), 100 * S).nano);
    EXPECT_INT(2, price_cost(&price, &one, SLICE(""), 200 * S - 1).nano);
    EXPECT_INT(3, price_cost(&price, &one, SLICE(""), UINT64_MAX).nano);
}

static struct cost most(const struct price *price, uint64_t input, uint64_t output, unsigned uses, uint64_t when_ns)
{
    return price_at_most(price, &(struct price_ask){.input_tokens = input,
                                                    .output_tokens = output,
                                                    .uses = uses,
                                                    .when_ns = when_ns});
}

static int64_t most_of(const struct price *price, const char *tier, struct chat_pieces pieces)
{
    struct price_ask ask = {
        .input_tokens = 10, .output_tokens = 10, .pieces = pieces, .tier = slice_str(tier), .when_ns = 100 * S};
    return price_at_most(price, &ask).nano;
}

/* A provider may serve the usual tier instead, and use the tools that it was given. */
static void at_most_the_dearer_tier_and_all_searches_come(void)
{
    struct price_period p = period(100, PRICE_UNSET);
    struct price price = {&p, 1, ""};
    const struct chat_pieces none = {.images = 0}, tools = {.may_search = 3, .may_call = 2, .searches = 1};
    static const char *const names[] = {"", "priority", "flex"};
    static const int64_t rates[] = {2000, 5000, 1000};
    p.tier_count = 3;
    for (size_t i = 0; i < 3; i++) {
        p.tiers[i] = (struct price_tier){.rates = flat(PRICE_UNSET)};
        memcpy(p.tiers[i].name, names[i], strlen(names[i]) + 1);
        p.tiers[i].rates.pico[USAGE_INPUT] = p.tiers[i].rates.pico[USAGE_OUTPUT] = rates[i];
    }
    EXPECT_INT(40, most_of(&price, "", none));
    EXPECT_INT(100, most_of(&price, "priority", none));
    EXPECT_INT(40, most_of(&price, "flex", none));
    EXPECT_INT(40, most_of(&price, "unheard", none));
    EXPECT_INT(40, most_of(&price, "", tools)); /* no rate: nothing is paid for them */
    for (size_t i = 0; i < 2; i++) {
        p.tiers[i].rates.pico[USAGE_SEARCHES] = 10000000;
        p.tiers[i].rates.pico[USAGE_TOOL_CALLS] = 1000000;
    }
    EXPECT_INT(40 + 4 * 10000 + 2 * 1000, most_of(&price, "", tools));
    EXPECT_INT(100 + 4 * 10000 + 2 * 1000, most_of(&price, "priority", tools));
    EXPECT_INT(INT64_MAX, most_of(&price, "", (struct chat_pieces){.may_search = INT64_MAX, .searches = 1}));
}

static void at_most_the_dearer_of_text_and_reasoning_comes(void)
{
    struct price_period p = period(100, 0);
    struct price_rates *rates = &p.tiers[0].rates;
    struct price price = {&p, 1, ""};
    rates->pico[USAGE_INPUT] = 1000, rates->pico[USAGE_OUTPUT] = 5000, rates->pico[USAGE_REASONING] = 2000;
    EXPECT_INT(COST_UNPRICED, most(&price, 10, 10, 0, 100 * S - 1).state);
    EXPECT_INT(COST_UNPRICED, most(NULL, 10, 10, 0, 100 * S).state);
    EXPECT_INT(60, most(&price, 10, 10, 0, 100 * S).nano);
    rates->pico[USAGE_REASONING] = 7000;
    EXPECT_INT(80, most(&price, 10, 10, 0, 100 * S).nano);
    EXPECT_INT(0, most(&price, 0, 0, 0, 100 * S).nano);
    EXPECT_INT(INT64_MAX, most(&price, 0, UINT64_MAX, 0, 100 * S).nano);
    EXPECT(most(&price, UINT64_MAX, 0, 0, 100 * S).nano > 0);
}

/* A price without the rate that such an answer is paid by is none for it; one with it counts what is asked for. */
static void what_is_paid_by_the_piece_wants_a_rate_for_one(void)
{
    static const struct {
        enum chat_kind kind;
        enum usage_part one, other;
        struct chat_pieces pieces;
    } cases[] = {
        {CHAT_IMAGES, USAGE_IMAGES, USAGE_IMAGE_OUTPUT, {.images = 3}},
        {CHAT_IMAGE_EDITS, USAGE_IMAGES, USAGE_IMAGE_OUTPUT, {.images = 3}},
        {CHAT_IMAGE_VARIATIONS, USAGE_IMAGES, USAGE_IMAGE_OUTPUT, {.images = 3}},
        {CHAT_SPEECH, USAGE_CHARACTERS, USAGE_AUDIO_OUTPUT, {.characters = 3}},
        {CHAT_TRANSCRIPTIONS, USAGE_SECONDS, USAGE_AUDIO_INPUT, {.seconds = 3}},
        {CHAT_TRANSLATIONS, USAGE_SECONDS, USAGE_AUDIO_INPUT, {.seconds = 3}},
        {CHAT_RERANK, USAGE_SEARCHES, USAGE_INPUT, {.searches = 3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct price_period p = period(100, PRICE_UNSET);
        struct price_rates *rates = &p.tiers[0].rates;
        struct price price = {&p, 1, ""};
        struct price_ask ask = {.kind = cases[i].kind, .pieces = cases[i].pieces, .when_ns = 100 * S};
        for (int part = 0; part < USAGE_PARTS; part++)
            rates->pico[part] = PRICE_UNSET;
        rates->pico[USAGE_INPUT] = rates->pico[USAGE_OUTPUT] = rates->pico[USAGE_REQUESTS] = 0;
        EXPECT_INT(COST_UNPRICED, price_at_most(&price, &ask).state);
        EXPECT(price_lacks(&price, &ask) != NULL);
        EXPECT(price_lacks(NULL, &ask) == NULL);
        rates->pico[cases[i].one] = 5000;
        EXPECT_INT(15, price_at_most(&price, &ask).nano);
        EXPECT(price_lacks(&price, &ask) == NULL);
        rates->pico[cases[i].one] = PRICE_UNSET;
        rates->pico[cases[i].other] = 5000;
        EXPECT_INT(COST_KNOWN, price_at_most(&price, &ask).state);
        ask.kind = CHAT_CHAT;
        rates->pico[cases[i].other] = cases[i].other == USAGE_INPUT ? 0 : PRICE_UNSET;
        EXPECT_INT(COST_KNOWN, price_at_most(&price, &ask).state);
    }
}

static int64_t at_most(struct price_period *p, unsigned uses)
{
    struct price price = {p, 1, ""};
    return most(&price, 10, 10, uses, 100 * S).nano;
}

static void at_most_what_the_request_uses_is_billed(void)
{
    struct price_period p = period(100, PRICE_UNSET);
    struct price_rates *rates = &p.tiers[0].rates;
    for (int i = 0; i < USAGE_PARTS; i++)
        rates->pico[i] = PRICE_UNSET;
    rates->pico[USAGE_REQUESTS] = 0;
    rates->pico[USAGE_INPUT] = 3000, rates->pico[USAGE_OUTPUT] = 5000;
    EXPECT_INT(80, at_most(&p, ~0u));
    rates->pico[USAGE_CACHE_WRITE_5M] = 4000, rates->pico[USAGE_CACHE_WRITE_1H] = 6000;
    EXPECT_INT(80, at_most(&p, CHAT_USES_TOOLS));
    EXPECT_INT(110, at_most(&p, CHAT_USES_CACHING));
    rates->pico[USAGE_CACHE_WRITE_1H] = PRICE_UNSET;
    EXPECT_INT(90, at_most(&p, 0)); /* one rate for all writes: it may write unasked */
    rates->pico[USAGE_AUDIO_INPUT] = 10000, rates->pico[USAGE_AUDIO_OUTPUT] = 20000;
    rates->pico[USAGE_IMAGE_INPUT] = 9000;
    EXPECT_INT(90, at_most(&p, 0));
    EXPECT_INT(140, at_most(&p, CHAT_USES_IMAGES));
    EXPECT_INT(150, at_most(&p, CHAT_USES_FILES));
    EXPECT_INT(300, at_most(&p, CHAT_USES_AUDIO));
    rates->pico[USAGE_IMAGE_OUTPUT] = 30000;
    EXPECT_INT(340, at_most(&p, 0));
}

static void tiers_are_found_by_name(void)
{
    struct usage_parts one = input(1);
    struct price_period p = period(INT64_MIN, 9000);
    p.tiers[1] = (struct price_tier){.name = "batch", .rates = flat(4000)};
    p.tiers[2] = (struct price_tier){.name = "scale", .rates = flat(7000)};
    p.tier_count = 3;
    struct price price = {&p, 1, ""};
    static const char *const usual[] = {"", "default", "auto", "standard", "on_demand", "ON_DEMAND", "Standard"};
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        struct cost cost = price_cost(&price, &one, slice_str(usual[i]), 0);
        EXPECT_INT(9, cost.nano);
        EXPECT(cost.state == COST_KNOWN && !cost.is_tier_missing);
    }
    EXPECT_INT(4, price_cost(&price, &one, SLICE("batch"), 0).nano);
    EXPECT_INT(4, price_cost(&price, &one, SLICE("BATCH"), 0).nano);
    EXPECT_INT(4, price_cost(&price, &one, SLICE("ON_DEMAND_BATCH"), 0).nano);
    EXPECT_INT(7, price_cost(&price, &one, SLICE("scale"), 0).nano);
    p.tier_count = 2;
    EXPECT_INT(9, price_cost(&price, &one, SLICE("scale"), 0).nano);
    EXPECT_INT(COST_KNOWN, price_cost(&price, &one, SLICE("scale"), 0).state);
    struct cost cost = price_cost(&price, &one, SLICE("flex"), 0);
    EXPECT(cost.is_tier_missing);
    EXPECT_INT(COST_INCOMPLETE, cost.state);
    EXPECT_INT(9, cost.nano);
    EXPECT(price_rates_at(&price, 0, SLICE("flex"), 0) == &p.tiers[0].rates);
    EXPECT(price_rates_at(&price, 0, SLICE("batch"), 0) == &p.tiers[1].rates);
}

/* 100 exclusive, 200 inclusive: chosen by all that was read, whatever part it is. */
static void long_context_is_chosen_once(void)
{
    struct price_period p = period(INT64_MIN, 1000);
    p.tiers[0].longs[0] = (struct price_long){100, false, flat(2000)};
    p.tiers[0].longs[1] = (struct price_long){200, true, flat(3000)};
    p.tiers[0].long_count = 2;
    struct price price = {&p, 1, ""};
    static const struct {
        int64_t tokens, nano;
    } rows[] = {{99, 99}, {100, 100}, {101, 202}, {199, 398}, {200, 600}, {201, 603}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int part = USAGE_INPUT; part <= USAGE_IMAGE_INPUT; part++) {
            struct usage_parts parts = {.count = {[USAGE_CACHE_READ] = 50}};
            parts.count[part] += rows[i].tokens - 50;
            struct cost cost = price_cost(&price, &parts, SLICE(""), 0);
            EXPECT_INT(rows[i].nano, cost.nano);
            EXPECT_INT(rows[i].tokens > 100, cost.is_long);
        }
        EXPECT_INT(rows[i].nano / rows[i].tokens * 1000,
                   price_rates_at(&price, (uint64_t)rows[i].tokens, SLICE(""), 0)->pico[USAGE_OUTPUT]);
    }
    struct usage_parts out = {.count = {[USAGE_OUTPUT] = 1000}};
    EXPECT_INT(1000, price_cost(&price, &out, SLICE(""), 0).nano);
}

static void what_has_no_rate_is_named(void)
{
    struct price_period p = period(INT64_MIN, 1000);
    struct price price = {&p, 1, ""};
    for (int i = 0; i < USAGE_PARTS; i++) {
        struct usage_parts parts = {.count = {0}};
        p.tiers[0].rates = flat(1000);
        p.tiers[0].rates.pico[i] = PRICE_UNSET;
        EXPECT_INT(COST_KNOWN, price_cost(&price, &parts, SLICE(""), 0).state);
        for (int k = 0; k < USAGE_PARTS; k++)
            parts.count[k] = 2;
        struct cost cost = price_cost(&price, &parts, SLICE(""), 0);
        EXPECT_INT(COST_INCOMPLETE, cost.state);
        EXPECT_INT(1u << i, cost.missing);
        EXPECT_INT(2 * (USAGE_PARTS - 1), cost.nano);
    }
    p.tiers[0].rates = flat(0);
    struct usage_parts parts = input(1000);
    EXPECT_INT(COST_KNOWN, price_cost(&price, &parts, SLICE(""), 0).state);
    EXPECT_INT(0, price_cost(&price, &parts, SLICE(""), 0).nano);
}

static void beyond_int64_it_stays_there(void)
{
    struct price_period p = period(INT64_MIN, 1000);
    struct price price = {&p, 1, ""};
    struct usage_parts parts = input(INT64_MAX);
    struct cost cost = price_cost(&price, &parts, SLICE(""), 0);
    EXPECT(cost.nano == INT64_MAX && !cost.is_overflow);
    parts.count[USAGE_OUTPUT] = 1;
    cost = price_cost(&price, &parts, SLICE(""), 0);
    EXPECT(cost.nano == INT64_MAX && cost.is_overflow);
    p.tiers[0].rates = flat(PRICE_RATE_MAX);
    for (int i = 0; i < USAGE_PARTS; i++)
        parts.count[i] = INT64_MAX;
    cost = price_cost(&price, &parts, SLICE(""), 0);
    EXPECT(cost.nano == INT64_MAX && cost.is_overflow);
    EXPECT_INT(COST_KNOWN, cost.state);
}

static void a_revision_names_its_figures(void)
{
    struct price_period periods[] = {period(INT64_MIN, 1000), period(100, 2000)};
    struct price price = {periods, 1, ""};
    char revisions[10][PRICE_REVISION_BYTES];
    size_t count = 0;
    struct price_tier *tier = &periods[0].tiers[0];
#define NOTE() (price_seal(&price), memcpy(revisions[count++], price.revision, PRICE_REVISION_BYTES))
    NOTE();
    tier->rates.pico[USAGE_OUTPUT] = 1001, NOTE();
    tier->rates.pico[USAGE_OUTPUT] = PRICE_UNSET, NOTE();
    tier->rates.pico[USAGE_OUTPUT] = 0, NOTE();
    tier->longs[0] = (struct price_long){100, false, flat(1)}, tier->long_count = 1, NOTE();
    tier->longs[0].is_inclusive = true, NOTE();
    periods[0].tiers[1] = (struct price_tier){.name = "batch", .rates = flat(4000)}, periods[0].tier_count = 2, NOTE();
    memcpy(periods[0].tiers[1].name, "flex", 5), NOTE();
    price.period_count = 2, NOTE();
    periods[1].from_s = 101, NOTE();
    for (size_t i = 0; i < count; i++) {
        EXPECT_INT(12, strlen(revisions[i]));
        EXPECT_INT(12, strspn(revisions[i], "0123456789abcdef"));
        for (size_t k = 0; k < i; k++)
            EXPECT(strcmp(revisions[i], revisions[k]) != 0);
    }
    price_seal(&price);
    EXPECT_STR(revisions[count - 1], price.revision);
}

static void parts_have_the_names_that_prices_use(void)
{
    static const char *const names[] = {"input",       "cached_input", "cache_write",  "cache_write_1h",
                                        "audio_input", "image_input",  "output",       "reasoning",
                                        "audio_output", "image_output", "images", "searches", "tool_calls", "seconds",
                                        "characters",  "requests"};
    EXPECT_INT(USAGE_PARTS, sizeof names / sizeof names[0]);
    for (int i = 0; i < USAGE_PARTS; i++)
        EXPECT_STR(names[i], usage_part_name(i));
}

/* --- Random records: the arithmetic is of 32-bit digits, as on paper, and shares nothing with the room's. --- */

#define DIGITS 6u

struct wide {
    uint32_t digit[DIGITS]; /* the lowest first */
};

static void wide_add(struct wide *w, uint64_t value, unsigned at)
{
    uint64_t carry = value;
    for (unsigned i = at; carry && i < DIGITS; i++) {
        carry += w->digit[i];
        w->digit[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void wide_add_product(struct wide *w, uint64_t a, uint64_t b)
{
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned k = 0; k < 2; k++)
            wide_add(w, (a >> 32 * i & UINT32_MAX) * (b >> 32 * k & UINT32_MAX), i + k);
    }
}

/* By 1,000, rounded up; INT64_MAX when it is more. */
static uint64_t wide_to_nano(struct wide w)
{
    uint64_t rest = 0;
    wide_add(&w, 999, 0);
    for (unsigned i = DIGITS; i-- > 0;) {
        rest = rest << 32 | w.digit[i];
        w.digit[i] = (uint32_t)(rest / 1000);
        rest %= 1000;
    }
    for (unsigned i = 2; i < DIGITS; i++) {
        if (w.digit[i]) return INT64_MAX;
    }
    uint64_t nano = (uint64_t)w.digit[1] << 32 | w.digit[0];
    return nano < INT64_MAX ? nano : INT64_MAX;
}

static uint64_t seed = 0x9e3779b97f4a7c15u;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static uint64_t below(uint64_t bound)
{
    return draw() % bound;
}

/* Mostly what prices are; some free, some without a rate, some at the bound. */
static void draw_rates(struct price_rates *rates)
{
    for (int i = 0; i < USAGE_PARTS; i++) {
        uint64_t kind = below(20);
        rates->pico[i] = kind == 0   ? PRICE_UNSET
                         : kind == 1 ? 0
                         : kind == 2 ? PRICE_RATE_MAX - (int64_t)below(3)
                                     : (int64_t)below(100000000);
    }
}

static const char *const tier_names[] = {"", "batch", "flex", "unheard_of"};

static void draw_period(struct price_period *p, int64_t from_s)
{
    p->from_s = from_s;
    p->tier_count = 1 + below(3);
    for (size_t t = 0; t < p->tier_count; t++) {
        struct price_tier *tier = &p->tiers[t];
        snprintf(tier->name, sizeof tier->name, "%s", tier_names[t]);
        draw_rates(&tier->rates);
        tier->long_count = below(3);
        for (size_t l = 0; l < tier->long_count; l++) {
            tier->longs[l].input_tokens = 200000 * (l + 1);
            tier->longs[l].is_inclusive = below(2);
            draw_rates(&tier->longs[l].rates);
        }
    }
}

static void draw_parts(struct usage_parts *parts)
{
    static const uint64_t bounds[] = {10, 1000, 100000, 2};
    for (int i = 0; i < USAGE_PARTS; i++) {
        uint64_t kind = draw();
        parts->count[i] = kind & 1 ? 0 : (int64_t)below(bounds[kind >> 1 & 3]);
        if ((kind >> 8 & 8191) == 0) parts->count[i] = (int64_t)below(USAGE_TOKENS_MAX);
        if ((kind >> 32 & 1023) == 0) parts->count[i] = 100000 * (int64_t)below(5);
    }
}

static const struct price_rates *oracle_rates(const struct price_period *p, size_t tier,
                                              const struct usage_parts *parts)
{
    const struct price_tier *t = &p->tiers[tier < p->tier_count ? tier : 0];
    uint64_t read = 0;
    for (int i = 0; i < 6; i++)
        read += (uint64_t)parts->count[i];
    for (size_t l = t->long_count; l-- > 0;) {
        if (read + t->longs[l].is_inclusive > t->longs[l].input_tokens) return &t->longs[l].rates;
    }
    return &t->rates;
}

static uint64_t oracle_nano(const struct price_rates *rates, const struct usage_parts *parts)
{
    struct wide sum = {{0}};
    for (int i = 0; i < USAGE_PARTS; i++) {
        if (rates->pico[i] != PRICE_UNSET) {
            wide_add_product(&sum, (uint64_t)rates->pico[i], (uint64_t)parts->count[i]);
        }
    }
    return wide_to_nano(sum);
}

static void random_records_add_up(void)
{
    static struct price_period periods[2];
    struct price price = {periods, 2, ""};
    struct wide want = {{0}}, got = {{0}};
    unsigned saturated = 0, wrong = 0;
    for (unsigned n = 0; n < RECORDS; n++) {
        struct usage_parts parts = {.count = {0}};
        if (n % 1000 == 0) draw_period(&periods[0], 1000), draw_period(&periods[1], 2000);
        size_t tier = below(4), later = below(2);
        draw_parts(&parts);
        uint64_t nano = oracle_nano(oracle_rates(&periods[later], tier, &parts), &parts);
        struct cost cost = price_cost(&price, &parts, slice_str(tier_names[tier]), (later ? 2000 : 1999) * S);
        if ((uint64_t)cost.nano != nano && wrong++ < 10) {
            UNIT_FAIL("record %u: %" PRIu64 ", got %" PRId64, n, nano, cost.nano);
        }
        saturated += cost.is_overflow;
        wide_add(&want, nano, 0);
        wide_add(&got, (uint64_t)cost.nano, 0);
    }
    EXPECT_INT(0, wrong);
    EXPECT(memcmp(&want, &got, sizeof want) == 0);
    EXPECT(saturated > 0 && saturated < RECORDS / 2);
    printf("price: %u random records, %u beyond int64\n", RECORDS, saturated);
}

int main(void)
{
    RUN(without_a_price_there_is_no_cost);
    RUN(the_last_period_that_has_begun_holds);
    RUN(at_most_the_dearer_tier_and_all_searches_come);
    RUN(at_most_the_dearer_of_text_and_reasoning_comes);
    RUN(what_is_paid_by_the_piece_wants_a_rate_for_one);
    RUN(at_most_what_the_request_uses_is_billed);
    RUN(tiers_are_found_by_name);
    RUN(long_context_is_chosen_once);
    RUN(what_has_no_rate_is_named);
    RUN(beyond_int64_it_stays_there);
    RUN(a_revision_names_its_figures);
    RUN(parts_have_the_names_that_prices_use);
    RUN(random_records_add_up);
    return unit_close("price");
}
