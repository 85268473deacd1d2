/*
 * A stage that stands where others would and writes down what comes to it: how one stage is tested alone.
 *
 *     struct tap tap;
 *     tap_open(&tap, &k, &k.relay->first);          // instead of the stage there and all behind it
 *     kit_feed(…); kit_finish(…);
 *     tap.seen, tap.finishes, tap.has_why, tap.texts, …
 *     tap_close(&tap);                              // before kit_close()
 *
 * Events are written as "{raw}", whole answers as "<bytes>", bytes that are not read as they are, so that runs of them
 * are the same however they were cut. Used by the tests of core/flow/relay alone.
 */
#ifndef MOONGATE_TESTS_UNIT_RELAY_TAP_H
#define MOONGATE_TESTS_UNIT_RELAY_TAP_H

#include "relay_kit.h"

#include "flow/relay/relay_inner.h"

struct tap {
    struct stage stage;
    struct stage **place, *instead_of;
    struct buf seen, texts;
    size_t pieces, said, raw_pieces;
    unsigned what; /* all that was said, together */
    int finishes;
    bool has_why;
};

static inline bool tap_on_feed(struct stage *s, const struct piece *p)
{
    struct tap *t = (struct tap *)s;
    bool is_run = p->event ? p->event->is_raw : s->relay->form == FORM_OPAQUE;
    t->pieces++;
    t->raw_pieces += is_run;
    if (!is_run) buf_append_char(&t->seen, p->event ? '{' : '<');
    buf_append(&t->seen, p->bytes);
    if (!is_run) buf_append_char(&t->seen, p->event ? '}' : '>');
    if (!p->said) return true;
    t->said++;
    t->what |= p->said->what;
    said_append_text(p->said, &t->texts);
    return true;
}

static inline void tap_on_finish(struct stage *s, const struct fault *why)
{
    struct tap *t = (struct tap *)s;
    t->finishes++;
    t->has_why = why;
    relay_end_with(s->relay, &(struct relay_end){.how = RELAY_UNSENT, .why = &(struct fault){.code = FAULT_INTERNAL}});
}

static inline void tap_open(struct tap *t, struct kit *k, struct stage **place)
{
    *t = (struct tap){.place = place, .instead_of = *place};
    t->stage = (struct stage){.relay = k->relay, .feed = tap_on_feed, .finish = tap_on_finish};
    *place = &t->stage;
}

static inline void tap_close(struct tap *t)
{
    *t->place = t->instead_of;
    buf_clear(&t->seen);
    buf_clear(&t->texts);
}

#endif
