#include "cli/approvals_inner.h"
#include "cli/ask.h"
#include "lua/policy.h"

bool approvals_read_rules(struct approvals *a, const char *config)
{
    struct fault why;
    struct ask_loaded loaded;
    if (!ask_load(&(struct ask){.config = config}, &loaded)) return false;
    a->rules = governance_read(policy_set_governance(loaded.set), &why);
    ask_unload(&loaded);
    if (!a->rules) cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    return a->rules != NULL;
}
