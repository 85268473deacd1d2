/*
 * A User of SCIM: read from what providers send, whole or as a PATCH, and told.
 */
#ifndef MOONGATE_ADMIN_SCIM_USER_H
#define MOONGATE_ADMIN_SCIM_USER_H

#include "admin/scim/scim.h"

/* A whole one; texts are borrowed from the body, or live in the arena. False: it is refused. */
bool user_read(struct json_t *body, struct arena *arena, struct provided_spec *spec, struct scim_answer *answer);
/* Onto what stands there. False: it is refused. */
bool user_patch(struct json_t *body, struct arena *arena, struct provided_spec *spec, struct scim_answer *answer);
/* Of a person as registry_provided() has him; a new object. */
struct json_t *user_tell(struct json_t *person);

#endif
