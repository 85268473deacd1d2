#include "store/erase.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "store/texts.h"

static bool check_erasure(const struct erasure *e, struct fault *why)
{
    if (e->subject.len > LIMIT_TEXT_SUBJECT_BYTES)
        return fault_set(why, FAULT_INTERNAL, "the subject is longer than %u bytes", LIMIT_TEXT_SUBJECT_BYTES);
    if (e->actor.len > LIMIT_KEY_FIELD_BYTES || e->reason.len > LIMIT_ERASE_REASON_BYTES)
        return fault_set(why, FAULT_INTERNAL, "the actor is longer than %u bytes, or the reason than %u",
                         LIMIT_KEY_FIELD_BYTES, LIMIT_ERASE_REASON_BYTES);
    return e->subject.len > 0 || fault_set(why, FAULT_INTERNAL, "nobody is named whose texts are to be erased");
}

static void write_body(const struct erasure *e, struct buf *body)
{
    char time[CLOCK_TEXT_BYTES];
    clock_format(clock_wall_ns(), time);
    buf_printf(body, "{\"time\":\"%s\",\"actor\":", time);
    buf_append_json(body, e->actor);
    buf_append(body, SLICE(",\"action\":\"" ERASE_ACTION "\",\"target\":\"texts\",\"subject\":"));
    buf_append_json(body, e->subject);
    buf_append(body, SLICE(",\"reason\":"));
    buf_append_json(body, e->reason);
    buf_printf(body, ",\"had_key\":%s}", e->had_key ? "true" : "false");
}

static bool put_entry(struct ledger *l, const struct erasure *e, struct fault *why)
{
    struct buf body;
    buf_init(&body);
    write_body(e, &body);
    struct ledger_entry entry = {.kind = CHAIN_CHANGE, .body = buf_slice(&body)};
    bool is_good = ledger_begin(l, why) && ledger_put(l, &entry, why) != LEDGER_FAILED && ledger_commit(l, why);
    buf_clear(&body);
    return is_good;
}

bool erase_subject(struct texts *t, struct ledger *l, struct erasure *e, struct fault *why)
{
    struct fault reason;
    e->had_key = false;
    if (!check_erasure(e, why)) return false;
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
