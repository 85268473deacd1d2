#include "wire/keywords_inner.h"

#include "base/fiber.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/memo.h"
#include "base/utf8.h"
#include "wire/detect_inner.h"

/*
 * The words become a tree of characters that they share from the left; the automaton's states are sets of its nodes,
 * made as they are met. Without masks that is the automaton of Aho and Corasick, one state a node; a mask may add some.
 */
struct node {
    uint32_t child, sibling, word;
    uint16_t depth;
    unsigned char what, plain; /* enum mask_char; plain letters in lower case */
};

struct set {
    uint32_t *nodes;
    uint32_t count, cap;
};

struct state {
    uint32_t first, count; /* its nodes, in build.members */
};

struct build {
    struct keywords *k;
    struct node *nodes;
    uint32_t node_count, node_cap;
    uint32_t *members, member_count, member_cap;
    struct state *states;
    uint32_t state_cap, state_max;
    struct map by_set;           /* states by their sets */
    struct set *moves;           /* by class: the nodes that follow */
    unsigned flags;
};

#define SPACE_CLASS 1u
#define REST_STATES 256u /* between two looks at whether a slice is over */
#define MEMBERS_MAX (LIMIT_KEYWORDS_TABLE_BYTES / sizeof(uint32_t)) /* of all sets together */

/* ---- Words into a tree. */

static uint32_t add_node(struct build *b, uint32_t parent, unsigned char what, unsigned char plain)
{
    for (uint32_t n = parent == NO_WORD ? 0 : b->nodes[parent].child; n; n = b->nodes[n].sibling) {
        if (b->nodes[n].what == what && b->nodes[n].plain == plain) return n;
    }
    if (b->node_count == b->node_cap) {
        b->node_cap = b->node_cap ? b->node_cap * 2 : 256;
        b->nodes = mem_realloc(b->nodes, b->node_cap * sizeof *b->nodes);
    }
    uint32_t n = b->node_count++;
    b->nodes[n] = (struct node){.word = NO_WORD, .what = what, .plain = plain};
    if (parent == NO_WORD) return n;
    b->nodes[n].depth = (uint16_t)(b->nodes[parent].depth + 1);
    b->nodes[n].sibling = b->nodes[parent].child;
    b->nodes[parent].child = n;
    return n;
}

static bool refuse(struct fault *why, size_t index, struct slice word, const char *what)
{
    struct slice shown = utf8_cut(word, 64);
    return fault_set(why, FAULT_POLICY, "keyword %zu, \"%.*s\": %s", index + 1, SLICE_FMT(shown), what);
}

/* Skips white space and what shows nothing from i on; true when there was white space. */
static bool skip_blanks(struct slice word, size_t *i)
{
    bool is_space = false;
    while (*i < word.len) {
        const unsigned char *p = (const unsigned char *)word.ptr + *i;
        size_t space = keyword_is_space(*p) ? 1 : keyword_wide_space(p, word.len - *i);
        size_t nothing = keyword_invisible(p, word.len - *i);
        if (!space && !nothing) break;
        is_space |= space > 0;
        *i += space + nothing;
    }
    return is_space;
}

static bool add_word(struct build *b, size_t index, struct slice word, struct fault *why)
{
    uint32_t n = 0;
    if (word.len > LIMIT_KEYWORD_BYTES)
        return fault_set(why, FAULT_POLICY, "keyword %zu has %zu bytes, %u are the limit", index + 1, word.len,
                         LIMIT_KEYWORD_BYTES);
    for (size_t i = 0; i < word.len; i++) {
        bool is_space = skip_blanks(word, &i);
        if (i == word.len) break;
        if (is_space && n) n = add_node(b, n, MASK_PLAIN, ' ');
        unsigned char c = (unsigned char)word.ptr[i];
        enum mask_char what = c == '#' ? MASK_DIGIT : c == '@' ? MASK_LETTER : MASK_PLAIN;
        if (c == '\\' && ++i == word.len) return refuse(why, index, word, "nothing follows the last \\");
        if (c == '\\') c = (unsigned char)word.ptr[i];
        if (c >= 'A' && c <= 'Z') c |= 0x20;
        n = add_node(b, n, (unsigned char)what, c);
    }
    if (!n) return refuse(why, index, word, "empty");
    if (b->nodes[n].word == NO_WORD) b->nodes[n].word = (uint32_t)index;
    return true;
}

