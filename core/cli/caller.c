#include "cli/caller.h"

#include <unistd.h>

#include "base/limits.h"
#include "base/login.h"
#include "base/utf8.h"
#include "cli/cli.h"

bool caller_read(const char *reason, struct change_by *by)
{
    static char name[LIMIT_LOGIN_BYTES + 1], host[65];
    struct slice text = slice_str(reason);
    if (text.len > LIMIT_REASON_BYTES || !utf8_is_valid(text)) {
        cli_usage_error("write a sentence, or the number of a ticket",
                        text.len > LIMIT_REASON_BYTES ? "--reason: longer than %u bytes" : "--reason: not UTF-8",
                        LIMIT_REASON_BYTES);
        return false;
    }
    login_caller(name);
    if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
    *by = (struct change_by){
        .actor = slice_str(name), .host = slice_str(host), .via = SLICE("cli"), .reason = text, .uid = getuid()};
    return true;
}
