#include "wire/chunked.h"

#include "base/check.h"
#include "base/hex.h"
#include "base/limits.h"
#include "wire/http_rules.h"

/* Where the next byte stands. */
enum state {
    SIZE,      /* in the digits */
    EXT_BLANK, /* blanks after the size: a ';' must follow (RFC 9112 7.1.1, BWS) */
    EXT,       /* after the ';', up to CR */
    SIZE_LF,   /* the LF of the size's line */
    DATA,      /* in the chunk */
    DATA_CR,   /* after it */
    DATA_LF,
    TRAILER, /* at the start of a trailer line, or of the empty line that ends all */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    END,
    BAD,
};

void chunked_init(struct chunked *c)
{
    *c = (struct chunked){.state = SIZE};
}

static bool refuse(const char *what, struct fault *why)
{
    return fault_set(why, FAULT_BAD_REQUEST, "chunked body: %s", what);
}

static bool size_byte(struct chunked *c, unsigned char ch, struct fault *why)
{
    int digit = hex_digit((char)ch);
    if (digit >= 0) {
        if (c->digits == 16 || c->left > (uint64_t)INT64_MAX >> 4) return refuse("a chunk's size is too large", why);
        c->left = c->left << 4 | (unsigned)digit;
        c->digits++;
        return true;
    }
    if (c->digits == 0) return refuse("a chunk does not begin with its size in hexadecimal digits", why);
    if (ch == '\r')
        c->state = SIZE_LF;
    else if (ch == ';')
        c->state = EXT;
    else if (ch == ' ' || ch == '\t')
        c->state = EXT_BLANK;
    else
        return refuse("a chunk's size is followed by something else than CRLF", why);
    return true;
}

/* Called for every byte between the size and its CR. */
static bool count_extension(struct chunked *c, struct fault *why)
{
    if (++c->ext_bytes > LIMIT_CHUNK_EXT_BYTES)
        return fault_set(why, FAULT_BAD_REQUEST, "chunked body: a chunk's extensions are over the limit of %u bytes",
                         LIMIT_CHUNK_EXT_BYTES);
    if (++c->ext_total > LIMIT_CHUNK_EXT_TOTAL_BYTES)
        return fault_set(why, FAULT_BAD_REQUEST, "chunked body: all extensions are over the limit of %u bytes",
                         LIMIT_CHUNK_EXT_TOTAL_BYTES);
    return true;
}

static bool ext_byte(struct chunked *c, unsigned char ch, struct fault *why)
{
    if (c->state == EXT_BLANK) {
        if (ch == ';')
            c->state = EXT;
        else if (ch != ' ' && ch != '\t')
            return refuse("a chunk's size is followed by blanks", why);
    } else if (ch == '\r') {
        c->state = SIZE_LF;
        return true;
    } else if (!http_is_text(ch)) {
        return refuse("there is a control character in a chunk's extensions", why);
    }
    return count_extension(c, why);
}

static bool trailer_start(struct chunked *c, unsigned char ch, struct fault *why)
{
    if (ch == '\r') {
        c->state = LAST_LF;
        return true;
    }
    if (++c->trailer_count > LIMIT_TRAILERS_COUNT)
        return fault_set(why, FAULT_BAD_REQUEST, "chunked body: more than the limit of %u trailers",
                         LIMIT_TRAILERS_COUNT);
    if (!http_is_token_char(ch)) return refuse("a trailer does not begin with a name", why);
    c->state = TRAILER_NAME;
    return true;
}

static bool trailer_byte(struct chunked *c, unsigned char ch, struct fault *why)
{
    if (c->state == TRAILER) return trailer_start(c, ch, why);
    if (++c->trailer_bytes > LIMIT_TRAILERS_BYTES)
        return fault_set(why, FAULT_BAD_REQUEST, "chunked body: trailers over the limit of %u bytes",
                         LIMIT_TRAILERS_BYTES);
    if (c->state == TRAILER_NAME) {
        if (ch == ':')
            c->state = TRAILER_VALUE;
        else if (!http_is_token_char(ch))
            return refuse("a trailer's name is not a token before a colon", why);
    } else if (ch == '\r') {
        c->state = TRAILER_LF;
    } else if (!http_is_text(ch)) {
        return refuse("there is a control character in a trailer", why);
    }
    return true;
}

static bool expect(struct chunked *c, unsigned char ch, unsigned char want, enum state next, struct fault *why)
{
    if (ch != want) return refuse(want == '\n' ? "there is a CR without LF" : "a chunk is longer than its size", why);
    c->state = (uint8_t)next;
    return true;
}

static void begin_chunk(struct chunked *c)
{
    c->left = 0;
    c->digits = 0;
    c->ext_bytes = 0;
    c->state = SIZE;
}

/* One byte of framing. */
static bool step(struct chunked *c, unsigned char ch, struct fault *why)
{
    switch ((enum state)c->state) {
    case SIZE: return size_byte(c, ch, why) && (c->state == SIZE || c->state == SIZE_LF || count_extension(c, why));
    case EXT_BLANK:
    case EXT: return ext_byte(c, ch, why);
    case SIZE_LF: return expect(c, ch, '\n', c->left ? DATA : TRAILER, why);
    case DATA_CR: return expect(c, ch, '\r', DATA_LF, why);
    case DATA_LF:
        if (!expect(c, ch, '\n', SIZE, why)) return false;
        begin_chunk(c);
        return true;
    case TRAILER:
    case TRAILER_NAME:
    case TRAILER_VALUE: return trailer_byte(c, ch, why);
    case TRAILER_LF: return expect(c, ch, '\n', TRAILER, why);
    case LAST_LF: return expect(c, ch, '\n', END, why);
    case DATA:
    case END:
    case BAD: break;
    }
    check(!"a byte in a state that takes none");
    return false;
}

static enum chunked_result take_data(struct chunked *c, struct slice *bytes, struct slice *body)
{
    size_t len = bytes->len < c->left ? bytes->len : (size_t)c->left;
    *body = slice_of(bytes->ptr, len);
    bytes->ptr += len;
    bytes->len -= len;
    c->left -= len;
    if (c->left == 0) c->state = DATA_CR;
    return CHUNKED_BODY;
}

enum chunked_result chunked_next(struct chunked *c, struct slice *bytes, struct slice *body, struct fault *why)
{
    check(c->state != END && c->state != BAD);
    while (bytes->len) {
        if (c->state == DATA) return take_data(c, bytes, body);
        unsigned char ch = (unsigned char)*bytes->ptr;
        bytes->ptr++;
        bytes->len--;
        if (!step(c, ch, why)) {
            c->state = BAD;
            return CHUNKED_BAD;
        }
        if (c->state == END) return CHUNKED_END;
    }
    return CHUNKED_MORE;
}

size_t chunked_head(char text[CHUNKED_HEAD_BYTES], uint64_t len)
{
    static const char digits[] = "0123456789abcdef";
    size_t count = 1, at;
    while (count < 16 && len >> (4 * count))
        count++;
    for (at = count; at > 0; at--, len >>= 4)
        text[at - 1] = digits[len & 15];
    text[count] = '\r';
    text[count + 1] = '\n';
    return count + 2;
}
