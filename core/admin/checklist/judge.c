#include "admin/checklist/checklist_inner.h"
#include "lua/ask.h"

bool checklist_ask(struct policy_set *set, const char *script, struct slice question, struct buf *answer, int *code,
                   struct fault *why)
{
    return policy_set_ask(set, script, question, answer, code, why);
}
