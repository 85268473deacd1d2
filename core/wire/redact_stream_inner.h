/*
 * What the parts of redact_stream.c share: the texts of a stream's answer (`channel`), and the events that wait, with
 * the runs of those texts in them. redact_stream_told.c reads what an event says into both.
 */
#ifndef MOONGATE_WIRE_REDACT_STREAM_INNER_H
#define MOONGATE_WIRE_REDACT_STREAM_INNER_H

#include "wire/redact_answer.h"
#include "wire/redact_text.h"
#include "wire/redact_walk.h"

/* One text of the answer, by choice and path. */
struct channel {
    uint64_t choice, path, field;
    uint64_t seen; /* number of the last event that had some of it */
    struct redact_text text;
    uint64_t told;   /* hash of all of it */
    bool is_told_again;  /* its edits are kept: events repeat it from its beginning */
    bool has_forgotten;  /* some of its edits */
};

/* A string of an event that may wait: a run of a channel's text. */
struct piece {
    uint32_t channel;
    uint32_t at, len;                   /* of the string, in the event's JSON */
    bool is_json;                       /* it is an object */
    uint32_t logprobs_at, logprobs_len; /* of its choice; len 0: it has none */
    uint64_t from, to;                  /* of the channel's text */
};

struct event {
    struct event *next;
    struct buf raw;
    size_t data_at, data_len; /* of its JSON in raw; data_len 0: there are no pieces */
    bool is_joined;           /* its data stood in several lines; raw as it came is in spread, and raw has one line */
    struct buf spread;
    bool is_tail;
    struct piece *pieces;
    uint32_t piece_count, piece_cap;
    struct said_text *texts;
    uint32_t text_count;
    unsigned what; /* of its reading */
    bool is_text_alone, is_emptied; /* it has nothing but texts; all of which went out with events before */
};

struct redact_stream {
    struct redact *r;
    redact_out_fn out;
    void *arg;
    struct arena arena; /* of the event under way */
    struct channel *channels;
    uint32_t channel_count, channel_cap;
    bool has_too_many;
    uint64_t events; /* numbers them */
    struct event *first, **end;
    size_t held_bytes;
    const struct json_tape *tape; /* of the event that is being read */
    struct event *reading;
};

/* A place of the event that is being read (s->reading, s->tape): for walks, whose arg is the stream. */
void redact_stream_text(void *arg, const struct redact_place *place);
/* Does the event that is being read say something of that choice? */
bool redact_stream_has_text(const struct redact_stream *s, uint64_t choice);

#endif
