/* Places of values in a policy's source, and the zones of the clock. */
#include "../unit.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/zone.h"
#include "lua/source.h"

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

static bool locate(struct slice text, const struct source_key *path, size_t depth, struct lexer_place *at)
{
    struct source *source = source_new(text);
    bool is_found = source_locate(source, path, depth, at);
    source_free(source);
    return is_found;
}

#define EXPECT_PLACE(want_found, want_line, want_column, ...)                                                          \
    do {                                                                                                               \
        struct source_key path[] = {__VA_ARGS__};                                                                      \
        struct lexer_place at;                                                                                        \
        EXPECT_INT(want_found, locate(slice_str(sample), path, sizeof path / sizeof path[0], &at));             \
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
    struct lexer_place at;
    struct source_key path[] = {NAME("x")};
    EXPECT(!locate(SLICE(""), path, 1, &at));
    EXPECT_INT(0, at.line);
    EXPECT(!locate(SLICE("local p = policy {}\nreturn p"), path, 1, &at));
    EXPECT_INT(0, at.line);
    EXPECT(locate(SLICE("\nreturn policy {"), path, 0, &at));
    EXPECT_INT(2, at.line);
    EXPECT_INT(15, at.column);
}

#define EXPECT_PLACE_IN(text, want_line, want_column, ...)                                                             \
    do {                                                                                                               \
        struct source_key path[] = {__VA_ARGS__};                                                                      \
        struct lexer_place at;                                                                                         \
        EXPECT(locate(SLICE(text), path, sizeof path / sizeof path[0], &at));                                          \
        EXPECT_INT(want_line, at.line);                                                                                \
        EXPECT_INT(want_column, at.column);                                                                            \
    } while (0)

static void what_counts_at_run_time_is_found(void)
{
    EXPECT_PLACE_IN("return x { a = 1,\n a = 2 }", 2, 2, NAME("a")); /* the last of two */
    EXPECT_PLACE_IN("return { [1] = 1, [ 2 ] = 2, [f()] = 3, 4 }", 1, 19, INDEX(2));
    EXPECT_PLACE_IN("return { [f(1)] = 3, [1 + 1] = 4, 5 }", 1, 35, INDEX(1)); /* computed keys have no position */
    EXPECT_PLACE_IN("return lib.kind:of 'x' { a = 1 }", 1, 26, NAME("a"));
    EXPECT_PLACE_IN("if x then return { a = 1 } else return { b = 2 } end", 1, 42, NAME("b"));
    EXPECT_PLACE_IN("local f = function() return { a = 1 } end\nreturn { a = f {} == f {}, b = 1e-5, c = {} }", 2, 38,
                    NAME("c"));
    EXPECT_PLACE_IN("return { a = \"x\\z\n  y\\\n\", b = 0x1p-2 }", 3, 4, NAME("b"));
}

/* One look-up in a file of many rows costs what it costs in a short one: 20,000 of them would not end otherwise. */
static void rows_are_found_wherever_they_stand(void)
{
    struct buf text;
    buf_init(&text);
    buf_append(&text, SLICE("return models {\n"));
    for (int i = 0; i < 20000; i++)
        buf_printf(&text, "  [\"m%d\"] = { targets = { \"p/m%d\" } },\n", i, i);
    buf_append(&text, SLICE("}\n"));
    struct source *source = source_new(buf_slice(&text));
    for (int i = 0; i < 20000; i++) {
        char name[16];
        struct lexer_place at;
        struct source_key path[] = {{.name = slice_of(name, (size_t)snprintf(name, sizeof name, "m%d", i))}, INDEX(1)};
        path[1] = (struct source_key)NAME("targets");
        EXPECT(source_locate(source, path, 2, &at));
        EXPECT_INT(i + 2, at.line);
    }
    source_free(source);
    buf_clear(&text);
}

#define EXPECT_FOUND(want_line, want_bytes, path)                                                                      \
    do {                                                                                                               \
        size_t bytes;                                                                                                  \
        const struct source_field *field = source_find(source, SLICE(path), &bytes);                                   \
        EXPECT_INT(want_line, field ? field->key.line : 0);                                                            \
        EXPECT_INT(want_bytes, bytes);                                                                                 \
    } while (0)

