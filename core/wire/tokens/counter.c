#include "wire/tokens/counter.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "wire/tokens/ascii.h"
#include "wire/tokens/tokens_inner.h"
#include "wire/tokens/merge.h"
#include "wire/tokens/recent.h"

#define SHORT_PIECE_BYTES 256u
#define SHORT_TEXT_BYTES 64u /* up to this, looking for broken characters one by one is as quick */
#define TAIL_FIRST_BYTES 40u /* a word or two, which is all that most texts leave open */
#define TAIL_KEPT_BYTES 256u

/* ---- One piece. */

/* What the tables must be asked for. Apart, so that its arrays cost the others nothing. */
static __attribute__((noinline)) unsigned count_short(const struct vocabulary *v, const unsigned char *p, size_t len)
{
    uint32_t tokens[RECENT_BYTES_MAX];
    return (unsigned)merge_piece(v, p, len, tokens);
}

static __attribute__((noinline)) uint64_t count_long(const struct vocabulary *v, const unsigned char *p, size_t len)
{
    uint32_t few[SHORT_PIECE_BYTES];
    if (len <= SHORT_PIECE_BYTES) return merge_piece(v, p, len, few);
    uint32_t *many = mem_alloc(len * sizeof *many);
    size_t count = merge_piece(v, p, len, many);
    mem_free(many);
    return count;
}

/* The piece of `len` bytes at p; nothing is read at or behind `end`. */
static inline uint64_t count_piece(const struct vocabulary *v, const unsigned char *p, size_t len,
                                   const unsigned char *end)
{
    if (len == 1) return 1;
    if (len > RECENT_BYTES_MAX) return count_long(v, p, len);
    struct recent_place *table = recent_tables[v->index];
    uint64_t last, first = recent_first(p, len, end, &last);
    unsigned count = recent_find(table, first, last);
    if (count) return count;
    count = count_short(v, p, len);
    recent_keep(table, first, last, count);
    return count;
}

/* ---- Valid text. */

/* The piece at p ends in the window of LIMIT_TOKEN_PIECE_BYTES at most, as if the text ended there. */
static const unsigned char *window_end(const unsigned char *p, const unsigned char *end)
{
    if ((size_t)(end - p) <= LIMIT_TOKEN_PIECE_BYTES) return end;
    end = p + LIMIT_TOKEN_PIECE_BYTES;
    while ((*end & 0xC0) == 0x80)
        end--;
    return end;
}

/* The end of the piece at p; NULL: it may yet grow with what comes behind `end`. */
static const unsigned char *settled_end(const struct vocabulary *v, const unsigned char *p, const unsigned char *end,
                                        bool is_last)
{
    bool is_open = false;
    const unsigned char *next = v->piece_end(p, window_end(p, end), &is_open);
    return is_open && !is_last && (size_t)(end - p) < LIMIT_TOKEN_PIECE_BYTES ? NULL : next;
}

static inline __attribute__((always_inline)) const unsigned char *
count_pieces_of(const struct vocabulary *v, bool is_o200k, const unsigned char *p, const unsigned char *end,
                bool is_last, uint64_t *count)
{
    struct ascii_block block = {.base = NULL};
    uint64_t sum = 0;
    while (p < end) {
        size_t len = ascii_piece(&block, p, end, is_o200k);
        const unsigned char *next = len ? p + len : settled_end(v, p, end, is_last);
        if (!next) break;
        sum += count_piece(v, p, (size_t)(next - p), end);
        p = next;
    }
    *count += sum;
    return p;
}

/* Counts the pieces that nothing behind `end` can change, all of them when is_last; returns where it stopped. Once for
 * each pattern, so that none asks which it is at every piece. */
static const unsigned char *count_pieces(const struct vocabulary *v, const unsigned char *p, const unsigned char *end,
                                         bool is_last, uint64_t *count)
{
    if (v->piece_end == piece_end_o200k) return count_pieces_of(v, true, p, end, is_last, count);
    return count_pieces_of(v, false, p, end, is_last, count);
}

/* ---- Text that is not valid: each maximal part that begins no character becomes U+FFFD (Unicode 3.9,
 * WHATWG Encoding).
 */

/* Bytes at p, where no valid character begins, that one U+FFFD stands for. With fewer than wanted behind them they may
 * become a character yet: *is_cut. */
static size_t broken_len(const unsigned char *p, size_t left, bool *is_cut)
{
    unsigned char low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
    size_t wanted = p[0] >= 0xC2 && p[0] <= 0xDF ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4 : 1;
    size_t len = 1;
    *is_cut = false;
    while (len < wanted) {
        if (len == left) {
            *is_cut = true;
            return len;
        }
        if (p[len] < low || p[len] > high) return len;
        low = 0x80;
        high = 0xBF;
        len++;
    }
    return len;
}

/* Appends `text` with its broken parts replaced; what may still become a character at its end is left, and the number
 * of bytes that were taken returned. */
static size_t append_repaired(struct buf *out, struct slice text, bool is_last)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    size_t at = 0, good = 0; /* the valid run that ends at `at` begins at `good` */
    if (text.len > SHORT_TEXT_BYTES && utf8_is_valid(text)) at = text.len;
    while (at < text.len) {
        size_t len = utf8_char_len(bytes + at, text.len - at);
        bool is_cut = false;
        if (len) {
            at += len;
            continue;
        }
        len = broken_len(bytes + at, text.len - at, &is_cut);
        if (is_cut && !is_last) break;
        buf_append(out, slice_of(text.ptr + good, at - good));
        buf_append(out, SLICE("\xEF\xBF\xBD"));
        good = at += len;
    }
    buf_append(out, slice_of(text.ptr + good, at - good));
    return at;
}

