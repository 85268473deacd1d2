/*
 * At build time: the figures beside this file become the tables of ../table.h.
 *
 *     make_tables pairs o200k_base.pairs o200k_base.table
 *     make_tables classes classes.txt classes.table
 *
 * A program of its own, built for the machine that builds; it trusts its input no further than not to write beyond its
 * own arrays, and says what is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/tokens/table.h"

#define TOKENS_MAX (TABLE_NONE - 1)
#define NODES_MAX (1u << 20)

static void fail(const char *what, const char *path)
{
    fprintf(stderr, "make_tables: %s: %s\n", path, what);
    exit(1);
}

static void *zeroed(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (!p) fail("out of memory", "-");
    return p;
}

static unsigned char *read_all(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = zeroed(1, 8u << 20);
    if (!file) fail("cannot be read", path);
    *len = fread(bytes, 1, 8u << 20, file);
    fclose(file);
    return bytes;
}

static void write_all(const char *path, const void *head, size_t head_len, const void *body, size_t body_len)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(head, 1, head_len, file) != head_len || fwrite(body, 1, body_len, file) != body_len ||
        fclose(file) != 0)
        fail("cannot be written", path);
}

/* ---- A vocabulary. */

struct token {
    uint32_t id, left, right, len;
    const unsigned char *text;
};

struct vocabulary_figures {
    struct token *tokens;
    uint32_t count;
    uint64_t *nodes;
    uint32_t node_count; /* one behind the last that is used */
};

static uint32_t varint(const unsigned char **at, const unsigned char *end, const char *path)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        if (*at == end) fail("ends inside a number", path);
        unsigned char byte = *(*at)++;
        value |= (uint32_t)(byte & 127) << shift;
        if (byte < 128) return value;
    }
    fail("a number is too large", path);
    return 0;
}

/* Each token's bytes are those of the two it was merged from. */
static void read_pairs(struct vocabulary_figures *v, const char *path)
{
    size_t len, used = 0;
    const unsigned char *at = read_all(path, &len), *end = at + len;
    unsigned char *texts = zeroed(1, 4u << 20);
    v->tokens = zeroed(TOKENS_MAX, sizeof *v->tokens);
    if (len < 256) fail("has no bytes", path);
    for (; v->count < 256; v->count++, used++) {
        texts[used] = *at++;
        v->tokens[v->count] = (struct token){v->count, v->count, v->count, 1, texts + used};
    }
    for (; at < end; v->count++) {
        uint32_t left = varint(&at, end, path), right = varint(&at, end, path);
        if (v->count == TOKENS_MAX || left >= v->count || right >= v->count)
            fail("a pair names no earlier token", path);
        const struct token *a = &v->tokens[left], *b = &v->tokens[right];
        if (a->len + b->len > TABLE_TOKEN_BYTES_MAX || used + a->len + b->len > 4u << 20)
            fail("a token is too long", path);
        memcpy(texts + used, a->text, a->len);
        memcpy(texts + used + a->len, b->text, b->len);
        v->tokens[v->count] = (struct token){v->count, left, right, a->len + b->len, texts + used};
        used += a->len + b->len;
    }
}

static int by_text(const void *left, const void *right)
{
    const struct token *a = left, *b = right;
    int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return order ? order : (int)a->len - (int)b->len;
}

/* Tokens [low, high) of the sorted list, all with the same first `depth` bytes, hang below `node`. */
struct branch {
    uint32_t node, low, high, depth;
};

struct children {
    unsigned char bytes[256];
    uint32_t lows[257];
    unsigned count;
};

static struct children children_of(const struct token *sorted, const struct branch *b, uint32_t low)
{
    struct children c = {.count = 0};
    for (uint32_t i = low; i < b->high;) {
        unsigned char byte = sorted[i].text[b->depth];
        c.bytes[c.count] = byte;
        c.lows[c.count++] = i;
        while (i < b->high && sorted[i].text[b->depth] == byte)
            i++;
    }
    c.lows[c.count] = b->high;
    return c;
}

