/* Tokens of callers: remembered by all of their bytes, no longer than they are good, and no more than there is room for;
 * the keys of their issuers: asked for once, kept over failures, given up in time. */
#include "../unit.h"

#include "../wire/signer.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/tokens.h"

#define URL SLICE("https://a/jwks")
#define NOW_S UINT64_C(1764000000)
#define AT(seconds) ((NOW_S + (seconds)) * NS_PER_S)

static EVP_PKEY *key;
static struct slice audience = {"moongate", 8};

static struct jwks *make_set(EVP_PKEY *of)
{
    struct buf json;
    struct fault why;
    buf_init(&json);
    buf_append(&json, SLICE("{\"keys\":["));
    signer_jwk(&json, JWT_EDDSA, of, "k", "");
    buf_append(&json, SLICE("]}"));
    struct jwks *set = jwks_parse(buf_slice(&json), &why);
    buf_clear(&json);
    return set;
}

static struct auth_rules *make_rules(struct slice url)
{
    static const char *const claims[][2] = {{"user", "sub"}, {"roles", "groups"}, {"cost_center", "cc"}};
    struct auth_rules *rules = auth_rules_new();
    struct issuer_rules *issuer = rules->issuers = arena_zalloc(&rules->arena, sizeof *issuer);
    rules->issuer_count = 1;
    issuer->token = (struct jwt_rules){
        .issuer = SLICE("https://a"), .audiences = &audience, .audience_count = 1, .algorithms = 7, .leeway_s = 10};
    issuer->url = url;
    issuer->claims = arena_zalloc(&rules->arena, 3 * sizeof *issuer->claims);
    for (; issuer->claim_count < 3; issuer->claim_count++) {
        size_t i = issuer->claim_count;
        issuer->claims[i] = (struct claim_rule){slice_str(claims[i][0]), slice_str(claims[i][1])};
    }
    return rules;
}

/* The token's text in *text, kept until the next call. */
static struct slice make_token(const char *subject, const char *more)
{
    static struct buf text;
    char claims[2048];
    buf_clear(&text);
    if (!subject) return SLICE_NONE;
    snprintf(claims, sizeof claims, "{%s\"iss\":\"https://a\",\"aud\":\"moongate\",\"exp\":%llu,\"sub\":\"%s\"}", more,
             (unsigned long long)NOW_S + 60, subject);
    signer_token(&text, JWT_EDDSA, key, "{\"alg\":\"EdDSA\",\"kid\":\"k\"}", claims);
    return buf_slice(&text);
}

static void forget_text(void)
{
    make_token(NULL, "");
}

static enum jwt_refusal judge(struct tokens *cache, const struct auth_rules *rules, const struct keysets *sets,
                              struct slice text, uint64_t now_ns, struct slice *user)
{
    static char name[300];
    struct token_answer answer;
    tokens_judge(cache, rules, sets, text, now_ns, &answer);
    if (answer.token) {
        snprintf(name, sizeof name, "%.*s", SLICE_FMT(token_record(answer.token)->user));
        *user = slice_str(name);
    }
    token_unref(answer.token);
    return answer.refusal;
}

static void a_good_token_is_verified_once_until_it_expires(void)
{
    struct auth_rules *rules = make_rules(URL);
    struct keysets *sets = keysets_new(), *none = keysets_new();
    struct tokens *cache = tokens_new();
    struct slice user, text = make_token("ana", "");
    EXPECT_INT(JWT_NO_KEYS, judge(cache, rules, sets, text, AT(0), &user));
    EXPECT_INT(0, tokens_count(cache));
    keysets_put(sets, URL, make_set(key), AT(0), 1);
    EXPECT_INT(JWT_GOOD, judge(cache, rules, sets, text, AT(0), &user));
    EXPECT_SLICE(SLICE("ana"), user);
    EXPECT_INT(1, tokens_count(cache));
    /* That it is remembered shows where there are no keys to verify it with. */
    EXPECT_INT(JWT_GOOD, judge(cache, rules, none, text, AT(59), &user));
    EXPECT_INT(JWT_NO_KEYS, judge(cache, rules, none, text, AT(60), &user));
    EXPECT_INT(0, tokens_count(cache));
    /* Good by the leeway, and therefore not remembered. */
    EXPECT_INT(JWT_GOOD, judge(cache, rules, sets, text, AT(69), &user));
    EXPECT_INT(0, tokens_count(cache));
    EXPECT_INT(JWT_EXPIRED, judge(cache, rules, sets, text, AT(70), &user));
    EXPECT_INT(JWT_GOOD, judge(cache, rules, sets, text, AT(0), &user));
    tokens_clear(cache);
    EXPECT_INT(JWT_NO_KEYS, judge(cache, rules, none, text, AT(1), &user));
    EXPECT_INT(JWT_GOOD, judge(NULL, rules, sets, text, AT(1), &user));
    tokens_free(cache);
    keysets_free(sets);
    keysets_free(none);
    auth_rules_free(rules);
}

