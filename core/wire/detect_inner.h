/*
 * What the files of the detectors share: the compiled set, the view of a text under scan, and one verify function for
 * each family of kinds.
 *
 * A scan goes from trigger to trigger: two bytes that every candidate of a kind must contain (an '@', the first of some
 * digits, the rarest pair of a key's prefix). Each family is then asked about its candidate at that trigger. Its answer
 * rests on nothing but the bytes in a bounded window around it; when that window reaches what has not come yet, the
 * answer is FOUND_LATER and the scan stops there. So the answer is the same however the text is cut.
 */
#ifndef MOONGATE_WIRE_DETECT_INNER_H
#define MOONGATE_WIRE_DETECT_INNER_H

#include "base/limits.h"
#include "wire/detect.h"

enum {
    IS_DIGIT = 1 << 0,
    IS_ALPHA = 1 << 1,
    IS_UNDERSCORE = 1 << 2,
    IS_LOCAL = 1 << 3,  /* in a name before an '@' */
    IS_LABEL = 1 << 4,  /* in a label of a domain name */
    IS_BASE64 = 1 << 5, /* of base64url (RFC 4648, 5) */
    IS_DOT = 1 << 6,
    IS_PEM = 1 << 7, /* base64 in lines, whose ends may be written \n */
    IS_ALNUM = IS_DIGIT | IS_ALPHA,
    IS_WORD = IS_ALNUM | IS_UNDERSCORE,
};
extern const unsigned char detect_class[256];

/* Bits of the trigger tables; keys, tokens and masks without digits share the rest. */
enum {
    TRIGGER_AT = 1 << 0,
    TRIGGER_DIGIT = 1 << 1, /* the second byte is the digit */
    TRIGGER_LITERAL = 1 << 2,
};
#define TRIGGER_LITERALS 6u

#define NUMBER_KINDS (1u << DETECT_PHONE | 1u << DETECT_CREDIT_CARD | 1u << DETECT_US_SSN | 1u << DETECT_IBAN)

#define LOCAL_BYTES 64u   /* RFC 5321, 4.5.3.1.1 */
#define DOMAIN_BYTES 255u /* RFC 5321, 4.5.3.1.2 */

enum mask_char { MASK_PLAIN, MASK_DIGIT, MASK_LETTER };

struct mask {
    char *name;
    unsigned kind;
    unsigned char len, anchor; /* anchor: where in it the trigger stands */
    bool is_by_digit;          /* its trigger is its first digit, else the two bytes at anchor */
    bool is_wide;              /* before its trigger stands what no name before an '@' has */
    unsigned char what[LIMIT_DETECT_MASK_BYTES], plain[LIMIT_DETECT_MASK_BYTES]; /* plain letters in lower case */
};

/* A kind of key: what it begins with, what follows, how many of that. */
struct key_format {
    const char *prefix;
    unsigned char set;        /* detect_class bits of the bytes that follow */
    unsigned char anchor;     /* where in the prefix the trigger stands */
    unsigned short min, max;  /* bytes that follow; max 0: any number */
    bool is_mixed;            /* must have a digit, or `min` letters without a break: the prefix is a common word */
};
extern const struct key_format detect_key_formats[];
extern const size_t detect_key_format_count;

_Static_assert(LIMIT_DETECT_MASKS <= 32, "sets of masks have 32 bits");

struct detect {
    uint32_t kinds; /* built-in ones */
    uint32_t subject;
    bool has_digit_masks, has_wide_masks;
    size_t wide_lead; /* the largest anchor of a wide mask */
    struct mask *masks;
    size_t mask_count;
    uint32_t literal_masks;      /* sets of masks: those whose trigger is no digit, … */
    uint32_t digit_masks[256];   /* … and those that a digit behind this byte is the trigger of */
    unsigned char first[256], second[256]; /* a trigger: first[a] & second[b] */
    unsigned char nibbles[4][16];          /* the same, coarser: low and high halves of the first and second byte */
    uint64_t key_first[256], key_second[256]; /* sets of key formats, by the two bytes at their anchors */
};

