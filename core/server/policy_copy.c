#include "server/policy_copy.h"

#include "base/log.h"
#include "lua/policy.h"
#include "lua/unspent.h"

struct policy_set *policy_copy_load(struct bundle *bundle, const struct settings *settings)
{
    struct policy_errors errors;
    policy_errors_init(&errors);
    struct policy_set *set = policy_set_load_for(
        bundle, &(struct policy_load){.settings = settings, .host = unspent_host(), .is_checked = true}, &errors);
    if (!set) log_event(LOG_ERROR, "policies_unread", "the policies in force do not load in the admin process");
    policy_errors_clear(&errors);
    return set;
}

void policy_copy_free(struct policy_set *set)
{
    policy_set_unref(set);
}
