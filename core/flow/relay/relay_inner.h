/*
 * Between the stages of a relay: what they hand to each other, and the relay they share. Private to core/flow/relay.
 *
 * A stage's feed() gives false when nobody hears more of it (refused, ended by its sink, detached): who fed it stops.
 * Whatever runs downstream may end the relay, so after a call of feed() or finish() a stage looks at nothing but that
 * word.
 */
#ifndef MOONGATE_FLOW_RELAY_RELAY_INNER_H
#define MOONGATE_FLOW_RELAY_RELAY_INNER_H

#include "flow/relay/relay.h"
#include "wire/bedrock.h"
#include "wire/elements.h"
#include "wire/sse.h"

/* An event, or bytes: a whole answer, or a run of one that is not read. */
struct piece {
    const struct sse_event *event; /* NULL: bytes */
    struct slice bytes;            /* the event's raw ones, or those; of a whole answer valid as long as the relay */
    const struct said *said;       /* what it says; NULL: it was not read */
    bool precedes_end;             /* of bytes that are events: the end marker is not among them */
};

/* The first member of each stage. */
struct stage {
    struct relay *relay;
    struct stage *next; /* NULL behind the last */
    bool (*feed)(struct stage *s, const struct piece *p);
    void (*finish)(struct stage *s, const struct fault *why); /* NULL: complete */
    size_t (*held)(const struct stage *s);                    /* NULL: nothing is ever held */
    void (*stop)(struct stage *s);                            /* timers and questions; NULL: there are none */
    void (*drop)(struct stage *s);                            /* its memory, itself included */
};

enum relay_form {
    FORM_SNIFFED, /* the first bytes decide */
    FORM_EVENTS,  /* server-sent events, or elements of a JSON array that are a stream's (is_list) */
    FORM_WHOLE,   /* kept until complete: a failure in the middle is still a clean error */
    FORM_OPAQUE,  /* too large to keep, and read on the way, or in a coding that nobody asked for: bytes as they come */
};

/* What came, put into pieces. */
struct frame {
    struct buf kept; /* FORM_SNIFFED, FORM_WHOLE: the body so far */
    struct sse_parser *sse;
    struct elements *list;
    struct bedrock *binary; /* before `sse`: AWS's frames, which it unwraps … */
    struct fault why;       /* … until one is broken; FAULT_NONE: none is */
};

struct relay {
    struct relay_parts parts;
    struct relay_head head;
    enum relay_form form;
    struct frame frame;
    struct stage *first;               /* read */
    struct stage *translate, *mask, *keep, *hold, *out; /* all but out: NULL when nobody wants them */
    struct dialect_stream told;  /* by the provider … */
    struct dialect_stream heard; /* … and, where that is translated, by the client */
    const struct dropped *dropped; /* by the translation; NULL: nothing was */
    struct meter *meter; /* NULL: nothing is counted */
    uint64_t unread_bytes;
    bool is_encoded;
    bool is_blind; /* sound, subtitles: nothing in it is read, counted, masked or shown to a policy */
    bool is_binary; /* FORM_EVENTS: they come in AWS's frames */
    bool is_list; /* FORM_EVENTS: they are elements of a JSON array */
    bool writes_list; /* … and where they are translated, those of the client are */
    bool is_large; /* an answer that was to be kept whole, and could not */
    bool is_committed, is_over, is_detached, is_judged;
    bool is_read;   /* all that came is with the stages: the end needs nothing more of the provider's */
    bool is_inside; /* an event that comes in pieces is out in part: the parser may be further than that */
    bool is_tail;   /* the sink knows that what comes now is the answer's end */
    bool is_ending; /* the last bytes are being written: their end is decided */
};

void frame_init(struct relay *r);
/* Is it an answer that is neither JSON nor events, of an API that has such? */
bool frame_is_blind(const struct relay *r);
/* NULL, or why nothing that comes can be read any more: then what came before is all. */
const struct fault *frame_feed(struct relay *r, struct slice bytes);
/* The rest comes as a piece, then finish(). */
/* Of bytes that end in order, as HTTP says: what is wrong all the same; NULL: nothing. */
const struct fault *frame_check_end(struct relay *r);
void frame_finish(struct relay *r, const struct fault *why);
void frame_clear(struct relay *r);

struct stage *read_new(struct relay *r);
/* What is read on the way ends here: what came of it is told. */
void read_end(struct stage *s);
struct stage *translate_new(struct relay *r);
struct stage *mask_new(struct relay *r);
/* What waits goes on. */
void mask_flush(struct stage *s);
struct stage *keep_new(struct relay *r);
struct stage *hold_new(struct relay *r);
/* The client's time is up: what has text is asked about. */
void hold_pass_time(struct stage *s);
struct stage *out_new(struct relay *r);
/* The client is told why the answer ends here, where it has begun; the relay is over. */
void out_cut(struct stage *s, const struct fault *why, enum exchange_outcome outcome);
/* A policy's word against the answer, or one about it (VERDICT_FAULT) of a stage's own; copied. Always false. */
bool out_refuse(struct relay *r, const struct verdict *word);
/* An answer that policies must read and cannot; copied. Always false. */
bool out_refuse_unreadable(struct relay *r, const char *text);

/* relay_inner.c: what stages ask of the relay that they share. */
/* An object that could not be read here, and that others read: clients are less strict, and escapes in it can spell
 * anything; or no text at all, such as UTF-16 and what is compressed without a word. What else is no JSON shows all it
 * says, and clients find no answer in what no blank line ended. */
bool piece_hides_text(const struct piece *p);
bool relay_is_success(const struct relay *r);
/* Somebody takes what comes through; after any call downstream he may be gone. */
bool relay_is_heard(const struct relay *r);
/* An event of ours may be written: none is out in part. */
bool relay_is_between_events(const struct relay *r);
/* Behind the end marker, or the provider's own word of an error, nothing is missed: the answer is as whole as it would
 * be without the fault. */
bool relay_has_said_its_end(const struct relay *r);
/* What leaves of a stream is a JSON array: nothing may stand in it but its elements. */
bool relay_leaves_as_list(const struct relay *r);
/* How the provider ended the stream: an array whose bracket never came is cut, whatever was said in it. */
enum dialect_end relay_judge_provider(const struct relay *r);
/* Behind an event that says this, nothing comes of what is translated. */
bool relay_is_last(const struct relay *r, const struct said *said);
/* How the stream ends for the client, in whose dialect it may have been translated. */
enum dialect_end relay_judge_end(const struct relay *r);
/* Timers and questions. */
void relay_stop_stages(struct relay *r);
/* It is over, and the sink hears of it. */
void relay_end_with(struct relay *r, const struct relay_end *end);

#endif
