#include "server/codes.h"

/* The first whose text fits counts: what is narrower stands before what is wider. Parts that begin with ^ are how a text
 * begins, and are tried before all others: what follows there quotes another message. */
/* clang-format off */
const struct code code_table[] = {
    /* ---- Lua and files. */
    {"MG0101", "the file is not Lua",
     " expected near |' expected|unexpected symbol|unfinished string|unfinished long|malformed number|<eof>|invalid escape|"
     "no visible label|jumps into the scope|too many syntax levels|too many local variables",
     "Lua could not read the file: a comma between fields is missing, a bracket or an `end` is not there, or a quote is not closed.",
     "Look at the line and at the one before it; Lua notices where it can go no further, which may be after the mistake."},
    {"MG0102", "the file does not return a policy",
     "the file returns |wants a table|must end with `return|must return ",
     "Every policy file ends with one returned constructor: return access { … }. Without `return` the table is thrown away.",
     "Write `return` before the constructor at the end of the file."},
    {"MG0103", "a name that is not there",
     "undefined name '|has no field '|knows no `|attempt to call a nil|attempt to call field|attempt to call global|"
     "attempt to call local|attempt to call method|attempt to call upvalue",
     "A name is read that neither Lua nor moongate gives to policies. Misspelt names are errors, not nil.",
     "Take the nearest name that is offered, or make it with `local`. There is no pcall, print, os, io or require."},
    {"MG0104", "a global is set", "assignment to global '",
     "Policies have no globals: they would carry something from one request to the next.",
     "Write `local` before the name."},
    {"MG0105", "stopped: too much work", "stopped after|stopped: |too much work|longer than |an endless loop",
     "A policy has a budget of bytecodes, CPU time, memory and waiting time, so that none can stop the gateway. An endless "
     "loop uses it up wherever it stands.",
     "Look at the loop in the line that is named. A longer piece of work can be given a larger budget: policy = { bytecodes = … } "
     "in moongate.lua."},
    {"MG0106", "a file is missing or cannot be read",
     "there is no file |No such file|Permission denied|is a symbolic link|is not a regular file|Is a directory|policy folder|"
     "larger than |more than one|there twice|name is made of|nested too deep|compiled Lua",
     "A file that the chain or the configuration names is not there, or is not a plain text file of a size that makes sense.",
     "Correct the name, or make the file. Paths in moongate.lua are relative to that file."},
    {"MG0107", "a decision is built and not returned", "was built but not returned",
     "deny(…) alone does nothing: a hook's decision is what it returns.",
     "Write `return deny(…)`."},

    /* ---- What is written in policy files. */
    {"MG0201", "an example fails", "^examples[|' is sent",
     "An example that stands in the file was decided in another way than it says; files whose examples fail do not go live.",
     "Correct the rule, or the example. `moongate explain` shows step by step how a request is decided."},
    {"MG0202", "a spec fails", "^spec failed|^the specs",
     "gate = { specs = true } in moongate.lua lets nothing go live whose specs fail.",
     "`moongate test` shows the same failure with its trace."},
    {"MG0203", "an unknown condition", "unknown condition '",
     "`when` and `unless` compare fields of the request and of its caller; this is not one of them.",
     "Take the nearest name. A label of your keys is known once auth.lua names it: labels = { \"cost_center\" }."},
    {"MG0204", "an unknown model or target", "no model |no target |there are no models|is a snapshot: name|is an alias of",
     "Rules may only name models and targets that policies/models.lua lists, so that a misspelt name cannot open or close a door.",
     "Correct the name, or add it to policies/models.lua. Conditions name models, actions name targets (provider/model)."},
    {"MG0205", "a predicate that does not fit", "does not fit here|() wants |wants two numbers|wants one value|wants a list|wants a text|"
     "wants a data class|unknown data class",
     "gt, lt and their like compare numbers; like compares texts; at_least compares data classes.",
     "Use a constant, a list, or a predicate of the field's own kind."},
    {"MG0206", "a rule without one action", "has no action|has one action|threshold does nothing|a rule here cannot|a filter on what is called",
     "A rule is a name, conditions, and exactly one action that its kind of policy may take.",
     "Give it one of the actions that are listed; two actions are two rules."},
    {"MG0207", "a rule of another shape", "a rule is a table|a rule begins|a rule has one name|rules are a list|two rules are called|"
     "called stands in|an unnamed rule",
     "Rules are a list, and each begins with a name of its own: it stands in traces, records and explanations.",
     "{ \"name\", when = { … }, deny = { 403, \"code\" } }"},
    {"MG0208", "a decision of another shape", "deny is written|pass is written|warn is written|a code is made of|not a standard HTTP status|"
     "allow is written|: the reason is a text|route wants|retry_after is|returned a decision|: return deny",
     "An action's value has another form than it needs, or its status is none that clients understand.",
     "deny = { 403, \"code_for_programs\" }, route = { \"provider/model\" }, pass = true, warn = { \"code\", \"text\" }"},
    {"MG0209", "a time of another shape", "hours are written|days are written|unknown zone|a zone without|is not a duration|time is written|"
     "a time is|must be a duration|shorter than a millisecond",
     "Hours, days, zones and durations are written as texts of one form.",
     "hours = \"07:00-20:00\", days = \"mon-fri\", zone = \"Europe/Berlin\", \"30s\", \"5m\", \"2h\""},
    {"MG0210", "a place in the chain that is empty or taken", "stands in the chain|the chain is empty|a chain is a list|is no policy|"
     "name of a policy file|which is no policy",
     "policies/init.lua lists policy files by name, each once, in the order in which requests meet them.",
     "chain { \"auth\", \"access\", \"routing\" }; models and apps are read in any case and do not stand there."},
    {"MG0221", "something said twice", "here twice|is named twice|an auth policy already|two thresholds|not both",
     "Two entries say what only one may say, and it would not be clear which counts.",
     "Take one of them out."},
    {"MG0222", "a way in that cannot work",
     "name of a header|keys must come|URL of a key set|no key or token can be|nobody could come in|more than 16 issuers|"
     "clocks that differ",
     "What auth says of keys, tokens and their issuers cannot be used to tell who is calling.",
     "The message says what is expected; keys of issuers come over https:// or from a file."},
    {"MG0223", "too late for a stream", "stream has gone out|buffer holds streams",
     "on_response runs when the answer is complete; of a stream, the caller has read it by then.",
     "Say buffer = true to hold streams back, use on_delta, or do not deny there."},
    {"MG0219", "a redaction that cannot work",
     "there is no detector|is not looked for here|nothing is said of|nothing is looked for|no request is masked|"
     "looks for things already|this redaction|a mask ",
     "A redaction names what it looks for, by detector or mask, and what happens to each; what is not looked for cannot be masked.",
     "redaction { detect = { \"email\" }, request = { email = \"mask\" } }; [\"*\"] stands for all others."},
    {"MG0220", "a limit or budget of another shape",
     "a limit |a budget |two limits|two budgets|concurrent counts|session's budget|count before anything|limits nothing|"
     "default is for each|name of the default|another budget|'per' is missing|'limit' is missing|whole number",
     "A limit says for whom, how many, and in what time; a budget says whose, how much, and over which period.",
     "{ \"per-user\", by = \"user\", requests = 60, per = \"1m\" }; { \"sales\", department = \"sales\", limit = 5000, per = "
     "\"month\" }"},
    {"MG0211", "an unknown field", "unknown field|unknown target field|unknown price|unknown default|unknown option|' is not part of this version|"
     "is not part of this version|unknown ",
     "A table has a field that nobody reads. It is refused, because a misspelt limit would be no limit.",
     "Take the nearest name, or remove the field."},
    {"MG0212", "a field is missing", "is missing|add kind|has no targets|needs a|without rules|begins with its name",
     "A table lacks a field without which it means nothing.",
     "Add the field that is named."},
    {"MG0213", "a reason that names no field", "} is no field of a request|a reason is a text",
     "Names in braces in a reason are filled in from the request; this one is no field of it.",
     "Take the nearest name; write braces only around names of fields."},
    {"MG0214", "a list with a hole", "hole|list has no named fields|without a name|positions",
     "A list counts from 1 without gaps; a nil in its middle is mostly a misspelt name.",
     "Look at the entry before the hole."},
    {"MG0215", "a price or an amount of another shape", "a price is|a price says|a price for|a price has|two prices|long-context tier|a threshold is|in force for|an amount is|a percentage is|amounts are|USD",
     "Money is counted in whole numbers of a very small unit, so that no cent is lost; it is written with at most six decimals.",
     "price = usd_per_million { input = \"2.50\", output = \"10.00\" }: the unit stands in the file"},
    {"MG0216", "an unknown app, label or identity field", "is not in policies/apps.lua|is no field of an identity|a label is made of|"
     "is a field of every request|the name '|runs both|virtual model",
     "Names of apps, labels and models must be known, and mean one thing only.",
     "Add it where names of its kind are listed, or take the nearest."},
    {"MG0217", "an environment variable or secret", "environment variable|credential|a key must be|is empty|PEM",
     "moongate.lua names a secret that is not there, is empty, or stands where it must not.",
     "Set the variable for the process that runs moongate, or use file \"path\"."},
    {"MG0218", "a value of another kind", "expected |must be |is a text|out of range|must not|is not a|is no |is written|got ",
     "The field is known, its value is not of the kind that it takes.",
     "The message says what is expected."},

    /* ---- Warnings. */
    {"MG0301", "a rule that is never reached", "never reached",
     "A rule before it always applies, or applies whenever this one would, and ends the policy or takes its place.",
     "Put the narrower rule first, or remove it."},
    {"MG0302", "a function that could be a table", "could be a table",
     "A function is opaque: it cannot be compared by `moongate diff`, and `moongate explain` cannot say what would let a request "
     "through.",
     "Write the condition as a table, as the hint shows."},
    {"MG0303", "a limit that never acts", "never acts|can never act",
     "Another limit, tighter and at least as broad, always acts first; or nothing can ever count against this one.",
     "Remove it, or correct its number or its scope."},
    {"MG0304", "a file without effect", "it has no effect",
     "The folder holds a policy that policies/init.lua does not name.",
     "Add its name to the chain where it belongs, or move the file away."},
    {"MG0305", "callers without a key", "callers are let in",
     "No auth policy stands in the chain, so nobody is asked who they are.",
     "chain { \"auth\", … }"},
    {"MG0306", "a provider without an account", "has no provider '",
     "policies/models.lua names targets of a provider that moongate.lua has no account for. They are passed over.",
     "providers = { name = { kind = …, url = …, key = env \"…\" } } in moongate.lua, or optional = true in the "
     "model's row."},
    {"MG0307", "a model without a price", "has no price",
     "What its requests cost cannot be told: they count as nothing against budgets.",
     "price = usd_per_million { input = \"…\", output = \"…\" }; price = free says that it costs nothing."},
    {"MG0308", "a policy without examples", "has no examples",
     "Nothing shows at load that the rules do what they are meant to.",
     "examples = { { as = { … }, model = \"…\", deny = \"code\" }, … }: each is decided at every load."},

    {"MG0309", "a field of ctx that is not there", "has no field '",
     "ctx and its parts have a fixed set of fields, and labels that auth.lua names. Reading any other raises, and the request "
     "is refused with policy_error.",
     "Take the nearest name, or name the label in auth.lua: labels = { … }."},

    {"MG0310", "a limit that callers can step around", "as many sessions as it likes",
     "What counts by session begins anew with each new one, and who calls decides when that is.",
     "Let a limit by user or key stand beside it."},
    {"MG0311", "spending that no budget holds", "no budget holds for",
     "Neither a row nor a default applies to somebody who may call.",
     "default = { each = \"department\", limit = …, per = \"month\" } catches whoever has no row."},
    {"MG0312", "a limit that is not counted", "are not counted by",
     "The policy is checked and traced, and lets everything through.",
     "Take it as a rehearsal: `moongate test` shows what it would do."},
    {"MG0313", "keys that are not used", "of its keys are not used",
     "A file of public keys holds some of a kind that signatures are not checked with.",
     "Tokens that those keys have signed are refused; the others work."},
    {"MG0314", "a service that is not listed", "is not listed in moongate.lua",
     "A policy calls a place that egress does not name. The call raises, and the policy fails with it.",
     "egress = { [\"https://service.example\"] = { clearance = \"internal\" } } lists it, with what data may go there."},

    {"MG0315", "a key whose app is not listed", "an app that is not listed|no app that is listed",
     "An API key that works names an app that policies/apps.lua does not have, or none at all: whoever comes with it is refused.",
     "Add the app to policies/apps.lua, set default_app in auth.lua, or revoke the key."},

    {"MG0316", "a price that looks like another unit's", "is it USD per million|cost more than others",
     "Two rates of one price are a thousandfold apart, or the dear one is where the cheap one is usual.",
     "Rates are USD per million tokens: 0.0000025 a token is input = \"2.50\"."},

    /* ---- The load itself. */
    {"MG0401", "a change that needs a restart", "needs restart",
     "Listening addresses, workers and the data folder are fixed when the gateway starts.",
     "Restart it, or take the change back; everything else in moongate.lua acts at a reload."},
    {"MG0402", "the checker ended", "crashed the process|ended without a result|cannot fork|died while",
     "The process that tries configurations beside the gateway did not come to an end.",
     "What runs goes on. Try again; if it stays, `moongate check` shows more."},
    {"MG0399", "a warning", "", "Something is unusual, and loads all the same. No narrower code stands for it.", "The message says what it is about."},
    {"MG0499", "an error", "", "Something is wrong, for which no narrower code stands.", "The message says what, and where."},
    {NULL, NULL, NULL, NULL, NULL},
};
/* clang-format on */

