/*
 * Handlers of the checklist of governance (admin/checklist/checklist.h).
 */
#ifndef MOONGATE_ADMIN_API_CHECKLIST_H
#define MOONGATE_ADMIN_API_CHECKLIST_H

#include "admin/api/api.h"
#include "base/buf.h"
#include "base/fault.h"

/* Of who has the policies and the configuration; both as checklist.h has them. */
struct api_checks {
    struct json_t *(*report)(void *arg, const struct admin_api *api, int64_t since_s, struct fault *why);
    bool (*write)(void *arg, const struct json_t *report, const char *format, struct buf *out, struct fault *why);
    void *arg;
};

void checklist_list(struct api_call *call);
void checklist_markdown(struct api_call *call);
void checklist_page(struct api_call *call);
void checklist_show(struct api_call *call);

#endif
