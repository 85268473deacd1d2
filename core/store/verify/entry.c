#include <string.h>

#include "store/ledger/keep.h"
#include "store/verify/verify_inner.h"
#include "wire/json.h"

#define PROGRESS_ENTRIES 65536u

/* ---- The beginning. */

static void keep_text(const struct json_tape *tape, struct slice name, struct arena *arena, struct buf *out)
{
    uint32_t node = json_get(tape, 0, name);
    if (json_is(tape, node, JSON_STRING)) buf_append(out, json_text(tape, node, arena));
}

/* Out of the entry that a ledger begins with: {"gateway", "key", …}. */
void verify_start(struct verify *v, struct slice body)
{
    struct json_tape tape;
    struct arena arena;
    struct fault why;
    struct buf gateway;
    json_init(&tape);
    arena_init(&arena);
    buf_init(&gateway);
    if (json_parse(&tape, body, &why)) keep_text(&tape, SLICE("gateway"), &arena, &gateway);
    if (v->is_known && !slice_equal(buf_slice(&gateway), buf_slice(&v->gateway)))
        verify_say(v, VERIFY_GENESIS_FOUND, v->result->last_seq, "the entry names gateway '%.*s', the ledger '%.*s'",
                   SLICE_FMT(buf_slice(&gateway)), SLICE_FMT(buf_slice(&v->gateway)));
    if (!v->is_known) {
        buf_append(&v->gateway, buf_slice(&gateway));
        if (tape.count) keep_text(&tape, SLICE("key"), &arena, &v->key);
        v->is_known = true;
    }
    buf_clear(&gateway);
    arena_clear(&arena);
    json_clear(&tape);
}

/* All before it was deleted for its age: so says the file, and the chain itself has to (take_cut). */
static bool begin_behind_cut(struct verify *v, const struct verify_entry *e)
{
    if (v->base.seq == 0 || v->base.seq != e->seq - 1) return false;
    memcpy(v->hash, v->base.hash, sizeof v->hash);
    v->result->first_seq = e->seq;
    v->is_cut = true;
    return true;
}

/* What the hash of the first entry that is there stands on. False: nothing says. */
static bool begin(struct verify *v, const struct verify_entry *e)
{
    v->result->first_seq = e->seq;
    if (e->kind == CHAIN_START && !v->is_known) verify_start(v, e->body);
    if (e->seq == 1) {
        chain_genesis(v->hash, buf_slice(&v->gateway), buf_slice(&v->key));
        return true;
    }
    if (begin_behind_cut(v, e)) return true;
    verify_say(v, VERIFY_BEGINNING_FOUND, e->seq, "it begins with entry %llu, and nothing says what was before",
               (unsigned long long)e->seq);
    return false;
}

/* ---- Entries. */

static bool follows(struct verify *v, const struct verify_entry *e)
{
    uint64_t last = v->result->last_seq;
    if (v->result->entries == 0) return begin(v, e);
    if (e->seq == last + 1) return true;
    if (v->is_base_new && v->base.seq > last && begin_behind_cut(v, e)) return true;
    if (e->seq <= last)
        verify_say(v, VERIFY_ORDER_FOUND, e->seq, "entry %llu stands behind entry %llu", (unsigned long long)e->seq,
                   (unsigned long long)last);
    else if (e->seq == last + 2)
        verify_say(v, VERIFY_GAP_FOUND, last + 1, "entry %llu is missing", (unsigned long long)last + 1);
    else
        verify_say(v, VERIFY_GAP_FOUND, last + 1, "entries %llu to %llu are missing", (unsigned long long)last + 1,
                   (unsigned long long)e->seq - 1);
    return false;
}

