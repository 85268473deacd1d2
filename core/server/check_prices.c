#include "server/check_prices.h"

#include <string.h>

#include "base/limits.h"
#include "lua/ask.h"
#include "net/pipe.h"
#include "server/check_policies.h"

#define SCRIPT "jumps"

/* Any provider will do: this one decides nothing any more. */
static bool ask_old(struct bundle *bundle, struct buf *prices)
{
    struct policy_errors ignored;
    struct fault why;
    int code;
    policy_errors_init(&ignored);
    struct policy_set *set = policy_set_load(bundle, NULL, &ignored);
    bool ok = set && policy_set_ask(set, SCRIPT, SLICE("{}"), prices, &code, &why);
    policy_set_unref(set);
    policy_errors_clear(&ignored);
    return ok;
}

/* NULL when it cannot be read. */
static struct bundle *read_bundle(int fd)
{
    struct slice bytes;
    struct fault why;
    if (!pipe_memfd_map(fd, LIMIT_PIPE_QUEUE_BYTES + LIMIT_POLICY_BUNDLE_BYTES, &bytes, &why)) return NULL;
    struct bundle *bundle = bundle_parse(bytes, &why);
    pipe_memfd_unmap(bytes);
    return bundle;
}

static bool compare(struct policy_set *set, const struct bundle *bundle, struct slice old, struct report *report)
{
    struct policy_errors errors;
    struct fault why;
    struct buf question, answer;
    int code;
    policy_errors_init(&errors);
    buf_init(&question);
    buf_init(&answer);
    buf_printf(&question, "{\"old\":%.*s}", SLICE_FMT(old));
    bool ok = policy_set_ask_all(set, SCRIPT, buf_slice(&question), &errors, &answer, &code, &why);
    if (!ok) report_say(report, FINDING_OTHER_ERROR, "%s", fault_message(&why));
    check_add_errors(&errors, bundle, report);
    ok = ok && errors.error_count == 0;
    buf_clear(&question);
    buf_clear(&answer);
    policy_errors_clear(&errors);
    return ok;
}

bool check_prices(struct policy_set *set, const struct bundle *bundle, int in_force_fd, struct report *report)
{
    struct bundle *old = in_force_fd >= 0 ? read_bundle(in_force_fd) : NULL;
    struct buf prices;
    bool ok = true;
    if (!old) return true;
    buf_init(&prices);
    if (strcmp(bundle_digest(old), bundle_digest(bundle)) != 0 && ask_old(old, &prices))
        ok = compare(set, bundle, buf_slice(&prices), report);
    buf_clear(&prices);
    bundle_unref(old);
    return ok;
}
