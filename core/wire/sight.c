#include "wire/sight.h"

#include "base/mem.h"
#include "wire/sight_inner.h"

void sight_init(struct sight *s)
{
    *s = (struct sight){.innermost = 0};
    buf_init(&s->seen);
}

void sight_clear(struct sight *s)
{
    buf_clear(&s->seen);
    mem_free(s->spans);
    s->spans = NULL;
    s->span_count = s->span_cap = 0;
}

/* ---- Pieces come in. */

/* No level is in the middle of anything: up to a byte that means something to some of them, all is as it stands. */
static bool is_at_rest(const struct sight *s)
{
    for (unsigned level = 0; level < s->innermost; level++) {
        if (s->levels[level].escape_len) return false;
    }
    bool is_text = s->innermost == LIMIT_SIGHT_LEVELS ||
                   (s->levels[s->innermost].state == LEVEL_TEXT && !s->levels[s->innermost].escape_len);
    return is_text && !s->wide_len;
}

static bool is_of_note(unsigned char c)
{
    return c == '"' || c == '\\' || c == '{' || c == '[' || sight_lead[c];
}

void sight_feed(struct sight *s, struct slice piece)
{
    for (size_t i = 0, end; i < piece.len; i = end) {
        end = i;
        if (!is_of_note((unsigned char)piece.ptr[i]) && is_at_rest(s)) {
            while (end < piece.len && !is_of_note((unsigned char)piece.ptr[end]))
                end++;
            sight_tell_run(s, slice_of(piece.ptr + i, end - i), s->fed + i);
            continue;
        }
        end = i + 1;
        sight_take(s, 0, (struct sight_byte){(unsigned char)piece.ptr[i], s->fed + i, s->fed + end});
    }
    s->fed += piece.len;
}

void sight_flush(struct sight *s)
{
    sight_close(s, 0);
    sight_flush_wide(s);
    s->told_to = s->fed;
}

void sight_restart(struct sight *s)
{
    s->levels[0] = (struct sight_level){.state = LEVEL_TEXT};
    s->innermost = 0;
}