/* A text under scan. Offsets are into it; what lies before its start is in the state. */
struct view {
    const struct detect *d;
    const unsigned char *text;
    size_t len;
    bool is_last;
    size_t floor; /* the end of the last hit: nothing begins before it */
    struct detect_state *state;
};

enum found { FOUND_NO, FOUND_YES, FOUND_LATER };

struct candidate {
    size_t from, to;
    unsigned kind;
    unsigned char set; /* not 0: reached LIMIT_DETECT_HOLD_BYTES and may go on with these */
};

enum { AT_END = -1, AT_LATER = -2 };

/* The byte at i, AT_END behind the last one, AT_LATER where it has not come yet. */
static inline int byte_at(const struct view *v, size_t i)
{
    return i < v->len ? v->text[i] : v->is_last ? AT_END : AT_LATER;
}

/* The byte `back` (1 to 16) before i; 0 before the text began. */
static inline unsigned char byte_before(const struct view *v, size_t i, size_t back)
{
    return back <= i ? v->text[i - back] : v->state->before[sizeof v->state->before - (back - i)];
}

static inline bool byte_is(int byte, unsigned char set)
{
    return byte >= 0 && (detect_class[byte] & set);
}

/* Of "\n5500 0000 …" the n may be of an escape, whether the text is JSON or not: then it is no letter. */
static inline bool detect_is_escape(unsigned char letter, unsigned char before)
{
    return before == '\\' && (letter == 'n' || letter == 't' || letter == 'r' || letter == 'b' || letter == 'f');
}

/* Length of the letter outside ASCII whose first two bytes these are: Latin, Greek, Cyrillic; 0 when it is none. */
static inline size_t detect_letter_len(unsigned char lead, unsigned char next)
{
    if (lead >= 0xC3 && lead <= 0xD4) return lead == 0xC3 && (next == 0x97 || next == 0xB7) ? 0 : 2;
    return lead == 0xE1 && next >= 0xB8 && next <= 0xBF ? 3 : 0;
}

/* A word character ends `back` bytes (5 at most) before i; one begins at i. */
bool detect_is_word_before(const struct view *v, size_t i, size_t back);
enum found detect_is_word_at(const struct view *v, size_t i);
/* Length of the letter outside ASCII at i, 0 for none; LETTER_LATER when that cannot be told yet. */
#define LETTER_LATER 9u
size_t detect_letter_at(const struct view *v, size_t i);
/* The start of the name that would stand before an '@' at i. */
size_t detect_local_start(const struct view *v, size_t i);

/* The end of a call: the bytes before `safe` become what stands before the next text; nothing does after the last. */
void detect_leave(struct detect_state *state, const unsigned char *text, size_t safe, bool is_last);

/* The families. Each takes the place of its trigger. */
enum found detect_email(const struct view *v, size_t at, struct candidate *c);
enum found detect_number(const struct view *v, size_t at, struct candidate *c);
/* No kind of number begins with the digits at `at`: they are too few to stand alone, or have not the digits or the
 * place of a first group. Most numbers of prose and of logs leave here, before a run is read; at the end of the text it
 * says false. */
bool detect_run_is_hopeless(const struct view *v, size_t at);
enum found detect_iban(const struct view *v, size_t at, struct candidate *c);
enum found detect_key(const struct view *v, const struct key_format *format, size_t at, struct candidate *c);
enum found detect_jwt(const struct view *v, size_t at, struct candidate *c);
enum found detect_pem(const struct view *v, size_t at, struct candidate *c);
enum found detect_mask_at(const struct view *v, const struct mask *m, size_t at, struct candidate *c);
/* The start of what may still become m at the end of a text, v->len when there is nothing. */
size_t detect_mask_pending(const struct view *v, const struct mask *m);

/* Can this byte stand before the mask's trigger? */
bool detect_mask_may_follow(const struct mask *m, unsigned char before);
/* Compiles one mask; false with a sentence in *why. */
bool detect_mask_parse(struct mask *m, const struct detect_mask *from, struct fault *why);

#define JWT_PREFIX "eyJ" /* base64url of {" */
#define JWT_ANCHOR 1u    /* the rarest pair of it */
#define JWT_HEADER_BYTES 1024u
#define PEM_PREFIX "-----BEGIN "
#define PEM_ANCHOR 6u

#endif
