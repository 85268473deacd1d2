#include "lua/reading.h"

#include "base/arena.h"
#include "base/fiber.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

#define REST_TOKENS 1024u /* read between two looks at whether a slice is over */

enum frame_kind { FRAME_BRACKET, FRAME_TABLE, FRAME_BLOCK, FRAME_FUNCTION };

struct frame {
    enum frame_kind kind;
    uint32_t table;
    bool is_at_field;           /* of a table: a field begins here */
    bool is_returning, is_giver; /* of a function: in what it returns; a decision is among it */
    struct slice name;          /* of a function, where it has one */
};

struct key {
    struct slice id; /* the table's number, then the name */
    struct lexer_place at;
};

struct reading {
    struct reading_item *items;
    size_t count, cap;
    struct arena arena; /* the keys' ids */
    struct key *keys;
    size_t key_count, key_cap;
    struct map by_id;
    struct frame frames[LIMIT_SOURCE_DEPTH]; /* the first is the file */
    size_t depth;
    uint32_t tables;
    struct slice givers[LIMIT_SOURCE_GIVERS];
    size_t giver_count;
    struct lexer lexer;
    struct lexer_token before, before_that;
};

static void add_item(struct reading *r, enum reading_kind kind, struct slice name, struct lexer_place first)
{
    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 16;
        r->items = mem_realloc(r->items, r->cap * sizeof *r->items);
    }
    r->items[r->count++] =
        (struct reading_item){.kind = kind, .name = name, .at = r->lexer.token.at, .first = first};
}

/* --- frames --- */

static struct frame *top(struct reading *r)
{
    return &r->frames[r->depth - 1];
}

static struct frame *function_of(struct reading *r)
{
    size_t i = r->depth - 1;
    while (i > 0 && r->frames[i].kind != FRAME_FUNCTION)
        i--;
    return &r->frames[i];
}

static void push(struct reading *r, struct frame frame)
{
    if (r->depth < LIMIT_SOURCE_DEPTH) r->frames[r->depth++] = frame;
}

/* --- names that give decisions --- */

static size_t find_giver(const struct reading *r, struct slice name)
{
    size_t i = 0;
    while (i < r->giver_count && !slice_equal(r->givers[i], name))
        i++;
    return i;
}

static bool is_giver(const struct reading *r, struct slice name)
{
    return find_giver(r, name) < r->giver_count;
}

static void add_giver(struct reading *r, struct slice name)
{
    if (name.len && !is_giver(r, name) && r->giver_count < LIMIT_SOURCE_GIVERS) r->givers[r->giver_count++] = name;
}

/* The file has something of its own by that name. */
static void forget_giver(struct reading *r, struct slice name)
{
    size_t i = find_giver(r, name);
    if (i < r->giver_count) r->givers[i] = r->givers[--r->giver_count];
}

static void pop(struct reading *r)
{
    if (r->depth == 1) return;
    struct frame frame = r->frames[--r->depth];
    if (frame.kind == FRAME_FUNCTION && frame.is_giver) add_giver(r, frame.name);
    if (frame.kind == FRAME_BLOCK) function_of(r)->is_returning = false; /* `return` ends its block */
}

/* --- keys --- */

static struct slice id_of(const void *owner, uint32_t item)
{
    return ((const struct reading *)owner)->keys[item].id;
}

static void note_key(struct reading *r, struct slice name)
{
    uint32_t table = top(r)->table, found;
    char *id = arena_alloc(&r->arena, sizeof table + name.len);
    memcpy(id, &table, sizeof table);
    memcpy(id + sizeof table, name.ptr, name.len);
    struct slice whole = slice_of(id, sizeof table + name.len);
    if (map_find(&r->by_id, whole, &found)) {
        add_item(r, READING_KEY_TWICE, name, r->keys[found].at);
        return;
    }
    if (r->key_count == r->key_cap) {
        r->key_cap = r->key_cap ? r->key_cap * 2 : 32;
        r->keys = mem_realloc(r->keys, r->key_cap * sizeof *r->keys);
    }
    r->keys[r->key_count] = (struct key){whole, r->lexer.token.at};
    map_add(&r->by_id, (uint32_t)r->key_count++);
}

