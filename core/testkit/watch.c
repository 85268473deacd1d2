#include "testkit/watch.h"

#include <lauxlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "lua/observe.h"

#define FILES_MAX LIMIT_POLICY_FILES
#define LINES_MAX (LIMIT_POLICY_FILE_BYTES + 1u) /* a file cannot have more lines than bytes */

struct watched_file {
    char *path;
    struct buf lines; /* a byte a line, '\1' for those that ran */
};

struct watch {
    struct watched_file files[FILES_MAX];
    size_t count;
    struct buf outline;
    bool has_lines;
};

struct watch *watch_new(bool has_lines)
{
    struct watch *watch = mem_zalloc(1, sizeof *watch);
    watch->has_lines = has_lines;
    buf_init(&watch->outline);
    return watch;
}

void watch_free(struct watch *watch)
{
    if (!watch) return;
    for (size_t i = 0; i < watch->count; i++) {
        mem_free(watch->files[i].path);
        buf_clear(&watch->files[i].lines);
    }
    buf_clear(&watch->outline);
    mem_free(watch);
}

/* ---- Lines. */

static struct watched_file *find(const struct watch *watch, struct slice path)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (slice_equal(slice_str(watch->files[i].path), path)) return (struct watched_file *)&watch->files[i];
    }
    return NULL;
}

static void keep_line(void *arg, const char *source, int line)
{
    struct watch *watch = arg;
    struct slice path = slice_str(source);
    struct watched_file *file = find(watch, path);
    if (line < 1 || (unsigned)line > LINES_MAX) return;
    if (!file) {
        if (watch->count == FILES_MAX) return;
        file = &watch->files[watch->count++];
        file->path = mem_strndup(path.ptr, path.len);
        buf_init(&file->lines);
    }
    while (buf_len(&file->lines) <= (size_t)line)
        buf_append_char(&file->lines, 0);
    buf_ptr(&file->lines)[line] = 1;
}

bool watch_ran(const struct watch *watch, struct slice path, int line)
{
    const struct watched_file *file = find(watch, path);
    return file && line > 0 && (size_t)line < buf_len(&file->lines) && buf_ptr(&file->lines)[line];
}

static void keep_outline(void *arg, struct slice outline)
{
    struct watch *watch = arg;
    buf_reset(&watch->outline);
    buf_append(&watch->outline, outline);
}

struct policy_observer watch_observer(struct watch *watch)
{
    return (struct policy_observer){.on_outline = keep_outline,
                                    .on_line = watch->has_lines ? keep_line : NULL,
                                    .slowdown = WATCH_SLOWDOWN,
                                    .arg = watch};
}

struct slice watch_outline(const struct watch *watch)
{
    return buf_slice(&watch->outline);
}

/* ---- What functions remember. */

#define DEPTH_MAX 64
#define TEXT_SHOWN_MAX 80u

/* One walk through a state; the table of what was seen stands at index `seen`. */
struct walk {
    struct buf *out, path;
    int seen;
    size_t values;
};

static void visit(lua_State *L, struct walk *walk, unsigned depth);

/* Appends to the path; gives back what to cut it to afterwards. */
static size_t path_push(struct walk *walk, const char *sign, struct slice name)
{
    size_t len = buf_len(&walk->path);
    buf_append(&walk->path, slice_str(sign));
    buf_append(&walk->path, name);
    return len;
}

static void path_pop(struct walk *walk, size_t len)
{
    walk->path.end = walk->path.start + len;
}

static void note(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct walk *walk, const char *format, ...)
{
    va_list args;
    buf_append(walk->out, buf_slice(&walk->path));
    buf_append_char(walk->out, '\1');
    va_start(args, format);
    buf_vprintf(walk->out, format, args);
    va_end(args);
    buf_append_char(walk->out, '\n');
}

/* True the first time. */
static bool is_new(lua_State *L, struct walk *walk)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t)lua_topointer(L, -1));
    lua_pushvalue(L, -1);
    lua_rawget(L, walk->seen);
    bool is_known = lua_toboolean(L, -1);
    lua_pop(L, 1);
    lua_pushboolean(L, true);
    lua_rawset(L, walk->seen);
    return !is_known;
}

static bool is_policy_function(lua_State *L)
{
    lua_Debug ar;
    lua_pushvalue(L, -1);
    lua_getinfo(L, ">S", &ar);
    return strncmp(ar.short_src, "policies/", 9) == 0;
}

