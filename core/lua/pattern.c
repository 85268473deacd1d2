#include "lua/pattern.h"

#include <ctype.h>

#include "base/slice.h"
#include "lua/vm.h"

#define ESCAPE '%'
#define STEPS_PER_CHARGE 1024
#define STEP_WEIGHT 3 /* in vm_charge's bytes: a step weighs one bytecode */

enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

struct capture {
    const char *start;
    ptrdiff_t len; /* or one of the two above */
};

struct matcher {
    lua_State *L;
    const char *text, *text_end, *pattern_end;
    unsigned steps;
    int depth, level;
    bool may_anchor; /* false in gmatch, where '^' is a character like any other */
    struct capture captures[PATTERN_CAPTURES];
};

static const char *match_here(struct matcher *m, const char *s, const char *p);

static void step(struct matcher *m)
{
    if (++m->steps < STEPS_PER_CHARGE) return;
    m->steps = 0;
    vm_charge(m->L, STEPS_PER_CHARGE * STEP_WEIGHT);
}

/* --- one character --- */

/* Behind the item that begins at p: a character, an escape or a set. */
static const char *item_end(struct matcher *m, const char *p)
{
    char c = *p++;
    if (c == ESCAPE) {
        if (p == m->pattern_end) luaL_error(m->L, "pattern ends with '%%'");
        return p + 1;
    }
    if (c != '[') return p;
    if (p < m->pattern_end && *p == '^') p++;
    do { /* the first character is never the end: "[]]" */
        if (p == m->pattern_end) luaL_error(m->L, "pattern lacks a ']'");
        if (*p++ == ESCAPE && p < m->pattern_end) p++;
    } while (p == m->pattern_end || *p != ']');
    return p + 1;
}

static bool is_class(int c, int class)
{
    bool in;
    switch (tolower(class)) {
    case 'a': in = isalpha(c); break;
    case 'c': in = iscntrl(c); break;
    case 'd': in = isdigit(c); break;
    case 'l': in = islower(c); break;
    case 'p': in = ispunct(c); break;
    case 's': in = isspace(c); break;
    case 'u': in = isupper(c); break;
    case 'w': in = isalnum(c); break;
    case 'x': in = isxdigit(c); break;
    case 'z': in = c == 0; break;
    default: return class == c;
    }
    return isupper(class) ? !in : in;
}

/* p at '[', last at the closing ']'. */
static bool is_in_set(struct matcher *m, int c, const char *p, const char *last)
{
    bool negated = p[1] == '^';
    if (negated) p++;
    while (++p < last) {
        step(m);
        if (*p == ESCAPE) {
            p++;
            if (is_class(c, (unsigned char)*p)) return !negated;
        } else if (p[1] == '-' && p + 2 < last) {
            if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2]) return !negated;
            p += 2;
        } else if ((unsigned char)*p == c) {
            return !negated;
        }
    }
    return negated;
}

/* Does the item p … end match the character at s? */
static bool is_item(struct matcher *m, const char *s, const char *p, const char *end)
{
    step(m);
    if (s >= m->text_end) return false;
    int c = (unsigned char)*s;
    switch (*p) {
    case '.': return true;
    case ESCAPE: return is_class(c, (unsigned char)p[1]);
    case '[': return is_in_set(m, c, p, end - 1);
    default: return (unsigned char)*p == c;
    }
}

/* --- repetition --- */

static const char *match_most(struct matcher *m, const char *s, const char *p, const char *end, ptrdiff_t least)
{
    ptrdiff_t count = 0;
    while (is_item(m, s + count, p, end))
        count++;
    for (; count >= least; count--) {
        const char *found = match_here(m, s + count, end + 1);
        if (found) return found;
    }
    return NULL;
}

static const char *match_fewest(struct matcher *m, const char *s, const char *p, const char *end)
{
    for (;; s++) {
        const char *found = match_here(m, s, end + 1);
        if (found) return found;
        if (!is_item(m, s, p, end)) return NULL;
    }
}

/* --- captures, balances, frontiers --- */

static const char *open_capture(struct matcher *m, const char *s, const char *p, ptrdiff_t kind)
{
    if (m->level == PATTERN_CAPTURES) luaL_error(m->L, "pattern has more than %d captures", PATTERN_CAPTURES);
    m->captures[m->level++] = (struct capture){s, kind};
    const char *found = match_here(m, s, p);
    if (!found) m->level--;
    return found;
}

