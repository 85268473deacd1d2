/*
 * What detectors found in one request, what of it leaves as a placeholder, and how the caller's own values come back.
 *
 *     struct redact *r = redact_new(&rules, arena);           // one an exchange, in its arena
 *     while (!redact_scan(r, &request, body)) ...;            // a piece a call: the next one in a later slice
 *     ... redact_found(r, kind), redact_is_cut(r) ...
 *     redact_mask(r, kind);                                   // what the policy decided
 *     redact_edit(r, &edits);                                 // into the body that a provider gets
 *
 * Scanned are all texts of the body that a provider reads (chat_next_reading), with their escapes decoded, and what
 * tools are given and give back as JSON: a member's name there is replaced in its place, a number by a string. What
 * nothing was found in is left as it came. The first value of a kind becomes "[email]", the next ones "[email_2]",
 * "[email_3]"; the same value the same placeholder, wherever it stands. A placeholder that stands in the caller's own
 * text is not given to a value, so nothing is mistaken for another.
 *
 * Values live in the arena and nowhere else: no log, no record, no trace gets them.
 * Limits: rules->scan_bytes_max; what lies beyond is not looked at, and redact_is_cut() says so.
 */
#ifndef MOONGATE_WIRE_REDACT_H
#define MOONGATE_WIRE_REDACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/limits.h"
#include "wire/chat.h"
#include "wire/detect.h"
#include "wire/quiet.h"
#include "wire/splice.h"

#define REDACT_KINDS_MAX (DETECT_KINDS + LIMIT_DETECT_MASKS)
_Static_assert(REDACT_KINDS_MAX <= 64, "sets of kinds are 64 bits");

/* What a policy says, compiled once a generation. Never changes once made. */
struct redact_rules {
    struct detect *detect;
    uint64_t kinds;          /* that it looks for; built-in ones have names even where it does not */
    uint64_t response_masks; /* kinds that become placeholders in what a model says */
    uint64_t response_finds; /* kinds that are counted there; holds the masked ones */
    bool is_restoring;       /* the caller's own values come back where the model repeats their placeholders */
    size_t scan_bytes_max;
    unsigned char rank[REDACT_KINDS_MAX]; /* of the data class that a kind raises a request to; 0: none */
    uint64_t kinds_of_letter[256];        /* redact_rules_index() fills it */
};

/* Once the detector is set. */
void redact_rules_index(struct redact_rules *rules);

struct redact;

/* Borrows rules for the arena's life. */
struct redact *redact_new(const struct redact_rules *rules, struct arena *arena);
/* Texts in which nothing is found are remembered there, and not scanned where they are (wire/quiet.h). Before the first
 * scan; borrowed until it is done. NULL: none. */
void redact_remember(struct redact *r, struct memo *memo);
const struct redact_rules *redact_rules_of(const struct redact *r);

/* Looks at the next piece of the request; true once all is done, and from then on. The request and its body must be the
 * same in all calls. */
bool redact_scan(struct redact *r, const struct chat_request *request, struct slice body);
/* Frees what an unfinished scan holds; NULL is welcome. Before the arena goes, where the scan may not have come to its
 * end. */
void redact_stop(struct redact *r);
bool redact_is_scanned(const struct redact *r);
/* False when neither anything was found nor text left out. */
bool redact_has_findings(const struct redact *r);
/* How often a kind was found in the request, the same value counted each time. */
uint32_t redact_found(const struct redact *r, unsigned kind);
/* True when the request has more text than may be scanned. */
bool redact_is_cut(const struct redact *r);
bool redact_is_foreign(const struct redact *r); /* a file of it is a text that is no UTF-8 */
/* True when a text has JSON in JSON deeper than LIMIT_SIGHT_LEVELS: what is deeper was not looked at. */
bool redact_is_too_deep(const struct redact *r);

/* From now on values of this kind leave as placeholders. Only once the scan is done. */
void redact_mask(struct redact *r, unsigned kind);
uint64_t redact_masks(const struct redact *r);
/* The placeholders as edits of the body that was scanned. */
void redact_edit(const struct redact *r, struct splice *edits);

/* What was done to the answer, for the record. */
struct redact_counts {
    uint32_t found[REDACT_KINDS_MAX]; /* new values in what the model said */
    uint32_t masked, restored;
};
const struct redact_counts *redact_answer_counts(const struct redact *r);

/* True when an answer has JSON in JSON deeper than LIMIT_SIGHT_LEVELS, and there are kinds to be masked in it: it must
 * not go out. For redact_text.c: to say so. */
bool redact_answer_is_too_deep(const struct redact *r);
void redact_note_too_deep(struct redact *r);
/* For redact_text.c: a detector's hit in the answer. False: it stays as it is; else *placeholder takes its place. */
bool redact_answer_hit(struct redact *r, unsigned kind, struct slice value, struct slice *placeholder);
/* True when `placeholder` stands for a value of the caller's that was masked; counts it. */
bool redact_restore(struct redact *r, struct slice placeholder, struct slice *value);

#endif
