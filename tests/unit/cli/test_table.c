/* Cells of tables: what others wrote stays in its place and colours nothing. */
#include "../unit.h"

#include "cli/table.h"

static void a_cell_is_one_line_that_no_terminal_obeys(void)
{
    struct arena arena;
    arena_init(&arena);
    EXPECT_STR("bot", table_cell(&arena, "bot"));
    EXPECT_STR("-", table_cell(&arena, ""));
    EXPECT_STR("\\u001b[31mred\\u001b[0m", table_cell(&arena, "\033[31mred\033[0m"));
    EXPECT_STR("two lines and a tab", table_cell(&arena, "two\nlines\tand a\ttab"));
    EXPECT_STR("\\u000d\\u202e", table_cell(&arena, "\r\xe2\x80\xae"));
    arena_clear(&arena);
}

static void what_is_too_wide_ends_with_an_ellipsis(void)
{
    char to[64];
    EXPECT_STR("Zoë", table_cut("Zoë", 3, to, sizeof to));
    EXPECT_STR("Zo…", table_cut("Zoës", 3, to, sizeof to));
    EXPECT_STR("ëë…", table_cut("ëëëë", 3, to, sizeof to));
    EXPECT_INT(4, table_width("ëëëë"));
    EXPECT_STR("abcdefghijkl…", table_cut("abcdefghijklmnopqrstuvwxyz", 26, to, 20));
    EXPECT_STR("xëëëëë…", table_cut("xëëëëëëëëëëëë", 26, to, 20));
}

int main(void)
{
    RUN(a_cell_is_one_line_that_no_terminal_obeys);
    RUN(what_is_too_wide_ends_with_an_ellipsis);
    return unit_close("table");
}
