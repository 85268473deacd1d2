#include "cli/noting.h"

#include <jansson.h>
#include <stdio.h>

#include "cli/caller.h"
#include "store/registry/evidence.h"

void noting(const char *data_dir, const char *action, const char *object, json_t *after)
{
    struct fault why = {0};
    struct change_by by;
    if (!registry_is_there(data_dir) || !caller_read(NULL, &by)) {
        json_decref(after);
        return;
    }
    struct registry *r = registry_open(data_dir, &why);
    bool is_noted = r && registry_note(r, &by, action, slice_str(object), json_incref(after), &why);
    if (!is_noted) fprintf(stderr, "warning: not noted for `moongate checklist`: %s\n", fault_message(&why));
    registry_close(r);
    json_decref(after);
}
