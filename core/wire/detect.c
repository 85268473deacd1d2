#include "wire/detect.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/memo.h"
#include "wire/detect_inner.h"

#define D (IS_DIGIT | IS_LOCAL | IS_LABEL | IS_BASE64 | IS_PEM)
#define A (IS_ALPHA | IS_LOCAL | IS_LABEL | IS_BASE64 | IS_PEM)
const unsigned char detect_class[256] = {
    ['0'] = D, D, D, D, D, D, D, D, D, D,
    ['A'] = A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
    ['a'] = A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
    ['_'] = IS_UNDERSCORE | IS_LOCAL | IS_BASE64,
    ['-'] = IS_LOCAL | IS_LABEL | IS_BASE64,
    ['.'] = IS_LOCAL | IS_DOT,
    ['+'] = IS_LOCAL | IS_PEM, ['/'] = IS_PEM, ['='] = IS_PEM, ['\\'] = IS_PEM, ['\n'] = IS_PEM, ['\r'] = IS_PEM,
    ['%'] = IS_LOCAL, ['\''] = IS_LOCAL,
};
#undef D
#undef A

static const struct slice names[DETECT_KINDS] = {
    [DETECT_EMAIL] = {"email", 5},     [DETECT_PHONE] = {"phone", 5}, [DETECT_CREDIT_CARD] = {"credit_card", 11},
    [DETECT_US_SSN] = {"us_ssn", 6},   [DETECT_IBAN] = {"iban", 4},   [DETECT_API_KEY] = {"api_key", 7},
    [DETECT_JWT] = {"jwt", 3},
};

unsigned detect_kind_count(const struct detect *d)
{
    return DETECT_KINDS + (d ? (unsigned)d->mask_count : 0);
}

struct slice detect_kind_name(const struct detect *d, unsigned kind)
{
    if (kind < DETECT_KINDS) return names[kind];
    return kind < detect_kind_count(d) ? slice_str(d->masks[kind - DETECT_KINDS].name) : SLICE_NONE;
}

int detect_kind_id(const struct detect *d, struct slice name)
{
    for (unsigned kind = 0; kind < detect_kind_count(d); kind++) {
        if (slice_equal(detect_kind_name(d, kind), name)) return (int)kind;
    }
    return DETECT_NO_KIND;
}

static bool check_name(const struct detect *d, struct slice name, struct fault *why)
{
    if (name.len == 0 || name.len > LIMIT_DETECT_NAME_BYTES)
        return fault_set(why, FAULT_POLICY, "a mask's name has 1 to %u characters", LIMIT_DETECT_NAME_BYTES);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_')
            return fault_set(why, FAULT_POLICY, "mask name \"%.*s\": only a-z, 0-9 and _ can stand in it",
                             SLICE_FMT(name));
    }
    int kind = detect_kind_id(d, name);
    if (kind == DETECT_NO_KIND) return true;
    return fault_set(why, FAULT_POLICY, "mask name \"%.*s\" %s", SLICE_FMT(name),
                     kind < DETECT_KINDS ? "is a built-in kind" : "is given twice");
}

/* Every pair (a, b), in either case where is_folded, becomes a trigger of `bit`. */
static void add_pair(struct detect *d, unsigned char a, unsigned char b, bool is_folded, unsigned char bit)
{
    d->first[a] |= bit;
    d->second[b] |= bit;
    if (is_folded && byte_is(a, IS_ALPHA)) d->first[a ^ 0x20] |= bit;
    if (is_folded && byte_is(b, IS_ALPHA)) d->second[b ^ 0x20] |= bit;
}

/* Pairs that end alike share a bit, so that sets of first and second bytes do not multiply too much. */
static unsigned char literal_bit(unsigned char second)
{
    unsigned which = second == '-' ? 0 : second == '_' ? 1 : second == '.' ? 2 : byte_is(second, IS_ALPHA) ? 3 : 4;
    return (unsigned char)(TRIGGER_LITERAL << which);
}

