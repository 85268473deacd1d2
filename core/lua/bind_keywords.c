/* Lists of words, phrases and masks, compiled at load,
 * and whether the text of the request under way has one of them. */
#include "base/hash.h"
#include "lua/bind.h"

#include "wire/keywords.h"
#include "wire/look.h"
#include "wire/quiet.h"

#define LIST "moongate.keywords"
#define SEARCH "moongate.keyword_search"
#define PIECE_BYTES (64u * 1024) /* looked at in one call: well below a millisecond */

struct list {
    struct keywords *words;
    uint64_t hash; /* of them, the same wherever it is compiled */
};

static int on_list_gc(lua_State *L)
{
    struct list *list = lua_touserdata(L, 1);
    keywords_free(list->words);
    list->words = NULL;
    return 0;
}

/* keywords(words) → list, or nil and why not. Its memory belongs to the state before anything is made. */
static int on_keywords(lua_State *L)
{
    struct fault why;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    size_t count = lua_objlen(L, 1);
    if (count > LIMIT_KEYWORDS) return luaL_error(L, "more than %d words in one list", (int)LIMIT_KEYWORDS);
    struct slice *words = lua_newuserdata(L, (count + 1) * sizeof *words);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 1, (int)i + 1);
        words[i] = bind_check_slice(L, -1); /* the table keeps it */
        lua_pop(L, 1);
    }
    struct list *list = lua_newuserdata(L, sizeof *list);
    *list = (struct list){0};
    bind_set_kind(L, LIST, on_list_gc);
    list->words = keywords_new(words, count, KEYWORDS_WHOLE_WORDS, &why);
    for (size_t i = 0; i < count; i++)
        list->hash = hash_bytes(words[i], list->hash + 1);
    if (list->words) return 1;
    lua_pushnil(L);
    lua_pushstring(L, fault_message(&why));
    return 2;
}

/* One search through a request, in pieces. Good for its evaluation only. */
struct search {
    const struct keywords *list;
    uint64_t hash;
    uint64_t serial;
    struct chat_cursor cursor;
    struct look look;
    struct quiet quiet;
    bool has_hit;
};

static int on_search_gc(lua_State *L)
{
    struct search *s = lua_touserdata(L, 1);
    look_end(&s->look);
    return 0;
}

/* keyword_search(list) → search */
static int on_search(lua_State *L)
{
    const struct list *list = luaL_checkudata(L, 1, LIST);
    struct search *search = lua_newuserdata(L, sizeof *search);
    *search = (struct search){
        .list = list->words, .hash = list->hash, .serial = bind_eval(L)->serial, .cursor = CHAT_CURSOR};
    bind_set_kind(L, SEARCH, on_search_gc);
    bind_keep(L, 1);
    return 1;
}

static void on_hit(void *arg, unsigned word, const struct sight_part *part)
{
    struct search *search = arg;
    (void)word;
    (void)part;
    quiet_break(&search->quiet);
    search->has_hit = true;
}

static size_t scan(const void *list, struct detect_state *at, struct slice text, bool is_last, detect_hit_fn on_word,
                   void *arg)
{
    return keywords_scan(list, at, text, is_last, on_word, arg);
}

/* The next text that did not come with the application: what systems and developers say is its own. JSON in it that is
 * too deep to be read counts as found: a guard lets nothing pass that it has not seen. */
static bool next_text(struct search *s, struct policy_eval *eval, size_t *work)
{
    struct exchange *x = eval->x;
    if (look_is_too_deep(&s->look)) s->has_hit = true;
    if (!s->has_hit) quiet_end(&s->quiet, s->look.text.len);
    look_end(&s->look);
    if (s->has_hit || !chat_next_outside(&x->request, &s->cursor)) return false;
    struct slice raw = json_raw(&x->request.tape, s->cursor.node);
    if (quiet_begin(&s->quiet, bind_quiet(eval), keywords_subject(s->list), raw, work)) return true;
    look_begin(&s->look, chat_read(&x->request, s->cursor.node, &x->arena));
    return true;
}

/* keyword_step(search) → true: found; false: there is none; nil: look further */
static int on_step(lua_State *L)
{
    struct search *s = luaL_checkudata(L, 1, SEARCH);
    struct policy_eval *eval = bind_eval(L);
    size_t done = 0;
    char hash[20];
    if (s->serial != eval->serial) return luaL_error(L, "this search belongs to a request that is over");
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)s->hash);
    if (bind_recall(L, eval, ASKED_KEYWORDS, slice_str(hash), "request.text of keywords")) {
        lua_pushboolean(L, lua_toboolean(L, -1));
        return 1;
    }
    vm_charge(L, PIECE_BYTES / 8);
    if (eval->x->request.attached.has_foreign_text) s->has_hit = true; /* nobody can look into that file */
    while (!s->has_hit && done < PIECE_BYTES && eval->x->request.tape.count) {
        if (look_is_done(&s->look) && !next_text(s, eval, &done)) break;
        if (!look_is_done(&s->look)) done += look_on(&s->look, PIECE_BYTES, scan, s->list, on_hit, s);
        done += 64; /* many short texts are work too */
    }
    if (done >= PIECE_BYTES && !s->has_hit) return vm_is_slice_over(L) ? lua_yield(L, 0) : 0;
    bind_note(eval, ASKED_KEYWORDS, slice_str(hash), ASKED_AS_JSON, bind_word(s->has_hit));
    lua_pushboolean(L, s->has_hit);
    return 1;
}

void bind_keywords_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"keywords", on_keywords}, {"keyword_search", on_search}, {"keyword_step", on_step}, {NULL, NULL}};
    luaL_register(L, NULL, functions);
}
