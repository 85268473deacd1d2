#include "wire/conceal.h"

#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"

#define IN_ITS_PLACE SLICE("[secret]")
#define SURE_BYTES 4u /* looked for at once; the rest is compared */

void conceal_init(struct conceal *c, const struct slice *secrets, size_t count)
{
    *c = (struct conceal){.secrets = secrets, .count = count};
    buf_init(&c->held);
    buf_init(&c->text);
    buf_init(&c->changed);
}

void conceal_clear(struct conceal *c)
{
    for (size_t i = 0; i < c->encoded_count; i++)
        mem_free((char *)c->encoded[i].ptr);
    mem_free(c->encoded);
    buf_clear(&c->held);
    buf_clear(&c->text);
    buf_clear(&c->changed);
}

/* The six bits of the secret that begin at one of its bits; the last may be short. */
static unsigned six_bits(struct slice secret, size_t bit)
{
    size_t byte = bit / 8;
    unsigned two = (unsigned)(uint8_t)secret.ptr[byte] << 8;
    if (byte + 1 < secret.len) two |= (uint8_t)secret.ptr[byte + 1];
    return two >> (10 - bit % 8) & 63;
}

/* The digits that are the secret's alone when so many bytes of others stand before it. */
static struct slice in_base64(struct slice secret, size_t before, const char *alphabet)
{
    size_t first = (8 * before + 5) / 6, end = 8 * (before + secret.len) / 6, len = 0;
    char *text = mem_alloc(end - first + 1);
    for (size_t digit = first; digit < end; digit++)
        text[len++] = alphabet[six_bits(secret, 6 * digit - 8 * before)];
    return slice_of(text, len);
}

void conceal_encoded(struct conceal *c)
{
    static const char *const alphabets[] = {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};
    c->encoded = mem_zalloc(6 * c->count + 1, sizeof *c->encoded);
    for (size_t i = 0; i < c->count; i++) {
        for (size_t k = 0; k < 6 && c->secrets[i].len >= LIMIT_CONCEAL_BYTES_MIN; k++)
            c->encoded[c->encoded_count++] = in_base64(c->secrets[i], k / 2, alphabets[k % 2]);
    }
}

