/*
 * Whose an access is to be, and by which row of the access matrix: what requests and break-glass share.
 *
 *     struct asking asking;
 *     if (!asking_read(call, rules, person, &asking)) return;      // it is answered
 *     … asking.row->by, asking.subject_kind, asking.subject, asking.department …
 *
 * Of the body: `model`; `person` (who it is for, the caller unless said), `app`, `department` (the person's unless
 * said). Which of them is the subject the row says: covers = "user", "app" or "department".
 */
#ifndef MOONGATE_ADMIN_API_ASKING_H
#define MOONGATE_ADMIN_API_ASKING_H

#include "admin/api/route.h"
#include "store/governance.h"

#define ASKING_FIELDS                                                                                                  \
    {"model", API_NAME, true, "the model, by its own name"}, {"app", API_NAME, false, "the application that asks it"}, \
    {"department", API_NAME, false, "the department; the person's unless said"}

struct asking {
    const struct governance_row *row;
    struct slice model, subject_kind, subject, department; /* department: which roles must cover */
};

/* person: the id of who asks. False: it is answered. */
bool asking_read(struct api_call *call, const struct governance *rules, struct slice person, struct asking *asking);
/* The department of a person; empty: none, or there is no such person. In the call's arena. */
struct slice asking_department(struct api_call *call, struct slice person);

#endif
