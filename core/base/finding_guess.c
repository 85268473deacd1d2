#include "base/finding_guess.h"

/* The first whose text fits counts: what is narrower stands before what is wider. Parts that begin with ^ are how a text
 * begins, and are tried before all others: what follows there quotes another message. */
/* clang-format off */
static const struct {
    enum finding finding;
    const char *says;
} texts[] = {
    {FINDING_NOT_LUA,
     " expected near |' expected|unexpected symbol|unfinished string|unfinished long|malformed number|<eof>|invalid escape|"
     "no visible label|jumps into the scope|too many syntax levels|too many local variables"},
    {FINDING_NO_POLICY,
     "the file returns |wants a table|must end with `return|must return "},
    {FINDING_UNDEFINED_NAME,
     "undefined name '|has no field '|knows no `|attempt to call a nil|attempt to call field|attempt to call global|"
     "attempt to call local|attempt to call method|attempt to call upvalue"},
    {FINDING_GLOBAL_SET,
     "assignment to global '"},
    {FINDING_STOPPED,
     "stopped after|stopped: |too much work|longer than |an endless loop"},
    {FINDING_NO_FILE,
     "there is no file |No such file|Permission denied|is a symbolic link|is not a regular file|Is a directory|policy folder|"
     "larger than |more than one|there twice|name is made of|nested too deep|compiled Lua"},
    {FINDING_NOT_RETURNED,
     "was built but not returned"},
    {FINDING_EXAMPLE_FAILS,
     "^examples[|' is sent"},
    {FINDING_SPEC_FAILS,
     "^spec failed|^the specs"},
    {FINDING_UNKNOWN_CONDITION,
     "unknown condition '"},
    {FINDING_UNKNOWN_MODEL,
     "no model |no target |there are no models|is a snapshot: name|is an alias of"},
    {FINDING_BAD_PREDICATE,
     "does not fit here|() wants |wants two numbers|wants one value|wants a list|wants a text|"
     "wants a data class|unknown data class"},
    {FINDING_BAD_ACTION,
     "has no action|has one action|threshold does nothing|a rule here cannot|a filter on what is called"},
    {FINDING_BAD_RULE,
     "a rule is a table|a rule begins|a rule has one name|rules are a list|two rules are called|"
     "called stands in|an unnamed rule"},
    {FINDING_BAD_DECISION,
     "deny is written|pass is written|warn is written|a code is made of|not a standard HTTP status|"
     "allow is written|: the reason is a text|route wants|retry_after is|returned a decision|: return deny"},
    {FINDING_BAD_TIME,
     "hours are written|days are written|unknown zone|a zone without|is not a duration|time is written|"
     "a time is|must be a duration|shorter than a millisecond"},
    {FINDING_BAD_CHAIN,
     "stands in the chain|the chain is empty|a chain is a list|is no policy|"
     "name of a policy file|which is no policy"},
    {FINDING_SAID_TWICE,
     "here twice|is named twice|an auth policy already|two thresholds|not both"},
    {FINDING_BAD_AUTH,
     "name of a header|keys must come|URL of a key set|no key or token can be|nobody could come in|more than 16 issuers|"
     "clocks that differ"},
    {FINDING_TOO_LATE,
     "stream has gone out|buffer holds streams"},
    {FINDING_BAD_REDACTION,
     "there is no detector|is not looked for here|nothing is said of|nothing is looked for|no request is masked|"
     "looks for things already|this redaction|a mask "},
    {FINDING_BAD_LIMIT,
     "a limit |a budget |two limits|two budgets|concurrent counts|session's budget|count before anything|limits nothing|"
     "default is for each|name of the default|another budget|'per' is missing|'limit' is missing|whole number"},
    {FINDING_UNKNOWN_FIELD,
     "unknown field|unknown target field|unknown price|unknown default|unknown option|' is not part of this version|"
     "is not part of this version|unknown "},
    {FINDING_MISSING_FIELD,
     "is missing|add kind|has no targets|needs a|without rules|begins with its name"},
    {FINDING_BAD_REASON,
     "} is no field of a request|a reason is a text"},
    {FINDING_BAD_LIST,
     "hole|list has no named fields|without a name|positions"},
    {FINDING_BAD_AMOUNT,
     "a price is|a price says|a price for|a price has|two prices|long-context tier|a threshold is|in force for|an amount is|a percentage is|amounts are|USD"},
    {FINDING_BAD_NAME,
     "is not in policies/apps.lua|is no field of an identity|a label is made of|"
     "is a field of every request|the name '|runs both|virtual model"},
    {FINDING_BAD_SECRET,
     "environment variable|credential|a key must be|is empty|PEM"},
    {FINDING_BAD_VALUE,
     "expected |must be |is a text|out of range|must not|is not a|is no |is written|got "},
    {FINDING_SERVICE_NOT_LISTED,
     "is not listed in moongate.lua"},
    {FINDING_NEVER_REACHED,
     "never reached"},
    {FINDING_OPAQUE_FUNCTION,
     "could be a table"},
    {FINDING_NEVER_ACTS,
     "never acts|can never act"},
    {FINDING_NO_EFFECT,
     "it has no effect"},
    {FINDING_NO_AUTH,
     "callers are let in"},
    {FINDING_NO_ACCOUNT,
     "has no provider '"},
    {FINDING_NO_PRICE,
     "has no price"},
    {FINDING_NO_EXAMPLES,
     "has no examples"},
    {FINDING_NO_SUCH_FACT,
     "has no field '"},
    {FINDING_EVADABLE_LIMIT,
     "as many sessions as it likes"},
    {FINDING_NO_BUDGET,
     "no budget holds for"},
    {FINDING_NOT_COUNTED,
     "are not counted by"},
    {FINDING_UNUSED_KEYS,
     "of its keys are not used"},
    {FINDING_UNLISTED_SERVICE,
     "is not listed in moongate.lua"},
    {FINDING_UNLISTED_APP,
     "an app that is not listed|no app that is listed"},
    {FINDING_SERVICE_PASSED_OVER,
     "err is \"clearance\""},
    {FINDING_REFUSED_BEFORE,
     "before rules are"},
    {FINDING_LONE_NAME,
     "stands here only"},
    {FINDING_ODD_PRICE,
     "is it USD per million|cost more than others"},
    {FINDING_NEEDS_RESTART,
     "needs restart"},
    {FINDING_CHECK_DIED,
     "crashed the process|ended without a result|cannot fork|died while"},
    {FINDING_OTHER_WARNING,
     ""},
    {FINDING_OTHER_ERROR,
     ""},
};
/* clang-format on */

static bool has_part(struct slice text, struct slice part, bool is_beginning)
{
    if ((part.ptr[0] == '^') != is_beginning) return false;
    if (is_beginning) return slice_starts(text, slice_of(part.ptr + 1, part.len - 1));
    return text.len >= part.len && memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

static bool fits(const char *says, struct slice text, bool is_beginning)
{
    struct slice rest = slice_str(says);
    if (rest.len == 0) return !is_beginning;
    while (rest.len) {
        struct slice part = slice_split(rest, '|', &rest);
        if (part.len && has_part(text, part, is_beginning)) return true;
    }
    return false;
}

static enum finding find(struct slice text, bool is_warning, bool is_beginning)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (finding_is_warning(texts[i].finding) == is_warning && fits(texts[i].says, text, is_beginning))
            return texts[i].finding;
    }
    return FINDING_NONE;
}

enum finding finding_guess(struct slice text, bool is_warning)
{
    enum finding found = find(text, is_warning, true);
    return found ? found : find(text, is_warning, false);
}
