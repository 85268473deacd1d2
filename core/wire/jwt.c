#include "wire/jwt.h"

#include <math.h>

#include "base/base64.h"
#include "base/limits.h"

/* The end of the year 9999: what lies beyond is no date that anybody meant. */
#define DATE_MAX 253402300799.0

const char *jwt_refusal_word(enum jwt_refusal refusal)
{
    static const char *const words[] = {
#define X(name, word, text) word,
        JWT_REFUSALS(X)
#undef X
    };
    return words[refusal];
}

const char *jwt_refusal_text(enum jwt_refusal refusal)
{
    static const char *const texts[] = {
#define X(name, word, text) text,
        JWT_REFUSALS(X)
#undef X
    };
    return texts[refusal];
}

void jwt_init(struct jwt *t)
{
    *t = (struct jwt){.issuer = SLICE_NONE};
    arena_init(&t->arena);
    json_init(&t->header);
    json_init(&t->claims);
}

void jwt_clear(struct jwt *t)
{
    json_clear(&t->header);
    json_clear(&t->claims);
    arena_clear(&t->arena);
}

/* ---- Taking it apart. */

static bool split(struct slice token, struct slice parts[3])
{
    struct slice rest;
    parts[0] = slice_split(token, '.', &rest);
    parts[1] = slice_split(rest, '.', &parts[2]);
    return parts[0].len && parts[1].len && parts[2].len && !memchr(parts[2].ptr, '.', parts[2].len);
}

bool jwt_looks_like(struct slice text)
{
    struct slice parts[3];
    return split(text, parts);
}

static bool decode(struct jwt *t, struct slice text, struct slice *bytes)
{
    size_t len = BASE64URL_BYTES(text.len);
    uint8_t *to = arena_alloc(&t->arena, len + 1);
    *bytes = slice_of((const char *)to, len);
    return base64url_read(text, to);
}

/* One object whose members all have names of their own: of two, another reader might see the other one. */
static bool read_object(struct jwt *t, struct slice part, struct json_tape *tape)
{
    struct slice bytes;
    struct fault why;
    if (!decode(t, part, &bytes) || !json_parse(tape, bytes, &why) || json_type(tape, 0) != JSON_OBJECT) return false;
    if (json_count(tape, 0) > LIMIT_TOKEN_MEMBERS) return false;
    for (uint32_t n = json_first(tape, 0); n != JSON_NONE; n = json_next(tape, n)) {
        if (json_has_duplicate(tape, 0, json_key_text(tape, n, &t->arena))) return false;
    }
    return true;
}

enum jwt_refusal jwt_parse(struct jwt *t, struct slice token)
{
    struct slice parts[3];
    if (token.len > LIMIT_TOKEN_BYTES) return JWT_TOO_LARGE;
    if (!split(token, parts)) return JWT_MALFORMED;
    if (!read_object(t, parts[0], &t->header) || !read_object(t, parts[1], &t->claims)) return JWT_MALFORMED;
    if (!decode(t, parts[2], &t->signature)) return JWT_MALFORMED;
    t->signed_part = slice_of(token.ptr, parts[0].len + 1 + parts[1].len);
    uint32_t iss = json_get(&t->claims, 0, SLICE("iss"));
    if (!json_is(&t->claims, iss, JSON_STRING)) return JWT_ISSUER;
    t->issuer = json_text(&t->claims, iss, &t->arena);
    return JWT_GOOD;
}

/* ---- Verifying. */

/* RFC 8725 3.11: a token of another kind, such as one that ends a session, must not pass for one of access. */
static bool is_known_type(struct jwt *t)
{
    static const char *const types[] = {"JWT", "at+jwt", "application/jwt", "application/at+jwt"};
    uint32_t typ = json_get(&t->header, 0, SLICE("typ"));
    if (!json_is(&t->header, typ, JSON_STRING)) return typ == JSON_NONE;
    struct slice text = json_text(&t->header, typ, &t->arena);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (slice_iequal(text, slice_str(types[i]))) return true;
    }
    return false;
}

