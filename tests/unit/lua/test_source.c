/* Places of values in a policy's source, and the zones of the clock. */
#include "../unit.h"

#include "base/mem.h"
#include "lua/source.h"
#include "lua/zone.h"

static const char sample[] =
    "-- return decoy { x = 1 }\n"
    "local function f(n) if n then return { no = 1 } end end\n"
    "local t = [[ return also { no = 1 } ]]\n"
    "return access({\n"
    "  models = {\n"
    "    [\"gpt-4o\"] = { departments = { \"a\", 'b' }, data = at_least \"x\" },\n"
    "  }, --[==[ ]] ]==]\n"
    "  rules = {\n"
    "    { \"one\", when = function(ctx) return { a = 1, b = { 2 } } end, deny = { 403, \"c\" } };\n"
    "\t{ \"two\", when = { hours = \"1,2}\" }, only = { \"x/*\" } },\n"
    "  },\n"
    "  last = f { 1, 2 }\n"
    "})\n";

#define NAME(text)                                                                                                     \
    {                                                                                                                  \
        .name = SLICE(text)                                                                                            \
    }
#define INDEX(i)                                                                                                       \
    {                                                                                                                  \
        .index = i                                                                                                     \
    }

#define EXPECT_PLACE(want_found, want_line, want_column, ...)                                                          \
    do {                                                                                                               \
        struct source_key path[] = {__VA_ARGS__};                                                                      \
        struct source_place at;                                                                                        \
        EXPECT_INT(want_found, source_locate(slice_str(sample), path, sizeof path / sizeof path[0], &at));             \
        EXPECT_INT(want_line, at.line);                                                                                \
        EXPECT_INT(want_column, at.column);                                                                            \
    } while (0)

static void fields_are_found_at_their_keys(void)
{
    EXPECT_PLACE(true, 5, 3, NAME("models"));
    EXPECT_PLACE(true, 6, 5, NAME("models"), NAME("gpt-4o"));
    EXPECT_PLACE(true, 6, 48, NAME("models"), NAME("gpt-4o"), NAME("data"));
    EXPECT_PLACE(true, 12, 3, NAME("last"));
}

static void items_are_found_at_their_values(void)
{
    EXPECT_PLACE(true, 9, 5, NAME("rules"), INDEX(1));
    EXPECT_PLACE(true, 10, 2, NAME("rules"), INDEX(2));
    EXPECT_PLACE(true, 9, 82, NAME("rules"), INDEX(1), NAME("deny"), INDEX(2));
    EXPECT_PLACE(true, 6, 41, NAME("models"), NAME("gpt-4o"), NAME("departments"), INDEX(2));
    EXPECT_PLACE(true, 10, 38, NAME("rules"), INDEX(2), NAME("only"));
    EXPECT_PLACE(true, 12, 17, NAME("last"), INDEX(2)); /* through the call of a constructor */
}

static void what_is_not_there_gives_the_deepest_place(void)
{
    EXPECT_PLACE(false, 6, 5, NAME("models"), NAME("gpt-4o"), NAME("nothing"));
    EXPECT_PLACE(false, 9, 14, NAME("rules"), INDEX(1), NAME("when"), NAME("a"));
    EXPECT_PLACE(false, 6, 48, NAME("models"), NAME("gpt-4o"), NAME("data"), INDEX(1));
}

static void a_text_without_a_table_has_no_place(void)
{
    struct source_place at;
    struct source_key path[] = {NAME("x")};
    EXPECT(!source_locate(SLICE(""), path, 1, &at));
    EXPECT_INT(0, at.line);
    EXPECT(!source_locate(SLICE("local p = policy {}\nreturn p"), path, 1, &at));
    EXPECT_INT(0, at.line);
    EXPECT(source_locate(SLICE("\nreturn policy {"), path, 0, &at));
    EXPECT_INT(2, at.line);
    EXPECT_INT(15, at.column);
}

/* Nothing is read beyond the end, wherever the text is cut and whatever stands in it. */
static void any_bytes_will_do(void)
{
    struct source_key path[] = {NAME("rules"), INDEX(2), NAME("only"), INDEX(1)};
    struct source_place at;
    for (size_t len = 0; len < sizeof sample; len++) {
        char *cut = mem_strndup(sample, len);
        char *exact = mem_alloc(len + 1);
        memcpy(exact, cut, len);
        source_locate(slice_of(exact, len), path, 4, &at);
        mem_free(exact);
        mem_free(cut);
    }
    uint32_t seed = 1;
    char noise[64];
    static const char letters[] = "return x{}[]=,;\"'\\-[[]]function end if do a1\n";
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof noise; i++) {
            seed = seed * 1664525u + 1013904223u;
            noise[i] = letters[(seed >> 16) % (sizeof letters)];
        }
        memcpy(noise, "return x{", 9);
        source_locate(slice_of(noise, sizeof noise), path, 4, &at);
    }
}

static int32_t offset_at(const struct zone_change *changes, size_t count, int64_t time)
{
    int32_t offset = changes[0].offset_s;
    for (size_t i = 1; i < count && changes[i].at_s <= time; i++)
        offset = changes[i].offset_s;
    return offset;
}

static void zones_know_their_summers(void)
{
    struct zone_change changes[ZONE_CHANGES_MAX];
    size_t count = zone_read("Europe/Berlin", changes, ZONE_CHANGES_MAX);
    EXPECT(count > 100);
    EXPECT_INT(3600, offset_at(changes, count, 1736251200)); /* 7 January 2025 */
    EXPECT_INT(7200, offset_at(changes, count, 1748952000)); /* 3 June 2025 */
    EXPECT_INT(3600, offset_at(changes, count, 1743296399)); /* 30 March 2025, 00:59:59 UTC */
    EXPECT_INT(7200, offset_at(changes, count, 1743296400));
    count = zone_read("America/New_York", changes, ZONE_CHANGES_MAX);
    EXPECT_INT(-18000, offset_at(changes, count, 1736251200));
    for (size_t i = 1; i < count; i++)
        EXPECT(changes[i].at_s > changes[i - 1].at_s);
}

static void only_zones_are_zones(void)
{
    static const char *const names[] = {"Mars/Olympus", "",       "/etc/passwd", "../../etc/passwd",
                                        "Europe/",      "Europe", "zone.tab",    "Europe//Berlin"};
    struct zone_change changes[ZONE_CHANGES_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (zone_read(names[i], changes, ZONE_CHANGES_MAX) != 0) UNIT_FAIL("'%s' is no zone", names[i]);
    }
    EXPECT_INT(0, zone_read("Europe/Berlin", changes, 3));
}

int main(void)
{
    RUN(fields_are_found_at_their_keys);
    RUN(items_are_found_at_their_values);
    RUN(what_is_not_there_gives_the_deepest_place);
    RUN(a_text_without_a_table_has_no_place);
    RUN(any_bytes_will_do);
    RUN(zones_know_their_summers);
    RUN(only_zones_are_zones);
    return unit_close("source");
}
