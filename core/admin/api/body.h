/*
 * Bodies of the admin API's calls: read, and checked by the fields that a route names.
 *
 *     if (body_read(call, bytes)) …call->body…
 *     struct slice app = body_text(call, "app");           // empty: not said
 *     struct slice limit = body_query(call, SLICE("limit")); // of the path's query
 *
 * What a route does not name is refused, with the nearest name; so is a name that comes twice, a wrong type, a text
 * that is not one line of visible UTF-8. The refusal names the field. Instants are RFC 3339 in UTC, with or without a
 * fraction, which is left out: "2026-11-27T18:00:00Z".
 */
#ifndef MOONGATE_ADMIN_API_BODY_H
#define MOONGATE_ADMIN_API_BODY_H

#include "admin/api/route.h"

#define BODY_BYTES_MAX (512u * KIB)  /* a prompt's version fits, with its escapes */
#define BODY_TEXT_BYTES_MAX (4u * KIB)
#define BODY_LIST_MAX 256u

/* False: it is answered. Fills call->body; no bytes are an empty object. */
bool body_read(struct api_call *call, struct slice bytes);

/* What body_read() has found good; "", 0 and false where it does not stand or is null. Borrowed from the call. */
struct slice body_text(const struct api_call *call, const char *name);
int64_t body_integer(const struct api_call *call, const char *name);
int64_t body_instant(const struct api_call *call, const char *name); /* seconds since 1970 */
bool body_flag(const struct api_call *call, const char *name);
bool body_has(const struct api_call *call, const char *name); /* also as null */
/* The lines of a list, in the call's arena. */
const struct slice *body_texts(struct api_call *call, const char *name, size_t *count);
/* NULL: it does not stand there. */
struct json_t *body_json(const struct api_call *call, const char *name);

/* Decoded; empty: not there. What is malformed is not there. */
struct slice body_query(struct api_call *call, struct slice name);

/* "2026-11-27T18:00:00Z"; false: it is none. */
bool instant_read(struct slice text, int64_t *seconds);
/* The same the other way, as a JSON text; null for 0. */
struct json_t *instant_json(int64_t seconds);

#endif
