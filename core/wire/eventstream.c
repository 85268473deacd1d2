#include "wire/eventstream.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"

#define PRELUDE_BYTES 12u /* two lengths, of the whole and of its headers, and their sum */
#define SUM_BYTES 4u
#define BARE_BYTES (PRELUDE_BYTES + SUM_BYTES)

struct eventstream {
    struct buf held; /* the beginning of a message */
    uint64_t at;     /* of the stream's bytes, where the message begins that is read */
    bool is_broken;
    struct fault why;
};

/* --- sums and numbers --- */

/* RFC 1952 8: of each byte, eight steps of the division. Made once in a process. */
static const uint32_t *sums(void)
{
    static uint32_t table[256];
    for (uint32_t byte = 0; !table[255] && byte < 256; byte++) {
        uint32_t sum = byte;
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320u : 0);
        table[byte] = sum;
    }
    return table;
}

static uint32_t sum_of(struct slice bytes)
{
    const uint32_t *table = sums();
    uint32_t sum = 0xFFFFFFFFu;
    for (size_t i = 0; i < bytes.len; i++)
        sum = table[(sum ^ (uint8_t)bytes.ptr[i]) & 0xFF] ^ sum >> 8;
    return ~sum;
}

static uint32_t number(const char *bytes, size_t len)
{
    uint32_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | (uint8_t)bytes[i];
    return value;
}

/* --- headers --- */

enum value_type { VALUE_TRUE, VALUE_FALSE, VALUE_BYTE, VALUE_SHORT, VALUE_INT, VALUE_LONG, VALUE_BYTES, VALUE_STRING,
                  VALUE_TIME, VALUE_UUID, VALUE_TYPES };

struct header {
    struct slice name, value;
    unsigned type;
};

/* Off the front of *rest; false: it goes over the end, or is of no type. */
static bool take(struct slice *rest, size_t len, struct slice *taken)
{
    if (len > rest->len) return false;
    *taken = slice_of(rest->ptr, len);
    *rest = slice_of(rest->ptr + len, rest->len - len);
    return true;
}

static bool take_value(struct slice *rest, unsigned type, struct slice *value)
{
    static const uint8_t sizes[VALUE_TYPES] = {[VALUE_BYTE] = 1, [VALUE_SHORT] = 2, [VALUE_INT] = 4,
                                               [VALUE_LONG] = 8, [VALUE_TIME] = 8,  [VALUE_UUID] = 16};
    struct slice len;
    if (type >= VALUE_TYPES) return false;
    if (type != VALUE_BYTES && type != VALUE_STRING) return take(rest, sizes[type], value);
    return take(rest, 2, &len) && take(rest, number(len.ptr, 2), value);
}

static bool take_header(struct slice *rest, struct header *h)
{
    struct slice len, type;
    if (!take(rest, 1, &len) || !take(rest, number(len.ptr, 1), &h->name) || !h->name.len) return false;
    if (!take(rest, 1, &type)) return false;
    h->type = number(type.ptr, 1);
    return take_value(rest, h->type, &h->value);
}

static bool are_headers(struct slice rest)
{
    struct header h;
    while (rest.len) {
        if (!take_header(&rest, &h)) return false;
    }
    return true;
}

bool eventstream_header(const struct eventstream_message *message, struct slice name, struct slice *value)
{
    struct slice rest = message->headers;
    struct header h;
    while (rest.len && take_header(&rest, &h)) {
        if (!slice_equal(h.name, name)) continue;
        *value = h.value;
        return h.type == VALUE_STRING;
    }
    return false;
}

/* --- messages --- */

struct eventstream *eventstream_new(void)
{
    return mem_zalloc(1, sizeof(struct eventstream));
}

void eventstream_free(struct eventstream *es)
{
    if (!es) return;
    buf_clear(&es->held);
    mem_free(es);
}

