/* What raises of Lua's own are about. */
#include "lua/configfile.h"
#include "lua/raised.h"
#include "../unit.h"

static void lua_is_understood_by_how_it_begins(void)
{
    static const struct {
        const char *text;
        enum finding finding;
    } cases[] = {
        {"policies/a.lua:3: attempt to call a nil value", FINDING_UNDEFINED_NAME},
        {"attempt to call method 'x' (a nil value)", FINDING_UNDEFINED_NAME},
        {"policies/a.lua:3: bad argument #1 to 'insert' (table expected, got nil)", FINDING_BAD_VALUE},
        {"policies/a.lua:12: stopped after 2000000 bytecodes", FINDING_STOPPED},
        {"stopped: calls nested too deep", FINDING_STOPPED},
        {"policies/a.lua:3: attempt to index a nil value", FINDING_OTHER_ERROR},
        /* what policies raise themselves means what they mean by it */
        {"policies/a.lua:3: the key must be there", FINDING_OTHER_ERROR},
        {"policies/a.lua:3: they stopped after the third", FINDING_OTHER_ERROR},
        {"policies/a.lua: stopped: ", FINDING_OTHER_ERROR},
        {"policies/", FINDING_OTHER_ERROR},
        {"policies/a.lua:3:", FINDING_OTHER_ERROR},
        {"", FINDING_OTHER_ERROR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum finding found = raised_finding(slice_str(cases[i].text));
        if (found != cases[i].finding) UNIT_FAIL("\"%s\" is %s", cases[i].text, finding_info(found)->word);
    }
}

static void a_configuration_file_says_what_it_was_refused_for(void)
{
    static const struct {
        const char *text;
        enum finding finding;
    } cases[] = {
        {"return {", FINDING_NOT_LUA},
        {"return { a = b }", FINDING_UNDEFINED_NAME},
        {"while true do end", FINDING_STOPPED},
        {"return 1", FINDING_NO_POLICY},
        {"return { 1 }", FINDING_BAD_VALUE},
        {"return { a = { 1, b = 2 } }", FINDING_BAD_LIST},
        {"return { a = { [true] = 1 } }", FINDING_BAD_VALUE},
        {"local t = {} t.a = t return t", FINDING_BAD_VALUE},
        {"return { a = env() }", FINDING_BAD_SECRET},
        {"return { a = file {} }", FINDING_BAD_SECRET},
        {"return { a = function() end }", FINDING_BAD_VALUE},
        {"return { a = ('x'):rep() }", FINDING_BAD_VALUE},
        {"error('the port must be free')", FINDING_OTHER_ERROR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct configfile_error why;
        EXPECT(configfile_eval(slice_str(cases[i].text), &why) == NULL);
        if (why.finding != cases[i].finding)
            UNIT_FAIL("%s: \"%s\" is %s", cases[i].text, why.text, finding_info(why.finding)->word);
    }
}

int main(void)
{
    RUN(lua_is_understood_by_how_it_begins);
    RUN(a_configuration_file_says_what_it_was_refused_for);
    return unit_close("raised");
}
