/*
 * Incremental parser of a JSON array as it comes, each of whose elements is an event: what Gemini's streams are where
 * nobody asked for server-sent events. Tells them as wire/sse.h tells events, so that a relay handles both alike.
 *
 *     struct elements *list = elements_new(LIMIT_EVENT_BYTES);
 *     elements_feed(list, bytes, on_event, job);     // on_event runs once for each element that is now complete
 *     ...
 *     elements_finish(list, on_event, job);          // what is left comes as one event with is_tail
 *     elements_free(list);
 *
 * All `raw` slices in order are the input, byte for byte: an event's holds the bracket, comma and blanks before its
 * element. Its data is the element. The bracket that ends the list comes with the tail, whose data is then "]"; where
 * it never came, the tail's data is what there is of an element.
 *
 * Only objects are elements of a stream: from anything else on, and behind the list, all bytes come as pieces of one
 * event that never ends (is_raw); an element over the bound comes in such pieces, and ends. on_event must not call back
 * into the same parser. Strings and brackets are followed, JSON is not judged: whoever reads the data does that. Holds
 * one unfinished element at most.
 */
#ifndef MOONGATE_WIRE_ELEMENTS_H
#define MOONGATE_WIRE_ELEMENTS_H

#include "wire/sse.h"

struct elements;

struct elements *elements_new(size_t element_bytes_max);
void elements_free(struct elements *e); /* NULL is welcome */
void elements_feed(struct elements *e, struct slice bytes, sse_event_fn on_event, void *arg);
void elements_finish(struct elements *e, sse_event_fn on_event, void *arg);

#endif