static void visit_function(lua_State *L, struct walk *walk, unsigned depth)
{
    if (!is_policy_function(L)) {
        note(walk, "a function");
        return;
    }
    if (!is_new(L, walk)) return;
    for (int i = 1;; i++) {
        const char *name = lua_getupvalue(L, -1, i);
        if (!name) return;
        size_t len = path_push(walk, "^", slice_str(name));
        visit(L, walk, depth + 1);
        path_pop(walk, len);
        lua_pop(L, 1);
    }
}

static void visit_entry(lua_State *L, struct walk *walk, unsigned depth)
{
    char text[64];
    struct slice key = SLICE("?");
    const char *sign = ".";
    if (lua_type(L, -2) == LUA_TSTRING) {
        size_t key_len;
        const char *ptr = lua_tolstring(L, -2, &key_len);
        key = slice_of(ptr, key_len);
    } else {
        sign = "";
        if (lua_type(L, -2) == LUA_TNUMBER)
            snprintf(text, sizeof text, "[%.14g]", lua_tonumber(L, -2));
        else
            snprintf(text, sizeof text, "[%s]", luaL_typename(L, -2));
        key = slice_str(text);
    }
    size_t len = path_push(walk, sign, key);
    visit(L, walk, depth + 1);
    path_pop(walk, len);
}

static void visit_table(lua_State *L, struct walk *walk, unsigned depth)
{
    if (!is_new(L, walk)) return;
    note(walk, "a table");
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        visit_entry(L, walk, depth);
    if (!lua_getmetatable(L, -1)) return;
    size_t len = path_push(walk, "", SLICE("(metatable)"));
    visit(L, walk, depth + 1);
    path_pop(walk, len);
    lua_pop(L, 1);
}

static void visit_text(lua_State *L, struct walk *walk)
{
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    /* Interned, so that an address stands for the whole of a long one. */
    if (len > TEXT_SHOWN_MAX)
        note(walk, "a text of %zu bytes at %p", len, (const void *)text);
    else
        note(walk, "\"%.*s\"", (int)len, text);
}

/* The value on top of the stack, which stays. */
static void visit(lua_State *L, struct walk *walk, unsigned depth)
{
    if (++walk->values > LIMIT_WATCH_VALUES) luaL_error(L, "more than %d values", LIMIT_WATCH_VALUES);
    if (depth > DEPTH_MAX) return;
    luaL_checkstack(L, 8, "what policies remember");
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN: note(walk, "%s", lua_toboolean(L, -1) ? "true" : "false"); return;
    case LUA_TNUMBER: note(walk, "%.14g", lua_tonumber(L, -1)); return;
    case LUA_TSTRING: visit_text(L, walk); return;
    case LUA_TTABLE: visit_table(L, walk, depth); return;
    case LUA_TFUNCTION: visit_function(L, walk, depth); return;
    case LUA_TUSERDATA: note(walk, "a userdata at %p", lua_topointer(L, -1)); return;
    default: return;
    }
}

/* Functions in what a policy file returned, through its tables; those tables themselves are the engine's by now. */
static void find_functions(lua_State *L, struct walk *walk, unsigned depth)
{
    if (++walk->values > LIMIT_WATCH_VALUES) luaL_error(L, "more than %d values", LIMIT_WATCH_VALUES);
    if (depth > DEPTH_MAX) return;
    luaL_checkstack(L, 8, "what policies remember");
    if (lua_type(L, -1) == LUA_TFUNCTION) {
        if (is_policy_function(L)) visit_function(L, walk, depth);
        return;
    }
    if (lua_type(L, -1) != LUA_TTABLE || !is_new(L, walk)) return;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        find_functions(L, walk, depth + 1);
}

/* Protected, with the walk and the list of names and tables. */
static int walk_all(lua_State *L)
{
    struct walk *walk = lua_touserdata(L, 1);
    lua_newtable(L);
    walk->seen = lua_gettop(L);
    int count = lua_istable(L, 2) ? (int)lua_objlen(L, 2) : 0;
    for (int i = 1; i < count; i += 2) { /* name, table, name, table … */
        lua_rawgeti(L, 2, i);
        size_t len = path_push(walk, "", slice_str(lua_tostring(L, -1)));
        lua_rawgeti(L, 2, i + 1);
        find_functions(L, walk, 0);
        path_pop(walk, len);
        lua_pop(L, 2);
    }
    return 0;
}

bool watch_memory(struct policy_set *set, struct buf *out, struct fault *why)
{
    struct walk walk = {.out = out};
    buf_init(&walk.path);
    bool ok = policy_set_visit(set, walk_all, &walk, why);
    buf_clear(&walk.path);
    return ok;
}
