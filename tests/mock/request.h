/*
 * One HTTP/1.1 request as it arrived, for the log: header names, order and bytes are kept as they were.
 *
 *     struct request r;
 *     request_init(&r);
 *     switch (request_feed(&r, conn_input(c))) { case REQUEST_WHOLE: ... case REQUEST_BAD: ... case REQUEST_MORE: }
 *     request_clear(&r);
 *
 * Written apart from the gateway's own parser, whose mistakes it must not share. Reads a body by Content-Length or
 * chunked; never judges more than framing needs.
 */
#ifndef MOONGATE_MOCK_REQUEST_H
#define MOONGATE_MOCK_REQUEST_H

#include "base/buf.h"
#include "base/slice.h"

#define REQUEST_HEADERS_MAX 256

enum request_progress { REQUEST_MORE, REQUEST_WHOLE, REQUEST_BAD };

struct request_header {
    struct slice name, value;
};

struct request {
    struct buf head; /* from the request line to the blank line; slices below point into it */
    struct buf body; /* decoded */
    struct slice method, target, path, query;
    struct request_header headers[REQUEST_HEADERS_MAX];
    size_t header_count;
    bool has_head, is_keep_alive, is_chunked, wants_continue;
    uint64_t body_left; /* of the body, or of the chunk being read */
    enum { BODY_NONE, BODY_LENGTH, BODY_CHUNK_SIZE, BODY_CHUNK, BODY_CHUNK_END, BODY_TRAILER } body_state;
};

void request_init(struct request *r);
void request_clear(struct request *r);
/* Ready for the next one on the same connection. */
void request_reset(struct request *r);
/* Consumes what belongs to this request. */
enum request_progress request_feed(struct request *r, struct buf *in);
/* The first header of that name (case ignored), or SLICE_NONE. */
struct slice request_header(const struct request *r, struct slice name);

#endif
