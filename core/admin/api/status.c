#include "admin/api/status.h"

#include <jansson.h>

#include "admin/api/answer.h"
#include "store/registry/calls.h"

void status_registry(struct api_call *call)
{
    int64_t rev;
    struct fault why;
    struct registry *r = call->api->registry;
    if (!r)
        answer_give(call, 200, json_pack("{s:b, s:n, s:s}", "is_open", 0, "revision", "trouble",
                                         call->api->trouble ? call->api->trouble : "it is being opened"));
    else if (registry_revision(r, &rev, &why))
        answer_give(call, 200, json_pack("{s:b, s:I, s:n}", "is_open", 1, "revision", (json_int_t)rev, "trouble"));
    else
        answer_give(call, 200,
                    json_pack("{s:b, s:n, s:s}", "is_open", 1, "revision", "trouble", fault_message(&why)));
}