static void written_paths_are_found(void)
{
    struct source *source = source_new(SLICE("return {\n"
                                             "egress = {\n"
                                             "[\"https://a.b:80\"] = { secret = env \"X\" },\n"
                                             "[\"https://a\"] = { b = 1 } },\n"
                                             "list = { 1,\n"
                                             "{ x = 2 } } }"));
    EXPECT_FOUND(2, 6, "egress");
    EXPECT_FOUND(3, 28, "egress.https://a.b:80.secret");
    EXPECT_FOUND(4, 18, "egress.https://a.b");
    EXPECT_FOUND(3, 21, "egress.https://a.b:80.missing");
    EXPECT_FOUND(6, 9, "list[2].x");
    EXPECT_FOUND(5, 4, "list[3]");
    EXPECT_FOUND(5, 4, "list[");
    EXPECT_FOUND(0, 0, "none");
    EXPECT_FOUND(0, 0, "");
    EXPECT_INT(6, source_find(source, SLICE("list[2].x"), NULL)->value.line);
    EXPECT_INT(7, source_find(source, SLICE("list[2].x"), NULL)->value.column);
    source_free(source);
}

static void tokens_know_their_kind_and_place(void)
{
    static const struct {
        enum lexer_kind kind;
        const char *text;
        int line, column;
    } wanted[] = {
        {LEXER_NAME, "local", 2, 1},   {LEXER_NAME, "a_1", 2, 7},       {LEXER_SIGN, "=", 2, 11},
        {LEXER_NUMBER, "0x1F", 2, 13}, {LEXER_SIGN, "..", 2, 18},       {LEXER_TEXT, "q\\\"q", 2, 21},
        {LEXER_SIGN, "==", 2, 28},     {LEXER_TEXT, "]]\n", 2, 31},     {LEXER_NUMBER, "1e-5", 3, 5},
        {LEXER_SIGN, "-", 3, 9},       {LEXER_NUMBER, "2.5e+3", 3, 10}, {LEXER_SIGN, "...", 3, 17},
        {LEXER_SIGN, "~=", 3, 21},     {LEXER_TEXT, "open", 3, 24},     {LEXER_NAME, "x", 4, 1},
    };
    struct lexer lexer;
    lexer_init(&lexer, SLICE("--[==[ ]] ]==]--\nlocal a_1 = 0x1F .. 'q\\\"q' == [=[]]\n]=] 1e-5-2.5e+3 ... ~= 'open\nx"));
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        lexer_next(&lexer);
        EXPECT_INT(wanted[i].kind, lexer.token.kind);
        EXPECT(slice_equal(slice_str(wanted[i].text), lexer.token.text));
        EXPECT_INT(wanted[i].line, lexer.token.at.line);
        EXPECT_INT(wanted[i].column, lexer.token.at.column);
    }
    lexer_next(&lexer);
    EXPECT_INT(LEXER_END, lexer.token.kind);
}

/* Nothing is read beyond the end, wherever the text is cut and whatever stands in it. */
static void any_bytes_will_do(void)
{
    struct source_key path[] = {NAME("rules"), INDEX(2), NAME("only"), INDEX(1)};
    struct lexer_place at;
    for (size_t len = 0; len < sizeof sample; len++) {
        char *cut = mem_strndup(sample, len);
        char *exact = mem_alloc(len + 1);
        memcpy(exact, cut, len);
        locate(slice_of(exact, len), path, 4, &at);
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
        locate(slice_of(noise, sizeof noise), path, 4, &at);
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
    RUN(what_counts_at_run_time_is_found);
    RUN(rows_are_found_wherever_they_stand);
    RUN(written_paths_are_found);
    RUN(tokens_know_their_kind_and_place);
    RUN(any_bytes_will_do);
    RUN(zones_know_their_summers);
    RUN(only_zones_are_zones);
    return unit_close("source");
}
