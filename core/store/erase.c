#include "store/erase.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "store/texts/texts.h"
#include "wire/json.h"

bool erase_check(struct slice subject, struct slice reason, struct fault *why)
{
    if (!subject.len) return fault_set(why, FAULT_INTERNAL, "nobody is named whose texts are to be erased");
    if (subject.len > LIMIT_TEXT_SUBJECT_BYTES)
        return fault_set(why, FAULT_INTERNAL, "the subject is longer than %u bytes", LIMIT_TEXT_SUBJECT_BYTES);
    return reason.len <= LIMIT_REASON_BYTES ||
           fault_set(why, FAULT_INTERNAL, "the reason is longer than %u bytes", LIMIT_REASON_BYTES);
}

bool erase_read(struct slice json, struct buf *subject)
{
    struct json_tape tape;
    struct arena arena;
    struct fault ignored;
    json_init(&tape);
    arena_init(&arena);
    bool is_one = json_parse(&tape, json, &ignored) && json_is(&tape, 0, JSON_OBJECT);
    uint32_t action = is_one ? json_get(&tape, 0, SLICE("action")) : JSON_NONE;
    uint32_t target = is_one ? json_get(&tape, 0, SLICE("target")) : JSON_NONE;
    is_one = json_is(&tape, action, JSON_STRING) && json_is(&tape, target, JSON_STRING) &&
             slice_equal(json_text(&tape, action, &arena), SLICE(ERASE_ACTION));
    if (is_one) buf_append(subject, json_text(&tape, target, &arena));
    arena_clear(&arena);
    json_clear(&tape);
    return is_one;
}

static bool put_entry(struct ledger *l, const struct erasure *e, struct fault *why)
{
    struct buf body;
    struct change c = {.by = e->by, .wall_ns = clock_wall_ns(), .action = SLICE(ERASE_ACTION), .target = e->subject,
                       .result = SLICE("ok")};
    buf_init(&body);
    change_make_id(c.id, c.wall_ns);
    change_write(&c, &body);
    struct ledger_entry entry = {.kind = CHAIN_CHANGE, .body = buf_slice(&body)};
    bool is_good = ledger_begin(l, why) && ledger_put(l, &entry, why) != LEDGER_FAILED && ledger_commit(l, why);
    buf_clear(&body);
    return is_good;
}

bool erase_subject(struct texts *t, struct ledger *l, struct erasure *e, struct fault *why)
{
    struct fault reason;
    e->had_key = false;
    if (!erase_check(e->subject, e->by->reason, why)) return false;
    if (!texts_destroy_key(t, e->subject, &e->had_key, &reason))
        return fault_set(why, FAULT_INTERNAL, e->had_key ? "the key is overwritten, but %s" : "nothing is erased: %s",
                         fault_message(&reason));
    if (put_entry(l, e, &reason)) return true;
    return fault_set(why, FAULT_INTERNAL, "the key is destroyed, but the ledger does not say so yet: %s; ask again",
                     fault_message(&reason));
}

bool erase_offline(const struct ledger_options *options, struct erasure *e, struct fault *why)
{
    struct texts *t = texts_open(options->data_dir, why);
    struct ledger *l = t ? ledger_open(options, why) : NULL;
    bool is_good = l && erase_subject(t, l, e, why);
    ledger_close(l);
    texts_close(t);
    return is_good;
}