/* ---- Bytes into classes: those that no word tells apart are one. */

static void make_classes(struct build *b)
{
    struct keywords *k = b->k;
    bool has_digit = false, has_letter = false;
    k->class_count = SPACE_CLASS + 1;
    for (int c = 0; c < 256; c++)
        k->classes[c] = keyword_is_space((unsigned char)c) ? SPACE_CLASS : 0;
    for (uint32_t n = 1; n < b->node_count; n++) {
        const struct node *node = &b->nodes[n];
        has_digit |= node->what == MASK_DIGIT;
        has_letter |= node->what == MASK_LETTER;
        if (node->what == MASK_PLAIN && !k->classes[node->plain])
            k->classes[node->plain] = (unsigned char)k->class_count++;
    }
    unsigned digit = has_digit ? k->class_count++ : 0, letter = has_letter ? k->class_count++ : 0;
    for (int c = 0; c < 256; c++) {
        if (byte_is(c, IS_DIGIT) && !k->classes[c]) k->classes[c] = (unsigned char)digit;
        if (c >= 'a' && c <= 'z' && !k->classes[c]) k->classes[c] = (unsigned char)letter;
    }
    for (int c = 'A'; c <= 'Z'; c++)
        k->classes[c] = k->classes[c | 0x20];
    k->stop = k->class_count++;
    memcpy(k->quick, k->classes, sizeof k->quick);
    for (const unsigned char *lead = (const unsigned char *)"\xC2\xE2\xE3\xEF\xF3"; *lead; lead++)
        k->quick[*lead] = (unsigned char)k->stop;
}

/* ---- Sets of nodes into states. */

static void set_add(struct set *s, uint32_t node)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 8;
        s->nodes = mem_realloc(s->nodes, s->cap * sizeof *s->nodes);
    }
    s->nodes[s->count++] = node;
}

static bool comes_before(const struct build *b, uint32_t x, uint32_t y)
{
    return b->nodes[x].depth != b->nodes[y].depth ? b->nodes[x].depth > b->nodes[y].depth : x < y;
}

/* The deepest first, each once. The sets are nearly in that order already. */
static void set_sort(const struct build *b, struct set *s)
{
    for (uint32_t i = 1; i < s->count; i++) {
        uint32_t node = s->nodes[i], j = i;
        for (; j > 0 && comes_before(b, node, s->nodes[j - 1]); j--)
            s->nodes[j] = s->nodes[j - 1];
        s->nodes[j] = node;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        if (kept == 0 || s->nodes[kept - 1] != s->nodes[i]) s->nodes[kept++] = s->nodes[i];
    }
    s->count = kept;
}

static struct slice key_of_set(const uint32_t *nodes, uint32_t count)
{
    return slice_of((const char *)nodes, count * sizeof *nodes);
}

static struct slice key_of_state(const void *owner, uint32_t item)
{
    const struct build *b = owner;
    return key_of_set(b->members + b->states[item].first, b->states[item].count);
}

static bool is_full(const struct build *b, const struct set *s)
{
    return b->k->state_count == b->state_max || b->member_count + s->count > MEMBERS_MAX;
}

static uint32_t add_state(struct build *b, const struct set *s)
{
    struct keywords *k = b->k;
    if (k->state_count == b->state_cap) {
        b->state_cap = b->state_cap ? b->state_cap * 2 : 256;
        b->states = mem_realloc(b->states, b->state_cap * sizeof *b->states);
        k->table = mem_realloc(k->table, (size_t)b->state_cap * k->class_count * sizeof *k->table);
    }
    while (b->member_count + s->count > b->member_cap) {
        b->member_cap = b->member_cap ? b->member_cap * 2 : 1024;
        b->members = mem_realloc(b->members, b->member_cap * sizeof *b->members);
    }
    b->states[k->state_count] = (struct state){b->member_count, s->count};
    if (s->count) memcpy(b->members + b->member_count, s->nodes, s->count * sizeof *s->nodes);
    b->member_count += s->count;
    return k->state_count++;
}

