#include "admin/scim/refuse.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#define ERROR_SCHEMA "urn:ietf:params:scim:api:messages:2.0:Error"

bool scim_refuse(struct scim_answer *answer, int status, const char *type, const char *format, ...)
{
    char detail[512], number[16];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    snprintf(number, sizeof number, "%d", status);
    json_decref(answer->body);
    answer->status = status;
    answer->body = json_pack("{s:[s], s:s, s:s}", "schemas", ERROR_SCHEMA, "status", number, "detail", detail);
    if (!answer->body)
        answer->body = json_pack("{s:[s], s:s}", "schemas", ERROR_SCHEMA, "status", number);
    if (type) json_object_set_new(answer->body, "scimType", json_string(type));
    return false;
}