static bool has_part(struct slice text, struct slice part, bool is_beginning)
{
    if ((part.ptr[0] == '^') != is_beginning) return false;
    if (is_beginning) return slice_starts(text, slice_of(part.ptr + 1, part.len - 1));
    return text.len >= part.len && memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

static bool fits(const struct code *code, struct slice text, bool is_beginning)
{
    struct slice rest = slice_str(code->says);
    if (rest.len == 0) return !is_beginning;
    while (rest.len) {
        struct slice part = slice_split(rest, '|', &rest);
        if (part.len && has_part(text, part, is_beginning)) return true;
    }
    return false;
}

static const struct code *find(struct slice text, bool is_warning, bool is_beginning)
{
    for (const struct code *code = code_table; code->name; code++) {
        bool is_of_warnings = code->name[3] == '3';
        if (is_of_warnings == is_warning && fits(code, text, is_beginning)) return code;
    }
    return NULL;
}

const struct code *code_of(struct slice text, bool is_warning)
{
    const struct code *code = find(text, is_warning, true);
    return code ? code : find(text, is_warning, false);
}

const struct code *code_find(struct slice name)
{
    for (const struct code *code = code_table; code->name; code++) {
        if (slice_equal(slice_str(code->name), name)) return code;
    }
    return NULL;
}
