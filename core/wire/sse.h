/*
 * Incremental parser of server-sent events that also knows where each event's bytes are, so that a relay can forward,
 * drop or follow whole events exactly as they came. Source: WHATWG HTML, 9.2.5 and 9.2.6.
 *
 *     struct sse_parser *sse = sse_new();
 *     sse_feed(sse, bytes, on_event, job);       // on_event runs once for each event that is now complete
 *     ...
 *     sse_finish(sse, on_event, job);            // end of input: what is left comes as one event with is_tail
 *     sse_free(sse);
 *
 * All `raw` slices in order, those of sse_finish() included, are the input, byte for byte. The events do not depend on
 * how the input was cut; only the pieces of an event over its bound (is_raw) do, and their concatenation does
 * not. An event that lies inside one fed span is not copied, and between events the parser holds no memory.
 *
 * Which byte ends an event: the LF of its blank line. When the blank line ends in CR, the event ends there at once if
 * the line before ended in a lone CR or LF (a LF after it then belongs to the next event's raw); if the line before
 * ended in CRLF, the LF that must be coming is waited for. So a CRLF stream is never cut between CR and LF, a CR stream
 * never waits, and the choice depends on nothing but the bytes before.
 *
 * on_event must not call back into the same parser. Never decodes text: data may hold invalid UTF-8 and NUL.
 */
#ifndef MOONGATE_WIRE_SSE_H
#define MOONGATE_WIRE_SSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct sse_parser;

/* Slices are borrowed until on_event returns. */
struct sse_event {
    struct slice raw;     /* its bytes with the blank line that ended it and the comments before and inside it */
    struct slice data;    /* the `data` lines joined by LF */
    struct slice name;    /* the last `event` line; empty: "message" */
    struct slice id;      /* the last `id` line without NUL; empty: none or cleared */
    int64_t retry_ms;     /* of the last `retry` line of digits; -1: none */
    bool is_comment_only; /* a client would dispatch nothing: comments, stray blank lines, fields without data */
    bool is_raw;          /* a piece of an event over the bound: nothing but raw is set */
    bool ends;            /* the event's last byte is here; false for all but the last piece of an is_raw event, and
                           * for a tail */
    bool is_tail;         /* sse_finish(): never ended by a blank line; a client drops it, yet it is parsed here */
};

typedef void (*sse_event_fn)(void *arg, const struct sse_event *event);

struct sse_parser *sse_new(void);
/* How large an event may be and still come whole; LIMIT_EVENT_BYTES unless said. Before the first byte. */
void sse_keep(struct sse_parser *p, size_t event_bytes_max);
void sse_free(struct sse_parser *p); /* NULL is welcome */
void sse_feed(struct sse_parser *p, struct slice bytes, sse_event_fn on_event, void *arg);
/* End of input: a complete event that waited for its LF, then the unfinished tail with is_tail, if any. The parser is
 * as new afterwards. */
void sse_finish(struct sse_parser *p, sse_event_fn on_event, void *arg);
/* Bytes held of an event not yet reported. */
size_t sse_held_bytes(const struct sse_parser *p);
/* True when no is_raw event is reported in part: own events may be written between. After sse_finish(): false when the
 * input ended inside an is_raw event. A tail is the caller's: who forwarded it is inside an event too. */
bool sse_is_at_boundary(const struct sse_parser *p);

/*
 * What the lines of an event over the bound say, as its pieces (is_raw) come:
 *
 *     struct sse_lines lines = {0};                     // at an event's first piece
 *     sse_lines_feed(&lines, event->raw, on_data, job); // its data, in runs; several lines are joined by LF
 *     ... sse_lines_name(&lines) ...                    // of the event line so far, cut at SSE_NAME_BYTES
 *
 * Runs are borrowed until on_data returns.
 */
#define SSE_NAME_BYTES 16
#define SSE_FIELD_BYTES 10 /* "event:" behind a byte order mark, and one more */

struct sse_lines {
    int place;
    bool has_data;
    size_t field_len, name_len;
    char field[SSE_FIELD_BYTES], name[SSE_NAME_BYTES];
};

typedef void (*sse_data_fn)(void *arg, struct slice data);

void sse_lines_feed(struct sse_lines *l, struct slice raw, sse_data_fn on_data, void *arg);
struct slice sse_lines_name(const struct sse_lines *l);

#endif
