#include <string.h>

#include "base/limits.h"
#include "store/ledger/record.h"
#include "store/verify/verify_inner.h"
#include "wire/json.h"

#define LONGEST_MS 1e9 /* no exchange takes eleven days */
#define TAIL_US (3 * (int64_t)LIMIT_ANCHOR_MS * 1000) /* three times as long as an anchor should take */

static bool read_time(const struct json_tape *tape, int64_t *us)
{
    struct slice raw = json_raw(tape, json_get(tape, 0, SLICE("time")));
    return raw.len > 2 && ledger_time_read(slice_of(raw.ptr + 1, raw.len - 2), us);
}

/* When what an entry tells began, and how long it took; false: it does not say. */
static bool read_times(struct slice body, int64_t *began_us, int64_t *ended_us)
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    bool is_good = json_parse(&tape, body, &why) && read_time(&tape, began_us);
    uint32_t total = is_good ? json_get(&tape, json_get(&tape, 0, SLICE("ms")), SLICE("total")) : JSON_NONE;
    if (is_good) *ended_us = *began_us;
    double ms = json_is(&tape, total, JSON_NUMBER) ? json_to_double(&tape, total) : 0;
    if (ms > 0 && ms < LONGEST_MS) *ended_us += (int64_t)(ms * 1000);
    json_clear(&tape);
    return is_good;
}

/* The first of them was written before the last began, and an anchor is never far behind. */
static bool is_tail_long(struct verify *v, uint64_t entries)
{
    int64_t first, first_end, last, last_end;
    if (entries == 0) return false; /* what is kept of a tail is of one that is covered now */
    if (entries > 2 * LIMIT_ANCHOR_ENTRIES) return true;
    return read_times(buf_slice(&v->tail), &first, &first_end) && read_times(buf_slice(&v->last), &last, &last_end) &&
           last - first_end > TAIL_US;
}

void verify_end(struct verify *v)
{
    struct verify_result *r = v->result;
    verify_witness_end(v);
    if (r->entries == 0 && v->early)
        verify_say(v, VERIFY_ANCHOR_BEYOND_FOUND, v->early, "entry %llu was signed; there is no entry",
                   (unsigned long long)v->early);
    if (r->entries == 0) {
        verify_say(v, VERIFY_EMPTY_FOUND, 0, "there is no entry");
        return;
    }
    memcpy(r->hash, v->hash, sizeof r->hash);
    if (v->is_cut && v->cut < r->first_seq)
        verify_say(v, VERIFY_BEGINNING_FOUND, r->first_seq,
                   "the chain begins with entry %llu, and does not say that what was before is deleted",
                   (unsigned long long)r->first_seq);
    uint64_t covered = r->anchored_seq >= r->first_seq ? r->anchored_seq : r->first_seq - 1;
    if (r->anchored_seq == 0 || is_tail_long(v, r->last_seq - covered))
        verify_say(v, VERIFY_NO_ANCHOR_FOUND, covered + 1, "entries %llu to %llu are covered by no anchor",
                   (unsigned long long)covered + 1, (unsigned long long)r->last_seq);
}