static void check_hash(struct verify *v, const struct verify_entry *e, bool is_linked)
{
    uint8_t hash[CHAIN_HASH_BYTES];
    bool is_whole = e->hash.len == sizeof hash;
    chain_hash(hash, v->hash, e->seq, (enum chain_kind)e->kind, e->body);
    if (is_linked && (!is_whole || memcmp(hash, e->hash.ptr, sizeof hash) != 0)) {
        bool is_first = e->seq == 1;
        verify_say(v, is_first ? VERIFY_GENESIS_FOUND : VERIFY_HASH_FOUND, e->seq,
                   "the hash of entry %llu is not that of %s and its own content", (unsigned long long)e->seq,
                   is_first ? "this gateway's beginning" : "the entry before it");
    }
    /* From what stands there, so that one change is one finding. */
    memcpy(v->hash, is_whole ? (const uint8_t *)e->hash.ptr : hash, sizeof hash);
}

static void count_lost(struct verify *v, struct slice body)
{
    struct json_tape tape;
    struct fault why;
    int64_t count = 0;
    json_init(&tape);
    uint32_t node = json_parse(&tape, body, &why) ? json_get(&tape, 0, SLICE("count")) : JSON_NONE;
    if (json_is(&tape, node, JSON_NUMBER) && json_to_i64(&tape, node, &count) && count > 0)
        v->result->lost += (uint64_t)count;
    json_clear(&tape);
}

/* Entries that go for their age are announced before they do. */
static void take_cut(struct verify *v, struct slice body)
{
    struct json_tape tape;
    struct fault why;
    int64_t before = 0;
    if (!memmem(body.ptr, body.len, LEDGER_CUT_ACTION, sizeof LEDGER_CUT_ACTION - 1)) return;
    json_init(&tape);
    bool is_cut = json_parse(&tape, body, &why) &&
                  json_text_is(&tape, json_get(&tape, 0, SLICE("action")), SLICE(LEDGER_CUT_ACTION));
    uint32_t node = is_cut ? json_get(&tape, 0, SLICE("before")) : JSON_NONE;
    if (json_is(&tape, node, JSON_NUMBER) && json_to_i64(&tape, node, &before) && before > (int64_t)v->cut)
        v->cut = (uint64_t)before;
    json_clear(&tape);
}

static void take_change(struct verify *v, const struct verify_entry *e)
{
    take_cut(v, e->body);
    struct anchor_public next;
    enum anchor_succession found = anchor_succession_read(e->body, buf_slice(&v->gateway), &v->trust, &next);
    if (found == SUCCESSION_GOOD) anchor_trust_follow(&v->trust, &next);
    if (found == SUCCESSION_FORGED)
        verify_say(v, VERIFY_SUCCESSION_FOUND, e->seq, "entry %llu announces a key that none of those given has signed",
                   (unsigned long long)e->seq);
}

static void look_into(struct verify *v, const struct verify_entry *e)
{
    if (e->kind < CHAIN_START || e->kind > CHAIN_ALERT)
        verify_say(v, VERIFY_KIND_FOUND, e->seq, "entry %llu is of kind %lld, which there is not",
                   (unsigned long long)e->seq, (long long)e->kind);
    else if (e->kind == CHAIN_START)
        verify_start(v, e->body);
    else if (e->kind == CHAIN_LOSS)
        count_lost(v, e->body);
    else if (e->kind == CHAIN_CHANGE)
        take_change(v, e);
}

/* For the judgement of the end (verify/end.c). */
static void keep(struct buf *copy, struct slice body)
{
    buf_reset(copy);
    buf_append(copy, body);
}

void verify_entry(struct verify *v, const struct verify_entry *e)
{
    struct verify_result *r = v->result;
    check_hash(v, e, follows(v, e));
    r->last_seq = e->seq;
    r->entries++;
    look_into(v, e);
    if (r->anchored_seq + 1 == e->seq || r->entries == 1) keep(&v->tail, e->body);
    keep(&v->last, e->body);
    verify_witness_entry(v, e->seq);
    if (r->entries % PROGRESS_ENTRIES == 0 && v->options->on_progress)
        v->options->on_progress(v->options->arg, r->entries, v->of);
}