/* The state of that set, made when there is none; NO_WORD when there is no room for it. */
static uint32_t state_of(struct build *b, const struct set *s)
{
    uint32_t state;
    if (map_find(&b->by_set, key_of_set(s->nodes, s->count), &state)) return state;
    if (is_full(b, s)) return NO_WORD;
    state = add_state(b, s);
    map_add(&b->by_set, state);
    return state;
}

/* Where a node's children lead; more white space leaves a node that ends in some where it is. */
static void move_node(struct build *b, uint32_t node)
{
    const struct keywords *k = b->k;
    if (node && b->nodes[node].what == MASK_PLAIN && b->nodes[node].plain == ' ')
        set_add(&b->moves[SPACE_CLASS], node);
    for (uint32_t n = b->nodes[node].child; n; n = b->nodes[n].sibling) {
        enum mask_char what = b->nodes[n].what;
        int from = what == MASK_DIGIT ? '0' : what == MASK_LETTER ? 'a' : b->nodes[n].plain;
        int to = what == MASK_DIGIT ? '9' : what == MASK_LETTER ? 'z' : b->nodes[n].plain;
        for (int c = from; c <= to; c++)
            set_add(&b->moves[k->classes[c]], n);
    }
}

static bool make_row(struct build *b, uint32_t from)
{
    struct keywords *k = b->k;
    for (unsigned c = 0; c < k->class_count; c++)
        b->moves[c].count = 0;
    for (uint32_t i = 0; i < b->states[from].count; i++)
        move_node(b, b->members[b->states[from].first + i]);
    move_node(b, 0);
    for (unsigned c = 0; c < k->class_count; c++) {
        set_sort(b, &b->moves[c]);
        uint32_t to = b->moves[c].count ? state_of(b, &b->moves[c]) : 0;
        if (to == NO_WORD) return false;
        k->table[(size_t)from * k->class_count + c] = to;
    }
    return true;
}

static bool make_states(struct build *b, struct fault *why)
{
    struct keywords *k = b->k;
    struct set none = {0};
    b->state_max = LIMIT_KEYWORDS_TABLE_BYTES / sizeof *k->table / k->class_count;
    map_init(&b->by_set, key_of_state, b);
    b->moves = mem_zalloc(k->class_count, sizeof *b->moves);
    add_state(b, &none);
    for (uint32_t from = 0; from < k->state_count; from++) {
        fiber_rest();
        if (make_row(b, from)) continue;
        return fault_set(why, FAULT_POLICY,
                         "the keywords need a table of more than %u MB; use fewer of them, shorter ones or fewer masks",
                         LIMIT_KEYWORDS_TABLE_BYTES / MIB);
    }
    return true;
}

/* ---- The finished automaton. */

static bool is_wordy(const struct node *node)
{
    return node->what != MASK_PLAIN || node->plain >= 0x80 || byte_is(node->plain, IS_WORD);
}

/* The first character of each node's word: nodes come after their parents, so one pass will do. */
static uint32_t *first_chars(const struct build *b)
{
    uint32_t *first = mem_zalloc(b->node_count, sizeof *first);
    for (uint32_t n = 0; n < b->node_count; n++) {
        for (uint32_t c = b->nodes[n].child; c; c = b->nodes[c].sibling)
            first[c] = n == 0 ? c : first[n];
    }
    return first;
}

