#include "server/check_kept.h"

#include <inttypes.h>

#include "base/mem.h"
#include "server/check_policies.h"
#include "server/check_signed.h"
#include "server/checker.h"
#include "server/config.h"
#include "server/kept.h"

bool kept_check(const struct config *config, uint64_t serial, const struct check_against *against,
                struct buf *out, struct check_result *result)
{
    char folder[PATH_MAX];
    struct fault why;
    if (!kept_is_there(config->settings->data_dir.ptr, serial)) {
        report_say(result->report, FINDING_UNSIGNED, "serial %" PRIu64 " is not among the bundles that are kept",
                   serial);
        return false;
    }
    kept_path(config->settings->data_dir.ptr, serial, folder);
    if (!check_policies(folder, against, out, result)) return false;
    struct bundle *bundle = bundle_parse(buf_slice(out), &why);
    bool is_good = bundle && check_kept(config, serial, bundle, result);
    bundle_unref(bundle);
    return is_good;
}

void kept_serve(const struct config *config, const struct check_against *against, struct buf *bundle,
                struct check_result *result)
{
    struct accepted last;
    struct fault why;
    struct buf first;
    if (!gate_wants(config) || !accepted_read(config->settings->data_dir.ptr, &last, &why)) return;
    if (!kept_is_there(config->settings->data_dir.ptr, last.serial)) return;
    struct report *refused = result->report;
    result->report = report_new();
    mem_free(result->jwks_sources);
    result->jwks_sources = NULL;
    buf_reset(bundle);
    bool is_good = kept_check(config, last.serial, against, bundle, result);
    buf_init(&first);
    report_first_line(refused, &first);
    if (is_good)
        report_say(result->report, FINDING_KEPT_SERVES,
                   "the policies in the folder are not served (%.*s): serial %" PRIu64 ", accepted before, is",
                   SLICE_FMT(buf_slice(&first)), last.serial);
    buf_clear(&first);
    report_free(is_good ? refused : result->report);
    if (!is_good) result->report = refused;
    result->accept_serial = 0; /* it is in force */
}