static const char *close_capture(struct matcher *m, const char *s, const char *p)
{
    int last = m->level - 1;
    while (last >= 0 && m->captures[last].len != CAPTURE_OPEN)
        last--;
    if (last < 0) luaL_error(m->L, "pattern has a ')' too many");
    m->captures[last].len = s - m->captures[last].start;
    const char *found = match_here(m, s, p);
    if (!found) m->captures[last].len = CAPTURE_OPEN;
    return found;
}

static struct slice capture_text(struct matcher *m, int index)
{
    if (index < 0 || index >= m->level || m->captures[index].len < 0) {
        luaL_error(m->L, "pattern or replacement names capture %%%d, which is not there", index + 1);
    }
    return slice_of(m->captures[index].start, (size_t)m->captures[index].len);
}

static const char *match_again(struct matcher *m, const char *s, int index)
{
    struct slice before = capture_text(m, index);
    for (size_t i = 0; i < before.len / 8; i++)
        step(m);
    if ((size_t)(m->text_end - s) < before.len) return NULL;
    return before.len && memcmp(s, before.ptr, before.len) != 0 ? NULL : s + before.len;
}

/* p behind "%b". */
static const char *match_balance(struct matcher *m, const char *s, const char *p)
{
    if (m->pattern_end - p < 2) luaL_error(m->L, "pattern: '%%b' wants two characters");
    if (s >= m->text_end || *s != p[0]) return NULL;
    for (ptrdiff_t open = 1; ++s < m->text_end;) {
        step(m);
        if (*s == p[1]) {
            if (--open == 0) return s + 1;
        } else if (*s == p[0]) {
            open++;
        }
    }
    return NULL;
}

/* p behind "%f"; *end behind its set. */
static bool is_frontier(struct matcher *m, const char *s, const char *p, const char **end)
{
    if (p == m->pattern_end || *p != '[') luaL_error(m->L, "pattern: '%%f' wants a set");
    *end = item_end(m, p);
    int before = s == m->text ? 0 : (unsigned char)s[-1];
    int after = s == m->text_end ? 0 : (unsigned char)*s;
    return !is_in_set(m, before, p, *end - 1) && is_in_set(m, after, p, *end - 1);
}

/* --- a whole pattern --- */

/* The escapes that are more than one character; false: p is an ordinary item. */
static bool match_special(struct matcher *m, const char *s, const char *p, const char **found)
{
    const char *end;
    if (p + 1 == m->pattern_end) return false;
    if (p[1] == 'b') {
        s = match_balance(m, s, p + 2);
        *found = s ? match_here(m, s, p + 4) : NULL;
    } else if (p[1] == 'f') {
        *found = is_frontier(m, s, p + 2, &end) ? match_here(m, s, end) : NULL;
    } else if (isdigit((unsigned char)p[1])) {
        s = match_again(m, s, p[1] - '1');
        *found = s ? match_here(m, s, p + 2) : NULL;
    } else {
        return false;
    }
    return true;
}

/* Items without repetition are walked in the loop, so depth grows with the pattern's length, never with the text's. */
static const char *match_items(struct matcher *m, const char *s, const char *p)
{
    while (p < m->pattern_end) {
        const char *found;
        if (*p == '(') {
            bool is_position = p + 1 < m->pattern_end && p[1] == ')';
            return open_capture(m, s, p + (is_position ? 2 : 1), is_position ? CAPTURE_POSITION : CAPTURE_OPEN);
        }
        if (*p == ')') return close_capture(m, s, p + 1);
        if (*p == '$' && p + 1 == m->pattern_end) return s == m->text_end ? s : NULL;
        if (*p == ESCAPE && match_special(m, s, p, &found)) return found;
        const char *end = item_end(m, p);
        char repeat = end < m->pattern_end ? *end : '\0';
        if (repeat == '*') return match_most(m, s, p, end, 0);
        if (repeat == '+') return match_most(m, s, p, end, 1);
        if (repeat == '-') return match_fewest(m, s, p, end);
        bool is = is_item(m, s, p, end);
        if (repeat == '?') {
            if (is && (found = match_here(m, s + 1, end + 1))) return found;
            p = end + 1;
        } else {
            if (!is) return NULL;
            s++;
            p = end;
        }
    }
    return s;
}

