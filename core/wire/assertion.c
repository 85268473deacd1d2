#include "wire/assertion.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/http.h"
#include "wire/json.h"

#define KEY_BITS_MIN 2048
#define LIFE_UNSAID_S 300u /* of an answer that does not say how long its token is good (RFC 6749 5.1) */
#define ASSERTION_LIFE_S 3600u

/* ---- The key file. */

static int no_passphrase(char *buf, int size, int is_writing, void *arg)
{
    (void)buf, (void)size, (void)is_writing, (void)arg;
    return -1;
}

static EVP_PKEY *read_key(struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    bool is_good = key && EVP_PKEY_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_bits(key) >= KEY_BITS_MIN;
    if (is_good) return key;
    EVP_PKEY_free(key);
    return NULL;
}

/* Visible ASCII: it goes into a URL, a JWT and perhaps a log. */
static bool is_plain(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '\\') return false;
    }
    return text.len > 0 && text.len <= LIMIT_ACCESS_TOKEN_FIELD_BYTES;
}

static bool read_field(const struct json_tape *tape, const char *name, struct arena *arena, struct slice *text,
                       struct fault *why)
{
    uint32_t node = json_get(tape, 0, slice_str(name));
    *text = json_is(tape, node, JSON_STRING) ? json_text(tape, node, arena) : SLICE_NONE;
    if (text->len) return true;
    return fault_set(why, FAULT_BAD_BODY, "the key file has no \"%s\"", name);
}

/* Always a copy, which is the caller's to wipe. */
static bool read_secret(const struct json_tape *tape, struct arena *arena, struct service_account *who,
                        struct fault *why)
{
    struct slice text;
    if (!read_field(tape, "private_key", arena, &text, why)) return false;
    bool is_borrowed = text.ptr == json_raw(tape, json_get(tape, 0, SLICE("private_key"))).ptr + 1;
    who->key = is_borrowed ? arena_copy(arena, text) : text;
    return true;
}

static bool is_local(struct slice host)
{
    return slice_equal(host, SLICE("127.0.0.1")) || slice_equal(host, SLICE("localhost")) ||
           slice_equal(host, SLICE("[::1]"));
}

/* Scheme, host and port, and nothing that two readers could take for another host. */
static bool may_be_asked(struct slice url)
{
    bool is_https = slice_starts(url, SLICE("https://")), is_http = slice_starts(url, SLICE("http://"));
    struct slice after = slice_of(url.ptr + (is_https ? 8 : 7), url.len - (is_https ? 8 : 7)), rest;
    if (!is_https && !is_http) return false;
    if (memchr(url.ptr, '#', url.len)) return false;
    struct slice host = slice_split(after, '/', &rest);
    if (host.len == 0 || memchr(host.ptr, '@', host.len) || memchr(host.ptr, '?', host.len)) return false;
    const char *colon = memrchr(host.ptr, ':', host.len);
    struct slice name = colon && host.ptr[host.len - 1] != ']' ? slice_of(host.ptr, (size_t)(colon - host.ptr)) : host;
    return is_https || is_local(name);
}

static bool check_account(const struct service_account *who, struct fault *why)
{
    if (!is_plain(who->email)) return fault_set(why, FAULT_BAD_BODY, "its \"client_email\" is no address");
    if (!is_plain(who->key_id)) return fault_set(why, FAULT_BAD_BODY, "its \"private_key_id\" is no key's id");
    if (!is_plain(who->token_url) || !may_be_asked(who->token_url))
        return fault_set(why, FAULT_BAD_BODY,
                         "its \"token_uri\" is not an https:// URL (http:// is for this machine alone)");
    EVP_PKEY *key = read_key(who->key);
    EVP_PKEY_free(key);
    return key || fault_set(why, FAULT_BAD_BODY, "its \"private_key\" is no RSA key (PEM) of %d bits or more",
                            KEY_BITS_MIN);
}

