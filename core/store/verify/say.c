#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "base/visible.h"
#include "store/verify/verify_inner.h"

const char *verify_state_name(enum verify_state state)
{
    switch (state) {
    case VERIFY_INTACT: return "intact";
    case VERIFY_INCOMPLETE: return "incomplete";
    case VERIFY_TAMPERED: return "tampered";
    }
    return "";
}

static const struct verify_finding kinds[] = {
#define X(name, word, state, meaning) {VERIFY_##name##_FOUND, VERIFY_##state, word, meaning, 0, NULL},
    VERIFY_FINDINGS(X)
#undef X
};

void verify_show(struct slice text, char *to, size_t size)
{
    struct buf shown;
    buf_init(&shown);
    visible_append(&shown, text, false);
    struct slice cut = utf8_cut(buf_slice(&shown), size - 1);
    for (size_t i = 0; i < cut.len; i++)
        to[i] = (unsigned char)cut.ptr[i] < ' ' ? ' ' : cut.ptr[i];
    to[cut.len] = '\0';
    buf_clear(&shown);
}

void verify_say(struct verify *v, enum verify_kind kind, uint64_t seq, const char *format, ...)
{
    char text[FAULT_TEXT_BYTES], shown[FAULT_TEXT_BYTES];
    va_list args;
    struct verify_finding finding = kinds[kind];
    if (finding.state > v->result->state) v->result->state = finding.state;
    if (v->result->findings++ >= LIMIT_DIAGNOSTICS || !v->options->on_finding) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    verify_show(slice_str(text), shown, sizeof shown);
    finding.seq = seq;
    finding.text = shown;
    v->options->on_finding(v->options->arg, &finding);
}
