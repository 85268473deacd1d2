#include "admin/api/sinks.h"

#include <jansson.h>

#include "admin/api/acting.h"
#include "store/registry/evidence.h"

const struct api_field sinks_test_fields[] = {REASON_FIELD, FIELDS_END};

void sinks_test(struct api_call *call)
{
    struct fault why = {0};
    struct registry *r = acting_registry(call);
    if (!r) return;
    struct change_by by = acting_by(call);
    if (!acting_is_good(call, registry_note(r, &by, "sinks.test", SLICE("sinks"), NULL, &why), &why)) return;
    answer_give(call, 202, json_pack("{s:I}", "revision", (json_int_t)registry_rev(r)));
}
