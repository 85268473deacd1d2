#include "wire/detect_inner.h"

#define WORDY (IS_ALNUM | IS_UNDERSCORE)
#define TOKEN (IS_BASE64)
#define ANY 0
#define PEM_BODY_BYTES 40u /* the shortest keys in use have 64 */

/* The prefixes that services publish so that their keys can be found. Longer ones of one family are found by the
 * shorter: the bytes behind the prefix are of one set anyway. */
const struct key_format detect_key_formats[] = {
    {"sk-", TOKEN, 1, 20, ANY, true},
    {"pk-", TOKEN, 1, 20, ANY, true},
    {"mgk_", WORDY, 2, 20, ANY, false},
    {"gsk_", WORDY, 2, 20, ANY, false},
    {"csk-", TOKEN, 2, 20, ANY, true},
    {"xai-", TOKEN, 2, 20, ANY, true},
    {"pplx-", TOKEN, 3, 20, ANY, true},
    {"nvapi-", TOKEN, 4, 20, ANY, true},
    {"tgp_v1_", TOKEN, 2, 20, ANY, false},
    {"hf_", WORDY, 1, 20, ANY, true},
    {"r8_", WORDY, 1, 20, ANY, true},
    {"sk_live_", WORDY, 1, 16, ANY, false},
    {"sk_test_", WORDY, 1, 16, ANY, false},
    {"rk_live_", WORDY, 1, 16, ANY, false},
    {"rk_test_", WORDY, 1, 16, ANY, false},
    {"whsec_", WORDY, 4, 20, ANY, true},
    {"AKIA", IS_ALNUM, 1, 16, 16, false},
    {"ASIA", IS_ALNUM, 1, 16, 16, false},
    {"AIza", TOKEN, 1, 35, ANY, false},
    {"ya29.", TOKEN, 3, 20, ANY, true},
    {"GOCSPX-", TOKEN, 5, 20, ANY, false},
    {"ghp_", WORDY, 2, 30, ANY, false},
    {"gho_", WORDY, 2, 30, ANY, false},
    {"ghu_", WORDY, 2, 30, ANY, false},
    {"ghs_", WORDY, 2, 30, ANY, false},
    {"ghr_", WORDY, 2, 30, ANY, false},
    {"github_pat_", WORDY, 5, 22, ANY, false},
    {"glpat-", TOKEN, 4, 20, ANY, true},
    {"xoxb-", TOKEN, 3, 20, ANY, true},
    {"xoxa-", TOKEN, 3, 20, ANY, true},
    {"xoxp-", TOKEN, 3, 20, ANY, true},
    {"xoxr-", TOKEN, 3, 20, ANY, true},
    {"xoxs-", TOKEN, 3, 20, ANY, true},
    {"xapp-", TOKEN, 3, 20, ANY, true},
    {"npm_", WORDY, 2, 30, ANY, false},
    {"pypi-", TOKEN, 3, 50, ANY, true},
    {"dop_v1_", WORDY, 2, 40, ANY, false},
    {"shpat_", WORDY, 4, 32, ANY, false},
    {"SG.", TOKEN | IS_DOT, 1, 40, ANY, true},
    {"AGE-SECRET-KEY-1", IS_ALNUM, 2, 50, ANY, false},
};
const size_t detect_key_format_count = sizeof detect_key_formats / sizeof detect_key_formats[0];

/* The bytes of `set` from `i` on, as far as `limit`; in *found FOUND_LATER when they may go on. */
static size_t run_end(const struct view *v, size_t i, size_t limit, unsigned char set, enum found *found)
{
    size_t end = limit < v->len ? limit : v->len, from = i;
    while (i < end && (detect_class[v->text[i]] & set))
        i++;
    v->state->steps += i - from + 1;
    *found = i == v->len && i < limit && !v->is_last ? FOUND_LATER : FOUND_YES;
    return i;
}

/* The prefix stands there and begins a word. */
static enum found match_prefix(const struct view *v, const char *prefix, size_t from)
{
    size_t i = 0;
    while (prefix[i] && byte_at(v, from + i) == (unsigned char)prefix[i])
        i++;
    v->state->steps += i + 1;
    if (prefix[i] && byte_at(v, from + i) != AT_LATER) return FOUND_NO;
    /* What may go on with a hyphen is told from a compound word by having none before it either. */
    if (byte_before(v, from, 1) == '-' || detect_is_word_before(v, from, 0)) return FOUND_NO;
    return prefix[i] ? FOUND_LATER : FOUND_YES;
}

/* A digit among them, or `min` letters without a break. */
static bool looks_random(const unsigned char *p, size_t len, size_t min)
{
    size_t letters = 0;
    for (size_t i = 0; i < len; i++) {
        if (detect_class[p[i]] & IS_DIGIT) return true;
        letters = detect_class[p[i]] & IS_ALPHA ? letters + 1 : 0;
        if (letters >= min) return true;
    }
    return false;
}

