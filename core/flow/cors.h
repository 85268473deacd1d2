/*
 * What a browser is told of an answer (the Fetch standard's CORS protocol): nothing, unless moongate.lua lists the
 * page's origin in cors.origins.
 *
 *     count += cors_headers(job, headers + count);      // of every answer
 *     count += cors_preflight(job, headers + count);    // of OPTIONS, beside them
 *
 * Never allows credentials of the browser's own (cookies): callers show a key. Private to core/flow.
 */
#ifndef MOONGATE_FLOW_CORS_H
#define MOONGATE_FLOW_CORS_H

#include "flow/job.h"

#define CORS_HEADERS_MAX 3u

/* At most CORS_HEADERS_MAX, their number; good as long as the exchange. */
size_t cors_headers(struct job *job, struct conn_header *headers);
size_t cors_preflight(struct job *job, struct conn_header *headers);

#endif