static uint32_t find_base(const unsigned char *taken, const struct children *c, uint32_t first_free, const char *path)
{
    uint32_t base = first_free > c->bytes[0] ? first_free - c->bytes[0] : 1;
    for (;; base++) {
        unsigned i = 0;
        if (base + 256 >= NODES_MAX) fail("the trie is too large", path);
        while (i < c->count && !taken[base + c->bytes[i]])
            i++;
        if (i == c->count) return base;
    }
}

struct trie_making {
    struct vocabulary_figures *v;
    const struct token *sorted;
    struct branch *queue;
    unsigned char *taken;
    uint32_t head, tail, first_free;
    const char *path;
};

/* The children's places; returns their base. */
static uint32_t place_children(struct trie_making *t, const struct branch *b, uint32_t low)
{
    struct children c = children_of(t->sorted, b, low);
    while (t->taken[t->first_free])
        t->first_free++;
    uint32_t base = find_base(t->taken, &c, t->first_free, t->path);
    for (unsigned i = 0; i < c.count; i++) {
        uint32_t node = base + c.bytes[i];
        t->taken[node] = 1;
        t->v->nodes[node] = table_node(0, b->node, TABLE_NONE);
        if (node >= t->v->node_count) t->v->node_count = node + 1;
        t->queue[t->tail++] = (struct branch){node, c.lows[i], c.lows[i + 1], b->depth + 1};
    }
    return base;
}

/* Breadth first, each node's children at the first place where all fit: nearly no place stays empty. */
static void make_trie(struct vocabulary_figures *v, const struct token *sorted, const char *path)
{
    struct trie_making t = {.v = v, .sorted = sorted, .first_free = 1, .path = path};
    t.queue = zeroed(NODES_MAX, sizeof *t.queue);
    t.taken = zeroed(NODES_MAX, 1);
    v->nodes = zeroed(NODES_MAX, sizeof *v->nodes);
    for (uint32_t i = 0; i < NODES_MAX; i++)
        v->nodes[i] = table_node(0, 0xFFFFF, TABLE_NONE); /* nobody's child */
    t.taken[0] = 1;
    t.queue[t.tail++] = (struct branch){0, 0, v->count, 0};
    while (t.head < t.tail) {
        struct branch b = t.queue[t.head++];
        uint32_t parent = table_node_parent(v->nodes[b.node]), value = TABLE_NONE, low = b.low;
        if (sorted[low].len == b.depth) value = sorted[low++].id;
        uint32_t base = low < b.high ? place_children(&t, &b, low) : 0;
        v->nodes[b.node] = table_node(base, parent, value);
    }
    v->node_count += 256; /* a step from any node stays inside */
    if (v->node_count > NODES_MAX) fail("the trie is too large", path);
    free(t.queue);
    free(t.taken);
}

/* The longest token that this one begins with and is not. */
static uint32_t prefix_of(const struct vocabulary_figures *v, const struct token *token)
{
    uint32_t node = 0, prefix = TABLE_NONE;
    for (uint32_t i = 0; i + 1 < token->len; i++) {
        node = table_node_base(v->nodes[node]) + token->text[i];
        uint32_t value = table_node_value(v->nodes[node]);
        if (value != TABLE_NONE) prefix = value;
    }
    return prefix;
}

static uint64_t *make_pairs(const struct vocabulary_figures *v, uint64_t *bits)
{
    *bits = 10;
    while (1u << *bits < 2 * v->count)
        (*bits)++;
    uint64_t slots = 1u << *bits, *pairs = zeroed(slots, sizeof *pairs);
    memset(pairs, 0xFF, slots * sizeof *pairs);
    for (uint32_t id = 256; id < v->count; id++) {
        uint64_t key = table_pair_key(v->tokens[id].left, v->tokens[id].right);
        uint32_t slot = table_pair_slot(key, *bits);
        while (pairs[slot] != TABLE_PAIR_EMPTY)
            slot = (slot + 1) & (uint32_t)(slots - 1);
        pairs[slot] = key << 18 | id;
    }
    return pairs;
}