size_t eventstream_held_bytes(const struct eventstream *es)
{
    return buf_len(&es->held);
}

static bool break_off(struct eventstream *es, const char *what)
{
    es->is_broken = true;
    buf_clear(&es->held);
    return fault_set(&es->why, FAULT_UPSTREAM_STREAM, "The provider's event stream is broken: %s of the message at "
                     "byte %llu.", what, (unsigned long long)es->at);
}

/* The length that it says, of a message whose prelude is there; 0: it is broken. */
static size_t length_of(struct eventstream *es, struct slice bytes)
{
    uint32_t total = number(bytes.ptr, 4), headers = number(bytes.ptr + 4, 4);
    if (sum_of(slice_of(bytes.ptr, 8)) != number(bytes.ptr + 8, 4))
        break_off(es, "the lengths' checksum");
    else if (total < BARE_BYTES || headers > total - BARE_BYTES)
        break_off(es, "the length");
    else if (total > LIMIT_EVENTSTREAM_BYTES)
        break_off(es, "the size");
    return es->is_broken ? 0 : total;
}

static bool tell(struct eventstream *es, struct slice whole, eventstream_fn on_message, void *arg)
{
    size_t headers = number(whole.ptr + 4, 4), sum_at = whole.len - SUM_BYTES;
    struct eventstream_message message = {
        .headers = slice_of(whole.ptr + PRELUDE_BYTES, headers),
        .payload = slice_of(whole.ptr + PRELUDE_BYTES + headers, whole.len - BARE_BYTES - headers)};
    if (sum_of(slice_of(whole.ptr, sum_at)) != number(whole.ptr + sum_at, SUM_BYTES))
        return break_off(es, "the checksum");
    if (!are_headers(message.headers)) return break_off(es, "a header");
    es->at += whole.len;
    return on_message(arg, &message);
}

/* What is missing of the message that is held, off the front of *bytes; false: it is not whole yet, or is broken. */
static bool complete(struct eventstream *es, struct slice *bytes)
{
    for (size_t want = PRELUDE_BYTES;;) {
        size_t held = buf_len(&es->held), more = want > held ? want - held : 0;
        struct slice part = slice_of(bytes->ptr, more < bytes->len ? more : bytes->len);
        buf_append(&es->held, part);
        *bytes = slice_of(bytes->ptr + part.len, bytes->len - part.len);
        if (part.len < more) return false;
        if (want > PRELUDE_BYTES) return true;
        want = length_of(es, buf_slice(&es->held));
        if (!want) return false;
    }
}

static bool feed_held(struct eventstream *es, struct slice *bytes, eventstream_fn on_message, void *arg)
{
    struct buf held;
    if (!complete(es, bytes)) return !es->is_broken;
    held = es->held;
    buf_init(&es->held);
    bool goes_on = tell(es, buf_slice(&held), on_message, arg);
    buf_clear(&held);
    return goes_on;
}

/* One that lies whole in *bytes, off its front; what is not whole yet is held. */
static bool feed_direct(struct eventstream *es, struct slice *bytes, eventstream_fn on_message, void *arg)
{
    size_t len = bytes->len >= PRELUDE_BYTES ? length_of(es, *bytes) : 0;
    struct slice whole;
    if (es->is_broken) return false;
    if (len && take(bytes, len, &whole)) return tell(es, whole, on_message, arg);
    buf_append(&es->held, *bytes);
    *bytes = SLICE_NONE;
    return true;
}

bool eventstream_feed(struct eventstream *es, struct slice bytes, eventstream_fn on_message, void *arg,
                      struct fault *why)
{
    bool goes_on = !es->is_broken;
    while (goes_on && bytes.len)
        goes_on = (buf_len(&es->held) ? feed_held : feed_direct)(es, &bytes, on_message, arg);
    if (!goes_on) *why = es->is_broken ? es->why : (struct fault){.code = FAULT_NONE};
    return goes_on;
}
