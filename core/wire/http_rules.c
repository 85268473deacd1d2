#include "wire/http_rules.h"

#include "base/check.h"
#include "base/hex.h"

/* ---- Characters */

enum { TEXT = 1, TOKEN = 2, HOST = 4 };

/* clang-format off */
#define PLAIN (TEXT)
#define TCHAR (TEXT | TOKEN)
#define HCHAR (TEXT | HOST)
#define BOTH  (TEXT | TOKEN | HOST)
/* RFC 9110 5.6.2 (tchar); RFC 3986 3.2.2 (unreserved, sub-delims, '%'; brackets and colons are looked at apart). */
static const unsigned char classes[256] = {
    [0x09] = PLAIN, [' '] = PLAIN,
    ['!'] = BOTH, ['"'] = PLAIN, ['#'] = TCHAR, ['$'] = BOTH, ['%'] = BOTH, ['&'] = BOTH, ['\''] = BOTH,
    ['('] = HCHAR, [')'] = HCHAR, ['*'] = BOTH, ['+'] = BOTH, [','] = HCHAR, ['-'] = BOTH, ['.'] = BOTH, ['/'] = PLAIN,
    ['0'... '9'] = BOTH, [':'] = PLAIN, [';'] = HCHAR, ['<'] = PLAIN, ['='] = HCHAR, ['>'] = PLAIN, ['?'] = PLAIN,
    ['@'] = PLAIN, ['A'... 'Z'] = BOTH, ['['] = PLAIN, ['\\'] = PLAIN, [']'] = PLAIN, ['^'] = TCHAR, ['_'] = BOTH,
    ['`'] = TCHAR, ['a'... 'z'] = BOTH, ['{'] = PLAIN, ['|'] = TCHAR, ['}'] = PLAIN, ['~'] = BOTH,
    [0x80 ... 0xFF] = PLAIN,
};
/* clang-format on */

bool http_is_text(unsigned char c)
{
    return classes[c] & TEXT;
}

bool http_is_token_char(unsigned char c)
{
    return classes[c] & TOKEN;
}

static bool all_of(struct slice s, unsigned char class)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!(classes[(unsigned char)s.ptr[i]] & class)) return false;
    }
    return true;
}

bool http_is_token(struct slice s)
{
    return s.len > 0 && all_of(s, TOKEN);
}

bool http_is_field_value(struct slice s)
{
    return all_of(s, TEXT);
}

static bool is_ip_literal(struct slice s)
{
    if (s.len < 2) return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != ':' && !(classes[(unsigned char)s.ptr[i]] & HOST)) return false;
    }
    return true;
}

bool http_is_host(struct slice s)
{
    struct slice host, port = SLICE_NONE;
    if (s.len && s.ptr[0] == '[') {
        host = slice_split(slice_of(s.ptr + 1, s.len - 1), ']', &port);
        if (host.len + 1 == s.len || !is_ip_literal(host)) return false;
        if (port.len == 0) return true;
        if (port.ptr[0] != ':') return false;
        port.ptr++, port.len--;
    } else {
        host = slice_split(s, ':', &port);
        if (host.len == 0 || !all_of(host, HOST)) return false;
    }
    for (size_t i = 0; i < port.len; i++) {
        if (port.ptr[i] < '0' || port.ptr[i] > '9') return false;
    }
    return true;
}

bool http_list_has(struct slice list, struct slice token)
{
    while (list.len) {
        if (slice_iequal(slice_trim(slice_split(list, ',', &list)), token)) return true;
    }
    return false;
}

/* ---- Rules that need the whole head */

struct seen {
    struct slice length, coding, host;
    unsigned lengths, codings, hosts;
    bool close, keep_alive;
};

static void look_at(const struct http_header *h, struct seen *seen, struct http_head *head)
{
    switch (h->name.len) {
    case 4:
        if (slice_iequal(h->name, SLICE("host"))) seen->host = h->value, seen->hosts++;
        break;
    case 6:
        if (slice_iequal(h->name, SLICE("expect")))
            head->expect_continue |= slice_iequal(h->value, SLICE("100-continue"));
        break;
    case 10:
        if (slice_iequal(h->name, SLICE("connection"))) {
            seen->close |= http_list_has(h->value, SLICE("close"));
            seen->keep_alive |= http_list_has(h->value, SLICE("keep-alive"));
        }
        break;
    case 14:
        if (slice_iequal(h->name, SLICE("content-length"))) seen->length = h->value, seen->lengths++;
        break;
    case 17:
        if (slice_iequal(h->name, SLICE("transfer-encoding"))) seen->coding = h->value, seen->codings++;
        break;
    default: break;
    }
}

