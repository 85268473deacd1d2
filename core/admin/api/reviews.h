/*
 * Handlers of access reviews (store/registry/reviews.h). They are opened, and their rows patched, by commands, which
 * load the policies; who may answer, the store says by the plan's role, whatever other roles a person has.
 */
#ifndef MOONGATE_ADMIN_API_REVIEWS_H
#define MOONGATE_ADMIN_API_REVIEWS_H

#include "admin/api/route.h"

extern const struct api_field reviews_decide_fields[], reviews_delegate_fields[], reviews_complete_fields[];

void reviews_list(struct api_call *call);
void reviews_show(struct api_call *call);
void reviews_decide(struct api_call *call);
void reviews_delegate(struct api_call *call);
void reviews_complete(struct api_call *call);
void reviews_evidence(struct api_call *call);

#endif
