/* The shapes of the journal's entries; README.md describes them. Each is new and the caller's. */
#ifndef MOONGATE_MOCK_ENTRIES_H
#define MOONGATE_MOCK_ENTRIES_H

#include <jansson.h>

#include "reply.h"
#include "request.h"

/* Bodies up to this are in the entry unless --bodies says otherwise; of longer ones only length and digest. */
#define ENTRY_BODY_BYTES (64u * 1024u)

json_t *entry_open(uint64_t conn);
json_t *entry_request(uint64_t conn, uint64_t serial, const struct request *request, uint64_t body_bytes_max);
json_t *entry_bad(uint64_t conn, uint64_t bytes_in);
json_t *entry_end(uint64_t conn, uint64_t serial, const struct reply *reply, const char *how, uint64_t bytes_out);
/* is_partial: bytes of a request had come that was never whole. */
json_t *entry_close(uint64_t conn, uint64_t bytes_in, uint64_t bytes_out, bool is_partial);
/* reply NULL: the connection is idle or still sending its request. */
json_t *entry_state(uint64_t conn, uint64_t serial, const struct reply *reply, uint64_t bytes_in);

#endif
