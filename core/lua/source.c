#include "lua/source.h"

#include "base/fiber.h"
#include "base/limits.h"
#include "base/mem.h"

#define ROOT 0u
#define REST_FIELDS 256u /* read between two looks at whether a slice is over */

struct field {
    struct source_field at;
    struct slice name;
    uint32_t parent;
    int index; /* of one without a name; 0: its key is computed, nobody finds it */
};

struct source {
    struct lexer lexer;
    struct field *fields; /* the first is the returned table itself */
    uint32_t count, cap;
    uint32_t *slots; /* fields by parent and key: open addressing, 0 is free */
    uint32_t slot_count;
};

/* --- the index --- */

static uint32_t hash_of(uint32_t parent, const struct source_key *key)
{
    uint64_t hash = 0xcbf29ce484222325ull ^ parent;
    for (size_t i = 0; i < key->name.len; i++)
        hash = (hash ^ (unsigned char)key->name.ptr[i]) * 0x100000001b3ull;
    hash = (hash ^ (uint32_t)key->index) * 0x9e3779b97f4a7c15ull;
    return (uint32_t)(hash >> 32);
}

/* The slot where that field stands, or would. */
static uint32_t *slot_of(const struct source *s, uint32_t parent, const struct source_key *key)
{
    uint32_t at = hash_of(parent, key) & (s->slot_count - 1);
    for (; s->slots[at]; at = (at + 1) & (s->slot_count - 1)) {
        const struct field *f = &s->fields[s->slots[at]];
        if (f->parent == parent && f->index == key->index && slice_equal(f->name, key->name)) break;
    }
    return &s->slots[at];
}

static void grow_slots(struct source *s)
{
    mem_free(s->slots);
    s->slot_count = s->slot_count ? s->slot_count * 2 : 64;
    s->slots = mem_zalloc(s->slot_count, sizeof *s->slots);
    for (uint32_t i = 1; i < s->count; i++) {
        const struct field *f = &s->fields[i];
        if (i % REST_FIELDS == 0) fiber_rest();
        *slot_of(s, f->parent, &(struct source_key){f->name, f->index}) = i;
    }
}

static uint32_t add_field(struct source *s, uint32_t parent, const struct source_key *key, struct lexer_place key_at)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 32;
        s->fields = mem_realloc(s->fields, s->cap * sizeof *s->fields);
    }
    uint32_t id = s->count++;
    if (id % REST_FIELDS == 0) fiber_rest();
    s->fields[id] = (struct field){{key_at, s->lexer.token.at}, key->name, parent, key->index};
    if (s->count * 2 > s->slot_count) grow_slots(s);
    if (id != ROOT) *slot_of(s, parent, key) = id;
    return id;
}

/* --- reading --- */

/* The whole number at the beginning, 0 when there is none; *used is how many bytes it takes. */
static int read_index(struct slice text, size_t *used)
{
    int index = 0;
    for (*used = 0; *used < text.len && text.ptr[*used] >= '0' && text.ptr[*used] <= '9'; ++*used) {
        if (index < 100000000) index = index * 10 + (text.ptr[*used] - '0');
    }
    return index;
}

/* +1 for a token that opens a bracket or block, -1 for one that closes it. */
static int nesting(const struct lexer *x)
{
    static const struct slice openers[] = {{"function", 8}, {"if", 2}, {"do", 2}, {"repeat", 6}};
    if (x->token.kind == LEXER_SIGN && x->token.text.len == 1) {
        if (strchr("({[", x->token.text.ptr[0])) return 1;
        return strchr(")}]", x->token.text.ptr[0]) ? -1 : 0;
    }
    for (size_t i = 0; i < sizeof openers / sizeof openers[0]; i++) {
        if (lexer_is_name(x, openers[i])) return 1;
    }
    return lexer_is_name(x, SLICE("end")) || lexer_is_name(x, SLICE("until")) ? -1 : 0;
}

/* From "function" to behind its end. */
static void skip_function(struct lexer *x)
{
    int depth = 0;
    do {
        depth += nesting(x);
        lexer_next(x);
    } while (depth > 0 && x->token.kind != LEXER_END);
}

/* At "[": to behind the "=" that ends the key. */
static struct source_key read_bracket(struct lexer *x)
{
    struct source_key key = {.name = SLICE_NONE};
    size_t used;
    lexer_next(x);
    if (x->token.kind == LEXER_TEXT) key.name = x->token.text;
    if (x->token.kind == LEXER_NUMBER) key.index = read_index(x->token.text, &used);
    lexer_next(x);
    if (!lexer_is_sign(x, ']')) key = (struct source_key){.name = SLICE_NONE};
    while (x->token.kind != LEXER_END && !lexer_is_sign(x, '='))
        lexer_next(x);
    lexer_next(x);
    return key;
}

/* Reads "name =", "[key] =" or nothing, then it is the next positional one; leaves the lexer at the value. */
static struct source_key read_key(struct lexer *x, int *position)
{
    if (lexer_is_sign(x, '[')) return read_bracket(x);
    if (x->token.kind == LEXER_NAME) {
        struct lexer before = *x;
        lexer_next(x);
        if (lexer_is_sign(x, '=')) {
            lexer_next(x);
            return (struct source_key){.name = before.token.text};
        }
        *x = before;
    }
    return (struct source_key){.name = SLICE_NONE, .index = ++*position};
}

static void read_table(struct source *s, uint32_t parent, unsigned depth);