static void add_ends(struct build *b, uint32_t s, const uint32_t *first)
{
    struct keywords *k = b->k;
    k->states[s].first = k->end_count;
    for (uint32_t i = 0; i < b->states[s].count; i++) {
        uint32_t n = b->members[b->states[s].first + i];
        const struct node *node = &b->nodes[n];
        if (node->word == NO_WORD) continue;
        bool is_whole = b->flags & KEYWORDS_WHOLE_WORDS;
        k->ends[k->end_count++] = (struct keyword_end){.word = node->word,
                                                       .len = node->depth,
                                                       .begins_word = is_whole && is_wordy(&b->nodes[first[n]]),
                                                       .ends_word = is_whole && is_wordy(node)};
        k->states[s].ends++;
    }
}

/* Numbers the states anew, those that end a word last, and lets the table hold rows. */
static void renumber(struct build *b)
{
    struct keywords *k = b->k;
    uint32_t count = k->state_count, next = 0;
    uint32_t *row = mem_alloc(count * sizeof *row), *table = mem_alloc((size_t)count * k->class_count * sizeof *table);
    struct keyword_state *states = mem_alloc(count * sizeof *states);
    for (int is_end = 0; is_end < 2; is_end++) {
        if (is_end) k->accepting = next * k->class_count;
        for (uint32_t s = 0; s < count; s++) {
            if (s % REST_STATES == 0) fiber_rest();
            if ((k->states[s].ends > 0) != is_end) continue;
            states[next] = k->states[s];
            row[s] = next++ * k->class_count;
        }
    }
    for (uint32_t s = 0; s < count; s++) {
        if (s % REST_STATES == 0) fiber_rest();
        for (unsigned c = 0; c < k->class_count; c++)
            table[row[s] + c] = c == k->stop ? STOP_ROW : row[k->table[(size_t)s * k->class_count + c]];
    }
    mem_free(row);
    mem_free(k->table);
    mem_free(k->states);
    k->table = table;
    k->states = states;
}

static void finish(struct build *b)
{
    struct keywords *k = b->k;
    uint32_t *first = first_chars(b);
    k->states = mem_zalloc(k->state_count, sizeof *k->states);
    k->ends = mem_alloc((b->member_count + 1) * sizeof *k->ends);
    for (uint32_t s = 0; s < k->state_count; s++) {
        if (s % REST_STATES == 0) fiber_rest();
        k->states[s].depth = b->states[s].count ? b->nodes[b->members[b->states[s].first]].depth : 0;
        add_ends(b, s, first);
    }
    k->ends = mem_realloc(k->ends, (k->end_count + 1) * sizeof *k->ends);
    mem_free(first);
    renumber(b);
}

static void build_clear(struct build *b)
{
    for (unsigned c = 0; b->moves && c < b->k->class_count; c++)
        mem_free(b->moves[c].nodes);
    mem_free(b->moves);
    mem_free(b->nodes);
    mem_free(b->members);
    mem_free(b->states);
    map_clear(&b->by_set);
}

static bool build(struct build *b, const struct slice *words, size_t count, struct fault *why)
{
    if (count > LIMIT_KEYWORDS)
        return fault_set(why, FAULT_POLICY, "%zu keywords, %u are the limit of one list", count, LIMIT_KEYWORDS);
    add_node(b, NO_WORD, MASK_PLAIN, 0);
    for (size_t i = 0; i < count; i++) {
        fiber_rest();
        if (!add_word(b, i, words[i], why)) return false;
    }
    make_classes(b);
    return make_states(b, why);
}

struct keywords *keywords_new(const struct slice *words, size_t count, unsigned flags, struct fault *why)
{
    struct build b = {.k = mem_zalloc(1, sizeof *b.k), .flags = flags};
    bool is_built = build(&b, words, count, why);
    b.k->subject = memo_subject();
    if (is_built) finish(&b);
    build_clear(&b);
    if (is_built) return b.k;
    keywords_free(b.k);
    return NULL;
}

uint32_t keywords_subject(const struct keywords *k)
{
    return k->subject;
}

void keywords_free(struct keywords *k)
{
    if (!k) return;
    mem_free(k->table);
    mem_free(k->states);
    mem_free(k->ends);
    mem_free(k);
}
