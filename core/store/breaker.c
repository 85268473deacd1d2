#include "store/breaker.h"

#define COUNT_SHIFT 48
#define COUNT_MAX 0x3FFFu
#define MS_MASK ((1ull << COUNT_SHIFT) - 1)
#define STATE_SHIFT 62

enum state { CLOSED, OPEN, PROBED };

/* CLOSED: failures in a row, when the first was. OPEN: how often in a row, until when. PROBED: the same, the lease's
 * end. */
struct fields {
    enum state state;
    uint32_t count;
    uint64_t ms;
};

static uint64_t pack(enum state state, uint32_t count, uint64_t ms)
{
    uint64_t bounded = count < COUNT_MAX ? count : COUNT_MAX;
    return ((uint64_t)state << STATE_SHIFT) | (bounded << COUNT_SHIFT) | (ms & MS_MASK);
}

static struct fields unpack(uint64_t word)
{
    return (struct fields){.state = (enum state)(word >> STATE_SHIFT),
                           .count = (uint32_t)(word >> COUNT_SHIFT) & COUNT_MAX,
                           .ms = word & MS_MASK};
}

bool breaker_may_be_open(const struct breaker *b)
{
    return unpack(atomic_load_explicit(&b->word, memory_order_relaxed)).state != CLOSED ||
           atomic_load_explicit(&b->hint_ms, memory_order_relaxed) > 0;
}

static bool is_hinted(const struct breaker *b, uint64_t now_ms)
{
    return atomic_load_explicit(&b->hint_ms, memory_order_relaxed) > now_ms;
}

bool breaker_is_open(const struct breaker *b, uint64_t now_ms)
{
    struct fields f = unpack(atomic_load_explicit(&b->word, memory_order_relaxed));
    return (f.state != CLOSED && f.ms > now_ms) || is_hinted(b, now_ms);
}

uint64_t breaker_probe(struct breaker *b, uint64_t now_ms, uint32_t lease_ms)
{
    uint64_t word = atomic_load(&b->word);
    struct fields f = unpack(word);
    uint64_t probe = pack(PROBED, f.count, now_ms + lease_ms);
    if (f.state == CLOSED || f.ms > now_ms) return 0;
    return atomic_compare_exchange_strong(&b->word, &word, probe) ? probe : 0;
}

uint64_t breaker_renew(struct breaker *b, uint64_t probe, uint64_t now_ms, uint32_t lease_ms)
{
    uint64_t next = pack(PROBED, unpack(probe).count, now_ms + lease_ms);
    return atomic_compare_exchange_strong(&b->word, &probe, next) ? next : 0;
}

void breaker_release(struct breaker *b, uint64_t probe, uint64_t now_ms)
{
    if (probe) atomic_compare_exchange_strong(&b->word, &probe, pack(OPEN, unpack(probe).count, now_ms));
}

static uint64_t open_ms(const struct breaker_rule *rule, uint32_t times)
{
    uint64_t most = rule->open_max_ms > rule->open_ms ? rule->open_max_ms : rule->open_ms;
    uint64_t ms = (uint64_t)rule->open_ms << (times < 31 ? times : 31);
    return ms < most ? ms : most;
}

static enum breaker_change after_failure(const struct breaker_rule *rule, struct fields f, uint64_t now_ms,
                                         uint64_t *next)
{
    if (f.state == PROBED) {
        *next = pack(OPEN, f.count + 1, now_ms + open_ms(rule, f.count));
        return BREAKER_PROLONGED;
    }
    bool is_first = f.count == 0 || now_ms - f.ms > rule->window_ms;
    uint32_t count = is_first ? 1 : f.count + 1;
    *next = count < rule->failures ? pack(CLOSED, count, is_first ? now_ms : f.ms)
                                   : pack(OPEN, 1, now_ms + open_ms(rule, 0));
    return count < rule->failures ? BREAKER_SAME : BREAKER_TRIPPED;
}

enum breaker_change breaker_failed(struct breaker *b, const struct breaker_rule *rule, uint64_t probe, uint64_t now_ms)
{
    uint64_t word = atomic_load(&b->word), next;
    enum breaker_change change;
    do {
        struct fields f = unpack(word);
        if (!rule->failures || (f.state != CLOSED && word != probe)) return BREAKER_SAME;
        change = after_failure(rule, f, now_ms, &next);
    } while (!atomic_compare_exchange_weak(&b->word, &word, next));
    return change;
}

enum breaker_change breaker_answered(struct breaker *b)
{
    uint64_t word = atomic_load_explicit(&b->word, memory_order_relaxed);
    do {
        if (unpack(word).state == CLOSED) return BREAKER_SAME;
    } while (!atomic_compare_exchange_weak(&b->word, &word, 0));
    return BREAKER_CLOSED;
}

void breaker_succeeded(struct breaker *b)
{
    uint64_t word = atomic_load_explicit(&b->word, memory_order_relaxed);
    while (word && unpack(word).state == CLOSED && !atomic_compare_exchange_weak(&b->word, &word, 0))
        continue;
}

static uint64_t left_of(uint64_t until_ms, uint64_t now_ms)
{
    return until_ms > now_ms ? until_ms - now_ms : 0;
}

struct breaker_view breaker_view(const struct breaker *b, uint64_t now_ms)
{
    struct fields f = unpack(atomic_load(&b->word));
    struct breaker_view view = {.is_probed = f.state == PROBED && f.ms > now_ms,
                                .failures = f.state == CLOSED ? f.count : 0,
                                .left_ms = f.state == CLOSED ? 0 : left_of(f.ms, now_ms),
                                .hint_left_ms = left_of(atomic_load(&b->hint_ms), now_ms)};
    view.is_open = f.state != CLOSED || view.hint_left_ms > 0;
    return view;
}

void breaker_hint(struct breaker *b, uint64_t now_ms, uint64_t left_ms)
{
    uint64_t until_ms = left_ms ? now_ms + left_ms : 0;
    if (atomic_load(&b->hint_ms) != until_ms) atomic_store(&b->hint_ms, until_ms);
}

void breaker_reset(struct breaker *b)
{
    atomic_store(&b->word, 0);
    atomic_store(&b->hint_ms, 0);
}
