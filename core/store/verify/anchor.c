#include <string.h>

#include "store/verify/verify_inner.h"

void verify_covered(struct verify *v, uint64_t seq, uint64_t time_us)
{
    if (seq <= v->result->anchored_seq) return;
    v->result->anchored_seq = seq;
    v->result->anchored_us = time_us;
}

static bool is_anchor_good(struct verify *v, const struct anchor *a)
{
    const struct anchor_public *signer = anchor_signer(&v->trust, a);
    if (!signer) {
        verify_say(v, VERIFY_ANCHOR_FORGED_FOUND, a->seq, "the anchor of entry %llu is not signed by a key given",
                   (unsigned long long)a->seq);
        return false;
    }
    if (a->time_us < v->anchor_us)
        verify_say(v, VERIFY_ANCHOR_TIME_FOUND, a->seq, "the anchor of entry %llu is older than the one before it",
                   (unsigned long long)a->seq);
    v->anchor_us = a->time_us;
    memcpy(v->result->key, signer->fingerprint, sizeof v->result->key);
    return true;
}

bool verify_adopt(struct verify *v, const struct anchor *a)
{
    if (!anchor_signer(&v->trust, a)) return false;
    buf_append(&v->gateway, a->gateway);
    return v->is_known = true;
}

/* An auditor may have given the keys of several gateways. */
static bool is_of_this_chain(struct verify *v, const struct anchor *a)
{
    if (slice_equal(a->gateway, buf_slice(&v->gateway))) return true;
    verify_say(v, VERIFY_GENESIS_FOUND, a->seq, "the anchor of entry %llu is of gateway '%.*s', the ledger of '%.*s'",
               (unsigned long long)a->seq, SLICE_FMT(a->gateway), SLICE_FMT(buf_slice(&v->gateway)));
    return false;
}

void verify_anchor(struct verify *v, struct anchor *a)
{
    struct verify_result *r = v->result;
    if (!v->is_known) verify_adopt(v, a);
    if (!a->gateway.len) a->gateway = buf_slice(&v->gateway);
    if (!is_of_this_chain(v, a) || !is_anchor_good(v, a)) return;
    if (r->entries == 0) {
        v->early = a->seq;
    } else if (a->seq > r->last_seq) {
        verify_say(v, VERIFY_ANCHOR_BEYOND_FOUND, a->seq, "entry %llu was signed; the ledger ends with entry %llu",
                   (unsigned long long)a->seq, (unsigned long long)r->last_seq);
    } else if (a->seq == r->last_seq && memcmp(a->hash, v->hash, sizeof a->hash) != 0) {
        verify_say(v, VERIFY_ANCHOR_HASH_FOUND, a->seq, "entry %llu has another hash than the one that was signed",
                   (unsigned long long)a->seq);
    } else if (a->seq == r->last_seq) {
        r->anchors++;
        verify_covered(v, a->seq, a->time_us);
    }
}
