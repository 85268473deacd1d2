#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"

static const struct fault_info infos[] = {
#define X(name, status, type, code, sentence) {status, type, code, sentence},
    FAULTS(X)
#undef X
};

const struct fault_info *fault_info(enum fault_code code)
{
    check((unsigned)code < sizeof infos / sizeof infos[0]);
    return &infos[code];
}

bool fault_set(struct fault *fault, enum fault_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fault->code = code;
    fault->param[0] = '\0';
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    return false;
}

bool fault_at(struct fault *fault, const char *param)
{
    snprintf(fault->param, sizeof fault->param, "%s", param);
    return false;
}

const char *fault_message(const struct fault *fault)
{
    return fault->text[0] ? fault->text : fault_info(fault->code)->sentence;
}
