#include "net/head.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"

/* Offsets, because the text moves while it grows. */
struct field {
    uint32_t name_at, name_len, value_at, value_len;
};

struct head_reader {
    struct buf text;
    int status; /* 0: a status line is due */
    size_t bytes;
    size_t count, cap;
    struct field *fields;
    struct fetch_header *headers; /* what head_get() gives out; as many as fields */
};

struct head_reader *head_new(void)
{
    struct head_reader *h = mem_zalloc(1, sizeof *h);
    buf_init(&h->text);
    return h;
}

void head_free(struct head_reader *h)
{
    if (!h) return;
    buf_clear(&h->text);
    mem_free(h->fields);
    mem_free(h->headers);
    mem_free(h);
}

void head_reset(struct head_reader *h)
{
    buf_reset(&h->text);
    h->status = 0;
    h->bytes = 0;
    h->count = 0;
}

bool head_is_token(struct slice s)
{
    static const char *const others = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool is_alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!is_alnum && (c == 0 || !strchr(others, c))) return false;
    }
    return s.len > 0;
}

bool head_is_value(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

static struct slice without_line_end(struct slice line)
{
    if (line.len && line.ptr[line.len - 1] == '\n') line.len--;
    if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
    return line;
}

static enum head_step bad(struct fault *why, const char *what)
{
    fault_set(why, FAULT_UPSTREAM_PROTOCOL, "the answer's head %s", what);
    return HEAD_BAD;
}

/* "HTTP/1.1 200 OK", "HTTP/2 200": three digits behind the first space. */
static enum head_step take_status(struct head_reader *h, struct slice line, struct fault *why)
{
    struct slice rest;
    struct slice version = slice_split(line, ' ', &rest);
    uint64_t status = 0;
    if (!slice_starts(version, SLICE("HTTP/")) || rest.len < 3 || (rest.len > 3 && rest.ptr[3] != ' ') ||
        !slice_to_u64(slice_of(rest.ptr, 3), &status) || !head_is_value(rest))
        return bad(why, "does not begin with a status line");
    if (status < 100 || status > 599) return bad(why, "has a status outside of 100 to 599");
    if (status == 101) return bad(why, "switches protocols, which nobody asked for");
    h->status = (int)status;
    return status < 200 ? HEAD_MORE : HEAD_STATUS;
}

static struct slice field_name(const struct head_reader *h, const struct field *f)
{
    return slice_of(buf_ptr(&h->text) + f->name_at, f->name_len);
}

static struct slice field_value(const struct head_reader *h, const struct field *f)
{
    return slice_of(buf_ptr(&h->text) + f->value_at, f->value_len);
}

/* Two different lengths are how answers are smuggled into one another (RFC 9112, 6.3). */
static bool contradicts(const struct head_reader *h, struct slice name, struct slice value)
{
    if (!slice_iequal(name, SLICE("content-length"))) return false;
    for (size_t i = 0; i < h->count; i++) {
        if (slice_iequal(field_name(h, &h->fields[i]), name) && !slice_equal(field_value(h, &h->fields[i]), value))
            return true;
    }
    return false;
}

static void add_field(struct head_reader *h, struct slice name, struct slice value)
{
    if (h->count == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 32;
        h->fields = mem_realloc(h->fields, h->cap * sizeof *h->fields);
        h->headers = mem_realloc(h->headers, h->cap * sizeof *h->headers);
    }
    size_t at = buf_len(&h->text);
    h->fields[h->count++] =
        (struct field){(uint32_t)at, (uint32_t)name.len, (uint32_t)(at + name.len), (uint32_t)value.len};
    buf_append(&h->text, name);
    buf_append(&h->text, value);
}

static enum head_step take_field(struct head_reader *h, struct slice line, struct fault *why)
{
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t') return bad(why, "has a folded line");
    struct slice value;
    struct slice name = slice_split(line, ':', &value);
    if (name.len == line.len) return bad(why, "has a line without a colon");
    if (!head_is_token(name)) return bad(why, "has a field name that is not a token");
    value = slice_trim(value);
    if (!head_is_value(value)) return bad(why, "has a control character in a value");
    if (contradicts(h, name, value)) return bad(why, "has two different Content-Lengths");
    if (h->count == LIMIT_RESPONSE_HEADERS_COUNT) return bad(why, "has too many fields");
    add_field(h, name, value);
    return HEAD_MORE;
}

/* An interim answer is forgotten with its empty line; what it cost stays counted. */
static enum head_step take_end(struct head_reader *h)
{
    if (h->status >= 200) return HEAD_DONE;
    buf_reset(&h->text);
    h->status = 0;
    h->count = 0;
    return HEAD_MORE;
}

enum head_step head_take(struct head_reader *h, struct slice line, struct fault *why)
{
    h->bytes += line.len;
    if (h->bytes > LIMIT_RESPONSE_HEAD_BYTES) {
        fault_set(why, FAULT_UPSTREAM_PROTOCOL, "the answer's head is over %u bytes", LIMIT_RESPONSE_HEAD_BYTES);
        return HEAD_BAD;
    }
    line = without_line_end(line);
    if (h->status == 0) return take_status(h, line, why);
    return line.len == 0 ? take_end(h) : take_field(h, line, why);
}

struct fetch_head head_get(struct head_reader *h)
{
    for (size_t i = 0; i < h->count; i++)
        h->headers[i] = (struct fetch_header){field_name(h, &h->fields[i]), field_value(h, &h->fields[i])};
    return (struct fetch_head){h->status, h->headers, h->count};
}