static bool read_account(const struct json_tape *tape, struct arena *arena, struct service_account *who,
                         struct fault *why)
{
    struct slice type;
    if (!json_is(tape, 0, JSON_OBJECT)) return fault_set(why, FAULT_BAD_BODY, "it is no JSON object");
    if (!read_field(tape, "type", arena, &type, why)) return false;
    if (!slice_equal(type, SLICE("service_account")))
        return fault_set(why, FAULT_BAD_BODY, "it is of the type \"%.*s\"; this version takes a \"service_account\"",
                         (int)(type.len < 40 ? type.len : 40), type.ptr);
    return read_field(tape, "client_email", arena, &who->email, why) &&
           read_field(tape, "private_key_id", arena, &who->key_id, why) &&
           read_field(tape, "token_uri", arena, &who->token_url, why) && read_secret(tape, arena, who, why) &&
           check_account(who, why);
}

void service_account_wipe(struct service_account *who)
{
    if (who->key.len) explicit_bzero((char *)(uintptr_t)who->key.ptr, who->key.len);
    who->key = SLICE_NONE;
}

bool service_account_read(struct slice json, struct arena *arena, struct service_account *who, struct fault *why)
{
    struct json_tape tape;
    struct fault unused;
    *who = (struct service_account){.key = SLICE_NONE};
    json_init(&tape);
    /* A parser's words may quote what it read. */
    bool is_good = json_parse(&tape, json, &unused) ? read_account(&tape, arena, who, why)
                                                    : fault_set(why, FAULT_BAD_BODY, "it is not valid JSON");
    json_clear(&tape);
    return is_good;
}

/* ---- The assertion. */

static void append_encoded(struct buf *out, const struct buf *json)
{
    base64url_append(buf_slice(json), out);
}

static void write_claims(const struct service_account *who, struct slice scope, uint64_t now_s, struct buf *out)
{
    uint64_t issued_s = now_s > LIMIT_ACCESS_TOKEN_SKEW_S ? now_s - LIMIT_ACCESS_TOKEN_SKEW_S : 0;
    struct buf json;
    buf_init(&json);
    buf_printf(&json, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"%.*s\"}", SLICE_FMT(who->key_id));
    append_encoded(out, &json);
    buf_append_char(out, '.');
    buf_reset(&json);
    buf_printf(&json, "{\"iss\":\"%.*s\",\"scope\":\"%.*s\",\"aud\":\"%.*s\",\"iat\":%llu,\"exp\":%llu}",
               SLICE_FMT(who->email), SLICE_FMT(scope), SLICE_FMT(who->token_url), (unsigned long long)issued_s,
               (unsigned long long)(issued_s + ASSERTION_LIFE_S));
    append_encoded(out, &json);
    buf_clear(&json);
}

static bool sign(EVP_PKEY *key, struct slice text, struct buf *out)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    size_t len = (size_t)EVP_PKEY_size(key);
    unsigned char *signature = mem_alloc(len);
    bool is_good = md && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
                   EVP_DigestSign(md, signature, &len, (const unsigned char *)text.ptr, text.len) == 1;
    if (is_good) base64url_append(slice_of((const char *)signature, len), out);
    mem_free(signature);
    EVP_MD_CTX_free(md);
    return is_good;
}

bool assertion_write(const struct service_account *who, struct slice scope, uint64_t now_s, struct buf *body,
                     struct fault *why)
{
    struct buf text, signature;
    EVP_PKEY *key = read_key(who->key);
    buf_init(&text);
    buf_init(&signature);
    write_claims(who, scope, now_s, &text);
    bool is_signed = key && sign(key, buf_slice(&text), &signature);
    if (is_signed)
        buf_printf(body, "grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Ajwt-bearer&assertion=%.*s.%.*s",
                   SLICE_FMT(buf_slice(&text)), SLICE_FMT(buf_slice(&signature)));
    EVP_PKEY_free(key);
    buf_clear(&signature);
    buf_clear(&text);
    return is_signed || fault_set(why, FAULT_INTERNAL, "its key does not sign");
}

/* ---- What is given for it. */

/* It goes into a header (RFC 6750 2.1). */
static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7F) return false;
    }
    return text.len >= LIMIT_CONCEAL_BYTES_MIN && text.len <= LIMIT_ACCESS_TOKEN_BYTES;
}

