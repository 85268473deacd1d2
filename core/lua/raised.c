#include "lua/raised.h"

/* How messages begin, of LuaJIT (lj_errmsg.h) and of limits (vm.c). */
static const struct {
    const char *beginning;
    enum finding finding;
} texts[] = {
    {"attempt to call a nil", FINDING_UNDEFINED_NAME},
    {"attempt to call field", FINDING_UNDEFINED_NAME},
    {"attempt to call global", FINDING_UNDEFINED_NAME},
    {"attempt to call local", FINDING_UNDEFINED_NAME},
    {"attempt to call method", FINDING_UNDEFINED_NAME},
    {"attempt to call upvalue", FINDING_UNDEFINED_NAME},
    {"bad argument #", FINDING_BAD_VALUE},
    {"'for' ", FINDING_BAD_VALUE},
    {"stopped after ", FINDING_STOPPED},
    {"stopped: ", FINDING_STOPPED},
};

/* Behind "policies/access.lua:3: ". */
static struct slice without_place(struct slice message)
{
    struct slice rest, line;
    if (!slice_starts(message, SLICE("policies/"))) return message;
    slice_split(message, ':', &rest);
    line = slice_split(rest, ':', &rest);
    bool is_place = line.len > 0 && rest.len > 0 && rest.ptr[0] == ' ';
    return is_place ? slice_of(rest.ptr + 1, rest.len - 1) : message;
}

enum finding raised_finding(struct slice message)
{
    struct slice said = without_place(message);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (slice_starts(said, slice_str(texts[i].beginning))) return texts[i].finding;
    }
    return FINDING_OTHER_ERROR;
}
