/*
 * The circuit breaker of one provider account, in memory that processes share: closed, open for a while after so many
 * failures in a row, then half-open: one call at a time tries whether the account answers again.
 *
 *     if (breaker_is_open(b, now_ms)) …                       // another target is called, where there is one
 *     uint64_t probe = breaker_probe(b, now_ms, lease_ms);    // 0: this call is no probe
 *     change = breaker_failed(b, &rule, probe, now_ms);       // unreachable, silent, 5xx
 *     change = breaker_answered(b);                           // a head that is none of these: it is there again
 *     breaker_succeeded(b);                                   // a call came to its end: no failures in a row
 *     breaker_release(b, probe, now_ms);                      // a probe that came to nothing: another may try
 *
 * (closed) --failures in a row, within the window--> (open) --its time is over, one call--> (half-open)
 *     ^------------------------------a head came------------------'--------'
 * A probe that fails opens it for twice as long as before, up to a bound. Failures of calls that began before do not.
 *
 * All is one word, changed by compare-and-swap: nobody waits, and a process that dies leaves nothing half done. Of a
 * probe whose process has died the lease ends. Times are milliseconds of the machine's monotonic clock. Zeroed memory
 * is a closed breaker.
 */
#ifndef MOONGATE_STORE_BREAKER_H
#define MOONGATE_STORE_BREAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct breaker_rule {
    uint32_t failures; /* in a row that open it; 0: never */
    uint32_t window_ms; /* from the first to the last of them */
    uint32_t open_ms, open_max_ms; /* the first time, and at most; open_ms where that is more */
};

struct breaker {
    _Atomic uint64_t word;
    _Atomic uint64_t hint_ms; /* other gateways have it open until then; 0: they do not */
};

enum breaker_change { BREAKER_SAME, BREAKER_TRIPPED, BREAKER_PROLONGED, BREAKER_CLOSED };

struct breaker_view {
    bool is_open, is_probed; /* is_probed: half-open, and a call is under way */
    uint32_t failures;       /* in a row, while it is closed */
    uint64_t left_ms;        /* open by itself: so long until the next probe, or of the lease of the one under way */
    uint64_t hint_left_ms;   /* … and as others say */
};

/* False: it is closed, whatever the time is; two loads. */
bool breaker_may_be_open(const struct breaker *b);
/* By itself, or by the word of others. False also when the next call is to be its probe. */
bool breaker_is_open(const struct breaker *b, uint64_t now_ms);
/* Its time is over, and nobody else is at it: what the caller is known by as its probe, for lease_ms. */
uint64_t breaker_probe(struct breaker *b, uint64_t now_ms, uint32_t lease_ms);
/* For another lease_ms; 0: it is the probe no longer. */
uint64_t breaker_renew(struct breaker *b, uint64_t probe, uint64_t now_ms, uint32_t lease_ms);
void breaker_release(struct breaker *b, uint64_t probe, uint64_t now_ms);

enum breaker_change breaker_failed(struct breaker *b, const struct breaker_rule *rule, uint64_t probe, uint64_t now_ms);
enum breaker_change breaker_answered(struct breaker *b);
void breaker_succeeded(struct breaker *b);

struct breaker_view breaker_view(const struct breaker *b, uint64_t now_ms);
/* Other gateways have it open for so long; 0: they have not. One writer. */
void breaker_hint(struct breaker *b, uint64_t now_ms, uint64_t left_ms);
void breaker_reset(struct breaker *b);

#endif
