/*
 * Handlers of requests for access and of decisions on them.
 *
 * Who has the role author sees all of them; others see what they asked for, what is for them, what waits for them.
 * Who may decide is not for this API's roles to say but for the row of the access matrix: `by` and `also` are any
 * roles, and the registry looks whether the person has one where it covers the department.
 */
#ifndef MOONGATE_ADMIN_API_APPROVALS_H
#define MOONGATE_ADMIN_API_APPROVALS_H

#include "admin/api/route.h"

extern const struct api_field approvals_create_fields[], approvals_decide_fields[], approvals_withdraw_fields[];

void approvals_list(struct api_call *call);
void approvals_show(struct api_call *call);
void approvals_create(struct api_call *call);
void approvals_decide(struct api_call *call);
void approvals_withdraw(struct api_call *call);

#endif
