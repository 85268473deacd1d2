/* Foreign text on its way to a terminal: what is obeyed there is spelt, in whole and in pieces cut anywhere. */
#include "../unit.h"

#include "base/buf.h"
#include "base/visible.h"

/* What comes out when the text arrives in pieces of `step` bytes, the rest of each going before the next. */
static struct buf shown(struct slice text, size_t step, bool keeps_colours)
{
    struct buf out, held;
    buf_init(&out);
    buf_init(&held);
    for (size_t at = 0; at < text.len; at += step) {
        size_t len = text.len - at < step ? text.len - at : step;
        buf_append(&held, slice_of(text.ptr + at, len));
        buf_consume(&held, visible_append(&out, buf_slice(&held), keeps_colours));
        EXPECT(buf_len(&held) <= VISIBLE_TAIL_MAX);
    }
    buf_clear(&held);
    return out;
}

static void expect_shown(struct slice text, bool keeps_colours, struct slice want)
{
    for (size_t step = 1; step <= text.len; step++) {
        struct buf out = shown(text, step, keeps_colours);
        EXPECT_SLICE(want, buf_slice(&out));
        buf_clear(&out);
    }
}

static void what_a_terminal_obeys_is_spelt(void)
{
    expect_shown(SLICE("gpt-5\x1b]0;pwn\x07\r\n!"), false, SLICE("gpt-5\\u001b]0;pwn\\u0007\\u000d\n!"));
    expect_shown(SLICE("a\x7f\xc2\x9b" "31m"), false, SLICE("a\\u007f\\u009b31m"));
    expect_shown(SLICE("x\xe2\x80\xaey"), false, SLICE("x\\u202ey"));
}

static void all_else_stays(void)
{
    struct slice text = SLICE("one\ttwo\nGr\xc3\xbc\xc3\x9f" "e \xe2\x9c\x93 \xf0\x9f\x98\x80.");
    expect_shown(text, false, text);
    expect_shown(text, true, text);
}

static void what_is_no_text_is_marked(void)
{
    expect_shown(SLICE("a\xff" "b\xc3("), false, SLICE("a\\ufffdb\\ufffd("));
}

static void own_colours_pass_and_no_others(void)
{
    struct slice own = SLICE("\x1b[1;31merror\x1b[0m.");
    expect_shown(own, true, own);
    expect_shown(own, false, SLICE("\\u001b[1;31merror\\u001b[0m."));
    expect_shown(SLICE("\x1b[8mhidden\x1b[2J\x1b[31;31;31m."), true,
                 SLICE("\\u001b[8mhidden\\u001b[2J\\u001b[31;31;31m."));
}

int main(void)
{
    RUN(what_a_terminal_obeys_is_spelt);
    RUN(all_else_stays);
    RUN(what_is_no_text_is_marked);
    RUN(own_colours_pass_and_no_others);
    return unit_close("visible");
}