/* A string with escapes was decoded into an arena, which keeps it. */
static void wipe_decoded(const struct json_tape *tape, uint32_t string, struct slice text)
{
    bool is_borrowed = text.ptr == json_raw(tape, string).ptr + 1;
    if (!is_borrowed && text.len) explicit_bzero((char *)(uintptr_t)text.ptr, text.len);
}

static bool read_life(const struct json_tape *tape, uint32_t *life_s, struct fault *why)
{
    uint32_t node = json_get(tape, 0, SLICE("expires_in"));
    int64_t seconds = LIFE_UNSAID_S;
    if (node != JSON_NONE && (!json_is(tape, node, JSON_NUMBER) || !json_to_i64(tape, node, &seconds) || seconds <= 0))
        return fault_set(why, FAULT_UPSTREAM_ACCOUNT, "its \"expires_in\" is no number of seconds above 0");
    *life_s = seconds > (int64_t)LIMIT_ACCESS_TOKEN_LIFE_S ? LIMIT_ACCESS_TOKEN_LIFE_S : (uint32_t)seconds;
    return true;
}

static bool read_token(const struct json_tape *tape, struct arena *arena, struct access_token *token, struct fault *why)
{
    uint32_t node = json_get(tape, 0, SLICE("access_token")), type = json_get(tape, 0, SLICE("token_type"));
    struct slice text = json_is(tape, node, JSON_STRING) ? json_text(tape, node, arena) : SLICE_NONE;
    if (!text.len) return fault_set(why, FAULT_UPSTREAM_ACCOUNT, "what came has no \"access_token\"");
    if (!is_token(text))
        return fault_set(why, FAULT_UPSTREAM_ACCOUNT, "its \"access_token\" is not of %u to %u visible characters",
                         (unsigned)LIMIT_CONCEAL_BYTES_MIN, (unsigned)LIMIT_ACCESS_TOKEN_BYTES);
    if (json_is(tape, type, JSON_STRING) && !slice_iequal(json_text(tape, type, arena), SLICE("bearer")))
        return fault_set(why, FAULT_UPSTREAM_ACCOUNT, "its \"token_type\" is not Bearer");
    if (!read_life(tape, &token->life_s, why)) return false;
    buf_append(&token->text, text);
    wipe_decoded(tape, node, text);
    return true;
}

bool access_token_read(struct slice json, struct access_token *token, struct fault *why)
{
    struct json_tape tape;
    struct arena arena;
    struct fault unused;
    json_init(&tape);
    arena_init(&arena);
    buf_init(&token->text);
    bool is_object = json_parse(&tape, json, &unused) && json_is(&tape, 0, JSON_OBJECT);
    bool is_good = is_object ? read_token(&tape, &arena, token, why)
                             : fault_set(why, FAULT_UPSTREAM_ACCOUNT, "what came is no JSON object");
    arena_clear(&arena);
    json_clear(&tape);
    return is_good;
}

void access_token_clear(struct access_token *token)
{
    if (buf_len(&token->text)) explicit_bzero(buf_ptr(&token->text), buf_len(&token->text));
    buf_clear(&token->text);
}

static void append_visible(char *text, size_t size, struct slice from)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < from.len && len + 1 < size; i++) {
        unsigned char c = (unsigned char)from.ptr[i];
        text[len++] = c >= ' ' && c < 0x7F ? (char)c : '?';
    }
    text[len] = '\0';
}

void assertion_refusal(struct slice json, char *text, size_t size)
{
    static const char *const names[] = {"error", "error_description"};
    struct json_tape tape;
    struct arena arena;
    struct fault unused;
    text[0] = '\0';
    json_init(&tape);
    arena_init(&arena);
    bool is_object = json_parse(&tape, json, &unused) && json_is(&tape, 0, JSON_OBJECT);
    for (size_t i = 0; is_object && i < 2; i++) {
        uint32_t node = json_get(&tape, 0, slice_str(names[i]));
        if (!json_is(&tape, node, JSON_STRING)) continue;
        if (text[0]) append_visible(text, size, SLICE(": "));
        append_visible(text, size, json_text(&tape, node, &arena));
    }
    arena_clear(&arena);
    json_clear(&tape);
}