/* At the beginning of a field: "name =", "[text] =", or none of them. */
static void read_key(struct reading *r)
{
    struct lexer ahead = r->lexer;
    bool is_bracket = lexer_is_sign(&ahead, '[');
    top(r)->is_at_field = false;
    if (is_bracket) lexer_next(&ahead);
    struct lexer_token key = ahead.token;
    if (is_bracket ? key.kind != LEXER_TEXT && key.kind != LEXER_NUMBER : key.kind != LEXER_NAME) return;
    lexer_next(&ahead);
    if (is_bracket && !lexer_is_sign(&ahead, ']')) return;
    if (is_bracket) lexer_next(&ahead);
    if (!lexer_is_sign(&ahead, '=')) return;
    note_key(r, key.text);
    lexer_next(&ahead);
    if (function_of(r) == &r->frames[0] && lexer_is_name(&ahead, SLICE("nil")))
        add_item(r, READING_NIL, key.text, r->lexer.token.at);
}

/* --- calls --- */

static bool is_word_of(const struct lexer_token *token, const char *words)
{
    struct slice rest = slice_str(words);
    while (token->kind == LEXER_NAME && rest.len) {
        if (slice_equal(token->text, slice_split(rest, ' ', &rest))) return true;
    }
    return false;
}

static bool is_sign_of(const struct lexer_token *token, const char *signs)
{
    return token->kind == LEXER_SIGN && token->text.len == 1 && strchr(signs, token->text.ptr[0]) != NULL;
}

/* Can a statement begin behind this token? One that begins with a name can only stand behind an expression's end. */
static bool ends_statement(const struct lexer_token *token)
{
    if (token->kind == LEXER_SIGN)
        return is_sign_of(token, ")}];") || slice_equal(token->text, SLICE("..."));
    return !is_word_of(token, "and or not return local function in if while until elseif for goto");
}

static bool begins_arguments(const struct lexer *x)
{
    return x->token.kind == LEXER_TEXT || lexer_is_sign(x, '(') || lexer_is_sign(x, '{');
}

static const char keywords[] =
    "and break do else elseif end false for function if in local nil not or repeat return then true until while";

/* "http.post", from its first name to before its arguments; false when it is not called. */
static bool read_path(struct lexer *x, struct slice *path)
{
    const char *start = x->token.text.ptr;
    for (;;) {
        *path = slice_of(start, (size_t)(x->token.text.ptr + x->token.text.len - start));
        lexer_next(x);
        if (begins_arguments(x)) return true;
        if (!lexer_is_sign(x, '.') && !lexer_is_sign(x, ':')) return false;
        lexer_next(x);
        if (x->token.kind != LEXER_NAME) return false;
    }
}

static void read_name(struct reading *r)
{
    struct lexer ahead = r->lexer;
    struct slice path, name = ahead.token.text;
    struct frame *function = function_of(r);
    bool is_member = is_sign_of(&r->before, ".:"), is_new = is_word_of(&r->before, "local function");
    bool is_inside = function != &r->frames[0]; /* what stands outside runs when the file is loaded */
    if (is_new) forget_giver(r, name);
    if (is_member || is_new) return;
    bool is_call = read_path(&ahead, &path);
    if (is_inside && slice_equal(name, SLICE("ctx")) && path.len > name.len)
        add_item(r, READING_FIELD, path, r->lexer.token.at);
    if (!is_call) return;
    if (path.len == name.len && is_giver(r, name)) {
        if (is_inside && ends_statement(&r->before)) add_item(r, READING_LOST, name, r->lexer.token.at);
        if (function->is_returning) function->is_giver = true;
    }
    if (!is_inside) return;
    add_item(r, READING_CALL, path, r->lexer.token.at);
    r->items[r->count - 1].arguments = ahead;
}

/* --- blocks --- */

/* local function name, name = function */
static struct slice function_name(const struct reading *r)
{
    struct lexer ahead = r->lexer;
    if (is_sign_of(&r->before, "=") && r->before_that.kind == LEXER_NAME) return r->before_that.text;
    lexer_next(&ahead);
    return ahead.token.kind == LEXER_NAME ? ahead.token.text : SLICE_NONE;
}

