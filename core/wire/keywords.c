#include "wire/keywords.h"

#include "base/limits.h"
#include "wire/detect_inner.h"
#include "wire/keywords_inner.h"

/* What a hit may be long at most: a character that follows it and has not come in full must still fit beside it. */
#define HIT_BYTES (LIMIT_DETECT_HOLD_BYTES - 4u)

struct pending {
    bool is_set;
    struct detect_hit hit;
    uint32_t chars; /* from its start to here, as the automaton sees them */
};

struct run {
    const struct keywords *k;
    struct view v;
    detect_hit_fn on_hit;
    void *arg;
    uint32_t row;
    size_t at;           /* all before it is read */
    bool is_after_space; /* what was read last, apart from what shows nothing, is white space */
    struct pending best;
};

static size_t space_before(const struct view *v, size_t i)
{
    if (keyword_is_space(v->text[i - 1])) return 1;
    if (v->text[i - 1] < 0x80) return 0;
    if (i >= v->floor + 2 && keyword_wide_space(v->text + i - 2, 2) == 2) return 2;
    return i >= v->floor + 3 && keyword_wide_space(v->text + i - 3, 3) == 3 ? 3 : 0;
}

static size_t invisible_before(const struct view *v, size_t i)
{
    for (size_t len = 2; len <= 4 && v->floor + len <= i; len++) {
        if (keyword_invisible(v->text + i - len, len) == len) return len;
    }
    return 0;
}

/* Where a run of white space that ends at i begins; what shows nothing may stand in it. */
static size_t before_space(const struct view *v, size_t i, size_t lowest)
{
    size_t len;
    while (i > lowest && ((len = space_before(v, i)) > 0 || (len = invisible_before(v, i)) > 0))
        i -= len;
    return i;
}

/* The offset `chars` characters before `i`, a run of white space being one; not much more than HIT_BYTES before. */
static size_t go_back(const struct view *v, size_t i, uint32_t chars)
{
    size_t from = i, lowest = i - v->floor > HIT_BYTES ? i - HIT_BYTES - 1 : v->floor, len;
    while (chars > 0 && i > lowest) {
        if ((len = v->text[i - 1] < 0x80 ? 0 : invisible_before(v, i)) > 0) {
            i -= len;
            continue;
        }
        i = space_before(v, i) ? before_space(v, i, lowest) : i - 1;
        chars--;
    }
    v->state->steps += from - i;
    return i;
}

/* Keeps the hit that ends here if it is to the left of what is pending, or begins with it and is longer. */
static void keep_best(struct run *r, size_t from, const struct keyword_end *end)
{
    if (r->best.is_set && from > r->best.hit.from) return;
    r->best.is_set = true;
    r->best.hit = (struct detect_hit){.kind = end->word, .from = from, .len = r->at - from};
    r->best.chars = end->len;
}

/* The words that end here. False: what comes next decides whether they do. */
static bool judge_ends(struct run *r)
{
    const struct keyword_state *state = &r->k->states[r->row / r->k->class_count];
    const struct keyword_end *ends = r->k->ends + state->first;
    enum found behind = FOUND_NO;
    bool is_asked = false;
    for (uint32_t i = 0; i < state->ends; i++) {
        if (ends[i].ends_word && !is_asked) {
            behind = detect_is_word_at(&r->v, r->at);
            is_asked = true;
        }
        if (ends[i].ends_word && behind == FOUND_LATER) return false;
        if (ends[i].ends_word && behind == FOUND_YES) continue;
        size_t from = go_back(&r->v, r->at, ends[i].len);
        if (r->at - from > HIT_BYTES || (ends[i].begins_word && detect_is_word_before(&r->v, from, 0))) continue;
        keep_best(r, from, &ends[i]);
        break; /* the others are shorter */
    }
    return true;
}

static void tell_best(struct run *r)
{
    size_t end = r->best.hit.from + r->best.hit.len;
    r->on_hit(r->arg, &r->best.hit);
    r->v.state->steps += r->at - end; /* they are read again */
    r->v.floor = r->at = end;
    r->best.is_set = false;
    r->is_after_space = false;
    r->row = 0;
}

