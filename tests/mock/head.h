/* The head of one answer: status line, the headers that a provider sends, those that a script adds. */
#ifndef MOONGATE_MOCK_HEAD_H
#define MOONGATE_MOCK_HEAD_H

#include "script.h"
#include "source.h"

struct head_parts {
    uint64_t serial; /* of the request: in x-request-id and the rate limits */
    int status;
    const struct source *source;
    const struct script *script;
    bool is_close, is_chunked;
    int64_t content_length; /* -1: none */
};

/* Interim answers of the script first. */
void head_append(struct buf *out, const struct head_parts *parts);

#endif