static const char *match_here(struct matcher *m, const char *s, const char *p)
{
    if (++m->depth > PATTERN_DEPTH) luaL_error(m->L, "pattern is too complex");
    const char *found = match_items(m, s, p);
    m->depth--;
    return found;
}

/* The first match at or after `from`; *start where it begins. An anchored pattern only tries `from`. */
static const char *match_first(struct matcher *m, const char *from, struct slice pattern, const char **start)
{
    bool is_anchored = m->may_anchor && pattern.len && pattern.ptr[0] == '^';
    for (const char *s = from; s <= m->text_end; s++) {
        m->level = m->depth = 0;
        step(m);
        const char *end = match_here(m, s, pattern.ptr + is_anchored);
        if (end) {
            *start = s;
            return end;
        }
        if (is_anchored) break;
    }
    return NULL;
}

/* --- towards Lua --- */

static struct slice check_slice(lua_State *L, int index)
{
    size_t len;
    const char *ptr = luaL_checklstring(L, index, &len);
    return slice_of(ptr, len);
}

static void matcher_init(struct matcher *m, lua_State *L, struct slice text, struct slice pattern)
{
    if (pattern.len > PATTERN_BYTES_MAX) luaL_error(L, "pattern is longer than %d bytes", PATTERN_BYTES_MAX);
    m->L = L;
    m->text = text.ptr;
    m->text_end = text.ptr + text.len;
    m->pattern_end = pattern.ptr + pattern.len;
    m->steps = 0;
    m->level = m->depth = 0;
    m->may_anchor = true;
}

static void push_capture(struct matcher *m, int index)
{
    if (index < m->level && m->captures[index].len == CAPTURE_POSITION) {
        lua_pushinteger(m->L, m->captures[index].start - m->text + 1);
        return;
    }
    if (index < m->level && m->captures[index].len == CAPTURE_OPEN) luaL_error(m->L, "pattern lacks a ')'");
    struct slice text = capture_text(m, index);
    vm_charge(m->L, text.len);
    lua_pushlstring(m->L, text.ptr, text.len);
}

/* All captures, or the whole match when there are none; how many. */
static int push_captures(struct matcher *m, const char *start, const char *end)
{
    luaL_checkstack(m->L, PATTERN_CAPTURES, "captures");
    if (m->level == 0) {
        vm_charge(m->L, (size_t)(end - start));
        lua_pushlstring(m->L, start, (size_t)(end - start));
        return 1;
    }
    for (int i = 0; i < m->level; i++)
        push_capture(m, i);
    return m->level;
}

/* The `init` argument: from 1, negative from the end; the text's end when beyond it. */
static size_t check_init(lua_State *L, int index, size_t len)
{
    lua_Integer init = luaL_optinteger(L, index, 1);
    if (init < 0) init += (lua_Integer)len + 1;
    if (init < 1) return 0;
    return (size_t)init - 1 > len ? len : (size_t)init - 1;
}

static bool is_plain(struct slice pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (strchr("^$*+?.([%-", pattern.ptr[i])) return false; /* strchr finds NUL too: no plain text then */
    }
    return true;
}

static int find_plain(lua_State *L, struct slice text, struct slice wanted, size_t from)
{
    vm_charge(L, text.len - from);
    const char *found = wanted.len ? memmem(text.ptr + from, text.len - from, wanted.ptr, wanted.len) : text.ptr + from;
    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, found - text.ptr + 1);
    lua_pushinteger(L, found - text.ptr + (lua_Integer)wanted.len);
    return 2;
}

static int on_find(lua_State *L)
{
    struct slice text = check_slice(L, 1), pattern = check_slice(L, 2);
    size_t from = check_init(L, 3, text.len);
    if (lua_toboolean(L, 4) || is_plain(pattern)) return find_plain(L, text, pattern, from);
    struct matcher m;
    const char *start;
    matcher_init(&m, L, text, pattern);
    const char *end = match_first(&m, text.ptr + from, pattern, &start);
    if (!end) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, start - text.ptr + 1);
    lua_pushinteger(L, end - text.ptr);
    return 2 + (m.level ? push_captures(&m, start, end) : 0);
}

