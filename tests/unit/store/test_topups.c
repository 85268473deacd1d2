/* Top-ups: the snapshot workers hold, and what it adds to a budget at a time. */
#include "../unit.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/topups_build.h"

#define FULL                                                                                                           \
    "\"id\":\"topup_a\",\"budget\":\"budget/sales\",\"scope\":\"department=sales\",\"starts_at\":100,\"ends_at\":200"

static struct topups *parse(const char *json)
{
    struct fault why = {0};
    struct topups *topups = topups_parse(slice_str(json), &why);
    if (!topups) UNIT_FAIL("%s: %s", json, why.text);
    return topups;
}

static int64_t nano(const struct topups *t, const char *budget, const char *scope, int64_t now_s)
{
    struct topups_sum sum = topups_now(t, slice_str(budget), slice_str(scope), now_s);
    EXPECT((sum.nano > 0) == (sum.ends_at > now_s));
    EXPECT((sum.nano > 0) == (sum.count > 0));
    return sum.nano;
}

static void it_adds_to_its_budget_and_scope_while_it_lasts(void)
{
    struct topups *t = parse("{\"topups\":[{" FULL ",\"nano\":7}]}");
    EXPECT_INT(1, topups_count(t));
    EXPECT_INT(0, nano(t, "budget/sales", "department=sales", 99));
    EXPECT_INT(7, nano(t, "budget/sales", "department=sales", 100));
    EXPECT_INT(7, nano(t, "budget/sales", "department=sales", 199));
    EXPECT_INT(0, nano(t, "budget/sales", "department=sales", 200));
    EXPECT_INT(0, nano(t, "budget/default", "department=sales", 150));
    EXPECT_INT(0, nano(t, "budget/sales", "department=sale", 150));
    EXPECT_INT(0, nano(t, "budget/sales", "", 150));
    topups_unref(topups_ref(t));
    topups_unref(t);
}

static void expect_sum(const struct topups *t, int64_t now_s, struct topups_sum expected)
{
    struct topups_sum sum = topups_now(t, SLICE("b/r"), SLICE_NONE, now_s);
    EXPECT_INT(expected.nano, sum.nano);
    EXPECT_INT(expected.ends_at, sum.ends_at);
    EXPECT_INT(expected.count, sum.count);
}

static void several_add_up_until_the_first_of_them_ends(void)
{
    struct topups *t = parse("{\"topups\":["
                             "{\"id\":\"a\",\"budget\":\"b/r\",\"scope\":\"\",\"nano\":1,\"starts_at\":0,\"ends_at\":300},"
                             "{\"id\":\"b\",\"budget\":\"b/s\",\"scope\":\"\",\"nano\":10,\"starts_at\":0,\"ends_at\":50},"
                             "{\"id\":\"c\",\"budget\":\"b/r\",\"scope\":\"\",\"nano\":100,\"starts_at\":0,\"ends_at\":200},"
                             "{\"id\":\"d\",\"budget\":\"b/r\",\"scope\":\"\",\"nano\":1000,\"starts_at\":9,\"ends_at\":400}]}");
    expect_sum(t, 8, (struct topups_sum){101, 200, 2});
    expect_sum(t, 9, (struct topups_sum){1101, 200, 3});
    expect_sum(t, 200, (struct topups_sum){1001, 300, 2});
    expect_sum(t, 300, (struct topups_sum){1000, 400, 1});
    expect_sum(t, 400, (struct topups_sum){0});
    topups_unref(t);
}

/* Policies count in numbers that are exact below 2^53. */
static void their_sum_has_a_bound(void)
{
    char json[1024];
    snprintf(json, sizeof json, "{\"topups\":[{" FULL ",\"nano\":%lld},{" FULL ",\"nano\":%lld},{" FULL ",\"nano\":1}]}",
             (long long)LIMIT_TOPUP_NANO, (long long)LIMIT_TOPUP_NANO);
    struct topups *t = parse(json);
    EXPECT_INT(LIMIT_TOPUP_NANO, nano(t, "budget/sales", "department=sales", 150));
    EXPECT(LIMIT_TOPUP_NANO <= (INT64_C(1) << 53) / 2);
    topups_unref(t);
}

static void none_add_nothing(void)
{
    struct topups *t = topups_empty();
    EXPECT_INT(0, topups_count(t));
    EXPECT_INT(0, nano(t, "b/r", "", 1));
    EXPECT_INT(0, nano(NULL, "b/r", "", 1));
    topups_unref(t);
    topups_unref(NULL);
    t = parse("{\"topups\":[]}");
    EXPECT_INT(0, nano(t, "b/r", "", 1));
    topups_unref(t);
}

