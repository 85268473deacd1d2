/*
 * What SCIM answers to what it refuses (RFC 7644 3.12).
 */
#ifndef MOONGATE_ADMIN_SCIM_REFUSE_H
#define MOONGATE_ADMIN_SCIM_REFUSE_H

#include "admin/scim/scim.h"

/* {"schemas":[…Error],"status":"400","scimType":…,"detail":…}; type may be NULL. Always false. */
bool scim_refuse(struct scim_answer *answer, int status, const char *type, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