static void add_triggers(struct detect *d)
{
    check(detect_key_format_count <= 64); /* sets of them have so many bits */
    if (d->kinds & (1u << DETECT_EMAIL | 1u << DETECT_API_KEY)) {
        d->first['@'] |= TRIGGER_AT;
        for (int c = 0; c < 256; c++)
            d->second[c] |= TRIGGER_AT;
    }
    for (int c = 0; (d->kinds & NUMBER_KINDS || d->has_digit_masks) && c < 256; c++) {
        if (byte_is(c, IS_DIGIT)) d->second[c] |= TRIGGER_DIGIT;
        else d->first[c] |= TRIGGER_DIGIT;
    }
    for (size_t i = 0; (d->kinds & 1u << DETECT_API_KEY) && i < detect_key_format_count; i++) {
        const char *pair = detect_key_formats[i].prefix + detect_key_formats[i].anchor;
        add_pair(d, (unsigned char)pair[0], (unsigned char)pair[1], false, literal_bit((unsigned char)pair[1]));
        d->key_first[(unsigned char)pair[0]] |= (uint64_t)1 << i;
        d->key_second[(unsigned char)pair[1]] |= (uint64_t)1 << i;
    }
    const char *jwt = &JWT_PREFIX[JWT_ANCHOR], *pem = &PEM_PREFIX[PEM_ANCHOR];
    if (d->kinds & 1u << DETECT_API_KEY)
        add_pair(d, (unsigned char)pem[0], (unsigned char)pem[1], false, literal_bit((unsigned char)pem[1]));
    if (d->kinds & 1u << DETECT_JWT)
        add_pair(d, (unsigned char)jwt[0], (unsigned char)jwt[1], false, literal_bit((unsigned char)jwt[1]));
    for (size_t i = 0; i < d->mask_count; i++) {
        const struct mask *m = &d->masks[i];
        if (!m->is_by_digit)
            add_pair(d, m->plain[m->anchor], m->plain[m->anchor + 1], true, TRIGGER_LITERAL << (TRIGGER_LITERALS - 1));
    }
}

static void add_nibbles(struct detect *d)
{
    for (int c = 0; c < 256; c++) {
        d->nibbles[0][c & 15] |= d->first[c];
        d->nibbles[1][c >> 4] |= d->first[c];
        d->nibbles[2][c & 15] |= d->second[c];
        d->nibbles[3][c >> 4] |= d->second[c];
    }
}

static bool add_mask(struct detect *d, const struct detect_mask *from, struct fault *why)
{
    struct mask *m = &d->masks[d->mask_count];
    if (!check_name(d, from->name, why) || !detect_mask_parse(m, from, why)) return false;
    m->kind = DETECT_KINDS + (unsigned)d->mask_count++;
    uint32_t bit = (uint32_t)1 << (m->kind - DETECT_KINDS);
    if (m->is_by_digit) d->has_digit_masks = true;
    else d->literal_masks |= bit;
    for (int c = 0; m->is_by_digit && c < 256; c++)
        d->digit_masks[c] |= detect_mask_may_follow(m, (unsigned char)c) ? bit : 0;
    if (m->is_wide) d->has_wide_masks = true;
    if (m->is_wide && m->anchor > d->wide_lead) d->wide_lead = m->anchor;
    return true;
}

struct detect *detect_new(uint32_t kinds, const struct detect_mask *masks, size_t mask_count, struct fault *why)
{
    if (mask_count > LIMIT_DETECT_MASKS) {
        fault_set(why, FAULT_POLICY, "%zu masks, %u are the limit", mask_count, LIMIT_DETECT_MASKS);
        return NULL;
    }
    struct detect *d = mem_zalloc(1, sizeof *d);
    d->kinds = kinds & DETECT_ALL;
    d->subject = memo_subject();
    d->masks = mem_zalloc(mask_count + !mask_count, sizeof *d->masks);
    for (size_t i = 0; i < mask_count; i++) {
        if (add_mask(d, &masks[i], why)) continue;
        detect_free(d);
        return NULL;
    }
    add_triggers(d);
    add_nibbles(d);
    return d;
}

void detect_free(struct detect *d)
{
    if (!d) return;
    for (size_t i = 0; i < d->mask_count; i++)
        mem_free(d->masks[i].name);
    mem_free(d->masks);
    mem_free(d);
}

uint32_t detect_subject(const struct detect *d)
{
    return d->subject;
}