static enum jwt_refusal check_header(struct jwt *t, const struct jwt_rules *rules, enum jwt_alg *alg, struct slice *kid)
{
    const struct json_tape *h = &t->header;
    uint32_t alg_node = json_get(h, 0, SLICE("alg")), kid_node = json_get(h, 0, SLICE("kid"));
    if (!json_is(h, alg_node, JSON_STRING)) return JWT_MALFORMED;
    if (!jwt_alg_parse(json_text(h, alg_node, &t->arena), alg) || !(rules->algorithms & 1u << *alg))
        return JWT_ALGORITHM;
    if (json_get(h, 0, SLICE("crit")) != JSON_NONE || json_get(h, 0, SLICE("b64")) != JSON_NONE || !is_known_type(t))
        return JWT_UNSUPPORTED;
    *kid = SLICE_NONE;
    if (kid_node == JSON_NONE) return JWT_GOOD;
    if (!json_is(h, kid_node, JSON_STRING)) return JWT_MALFORMED;
    *kid = json_text(h, kid_node, &t->arena);
    return kid->len <= LIMIT_KID_BYTES ? JWT_GOOD : JWT_MALFORMED;
}

static enum jwt_refusal check_signature(const struct jwt *t, const struct jwks *keys, enum jwt_alg alg,
                                        struct slice kid)
{
    const struct jwks_key *key = NULL;
    if (!keys) return JWT_NO_KEYS;
    switch (jwks_find(keys, kid, alg, &key)) {
    case JWKS_UNKNOWN: return JWT_UNKNOWN_KEY;
    case JWKS_AMBIGUOUS: return JWT_AMBIGUOUS_KEY;
    case JWKS_FOUND: break;
    }
    return jwks_verify(key, alg, t->signed_part, t->signature) ? JWT_GOOD : JWT_SIGNATURE;
}

/* A NumericDate (RFC 7519 2), whole seconds; absent: *is_there is false. */
static bool read_date(const struct jwt *t, struct slice name, double *seconds, bool *is_there)
{
    uint32_t node = json_get(&t->claims, 0, name);
    *is_there = node != JSON_NONE;
    if (!*is_there) return true;
    if (!json_is(&t->claims, node, JSON_NUMBER)) return false;
    *seconds = floor(json_to_double(&t->claims, node));
    return *seconds >= 0 && *seconds <= DATE_MAX;
}

static enum jwt_refusal check_dates(struct jwt *t, uint32_t leeway_s, uint64_t now_s)
{
    double exp = 0, nbf = 0, iat = 0, now = (double)now_s, leeway = leeway_s;
    bool has_exp, has_nbf, has_iat;
    if (!read_date(t, SLICE("exp"), &exp, &has_exp) || !read_date(t, SLICE("nbf"), &nbf, &has_nbf) ||
        !read_date(t, SLICE("iat"), &iat, &has_iat) || !has_exp) {
        return JWT_CLAIM;
    }
    t->expires_s = (uint64_t)exp;
    if (now >= exp + leeway) return JWT_EXPIRED; /* RFC 7519 4.1.4: on or after exp it is over */
    if ((has_nbf && now + leeway < nbf) || (has_iat && now + leeway < iat)) return JWT_EARLY;
    return JWT_GOOD;
}

static bool is_audience(const struct jwt *t, const struct jwt_rules *rules, uint32_t node)
{
    for (size_t i = 0; i < rules->audience_count; i++) {
        if (json_text_is(&t->claims, node, rules->audiences[i])) return true;
    }
    return false;
}

static bool has_audience(const struct jwt *t, const struct jwt_rules *rules)
{
    uint32_t aud = json_get(&t->claims, 0, SLICE("aud"));
    if (aud == JSON_NONE) return false;
    if (!json_is(&t->claims, aud, JSON_ARRAY)) return is_audience(t, rules, aud);
    for (uint32_t n = json_first(&t->claims, aud); n != JSON_NONE; n = json_next(&t->claims, n)) {
        if (is_audience(t, rules, n)) return true;
    }
    return false;
}

enum jwt_refusal jwt_verify(struct jwt *t, const struct jwt_rules *rules, const struct jwks *keys, uint64_t now_s)
{
    enum jwt_alg alg;
    struct slice kid;
    if (!slice_equal(t->issuer, rules->issuer)) return JWT_ISSUER;
    enum jwt_refusal no = check_header(t, rules, &alg, &kid);
    if (no == JWT_GOOD) no = check_signature(t, keys, alg, kid);
    if (no == JWT_GOOD) no = check_dates(t, rules->leeway_s, now_s);
    if (no == JWT_GOOD && !has_audience(t, rules)) no = JWT_AUDIENCE;
    return no;
}

uint32_t jwt_claim(const struct jwt *t, struct slice name)
{
    uint32_t node = json_get(&t->claims, 0, name);
    if (node != JSON_NONE || !name.len || !memchr(name.ptr, '.', name.len)) return node;
    node = 0;
    for (struct slice rest = name; rest.len && node != JSON_NONE;) {
        struct slice part = slice_split(rest, '.', &rest);
        node = json_get(&t->claims, node, part);
    }
    return node;
}