/* A cache that looked at a token's beginning, or at a part of its hash, gave one caller another's identity elsewhere. */
static void tokens_that_begin_alike_are_different_callers(void)
{
    struct auth_rules *rules = make_rules(URL);
    struct keysets *sets = keysets_new();
    struct tokens *cache = tokens_new();
    char name[20], first[201], prefix[700];
    struct slice user = SLICE_NONE;
    int alike = 0;
    keysets_put(sets, URL, make_set(key), AT(0), 1);
    snprintf(prefix, sizeof prefix, "\"a\":\"%0400d\",", 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "user%d", i);
        struct slice text = make_token(name, prefix);
        if (i == 0) memcpy(first, text.ptr, 200);
        alike += memcmp(first, text.ptr, 200) == 0;
        EXPECT_INT(JWT_GOOD, judge(cache, rules, sets, text, AT(0), &user));
        EXPECT_SLICE(slice_str(name), user);
        EXPECT_INT(JWT_GOOD, judge(cache, rules, sets, text, AT(1), &user));
        EXPECT_SLICE(slice_str(name), user);
        /* The same with one bit of its signature turned is nobody's. */
        char *copy = mem_strndup(text.ptr, text.len);
        copy[text.len - 20] = copy[text.len - 20] == 'A' ? 'B' : 'A';
        EXPECT_INT(JWT_SIGNATURE, judge(cache, rules, sets, slice_of(copy, text.len), AT(1), &user));
        mem_free(copy);
    }
    EXPECT_INT(1000, alike);
    EXPECT_INT(1000, tokens_count(cache));
    tokens_free(cache);
    keysets_free(sets);
    auth_rules_free(rules);
}

static void room_is_bounded_and_the_used_stay(void)
{
    struct auth_rules *rules = make_rules(URL);
    struct keysets *sets = keysets_new(), *none = keysets_new();
    struct tokens *cache = tokens_new();
    struct slice user;
    char name[20];
    keysets_put(sets, URL, make_set(key), AT(0), 1);
    struct slice first = make_token("kept", "");
    char *kept = mem_strndup(first.ptr, first.len);
    EXPECT_INT(JWT_GOOD, judge(cache, rules, sets, slice_str(kept), AT(0), &user));
    for (unsigned i = 0; i < LIMIT_TOKEN_CACHE + 100; i++) {
        snprintf(name, sizeof name, "user%u", i);
        EXPECT_INT(JWT_GOOD, judge(cache, rules, sets, make_token(name, ""), AT(0), &user));
        if (i % 1000 == 0) EXPECT_INT(JWT_GOOD, judge(cache, rules, none, slice_str(kept), AT(0), &user));
    }
    EXPECT_INT(LIMIT_TOKEN_CACHE, tokens_count(cache));
    EXPECT_INT(JWT_GOOD, judge(cache, rules, none, slice_str(kept), AT(0), &user));
    EXPECT_INT(JWT_NO_KEYS, judge(cache, rules, none, make_token("user0", ""), AT(0), &user));
    mem_free(kept);
    tokens_free(cache);
    keysets_free(sets);
    keysets_free(none);
    auth_rules_free(rules);
}

static void claims_fill_the_record(void)
{
    struct auth_rules *rules = make_rules(URL);
    struct keysets *sets = keysets_new();
    struct token_answer a, b;
    keysets_put(sets, URL, make_set(key), AT(0), 1);
    tokens_judge(NULL, rules, sets, make_token("ana", "\"groups\":\"dev  ops\",\"cc\":42,"), AT(0), &a);
    tokens_judge(NULL, rules, sets, make_token("ana", "\"groups\":[\"x\"],"), AT(0), &b);
    EXPECT(a.token && b.token);
    if (a.token && b.token) {
        const struct key_record *r = token_record(a.token);
        EXPECT_INT(2, r->role_count);
        EXPECT_SLICE(SLICE("ops"), r->roles[1]);
        EXPECT_INT(1, r->label_count);
        EXPECT_SLICE(SLICE("42"), r->labels[0].value);
        EXPECT_INT(68, r->id.len); /* "jwt_" and all of the hash */
        EXPECT_SLICE(r->id, token_record(b.token)->id);
        EXPECT(key_record_is_live(r, AT(0)));
    }
    token_unref(a.token);
    token_unref(b.token);
    static const char *const bad[] = {"\"cc\":[1,2],", "\"cc\":{},", "\"groups\":[1],", "\"groups\":{},", "\"groups\":7,"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tokens_judge(NULL, rules, sets, make_token("ana", bad[i]), AT(0), &a);
        if (a.refusal != JWT_CLAIM || !a.claim.len || a.token) UNIT_FAIL("%s: %s", bad[i], jwt_refusal_word(a.refusal));
        token_unref(a.token);
    }
    keysets_free(sets);
    auth_rules_free(rules);
}

