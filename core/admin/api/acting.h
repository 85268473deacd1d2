/*
 * What handlers that read or change the registry share.
 *
 *     struct registry *r = acting_registry(call);           // NULL: it is answered (503)
 *     struct change_by by = acting_by(call);                // who, how, and why ("reason" of the body)
 *     if (acting_is_done(call, registry_…(r, …, &by, &why), "there is no key %s", &why)) answer_give(call, …);
 */
#ifndef MOONGATE_ADMIN_API_ACTING_H
#define MOONGATE_ADMIN_API_ACTING_H

#include "admin/api/answer.h"
#include "admin/api/body.h"
#include "admin/api/list.h"
#include "store/governance.h"
#include "store/registry/registry.h"

#define REASON_FIELD {"reason", API_TEXT, false, "what for: kept in the ledger, at most 500 bytes"}
#define REASON_NEEDED {"reason", API_TEXT, true, "what for: kept in the ledger, at most 500 bytes"}
#define FIELDS_END {NULL, API_TEXT, false, NULL}

struct registry *acting_registry(struct api_call *call);
struct change_by acting_by(const struct api_call *call);
/* Of the policies in force; NULL: it is answered (503). */
const struct governance *acting_rules(struct api_call *call);
/* Seconds since 1970. */
int64_t acting_now_s(void);
/* The caller's own id; of this machine's user it is made where there is none. Empty: it is answered. */
struct slice acting_person(struct api_call *call);
/* True: it is done, and whoever goes by the registry is to be told. `what` is missing where it is not found. */
bool acting_is_done(struct api_call *call, enum registry_found found, const char *what, const struct fault *why);
/* The same of a function that finds nothing. */
bool acting_is_good(struct api_call *call, bool is_good, const struct fault *why);
/* If-Match as a revision: 0 for "*" and where it is not said. False: it is answered. */
bool acting_match(struct api_call *call, int64_t *rev);
/* Of a list of objects that of an id, borrowed; NULL. */
struct json_t *acting_find(struct json_t *list, struct slice id);
/* Seconds since 1970 become instants (RFC 3339), 0 null, in an object's members whose names end in _at. */
void acting_tell_times(struct json_t *object);
void acting_tell_all_times(struct json_t *list);

#endif
