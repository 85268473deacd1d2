/*
 * One set of rules and one request that was sent by them: what the tests of redaction begin with.
 *
 *     use_rules(true, true);
 *     send_request(body, CHAT_CHAT);       // r, request, and the body as it leaves in `sent`
 *     done();
 */
#ifndef MOONGATE_TESTS_UNIT_REDACTING_H
#define MOONGATE_TESTS_UNIT_REDACTING_H

#include "../unit.h"

#include "wire/dialect.h"
#include "wire/redact_answer.h"

static struct redact_rules rules;
static struct arena arena;
static struct redact *r;
static struct chat_request request;
static struct buf sent;
static struct memo *remembered; /* NULL: no text is */

static inline void use_rules(bool is_restoring, bool is_masking_answers)
{
    static const struct detect_mask masks[] = {{{"employee_id", 11}, {"EMP-######", 10}}};
    struct fault why;
    memset(&rules, 0, sizeof rules);
    rules.detect = detect_new(DETECT_ALL, masks, 1, &why);
    if (!rules.detect) UNIT_FAIL("%s", why.text);
    rules.is_restoring = is_restoring;
    rules.response_finds = rules.response_masks = is_masking_answers ? ~0ull : 0;
    rules.scan_bytes_max = LIMIT_REDACT_SCAN_BYTES;
    redact_rules_index(&rules);
}

/* Scans a body and masks all that is found; the body as it leaves is in `sent`. */
static inline void send_request_to(const struct dialect *dialect, const char *body, enum chat_kind kind)
{
    struct fault why;
    struct splice edits;
    chat_init(&request);
    r = redact_new(&rules, &arena);
    redact_remember(r, remembered);
    struct slice model = dialect == &dialect_gemini ? SLICE("m") : SLICE_NONE; /* theirs stands in the path */
    if (!chat_parse_for(&request, dialect, slice_str(body), kind, model, &arena, &why)) {
        UNIT_FAIL("%s: %s", body, why.text);
        return;
    }
    while (!redact_scan(r, &request, slice_str(body)))
        continue;
    for (unsigned k = 0; k < detect_kind_count(rules.detect); k++)
        redact_mask(r, k);
    splice_init(&edits, &request.tape, slice_str(body), &arena);
    redact_edit(r, &edits);
    buf_reset(&sent);
    splice_apply(&edits, &sent);
    chat_clear(&request);
}

static inline void send_request(const char *body, enum chat_kind kind)
{
    send_request_to(&dialect_openai, body, kind);
}

static inline void done(void)
{
    detect_free(rules.detect);
    arena_clear(&arena);
}

#endif
