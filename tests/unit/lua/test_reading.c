/* What a Lua file's text shows: keys said twice, decisions thrown away, calls and fields in functions. */
#include "../unit.h"

#include "base/buf.h"
#include "lua/reading.h"

/* "twice a@3<1; lost deny@4; …" */
static void tell(const char *text, struct buf *out)
{
    static const char *const kinds[] = {"twice", "lost", "nil", "constant", "field", "call"};
    struct reading *reading = reading_new(slice_str(text));
    buf_init(out);
    for (size_t i = 0; i < reading_count(reading); i++) {
        const struct reading_item *item = reading_at(reading, i);
        buf_printf(out, "%s %.*s@%d:%d", kinds[item->kind], SLICE_FMT(item->name), item->at.line, item->at.column);
        if (item->kind == READING_KEY_TWICE) buf_printf(out, "<%d", item->first.line);
        buf_append(out, SLICE("; "));
    }
    reading_free(reading);
}

static void expect(const char *text, const char *wanted)
{
    struct buf out;
    tell(text, &out);
    if (!slice_equal(buf_slice(&out), slice_str(wanted)))
        UNIT_FAIL("%s\n  gives  %.*s\n  wanted %s", text, (int)buf_len(&out), buf_ptr(&out), wanted);
    buf_clear(&out);
}

static void keys_twice(void)
{
    expect("return { a = 1,\n b = 2,\n [\"a\"] = 3 }", "twice a@3:2<1; ");
    expect("return { a = { a = 1 }, b = { a = 1 } }", "");
    expect("local t = { [1] = 'x', [2] = 'y', [1] = 'z' }", "twice 1@1:35<1; ");
    expect("return { a = function() return { b = 1, b = 2 } end, c = f { d = 1; d = 2 } }", "twice b@1:41<1; twice d@1:69<1; ");
    expect("return { a == 1, a == 2, x[1], x[1] }", "");
    expect("return { [k] = 1, [k] = 2, [\"a\" .. b] = 1, [\"a\" .. b] = 2 }", "");
}

static void decisions_that_are_lost(void)
{
    expect("x = function(c) if c then deny(1) end end", "lost deny@1:27; call deny@1:27; ");
    expect("x = function(c) return deny(1) end", "call deny@1:24; ");
    expect("x = function(c) local d = deny(1) return d end", "call deny@1:27; ");
    expect("x = function(c) c.deny(1) c:deny(1) end", "call c.deny@1:17; call c:deny@1:27; ");
    expect("local function no(c) return c and deny { 1 } end\nx = function() no() return no() end",
           "call deny@1:35; lost no@2:16; call no@2:16; call no@2:28; ");
    expect("local no = function() return deny(1) end\nlocal function no() end\nx = function() no() end",
           "call deny@1:30; call no@3:16; ");
    expect("local function deny() end\nx = function() deny() end", "call deny@2:16; ");
    expect("x = function(pass) pass() end", "call pass@1:20; ");
    expect("x = function() if a then return together(function() return deny(1) end) end only 'x' end",
           "call together@1:33; call deny@1:60; lost only@1:77; call only@1:77; ");
    expect("deny(1)", "");
}

static void fields(void)
{
    expect("x = function(ctx) return ctx.identity.app == ctx.id, ctx:warn('a') end",
           "field ctx.identity.app@1:26; field ctx.id@1:46; field ctx:warn@1:54; call ctx:warn@1:54; ");
}

static void what_says_nothing(void)
{
    expect("return { when = { a = nil, b = f(nil) } }", "nil a@1:19; ");
    expect("x = function() return { a = nil } end", "");
    expect("t = { on_request = function() return 'deny' end }", "constant on_request@1:31; ");
    expect("t = { on_delta = function() if a then return false else return nil end end }", "constant on_delta@1:39; ");
    expect("t = { on_request = function() return false or deny(1) end, x = function() return true end }", "call deny@1:47; ");
}

static void any_bytes(void)
{
    expect("}}}]) end end until { { function ( [", "");
    expect("{ [", "");
    expect("x = function( deny", "");
    struct buf deep;
    buf_init(&deep);
    for (int i = 0; i < 2000; i++)
        buf_append(&deep, SLICE("{ a = f("));
    buf_append_char(&deep, '\0');
    expect(buf_ptr(&deep), "");
    buf_clear(&deep);
}

int main(void)
{
    RUN(keys_twice);
    RUN(decisions_that_are_lost);
    RUN(fields);
    RUN(what_says_nothing);
    RUN(any_bytes);
    return unit_close("reading");
}
