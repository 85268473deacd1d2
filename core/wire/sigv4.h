/*
 * AWS Signature Version 4 in the Authorization header: who asks proves it without sending its key.
 *
 *     struct sigv4_header headers[] = {{SLICE("content-type"), SLICE("application/json")}};
 *     struct sigv4_ask ask = {.method = SLICE("POST"), .url = url, .headers = headers, .header_count = 1,
 *                             .body = pieces, .body_count = count, .wall_ns = clock_wall_ns()};
 *     struct sigv4_signed s = sigv4_sign(&keys, &ask, arena);
 *     ... send "x-amz-date: s.date" and "authorization: s.authorization" with those headers ...
 *
 * Signed are host, as the URL has it and as HTTP clients send it (without the scheme's own port), x-amz-date and the
 * headers that are given: those must go out as they are here, others may go beside them. The body is hashed where it
 * lies, piece by piece. No state; the key is in no answer and in no log. Paths are encoded once more over what the URL
 * has, as all services but S3 want.
 * Source: AWS, "Signature Version 4 signing process" ("Create a signed AWS API request").
 */
#ifndef MOONGATE_WIRE_SIGV4_H
#define MOONGATE_WIRE_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

struct sigv4_keys {
    struct slice access_key_id, secret_access_key;
    struct slice region, service; /* "us-east-1", "bedrock" */
};

struct sigv4_header {
    struct slice name, value; /* of several that have one name the values follow each other */
};

#define SIGV4_HEADERS_MAX 16u

struct sigv4_ask {
    struct slice method, url; /* the URL whole, with its query; encoded as it is sent */
    const struct sigv4_header *headers;
    size_t header_count; /* at most SIGV4_HEADERS_MAX */
    const struct slice *body;
    size_t body_count;
    uint64_t wall_ns; /* the signature is good for some minutes from then */
};

struct sigv4_signed {
    struct slice date, authorization; /* in the arena */
};

struct sigv4_signed sigv4_sign(const struct sigv4_keys *keys, const struct sigv4_ask *ask, struct arena *arena);
/* The same, of which a signature is made: for tests. */
struct slice sigv4_canonical(const struct sigv4_ask *ask, struct arena *arena);

#endif
