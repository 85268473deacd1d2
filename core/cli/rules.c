#include "cli/rules.h"

#include "cli/ask.h"
#include "cli/cli.h"
#include "lua/policy.h"

struct governance *rules_load(const char *config)
{
    struct fault why;
    struct ask_loaded loaded;
    if (!ask_load(&(struct ask){.config = config}, &loaded)) return NULL;
    struct governance *rules = governance_read(policy_set_governance(loaded.set), &why);
    ask_unload(&loaded);
    if (!rules) cli_error(CLI_USAGE, NULL, "%s", fault_message(&why));
    return rules;
}
