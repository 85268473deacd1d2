/* The table of codes: each stands for something, and everything has one. */
#include <string.h>

#include "server/codes.h"
#include "../unit.h"

static void codes_are_named_once_and_explained(void)
{
    for (const struct code *code = code_table; code->name; code++) {
        EXPECT(code_find(slice_str(code->name)) == code);
        EXPECT_INT(6, strlen(code->name));
        EXPECT(strlen(code->title) > 5 && strlen(code->cause) > 20 && strlen(code->cure) > 10);
    }
    EXPECT(code_find(SLICE("MG0000")) == NULL);
    EXPECT(code_find(SLICE("MG01")) == NULL);
}

static void a_text_has_the_code_of_what_it_says(void)
{
    static const struct {
        const char *text, *code;
        bool is_warning;
    } cases[] = {
        {"rules[1].when.departmnt: unknown condition 'departmnt'", "MG0203", false},
        {"undefined name 'pcall'", "MG0103", false},
        {"assignment to global 'x': add 'local'", "MG0104", false},
        {"'}' expected (to close '{' at line 2) near '{'", "MG0101", false},
        {"stopped after 2000000 bytecodes", "MG0105", false},
        {"the file returns nothing", "MG0102", false},
        {"unknown field `lisen`", "MG0211", false},
        {"rules[2]: never reached: 'a' always applies", "MG0301", true},
        /* what quotes another message is not that message */
        {"spec failed: x: '}' expected near 'y'", "MG0202", false},
        {"examples[1]: expected deny a, got a fault: undefined name 'x'", "MG0201", false},
        {"something that nobody thought of", "MG0499", false},
        {"something that nobody thought of", "MG0399", true},
        {"", "MG0499", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct code *code = code_of(slice_str(cases[i].text), cases[i].is_warning);
        EXPECT_SLICE(slice_str(cases[i].code), slice_str(code->name));
    }
}

int main(void)
{
    RUN(codes_are_named_once_and_explained);
    RUN(a_text_has_the_code_of_what_it_says);
    return unit_close("codes");
}
