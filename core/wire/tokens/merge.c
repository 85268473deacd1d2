#include "wire/tokens/merge.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "wire/tokens/tokens_inner.h"
#include "wire/tokens/ranked.h"

#define SHORT_BYTES 512u
/* So often may a piece go back for each token that stands, and in any case, before it is merged in order of rank.
 * Random letters go back 0.4 times a token, a row of "=" forty times. */
#define STEPS_BACK_A_TOKEN 2
#define STEPS_BACK_FREE 64

struct piece {
    const uint64_t *nodes, *tokens, *pairs;
    uint64_t pair_bits;
    const unsigned char *bytes;
    size_t len;
    unsigned index; /* of the vocabulary */
};

static struct piece open_piece(const struct vocabulary *v, const unsigned char *p, size_t len)
{
    const struct table_head *head = v->head;
    return (struct piece){
        .nodes = vocabulary_array(v, head->nodes_at),
        .tokens = vocabulary_array(v, head->tokens_at),
        .pairs = vocabulary_array(v, head->pairs_at),
        .pair_bits = head->pair_bits,
        .bytes = p,
        .len = len,
        .index = v->index,
    };
}

/* The longest token that begins at `at`, and where it ends; there always is one, of a byte. */
static inline uint32_t longest_at(const struct piece *piece, size_t at, size_t *end)
{
    uint32_t node = 0, found = TABLE_NONE, base = table_node_base(piece->nodes[0]);
    *end = at;
    for (size_t i = at; i < piece->len && base; i++) {
        uint32_t child = base + piece->bytes[i];
        uint64_t word = piece->nodes[child];
        if (table_node_parent(word) != node) break;
        node = child;
        base = table_node_base(word);
        if (table_node_value(word) == TABLE_NONE) continue;
        found = table_node_value(word);
        *end = i + 1;
    }
    return found;
}

/*
 * Would byte-pair encoding leave the border between these two alone? Both are undone in the reverse order of their
 * merges, the later first, on the border's side; at each step the two that touch must not be a pair that is merged
 * before whatever was undone last. `limit` is that one's rank.
 */
static bool is_border(const struct piece *piece, uint32_t left, uint32_t right)
{
    uint32_t limit = UINT32_MAX;
    for (;;) {
        uint64_t left_token = piece->tokens[left], right_token = piece->tokens[right];
        if (left_token & TABLE_TOKEN_LEFT && right_token & TABLE_TOKEN_RIGHT) {
            uint32_t merged = pairs_find(piece->pairs, piece->pair_bits, left, right);
            if (merged != TABLE_NONE && merged < limit) return false;
        }
        uint32_t inner_left = table_token_right(left_token), inner_right = table_token_left(right_token);
        bool is_left_single = inner_left == left, is_right_single = inner_right == right;
        if (is_left_single && is_right_single) return true;
        if (is_right_single || (!is_left_single && left > right)) {
            limit = left;
            left = inner_left;
        } else {
            limit = right + 1; /* of two merges of one rank the left one comes first */
            right = inner_right;
        }
    }
}

/* Borders that were judged lately: the pair's key, and in the lowest bit the answer; 0: none. Text uses the same
 * neighbours over and over, and judging two takes some look-ups in a table that is larger than a cache. */
#define BORDER_BITS 13u
static uint64_t known_borders[VOCABULARIES][1u << BORDER_BITS];

static inline bool may_stand(const struct piece *piece, uint32_t left, uint32_t right)
{
    uint64_t key = table_pair_key(left, right) + 1; /* never 0 */
    uint64_t *known = &known_borders[piece->index][table_pair_slot(key, BORDER_BITS)];
    if (*known >> 1 == key) return *known & 1;
    bool answer = is_border(piece, left, right);
    *known = key << 1 | answer;
    return answer;
}

struct walk {
    struct piece piece;
    uint32_t *tokens; /* what stands so far */
    size_t count, at;
    uint64_t *dead; /* one bit a place: no way leads on from there */
    size_t steps_back;
};

static bool is_dead(const struct walk *w, size_t at)
{
    return w->dead[at / 64] >> at % 64 & 1;
}

/* The longest token that may stand here; TABLE_NONE: none may. */
static uint32_t fitting(const struct walk *w, uint32_t id)
{
    for (; id != TABLE_NONE; id = table_token_prefix(w->piece.tokens[id])) {
        if (is_dead(w, w->at + table_token_len(w->piece.tokens[id]))) continue;
        if (!w->count || may_stand(&w->piece, w->tokens[w->count - 1], id)) return id;
    }
    return TABLE_NONE;
}

/* From the longest token of the piece on. False: it went back too often. */
static bool walk_all(struct walk *w, uint32_t wanted)
{
    size_t end;
    for (;;) {
        uint32_t id = fitting(w, wanted);
        if (id != TABLE_NONE) {
            w->tokens[w->count++] = id;
            w->at += table_token_len(w->piece.tokens[id]);
            if (w->at == w->piece.len) return true;
            wanted = longest_at(&w->piece, w->at, &end);
            continue;
        }
        w->dead[w->at / 64] |= (uint64_t)1 << w->at % 64;
        if (w->steps_back++ >= STEPS_BACK_A_TOKEN * w->count + STEPS_BACK_FREE || w->count == 0) return false;
        uint32_t last = w->tokens[--w->count];
        w->at -= table_token_len(w->piece.tokens[last]);
        wanted = table_token_prefix(w->piece.tokens[last]);
    }
}

static size_t merge_long(const struct vocabulary *v, struct walk *w, uint32_t first)
{
    w->dead = mem_zalloc(w->piece.len / 64 + 1, sizeof *w->dead);
    size_t count = walk_all(w, first) ? w->count : ranked_merge(v, w->piece.bytes, w->piece.len, w->tokens);
    mem_free(w->dead);
    return count;
}

size_t merge_piece(const struct vocabulary *v, const unsigned char *p, size_t len, uint32_t *tokens)
{
    struct walk w = {.piece = open_piece(v, p, len), .tokens = tokens};
    size_t end;
    uint32_t first = longest_at(&w.piece, 0, &end);
    if (end == len) {
        tokens[0] = first;
        return 1;
    }
    if (len > SHORT_BYTES) return merge_long(v, &w, first);
    uint64_t dead[SHORT_BYTES / 64 + 1];
    memset(dead, 0, (len / 64 + 1) * sizeof *dead);
    w.dead = dead;
    return walk_all(&w, first) ? w.count : ranked_merge(v, p, len, tokens);
}
