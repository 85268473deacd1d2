#include <stdlib.h>
#include <string.h>

#include "base/input.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/verify/verify_inner.h"

/* ---- The file. */

static void add(struct verify_witness *w, const struct anchor *a, uint64_t line)
{
    if (w->count == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 1024;
        w->all = mem_realloc(w->all, w->cap * sizeof *w->all);
    }
    struct verify_seen *seen = &w->all[w->count++];
    *seen = (struct verify_seen){.seq = a->seq, .time_us = a->time_us, .line = line};
    memcpy(seen->hash, a->hash, sizeof seen->hash);
    memcpy(seen->signature, a->signature, sizeof seen->signature);
}

static int by_seq(const void *a, const void *b)
{
    const struct verify_seen *x = a, *y = b;
    if (x->seq != y->seq) return x->seq < y->seq ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static void take_line(struct verify *v, struct slice line, uint64_t number)
{
    struct anchor a;
    struct arena arena;
    struct fault why;
    if (slice_trim(line).len == 0) return;
    arena_init(&arena);
    bool is_read = anchor_read(line, &a, &arena, &why);
    if (is_read && !v->is_known) verify_adopt(v, &a);
    if (!is_read)
        v->result->witness_unread++; /* a disk that was full leaves half a line */
    else if (v->is_known && !slice_equal(a.gateway, buf_slice(&v->gateway)))
        v->result->witness_others++;
    else
        add(&v->witness, &a, number);
    arena_clear(&arena);
}

bool verify_witness_read(struct verify *v, const char *path, struct fault *why)
{
    struct input lines;
    struct slice line;
    enum input_got got = INPUT_FAILED;
    if (!input_is_file(path, why)) return false;
    if (input_open(&lines, path, why)) {
        while ((got = input_line(&lines, LIMIT_VERIFY_LINE_BYTES, &line, why)) == INPUT_LINE)
            take_line(v, line, lines.line);
    }
    input_close(&lines);
    if (v->witness.count) qsort(v->witness.all, v->witness.count, sizeof *v->witness.all, by_seq);
    return got == INPUT_END;
}

/* ---- Beside the chain. */

/* Keys that the chain itself announces are believed from there on, and so only here. */
static bool is_signed(struct verify *v, const struct verify_seen *seen)
{
    struct anchor a = {.gateway = buf_slice(&v->gateway), .seq = seen->seq, .time_us = seen->time_us};
    memcpy(a.hash, seen->hash, sizeof a.hash);
    memcpy(a.signature, seen->signature, sizeof a.signature);
    if (anchor_signer(&v->trust, &a)) return true;
    verify_say(v, VERIFY_WITNESS_FORGED_FOUND, seen->seq, "the witness's line %llu is not signed by the gateway",
               (unsigned long long)seen->line);
    return false;
}

static void compare(struct verify *v, const struct verify_seen *seen)
{
    if (!is_signed(v, seen)) return;
    if (memcmp(seen->hash, v->hash, sizeof seen->hash) != 0) {
        verify_say(v, VERIFY_WITNESS_HASH_FOUND, seen->seq, "the witness's line %llu has another hash of entry %llu",
                   (unsigned long long)seen->line, (unsigned long long)seen->seq);
        return;
    }
    v->result->witnessed++;
    v->result->witnessed_seq = seen->seq;
    verify_covered(v, seen->seq, seen->time_us);
}

/* What is before the first entry, or in a gap, has nothing to be compared with. */
void verify_witness_entry(struct verify *v, uint64_t seq)
{
    struct verify_witness *w = &v->witness;
    while (w->next < w->count && w->all[w->next].seq < seq)
        w->next++;
    for (; w->next < w->count && w->all[w->next].seq == seq; w->next++)
        compare(v, &w->all[w->next]);
}

void verify_witness_end(struct verify *v)
{
    struct verify_witness *w = &v->witness;
    const struct verify_seen *last = NULL;
    if (v->options->witness_file && w->count == 0)
        verify_say(v, VERIFY_NO_WITNESS_FOUND, 0, "%s has no anchor of this gateway", v->options->witness_file);
    for (; w->next < w->count; w->next++) {
        if (w->all[w->next].seq > v->result->last_seq && is_signed(v, &w->all[w->next])) last = &w->all[w->next];
    }
    if (last)
        verify_say(v, VERIFY_WITNESS_BEYOND_FOUND, last->seq,
                   "the witness saw entry %llu in its line %llu; the ledger ends with entry %llu",
                   (unsigned long long)last->seq, (unsigned long long)last->line,
                   (unsigned long long)v->result->last_seq);
    mem_free(w->all);
    *w = (struct verify_witness){.count = 0};
}