static void what_is_not_a_snapshot_is_refused_with_its_place(void)
{
    static const struct {
        const char *json, *word;
    } cases[] = {
        {"", "line"},
        {"[]", "object"},
        {"{\"keys\":[]}", "object"},
        {"{\"topups\":{}}", "object"},
        {"{\"topups\":[],\"keys\":[]}", "one field"},
        {"{\"topups\":[1]}", "topups[0]"},
        {"{\"topups\":[{" FULL "}]}", "topups[0].nano: missing"},
        {"{\"topups\":[{" FULL ",\"nano\":1},{\"nano\":1}]}", "topups[1].id: missing"},
        {"{\"topups\":[{" FULL ",\"nano\":0}]}", "topups[0].nano: out of"},
        {"{\"topups\":[{" FULL ",\"nano\":-1}]}", "topups[0].nano: out of"},
        {"{\"topups\":[{" FULL ",\"nano\":4000000000000001}]}", "topups[0].nano: out of"},
        {"{\"topups\":[{" FULL ",\"nano\":9223372036854775808}]}", "line"},
        {"{\"topups\":[{" FULL ",\"nano\":1.5}]}", "topups[0].nano: not a whole"},
        {"{\"topups\":[{" FULL ",\"nano\":\"1\"}]}", "topups[0].nano: not a whole"},
        {"{\"topups\":[{" FULL ",\"nano\":1,\"usd\":1}]}", "topups[0].usd: no such"},
        {"{\"topups\":[{" FULL ",\"nano\":1,\"nano\":2}]}", "duplicate"},
        {"{\"topups\":[{\"id\":7,\"budget\":\"b\",\"scope\":\"\",\"nano\":1,\"starts_at\":1,\"ends_at\":2}]}",
         "topups[0].id: not a string"},
        {"{\"topups\":[{\"id\":\"a\",\"budget\":\"\",\"scope\":\"\",\"nano\":1,\"starts_at\":1,\"ends_at\":2}]}",
         "topups[0].budget: empty"},
        {"{\"topups\":[{\"id\":\"a\",\"budget\":\"b\",\"scope\":\"\",\"nano\":1,\"starts_at\":-1,\"ends_at\":2}]}",
         "topups[0].starts_at: out of"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fault why = {0};
        struct topups *t = topups_parse(slice_str(cases[i].json), &why);
        if (t || !strstr(why.text, cases[i].word)) UNIT_FAIL("%s: %s", cases[i].json, why.text);
        topups_unref(t);
    }
}

static void append_item(struct buf *json, size_t i, size_t name_bytes)
{
    buf_printf(json, "%s{\"id\":\"t%zu\",\"nano\":1,\"starts_at\":1,\"ends_at\":2,\"budget\":\"", i ? "," : "", i);
    for (size_t n = 0; n < name_bytes; n++)
        buf_append_char(json, 'b');
    buf_append(json, SLICE("\",\"scope\":\"\"}"));
}

static struct topups *parse_many(size_t count, size_t name_bytes, struct fault *why)
{
    struct buf json;
    buf_init(&json);
    buf_append(&json, SLICE("{\"topups\":["));
    for (size_t i = 0; i < count; i++)
        append_item(&json, i, name_bytes);
    buf_append(&json, SLICE("]}"));
    struct topups *t = topups_parse(buf_slice(&json), why);
    buf_clear(&json);
    return t;
}

static void their_number_and_their_texts_have_bounds(void)
{
    struct fault why = {0};
    struct topups *t = parse_many(LIMIT_TOPUPS, 1, &why);
    EXPECT_INT(LIMIT_TOPUPS, nano(t, "b", "", 1));
    topups_unref(t);
    EXPECT(parse_many(LIMIT_TOPUPS + 1, 1, &why) == NULL);
    EXPECT(strstr(why.text, "1001 are over the limit") != NULL);
    t = parse_many(1, LIMIT_TOPUP_NAME_BYTES, &why);
    EXPECT(t != NULL);
    topups_unref(t);
    EXPECT(parse_many(1, LIMIT_TOPUP_NAME_BYTES + 1, &why) == NULL);
    EXPECT(strstr(why.text, "topups[0].budget: longer") != NULL);
    char *wide = mem_zalloc(LIMIT_TOPUPS_BYTES + 1, 1);
    EXPECT(topups_parse(slice_of(wide, LIMIT_TOPUPS_BYTES + 1), &why) == NULL);
    EXPECT(strstr(why.text, "over the limit") != NULL);
    mem_free(wide);
}

/* ---- Against sums made one by one. */

#define ITEMS 200

struct plain {
    unsigned budget, scope;
    int64_t nano, starts_at, ends_at;
};

static uint32_t below(uint32_t n)
{
    static uint64_t state = 0x9E3779B97F4A7C15ull;
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(state >> 33) % n;
}

static void make_random(struct plain *items, struct buf *json)
{
    buf_append(json, SLICE("{\"topups\":["));
    for (size_t i = 0; i < ITEMS; i++) {
        struct plain *p = &items[i];
        *p = (struct plain){below(4), below(4), 1 + below(1000), below(50), 0};
        p->ends_at = p->starts_at + 1 + below(50);
        buf_printf(json,
                   "%s{\"id\":\"t\",\"budget\":\"b%u\",\"scope\":\"s%u\",\"nano\":%d,\"starts_at\":%d,\"ends_at\":%d}",
                   i ? "," : "", p->budget, p->scope, (int)p->nano, (int)p->starts_at, (int)p->ends_at);
    }
    buf_append(json, SLICE("]}"));
}

static int64_t sum(const struct plain *items, unsigned budget, unsigned scope, int64_t now_s, int64_t *ends_at)
{
    int64_t nano_sum = 0;
    *ends_at = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        const struct plain *p = &items[i];
        if (p->budget != budget || p->scope != scope || now_s < p->starts_at || now_s >= p->ends_at) continue;
        nano_sum += p->nano;
        if (!*ends_at || p->ends_at < *ends_at) *ends_at = p->ends_at;
    }
    return nano_sum;
}