/* A value, to the ',' ';' or '}' behind it; the tables in it are the field's. */
static void read_value(struct source *s, uint32_t field, unsigned depth)
{
    struct lexer *x = &s->lexer;
    int open = 0;
    while (x->token.kind != LEXER_END) {
        if (lexer_is_sign(x, '{') && depth < LIMIT_CONFIG_DEPTH) {
            read_table(s, field, depth + 1);
            continue;
        }
        if (lexer_is_name(x, SLICE("function"))) {
            skip_function(x);
            continue;
        }
        if (open == 0 && (lexer_is_sign(x, ',') || lexer_is_sign(x, ';') || lexer_is_sign(x, '}'))) return;
        open += nesting(x);
        lexer_next(x);
    }
}

/* At a '{', to behind its '}'. */
static void read_table(struct source *s, uint32_t parent, unsigned depth)
{
    struct lexer *x = &s->lexer;
    int position = 0;
    lexer_next(x);
    while (x->token.kind != LEXER_END && !lexer_is_sign(x, '}')) {
        struct lexer_place at = x->token.at;
        struct source_key key = read_key(x, &position);
        read_value(s, add_field(s, parent, &key, at), depth);
        if (lexer_is_sign(x, ',') || lexer_is_sign(x, ';')) lexer_next(x);
    }
    lexer_next(x);
}

/* May it stand between "return" and the table that is given back? */
static bool leads_to_table(const struct lexer *x)
{
    if (lexer_is_name(x, SLICE("function")) || lexer_is_name(x, SLICE("end"))) return false;
    if (x->token.kind != LEXER_SIGN) return x->token.kind != LEXER_END;
    return lexer_is_sign(x, '(') || lexer_is_sign(x, '.') || lexer_is_sign(x, ':');
}

/* At a "return" of the file's own. */
static void read_return(struct source *s)
{
    static const struct source_key none = {{"", 0}, 0};
    struct lexer *x = &s->lexer;
    do
        lexer_next(x);
    while (leads_to_table(x));
    if (!lexer_is_sign(x, '{')) return;
    if (s->count == 0) add_field(s, ROOT, &none, x->token.at);
    s->fields[ROOT].at = (struct source_field){x->token.at, x->token.at};
    read_table(s, ROOT, 1);
}

static void read_file(struct source *s)
{
    struct lexer *x = &s->lexer;
    lexer_next(x);
    while (x->token.kind != LEXER_END) {
        if (lexer_is_name(x, SLICE("function")))
            skip_function(x);
        else if (lexer_is_name(x, SLICE("return")))
            read_return(s);
        else
            lexer_next(x);
    }
}

struct source *source_new(struct slice text)
{
    struct source *s = mem_zalloc(1, sizeof *s);
    lexer_init(&s->lexer, text);
    read_file(s);
    return s;
}

void source_free(struct source *s)
{
    if (!s) return;
    mem_free(s->fields);
    mem_free(s->slots);
    mem_free(s);
}

/* --- finding --- */

/* ROOT when there is none. */
static uint32_t find(const struct source *s, uint32_t parent, const struct source_key *key)
{
    return s->count ? *slot_of(s, parent, key) : ROOT;
}

bool source_locate(const struct source *s, const struct source_key *path, size_t depth, struct lexer_place *at)
{
    uint32_t field = ROOT;
    *at = s->count ? s->fields[ROOT].at.key : (struct lexer_place){0};
    for (size_t i = 0; i < depth; i++) {
        struct source_key key = path[i].name.len ? (struct source_key){.name = path[i].name} : path[i];
        field = find(s, field, &key);
        if (field == ROOT) return false;
        *at = s->fields[field].at.key;
    }
    return s->count > 0;
}

struct search {
    const struct source *source;
    struct slice path;
    size_t found_bytes;
    uint32_t found;
};

static bool ends_part(struct slice path, size_t at)
{
    return at == path.len || path.ptr[at] == '.' || path.ptr[at] == '[';
}

static void find_from(struct search *search, uint32_t parent, size_t from);

static void go_on(struct search *search, uint32_t parent, const struct source_key *key, size_t end)
{
    uint32_t field = find(search->source, parent, key);
    if (field == ROOT) return;
    if (end > search->found_bytes) {
        search->found = field;
        search->found_bytes = end;
    }
    if (end < search->path.len) find_from(search, field, end);
}

/* A name may have dots in it, so each end that the next part could have is tried. */
static void find_from(struct search *search, uint32_t parent, size_t from)
{
    struct slice path = search->path;
    if (path.ptr[from] == '[') {
        size_t used;
        struct source_key key = {.index = read_index(slice_of(path.ptr + from + 1, path.len - from - 1), &used)};
        if (key.index && from + used + 1 < path.len && path.ptr[from + used + 1] == ']')
            go_on(search, parent, &key, from + used + 2);
        return;
    }
    size_t start = from + (path.ptr[from] == '.');
    for (size_t end = start + 1; end <= path.len && search->found_bytes < path.len; end++) {
        struct source_key key = {.name = slice_of(path.ptr + start, end - start)};
        if (ends_part(path, end)) go_on(search, parent, &key, end);
    }
}

const struct source_field *source_find(const struct source *s, struct slice path, size_t *found_bytes)
{
    struct search search = {.source = s, .path = path};
    if (path.len) find_from(&search, ROOT, 0);
    if (found_bytes) *found_bytes = search.found_bytes;
    return search.found == ROOT ? NULL : &s->fields[search.found].at;
}