/* RFC 9112 6: whatever could be framed in two ways is refused, also where the RFC would let one win. */
static bool apply_framing(const struct seen *seen, struct http_head *head, struct fault *why)
{
    uint64_t length;
    if (seen->codings && seen->lengths)
        return fault_set(why, FAULT_BAD_REQUEST, "Content-Length and Transfer-Encoding exclude each other");
    if (seen->codings && head->minor == 0)
        return fault_set(why, FAULT_BAD_REQUEST, "HTTP/1.0 has no Transfer-Encoding");
    if (seen->codings > 1 || (seen->codings && !slice_iequal(seen->coding, SLICE("chunked"))))
        return fault_set(why, FAULT_TRANSFER_CODING, "Transfer-Encoding is not exactly one \"chunked\"");
    head->is_chunked = seen->codings == 1;
    if (seen->lengths > 1) return fault_set(why, FAULT_BAD_REQUEST, "there is more than one Content-Length");
    if (seen->lengths == 0) return true;
    if (!slice_to_u64(seen->length, &length) || length > INT64_MAX)
        return fault_set(why, FAULT_BAD_REQUEST, "Content-Length is not a decimal number of bytes");
    head->content_length = (int64_t)length;
    return true;
}

/* RFC 9112 3.2, RFC 9110 7.2. A URL's authority wins by the RFC; that they differ is refused here. */
static bool apply_host(const struct seen *seen, struct http_head *head, struct fault *why)
{
    if (seen->hosts > 1) return fault_set(why, FAULT_BAD_REQUEST, "there is more than one Host header");
    if (seen->hosts == 0) {
        if (head->minor == 0) return true;
        return fault_set(why, FAULT_BAD_REQUEST, "there is no Host header");
    }
    if (!http_is_host(seen->host))
        return fault_set(why, FAULT_BAD_REQUEST, "the Host header is not a host name or address with a port");
    if (head->host.len && !slice_iequal(head->host, seen->host))
        return fault_set(why, FAULT_BAD_REQUEST, "the Host header names another host than the URL in the request line");
    head->host = seen->host;
    return true;
}

bool http_apply_rules(struct http_head *head, struct fault *why)
{
    struct seen seen = {0};
    head->content_length = -1;
    head->is_chunked = head->expect_continue = false;
    for (size_t i = 0; i < head->header_count; i++)
        look_at(&head->headers[i], &seen, head);
    /* RFC 9110 10.1.1: a 1.0 client cannot wait for an interim answer. RFC 9112 9.3: who keeps by default. */
    if (head->minor == 0) head->expect_continue = false;
    head->keep_alive = !seen.close && (head->minor == 1 || seen.keep_alive);
    return apply_framing(&seen, head, why) && apply_host(&seen, head, why);
}

/* ---- Helpers */

struct slice http_find(const struct http_head *head, struct slice name)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (slice_iequal(head->headers[i].name, name)) return head->headers[i].value;
    }
    return SLICE_NONE;
}

bool http_is_credential(struct slice name)
{
    static const struct slice names[] = {{"authorization", 13}, {"proxy-authorization", 19}, {"cookie", 6},
                                         {"x-api-key", 9},      {"api-key", 7},              {"x-goog-api-key", 14}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_iequal(name, names[i])) return true;
    }
    return false;
}

bool http_decode_segment(struct arena *arena, struct slice segment, struct slice *decoded)
{
    char *to = arena_alloc(arena, segment.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < segment.len; i++) {
        char c = segment.ptr[i];
        if (c == '%') {
            int high = i + 2 < segment.len ? hex_digit(segment.ptr[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(segment.ptr[i + 2]) : -1;
            if (low < 0) return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if ((unsigned char)c < 0x20 || c == 0x7F) return false;
        to[len++] = c;
    }
    to[len] = '\0';
    *decoded = slice_of(to, len);
    return true;
}

static bool is_unreserved(char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), is_digit = c >= '0' && c <= '9';
    return is_letter || is_digit || c == '-' || c == '.' || c == '_' || c == '~';
}

void http_encode_segment(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_unreserved(text.ptr[i]))
            buf_append_char(out, text.ptr[i]);
        else
            buf_printf(out, "%%%02X", (unsigned char)text.ptr[i]);
    }
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {203, "Non-Authoritative Information"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {424, "Failed Dependency"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
        {529, "Overloaded"}, /* not registered; providers use it */
    };
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        if (phrases[i].status == status) return phrases[i].phrase;
    }
    return "Unknown";
}