static void forget_parameters(struct reading *r)
{
    struct lexer ahead = r->lexer;
    while (ahead.token.kind != LEXER_END && !lexer_is_sign(&ahead, ')')) {
        lexer_next(&ahead);
        if (ahead.token.kind == LEXER_NAME) forget_giver(r, ahead.token.text);
    }
}

static void begin_function(struct reading *r)
{
    push(r, (struct frame){.kind = FRAME_FUNCTION, .name = function_name(r)});
    forget_parameters(r);
}

static bool is_hook(struct slice name)
{
    return slice_equal(name, SLICE("on_request")) || slice_equal(name, SLICE("on_attempt")) ||
           slice_equal(name, SLICE("on_delta")) || slice_equal(name, SLICE("on_response"));
}

/* At "return": is it a single constant that is given back? */
static void begin_return(struct reading *r)
{
    struct frame *function = function_of(r);
    struct lexer ahead = r->lexer;
    function->is_returning = true;
    if (!is_hook(function->name)) return;
    lexer_next(&ahead);
    struct lexer_token value = ahead.token;
    if (value.kind != LEXER_TEXT && value.kind != LEXER_NUMBER && !is_word_of(&value, "true false")) return;
    lexer_next(&ahead);
    if (is_word_of(&ahead.token, "end else elseif until") || lexer_is_sign(&ahead, ';'))
        add_item(r, READING_CONSTANT, function->name, value.at);
}

static void read_keyword(struct reading *r)
{
    const struct lexer_token *token = &r->lexer.token;
    if (is_word_of(token, "function"))
        begin_function(r);
    else if (is_word_of(token, "if do repeat"))
        push(r, (struct frame){.kind = FRAME_BLOCK});
    else if (is_word_of(token, "end until"))
        pop(r);
    else if (is_word_of(token, "return"))
        begin_return(r);
    else if (is_word_of(token, "else elseif"))
        function_of(r)->is_returning = false;
}

static void read_sign(struct reading *r)
{
    const struct lexer_token *token = &r->lexer.token;
    if (is_sign_of(token, "{"))
        push(r, (struct frame){.kind = FRAME_TABLE, .table = r->tables++, .is_at_field = true});
    else if (is_sign_of(token, "(["))
        push(r, (struct frame){.kind = FRAME_BRACKET});
    else if (is_sign_of(token, ")]}"))
        pop(r);
    else if (is_sign_of(token, ",;") && top(r)->kind == FRAME_TABLE)
        top(r)->is_at_field = true;
}

static void read_token(struct reading *r)
{
    if (top(r)->kind == FRAME_TABLE && top(r)->is_at_field && !lexer_is_sign(&r->lexer, '}')) read_key(r);
    if (is_word_of(&r->lexer.token, keywords))
        read_keyword(r);
    else if (r->lexer.token.kind == LEXER_NAME)
        read_name(r);
    else if (r->lexer.token.kind == LEXER_SIGN)
        read_sign(r);
    r->before_that = r->before;
    r->before = r->lexer.token;
}

struct reading *reading_new(struct slice text)
{
    static const struct slice verbs[] = {{"deny", 4}, {"route", 5}, {"only", 4}, {"drop", 4}, {"pass", 4}};
    struct reading *r = mem_zalloc(1, sizeof *r);
    arena_init(&r->arena);
    map_init(&r->by_id, id_of, r);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        add_giver(r, verbs[i]);
    push(r, (struct frame){.kind = FRAME_BLOCK});
    lexer_init(&r->lexer, text);
    lexer_next(&r->lexer);
    for (size_t i = 0; r->lexer.token.kind != LEXER_END && r->depth < LIMIT_SOURCE_DEPTH; i++) {
        if (i % REST_TOKENS == 0) fiber_rest();
        read_token(r);
        lexer_next(&r->lexer);
    }
    return r;
}

void reading_free(struct reading *r)
{
    if (!r) return;
    map_clear(&r->by_id);
    arena_clear(&r->arena);
    mem_free(r->keys);
    mem_free(r->items);
    mem_free(r);
}

size_t reading_count(const struct reading *r)
{
    return r->count;
}

const struct reading_item *reading_at(const struct reading *r, size_t i)
{
    return &r->items[i];
}