enum found detect_key(const struct view *v, const struct key_format *format, size_t at, struct candidate *c)
{
    if (at < v->floor + format->anchor) return FOUND_NO;
    size_t from = at - format->anchor, body = from + strlen(format->prefix), limit = from + LIMIT_DETECT_HOLD_BYTES;
    *c = (struct candidate){.from = from, .kind = DETECT_API_KEY};
    enum found found = match_prefix(v, format->prefix, from);
    if (found != FOUND_YES) return found;
    c->to = run_end(v, body, limit, format->set, &found);
    if (found == FOUND_LATER) return FOUND_LATER;
    if (c->to == limit) c->set = format->set;
    while ((format->set & IS_DOT) && v->text[c->to - 1] == '.' && c->to < limit)
        c->to--;
    if (c->to < body + format->min || (format->max && c->to > body + format->max)) return FOUND_NO;
    if (format->is_mixed && !looks_random(v->text + body, c->to - body, format->min)) return FOUND_NO;
    enum found word = c->set ? FOUND_NO : detect_is_word_at(v, c->to);
    return word == FOUND_LATER ? FOUND_LATER : word == FOUND_YES && format->max ? FOUND_NO : FOUND_YES;
}

/* What is written at i begins with `text`. */
static enum found match_text(const struct view *v, size_t i, const char *text)
{
    for (; *text; text++, i++) {
        int c = byte_at(v, i);
        if (c != (unsigned char)*text) return c == AT_LATER ? FOUND_LATER : FOUND_NO;
    }
    return FOUND_YES;
}

/* The end of "RSA PRIVATE KEY-----" and its like; 0 when the label is another. */
static enum found pem_label(const struct view *v, size_t i, size_t *end)
{
    static const char last[] = "PRIVATE KEY-----";
    for (size_t limit = i + 24; i <= limit; i++) {
        enum found found = match_text(v, i, last);
        *end = i + sizeof last - 1;
        if (found != FOUND_NO) return found;
        int c = byte_at(v, i);
        if (c != ' ' && !(c >= 'A' && c <= 'Z')) return FOUND_NO;
    }
    return FOUND_NO;
}

/* A private key in the text form of RFC 7468: its first line and its base64, not the line that ends it. */
enum found detect_pem(const struct view *v, size_t at, struct candidate *c)
{
    if (at < v->floor + PEM_ANCHOR) return FOUND_NO;
    size_t from = at - PEM_ANCHOR, limit = from + LIMIT_DETECT_HOLD_BYTES, body;
    *c = (struct candidate){.from = from, .kind = DETECT_API_KEY};
    enum found found = match_prefix(v, PEM_PREFIX, from);
    if (found == FOUND_YES) found = pem_label(v, from + strlen(PEM_PREFIX), &body);
    if (found != FOUND_YES) return found;
    c->to = run_end(v, body, limit, IS_PEM, &found);
    if (found == FOUND_LATER) return FOUND_LATER;
    if (c->to == limit) c->set = IS_PEM;
    while (!c->set && (v->text[c->to - 1] == '\n' || v->text[c->to - 1] == '\r'))
        c->to--;
    return c->to >= body + PEM_BODY_BYTES ? FOUND_YES : FOUND_NO;
}

/* Header, payload and signature of RFC 7515, or the five parts of RFC 7516, each base64url; the header is a JSON
 * object. An unsigned token ends in a dot, which is left outside. */
enum found detect_jwt(const struct view *v, size_t at, struct candidate *c)
{
    enum found found;
    if (at < v->floor + JWT_ANCHOR) return FOUND_NO;
    size_t from = at - JWT_ANCHOR, limit = from + LIMIT_DETECT_HOLD_BYTES;
    *c = (struct candidate){.from = from, .kind = DETECT_JWT};
    if ((found = match_prefix(v, JWT_PREFIX, from)) != FOUND_YES) return found;
    size_t header = run_end(v, from, from + JWT_HEADER_BYTES, IS_BASE64, &found);
    if (found == FOUND_LATER) return FOUND_LATER;
    if (header - from < 10 || byte_at(v, header) != '.') return byte_at(v, header) == AT_LATER ? FOUND_LATER : FOUND_NO;
    size_t payload = run_end(v, header + 1, limit, IS_BASE64, &found);
    if (found == FOUND_LATER) return FOUND_LATER;
    if (payload < limit && byte_at(v, payload) != '.') return FOUND_NO;
    c->to = payload;
    for (int part = 3; part <= 5 && c->to < limit && byte_at(v, c->to) == '.'; part++) {
        size_t end = run_end(v, c->to + 1, limit, IS_BASE64, &found);
        if (found == FOUND_LATER) return FOUND_LATER;
        if (end == c->to + 1) break;
        c->to = end;
    }
    if (c->to + 1 == limit && byte_at(v, c->to) == '.') c->to = limit;
    if (c->to == limit) c->set = IS_BASE64 | IS_DOT;
    return c->to - header > 16 ? FOUND_YES : FOUND_NO;
}
