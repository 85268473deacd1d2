/*
 * Handlers of people and of the roles they have (store/registry/people.h).
 */
#ifndef MOONGATE_ADMIN_API_PEOPLE_H
#define MOONGATE_ADMIN_API_PEOPLE_H

#include "admin/api/route.h"

extern const struct api_field people_create_fields[], people_act_fields[], people_merge_fields[], roles_give_fields[];

void people_list(struct api_call *call);
void people_show(struct api_call *call);
void people_create(struct api_call *call);
void people_disable(struct api_call *call);
void people_enable(struct api_call *call);
void people_merge(struct api_call *call);

void roles_list(struct api_call *call);
void roles_give(struct api_call *call);
void roles_take(struct api_call *call);

#endif
