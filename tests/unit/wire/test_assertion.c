/* What Google's accounts sign and are given for it: key files that lack something, signatures that the public half of
 * the key verifies, answers that are no tokens. */
#include "../unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/assertion.h"

#define SCOPE SLICE("https://www.googleapis.com/auth/cloud-platform")

static EVP_PKEY *key;
static char pem[4096]; /* with "\n" as JSON has it */

static void make_pem(EVP_PKEY *of, char *text, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;
    PEM_write_bio_PrivateKey(bio, of, NULL, NULL, 0, NULL, NULL);
    long len = BIO_get_mem_data(bio, &bytes);
    size_t at = 0;
    for (long i = 0; i < len && at + 3 < size; i++) {
        if (bytes[i] == '\n') text[at++] = '\\';
        text[at++] = bytes[i] == '\n' ? 'n' : bytes[i];
    }
    text[at] = '\0';
    BIO_free(bio);
}

static void write_file(struct buf *json, const char *type, const char *url, const char *secret)
{
    buf_init(json);
    buf_printf(json, "{\"type\":\"%s\",\"client_email\":\"gw@p.iam.example\",\"private_key_id\":\"k1\",\"token_uri\":\"%s\","
               "\"private_key\":\"%s\"}", type, url, secret);
}

static void expect_refused(const char *type, const char *url, const char *secret, const char *words)
{
    struct buf json;
    struct arena arena;
    struct service_account who;
    struct fault why;
    write_file(&json, type, url, secret);
    arena_init(&arena);
    EXPECT(!service_account_read(buf_slice(&json), &arena, &who, &why));
    if (!strstr(fault_message(&why), words)) UNIT_FAIL("%s %s: %s", type, url, fault_message(&why));
    service_account_wipe(&who);
    EXPECT(who.key.len == 0);
    arena_clear(&arena);
    buf_clear(&json);
}

static void a_file_says_what_it_lacks(void)
{
    const char *good = "https://oauth2.googleapis.com/token";
    static const char *const urls[] = {"http://oauth2.googleapis.com/token", "ftp://x/y", "https://", "https://u:p@x/y",
                                       "https://x@evil/y", "http://127.0.0.1.evil.example/t", "http://localhost.evil/t",
                                       "https://x/\\u000aHost: y", "https://x /t", "https://?x", "https://x/t#f", "/t"};
    char small[2048];
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    make_pem(weak, small, sizeof small);
    EVP_PKEY_free(weak);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        expect_refused("service_account", urls[i], pem, "token_uri");
    expect_refused("authorized_user", good, pem, "\"authorized_user\"");
    expect_refused("service_account", good, small, "2048");
    expect_refused("service_account", good, "-----BEGIN " "PRIVATE KEY-----\\nAAAA\\n-----END " "PRIVATE KEY-----\\n", "private_key");
    expect_refused("service_account", good, "", "private_key");
}

static void no_file_is_read_wrongly(void)
{
    static const char *const files[] = {"", "{", "[]", "null", "{}", "{\"type\":1}", "{\"type\":\"service_account\"}",
                                        "{\"type\":\"service_account\",\"client_email\":[]}", "\xff\xfe"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct arena arena;
        struct service_account who;
        struct fault why;
        arena_init(&arena);
        EXPECT(!service_account_read(slice_str(files[i]), &arena, &who, &why));
        EXPECT(fault_message(&why)[0] != '\0');
        service_account_wipe(&who);
        arena_clear(&arena);
    }
}

static bool verifies(struct slice text, struct slice encoded)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char *bytes = mem_alloc(BASE64URL_BYTES(encoded.len) + 1);
    bool is_good = base64url_read(encoded, bytes) && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
                   EVP_DigestVerify(md, bytes, BASE64URL_BYTES(encoded.len), (const unsigned char *)text.ptr, text.len) == 1;
    mem_free(bytes);
    EVP_MD_CTX_free(md);
    return is_good;
}

static void expect_part(const char *want, struct slice encoded)
{
    char text[1024] = "";
    EXPECT(BASE64URL_BYTES(encoded.len) < sizeof text && base64url_read(encoded, (uint8_t *)text));
    EXPECT_STR(want, text);
}