/* Backslashes at the beginning; more than these belong to no secret. */
static size_t backslashes(struct slice at)
{
    size_t n = 0;
    while (n < at.len && n < LIMIT_CONCEAL_BACKSLASHES && at.ptr[n] == '\\')
        n++;
    return n;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How a spelling compares with what stands at a place; PART: as far as the text goes it is that. */
enum match { MATCH_NONE, MATCH_PART, MATCH_WHOLE };

/* `digits` of hexadecimal, in either case, for the character. */
static enum match match_hex(struct slice at, size_t digits, char c)
{
    uint8_t code[2] = {0};
    char text[4] = {'0', '0', '0', '0'};
    size_t have = at.len < digits ? at.len : digits;
    for (size_t i = 0; i < have; i++)
        text[i] = at.ptr[i];
    if (!hex_read(slice_of(text, digits), code, digits / 2)) return MATCH_NONE;
    if (have < digits) return MATCH_PART;
    return code[digits / 2 - 1] == (uint8_t)c && (digits == 2 || code[0] == 0) ? MATCH_WHOLE : MATCH_NONE;
}

/* Behind backslashes: the character itself, where it is one that is escaped like that, or "u" and its number. */
static enum match match_escaped(struct slice at, char c, size_t *len)
{
    size_t n = backslashes(at);
    struct slice rest = slice_of(at.ptr + n, at.len - n);
    if (c == '\\' && !(rest.len && rest.ptr[0] == 'u')) {
        *len = n;
        return rest.len ? MATCH_WHOLE : MATCH_PART;
    }
    if (!rest.len) return n < LIMIT_CONCEAL_BACKSLASHES ? MATCH_PART : MATCH_NONE;
    if (rest.ptr[0] == c && !is_alnum(c)) {
        *len = n + 1;
        return MATCH_WHOLE;
    }
    *len = n + 1 + 4;
    return rest.ptr[0] == 'u' ? match_hex(slice_of(rest.ptr + 1, rest.len - 1), 4, c) : MATCH_NONE;
}

/* One character in any of its spellings. */
static enum match match_char(struct slice at, char c, size_t *len)
{
    if (at.ptr[0] == '\\') return match_escaped(at, c, len);
    *len = 1;
    if (at.ptr[0] == c) return MATCH_WHOLE;
    *len = 3;
    return at.ptr[0] == '%' ? match_hex(slice_of(at.ptr + 1, at.len - 1), 2, c) : MATCH_NONE;
}

/* How many bytes at the beginning of `at` are the secret; 0: it is not there. *is_part: `at` ends inside it. */
static size_t length_at(struct slice secret, struct slice at, bool *is_part)
{
    size_t i = 0;
    *is_part = false;
    for (size_t k = 0; k < secret.len; k++) {
        size_t len = 0;
        enum match match = i < at.len ? match_char(slice_of(at.ptr + i, at.len - i), secret.ptr[k], &len) : MATCH_PART;
        *is_part = match == MATCH_PART;
        if (match != MATCH_WHOLE) return 0;
        i += len;
        /* A run of its own backslashes is one run of the text's. */
        while (secret.ptr[k] == '\\' && k + 1 < secret.len && secret.ptr[k + 1] == '\\')
            k++;
    }
    return i;
}

struct found {
    size_t at, len; /* len 0: only its beginning, up to the end of the text */
};

/* Of the secret's first bytes, as many as are seldom escaped; one, where a beginning counts too. */
static struct slice sure_part(struct slice secret, bool goes_on)
{
    size_t sure = 0;
    while (sure < secret.len && sure < SURE_BYTES && is_alnum(secret.ptr[sure]))
        sure++;
    return slice_of(secret.ptr, goes_on || sure < 1 ? 1 : sure);
}

/* Where one may begin: with its own first bytes, or with the mark of an escape. */
#define BEGINNINGS 3u

static size_t seek(struct slice text, size_t from, struct slice what)
{
    const char *at = from < text.len ? memmem(text.ptr + from, text.len - from, what.ptr, what.len) : NULL;
    return at ? (size_t)(at - text.ptr) : text.len;
}

static size_t nearest(const size_t *next)
{
    size_t at = next[0];
    for (size_t i = 1; i < BEGINNINGS; i++)
        at = next[i] < at ? next[i] : at;
    return at;
}

/* The first place at or behind `from` where this secret, or its beginning at the text's end, stands. A secret that
 * begins with '/' is found behind the backslash, which stays. */
static bool find_one(struct slice secret, struct slice text, size_t from, bool goes_on, struct found *found)
{
    if (secret.len < LIMIT_CONCEAL_BYTES_MIN) return false;
    const struct slice marks[BEGINNINGS] = {sure_part(secret, goes_on), SLICE("\\"), SLICE("%")};
    size_t next[BEGINNINGS];
    for (size_t i = 0; i < BEGINNINGS; i++)
        next[i] = seek(text, from, marks[i]);
    for (size_t at; (at = nearest(next)) < text.len;) {
        bool is_part;
        size_t len = length_at(secret, slice_of(text.ptr + at, text.len - at), &is_part);
        if (len || (is_part && goes_on)) {
            *found = (struct found){at, len};
            return true;
        }
        for (size_t i = 0; i < BEGINNINGS; i++)
            next[i] = next[i] == at ? seek(text, at + 1, marks[i]) : next[i];
    }
    return false;
}

/* Where each secret stands next, so that a text is searched once for each, however often another stands in it. */
struct seeker {
    struct found found;
    bool is_known, is_over;
};

static size_t secret_count(const struct conceal *c)
{
    return c->count + c->encoded_count;
}

static bool seek_on(const struct conceal *c, size_t i, struct slice text, size_t from, bool goes_on, struct seeker *s)
{
    struct slice secret = i < c->count ? c->secrets[i] : c->encoded[i - c->count];
    if (s->is_over) return false;
    if (s->is_known && s->found.at >= from) return true;
    s->is_known = true;
    s->is_over = !find_one(secret, text, from, goes_on, &s->found);
    return !s->is_over;
}

/* Of all secrets the one that stands first; of two at one place the longer. */
static bool find(const struct conceal *c, struct slice text, size_t from, bool goes_on, struct seeker *seekers,
                 struct found *found)
{
    bool has = false;
    for (size_t i = 0; i < secret_count(c); i++) {
        struct seeker alone = {.is_known = false}, *s = seekers ? &seekers[i] : &alone;
        if (!seek_on(c, i, text, from, goes_on, s)) continue;
        if (!has || s->found.at < found->at || (s->found.at == found->at && s->found.len > found->len))
            *found = s->found;
        has = true;
    }
    return has;
}

/* What is held by now comes in front of the bytes. */
static struct slice with_held(struct conceal *c, struct slice bytes)
{
    if (!buf_len(&c->held)) return bytes;
    buf_reset(&c->text);
    buf_append(&c->text, buf_slice(&c->held));
    buf_append(&c->text, bytes);
    buf_reset(&c->held);
    return buf_slice(&c->text);
}

struct slice conceal_pass(struct conceal *c, struct slice bytes, bool goes_on)
{
    struct slice text = with_held(c, bytes);
    struct found found;
    size_t from = 0;
    if (!find(c, text, 0, goes_on, NULL, &found)) return text;
    struct seeker *seekers = mem_zalloc(secret_count(c), sizeof *seekers);
    buf_reset(&c->changed);
    do {
        buf_append(&c->changed, slice_of(text.ptr + from, found.at - from));
        from = found.at + found.len;
        buf_append(found.len ? &c->changed : &c->held,
                   found.len ? IN_ITS_PLACE : slice_of(text.ptr + from, text.len - from));
        if (!found.len) from = text.len;
    } while (find(c, text, from, goes_on, seekers, &found));
    mem_free(seekers);
    buf_append(&c->changed, slice_of(text.ptr + from, text.len - from));
    return buf_slice(&c->changed);
}

struct slice conceal_rest(struct conceal *c)
{
    return with_held(c, SLICE(""));
}

bool conceal_finds(const struct slice *secrets, size_t count, struct slice text)
{
    struct conceal c = {.secrets = secrets, .count = count};
    struct found found;
    return find(&c, text, 0, false, NULL, &found);
}
