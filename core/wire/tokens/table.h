/*
 * How a vocabulary lies in the binary's read-only data: written by vocabulary/make_tables.c at build time, read by the
 * rooms of this folder, nobody else. Plain arrays of 64-bit words in the machine's own byte order.
 *
 *   nodes    a trie over the bytes of all tokens, as a double array: the child of node n by byte b is n' = base(n) + b,
 *            if parent(n') == n. Root: 0. value: the token that ends there.
 *   tokens   of each id the two it was merged from (itself twice for a single byte), the longest shorter token that it
 *            begins with, its length in bytes, and whether it is the left or the right one of any pair
 *   pairs    left, right → id of their merge; open addressing, linear, at most half full
 */
#ifndef MOONGATE_WIRE_TOKENS_TABLE_H
#define MOONGATE_WIRE_TOKENS_TABLE_H

#include <stdint.h>

#define TABLE_MAGIC 0x31306E656B6F6Dull /* "moken01" */
#define TABLE_NONE 0x3FFFFu             /* no token */
#define TABLE_PAIR_EMPTY UINT64_MAX
#define TABLE_TOKEN_BYTES_MAX 128u      /* of the longest token of any vocabulary */

struct table_head {
    uint64_t magic;
    uint64_t token_count, node_count;
    uint64_t pair_bits; /* 1 << pair_bits slots */
    uint64_t nodes_at, tokens_at, pairs_at, size; /* bytes from the head */
};

/* Node: base 20 bits, parent 20, value 18. */
static inline uint64_t table_node(uint32_t base, uint32_t parent, uint32_t value)
{
    return (uint64_t)base | (uint64_t)parent << 20 | (uint64_t)value << 40;
}
static inline uint32_t table_node_base(uint64_t node)
{
    return (uint32_t)node & 0xFFFFF;
}
static inline uint32_t table_node_parent(uint64_t node)
{
    return (uint32_t)(node >> 20) & 0xFFFFF;
}
static inline uint32_t table_node_value(uint64_t node)
{
    return (uint32_t)(node >> 40);
}

/* Token: left 18 bits, right 18, prefix 18, length 8; of the last two bits see below. */
static inline uint64_t table_token(uint32_t left, uint32_t right, uint32_t prefix, uint32_t len)
{
    return (uint64_t)left | (uint64_t)right << 18 | (uint64_t)prefix << 36 | (uint64_t)len << 54;
}
static inline uint32_t table_token_left(uint64_t token)
{
    return (uint32_t)token & 0x3FFFF;
}
static inline uint32_t table_token_right(uint64_t token)
{
    return (uint32_t)(token >> 18) & 0x3FFFF;
}
static inline uint32_t table_token_prefix(uint64_t token)
{
    return (uint32_t)(token >> 36) & 0x3FFFF;
}
static inline uint32_t table_token_len(uint64_t token)
{
    return (uint32_t)(token >> 54) & 0xFF;
}
/* Set when a merge has it on its left, or on its right: where one lacks it no pair need be looked for. */
#define TABLE_TOKEN_LEFT (1ull << 62)
#define TABLE_TOKEN_RIGHT (1ull << 63)

/* Pair: key 36 bits above the id's 18. */
static inline uint64_t table_pair_key(uint32_t left, uint32_t right)
{
    return (uint64_t)left << 18 | right;
}
/* Fibonacci hashing (Knuth, TAOCP 6.4). */
static inline uint32_t table_pair_slot(uint64_t key, uint64_t bits)
{
    return (uint32_t)((key * 0x9E3779B97F4A7C15ull) >> (64 - bits));
}

/* Classes of code points, in two stages: class = pages[index[point / 128] * 128 + point % 128]. */
#define TABLE_CLASS_PAGE 128u
#define TABLE_CLASS_INDEX (0x110000u / TABLE_CLASS_PAGE)

#endif
