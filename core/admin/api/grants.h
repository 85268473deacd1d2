/*
 * Handlers of grants, and of break-glass, which is one that nobody was asked about.
 *
 * A grant is shortened and revoked by approvers where their role covers its department: that of the request; of
 * break-glass the department it is for, or that of the person; "*" where there is none. Who may break the glass, and
 * close it, governance's rules say.
 */
#ifndef MOONGATE_ADMIN_API_GRANTS_H
#define MOONGATE_ADMIN_API_GRANTS_H

#include "admin/api/route.h"

extern const struct api_field grants_shorten_fields[], grants_revoke_fields[];
extern const struct api_field glass_take_fields[], glass_close_fields[];

void grants_list(struct api_call *call);
void grants_imported(struct api_call *call);
void grants_show(struct api_call *call);
void grants_shorten(struct api_call *call);
void grants_revoke(struct api_call *call);

void glass_take(struct api_call *call);
void glass_close(struct api_call *call);

#endif
