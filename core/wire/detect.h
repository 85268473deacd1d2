/*
 * Finds personal data and secrets in decoded UTF-8 text, in one pass: e-mail addresses, phone and card numbers, US
 * social security numbers, IBANs, API keys (private keys are of that kind too), JSON web tokens, and what masks of
 * policy authors describe.
 *
 *     struct detect *d = detect_new(DETECT_ALL, masks, mask_count, &why);   // once a policy generation
 *     struct detect_state at = {0};                                         // the start of a text
 *     detect_scan(d, &at, text, true, on_hit, job);                         // a whole text
 *
 *     size_t safe = detect_scan(d, &at, held_and_new, false, on_hit, job);  // a stream, with its own state
 *     ... what lies before `safe` may go; the rest is held, and the next piece appended to it ...
 *
 * However a text is cut into pieces, even inside characters, its hits are the same as those of the whole; they come in
 * order and do not overlap. At most LIMIT_DETECT_HOLD_BYTES are held, in prose hardly more than the last word.
 *
 * What is longer is cut by rule: keys and tokens beyond LIMIT_DETECT_HOLD_BYTES are reported as several hits that
 * follow each other without a gap; of a name before an '@' the last 64 bytes belong to the address, of what follows it
 * the first 255.
 *
 * Precision over noise: a card number has the prefix and length of a card network and its check digit (ISO/IEC 7812),
 * an IBAN the length of its country and its check digits (ISO 13616), a phone number a '+', a trunk '0', an area code
 * in parentheses or North American grouping: a bare run of digits is none. Letters and digits on either side make it
 * part of something else (but for a letter behind a backslash, which may be an escape); of other alphabets, Latin,
 * Greek and Cyrillic letters do, scripts that are written without spaces do not.
 * Not an address: the name of a file ("logo@2x.png"), of a version, of a systemd unit, git's own user, a name and
 * password in a URL. That password is of the kind api_key. Without "scheme://" before it, "user:pass@host.example"
 * cannot be told from "mail:bob@host.example", and is an address.
 * Lookalikes and escapes are not undone here: see wire/sight.h.
 * Where two kinds could begin, the one that shows itself first in the text has it; masks go before built-in kinds.
 *
 * A struct detect never changes once made and may be shared. Never decodes JSON, never keeps text. Scanning takes time
 * in proportion to the text, whatever stands in it.
 */
#ifndef MOONGATE_WIRE_DETECT_H
#define MOONGATE_WIRE_DETECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

struct detect;

/* The built-in kinds; those of masks follow in the order of the masks. */
enum detect_kind {
    DETECT_EMAIL,
    DETECT_PHONE,
    DETECT_CREDIT_CARD,
    DETECT_US_SSN,
    DETECT_IBAN,
    DETECT_API_KEY,
    DETECT_JWT,
    DETECT_KINDS, /* how many are built in: the kind of the first mask */
};

/* Sets of kinds: bit k stands for kind k. */
#define DETECT_ALL ((1u << DETECT_KINDS) - 1)
#define DETECT_NO_KIND (-1)

/*
 * A fixed-length pattern: '#' is a digit, '@' an ASCII letter, '\' makes the next character plain, everything else is
 * itself (letters in either case). It matches between word boundaries only: "EMP-######" is not in "EMP-1234567".
 */
struct detect_mask {
    struct slice name; /* [a-z0-9_], up to LIMIT_DETECT_NAME_BYTES */
    struct slice like; /* up to LIMIT_DETECT_MASK_BYTES */
};

struct detect_hit {
    unsigned kind;
    size_t from, len; /* in the text of this call */
};

/* Where in a stream a scan is; all zero at the start of a text. */
struct detect_state {
    unsigned char before[16]; /* the bytes before the text, the nearest last; 0 where there are none */
    unsigned char long_kind; /* 1 + kind of the key or token whose first piece was reported; 0: none */
    unsigned char long_set;  /* which bytes it may go on with */
    uint64_t steps;          /* bytes looked at so far, those looked at twice counted twice */
};

typedef void (*detect_hit_fn)(void *arg, const struct detect_hit *hit);

/* The set `kinds` and all masks, compiled; nothing is borrowed. NULL, with a sentence in *why: a mask or a name that
 * cannot be (too long, letters only, a name given twice or built in), more than LIMIT_DETECT_MASKS. */
struct detect *detect_new(uint32_t kinds, const struct detect_mask *masks, size_t mask_count, struct fault *why);
void detect_free(struct detect *d); /* NULL is welcome */
/* What a memo knows this one by (wire/quiet.h); another compiled of the same has another. */
uint32_t detect_subject(const struct detect *d);

/* How many kinds have a name: DETECT_KINDS and one for each mask. d may be NULL: the built-in ones. */
unsigned detect_kind_count(const struct detect *d);
/* "email", "phone", "credit_card", "us_ssn", "iban", "api_key", "jwt", or a mask's name. Lives as long as d. */
struct slice detect_kind_name(const struct detect *d, unsigned kind);
/* DETECT_NO_KIND when no kind is called so. */
int detect_kind_id(const struct detect *d, struct slice name);

/*
 * Scans `text`: what an earlier call left from its `safe` on, and what came since. Calls on_hit for every hit that
 * nothing still to come can change, and returns `safe`: no later hit begins before it, and the next call's text begins
 * there (*at is set to that place). Every hit told of ends at or before it. With is_last there is nothing more to
 * come: all hits are told and `safe` is text.len.
 */
size_t detect_scan(const struct detect *d, struct detect_state *at, struct slice text, bool is_last,
                   detect_hit_fn on_hit, void *arg);

#endif