static int on_match(lua_State *L)
{
    struct slice text = check_slice(L, 1), pattern = check_slice(L, 2);
    struct matcher m;
    const char *start;
    matcher_init(&m, L, text, pattern);
    const char *end = match_first(&m, text.ptr + check_init(L, 3, text.len), pattern, &start);
    if (end) return push_captures(&m, start, end);
    lua_pushnil(L);
    return 1;
}

/* match_at(text, pattern, from) → start, end, captures …; nil when there is no further match. For gsub's loop in Lua.
 */
static int on_match_at(lua_State *L)
{
    struct slice text = check_slice(L, 1), pattern = check_slice(L, 2);
    struct matcher m;
    const char *start;
    matcher_init(&m, L, text, pattern);
    const char *end = match_first(&m, text.ptr + check_init(L, 3, text.len), pattern, &start);
    if (!end) return 0;
    lua_pushinteger(L, start - text.ptr + 1);
    lua_pushinteger(L, end - text.ptr);
    return 2 + push_captures(&m, start, end);
}

/* Upvalues: text, pattern, where to go on (from 0). */
static int on_gmatch_next(lua_State *L)
{
    struct slice text = check_slice(L, lua_upvalueindex(1)), pattern = check_slice(L, lua_upvalueindex(2));
    size_t from = (size_t)lua_tointeger(L, lua_upvalueindex(3));
    struct matcher m;
    const char *start;
    if (from > text.len) return 0;
    matcher_init(&m, L, text, pattern);
    m.may_anchor = false;
    const char *end = match_first(&m, text.ptr + from, pattern, &start);
    if (!end) return 0;
    lua_pushinteger(L, end - text.ptr + (end == start)); /* an empty match: go on behind the next character */
    lua_replace(L, lua_upvalueindex(3));
    return push_captures(&m, start, end);
}

static int on_gmatch(lua_State *L)
{
    check_slice(L, 1);
    check_slice(L, 2);
    lua_settop(L, 2);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, on_gmatch_next, 3);
    return 1;
}

static void add_replacement(struct matcher *m, luaL_Buffer *out, struct slice with, const char *start, const char *end)
{
    for (size_t i = 0; i < with.len; i++) {
        char c = with.ptr[i];
        if (c != ESCAPE) {
            luaL_addchar(out, c);
        } else if (++i == with.len) {
            luaL_error(m->L, "replacement ends with '%%'");
        } else if (!isdigit((unsigned char)with.ptr[i])) {
            luaL_addchar(out, with.ptr[i]);
        } else if (with.ptr[i] == '0' || (with.ptr[i] == '1' && m->level == 0)) {
            luaL_addlstring(out, start, (size_t)(end - start));
        } else {
            push_capture(m, with.ptr[i] - '1');
            luaL_addvalue(out);
        }
    }
}

/* gsub(text, pattern, replacement [, at most]) → text, how many. */
static int on_gsub_text(lua_State *L)
{
    struct slice text = check_slice(L, 1), pattern = check_slice(L, 2), with = check_slice(L, 3);
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)text.len + 1), count = 0;
    bool is_anchored = pattern.len && pattern.ptr[0] == '^';
    struct matcher m;
    luaL_Buffer out;
    matcher_init(&m, L, text, pattern);
    vm_charge(L, text.len);
    luaL_buffinit(L, &out);
    const char *s = m.text;
    while (count < most) {
        m.level = m.depth = 0;
        step(&m);
        const char *end = match_here(&m, s, pattern.ptr + is_anchored);
        if (end) {
            count++;
            add_replacement(&m, &out, with, s, end);
            vm_charge(L, with.len);
        }
        if (end && end > s)
            s = end;
        else if (s < m.text_end)
            luaL_addchar(&out, *s++);
        else
            break;
        if (is_anchored) break;
    }
    luaL_addlstring(&out, s, (size_t)(m.text_end - s));
    luaL_pushresult(&out);
    lua_pushinteger(L, count);
    return 2;
}

void pattern_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"find", on_find},      {"match", on_match},       {"gmatch", on_gmatch},
                                         {"gsub", on_gsub_text}, {"match_at", on_match_at}, {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
