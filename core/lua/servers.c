#include "lua/servers.h"

#include <lauxlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "lua/families.h"

#define WORDS_MAX 256u

/* --- reading --- */

static struct slice keep(struct buf *lines)
{
    struct slice text = slice_of(mem_strndup(buf_len(lines) ? buf_ptr(lines) : "", buf_len(lines)), buf_len(lines));
    buf_clear(lines);
    return text;
}

static struct slice read_list(lua_State *L, int table, const char *field)
{
    struct buf lines;
    int top = lua_gettop(L);
    buf_init(&lines);
    lua_getfield(L, table, field);
    for (int i = 1; lua_istable(L, -1) && (lua_rawgeti(L, -1, i), !lua_isnil(L, -1)); i++, lua_pop(L, 1))
        buf_printf(&lines, "%s%s", i > 1 ? "\n" : "", luaL_checkstring(L, -1));
    lua_settop(L, top);
    return keep(&lines);
}

/* In the order of pairs(), which means nothing: each is about a name of its own. */
static struct slice read_pairs(lua_State *L, int table, const char *field)
{
    struct buf lines;
    int top = lua_gettop(L);
    buf_init(&lines);
    lua_getfield(L, table, field);
    if (lua_istable(L, -1)) {
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
            buf_printf(&lines, "%s%s\t%s", buf_len(&lines) ? "\n" : "", luaL_checkstring(L, -2),
                       luaL_checkstring(L, -1));
    }
    lua_settop(L, top);
    return keep(&lines);
}

static void read_server(lua_State *L, int table, void *value)
{
    struct server *server = value;
    lua_getfield(L, table, "url");
    server->url = slice_str(mem_strdup(luaL_optstring(L, -1, "")));
    lua_pop(L, 1);
    server->rejects = read_list(L, table, "rejects");
    server->renames = read_pairs(L, table, "renames");
}

static struct families servers = {
    .script = "scripts/catalogue/servers.lua", .size = sizeof(struct server), .read = read_server};

struct member {
    char nothing;
};

static void read_member(lua_State *L, int table, void *value)
{
    (void)L, (void)table, (void)value;
}

static struct families members = {
    .script = "scripts/catalogue/members.lua", .size = sizeof(struct member), .read = read_member};

/* --- finding --- */

/* Of exactly that name. */
static const void *find(struct families *f, struct slice name)
{
    const void *value = families_find(f, name);
    return value && slice_equal(slice_str(families_name(f, value)), name) ? value : NULL;
}

static const char *nearest(struct families *f, struct slice word)
{
    const char *words[WORDS_MAX];
    size_t count = 0;
    families_find(f, word); /* reads it */
    for (size_t i = 0; i < f->count && count < WORDS_MAX; i++)
        words[count++] = f->all[i].name.ptr;
    return nearest_word(word, words, count);
}

const struct server *servers_find(struct slice name)
{
    return find(&servers, name);
}

const char *servers_nearest(struct slice name)
{
    return nearest(&servers, name);
}

const char *servers_misspelt(struct slice word)
{
    return find(&members, word) ? NULL : nearest(&members, word);
}

const char *servers_names(void)
{
    static char *names;
    struct buf text;
    if (names) return names;
    servers_find(SLICE("?")); /* reads it */
    buf_init(&text);
    for (size_t i = 0; i < servers.count; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", servers.all[i].name.ptr);
    names = mem_strndup(buf_ptr(&text), buf_len(&text));
    buf_clear(&text);
    return names;
}