static void compare(const struct topups *t, const struct plain *items, int64_t now_s)
{
    char budget[8], scope[8];
    for (unsigned i = 0; i < 25; i++) {
        int64_t expected_end, expected = sum(items, i / 5, i % 5, now_s, &expected_end);
        snprintf(budget, sizeof budget, "b%u", i / 5);
        snprintf(scope, sizeof scope, "s%u", i % 5);
        struct topups_sum found = topups_now(t, slice_str(budget), slice_str(scope), now_s);
        EXPECT_INT(expected, found.nano);
        EXPECT_INT(expected_end, found.ends_at);
    }
}

static void it_adds_what_sums_add(void)
{
    struct plain items[ITEMS];
    struct buf json;
    for (int round = 0; round < 20; round++) {
        buf_init(&json);
        make_random(items, &json);
        struct fault why = {0};
        struct topups *t = topups_parse(buf_slice(&json), &why);
        if (!t) UNIT_FAIL("%s", why.text);
        for (int64_t now_s = 0; t && now_s < 105; now_s++)
            compare(t, items, now_s);
        topups_unref(t);
        buf_clear(&json);
    }
}

/* Bytes changed anywhere: refused with words, or read; never beyond the text. */
static void damaged_bytes_are_read_to_no_harm(void)
{
    static const char seed[] = "{\"topups\":[{" FULL ",\"nano\":7},{" FULL ",\"nano\":8}]}";
    unsigned refused = 0;
    for (int i = 0; i < 20000; i++) {
        struct fault why = {0};
        size_t len = 1 + below(sizeof seed - 1);
        char *copy = mem_alloc(len); /* just as long: what is read behind it is seen by the sanitizer */
        memcpy(copy, seed + (i % 2 ? sizeof seed - 1 - len : 0), len);
        for (uint32_t n = below(4); n > 0; n--)
            copy[below((uint32_t)len)] = (char)below(256);
        struct topups *t = topups_parse(slice_of(copy, len), &why);
        refused += t == NULL;
        EXPECT(t || why.text[0]);
        topups_unref(t);
        mem_free(copy);
    }
    EXPECT(refused > 1000);
}

int main(void)
{
    RUN(it_adds_to_its_budget_and_scope_while_it_lasts);
    RUN(several_add_up_until_the_first_of_them_ends);
    RUN(their_sum_has_a_bound);
    RUN(none_add_nothing);
    RUN(what_is_not_a_snapshot_is_refused_with_its_place);
    RUN(their_number_and_their_texts_have_bounds);
    RUN(it_adds_what_sums_add);
    RUN(damaged_bytes_are_read_to_no_harm);
    return unit_close("topups");
}
