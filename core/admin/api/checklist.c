#include "admin/api/checklist.h"

#include <jansson.h>

#include "admin/api/acting.h"
#include "admin/checklist/checklist.h"

/* NULL: it is answered. */
static json_t *report_of(struct api_call *call)
{
    struct fault why = {0};
    const struct api_checks *checks = call->api->checks;
    json_t *report = checks ? checks->report(checks->arg, call->api, 0, &why) : NULL;
    if (report) return report;
    answer_refuse(call, 503, "checklist_unavailable", NULL, "`moongate checklist` makes it beside the configuration",
                  "%s", checks ? fault_message(&why) : "no gateway runs here that has policies");
    return NULL;
}

void checklist_list(struct api_call *call)
{
    json_t *report = report_of(call);
    if (report) answer_give(call, 200, report);
}

static void write(struct api_call *call, const char *format, const char *content_type)
{
    struct fault why = {0};
    struct buf out;
    json_t *report = report_of(call);
    if (!report) return;
    buf_init(&out);
    if (call->api->checks->write(call->api->checks->arg, report, format, &out, &why))
        answer_give_text(call, content_type, buf_slice(&out));
    else
        answer_fault(call, &why);
    buf_clear(&out);
    json_decref(report);
}

void checklist_markdown(struct api_call *call)
{
    write(call, "md", "text/markdown; charset=utf-8");
}

void checklist_page(struct api_call *call)
{
    write(call, "html", "text/html; charset=utf-8");
}

void checklist_show(struct api_call *call)
{
    json_t *report = report_of(call);
    if (!report) return;
    json_t *fact = checklist_fact(report, call->parameters[0]);
    if (fact)
        answer_give(call, 200, json_incref(fact));
    else
        answer_refuse(call, 404, "not_found", "fact", "GET /checklist lists them", "there is no fact %.*s",
                      SLICE_FMT(call->parameters[0]));
    json_decref(report);
}
