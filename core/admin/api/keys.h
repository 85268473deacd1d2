/*
 * Handlers of keys: those that callers have ("mgk_…"), and those of this API ("mga_…").
 */
#ifndef MOONGATE_ADMIN_API_KEYS_H
#define MOONGATE_ADMIN_API_KEYS_H

#include "admin/api/route.h"

extern const struct api_field keys_create_fields[], keys_rotate_fields[], keys_revoke_fields[], keys_change_fields[];
extern const struct api_field admin_keys_create_fields[], scim_keys_create_fields[], admin_keys_revoke_fields[];

void keys_list(struct api_call *call);
void keys_show(struct api_call *call);
void keys_create(struct api_call *call);
void keys_rotate(struct api_call *call);
void keys_revoke(struct api_call *call);
void keys_change(struct api_call *call);

void admin_keys_list(struct api_call *call);
void admin_keys_create(struct api_call *call);
void scim_keys_create(struct api_call *call);
void admin_keys_revoke(struct api_call *call);

#endif
