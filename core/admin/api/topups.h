/*
 * Handlers of top-ups of budgets (store/topups.h).
 */
#ifndef MOONGATE_ADMIN_API_TOPUPS_H
#define MOONGATE_ADMIN_API_TOPUPS_H

#include "admin/api/route.h"

extern const struct api_field topups_create_fields[], topups_end_fields[];

void topups_list(struct api_call *call);
void topups_create(struct api_call *call);
void topups_end(struct api_call *call);

#endif