/* Could a word still end that begins where the pending hit does, or before? */
static bool is_open(const struct run *r)
{
    if (r->at - r->best.hit.from > HIT_BYTES) return false;
    return r->k->states[r->row / r->k->class_count].depth >= r->best.chars;
}

enum step { STEP_LATER, STEP_NOTHING, STEP_CHAR };

/* Reads one character or a byte of one: not when it has not come in full, to no effect when it shows nothing. */
static enum step step(struct run *r)
{
    const struct keywords *k = r->k;
    const unsigned char *p = r->v.text + r->at;
    size_t left = r->v.len - r->at, len = 1;
    bool is_space = keyword_is_space(*p);
    if (k->quick[*p] == k->stop) {
        if (!r->v.is_last && left < (*p == 0xC2 ? 2u : *p == 0xF3 ? 4u : 3u)) return STEP_LATER;
        if ((len = keyword_invisible(p, left)) > 0) {
            r->at += len;
            return STEP_NOTHING;
        }
        len = keyword_wide_space(p, left);
        is_space = len > 0;
        if (!len) len = 1;
    }
    r->row = k->table[r->row + k->classes[is_space ? ' ' : *p]];
    r->at += len;
    r->best.chars += !(is_space && r->is_after_space);
    r->is_after_space = is_space;
    return STEP_CHAR;
}

/* Bytes that end no word, while no hit is pending: the common case, kept short. The byte that does is left to step(),
 * as is what may be a blank outside ASCII: STOP_ROW is above all rows. */
static void skip(struct run *r)
{
    const uint32_t *table = r->k->table, accepting = r->k->accepting;
    const unsigned char *quick = r->k->quick, *p = r->v.text + r->at, *end = r->v.text + r->v.len;
    uint32_t row = r->row;
    for (uint32_t next; end - p >= 4; p += 4, row = next) {
        uint32_t one = table[row + quick[p[0]]];
        if (one >= accepting) break;
        uint32_t two = table[one + quick[p[1]]];
        if (two >= accepting) break;
        uint32_t three = table[two + quick[p[2]]];
        if (three >= accepting) break;
        next = table[three + quick[p[3]]];
        if (next >= accepting) break;
    }
    for (uint32_t next; p < end && (next = table[row + quick[*p]]) < accepting; p++)
        row = next;
    if (p > r->v.text + r->at) r->is_after_space = keyword_is_space(p[-1]);
    r->row = row;
    r->at = (size_t)(p - r->v.text);
}

/* Reads the text; returns where what is not decided begins. */
static size_t run(struct run *r)
{
    for (;;) {
        if (!r->best.is_set) skip(r);
        enum step read = r->at < r->v.len ? step(r) : STEP_LATER;
        bool is_read = read != STEP_LATER;
        if (read == STEP_CHAR && r->row >= r->k->accepting) is_read = judge_ends(r);
        if (r->best.is_set && (is_read ? !is_open(r) : r->v.is_last)) {
            tell_best(r);
        } else if (!is_read) {
            break;
        }
    }
    if (r->v.is_last) return r->v.len;
    size_t safe = go_back(&r->v, r->at, r->k->states[r->row / r->k->class_count].depth);
    if (r->best.is_set && r->best.hit.from < safe) safe = r->best.hit.from;
    return r->v.len - safe > LIMIT_DETECT_HOLD_BYTES ? r->v.len - LIMIT_DETECT_HOLD_BYTES : safe;
}

size_t keywords_scan(const struct keywords *k, struct detect_state *at, struct slice text, bool is_last,
                     detect_hit_fn on_hit, void *arg)
{
    struct run r = {.k = k,
                    .v = {.text = (const unsigned char *)text.ptr, .len = text.len, .is_last = is_last, .state = at},
                    .on_hit = on_hit,
                    .arg = arg};
    at->steps += text.len;
    size_t safe = run(&r);
    detect_leave(at, r.v.text, safe, is_last);
    return safe;
}
