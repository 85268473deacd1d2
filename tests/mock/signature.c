#include "signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256 "
#define CLOCK_SKEW_S 300

struct claim {
    struct slice id, day, region, service, end; /* of the credential */
    struct slice names, signature;
};

bool signature_is_one(const struct request *request)
{
    return slice_starts(request_header(request, SLICE("authorization")), SLICE(ALGORITHM));
}

/* "Name=value" of a list with commas. */
static struct slice member(struct slice list, struct slice name)
{
    while (list.len) {
        struct slice value, one = slice_trim(slice_split(list, ',', &list));
        if (slice_equal(slice_split(one, '=', &value), name)) return value;
    }
    return SLICE_NONE;
}

static struct claim read_claim(struct slice header)
{
    struct slice list = slice_of(header.ptr + sizeof ALGORITHM - 1, header.len - sizeof ALGORITHM + 1);
    struct slice rest = member(list, SLICE("Credential"));
    struct claim c = {.names = member(list, SLICE("SignedHeaders")), .signature = member(list, SLICE("Signature"))};
    c.id = slice_split(rest, '/', &rest);
    c.day = slice_split(rest, '/', &rest);
    c.region = slice_split(rest, '/', &rest);
    c.service = slice_split(rest, '/', &c.end);
    return c;
}

static bool is_signed(const struct claim *c, struct slice name)
{
    struct slice rest = c->names;
    while (rest.len) {
        if (slice_iequal(slice_split(rest, ';', &rest), name)) return true;
    }
    return false;
}

static void hex_of(const unsigned char *bytes, char hex[65])
{
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

static void hash(struct slice text, char hex[65])
{
    unsigned char digest[32];
    EVP_Digest(text.ptr ? text.ptr : "", text.len, digest, NULL, EVP_sha256(), NULL);
    hex_of(digest, hex);
}

/* Each byte of the path but slashes and what is unreserved is escaped once more. */
static void append_path(struct buf *out, struct slice path)
{
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                        strchr("-._~/", c);
        buf_printf(out, is_plain ? "%c" : "%%%02X", c);
    }
}

static void append_canonical(struct buf *out, const struct request *request, const struct claim *c)
{
    struct slice rest = c->names;
    char hex[65];
    buf_printf(out, "%.*s\n", SLICE_FMT(request->method));
    append_path(out, request->path);
    buf_printf(out, "\n%.*s\n", SLICE_FMT(request->query));
    while (rest.len) {
        struct slice name = slice_split(rest, ';', &rest);
        buf_printf(out, "%.*s:%.*s\n", SLICE_FMT(name), SLICE_FMT(request_header(request, name)));
    }
    hash(buf_slice(&request->body), hex);
    buf_printf(out, "\n%.*s\n%s", SLICE_FMT(c->names), hex);
}

static void mac(unsigned char key[32], size_t len, struct slice text, const char *first)
{
    unsigned char out[32];
    HMAC(EVP_sha256(), first ? (const void *)first : key, (int)len, (const unsigned char *)text.ptr, text.len, out,
         NULL);
    memcpy(key, out, 32);
}

static void sign(const struct claim *c, struct slice date, struct slice canonical, char signature[65])
{
    static const char secret[] = "AWS4" SIGNATURE_SECRET;
    unsigned char key[32];
    char hex[65];
    struct buf text;
    hash(canonical, hex);
    buf_init(&text);
    buf_printf(&text, "AWS4-HMAC-SHA256\n%.*s\n%.*s/%.*s/%.*s/%.*s\n%s", SLICE_FMT(date), SLICE_FMT(c->day),
               SLICE_FMT(c->region), SLICE_FMT(c->service), SLICE_FMT(c->end), hex);
    mac(key, sizeof secret - 1, c->day, secret);
    mac(key, 32, c->region, NULL);
    mac(key, 32, c->service, NULL);
    mac(key, 32, c->end, NULL);
    mac(key, 32, buf_slice(&text), NULL);
    hex_of(key, signature);
    buf_clear(&text);
}

static bool is_now(struct slice date, time_t now)
{
    struct tm tm = {0};
    char text[20] = "";
    if (date.len >= sizeof text) return false;
    memcpy(text, date.ptr, date.len);
    const char *end = strptime(text, "%Y%m%dT%H%M%SZ", &tm);
    return end && !*end && llabs((long long)(timegm(&tm) - now)) <= CLOCK_SKEW_S;
}

const char *signature_fault(const struct request *request, time_t now)
{
    struct claim c = read_claim(request_header(request, SLICE("authorization")));
    struct slice date = request_header(request, SLICE("x-amz-date"));
    struct slice token = request_header(request, SLICE("x-amz-security-token"));
    struct buf canonical;
    char signature[65];
    if (!slice_equal(c.id, SLICE(SIGNATURE_ID))) return "The security token included in the request is invalid.";
    if (!is_now(date, now) || !slice_starts(date, c.day)) return "Signature not yet current or expired.";
    if (!slice_equal(c.service, SLICE("bedrock")) || !slice_equal(c.end, SLICE("aws4_request")))
        return "Credential should be scoped to correct service: 'bedrock'.";
    if (!is_signed(&c, SLICE("host")) || !is_signed(&c, SLICE("x-amz-date"))) return "'Host' must be a signed header.";
    if (token.len && (!is_signed(&c, SLICE("x-amz-security-token")) || !slice_equal(token, SLICE(SIGNATURE_TOKEN))))
        return "The security token included in the request is invalid.";
    buf_init(&canonical);
    append_canonical(&canonical, request, &c);
    sign(&c, date, buf_slice(&canonical), signature);
    buf_clear(&canonical);
    return slice_equal(c.signature, slice_str(signature))
               ? NULL
               : "The request signature we calculated does not match the signature you provided.";
}
