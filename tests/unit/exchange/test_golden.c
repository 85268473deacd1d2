/* Golden usage objects of all dialects: raw JSON to disjoint parts to nano-dollars, against figures made by hand. */
#include "../unit.h"

#include "golden_edges.h"
#include "golden_openai.h"
#include "golden_vendors.h"

/* In pico-dollars a token: 2,500,000 is 2.50 USD per million. All parts differ, so that none can pass for another. */
static struct price_period periods[GOLDEN_PRICES] = {
    [PLAIN] = {INT64_MIN,
               {{"",
                 {{[IN] = 2500000, [CACHED] = 1250000, [WRITE] = 3125000, [WRITE_1H] = 5000000, [AUDIO_IN] = 40000000,
                   [IMAGE_IN] = 6000000, [OUT] = 10000000, [REASON] = 12000000, [AUDIO_OUT] = 80000000,
                   [IMAGE_OUT] = 30000000, [IMAGES] = 40000000000}},
                 {{0}},
                 0}},
               1},
    [ODD] = {INT64_MIN, {{"", {{[IN] = 37500, [CACHED] = 18750, [OUT] = 150001}}, {{0}}, 0}}, 1},
    [TEXT] = {INT64_MIN, {{"", {{[IN] = 2500000, [OUT] = 10000000, [REASON] = 10000000}}, {{0}}, 0}}, 1},
    [FEE] = {INT64_MIN, {{"", {{[IN] = 2500000, [OUT] = 10000000, [REQ] = 5000000000}}, {{0}}, 0}}, 1},
    [LONG] = {INT64_MIN,
              {{"",
                {{[IN] = 2500000, [CACHED] = 1250000, [WRITE] = 3125000, [OUT] = 10000000}},
                {{272000, false, {{[IN] = 5000000, [CACHED] = 2500000, [WRITE] = 6250000, [OUT] = 15000000}}}},
                1}},
              1},
    [FROM] = {INT64_MIN,
              {{"",
                {{[IN] = 1250000, [OUT] = 5000000}},
                {{200000, true, {{[IN] = 2500000, [OUT] = 7500000}}}},
                1}},
              1},
    [TIERS] = {INT64_MIN,
               {{"", {{[IN] = 2500000, [CACHED] = 1250000, [OUT] = 10000000, [REASON] = 10000000}}, {{0}}, 0},
                {"batch", {{[IN] = 1250000, [CACHED] = 625000, [OUT] = 5000000}}, {{0}}, 0},
                {"priority", {{[IN] = 4250000, [CACHED] = 2125000, [OUT] = 17000000}}, {{0}}, 0}},
               3},
};

/* What the table leaves at 0 has no rate; a request is free where no fee is said. */
static void unset(struct price_rates *rates)
{
    for (int i = 0; i < USAGE_REQUESTS; i++) {
        if (rates->pico[i] == 0) rates->pico[i] = PRICE_UNSET;
    }
}

static void unset_all(void)
{
    for (size_t p = 0; p < GOLDEN_PRICES; p++) {
        for (size_t t = 0; t < periods[p].tier_count; t++) {
            struct price_tier *tier = &periods[p].tiers[t];
            unset(&tier->rates);
            for (size_t l = 0; l < tier->long_count; l++)
                unset(&tier->longs[l].rates);
        }
    }
}

static void feed(struct usage *u, const struct golden *g, const char *report)
{
    struct json_tape tape;
    struct fault why = {0};
    char text[1024];
    size_t len = strlen(report);
    if (len >= sizeof text) UNIT_FAIL("%s: too long", g->name);
    for (size_t i = 0; i <= len && i < sizeof text; i++)
        text[i] = report[i] == '\'' ? '"' : report[i];
    json_init(&tape);
    if (!json_parse(&tape, slice_of(text, len), &why)) UNIT_FAIL("%s: %s", g->name, why.text);
    usage_read(u, g->shape, &tape);
    json_clear(&tape);
}

static void check_parts(const struct golden *g, const struct usage *u, const struct usage_parts *parts)
{
    for (int i = 0; i < USAGE_PARTS; i++) {
        int64_t want = g->parts[i], got = parts->count[i];
        if (got != want) UNIT_FAIL("%s: %s: %" PRId64 ", got %" PRId64, g->name, usage_part_name(i), want, got);
    }
    if (parts->is_suspect != g->is_suspect) UNIT_FAIL("%s: suspect is %d", g->name, parts->is_suspect);
    if (u->is_suspect != g->is_suspect) UNIT_FAIL("%s: the raw report's suspect is %d", g->name, u->is_suspect);
    EXPECT_STR(g->tier ? g->tier : "", u->service_tier);
    EXPECT_SLICE(slice_str(u->service_tier), usage_service_tier(u));
}

static void check_cost(const struct golden *g, const struct usage *u, const struct usage_parts *parts)
{
    struct price price = {&periods[g->price], 1, ""};
    struct cost cost = price_cost(&price, parts, usage_service_tier(u), 1700000000000000000u);
    bool is_whole = !g->missing && !g->is_tier_missing;
    if (cost.nano != g->nano) UNIT_FAIL("%s: costs %" PRId64 ", expected %" PRId64, g->name, cost.nano, g->nano);
    if (cost.state != (is_whole ? COST_KNOWN : COST_INCOMPLETE)) UNIT_FAIL("%s: state %d", g->name, cost.state);
    if (cost.missing != g->missing) UNIT_FAIL("%s: missing %x", g->name, cost.missing);
    if (cost.is_long != g->is_long) UNIT_FAIL("%s: long %d", g->name, cost.is_long);
    if (cost.is_tier_missing != g->is_tier_missing) UNIT_FAIL("%s: tier missing %d", g->name, cost.is_tier_missing);
    if (cost.is_overflow != (g->nano == INT64_MAX)) UNIT_FAIL("%s: overflow %d", g->name, cost.is_overflow);
}

static void check_all(const struct golden *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct usage u;
        struct usage_parts parts;
        usage_init(&u);
        for (size_t r = 0; r < GOLDEN_REPORTS && rows[i].reports[r]; r++)
            feed(&u, &rows[i], rows[i].reports[r]);
        usage_normalise(&u, &parts);
        check_parts(&rows[i], &u, &parts);
        check_cost(&rows[i], &u, &parts);
    }
}

#define ROWS(list) list, sizeof(list) / sizeof((list)[0])

static void openai_shapes(void)
{
    check_all(ROWS(golden_openai));
}

static void vendors_shapes(void)
{
    check_all(ROWS(golden_vendors));
}

static void edges(void)
{
    check_all(ROWS(golden_edges));
}

int main(void)
{
    unset_all();
    RUN(openai_shapes);
    RUN(vendors_shapes);
    RUN(edges);
    printf("golden usage: %zu reports\n",
           (sizeof golden_openai + sizeof golden_vendors + sizeof golden_edges) / sizeof golden_edges[0]);
    return unit_close("golden");
}