static void write_vocabulary(const struct vocabulary_figures *v, const char *path)
{
    struct table_head head = {.magic = TABLE_MAGIC, .token_count = v->count, .node_count = v->node_count};
    uint64_t *pairs = make_pairs(v, &head.pair_bits), slots = 1u << head.pair_bits;
    head.nodes_at = sizeof head;
    head.tokens_at = head.nodes_at + head.node_count * 8;
    head.pairs_at = head.tokens_at + head.token_count * 8;
    head.size = head.pairs_at + slots * 8;
    uint64_t words = head.node_count + head.token_count + slots, *body = zeroed(words, 8);
    memcpy(body, v->nodes, v->node_count * 8);
    uint64_t *tokens = body + v->node_count;
    for (uint32_t i = 0; i < v->count; i++) {
        const struct token *t = &v->tokens[i];
        tokens[i] = table_token(t->left, t->right, prefix_of(v, t), t->len);
        if (t->len == 1) continue;
        tokens[t->left] |= TABLE_TOKEN_LEFT; /* both are earlier ones */
        tokens[t->right] |= TABLE_TOKEN_RIGHT;
    }
    memcpy(tokens + v->count, pairs, slots * 8);
    write_all(path, &head, sizeof head, body, words * 8);
}

static void make_vocabulary(const char *from, const char *to)
{
    struct vocabulary_figures v = {0};
    read_pairs(&v, from);
    struct token *sorted = zeroed(v.count, sizeof *sorted);
    memcpy(sorted, v.tokens, v.count * sizeof *sorted);
    qsort(sorted, v.count, sizeof *sorted, by_text);
    make_trie(&v, sorted, from);
    write_vocabulary(&v, to);
}

/* ---- Classes of code points. */

/* In the order of enum piece_class (../classes.h); "-", all else, is 0 and has no line. */
static const char class_letters[] = "-ULOMNSR";

static unsigned char *read_classes(const char *path)
{
    unsigned char *classes = zeroed(0x110000, 1);
    FILE *file = fopen(path, "r");
    unsigned first, last;
    char letter;
    if (!file) fail("cannot be read", path);
    for (int n; (n = fscanf(file, "%x %x %c\n", &first, &last, &letter)) != EOF;) {
        const char *place = n == 3 ? strchr(class_letters, letter) : NULL;
        if (!place || first > last || last >= 0x110000) fail("a line is not FIRST LAST CLASS", path);
        memset(classes + first, (int)(place - class_letters), last - first + 1);
    }
    fclose(file);
    return classes;
}

static void make_classes(const char *from, const char *to)
{
    unsigned char *classes = read_classes(from), index[TABLE_CLASS_INDEX];
    unsigned char *pages = zeroed(256, TABLE_CLASS_PAGE);
    unsigned count = 0;
    for (unsigned i = 0; i < TABLE_CLASS_INDEX; i++) {
        const unsigned char *page = classes + i * TABLE_CLASS_PAGE;
        unsigned known = 0;
        while (known < count && memcmp(pages + known * TABLE_CLASS_PAGE, page, TABLE_CLASS_PAGE) != 0)
            known++;
        if (known == 256) fail("more than 256 different pages", from);
        if (known == count) memcpy(pages + count++ * TABLE_CLASS_PAGE, page, TABLE_CLASS_PAGE);
        index[i] = (unsigned char)known;
    }
    write_all(to, index, sizeof index, pages, count * TABLE_CLASS_PAGE);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "pairs") == 0) {
        make_vocabulary(argv[2], argv[3]);
    } else if (argc == 4 && strcmp(argv[1], "classes") == 0) {
        make_classes(argv[2], argv[3]);
    } else {
        fprintf(stderr, "usage: make_tables pairs|classes FROM TO\n");
        return 2;
    }
    return 0;
}