static void keys_outlive_failures_for_a_day(void)
{
    struct keysets *sets = keysets_new();
    EXPECT(!keysets_get(sets, URL, AT(0)) && keysets_is_failing(sets, URL));
    keysets_put(sets, URL, make_set(key), AT(0), 1);
    EXPECT(keysets_get(sets, URL, AT(0)) && !keysets_is_failing(sets, URL));
    keysets_failed(sets, URL, 2);
    EXPECT(keysets_get(sets, URL, AT(LIMIT_JWKS_STALE_S)) && keysets_is_failing(sets, URL));
    EXPECT(!keysets_get(sets, URL, AT(LIMIT_JWKS_STALE_S + 1)));
    EXPECT(!keysets_get(sets, SLICE("https://b"), AT(0)));
    keysets_free(sets);
}

static void a_question_is_asked_once(void)
{
    struct keysets *sets = keysets_new();
    uint64_t t = 100 * NS_PER_S;
    EXPECT_INT(KEYSETS_ASK, keysets_ask(sets, URL, t));
    EXPECT_INT(KEYSETS_WAIT, keysets_ask(sets, URL, t + 1));
    keysets_answered(sets, URL, t + 2);
    EXPECT_INT(KEYSETS_NO, keysets_ask(sets, URL, t + 3));
    keysets_changed(sets, URL); /* what came was new: so may be what comes next */
    EXPECT_INT(KEYSETS_ASK, keysets_ask(sets, URL, t + 4));
    keysets_answered(sets, URL, t + 4);
    EXPECT_INT(KEYSETS_NO, keysets_ask(sets, URL, t + 3 + NS_PER_S));
    EXPECT_INT(KEYSETS_ASK, keysets_ask(sets, URL, t + 4 + NS_PER_S));
    /* An answer that does not come is given up. */
    EXPECT_INT(KEYSETS_ASK, keysets_ask(sets, URL, t + 4 + NS_PER_S + LIMIT_JWKS_WAIT_MS * NS_PER_MS));
    /* News that nobody asked for answer no question. */
    EXPECT_INT(KEYSETS_ASK, keysets_ask(sets, SLICE("https://b"), t));
    keysets_put(sets, SLICE("https://c"), make_set(key), AT(0), t);
    EXPECT_INT(KEYSETS_ASK, keysets_ask(sets, SLICE("https://c"), t + 1));
    for (unsigned i = 0; i < 3 * LIMIT_JWKS_SOURCES; i++) {
        char url[30];
        snprintf(url, sizeof url, "https://many/%u", i);
        keysets_put(sets, slice_str(url), make_set(key), AT(0), t + i);
        EXPECT(keysets_get(sets, slice_str(url), AT(0)) != NULL);
    }
    keysets_free(sets);
}

static void headers_that_hold_secrets(void)
{
    struct auth_rules *rules = auth_rules_new();
    struct slice own = SLICE("x-house-key");
    rules->key_headers = &own;
    rules->key_header_count = 1;
    EXPECT(auth_rules_is_secret(rules, SLICE("X-House-Key")));
    EXPECT(!auth_rules_is_secret(NULL, SLICE("X-House-Key")));
    EXPECT(auth_rules_is_secret(NULL, SLICE("Authorization")));
    EXPECT(auth_rules_is_secret(rules, SLICE("api-key")));
    EXPECT(!auth_rules_is_secret(rules, SLICE("accept")));
    auth_rules_free(rules);
}

int main(void)
{
    key = signer_key(JWT_EDDSA);
    RUN(a_good_token_is_verified_once_until_it_expires);
    RUN(tokens_that_begin_alike_are_different_callers);
    RUN(room_is_bounded_and_the_used_stay);
    RUN(claims_fill_the_record);
    RUN(keys_outlive_failures_for_a_day);
    RUN(a_question_is_asked_once);
    RUN(headers_that_hold_secrets);
    forget_text();
    EVP_PKEY_free(key);
    return unit_close("tokens");
}
