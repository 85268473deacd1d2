/* The table of codes: each stands for something, and everything that scripts/ report has one. */
#include <string.h>

#include "lua/script.h"
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
        {"'https://b.example' is not listed in moongate.lua: the call will raise", "MG0314", true},
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

/* The end of a literal, brackets and all, so that what is inside does not count. */
static const char *skip_literal(const char *at)
{
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\') at++;
    }
    return at;
}

/* The comma behind the first argument, NULL when there is only one. */
static const char *second_argument(const char *at)
{
    for (int depth = 0; *at; at++) {
        if (*at == '"') at = skip_literal(at);
        if (*at == '(' || *at == '{' || *at == '[') depth++;
        if (*at == ')' || *at == '}' || *at == ']') depth--;
        if (depth < 0) return NULL;
        if (depth == 0 && *at == ',') return at + 1;
    }
    return NULL;
}

/* What the literal says, with x for what is filled in. */
static struct slice say(const char *at, char *out, size_t size)
{
    const char *end = skip_literal(at);
    size_t len = 0;
    for (at++; at < end && len + 1 < size; at++) {
        if (*at == '\\') at++;
        if (*at == '%' && at[1] != '%') at++;
        out[len++] = at[-1] == '%' && (*at == 's' || *at == 'd') ? 'x' : *at;
    }
    return slice_of(out, len);
}

static void every_report_of_the_scripts_has_a_code(void)
{
    static const struct {
        const char *call;
        bool is_warning;
    } calls[] = {{"report.at(", false}, {"report.warn(", true}};
    size_t seen = 0;
    for (const struct embedded_script *script = script_table; script->name; script++) {
        for (size_t c = 0; c < 2; c++) {
            const char *at = script->text;
            while ((at = strstr(at, calls[c].call))) {
                char text[512];
                const char *second = second_argument(at += strlen(calls[c].call));
                if (!second) continue;
                while (*second == ' ' || *second == '(' || *second == '\n')
                    second++;
                if (*second != '"') continue; /* put together elsewhere */
                struct slice said = say(second, text, sizeof text);
                const struct code *code = code_of(said, calls[c].is_warning);
                seen++;
                if (code->says[0] == '\0')
                    UNIT_FAIL("%s says \"%.*s\": core/server/codes.c has no code for that", script->name, SLICE_FMT(said));
            }
        }
    }
    EXPECT(seen > 80);
}

int main(void)
{
    RUN(codes_are_named_once_and_explained);
    RUN(a_text_has_the_code_of_what_it_says);
    RUN(every_report_of_the_scripts_has_a_code);
    return unit_close("codes");
}