static uint64_t count_repaired(const struct vocabulary *v, struct slice text)
{
    struct buf repaired;
    uint64_t count = 0;
    buf_init(&repaired);
    append_repaired(&repaired, text, true);
    const unsigned char *p = (const unsigned char *)buf_slice(&repaired).ptr;
    count_pieces(v, p, p + buf_len(&repaired), true, &count);
    buf_clear(&repaired);
    return count;
}

uint64_t token_count(const struct vocabulary *v, struct slice text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    uint64_t count = 0;
    if (!text.len) return 0;
    if (!utf8_is_valid(text)) return count_repaired(v, text);
    count_pieces(v, p, p + text.len, true, &count);
    return count;
}

static size_t encode_piece(const struct vocabulary *v, const unsigned char *p, size_t len, uint32_t *ids, size_t max)
{
    uint32_t *tokens = mem_alloc(len * sizeof *tokens);
    size_t count = merge_piece(v, p, len, tokens), given = count < max ? count : max;
    if (given) memcpy(ids, tokens, given * sizeof *ids);
    mem_free(tokens);
    return count;
}

size_t token_encode(const struct vocabulary *v, struct slice text, uint32_t *ids, size_t max)
{
    struct buf repaired;
    size_t count = 0;
    bool is_open;
    buf_init(&repaired);
    append_repaired(&repaired, text, true);
    const unsigned char *p = (const unsigned char *)buf_slice(&repaired).ptr, *end = p + buf_len(&repaired);
    while (p < end) {
        const unsigned char *next = v->piece_end(p, window_end(p, end), &is_open);
        size_t room = count < max ? max - count : 0;
        count += encode_piece(v, p, (size_t)(next - p), room ? ids + count : ids, room);
        p = next;
    }
    buf_clear(&repaired);
    return count;
}

/* ---- Text that comes in pieces. */

void token_counter_init(struct token_counter *c, const struct vocabulary *v)
{
    *c = (struct token_counter){.vocabulary = v};
    buf_init_small(&c->tail, TAIL_FIRST_BYTES);
}

void token_counter_clear(struct token_counter *c)
{
    buf_clear(&c->tail);
}

/* A counter lives as long as its stream: it keeps no memory for what is behind it.
 * Copying costs less than was counted. */
static void shrink_tail(struct token_counter *c)
{
    struct buf tail = c->tail;
    size_t len = buf_len(&tail);
    if (len > 0 && (tail.cap <= TAIL_KEPT_BYTES || len > tail.cap / 8)) return;
    buf_init_small(&c->tail, len > TAIL_FIRST_BYTES ? len : TAIL_FIRST_BYTES);
    buf_append(&c->tail, buf_slice(&tail));
    buf_clear(&tail);
}

/* Counts what is settled at the front of the tail. A tail that stayed whole is looked at again only when it has
 * doubled: otherwise a run without a border, fed byte by byte, would be read over and over. */
static void settle_tail(struct token_counter *c)
{
    struct slice tail = buf_slice(&c->tail);
    const unsigned char *p = (const unsigned char *)tail.ptr, *end = p + tail.len - c->broken;
    if ((size_t)(end - p) < 2 * c->looked_at) return;
    const unsigned char *rest = count_pieces(c->vocabulary, p, end, false, &c->count);
    buf_consume(&c->tail, (size_t)(rest - p));
    c->looked_at = (size_t)(end - rest);
    shrink_tail(c);
}

/* At the tail's end stand the first bytes of a character whose rest has not come: `broken` of them. */
static void append_tail(struct token_counter *c, struct slice text)
{
    char begun[4];
    struct slice tail = buf_slice(&c->tail), front = slice_of(tail.ptr + tail.len - c->broken, c->broken);
    struct buf joined;
    buf_init(&joined);
    if (front.len) {
        memcpy(begun, front.ptr, front.len);
        buf_append(&joined, slice_of(begun, front.len));
        buf_append(&joined, text);
        text = buf_slice(&joined);
        c->tail.end -= front.len;
    }
    size_t taken = append_repaired(&c->tail, text, false);
    c->broken = text.len - taken;
    buf_append(&c->tail, slice_of(text.ptr + taken, c->broken));
    buf_clear(&joined);
}

void token_counter_feed(struct token_counter *c, struct slice text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    if (!text.len) return;
    if (!buf_len(&c->tail) && utf8_is_valid(text)) {
        const unsigned char *rest = count_pieces(c->vocabulary, p, p + text.len, false, &c->count);
        size_t left = (size_t)(p + text.len - rest);
        c->looked_at = left;
        c->broken = 0;
        buf_append(&c->tail, slice_of((const char *)rest, left));
        return;
    }
    append_tail(c, text);
    settle_tail(c);
}

uint64_t token_counter_total(const struct token_counter *c)
{
    return c->count + token_count(c->vocabulary, buf_slice(&c->tail));
}

uint64_t token_counter_settled(const struct token_counter *c)
{
    return c->count;
}