static void what_is_signed_is_for_one_url_and_verifies(void)
{
    struct buf json, body;
    struct arena arena;
    struct service_account who;
    struct fault why;
    write_file(&json, "service_account", "http://127.0.0.1:8/token", pem);
    arena_init(&arena);
    buf_init(&body);
    EXPECT(service_account_read(buf_slice(&json), &arena, &who, &why));
    EXPECT(assertion_write(&who, SCOPE, 1700000000, &body, &why));
    struct slice form = buf_slice(&body), begin = SLICE("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
    EXPECT(slice_starts(form, begin));
    struct slice jwt = slice_of(form.ptr + begin.len, form.len - begin.len), rest, signature;
    struct slice head = slice_split(jwt, '.', &rest), claims = slice_split(rest, '.', &signature);
    expect_part("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}", head);
    expect_part("{\"iss\":\"gw@p.iam.example\",\"scope\":\"https://www.googleapis.com/auth/cloud-platform\","
                "\"aud\":\"http://127.0.0.1:8/token\",\"iat\":1699999970,\"exp\":1700003570}", claims);
    EXPECT(verifies(slice_of(jwt.ptr, head.len + 1 + claims.len), signature));
    EXPECT(!verifies(slice_of(jwt.ptr, head.len + claims.len), signature));
    service_account_wipe(&who);
    buf_clear(&body);
    buf_clear(&json);
    arena_clear(&arena);
}

static void expect_token(const char *json, const char *text, uint32_t life_s)
{
    struct access_token token;
    struct fault why;
    bool is_good = access_token_read(slice_str(json), &token, &why);
    if (is_good != (text != NULL)) UNIT_FAIL("%s: %s", json, is_good ? "taken" : fault_message(&why));
    if (is_good && text) {
        EXPECT_SLICE(slice_str(text), buf_slice(&token.text));
        EXPECT_INT((int)life_s, (int)token.life_s);
    }
    access_token_clear(&token);
}

static void answers_are_tokens_or_none(void)
{
    expect_token("{\"access_token\":\"ya29.abcdef\",\"expires_in\":3599,\"token_type\":\"Bearer\"}", "ya29.abcdef", 3599);
    expect_token("{\"access_token\":\"ya29.\\u0061bcdef\",\"expires_in\":1}", "ya29.abcdef", 1);
    expect_token("{\"access_token\":\"ya29.abcdef\"}", "ya29.abcdef", 300);
    expect_token("{\"access_token\":\"ya29.abcdef\",\"expires_in\":9000000000000000000}", "ya29.abcdef", LIMIT_ACCESS_TOKEN_LIFE_S);
    expect_token("{\"access_token\":\"ya29.abcdef\",\"token_type\":\"bearer\",\"expires_in\":9}", "ya29.abcdef", 9);
    static const char *const bad[] = {
        "", "<html>", "[]", "{}", "{\"access_token\":\"\"}", "{\"access_token\":7}", "{\"access_token\":\"short\"}",
        "{\"access_token\":\"with a blank\"}", "{\"access_token\":\"with\\r\\nline-end\"}", "{\"access_token\":\"b\\u00e9b\\u00e9b\\u00e9\"}",
        "{\"access_token\":\"ya29.abcdef\",\"expires_in\":0}", "{\"access_token\":\"ya29.abcdef\",\"expires_in\":-1}",
        "{\"access_token\":\"ya29.abcdef\",\"expires_in\":\"3600\"}", "{\"access_token\":\"ya29.abcdef\",\"expires_in\":1e999}",
        "{\"access_token\":\"ya29.abcdef\",\"expires_in\":null}", "{\"access_token\":\"ya29.abcdef\",\"token_type\":\"mac\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_token(bad[i], NULL, 0);
}

static void a_token_has_a_largest_size(void)
{
    for (size_t len = LIMIT_ACCESS_TOKEN_BYTES; len <= LIMIT_ACCESS_TOKEN_BYTES + 1; len++) {
        char json[LIMIT_ACCESS_TOKEN_BYTES + 64], text[LIMIT_ACCESS_TOKEN_BYTES + 2];
        memset(text, 't', len);
        text[len] = '\0';
        snprintf(json, sizeof json, "{\"access_token\":\"%s\",\"expires_in\":60}", text);
        expect_token(json, len == LIMIT_ACCESS_TOKEN_BYTES ? text : NULL, 60);
    }
}

static void refusals_are_visible_and_cut(void)
{
    char text[24];
    assertion_refusal(SLICE("{\"error\":\"invalid_grant\",\"error_description\":\"Bad\\u0000 \\u00e9 signature and more\"}"), text, sizeof text);
    EXPECT_STR("invalid_grant: Bad? ?? ", text);
    assertion_refusal(SLICE("<html>"), text, sizeof text);
    EXPECT_STR("", text);
    assertion_refusal(SLICE("{\"error\":{\"message\":1}}"), text, sizeof text);
    EXPECT_STR("", text);
}

int main(void)
{
    key = EVP_RSA_gen(2048);
    make_pem(key, pem, sizeof pem);
    RUN(a_file_says_what_it_lacks);
    RUN(no_file_is_read_wrongly);
    RUN(what_is_signed_is_for_one_url_and_verifies);
    RUN(answers_are_tokens_or_none);
    RUN(a_token_has_a_largest_size);
    RUN(refusals_are_visible_and_cut);
    EVP_PKEY_free(key);
    return unit_close("assertion");
}
