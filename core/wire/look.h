/*
 * Looks through a whole text as who reads it sees it (wire/sight.h), a piece a call: what the scans of requests share.
 *
 *     struct look l;
 *     look_begin(&l, text);                                  // borrowed until the end
 *     while (!look_is_done(&l)) done += look_on(&l, 65536, scan, list, on_hit, job);
 *     ... look_is_too_deep(&l) ...
 *     look_end(&l);                                          // also when it is not done
 *
 * A text that is seen as it stands, as nearly all are, is scanned as it stands, and nothing is kept of it.
 */
#ifndef MOONGATE_WIRE_LOOK_H
#define MOONGATE_WIRE_LOOK_H

#include "wire/detect.h"
#include "wire/sight.h"

struct look {
    struct slice text;
    size_t at;          /* in the text: what is read of it */
    bool is_seen_apart; /* through sight */
    bool wants_sight;   /* a hit is to be told of which JSON decides how it may be replaced */
    size_t told_to;     /* in the text: the end of the last hit */
    struct sight sight;
    uint64_t scanned;   /* in what is seen */
    struct detect_state state;
};

/* look_detect(), or keywords_scan() likewise. */
typedef size_t (*look_scan_fn)(const void *list, struct detect_state *at, struct slice text, bool is_last,
                               detect_hit_fn on_hit, void *arg);
/* That of detectors: `list` is a struct detect. */
size_t look_detect(const void *list, struct detect_state *at, struct slice text, bool is_last, detect_hit_fn on_hit,
                   void *arg);
/* In order and apart. A hit that reaches over several strings of JSON is told string by string. */
typedef void (*look_hit_fn)(void *arg, unsigned kind, const struct sight_part *part);

void look_begin(struct look *l, struct slice text);
bool look_is_done(const struct look *l);
/* About max bytes more, LIMIT_DETECT_HOLD_BYTES at least; how many they were. */
size_t look_on(struct look *l, size_t max, look_scan_fn scan, const void *list, look_hit_fn on_hit, void *arg);
/* JSON in it is nested deeper than is read: part of the text was not seen. */
bool look_is_too_deep(const struct look *l);
void look_end(struct look *l);

/* Whether `wanted`, which is not empty, is seen in the text, byte for byte; and true for JSON too deep to be read. */
bool look_contains(struct slice text, struct slice wanted);

#endif
